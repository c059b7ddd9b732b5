# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a record and the current objects to what puts them back, or why that is refused. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.kinds import (
    BY_KIND,
    MADE,
    TRUNK,
    in_words,
    key_options,
    noun,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import FACTS, Cluster, Peer, Settings
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.objects import object_names
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo.backup import (
    EMPTY,
    FORMAT,
    bare,
    differing,
    entry_key,
    labelled,
    normal,
    unexplained,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo.removal import kept_because_used, other_trunks
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo.trust_removal import Trust

Key = tuple[str, str, str]


def objects_of_record(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """The objects of a record, for cucm_object_info. ValueError for anything but a record."""
    if not isinstance(record, Mapping) or record.get("format") != FORMAT or "objects" not in record:
        raise ValueError("This is not the record of a run, or it was written by another version of siptls.cucm.")
    return [{"kind": kind, "name": name, "partition": part} for kind, name, part in map(entry_key, record["objects"])]


@dataclass(frozen=True)
class Now:
    """A cluster at the time of restoring: its facts, its peers, and the result of cucm_object_info with trunks."""

    cluster: Cluster
    peers: Sequence[Peer]
    settings: Settings
    found: Mapping[str, Any]
    trust: Trust


def restoring(record: Mapping[str, Any], now: Now, *, force: bool = False) -> dict[str, Any]:
    """`present` and `absent`, lists of objects per kind; `refusals`; what is `kept`; `messages` about certificates.

    An object that somebody changed after the run is a refusal, unless force overrides it. An object that the run made
    and that something else uses by now is kept in any case. `trust_removed` are the CAs to trust again; `trust` and
    `kept_cas` say what becomes of those that the run added.
    """
    cluster = now.cluster
    if record.get("cluster") != cluster.name:
        raise ValueError(f"The record is of {record.get('cluster')}, and this cluster is {cluster.name}.")
    plan: dict[str, Any] = {
        "present": {kind.objects: [] for kind in MADE}, "absent": {kind.objects: [] for kind in MADE},
        "refusals": [], "kept": [], "messages": _identity(record, cluster),
        "trust_removed": list(record["trust_removed"]),
    }  # fmt: skip
    doomed: dict[Key, Mapping[str, Any]] = {}
    for entry, current in _changed(record, now.found):
        kind, before = entry["kind"], entry["before"]
        strange = unexplained(entry, current)
        if strange and not force:
            plan["refusals"].append(_refusal(cluster.name, entry, current, strange))
        elif before is None:
            doomed[entry_key(entry)] = current or {}
        else:
            plan["present"][BY_KIND[kind].objects].append(_put_back(entry_key(entry), before, current))
    _remove(plan, doomed, record, now.found.get("users") or ())
    others = other_trunks(now.found.get("trunks") or (), [peer.name for peer in now.peers], now.settings)
    # A trunk that is kept still needs the CA of its peer.
    candidates = () if plan["kept"] else record["trust_added"]
    return {**plan, **now.trust.removals(candidates, _untouched(record, now), others)}


def _changed(
    record: Mapping[str, Any], found: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any] | None]]:
    """The objects of a record that are not as they were before the run, each with how it is now."""
    current = {entry_key(entry): entry["object"] or None for entry in found["objects"]}
    for entry in record["objects"]:
        before, now = entry["before"], current.get(entry_key(entry))
        if (before is None) != (now is None) or differing(before or {}, now or {}):
            yield entry, now


def _untouched(record: Mapping[str, Any], now: Now) -> list[Peer]:
    """The peers whose trunk restoring leaves as it is."""
    trunks = {entry["name"]: entry for entry in record["objects"] if entry["kind"] == TRUNK.resource.module}
    names = {peer.name: object_names(peer.name, now.settings)["name"] for peer in now.peers}
    return [peer for peer in now.peers if not _leaves(trunks.get(names[peer.name]))]


def _refusal(cluster: str, entry: Mapping[str, Any], now: Mapping[str, Any] | None, strange: Sequence[str]) -> str:
    what = f"{cluster}: the {noun(entry['kind'])} {in_words(entry['name'], entry['partition'])}"
    if now is None:
        return f"{what} was removed by someone after the run."
    if strange == ["state"]:
        return f"{what} was made again by someone after the run."
    left = entry["after"] if entry.get("known") else entry["wish"]
    changes = ", ".join(f"{key} is {now.get(key)!r} and was {(left or {}).get(key)!r}" for key in strange)
    return f"{what} was changed by someone after the run: {changes}."


def _put_back(key: Key, before: Mapping[str, Any], now: Mapping[str, Any] | None) -> dict[str, Any]:
    """The options that turn an object into what it was, or make it again."""
    own = key_options(*key, now or before)
    if now is None:
        return {**{option: value for option, value in before.items() if normal(value) not in EMPTY}, **own}
    back = {
        option: before.get(option, [] if isinstance(now[option], list) else "") for option in differing(before, now)
    }
    return {**back, **own}


def _remove(
    plan: dict[str, Any], doomed: Mapping[Key, Mapping[str, Any]], record: Mapping[str, Any], users: Sequence[Any]
) -> None:
    """Remove what the run made, unless something uses it that is neither removed nor put back to another use."""
    back = {entry_key(entry): entry["before"] for entry in record["objects"] if entry["before"] is not None}
    going = set(doomed)
    for kind in reversed(MADE):
        for key in [candidate for candidate in doomed if candidate[0] == kind.resource.module]:
            left = [
                user
                for user in users
                if (user["of_kind"], user["of"]) == key[:2]
                and entry_key(user) not in going
                and (entry_key(user) not in back or _names(back[entry_key(user)], key[1]))
            ]
            if left:
                going.discard(key)
                plan["kept"].append(kept_because_used(key[0], key[1], left))
            else:
                plan["absent"][kind.objects].append({**key_options(*key, doomed[key]), "state": "absent"})


def _leaves(entry: Mapping[str, Any] | None) -> bool:
    """True when restoring an entry takes the trunk away or back to another security profile."""
    if entry is None:
        return False
    profiles = [
        (entry[key] or {}).get("security_profile") for key in ("before", "after" if entry.get("known") else "wish")
    ]
    return entry["before"] is None or profiles[0] != profiles[1]


def _names(value: Any, name: str) -> bool:
    """True when a setting refers to something by this name."""
    if isinstance(value, Mapping):
        return any(_names(inner, name) for inner in value.values())
    if isinstance(value, list):
        return any(_names(inner, name) for inner in value)
    return str(value).casefold() == name.casefold()


def _identity(record: Mapping[str, Any], cluster: Cluster) -> list[str]:
    """Why identity certificates that the run replaced are not restored."""
    messages = []
    for text, view in (record.get("identity") or {}).items():
        node, purpose = labelled(text)
        now = cluster.by_node(purpose).get(node) if purpose in FACTS else None
        if view and now and bare(view["sha256"]) != bare(now["sha256"]):
            messages.append(
                f"{node} keeps its {purpose} certificate {now['subject']} issued by {now['issuer']}: the previous one "
                f"({view['subject']}, issued by {view['issuer']}) can't be restored, because its key no longer exists."
            )
    return messages
