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
from itertools import product
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.paths import (
    NOT_ROUTED,
    ROUTED,
    UNKNOWN,
    Step,
    Stop,
    call,
    numbers,
)
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.plan import (
    DialPlan,
    Pattern,
    route_pattern,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.kinds import PATTERN
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import NOTHING_MADE, Cluster, Objects
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.objects import foreseen
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.objects import every_peer, trunk_objects

#: the worse comes first
_RANK = (NOT_ROUTED, UNKNOWN, ROUTED)


def call_paths(
    dial_plans: Mapping[str, Any], made: Mapping[str, Objects], hubs: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """One entry per cluster, peer and pattern: `from`, `to`, `through`, `pattern`, `numbers`, `now` and `planned`.

    dial_plans are what cucm_info gathered of each cluster, made the objects of trunk_objects, both by its name. hubs
    are the clusters that pass calls on. `through` are the hubs that a call passes first. `now` and `planned` have a
    `state` (routed, not routed, unknown) and `why`.
    """
    passing_on = set(hubs)
    sites = {
        name: _Site.read(name, found, made.get(name) or NOTHING_MADE, hub=name in passing_on)
        for name, found in dial_plans.items()
    }
    return [
        _entry(way, sites, route, dialled_by)
        for site in sites.values()
        if site.calls
        for way in site.ways()
        for route, dialled_by in way.patterns()
    ]


def calls_between(
    clusters: Sequence[Cluster],
    dial_plans: Mapping[str, Any],
    made: Mapping[str, Objects] | None = None,
    when: str = "planned",
) -> dict[str, list[Any]]:
    """`paths` of call_paths, `routing` (the paths as they are at one time) and `warnings` about it.

    dial_plans are what cucm_info gathered of each cluster, by its name. made are the objects of role sip_tls_trunk by
    cluster; without it they are what the role is going to work out. when is `now` or `planned`.
    """
    known = [foreseen(cluster) for cluster in clusters if cluster.nodes]
    found = call_paths(
        {cluster.name: dial_plans.get(cluster.name) for cluster in known},
        _objects(known) if made is None else made,
        [cluster.name for cluster in known if cluster.transit],
    )
    keys = ("from", "to", "through", "pattern", "numbers")
    routing = [{**{key: entry[key] for key in keys}, **entry[when]} for entry in found]
    return {"paths": found, "routing": routing, "warnings": call_warnings(found, when)}


def _objects(known: Sequence[Cluster]) -> dict[str, Objects]:
    """The objects that the role is going to make on each cluster."""
    made: dict[str, Objects] = {}
    for cluster in known:
        if cluster.planned:
            with suppress(ValueError):  # which preflight reports as a problem
                peers = every_peer(cluster.planned.peers, known, cluster.external)
                made[cluster.name] = trunk_objects(peers, cluster.planned.settings)
    return made


@dataclass(frozen=True)
class _Site:
    """A cluster: its dial plan now and after the run, and what the role makes there."""

    name: str
    now: DialPlan
    planned: DialPlan
    made: Objects
    hub: bool = False

    @classmethod
    def read(cls, name: str, found: Mapping[str, Any] | None, made: Objects, *, hub: bool) -> _Site:
        """A cluster whose dial plan is not known has one that says so."""
        plan = DialPlan.read(found) if found else DialPlan(unknown=(f"the dial plan of {name} is not known",))
        return cls(name, plan, plan.with_objects(made), made, hub)

    @property
    def calls(self) -> bool:
        """False for a hub without phones, which only passes calls on."""
        return not self.hub or bool(self.now.unknown or self.now.callers)

    def stop(self, *, planned: bool) -> Stop:
        """The cluster as calls pass it."""
        trunks = {str(peer["name"]): str(peer["trunk"]) for peer in self.made.get("peers") or ()}
        return Stop(self.name, self.planned if planned else self.now, trunks)

    def ways(self) -> Iterator[_Way]:
        """Every cluster and peer whose numbers it routes: by a trunk, or through hubs."""
        for peer in self.made.get("peers") or ():
            yield _Way(self, str(peer["name"]), (str(peer["trunk"]),))
        for way in self.made.get("transit") or ():
            routes = tuple(route_pattern(route) for route in way["routes"])
            yield _Way(self, str(way["name"]), tuple(way["trunks"]), tuple(way["through"]), routes)


@dataclass(frozen=True)
class _Way:
    """The way to the numbers of a cluster or peer: the first trunks, and the hubs that they lead to."""

    site: _Site
    to: str
    trunks: tuple[str, ...]
    through: tuple[str, ...] = ()
    #: the numbers as the last hub routes them; those of a peer are the site's own patterns
    last: tuple[Pattern, ...] = ()

    def patterns(self) -> Iterator[tuple[Pattern, Pattern]]:
        """The site's patterns for the numbers, each with the one that says what to dial."""
        last = {route.pattern: route for route in self.last}
        for planned in self.site.made.get("patterns") or ():
            if planned["description"] == PATTERN.described(self.to):
                found = route_pattern(planned)
                yield found, last.get(found.pattern, found)


def _entry(way: _Way, sites: Mapping[str, _Site], route: Pattern, dialled_by: Pattern) -> dict[str, Any]:
    other = sites.get(way.to)
    dialled = numbers(dialled_by, other.now if other and not other.now.unknown else None)
    now, planned = (_worst(_steps(way, sites, dialled, planned=planned)) for planned in (False, True))
    return {
        "from": way.site.name, "to": way.to, "through": list(way.through), "pattern": route.pattern,
        "numbers": dialled, "now": now, "planned": planned, "external": other is None,
    }  # fmt: skip


def _steps(
    way: _Way, sites: Mapping[str, _Site], dialled: Sequence[str], *, planned: bool
) -> Iterator[tuple[str, Step]]:
    """Each call of each kind of phone, in words, with how far it comes."""
    source = way.site.planned if planned else way.site.now
    if source.unknown:
        yield "", Step(UNKNOWN, "", source.unknown[0])
    elif not source.callers:
        yield "", Step(UNKNOWN, "", f"{way.site.name} has no phone to call from")
    elif not dialled:
        yield "", Step(UNKNOWN, "", "no number is known that it matches")
    else:
        stops = {name: site.stop(planned=planned) for name, site in sites.items()}
        start = way.site.stop(planned=planned)
        for caller, number, trunk in product(source.callers, dialled, way.trunks):
            yield f"{caller.words}, dial {number}; ", call(start, caller, number, out=trunk, stops=stops)


def _worst(steps: Iterable[tuple[str, Step]]) -> dict[str, str]:
    """The worst of several calls, in words."""
    words, step = min(steps, key=lambda pair: _RANK.index(pair[1].state))
    if step.state == ROUTED:
        return {"state": ROUTED, "why": ""}
    return {"state": step.state, "why": f"{words}{step.why}{_advice(step)}"}


def _advice(step: Step) -> str:
    if not step.outside:
        return ""
    if step.at:
        return f" of that trunk: set sip_tls_trunk_calling_search_space of {step.at}"
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
