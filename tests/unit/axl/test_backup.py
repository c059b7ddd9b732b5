# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of runs: before the first write, continued after a kill, finished, for their owner alone."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import BY_KIND
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.objects import existing_objects

Cluster = Any  # conftest.Cluster, which pytest hands over
TCP = "Non Secure SIP Trunk Profile"


def test_a_record_is_begun_continued_and_finished(lab: Any, tmp_path: Path) -> None:
    cluster: Cluster = lab.cluster("cucm150")
    kept = {"path": str(tmp_path / "kept"), "name": "a"}
    changes = {"name": "T-SAVED", "description": "after"}
    cluster.run("SipTrunk", name="T-SAVED", description="before", security_profile=TCP)
    try:
        cluster.saved(**kept, objects={"sip_trunk": [changes]}, check=True)
        assert not (tmp_path / "kept").exists()
        began = cluster.saved(
            **kept, certificates={"A": {"sha256": "aa", "subject": "CN=A", "pem": "PEM"}}, trust=["bb"],
            ec_certificates={"A": {"sha256": "ee", "subject": "CN=A-EC", "pem": "PEM"}, "B": None},
        )  # fmt: skip
        cluster.saved(
            **kept, objects={"sip_trunk": [changes], "route_pattern": [{"pattern": "7778", "gateway": "T-SAVED"}]}
        )
        cluster.run("SipTrunk", **changes)
        # The run is killed here; the next one finds the trunk changed, and the record still holds how it was.
        continued = cluster.saved(**kept, objects={"sip_trunk": [changes]})
        assert json.loads(Path(continued["file"]).read_text()) == continued["record"]
        assert continued["record"]["began"] == began["record"]["began"]
        cluster.run("RoutePattern", pattern="7778", gateway="T-SAVED")
        done = cluster.saved(**kept, state="finished", certificates={"A": {"sha256": "aa"}})
        trunk, pattern = done["record"]["objects"]
        assert (trunk["before"]["description"], trunk["after"]["description"]) == ("before", "after")
        assert pattern["before"] is None and pattern["after"]["gateway"] == "T-SAVED"
        assert {label: view["sha256"] for label, view in done["record"]["identity"].items()} == {
            "A": "aa", "A CallManager-ECDSA": "ee",
        }  # fmt: skip
        assert "PEM" not in json.dumps(done["record"]["identity"])
        files = list((tmp_path / "kept").rglob("*"))
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o700, 0o600}
        assert [file.name for file in files if file.is_file()] == [Path(done["file"]).name]
        cluster.saved(**kept, objects={"sip_trunk": [changes]})
        assert cluster.saved(**kept, state="finished") == {"record": {}, "file": ""}
        assert len(list((tmp_path / "kept").rglob("*.json"))) == 1
    finally:
        cluster.run("RoutePattern", pattern="7778", state="absent")
        cluster.run("SipTrunk", name="T-SAVED", state="absent")


@pytest.mark.parametrize("content", ["no JSON", "{}"])
def test_a_broken_record_is_told_before_anything_is_asked_of_the_cluster(
    tmp_path: Path, lab: Any, content: str
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "unfinished.json").write_text(content)
    with pytest.raises(Exception, match=r"unfinished.json.*Move it away"):
        lab.cluster("cucm150", host="192.0.2.1").saved(
            path=str(tmp_path), name="a", objects={"sip_trunk": [{"name": "T"}]}
        )


TLS_PROFILE = {
    "name": "SIP TLS x", "security_mode": "Encrypted", "incoming_transport": "TLS", "outgoing_transport": "TLS",
    "incoming_port": 5061, "x509_subject_names": ["x.example.com"],
}  # fmt: skip
#: what a run will set, by kind as AXL calls it
SET = {
    "SipTrunkSecurityProfile": TLS_PROFILE,
    "SipTrunk": {
        "name": "T-SEEN", "security_profile": TCP, "destinations": [{"address": "192.0.2.1", "port": 5061}],
    },
    "RoutePattern": {"pattern": "7779", "gateway": "T-SEEN"},
}  # fmt: skip
#: what somebody does between preflight and the first write, and what is said of it
MEANWHILE: dict[str, tuple[list[tuple[str, dict[str, Any]]], str]] = {
    "nothing": ([], ""),
    "another trunk": ([("SipTrunk", {"name": "T-OTHER", "mtp_required": True})], ""),
    "what preflight does not read": ([("SipTrunk", {"name": "T-SEEN", "mtp_required": True})], ""),
    "a trunk's destinations": (
        [("SipTrunk", {"name": "T-SEEN", "destinations": [{"address": "192.0.2.9", "port": 5061}]})],
        "SIP trunk T-SEEN was changed (destinations)",
    ),
    "a profile's names": (
        [("SipTrunkSecurityProfile", {"name": "SIP TLS x", "x509_subject_names": ["y.example.com"]})],
        "SIP trunk security profile SIP TLS x was changed (x509_subject_names)",
    ),
    "a pattern's target": (
        [("RoutePattern", {"pattern": "7779", "gateway": "T-OTHER"})], "route pattern 7779 was changed (gateway)",
    ),
    "a removal": (
        [("RoutePattern", {"pattern": "7779", "state": "absent"}), ("SipTrunk", {"name": "T-SEEN", "state": "absent"})],
        "SIP trunk T-SEEN was removed; route pattern 7779 was removed",
    ),
}  # fmt: skip
MADE = "SIP trunk security profile SIP TLS x was made; SIP trunk T-SEEN was made; route pattern 7779 was made"


@pytest.fixture
def cluster(lab: Any) -> Iterator[Cluster]:
    """A cluster with a trunk of others, without anything that a test made."""
    found: Cluster = lab.cluster("cucm150")
    found.run("SipTrunk", name="T-OTHER", security_profile=TCP)
    yield found
    for kind, name in (("RoutePattern", "7779"), ("SipTrunk", "T-SEEN"), ("SipTrunk", "T-OTHER"),
                       ("SipTrunkSecurityProfile", "SIP TLS x")):  # fmt: skip
        found.run(kind, state="absent", **{"pattern" if kind == "RoutePattern" else "name": name})


@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_what_somebody_changed_since_preflight_is_not_overwritten(
    cluster: Cluster, tmp_path: Path, meanwhile: str
) -> None:
    changes, said = MEANWHILE[meanwhile]
    for kind, options in SET.items():
        cluster.run(kind, **options)
    seen = seen_by_preflight(cluster)
    for kind, options in changes:
        cluster.run(kind, **options)
    assert begun(cluster, tmp_path, seen).startswith(f"a: {said}, after this run" if said else "began")


def test_what_somebody_made_since_preflight_is_not_overwritten(cluster: Cluster, tmp_path: Path) -> None:
    seen = seen_by_preflight(cluster)
    assert begun(cluster, tmp_path / "before", seen) == "began"
    for kind, options in SET.items():
        cluster.run(kind, **options)
    assert begun(cluster, tmp_path, seen).startswith(f"a: {MADE}, after this run")
    assert not list(tmp_path.glob("a/*.json")), "no record of a run that wrote nothing"
    # The next run sees them in its own preflight.
    assert begun(cluster, tmp_path, seen_by_preflight(cluster)) == "began"


def seen_by_preflight(cluster: Cluster) -> dict[str, Any]:
    return existing_objects(
        cluster.cluster_info(
            gather=["security_profiles", "sip_trunks"],
            look_up={"sip_trunks": ["T-SEEN"], "route_patterns": [{"pattern": "7779"}]},
        )
    )


def begun(cluster: Cluster, folder: Path, seen: dict[str, Any]) -> str:
    """The sentence with which a run ends before it writes its objects, or that it began."""
    planned = {BY_KIND[kind].module: [options] for kind, options in SET.items()}
    place = {"path": str(folder), "name": "a"}
    try:
        cluster.saved(**place, objects=planned, seen=seen)
    except Failure as failure:
        return failure.msg
    finally:
        cluster.saved(**place, state="released")
    return "began"
