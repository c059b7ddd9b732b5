# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster's dial plan: patterns, lines, search spaces, trunks, route lists and who can call; reads only.

The tables and columns of the queries are those of CUCM's data dictionary. What the account may not read is reported in
`unknown`, so that nobody mistakes a part of the dial plan for the whole.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._axl.session import Session
from ansible_collections.siptls.cucm.plugins.module_utils._axl.soap import text
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_list import ROUTE_LIST
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk import SIP_TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import TRUE
from ansible_collections.siptls.cucm.plugins.module_utils._releases import features

_SPACES = (
    "select c.name as css, p.name as partition, m.sortorder as place from callingsearchspace c left outer join "
    "callingsearchspacemember m on m.fkcallingsearchspace=c.pkid left outer join routepartition p on "
    "p.pkid=m.fkroutepartition"
)
#: route patterns and hunt pilots
_KINDS = {"5": "route", "7": "hunt pilot"}
_PATTERNS = (
    "select n.dnorpattern as pattern, n.tkpatternusage as usage, p.name as partition, n.blockenable as blocked, "
    "n.patternurgency as urgent, n.prefixdigitsout as prefix, n.calledpartytransformationmask as mask, i.name as "
    "discard, d.name as target from numplan n left outer join routepartition p on p.pkid=n.fkroutepartition left outer "
    "join digitdiscardinstruction i on i.pkid=n.fkdigitdiscardinstruction left outer join devicenumplanmap m on "
    "m.fknumplan=n.pkid left outer join device d on d.pkid=m.fkdevice where n.tkpatternusage in (5,7)"
)
_LINES = (
    "select n.dnorpattern as pattern, p.name as partition, n.patternurgency as urgent, l.name as linecss, d.name as "
    "device, d.tkclass as class, c.name as devicecss from numplan n left outer join routepartition p on "
    "p.pkid=n.fkroutepartition left outer join callingsearchspace l on "
    "l.pkid=n.fkcallingsearchspace_sharedlineappear left outer join devicenumplanmap m on m.fknumplan=n.pkid left "
    "outer join device d on d.pkid=m.fkdevice left outer join callingsearchspace c on c.pkid=d.fkcallingsearchspace "
    "where n.tkpatternusage=2"
)
_GROUPS = (
    "select d.name as routelist, l.selectionorder as place, e.name as device, m.deviceselectionorder as rank from "
    "routelist l inner join device d on d.pkid=l.fkdevice inner join routegroupdevicemap m on "
    "m.fkroutegroup=l.fkroutegroup inner join device e on e.pkid=m.fkdevice"
)
_PHONE = "1"  # device.tkclass
_TRANSLATION_TAGS = (
    "pattern", "routePartitionName", "blockEnable", "calledPartyTransformationMask", "digitDiscardInstructionName",
    "patternUrgency", "prefixDigitsOut", "callingSearchSpaceName",
)  # fmt: skip
#: settings of a trunk that change the called number of calls that come in, in ways that are not followed
_UNFOLLOWED = (
    "unknown_called_party_prefix", "unknown_called_party_strip_digits", "unknown_called_party_transformation_css",
)  # fmt: skip
_TRUNK_TAGS = ("name", "calling_search_space", "significant_digits", "prefix_dn", *_UNFOLLOWED)
#: what a route list's member can change of the called number
_MEMBER_TRANSFORMATIONS = ("called_party_transformation_mask", "digit_discard_instructions", "prefix_digits_out")
_UNSET = ("", None, "0", 0, "Default", "NoDigits")


def dial_plan(client: AxlClient) -> dict[str, Any]:
    """Everything that decides where a number goes; `unknown` holds a sentence for what could not be read."""
    session = Session(client, check_mode=True)
    lines = Lines()
    found: dict[str, Any] = {
        "search_spaces": {}, "scheduled_partitions": [], "patterns": [], "lines": {}, "trunks": [], "route_lists": [],
        "callers": [], "unknown": [],
    }  # fmt: skip
    try:
        found["search_spaces"] = _search_spaces(client)
        found["scheduled_partitions"] = _scheduled(client)
        found["patterns"] = [*map(_pattern, client.sql(_PATTERNS)), *_translations(client)]
        for row in client.sql(_LINES):
            lines.add(row)
        found["trunks"] = [_trunk(trunk.values) for trunk in session.listed(SIP_TRUNK, _TRUNK_TAGS)]
        found["route_lists"] = _route_lists(session)
    except AxlFault as refused:
        found["unknown"].append(f"the dial plan could not be read: {refused.msg}")
    return {**found, "lines": lines.by_partition(), "callers": lines.callers()}


def _true(value: Any) -> bool:
    return str(value or "").lower() in TRUE


def _search_spaces(client: AxlClient) -> dict[str, list[str]]:
    members: dict[str, list[tuple[int, str]]] = {}
    for row in client.sql(_SPACES):
        entries = members.setdefault(row["css"], [])
        if row.get("partition"):
            entries.append((int(row.get("place") or 0), row["partition"]))
    return {name: [partition for _place, partition in sorted(entries)] for name, entries in members.items()}


def _scheduled(client: AxlClient) -> list[str]:
    """The partitions that are active at certain times only."""
    items = client.listing("RoutePartition", "routePartition", {"name": "%"}, ("name", "timeScheduleIdName"))
    return [text(item, "name") for item in items if text(item, "timeScheduleIdName")]


def _pattern(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "pattern": row.get("pattern", ""), "kind": _KINDS.get(row.get("usage", ""), "pattern"),
        "partition": row.get("partition", ""), "urgent": _true(row.get("urgent")), "blocked": _true(row.get("blocked")),
        "discard": row.get("discard", ""), "mask": row.get("mask", ""), "prefix": row.get("prefix", ""),
        "target": row.get("target", ""),
    }  # fmt: skip


def _translations(client: AxlClient) -> Iterable[dict[str, Any]]:
    """The translation patterns, by an AXL list: no documented column shows who keeps the caller's search space."""
    tags = [*_TRANSLATION_TAGS, *(["useOriginatorCss"] if features(client.version).originator_space else [])]
    for item in client.listing("TransPattern", "transPattern", {"pattern": "%"}, tags):
        yield {
            "pattern": text(item, "pattern"), "kind": "translation", "partition": text(item, "routePartitionName"),
            "urgent": _true(text(item, "patternUrgency")), "blocked": _true(text(item, "blockEnable")),
            "discard": text(item, "digitDiscardInstructionName"), "mask": text(item, "calledPartyTransformationMask"),
            "prefix": text(item, "prefixDigitsOut"), "search_space": text(item, "callingSearchSpaceName"),
            "originator_search_space": _true(text(item, "useOriginatorCss")),
        }  # fmt: skip


def _trunk(values: Mapping[str, Any]) -> dict[str, Any]:
    digits = values.get("significant_digits")
    return {
        "name": str(values["name"]), "search_space": str(values.get("calling_search_space") or ""),
        "significant_digits": digits if isinstance(digits, int) else 99, "prefix": str(values.get("prefix_dn") or ""),
        "other_settings": [option for option in _UNFOLLOWED if values.get(option) not in _UNSET],
    }  # fmt: skip


def _route_lists(session: Session) -> list[dict[str, Any]]:
    devices: dict[str, list[tuple[int, int, str]]] = {}
    for row in session.client.sql(_GROUPS):
        rank = (int(row.get("place") or 0), int(row.get("rank") or 0), row.get("device", ""))
        devices.setdefault(row.get("routelist", ""), []).append(rank)
    names = [str(found.values["name"]) for found in session.listed(ROUTE_LIST, ("name",))]
    lists = session.client.side_by_side(lambda name: session.fetch(ROUTE_LIST, {"name": name}), names)
    return [
        {
            "name": name,
            "enabled": found.values.get("enabled") is not False,
            "devices": [device for _place, _rank, device in sorted(devices.get(name, ()))],
            "transforms": any(
                member.get(option) not in _UNSET
                for member in found.values.get("members") or ()
                for option in _MEMBER_TRANSFORMATIONS
            ),
        }
        for name, found in zip(names, lists, strict=True)
        if found is not None
    ]


class Lines:
    """Directory numbers, gathered by partition, and the phones that call with the same search spaces."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, dict[str, bool]]] = {}
        self._callers: Counter[tuple[str, str]] = Counter()
        self._examples: dict[tuple[str, str], str] = {}

    def add(self, row: Mapping[str, str]) -> None:
        """A line on a device, or a line without one."""
        named = row.get("pattern", "")
        line = self._numbers.setdefault(row.get("partition", ""), {}).setdefault(named, {})
        line["device"] = line.get("device", False) or bool(row.get("device"))
        line["urgent"] = _true(row.get("urgent"))
        if row.get("class") == _PHONE:
            spaces = (row.get("linecss", ""), row.get("devicecss", ""))
            self._callers[spaces] += 1
            self._examples.setdefault(spaces, named)

    def by_partition(self) -> dict[str, dict[str, list[str]]]:
        """All numbers of each partition, those of them that are urgent, and those that no device has."""
        return {
            partition: {
                "numbers": sorted(lines),
                "urgent": sorted(name for name, line in lines.items() if line["urgent"]),
                "without_device": sorted(name for name, line in lines.items() if not line["device"]),
            }
            for partition, lines in self._numbers.items()
        }

    def callers(self) -> list[dict[str, Any]]:
        """The phones by their search spaces: how many, and the number of one of them."""
        return [
            {"line_search_space": line, "device_search_space": device, "count": count,
             "example": self._examples[line, device]}
            for (line, device), count in sorted(self._callers.items())
        ]  # fmt: skip
