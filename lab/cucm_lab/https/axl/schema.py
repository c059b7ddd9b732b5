# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AXL's objects: their fields by version (from `tables`), keys, search criteria and operations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from .tables import classes, devices, media, people, profile, routing, system, trunk

Version = tuple[int, int]


def version(text: str) -> Version:
    """ "10.5" -> (10, 5)."""
    major, minor = text.split(".")
    return int(major), int(minor)


#: the oldest version the tables describe; older requests are read as this one
OLDEST: Version = (9, 1)


#: types of a group's repeated child: AXL returns a `list` with a uuid in each entry, `rows` without
LISTS = ("list", "rows")
#: groups that hold one of their children
CHOICES = frozenset({"externalPresentationInfo", "destination"})


@dataclass(frozen=True)
class Field:
    """One element of an object."""

    name: str
    type: str
    #: "R" required, "o" optional, "-" absent
    add: str
    nillable: bool
    default: str
    update: str
    get: bool
    listed: bool
    since: Version | None
    until: Version | None
    children: tuple[Field, ...] = ()

    @property
    def limit(self) -> int | None:
        """The longest text, in characters."""
        match = re.fullmatch(r"string\((\d+)\)", self.type)
        return int(match[1]) if match else None

    @property
    def items(self) -> Field | None:
        """The repeated child, when this is a group around a list; without children of its own it is a text."""
        return self.children[0] if self.children and self.children[0].type in LISTS else None

    def in_version(self, number: Version) -> bool:
        """Whether a version has it."""
        return (self.since is None or number >= self.since) and (self.until is None or number <= self.until)


def _parse(table: str) -> tuple[Field, ...]:
    rows: list[tuple[list[str], Field]] = []
    for line in table.strip().splitlines():
        path, kind, add, nil, default, update, get, listed, since, until = (cell.strip() for cell in line.split("|"))
        parts = path.split("/")
        rows.append(
            (
                parts,
                Field(
                    parts[-1], kind, add, nil == "n", default, update, get == "y", listed == "y",
                    version(since) if since else None, version(until) if until else None,
                ),
            )
        )  # fmt: skip

    def tree(prefix: list[str]) -> tuple[Field, ...]:
        depth = len(prefix)
        return tuple(
            replace(row, children=tree(parts)) if row.type in ("group", *LISTS) else row
            for parts, row in rows
            if len(parts) == depth + 1 and parts[:depth] == prefix
        )

    return tree([])


@dataclass(frozen=True)
class Kind:
    """One object of AXL. `operations` maps an operation to the version it began with."""

    name: str
    element: str
    fields: tuple[Field, ...]
    search: tuple[str, ...]
    operations: dict[str, Version] = field(default_factory=dict)
    #: the element that names it
    key: str = "name"
    #: further key elements: the same name may occur once in each scope
    scope: tuple[str, ...] = ()
    #: the database's table, for the texts of database errors
    table: str = ""

    def at(self, number: Version) -> tuple[Field, ...]:
        """The fields of one version."""
        return _at(self.name, number)


@cache
def _at(kind: str, number: Version) -> tuple[Field, ...]:
    def cut(fields: tuple[Field, ...]) -> tuple[Field, ...]:
        return tuple(replace(f, children=cut(f.children)) for f in fields if f.in_version(number))

    return cut((KINDS.get(kind) or REFERRED[kind]).fields)


_ALL, _10 = OLDEST, (10, 0)
_CRUD = {"add": _ALL, "update": _ALL, "get": _ALL, "list": _ALL, "remove": _ALL}
_READ = {"update": _ALL, "get": _ALL, "list": _ALL}


def _kind(name: str, table: str, search: str, extra: dict[str, Version], *,
          base: Mapping[str, Version] | None = None, database: str = "", **more: object) -> Kind:  # fmt: skip
    return Kind(name, name[0].lower() + name[1:], _parse(table), tuple(search.split()), {**(base or _CRUD), **extra},
                table=database or name.lower(), **more)  # type: ignore[arg-type]  # fmt: skip


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind("SipTrunkSecurityProfile", trunk.SECURITY_PROFILE, "name description", {"reset": _10, "apply": _10},
              database="securityprofile"),
        _kind("SipTrunk", trunk.TRUNK, "name description callingSearchSpaceName devicePoolName",
              {"reset": _10, "restart": _10}, database="device"),
        _kind("SipProfile", profile.SIP_PROFILE, "name description", {"restart": _10, "apply": _10}),
        _kind("RoutePattern", routing.ROUTE_PATTERN,
              "pattern description routePartitionName isEmergencyServiceNumber", {},
              key="pattern", scope=("routePartitionName", "dialPlanName", "routeFilterName"), database="numplan"),
        _kind("TransPattern", routing.TRANS_PATTERN,
              "pattern description routePartitionName isEmergencyServiceNumber", {},
              key="pattern", scope=("routePartitionName", "dialPlanName", "routeFilterName"), database="numplan"),
        *(
            _kind(name, table, "pattern description routePartitionName", {},
                  key="pattern", scope=("routePartitionName", "dialPlanName", "routeFilterName"), database="numplan")
            for name, table in (("CallingPartyTransformationPattern", routing.CALLING_TRANSFORMATION),
                                ("CalledPartyTransformationPattern", routing.CALLED_TRANSFORMATION))
        ),
        _kind("RouteGroup", routing.ROUTE_GROUP, "name", {}),
        _kind("RouteList", routing.ROUTE_LIST, "name description", {"reset": _10, "apply": _10},
              database="device"),
        _kind("CallManagerGroup", system.CALL_MANAGER_GROUP, "name", {"reset": _10, "apply": _10}),
        _kind("CallManager", system.CALL_MANAGER, "name description", {"reset": _10, "restart": _10, "apply": _10},
              base=_READ),
        _kind("ProcessNode", system.PROCESS_NODE, "name description processNodeRole", {}),
        _kind("DevicePool", system.DEVICE_POOL, "name callManagerGroupName regionName",
              {"reset": _10, "restart": _10, "apply": _10}),
        _kind("ServiceParameter", system.SERVICE_PARAMETER, "processNodeName service", {}, base=_READ,
              scope=("processNodeName", "service"), database="processconfig"),
        _kind("ProcessNodeService", classes.PROCESS_NODE_SERVICE, "processNodeName service", {}, base=_READ,
              key="service", scope=("processNodeName",)),
        _kind("RoutePartition", classes.ROUTE_PARTITION, "name description", {"restart": _10, "apply": _10}),
        _kind("Css", classes.CSS, "name description partitionUsage", {}, database="callingsearchspace"),
        _kind("Location", classes.LOCATION, "name", {}),
        _kind("Line", devices.LINE, "pattern description usage routePartitionName",
              {"reset": _10, "restart": _10, "apply": _10},
              key="pattern", scope=("routePartitionName",), database="numplan"),
        _kind("Phone", devices.PHONE,
              "name description protocol callingSearchSpaceName devicePoolName securityProfileName",
              {"reset": _10, "restart": _10, "apply": _10}, database="device"),
        _kind("Region", devices.REGION, "name", {"restart": _10, "apply": _10}),
        _kind("DateTimeGroup", devices.DATE_TIME_GROUP, "name timeZone", {"reset": _10, "apply": _10},
              database="datetimesetting"),
        _kind("User", people.USER, "firstName lastName userid department", {}, key="userid", database="enduser"),
        _kind("AppUser", people.APP_USER, "userid", {}, key="userid", database="applicationuser"),
        _kind("ConferenceBridge", media.CONFERENCE_BRIDGE, "name description devicePoolName", {}, database="device"),
        _kind("PhoneNtp", devices.PHONE_NTP, "ipAddress description", {}, key="ipAddress", database="ntpserver"),
        _kind("MediaResourceList", media.MEDIA_RESOURCE_LIST, "name", {}),
        _kind("ExpresswayCConfiguration", media.EXPRESSWAY_C, "HostNameOrIP description", {},
              base=dict.fromkeys(_CRUD, (12, 5)), key="HostNameOrIP"),
        _kind("PresenceGroup", classes.PRESENCE_GROUP, "name description", {}, database="matrix"),
    )
}  # fmt: skip

#: kinds that others refer to, of which AXL shows the names here: kind -> the version with its first operation
REFERRED: dict[str, Kind] = {
    name: Kind(name, name[0].lower() + name[1:], _parse(classes.NAMED.format(name=key)), (key,), operations, key=key)
    for name, operations, key in (
        *((name, {"get": _ALL, "list": _ALL}, "name") for name in (
            "AarGroup", "CommonDeviceConfig", "DialPlan", "ExternalCallControlProfile", "GeoLocation",
            "GeoLocationFilter", "ImeE164Transformation", "ResourcePriorityNamespaceList",
            "RouteFilter", "SIPNormalizationScript")),
        # get of a digit discard instruction also takes its dial plan, of which there is no record here.
        ("Ddi", {"list": _ALL}, "name"),
        ("ResourcePriorityNamespace", {"get": _ALL, "list": _ALL}, "namespace"),
        ("SdpTransparencyProfile", {"get": _10, "list": _10}, "name"),
    )
}  # fmt: skip

#: which kind a reference leads to; by default it is the field without "Name"
_TARGETS = {
    "devicePoolName": "DevicePool", "locationName": "Location", "securityProfileName": "SipTrunkSecurityProfile",
    "sipProfileName": "SipProfile", "presenceGroupName": "PresenceGroup", "routePartitionName": "RoutePartition",
    "gatewayName": "SipTrunk", "deviceName": "SipTrunk", "routeListName": "RouteList", "routeGroupName": "RouteGroup",
    "callManagerGroupName": "CallManagerGroup", "callManagerName": "CallManager", "processNodeName": "ProcessNode",
    "dateTimeSettingName": "DateTimeGroup", "regionName": "Region", "srstName": "Srst",
    "callingSearchSpaceName": "Css", "adjunctCallingSearchSpace": "Css", "autoSearchSpaceName": "Css",
    "redirectingPartyTransformationCSS": "Css", "callingPartyTransformationCSS": "Css",
    "digitDiscardInstructionName": "Ddi", "dialPlanName": "DialPlan", "newDialPlanName": "DialPlan",
    "routeFilterName": "RouteFilter", "newRouteFilterName": "RouteFilter",
    "newRoutePartitionName": "RoutePartition",
    "sipNormalizationScriptName": "SIPNormalizationScript", "sipNormalizationScript": "SIPNormalizationScript",
    "normalizationScript": "SIPNormalizationScript",
    "timeScheduleIdName": "TimeSchedule",
    "localRouteGroupName": "RouteGroup", "mediaResourceListName": "MediaResourceList",
    "aarNeighborhoodName": "AarGroup",
    "sdpTransparency": "SdpTransparencyProfile", "externalCallControl": "ExternalCallControlProfile",
}  # fmt: skip


def target(field_name: str) -> str:
    """The kind that a reference field leads to."""
    if field_name in _TARGETS:
        return _TARGETS[field_name]
    name = field_name.removesuffix("Name")
    if re.search(r"(Css|CallingSearchSpace)(Unkn)?$", name):
        return "Css"
    return name[0].upper() + name[1:]
