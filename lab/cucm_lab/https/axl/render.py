# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored values to response elements, in the order and types of the requested version's schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape as _escape

from ...config import REFERENCE, ConfigStore, Record
from .schema import CHOICES, Field, Kind, Version

#: the returnedTags of a request: None for all, else {name: tags of its children or None}
Tags = dict[str, Any] | None


def escape(value: str) -> str:
    """Text for an element or an attribute; characters that XML can't hold are dropped."""
    clean = "".join(c for c in value if c >= " " or c in "\t\n\r")
    return _escape(clean, {'"': "&quot;"})


def braces(pkid: str) -> str:
    """A uuid as AXL shows it."""
    return "{" + pkid.upper() + "}"


def _identity(item: Field, entry: dict[str, Any]) -> str:
    return f' uuid="{braces(entry["_uuid"])}"' if item.type == "list" else ""


class Writer:
    """Writes objects of one version, from one store."""

    def __init__(self, store: ConfigStore, number: Version) -> None:
        self._store = store
        self._number = number

    def object(self, kind: Kind, record: Record, shown: Callable[[Field], bool], tags: Tags) -> str:
        """<element uuid="{...}">...</element>"""
        identity = f' ctiid="{record.body["_ctiid"]}"' if "_ctiid" in record.body else ""
        inner = self._fields(kind.at(self._number), record.body, shown, tags)
        return f'<{kind.element}{identity} uuid="{record.uuid}">{inner}</{kind.element}>'

    def _fields(
        self, fields: tuple[Field, ...], body: dict[str, Any], shown: Callable[[Field], bool], tags: Tags
    ) -> str:
        return "".join(
            self._field(field, body.get(field.name), shown, tags[field.name] if tags else None)
            for field in fields
            if shown(field) and (tags is None or field.name in tags)
        )

    def _field(self, field: Field, value: Any, shown: Callable[[Field], bool], tags: Tags) -> str:
        name = field.name
        if field.type == "fk":
            return self._reference(name, value)
        item = field.items
        if item is not None:
            return self._list(name, item, value or [], shown, (tags or {}).get(item.name))
        if field.type == "group":
            return self._group(field, value, shown, tags)
        if field.type == "bool":
            return f"<{name}>{'true' if value else 'false'}</{name}>"
        if field.type in ("uint", "XMacAddress") and value in (None, ""):
            return ""
        if value is None or value == "":
            return f"<{name}/>"
        if field.type == "xml":
            return f"<{name}>{value}</{name}>"
        attribute = f' enable="{"false" if value == 99 else "true"}"' if field.type == "digits" else ""
        return f"<{name}{attribute}>{escape(str(value))}</{name}>"

    def _reference(self, name: str, value: Any) -> str:
        if not value:
            return f"<{name}/>"
        pkid = value[REFERENCE]
        return f'<{name} uuid="{braces(pkid)}">{escape(self._store.name_of(pkid) or "")}</{name}>'

    def _list(self, name: str, item: Field, entries: list[Any], shown: Callable[[Field], bool], tags: Tags) -> str:
        if not item.children:
            return f"<{name}>{''.join(f'<{item.name}>{escape(text)}</{item.name}>' for text in entries)}</{name}>"
        inner = "".join(
            f"<{item.name}{_identity(item, entry)}>{self._fields(item.children, entry, shown, tags)}</{item.name}>"
            for entry in entries
        )
        return f"<{name}>{inner}</{name}>"

    def _group(self, field: Field, value: Any, shown: Callable[[Field], bool], tags: Tags) -> str:
        if not value and not field.children[0].get:
            return f"<{field.name}/>"
        children = field.children
        if field.name in CHOICES:
            chosen = next((c for c in children if (value or {}).get(c.name) not in (None, False, "")), children[0])
            children, tags = (chosen,), None
        return f"<{field.name}>{self._fields(children, value or {}, shown, tags)}</{field.name}>"
