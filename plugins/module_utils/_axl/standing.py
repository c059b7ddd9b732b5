# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of several kinds as they stand, and what uses them; reads only.

`list` operations of AXL leave out the members of groups and lists and the destinations of patterns and trunks, so that
uses are asked for by SQL. The tables and columns are those of CUCM's data dictionary.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Field, Resource, argument, flat
from ansible_collections.siptls.cucm.plugins.module_utils._axl.session import Found, Session
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import RESOURCES
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk import SIP_TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import plain
from ansible_collections.siptls.cucm.plugins.module_utils._module import APPLICATION, ArgSpec, Outcome

#: the kinds, named as the modules are without cucm_
KINDS: dict[str, Resource] = dict(
    zip(
        ("sip_trunk_profile", "sip_profile", "sip_trunk", "route_group", "route_list", "route_pattern"),
        RESOURCES,
        strict=True,
    )
)
SPEC = APPLICATION + ArgSpec(
    options={
        "objects": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "kind": {"type": "str", "choices": list(KINDS), "required": True},
                "name": {"type": "str", "required": True},
                "partition": {"type": "str", "default": ""},
            },
        },
        "users": {"type": "bool", "default": True},
        "trunks": {"type": "bool", "default": False},
    }
)
BATCH = 200  # names in one query
# What a kind is used by: the kind of the user, and the query for name and what it uses among the names.
_PATTERNS = (
    "route_pattern",
    "select n.dnorpattern as name, p.name as partition, n.description as description, d.name as uses from numplan n "
    "inner join devicenumplanmap m on m.fknumplan=n.pkid inner join device d on d.pkid=m.fkdevice "
    "left outer join routepartition p on p.pkid=n.fkroutepartition where d.name in ({names})",
)
_QUERIES: dict[str, tuple[tuple[str, str], ...]] = {
    "sip_trunk": (
        (
            "route_group",
            "select g.name as name, d.name as uses from routegroup g inner join routegroupdevicemap m on "
            "m.fkroutegroup=g.pkid inner join device d on d.pkid=m.fkdevice where d.name in ({names})",
        ),
        _PATTERNS,
    ),
    "route_group": (
        (
            "route_list",
            "select d.name as name, g.name as uses from routelist l inner join device d on d.pkid=l.fkdevice "
            "inner join routegroup g on g.pkid=l.fkroutegroup where g.name in ({names})",
        ),
    ),
    "route_list": (_PATTERNS,),
    "sip_profile": (
        (
            "device",
            "select d.name as name, s.name as uses from device d inner join sipprofile s on s.pkid=d.fksipprofile "
            "where s.name in ({names})",
        ),
    ),
}
_DESTINATIONS = (
    "select d.name as name, t.address as address, t.addressipv6 as addressipv6, t.port as port from "
    "siptrunkdestination t inner join sipdevice s on s.pkid=t.fksipdevice inner join device d on d.pkid=s.fkdevice"
)
_PROFILE_TAGS = ("name", "security_mode", "outgoing_transport", "incoming_port")


def service(module: AnsibleModule) -> Outcome:
    """The service of cucm_object_info."""
    client, session = opened(module.params, module.check_mode)
    told = objects(session, module.params["objects"])
    result: dict[str, Any] = {"objects": told, "axl_version": session.version}
    if module.params["users"]:
        result["users"] = users(session, [one for one in told if one["object"]])
    if module.params["trunks"]:
        result["trunks"] = trunks(session)
    return Outcome(result=result, warnings=[*client.http.warnings, *session.warnings])


def opened(params: Mapping[str, Any], check_mode: bool) -> tuple[AxlClient, Session]:
    """A client that knows all kinds, and its session."""
    client = AxlClient.from_params(params, RESOURCES)
    return client, Session(client, check_mode)


def objects(session: Session, asked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Objects by kind, name and partition, each with its settings; none where there is no such object."""
    found = session.client.side_by_side(lambda one: session.fetch(KINDS[one["kind"]], _key(one)), asked)
    return [
        {
            "kind": one["kind"],
            "name": one["name"],
            "partition": one["partition"],
            "object": settings(KINDS[one["kind"]], held, session.version) if held else {},
        }
        for one, held in zip(asked, found, strict=True)
    ]


def _key(one: Mapping[str, Any]) -> dict[str, str]:
    resource = KINDS[one["kind"]]
    return {resource.first: one["name"], **({"partition": one["partition"]} if "partition" in resource.key else {})}


def settings(resource: Resource, held: Found, version: str) -> dict[str, Any]:
    """An object as options of its module, so that a task can be given it again: nothing that CUCM counts for itself."""
    rows = tuple(row for row in resource.fields if row.at(version))
    return {option: value for option, value in _settable(rows, held.values).items() if option in resource.options}


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
            whole = all(inner.get(kid.option, "") != "" for kid in flat(row.kids) if kid.required)
            if whole and any(part not in ("", [], {}, False) for part in inner.values()):
                kept[row.option] = inner
        elif value != "" or (argument(row)["type"] == "str" and "choices" not in argument(row)):
            # A setting that CUCM leaves empty and whose option takes no empty value can't be given again.
            kept[row.option] = plain(value)
    return kept


def users(session: Session, used: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """All that uses the objects, through groups and lists up to the patterns: kind and name of each user, and `of`."""
    found: list[dict[str, str]] = []
    wave = {kind: sorted({one["name"] for one in used if one["kind"] == kind}) for kind in KINDS}
    for profile in ("sip_trunk_profile", "sip_profile"):
        found += _trunks_with(session, profile, wave[profile])
    asked: set[tuple[str, str]] = set()
    while any(wave.values()):
        above: dict[str, set[str]] = {}
        for kind, wanted in wave.items():
            fresh = [name for name in wanted if (kind, name) not in asked]
            asked |= {(kind, name) for name in fresh}
            for by, query in _QUERIES.get(kind, ()) if fresh else ():
                rows = [{"kind": by, "of_kind": kind, **row} for row in _rows(session, query, fresh)]
                known = {(one["of"], one["name"]) for one in found if one["of_kind"] == kind}
                found += [row for row in rows if by != "device" or (row["of"], row["name"]) not in known]
                above.setdefault(by, set()).update(row["name"] for row in rows)
        wave = {kind: sorted(above.get(kind, ())) for kind in ("route_group", "route_list")}
    return found


def _trunks_with(session: Session, kind: str, wanted: Iterable[str]) -> list[dict[str, str]]:
    option = {"sip_trunk_profile": "security_profile", "sip_profile": "sip_profile"}[kind]
    names = {name.casefold(): name for name in wanted}
    if not names:
        return []
    listed = session.listed(SIP_TRUNK, ("name", "security_profile", "sip_profile"))
    return [
        _user("sip_trunk", str(one.values["name"]), kind, names[str(one.values[option]).casefold()])
        for one in listed
        if str(one.values[option]).casefold() in names
    ]


def _user(kind: str, name: str, of_kind: str, of: str) -> dict[str, str]:
    return {"kind": kind, "name": name, "partition": "", "description": "", "of_kind": of_kind, "of": of}


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
            "of": row.get("uses", ""),
        }
        for row in rows
    ]


def _sql(session: Session, query: str) -> list[dict[str, str]]:
    try:
        return session.client.sql(query)
    except AxlFault as refused:
        text = f"What uses an object could not be asked for, so that CUCM itself has to refuse: {refused.msg}"
        session.warnings += [text] if text not in session.warnings else []
        return []


def trunks(session: Session) -> list[dict[str, Any]]:
    """Every SIP trunk with its destinations and how its security profile secures it."""
    listed = session.listed(SIP_TRUNK, ("name", "security_profile", "sip_profile"))
    profiles = {
        str(one.values["name"]).casefold(): one.values
        for one in session.listed(KINDS["sip_trunk_profile"], _PROFILE_TAGS)
    }
    destinations: dict[str, list[dict[str, Any]]] = {}
    for row in _sql(session, _DESTINATIONS):
        address = row.get("address") or row.get("addressipv6") or ""
        port = row.get("port", "")
        entry = {"address": address, "port": int(port) if port.isdigit() else 0}
        destinations.setdefault(row.get("name", "").casefold(), []).append(entry)
    return [
        {
            "name": str(one.values["name"]),
            "security_profile": str(one.values["security_profile"]),
            "transport": plain(profile.get("outgoing_transport", "")),
            "security_mode": plain(profile.get("security_mode", "")),
            "destinations": destinations.get(str(one.values["name"]).casefold(), []),
        }
        for one in listed
        for profile in [profiles.get(str(one.values["security_profile"]).casefold(), {})]
    ]
