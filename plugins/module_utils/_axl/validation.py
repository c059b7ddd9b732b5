# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the options of objects are valid: on any release, and on the cluster's release.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Field, Resource, flat, rows_for
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure

_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def refuse(problems: list[str]) -> None:
    """Raise one Failure with all problems, so that they can be corrected at once."""
    if problems:
        raise Failure(" ".join(problems), problems=problems)


def name_of(resource: Resource, values: Mapping[str, Any]) -> str:
    """An object in words: SIP trunk TLS-TO-B, route pattern 9898 in partition X."""
    words = f"{resource.noun} {values.get(resource.first)}"
    partition = values.get("partition") if "partition" in resource.key else None
    return f"{words} in partition {partition}" if partition else words


def key_of(resource: Resource, values: Mapping[str, Any]) -> tuple[str, ...]:
    """What identifies an object of a kind."""
    return tuple(str(values.get(option) or "").casefold() for option in resource.key)


def purge(prefixes: Mapping[str, str | None] | None) -> Iterator[str]:
    """Problems with the prefixes that limit a purge."""
    given = [text for text in (prefixes or {}).values() if text is not None]
    if prefixes is not None and (not given or not all(text.strip() for text in given)):
        yield "purge needs a prefix that is not empty, or it would remove everything."


def shape(resource: Resource, entries: list[dict[str, Any]]) -> Iterator[str]:
    """Every problem that the options have on any release."""
    keys = [key_of(resource, entry) for entry in entries]
    for key, count in Counter(keys).items():
        if count > 1:
            name = name_of(resource, entries[keys.index(key)])
            yield f"{name} is named {count} times in aggregate; once is enough."
    for entry in entries:
        yield from _names(resource, entry)
        name = name_of(resource, entry)
        for row in rows_for(resource.fields, entry):
            if row.writable:
                yield from _value(row, entry[row.option], f"{row.option} of {name}")
        yield from _exclusive(resource, entry, name)


def _names(resource: Resource, entry: Mapping[str, Any]) -> Iterator[str]:
    """Problems with the name of an object, and with its new one."""
    if not str(entry.get(resource.first) or "").strip():
        yield f"A {resource.noun} needs a {resource.first}."
    for option in (resource.first, resource.new_key(resource.first)):
        value = entry.get(option)
        if value and resource.name_syntax and not re.fullmatch(resource.name_syntax, value):
            yield (
                f"{option} {value!r} is not a name that CUCM takes for a {resource.noun}: "
                f"give 1 to 50 of the characters a-z, A-Z, 0-9, full stop, underscore and hyphen."
            )


def _exclusive(resource: Resource, entry: Mapping[str, Any], name: str) -> Iterator[str]:
    """Options that exclude each other: the parts of a choice, a whole list and the changes to it."""
    for group in resource.choices:
        both = [kid.option for kid in group.kids if entry.get(kid.option)]
        if len(both) > 1:
            yield f"{' and '.join(both)} of {name} exclude each other."
    for row in resource.deltas:
        if row.option in entry and row.delta in entry:
            yield f"{row.option} and {row.delta} of {name} exclude each other."


def _value(row: Field, value: Any, where: str) -> Iterator[str]:
    """Problems with one value of any type."""
    if row.each:
        yield from _entries(row, value, where)
    elif row.kids:
        yield from _group(row, value, where)
    elif isinstance(value, str) and _UNWRITABLE.search(value):
        yield f"{where} contains a control character, which XML cannot carry."
    elif value == "" and row.nil:
        return
    elif row.base == "int":
        yield from _number(row, value, where)
    elif row.literals and not row.many and value not in row.literals:
        yield f"{where} is {value!r}; CUCM knows {', '.join(row.literals)}."


def _group(row: Field, value: Mapping[str, Any], where: str) -> Iterator[str]:
    for kid in flat(row.kids):
        if kid.option in value:
            yield from _value(kid, value[kid.option], f"{kid.option} in {where}")
    missing = [kid.option for kid in flat(row.kids) if kid.required and kid.option not in value]
    if missing and value and not row.flat:
        yield f"{where} also needs {', '.join(missing)}."
    if row.choice and value.get("anonymous") and (value.get("number") or value.get("name")):
        yield f"{where}: anonymous excludes number and name."


def _number(row: Field, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, int):
        yield f"{where} is {value!r}, which is not a whole number."
    elif row.span and not row.span[0] <= value <= row.span[1] and str(value) != row.default:
        also = "" if row.default is None or int(row.default) <= row.span[1] else f" or {row.default}"
        yield f"{where} is {value}; CUCM takes {row.span[0]} to {row.span[1]}{also}."


def _entries(row: Field, entries: list[dict[str, Any]], where: str) -> Iterator[str]:
    if row.most and len(entries) > row.most:
        yield f"{where} has {len(entries)} entries; CUCM takes at most {row.most}."
    if not entries and row.required:
        yield f"{where} is empty; CUCM requires at least one entry."
    places = Counter(entry[row.order] for entry in entries if row.order in entry)
    for place, count in places.items():
        if count > 1:
            yield f"{where}: order {place} is given {count} times."
        if place < 1 and not row.delta:
            yield f"{where}: order {place} is below 1."
    for number, entry in enumerate(entries, 1):
        if row.identity and not any(entry.get(option) for option in row.identity if option != "port"):
            yield f"{where}: entry {number} names no {row.identity[0]}."
        for kid in flat(row.kids):
            if kid.option in entry:
                yield from _value(kid, entry[kid.option], f"{kid.option} of entry {number} in {where}")


def for_release(resource: Resource, entries: list[dict[str, Any]], version: str, release: str) -> Iterator[str]:
    """Every option and value that this release does not have or take."""
    for entry in entries:
        for option, value in entry.items():
            rows = [row for row in rows_for(resource.fields, (option,)) if row.writable]
            here = [row for row in rows if row.at(version)]
            if rows and not here:
                yield _unknown(option, rows, entry, resource, release)
            for row in here[:1]:
                yield from _lengths(row, value, version, f"{option} of {name_of(resource, entry)}")


def _unknown(option: str, rows: list[Field], entry: Mapping[str, Any], resource: Resource, release: str) -> str:
    needed = " or ".join(row.releases for row in rows)
    return (
        f"{option} of {name_of(resource, entry)} needs CUCM release {needed}; "
        f"this cluster has {release}. Leave the option out for this cluster."
    )


def _lengths(row: Field, value: Any, version: str, where: str) -> Iterator[str]:
    if row.each:
        for entry in value:
            yield from _lengths_of(row.kids, entry, version, where)
    elif row.kids:
        yield from _lengths_of(row.kids, value, version, where)
    else:
        most = row.length(version)
        text = ",".join(value) if isinstance(value, list) else str(value)
        if most is not None and len(text) > most:
            yield f"{where} has {len(text)} characters; CUCM release {version} takes at most {most}."
        if row.type_at(version) in ("Name", "Name128") and text and not re.fullmatch(r"[^\W\d][\w.-]*", text):
            yield f"{where} is {text!r}; release {version} takes no spaces and no leading digit there."


def _lengths_of(rows: tuple[Field, ...], values: Mapping[str, Any], version: str, where: str) -> Iterator[str]:
    for row in rows_for(rows, values):
        yield from _lengths(row, values[row.option], version, f"{row.option} in {where}")


def needed_for_add(resource: Resource, values: Mapping[str, Any], version: str) -> list[str]:
    """The options that CUCM requires to make the object and that are missing."""
    missing = []
    for row in resource.rows(version, "add"):
        if not row.required or row.birth is not None:
            continue
        if row.flat:
            if not any(values.get(kid.option) for kid in row.kids):
                missing.append(" or ".join(kid.option for kid in row.kids))
        elif values.get(row.option) in (None, "", []):
            missing.append(row.option)
    return missing
