# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects in three forms, and the conversions between them: the user's options, AXL's elements, CUCM's responses.

The form to compare in is the options': booleans and whole numbers as such, an empty setting as "", references by name,
lists in the order of their order option.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl import soap
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Field, flat, rows_for, rows_of

UUID = re.compile(r"\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?")
TRUE, FALSE = ("true", "t", "1"), ("false", "f", "0")
_NAMES = re.compile(r"[\s,;:]+")


class Named(str):
    """A reference's name, which remembers the uuid that CUCM gave with it."""

    uuid: str = ""


def braced(uuid: str) -> str:
    """A uuid as AXL writes it: upper case, in braces."""
    return "{" + uuid.strip("{}").upper() + "}" if uuid else ""


def names(text: Any) -> list[str]:
    """The subject names of a profile; CUCM separates them by space, comma, semicolon or colon."""
    parts = text if isinstance(text, list) else [text or ""]
    return [name for part in parts for name in _NAMES.split(str(part)) if name]


def scalar(row: Field, value: Any) -> Any:
    """One value of the user or of CUCM in the form to compare in."""
    if row.many:
        return names(value)
    if row.base == "FK":
        return _reference(value)
    text = "" if value is None else str(value).strip() if not isinstance(value, bool) else str(value).lower()
    if row.base == "bool":
        return True if text.lower() in TRUE else False if text.lower() in FALSE else ""
    if row.base == "int":
        return int(text) if re.fullmatch(r"[+-]?\d+", text) else text
    if row.literals and {"On", "Off"} & set(row.literals):
        # An unquoted On or Off is a boolean in YAML and arrives as True or False.
        return {"true": "On", "false": "Off"}.get(text.lower(), text)
    return "" if value is None else str(value)


def _reference(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    name = Named(value.text or "")
    name.uuid = braced(value.get("uuid") or "")
    return name


def read(rows: tuple[Field, ...], element: Any, version: str) -> dict[str, Any]:
    """What CUCM returned, an element or None, in the form to compare in; every row that a get of this release has."""
    found: dict[str, Any] = {}
    elements = soap.children(element) if element is not None else {}
    for row in rows_of(rows, version, "get"):
        inner = elements.get(row.axl)
        if row.flat:
            found.update(read(row.kids, inner, version))
        elif row.each:
            entries = [read(row.kids, entry, version) for entry in soap.each(inner, row.each)]
            found[row.option] = sorted(entries, key=lambda entry: _place(entry, row.order))
        elif row.kids:
            found[row.option] = read(row.kids, inner, version)
        else:
            found[row.option] = scalar(row, inner if inner is None or row.base == "FK" else inner.text)
    return found


def _place(entry: Mapping[str, Any], order: str) -> int:
    place = entry.get(order)
    return place if isinstance(place, int) else 0


def wanted(rows: tuple[Field, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """The user's options in the form to compare in, without those that were left out (None)."""
    found: dict[str, Any] = {}
    for row in rows_for(rows, given):
        value = given[row.option]
        if value is None:
            continue
        if row.each:
            entries = [wanted(row.kids, entry) for entry in value]
            for place, entry in enumerate(entries, 1):
                _by_family(row, entry)
                if row.order and not row.delta:
                    entry.setdefault(row.order, place)
            found[row.option] = sorted(entries, key=lambda entry: _place(entry, row.order))
        elif row.kids:
            found[row.option] = wanted(row.kids, value)
        else:
            found[row.option] = scalar(row, value)
    return found


def _by_family(row: Field, entry: dict[str, Any]) -> None:
    """CUCM has an element of its own for an IPv6 address, which may be given as address."""
    if row.each == "destination" and ":" in entry.get("address", "") and not entry.get("address_ipv6"):
        entry["address_ipv6"] = entry.pop("address").strip("[]")


def same(row: Field, given: Any, current: Any) -> bool:
    """True when CUCM already has what the user wants."""
    if row.each:
        return len(given) == len(current or []) and all(
            holds(row.kids, mine, theirs) for mine, theirs in zip(given, current, strict=True)
        )
    if row.kids:
        return holds(row.kids, given, current or {})
    if row.many:
        return set(given) == set(current or [])
    if row.base == "FK":
        if given and UUID.fullmatch(given):
            return braced(given) == getattr(current, "uuid", "")
        # Whether references in CUCM are case-sensitive is not known; it returns the object's own spelling.
        return str(given).casefold() == str(current or "").casefold()
    if row.option in ("address", "address_ipv6"):
        return str(given).casefold() == str(current or "").casefold()
    return bool(given == ("" if current is None else current))


def holds(rows: tuple[Field, ...], given: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    """True when an entry of CUCM has every value that the user gave for it."""
    return all(same(row, given[row.option], current.get(row.option)) for row in rows_for(rows, given))


def differing(rows: tuple[Field, ...], given: Mapping[str, Any], current: Mapping[str, Any]) -> list[Field]:
    """The rows in which CUCM differs from what was asked for."""
    return [
        row
        for row in rows_for(rows, given)
        if not row.delta and not same(row, given[row.option], current.get(row.option))
    ]


def delta_list(row: Field, given: Mapping[str, Any], current: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The list that adding and removing entries leads to; an added entry that is there already changes nothing."""

    def matches(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
        keys = [kid for kid in flat(row.kids) if kid.option in row.identity and kid.option in mine]
        return bool(keys) and all(same(kid, mine[kid.option], theirs.get(kid.option)) for kid in keys)

    gone = given.get(f"remove_{row.option}") or []
    left = [entry for entry in current if not any(matches(out, entry) for out in gone)]
    for new in given.get(f"add_{row.option}") or []:
        if not any(matches(new, entry) for entry in left):
            last = max((_place(entry, row.order) for entry in left), default=0)
            left.append({**new, row.order: new.get(row.order) or last + 1})
    return sorted(left, key=lambda entry: _place(entry, row.order))


def completed(row: Field, given: Any, current: Any) -> Any:
    """A group or list as it has to be sent whole: what the user left out keeps the value that it has on CUCM."""
    if row.each:
        return [_completed_entry(row, entry, current or []) for entry in given]
    if row.choice:
        return dict(given)
    kept = {kid.option: value for kid in flat(row.kids) if (value := (current or {}).get(kid.option, "")) != ""}
    return {**kept, **given}


def _completed_entry(row: Field, entry: Mapping[str, Any], current: list[dict[str, Any]]) -> dict[str, Any]:
    tells = [kid for kid in flat(row.kids) if kid.option in row.identity and kid.option in entry]
    for other in current:
        if tells and all(same(kid, entry[kid.option], other.get(kid.option)) for kid in tells):
            kids = {kid.option for kid in flat(row.kids) if kid.writable}
            return {**{key: value for key, value in other.items() if key in kids and value != ""}, **entry}
    return dict(entry)


def send(rows: tuple[Field, ...], values: Mapping[str, Any], version: str, operation: str) -> dict[str, Any]:
    """Values as AXL's elements for zeep; only what is there and what the release and operation have."""
    return dict(_elements(rows, values, version, operation))


def _elements(
    rows: tuple[Field, ...], values: Mapping[str, Any], version: str, operation: str
) -> Iterator[tuple[str, Any]]:
    for row in rows:
        if not row.at(version) or not row.takes(operation):
            continue
        if row.flat:
            inner = send(row.kids, values, version, operation)
            if row.choice:
                inner = {name: value for name, value in inner.items() if value.get("_value_1") or value.get("uuid")}
            if inner:
                yield row.axl, inner
        elif row.option not in values:
            continue
        elif row.each:
            entries = [_entry(row, entry, version, operation) for entry in values[row.option]]
            yield row.axl, {row.each: entries}
        elif row.kids:
            yield row.axl, send(row.kids, values[row.option], version, operation)
        else:
            yield row.axl, wire(row, values[row.option])


def _entry(row: Field, entry: Mapping[str, Any], version: str, operation: str) -> dict[str, Any]:
    """One entry of a list, with what the schema requires where the user gave nothing."""
    births = {kid.option: kid.birth for kid in flat(row.kids) if kid.required and kid.birth is not None}
    return send(row.kids, {**births, **entry}, version, operation)


def wire(row: Field, value: Any) -> Any:
    """One value as zeep takes it; an empty one clears the setting, by nil where an empty text would not."""
    if row.base == "FK":
        if value and UUID.fullmatch(value):
            return {"uuid": braced(value)}
        return {"_value_1": str(value)}
    if row.many:
        return ",".join(value)
    if row.base == "bool":
        return value if isinstance(value, bool) else scalar(row, value)
    if value == "" and row.nil and row.base == "int":
        from zeep.xsd import Nil

        return Nil
    return str(value)


def plain(value: Any) -> Any:
    """A copy of plain types for results: no subclass of str, nothing shared."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return str(value) if isinstance(value, str) else value
