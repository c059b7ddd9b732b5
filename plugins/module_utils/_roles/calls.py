# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the phones of each cluster reach the numbers of its peers: now, and after a run. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.paths import (
    NOT_ROUTED,
    ROUTED,
    UNKNOWN,
    Step,
    call,
    numbers,
    outbound,
)
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.plan import (
    Caller,
    DialPlan,
    Pattern,
    Trunk,
    route_pattern,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.kinds import PATTERN
from ansible_collections.siptls.cucm.plugins.module_utils._roles.objects import trunk_objects
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight_objects import foreseen

Facts = Mapping[str, Any]
Objects = Mapping[str, Sequence[Mapping[str, Any]]]
#: the worse comes first
_RANK = (NOT_ROUTED, UNKNOWN, ROUTED)


def call_paths(clusters: Iterable[Facts], made: Mapping[str, Objects]) -> list[dict[str, Any]]:
    """One entry per cluster, peer and pattern: `from`, `to`, `pattern`, `numbers`, `now` and `planned`.

    clusters are facts of role preflight with `dial_plan` of cucm_info; made holds the objects of trunk_objects by the
    name of the cluster. `now` and `planned` have a `state` (routed, not routed, unknown) and `why`.
    """
    sites = {str(facts["name"]): _Site.read(facts, made.get(str(facts["name"])) or {}) for facts in clusters}
    return [entry for site in sites.values() for entry in _from(site, sites)]


def calls_between(
    clusters: Sequence[Facts],
    dial_plans: Mapping[str, Any],
    made: Mapping[str, Objects] | None = None,
    when: str = "planned",
) -> dict[str, list[Any]]:
    """`paths` of call_paths, `routing` (the paths as they are at one time) and `warnings` about it.

    clusters are facts of the roles, dial_plans what cucm_info gathered of each, by the name of the cluster. made are
    the objects of role sip_tls_trunk by cluster; without it they are what the role is going to work out. when is `now`
    or `planned`.
    """
    known = [foreseen(facts) for facts in clusters if facts["nodes"]]
    found = call_paths(
        [{**facts, "dial_plan": dial_plans.get(str(facts["name"]))} for facts in known],
        _objects(known) if made is None else made,
    )
    keys = ("from", "to", "pattern", "numbers")
    routing = [{**{key: entry[key] for key in keys}, **entry[when]} for entry in found]
    return {"paths": found, "routing": routing, "warnings": call_warnings(found, when)}


def _objects(known: Sequence[Facts]) -> dict[str, Objects]:
    """The objects that the role is going to make on each cluster."""
    made: dict[str, Objects] = {}
    for facts in known:
        if facts.get("planned"):
            with suppress(ValueError):  # which preflight reports as a problem
                made[str(facts["name"])] = trunk_objects(
                    facts["planned"]["peers"], known, facts["planned"]["settings"], external=facts.get("external") or ()
                )
    return made


@dataclass(frozen=True)
class _Site:
    """A cluster: its dial plan now and after the run, and what the role makes there."""

    name: str
    now: DialPlan
    planned: DialPlan
    made: Objects

    @classmethod
    def read(cls, facts: Facts, made: Objects) -> _Site:
        """A cluster whose dial plan is not known has one that says so."""
        found = facts.get("dial_plan")
        plan = DialPlan.read(found) if found else DialPlan(unknown=(f"the dial plan of {facts['name']} is not known",))
        return cls(str(facts["name"]), plan, plan.with_objects(made), made)

    def trunk_to(self, peer: str) -> str:
        """The name of the trunk to a peer; empty when there is none."""
        return next((str(one["trunk"]) for one in self.made.get("peers") or () if one["name"] == peer), "")


def _from(site: _Site, sites: Mapping[str, _Site]) -> Iterator[dict[str, Any]]:
    for peer in site.made.get("peers") or ():
        other = sites.get(peer["name"])
        for planned in site.made.get("patterns") or ():
            if planned["description"] == PATTERN.described(str(peer["name"])):
                yield _entry(site, other, peer, route_pattern(planned))


def _entry(site: _Site, other: _Site | None, peer: Mapping[str, Any], route: Pattern) -> dict[str, Any]:
    dialled = numbers(route, other.now if other and not other.now.unknown else None)
    now, planned = (
        _worst(_steps(site, other, peer["trunk"], dialled, planned=planned), str(peer["name"]))
        for planned in (False, True)
    )
    return {
        "from": site.name, "to": peer["name"], "pattern": route.pattern, "numbers": dialled, "now": now,
        "planned": planned, "external": other is None,
    }  # fmt: skip


def _steps(
    site: _Site, other: _Site | None, trunk: str, dialled: Sequence[str], *, planned: bool
) -> Iterator[tuple[str, Step]]:
    """Each call of each kind of phone, in words, with how far it comes."""
    source = site.planned if planned else site.now
    if source.unknown:
        yield "", Step(UNKNOWN, "", source.unknown[0])
    elif not source.callers:
        yield "", Step(UNKNOWN, "", f"{site.name} has no phone to call from")
    elif not dialled:
        yield "", Step(UNKNOWN, "", "no number is known that it matches")
    else:
        target = (other.planned if planned else other.now) if other else None
        for caller in source.callers:
            for number in dialled:
                way = _Way(source, caller, number, trunk)
                yield f"{caller.words}, dial {number}; ", _step(way, site.name, other, target)


@dataclass(frozen=True)
class _Way:
    """A call as it leaves: from phones, a number, by the trunk."""

    source: DialPlan
    caller: Caller
    number: str
    trunk: str


def _step(way: _Way, caller: str, other: _Site | None, target: DialPlan | None) -> Step:
    """How far a call comes; caller is the name of the cluster that it comes from."""
    back = other.trunk_to(caller) if other else ""
    if other is None or target is None or target.unknown or back in target.trunks:
        trunk = target.trunks.get(back, Trunk(back)) if target else Trunk(back)
        return call(way.source, way.caller, way.number, out=way.trunk, target=target, back=trunk)
    step = outbound(way.source, way.caller, way.number, way.trunk)
    if step.state == ROUTED:
        missing = f"SIP trunk {back}" if back else f"SIP trunk to {caller}"
        return Step(NOT_ROUTED, way.number, f"{other.name} has no {missing}")
    return step


def _worst(steps: Iterable[tuple[str, Step]], peer: str) -> dict[str, str]:
    """The worst of several calls, in words."""
    words, step = min(steps, key=lambda pair: _RANK.index(pair[1].state))
    if step.state == ROUTED:
        return {"state": ROUTED, "why": ""}
    return {"state": step.state, "why": f"{words}{step.why}{_advice(step, peer)}"}


def _advice(step: Step, peer: str) -> str:
    if not step.outside:
        return ""
    if step.arrived:
        return f" of that trunk: set sip_tls_trunk_calling_search_space of {peer}"
    return " of these phones: set sip_tls_trunk_partition to a partition that they reach"


def call_warnings(entries: Iterable[Mapping[str, Any]], when: str = "planned") -> list[str]:
    """A sentence per pattern that would not be routed, or of which that is not known.

    What a peer that is not ours does with a call is never known, and not reported each time.
    """
    texts = {
        NOT_ROUTED: "Calls from {from} to {pattern} of {to} would not be routed: {why}.",
        UNKNOWN: "Whether calls from {from} to {pattern} of {to} are routed is not known: {why}.",
    }
    return [
        texts[entry[when]["state"]].format(**entry, why=entry[when]["why"])
        for entry in entries
        if entry[when]["state"] in texts and not (entry["external"] and entry[when]["state"] == UNKNOWN)
    ]
