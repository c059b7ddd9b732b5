# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done for one object: read, compare, decide; nothing is written here.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Field, Resource, flat
from ansible_collections.siptls.cucm.plugins.module_utils._axl.session import Found, Session
from ansible_collections.siptls.cucm.plugins.module_utils._axl.validation import name_of, needed_for_add
from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import (
    UUID,
    completed,
    delta_list,
    differing,
    scalar,
    send,
)


@dataclass
class Item:
    """One object of a task: what is desired, what CUCM has, and what follows."""

    resource: Resource
    desired: dict[str, Any]  # in the form to compare in, without renames
    state: str = "present"
    renames: dict[str, Any] = field(default_factory=dict)  # key option: its new value
    copy_from: str = ""
    purged: bool = False
    current: Found | None = None
    template: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    action: str = ""  # add, update, remove or nothing
    changes: list[Field] = field(default_factory=list)
    body: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The object in words."""
        return name_of(self.resource, self.desired)

    @property
    def final_key(self) -> dict[str, Any]:
        """The key that the object has in the end."""
        return {option: self.renames.get(option, self.desired.get(option, "")) for option in self.resource.key}

    @property
    def label(self) -> str:
        """The value that names the object in the end."""
        return str(self.final_key[self.resource.first])

    def only_asked(self, found: Found) -> Found:
        """The object reduced to the options that were asked for: all that is kept of an unchanged one among many."""
        asked = {*self.desired, *self.resource.key}
        return replace(found, values={option: value for option, value in found.values.items() if option in asked})

    @property
    def needs_reset(self) -> bool:
        """True when an object that was there before changes in a way that takes effect only with a reset."""
        return self.action == "update" and any(not row.quiet for row in self.changes)


def look_up(item: Item, session: Session) -> None:
    """Read the object, under its new name when the old one is gone, and the one that it is copied from."""
    resource = item.resource
    item.current = session.fetch(resource, item.desired)
    if item.renames and item.state == "present":
        renamed = session.fetch(resource, item.final_key)
        if renamed is not None and item.current is not None and renamed.uuid != item.current.uuid:
            new = name_of(resource, item.final_key)
            item.problems.append(f"{item.name} cannot be renamed: {new} exists already.")
        elif item.current is None:
            item.current = renamed
            item.desired.update(item.final_key)
            item.renames = {}
    if item.copy_from and item.current is None and item.state == "present":
        source = session.fetch(resource, {resource.first: item.copy_from})
        if source is None:
            item.problems.append(
                f"copy_from of {item.name} names the {resource.noun} {item.copy_from!r}, which does not exist on "
                f"{session.client.host}."
            )
        else:
            item.template = source.values


def decide(item: Item, session: Session) -> None:
    """Work out action, body and after."""
    if item.state == "absent":
        item.action = "remove" if item.current is not None else ""
    elif item.current is None:
        _decide_add(item, session.version)
    else:
        _decide_update(item, session.version)


def _decide_add(item: Item, version: str) -> None:
    resource = item.resource
    rows = tuple(resource.rows(version, "add"))
    births = {row.option: scalar(row, row.birth) for row in flat(rows) if row.birth is not None}
    copied = {
        row.option: item.template[row.option]
        for row in flat(rows)
        if item.template.get(row.option) not in (None, "", [], {}) and row.option not in resource.key
    }
    values = {**births, **copied, **item.desired}
    for row in flat(rows):
        if row.each:
            values[row.option] = completed(row, delta_list(row, item.desired, values.get(row.option) or []), [])
            if not values[row.option]:
                del values[row.option]
    if UUID.fullmatch(str(item.desired.get(resource.first))):
        item.problems.append(f"{item.name} does not exist, and a uuid is not a name for a new one.")
    missing = needed_for_add(resource, values, version)
    if missing:
        item.problems.append(f"{item.name} does not exist yet, and to make it {', '.join(missing)} must be given.")
    # CUCM has no object to rename: it is made under its final name.
    values.update(item.final_key)
    item.desired.update(item.final_key)
    item.renames = {}
    item.action = "add"
    item.body = {resource.wrapper: send(rows, values, version, "add")}
    shown = {row.option for row in flat(resource.fields) if not row.delta and row.at(version)}
    item.after = {option: value for option, value in values.items() if option in shown}


def _decide_update(item: Item, version: str) -> None:
    if item.current is None:
        raise AssertionError("only an object that exists is updated")
    resource, current = item.resource, item.current.values
    rows = tuple(row for row in resource.fields if row.at(version))
    desired = dict(item.desired)
    body = _list_changes(rows, desired, current)
    changes = [row for row in differing(rows, desired, current) if row.option not in resource.key]
    item.problems += _unchangeable(item.name, changes, desired, current)
    for row in changes:
        desired[row.option] = (
            completed(row, desired[row.option], current.get(row.option)) if row.kids else desired[row.option]
        )
        if not body.keys() & _delta_options(row):
            body[row.option] = desired[row.option]
    new = {key: value for key, value in item.renames.items() if value != current.get(key)}
    body.update({resource.new_key(key): value for key, value in new.items()})
    item.changes = changes + [resource.field(resource.new_key(key), version) for key in new]
    item.after = {
        **current,
        **{row.option: desired[row.option] for row in changes},
        **_other_choices(rows, changes, desired),
    }
    item.after.update(new)
    if item.changes:
        item.action = "update"
        item.body = send(rows, body, version, "update")


def _list_changes(rows: tuple[Field, ...], desired: dict[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """The entries to add to lists and to remove from them; desired gets the resulting lists."""
    body: dict[str, Any] = {}
    for row in flat(rows):
        if row.each and not row.delta and _delta_options(row) & desired.keys():
            entries = current.get(row.option) or []
            desired[row.option] = delta_list(row, desired, entries)
            body.update(_delta_body(row, entries, desired[row.option]))
    return body


def _delta_options(row: Field) -> set[str]:
    """The options that add entries to a list and remove some."""
    return {f"add_{row.option}", f"remove_{row.option}"}


def _unchangeable(
    name: str, changes: list[Field], desired: Mapping[str, Any], current: Mapping[str, Any]
) -> Iterator[str]:
    """A sentence for each option that an update cannot change."""
    for row in changes:
        if row.once or not row.takes("update"):
            yield (
                f"{row.option} of {name} is {current.get(row.option)!r} and cannot be changed to "
                f"{desired[row.option]!r}: CUCM sets it only when the object is made. Remove the object first."
            )


def _other_choices(rows: tuple[Field, ...], changes: list[Field], desired: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a choice after one of them was set: the others become empty."""
    changed = [row for row in rows if row.flat and row.choice and any(kid in changes for kid in row.kids)]
    return {kid.option: desired.get(kid.option, "") for row in changed for kid in row.kids}


def _delta_body(row: Field, have: list[dict[str, Any]], want: list[dict[str, Any]]) -> dict[str, Any]:
    """The entries to add and to remove, so that entries which others changed meanwhile are left alone."""
    parts = {
        f"remove_{row.option}": [entry for entry in have if entry not in want],
        f"add_{row.option}": [entry for entry in want if entry not in have],
    }
    writable = {kid.option for kid in flat(row.kids) if kid.writable}
    return {
        name: [{key: value for key, value in entry.items() if key in writable and value != ""} for entry in entries]
        for name, entries in parts.items()
        if entries
    }


def references(item: Item) -> Iterator[tuple[str, str, str]]:
    """Every object that the coming write refers to: kind, name, and where it is named."""
    if item.action not in ("add", "update"):
        return
    rows = item.changes if item.action == "update" else list(flat(item.resource.fields))
    for row in rows:
        key = row.option.removeprefix("new_") if row.option.startswith("new_") else row.option
        yield from _named(row, item.after.get(key), f"{row.option} of {item.name}")


def _named(row: Field, value: Any, where: str) -> Iterator[tuple[str, str, str]]:
    if row.each and not row.delta:
        for entry in value or []:
            for kid in flat(row.kids):
                yield from _named(kid, entry.get(kid.option), where)
    elif row.ref and value:
        yield row.ref, str(value), where


def stored_otherwise(item: Item, now: Found, version: str) -> list[str]:
    """The options that CUCM stored differently from what was asked."""
    rows = tuple(row for row in item.resource.fields if row.at(version) and row.takes("get"))
    asked = {option: value for option, value in item.desired.items() if option not in item.resource.key}
    return [row.option for row in differing(rows, asked, now.values)]
