# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two leaves behind two hubs: calls from leaf to leaf over TLS on both legs, and through the other hub."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import yaml

from tests.support.operator_site import Site

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("hubs"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    place = Site(tmp_path_factory.mktemp("hubs"), scenario="hubs")
    with place.lab:
        yield place


def hubs(site: Site, **variables: Any) -> None:
    """Make the hubs hubs, with variables of their own."""
    inventory = yaml.safe_load(site.lab.inventory.read_text(encoding="utf-8"))
    for name in ("hub1", "hub2"):
        inventory["cucm_clusters"]["hosts"][name] |= {"cucm_transit": True, **variables}
    site.lab.inventory.write_text(yaml.safe_dump(inventory), encoding="utf-8")


def passed_on(site: Site, count: int) -> list[tuple[str, str, str, str]]:
    """The calls that the hubs passed on; a hub logs one when both sides have hung up."""
    for _unused in range(50):
        found = [event for event in site.lab.events() if event.get("event") == "call_passed_on"]
        if len(found) >= count:
            break
        time.sleep(0.1)
    return [(call["cluster"], call["came_by"], call["trunk"], call["transport"]) for call in found]


def test_leaves_reach_each_other_through_either_hub(site: Site) -> None:
    # The search space of the hubs' trunks has to hold the partition of their patterns.
    hubs(site, sip_tls_trunk_partition="Sites", sip_tls_trunk_calling_search_space="From elsewhere")
    run = site.play("sip_tls_trunk")
    assert run.code != 0 and "Nothing has been changed on any cluster" in run.output, run.output[-4000:]
    for hub in ("hub1", "hub2"):
        assert f"{hub} is a hub (cucm_transit), but calls that its trunks receive can't leave it again" in run.output
    assert not [event for event in site.lab.events() if event.get("kind") == "pki" and event.get("event") == "own"]

    hubs(site, sip_tls_trunk_calling_search_space="From sites")
    run = site.play("sip_tls_trunk")
    assert run.code == 0, "\n".join(line for line in run.output.splitlines() if "fatal" in line or "ERROR" in line)
    assert (
        "Calls from" not in run.output
        and "are routed is not known" not in run.output
        and "cucm_local_patterns is empty" not in run.output
    )
    for way in (("north", "3001", "4001"), ("south", "4001", "3001")):
        call = site.call(*way)
        assert (call["result"], call["transport"]) == ("answered", "TLS"), (call["reason"], call["steps"])
    assert passed_on(site, 2) == [
        ("hub1", "SIP-TLS-north", "SIP-TLS-south", "TLS"), ("hub1", "SIP-TLS-south", "SIP-TLS-north", "TLS"),
    ]  # fmt: skip
    verdict = site.verdict()
    assert verdict["verdict"] == "secure" and len(verdict["directions"]) == 10
    assert {(way["from"], way["to"], *way["through"]) for way in verdict["transit"]} == {
        ("north", "south", "hub1", "hub2"), ("south", "north", "hub1", "hub2"),
    }  # fmt: skip
    assert [(way["verdict"], way["routed"], len(way["legs"])) for way in verdict["transit"]] == [
        ("secure", "routed", 4)
    ] * 2
    assert any(text.startswith("north to south through hub1 or hub2: secure (north to hub1") for text in
               verdict["summary"])  # fmt: skip

    # Without the first hub the call goes through the other one.
    site.lab.ask("fault/add", interface="sip", operation="INVITE", node="HUB1", action="status", status=503)
    assert site.call("north", "3001", "4001")["result"] == "answered"
    assert passed_on(site, 3)[-1] == ("hub2", "SIP-TLS-north", "SIP-TLS-south", "TLS")
    site.lab.ask("fault/clear")


@pytest.mark.matrix
def test_a_second_run_changes_nothing_and_one_leaf_alone_neither(site: Site) -> None:
    run = site.play("sip_tls_trunk", "--limit", "north,hub1")
    assert run.code == 0 and run.total("changed") == 0, run.output[-4000:]


@pytest.mark.matrix
def test_removal_on_a_leaf_takes_what_leads_to_the_hubs(site: Site) -> None:
    run = site.play("remove_sip_tls_trunk", "--limit", "north", extra={"sip_tls_confirm": "remove"})
    assert run.code == 0, run.output[-4000:]
    assert "SIP-TLS-" not in json.dumps(site.lab.ask("dump")["north"]["config"])
