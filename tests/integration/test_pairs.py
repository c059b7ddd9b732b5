# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main playbook on pairs of releases, with either CA, one node a cluster and three.

One run sets up both directions and a call goes each way, so that an unordered pair proves both ordered ones.
The whole matrix runs under `make test-matrix`; a chosen part of it in `make test`.
"""

from __future__ import annotations

import re
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import pytest
import yaml
from operator_site import ROOT, Site

RELEASES = ("9.1", "10.5", "11.5", "12.5", "14", "15")
SCENARIOS = ROOT / "tests" / "lab" / "cucm_lab" / "scenarios"
CAS = ("local", "adcs")
# (release, release, CA, nodes a cluster)
CHOSEN = {("9.1", "15", "adcs", 1), ("11.5", "14", "local", 3)}
EVERY = [
    pytest.param(*case, marks=[] if case in CHOSEN else pytest.mark.matrix, id="-".join(map(str, case)))
    for case in (
        (a, b, ca, nodes) for a, b in combinations_with_replacement(RELEASES, 2) for ca in CAS for nodes in (1, 3)
    )
]
pytestmark = [pytest.mark.playbook, pytest.mark.timeout(1200)]


def scenario(path: Path, releases: tuple[str, str], nodes: int) -> str:
    """Two clusters of these releases beside a Microsoft CA; accounts and CA are those of the shipped scenario."""
    shipped = yaml.safe_load((SCENARIOS / "two-clusters-adcs.yml").read_text(encoding="utf-8"))
    clusters = []
    for number, release in enumerate(releases, 1):
        name = f"side{number}"
        servers = [{"name": f"{name}n{n}".upper(), "address": f"127.0.{number}.{n}"} for n in range(1, nodes + 1)]
        for server in servers[1:]:
            server["role"] = "Subscriber"
        clusters.append(
            {
                "name": name,
                "release": release,
                "domain": "lab.local",
                "subject": {"C": "IN", "ST": "cisco", "L": "cisco", "O": "cisco", "OU": "cisco"},
                "nodes": servers,
                "phones": [{"extension": f"{number}001"}],
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


@pytest.mark.parametrize(("one", "other", "ca", "nodes"), EVERY)
def test_a_pair_calls_over_mutual_tls(tmp_path: Path, one: str, other: str, ca: str, nodes: int) -> None:
    site = Site(tmp_path, scenario(tmp_path / "pair.yml", (one, other), nodes))
    with site.lab:
        extra = authority(site, ca)
        first = site.play("sip_tls_trunk", extra=extra)
        assert first.code == 0, re.findall(r"\"msg\": \"(.*?)\"[,}]", first.output) or first.output[-6000:]
        assert site.verdict()["verdict"] == "secure", site.verdict()
        for caller, calling, called in (("side1", "1001", "2001"), ("side2", "2001", "1001")):
            call = site.call(caller, calling, called)
            assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True), call
        second = site.play("sip_tls_trunk", extra=extra)
        assert second.code == 0, second.output[-6000:]
        assert second.total("changed") == 0, second.output[-6000:]
