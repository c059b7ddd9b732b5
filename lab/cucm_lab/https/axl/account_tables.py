# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of application users, their groups and roles, for queries: the roles of each user are one group's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...scenario import Account

_TABLES = {
    "applicationuser": ("pkid", "name"),
    "enduser": ("pkid", "userid"),
    "dirgroup": ("pkid", "name"),
    "functionrole": ("pkid", "name"),
    "applicationuserdirgroupmap": ("fkapplicationuser", "fkdirgroup"),
    "enduserdirgroupmap": ("fkenduser", "fkdirgroup"),
    "functionroledirgroupmap": ("fkfunctionrole", "fkdirgroup"),
}
NAMES = frozenset(_TABLES)


def fill(connection: sqlite3.Connection, accounts: Iterable[Account]) -> None:
    """Put the accounts into temporary tables of a connection that is otherwise read-only."""
    known = list(accounts)
    rows: dict[str, list[tuple[str, str]]] = {name: [] for name in _TABLES}
    for account in known:
        user, group = f"user-{account.username}", f"group-{account.username}"
        rows["applicationuser"].append((user, account.username))
        rows["dirgroup"].append((group, f"Users like {account.username}"))
        rows["applicationuserdirgroupmap"].append((user, group))
        rows["applicationuserdirgroupmap"] += [(user, f"group:{name}") for name in account.groups]
        rows["functionroledirgroupmap"] += [(f"role-{role}", group) for role in account.roles]
    rows["dirgroup"] += [(f"group:{name}", name) for name in sorted({g for account in known for g in account.groups})]
    rows["functionrole"] = [(f"role-{role}", role) for role in sorted({r for account in known for r in account.roles})]
    for name, columns in _TABLES.items():
        connection.execute(f"CREATE TEMP TABLE {name} ({', '.join(columns)})")
        connection.executemany(f"INSERT INTO {name} VALUES (?, ?)", rows[name])
