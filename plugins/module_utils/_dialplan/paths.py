# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a call from the phones of one cluster over a trunk to a phone of another. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.analysis import (
    NotKnown,
    analyse,
    caught_early,
    received,
    transformed,
)
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.patterns import before_dot, covers, matches, sample
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.plan import (
    LINE,
    ROUTE,
    Caller,
    DialPlan,
    Pattern,
    Trunk,
)

ROUTED, NOT_ROUTED, UNKNOWN = "routed", "not routed", "unknown"
#: so many numbers of a local pattern are followed
MOST_NUMBERS = 8


@dataclass(frozen=True)
class Step:
    """How far a call comes: the state, the number that goes on, and why it does not."""

    state: str
    number: str
    why: str = ""
    arrived: bool = False  # the step is at the other end
    outside: bool = False  # the call fails because a search space does not have a partition


def outbound(plan: DialPlan, caller: Caller, dialled: str, trunk: str) -> Step:
    """From phones to the trunk that a call should leave by."""
    if plan.unknown:
        return Step(UNKNOWN, dialled, plan.unknown[0])
    space = plan.partitions(caller.line_search_space, caller.device_search_space)
    try:
        early = caught_early(plan, dialled, space)
        found = analyse(plan, dialled, space)
    except NotKnown as reason:
        return Step(UNKNOWN, dialled, str(reason))
    if early is not None:
        why = f"{early.words} is urgent and takes the call before a phone that sends digit by digit has sent {dialled}"
        return Step(NOT_ROUTED, dialled, why)
    if found.pattern is None or found.problem:
        return Step(NOT_ROUTED, dialled, found.problem, outside=found.outside)
    if found.pattern.kind != ROUTE:
        return Step(NOT_ROUTED, dialled, f"{found.number} reaches {found.pattern.words}")
    return _leaves_by(plan, found.pattern, found.number, trunk)


def _leaves_by(plan: DialPlan, pattern: Pattern, number: str, trunk: str) -> Step:
    """Whether a route pattern leads to the trunk, itself or by a route list that has it."""
    if pattern.target == trunk:
        return Step(ROUTED, number)
    route_list = plan.route_lists.get(pattern.target)
    if route_list is None:
        return Step(NOT_ROUTED, number, f"{pattern.words} leads to {pattern.target or 'nothing'}, not to {trunk}")
    if not route_list.enabled:
        return Step(NOT_ROUTED, number, f"{pattern.words} leads to the route list {route_list.name}, which is disabled")
    if trunk not in route_list.devices:
        devices = ", ".join(route_list.devices) or "no device"
        why = f"{pattern.words} leads to the route list {route_list.name} with {devices}, not to {trunk}"
        return Step(NOT_ROUTED, number, why)
    if route_list.transforms:
        return Step(UNKNOWN, number, f"the route list {route_list.name} changes the called number")
    return Step(ROUTED, number)


def inbound(plan: DialPlan, trunk: Trunk, number: str) -> Step:
    """From the trunk that a call comes in by to a phone."""
    if plan.unknown:
        return Step(UNKNOWN, number, plan.unknown[0])
    try:
        called = received(trunk, number)
        found = analyse(plan, called, plan.partitions(trunk.search_space))
    except NotKnown as reason:
        return Step(UNKNOWN, number, str(reason))
    over = f"it arrives over the SIP trunk {trunk.name} as {called}"
    if found.pattern is None or found.problem:
        return Step(NOT_ROUTED, called, f"{over}, and {found.problem}", outside=found.outside)
    if found.pattern.kind != LINE:
        # A route pattern may lead on to a phone of yet another cluster, a hunt pilot to its members.
        return Step(UNKNOWN, called, f"{over} and reaches {found.pattern.words}")
    if not found.pattern.in_use:
        return Step(NOT_ROUTED, called, f"{found.pattern.words} belongs to no device")
    return Step(ROUTED, found.number)


def call(source: DialPlan, caller: Caller, dialled: str, *, out: str, target: DialPlan | None, back: Trunk) -> Step:
    """From phones of one cluster to a phone of another; target is None when its dial plan is not known."""
    step = outbound(source, caller, dialled, out)
    if step.state != ROUTED:
        return step
    if target is None:
        return replace(step, state=UNKNOWN, why="the dial plan at the other end is not known")
    return replace(inbound(target, back, step.number), arrived=True)


def numbers(route: Pattern, target: DialPlan | None) -> list[str]:
    """Numbers to dial for a route pattern: those that reach a phone of the target, else one that matches."""
    lines = [line.pattern for line in (target.patterns if target else ()) if line.kind == LINE and line.in_use]
    found = [number for line in lines for number in _dialled(route, line)]
    if not found:
        example = sample(route.pattern)
        return [example] if example else []
    found = sorted(dict.fromkeys(found))
    step = max(1, len(found) // MOST_NUMBERS)
    return found[::step][:MOST_NUMBERS]


def _dialled(route: Pattern, line: str) -> Iterator[str]:
    """What to dial so that a route pattern lets a line's number out."""
    if covers(route.pattern, line) and not route.transforms:
        yield line
    elif route.transforms and "." in route.pattern:
        head = sample(route.pattern.partition(".")[0]) or ""
        try:
            fits = matches(route.pattern, head + line) and transformed(route, head + line) == line
        except NotKnown:
            return
        if fits and before_dot(route.pattern, head + line) is not None:
            yield head + line
