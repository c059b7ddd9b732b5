# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One SQLite file per cluster: the state of all its nodes. Each package creates its own tables."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Database:
    """A SQLite connection that threads share behind one lock.

    `transaction()` groups writes: all of them are kept, or none if the block raises. An `execute` outside of it is a
    transaction of its own. Blocks nest; the outermost one commits.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = threading.RLock()
        self._depth = 0
        self.connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        # The certificate stores keep private keys here; SQLite gives its log files the same mode.
        self.path.chmod(0o600)
        # NORMAL with WAL survives the end of the process; only a power cut could lose the last writes.
        self.connection.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-2000;"
        )
        self.schema("CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)")

    def schema(self, script: str) -> None:
        """Run DDL. It runs at every start, so it needs IF NOT EXISTS."""
        with self._lock:
            self.connection.executescript(script)

    def execute(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        """Run one statement; its rows."""
        with self._lock:
            return self.connection.execute(sql, parameters).fetchall()

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for many rows, in one transaction."""
        with self.transaction():
            self.connection.executemany(sql, rows)

    def one(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Row | None:
        """The first row, or None."""
        with self._lock:
            row: sqlite3.Row | None = self.connection.execute(sql, parameters).fetchone()
            return row

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all writes of the block, or none."""
        with self._lock:
            self._depth += 1
            try:
                if self._depth == 1:
                    self.connection.execute("BEGIN IMMEDIATE")
                yield
            except BaseException:
                if self._depth == 1:
                    self.connection.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self.connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def setting(self, name: str) -> str | None:
        """A stored value, or None."""
        row = self.one("SELECT value FROM setting WHERE name = ?", (name,))
        return None if row is None else str(row["value"])

    def set_setting(self, name: str, value: str | None) -> None:
        """Store a value; None deletes it."""
        if value is None:
            self.execute("DELETE FROM setting WHERE name = ?", (name,))
        else:
            self.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Fold the write-ahead log back into the file and close."""
        with self._lock:
            self.connection.close()
