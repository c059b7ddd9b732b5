# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls out of SDL traces and call logs together. Private to this collection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces.sdl import ProcessRun

Entry = dict[str, Any]
#: the result of a call whose end the traces do not show
NOT_KNOWN = "not known"


@dataclass
class Transaction:
    """One INVITE with what followed it, up to the next INVITE of the dialog; the INVITE itself may be missing."""

    messages: list[Entry] = field(default_factory=list)

    @property
    def invite(self) -> Entry | None:
        """The INVITE that began it; None if that is not in the traces."""
        first = self.messages[0]
        return first if first.get("method") == "INVITE" else None

    @property
    def begins(self) -> bool:
        """Whether it began the call: the INVITE was seen, and is none inside a dialog."""
        return self.invite is not None and not self.invite.get("in_dialog")

    @property
    def final(self) -> Entry | None:
        """The final answer to the INVITE."""
        return next(
            (message for message in self.messages if (message.get("status") or 0) >= 200 and _of_invite(message)), None
        )

    @property
    def answered(self) -> bool:
        """Whether it was answered by a 2xx."""
        return self.final is not None and self.final["status"] < 300

    @property
    def srtp(self) -> bool | None:
        """True when both ends sent SRTP keys last, False when an end last offered or took media without, else None.

        What an end said first may be replaced: by the answer of another phone, or by an UPDATE that was accepted.
        """
        refused = {
            _request(message)
            for message in self.messages
            if (message.get("status") or 0) >= 300 and not _of_invite(message)
        }
        last = {
            message["way"]: message.get("srtp")
            for message in self.messages
            if message.get("media") and (message["way"], message.get("cseq")) not in refused
        }
        if False in last.values():
            return False
        return True if last.get("in") and last.get("out") else None


def calls(messages: Iterable[Entry], sides: Iterable[Entry], runs: Sequence[ProcessRun]) -> list[Entry]:
    """The calls (INVITE dialogs) as each node saw them, with their ladders, the earliest first.

    SDL has more detail; call logs name the trunk.
    """
    dialogs: dict[tuple[Hashable, str], list[Entry]] = defaultdict(list)
    logged: dict[str, list[Entry]] = defaultdict(list)
    seen: dict[Hashable, ProcessRun] = {}
    for message in messages:
        if message.get("call_id") and "OPTIONS" not in (
            message.get("method"),
            str(message.get("cseq")).rsplit(" ", 1)[-1],
        ):
            node = _node(message["run"], runs)
            seen[node] = runs[message["run"]]
            dialogs[node, message["call_id"]].append(message)
    for side in sides:
        logged[side["call_id"]].append(side)
    traced = {call_id for _node, call_id in dialogs}
    found = [
        _call(seen[node].name, call_id, sorted(dialog, key=moment), _own(logged.get(call_id, []), seen[node].address))
        for (node, call_id), dialog in dialogs.items()
    ]
    found += [_call(None, call_id, [], log) for call_id, log in logged.items() if call_id not in traced]
    return sorted((call for call in found if call), key=moment)


def moment(entry: Mapping[str, Any]) -> float:
    """The time of an entry as a number to sort by; entries without a date come first, in their order."""
    try:
        when = datetime.fromisoformat(str(entry.get("time")))
    except ValueError:
        return 0.0
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _node(run: int, runs: Sequence[ProcessRun]) -> Hashable:
    """What tells a node from others: clusters may have nodes of one name; a file without a head is on its own."""
    identity = runs[run].identity[:3]
    return identity if any(identity) else run


def _own(sides: list[Entry], address: str | None) -> list[Entry]:
    """The call log lines of a node; all lines when its address is not known."""
    return [side for side in sides if side.get("local_ip") == address] if address else sides


def _call(node: str | None, call_id: str, messages: list[Entry], sides: list[Entry]) -> Entry | None:
    transactions = _transactions(messages)
    log_invites = [side for side in sides if side["message"].startswith("INVITE")]
    if not transactions and not log_invites:
        return None
    first = transactions[0].messages[0] if transactions else log_invites[0]
    counted = _counted(transactions)
    invite = counted.messages[0] if counted else log_invites[-1]
    # A call that began before the traces may have been made by either end: later requests come from both.
    begun = first if not transactions or transactions[0].begins else {}
    status, result = _outcome(counted, whole=bool(begun)) if counted else _logged_outcome(sides)
    return {
        "call_id": call_id,
        "node": node,
        "time": first["time"],
        "direction": begun.get("way"),
        "calling": begun.get("calling"),
        "called": begun.get("called"),
        "trunk": next((side["device"] for side in sides), None),
        "remote_ip": invite["remote_ip"],
        "remote_port": invite["remote_port"],
        "transport": _transport(counted, log_invites),
        "status": status,
        "result": result,
        "srtp": _srtp(transactions, counted),
        "ladder": [_rung(message, message["start_line"]) for message in messages]
        or [_rung(side, side["message"]) for side in sides],
    }


def _transactions(messages: list[Entry]) -> list[Transaction]:
    """The INVITE transactions of a dialog. An INVITE that is sent again belongs to the one that it repeats.

    What comes before the first INVITE belongs to one that the traces do not have.
    """
    found: list[Transaction] = []
    seen: dict[tuple[str, str], Transaction] = {}
    for message in messages:
        # An answer belongs to its own INVITE, whatever was sent in between.
        key = _request(message)
        target = seen.get(key)
        if target is None and (message.get("method") == "INVITE" or not found):
            target = Transaction()
            found.append(target)
            if _of_invite(message):
                seen[key] = target
        (target or found[-1]).messages.append(message)
    return found


def _request(message: Entry) -> tuple[str, str]:
    """The way and the CSeq of a request, or of the request that is answered."""
    way = message["way"] if message.get("method") else {"in": "out", "out": "in"}[message["way"]]
    return way, str(message.get("cseq"))


def _counted(transactions: list[Transaction]) -> Transaction | None:
    """The transaction that says how a call ended: the first that was answered, else the last.

    A 422, a 401 or 407, or a 3xx is followed by another INVITE; an INVITE after the answer changes a call that is up.
    """
    return next(
        (transaction for transaction in transactions if transaction.answered),
        transactions[-1] if transactions else None,
    )


def _outcome(transaction: Transaction, *, whole: bool) -> tuple[int | None, str]:
    """Status and result; ``whole``: the traces have the beginning of the call.

    Without it, what was refused may be a change of a call that was up, and stayed up.
    """
    final = transaction.final
    if final is None or not (whole or transaction.answered):
        return None, NOT_KNOWN
    return final["status"], "answered" if transaction.answered else final["start_line"].removeprefix("SIP/2.0 ")


def _logged_outcome(sides: list[Entry]) -> tuple[int | None, str]:
    """The same from call logs alone, whose lines have no CSeq: which request a 200 answers can only be counted.

    Other requests than INVITE (a CANCEL, a PRACK) that the same end sent take one 200 each. The last refusal is that
    of the INVITE.
    """
    way = next(side["way"] for side in sides if side["message"].startswith("INVITE"))
    asked = [side["message"].split()[0] for side in sides if side["way"] == way]
    others = sum(word.isalpha() and word not in ("INVITE", "ACK") for word in asked)
    answers = [side["message"] for side in sides if side["way"] != way and side["message"][:3].isdecimal()]
    good = [text for text in answers if text.startswith("2")]
    refused = [text for text in answers if text[:1] in "3456"]
    if len(good) > others:
        return int(good[0][:3]), "answered"
    return (int(refused[-1][:3]), refused[-1]) if refused else (None, NOT_KNOWN)


def _srtp(transactions: list[Transaction], counted: Transaction | None) -> bool | None:
    if counted is None:
        return None
    later = [transaction.srtp for transaction in transactions if transaction.answered]
    # A later INVITE may have taken the keys from a call that had them.
    return False if counted.answered and False in later else counted.srtp


def _of_invite(message: Mapping[str, Any]) -> bool:
    return str(message.get("cseq") or message.get("method")).endswith("INVITE")


def _transport(counted: Transaction | None, log_invites: list[Entry]) -> str | None:
    """The transport by the Via header, which is that of the hop; else by the event that opened the connection.

    SDL's own line says TCP for TLS, too, and whether a call log's TCP excludes TLS is not documented: neither is
    evidence for TCP.
    """
    for message in counted.messages if counted else []:
        if _of_invite(message) and message.get("via_transport"):
            return str(message["via_transport"])
    for message in counted.messages if counted else []:
        opened = str(message.get("connection_transport") or "")
        if opened:
            return "TLS" if "TLS" in opened else opened
        if message.get("layer") == "UDP":
            return "UDP"
    logged = next((str(invite["transport"]) for invite in log_invites), "")
    return logged if logged and logged != "TCP" else None


def _rung(entry: Mapping[str, Any], text: str) -> Entry:
    label = text.removeprefix("SIP/2.0 ")
    label = label.split(" ", 1)[0] if label.split(" ", 1)[0].isupper() and not label[0].isdigit() else label
    return {"time": entry["time"], "way": entry["way"], "message": label, "srtp": entry.get("srtp")}
