# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Request elements to stored values. As lenient as CUCM: unknown elements are ignored, in any order."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeAlias

from lxml import etree

from ...config import ConfigStore, reference
from ...inferred import Inferred
from . import faults
from .literals import LITERALS
from .schema import CHOICES, Field, target

NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_BOOLEANS = {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False}
Element: TypeAlias = etree._Element


def local(element: Element) -> str:
    """The element's name without its namespace."""
    return str(etree.QName(element).localname)


def children(element: Element) -> list[Element]:
    """Its child elements, comments left out."""
    return [child for child in element if isinstance(child.tag, str)]


def text(element: Element) -> str:
    """Its text, stripped."""
    return str(element.text or "").strip()


class Reader:
    """Reads one request's elements for one cluster's store; collects what the schema would refuse."""

    def __init__(self, store: ConfigStore, inferred: Inferred) -> None:
        self._store = store
        self._inferred = inferred
        self.deviations: list[str] = []

    def fields(
        self, element: Element, fields: tuple[Field, ...], wanted: Callable[[Field], str], choice: bool = False
    ) -> dict[str, Any]:
        """The values of an element's children; `wanted` gives a field's need in this operation.

        With `choice`, the schema requires one of the children, not all that it calls required.
        """
        known = {field.name: field for field in fields if wanted(field) != "-"}
        order = {name: place for place, name in enumerate(known)}
        values: dict[str, Any] = {}
        last = -1
        for child in children(element):
            name = local(child)
            if name not in known:
                self.deviations.append(f"unknown element {name}")
                continue
            if order[name] < last:
                self.deviations.append(f"{name} out of order")
            last = order[name]
            values[name] = self.value(known[name], child)
        for name, field in known.items():
            if wanted(field) == "R" and name not in values and not choice:
                self.deviations.append(f"missing element {name}")
        return values

    def value(self, field: Field, element: Element) -> Any:
        """One field's value: see `config` for the types."""
        if field.type == "fk":
            return self.reference(field.name, element)
        if field.items is not None:
            return self.items(field.items, element)
        if field.type == "group":
            return self._group(field, element)
        if field.type == "xml":
            return _markup(element)
        raw = text(element)
        if element.get(NIL) in ("true", "1"):
            raw = ""
        if field.type == "bool":
            return self._boolean(field, raw)
        if field.type in ("int", "uint", "digits"):
            return self._integer(field, raw)
        if field.limit is not None and len(raw) > field.limit:
            raise faults.inferred(self._inferred, "axl.too_long", field=field.name, limit=field.limit)
        if raw and field.type in LITERALS and raw not in LITERALS[field.type]:
            raise faults.inferred(self._inferred, "axl.bad_literal", field=field.name, value=raw)
        return raw

    def items(self, item: Field, element: Element) -> list[Any]:
        """The repeated children of a group: texts, or groups each with a uuid of its own."""
        found = [child for child in children(element) if local(child) == item.name]
        return [self.item(item, child) if item.children else text(child) for child in found]

    def item(self, item: Field, element: Element) -> dict[str, Any]:
        """One repeated child with its defaults."""
        values = self.fields(element, item.children, lambda field: field.add)
        return {"_uuid": str(uuid.uuid4()), **defaults(item.children), **values}

    def _group(self, field: Field, element: Element) -> dict[str, Any] | None:
        if not children(element):
            return None
        choice = field.name in CHOICES
        values = self.fields(element, field.children, lambda c: c.add if c.add != "-" else c.update, choice)
        return {**{child.name: None for child in field.children}, **values}

    def reference(self, name: str, element: Element) -> dict[str, str] | None:
        """A reference by text or by the attribute uuid; empty or nil clears it."""
        kind = target(name)
        identity = (element.get("uuid") or "").strip()
        raw = text(element)
        if identity:
            record = self._store.by_id(identity)
            if record is None or record.kind != kind:
                raise faults.not_found(kind)
            return reference(record)
        if not raw or element.get(NIL) in ("true", "1"):
            return None
        record = self._store.record(kind, raw)
        if record is None and not self._inferred["axl.names_case_sensitive"]:
            record = next((r for r in self._store.records(kind) if r.name.lower() == raw.lower()), None)
        if record is None:
            raise faults.not_found(kind)
        return reference(record)

    def _boolean(self, field: Field, raw: str) -> bool | None:
        if raw not in _BOOLEANS:
            self.deviations.append(f"{field.name}: {raw!r} is not an AXL boolean")
        if raw == "":
            return None
        if raw.lower() not in _BOOLEANS:
            raise faults.inferred(self._inferred, "axl.bad_value", field=field.name, value=raw)
        return _BOOLEANS[raw.lower()]

    def _integer(self, field: Field, raw: str) -> int | None:
        if raw == "":
            return None
        try:
            return int(raw)
        except ValueError:
            raise faults.inferred(self._inferred, "axl.bad_value", field=field.name, value=raw) from None


def _markup(element: Element) -> str:
    """The children of an element as XML, without the namespaces around them."""
    copies = [etree.fromstring(etree.tostring(child, with_tail=False)) for child in children(element)]
    for copy in copies:
        etree.cleanup_namespaces(copy)
    return "".join(etree.tostring(copy, encoding="unicode") for copy in copies)


def default(field: Field) -> Any:
    """The database's value of a field that an add leaves out."""
    if field.items is not None:
        return []
    if field.type == "bool":
        return field.default == "true"
    if field.type in ("int", "uint", "digits"):
        return int(field.default) if field.default else None
    return None if field.type in ("fk", "group") else field.default


def defaults(fields: tuple[Field, ...]) -> dict[str, Any]:
    """The defaults of all fields that an object stores."""
    return {field.name: default(field) for field in fields if field.get or field.listed}
