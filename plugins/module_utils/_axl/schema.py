# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a row of a field table is, and what it says for a release.

Everything about an AXL object is said once, in a table of these rows: the option, the AXL element, its type, the
operations it takes part in, the releases that have it, its references, and the few rules of the server that belong to
one field. Argument specification, WSDL, request, comparison, diff and documentation are derived from the rows.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.literals import LITERALS

OPERATIONS = ("add", "update", "get", "list")
_LETTER = {"add": "a", "update": "u", "get": "g", "list": "l"}
_LENGTH = re.compile(r"(?:Unique)?(?:String|Name)(\d+)")


@cache
def number(version: str) -> tuple[int, int]:
    """An AXL version as numbers that compare: 10.5 comes after 9.1."""
    major, _dot, minor = version.partition(".")
    return int(major), int(minor or 0)


@dataclass(frozen=True, eq=False)
class Field:
    """One row: an element of an AXL object and the option that sets it.

    ops holds a letter for each operation with the element: a(dd), u(pdate), g(et), l(ist); a capital is required by
    the schema. type is the schema's; a later release's type follows as ";11.5:String75".
    """

    option: str
    axl: str
    type: str
    ops: str
    nil: bool = False  # nillable in add and update, so that it can be cleared even when it is no string
    default: str | None = None  # the schema's default for add
    send: str | None = None  # what we send in add if the user gives nothing and the schema requires a value
    since: str = ""  # first and last AXL version with the element; empty is unbounded
    until: str = ""
    ref: str = ""  # the kind of object that the name refers to
    fixed: bool = False  # always send, never an option
    once: bool = False  # an update carries the element, but CUCM does not change it
    quiet: bool = False  # a change takes effect without a reset of the trunk
    many: bool = False  # a string that is a set of names
    span: tuple[int, int] | None = None  # the numbers that CUCM takes, in addition to the default
    kids: tuple[Field, ...] = ()
    each: str = ""  # the element that is repeated inside of a list
    most: int = 0  # the most entries of a list
    order: str = ""  # the option that holds an entry's place in a list
    identity: tuple[str, ...] = ()  # the options that identify an entry of a list
    flat: bool = False  # the kids' options are on the same level as the group's neighbors
    choice: bool = False  # exactly one kid
    delta: str = ""  # adds to or removes from the list of this option

    def at(self, version: str) -> bool:
        """True when the release has the element."""
        if not self.since and not self.until:
            return True
        now = number(version)
        return not (self.since and now < number(self.since)) and not (self.until and now > number(self.until))

    def takes(self, operation: str) -> bool:
        """True when the operation's message has the element."""
        return _LETTER[operation] in self.ops.lower()

    @property
    def required(self) -> bool:
        """True when the schema demands the element in add."""
        return "A" in self.ops

    @property
    def writable(self) -> bool:
        """True when the user can set it."""
        return not self.fixed and (self.takes("add") or self.takes("update"))

    @property
    def birth(self) -> str | None:
        """What add sends if the user gives nothing; None leaves the element out."""
        return self.send if self.send is not None else (self.default if self.required else None)

    def type_at(self, version: str) -> str:
        """The schema's type in a release."""
        first, *later = self.type.split(";")
        for change in later:
            since, _colon, name = change.partition(":")
            if number(version) >= number(since):
                first = name
        return first

    @cached_property
    def base(self) -> str:
        """The type that determines the option: bool, int, group, FK or a string."""
        name = self.type.split(";")[0]
        return "int" if name in ("nonNegativeInteger", "XMOHAudioSourceId") else name

    @cached_property
    def literals(self) -> tuple[str, ...]:
        """The values that CUCM knows, or nothing when any text goes."""
        return LITERALS.get(self.base, ())

    def length(self, version: str) -> int | None:
        """The most characters in a release, or None."""
        match = _LENGTH.fullmatch(self.type_at(version))
        return int(match[1]) if match else None

    @property
    def releases(self) -> str:
        """The releases with the element, in words."""
        if self.since and self.until:
            return f"{self.since} to {self.until}"
        return f"{self.since} and later" if self.since else f"up to {self.until}" if self.until else "all"


@dataclass(frozen=True)
class UsedBy:
    """A kind of object that can use another one, and the SQL query that finds it.

    The query has the columns `name` and `uses`, of a route pattern also `partition`, `description` and `pkid`;
    `{names}` stands for the names of what is used. kind is the Resource.module of the user, or "device" for any other
    device.
    """

    kind: str
    query: str


@dataclass(frozen=True, eq=False)
class Resource:
    """A kind of AXL object: all that is known of it, and its rows."""

    kind: str  # as in addSipTrunk
    module: str  # as in cucm_sip_trunk; results, records and cucm_object_info name the kind by it
    wrapper: str  # as in <sipTrunk>
    noun: str  # as in a sentence
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ("name",)  # options; the first one names the object
    search: tuple[str, ...] = ("name",)  # AXL elements of searchCriteria that every release has
    name_syntax: str = ""  # what the server takes as a name, beyond the schema
    copies: bool = False  # copy_from starts from another object
    purges: tuple[str, ...] = ()  # the prefixes that the option purge takes
    trunk_option: str = ""  # the option of a SIP trunk that names this object; its changes require a reset of the trunk
    unlisted: frozenset[str] = frozenset()  # options that are in no list and come by a query (bulk.py)
    used_by: tuple[UsedBy, ...] = ()

    def rows(self, version: str, operation: str) -> tuple[Field, ...]:
        """The rows of one operation in one release, in the schema's order."""
        return rows_of(self.fields, version, operation)

    @cached_property
    def options(self) -> dict[str, Field]:
        """Every option by its name; an element that moved between releases counts once, in its latest place."""
        return {row.option: row for row in flat(self.fields) if row.writable}

    @cached_property
    def choices(self) -> tuple[Field, ...]:
        """The groups of options that exclude each other."""
        return tuple(group for group in self.fields if group.flat and group.choice)

    @cached_property
    def deltas(self) -> tuple[Field, ...]:
        """The options that add to a list or remove from it."""
        return tuple(row for row in flat(self.fields) if row.delta)

    @property
    def first(self) -> str:
        """The option that names the object."""
        return self.key[0]

    def new_key(self, option: str) -> str:
        """The option that renames a part of the key."""
        return f"new_{option}"

    def field(self, option: str, version: str | None = None) -> Field:
        """The row of an option, of the release when one is given."""
        return _field(self, option, version)


@cache
def _field(resource: Resource, option: str, version: str | None) -> Field:
    found = [row for row in flat(resource.fields) if row.option == option and (version is None or row.at(version))]
    if not found:
        raise KeyError(option)
    return found[-1]


@cache
def rows_of(rows: tuple[Field, ...], version: str, operation: str) -> tuple[Field, ...]:
    """Those of the rows that one operation has in one release."""
    return tuple(row for row in rows if row.at(version) and row.takes(operation))


@cache
def flat(rows: tuple[Field, ...]) -> tuple[Field, ...]:
    """The rows that are options: of a group that is not an option itself, its children."""
    found: list[Field] = []
    for row in rows:
        found += flat(row.kids) if row.flat else (row,)
    return tuple(found)


def rows_for(rows: tuple[Field, ...], options: Iterable[str]) -> tuple[Field, ...]:
    """The rows of these options, in the order of the table; an element that moved between releases has several."""
    return _rows_for(rows, tuple(options))


# A task may have thousands of objects, which all set the same few options.
@lru_cache(maxsize=1024)
def _rows_for(rows: tuple[Field, ...], options: tuple[str, ...]) -> tuple[Field, ...]:
    return tuple(row for row in flat(rows) if row.option in options)


def argument(row: Field) -> dict[str, Any]:
    """The argument specification of one row."""
    if row.base == "group":
        kids = {kid.option: argument(kid) for kid in flat(row.kids) if kid.writable}
        for kid in flat(row.kids):
            if kid.option in row.identity and len(row.identity) == 1:
                kids[kid.option]["required"] = True
        shape: dict[str, Any] = {"type": "list", "elements": "dict"} if row.each else {"type": "dict"}
        return {**shape, "options": kids}
    if row.many:
        return {"type": "list", "elements": "str"}
    if row.base == "bool":
        return {"type": "bool"}
    if row.base == "int" and not row.nil:
        return {"type": "int"}
    if row.literals and not {"On", "Off"} & set(row.literals):
        return {"type": "str", "choices": list(row.literals)}
    return {"type": "str"}


def arguments(resource: Resource) -> dict[str, dict[str, Any]]:
    """The argument specification of an object's own options."""
    return {option: argument(row) for option, row in resource.options.items()}
