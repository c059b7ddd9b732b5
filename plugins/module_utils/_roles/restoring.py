# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a record and how the objects stand now to what puts them back, or why that is refused. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.backup import (
    EMPTY,
    FORMAT,
    bare,
    differing,
    entry_key,
    normal,
    unexplained,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.removal import NOUNS, in_words

#: the lists of the plan, in the order in which objects are made; they are removed in the opposite one
LISTS = {
    "sip_profile": "sip_profiles",
    "sip_trunk_profile": "profiles",
    "sip_trunk": "trunks",
    "route_group": "route_groups",
    "route_list": "route_lists",
    "route_pattern": "patterns",
}
Key = tuple[str, str, str]


def restore_questions(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """The objects of a record, to ask cucm_object_info for. ValueError for what is no record."""
    if not isinstance(record, Mapping) or record.get("format") != FORMAT or "objects" not in record:
        raise ValueError("This is no record of a run, or one of another version of siptls.cucm.")
    return [{"kind": kind, "name": name, "partition": part} for kind, name, part in map(entry_key, record["objects"])]


def restore_plan(
    record: Mapping[str, Any],
    standing: Mapping[str, Any],
    cluster: Mapping[str, Any],
    *,
    peers: Mapping[str, str] | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """`present` and `absent`, lists of objects a kind; `refusals`; what `stays`; what is `said` of certificates.

    standing is the result of cucm_object_info with the questions above, cluster the facts of role preflight. An object
    that somebody changed after the run is a refusal, unless force overrides it. An object that the run made and that
    something else uses by now stays in any case. peers (name: trunk) are looked through for those whose trunk stays as
    it is, `staying`.
    """
    if record.get("cluster") != cluster["name"]:
        raise ValueError(f"The record is of {record.get('cluster')}, and this cluster is {cluster['name']}.")
    held = {entry_key(one): one["object"] or None for one in standing["objects"]}
    plan: dict[str, Any] = {
        "present": {into: [] for into in LISTS.values()}, "absent": {into: [] for into in LISTS.values()},
        "refusals": [], "stays": [], "said": _identity(record, cluster),
        "trust_added": list(record["trust_added"]), "trust_removed": list(record["trust_removed"]),
    }  # fmt: skip
    trunks = {entry["name"]: entry for entry in record["objects"] if entry["kind"] == "sip_trunk"}
    plan["staying"] = [peer for peer, trunk in (peers or {}).items() if not _leaves(trunks.get(trunk))]
    doomed: list[Key] = []
    for entry in record["objects"]:
        key, now = entry_key(entry), held.get(entry_key(entry))
        before = entry["before"]
        if (before is None) == (now is None) and not differing(before or {}, now or {}):
            continue
        strange = unexplained(entry, now)
        if strange and not force:
            plan["refusals"].append(_refusal(cluster["name"], entry, now, strange))
        elif before is None:
            doomed.append(key)
        else:
            plan["present"][LISTS[key[0]]].append(_put_back(key, before, now))
    _remove(plan, doomed, record, standing.get("users") or ())
    return plan


def _refusal(cluster: str, entry: Mapping[str, Any], now: Mapping[str, Any] | None, strange: Sequence[str]) -> str:
    what = f"{cluster}: the {NOUNS[entry['kind']]} {in_words(entry['name'], entry['partition'])}"
    if now is None:
        return f"{what} was removed by somebody after the run."
    if strange == ["state"]:
        return f"{what} was made again by somebody after the run."
    left = entry["after"] if entry.get("known") else entry["wish"]
    told = ", ".join(f"{one} is {now.get(one)!r} and was {(left or {}).get(one)!r}" for one in strange)
    return f"{what} was changed by somebody after the run: {told}."


def _put_back(key: Key, before: Mapping[str, Any], now: Mapping[str, Any] | None) -> dict[str, Any]:
    """The options that turn an object into what it was, or make it again."""
    kind, name, partition = key
    own = {"pattern": name, "partition": partition} if kind == "route_pattern" else {"name": name}
    if now is None:
        return {**{option: value for option, value in before.items() if normal(value) not in EMPTY}, **own}
    back = {
        option: before.get(option, [] if isinstance(now[option], list) else "") for option in differing(before, now)
    }
    return {**back, **own}


def _remove(plan: dict[str, Any], doomed: list[Key], record: Mapping[str, Any], users: Sequence[Any]) -> None:
    """What the run made goes, unless something uses it that neither goes nor is put back to another use."""
    back = {entry_key(entry): entry["before"] for entry in record["objects"] if entry["before"] is not None}
    going = set(doomed)
    for kind in reversed(LISTS):
        for key in [one for one in doomed if one[0] == kind]:
            left = [
                one
                for one in users
                if (one["of_kind"], one["of"]) == key[:2]
                and entry_key(one) not in going
                and (entry_key(one) not in back or _names(back[entry_key(one)], key[1]))
            ]
            if left:
                going.discard(key)
                used = ", ".join(f"the {NOUNS[one['kind']]} {in_words(one['name'], one['partition'])}" for one in left)
                plan["stays"].append(f"The {NOUNS[kind]} {key[1]} stays: it is used by {used}.")
                continue
            own = {"pattern": key[1], "partition": key[2]} if kind == "route_pattern" else {"name": key[1]}
            plan["absent"][LISTS[kind]].append({**own, "state": "absent"})


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


def _identity(record: Mapping[str, Any], cluster: Mapping[str, Any]) -> list[str]:
    said = []
    for node, view in (record.get("identity") or {}).items():
        now = (cluster["certificates"] or {}).get(node)
        if view and now and bare(view["sha256"]) != bare(now["sha256"]):
            said.append(
                f"{node} keeps its CallManager certificate {now['subject']} issued by {now['issuer']}: the one of "
                f"before ({view['subject']}, issued by {view['issuer']}) can't be put back, because its key is gone."
            )
    return said
