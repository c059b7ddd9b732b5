# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""executeSQLQuery and executeSQLUpdate: the common part of Informix's dialect, over SQLite."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
#: a query that runs longer is cancelled, so that one request cannot block the whole lab
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


def _sql_fault(cluster: Cluster, error: Exception) -> AxlFault:
    text = str(error)
    table = re.search(r"no such table: (?:main\.)?(\w+)|access to (\w+)\.\w+ is prohibited", text)
    if table:
        return faults.inferred(cluster.lab.inferred, "axl.sql_no_table", missing=table[1] or table[2])
    column = re.search(r"no such column: (\S+)", text)
    if column:
        return AxlFault(-217, f"Column ({column[1]}) not found in any table in the query (or SLV is undefined).")
    return faults.inferred(cluster.lab.inferred, "axl.sql_syntax")


def is_query(sql: str) -> bool:
    """Whether a statement only reads."""
    return bool(_HEAD.match(sql))


@contextmanager
def _cursor(cluster: Cluster, sql: str) -> Iterator[tuple[list[str], sqlite3.Cursor]]:
    """The columns and rows of a query; AxlFault where the database refuses it."""
    if not is_query(sql):
        raise faults.inferred(cluster.lab.inferred, "axl.sql_syntax")
    connection = _connect(cluster)
    try:
        cursor = connection.execute(translate(sql))
        yield [_column(description[0]) for description in cursor.description], cursor
    except sqlite3.Error as error:
        raise _sql_fault(cluster, error) from None
    finally:
        connection.close()


def query(cluster: Cluster, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns and rows of a query, as the shell prints them."""
    with _cursor(cluster, sql.strip().rstrip(";")) as (names, cursor):
        return names, cursor.fetchall()


def _query(node: Node, request: Element, _unused: Version) -> str:
    with _cursor(node.cluster, _statement(request)) as (names, cursor):
        parts, total, size = _rows(names, cursor)
    if size > READ_LIMIT:
        raise too_large(total, len(parts), size)
    return "".join(parts)


def _rows(names: list[str], cursor: sqlite3.Cursor) -> tuple[list[str], int, int]:
    """The rows as XML, their number and size; beyond the limit they are only counted."""
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
    r"update\s+(?P<table>\w+)\s+set\s+(?P<column>\w+)\s*=\s*'(?P<value>(?:[^']|'')*)'\s+where\s+(?P<where>.+)",
    re.IGNORECASE | re.DOTALL,
)
#: (table, column) -> the element that holds it; the table's pkid is the object's
_WRITABLE = {
    ("processconfig", "paramvalue"): "value",
    **{
        (table, "description"): "description"
        for table in ("device", "numplan", "sipprofile", "sipsecurityprofile", "routepartition", "callingsearchspace")
    },
}
_SET = re.compile(r"\s*update\s+(\w+)\s+set\s+(\w+)", re.IGNORECASE)
_WRITES = re.compile(r"\s*(update|insert|delete)\b", re.IGNORECASE)


def update(cluster: Cluster, sql: str) -> int:
    """Carry out an UPDATE of a column that the lab can write; how many rows it changed.

    AxlFault: what is wrong with the statement, or that the lab does not emulate it.
    """
    if _BRACED.search(sql):
        raise AxlFault(-691, "Missing key in referenced table for referential constraint (informix.fk_device).")
    match = _UPDATE.fullmatch(sql.strip().rstrip(";"))
    field = match and _WRITABLE.get((match["table"].lower(), match["column"].lower()))
    if match is None or field is None:
        raise _not_carried_out(cluster, sql)
    with _cursor(cluster, f"select pkid from {match['table']} where {match['where']}") as (_unused, cursor):
        identities = [row[0] for row in cursor]
    for identity in identities:
        record = cluster.config.by_id(identity)
        if record is not None:
            record.body[field] = match["value"].replace("''", "'")
            cluster.config.replace(record, [field])
    return len(identities)


def _not_carried_out(cluster: Cluster, sql: str) -> AxlFault:
    """Why the database rejects a writing statement, or that it is valid and the lab does not emulate it."""
    if not _WRITES.match(sql):
        return faults.inferred(cluster.lab.inferred, "axl.sql_syntax")
    connection = _connect(cluster)
    connection.set_authorizer(None)
    try:
        connection.execute(f"EXPLAIN {sql}")
    except sqlite3.Error as error:
        if "because it is a view" not in str(error):
            return _sql_fault(cluster, error)
    finally:
        connection.close()
    # SQLite names a view before it looks at its columns.
    for table, column in _SET.findall(sql):
        with _cursor(cluster, f"select {column} from {table} limit 0"):
            pass
    return faults.inferred(cluster.lab.inferred, "axl.sql_not_emulated")


def _update(node: Node, request: Element, _unused: Version) -> str:
    return f"<rowsUpdated>{update(node.cluster, _statement(request))}</rowsUpdated>"


OPERATIONS = {
    "executeSQLQuery": Operation(_query),
    "executeSQLUpdate": Operation(_update, writes=True),
    "executeSQLQueryInactive": Operation(_query, since=(12, 5)),
}
