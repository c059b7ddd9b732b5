# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate modules against the lab: the whole way on each release, and each failure class before any write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._node.upload import nodes_of
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate
from cucm_lab.testing import LabProcess

from tests.support.certificate_kit import Authority, openssl
from tests.support.module_processes import run_module

RELEASES = [
    "cucm91",
    pytest.param("cucm105", marks=pytest.mark.matrix),
    pytest.param("cucm115", marks=pytest.mark.matrix),
    pytest.param("cucm125", marks=pytest.mark.matrix),
    pytest.param("cucm140", marks=pytest.mark.matrix),
    "cucm150",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    with LabProcess(tmp_path_factory.mktemp("lab"), "releases") as running:
        yield running


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca"), "Test Root")


def options(lab: LabProcess, cluster: str, **more: Any) -> dict[str, Any]:
    """The platform options of a cluster's node."""
    return {
        "host": lab.address(cluster), "os_username": "osadmin", "os_password": "Os-Lab-91!platform-account",
        "ssh_port": 2222, "ssh_known_hosts": str(lab.state / "known_hosts"), "ca_path": str(lab.state / "https-ca.pem"),
        "legacy_crypto": cluster not in ("cucm140", "cucm150", "cucm125"), **more,
    }  # fmt: skip


@pytest.mark.parametrize("cluster", RELEASES)
def test_the_whole_way(lab: LabProcess, root: Authority, cluster: str) -> None:
    node = options(lab, cluster)
    foreseen = run_module("cucm_csr", check=True, **node, issuer=root.pem)
    assert foreseen["changed"] and foreseen["predicted"] and foreseen["csr"]
    request = run_module("cucm_csr", **node, issuer=root.pem)
    assert request["changed"] and "self-signed" in request["reason"], request
    assert request["interface"] == ("rest" if cluster in ("cucm140", "cucm150") else "cli")
    assert openssl("req", "-noout", "-subject", feed=request["csr"]).strip()
    again = run_module("cucm_csr", **node, issuer=root.pem)
    assert not again["changed"] and again["csr"] == request["csr"]

    signed = root.sign(request["csr"])
    upload = {"certificate": signed, "chain": [root.pem], "csr": request["csr"]}
    foreseen = run_module("cucm_cert_upload", check=True, **node, **upload)
    done = run_module("cucm_cert_upload", **node, **upload)
    assert foreseen["changed"] and done["changed"], done
    assert foreseen["diff"]["after"]["identity"] == done["diff"]["after"]["identity"]
    assert foreseen["diff"]["after"]["trust"] == done["diff"]["after"]["trust"]
    assert {restart["service"] for restart in done["restart_required"]} >= {"Cisco CallManager"}
    again = run_module("cucm_cert_upload", **node, **upload)
    assert not again["changed"] and again["restart_required"] == [] and again["actions"] == []

    listed = run_module("cucm_certificate_info", **node)
    assert listed["not_served"] == ["CallManager/CallManager.pem"]
    application = {"username": "axladmin", "password": "Axl-Lab-91!reading-and-writing"}
    service = {
        **{name: node[name] for name in ("host", "ca_path", "legacy_crypto")}, **application, "poll_interval": 0.3,
        "name": "Cisco CallManager", "state": "restarted", "serving": {"certificate": signed}, "wait_timeout": 30,
    }  # fmt: skip
    assert run_module("cucm_service", check=True, **service)["changed"]
    restarted = run_module("cucm_service", **service)
    assert restarted["changed"] and restarted["presented"] == done["certificate"]["sha256"], restarted
    assert not run_module("cucm_service", **service)["changed"]
    assert run_module("cucm_certificate_info", **node)["not_served"] == []
    assert "is kept" in run_module("cucm_csr", **node, issuer=root.pem)["reason"]

    removal: dict[str, Any] = {"state": "absent", "trust_certificates": ["Test Root"]}
    assert run_module("cucm_cert_upload", check=True, **node, **removal)["changed"]
    gone = run_module("cucm_cert_upload", **node, **removal)
    assert gone["changed"] and not [trusted for trusted in gone["trust"] if "Test Root" in trusted["subject"]], gone
    assert not run_module("cucm_cert_upload", **node, **removal)["changed"]


@pytest.mark.matrix
def test_the_cli_of_a_rest_release_gives_the_same_objects(lab: LabProcess) -> None:
    for cluster in ("cucm140", "cucm150"):
        both = [
            run_module("cucm_certificate_info", **options(lab, cluster, interface=interface))["certificates"]
            for interface in ("rest", "cli")
        ]
        facts = [{(view["purpose"], view["name"], view["sha256"], view["pem"]) for view in found} for found in both]
        assert facts[0] == facts[1] and facts[0]


@pytest.mark.matrix
def test_a_twin_in_the_store_is_refused_unless_it_starts_later(lab: LabProcess, tmp_path: Path) -> None:
    node = options(lab, "cucm115")
    first = Authority.make(tmp_path, "Twin Root", not_before="20210101000000Z", not_after="20400101000000Z")
    older, newer = first.renewed("20200101000000Z"), first.renewed("20220101000000Z")
    assert run_module("cucm_cert_upload", **node, chain=[first.pem])["changed"]
    refused = run_module("cucm_cert_upload", **node, chain=[older])
    assert refused["failed"] and "does not start later" in refused["msg"]
    foreseen = run_module("cucm_cert_upload", check=True, **node, chain=[newer])
    done = run_module("cucm_cert_upload", **node, chain=[newer])
    assert done["changed"] and done["diff"]["after"] == foreseen["diff"]["after"]
    assert [trusted["subject"] for trusted in done["trust"]].count("O=Test, CN=Twin Root") == 1


@pytest.mark.parametrize("version", ["cucm91", "cucm150"])
def test_a_ca_of_the_same_name_and_another_key_never_replaces_one(
    lab: LabProcess, tmp_path: Path, version: str
) -> None:
    node = options(lab, version)
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    ours = Authority.make(tmp_path / "ours", "Same Root")
    theirs = Authority.make(tmp_path / "theirs", "Same Root", not_before="20990101000000Z", not_after="20991231000000Z")
    later = Authority.make(tmp_path / "theirs", "Same Root")
    assert run_module("cucm_cert_upload", **node, chain=[ours.pem])["changed"]
    before = run_module("cucm_certificate_info", **node, purposes=["CallManager-trust"], served_ports={})[
        "certificates"
    ]
    for rogue in (theirs.pem, later.pem):
        refused = run_module("cucm_cert_upload", **node, chain=[rogue])
        assert refused["failed"] and "has another key" in refused["msg"] and "state: absent" in refused["msg"]
    after = run_module("cucm_certificate_info", **node, purposes=["CallManager-trust"], served_ports={})["certificates"]
    assert [certificate["sha256"] for certificate in after] == [certificate["sha256"] for certificate in before]


def test_without_a_csr_nothing_is_uploaded(lab: LabProcess, root: Authority, tmp_path: Path) -> None:
    foreign = openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", str(tmp_path / "k"), "-subj", "/CN=x")
    result = run_module(
        "cucm_cert_upload",
        **options(lab, "cucm105"),
        purpose="tomcat",
        certificate=root.sign(foreign),
        chain=[root.pem],
    )
    assert result["failed"] and "no CSR for tomcat is pending" in result["msg"] and "Run cucm_csr" in result["msg"]


def test_chains_come_in_every_form_and_order(lab: LabProcess, tmp_path: Path) -> None:
    node = options(lab, "cucm150")
    root = Authority.make(tmp_path, "Form Root")
    middle = Authority.make(tmp_path, "Form Issuing", parent=root)
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(middle.pem + root.pem)
    p7 = tmp_path / "bundle.p7b"
    p7.write_text(openssl("crl2pkcs7", "-nocrl", "-certfile", str(bundle)))
    der = tmp_path / "root.der"
    openssl("x509", "-in", str(root.path), "-outform", "DER", "-out", str(der))
    done = run_module("cucm_cert_upload", **node, chain_path=str(p7))
    assert done["actions"] == [
        "put O=Test, CN=Form Root into CallManager-trust",
        "put O=Test, CN=Form Issuing into CallManager-trust",
    ]
    for upload in ({"chain": [bundle.read_text()]}, {"chain_path": str(der)}, {"chain": [p7.read_text()]}):
        assert not run_module("cucm_cert_upload", **node, **upload)["changed"]
    assert run_module("cucm_cert_upload", **node, state="absent", chain=[bundle.read_text()])["changed"]


def test_what_the_cli_cannot_choose_is_said(lab: LabProcess) -> None:
    result = run_module(
        "cucm_csr", **options(lab, "cucm91"), regenerate="always", key_length=2048, hash_algorithm="sha256"
    )
    assert result["failed"] and "1024" in result["msg"] and "web page" in result["msg"], result


def test_rest_chooses(lab: LabProcess) -> None:
    requested: dict[str, Any] = {"key_length": 3072, "hash_algorithm": "sha384", "sans": ["extra.example.com"]}
    made = run_module("cucm_csr", **options(lab, "cucm150"), regenerate="always", **requested)
    assert made["request"]["key_size"] == 3072 and "DNS:extra.example.com" in made["request"]["sans"], made
    kept = run_module("cucm_csr", **options(lab, "cucm150"), **requested, issuer=made["certificate"]["pem"])
    assert kept["needed"] and not kept["changed"], kept
    stale = run_module(
        "cucm_csr", check=True, **options(lab, "cucm150"), **{**requested, "sans": ["other.example.com"]}
    )
    assert stale["changed"] and "other.example.com" in stale["reason"]


def test_a_multi_server_request(lab: LabProcess) -> None:
    made = run_module("cucm_csr", **options(lab, "cucm140"), regenerate="always", distribution="multi_server")
    assert "-ms" in made["request"]["common_name"], made


def test_a_multi_server_certificate_wants_a_restart_on_every_node(root: Authority, tmp_path: Path) -> None:
    csr = openssl(
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", str(tmp_path / "k"), "-subj", "/CN=a-ms.x.y"
    )
    shared = read_certificate(root.sign(csr, sans="DNS:a.x.y,DNS:b.x.y,DNS:x.y"))
    assert nodes_of(shared, "10.0.0.1") == ["a.x.y", "b.x.y"]
    alone = read_certificate(root.sign(csr, sans="DNS:a.x.y,DNS:x.y", subject="/CN=a.x.y"))
    assert nodes_of(alone, "10.0.0.1") == ["10.0.0.1"]


def test_an_account_that_may_only_read(lab: LabProcess, root: Authority) -> None:
    for cluster in ("cucm125", "cucm140"):
        node = options(lab, cluster, os_username="osread", os_password="Os-Lab-91!platform-reading")
        result = run_module("cucm_cert_upload", **node, chain=[root.pem])
        if result.get("changed"):
            pytest.fail(f"{cluster}: an account of level 0 changed something: {result}")
        assert "osread" in result["msg"] and "level 1" in result["msg"], result


def test_a_wrong_password_is_one_attempt(lab: LabProcess) -> None:
    for cluster in ("cucm91", "cucm140"):
        result = run_module("cucm_csr", **options(lab, cluster, os_username="osread", os_password="wrong-canary"))
        assert result["failed"] and "once" in result["msg"] and "canary" not in str(result), result
    tries = [event for event in lab.events() if "osread" in str(event) and "wrong" in str(event).lower()]
    assert len(tries) <= 2
