# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls out of SDL traces and call logs together. Private to this collection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces.sdl import ProcessRun

Entry = dict[str, Any]


@dataclass
class Transaction:
    """One INVITE with what followed it, up to the next INVITE of the dialog."""

    messages: list[Entry] = field(default_factory=list)

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
        """True when both ends sent SRTP keys, False when an end offered or took media without, else None."""
        known = [message for message in self.messages if message.get("srtp") is not None]
        bodies = {way: [message["srtp"] for message in known if message["way"] == way] for way in ("in", "out")}
        if not all(all(sent) for sent in bodies.values()):
            return False
        return True if all(bodies.values()) else None


def calls(messages: Iterable[Entry], sides: Iterable[Entry], runs: Sequence[ProcessRun]) -> list[Entry]:
    """The calls (INVITE dialogs) as each node saw them, with their ladders. SDL has more detail; call logs name the
    trunk.
    """
    dialogs: dict[tuple[str | None, str], list[Entry]] = defaultdict(list)
    logged: dict[str, list[Entry]] = defaultdict(list)
    addresses: dict[str | None, str | None] = {}
    for message in messages:
        if message.get("call_id") and "OPTIONS" not in (
            message.get("method"),
            str(message.get("cseq")).rsplit(" ", 1)[-1],
        ):
            run = runs[message["run"]]
            node = run.host or run.address
            addresses[node] = run.address
            dialogs[node, message["call_id"]].append(message)
    for side in sides:
        logged[side["call_id"]].append(side)
    traced = {call_id for _node, call_id in dialogs}
    found = [
        _call(node, call_id, dialog, _own(logged.get(call_id, []), addresses[node]))
        for (node, call_id), dialog in dialogs.items()
    ]
    found += [_call(None, call_id, [], log) for call_id, log in logged.items() if call_id not in traced]
    return [call for call in found if call]


def _own(sides: list[Entry], address: str | None) -> list[Entry]:
    """The call log lines of a node, if there are lines of several nodes."""
    own = [side for side in sides if side.get("local_ip") == address]
    return own or sides


def _call(node: str | None, call_id: str, messages: list[Entry], sides: list[Entry]) -> Entry | None:
    transactions = _transactions(messages)
    log_invites = [side for side in sides if side["message"].startswith("INVITE")]
    if not transactions and not log_invites:
        return None
    first = transactions[0].messages[0] if transactions else log_invites[0]
    counted = _counted(transactions)
    invite = counted.messages[0] if counted else log_invites[-1]
    status, result = _outcome(counted) if counted else _logged_outcome(sides)
    return {
        "call_id": call_id,
        "node": node,
        "time": first["time"],
        "direction": first["way"],
        "calling": first.get("calling"),
        "called": first.get("called"),
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
    """The INVITE transactions of a dialog. An INVITE that is sent again belongs to the one that it repeats."""
    found: list[Transaction] = []
    seen: dict[tuple[str, str], Transaction] = {}
    for message in messages:
        key = (message["way"], str(message.get("cseq")))
        if message.get("method") == "INVITE" and key not in seen:
            seen[key] = Transaction()
            found.append(seen[key])
        # An answer belongs to its own INVITE, whatever was sent in between.
        asked = ("in" if message["way"] == "out" else "out", str(message.get("cseq")))
        target = seen.get(key if message.get("method") else asked)
        if target is None and found:
            target = found[-1]
        if target is not None:
            target.messages.append(message)
    return found


def _counted(transactions: list[Transaction]) -> Transaction | None:
    """The transaction that says how a call ended: the first that was answered, else the last.

    A 422, a 401 or 407, or a 3xx is followed by another INVITE; an INVITE after the answer changes a call that is up.
    """
    return next(
        (transaction for transaction in transactions if transaction.answered),
        transactions[-1] if transactions else None,
    )


def _outcome(transaction: Transaction) -> tuple[int | None, str]:
    final = transaction.final
    if final is None:
        return None, "no final answer"
    return final["status"], "answered" if transaction.answered else final["start_line"].removeprefix("SIP/2.0 ")


def _logged_outcome(sides: list[Entry]) -> tuple[int | None, str]:
    """The same from call logs alone, whose lines have no CSeq: the first 200, else the last final answer."""
    finals = [side["message"] for side in sides if side["message"][:3].isdecimal() and int(side["message"][:3]) >= 200]
    if not finals:
        return None, "no final answer"
    answered = next((text for text in finals if text.startswith("2")), None)
    return (int(answered[:3]), "answered") if answered else (int(finals[-1][:3]), finals[-1])


def _srtp(transactions: list[Transaction], counted: Transaction | None) -> bool | None:
    if counted is None:
        return None
    later = [transaction.srtp for transaction in transactions if transaction.answered]
    # A later INVITE may have taken the keys from a call that had them.
    return False if counted.answered and False in later else counted.srtp


def _of_invite(message: Mapping[str, Any]) -> bool:
    return str(message.get("cseq") or "INVITE").endswith("INVITE")


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
