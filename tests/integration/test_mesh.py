# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many clusters: a mesh made by one run, one that is down meanwhile, one that joins later, and peers that are fewer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml
from cucm_lab.testing import cluster, write_scenario

from tests.support.operator_site import Run, Site
from tests.support.sites import SetUp

pytestmark = [pytest.mark.playbook, pytest.mark.matrix, pytest.mark.timeout(7200)]
FORKS = {"ANSIBLE_FORKS": "10"}


def inventory(site: Site, name: str, **changes: dict[str, Any]) -> Path:
    """A copy of the lab's inventory with other variables for some clusters; None leaves a variable out."""
    data = yaml.safe_load(site.lab.inventory.read_text())
    for host, variables in changes.items():
        data["cucm_clusters"]["hosts"][host].update(variables)
    path = site.folder / name
    path.write_text(yaml.safe_dump(data))
    return path


def phones(site: Site) -> dict[str, str]:
    return {listed["name"]: listed["phones"][0] for listed in site.lab.description["clusters"]}


def call_all(site: Site, pairs: Iterable[tuple[str, str]]) -> int:
    """Call in each direction; how many calls were answered over TLS with SRTP."""
    numbers, good = phones(site), 0
    for caller, called in pairs:
        call = site.call(caller, numbers[caller], numbers[called])
        assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True), (caller, called, call)
        good += 1
    return good


def tasks(run: Run) -> tuple[int, int]:
    """How many tasks a cluster met at least and at most, whatever came of them.

    The most is for the cluster that also does what runs once for all; one that captures meets more than one that
    does not.
    """
    met = [counts["ok"] + counts["skipped"] for counts in run.recap.values()]
    return min(met), max(met)


def restarts(site: Site) -> int:
    return sum(event.get("kind") == "sip" and event.get("event") == "listening" for event in site.lab.events())


def differences(old: Any, new: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths at which two dumps differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            if key not in old or key not in new:
                yield (*at, str(key))
            else:
                yield from differences(old[key], new[key], (*at, str(key)))
    elif old != new:
        yield at


def test_eight_clusters_are_meshed_one_of_them_late_and_a_ninth_joins(tmp_path: Path, set_up: SetUp) -> None:
    site = Site(tmp_path, "mesh-8", limit=3000)
    with site.lab:
        names = list(phones(site))
        assert len(names) == 8

        # One is down: the seven others are set up, and the run says what waits.
        nowhere = f"{site.lab.net}.80.88"
        down = inventory(site, "down.yml", mesh8={"cucm_host": nowhere, "cucm_node_addresses": {"MESH8": nowhere}})
        first = site.play("sip_tls_trunk", "-i", str(down), **FORKS)
        failed = {name: counts["failed"] + counts["unreachable"] for name, counts in first.recap.items()}
        assert failed == {name: int(name == "mesh8") for name in names}, first.output[-6000:]
        assert "The other clusters go on; run again when this one answers." in first.output
        summary = first.output.partition("TASK [siptls.cucm.sip_tls_verify : Show the verdict]")[2]
        assert "mesh8: its certificates are not known in this run" in summary, first.output[-6000:]
        assert call_all(site, permutations(names[:-1], 2)) == 42
        assert site.verdict()["verdict"] == "secure" and len(site.verdict()["directions"]) == 42

        # It is back: the next run ends what waited.
        before = restarts(site)
        second = site.play("sip_tls_trunk", **FORKS)
        assert second.code == 0, second.output[-6000:]
        assert restarts(site) - before == 1, "no more than the late one was restarted"
        assert call_all(site, permutations(names, 2)) == 56
        assert site.verdict()["verdict"] == "secure" and len(site.verdict()["directions"]) == 56

        third = site.play("sip_tls_trunk", **FORKS)
        assert third.code == 0 and third.total("changed") == 0, third.output[-6000:]

        # Two clusters met as many tasks each as eight do.
        assert tasks(second) == tasks(set_up.first), (second.recap, set_up.first.recap)

        settled = site.lab.ask("dump")

    # A ninth joins the lab and the inventory.
    ninth = cluster(9, "15", name="mesh9")
    site.lab.scenario = write_scenario(tmp_path / "mesh-9.yml", [ninth], base="mesh-8", add=True)
    with site.lab:
        before = restarts(site)
        fourth = site.play("sip_tls_trunk", **FORKS)
        assert fourth.code == 0, fourth.output[-6000:]
        now = site.lab.ask("dump")
        for name in names:
            touched = list(differences(settled[name], now[name]))
            # The lab counts the numbers that its database gave out among its settings.
            strange = [
                path
                for path in touched
                if not any("mesh9" in part or part == "9001" for part in path) and path != ("setting",)
            ]
            assert touched and not strange, (name, strange)
        assert restarts(site) - before == 1, "no other cluster than the ninth was restarted"
        both = [pair for pair in permutations([*names, "mesh9"], 2) if "mesh9" in pair]
        assert call_all(site, both) == 16
        assert len(site.verdict()["directions"]) == 72 and site.verdict()["verdict"] == "secure"
        fifth = site.play("sip_tls_trunk", **FORKS)
        assert fifth.code == 0 and fifth.total("changed") == 0
        assert tasks(fifth) == tasks(third)


def test_peers_may_be_fewer_and_have_to_be_named_on_both_sides(tmp_path: Path) -> None:
    """a and b, b and c: no trunk between a and c."""
    made = [cluster(number, name=name) for number, name in enumerate(("a", "b", "c"), 1)]
    site = Site(tmp_path, write_scenario(tmp_path / "three.yml", made))
    with site.lab:
        before = site.lab.ask("dump")
        half = inventory(site, "half.yml", a={"cucm_peers": ["b"]}, c={"cucm_peers": ["b", "d"]})
        run = site.play("sip_tls_trunk", "-i", str(half))
        assert run.code != 0
        said = re.sub(r"\s+", " ", run.output.partition("List every problem")[2])
        assert "cucm_peers of c names d, which is not a cluster of the inventory" in said, run.output[-3000:]
        assert site.lab.ask("dump") == before

        one_sided = inventory(site, "one-sided.yml", a={"cucm_peers": ["b"]})
        run = site.play("sip_tls_trunk", "-i", str(one_sided))
        assert run.code != 0 and "cucm_peers of c names a, but that of a does not name c" in run.output
        assert site.lab.ask("dump") == before

        chain = inventory(
            site, "chain.yml", a={"cucm_peers": ["b"]}, b={"cucm_peers": ["a", "c"]}, c={"cucm_peers": ["b"]}
        )
        run = site.play("sip_tls_trunk", "-i", str(chain))
        assert run.code == 0, run.output[-6000:]
        assert {(direction["from"], direction["to"]) for direction in site.verdict()["directions"]} == {
            ("a", "b"), ("b", "a"), ("b", "c"), ("c", "b"),
        }  # fmt: skip
        assert call_all(site, [("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")]) == 4
        assert site.call("a", "1001", "3001")["result"] == "failed"
        assert set(site.lab.ask("dump")["a"]["config"]["SipTrunk"]) == {"SIP-TLS-b"}
