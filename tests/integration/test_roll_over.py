# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three clusters move from one CA to another; calls are answered between all phases."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate, read_certificates
from cucm_lab.testing import cluster, write_scenario

from tests.support.operator_site import Run, Site
from tests.support.vault import TOKEN, OpensslCa, Vault

pytestmark = [
    pytest.mark.playbook, pytest.mark.matrix, pytest.mark.xdist_group("roll_over"), pytest.mark.timeout(1800),
]  # fmt: skip
NAMES = ("first", "second", "third")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("roll_over")
    clusters = [cluster(1, "10.5", nodes=2, name="first"), cluster(2, "12.5", name="second"),
                cluster(3, "14", name="third")]  # fmt: skip
    place = Site(folder, write_scenario(folder / "scenario.yml", clusters))
    with place.lab:
        assert place.play("sip_tls_trunk").code == 0
        yield place


def moved(site: Site, name: str = "roll_over_ca", *options: str, **more: Any) -> Run:
    """A playbook with the new CA in place of the old one."""
    given = {
        "sip_tls_ca": {"provider": "local", "path": str(site.folder / "new-ca")},
        "sip_tls_old_cas": [str(site.ca / "ca.pem")], **more,
    }  # fmt: skip
    return site.play(name, *options, extra=given)


def issuers(site: Site) -> dict[str, set[str]]:
    """Who issued the certificates that peers meet, by openssl, per cluster."""
    found: dict[str, set[str]] = {}
    for name, content in site.lab.ask("dump").items():
        for row in content["pki_identity"]:
            if row["unit"] in ("CallManager", "CallManager-ECDSA"):
                order = ["openssl", "x509", "-noout", "-issuer", "-nameopt", "RFC2253"]
                done = subprocess.run(order, input=row["certificate"], capture_output=True, text=True, check=True)
                found.setdefault(name, set()).add(done.stdout.strip().partition("CN=")[2])
    return found


def stores(site: Site, pem: str) -> set[str]:
    """The nodes whose CallManager-trust holds a certificate."""
    wanted = read_certificate(pem).sha256
    return {
        row["node"]
        for content in site.lab.ask("dump").values()
        for row in content["pki_trust"]
        if row["store"] == "CallManager" and read_certificate(row["certificate"]).sha256 == wanted
    }


def calls_are_answered(site: Site) -> None:
    for number, name in enumerate(NAMES, 1):
        for other in range(1, 4):
            if other != number:
                call = site.call(name, f"{number}001", f"{other}001")
                assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True), call


def succeeded(run: Run, *words: str) -> None:
    assert run.code == 0 and all(word in run.output for word in words), run.output[-3000:]


def refused(run: Run, words: str) -> None:
    assert run.code != 0 and words in run.output, run.output[-3000:]


def foreseen(site: Site, *words: str) -> Run:
    """Check mode of the roll-over: it says these words, and changes nothing."""
    before = site.lab.ask("dump")
    run = moved(site, "roll_over_ca", "--check")
    succeeded(run, *words)
    assert site.lab.ask("dump") == before
    return run


def ca_of(site: Site) -> tuple[str, str]:
    """The certificate of the new CA, and its name."""
    pem = (site.folder / "new-ca" / "ca.pem").read_text()
    return pem, read_certificate(pem).common_name


def trusts_the_new_ca(site: Site, old: str, old_name: str) -> None:
    nodes, before = stores(site, old), site.lab.ask("dump")
    # A CA of the old one's name is refused before it is made.
    same = {"provider": "local", "path": str(site.folder / "same"), "local_ca_subject": f"CN={old_name}"}
    refused(moved(site, sip_tls_ca=same), "one certificate per name")
    assert site.lab.ask("dump") == before and not (site.folder / "same" / "ca.pem").exists()
    foreseen(site, "phase trust")
    assert not (site.folder / "new-ca").exists()
    succeeded(moved(site), "phase trust")
    assert stores(site, ca_of(site)[0]) == nodes == stores(site, old)
    assert issuers(site) == {name: {old_name} for name in NAMES}, "phase trust signs nothing"
    calls_are_answered(site)
    # Other playbooks leave the CA alone meanwhile.
    between = site.lab.ask("dump")
    refused(moved(site, "renew_certificates"), "siptls.cucm.roll_over_ca")
    assert site.lab.ask("dump") == between


def signs_one_cluster_in_a_night_of_its_own(site: Site, old_name: str) -> None:
    new_name = ca_of(site)[1]
    succeeded(moved(site, roll_over_clusters="second"), "phase sign")
    assert issuers(site) == {"first": {old_name}, "second": {new_name}, "third": {old_name}}
    calls_are_answered(site)
    refused(moved(site, "roll_over_ca", "--limit", "first"), "second was not read completely")
    proof = moved(site, "verify")
    assert proof.code == 0 and site.verdict()["verdict"] == "secure", proof.output[-3000:]
    assert f"CA roll-over from {old_name} to {new_name}: phase sign" in proof.output
    shown = {leaf["cluster"]: leaf["under"] for leaf in site.verdict()["roll_over"]["leaves"]}
    assert shown == {"first": "old", "second": "new", "third": "old"}
    assert moved(site, "plan", plan_path=str(site.folder / "plan")).code != 0
    plan = (site.folder / "plan" / "plan.md").read_text()
    assert "phase sign" in plan and "siptls.cucm.roll" in plan, plan[:2000]


def signs_the_rest(site: Site) -> None:
    foreseen(site, "phase sign")
    rest = moved(site)
    succeeded(rest)
    assert issuers(site) == {name: {ca_of(site)[1]} for name in NAMES}
    assert rest.recap["second"]["changed"] == 0
    calls_are_answered(site)


def retires_the_old_ca(site: Site, old: str) -> None:
    nodes = stores(site, old)
    assert foreseen(site).total("changed") >= 3
    early = moved(site, roll_over_phase="sign")
    assert early.code == 0 and early.total("changed") == 0, "what is over is not done again"
    succeeded(moved(site, roll_over_phase="retire"))
    assert stores(site, old) == set() and stores(site, ca_of(site)[0]) == nodes
    calls_are_answered(site)
    done = moved(site)
    assert done.code == 0 and done.total("changed") == 0 and "phase done" in done.output
    final = site.play("sip_tls_trunk", extra={"sip_tls_ca": {"provider": "local", "path": str(site.folder / "new-ca")}})
    assert final.code == 0 and final.total("changed") == 0, final.output[-3000:]


def test_three_clusters_get_a_new_ca_and_calls_never_fail(site: Site) -> None:
    old = (site.ca / "ca.pem").read_text()
    old_name = read_certificate(old).common_name
    assert len(stores(site, old)) == 4 and set(NAMES) == set(issuers(site))
    calls_are_answered(site)
    trusts_the_new_ca(site, old, old_name)
    # Days apart.
    signs_one_cluster_in_a_night_of_its_own(site, old_name)
    signs_the_rest(site)
    retires_the_old_ca(site, old)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    made = Vault(OpensslCa(tmp_path / "vault-ca", "Vault CA"))
    yield made
    made.close()


def test_from_a_microsoft_ca_to_vault_and_back(tmp_path: Path, vault: Vault) -> None:
    clusters = [cluster(1, "10.5", name="first"), cluster(2, "14", name="second")]
    place = Site(tmp_path, write_scenario(tmp_path / "scenario.yml", clusters, base="two-clusters-adcs"))
    with place.lab:
        microsoft = place.lab.state / "ca-adcs" / "ca.pem"
        issuing = read_certificates(microsoft.read_bytes())[0]
        by_microsoft: dict[str, Any] = {
            "sip_tls_ca": {**place.microsoft_ca(), "adcs_username": "LAB\\enroll"},
            "sip_tls_ca_password": "Ca-Lab-91!enrolling", "callmanager_certificate_issuer": issuing.pem,
            "sip_tls_trusted_cas": [str(microsoft)],
        }  # fmt: skip
        root = vault.ca.pem
        by_vault: dict[str, Any] = {
            "sip_tls_ca": {"provider": "vault", "vault_url": vault.url, "vault_role": "cucm",
                           "vault_ca_path": str(vault.certificate)},
            "sip_tls_vault_token": TOKEN, "callmanager_certificate_issuer": root.read_text(),
        }  # fmt: skip
        first = place.play("sip_tls_trunk", extra=by_microsoft)
        assert first.code == 0, first.output[-4000:]
        for given, old, name in ((by_vault, microsoft, "Vault CA"), (by_microsoft, root, issuing.common_name)):
            extra = {**given, "sip_tls_old_cas": [str(old)]}
            for phase in ("trust", "sign", "retire"):
                run = place.play("roll_over_ca", extra=extra)
                assert run.code == 0 and f"phase {phase}" in run.output and TOKEN not in run.output, run.output[-4000:]
                for calling, called in (("first", "2001"), ("second", "1001")):
                    call = place.call(calling, {"first": "1001", "second": "2001"}[calling], called)
                    assert (call["result"], call["transport"]) == ("answered", "TLS"), (phase, call)
            found = {host: {name.partition(",")[0] for name in names} for host, names in issuers(place).items()}
            assert found == {"first": {name}, "second": {name}}
            gone = read_certificates(old.read_bytes())[0].pem
            assert stores(place, gone) == set()
            done = place.play("roll_over_ca", extra=extra)
            assert done.code == 0 and "phase done" in done.output and done.total("changed") == 0, done.output[-4000:]
