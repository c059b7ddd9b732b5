# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""External peers: what a probe shows of them, and how a verdict uses what one side can see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import verdict
from test_verdict import NOW, ROOT, cluster, leg, sound, view

from tests.support.openssl_peer import make_ca, make_leaf, probe, s_server

Evidence = dict[str, Any]


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("external")
    for name in ("SbcCA", "OtherCA"):
        make_ca(folder, name)
    # Another CA of the same name, with another key: names alone would take it for the right one.
    (folder / "twin").mkdir()
    make_ca(folder / "twin", "SbcCA")
    make_leaf(folder, "sbc", "SbcCA")
    return folder


@pytest.mark.parametrize(
    ("ca", "names", "trusted", "fits"),
    [
        ("SbcCA.pem", ["sbc"], True, True),
        ("SbcCA.pem", ["other", "SBC.lab.local"], True, True),
        ("SbcCA.pem", ["other"], True, False),
        ("OtherCA.pem", ["sbc"], False, True),
        ("twin/SbcCA.pem", ["sbc"], False, True),
        ("sbc.pem", [], False, None),
    ],
)
def test_a_probe_judges_chain_and_names(
    material: Path, ca: str, names: list[str], trusted: bool, fits: bool | None
) -> None:
    with s_server(material, "sbc") as port:
        seen = probe(port, options=False, ca_chain=[(material / ca).read_text()], subject_names=names)
    assert (seen["trusted"], seen["name_matches"]) == (trusted, fits), seen


def test_a_probe_without_anything_to_judge_by_says_nothing_of_it(material: Path) -> None:
    with s_server(material, "sbc") as port:
        seen = probe(port, options=False)
    assert seen["trusted"] is None and seen["name_matches"] is None


def toward_sbc(**changes: Any) -> Evidence:
    """A cluster with a trunk in service to an SBC that was probed."""
    probe = {
        "chain": [view("SBC", "DD"), ROOT], "mutual": True, "tls_version": "TLSv1.2", "cipher": "AES256-GCM-SHA384",
        "trusted": True, "trust_text": "good", "name_matches": True, "name_text": "good", **changes.pop("probe", {}),
    }  # fmt: skip
    return {
        **leg("cucma", "sbc", "SBC", "10.9.9.9"), "status": {"in_service": True},
        "external": {"addresses": ["10.9.9.9"], "port": 5061, "probes": {"10.9.9.9": probe}}, **changes,
    }  # fmt: skip


def judged(direction: Evidence) -> Evidence:
    cases = verdict.directions_of([cluster("cucma", "CUCMA", "10.0.0.1", "AA")], [direction], now=NOW)
    return verdict.verdict(cases)


def test_all_that_one_side_can_see_makes_it_secure_and_the_rest_is_said() -> None:
    (way,) = judged(toward_sbc())["directions"]
    assert way["verdict"] == "secure", way["findings"]
    assert {finding["check"] for finding in way["findings"] if finding["severity"] == "one_sided"} == {
        "incoming",
        "srtp",
    }
    assert all(finding["proof"] for finding in way["findings"] if finding["severity"] == "one_sided")
    assert "as far as one side can show" in judged(toward_sbc())["summary"][0]


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"probe": {"trusted": False, "trust_text": "another CA"}}, "server_certificate"),
        ({"probe": {"name_matches": False, "name_text": "another name"}}, "server_name"),
        ({"probe": {"chain": [view("SBC", "DD", uses=("clientAuth",))]}}, "extended_key_usage"),
        ({"probe": {"chain": [view("SBC", "DD", end="2026-10-01")]}}, "dates"),
        ({"probe": {"chain": [view("SBC", "DD", issuer="CN=Nobody")]}}, "server_trust"),
        ({"profile": {"name": "TLS", "security_mode": "Authenticated", "outgoing_transport": "TLS"}}, "profile"),
    ],
)
def test_what_is_wrong_makes_it_insecure(changes: Evidence, check: str) -> None:
    (way,) = judged(toward_sbc(**changes))["directions"]
    assert way["verdict"] == "insecure"
    assert check in {finding["check"] for finding in way["findings"] if finding["severity"] == "error"}


@pytest.mark.parametrize("status", [{"in_service": False, "reason": "Local=2"}, {"in_service": None}, None])
def test_a_trunk_that_is_not_in_service_is_unproven_and_says_what_would_prove_it(status: Evidence | None) -> None:
    direction = toward_sbc(status=status)
    (way,) = judged(direction)["directions"]
    assert way["verdict"] == "unproven"
    missing = [finding for finding in way["findings"] if finding["severity"] == "missing"]
    assert missing and all(finding["proof"] for finding in missing)


def test_a_peer_that_the_controller_can_not_reach_is_proven_by_the_cluster_itself() -> None:
    direction = toward_sbc()
    direction["external"]["probes"] = {}
    (way,) = judged(direction)["directions"]
    assert way["verdict"] == "secure", way["findings"]
    assert judged({**direction, "status": None})["directions"][0]["verdict"] == "unproven"


def test_a_peer_without_client_authentication_is_warned_of() -> None:
    (way,) = judged(toward_sbc(probe={"mutual": False}))["directions"]
    assert way["verdict"] == "secure"
    assert "mutual_authentication" in {f["check"] for f in way["findings"] if f["severity"] == "warning"}


def test_srtp_is_missed_where_it_was_asked_for_and_warned_of_where_it_was_not() -> None:
    direction = toward_sbc()
    direction["trunk"]["srtp_allowed"] = False
    assert judged(direction)["directions"][0]["verdict"] == "insecure"
    direction["external"]["srtp"] = False
    (way,) = judged(direction)["directions"]
    assert way["verdict"] == "secure", way["findings"]
    assert "srtp" in {found["check"] for found in way["findings"] if found["severity"] == "warning"}


def test_what_is_unproven_of_a_peer_that_is_not_ours_does_not_mar_the_whole() -> None:
    evidence = sound()
    for status, whole in (({"in_service": False}, "secure"), ({"in_service": True}, "secure")):
        cases = verdict.directions_of(
            evidence["clusters"], [*evidence["directions"], toward_sbc(status=status)], now=NOW
        )
        assert verdict.verdict(cases)["verdict"] == whole
    wrong = toward_sbc(probe={"trusted": False, "trust_text": "another CA"})
    cases = verdict.directions_of(evidence["clusters"], [*evidence["directions"], wrong], now=NOW)
    assert verdict.verdict(cases)["verdict"] == "insecure"
    assert judged(toward_sbc(status=None))["verdict"] == "unproven", "alone it is what the whole is"
