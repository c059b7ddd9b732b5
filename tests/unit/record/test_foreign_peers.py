# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trunk to an SBC: what a probe sees of it is recorded, and its stand-in presents and trusts the same."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.tls_names import dn_parts, dn_text
from ansible_collections.siptls.cucm.plugins.module_utils._record import configuration
from ansible_collections.siptls.cucm.plugins.module_utils._record.document import cluster_record
from ansible_collections.siptls.cucm.plugins.module_utils._record.peers import foreign_peers
from ansible_collections.siptls.cucm.plugins.module_utils._record.redaction import redacted
from ansible_collections.siptls.cucm.plugins.module_utils._record.rehearsal import rehearsal_inventory
from cryptography import x509
from cryptography.x509.oid import NameOID
from cucm_lab import twin
from cucm_lab.testing import LabProcess, cluster, write_scenario

from tests.support.module_processes import run_module
from tests.support.openssl_peer import ADDRESS, make_ca, make_leaf, s_server
from tests.unit.record.test_twins import access, called

pytestmark = pytest.mark.xdist_group("twins")

PROFILE = {
    "name": "TLS to the SBC", "securityMode": "Encrypted", "incomingTransport": "TLS", "outgoingTransport": "TLS",
    "incomingPort": 5061, "x509SubjectName": "sbc",
}  # fmt: skip
TRUNK = {
    "name": "To-SBC", "product": "SIP Trunk", "class": "Trunk", "protocol": "SIP", "protocolSide": "Network",
    "devicePoolName": "Default", "locationName": "Hub_None", "presenceGroupName": "Standard Presence group",
    "securityProfileName": PROFILE["name"], "sipProfileName": "Standard SIP Profile",
}  # fmt: skip
PATTERN = {"pattern": "0.!", "routePartitionName": None, "destination": {"gatewayName": "To-SBC"}}


@dataclass
class Seen:
    """The record of a cluster with a trunk to an SBC of OpenSSL's, and the files of the SBC."""

    record: dict[str, Any]
    folder: Path
    port: int


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """The SBC presents a certificate of one CA and takes those of another."""
    folder = tmp_path_factory.mktemp("sbc")
    make_ca(folder, "Provider CA")
    make_ca(folder, "Customer CA, 2")
    make_leaf(folder, "sbc", "Provider CA")
    with s_server(folder, "sbc", "-Verify", "2", "-CAfile", str(folder / "Customer CA, 2.pem")) as port:
        one = cluster(31, "14", name="bern")
        trunk = {**TRUNK, "destinations": [{"addressIpv4": ADDRESS, "port": port, "sortOrder": 1}]}
        one["config"] = {"SipTrunkSecurityProfile": [PROFILE], "SipTrunk": [trunk], "RoutePattern": [PATTERN]}
        with LabProcess(folder / "lab", write_scenario(folder / "site.yml", [one])) as lab:
            yield Seen(recorded(lab, [folder / "Provider CA.pem"]), folder, port)


def recorded(lab: LabProcess, chain: list[Path]) -> dict[str, Any]:
    """The record of the lab's cluster, as role cluster_record composes it."""
    name, host = next(iter(yaml.safe_load(lab.inventory.read_text())["cucm_clusters"]["hosts"].items()))
    asked = {**access(host, lab, platform=False), "numbers": True, "addresses": host["cucm_node_addresses"]}
    read = called(configuration, asked)
    port = int(read["objects"]["SipTrunk"][0]["destinations"][0]["port"])
    address = read["objects"]["SipTrunk"][0]["destinations"][0]["addressIpv4"]
    external = [{"addresses": [address], "port": port, "chain": [file.read_text() for file in chain]}]
    probes = []
    for place in foreign_peers(read, clusters=[read], external=external):
        asked = {"host": place["address"], "port": place["port"], "options": False, "old_peers": True}
        probes.append({**run_module("sip_tls_probe", **asked, legacy_crypto=True), "item": place})
    store = run_module("cucm_certificate_info", **access(host, lab, platform=True), served_ports={})
    record = cluster_record(name, read, [{**store, "item": read["nodes"][0]}], peers=probes)
    found: dict[str, Any] = json.loads(json.dumps(record))
    return found


def twin_of(folder: Path, record: dict[str, Any]) -> LabProcess:
    """The twin of a record, through the file that a person passes on."""
    file, made = folder / "record.yml", folder / "twins.yml"
    file.write_text(yaml.safe_dump(record, sort_keys=False))
    made.write_text(yaml.safe_dump(twin.scenario_of([file]), sort_keys=False))
    return LabProcess(folder / "lab", str(made))


def described(record: dict[str, Any]) -> list[Any]:
    """A record's peers with their certificates in place of numbers, without their addresses."""
    certificates = {
        number: {key: value for key, value in certificate.items() if key != "issued_by"}
        for number, certificate in record["certificates"].items()
    }
    return [
        {key: value for key, value in peer.items() if key not in ("address", "chain", "expected_chain")}
        | {key: [certificates[str(number)] for number in peer[key]] for key in ("chain", "expected_chain")}
        for peer in record["peers"]
    ]


def test_the_record_has_what_the_probe_saw(seen: Seen) -> None:
    (peer,) = seen.record["peers"]
    leaf = seen.record["certificates"][str(peer["chain"][0])]
    assert leaf["subject"] == ["C=IN", "ST=cisco", "CN=sbc"] and leaf["issuer"] == ["O=Lab", "CN=Provider CA"]
    assert str(leaf["issued_by"]) == str(peer["expected_chain"][0])
    assert peer["acceptable_cas"] == [["O=Lab", "CN=Customer CA, 2"]]
    assert (peer["client_certificate"], peer["transport"], peer["port"]) == (True, "TLS", seen.port)
    assert peer["old_peers"] in (True, False) and peer["tls_version"] == "TLSv1.2"
    assert "PRIVATE" not in json.dumps(seen.record)


def test_the_stand_in_presents_and_trusts_the_same(seen: Seen, tmp_path: Path) -> None:
    with twin_of(tmp_path, seen.record) as lab:
        (peer,) = lab.ask("status")["peers"]
        assert peer["name"] == ADDRESS and peer["numbers"] == {"bern": "00"}
        address = peer["address"]
        cas = json.loads((tmp_path / "lab" / "stand-ins" / "peers.json").read_text())[0]
        expected = tmp_path / "expected.pem"
        expected.write_text("".join(cas["chain"]))
        again = recorded(lab, [expected])
        assert again["peers"][0]["address"] == address
        assert described(again) == described(seen.record)
        trusts_its_own_alone(tmp_path, address, seen)


def trusts_its_own_alone(folder: Path, address: str, seen: Seen) -> None:
    """By OpenSSL: a certificate of the CA's stand-in is taken; one of the real CA, and none at all, are refused."""
    stand_in = next(
        stand_in for stand_in in json.loads((folder / "lab" / "stand-ins" / "stand-ins.json").read_text())
        if "Customer CA" in stand_in["subject"]
    )  # fmt: skip
    (folder / "stand-in.pem").write_text(stand_in["certificate"])
    (folder / "stand-in.key").write_text(Path(stand_in["key"]).read_text())
    make_leaf(folder, "ours", "stand-in")
    make_leaf(seen.folder, "theirs", "Customer CA, 2")
    assert handshake(address, seen.port, folder / "ours")
    assert not handshake(address, seen.port, seen.folder / "theirs")
    assert not handshake(address, seen.port, None)


def handshake(address: str, port: int, client: Path | None) -> bool:
    """Whether the server answers an OPTIONS of openssl s_client with this certificate."""
    own = ["-cert", f"{client}.pem", "-key", f"{client}.key"] if client else []
    options = (
        "OPTIONS sip:x@y SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    done = subprocess.run(
        ["timeout", "3", "openssl", "s_client", "-connect", f"{address}:{port}", "-quiet", *own],
        input=options, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "SIP/2.0 200 OK" in done.stdout


def test_a_rehearsal_leads_external_peers_to_their_stand_ins(seen: Seen, tmp_path: Path) -> None:
    peer = {"name": "sbc", "address": ADDRESS, "port": seen.port, "subject_names": ["sbc"], "ca_chain": "real.pem"}
    other = {"name": "new", "address": "192.0.2.9", "subject_names": ["new"], "ca_chain": "real.pem"}
    hosts = {"bern": {"cucm_external_peers": [peer, other], "sip_tls_ca": {"path": str(seen.folder)}}}
    places = [{"peer": ADDRESS, "port": seen.port, "address": "127.1.200.1", "chain": ["PEM"]}]
    made = rehearsal_inventory(hosts, {"bern": {"cucm_host": "127.1.101.1"}}, [], places)
    (kept,) = made["cucm_clusters"]["hosts"]["bern"]["cucm_external_peers"]
    assert kept == {**peer, "address": ["127.1.200.1"], "ca_chain": ["PEM"]}


def test_the_ca_of_the_inventory_signs_and_no_other(seen: Seen) -> None:
    """The certificates are of an old CA: a rehearsal with the next one must not be signed by the old one's stand-in."""
    listed = [
        {"certificate": (seen.folder / f"{name}.pem").read_text(), "key": f"/{name}.key", "clusters": clusters}
        for name, clusters in (("Provider CA", ["bern"]), ("Customer CA, 2", []))
    ]

    def signer(ca: dict[str, Any] | None) -> Any:
        hosts = {"bern": {"sip_tls_ca": ca} if ca else {"inventory_dir": "/nowhere"}}
        made = rehearsal_inventory(hosts, {"bern": {}}, listed)
        return made["cucm_clusters"]["hosts"]["bern"].get("sip_tls_ca", {}).get("ca_key_path")

    assert signer({"provider": "vault", "vault_url": "https://vault"}) == "/Provider CA.key"
    assert signer({"provider": "local", "ca_certificate": listed[1]["certificate"]}) == "/Customer CA, 2.key"
    assert signer({"provider": "local", "path": "/nowhere"}) is None
    assert signer(None) is None


def test_redaction_replaces_what_identifies_a_peer(seen: Seen) -> None:
    numbers = {int(number): certificate for number, certificate in seen.record["certificates"].items()}
    (hidden,) = redacted([{**seen.record, "certificates": numbers}])
    text = json.dumps(hidden)
    for word in (ADDRESS, "Provider", "Customer", "sbc", "bern"):
        assert word.lower() not in text.lower(), word
    (peer,) = hidden["peers"]
    issuer = hidden["certificates"][peer["chain"][0]]["issuer"]
    assert issuer == hidden["certificates"][peer["expected_chain"][0]]["subject"]
    assert len(peer["acceptable_cas"][0]) == 2


def test_names_are_read_once() -> None:
    """An unknown attribute, and two attributes in one place: the text and the parts say the same."""
    kind = x509.NameAttribute
    name = x509.Name(
        [
            x509.RelativeDistinguishedName([kind(NameOID.COUNTRY_NAME, "IN")]),
            x509.RelativeDistinguishedName(
                [kind(NameOID.ORGANIZATION_NAME, "y"), kind(NameOID.ORGANIZATIONAL_UNIT_NAME, "x")]
            ),
            x509.RelativeDistinguishedName([kind(x509.ObjectIdentifier("1.2.3.4"), "A, B")]),
        ]
    )
    der = name.public_bytes()
    assert dn_parts(der) == ["C=IN", "O=y", "OU=x", "1.2.3.4=A, B"]
    assert dn_text(der) == "1.2.3.4=A\\, B,O=y+OU=x,C=IN"
    assert dn_parts(b"\x30\x05") == ["DER 3005"] and dn_text(b"\x30\x05") == "DER 3005"
