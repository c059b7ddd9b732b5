# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trunks to a peer that were there before: kept under their own name with all that leads to them. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.objects import object_names

_TOKEN = re.compile(r"\[(\^?)([^\]]*)\]|(\\\+)|(.)")
_DIGITS = frozenset("0123456789")
_ALL = frozenset("0123456789*#+ABCD")
Rows = Iterable[Mapping[str, Any]]


def adopted(
    made: Mapping[str, Sequence[Any]],
    standing: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> dict[str, list[Any]]:
    """The objects of trunk_objects with the trunks of the setting `existing` (peer: name) left as they are otherwise.

    Of such a trunk the security profile, the ports of its destinations, SRTP and the SIP profile are set; the rest is
    left alone. What leads to it is kept: a number that one of its patterns covers gets no second pattern, and others
    go the way of the standing ones. standing is the result of cucm_object_info for these trunks and of all trunks;
    `offers` are sentences about others that could be kept. ValueError, with a sentence, when one does not exist.
    """
    existing = settings.get("existing") or {}
    found = {one["name"]: one["object"] for one in standing.get("objects") or () if one["kind"] == "sip_trunk"}
    users = list(standing.get("users") or ())
    result: dict[str, list[Any]] = {key: list(value) for key, value in made.items()}
    addresses = {one["name"]: [entry["address"] for entry in one["destinations"]] for one in made["trunks"]}
    result["offers"] = trunks_to(
        [{"name": one["name"], "addresses": addresses[one["trunk"]]} for one in made["peers"]],
        standing.get("trunks") or (),
        existing,
    )
    for peer in result["peers"]:
        name = existing.get(peer["name"])
        if name is None:
            continue
        held = found.get(name)
        if not held:
            raise ValueError(
                f"sip_tls_trunk_existing names the SIP trunk {name} for {peer['name']}, which does not exist on this "
                "cluster. Correct the name, or leave the peer out to have a trunk made."
            )
        _replace(result, peer["name"], name, held=held, users=users, settings=settings)
    return result


def _replace(
    result: dict[str, list[Any]],
    peer: str,
    name: str,
    *,
    held: Mapping[str, Any],
    users: Rows,
    settings: Mapping[str, Any],
) -> None:
    """Put the existing trunk in the place of the one that would be made."""
    title = object_names(peer, settings)
    index = next(place for place, one in enumerate(result["trunks"]) if one["name"] == title["name"])
    wish = result["trunks"][index]
    port = wish["destinations"][0]["port"]
    trunk = {"name": name, **{key: wish[key] for key in ("security_profile", "sip_profile", "srtp_allowed")}}
    if held.get("destinations") and held.get("destination_is_srv") is not True:
        keys = ("address", "address_ipv6", "order")
        trunk["destinations"] = [
            {**{key: one[key] for key in keys if one.get(key)}, "port": port} for one in held["destinations"]
        ]
    result["trunks"][index] = trunk
    groups = sorted({one["name"] for one in users if (one["of_kind"], one["of"]) == ("sip_trunk", name)
                     and one["kind"] == "route_group"})  # fmt: skip
    lists = sorted({one["name"] for one in users if one["kind"] == "route_list" and one["of"] in groups})
    leading = [
        one["name"]
        for one in users
        if one["kind"] == "route_pattern"
        and (
            (one["of_kind"], one["of"]) == ("sip_trunk", name)
            or (one["of_kind"] == "route_list" and one["of"] in lists)
        )
    ]
    mine = ({"gateway": title["name"]}, {"route_list": title["route_list"]})
    target: dict[str, str] = {"route_list": lists[0]} if lists else {"gateway": name}
    if groups and not lists:
        # A member of a route group can't be the target of a pattern itself.
        target = {"route_list": title["route_list"]}
    result["route_groups"] = [one for one in result["route_groups"] if one["name"] != title["route_group"]]
    result["route_lists"] = [one for one in result["route_lists"] if one["name"] != title["route_list"]]
    patterns = []
    for one in result["patterns"]:
        if not any(_has(one, mark) for mark in mine):
            patterns.append(one)
        elif not any(leads(wide, one["pattern"]) for wide in leading):
            kept = {key: value for key, value in one.items() if key not in ("gateway", "route_list")}
            patterns.append({**kept, **target})
    if target == {"route_list": title["route_list"]} and any(_has(one, target) for one in patterns):
        members = [{"route_group": group} for group in groups[:1]]
        result["route_lists"].append({"name": title["route_list"], "members": members})
    result["patterns"] = patterns


def _has(one: Mapping[str, Any], mark: Mapping[str, str]) -> bool:
    return all(one.get(key) == value for key, value in mark.items())


def leads(wide: str, number: str) -> bool:
    """True when every number that a pattern stands for is also matched by the wider one."""
    one, other = _parts(wide), _parts(number)
    if one is None or other is None:
        return wide == number
    return _covers(one, other)


def _covers(wide: Sequence[frozenset[str] | None], number: Sequence[frozenset[str] | None]) -> bool:
    """Place by place; None stands for one digit or more."""
    if not wide:
        return not number
    if not number:
        return False
    first, rest = wide[0], wide[1:]
    if first is None:
        # The ! takes one place or more; a ! of the number is one of them.
        return any(_covers(rest, number[count:]) for count in range(1, len(number) + 1))
    return number[0] is not None and number[0] <= first and _covers(rest, number[1:])


def _parts(pattern: str) -> list[frozenset[str] | None] | None:
    """What each place of a pattern takes; None for what is not understood, such as @."""
    parts: list[frozenset[str] | None] = []
    for match in _TOKEN.finditer(pattern):
        inverse, inside, plus, one = match.groups()
        if inside is not None:
            parts.append(_all_but(inside) if inverse else _set(inside))
        elif plus:
            parts.append(frozenset("+"))
        elif one == "X":
            parts.append(_DIGITS)
        elif one == "!":
            parts.append(None)
        elif one in _ALL:
            parts.append(frozenset(one))
        elif one != ".":
            return None
    return parts


def _set(inside: str) -> frozenset[str]:
    """The characters of a bracket, with its ranges."""
    wide = re.sub(r"(\d)-(\d)", lambda m: "".join(str(n) for n in range(int(m[1]), int(m[2]) + 1)), inside)
    return frozenset(wide.replace("\\", ""))


def _all_but(inside: str) -> frozenset[str]:
    return (_DIGITS | frozenset("*#")) - _set(inside)


def trunks_to(peers: Rows, trunks: Rows, existing: Mapping[str, str]) -> list[str]:
    """A sentence for each peer to which a trunk without TLS leads already, with the option that has it turned.

    peers have name and addresses; trunks come from cucm_object_info. A trunk counts when all its destinations are
    addresses of the peer.
    """
    said = []
    for peer in peers:
        if peer["name"] in existing:
            continue
        addresses = {str(one).casefold() for one in peer["addresses"]}
        for trunk in trunks:
            there = {str(one["address"]).casefold() for one in trunk["destinations"]}
            if there and there <= addresses and trunk["transport"] != "TLS":
                said.append(
                    f"The SIP trunk {trunk['name']} leads to {peer['name']} by {trunk['transport'] or 'no TLS'} "
                    "already. A new trunk is made beside it; to have that one turned into TLS with its patterns "
                    f"and groups kept, set sip_tls_trunk_existing: {{{peer['name']}: {trunk['name']}}}."
                )
    return said
