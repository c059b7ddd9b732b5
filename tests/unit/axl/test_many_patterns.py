# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many route patterns in one task, on a cluster that throttles and loses answers."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._axl import bulk


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
    patterns = [{"pattern": f"{count}{number:04}"} for number in range(count)]
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
    assert seen == {"getCCMVersion": 1, "listRoutePattern": 1, "executeSQLQuery": 1}
    kept = {entry["object"]["pattern"] for entry in again.result["objects"]}
    purged = cluster.run("RoutePattern", check=True, aggregate=patterns[:1], purge={"prefix": str(count)})
    assert len(kept) == count and len(purged.result["actions"]) == count - 1


@pytest.fixture(scope="module")
def crowd(lab: Any) -> tuple[Any, list[dict[str, Any]]]:
    """A cluster, and 30 patterns on it that lead to a trunk and to a route list."""
    cluster = lab.cluster("cucm91")
    cluster.run("SipTrunk", name="Crowd", security_profile="Non Secure SIP Trunk Profile")
    cluster.run("RouteGroup", name="CrowdGroup", members=[{"device": "Crowd"}])
    cluster.run("RouteList", name="CrowdList", callmanager_group="Default", members=[{"route_group": "CrowdGroup"}])
    patterns: list[dict[str, Any]] = [
        {"pattern": f"77{number:02}", "gateway": "Crowd", "description": f"No. {number}"} for number in range(30)
    ]
    patterns[7] = {"pattern": "7707", "route_list": "CrowdList", "urgent_priority": True}
    assert cluster.run("RoutePattern", aggregate=patterns).changed
    return cluster, patterns


def test_a_list_settles_what_is_as_asked_and_nothing_else(lab: Any, crowd: Any) -> None:
    cluster, patterns = crowd
    _before, line = operations(lab, 0)
    same = cluster.run("RoutePattern", aggregate=patterns)
    seen, line = operations(lab, line)
    assert not same.changed and not seen["getRoutePattern"]
    each = [cluster.run("RoutePattern", **pattern).result for pattern in patterns]
    for listed, whole in zip(same.result["objects"], each, strict=True):
        assert listed["uuid"] == whole["uuid"]
        assert listed["object"] == {option: whole["object"][option] for option in listed["object"]}
    _before, line = operations(lab, line)
    changes = [dict(pattern) for pattern in patterns]
    changes[3]["description"] = "another"
    changes[4] = {"pattern": "7704", "route_list": "CrowdList"}
    changes[5]["enable_dcc_enforcement"] = False  # no list has it
    changes[6]["state"] = "absent"
    changes[7]["gateway"] = "Crowd"
    del changes[7]["route_list"]
    changes[8]["pattern"] = same.result["objects"][8]["uuid"]
    changes[9]["new_pattern"] = "7709"
    planned = cluster.run("RoutePattern", check=True, aggregate=changes)
    changed = {planned_object["name"] for planned_object in planned.result["objects"] if planned_object["changed"]}
    assert changed == {"7703", "7704", "7706", "7707"}
    asked = operations(lab, line)[0]["getRoutePattern"]
    assert asked == 8  # the renamed one by both of its names


@pytest.mark.parametrize("query", ["select nothing from nowhere", "no query"])
def test_without_the_right_to_query_each_is_read(
    lab: Any, crowd: Any, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, patterns = crowd
    monkeypatch.setattr(bulk, "_LEADS", query)
    _before, line = operations(lab, 0)
    assert not cluster.run("RoutePattern", aggregate=patterns).changed
    assert operations(lab, line)[0]["getRoutePattern"] == len(patterns)
    connections = {event["connection"] for event in lab.events(line) if event.get("operation") == "getRoutePattern"}
    assert 1 < len(connections) <= 8


@pytest.mark.parametrize(
    ("names", "prefix"),
    [
        (["7700", "7712"], "77"),
        (["12", "12"], "12"),
        (["1", "2"], ""),
        (["\\+4912", "\\+4913"], ""),
        (["A_1", "A_2"], "A"),
    ],
)
def test_what_names_begin_with(names: list[str], prefix: str) -> None:
    assert bulk._prefix(names) == prefix


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
