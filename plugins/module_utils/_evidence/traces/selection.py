# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selects what was asked for from SDL traces and call logs. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.addresses import plain
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces.calls import calls
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces.pings import pings
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces.sdl import ProcessRun, SdlTrace

Entry = dict[str, Any]
_OWN_KEYS = {"run", "connection_transport"}


@dataclass(frozen=True)
class Wanted:
    """What of the traces is asked for; an empty field asks for all."""

    since: datetime | None = None
    until: datetime | None = None
    call_id: str | None = None
    number: str | None = None
    trunk: str | None = None
    peers: frozenset[str] = frozenset()

    def at(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry's time is inside; an entry without a date is kept, because its time is not known."""
        if self.since is None and self.until is None:
            return True
        try:
            when = datetime.fromisoformat(str(entry.get("time")))
        except ValueError:
            return True
        if when.tzinfo is None:
            # Call logs name no zone; without a trace beside them since and until are taken as the node's local time.
            bounds = [bound.replace(tzinfo=None) if bound else None for bound in (self.since, self.until)]
        else:
            bounds = [bound.replace(tzinfo=when.tzinfo) if bound and bound.tzinfo is None else bound
                      for bound in (self.since, self.until)]  # fmt: skip
        return (bounds[0] is None or when >= bounds[0]) and (bounds[1] is None or when <= bounds[1])

    def call(self, call: Mapping[str, Any]) -> bool:
        """Whether a call is asked for; one that was only in part inside the time is kept whole."""
        return (
            any(map(self.at, call["ladder"]))
            and self.call_id in (None, call["call_id"])
            and self.number in (None, call["calling"], call["called"])
            and (self.trunk is None or call["trunk"] in (None, self.trunk))
            and (not self.peers or call["remote_ip"] in self.addresses)
        )

    def analysis(self, entry: Mapping[str, Any]) -> bool:
        """Whether a digit analysis is asked for."""
        return self.at(entry) and self.number in (None, entry["calling"], entry["dialed"], entry.get("pattern"))

    @property
    def addresses(self) -> frozenset[str]:
        """The peers, in the form that the readers write."""
        return frozenset(map(plain, self.peers))


def summary(trace: SdlTrace, logs: Sequence[Entry], wanted: Wanted) -> Entry:
    """All that was asked for, as a module returns it."""
    zones = {head.get("address"): head["time"][-6:] for head in trace.heads if len(head["time"]) > 20}
    sides = [{**log, "time": log["time"] + zones.get(log["local_ip"], "")} for log in logs if log["kind"] == "SIPT"]
    on_trunk = {side["remote_ip"] for side in sides if wanted.trunk and side["device"] == wanted.trunk}
    peers = wanted.addresses | on_trunk

    def reached(entries: Iterable[Entry]) -> list[Entry]:
        chosen = [
            entry for entry in entries
            if wanted.at(entry) and (not peers or entry.get("remote_ip") is None or entry["remote_ip"] in peers)
        ]  # fmt: skip
        return _with_node(chosen, trace.runs)

    return {
        "nodes": trace.heads,
        "digit_analysis": _with_node(filter(wanted.analysis, trace.digit_analysis), trace.runs),
        "connections": reached(trace.connections),
        "certificates": reached(trace.certificates),
        "calls": [call for call in calls(trace.messages, sides, trace.runs) if wanted.call(call)],
        "options": [
            ping
            for ping in pings(filter(wanted.at, trace.messages), filter(wanted.at, trace.pings), trace.runs)
            if not peers or ping["peer_ip"] in peers
        ],
        "alarms": _with_node(
            (alarm for alarm in trace.alarms if wanted.at(alarm) and wanted.trunk in (None, alarm["trunk"])), trace.runs
        ),
        "trouble": reached(trace.failures),
        "lines": trace.lines,
        "problems": trace.problems,
    }


def _with_node(entries: Iterable[Entry], runs: Sequence[ProcessRun]) -> list[Entry]:
    """The entries with the name of their node in place of the reader's own keys."""
    found = []
    for entry in entries:
        kept = {key: value for key, value in entry.items() if key not in _OWN_KEYS}
        kept["node"] = kept.get("node") or runs[entry["run"]].host
        found.append(kept)
    return found
