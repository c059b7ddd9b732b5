# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of a cluster: the objects that AXL writes and call processing reads.

An object is a record (kind, name, scope, body). Its body is a dict with AXL's element names in Python's
types: bool, int, str, None, dict (groups), list of dict (destinations, members). A reference is stored
by uuid and so survives a rename; `objects`, `object` and `running_trunks` show it as the name.

Kinds are AXL's object names: SipTrunk, SipTrunkSecurityProfile, SipProfile, RoutePattern, RouteGroup,
RouteList, DevicePool, CallManagerGroup, CallManager, ProcessNode, RoutePartition, Css, ...
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

    from .world import Cluster

#: the key of a stored reference: {"@": "<pkid>"}
REFERENCE = "@"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS config_object (
  position INTEGER PRIMARY KEY AUTOINCREMENT, pkid TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL,
  scope TEXT NOT NULL DEFAULT '', body TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS config_object_name ON config_object (kind, name, scope);
CREATE TABLE IF NOT EXISTS config_reference (source TEXT NOT NULL, target TEXT NOT NULL, field TEXT NOT NULL,
  PRIMARY KEY (source, target, field)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS config_reference_target ON config_reference (target);
CREATE TABLE IF NOT EXISTS config_running (pkid TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS config_change (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, pkid TEXT, action TEXT,
  tags TEXT);
"""


@dataclass(frozen=True)
class Record:
    """One stored object; references in `body` are {"@": pkid}."""

    pkid: str
    kind: str
    name: str
    scope: str
    body: dict[str, Any]

    @property
    def uuid(self) -> str:
        """The pkid as AXL shows it: upper case, in braces."""
        return "{" + self.pkid.upper() + "}"


class InUse(Exception):
    """The object is in use; `referrers` are (field, record)."""

    def __init__(self, referrers: list[tuple[str, Record]]) -> None:
        self.referrers = referrers
        super().__init__(", ".join(f"{record.kind} {record.name}" for _unused, record in referrers))


class Duplicate(Exception):
    """An object with this kind, name and scope already exists."""


def reference(record: Record) -> dict[str, str]:
    """A stored reference to a record."""
    return {REFERENCE: record.pkid}


def _references(body: Any, field: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(body, dict):
        if REFERENCE in body:
            yield field, body[REFERENCE]
        else:
            for key, value in body.items():
                yield from _references(value, key)
    elif isinstance(body, list):
        for item in body:
            yield from _references(item, field)


class ConfigStore:
    """The objects of one cluster, in its database. Thread-safe."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.db = cluster.db
        self.db.schema(_SCHEMA)
        #: changes with each write and each reset: readers may cache what they computed until then
        self.revision = 0
        self._names: dict[str, str] = {}
        self._listeners: list[Callable[[list[Record]], None]] = []
        if self.db.setting("config/seeded") is None:
            from .https.axl.shipped import seed

            with self.db.transaction():
                seed(cluster, self)
                self.db.set_setting("config/seeded", "1")

    # -- reading ------------------------------------------------------------------------------------

    def record(self, kind: str, name: str, scope: str = "") -> Record | None:
        """One record by its name (and scope)."""
        row = self.db.one("SELECT * FROM config_object WHERE kind = ? AND name = ? AND scope = ?", (kind, name, scope))
        return _record(row) if row else None

    def by_id(self, pkid: str) -> Record | None:
        """One record by its uuid in any form."""
        row = self.db.one("SELECT * FROM config_object WHERE pkid = ?", (pkid.strip("{}").lower(),))
        return _record(row) if row else None

    def records(self, kind: str) -> list[Record]:
        """All records of a kind in the order of their creation."""
        return [
            _record(row)
            for row in self.db.execute("SELECT * FROM config_object WHERE kind = ? ORDER BY position", (kind,))
        ]

    def search(self, kind: str, pattern: str) -> list[Record]:
        """The records whose name is LIKE a pattern (% and _, ignoring case), in the order of their creation."""
        rows = self.db.execute(
            "SELECT * FROM config_object WHERE kind = ? AND (? = '%' OR name LIKE ?) ORDER BY position",
            (kind, pattern, pattern),
        )
        return [_record(row) for row in rows]

    def object(self, kind: str, name: str, scope: str = "") -> dict[str, Any] | None:
        """One object with names for references, plus `uuid`."""
        record = self.record(kind, name, scope)
        return None if record is None else self._shown(record)

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind with names for references, plus `uuid`."""
        return [self._shown(record) for record in self.records(kind)]

    def name_of(self, pkid: str) -> str | None:
        """The name of the object behind a reference."""
        name = self._names.get(pkid)
        if name is None:
            row = self.db.one("SELECT name FROM config_object WHERE pkid = ?", (pkid,))
            if row is None:
                return None
            name = self._names[pkid] = str(row["name"])
        return name

    def resolved(self, value: Any) -> Any:
        """A stored value with names in place of references."""
        if isinstance(value, dict):
            if REFERENCE in value:
                return self.name_of(value[REFERENCE])
            return {key: self.resolved(item) for key, item in value.items()}
        return [self.resolved(item) for item in value] if isinstance(value, list) else value

    def next_number(self, name: str) -> int:
        """The next number of a sequence, such as the CTI ids of devices."""
        number = int(self.db.setting(f"next/{name}") or 100)
        self.db.set_setting(f"next/{name}", str(number + 1))
        return number

    def referrers(self, pkid: str) -> list[tuple[str, Record]]:
        """The (field, record) that refer to an object."""
        rows = self.db.execute(
            "SELECT r.field AS field, o.* FROM config_reference r JOIN config_object o ON o.pkid = r.source "
            "WHERE r.target = ? AND r.source <> ? ORDER BY o.position",
            (pkid, pkid),
        )
        return [(str(row["field"]), _record(row)) for row in rows]

    def _shown(self, record: Record) -> dict[str, Any]:
        shown: dict[str, Any] = self.resolved(record.body)
        return {**shown, "uuid": record.uuid}

    # -- writing ------------------------------------------------------------------------------------

    def add(self, kind: str, name: str, body: dict[str, Any], scope: str = "", pkid: str | None = None) -> Record:
        """Add an object; Duplicate if the name is taken. A new trunk is in use at once."""
        pkid = pkid or str(uuid.uuid4())
        with self.db.transaction():
            if self.record(kind, name, scope):
                raise Duplicate(f"{kind} {name}")
            self.db.execute(
                "INSERT INTO config_object (pkid, kind, name, scope, body) VALUES (?, ?, ?, ?, ?)",
                (pkid, kind, name, scope, json.dumps(body)),
            )
            record = Record(pkid, kind, name, scope, body)
            self._written(record, "a", list(body))
            if kind == "SipTrunk":
                self._apply([record])
        if kind == "SipTrunk":
            self._tell([record])
        return record

    def replace(self, record: Record, tags: Iterable[str] = ()) -> None:
        """Write a record's name, scope and body; Duplicate if the name is taken."""
        with self.db.transaction():
            other = self.record(record.kind, record.name, record.scope)
            if other and other.pkid != record.pkid:
                raise Duplicate(f"{record.kind} {record.name}")
            self.db.execute(
                "UPDATE config_object SET name = ?, scope = ?, body = ? WHERE pkid = ?",
                (record.name, record.scope, json.dumps(record.body), record.pkid),
            )
            self.db.execute("DELETE FROM config_reference WHERE source = ?", (record.pkid,))
            self._written(record, "u", list(tags))

    def service_activated(self, node: str, service: str, activated: bool) -> None:
        """Note in `processnodeservice` that a service was activated on a node or deactivated."""
        for record in self.records("ProcessNodeService"):
            body = self.resolved(record.body)
            if (body.get("processNodeName"), body.get("service")) == (node, service):
                self.replace(replace(record, body={**record.body, "isActive": activated}))
        self.revision += 1

    def remove(self, record: Record) -> None:
        """Remove an object; InUse if another one refers to it."""
        with self.db.transaction():
            users = self.referrers(record.pkid)
            if users:
                raise InUse(users)
            for table, column in (
                ("config_object", "pkid"),
                ("config_reference", "source"),
                ("config_running", "pkid"),
            ):
                self.db.execute(f"DELETE FROM {table} WHERE {column} = ?", (record.pkid,))
            self._log_change(record, "r", [])

    def _written(self, record: Record, action: str, tags: list[str]) -> None:
        for field, target in _references(record.body):
            self.db.execute("INSERT OR IGNORE INTO config_reference VALUES (?, ?, ?)", (record.pkid, target, field))
        self._log_change(record, action, tags)

    def _log_change(self, record: Record, action: str, tags: list[str]) -> None:
        self.db.execute(
            "INSERT INTO config_change (kind, pkid, action, tags) VALUES (?, ?, ?, ?)",
            (record.kind, record.pkid, action, ",".join(tags)),
        )
        self._names.pop(record.pkid, None)
        self.revision += 1

    # -- what call processing runs with ---------------------------------------------------------------

    def on_apply(self, listener: Callable[[list[Record]], None]) -> None:
        """Call the listener with the trunks whose settings came into use, once that is stored."""
        self._listeners.append(listener)

    def apply(self, trunks: Iterable[Record]) -> None:
        """Take the present settings of these trunks, and of their profiles, into use (reset, restart, apply)."""
        chosen = list(trunks)
        self._apply(chosen)
        self._tell(chosen)

    def _tell(self, trunks: list[Record]) -> None:
        for listener in self._listeners:
            listener(trunks)

    def _apply(self, trunks: list[Record]) -> list[Record]:
        """Store what runs from now on; the trunks whose settings changed by it."""
        changed = []
        with self.db.transaction():
            for trunk in trunks:
                body = {**self.resolved(trunk.body), "uuid": trunk.uuid}
                for key, kind, part in (
                    ("securityProfileName", "SipTrunkSecurityProfile", "securityProfile"),
                    ("sipProfileName", "SipProfile", "sipProfile"),
                ):
                    body[part] = self.object(kind, body.get(key) or "") or {}
                text = json.dumps(body)
                row = self.db.one("SELECT body FROM config_running WHERE pkid = ?", (trunk.pkid,))
                if row is None or row["body"] != text:
                    self.db.execute("INSERT OR REPLACE INTO config_running VALUES (?, ?)", (trunk.pkid, text))
                    changed.append(trunk)
            self.revision += 1
        return changed

    def apply_all(self) -> None:
        """What a start of Cisco CallManager does: all trunks run with their present settings.

        Listeners are called only with the trunks that changed: the connections of other nodes are kept.
        """
        changed = self._apply(self.records("SipTrunk"))
        if changed:
            self._tell(changed)

    def running_trunks(self) -> list[dict[str, Any]]:
        """Every trunk as call processing runs it, since its last reset or the service's start.

        Keys are AXL's elements, plus `uuid`, `securityProfile` and `sipProfile` (the whole objects).
        With `axl.reset_needed` off, a change is in use at once.
        """
        if not self._cluster.lab.inferred["axl.reset_needed"]:
            self._apply(self.records("SipTrunk"))
        rows = self.db.execute(
            "SELECT r.body FROM config_running r JOIN config_object o ON o.pkid = r.pkid ORDER BY o.position"
        )
        return [json.loads(row["body"]) for row in rows]

    def dump(self) -> dict[str, Any]:
        """The content of the configuration, sorted, for comparisons: {kind: {name: {...}}}."""
        rows = self.db.execute("SELECT * FROM config_object ORDER BY kind, name, scope")
        content: dict[str, Any] = {}
        for record in map(_record, rows):
            label = record.name + "".join(f"|{self.name_of(part) or part}" for part in record.scope.split("|") if part)
            content.setdefault(record.kind, {})[label] = self._shown(record)
        content["running"] = {trunk["name"]: trunk for trunk in self.running_trunks()}
        return content


def _record(row: sqlite3.Row) -> Record:
    return Record(row["pkid"], row["kind"], row["name"], row["scope"], json.loads(row["body"]))
