# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""executeSQLQuery and executeSQLUpdate: Informix's dialect, as far as it is used, over SQLite."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cryptography import x509

from . import account_tables, faults, views
from .faults import AxlFault
from .misc import Operation
from .operations import READ_LIMIT, too_large
from .render import escape
from .schema import Version
from .values import Element, children, local

if TYPE_CHECKING:
    from ...world import Cluster, Node

_HEAD = re.compile(r"\s*select\s+(?:skip\s+(\d+)\s+)?(?:first\s+(\d+)\s+)?", re.IGNORECASE)
_BRACED = re.compile(r"'\{[0-9A-Fa-f-]{36}\}'")
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_READABLE = {*views.VIEWS, *account_tables.NAMES, "json_each"}
#: a query that runs longer is ended, so that one request can't hold up the whole lab
STEPS = 1000


def _statement(request: Element) -> str:
    element = next((child for child in children(request) if local(child) == "sql"), None)
    return "" if element is None else (element.text or "").strip().rstrip(";")


def translate(sql: str) -> str:
    """SKIP n FIRST m becomes LIMIT m OFFSET n."""
    match = _HEAD.match(sql)
    if match is None:
        return sql
    skip, first = match[1], match[2]
    tail = f" LIMIT {first or -1} OFFSET {skip or 0}" if skip or first else ""
    return f"SELECT {sql[match.end() :]}{tail}"


def _authorize(action: int, table: str | None, _unused: str | None, __: str | None, view: str | None) -> int:
    if action not in _ALLOWED:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_READ and view is None and table not in _READABLE:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _connect(cluster: Cluster) -> sqlite3.Connection:
    views.create(cluster.db)
    connection = sqlite3.connect(f"file:{cluster.db.path}?mode=ro", uri=True)
    for name, part in _CERTIFICATE.items():
        connection.create_function(f"certificate_{name}", 1, part, deterministic=True)
    if cluster.lab.inferred["axl.sql_account_tables"]:
        account_tables.fill(connection, cluster.application_accounts.values())
    connection.set_authorizer(_authorize)
    budget = [STEPS]

    def tick() -> int:
        budget[0] -= 1
        return int(budget[0] < 0)

    connection.set_progress_handler(tick, 10_000)
    return connection


def _certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


_CERTIFICATE: dict[str, Callable[[str], str]] = {
    "subject": lambda pem: _certificate(pem).subject.rfc4514_string(),
    "issuer": lambda pem: _certificate(pem).issuer.rfc4514_string(),
    "serial": lambda pem: f"{_certificate(pem).serial_number:x}",
    "until": lambda pem: _certificate(pem).not_valid_after_utc.isoformat(),
}


def _sql_fault(node: Node, error: Exception) -> AxlFault:
    text = str(error)
    table = re.search(r"no such table: (?:main\.)?(\w+)|access to (\w+)\.\w+ is prohibited", text)
    if table:
        return faults.inferred(node.cluster.lab.inferred, "axl.sql_no_table", missing=table[1] or table[2])
    column = re.search(r"no such column: (\S+)", text)
    if column:
        return AxlFault(-217, f"Column ({column[1]}) not found in any table in the query (or SLV is undefined).")
    return faults.inferred(node.cluster.lab.inferred, "axl.sql_syntax")


def _query(node: Node, request: Element, _unused: Version) -> str:
    sql = _statement(request)
    if not _HEAD.match(sql):
        raise faults.inferred(node.cluster.lab.inferred, "axl.sql_syntax")
    connection = _connect(node.cluster)
    try:
        cursor = connection.execute(translate(sql))
        names = [_column(description[0]) for description in cursor.description]
        parts, total, size = _rows(names, cursor)
    except sqlite3.Error as error:
        raise _sql_fault(node, error) from None
    finally:
        connection.close()
    if size > READ_LIMIT:
        raise too_large(total, len(parts), size)
    return "".join(parts)


def _rows(names: list[str], cursor: sqlite3.Cursor) -> tuple[list[str], int, int]:
    """The rows as XML, their number and size; past the limit they are counted and no longer kept."""
    parts: list[str] = []
    total = size = 0
    for row in cursor:
        total += 1
        if size <= READ_LIMIT:
            parts.append(f"<row>{''.join(map(_cell, names, row))}</row>")
            size += len(parts[-1])
    return parts, total, size


def _column(name: str) -> str:
    """A column's name as an element: Informix names an expression by its function."""
    bare = re.sub(r"\(.*", "", name.rsplit(".", 1)[-1]).lower()
    return bare if re.fullmatch(r"[a-z_][\w-]*", bare) else "expression"


def _cell(name: str, value: Any) -> str:
    return f"<{name}/>" if value is None else f"<{name}>{escape(str(value))}</{name}>"


_UPDATE = re.compile(
    r"update\s+processconfig\s+set\s+paramvalue\s*=\s*'([^']*)'\s+where\s+paramname\s*=\s*'([^']*)'", re.IGNORECASE
)


def _update(node: Node, request: Element, _unused: Version) -> str:
    """Service parameters alone can be changed by SQL here; everything else is refused as bad SQL."""
    sql = _statement(request)
    if _BRACED.search(sql):
        raise AxlFault(-691, "Missing key in referenced table for referential constraint (informix.fk_device).")
    match = _UPDATE.fullmatch(sql)
    if match is None:
        raise faults.inferred(node.cluster.lab.inferred, "axl.sql_syntax")
    store = node.cluster.config
    rows = store.search("ServiceParameter", match[2])
    for record in rows:
        record.body["value"] = match[1]
        store.replace(record, ["value"])
    return f"<rowsUpdated>{len(rows)}</rowsUpdated>"


OPERATIONS = {
    "executeSQLQuery": Operation(_query),
    "executeSQLUpdate": Operation(_update, writes=True),
    "executeSQLQueryInactive": Operation(_query, since=(12, 5)),
}
