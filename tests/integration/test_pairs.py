# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main playbook on every ordered pair of releases, with either CA, one node a cluster and three.

A mesh holds a cluster of each release and a twin of each, which is the peer of its sibling alone. One run of the
playbook sets up all of them, and a call goes from each cluster to each of its peers, so that one mesh proves all
ordered pairs for one kind of CA and one number of nodes. Meshes run under `make test-matrix`; two pairs on their own,
where nothing hides behind a third cluster, in `make test`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from operator_site import ROOT, Site

RELEASES = ("9.1", "10.5", "11.5", "12.5", "14", "15")
SCENARIOS = ROOT / "tests" / "lab" / "cucm_lab" / "scenarios"
pytestmark = [pytest.mark.playbook]


@dataclass(frozen=True)
class Side:
    """A cluster of the scenario; peers are names of clusters."""

    name: str
    release: str
    extension: str
    peers: tuple[str, ...]


def pair(one: str, other: str) -> list[Side]:
    """Two clusters, each the other's peer."""
    return [Side("side1", one, "1001", ("side2",)), Side("side2", other, "2001", ("side1",))]


def mesh() -> list[Side]:
    """A cluster of each release, each the peer of all others, and a twin of each."""
    names = {release: f"r{release.replace('.', '')}" for release in RELEASES}
    sides = []
    for number, (release, name) in enumerate(names.items(), 1):
        others = tuple(other for other in names.values() if other != name)
        sides.append(Side(name, release, f"{number}001", (*others, f"{name}twin")))
        sides.append(Side(f"{name}twin", release, f"{number}002", (name,)))
    return sides


def scenario(path: Path, sides: list[Side], nodes: int) -> str:
    """These clusters beside a Microsoft CA; accounts and CA are those of the shipped scenario."""
    shipped = yaml.safe_load((SCENARIOS / "two-clusters-adcs.yml").read_text(encoding="utf-8"))
    clusters = []
    for number, side in enumerate(sides, 1):
        servers = [{"name": f"{side.name}n{n}".upper(), "address": f"127.0.{number}.{n}"} for n in range(1, nodes + 1)]
        for server in servers[1:]:
            server["role"] = "Subscriber"
        clusters.append(
            {
                "name": side.name,
                "release": side.release,
                "domain": "lab.local",
                "subject": {"C": "IN", "ST": "cisco", "L": "cisco", "O": "cisco", "OU": "cisco"},
                "nodes": servers,
                "phones": [{"extension": side.extension}],
            }
        )
    path.write_text(yaml.safe_dump({**shipped, "name": path.stem, "clusters": clusters}), encoding="utf-8")
    return str(path)


def authority(site: Site, kind: str) -> dict[str, Any]:
    """The extra variables that name the CA."""
    if kind == "local":
        return {}
    ca = next(one for one in site.lab.description["cas"] if one["name"] == "adcs")
    return {
        "sip_tls_ca": {
            "provider": "adcs",
            "url": f"https://{ca['address']}:{ca.get('port', 8443)}",
            "username": "LAB\\enroll",
            "auth": "ntlm",
            "template": "CucmTLS",
            "ca_path": str(site.lab.state / "ca-adcs" / "ca.pem"),
        },
        "sip_tls_ca_password": "Ca-Lab-91!enrolling",
    }


def peers(site: Site, sides: list[Side]) -> str:
    """A second inventory that names the peers of each cluster."""
    path = site.folder / "peers.yml"
    hosts = {side.name: {"cucm_peers": list(side.peers)} for side in sides}
    path.write_text(yaml.safe_dump({"cucm_clusters": {"hosts": hosts}}), encoding="utf-8")
    return str(path)


def prove(folder: Path, sides: list[Side], ca: str, nodes: int) -> None:
    """Set up, call from each side to each of its peers, and see that a second run finds nothing to do."""
    site = Site(folder, scenario(folder / "pairs.yml", sides, nodes), limit=1800)
    extension = {side.name: side.extension for side in sides}
    with site.lab:
        options, extra = ("-i", peers(site, sides)), authority(site, ca)
        first = site.play("sip_tls_trunk", *options, extra=extra)
        assert first.code == 0, re.findall(r"\"msg\": \"(.*?)\"[,}]", first.output) or first.output[-6000:]
        verdict = site.verdict()
        proven = {(one["from"], one["to"]) for one in verdict["directions"] if one["verdict"] == "secure"}
        assert proven == {(side.name, peer) for side in sides for peer in side.peers}
        assert verdict["verdict"] == "secure"
        for side in sides:
            for peer in side.peers:
                call = site.call(side.name, side.extension, extension[peer])
                said = (side.name, peer, call)
                assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True), said
        second = site.play("sip_tls_trunk", *options, extra=extra)
        assert second.code == 0, second.output[-6000:]
        assert second.total("changed") == 0, second.output[-6000:]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("one", "other", "ca", "nodes"),
    [("9.1", "15", "adcs", 1), ("11.5", "14", "local", 3)],
    ids=["9.1-15-adcs-1", "11.5-14-local-3"],
)
def test_a_pair_calls_over_mutual_tls(tmp_path: Path, one: str, other: str, ca: str, nodes: int) -> None:
    prove(tmp_path, pair(one, other), ca, nodes)


@pytest.mark.matrix
@pytest.mark.timeout(5400)
@pytest.mark.parametrize("nodes", [1, 3])
@pytest.mark.parametrize("ca", ["local", "adcs"])
def test_every_ordered_pair_calls_over_mutual_tls(tmp_path: Path, ca: str, nodes: int) -> None:
    sides = mesh()
    releases = {side.name: side.release for side in sides}
    pairs = {(side.release, releases[peer]) for side in sides for peer in side.peers}
    assert len(pairs) == len(RELEASES) ** 2, "a pair of releases is missing"
    prove(tmp_path, sides, ca, nodes)
