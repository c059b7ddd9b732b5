# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the objects are as preflight found them, before a run writes the first one.

A run on another controller shows only by what it changed, as does a person at the web page.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Resource, flat
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import BY_MODULE
from ansible_collections.siptls.cucm.plugins.module_utils._axl.validation import name_of
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._roles.kinds import PATTERN, PROFILE, TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo.backup import Object, entry_key, key_of, same

#: the kinds of which preflight keeps what it saw: their keys in Cluster.existing
SEEN = {
    PROFILE.resource.module: "profiles",
    TRUNK.resource.module: "sip_trunks",
    PATTERN.resource.module: "route_patterns",
}
#: how many objects a sentence names
_NAMED = 3


def end_if_changed(cluster: str, seen: Mapping[str, Any], found: Iterable[Object]) -> None:
    """Failure if somebody has changed the objects: a run overwrites nobody."""
    changed = list(changed_since(seen, found))
    if changed:
        more = f", and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        raise Failure(
            f"{cluster}: {'; '.join(changed[:_NAMED])}{more}, after this run had checked the cluster. Another run or a "
            "person is changing it at the same time. This run has written none of its objects. Let the other finish, "
            "then run again."
        )


def changed_since(seen: Mapping[str, Any], found: Iterable[Object]) -> Iterator[str]:
    """What somebody else has changed since preflight read it: each object, and what differs.

    seen is Cluster.existing; found are the objects as they are, from cucm_object_info.
    """
    known = _known(seen)
    for entry in found:
        resource, now = BY_MODULE[entry["kind"]], entry["object"] or {}
        # Of profiles, preflight reads all, so that one that it did not see did not exist.
        otherwise: Object | None = {} if resource is PROFILE.resource and seen.get("profiles") is not None else None
        then = known.get(_folded(entry_key(entry)), otherwise)
        change = "" if then is None else _change(resource, then, now)
        if change:
            yield f"{name_of(resource, then or now)} {change}"


def _change(resource: Resource, then: Object, now: Object) -> str:
    """Whether an object was made, removed or changed; empty if what preflight read of it is the same."""
    if bool(then) != bool(now):
        return "was made" if now else "was removed"
    options = {row.option for row in flat(resource.fields)} & then.keys()
    changed = [option for option in sorted(options) if not same(then[option], now.get(option))]
    return f"was changed ({', '.join(changed)})" if changed else ""


def _known(seen: Mapping[str, Any]) -> dict[tuple[str, ...], Object]:
    """The objects that preflight looked for, by key, as it saw them; empty ones did not exist."""
    known: dict[tuple[str, ...], Object] = {}
    for kind, option in SEEN.items():
        missing = (seen.get("missing") or {}).get(option) or ()
        known |= {_folded(key_of(kind, _as_options(kind, absent))): {} for absent in missing}
        known |= {_folded(key_of(kind, values)): values for values in seen.get(option) or ()}
    return known


def _as_options(kind: str, absent: Object | str) -> Object:
    """The key of a missing object: its name, or the options that identify it."""
    return absent if isinstance(absent, Mapping) else {BY_MODULE[kind].first: absent}


def _folded(parts: Iterable[str]) -> tuple[str, ...]:
    """A key as CUCM compares it."""
    return tuple(part.casefold() for part in parts)
