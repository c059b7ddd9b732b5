# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters whose nodes are not equal: a publisher outside the trunks' group, a TFTP node, services that are stopped."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from cucm_lab.testing import cluster, write_scenario

from tests.support.module_processes import run_module
from tests.support.operator_site import Site

pytestmark = [pytest.mark.playbook, pytest.mark.timeout(900)]
CALLMANAGER = "Cisco CallManager"


def unequal_site(folder: Path) -> Site:
    """A publisher outside the trunks' group, two subscribers in it, a TFTP node; and a cluster of one node."""
    big = cluster(71, "14", nodes=4, name="big")
    big["nodes"][3]["not_activated"] = [CALLMANAGER, "Cisco CTIManager"]
    big["phones"] = [{"extension": "71001", "device_pool": "Trunks"}, {"extension": "71002", "device_pool": "Trunks"}]
    members = [{"callManagerName": f"CM_BIGN{number}", "priority": number} for number in (2, 3)]
    big["config"] = {
        "CallManagerGroup": [{"name": "SUBS", "members": members}],
        "DevicePool": [{
            "name": "Trunks", "callManagerGroupName": "SUBS", "dateTimeSettingName": "CMLocal",
            "regionName": "Default", "srstName": "Disable", "locationName": "Hub_None",
        }],
    }  # fmt: skip
    return Site(folder, write_scenario(folder / "unequal.yml", [big, cluster(72, "12.5", name="small")]))


def _service(site: Site, node: int, **options: Any) -> dict[str, Any]:
    variables = site.lab.description
    address = site.lab.address("big", node)
    return run_module("cucm_service", {
        "host": address, "port": variables["ports"]["https"], "username": "axladmin",
        "password": "Axl-Lab-91!reading-and-writing", "ca_path": str(site.lab.state / "https-ca.pem"), **options,
    })  # fmt: skip


def _services(site: Site) -> dict[str, dict[str, str]]:
    big = next(row for row in site.lab.ask("status")["clusters"] if row["name"] == "big")
    return {node["name"]: node["services"] for node in big["nodes"]}


def _calls(site: Site) -> list[dict[str, Any]]:
    ways = [
        ("big", "71001", "72001"),
        ("big", "71002", "72001"),
        ("small", "72001", "71001"),
        ("small", "72001", "71002"),
    ]
    return [site.lab.ask("call", cluster=name, calling=calling, called=called) for name, calling, called in ways]


def _restarted_service_by_service(site: Site) -> None:
    """Cisco document 214231: each service on the publisher and then on the subscribers, where it was started."""
    events = [
        event for event in site.lab.events() if event.get("kind") == "service" and event.get("status") == "Started"
    ]
    done = [(event["service"], event["node"]) for event in events if event["node"].startswith("BIG")]
    nodes = ["BIGN1", "BIGN2", "BIGN3", "BIGN4"]
    assert done == [
        *((CALLMANAGER, node) for node in nodes[1:3]),
        *(("Cisco CTIManager", node) for node in nodes[:3]),
        *(("Cisco Trust Verification Service", node) for node in nodes),
        *(("Cisco Tftp", node) for node in nodes),
        *(("Cisco HAProxy", node) for node in nodes[:3]),
    ], done


@pytest.mark.xdist_group("nodes")
def test_trunks_run_where_their_group_runs_and_what_is_stopped_stays_stopped(tmp_path: Path) -> None:
    site = unequal_site(tmp_path)
    with site.lab:
        assert _service(site, 0, name=CALLMANAGER, state="stopped").get("changed")
        options = site.folder / "pools.yml"
        options.write_text("cucm_clusters: {hosts: {big: {sip_tls_trunk_device_pool: Trunks}}}\n")
        run = site.play("sip_tls_trunk", "-i", str(options))
        assert run.code == 0, run.output[-6000:]
        assert "big to small: secure" in run.output and "small to big: secure" in run.output
        _restarted_service_by_service(site)
        services = _services(site)
        assert services["BIGN1"][CALLMANAGER] == "Stopped", "a person stopped it"
        assert services["BIGN4"][CALLMANAGER] == "Stopped", "it is not activated there"
        assert "is stopped" in run.output and "was not started" in run.output
        trunk = site.lab.ask("dump")["small"]["config"]["running"]["SIP-TLS-big"]
        reached = [row["addressIpv4"] for row in trunk["destinations"]]
        assert reached == [site.lab.address("big", number) for number in (1, 2)]
        certificates = {
            row["node"] for row in site.lab.ask("dump")["big"]["pki_identity"] if row["unit"] == "CallManager"
        }
        assert certificates == {"BIGN1", "BIGN2", "BIGN3"}
        for call in _calls(site):
            assert (call["result"], call["secure"]) == ("answered", True), call
        assert _service(site, 1, name=CALLMANAGER, state="stopped").get("changed")
        time.sleep(1)
        for call in _calls(site):
            assert (call["result"], call["secure"]) == ("answered", True), call
