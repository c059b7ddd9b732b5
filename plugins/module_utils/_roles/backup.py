# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of what a run changes on a cluster: begun before its first write, finished after its last. Pure.

A record holds no secret: AXL gives none back for these objects, and of certificates only the public part is kept.
An unfinished record is of a run that was interrupted; the next run continues it, so that what it holds is how things
were before either.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FORMAT = 1
EMPTY: tuple[Any, ...] = ("", None, [], {})
#: options of a wish that are no settings of the object
_NO_SETTING = ("state", "copy_from", "reset")

Object = Mapping[str, Any]


def key_of(kind: str, wish: Object) -> tuple[str, str, str]:
    """What tells objects apart: kind, name, partition."""
    name = wish.get("pattern") if kind == "route_pattern" else wish.get("name")
    return kind, str(name), str(wish.get("partition") or "") if kind == "route_pattern" else ""


def entry_key(entry: Object) -> tuple[str, str, str]:
    """The same of an object in a record or in a result of cucm_object_info."""
    return entry["kind"], entry["name"], entry["partition"]


def begun(
    earlier: Mapping[str, Any] | None,
    head: Mapping[str, Any],
    wishes: Mapping[str, Sequence[Object]],
    standing: Iterable[Object] = (),
) -> dict[str, Any]:
    """A record to write before the first write, or the continued one of an interrupted run.

    head holds cluster, began, run, identity (node: view), trust (SHA-256 of each), trust_added and trust_removed (PEM);
    wishes are the objects that the run is to set, by kind; standing how they stand, from cucm_object_info.
    """
    record = {"format": FORMAT, "finished": "", "objects": [], **head}
    kept = {entry_key(entry): entry for entry in (earlier or {}).get("objects") or ()}
    if earlier:
        record.update({key: earlier[key] for key in ("began", "identity", "trust") if earlier.get(key)})
        for key in ("trust_added", "trust_removed"):
            record[key] = list(dict.fromkeys([*(earlier.get(key) or ()), *record[key]]))
    now = {entry_key(one): one["object"] or None for one in standing}
    for kind, objects in wishes.items():
        for wish in objects:
            its = key_of(kind, wish)
            gone = wish.get("state") == "absent"
            entry = {
                "kind": its[0], "name": its[1], "partition": its[2], "before": now.get(its),
                "wish": None if gone else {k: v for k, v in wish.items() if k not in _NO_SETTING}, "after": None,
            }  # fmt: skip
            old = kept.pop(its, None)
            if old is not None and explained(old, now.get(its)):
                entry["before"] = old["before"]
            record["objects"].append(entry)
    record["objects"] += kept.values()
    return record


def finished(
    record: Mapping[str, Any], ended: str, standing: Iterable[Object], identity: Mapping[str, str]
) -> dict[str, Any]:
    """The record with how things stand after the run; what the run left as it was is dropped from it."""
    now = {entry_key(one): one["object"] or None for one in standing}
    entries = [{**entry, "after": now.get(entry_key(entry)), "known": True} for entry in record["objects"]]
    entries = [entry for entry in entries if differing(entry["before"] or {}, entry["after"] or {})]
    before = set(record["trust"])
    return {
        **record,
        "finished": ended,
        "objects": entries,
        "identity_after": dict(identity),
        "trust_added": [pem for pem in record["trust_added"] if fingerprint(pem) not in before],
        "trust_removed": [pem for pem in record["trust_removed"] if fingerprint(pem) in before],
    }


def holds_something(record: Mapping[str, Any]) -> bool:
    """True when the run changed anything."""
    before = {node: (view or {}).get("sha256") for node, view in record["identity"].items()}
    other = any(before.get(node) != sha256 for node, sha256 in (record.get("identity_after") or {}).items())
    return bool(record["objects"] or record["trust_added"] or record["trust_removed"] or other)


def fingerprint(pem: str) -> str:
    """SHA-256 of a certificate in PEM, as hexadecimal digits."""
    body = re.sub(r"-----[A-Z ]+-----|\s", "", pem)
    return hashlib.sha256(base64.b64decode(body)).hexdigest()


def bare(sha256: str) -> str:
    """A fingerprint as fingerprint() writes it."""
    return str(sha256).replace(":", "").lower()


def normal(value: Any) -> Any:
    """A setting in the form to compare in: nothing empty, names without an order sorted."""
    if isinstance(value, Mapping):
        return {key: inner for key, one in value.items() if (inner := normal(one)) not in EMPTY}
    if isinstance(value, list | tuple):
        items = [normal(one) for one in value]
        return sorted(items, key=str) if all(isinstance(one, str) for one in items) else items
    return value


def differing(one: Object, other: Object) -> list[str]:
    """The options that differ between two objects."""
    return [option for option in dict.fromkeys([*one, *other]) if not _same(one.get(option), other.get(option))]


def _same(one: Any, other: Any) -> bool:
    first, second = normal(one), normal(other)
    return first == second or (first in EMPTY and second in EMPTY)


def covers(wish: Any, held: Any) -> bool:
    """True when an object has all that a wish says of it."""
    if isinstance(wish, Mapping):
        return isinstance(held, Mapping) and all(covers(value, held.get(key)) for key, value in wish.items())
    if isinstance(wish, list) and any(isinstance(one, Mapping) for one in wish):
        return isinstance(held, list) and len(wish) == len(held) and all(map(covers, wish, held))
    if isinstance(wish, list):
        return {str(one).casefold() for one in wish} == {str(one).casefold() for one in held or ()}
    return _same(wish, held) or str(wish).casefold() == str(held).casefold()


def explained(entry: Object, held: Object | None) -> bool:
    """True when an object stands as it was before the run, as the run left it, or between the two."""
    return not unexplained(entry, held)


def unexplained(entry: Object, held: Object | None) -> list[str]:
    """The options of an object that somebody else must have changed since; ["state"] when it is there or not."""
    before, wish = entry["before"], entry["wish"]
    after = entry["after"] if entry.get("known") else None
    if held is None:
        there = after is not None if entry.get("known") else wish is not None
        return ["state"] if before is not None and there else []
    if before is None:
        if entry.get("known"):
            return differing(after, held) if after is not None else ["state"]
        return [option for option, value in (wish or {}).items() if not covers(value, held.get(option))]
    return [
        option
        for option in differing(before, held)
        if not (
            _same((after or {}).get(option), held.get(option))
            if entry.get("known")
            else option in (wish or {}) and covers((wish or {})[option], held.get(option))
        )
    ]
