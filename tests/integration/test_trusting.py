# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever administers one of three clusters gets neither the names of the others nor their trust in a CA of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate

from tests.support.certificate_kit import Authority
from tests.support.module_processes import run_module
from tests.support.operator_site import ROOT, Site

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("trusting"), pytest.mark.timeout(1200)]
SCENARIO = ROOT / "lab" / "cucm_lab" / "scenarios" / "two-clusters.yml"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("trusting")
    scenario = yaml.safe_load(SCENARIO.read_text(encoding="utf-8"))
    scenario["clusters"].append(
        {
            "name": "cucmc", "release": "15", "domain": "lab.local", "subject": {"C": "IN"},
            "nodes": [{"name": "CUCMC", "address": "127.0.151.1"}], "phones": [{"extension": "7777"}],
        }
    )  # fmt: skip
    path = folder / "scenario.yml"
    path.write_text(yaml.safe_dump(scenario, sort_keys=False), encoding="utf-8")
    place = Site(folder, scenario=str(path))
    with place.lab:
        yield place


def account(site: Site, cluster: str) -> dict[str, Any]:
    """The platform options of a cluster's publisher, as its administrator has them."""
    hosts = yaml.safe_load(site.lab.inventory.read_text())["cucm_clusters"]["hosts"]
    host = hosts[cluster]
    return {
        "host": site.lab.address(cluster), "os_username": host["cucm_os_username"],
        "os_password": host["cucm_os_password"], "validate_certs": False, "validate_host_key": False,
        "ssh_port": host.get("cucm_ssh_port", 22), "legacy_crypto": True,
    }  # fmt: skip


def take_over(site: Site, cluster: str, rogue: Authority, ours: str = "") -> None:
    """The administrator of a cluster removes a CA and gives the node a certificate of another one."""
    node = account(site, cluster)
    if ours:
        gone = run_module("cucm_cert_upload", **node, state="absent", chain=[ours])
        assert gone.get("changed"), gone
    csr = run_module("cucm_csr", **node, regenerate="always")["csr"]
    done = run_module("cucm_cert_upload", **node, certificate=rogue.sign(csr), chain=[rogue.pem])
    assert done.get("changed"), done


def trusted(site: Site, cluster: str) -> set[str]:
    found = run_module(
        "cucm_certificate_info", **account(site, cluster), purposes=["CallManager-trust"], served_ports={}
    )
    return {certificate["sha256"] for certificate in found["certificates"]}


def test_a_csr_with_a_name_of_another_cluster_is_not_signed(site: Site) -> None:
    csr = run_module("cucm_csr", **account(site, "cucmc"), regenerate="always", sans=["cucma.lab.local"])
    assert "DNS:cucma.lab.local" in csr["request"]["sans"], csr
    before = site.lab.ask("dump")
    result = site.play("renew_certificates", extra={"callmanager_certificate_restart": False})
    assert result.code != 0 and site.lab.ask("dump") == before, "no cluster gets a certificate, nor even a CSR"
    output = " ".join(result.output.split())
    assert "the name cucma.lab.local belongs to cluster cucma" in output and "allowed_sans" in output, output[-3000:]
    assert "callmanager_certificate_regenerate to always" in output and not (site.ca / "issued").exists()


def test_a_ca_that_a_cluster_brings_along_reaches_no_other(site: Site, tmp_path: Path) -> None:
    foreign = Authority.make(tmp_path, "Foreign CA")
    fingerprint = read_certificate(foreign.pem).sha256
    take_over(site, "cucmc", foreign)
    before = site.lab.ask("dump")
    result = site.play("sip_tls_trunk", extra={"callmanager_certificate_issuer": ""})
    assert result.code != 0 and site.lab.ask("dump") == before
    assert f"issued by O=Test, CN=Foreign CA (SHA-256 {fingerprint})" in result.output, result.output[-3000:]
    assert "sip_tls_trusted_cas" in result.output
    named = {"callmanager_certificate_issuer": "", "sip_tls_trusted_cas": [str(foreign.path)]}
    result = site.play("sip_tls_trunk", "--check", "--diff", extra=named)
    assert result.code == 0, result.output[-3000:]
    assert "+ " in result.output and "O=Test, CN=Foreign CA (until" in result.output, result.output[-3000:]


def test_a_ca_of_the_name_of_ours_replaces_it_nowhere(site: Site, tmp_path: Path) -> None:
    result = site.play("sip_tls_trunk", extra={"callmanager_certificate_regenerate": "always"})
    assert result.code == 0, result.output[-3000:]
    ours = (site.ca / "ca.pem").read_text()
    name = read_certificate(ours).common_name
    rogue = Authority.make(tmp_path, "rogue", subject=f"/CN={name}")
    before = {cluster: trusted(site, cluster) for cluster in ("cucma", "cucm10")}
    take_over(site, "cucmc", rogue, ours)
    result = site.play("sip_tls_trunk")
    assert result.code != 0 and "A CA is never replaced by a different one with the same name" in result.output
    assert {cluster: trusted(site, cluster) for cluster in before} == before
    assert read_certificate(rogue.pem).sha256 not in before["cucma"] | before["cucm10"]
    # Without an issuer nothing is renewed, and the CA that cucmc brings is still not the one that is named.
    dump = site.lab.ask("dump")
    extra = {"callmanager_certificate_issuer": "", "sip_tls_trusted_cas": [ours]}
    result = site.play("sip_tls_trunk", extra=extra)
    assert result.code != 0 and read_certificate(rogue.pem).sha256 in result.output, result.output[-3000:]
    assert site.lab.ask("dump") == dump
