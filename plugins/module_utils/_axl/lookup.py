# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cucm_info looks up in addition to the cluster itself: security settings, named objects, the account's rights.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.certificate_users import certificate_users
from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient
from ansible_collections.siptls.cucm.plugins.module_utils._axl.dial_plan import dial_plan
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Resource
from ansible_collections.siptls.cucm.plugins.module_utils._axl.session import Session
from ansible_collections.siptls.cucm.plugins.module_utils._axl.soap import text
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_group import ROUTE_GROUP
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_list import ROUTE_LIST
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_pattern import ROUTE_PATTERN
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk import SIP_TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk_security_profile import (
    SIP_TRUNK_SECURITY_PROFILE,
)
from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import plain
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability import ris
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability.control_center import ControlCenter

#: kinds whose names are looked up, by option: what AXL calls them
NAMED = {
    "aar_groups": "AarGroup",
    "calling_search_spaces": "Css",
    "common_device_configurations": "CommonDeviceConfig",
    "device_pools": "DevicePool",
    "dial_plans": "DialPlan",
    "digit_discard_instructions": "Ddi",
    "external_call_control_profiles": "ExternalCallControlProfile",
    "geo_location_filters": "GeoLocationFilter",
    "geo_locations": "GeoLocation",
    "locations": "Location",
    "media_resource_group_lists": "MediaResourceList",
    "normalization_scripts": "SIPNormalizationScript",
    "partitions": "RoutePartition",
    "presence_groups": "PresenceGroup",
    "resource_priority_namespaces": "ResourcePriorityNamespace",
    "route_filters": "RouteFilter",
    "security_profiles": "SipTrunkSecurityProfile",
    "sip_profiles": "SipProfile",
}
GATHERED: dict[str, tuple[Resource, tuple[str, ...]]] = {
    "security_profiles": (
        SIP_TRUNK_SECURITY_PROFILE,
        ("name", "security_mode", "incoming_transport", "incoming_port", "x509_subject_names"),
    ),
    "sip_trunks": (SIP_TRUNK, ("name", "security_profile", "sip_profile", "srtp_allowed")),
}
SPEC: dict[str, dict[str, Any]] = {
    "gather": {
        "type": "list",
        "elements": "str",
        "choices": [*GATHERED, "rights", "dial_plan", "services", "certificate_users", "phones"],
        "default": [],
    },
    "look_up": {
        "type": "dict",
        "options": {
            **{option: {"type": "list", "elements": "str", "default": []} for option in (*NAMED, "sip_trunks")},
            "route_patterns": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {"pattern": {"type": "str", "required": True}, "partition": {"type": "str", "default": ""}},
            },
        },
    },
}
# The same query for both kinds of users: who, the groups of the user, the roles of the groups.
_ROLES = (
    "select r.name as role from {user} u, {user}dirgroupmap m, functionroledirgroupmap g, functionrole r "
    "where u.{name}='{account}' and m.fk{user}=u.pkid and g.fkdirgroup=m.fkdirgroup and r.pkid=g.fkfunctionrole"
)
_USERS = {"applicationuser": "name", "enduser": "userid"}


def gathered(client: AxlClient, asked: Iterable[str]) -> dict[str, Any]:
    """The lists that the option gather asks for, and the rights of the account."""
    session = Session(client, check_mode=True)
    found: dict[str, Any] = {}
    for what in asked:
        if what == "rights":
            found["rights"] = {"roles": roles(client), "control_center": control_center(client)}
        elif what == "services":
            found["services"] = activated(client)
        elif what == "certificate_users":
            found["certificate_users"] = certificate_users(client)
        elif what == "phones":
            found["phones"] = registered_phones(client)
        elif what == "dial_plan":
            found["dial_plan"] = dial_plan(client)
        else:
            resource, tags = GATHERED[what]
            found[what] = [plain(profile.values) for profile in session.listed(resource, tags)]
    return found


def roles(client: AxlClient) -> list[str] | None:
    """The names of the account's roles; None when the cluster does not show them, which proves nothing."""
    account = client.http.username.replace("'", "''")
    found: set[str] = set()
    for user, name in _USERS.items():
        try:
            rows = client.sql(_ROLES.format(user=user, name=name, account=account))
        except AxlFault:
            continue
        found |= {row["role"] for row in rows if row.get("role")}
    return sorted(found) or None


def activated(client: AxlClient) -> list[dict[str, Any]] | None:
    """Which feature services are activated on which node; None when the account may not read it."""
    tags = ["processNodeName", "service", "isActive"]
    try:
        rows = client.listing("ProcessNodeService", "processNodeService", {"processNodeName": "%"}, tags)
    except AxlFault:
        return None
    return [
        {
            "node": text(row, "processNodeName"),
            "service": text(row, "service"),
            "activated": text(row, "isActive").lower() in ("true", "t"),
        }
        for row in rows
    ]


def registered_phones(client: AxlClient) -> dict[str, Any]:
    """Which phones are registered; `registered` is None where RIS does not show it, for the reason in `unknown`."""
    try:
        found = ris.phones(client.http)
    except Failure as refused:
        return {"registered": None, "names": [], "listed": False, "not_registered": [], "unknown": refused.msg}
    return {
        "registered": found.registered,
        "names": list(found.names),
        "listed": found.listed,
        "not_registered": list(found.not_registered),
        "unknown": "",
    }


def control_center(client: AxlClient) -> str:
    """Why Control Center did not show the account a state; empty when it did."""
    try:
        ControlCenter(client.http).status("Cisco CallManager")
    except Failure as refused:
        return refused.msg
    return ""


def looked_up(client: AxlClient, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`found` (SIP trunks and route patterns in full) and `missing` (names by kind)."""
    session = Session(client, check_mode=True)
    missing: dict[str, list[Any]] = {option: _absent(session, NAMED[option], asked[option]) for option in NAMED}
    trunks, missing["sip_trunks"], other = _trunks(session, asked["sip_trunks"])
    patterns, missing["route_patterns"] = _patterns(session, asked["route_patterns"])
    return {
        "found": {"sip_trunks": trunks, "other_devices": other, "route_patterns": patterns},
        "missing": missing,
    }


def _absent(session: Session, kind: str, names: Iterable[str]) -> list[str]:
    wanted = [name for name in dict.fromkeys(names) if name]
    there = session.client.side_by_side(lambda name: session.exists(kind, name), wanted)
    return [name for name, exists in zip(wanted, there, strict=True) if not exists]


def _trunks(session: Session, names: Iterable[str]) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """The SIP trunks of these names, the names that no SIP trunk has, and those that another kind of device has."""
    wanted = list(dict.fromkeys(names))
    answers = session.client.side_by_side(lambda name: session.fetch(SIP_TRUNK, {"name": name}), wanted)
    found = [_trunk(answer.values) for answer in answers if answer is not None]
    absent = [name for name, answer in zip(wanted, answers, strict=True) if answer is None]
    taken = session.client.side_by_side(session.other_device, absent)
    return found, absent, [name for name, other in zip(absent, taken, strict=True) if other]


def _trunk(values: Mapping[str, Any]) -> dict[str, Any]:
    tags = ("name", "description", "security_profile", "sip_profile", "srtp_allowed", "destinations")
    shown: dict[str, Any] = plain({tag: values.get(tag) for tag in tags})
    return shown


def _patterns(
    session: Session, asked: Iterable[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[Mapping[str, Any]]]:
    """The route patterns that exist, each with the devices that its calls reach, and those that do not exist."""
    wanted = list(asked)

    def resolved(key: Mapping[str, Any]) -> dict[str, Any] | None:
        found = session.fetch(ROUTE_PATTERN, key)
        if found is None:
            return None
        target = {tag: str(found.values.get(tag) or "") for tag in ("gateway", "route_list")}
        devices = [target["gateway"]] if target["gateway"] else _devices(session, target["route_list"])
        key = {tag: str(found.values.get(tag) or "") for tag in ("pattern", "partition")}
        return {**key, **target, "devices": devices}

    answers = session.client.side_by_side(resolved, wanted)
    absent = [key for key, answer in zip(wanted, answers, strict=True) if answer is None]
    return [answer for answer in answers if answer is not None], absent


def _devices(session: Session, route_list: str) -> list[str]:
    """The devices behind a route list, in the order of its groups."""
    found = session.fetch(ROUTE_LIST, {"name": route_list}) if route_list else None
    names: list[str] = []
    for member in (found.values.get("members") or []) if found else []:
        group = session.fetch(ROUTE_GROUP, {"name": str(member.get("route_group") or "")})
        entries = (group.values.get("members") or []) if group else []
        names += [str(entry["device"]) for entry in entries if entry.get("device")]
    return list(dict.fromkeys(names))
