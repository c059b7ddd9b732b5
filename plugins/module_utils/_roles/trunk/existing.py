# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trunks to a peer that existed before: they keep their name and everything that leads to them. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.patterns import covers
from ansible_collections.siptls.cucm.plugins.module_utils._roles.kinds import GROUP, LIST, MADE, PATTERN, TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Objects, Options, Settings
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.objects import object_names

Rows = Iterable[Mapping[str, Any]]
_TARGETS = ("gateway", "route_list")


def with_existing(made: Objects, found: Mapping[str, Any], settings: Settings) -> Objects:
    """The objects of trunk_objects, with the trunks of the setting `existing` (peer: name) in place of new ones.

    Of such a trunk the run sets the security profile, the ports of the destinations, SRTP and the SIP profile. What
    leads to it is kept: a number that one of its patterns covers gets no second pattern, and other numbers go the same
    way. found is the result of cucm_object_info for these trunks, with all trunks; `offers` are sentences about
    other trunks that could be kept. ValueError, with a sentence, when a trunk does not exist.
    """
    existing = settings.get("existing") or {}
    current = {
        entry["name"]: entry["object"] for entry in found.get("objects") or () if entry["kind"] == TRUNK.resource.module
    }
    result: Objects = {**made}
    for kind in MADE:
        result[kind.objects] = list(made.get(kind.objects) or ())
    addresses = {
        trunk["name"]: [entry.get("address") or entry["address_ipv6"] for entry in trunk["destinations"]]
        for trunk in made["trunks"]
    }
    result["offers"] = trunks_to(
        [{"name": peer["name"], "addresses": addresses[peer["trunk"]]} for peer in made["peers"]],
        found.get("trunks") or (),
        existing,
    )
    for peer in result["peers"]:
        name = existing.get(peer["name"])
        if name is None:
            continue
        if not current.get(name):
            raise ValueError(
                f"sip_tls_trunk_existing names the SIP trunk {name} for {peer['name']}, which does not exist on this "
                "cluster. Correct the name, or leave the peer out to have a trunk made."
            )
        _keep(result, object_names(peer["name"], settings), current[name], found.get("users") or ())
    return result


def _keep(result: Objects, title: Mapping[str, str], current: Mapping[str, Any], users: Rows) -> None:
    """Put the existing trunk, which title names, in the place of the one that would be made."""
    index = next(place for place, trunk in enumerate(result["trunks"]) if trunk["name"] == title["name"])
    result["trunks"][index] = _changes_to(current, result["trunks"][index], title["name"])
    way = _Way.to(title["name"], users)
    target = way.target(title)
    shares = [made for made in result["route_lists"] if len(made["members"]) > 1 and _has(made, title["route_group"])]
    # The route list that hubs share needs a route group with the trunk: the one in which it is, or a new one.
    kinds = (GROUP, LIST) if way.groups or not shares else (LIST,)
    for kind in kinds:
        result[kind.objects] = [made for made in result[kind.objects] if made["name"] != title[kind.title]]
    if way.groups:
        result["route_lists"] = [
            {**made, "members": [_in_group(member, title["route_group"], way.groups[0]) for member in made["members"]]}
            for made in result["route_lists"]
        ]
    patterns = list(_patterns(result["patterns"], way, target, title))
    new_list = {"route_list": title["route_list"]}
    if target == new_list and any(_leads_to(pattern, new_list) for pattern in patterns):
        members = [{"route_group": group} for group in way.groups[:1]]
        result["route_lists"].append({"name": title["route_list"], "members": members})
    result["patterns"] = patterns


def _has(route_list: Mapping[str, Any], group: str) -> bool:
    return any(member["route_group"] == group for member in route_list["members"])


def _in_group(member: Mapping[str, Any], made: str, existing: str) -> dict[str, Any]:
    return {**member, "route_group": existing if member["route_group"] == made else member["route_group"]}


def _changes_to(current: Mapping[str, Any], planned: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What the run sets of an existing trunk."""
    trunk = {"name": name, **{key: planned[key] for key in ("security_profile", "sip_profile", "srtp_allowed")}}
    if current.get("destinations") and current.get("destination_is_srv") is not True:
        port = planned["destinations"][0]["port"]
        keys = ("address", "address_ipv6", "order")
        trunk["destinations"] = [
            {**{key: entry[key] for key in keys if entry.get(key)}, "port": port} for entry in current["destinations"]
        ]
    return trunk


@dataclass(frozen=True)
class _Way:
    """What leads to a trunk: route groups, route lists and the patterns of both."""

    trunk: str
    groups: list[str]
    lists: list[str]
    patterns: list[str]

    @classmethod
    def to(cls, trunk: str, users: Rows) -> _Way:
        """Read from the users of cucm_object_info."""
        used = [(user["kind"], user["name"], (user["of_kind"], user["of"])) for user in users]
        group, route_list, pattern = (kind.resource.module for kind in (GROUP, LIST, PATTERN))
        device = (TRUNK.resource.module, trunk)
        groups = sorted({name for kind, name, of in used if kind == group and of == device})
        lists = sorted({name for kind, name, of in used if kind == route_list and of[1] in groups})
        ends = {device, *((route_list, name) for name in lists)}
        return cls(trunk, groups, lists, [name for kind, name, of in used if kind == pattern and of in ends])

    def target(self, title: Mapping[str, str]) -> dict[str, str]:
        """Where further patterns lead. A member of a route group cannot be the target of a pattern itself."""
        if self.lists:
            return {"route_list": self.lists[0]}
        return {"route_list": title["route_list"]} if self.groups else {"gateway": self.trunk}


def _patterns(
    patterns: Iterable[Options], way: _Way, target: Mapping[str, str], title: Mapping[str, str]
) -> Iterator[Options]:
    """The patterns of other peers as they are; those of this one that the existing patterns do not cover."""
    new_targets = ({"gateway": title["name"]}, {"route_list": title["route_list"]})
    for pattern in patterns:
        if not any(_leads_to(pattern, new) for new in new_targets):
            yield pattern
        elif not any(covers(wide, pattern["pattern"]) for wide in way.patterns):
            yield {**{key: value for key, value in pattern.items() if key not in _TARGETS}, **target}


def _leads_to(pattern: Mapping[str, Any], target: Mapping[str, str]) -> bool:
    return all(pattern.get(key) == value for key, value in target.items())


def trunks_to(peers: Rows, trunks: Rows, existing: Mapping[str, str]) -> list[str]:
    """A sentence for each peer to which a trunk without TLS leads already, with the option that converts it.

    peers have name and addresses; trunks come from cucm_object_info. A trunk counts when all its destinations are
    addresses of the peer.
    """
    offers = []
    for peer in peers:
        addresses = {str(address).casefold() for address in peer["addresses"]}
        for trunk in trunks if peer["name"] not in existing else ():
            there = {str(entry["address"]).casefold() for entry in trunk["destinations"]}
            if there and there <= addresses and trunk["transport"] != "TLS":
                offers.append(
                    f"The SIP trunk {trunk['name']} leads to {peer['name']} by {trunk['transport'] or 'no TLS'} "
                    "already. A new trunk is made beside it. To convert the existing trunk to TLS instead, with its "
                    f"patterns and groups, set sip_tls_trunk_existing: {{{peer['name']}: {trunk['name']}}}."
                )
    return offers
