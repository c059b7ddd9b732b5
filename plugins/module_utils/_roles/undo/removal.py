# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What removes the trunks to peers, and what must be kept, with the reason. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.kinds import (
    GROUP,
    LIST,
    MADE,
    PATTERN,
    PER_PEER,
    TRUNK,
    Made,
    in_words,
    key_options,
    noun,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Peer, Settings
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.objects import object_names
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.transit import shared_titles
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo.trust_removal import Trust

Rows = Iterable[Mapping[str, Any]]
Key = tuple[str, str, str]
Target = tuple[str, str]  # kind, name
_SIP_PROFILE = MADE[0].resource.module
_MADE_PATTERN = re.compile(re.escape(PATTERN.description).replace(re.escape("{peer}"), ".+"))
_PATTERN, _LIST, _TRUNK = PATTERN.resource.module, LIST.resource.module, TRUNK.resource.module


def removal(
    removed: Sequence[str],
    peers: Sequence[Peer],
    settings: Settings,
    found: Mapping[str, Any],
    trust: Trust,
    *,
    chain: Iterable[str] = (),
) -> dict[str, list[Any]]:
    """What removes the trunks to some peers: a list of objects per kind, and `trust`, the CAs to remove, as PEM.

    peers are all peers of the cluster and those that are removed. found is the result of cucm_object_info for
    objects_to_look_up, with trunks. chain are further CAs of the removed peers, as PEM. `kept` and `kept_cas` are
    sentences about objects and CAs that something else needs, `elsewhere` about patterns that lead to another trunk.
    """
    going = set(removed)
    remaining = [peer for peer in peers if peer.name not in going]
    objects = object_removals(removed, settings, found, [peer.name for peer in remaining])
    candidates = [*chain, *(pem for peer in peers if peer.name in going for pem in peer.chain)]
    others = other_trunks(found.get("trunks") or (), [peer.name for peer in peers], settings)
    return {**objects, **trust.removals(candidates, remaining, others)}


def objects_to_look_up(removed: Sequence[str], peers: Iterable[Peer], settings: Settings) -> list[dict[str, str]]:
    """The objects that removal has to know, for cucm_object_info."""
    existing = settings.get("existing") or {}
    asked = [
        {"kind": kind.resource.module, "name": _made_names(peer, settings)[kind.title]}
        for peer in removed
        for kind in PER_PEER
    ]
    asked += [{"kind": _LIST, "name": name} for name in _shared(removed, settings)]
    asked += [{"kind": _TRUNK, "name": name} for peer, name in existing.items() if peer in removed]
    if settings["sip_profile_copy_from"]:
        asked.append({"kind": _SIP_PROFILE, "name": settings["sip_profile"]})
    partition = settings["partition"] or ""
    numbers = dict.fromkeys(str(number) for peer in peers if peer.name in removed for number in peer.patterns)
    asked += [{"kind": _PATTERN, "name": number, "partition": partition} for number in numbers]
    return asked


def object_removals(
    peers: Sequence[str], settings: Settings, found: Mapping[str, Any], remaining: Iterable[str] = ()
) -> dict[str, list[Any]]:
    """What can be removed, a list per kind with state absent; what is `kept` because it is used; patterns `elsewhere`.

    found is the result of cucm_object_info for objects_to_look_up. remaining are the peers that are kept: what their
    trunks use is kept without a sentence. A pattern is ours if it leads to one of our trunks or route lists and has a
    number of the peer or our description. Of the patterns that lead to a trunk that existed before (setting
    `existing`), only those with our description are ours.
    """
    titles = {peer: _made_names(peer, settings) for peer in peers}
    work = _Removal(
        existing={_key(entry): entry["object"] for entry in found["objects"] if entry["object"]},
        users=list(found.get("users") or ()),
        kept_trunks={object_names(peer, settings)["name"] for peer in remaining},
        before={name: peer for peer, name in (settings.get("existing") or {}).items() if peer in titles},
    )
    shared = _shared(peers, settings)
    work.patterns(
        {(kind.resource.module, title[kind.title]): peer for peer, title in titles.items() for kind in (LIST, TRUNK)}
        | {(_LIST, name): "" for name in shared}
    )
    for name in shared:
        work.remove(LIST, name)
    for kind in PER_PEER:
        for title in titles.values():
            work.remove(kind, title[kind.title])
    if settings["sip_profile_copy_from"]:
        work.remove(MADE[0], settings["sip_profile"])
    return work.found


def _shared(peers: Sequence[str], settings: Settings) -> list[str]:
    """The names of the route lists that hubs among the peers may share."""
    return list(shared_titles(str(settings["route_list"]), peers, settings.get("hubs") or ()).values())


def _made_names(peer: str, settings: Settings) -> dict[str, str]:
    """The names of the objects that the role makes for a peer, whether or not it keeps an existing trunk."""
    return object_names(peer, {**settings, "existing": {}})


def _used(user: Mapping[str, Any]) -> Target:
    return user["of_kind"], user["of"]


def _key(entry: Mapping[str, Any]) -> Key:
    return entry["kind"], entry["name"], entry["partition"]


@dataclass
class _Removal:
    """Objects that exist, what uses them, and which of them are removed."""

    existing: Mapping[Key, Mapping[str, Any]]
    users: Sequence[Mapping[str, Any]]
    kept_trunks: set[str]  # trunks to the peers that are kept
    before: Mapping[str, str]  # trunks that existed before the first run, each with its peer
    gone: set[Key] = field(default_factory=set)
    found: dict[str, list[Any]] = field(
        default_factory=lambda: {**{str(kind.objects): [] for kind in MADE}, "kept": [], "elsewhere": []}
    )

    def patterns(self, ours: Mapping[Target, str]) -> None:
        """The patterns that lead to a target of the role's, or with its description to a trunk that is kept."""
        kept = self._ways_to_kept_trunks()
        for key, pattern in self.existing.items():
            if key[0] != _PATTERN:
                continue
            ends = {(_LIST, pattern.get("route_list")), (_TRUNK, pattern.get("gateway"))}
            if ends & ours.keys():
                self._remove_pattern(key)
            elif not ends & kept.keys():
                end = pattern.get("gateway") or pattern.get("route_list") or "nowhere"
                self.found["elsewhere"].append(f"The route pattern {in_words(*key[1:])} is kept: it leads to {end}.")
        for user in self.users:
            # A pattern that leads to a hub has the description of the number's owner.
            leads_to_ours = _used(user) in ours or _used(user) in kept
            made_by_role = leads_to_ours and _MADE_PATTERN.fullmatch(user["description"] or "")
            if made_by_role and user["kind"] == _PATTERN and _key(user) not in self.gone:
                self._remove_pattern(_key(user), user.get("uuid") or "")

    def _ways_to_kept_trunks(self) -> dict[Target, str]:
        """The trunks that existed before, the route groups with them, and the route lists with those."""
        ways = {(_TRUNK, name): peer for name, peer in self.before.items()}
        for kind in (GROUP, LIST):
            for user in self.users:
                if user["kind"] == kind.resource.module and _used(user) in ways:
                    ways[user["kind"], user["name"]] = ways[_used(user)]
        return ways

    def _remove_pattern(self, key: Key, uuid: str = "") -> None:
        self.gone.add(key)
        # A pattern with @ has its dial plan in its key, which is not known here.
        named = {"pattern": uuid} if uuid and "@" in key[1] else key_options(*key, self.existing.get(key))
        self.found[PATTERN.objects].append({**named, "state": "absent"})

    def remove(self, kind: Made, name: str) -> None:
        """Remove one object if everything that uses it is removed too; otherwise report why it is kept."""
        key = (kind.resource.module, name, "")
        if key not in self.existing or key in self.gone:
            return
        left = [user for user in self.users if _used(user) == key[:2] and _key(user) not in self.gone]
        if not left:
            self.gone.add(key)
            self.found[kind.objects].append({"name": name, "state": "absent"})
            return
        others = [user for user in left if not (user["kind"] == _TRUNK and user["name"] in self.kept_trunks)]
        if others:
            text = kept_because_used(kind.resource.module, name, others)
            if any(user["kind"] == _TRUNK and user["name"] in self.before for user in others):
                text += " That trunk existed before the first run: run restore.yml, then remove this object."
            self.found["kept"].append(text)


def kept_because_used(kind: str, name: str, users: Rows) -> str:
    """The sentence about an object that something else uses."""
    used = ", ".join(f"the {noun(user['kind'])} {in_words(user['name'], user['partition'])}" for user in users)
    return f"The {noun(kind)} {name} is kept: it is used by {used}."


def other_trunks(trunks: Rows, peers: Iterable[str], settings: Settings) -> list[str]:
    """The trunks with TLS that are not ours, among those that cucm_object_info reports."""
    ours = {names(peer, settings)["name"] for peer in peers for names in (object_names, _made_names)}
    return [str(trunk["name"]) for trunk in trunks if trunk["transport"] == "TLS" and trunk["name"] not in ours]
