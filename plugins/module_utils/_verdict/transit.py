# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that pass a hub: they are as secure as the least secure of their legs. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Pair = tuple[str, str]
#: the worse comes first
_RANK = ("insecure", "unproven", "secure")


def transit(directions: Sequence[Mapping[str, Any]], routing: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """An entry per pair of clusters whose calls pass a hub: `from`, `to`, `through`, `verdict`, `legs` and `routed`.

    directions are those of the verdict; routing are entries of call_paths, those of these pairs with `through`.
    """
    verdicts = {_pair(direction): str(direction["verdict"]) for direction in directions}
    hubs = {_pair(entry): tuple(entry["through"]) for entry in routing if entry.get("through")}
    found = []
    for pair, through in hubs.items():
        legs = [
            {"from": leg[0], "to": leg[1], "verdict": verdicts.get(leg, "unproven")}
            for leg in dict.fromkeys(_legs(pair, hubs, verdicts))
        ]
        states = [str(entry["state"]) for entry in routing if _pair(entry) == pair]
        found.append(
            {
                "from": pair[0], "to": pair[1], "through": list(through), "legs": legs,
                "verdict": min((leg["verdict"] for leg in legs), key=_RANK.index),
                "routed": next((word for word in ("not routed", "unknown") if word in states), "routed"),
            }
        )  # fmt: skip
    return found


def _pair(entry: Mapping[str, Any]) -> Pair:
    return str(entry["from"]), str(entry["to"])


def _legs(
    pair: Pair, hubs: Mapping[Pair, Sequence[str]], verdicts: Mapping[Pair, str], passed: tuple[str, ...] = ()
) -> Iterator[Pair]:
    """The trunks that calls of a pair can take, from the first on."""
    start, end = pair
    if pair not in hubs or start in passed:
        yield pair
        return
    for hub in hubs[pair]:
        yield (start, hub)
        yield from _legs((hub, end), {} if (hub, end) in verdicts else hubs, verdicts, (*passed, start))


def sentence(entry: Mapping[str, Any]) -> str:
    """The summary of one pair."""
    legs = ", ".join(f"{leg['from']} to {leg['to']} {leg['verdict']}" for leg in entry["legs"])
    lead = f"{entry['from']} to {entry['to']} through {' or '.join(entry['through'])}: {entry['verdict']}"
    lost = ", but some calls are not routed" if entry["routed"] == "not routed" else ""
    return f"{lead}{lost} ({legs})"
