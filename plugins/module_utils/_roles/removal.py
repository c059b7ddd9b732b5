# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the objects towards peers can be removed, and which must be kept, with the reason. Pure.

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
from ansible_collections.siptls.cucm.plugins.module_utils._roles.objects import object_names
from ansible_collections.siptls.cucm.plugins.module_utils._roles.transit import shared_titles
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import climb
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK as TRUNK_PURPOSE

Rows = Iterable[Mapping[str, Any]]
Key = tuple[str, str, str]
Target = tuple[str, str]  # kind, name
_SIP_PROFILE = MADE[0].resource.module
_MADE_PATTERN = re.compile(re.escape(PATTERN.description).replace(re.escape("{peer}"), ".+"))
_PATTERN, _LIST, _TRUNK = PATTERN.resource.module, LIST.resource.module, TRUNK.resource.module


def removal_questions(
    peers: Iterable[str],
    settings: Mapping[str, Any],
    numbers: Iterable[Any] = (),
) -> list[dict[str, str]]:
    """The objects to ask cucm_object_info for, before removal decides anything."""
    peers, existing = list(peers), settings.get("existing") or {}
    asked = [
        {"kind": kind.resource.module, "name": _made_names(peer, settings)[kind.title]}
        for peer in peers
        for kind in PER_PEER
    ]
    asked += [{"kind": _LIST, "name": name} for name in _shared(peers, settings)]
    asked += [{"kind": _TRUNK, "name": name} for peer, name in existing.items() if peer in peers]
    if settings["sip_profile_copy_from"]:
        asked.append({"kind": _SIP_PROFILE, "name": settings["sip_profile"]})
    partition = settings["partition"] or ""
    asked += [{"kind": _PATTERN, "name": str(one), "partition": partition} for one in dict.fromkeys(numbers)]
    return asked


def trunk_removals(
    peers: Sequence[str],
    settings: Mapping[str, Any],
    standing: Mapping[str, Any],
    remaining: Iterable[str] = (),
) -> dict[str, list[Any]]:
    """What can be removed, a list per kind with state absent; what `stays` because it is used; `foreign` patterns.

    standing is the result of cucm_object_info with the questions above. remaining are the peers that are kept: what
    their trunks use is kept without a sentence. A pattern is the role's when it leads to one of the role's trunks or
    route lists and has a number of the peer's (asked for) or the role's description; of those to a trunk that was
    there before (setting `existing`) only the ones with the description are.
    """
    titles = {peer: _made_names(peer, settings) for peer in peers}
    work = _Removal(
        there={_key(entry): entry["object"] for entry in standing["objects"] if entry["object"]},
        users=list(standing.get("users") or ()),
        remaining={object_names(peer, settings)["name"] for peer in remaining},
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


def _shared(peers: Sequence[str], settings: Mapping[str, Any]) -> list[str]:
    """The names of the route lists that hubs among the peers may share."""
    return list(shared_titles(str(settings["route_list"]), peers, settings.get("hubs") or ()).values())


def _made_names(peer: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """The names of what the role makes for a peer itself."""
    return object_names(peer, {**settings, "existing": {}})


def _used(user: Mapping[str, Any]) -> Target:
    return user["of_kind"], user["of"]


def _key(entry: Mapping[str, Any]) -> Key:
    return entry["kind"], entry["name"], entry["partition"]


@dataclass
class _Removal:
    """Objects that exist, what uses them, and which of them go."""

    there: Mapping[Key, Mapping[str, Any]]
    users: Sequence[Mapping[str, Any]]
    remaining: set[str]  # trunks to the peers that are kept
    before: Mapping[str, str]  # trunks that were there before, each with its peer
    gone: set[Key] = field(default_factory=set)
    found: dict[str, list[Any]] = field(
        default_factory=lambda: {**{kind.objects: [] for kind in MADE}, "stays": [], "foreign": []}
    )

    def patterns(self, ours: Mapping[Target, str]) -> None:
        """The patterns that lead to a target of the role's, or with its description to a trunk that is kept."""
        kept = self._ways_to_kept_trunks()
        for key, pattern in self.there.items():
            if key[0] != _PATTERN:
                continue
            ends = {(_LIST, pattern.get("route_list")), (_TRUNK, pattern.get("gateway"))}
            if ends & ours.keys():
                self._remove_pattern(key)
            elif not ends & kept.keys():
                end = pattern.get("gateway") or pattern.get("route_list") or "nowhere"
                self.found["foreign"].append(f"The route pattern {in_words(*key[1:])} is kept: it leads to {end}.")
        for user in self.users:
            # A pattern that leads to a hub has the description of the number's owner.
            leads_to_ours = _used(user) in ours or _used(user) in kept
            made_by_role = leads_to_ours and _MADE_PATTERN.fullmatch(user["description"] or "")
            if made_by_role and user["kind"] == _PATTERN and _key(user) not in self.gone:
                self._remove_pattern(_key(user), user.get("uuid") or "")

    def _ways_to_kept_trunks(self) -> dict[Target, str]:
        """The trunks that were there before, the route groups with them, and the route lists with those."""
        ways = {(_TRUNK, name): peer for name, peer in self.before.items()}
        for kind in (GROUP, LIST):
            for user in self.users:
                if user["kind"] == kind.resource.module and _used(user) in ways:
                    ways[user["kind"], user["name"]] = ways[_used(user)]
        return ways

    def _remove_pattern(self, key: Key, uuid: str = "") -> None:
        self.gone.add(key)
        # A pattern with @ has its dial plan in its key, which is not known here.
        named = {"pattern": uuid} if uuid and "@" in key[1] else key_options(*key, self.there.get(key))
        self.found[PATTERN.objects].append({**named, "state": "absent"})

    def remove(self, kind: Made, name: str) -> None:
        """Remove one object when everything that uses it goes; otherwise say why it is kept."""
        key = (kind.resource.module, name, "")
        if key not in self.there or key in self.gone:
            return
        left = [user for user in self.users if _used(user) == key[:2] and _key(user) not in self.gone]
        if not left:
            self.gone.add(key)
            self.found[kind.objects].append({"name": name, "state": "absent"})
            return
        others = [user for user in left if not (user["kind"] == _TRUNK and user["name"] in self.remaining)]
        if others:
            text = kept_because_used(kind.resource.module, name, others)
            if any(user["kind"] == _TRUNK and user["name"] in self.before for user in others):
                text += " That trunk was there before the first run: run restore.yml, then remove this object."
            self.found["stays"].append(text)


def kept_because_used(kind: str, name: str, users: Rows) -> str:
    """The sentence about an object that something else uses."""
    used = ", ".join(f"the {noun(user['kind'])} {in_words(user['name'], user['partition'])}" for user in users)
    return f"The {noun(kind)} {name} is kept: it is used by {used}."


def trust_removals(
    doomed: Iterable[str],
    held: Sequence[Mapping[str, Any]],
    remaining: Iterable[Iterable[str]],
    *,
    unknown: Sequence[str] = (),
    others: Sequence[str] = (),
    policy: str = "unused",
) -> dict[str, list[Any]]:
    """The CAs of removed peers that nothing else on this cluster needs: `remove` (views), and why others `stay`.

    doomed are the PEMs of the CAs of the removed peers; held all certificates of all nodes of this cluster; remaining
    the PEMs of the CAs of each peer that is kept. unknown names peers that are kept and whose CA is not known; others
    the trunks with TLS that are not the role's, whose peers' CAs are not known. Policy `always` disregards both.
    """
    found: dict[str, list[Any]] = {"remove": [], "stay": []}
    if policy == "never":
        return found
    wanted, kept = _certificates(doomed), _certificates(pem for chain in remaining for pem in chain)
    trusted = [view for view in held if view["purpose"] == TRUNK_PURPOSE.trust]
    trust = {one: view for view in trusted if (one := Certificate.from_view(view))}
    for certificate, view in trust.items():
        if certificate not in wanted:
            continue
        reason = _needed_here(certificate, held)
        if not reason and certificate in kept:
            reason = "it signed the certificates of a peer that is kept"
        if not reason and policy != "always":
            reason = _may_be_needed(unknown, others)
        if reason:
            found["stay"].append(f"The CA {certificate.subject.text} is kept in {TRUNK_PURPOSE.trust}: {reason}.")
        else:
            found["remove"].append({key: view.get(key) for key in ("name", "subject", "sha256", "pem")})
    return found


def _certificates(pems: Iterable[str]) -> set[Certificate]:
    return set(filter(None, (Certificate.from_view({"pem": pem}) for pem in pems)))


def _needed_here(certificate: Certificate, held: Rows) -> str:
    """Why an identity certificate of this cluster needs a CA; empty when none does."""
    stores = list(filter(None, (Certificate.from_view(one) for one in held if one.get("kind") != "identity")))
    needing = []
    for view in (one for one in held if one.get("kind") == "identity"):
        own = Certificate.from_view(view)
        # Which of several certificates of one key CUCM takes is not known: all of them are needed.
        above = climb(own, stores).certificates if own is not None else ()
        if any(one.key == certificate.key and one.subject.key == certificate.subject.key for one in above):
            needing.append(str(view["purpose"]))
    return f"it is above the {', '.join(dict.fromkeys(needing))} certificate of this cluster" if needing else ""


def _may_be_needed(unknown: Sequence[str], others: Sequence[str]) -> str:
    """Why it is not known whether something else needs a CA; empty when nothing else can."""
    if unknown:
        return f"it is not known who issued the certificates of {', '.join(unknown)}"
    if others:
        return (
            f"the SIP trunk {', '.join(others)} has TLS too, and it is not known who issued its peer's certificate "
            "(sip_tls_undo_remove_trust: always removes the CA all the same)"
        )
    return ""


def other_trunks(trunks: Rows, peers: Iterable[str], settings: Mapping[str, Any]) -> list[str]:
    """The trunks with TLS on a cluster that are not the role's, out of those that cucm_object_info reports."""
    ours = {names(peer, settings)["name"] for peer in peers for names in (object_names, _made_names)}
    return [str(one["name"]) for one in trunks if one["transport"] == "TLS" and one["name"] not in ours]
