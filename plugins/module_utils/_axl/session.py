# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One task's view of a cluster: objects read once, references looked up once, what check mode takes as given.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Resource
from ansible_collections.siptls.cucm.plugins.module_utils._axl.soap import text
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import BY_KIND, NAMED
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk import SIP_TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._axl.validation import name_of
from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import UUID, braced, read


@dataclass(frozen=True)
class Found:
    """An object as CUCM has it, in the options' form, with its UUID as AXL writes it."""

    values: dict[str, Any]
    uuid: str


def key_body(resource: Resource, values: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The key of get, update and remove."""
    first = str(values.get(resource.first) or "")
    if UUID.fullmatch(first):
        return {"uuid": braced(first)}
    body: dict[str, Any] = {}
    for option in resource.key:
        row = resource.field(option, version)
        text = str(values.get(option) or "")
        body[row.axl] = {"_value_1": text} if row.base == "FK" else text
    return body


@dataclass
class Session:
    """A client that remembers what it read."""

    client: AxlClient
    check_mode: bool = False
    planned: set[tuple[str, str]] = field(default_factory=set)  # (kind, name) that this task makes
    assumes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _known: dict[tuple[str, str], bool] = field(default_factory=dict)
    _listed: dict[str, list[Found]] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The AXL version that is spoken."""
        return self.client.version

    def fetch(self, resource: Resource, values: Mapping[str, Any]) -> Found | None:
        """The object with this key as it is now, or None."""
        key = key_body(resource, values, self.version)
        answer = self.client.get(resource.kind, resource.wrapper, key, name_of(resource, values))
        if answer is None:
            return None
        return Found(read(resource.fields, answer, self.version), braced(answer.get("uuid") or ""))

    def listed(self, resource: Resource, tags: Iterable[str], **search: str) -> list[Found]:
        """All objects of a kind, or those that the search (AXL names) finds, with these options only; read once."""
        wanted = tuple(tags)
        memory = f"{resource.kind} {wanted} {sorted(search.items())}"
        if memory not in self._listed:
            rows = tuple(row for row in resource.rows(self.version, "list") if row.option in wanted)
            elements = [row.axl for row in rows]
            first = resource.field(resource.first, self.version).axl
            objects = self.client.listing(resource.kind, resource.wrapper, search or {first: "%"}, elements)
            self._listed[memory] = [
                Found(read(rows, item, self.version), braced(item.get("uuid") or "")) for item in objects
            ]
        return self._listed[memory]

    def forget(self) -> None:
        """Drop what was read: something has been written."""
        self._listed.clear()

    def missing(self, references: Iterable[tuple[str, str, str]]) -> list[str]:
        """Sentences about references (kind, name, where) to objects that CUCM does not have.

        Kinds that this collection makes count as made when this task makes them, and in check mode always.
        """
        asked = {(kind, name) for kind, name, _where in references if not self._remembers(kind, name)}
        for pair, there in self.client.side_by_side(lambda pair: (pair, self.exists(*pair)), sorted(asked)):
            self._known[pair] = there
        problems = []
        for kind, name, where in references:
            if (kind, name.casefold()) in self.planned or self._known[kind, name]:
                continue
            noun = NAMED[kind].noun
            if kind in BY_KIND and self.check_mode:
                given = f"{noun} {name}"
                self.assumes += [given] if given not in self.assumes else []
                continue
            problems.append(
                f"{where} names the {noun} {name!r}, which does not exist on {self.client.host}. Make it first, or "
                "correct the name."
            )
        return problems

    def _remembers(self, kind: str, name: str) -> bool:
        return (kind, name) in self._known or (kind, name.casefold()) in self.planned

    def exists(self, kind: str, name: str) -> bool:
        """True when CUCM has an object of this kind and name, or uuid."""
        row, wrapper = NAMED[kind], NAMED[kind].element(kind)
        if row.listed and not UUID.fullmatch(name):
            # The search is by SQL's LIKE, in which _ and % stand for other characters.
            found = self.client.listing(kind, wrapper, {row.name: name}, (row.name,))
            return any(text(element, row.name).casefold() == name.casefold() for element in found)
        key = {"uuid": braced(name)} if UUID.fullmatch(name) else {row.name: name}
        if self.client.get(kind, wrapper, key, name) is not None:
            return True
        return kind == SIP_TRUNK.kind and self.other_device(name)

    def other_device(self, name: str) -> bool:
        """True when a gateway or trunk of another kind has the name."""
        quoted = name.replace("'", "''")
        try:
            return bool(self.client.sql(f"select name from device where name='{quoted}'"))
        except AxlFault:
            # Without the right to query, CUCM itself has to check the name when it is written.
            return not self.check_mode
