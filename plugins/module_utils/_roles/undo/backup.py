# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of what a run changes on a cluster: begun before its first write, finished after its last. Pure.

A record contains no secret: AXL returns none for these objects, and only the public part of certificates is kept. An
unfinished record belongs to a run that was interrupted. The next run continues it, so that it describes the objects as
they were before both runs.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import BY_MODULE
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK

FORMAT = 1
EMPTY: tuple[Any, ...] = ("", None, [], {})
#: options of a planned object that are not settings of it
_NO_SETTING = ("state", "copy_from", "reset")

Object = Mapping[str, Any]


def key_of(kind: str, options: Object) -> tuple[str, str, str]:
    """What identifies an object: kind, name, partition."""
    resource = BY_MODULE[kind]
    partition = str(options.get("partition") or "") if "partition" in resource.key else ""
    return kind, str(options.get(resource.first)), partition


def entry_key(entry: Object) -> tuple[str, str, str]:
    """The same of an object in a record or in a result of cucm_object_info."""
    return entry["kind"], entry["name"], entry["partition"]


def begun(
    earlier: Mapping[str, Any] | None,
    head: Mapping[str, Any],
    planned: Mapping[str, Sequence[Object]],
    found: Iterable[Object] = (),
) -> dict[str, Any]:
    """A record to write before the first write, or the continued one of an interrupted run.

    head holds cluster, began, run, identity (by label: view), trust (SHA-256 of each), trust_added and trust_removed
    (PEM); planned are the objects that the run will set, by kind; found are the objects as they are, from
    cucm_object_info.
    """
    record = {"format": FORMAT, "finished": "", "objects": [], **head}
    kept = {entry_key(entry): entry for entry in (earlier or {}).get("objects") or ()}
    if earlier:
        record.update({key: earlier[key] for key in ("began", "identity", "trust") if earlier.get(key)})
        for key in ("trust_added", "trust_removed"):
            record[key] = list(dict.fromkeys([*(earlier.get(key) or ()), *record[key]]))
    now = {entry_key(entry): entry["object"] or None for entry in found}
    for kind, objects in planned.items():
        for options in objects:
            its = key_of(kind, options)
            gone = options.get("state") == "absent"
            entry = {
                "kind": its[0], "name": its[1], "partition": its[2], "before": now.get(its),
                "wish": None if gone else {k: v for k, v in options.items() if k not in _NO_SETTING}, "after": None,
            }  # fmt: skip
            old = kept.pop(its, None)
            if old is not None and explained(old, now.get(its)):
                entry["before"] = old["before"]
            record["objects"].append(entry)
    record["objects"] += kept.values()
    return record


def finished(
    record: Mapping[str, Any], ended: str, found: Iterable[Object], identity: Mapping[str, str]
) -> dict[str, Any]:
    """The record with the objects as they are after the run. Objects that the run did not change are left out."""
    now = {entry_key(current): current["object"] or None for current in found}
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


def label(node: str, purpose: str = TRUNK.name) -> str:
    """What a record calls an identity certificate: its node, followed by any purpose but CallManager."""
    return node if purpose == TRUNK.name else f"{node} {purpose}"


def labelled(text: str) -> tuple[str, str]:
    """Node and purpose of a label."""
    node, _space, purpose = text.partition(" ")
    return node, purpose or TRUNK.name


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
        return {key: inner for key, item in value.items() if (inner := normal(item)) not in EMPTY}
    if isinstance(value, list | tuple):
        items = [normal(item) for item in value]
        return sorted(items, key=str) if all(isinstance(item, str) for item in items) else items
    return value


def differing(first: Object, other: Object) -> list[str]:
    """The options that differ between two objects."""
    return [option for option in dict.fromkeys([*first, *other]) if not same(first.get(option), other.get(option))]


def same(value: Any, other: Any) -> bool:
    """True when two settings mean the same."""
    first, second = normal(value), normal(other)
    return first == second or (first in EMPTY and second in EMPTY)


def covers(asked: Any, current: Any) -> bool:
    """True when an object has everything that a task asked for."""
    if isinstance(asked, Mapping):
        return isinstance(current, Mapping) and all(covers(value, current.get(key)) for key, value in asked.items())
    if isinstance(asked, list) and any(isinstance(entry, Mapping) for entry in asked):
        return isinstance(current, list) and len(asked) == len(current) and all(map(covers, asked, current))
    if isinstance(asked, list):
        return {str(name).casefold() for name in asked} == {str(name).casefold() for name in current or ()}
    return same(asked, current) or str(asked).casefold() == str(current).casefold()


def explained(entry: Object, current: Object | None) -> bool:
    """True when an object is as it was before the run, as the run left it, or between the two."""
    return not unexplained(entry, current)


def unexplained(entry: Object, current: Object | None) -> list[str]:
    """The options of an object that somebody else must have changed since; ["state"] when it was made or removed."""
    before = entry["before"]
    if current is None:
        return ["state"] if before is not None and _expected(entry) else []
    if before is None and entry.get("known") and entry["after"] is None:
        return ["state"]
    if before is None:
        options = differing(entry["after"], current) if entry.get("known") else list(entry["wish"] or {})
    else:
        options = differing(before, current)
    return [option for option in options if not _set_by_run(entry, option, current)]


def _expected(entry: Object) -> bool:
    """Whether the object should exist after the run; of a run that did not finish, whether the run wanted it to."""
    return (entry["after"] if entry.get("known") else entry["wish"]) is not None


def _set_by_run(entry: Object, option: str, current: Object) -> bool:
    """True when an option has the value that the run gave it, or was about to give it."""
    if entry.get("known"):
        return same((entry["after"] or {}).get(option), current.get(option))
    planned = entry["wish"] or {}
    return option in planned and covers(planned[option], current.get(option))
