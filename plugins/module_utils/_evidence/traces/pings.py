# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether peers answer OPTIONS, by SDL traces. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces.sdl import ProcessRun

Entry = dict[str, Any]
DEAD_ANSWERS = {408, 503}
# CUCM tries OPTIONS that nobody answers for three seconds (six times, every 500 ms).
RETRIES = 3.0


class Key(NamedTuple):
    """A node, and the address and port of a peer; no port for what the peer sent, which comes from any port."""

    node: str | None
    address: str
    port: int | None


@dataclass
class Peer:
    """What is known of one port of a peer, as one node saw it."""

    #: time of each OPTIONS that was sent to it
    sent: list[str] = field(default_factory=list)
    #: OPTIONS that it sent itself
    received: int = 0
    #: (time, status) of each answer
    answers: list[tuple[str, int]] = field(default_factory=list)
    #: (time, what CUCM reports)
    results: list[tuple[str, Entry]] = field(default_factory=list)
    last: str | None = None

    @property
    def state(self) -> str:
        """By what came last. Alive: an answer other than 408 and 503, by SIP or by CUCM's own result. Dead: one of
        those two, or nothing after all retries.

        An internal error of CUCM (interErr=T, resp=0) proves nothing: it was seen right after a good answer.
        """
        reported = [(when, result["response"]) for when, result in self.results if result["internal_error"] is False]
        outcomes = sorted((when, code not in DEAD_ANSWERS) for when, code in (*self.answers, *reported))
        when, alive = outcomes[-1] if outcomes else ("", False)
        if self._silent_since(when):
            return "dead"
        return "unknown" if not outcomes else "alive" if alive else "dead"

    def _silent_since(self, when: str) -> bool:
        """Whether OPTIONS were sent after that for longer than CUCM retries, and nothing came of them."""
        sent = [time for time in self.sent if time > when]
        if len(sent) < 2 or any(time > when for time, _result in self.results):
            return False
        return (_at(sent[-1]) - _at(sent[0])).total_seconds() > RETRIES

    def as_dict(self) -> Entry:
        """For a module's result."""
        return {
            "sent": len(self.sent), "received": self.received, "answers": [code for _when, code in self.answers],
            "results": [result for _when, result in self.results], "last": self.last, "state": self.state,
        }  # fmt: skip


def pings(messages: Iterable[Entry], signals: Iterable[Entry], runs: Sequence[ProcessRun]) -> list[Entry]:
    """One entry per node and port of a peer: whether it answers OPTIONS; one without a port for those that it sent."""
    sent: dict[tuple[int, str], Key] = {}
    peers: dict[Key, Peer] = {}
    for message in messages:
        _message(message, runs[message["run"]].name, sent, peers)
    for signal in signals:
        if signal["kind"] == "result" and signal.get("peer"):
            of = peers.setdefault(Key(runs[signal["run"]].name, signal["peer"], signal["port"]), Peer())
            result = {"internal_error": signal["internal_error"], "response": signal["response"]}
            of.results.append((signal["time"], result))
            of.last = max(filter(None, [of.last, signal["time"]]))
    return [
        {"node": key.node, "peer_ip": key.address, "peer_port": key.port, **of.as_dict()} for key, of in peers.items()
    ]


def _at(time: str) -> datetime:
    """A time of a trace, of any day if the trace has no date."""
    return datetime.fromisoformat(time if "T" in time else f"2000-01-01T{time}")


def _message(message: Entry, node: str | None, sent: dict[tuple[int, str], Key], peers: dict[Key, Peer]) -> None:
    call = (message["run"], str(message.get("call_id")))
    if message.get("method") == "OPTIONS" and message["way"] == "out":
        key = Key(node, message["remote_ip"], message["remote_port"])
        if call not in sent:
            peers.setdefault(key, Peer()).sent.append(message["time"])
        sent[call] = key
    elif message.get("method") == "OPTIONS":
        of = peers.setdefault(Key(node, message["remote_ip"], None), Peer())
        of.received += 1
        of.last = message["time"]
    elif message.get("status") and message["way"] == "in" and call in sent:
        of = peers.setdefault(sent[call], Peer())
        of.answers.append((message["time"], message["status"]))
        of.last = message["time"]
