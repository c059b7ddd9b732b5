# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""add, update, get, list, remove, reset, restart, apply of any kind: generic, from the tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from ...config import REFERENCE, ConfigStore, Duplicate, InUse, Record
from ...inferred import Inferred
from . import faults
from .render import Tags, Writer, braces
from .rules import RULES, trunks_of
from .schema import KINDS, OLDEST, REFERRED, Field, Kind, Version
from .values import Element, Reader, children, defaults, local, text

READS = ("get", "list")
#: largest response, in bytes
READ_LIMIT = 8 * 1024 * 1024


@dataclass
class Call:
    """One request: its element, its version, and the store it works on."""

    kind: Kind
    element: Element
    number: Version
    store: ConfigStore
    inferred: Inferred
    server: Version
    deviations: list[str]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The kind's fields in the version that the request speaks."""
        return self.kind.at(self.number)

    def reader(self) -> Reader:
        """A reader whose deviations are this call's."""
        reader = Reader(self.store, self.inferred)
        reader.deviations = self.deviations
        return reader

    def child(self, name: str) -> Element | None:
        """A child of the request by local name."""
        return next((child for child in children(self.element) if local(child) == name), None)


def find(operation: str, number: Version) -> tuple[str, Kind] | None:
    """(verb, kind) of an operation's name, when this version has it."""
    match = re.fullmatch(r"(add|update|get|list|remove|reset|restart|apply)(\w+)", operation)
    kind = (KINDS.get(match[2]) or REFERRED.get(match[2])) if match else None
    if (
        match is None
        or kind is None
        or match[1] not in kind.operations
        or max(number, OLDEST) < kind.operations[match[1]]
    ):
        return None
    return match[1], kind


def run(verb: str, call: Call) -> str:
    """Carry it out; the inner XML of the response's <return>."""
    return _VERBS[verb](call)


# -- keys ---------------------------------------------------------------------------------------------


def _scope_part(value: Any) -> str:
    return str(value[REFERENCE]) if isinstance(value, dict) else str(value or "")


def scope(kind: Kind, body: dict[str, Any]) -> str:
    """The scope of a body: references by uuid, texts unchanged."""
    return "|".join(_scope_part(body.get(name)) for name in kind.scope)


def _key(call: Call, missing: str) -> Record:
    """The object that the request names by uuid or by its key; a fault if there is none."""
    kind = call.kind
    identity = call.child("uuid")
    name = call.child(kind.key)
    if identity is not None and text(identity):
        record = call.store.by_id(text(identity))
        if record is not None and record.kind != kind.name:
            record = None
    elif name is not None and text(name):
        reader = call.reader()
        parts: dict[str, Any] = {}
        for part in kind.scope:
            element = call.child(part)
            field = next(field for field in kind.fields if field.name == part)
            if element is None:
                parts[part] = None
            else:
                parts[part] = reader.reference(part, element) if field.type == "fk" else text(element)
        record = call.store.record(kind.name, text(name), scope(kind, parts))
    else:
        raise faults.inferred(call.inferred, "axl.no_key", object=kind.name)
    if record is None:
        raise _missing(call, missing)
    return record


def _missing(call: Call, operation: str) -> faults.AxlFault:
    if operation == "get":
        return faults.not_found(call.kind.name)
    table = "axl.remove_missing" if operation == "remove" else "axl.update_missing"
    return faults.inferred(call.inferred, table, object=call.kind.name)


# -- writes -------------------------------------------------------------------------------------------


def _add(call: Call) -> str:
    kind = call.kind
    wrapper = call.child(kind.element)
    if wrapper is None:
        raise faults.null_column(kind.table, kind.key.lower())
    given = call.reader().fields(wrapper, call.fields, lambda field: field.add)
    required = call.inferred["axl.enforced"].get(kind.name, [kind.key])
    for name in required:
        if given.get(name) in (None, "", []):
            raise faults.null_column(kind.table, name.lower())
    body = {**defaults(kind.at(call.server)), **given}
    _check(call, body, None)
    name = body[kind.key]
    try:
        record = call.store.add(kind.name, name, body, scope(kind, body))
    except Duplicate:
        raise _duplicate(call) from None
    return braces(record.pkid)


def _update(call: Call) -> str:
    kind = call.kind
    record = _key(call, "update")
    given = call.reader().fields(call.element, call.fields, _update_need(call))
    body = dict(record.body)
    given.pop("uuid", None)
    for name in [name for name in given if name.startswith("new") and name[3:4].isupper()]:
        renamed = name[3].lower() + name[4:]
        value = given.pop(name)
        if renamed == kind.key and not value:
            raise faults.null_column(kind.table, kind.key.lower())
        body[renamed] = value
    for field in call.fields:
        if field.items is not None:
            _change_list(call, field, body, given)
    fixed = {kind.key, *kind.scope, *call.inferred["axl.fixed_at_add"].get(kind.name, [])}
    changed = {name: value for name, value in given.items() if name not in fixed}
    body.update(changed)
    _check(call, body, record.pkid)
    try:
        call.store.replace(replace(record, name=body[kind.key], scope=scope(kind, body), body=body), sorted(changed))
    except Duplicate:
        raise _duplicate(call) from None
    return braces(record.pkid)


def _update_need(call: Call) -> Any:
    keys = {call.kind.key, *call.kind.scope}

    def need(field: Field) -> str:
        if field.name in keys:
            return "o"
        # In an update, the schema's "required" applies only inside groups; at the top everything is optional.
        return "-" if field.update == "-" else "o"

    return need


def _change_list(call: Call, field: Field, body: dict[str, Any], given: dict[str, Any]) -> None:
    """members/destinations: the whole list, or addX and removeX; never both forms."""
    name = field.name[0].upper() + field.name[1:]
    item = field.items
    add, remove = call.child(f"add{name}"), call.child(f"remove{name}")
    for delta in (f"add{name}", f"remove{name}"):
        given.pop(delta, None)
    if item is None or (add is None and remove is None):
        return
    if field.name in given:
        raise faults.inferred(call.inferred, "axl.two_choices", fields=f"{field.name}, add{name}, remove{name}")
    reader = call.reader()
    entries = list(body.get(field.name) or [])
    if remove is not None:
        for gone in reader.items(item, remove):
            entries = [entry for entry in entries if not _same(item, entry, gone)]
    if add is not None:
        entries += reader.items(item, add)
    given[field.name] = entries


def _same(item: Field, entry: Any, other: Any) -> bool:
    if not item.children:
        return bool(entry == other)
    references = [child.name for child in item.children if child.type == "fk" and other.get(child.name)]
    names = references[:1] or ["addressIpv4", "addressIpv6", "port"]
    return all(entry.get(name) == other.get(name) for name in names)


def _check(call: Call, body: dict[str, Any], own: str | None) -> None:
    rule = RULES.get(call.kind.name)
    if rule is not None:
        for name in call.inferred["axl.enforced"].get(call.kind.name, []):
            if body.get(name) in (None, "", []):
                raise faults.null_column(call.kind.table, name.lower())
        rule(call.store, call.inferred, body, own)


def _duplicate(call: Call) -> faults.AxlFault:
    if call.kind.name == "RoutePattern":
        return faults.inferred(call.inferred, "axl.duplicate_pattern")
    return faults.duplicate()


def _remove(call: Call) -> str:
    record = _key(call, "remove")
    try:
        call.store.remove(record)
    except InUse as use:
        field, user = use.referrers[0]
        table = KINDS[user.kind].table if user.kind in KINDS else user.kind.lower()
        constraint = f"fk_{table}_{field.lower()}"
        raise faults.inferred(call.inferred, "axl.still_referenced", constraint=constraint) from None
    return braces(record.pkid)


def _take_into_use(call: Call) -> str:
    record = _key(call, "update")
    call.store.apply(trunks_of(call.store, record))
    return braces(record.pkid)


# -- reads --------------------------------------------------------------------------------------------


def _tags(element: Element) -> Tags:
    return {local(child): _tags(child) if children(child) else None for child in children(element)}


def _get(call: Call) -> str:
    record = _key(call, "get")
    wanted = call.child("returnedTags")
    tags = _tags(wanted) if wanted is not None and children(wanted) else None
    return Writer(call.store, call.number).object(call.kind, record, lambda field: field.get, tags)


def _list(call: Call) -> str:
    kind = call.kind
    criteria = call.child("searchCriteria")
    wanted = call.child("returnedTags")
    given = [] if criteria is None else children(criteria)
    searched: dict[str, str] = {local(child): text(child) for child in given if local(child) in kind.search}
    if not searched:
        call.deviations.append("searchCriteria without a field")
        searched = {kind.search[0]: "%"}
    tags = _tags(wanted) if wanted is not None else None
    records = _search(call, searched)
    total = len(records)
    skip, first = _number(call, "skip"), _number(call, "first")
    if first is not None:
        records = records[skip or 0 : (skip or 0) + first]
    writer = Writer(call.store, call.number)
    parts: list[str] = []
    size = 0
    for record in records:
        part = writer.object(kind, record, lambda field: field.listed, tags)
        parts.append(part)
        size += len(part)
    if size > READ_LIMIT:
        raise too_large(total, len(records), size)
    return "".join(parts)


def too_large(total: int, rows: int, size: int) -> faults.AxlFault:
    """The response would exceed 8 MB; the text says how many rows fit."""
    fits = max(1, rows * READ_LIMIT // size)
    return faults.AxlFault(
        -1, f"Query request too large. Total rows matched: {total} rows. Suggestive Row Fetch: less than {fits} rows"
    )


def _number(call: Call, name: str) -> int | None:
    element = call.child(name)
    if element is None or not text(element):
        return None
    try:
        return max(0, int(text(element)))
    except ValueError:
        raise faults.inferred(call.inferred, "axl.bad_value", field=name, value=text(element)) from None


def _search(call: Call, searched: dict[str, str]) -> list[Record]:
    kind, store = call.kind, call.store
    if "" in searched.values():
        # A search field sent empty matches nothing.
        return []
    searched = dict(searched)
    records = store.search(kind.name, searched.pop(kind.key, "%"))
    for name, pattern in searched.items():
        expression = like(pattern)
        records = [record for record in records if expression.fullmatch(_shown(store, record.body.get(name)))]
    return records


def _shown(store: ConfigStore, value: Any) -> str:
    value = store.resolved(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def like(pattern: str) -> re.Pattern[str]:
    """SQL's LIKE as a regular expression, without regard to case."""
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(char, re.escape(char)) for char in pattern), re.IGNORECASE | re.DOTALL)


_VERBS = {
    "add": _add, "update": _update, "get": _get, "list": _list, "remove": _remove,
    "reset": _take_into_use, "restart": _take_into_use, "apply": _take_into_use,
}  # fmt: skip
