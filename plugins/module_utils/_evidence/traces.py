# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls, pings and alarms out of SDL traces and call logs together. Private to this collection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence import reasons
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.sdl import SdlTrace

Entry = dict[str, Any]
DEAD_ANSWERS = {408, 503}


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
        """Whether an entry's time is inside; entries without a date can't be judged and stay."""
        if self.since is None and self.until is None:
            return True
        try:
            when = datetime.fromisoformat(str(entry.get("time")))
        except ValueError:
            return True
        if when.tzinfo is None:
            # Call logs name no zone; without a trace beside them the asker's bounds are taken to be in the node's time.
            bounds = [one.replace(tzinfo=None) if one else None for one in (self.since, self.until)]
        else:
            bounds = [one.replace(tzinfo=when.tzinfo) if one and one.tzinfo is None else one
                      for one in (self.since, self.until)]  # fmt: skip
        return (bounds[0] is None or when >= bounds[0]) and (bounds[1] is None or when <= bounds[1])


def summary(trace: SdlTrace, logs: Sequence[Entry], wanted: Wanted) -> Entry:
    """All that was asked for, as a module returns it."""
    messages = [one for one in trace.messages if wanted.at(one)]
    zone = next((one["time"][-6:] for one in trace.heads if len(one["time"]) > 20), "")
    sides = [{**one, "time": one["time"] + zone} for one in logs if one["kind"] == "SIPT"]
    sides = [one for one in sides if wanted.at(one)]
    every = [one for one in calls(messages, sides, trace) if _call_wanted(one, wanted)]
    peers = wanted.peers | {one["remote_ip"] for one in sides if wanted.trunk and one["device"] == wanted.trunk}

    def reached(entry: Entry) -> bool:
        return wanted.at(entry) and (not peers or entry.get("remote_ip") is None or entry["remote_ip"] in peers)

    return {
        "nodes": trace.heads,
        "digit_analysis": [
            one for one in trace.digit_analysis
            if wanted.at(one) and wanted.number in (None, one["calling"], one["dialed"], one.get("pattern"))
        ],
        "connections": [one for one in trace.connections if reached(one)],
        "certificates": [one for one in trace.certificates if reached(one)],
        "calls": every,
        "options": [one for one in pings(messages, trace.pings) if not peers or one["peer_ip"] in peers],
        "alarms": [
            {**one, "peers": [{**peer, **reasons.explain(f"{peer['reason_type']}={peer['reason_code']}")}
                              for peer in one["peers"]]}
            for one in trace.alarms if wanted.at(one) and wanted.trunk in (None, one["trunk"])
        ],
        "trouble": [one for one in trace.trouble if wanted.at(one)],
        "lines": trace.lines,
        "problems": trace.problems,
    }  # fmt: skip


def _call_wanted(call: Mapping[str, Any], wanted: Wanted) -> bool:
    return (
        wanted.call_id in (None, call["call_id"])
        and wanted.number in (None, call["calling"], call["called"])
        and (wanted.trunk is None or call["trunk"] in (None, wanted.trunk))
        and (not wanted.peers or call["remote_ip"] in wanted.peers)
    )


def calls(messages: Iterable[Entry], sides: Iterable[Entry], trace: SdlTrace) -> list[Entry]:
    """The calls (INVITE dialogs), each with its ladder; SDL says more of one, call logs name its trunk."""
    transports = {
        one["index"]: one["transport"]
        for one in trace.connections
        if one.get("index") is not None and one.get("transport")
    }
    dialogs: dict[str, list[Entry]] = defaultdict(list)
    logged: dict[str, list[Entry]] = defaultdict(list)
    for one in messages:
        if one.get("call_id") and "OPTIONS" not in (one.get("method"), str(one.get("cseq")).rsplit(" ", 1)[-1]):
            dialogs[one["call_id"]].append(one)
    for one in sides:
        logged[one["call_id"]].append(one)
    ordered = list(dict.fromkeys([*dialogs, *logged]))
    return [
        found
        for call_id in ordered
        if (found := _call(call_id, dialogs.get(call_id, []), logged.get(call_id, []), transports))
    ]


def _call(call_id: str, messages: list[Entry], sides: list[Entry], transports: Mapping[int, str]) -> Entry | None:
    invite = next((one for one in messages if one.get("method") == "INVITE"), None)
    side = next((one for one in sides if one["message"].startswith("INVITE")), None)
    if invite is None and side is None:
        return None
    lead: Mapping[str, Any] = invite or side or {}
    ladder = [_rung(one, one["start_line"]) for one in messages] or [_rung(one, one["message"]) for one in sides]
    answers = [one["status"] for one in messages if one.get("status") and _answers_invite(one)]
    answers += [int(one["message"][:3]) for one in sides if not messages and one["message"][:3].isdecimal()]
    final = next((code for code in answers if code >= 200), None)
    offers = [one["srtp"] for one in messages if one.get("srtp") is not None]
    return {
        "call_id": call_id,
        "time": lead["time"],
        "direction": lead["way"],
        "calling": (invite or {}).get("calling"),
        "called": (invite or {}).get("called"),
        "trunk": next((one["device"] for one in sides), None),
        "remote_ip": lead["remote_ip"],
        "remote_port": lead["remote_port"],
        "transport": _transport(invite, side, transports),
        "status": final,
        "result": "answered" if final == 200 else _last_words(messages, sides, final),
        "srtp": all(offers) if offers else None,
        "ladder": ladder,
    }


def _answers_invite(message: Mapping[str, Any]) -> bool:
    return str(message.get("cseq") or "INVITE").endswith("INVITE")


def _last_words(messages: list[Entry], sides: list[Entry], final: int | None) -> str:
    if final is None:
        return "no final answer"
    texts = [one["start_line"].removeprefix("SIP/2.0 ") for one in messages if one.get("status") == final]
    texts += [one["message"] for one in sides if one["message"].startswith(str(final))]
    return texts[0] if texts else str(final)


def _transport(invite: Entry | None, side: Entry | None, transports: Mapping[int, str]) -> str | None:
    """TLS when any source says so: SDL names TCP in its own line for TLS, too (the Via tells)."""
    said = []
    if invite:
        said += [transports.get(invite.get("index") or -1), invite.get("via_transport"), invite.get("layer")]
    if side:
        said.append(side["transport"])
    words = [str(one) for one in said if one]
    return "TLS" if any("TLS" in one for one in words) else words[0] if words else None


def _rung(entry: Mapping[str, Any], text: str) -> Entry:
    label = text.removeprefix("SIP/2.0 ")
    label = label.split(" ", 1)[0] if label.split(" ", 1)[0].isupper() and not label[0].isdigit() else label
    return {"time": entry["time"], "way": entry["way"], "message": label, "srtp": entry.get("srtp")}


def pings(messages: Iterable[Entry], signals: Iterable[Entry]) -> list[Entry]:
    """One entry a peer: whether it answers OPTIONS.

    Alive: a SIP answer other than 408 and 503 belongs to a ping, or CUCM's own result says so. Dead: pings were sent
    and none was answered, or all by 408 or 503. An internal error of CUCM's (interErr=T, resp=0) proves nothing by
    itself: it was seen right after a good answer.
    """
    sent: dict[str, Entry] = {}
    peers: dict[str, Entry] = {}

    def peer(address: str) -> Entry:
        return peers.setdefault(
            address, {"peer_ip": address, "sent": 0, "answers": [], "results": [], "last": None, "state": "unknown"}
        )

    for one in messages:
        call_id = str(one.get("call_id"))
        if one.get("method") == "OPTIONS" and one["way"] == "out":
            if call_id not in sent:
                peer(one["remote_ip"])["sent"] += 1
            sent[call_id] = one
        elif one.get("status") and one["way"] == "in" and call_id in sent:
            of = peer(sent[call_id]["remote_ip"])
            of["answers"].append(one["status"])
            of["last"] = one["time"]
    for one in signals:
        if one["kind"] == "result" and one.get("peer"):
            of = peer(str(one["peer"]).rpartition(":")[0] or str(one["peer"]))
            of["results"].append({"internal_error": one["internal_error"], "response": one["response"]})
            of["last"] = max(filter(None, [of["last"], one["time"]]))
    for of in peers.values():
        good = [code for code in of["answers"] if code not in DEAD_ANSWERS]
        good += [
            one["response"]
            for one in of["results"]
            if one["internal_error"] is False and one["response"] not in DEAD_ANSWERS
        ]
        failed = [one for one in of["results"] if not one["internal_error"]]
        dead = (of["sent"] > 1 and not of["results"]) or bool(of["answers"]) or (bool(failed) and not good)
        of["state"] = "alive" if good else "dead" if dead else "unknown"
    return list(peers.values())
