# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renewal by the clock of the nodes: what is due and nothing else, with calls going on while a node restarts."""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.operator_site import Run, Site

pytestmark = [pytest.mark.playbook, pytest.mark.matrix, pytest.mark.timeout(1800)]
DAY = 86_400


def certificates(site: Site) -> dict[str, dict[str, Any]]:
    """What each node holds for CallManager, by cluster and node."""
    return {
        name: {row["node"]: row["certificate"] for row in content["pki_identity"] if row["unit"] == "CallManager"}
        for name, content in site.lab.ask("dump").items()
    }


def with_days(site: Site, **days: int) -> tuple[str, str]:
    """Options of ansible-playbook that give each cluster's certificates a lifetime of their own."""
    path = site.folder / "days.yml"
    hosts = {name: {"callmanager_certificate_days": count} for name, count in days.items()}
    path.write_text(yaml.safe_dump({"cucm_clusters": {"hosts": hosts}}))
    return "-i", str(path)


def statistics(run: Run) -> dict[str, Any]:
    """The custom statistics of a run, by host."""
    text = run.output.partition("CUSTOM STATS:")[2]
    found = re.findall(r"^\t(\S+): (\{.*\})$", text, re.MULTILINE)
    return {host: json.loads(data.replace("'", '"')) for host, data in found}


@pytest.mark.xdist_group("renewal")
def test_twenty_days_before_the_end_what_is_due_is_renewed_and_nothing_else(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with site.lab:
        options = with_days(site, cucma=60, cucm10=730)
        first = site.play("sip_tls_trunk", *options)
        assert first.code == 0, first.output[-6000:]
        before = certificates(site)
        site.lab.ask("clock", shift=40 * DAY)
        foreseen = site.play("renew_certificates", "--check", *options, extra={"sip_tls_renewal_enforce": True})
        assert foreseen.code != 0 and "cucma, node CUCMA, CallManager: due, and not renewed" in foreseen.output
        assert certificates(site) == before
        run = site.play("renew_certificates", *options, ANSIBLE_SHOW_CUSTOM_STATS="1")
        assert run.code == 0, run.output[-6000:]
        after = certificates(site)
        assert after["cucma"] != before["cucma"], "what was due was not renewed"
        assert after["cucm10"] == before["cucm10"], "what was not due was renewed"
        assert run.recap["cucm10"]["changed"] == 0
        said = "cucma, node CUCMA, CallManager: renewed (the installed certificate has 19 days left, fewer than 30"
        assert said in run.output
        stats = statistics(run)
        assert [row["state"] for row in stats["cucma"]["sip_tls_due"]] == ["renewed"] and not stats["cucm10"][
            "sip_tls_due"
        ]
        for way in (("cucma", "1018", "9898"), ("cucm10", "9898", "1018")):
            call = site.call(*way)
            assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True), call
        again = site.play("renew_certificates", *options)
        assert again.code == 0 and again.total("changed") == 0 and "Nothing was due." in again.output


class Calls:
    """Calls from one cluster, one after another, with the services of the other read before and after each."""

    def __init__(self, site: Site, watched: str, *way: str) -> None:
        self._site, self._watched, self._way = site, watched, way
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.during: list[tuple[set[str], dict[str, Any]]] = []
        self.down: list[set[str]] = []

    def __enter__(self) -> Calls:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            down = self._nodes_down()
            call = self._site.call(*self._way)
            if down:
                self.during.append((down, call))
                self.down.append(down)
            time.sleep(0.05)

    def _nodes_down(self) -> set[str]:
        clusters = self._site.lab.ask("status")["clusters"]
        nodes = next(cluster["nodes"] for cluster in clusters if cluster["name"] == self._watched)
        return {node["name"] for node in nodes if node["services"]["Cisco CallManager"] != "Started"}


@pytest.mark.xdist_group("renewal")
def test_calls_go_on_while_the_nodes_of_a_cluster_restart(tmp_path: Path) -> None:
    """Three nodes are renewed and restarted one after another, publisher first; whoever is down, the others serve."""
    site = Site(tmp_path, "three-nodes")
    with site.lab:
        options = with_days(site, big=60, small=730)
        assert site.play("sip_tls_trunk", *options).code == 0
        before = certificates(site)
        site.lab.ask("clock", shift=40 * DAY)
        site.lab.ask("inferred", name="service.restart_seconds", value=6.0)
        with Calls(site, "big", "small", "4001", "3001") as calls:
            run = site.play("renew_certificates", *options)
        assert run.code == 0, run.output[-6000:]
        after = certificates(site)
        assert len(after["big"]) == 3 and all(after["big"][name] != before["big"][name] for name in before["big"])
        assert after["small"] == before["small"]
        order = [down for n, down in enumerate(calls.down) if n == 0 or down != calls.down[n - 1]]
        assert order == [{"BIGPUB"}, {"BIGSUB1"}, {"BIGSUB2"}], order
        assert calls.during and all(call["result"] == "answered" for _unused, call in calls.during), calls.during
        assert all((call["transport"], call["srtp"]) == ("TLS", True) for _unused, call in calls.during)


@pytest.mark.xdist_group("renewal")
def test_a_cluster_whose_peers_dropped_out_is_not_restarted_until_they_are_back(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with site.lab:
        site.lab.ask("fault/add", interface="ssh", action="refuse", operation="set csr gen*", node="CUCMA")
        half = site.play("sip_tls_trunk")
        assert half.code != 0 and half.recap["cucma"]["failed"], half.output
        assert "cucm10: cucma dropped out of this run, and no other peer is left" in half.output
        assert not [event for event in site.lab.events() if event.get("kind") == "service"], "calls ended for nothing"
        site.lab.ask("fault/clear")
        whole = site.play("sip_tls_trunk")
        assert whole.code == 0, whole.output[-6000:]
        started = {event["node"] for event in site.lab.events() if event.get("kind") == "service"}
        assert started == {"CUCMA", "CUCM10"}


@pytest.mark.xdist_group("renewal")
def test_a_second_renewal_ends_and_no_node_is_restarted_twice(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with site.lab:
        first = site.start("renew_certificates")
        claims, latest = site.lab.inventory.parent / "sip_tls_backup", time.monotonic() + 120
        while len(list(claims.glob("*/running.claim"))) < 2 and time.monotonic() < latest:
            time.sleep(0.1)
        assert first.poll() is None, "the first run has to be at work still"
        second = site.play("renew_certificates")
        assert second.code != 0 and second.total("changed") == 0
        for name in ("cucma", "cucm10"):
            assert f"{name}: another run is changing this cluster, process {first.pid} of" in second.output
        assert first.wait(300) == 0
        restarts = [event["node"] for event in site.lab.events() if event.get("kind") == "service"
                    and event.get("service") == "Cisco CallManager" and event.get("status") == "Stopping"]  # fmt: skip
        assert sorted(restarts) == ["CUCM10", "CUCMA"], restarts
        assert not list(claims.glob("*/running.claim"))
