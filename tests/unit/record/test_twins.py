# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster's record, the twin that the lab makes of it, and the twin's record: the same, redacted or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.module_utils._node import info as node_info
from ansible_collections.siptls.cucm.plugins.module_utils._record import configuration
from ansible_collections.siptls.cucm.plugins.module_utils._record.document import cluster_record
from ansible_collections.siptls.cucm.plugins.module_utils._record.redaction import redacted
from cucm_lab import twin
from cucm_lab.testing import LabProcess, cluster, write_scenario

from tests.support.certificate_kit import Authority
from tests.support.module_processes import run_module

pytestmark = pytest.mark.xdist_group("twins")

DIAL_PLAN: dict[str, Any] = {
    "RoutePartition": [{"name": "Internal"}, {"name": "To peers"}],
    "Css": [
        {"name": "Phones of munich.lab.local", "members": [{"routePartitionName": "Internal", "index": 1},
                                                           {"routePartitionName": "To peers", "index": 2}]},
    ],
    "RoutePattern": [
        {"pattern": "9[2-47]XX", "routePartitionName": "To peers", "description": "Call 089 1234 for help",
         "destination": {"gatewayName": "To-munich"}},
        {"pattern": "9[2-47]XX", "routePartitionName": None, "blockEnable": True,
         "destination": {"gatewayName": "To-munich"}},
    ],
    "TransPattern": [{"pattern": "55.1N", "usage": "Translation", "calledPartyTransformationMask": "93XX"}],
    "SipTrunk": [
        {"name": "To-munich", "product": "SIP Trunk", "class": "Trunk", "protocol": "SIP", "protocolSide": "Network",
         "devicePoolName": "Default", "locationName": "Branch", "presenceGroupName": "Standard Presence group",
         "securityProfileName": "Non Secure SIP Trunk Profile", "sipProfileName": "Standard SIP Profile",
         "mediaResourceListName": "Music",
         "destinations": [{"addressIpv4": "munich1.lab.local", "port": 5061, "sortOrder": 1},
                          {"addressIpv4": "10.1.2.3", "port": 5061, "sortOrder": 2}]},
    ],
    "Location": [{"name": "Branch", "betweenLocations": [{"locationName": "Hub_None", "weight": 20}]}],
}  # fmt: skip


def scenario(folder: Path) -> str:
    """Three releases: an old one, a cluster of two nodes in mixed mode, and a dial plan with partitions."""
    old = cluster(21, "9.1", name="munich")
    mixed = cluster(22, "11.5", nodes=2, name="paris")
    mixed["security_mode"] = "mixed"
    mixed["nodes"][0]["not_activated"] = ["Cisco CallManager"]
    new = cluster(23, "14", name="oslo")
    new["config"] = {"MediaResourceList": [{"name": "Music"}], **DIAL_PLAN}
    new["phones"] = [
        {"extension": number, "partition": "Internal", "css": "Phones of munich.lab.local"}
        for number in ("5511", "5529")
    ]
    return write_scenario(folder / "site.yml", [old, mixed, new])


def access(host: dict[str, Any], lab: LabProcess, *, platform: bool) -> dict[str, Any]:
    """A module's options for a cluster of an inventory."""
    names = ["host", "port", "ca_path", "legacy_crypto"]
    names += ["os_username", "os_password", "ssh_port", "ssh_known_hosts"] if platform else ["username", "password"]
    return {name: host[f"cucm_{name}"] for name in names if f"cucm_{name}" in host}


def records(lab: LabProcess, *, numbers: bool) -> list[dict[str, Any]]:
    """The records of all clusters of a lab, as role cluster_record composes them."""
    hosts = yaml.safe_load(lab.inventory.read_text())["cucm_clusters"]["hosts"]
    found = []
    for name, host in hosts.items():
        asked = {"numbers": numbers, "addresses": host["cucm_node_addresses"]}
        read = called(configuration, {**access(host, lab, platform=False), **asked})
        certificates = [
            {"item": node, **called(node_info, {**access(host, lab, platform=True), "served_ports": {},
                                                "host": host["cucm_node_addresses"][node["name"]]})}
            for node in read["nodes"]
        ]  # fmt: skip
        found.append(cluster_record(name, read, certificates, local_patterns=host["cucm_local_patterns"]))
    return found


def called(part: Any, params: dict[str, Any]) -> dict[str, Any]:
    """The result of a service."""
    defaults = {name: option.get("default") for name, option in part.SPEC.options.items()}
    result: dict[str, Any] = part.service(SimpleNamespace(params=defaults | params, check_mode=False)).result
    return json.loads(json.dumps(result))


def comparable(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what a twin cannot have: its address, and certificates that name addresses."""
    stores = {
        node: {
            purpose: numbers for purpose, numbers in per_purpose.items() if not purpose.startswith(("tomcat", "ipsec"))
        }
        for node, per_purpose in record["stores"].items()
    }
    kept = sorted({number for per_purpose in stores.values() for numbers in per_purpose.values() for number in numbers})
    place = {number: at for at, number in enumerate(kept)}
    certificates = []
    for number in kept:
        described = dict(record["certificates"][number])
        described["issued_by"] = place.get(described["issued_by"])
        if record["redacted"]:
            # They count the certificates that are left out here, too.
            del described["serial"]
        certificates.append(described)
    places = {
        node: {purpose: [place[number] for number in numbers] for purpose, numbers in per_purpose.items()}
        for node, per_purpose in stores.items()
    }
    return {
        **record,
        "nodes": [{key: value for key, value in node.items() if key != "address"} for node in record["nodes"]],
        "certificates": certificates,
        "stores": places,
    }


def twins(folder: Path, given: list[dict[str, Any]]) -> LabProcess:
    """The twins of records, through the files that a person passes on."""
    folder.mkdir()
    files = []
    for record in given:
        file = folder / f"{record['cluster']['name']}.yml"
        file.write_text(yaml.safe_dump(json.loads(json.dumps(record)), sort_keys=False))
        files.append(file)
    made = folder / "twins.yml"
    made.write_text(yaml.safe_dump(twin.scenario_of(files), sort_keys=False))
    return LabProcess(folder / "lab", str(made))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    """The lab with a certificate that a CA signed, and the CA in the store of another cluster."""
    folder = tmp_path_factory.mktemp("site")
    with LabProcess(folder / "lab", scenario(folder)) as lab:
        hosts = yaml.safe_load(lab.inventory.read_text())["cucm_clusters"]["hosts"]
        authority = Authority.make(folder, "Site CA of Munich")
        node = access(hosts["munich"], lab, platform=True)
        request = run_module("cucm_csr", **node, issuer=authority.pem)
        signed = authority.sign(request["csr"])
        done = run_module("cucm_cert_upload", **node, certificate=signed, chain=[authority.pem], csr=request["csr"])
        assert done["changed"], done
        assert run_module("cucm_cert_upload", **access(hosts["oslo"], lab, platform=True), chain=[authority.pem])[
            "changed"
        ]
        yield lab


def test_the_record_of_a_twin_is_the_record(site: LabProcess, tmp_path: Path) -> None:
    originals = records(site, numbers=True)
    with twins(tmp_path / "plain", originals) as lab:
        assert [*map(comparable, records(lab, numbers=True))] == [*map(comparable, originals)]
        analysis = lab.ask("digits", cluster="oslo", called="5511", calling="5529")
        assert (analysis["result"], analysis["partition"]) == ("phone", "Internal")
        status = {found["name"]: found for found in lab.ask("status")["clusters"]}
        assert "Cisco CallManager" in json.dumps(status["paris"]["nodes"][0]), "not activated on the publisher"
        assert authority_of(lab, "munich") == authority_of(lab, "oslo"), "one CA is one stand-in"


def authority_of(lab: LabProcess, name: str) -> str:
    """The fingerprint of the site's CA in the trust store of a cluster."""
    host = yaml.safe_load(lab.inventory.read_text())["cucm_clusters"]["hosts"][name]
    asked = {**access(host, lab, platform=True), "served_ports": {}, "purposes": ["CallManager-trust"]}
    views = called(node_info, asked)["certificates"]
    found: str = next(view["sha256"] for view in views if view["common_name"] == "Site CA of Munich")
    return found


def test_a_redacted_record_hides_names_and_keeps_behaviour(site: LabProcess, tmp_path: Path) -> None:
    hidden = redacted(records(site, numbers=True))
    text = yaml.safe_dump(json.loads(json.dumps(hidden))).lower()
    for word in ("munich", "paris", "oslo", "lab.local", "127.", "10.1.2.3", "5511", "089", "site ca", "123"):
        assert word not in text.replace("cisco", ""), word
    with twins(tmp_path / "redacted", hidden) as lab:
        again = redacted(records(lab, numbers=True))
        assert [*map(comparable, again)] == [*map(comparable, hidden)]
        oslo = hidden[2]
        first, second = oslo["lines"][0]["numbers"]
        translated = oslo["objects"]["TransPattern"][0]["pattern"].replace(".", "").replace("N", "7")
        found = lab.ask("digits", cluster=oslo["cluster"]["name"], called=translated, calling=first)
        original = site.ask("digits", cluster="oslo", called="5517", calling="5511")
        assert found["result"] == original["result"] == "blocked"
        assert found["pattern"] == oslo["objects"]["RoutePattern"][1]["pattern"]
        assert lab.ask("digits", cluster=oslo["cluster"]["name"], called=second, calling=first)["result"] == "phone"


def test_lines_that_were_only_counted_have_phones_that_fit(site: LabProcess) -> None:
    counted = records(site, numbers=False)[2]
    assert counted["lines"][0]["count"] == 2 and "numbers" not in counted["lines"][0]
    assert "5511" not in json.dumps(counted["lines"])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[]", "is not a record"),
        ("format: siptls.cucm record\nversion: 9", "has version 9; this lab reads version 1"),
        ("format: siptls.cucm record\nversion: 1\ncluster: {release: 10.5.2.10000-5}", "is not complete"),
        ("format: [", "cannot be read"),
    ],
)
def test_a_file_that_is_no_record_is_refused_in_a_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    file = tmp_path / "record.yml"
    file.write_text(content)
    with pytest.raises(twin.RecordError, match=sentence):
        twin.scenario_of([file])


@pytest.mark.matrix
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("name", ["releases", "mesh-8"])
def test_every_release_and_a_mesh_have_twins_with_the_same_record(name: str, tmp_path: Path) -> None:
    with LabProcess(tmp_path / "site", name) as lab:
        originals = records(lab, numbers=True)
    hidden = redacted(originals)
    with twins(tmp_path / "plain", originals) as lab:
        assert [*map(comparable, records(lab, numbers=True))] == [*map(comparable, originals)]
    with twins(tmp_path / "redacted", hidden) as lab:
        assert [*map(comparable, redacted(records(lab, numbers=True)))] == [*map(comparable, hidden)]
