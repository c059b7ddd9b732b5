# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forecast names the day on which a trunk breaks, and what will break it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import forecast, verdict
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate

from tests.support.certificate_kit import openssl
from tests.support.made_views import authority
from tests.unit.verdict import test_verdict as broken

Evidence = dict[str, Any]


def of(evidence: Evidence, **options: int) -> Evidence:
    cases = verdict.directions_of(
        evidence["clusters"], evidence["directions"], captures=evidence["captures"], traces=evidence["traces"],
        now=broken.NOW,
    )  # fmt: skip
    return forecast.forecast(cases[0], **options)


def kinds(found: Evidence) -> set[str]:
    return {event["kind"] for event in found["events"]}


def test_the_certificate_that_ends_first_is_the_day() -> None:
    evidence = broken.sound()
    broken.reissue(evidence, end="2026-12-01")
    found = of(evidence)
    assert (found["breaks_on"], found["days_left"]) == ("2026-12-01T00:00:00Z", 30)
    assert "CUCM10 expires" in found["reason"]
    assert forecast.sentence(found).startswith("cucma to cucm10: breaks on 2026-12-01 (30 days): ")
    assert {event["node"] for event in found["events"] if event["kind"] == "certificate_end"} == {"CUCMA", "CUCM10"}


def test_a_trunk_that_is_down_now_is_said_to_be() -> None:
    evidence = broken.sound()
    assert of(evidence)["works"] is None
    evidence["directions"][0]["status"] = {"in_service": False, "reason": "Local=2"}
    found = of(evidence)
    assert found["works"] is False
    assert "does not work now (playbook diagnose.yml names the cause): breaks on 2028-01-01" in forecast.sentence(found)


def test_a_ca_may_end_before_its_certificates() -> None:
    evidence = broken.sound()
    for index in (0, 1):
        broken.node(evidence, index)["trust"] = [authority(end="2026-11-15")]
    found = of(evidence)
    assert found["breaks_on"] == "2026-11-15T00:00:00Z"
    assert found["events"][0]["kind"] == "ca_end"


def test_public_cas_end_client_auth_and_shorten_lifetimes() -> None:
    evidence = broken.sound()
    assert not kinds(of(evidence)) & {"client_auth", "lifetime"}
    public = "C=US,O=DigiCert Inc,CN=DigiCert TLS"
    broken.reissue(evidence, issuer=public)
    assert {"client_auth", "lifetime"} <= kinds(of(evidence))
    broken.reissue(evidence, issuer=public, end="2027-01-01")
    assert "client_auth" not in kinds(of(evidence))


@pytest.mark.parametrize(
    ("end", "renew_before", "said"),
    [
        ("2027-01-01", 30, ("at most 200 days", "renewed 30 days before its end", "every 170 days")),
        ("2027-04-01", 30, ("at most 100 days", "every 70 days")),
        ("2029-04-01", 30, ("at most 47 days", "every 17 days")),
        ("2029-04-01", 60, ("at most 47 days", "renewed 60 days before their end, so that every run would renew it")),
    ],
)
def test_lifetimes_of_public_cas_against_our_renewal(end: str, renew_before: int, said: tuple[str, ...]) -> None:
    evidence = broken.sound()
    broken.reissue(evidence, issuer="C=US,O=DigiCert Inc,CN=DigiCert TLS", end=end)
    (found,) = [
        event["reason"] for event in of(evidence, renew_before=renew_before)["events"] if event["kind"] == "lifetime"
    ]
    assert all(words in found for words in said), found


def test_small_keys_and_sha1_end_with_an_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "old.pem"
    openssl("req", "-x509", "-newkey", "rsa:1024", "-sha1", "-nodes", "-keyout", str(tmp_path / "key.pem"), "-out",
            str(path), "-days", "900", "-subj", "/CN=CUCM10")  # fmt: skip
    evidence = broken.sound()
    assert not kinds(of(evidence)) & {"key_size", "sha1"}
    old = read_certificate(path.read_text()).view()
    broken.node(evidence, 1).update(held=old, issued=old)
    events = {event["kind"]: event for event in of(evidence)["events"]}
    assert "a key of 1024 bits" in events["key_size"]["reason"] and "SHA-1" in events["sha1"]["reason"]
    assert events["sha1"]["date"] is None and events["sha1"]["node"] == "CUCM10"


def test_small_keys_and_sha1_of_the_cas_above_count_too(tmp_path: Path) -> None:
    """Not the signature of a root CA, which nobody checks."""

    def made(name: str, bits: int, *signer: str) -> Evidence:
        key, path, ext = tmp_path / f"{name}.key", tmp_path / f"{name}.pem", tmp_path / "ext"
        ext.write_text(f"basicConstraints=critical,CA:{str(name != 'CUCM10').upper()}\n")
        openssl("req", "-new", "-newkey", f"rsa:{bits}", "-nodes", "-keyout", str(key), "-subj", f"/CN={name}",
                "-out", str(tmp_path / "csr"))  # fmt: skip
        how = ("-CA", str(tmp_path / f"{signer[0]}.pem"), "-CAkey", str(tmp_path / f"{signer[0]}.key")) if signer else (
            "-signkey", str(key))  # fmt: skip
        openssl("x509", "-req", "-in", str(tmp_path / "csr"), *how, "-sha1", "-days", "900", "-extfile", str(ext),
                "-set_serial", str(bits + len(name)), "-out", str(path))  # fmt: skip
        return read_certificate(path.read_text()).view()

    root, middle = made("Root", 2048), made("Middle", 1024, "Root")
    leaf = made("CUCM10", 2048, "Middle")
    evidence = broken.sound()
    broken.node(evidence, 1).update(held=leaf, issued=leaf)
    broken.node(evidence, 0)["trust"] = [root, middle]
    found = [(event["kind"], event["reason"]) for event in of(evidence)["events"]]
    words = "the CA Middle, which CUCMA trusts for CUCM10, has a key of 1024 bits, which new releases refuse"
    assert ("key_size", words) in found
    assert {reason.split(",")[0] for kind, reason in found if kind == "sha1"} == {
        "the CA Middle", "the certificate of CUCM10 is signed with SHA-1"
    }  # fmt: skip


def test_an_external_peer_is_forecast_by_what_it_presents() -> None:
    evidence = broken.sound()
    probe = {"chain": [broken.view("SBC", "DD", end="2026-12-01", issuer="O=DigiCert Inc,CN=DigiCert TLS")]}
    evidence["directions"] = [
        {
            **evidence["directions"][0],
            "to": "sbc",
            "external": {"addresses": ["10.0.0.9"], "probes": {"10.0.0.9": probe}},
        }
    ]
    found = of(evidence)
    assert (found["to"], found["breaks_on"]) == ("sbc", "2026-12-01T00:00:00Z")
    assert "the certificate of 10.0.0.9 expires" in found["reason"]
    assert {"lifetime", "revocation"} <= kinds(found)


def test_what_the_clusters_negotiate_may_end_with_an_upgrade() -> None:
    evidence = broken.sound()
    assert not kinds(of(evidence)) & {"rsa_key_exchange", "tls_minimum"}, "the probe's cipher is not the clusters'"
    evidence["captures"] = [broken.handshake(cipher="AES128-SHA", tls_version="TLSv1")]
    assert {"rsa_key_exchange", "tls_minimum"} <= kinds(of(evidence))
    evidence["captures"] = [broken.handshake()]
    assert not kinds(of(evidence)) & {"rsa_key_exchange", "tls_minimum"}


def revocation(evidence: Evidence, checker: str) -> list[str]:
    """The reasons at a cluster that checks whether its peer's certificate is revoked."""
    return [
        event["reason"]
        for event in of(evidence)["events"]
        if event["kind"] == "revocation" and checker in event["reason"]
    ]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"ocsp": "certificate", "common_criteria": True}, "where cucma looks for one: it refuses the connection"),
        ({"ocsp": "certificate"}, "it refuses the connection if Common Criteria mode is on, which is not known"),
        ({}, "certificates of CUCM10 name no OCSP responder, and whether cucma requires one is not known"),
        ({"common_criteria": True}, "whether cucma requires one is not known"),
        ({"ocsp": "certificate", "common_criteria": False}, None),
        ({"ocsp": "configured", "common_criteria": True}, None),
        ({"ocsp": "disabled", "common_criteria": True}, None),
    ],
)
def test_a_cluster_that_asks_the_responder_in_a_certificate_needs_its_address(rule: Evidence, said: str | None) -> None:
    evidence = broken.sound()
    evidence["clusters"][0] |= {"revocation": rule, "version": "14.0.1.12900-161"}
    found = revocation(evidence, "cucma")
    assert (said in found[0]) if said else found == [], found
    broken.reissue(evidence, ocsp="http://ocsp.example.com")
    assert revocation(evidence, "cucma") == []


def test_releases_before_12_5_ask_no_responder_for_sip() -> None:
    evidence = broken.sound()
    for cluster, version in zip(evidence["clusters"], ("11.5.1.12900-21", "9.1.2.10000-28"), strict=True):
        cluster["version"] = version
    assert "revocation" not in kinds(of(evidence))
    evidence["clusters"][0]["version"] = "12.5.1.13900-152"
    assert len(revocation(evidence, "cucma")) == 1 and revocation(evidence, "cucm10") == []
