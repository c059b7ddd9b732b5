# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the objects towards peers can be taken away, and what has to stay, with the reason. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.objects import object_names

Rows = Iterable[Mapping[str, Any]]
#: kind, the key of its name in object_names, its list in the result, its words; in the order of removal
KINDS = (
    ("route_list", "route_list", "route_lists", "route list"),
    ("route_group", "route_group", "route_groups", "route group"),
    ("sip_trunk", "name", "trunks", "SIP trunk"),
    ("sip_trunk_profile", "profile", "profiles", "SIP trunk security profile"),
)
NOUNS = {kind: noun for kind, _key, _list, noun in KINDS} | {
    "sip_profile": "SIP profile",
    "route_pattern": "route pattern",
    "device": "device",
}


def removal_questions(
    peers: Iterable[str],
    settings: Mapping[str, Any],
    numbers: Iterable[Any] = (),
) -> list[dict[str, str]]:
    """The objects to ask cucm_object_info for, before anything is judged."""
    peers, existing = list(peers), settings.get("existing") or {}
    asked = [
        {"kind": kind, "name": _made_names(peer, settings)[key]} for peer in peers for kind, key, _list, _noun in KINDS
    ]
    asked += [{"kind": "sip_trunk", "name": name} for peer, name in existing.items() if peer in peers]
    if settings["sip_profile_copy_from"]:
        asked.append({"kind": "sip_profile", "name": settings["sip_profile"]})
    partition = settings["partition"] or ""
    asked += [{"kind": "route_pattern", "name": str(one), "partition": partition} for one in dict.fromkeys(numbers)]
    return asked


def trunk_removals(
    peers: Sequence[str],
    settings: Mapping[str, Any],
    standing: Mapping[str, Any],
    remaining: Iterable[str] = (),
) -> dict[str, list[Any]]:
    """What can be removed, a list a kind with state absent; what `stays` because it is used; `foreign` patterns.

    standing is the result of cucm_object_info with the questions above. remaining are the peers that stay: what their
    trunks use stays without a word. A pattern is ours when it leads to one of our trunks or route lists and has a
    number of the peer's (asked for) or our description; to a trunk that was there before (setting `existing`) only
    the ones with our description are.
    """
    titles = {peer: _made_names(peer, settings) for peer in peers}
    work = _Removal(
        there={_key(one): one["object"] for one in standing["objects"] if one["object"]},
        users=list(standing.get("users") or ()),
        staying={object_names(peer, settings)["name"] for peer in remaining},
    )
    work.patterns(
        {(kind, title[_TITLES[kind]]): peer for peer, title in titles.items() for kind in ("route_list", "sip_trunk")},
        {name: peer for peer, name in (settings.get("existing") or {}).items() if peer in titles},
    )
    for kind, key, into, _noun in KINDS:
        for title in titles.values():
            work.judge(kind, title[key], into)
    if settings["sip_profile_copy_from"]:
        work.judge("sip_profile", settings["sip_profile"], "sip_profiles")
    return work.found


def _made_names(peer: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """The names of what the role makes for a peer itself."""
    return object_names(peer, {**settings, "existing": {}})


_TITLES = {kind: key for kind, key, _list, _noun in KINDS}


def _used(one: Mapping[str, Any]) -> tuple[str, str]:
    return one["of_kind"], one["of"]


def _key(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return one["kind"], one["name"], one["partition"]


@dataclass
class _Removal:
    """Objects that are there, what uses them, and what of it goes."""

    there: Mapping[tuple[str, str, str], Mapping[str, Any]]
    users: Sequence[Mapping[str, Any]]
    staying: set[str]  # trunks to the peers that stay
    kept: set[str] = field(default_factory=set)  # trunks that were there before
    gone: set[tuple[str, str, str]] = field(default_factory=set)
    found: dict[str, list[Any]] = field(
        default_factory=lambda: {
            **{into: [] for _kind, _key, into, _noun in KINDS},
            **{into: [] for into in ("patterns", "sip_profiles", "stays", "foreign")},
        }
    )

    def patterns(self, targets: Mapping[tuple[str, str], str], kept: Mapping[str, str]) -> None:
        """The patterns that lead to a target (kind, name) of ours, or with our description to a trunk that is kept."""
        self.kept = set(kept)
        soft = {("sip_trunk", name): peer for name, peer in kept.items()}
        for _round in ("route groups", "route lists"):
            above = [one for one in self.users if one["kind"] in ("route_group", "route_list")]
            soft.update({(one["kind"], one["name"]): soft[_used(one)] for one in above if _used(one) in soft})
        for key, held in self.there.items():
            ends = [("route_list", held.get("route_list")), ("sip_trunk", held.get("gateway"))]
            if key[0] == "route_pattern" and any(end in targets for end in ends):
                self._pattern_goes(key)
            elif key[0] == "route_pattern" and not any(end in soft for end in ends):
                end = held.get("gateway") or held.get("route_list") or "nowhere"
                self.found["foreign"].append(f"The route pattern {in_words(*key[1:])} stays: it leads to {end}.")
        for one in self.users:
            peer = targets.get(_used(one)) or soft.get(_used(one))
            described = one["description"] == f"To {peer} by SIP over mutual TLS"
            if peer and described and one["kind"] == "route_pattern" and _key(one) not in self.gone:
                self._pattern_goes(_key(one))

    def _pattern_goes(self, key: tuple[str, str, str]) -> None:
        self.gone.add(key)
        self.found["patterns"].append({"pattern": key[1], "partition": key[2], "state": "absent"})

    def judge(self, kind: str, name: str, into: str) -> None:
        """One object: taken away when all that uses it goes, else it stays with a reason."""
        key = (kind, name, "")
        if key not in self.there or key in self.gone:
            return
        left = [one for one in self.users if _used(one) == (kind, name) and _key(one) not in self.gone]
        if not left:
            self.gone.add(key)
            self.found[into].append({"name": name, "state": "absent"})
            return
        others = [one for one in left if not (one["kind"] == "sip_trunk" and one["name"] in self.staying)]
        if others:
            used = ", ".join(f"the {NOUNS[one['kind']]} {in_words(one['name'], one['partition'])}" for one in others)
            text = f"The {NOUNS[kind]} {name} stays: it is used by {used}."
            if any(one["kind"] == "sip_trunk" and one["name"] in self.kept for one in others):
                text += " That trunk was there before; restore.yml puts it back, and then this can go."
            self.found["stays"].append(text)


def in_words(name: str, partition: str) -> str:
    """A name, with the partition of a pattern."""
    return f"{name} in partition {partition}" if partition else name


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
    the PEMs of the CAs of each peer that stays. unknown names peers that stay and whose CA is not known; others the
    trunks with TLS that are not the role's, whose peers' CAs can't be known. Policy `always` disregards both.
    """
    trust = {one["sha256"]: one for one in held if one["purpose"] == "CallManager-trust" and one.get("pem")}
    pems = {_bare(pem) for pem in doomed}
    candidates = [one for one in trust.values() if _bare(one["pem"]) in pems]
    identities = [one for one in held if one.get("kind") == "identity"]
    stores = [one for one in held if one.get("kind") != "identity"]
    found: dict[str, list[Any]] = {"remove": [], "stay": []}
    for one in candidates if policy != "never" else ():
        reason = ""
        needing = [own for own in identities if one["subject"] in _above(stores, own)]
        if needing or one["sha256"] in {own["sha256"] for own in identities}:
            purposes = ", ".join(dict.fromkeys(str(own["purpose"]) for own in needing)) or "an own"
            reason = f"it stands above the {purposes} certificate of this cluster"
        elif any(_bare(one["pem"]) in {_bare(pem) for pem in chain} for chain in remaining):
            reason = "a peer that stays has it above its certificates"
        elif unknown and policy != "always":
            reason = f"it isn't known who issued the certificates of {', '.join(unknown)}"
        elif others and policy != "always":
            reason = (
                f"the SIP trunk {', '.join(others)} has TLS too, and it isn't known who issued its peer's certificate "
                "(sip_tls_trunk_remove_trust: always takes the CA away all the same)"
            )
        if reason:
            found["stay"].append(f"The CA {one['subject']} stays in CallManager-trust: {reason}.")
        else:
            found["remove"].append({key: one.get(key) for key in ("name", "subject", "sha256", "pem")})
    return found


def other_trunks(trunks: Rows, peers: Iterable[str], settings: Mapping[str, Any]) -> list[str]:
    """The trunks with TLS on a cluster that are none of the role's, out of those that cucm_object_info tells of."""
    ours = {names(peer, settings)["name"] for peer in peers for names in (object_names, _made_names)}
    return [str(one["name"]) for one in trunks if one["transport"] == "TLS" and one["name"] not in ours]


def _above(stores: Rows, certificate: Mapping[str, Any]) -> set[str]:
    """The names of the CAs above a certificate, whichever of several certificates of a name is the one."""
    issuers = {str(one["subject"]): str(one.get("issuer")) for one in stores}
    found: set[str] = set()
    name = str(certificate.get("issuer"))
    while name not in found:
        found.add(name)
        name = issuers.get(name, name)
    return found


def _bare(pem: str) -> str:
    """A PEM without its line breaks, which differ between those who write it."""
    return "".join(str(pem).split())
