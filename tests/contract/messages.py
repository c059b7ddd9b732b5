# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request that the AXL modules can send, made by the modules' own code for a release."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl import soap
from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import READS, AxlClient
from ansible_collections.siptls.cucm.plugins.module_utils._axl.plan import Item, decide
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Field, Resource, flat
from ansible_collections.siptls.cucm.plugins.module_utils._axl.session import Found, Session, key_body
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import REFERRED, RESOURCES
from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import wanted
from ansible_collections.siptls.cucm.plugins.module_utils._axl.wsdl import namespace
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import Endpoint, HttpClient
from lxml import etree

UUID = "{0B1C2D3E-4F50-6172-8394-A5B6C7D8E9F0}"
Message = tuple[str, str, etree._Element]  # operation, what is special about it, element


@cache
def client(version: str) -> AxlClient:
    """A client that has found out its version and has not yet sent anything."""
    return AxlClient(HttpClient(Endpoint("nowhere.invalid")), RESOURCES, release=f"{version}.1.10000-1")


def sample(row: Field) -> Any:
    """A value that differs from an empty one."""
    if row.each:
        entry = {kid.option: sample(kid) for kid in flat(row.kids) if kid.writable}
        return [{**entry, row.order: place} for place in (1, 2)]
    if row.kids:
        return {kid.option: sample(kid) for kid in flat(row.kids) if kid.option != "anonymous"}
    if row.many:
        return ["one.example.com", "two.example.com"]
    if row.base == "bool":
        return True
    if row.base == "int":
        return 7
    return row.literals[-1] if row.literals else "Name-1"


def variants(row: Field) -> Iterator[tuple[str, Any]]:
    """The values of one option that are written in different ways."""
    yield "set", sample(row)
    if row.base == "FK":
        yield "by uuid", UUID
    if row.base == "bool":
        yield "false", False
    clearable = row.base in ("string", "FK") or row.nil or row.many
    if clearable and row.base not in ("bool", "group") and (row.nil or not row.required):
        yield "cleared", [] if row.many else ""
    for literal in row.literals if not row.kids else ():
        yield f"as {literal}", literal
    if row.option == "external_presentation":
        yield "anonymous", {"anonymous": True}
    if row.each and not row.delta and not row.required:
        yield "cleared", []


def key(resource: Resource) -> dict[str, Any]:
    """The key of an object, in the form of the options."""
    return {resource.first: "Name-0"}


def adds(resource: Resource, version: str) -> Iterator[Message]:
    """Add with nothing but what is needed, and with every option of the release."""
    needed = {"security_profile": "P", "gateway": "T", "members": [{"device": "T", "route_group": "G"}]}
    known = {row.option for row in flat(resource.fields) if row.at(version) and row.takes("add")}
    least = {**key(resource), **{name: value for name, value in needed.items() if name in known}}
    full = {
        row.option: sample(row)
        for row in flat(resource.fields)
        if row.at(version) and row.takes("add") and row.writable and row.option != "route_list"
    }
    for what, options in (("minimal", least), ("full", {**full, **key(resource)})):
        if "members" in options:
            allowed = {kid.option for kid in flat(resource.field("members").kids)}
            options["members"] = [{k: v for k, v in entry.items() if k in allowed} for entry in options["members"]]
        item = Item(resource, wanted(resource.fields, options))
        decide(item, Session(client(version)))
        assert not item.problems, item.problems
        yield message(f"add{resource.kind}", what, version, **item.body)


def updates(resource: Resource, version: str) -> Iterator[Message]:
    """Update of one option at a time, in each way of writing it, and of the name."""
    empty = {row.option: [] if row.each or row.many else {} if row.kids else "" for row in flat(resource.fields)}
    for row in flat(resource.fields):
        if not row.at(version) or not row.takes("update") or row.once or row.option.startswith("new_"):
            continue
        for what, value in variants(row):
            have = {**empty, **key(resource), **_before(row, value)}
            item = Item(resource, {**key(resource), **wanted(resource.fields, {row.option: value})})
            item.current = Found(have, UUID)
            decide(item, Session(client(version)))
            assert not item.problems, item.problems
            assert item.action == "update", (row.option, value)
            yield message(f"update{resource.kind}", f"{row.option} {what}", version, **keys(item, version), **item.body)
    for option in resource.key:
        item = Item(
            resource, key(resource), renames={option: "Name-2"}, current=Found({**empty, **key(resource)}, UUID)
        )
        decide(item, Session(client(version)))
        yield message(f"update{resource.kind}", f"rename {option}", version, **keys(item, version), **item.body)


def _before(row: Field, value: Any) -> dict[str, Any]:
    """What an object has to hold so that the value is a change."""
    have: dict[str, Any] = {}
    if value in ("", []):
        have[row.option] = wanted((row,), {row.option: sample(row)})[row.option]
    elif isinstance(value, bool):
        have[row.option] = not value
    if row.option.startswith("remove_"):
        have[row.delta] = wanted((row,), {row.option: value})[row.option]
    return have


def keys(item: Item, version: str) -> dict[str, Any]:
    """The key as it goes into a request."""
    return key_body(item.resource, item.desired, version)


def reads(resource: Resource, version: str) -> Iterator[Message]:
    """Get, remove and list; tags that the vendor's schema does not let be empty are left to a test of their own."""
    for what, values in (("by name", key(resource)), ("by uuid", {resource.first: UUID})):
        for verb in ("get", "remove"):
            yield message(f"{verb}{resource.kind}", what, version, **key_body(resource, values, version))
    strict = ("bool", "nonNegativeInteger", "Name", "Name128")
    tags = {
        row.axl: "" for row in resource.rows(version, "list") if row.type_at(version) not in strict and not row.kids
    }
    for name in resource.search:
        for page in ({}, {"skip": "0", "first": "5"}):
            yield message(
                f"list{resource.kind}", f"by {name}", version, searchCriteria={name: "%"}, returnedTags=tags, **page
            )


def general(version: str) -> Iterator[Message]:
    """What any of the modules may send beside its own object."""
    yield message("getCCMVersion", "", version)
    yield message("executeSQLQuery", "", version, sql="select name from device where name='x'")
    yield message("doDeviceReset", "", version, deviceName={"_value_1": "T"}, isHardReset=True)
    parameter = {"processNodeName": {"_value_1": "EnterpriseWideData"}, "name": "ClusterSecurityMode"}
    yield message("getServiceParameter", "", version, **parameter, service="Enterprise Wide")
    for kind, row in REFERRED.items():
        if (kind, version) in NOT_YET:
            continue
        if row.listed:
            yield message(f"list{kind}", "", version, searchCriteria={row.name: "X"}, returnedTags={row.name: ""})
        else:
            yield message(f"get{kind}", "", version, **{row.name: "X"})
    for kind, tags in LISTED.items():
        known = [tag for tag in tags if tag != "processNodeRole" or version != "9.1"]
        asked = dict.fromkeys(known, "")
        yield message(f"list{kind}", "", version, searchCriteria={"name": "%"}, returnedTags=asked)


#: kinds that a release lacks; no field of its schema refers to them
NOT_YET = {("SdpTransparencyProfile", "9.1")}
LISTED = {
    "ProcessNode": ("name", "description", "nodeUsage", "processNodeRole"),
    "CallManager": ("name", "description", "processNodeName"),
    "CallManagerGroup": ("name",),
    "DevicePool": ("name", "callManagerGroupName", "regionName", "locationName"),
}


def message(operation: str, what: str, version: str, **content: Any) -> Message:
    """The operation element of a request as the client makes it: a read by itself, a write by zeep."""
    if operation.startswith(READS):
        return operation, what, etree.fromstring(soap.request(namespace(version), operation, content))[0][0]
    zeep = client(version)._zeep
    # Client.create_message has an argument of its own named service, as updateSipTrunk has a field.
    service = zeep.service
    envelope, _headers = service._binding._create(operation, (), content, client=zeep, options=service._binding_options)
    return operation, what, envelope[-1][0]


def every(version: str) -> Iterator[Message]:
    """All of them."""
    yield from general(version)
    for resource in RESOURCES:
        yield from adds(resource, version)
        yield from updates(resource, version)
        yield from reads(resource, version)
