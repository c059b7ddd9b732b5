# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether peers answer OPTIONS, by SDL traces. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Entry = dict[str, Any]
DEAD_ANSWERS = {408, 503}


@dataclass
class Peer:
    """What is known of one peer."""

    sent: int = 0
    #: OPTIONS that it sent itself
    received: int = 0
    answers: list[int] = field(default_factory=list)
    results: list[Entry] = field(default_factory=list)
    last: str | None = None

    @property
    def state(self) -> str:
        """Alive: an answer other than 408 and 503, by SIP or by CUCM's own result. Dead: none, or only those two.

        An internal error of CUCM (interErr=T, resp=0) proves nothing: it was seen right after a good answer.
        """
        reported = [result["response"] for result in self.results if result["internal_error"] is False]
        if any(code not in DEAD_ANSWERS for code in (*self.answers, *reported)):
            return "alive"
        refused = bool(self.answers) or any(not result["internal_error"] for result in self.results)
        unanswered = self.sent > 1 and not self.results
        return "dead" if refused or unanswered else "unknown"


def pings(messages: Iterable[Entry], signals: Iterable[Entry]) -> list[Entry]:
    """One entry per peer: whether it answers OPTIONS, and how many it sent."""
    sent: dict[tuple[int, str], str] = {}
    peers: dict[str, Peer] = {}
    for message in messages:
        _message(message, sent, peers)
    for signal in signals:
        if signal["kind"] == "result" and signal.get("peer"):
            of = peers.setdefault(signal["peer"], Peer())
            of.results.append({"internal_error": signal["internal_error"], "response": signal["response"]})
            of.last = max(filter(None, [of.last, signal["time"]]))
    return [{"peer_ip": address, **vars(of), "state": of.state} for address, of in peers.items()]


def _message(message: Entry, sent: dict[tuple[int, str], str], peers: dict[str, Peer]) -> None:
    key = (message["run"], str(message.get("call_id")))
    if message.get("method") == "OPTIONS" and message["way"] == "out":
        if key not in sent:
            peers.setdefault(message["remote_ip"], Peer()).sent += 1
        sent[key] = message["remote_ip"]
    elif message.get("method") == "OPTIONS":
        of = peers.setdefault(message["remote_ip"], Peer())
        of.received += 1
        of.last = message["time"]
    elif message.get("status") and message["way"] == "in" and key in sent:
        of = peers.setdefault(sent[key], Peer())
        of.answers.append(message["status"])
        of.last = message["time"]
