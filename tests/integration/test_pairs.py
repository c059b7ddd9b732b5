# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main playbook on every ordered pair of releases, with either CA, one node a cluster and three.

A mesh holds a cluster of each of four releases, each the peer of all others; twins are two clusters of one release.
One run of the playbook sets up all of them, and a call goes from each cluster to each of its peers. Together the meshes
hold every ordered pair for one kind of CA and one number of nodes. They run under `make test-matrix`; a pair on its
own, where nothing hides behind a third cluster, in `make test`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from cucm_lab.testing import cluster, write_scenario

from tests.support.operator_site import Site

RELEASES = ("9.1", "10.5", "11.5", "12.5", "14", "15SU1", "15SU2", "15SU4")
#: those that speak TLS 1.0 alone, and those that take TLS 1.2 and later alone
OLD, NEW = ("9.1", "10.5"), ("15SU2", "15SU4")
pytestmark = [pytest.mark.playbook]


@dataclass(frozen=True)
class Side:
    """A cluster of the scenario; peers are names of clusters."""

    name: str
    release: str
    peers: tuple[str, ...]


def pair(first: str, second: str) -> list[Side]:
    """Two clusters, each the other's peer."""
    return [Side("side1", first, ("side2",)), Side("side2", second, ("side1",))]


def talk(first: str, second: str) -> bool:
    """Whether two releases as installed have a TLS version in common."""
    return not ((first in OLD and second in NEW) or (first in NEW and second in OLD))


def mesh(releases: Sequence[str]) -> list[Side]:
    """A cluster of each release, each the peer of all others that it can talk with."""
    names = {release: f"r{release.replace('.', '').lower()}" for release in releases}
    return [
        Side(name, release, tuple(names[other] for other in releases if other != release and talk(release, other)))
        for release, name in names.items()
    ]


def twins(releases: Sequence[str]) -> list[Side]:
    """Two clusters of each release, each the peer of the other alone."""
    names = [(release, f"r{release.replace('.', '').lower()}") for release in releases]
    return [
        Side(name, release, (peer,))
        for release, first in names
        for name, peer in ((first, f"{first}twin"), (f"{first}twin", first))
    ]


#: releases that stay together; a mesh of each two groups has every pair of different releases
GROUPS = (("9.1", "14"), ("10.5", "15SU1"), ("11.5", "15SU2"), ("12.5", "15SU4"))
PARTS = {
    **{f"mesh{n}": mesh([*first, *second]) for n, (first, second) in enumerate(combinations(GROUPS, 2), 1)},
    "twins1": twins(RELEASES[:4]),
    "twins2": twins(RELEASES[4:]),
}


def scenario(path: Path, sides: list[Side], nodes: int) -> str:
    """These clusters beside a Microsoft CA; the first has the phone 1001, the second 2001."""
    clusters = [cluster(n, side.release, nodes=nodes, name=side.name) for n, side in enumerate(sides, 1)]
    return write_scenario(path, clusters, base="two-clusters-adcs")


def authority(site: Site, kind: str) -> dict[str, Any]:
    """The extra variables that name the CA, a Microsoft CA by the old names of its options."""
    if kind == "local":
        return {}
    ca = next(authority for authority in site.lab.description["cas"] if authority["name"] == "adcs")
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


def prove(folder: Path, sides: list[Side], ca: str, nodes: int, *, twice: bool = True) -> None:
    """Set up, call from each side to each of its peers, and see that a second run finds nothing to do (twice)."""
    site = Site(folder, scenario(folder / "pairs.yml", sides, nodes), limit=1800)
    extension = {side.name: f"{n}001" for n, side in enumerate(sides, 1)}
    with site.lab:
        options, extra = ("-i", peers(site, sides)), authority(site, ca)
        first = site.play("sip_tls_trunk", *options, extra=extra)
        assert first.code == 0, re.findall(r"\"msg\": \"(.*?)\"[,}]", first.output) or first.output[-6000:]
        verdict = site.verdict()
        proven = {
            (direction["from"], direction["to"])
            for direction in verdict["directions"]
            if direction["verdict"] == "secure"
        }
        assert proven == {(side.name, peer) for side in sides for peer in side.peers}
        assert verdict["verdict"] == "secure"
        for side in sides:
            for peer in side.peers:
                call = site.call(side.name, extension[side.name], extension[peer])
                said = (side.name, peer, call)
                assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True), said
        if twice:
            second = site.play("sip_tls_trunk", *options, extra=extra)
            assert second.code == 0, second.output[-6000:]
            assert second.total("changed") == 0, second.output[-6000:]


@pytest.mark.matrix
@pytest.mark.timeout(1200)
def test_the_oldest_and_the_newest_call_over_mutual_tls(tmp_path: Path) -> None:
    """The pair that has least in common, by the CLI and by REST, with the Microsoft CA; the rest is the matrix."""
    prove(tmp_path, pair("9.1", "15"), "adcs", 1, twice=False)


def test_the_meshes_hold_every_pair_of_releases_that_can_talk() -> None:
    found = set()
    for sides in PARTS.values():
        releases = {side.name: side.release for side in sides}
        found |= {(side.release, releases[peer]) for side in sides for peer in side.peers}
    assert found == {(a, b) for a in RELEASES for b in RELEASES if talk(a, b)}, "a pair of releases is missing"


@pytest.mark.matrix
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("nodes", [1, 3])
@pytest.mark.parametrize("ca", ["local", "adcs"])
def test_every_ordered_pair_calls_over_mutual_tls(tmp_path: Path, ca: str, nodes: int, part: str) -> None:
    prove(tmp_path, PARTS[part], ca, nodes)
