# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds of calls: from each cluster to every other one, once or for as long as something else goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .control import ask

#: what is kept of a call
KEPT = ("from", "to", "result", "status", "reason", "transport", "srtp", "trunk")


def pairs(status: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """(cluster, its phone, other cluster, that one's phone) for every two clusters that have phones.

    Where a cluster's dial plan leads to the stand-in of a foreign peer, that is the other end.
    """
    phones = {cluster["name"]: cluster["phones"][0] for cluster in status["clusters"] if cluster["phones"]}
    for name, calling in phones.items():
        for other, called in phones.items():
            if name != other:
                yield name, calling, other, called
        for peer in status["peers"]:
            if name in peer["numbers"]:
                yield name, calling, peer["name"], peer["numbers"][name]


def one_round(state: Path) -> list[dict[str, Any]]:
    """A call for every pair, in turn."""
    found = []
    for name, calling, other, called in pairs(ask(state, "status")):
        call = ask(state, "call", {"cluster": name, "calling": calling, "called": called}, timeout=60)
        found.append({"cluster": name, "other": other, **{key: call.get(key) for key in KEPT}})
    return found


def until(state: Path, file: Path, pause: float) -> list[dict[str, Any]]:
    """Rounds with pauses of so many seconds, until a file exists; each call with its round and time (seconds)."""
    found: list[dict[str, Any]] = []
    begun, number = time.monotonic(), 0
    while True:
        ended = file.exists()
        number += 1
        found += [{**call, "round": number, "at": round(time.monotonic() - begun, 1)} for call in one_round(state)]
        if ended:
            return found
        time.sleep(pause)


def summary(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By pair: how many calls, how many were answered, and why the last of the others was not."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for call in calls:
        row = found.setdefault(
            (call["cluster"], call["other"]),
            {"from": call["cluster"], "to": call["other"], "calls": 0, "answered": 0, "with_srtp": 0, "reason": ""},
        )
        row["calls"] += 1
        row["answered"] += call["result"] == "answered"
        row["with_srtp"] += bool(call["srtp"])
        if call["result"] != "answered":
            row["reason"] = call["reason"] or f"status {call['status']}"
    return list(found.values())
