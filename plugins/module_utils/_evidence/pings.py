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
    answers: list[int] = field(default_factory=list)
    results: list[Entry] = field(default_factory=list)
    last: str | None = None

    @property
    def state(self) -> str:
        """Alive: an answer other than 408 and 503, by SIP or by CUCM's own result. Dead: none, or only those two.

        An internal error of CUCM (interErr=T, resp=0) proves nothing: it was seen right after a good answer.
        """
        reported = [one["response"] for one in self.results if one["internal_error"] is False]
        if any(code not in DEAD_ANSWERS for code in (*self.answers, *reported)):
            return "alive"
        refused = bool(self.answers) or any(not one["internal_error"] for one in self.results)
        unanswered = self.sent > 1 and not self.results
        return "dead" if refused or unanswered else "unknown"


def pings(messages: Iterable[Entry], signals: Iterable[Entry]) -> list[Entry]:
    """One entry per peer: whether it answers OPTIONS."""
    sent: dict[tuple[int, str], str] = {}
    peers: dict[str, Peer] = {}
    for one in messages:
        _message(one, sent, peers)
    for one in signals:
        if one["kind"] == "result" and one.get("peer"):
            of = peers.setdefault(one["peer"], Peer())
            of.results.append({"internal_error": one["internal_error"], "response": one["response"]})
            of.last = max(filter(None, [of.last, one["time"]]))
    return [{"peer_ip": address, **vars(of), "state": of.state} for address, of in peers.items()]


def _message(one: Entry, sent: dict[tuple[int, str], str], peers: dict[str, Peer]) -> None:
    key = (one["run"], str(one.get("call_id")))
    if one.get("method") == "OPTIONS" and one["way"] == "out":
        if key not in sent:
            peers.setdefault(one["remote_ip"], Peer()).sent += 1
        sent[key] = one["remote_ip"]
    elif one.get("status") and one["way"] == "in" and key in sent:
        of = peers.setdefault(sent[key], Peer())
        of.answers.append(one["status"])
        of.last = one["time"]
