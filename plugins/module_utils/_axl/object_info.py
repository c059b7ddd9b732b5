# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of several kinds with their settings, and what uses them; reads only.

AXL's `list` operations leave out the members of groups and lists and the destinations of patterns and trunks, so what
uses an object is found by SQL. The tables and columns are those of CUCM's data dictionary.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Field, Resource, argument, flat
from ansible_collections.siptls.cucm.plugins.module_utils._axl.session import Found, Session
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import BY_MODULE, RESOURCES
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk import SIP_TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk_security_profile import (
    SIP_TRUNK_SECURITY_PROFILE,
)
from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import braced, plain
from ansible_collections.siptls.cucm.plugins.module_utils._module import APPLICATION, ArgSpec, Outcome, Task

SPEC = APPLICATION + ArgSpec(
    options={
        "objects": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "kind": {"type": "str", "choices": list(BY_MODULE), "required": True},
                "name": {"type": "str", "required": True},
                "partition": {"type": "str", "default": ""},
            },
        },
        "users": {"type": "bool", "default": True},
        "trunks": {"type": "bool", "default": False},
    }
)
BATCH = 200  # names in one query
_DESTINATIONS = (
    "select d.name as name, t.address as address, t.addressipv6 as addressipv6, t.port as port from "
    "siptrunkdestination t inner join sipdevice s on s.pkid=t.fksipdevice inner join device d on d.pkid=s.fkdevice"
)
_TRUNK_TAGS = ("name", "security_profile", "sip_profile")
_PROFILE_TAGS = ("name", "security_mode", "outgoing_transport", "incoming_port")


def service(task: Task) -> Outcome:
    """The service of cucm_object_info."""
    client, session = opened(task.params, task.check_mode)
    found = objects(session, task.params["objects"])
    result: dict[str, Any] = {"objects": found, "axl_version": session.version}
    if task.params["users"]:
        result["users"] = users(session, [entry for entry in found if entry["object"]])
    if task.params["trunks"]:
        result["trunks"] = trunks(session)
    return Outcome(result=result, warnings=[*client.http.warnings, *session.warnings])


def opened(params: Mapping[str, Any], check_mode: bool) -> tuple[AxlClient, Session]:
    """A client that knows all kinds, and its session."""
    client = AxlClient.from_params(params, RESOURCES)
    return client, Session(client, check_mode)


def objects(session: Session, asked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Objects by kind, name and partition, each with its settings; `object` is empty where there is none."""
    found = session.client.side_by_side(
        lambda entry: session.fetch(BY_MODULE[entry["kind"]], _key(session, entry)), asked
    )
    return [
        {
            "kind": entry["kind"],
            "name": entry["name"],
            "partition": entry["partition"],
            "object": settings(BY_MODULE[entry["kind"]], current, session.version) if current else {},
        }
        for entry, current in zip(asked, found, strict=True)
    ]


def _key(session: Session, entry: Mapping[str, Any]) -> dict[str, str]:
    resource = BY_MODULE[entry["kind"]]
    if "@" in entry["name"] and "dial_plan" in resource.key:
        # Its dial plan, which nobody named, is a part of the key.
        listed = session.listed(resource, resource.key, pattern=entry["name"])
        there = [
            candidate.uuid for candidate in listed if str(candidate.values.get("partition") or "") == entry["partition"]
        ]
        if there:
            return {resource.first: there[0]}
    partition = {"partition": entry["partition"]} if "partition" in resource.key else {}
    return {resource.first: entry["name"], **partition}


def settings(resource: Resource, current: Found, version: str) -> dict[str, Any]:
    """An object as options of its module, ready for a task; CUCM's counters are left out."""
    rows = tuple(row for row in resource.fields if row.at(version))
    return {option: value for option, value in _settable(rows, current.values).items() if option in resource.options}


def _settable(rows: tuple[Field, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for row in flat(rows):
        value = values.get(row.option)
        if value is None or not row.writable or row.delta:
            continue
        if row.each:
            kept[row.option] = [_settable(row.kids, entry) for entry in value]
        elif row.kids:
            inner = _settable(row.kids, value)
            if _worth_keeping(row, inner):
                kept[row.option] = inner
        elif value != "" or (argument(row)["type"] == "str" and "choices" not in argument(row)):
            # A setting that CUCM leaves empty and whose option takes no empty value cannot be given again.
            kept[row.option] = plain(value)
    return kept


def _worth_keeping(row: Field, inner: Mapping[str, Any]) -> bool:
    """True for a group with everything that add requires, and with a value that is not empty."""
    whole = all(inner.get(kid.option, "") != "" for kid in flat(row.kids) if kid.required)
    return whole and any(part not in ("", [], {}, False) for part in inner.values())


def users(session: Session, used: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Everything that uses the objects, through groups and lists up to the patterns: `kind` and `name` use `of`."""
    names = {kind: sorted({entry["name"] for entry in used if entry["kind"] == kind}) for kind in BY_MODULE}
    found: list[dict[str, str]] = []
    for resource in RESOURCES:
        if resource.trunk_option and resource is not SIP_TRUNK:
            found += _trunks_with(session, resource, names[resource.module])
    # The query for devices also finds the SIP trunks, which are known by now.
    trunks_found = {(user["of_kind"], user["of"], user["name"]) for user in found}
    asked: set[tuple[str, str]] = set()
    while any(names.values()):
        above: dict[str, set[str]] = {}
        for kind, wanted in names.items():
            fresh = [name for name in wanted if (kind, name) not in asked]
            asked |= {(kind, name) for name in fresh}
            for user in _users_of(session, kind, fresh):
                if user["kind"] != "device" or (kind, user["of"], user["name"]) not in trunks_found:
                    found.append(user)
                above.setdefault(user["kind"], set()).add(user["name"])
        names = {kind: sorted(above.get(kind, ())) for kind in BY_MODULE}
    return found


def _users_of(session: Session, kind: str, names: Sequence[str]) -> list[dict[str, str]]:
    queries = BY_MODULE[kind].used_by if names else ()
    return [
        {"kind": user.kind, "of_kind": kind, **row} for user in queries for row in _rows(session, user.query, names)
    ]


def _trunks_with(session: Session, resource: Resource, wanted: Iterable[str]) -> list[dict[str, str]]:
    """The SIP trunks that refer to objects of a kind by one of their options."""
    names = {name.casefold(): name for name in wanted}
    if not names:
        return []
    pairs = [
        (str(trunk.values["name"]), names.get(str(trunk.values[resource.trunk_option]).casefold()))
        for trunk in session.listed(SIP_TRUNK, _TRUNK_TAGS)
    ]
    return [
        {"kind": SIP_TRUNK.module, "name": trunk, "partition": "", "description": "", "uuid": "",
         "of_kind": resource.module, "of": name}
        for trunk, name in pairs if name is not None
    ]  # fmt: skip


def _rows(session: Session, query: str, names: Sequence[str]) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for start in range(0, len(names), BATCH):
        quoted = ",".join("'" + name.replace("'", "''") + "'" for name in names[start : start + BATCH])
        rows += _sql(session, query.format(names=quoted))
    return [
        {
            "name": row.get("name", ""),
            "partition": row.get("partition", ""),
            "description": row.get("description", ""),
            "uuid": braced(row.get("pkid", "")),
            "of": row.get("uses", ""),
        }
        for row in rows
    ]


def _sql(session: Session, query: str) -> list[dict[str, str]]:
    try:
        return session.client.sql(query)
    except AxlFault as refused:
        text = f"What uses an object is not known, so CUCM itself has to refuse a removal: {refused.msg}"
        session.warnings += [text] if text not in session.warnings else []
        return []


def trunks(session: Session) -> list[dict[str, Any]]:
    """Every SIP trunk with its destinations and how its security profile secures it."""
    profiles = {
        str(profile.values["name"]).casefold(): profile.values
        for profile in session.listed(SIP_TRUNK_SECURITY_PROFILE, _PROFILE_TAGS)
    }
    destinations: dict[str, list[dict[str, Any]]] = {}
    for row in _sql(session, _DESTINATIONS):
        address = row.get("address") or row.get("addressipv6") or ""
        port = row.get("port", "")
        entry = {"address": address, "port": int(port) if port.isdigit() else 0}
        destinations.setdefault(row.get("name", "").casefold(), []).append(entry)
    return [
        {
            "name": str(trunk.values["name"]),
            "security_profile": str(trunk.values["security_profile"]),
            "transport": plain(profile.get("outgoing_transport", "")),
            "security_mode": plain(profile.get("security_mode", "")),
            "destinations": destinations.get(str(trunk.values["name"]).casefold(), []),
        }
        for trunk in session.listed(SIP_TRUNK, _TRUNK_TAGS)
        for profile in [profiles.get(str(trunk.values["security_profile"]).casefold(), {})]
    ]
