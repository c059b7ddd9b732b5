# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each class of failure on the way of a certificate: cause and remedy in one sentence, and nothing written."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from cucm_lab.testing import LabProcess, cluster, write_scenario

from tests.support.certificate_kit import Authority, openssl, refusal

NODES = {"cli": ("12.5", "sub125"), "rest": ("14", "sub140")}


@dataclass
class Stage:
    """A lab with a node of each interface and Microsoft CAs, CSRs that wait on both nodes, and CAs by openssl."""

    lab: LabProcess
    folder: Path
    csrs: dict[str, str] = field(default_factory=dict)
    made: dict[str, Authority] = field(default_factory=dict)

    def ca(self, name: str, **more: str) -> Authority:
        """A root of this name; made once."""
        if name not in self.made:
            place = self.folder / name.replace(" ", "-").lower()
            place.mkdir()
            subject = more.pop("subject", f"/O=Test/CN={name}")
            self.made[name] = Authority.make(place, name, subject=subject, **more)
        return self.made[name]

    @property
    def root(self) -> Authority:
        """The CA that signs where the CA is not what is wrong."""
        return self.ca("Test Root")

    def other_csr(self) -> str:
        """A request of a key that no node has."""
        key = str(self.folder / "other.key")
        return openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-subj", "/CN=x")

    def node(self, interface: str) -> dict[str, Any]:
        """Platform options of the interface's node."""
        return {
            "host": self.lab.address(NODES[interface][1]), "os_username": "osadmin", "ssh_port": 2222,
            "os_password": "Os-Lab-91!platform-account", "ssh_known_hosts": str(self.lab.state / "known_hosts"),
            "ca_path": str(self.lab.state / "https-ca.pem"), "interface": interface,
        }  # fmt: skip

    def microsoft(self, name: str) -> dict[str, Any]:
        """Options of ca_sign for one of the lab's CAs."""
        ca = next(authority for authority in self.lab.description["cas"] if authority["name"] == name)
        return {
            "provider": "adcs", "adcs_url": f"https://{ca['address']}:{ca['port']}", "adcs_username": "LAB\\enroll",
            "adcs_password": "Ca-Lab-91!enrolling", "adcs_ca_path": str(self.lab.state / f"ca-{name}" / "ca.pem"),
        }  # fmt: skip


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("failures")
    clusters = [cluster(n, release, name=name) for n, (release, name) in enumerate(NODES.values(), 1)]
    path = write_scenario(folder / "failures.yml", clusters, base="two-clusters-adcs")
    with LabProcess(folder / "lab", path) as lab:
        made = Stage(lab, folder)
        for interface, (_unused, name) in NODES.items():
            made.csrs[interface] = lab.ask("csr", node=lab.address(name))["csr"]
        yield made


#: the options of cucm_cert_upload from the stage and the CSR that waits
Upload = Callable[[Stage, str], dict[str, Any]]


def signed(**how: Any) -> Upload:
    """The waiting CSR signed by the root, with something wrong."""
    return lambda stage, csr: {"certificate": stage.root.sign(csr, **how), "chain": [stage.root.pem]}


OLD = {"not_before": "20100101000000Z", "not_after": "20200101000000Z"}
LONG = {"not_before": "20100101000000Z", "not_after": "20400101000000Z"}
# class: (options, words of the cause, words of the remedy)
CLASSES: dict[str, tuple[Upload, str, str]] = {
    "CSR absent": (
        lambda stage, csr: {"certificate": stage.root.sign(csr), "chain": [stage.root.pem], "purpose": "tomcat"},
        "no CSR for tomcat is pending on the node", "Run cucm_csr, sign what it returns"),
    "key mismatch": (
        lambda stage, csr: {"certificate": stage.root.sign(stage.other_csr()), "chain": [stage.root.pem]},
        "another key than that of the CSR", "Sign the pending CSR"),
    "CSR replaced in between": (
        lambda stage, csr: {"certificate": stage.root.sign(csr), "chain": [stage.root.pem], "csr": stage.other_csr()},
        "it was replaced in between", "Run cucm_csr again"),
    "SAN mismatch": (
        signed(sans="DNS:www.example.com"),
        "the CA added DNS:www.example.com and left out", "Have the CA take the names of the CSR exactly"),
    "CN changed": (signed(subject="/CN=else"), "its common name is else", "Have the CA keep it"),
    "CA missing": (
        lambda stage, csr: {"certificate": stage.ca("Orphan Root").sign(csr), "chain": [stage.root.pem]},
        "the chain is not complete", "Add the CA certificates up to the self-signed root to chain"),
    "not PEM": (
        lambda stage, csr: {"certificate": "nothing of the kind!", "chain": [stage.root.pem]},
        "not in PEM format", "Give the certificate as the CA exported it"),
    "damaged PEM": (
        lambda stage, csr: {"certificate": (good := stage.root.sign(csr))[:200] + "!" + good[200:]},
        "certificate is damaged", "Export it from the CA again"),
    "expired": (signed(not_after="20240101000000Z"), "expired at 2024-01-01", "Get a new one"),
    "expired CA": (
        lambda stage, csr: {"chain": [stage.ca("Old Root", **OLD).pem]}, "expired at 2020-01-01", "Get a new one"),
    "not yet valid": (
        signed(not_before="20400101000000Z", not_after="20410101000000Z"),
        "not yet valid: it begins at 2040-01-01", "Set the clock (NTP), or wait"),
    "wrong EKU": (signed(eku="serverAuth"), "is serverAuth alone", "Have the CA issue with a template"),
    "key usage lost": (signed(usage="digitalSignature"), "lacks the key usages", "Have the CA keep them"),
    "duplicate CN in trust": (
        lambda stage, csr: {"chain": [
            stage.ca("Twin Root", **LONG).pem,
            stage.ca("Other Root", **LONG, subject="/O=Test/CN=Twin Root").pem]},
        "two certificates named Twin Root", "Use CAs with different names"),
    "4096+": (
        lambda stage, csr: {"chain": [stage.ca("Large Root", bits="4608").pem]},
        "4608 bits", "CUCM takes no more than 4096"),
    "wildcard": (
        signed(sans="DNS:*.lab.local"), "holds the wildcard *.lab.local", "does not support wildcard certificates"),
    "wrong purpose": (
        lambda stage, csr: {"certificate": stage.root.sign(csr), "purpose": "CallManager-trust"},
        "purpose CallManager-trust is a trust store", "Set trust_purpose: CallManager-trust"),
    "a CA as leaf": (
        lambda stage, csr: {"certificate": stage.root.pem},
        "it is a CA certificate", "Give CAs in chain and the leaf in certificate"),
}  # fmt: skip


@pytest.mark.parametrize("interface", list(NODES))
@pytest.mark.parametrize("name", list(CLASSES))
def test_a_bad_certificate_is_refused_with_cause_and_remedy_before_any_write(
    stage: Stage, name: str, interface: str
) -> None:
    build, cause, remedy = CLASSES[name]
    before = stage.lab.ask("dump")
    said = refusal("upload", **stage.node(interface), **build(stage, stage.csrs[interface]))
    assert cause in said and remedy in said, said
    assert stage.lab.ask("dump") == before


@pytest.mark.parametrize(
    ("ca", "more", "cause", "remedy"),
    [
        ("w2003", {}, "is pending at the CA", "Have it issued there and run this again"),
        ("adcs", {"adcs_template": "NoSuchTemplate"}, "did not issue a certificate", "not supported by"),
    ],
    ids=["pending", "denied"],
)
def test_what_the_ca_does_not_issue_is_said_with_cause_and_remedy_and_no_node_is_touched(
    stage: Stage, ca: str, more: dict[str, Any], cause: str, remedy: str
) -> None:
    module = importlib.import_module("ansible_collections.siptls.cucm.plugins.modules.ca_sign")
    params = {name: option.get("default") for name, option in module.SPEC.options.items()}
    params |= {"csr": stage.csrs["cli"], **stage.microsoft(ca), **more}
    before = stage.lab.ask("dump")
    with pytest.raises(Failure) as refused:
        module.service(SimpleNamespace(params=params, check_mode=False))
    assert cause in refused.value.msg and remedy in refused.value.msg, refused.value.msg
    assert stage.lab.ask("dump") == before
