# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a call from the phones of one cluster over trunks to a phone of another. Pure.

A cluster between the two passes the call on: its digit analysis decides by which trunk.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

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
#: how many numbers of a local pattern are followed
MOST_NUMBERS = 8


@dataclass(frozen=True)
class Step:
    """How far a call gets: the state, the number that goes on, and why the call does not."""

    state: str
    number: str
    why: str = ""
    at: str = ""  # the cluster that the call has reached; empty where it begins
    outside: bool = False  # the call fails because a search space does not have a partition
    onward: tuple[str, ...] = ()  # of a call that came in and goes out again: the devices that it can leave by


@dataclass(frozen=True)
class Stop:
    """A cluster on the way of calls: its dial plan, where that is known, and its trunks by the cluster they lead to."""

    name: str
    plan: DialPlan | None = None
    trunks: Mapping[str, str] = field(default_factory=dict)

    def leads_to(self, trunk: str) -> str:
        """The cluster that a trunk leads to; empty when that is not known."""
        return next((name for name, own in self.trunks.items() if own == trunk), "")


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
        return Step(NOT_ROUTED, dialled, f"{found.translated}{found.problem}", outside=found.outside)
    if found.pattern.kind != ROUTE:
        return Step(NOT_ROUTED, dialled, f"{found.translated}{found.number} reaches {found.pattern.words}")
    step = _leaves_by(plan, found.pattern, found.number, trunk)
    return replace(step, why=f"{found.translated}{step.why}") if step.why else step


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
    """From the trunk that a call comes in by to a phone, or to the devices that it leaves by again (`onward`)."""
    if plan.unknown:
        return Step(UNKNOWN, number, plan.unknown[0])
    try:
        called = received(trunk, number)
        found = analyse(plan, called, plan.partitions(trunk.search_space))
    except NotKnown as reason:
        return Step(UNKNOWN, number, str(reason))
    over = f"it arrives over the SIP trunk {trunk.name} as {called}"
    if found.pattern is None or found.problem:
        return Step(NOT_ROUTED, called, f"{over}, and {found.translated}{found.problem}", outside=found.outside)
    if found.pattern.kind != LINE:
        # A hunt pilot leads to its members, a route pattern to another trunk or gateway.
        onward = _onward(plan, found.pattern) if found.pattern.kind == ROUTE else ()
        return Step(UNKNOWN, found.number, f"{over} and reaches {found.pattern.words}", onward=onward)
    if not found.pattern.in_use:
        return Step(NOT_ROUTED, called, f"{found.pattern.words} belongs to no device")
    return Step(ROUTED, found.number)


def _onward(plan: DialPlan, pattern: Pattern) -> tuple[str, ...]:
    """The devices behind a route pattern in their order; none when it is not known what leaves by them."""
    route_list = plan.route_lists.get(pattern.target)
    if route_list is None:
        return (pattern.target,) if pattern.target else ()
    return route_list.devices if route_list.enabled and not route_list.transforms else ()


def call(source: Stop, caller: Caller, dialled: str, *, out: str, stops: Mapping[str, Stop]) -> Step:
    """From phones of one cluster to a phone of another, over the clusters between; out is the first trunk."""
    if source.plan is None:
        return Step(UNKNOWN, dialled, f"the dial plan of {source.name} is not known")
    step = outbound(source.plan, caller, dialled, out)
    if step.state != ROUTED:
        return step
    at = source.leads_to(out)
    return _arrive(stops, at, source.name, step.number, passed=())


def _arrive(stops: Mapping[str, Stop], at: str, origin: str, number: str, passed: tuple[tuple[str, str], ...]) -> Step:
    """Follow a call that comes in over a trunk; passed are the clusters that passed it on, each with the number."""
    stop = stops.get(at)
    if stop is None or stop.plan is None:
        return Step(UNKNOWN, number, f"the dial plan at the other end{f', {at},' if passed else ''} is not known")
    back = stop.trunks.get(origin, "")
    if not stop.plan.unknown and back not in stop.plan.trunks:
        return Step(NOT_ROUTED, number, f"{at} has no SIP trunk {back or f'to {origin}'}", at=at)
    step = replace(inbound(stop.plan, stop.plan.trunks.get(back, Trunk(back)), number), at=at)
    where = f"at {at} " if passed else ""
    known = [device for device in step.onward if stop.leads_to(device)]
    if not known:
        return replace(step, why=f"{where}{step.why}", onward=()) if step.why else step
    way = (*passed, (at, number))
    if (at, number) in passed:
        names = ", ".join(name for name, _number in way[passed.index((at, number)) :])
        return Step(NOT_ROUTED, number, f"it loops between {names}", at=at)
    steps = [_arrive(stops, stop.leads_to(device), at, step.number, way) for device in known]
    return next((taken for taken in steps if taken.state != ROUTED), steps[0])


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
