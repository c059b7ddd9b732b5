# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many route patterns in one task, on a cluster that throttles and loses answers."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest


def operations(lab: Any, since: int) -> tuple[Counter[str], int]:
    """The AXL operations that the lab has logged after so many lines, and the lines by now."""
    events = lab.events(since)
    return Counter(str(event.get("operation")) for event in events if event.get("kind") == "axl"), since + len(events)


@pytest.fixture
def throttling(lab: Any) -> Any:
    """503 at every 50th write, and every 70th write without an answer."""
    rule = ("interface=axl", "operation=addRoutePattern")
    lab.command("fault", "add", *rule, "action=drop", "every=70")
    lab.command("fault", "add", *rule, "action=status", "status=503", "every=50")
    yield lambda: {rule["action"]: rule["hits"] for rule in json.loads(lab.command("fault", "list"))}
    lab.command("fault", "clear")


@pytest.mark.parametrize("count", [300, pytest.param(1000, marks=pytest.mark.matrix)])
def test_every_pattern_once_in_spite_of_throttle_and_lost_answers(lab: Any, throttling: Any, count: int) -> None:
    patterns = [{"pattern": f"6{number:04}"} for number in range(count)]
    cluster = lab.cluster("cucm105")
    cluster.run("SipTrunk", name="Thousand", security_profile="Non Secure SIP Trunk Profile")
    outcome = cluster.run("RoutePattern", gateway="Thousand", aggregate=patterns)
    assert outcome.changed and len(outcome.result["actions"]) == count
    hits = throttling()
    assert hits["drop"] >= count // 70 and hits["status"] >= count // 50
    lab.command("fault", "clear")
    _before, line = operations(lab, 0)
    again = cluster.run("RoutePattern", gateway="Thousand", aggregate=patterns)
    assert not again.changed
    seen, _line = operations(lab, line)
    assert seen["getRoutePattern"] <= count
    connections = {event["connection"] for event in lab.events(line) if event.get("operation") == "getRoutePattern"}
    assert 1 < len(connections) <= 8
    assert not [name for name in seen if name.startswith(("add", "update", "remove"))]
    kept = {entry["object"]["pattern"] for entry in again.result["objects"]}
    purged = cluster.run("RoutePattern", check=True, aggregate=patterns[:1], purge={"prefix": "6"})
    assert len(kept) == count and len(purged.result["actions"]) == count - 1


@pytest.mark.parametrize(
    ("operation", "options"),
    [
        ("updateRoutePattern", {"description": "Changed"}),
        ("updateRoutePattern", {"new_pattern": "71009"}),
        ("removeRoutePattern", {"state": "absent"}),
        ("addRoutePattern", {}),
    ],
)
def test_a_write_whose_answer_is_lost_is_looked_up(lab: Any, operation: str, options: dict[str, Any]) -> None:
    cluster = lab.cluster("cucm150")
    cluster.run("SipTrunk", name="Lost", security_profile="Non Secure SIP Trunk Profile")
    cluster.run("RoutePattern", aggregate=[{"pattern": "71000"}, {"pattern": "71009"}], state="absent")
    if operation != "addRoutePattern":
        cluster.run("RoutePattern", pattern="71000", gateway="Lost")
    lab.command("fault", "add", "interface=axl", f"operation={operation}", "action=drop", "count=1")
    _before, line = operations(lab, 0)
    outcome = cluster.run("RoutePattern", pattern="71000", gateway="Lost", **options)
    assert outcome.changed
    assert operations(lab, line)[0][operation] == 1
    assert not cluster.run("RoutePattern", pattern="71000", gateway="Lost", **options).changed


@pytest.mark.parametrize("action", ["refuse", "reset", "garbage", "truncated", "memory"])
def test_what_a_sick_server_does_to_a_write_is_survived(lab: Any, action: str) -> None:
    cluster = lab.cluster("cucm150")
    cluster.run("SipTrunk", name="Sick", state="absent")
    lab.command("fault", "add", "interface=axl", "operation=addSipTrunk", f"action={action}", "count=1")
    assert cluster.run("SipTrunk", name="Sick", security_profile="Non Secure SIP Trunk Profile").changed
    assert not cluster.run("SipTrunk", name="Sick").changed
