# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster's dial plan as cucm_info reports it, and as it will be with the objects of a run. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.patterns import parse

NO_PARTITION = ""
LINE, TRANSLATION, ROUTE, HUNT = "line", "translation", "route", "hunt pilot"
#: CUCM's "all digits" of a trunk's significant digits
ALL_DIGITS = 99


@dataclass(frozen=True)
class Pattern:
    """A pattern of any kind, and what it does with a number."""

    pattern: str
    kind: str  # LINE, TRANSLATION, ROUTE or HUNT
    partition: str = NO_PARTITION
    urgent: bool = False
    blocked: bool = False
    discard: str = ""
    mask: str = ""
    prefix: str = ""
    search_space: str = ""  # of a translation: where its number is looked for next
    originator_search_space: bool = False  # a translation that keeps the caller's search space
    target: str = ""  # of a route pattern: the trunk, gateway or route list
    in_use: bool = True  # of a line: some device has it

    @property
    def words(self) -> str:
        """The pattern in a sentence."""
        nouns = {LINE: "directory number", TRANSLATION: "translation pattern", ROUTE: "route pattern"}
        where = f" in partition {self.partition}" if self.partition else ""
        return f"the {nouns.get(self.kind, self.kind)} {self.pattern}{where}"

    @property
    def transforms(self) -> bool:
        """True when it changes the called number."""
        return bool(self.discard or self.mask or self.prefix)


@dataclass(frozen=True)
class Trunk:
    """What a SIP trunk does with a call that comes in."""

    name: str
    search_space: str = ""
    significant_digits: int = ALL_DIGITS
    prefix: str = ""
    other_settings: tuple[str, ...] = ()  # settings that change the called number and are not followed here


@dataclass(frozen=True)
class RouteList:
    """The trunks and gateways behind a route list, in order; `transforms` when a member changes the called number."""

    name: str
    enabled: bool = True
    devices: tuple[str, ...] = ()
    transforms: bool = False


@dataclass(frozen=True)
class Caller:
    """Phones with the same search spaces; the line's comes before the device's."""

    example: str  # the number of one of them
    count: int = 1
    line_search_space: str = ""
    device_search_space: str = ""

    @property
    def words(self) -> str:
        """The phones in a sentence."""
        spaces = [name for name in (self.line_search_space, self.device_search_space) if name]
        where = f"calling search space {' and '.join(spaces)}" if spaces else "no calling search space"
        return f"phones with {where}, such as {self.example}"


@dataclass(frozen=True)
class DialPlan:
    """Everything that decides where a number goes on one cluster."""

    patterns: tuple[Pattern, ...] = ()
    spaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # partitions in order
    trunks: Mapping[str, Trunk] = field(default_factory=dict)
    route_lists: Mapping[str, RouteList] = field(default_factory=dict)
    callers: tuple[Caller, ...] = ()
    scheduled: frozenset[str] = frozenset()  # partitions that are there at certain times only
    unknown: tuple[str, ...] = ()  # what could not be read, a sentence each

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> DialPlan:
        """From the result of cucm_info."""
        return cls(
            patterns=(*(Pattern(**pattern) for pattern in found["patterns"]), *_lines(found["lines"])),
            spaces={str(name): tuple(partitions) for name, partitions in found["search_spaces"].items()},
            trunks={
                trunk["name"]: Trunk(**{**trunk, "other_settings": tuple(trunk["other_settings"])})
                for trunk in found["trunks"]
            },
            route_lists={
                route_list["name"]: RouteList(**{**route_list, "devices": tuple(route_list["devices"])})
                for route_list in found["route_lists"]
            },
            callers=tuple(Caller(**caller) for caller in found["callers"]),
            scheduled=frozenset(found["scheduled_partitions"]),
            unknown=tuple(found["unknown"]),
        )

    def with_objects(self, made: Mapping[str, Any]) -> DialPlan:
        """The dial plan after a run that makes the objects of sip_tls_trunk_objects."""
        new = [route_pattern(pattern) for pattern in made.get("patterns") or ()]
        taken = {(pattern.pattern, pattern.partition) for pattern in new}
        kept = [
            pattern
            for pattern in self.patterns
            if pattern.kind != ROUTE or (pattern.pattern, pattern.partition) not in taken
        ]
        trunks = [self._with_trunk(trunk) for trunk in made.get("trunks") or ()]
        groups = {str(route_group["name"]): route_group["members"] for route_group in made.get("route_groups") or ()}
        lists = [self._with_list(route_list, groups) for route_list in made.get("route_lists") or ()]
        return replace(
            self,
            patterns=(*kept, *new),
            trunks={**self.trunks, **{trunk.name: trunk for trunk in trunks}},
            route_lists={**self.route_lists, **{list_.name: list_ for list_ in lists}},
        )

    def _with_trunk(self, planned: Mapping[str, Any]) -> Trunk:
        """A trunk as it will be; what the run does not set is kept."""
        old = self.trunks.get(planned["name"], Trunk(planned["name"]))
        return replace(
            old,
            search_space=str(planned.get("calling_search_space", old.search_space) or ""),
            significant_digits=int(planned.get("significant_digits", old.significant_digits)),
            prefix=str(planned.get("prefix_dn", old.prefix) or ""),
        )

    def _with_list(self, planned: Mapping[str, Any], groups: Mapping[str, Sequence[Mapping[str, Any]]]) -> RouteList:
        """A route list as it will be; route groups that the run does not make keep their present members."""
        old = self.route_lists.get(planned["name"], RouteList(planned["name"]))
        members = [member for entry in planned["members"] for member in groups.get(entry["route_group"]) or ()]
        return replace(old, devices=tuple(str(member["device"]) for member in members) or old.devices)

    def partitions(self, *spaces: str) -> tuple[str, ...]:
        """The partitions of search spaces in their order; objects in no partition come last and for everybody."""
        found = [partition for space in spaces if space for partition in self.spaces.get(space, ())]
        return tuple(dict.fromkeys([*found, NO_PARTITION]))

    @cached_property
    def exact(self) -> Mapping[str, list[Pattern]]:
        """The patterns without a wildcard, by the number that they stand for."""
        found: dict[str, list[Pattern]] = {}
        for pattern in self.patterns:
            number = _number(pattern.pattern)
            if number is not None:
                found.setdefault(number, []).append(pattern)
        return found

    @cached_property
    def wild(self) -> tuple[Pattern, ...]:
        """The patterns with wildcards, and those that are not understood."""
        return tuple(pattern for pattern in self.patterns if _number(pattern.pattern) is None)


def _number(pattern: str) -> str | None:
    parsed = parse(pattern)
    if parsed is None or any(place.repeats or len(place.takes) != 1 for place in parsed.places):
        return None
    return "".join(next(iter(place.takes)) for place in parsed.places)


def route_pattern(options: Mapping[str, Any]) -> Pattern:
    """A route pattern of sip_tls_trunk_objects; options that are left out have CUCM's defaults."""
    return Pattern(
        str(options["pattern"]),
        ROUTE,
        str(options.get("partition") or NO_PARTITION),
        urgent=options.get("urgent_priority") is True,
        blocked=options.get("block_enable") is True,
        discard=str(options.get("digit_discard_instructions") or ""),
        mask=str(options.get("called_party_transformation_mask") or ""),
        prefix=str(options.get("prefix_digits_out") or ""),
        target=str(options.get("gateway") or options.get("route_list") or ""),
    )


def _lines(found: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterator[Pattern]:
    for partition, lines in found.items():
        urgent, idle = set(lines["urgent"]), set(lines["without_device"])
        for number in lines["numbers"]:
            yield Pattern(number, LINE, partition, urgent=number in urgent, in_use=number not in idle)
