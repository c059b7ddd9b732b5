# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a call from phones over a trunk to a phone, and the sentence about the step that fails."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan import paths
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.plan import (
    HUNT,
    LINE,
    ROUTE,
    TRANSLATION,
    Caller,
    DialPlan,
    Pattern,
    RouteList,
    Trunk,
)

PHONES = Caller("1018", 2, "Line", "Device")
HERE = DialPlan(
    patterns=(Pattern("98XX", ROUTE, "Out", target="T-b"), Pattern("1018", LINE, "Internal")),
    spaces={"Line": ("Internal",), "Device": ("Out", "Late")},
)
THERE = DialPlan(patterns=(Pattern("9898", LINE, "Internal"),), spaces={"In": ("Internal",), "Other": ("Elsewhere",)})
BACK = Trunk("T-a", "In")


def here(*patterns: Pattern, **more: Any) -> DialPlan:
    return replace(HERE, patterns=(*HERE.patterns, *patterns), **more)


def step(source: DialPlan = HERE, target: DialPlan | None = THERE, back: Trunk = BACK) -> tuple[str, str]:
    known = target and replace(target, trunks={back.name: back, **target.trunks})
    stops = {"b": paths.Stop("b", known, {"a": back.name})}
    found = paths.call(paths.Stop("a", source, {"b": "T-b"}), PHONES, "9898", out="T-b", stops=stops)
    return found.state, found.why


def test_a_call_finds_its_way() -> None:
    assert step() == ("routed", "")


@pytest.mark.parametrize(
    ("source", "state", "why"),
    [
        (replace(HERE, spaces={}), "not routed", "route pattern 98XX in partition Out is not in the calling search"),
        (replace(HERE, patterns=()), "not routed", "nothing in the calling search space matches 9898"),
        (here(Pattern("989X", ROUTE, target="OLD")), "not routed", "the route pattern 989X leads to OLD, not to T-b"),
        (here(Pattern("98XX", ROUTE, "Late", target="OLD")), "routed", ""),
        (here(Pattern("98XX", ROUTE, "Internal", target="OLD")), "not routed", "leads to OLD"),
        (here(Pattern("9898", HUNT, "Out")), "not routed", "9898 reaches the hunt pilot 9898 in partition Out"),
        (here(Pattern("9898", TRANSLATION, "Out", prefix="7")), "not routed",
         "nothing in the calling search space of the translation pattern 9898 in partition Out matches 79898"),
        (here(Pattern("98", TRANSLATION, "Out", urgent=True, search_space="Line")), "not routed",
         "the translation pattern 98 in partition Out is urgent and takes the call"),
        (here(Pattern("989X", ROUTE, blocked=True)), "not routed", "the route pattern 989X blocks the call"),
        (here(Pattern("9.@", ROUTE, "Out", target="PSTN")), "unknown", "may match 9898"),
        (here(Pattern("9[78]98", ROUTE, "Out"), Pattern("989[78]", ROUTE, "Out")), "unknown", "match 9898 equally"),
        (here(scheduled=frozenset({"Out"})), "unknown", "time schedule"),
        (here(unknown=("the dial plan could not be read: no",)), "unknown", "could not be read"),
    ],
)  # fmt: skip
def test_the_step_that_fails_on_the_way_out_is_named(source: DialPlan, state: str, why: str) -> None:
    found = step(source)
    assert found[0] == state and why in found[1]


@pytest.mark.parametrize(
    ("target", "back", "state", "why"),
    [
        (THERE, Trunk("T-a"), "not routed",
         "arrives over the SIP trunk T-a as 9898, and the directory number 9898 in partition Internal is not in the"),
        (THERE, Trunk("T-a", "In", significant_digits=3), "not routed", "as 898, and nothing"),
        (THERE, Trunk("T-a", "In", significant_digits=2, prefix="98"), "routed", ""),
        (THERE, Trunk("T-a", "In", other_settings=("unknown_called_party_prefix",)), "unknown", "changes the called"),
        (replace(THERE, patterns=(Pattern("9898", LINE, "Internal", in_use=False),)), BACK, "not routed", "no device"),
        (replace(THERE, patterns=(Pattern("9898", ROUTE, target="HUB"),)), BACK, "unknown", "the route pattern"),
        (None, BACK, "unknown", "the other end is not known"),
    ],
)  # fmt: skip
def test_the_step_that_fails_at_the_other_end_is_named(
    target: DialPlan | None, back: Trunk, state: str, why: str
) -> None:
    found = step(HERE, target, back)
    assert found[0] == state and why in found[1]


HUB = DialPlan(
    patterns=(Pattern("98XX", ROUTE, "Out", target="T-b"), Pattern("10XX", ROUTE, "Out", target="T-a")),
    spaces={"Transit": ("Out",)},
    trunks={"T-a": Trunk("T-a", "Transit"), "T-b": Trunk("T-b", "Transit")},
)
LEAF = replace(THERE, trunks={"T-hub": Trunk("T-hub", "In")})


def through_a_hub(hub: DialPlan | None = HUB, leaf: DialPlan | None = LEAF) -> tuple[str, str, str]:
    start = paths.Stop("a", here(Pattern("9898", ROUTE, "Out", target="T-hub")), {"hub": "T-hub"})
    stops = {"hub": paths.Stop("hub", hub, {"a": "T-a", "b": "T-b"}), "b": paths.Stop("b", leaf, {"hub": "T-hub"})}
    found = paths.call(start, PHONES, "9898", out="T-hub", stops=stops)
    return found.state, found.at, found.why


def test_a_call_passes_a_hub() -> None:
    assert through_a_hub() == ("routed", "b", "")


@pytest.mark.parametrize(
    ("hub", "leaf", "state", "at", "why"),
    [
        (replace(HUB, trunks={"T-a": Trunk("T-a"), "T-b": Trunk("T-b")}), LEAF, "not routed", "hub",
         "over the SIP trunk T-a as 9898, and the route pattern 98XX in partition Out is not in the calling search"),
        (replace(HUB, trunks={}), LEAF, "not routed", "hub", "hub has no SIP trunk T-a"),
        (replace(HUB, unknown=("the dial plan could not be read: no",)), LEAF, "unknown", "hub", "could not be read"),
        (None, LEAF, "unknown", "", "the dial plan at the other end is not known"),
        (HUB, None, "unknown", "", "the dial plan at the other end, b, is not known"),
        (HUB, replace(LEAF, patterns=()), "not routed", "b", "at b it arrives over the SIP trunk T-hub as 9898"),
        (HUB, replace(LEAF, patterns=(Pattern("9.8XX", ROUTE, "Internal", target="T-hub"),)), "not routed", "hub",
         "it loops between hub, b"),
        (HUB, replace(LEAF, patterns=(Pattern("9.8XX", ROUTE, "Internal", target="PSTN"),)), "unknown", "b",
         "at b it arrives over the SIP trunk T-hub as 9898 and reaches the route pattern 9.8XX in partition Internal"),
    ],
)  # fmt: skip
def test_the_step_that_fails_behind_a_hub_is_named(
    hub: DialPlan | None, leaf: DialPlan | None, state: str, at: str, why: str
) -> None:
    found = through_a_hub(hub, leaf)
    assert found[:2] == (state, at) and why in found[2]


def test_every_member_of_a_hubs_route_list_is_followed() -> None:
    by_list = replace(HUB, patterns=(Pattern("98XX", ROUTE, "Out", target="RL"),))
    lists = {"RL": RouteList("RL", devices=("T-b", "T-a"))}
    assert "loops" not in through_a_hub(replace(by_list, route_lists=lists))[2]
    assert through_a_hub(replace(by_list, route_lists=lists))[0] == "unknown"
    lists = {"RL": RouteList("RL", devices=("T-b",), enabled=False)}
    assert through_a_hub(replace(by_list, route_lists=lists))[0] == "unknown"


def test_a_route_list_leads_to_its_members() -> None:
    by_list = here(
        Pattern("9898", ROUTE, "Out", target="RL"), route_lists={"RL": RouteList("RL", devices=("T-c", "T-b"))}
    )
    assert step(by_list)[0] == "routed"
    assert "disabled" in step(replace(by_list, route_lists={"RL": RouteList("RL", enabled=False)}))[1]
    assert "with T-c, not to T-b" in step(replace(by_list, route_lists={"RL": RouteList("RL", devices=("T-c",))}))[1]
    changing = {"RL": RouteList("RL", devices=("T-b",), transforms=True)}
    assert step(replace(by_list, route_lists=changing))[0] == "unknown"


def test_a_run_that_makes_its_objects_makes_the_way() -> None:
    bare = replace(HERE, patterns=HERE.patterns[1:])
    made = {
        "trunks": [{"name": "T-b", "calling_search_space": "In"}],
        "route_groups": [{"name": "RG-b", "members": [{"device": "T-b"}]}],
        "route_lists": [{"name": "RL-b", "members": [{"route_group": "RG-b"}]}],
        "patterns": [{"pattern": "98XX", "partition": "Out", "route_list": "RL-b"}],
    }
    assert step(bare)[0] == "not routed" and step(bare.with_objects(made))[0] == "routed"
    assert bare.with_objects(made).trunks["T-b"].search_space == "In"


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (Pattern("98XX", ROUTE), ["9898"]),
        (Pattern("8.98XX", ROUTE, discard="PreDot"), ["89898"]),
        (Pattern("7XX", ROUTE), ["700"]),
        (Pattern("9.@", ROUTE), []),
    ],
)
def test_numbers_to_dial_reach_a_phone_where_there_is_one(route: Pattern, expected: list[str]) -> None:
    assert paths.numbers(route, THERE) == expected
