# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input, module by module, as real processes on the lab: one clear sentence, and nothing has been written.

A wrong password is tried once, by whatever interface: the lab's log counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import pytest
import yaml
from cucm_lab.testing import LabProcess

from tests.support.module_processes import Ran, ran

WRONG = "quite-another-password"
SEVENTEEN = [{"address": f"10.0.0.{number}", "port": 5061} for number in range(1, 18)]
PROFILE = {"name": "P", "security_mode": "Encrypted", "x509_subject_names": ["b"], "incoming_port": 5061}
TRUNK = {"name": "T", "security_profile": "Non Secure SIP Trunk Profile", "destinations": SEVENTEEN[:1]}
#: modules by the accounts that they take
SHELL = {"cucm_cert_upload", "cucm_certificate_info", "cucm_csr"}
APPLICATION = {"cucm_info", "cucm_route_pattern", "cucm_service", "cucm_sip_trunk", "cucm_sip_trunk_info",
               "cucm_sip_trunk_profile"}  # fmt: skip
NO_PEM = "-----BEGIN CERTIFICATE-----\nthis is no certificate\n-----END CERTIFICATE-----\n"


@dataclass(frozen=True)
class Case:
    """A module with bad options; what it has to say. changed: connection options by which the case is bad."""

    name: str
    module: str
    options: dict[str, Any]
    words: tuple[str, ...]
    changed: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("unknown security mode", "cucm_sip_trunk_profile", {**PROFILE, "security_mode": "Very"},
         ("security_mode", "Very", "Non Secure", "Authenticated", "Encrypted")),
    Case("port of 70000", "cucm_sip_trunk_profile", {**PROFILE, "incoming_port": 70000},
         ("incoming_port", "70000", "65535")),
    Case("port of 70000 of a destination", "cucm_sip_trunk",
         {**TRUNK, "destinations": [{"address": "10.0.0.1", "port": 70000}]}, ("port", "70000", "65535")),
    Case("port that is no number", "cucm_sip_trunk_profile", {**PROFILE, "incoming_port": "many"},
         ("incoming_port", "int")),
    Case("name that CUCM won't take", "cucm_sip_trunk", {**TRUNK, "name": "to the provider"},
         ("to the provider", "not a name", "a-z")),
    Case("name too long", "cucm_sip_trunk", {**TRUNK, "name": "T" * 51}, ("1 to 50",)),
    Case("17 destinations", "cucm_sip_trunk", {**TRUNK, "destinations": SEVENTEEN}, ("17", "16")),
    Case("SRTP on a non-secure profile", "cucm_sip_trunk", {**TRUNK, "srtp_allowed": True},
         ("srtp_allowed", "Non Secure SIP Trunk Profile", "clear", "Encrypted")),
    Case("TLS with a non-secure mode", "cucm_sip_trunk_profile",
         {"name": "P", "security_mode": "Non Secure", "incoming_transport": "TLS"}, ("Non Secure", "TLS")),
    Case("pattern to a trunk that is not there", "cucm_route_pattern", {"pattern": "9898", "gateway": "Nobody"},
         ("Nobody", "does not exist")),
    Case("certificate that is not one", "cucm_cert_upload", {"certificate": "hello"}, ("certificate", "PEM")),
    Case("certificate that is damaged", "cucm_cert_upload", {"certificate": NO_PEM}, ("certificate",)),
    Case("chain that is not one", "cucm_cert_upload", {"chain": [NO_PEM]}, ("certificate",)),
    Case("request that is not one", "ca_sign", {"csr": NO_PEM, "path": "{folder}/ca", "create": True}, ("request",)),
    Case("text in place of a request", "ca_sign", {"csr": "hello", "path": "{folder}/none"},
         ("no certificate request",)),
    Case("unknown purpose", "cucm_csr", {"purpose": "Tomcat manager"}, ("Tomcat manager",)),
    Case("wrong application password", "cucm_info", {}, ("401", "axladmin", "once", "locks"), {"password": WRONG}),
    Case("wrong application password, a write", "cucm_sip_trunk", TRUNK, ("401", "axladmin"), {"password": WRONG}),
    Case("wrong application password, RIS", "cucm_sip_trunk_info", {}, ("401", "axladmin"), {"password": WRONG}),
    Case("wrong application password, Control Center", "cucm_service", {"state": "restarted"}, ("401", "axladmin"),
         {"password": WRONG}),
    Case("wrong platform password", "cucm_certificate_info", {}, ("osadmin", "once", "locks"), {"os_password": WRONG}),
    Case("wrong platform password, a write", "cucm_csr", {}, ("osadmin", "once"), {"os_password": WRONG}),
    Case("account without AXL", "cucm_info", {}, ("403", "noaxl", "Standard AXL API Access"),
         {"username": "noaxl", "password": "Axl-Lab-91!without-any-role"}),
    Case("account that only reads, a write", "cucm_sip_trunk", {**TRUNK, "destinations": SEVENTEEN[:1]},
         ("403", "axlread", "may write", "Standard AXL API Access"),
         {"username": "axlread", "password": "Axl-Lab-91!reading-alone"}),
    Case("platform account of level 0", "cucm_csr", {}, ("osread",),
         {"os_username": "osread", "os_password": "Os-Lab-91!platform-reading"}),
    Case("nobody answers", "cucm_info", {}, ("{net}.91.99", "no connection", "host and port"), {"host": "{net}.91.99"}),
    Case("nobody answers, platform", "cucm_certificate_info", {}, ("{net}.91.99", "Connection refused"),
         {"host": "{net}.91.99"}),
    Case("host name that is not one", "cucm_info", {}, ("no-such-host.invalid",), {"host": "no-such-host.invalid"}),
    Case("host name that is not one, platform", "cucm_csr", {}, ("no-such-host.invalid",),
         {"host": "no-such-host.invalid"}),
    Case("HTTPS that nobody vouches for", "cucm_info", {}, ("certificate", "ca_path", "tls_fingerprint"),
         {"ca_path": None}),
    Case("HTTPS of another fingerprint", "cucm_info", {}, ("handshake: its certificate has", "tls_fingerprint"),
         {"tls_fingerprint": "AB" * 32}),
    Case("old cryptography", "cucm_info", {}, ("legacy_crypto",), {"legacy_crypto": False}),
    Case("changed SSH host key", "cucm_certificate_info", {}, ("host key", "known_hosts"),
         {"ssh_known_hosts": "{folder}/changed"}),
    Case("unknown SSH host key", "cucm_csr", {}, ("host key", "known_hosts"), {"ssh_known_hosts": "{folder}/empty"}),
)  # fmt: skip


@dataclass
class Place:
    """The lab, and a folder with host keys that are not its own."""

    lab: LabProcess
    folder: Path

    def filled(self, value: Any) -> Any:
        """A value with the lab's net and the folder in it."""
        if isinstance(value, str):
            return value.replace("{net}", self.lab.net).replace("{folder}", str(self.folder))
        return value

    def options(self, case: Case) -> dict[str, Any]:
        """All options of a case, as Ansible would hand them over: those that the module has."""
        host = yaml.safe_load(self.lab.inventory.read_text(encoding="utf-8"))["cucm_clusters"]["hosts"]["cucma"]
        known = {name.removeprefix("cucm_"): value for name, value in host.items() if name.startswith("cucm_")}
        given = {**known, **case.changed, **case.options}
        platform = ("os_username", "os_password", "ssh_port", "ssh_known_hosts", "validate_host_key", "ssh_host_key")
        takes_shell = case.module in SHELL
        takes_axl = case.module in APPLICATION
        return {
            name: self.filled(value)
            for name, value in given.items()
            if value is not None and name not in ("local_patterns", "node_addresses")
            and (takes_shell or name not in platform) and (takes_axl or name not in ("username", "password"))
            and (takes_axl or takes_shell or name in case.options)
        }  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("bad-input")
    with LabProcess(folder / "lab") as lab:
        other = asyncssh.generate_private_key("ssh-rsa", key_size=2048).export_public_key().decode().strip()
        lines = (lab.state / "known_hosts").read_text(encoding="utf-8").splitlines()
        names = [line.split(" ", 1)[0] for line in lines if line.strip()]
        (folder / "changed").write_text("".join(f"{name} {other}\n" for name in names), encoding="utf-8")
        (folder / "empty").write_text("", encoding="utf-8")
        # Each case counts its own refusals; a locked account would have none.
        lab.ask("inferred", name="axl.lock_after", value=100)
        yield Place(lab, folder)


def run(module: str, options: dict[str, Any]) -> Ran:
    """A module in a process of its own, as Ansible runs it."""
    return ran(module, options, verbosity=3, limit=120)


def refusals(lab: LabProcess) -> int:
    """How often an account was refused so far, by whatever interface."""
    return sum("refused" in str(event) for event in lab.events())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_one_clear_sentence_and_nothing_is_written(place: Place, case: Case) -> None:
    before, refused = place.lab.ask("dump"), refusals(place.lab)
    done = run(case.module, place.options(case))
    assert done.code == 1 and "Traceback" not in done.output, done.output[-2000:]
    result, said = done.result, done.sentence
    print(said)
    assert result["failed"] and "exception" not in result and "does not know" not in said, said
    for word in case.words:
        assert str(place.filled(word)).lower() in said.lower(), said
    assert WRONG not in done.output
    assert place.lab.ask("dump") == before
    if "password" in case.name and "wrong" in case.name:
        assert refusals(place.lab) - refused == 1, "a refused password was tried again"
    assert not (place.folder / "none").exists()
