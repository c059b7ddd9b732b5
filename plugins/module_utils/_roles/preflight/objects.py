# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What on a cluster conflicts with the trunks that are to be made there. Pure; private to siptls.cucm.

The objects are worked out as role sip_tls_trunk will work them out, from the certificates that the peers hold now, and
checked by the rules of the modules that will make them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl import rules, validation
from ansible_collections.siptls.cucm.plugins.module_utils._axl.lookup import NAMED as LOOKED_UP
from ansible_collections.siptls.cucm.plugins.module_utils._axl.reconcile import items_of
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Resource, flat
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import NAMED as KINDS
from ansible_collections.siptls.cucm.plugins.module_utils._roles.kinds import MADE, PATTERN, TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster, Objects, Peer, View, ways_of
from ansible_collections.siptls.cucm.plugins.module_utils._roles.numbers import entries, routes
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.objects import (
    every_peer,
    object_names,
    trunk_objects,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.transit import routes_in_transit
from ansible_collections.siptls.cucm.plugins.module_utils._text import is_address

#: options of cucm_info's look_up: the settings of the role that name such objects
SETTINGS = {
    "calling_search_spaces": ("calling_search_space",),
    "device_pools": ("device_pool",),
    "locations": ("location",),
    "partitions": ("partition",),
    "security_profiles": ("profile_copy_from",),
    "sip_profiles": ("sip_profile", "sip_profile_copy_from"),
}
#: what the settings name here, other rules report
_BY_OTHER_RULES = ("security_profiles", "sip_profiles")
#: options of look_up by what AXL calls the kind
_LOOKED_UP = {kind: option for option, kind in LOOKED_UP.items()}


def look_up(
    peers: Sequence[str] | str, settings: Mapping[str, Any], patterns: Iterable[Any] = (), external: Any = None
) -> dict[str, list[Any]]:
    """What cucm_info is to look up for the trunks to these peers; patterns are the peers' own numbers.

    external are the peers that are not ours as the user wrote them: their problems are reported later.
    """
    foreign = [peer for peer in external or () if isinstance(peer, Mapping)] if isinstance(external, list) else []
    everybody = [*listed(peers), *(str(peer.get("name") or "") for peer in foreign)]
    names = [object_names(peer, settings)["name"] for peer in everybody if peer]
    numbers = _routed([*patterns, *(number for peer in foreign for number in entries(peer.get("numbers")))], settings)
    named = _named_by(foreign, numbers)
    by_settings = {
        option: [str(settings[key]) for key in keys if settings.get(key)] for option, keys in SETTINGS.items()
    }
    return {
        "sip_trunks": names,
        "route_patterns": [{"pattern": pattern, "partition": where} for pattern, where in _pattern_keys(numbers)],
        **{option: list(dict.fromkeys([*by_settings.get(option, ()), *named.get(option, ())])) for option in LOOKED_UP},
    }


def _named_by(foreign: Iterable[Mapping[str, Any]], patterns: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """The objects that external peers and route patterns name: by option of look_up the name, and where it stands."""
    found: dict[str, dict[str, str]] = {}
    for pattern in patterns:
        _note(found, PATTERN.resource, pattern, f"of the number {pattern['pattern']}")
    for peer in foreign:
        options = peer.get("trunk") if isinstance(peer.get("trunk"), Mapping) else {}
        values = {
            **(options or {}),
            **{key: peer[key] for key in _OWN_KEYS if key in peer},
        }
        _note(found, TRUNK.resource, values, f"of the external peer {peer.get('name')}")
    return found


#: options of a trunk that are keys of an external peer
_OWN_KEYS = ("sip_profile", "normalization_script", "calling_search_space")


def _note(found: dict[str, dict[str, str]], resource: Resource, values: Mapping[str, Any], owner: str) -> None:
    """Add the names in the options of an object that refer to other objects."""
    for row in flat(resource.fields):
        kind = _LOOKED_UP.get(row.ref)
        if kind and values.get(row.option):
            found.setdefault(kind, {}).setdefault(str(values[row.option]), f"{row.option} {owner}")


def _routed(numbers: Iterable[Any], settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The route patterns for these numbers, and for those that hubs lead to, with their partition."""
    passed_on = (route for way in ways_of(settings) if way.through for route in routes_in_transit(way))
    partition = str(settings["partition"] or "")
    return [{"partition": partition, **route} for route in routes([*numbers, *passed_on])]


def _pattern_keys(patterns: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Pattern and partition of each route pattern."""
    return list(dict.fromkeys((pattern["pattern"], str(pattern["partition"])) for pattern in patterns))


def listed(value: Any) -> list[str]:
    """A list of names, given as one or as Ansible's text with commas."""
    parts = value.split(",") if isinstance(value, str) else value or ()
    return [str(part).strip() for part in parts if str(part).strip()]


def existing_objects(info: Mapping[str, Any]) -> dict[str, Any]:
    """The part of cucm_info's result that trunks are checked against."""
    return {
        "profiles": list(info.get("security_profiles") or ()),
        "profile_names": [security_profile["name"] for security_profile in info.get("security_profiles") or ()],
        "trunks": list(info.get("sip_trunks") or ()),
        "missing": info.get("missing") or {},
        **(info.get("found") or {"sip_trunks": [], "other_devices": [], "route_patterns": []}),
    }


def check_objects(cluster: Cluster, clusters: Iterable[Cluster]) -> list[str]:
    """Everything on this cluster that conflicts with the trunks to its peers."""
    planned, existing = cluster.planned, cluster.existing
    if not planned or not existing:
        return []
    settings = planned.settings
    peers = every_peer(planned.peers, [foreseen(other) for other in clusters if other.nodes], cluster.external)
    try:
        made = trunk_objects(peers, settings)
    except ValueError as error:
        return [f"{cluster.name}: {error}."]
    found = [
        *_shapes(made, str(cluster.version)),
        *_references(made, settings, existing, cluster.external),
        *_existing(made, settings, existing),
        *_trunks(made, {peer.name: peer for peer in peers}, existing),
        *_profiles(made, existing),
        *_patterns(made, settings, existing),
    ]
    return [f"{cluster.name}: {text}" for text in found]


def foreseen(cluster: Cluster) -> Cluster:
    """A cluster with a certificate on every node: where none could be read, one for the node's own name."""
    names = [node.name for node in cluster.nodes]
    certificates: dict[str, View | None] = {
        name: cluster.certificates.get(name) or {"profile_names": [name]} for name in names
    }
    return replace(cluster, certificates=certificates)


def _shapes(made: Objects, release: str) -> Iterator[str]:
    """What CUCM would reject of the names and values, by the rules of each module."""
    version = ".".join(release.split(".")[:2])
    for kind in MADE:
        resource, objects = kind.resource, made.get(kind.objects) or ()
        shown = [
            _typed(resource, item.desired) for item in items_of(resource, {"aggregate": objects, "state": "present"})
        ]
        for text in (*validation.shape(resource, shown), *validation.for_release(resource, shown, version, release)):
            yield f"{text} It comes from {kind.named_by}."
        for values in shown:
            yield from rules.check_values(resource, validation.name_of(resource, values), values, values)


def _typed(resource: Resource, options: dict[str, Any]) -> dict[str, Any]:
    """The options of an object with its numbers as numbers, as Ansible hands them to the module."""
    numbers = {row.option for row in flat(resource.fields) if row.base == "int"}
    return {key: int(value) if key in numbers and str(value).isdigit() else value for key, value in options.items()}


def _references(
    made: Objects,
    settings: Mapping[str, Any],
    existing: Mapping[str, Any],
    external: Iterable[Peer],
) -> Iterator[str]:
    missing = existing["missing"]
    named = _named_by(({"name": peer.name, "trunk": peer.trunk} for peer in external), made["patterns"])
    yield from _missing_names(missing, settings, named)
    new = [planned["name"] for planned in made["profiles"] if planned["name"] not in existing["profile_names"]]
    for name in missing.get("security_profiles") or () if new else ():
        yield (
            f"the SIP trunk security profile {name!r} (sip_tls_trunk_profile_copy_from), which new profiles are copied "
            "from, does not exist there. Name another."
        )
    profile, source = settings["sip_profile"], settings.get("sip_profile_copy_from")
    absent = missing.get("sip_profiles") or ()
    if profile in absent and not source:
        yield f"the SIP profile {profile!r} (sip_tls_trunk_sip_profile) does not exist there, and nothing makes it."
    elif profile in absent and source in absent:
        yield (
            f"the SIP profile {source!r} (sip_tls_trunk_sip_profile_copy_from), which {profile!r} is copied from, does "
            "not exist there. Name another."
        )


def _missing_names(
    missing: Mapping[str, Sequence[str]], settings: Mapping[str, Any], named: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """Objects that options, numbers or external peers name and that do not exist."""
    for key, kind in LOOKED_UP.items():
        for name in missing.get(key) or () if key not in _BY_OTHER_RULES else ():
            options = SETTINGS.get(key, ())
            known = [candidate for candidate in options if str(settings.get(candidate)) == name]
            where = "" if known else named.get(key, {}).get(name, "")
            where = where or ", ".join(f"sip_tls_trunk_{shown}" for shown in known or options)
            noun = KINDS[kind].noun
            yield f"the {noun} {name!r} ({where}) does not exist there. Make it first, or name another."
    for name, where in named.get("sip_profiles", {}).items():
        if name in (missing.get("sip_profiles") or ()) and name != settings["sip_profile"]:
            yield f"the SIP profile {name!r} ({where}) does not exist there. Make it first, or name another."


def _existing(made: Objects, settings: Mapping[str, Any], existing: Mapping[str, Any]) -> Iterator[str]:
    """Trunks that are to be kept under their own name have to exist."""
    names = {str(sip_trunk["name"]) for sip_trunk in existing["sip_trunks"]}
    kept = settings.get("existing") or {}
    for peer in made["peers"]:
        name = kept.get(peer["name"])
        if name and name not in names:
            yield (
                f"the SIP trunk {name} (sip_tls_trunk_existing, for {peer['name']}) does not exist there. Correct the "
                "name, or leave the peer out to have a trunk made."
            )


def _trunks(made: Objects, peers: Mapping[str, Peer], existing: Mapping[str, Any]) -> Iterator[str]:
    """A trunk or another device that has our name and leads elsewhere."""
    peer_of = {entry["trunk"]: entry["name"] for entry in made["peers"]}
    by_name = {planned["name"]: planned for planned in made["trunks"]}
    for name in existing["other_devices"]:
        if name in by_name:
            yield f"a device of another kind is called {name}. Give the SIP trunk another name by sip_tls_trunk_name."
    for trunk in existing["sip_trunks"]:
        planned = by_name.get(str(trunk["name"]))
        if planned is None or trunk.get("description") == planned["description"]:
            continue
        peer = peer_of[planned["name"]]
        places = [
            str(destination.get("address") or destination.get("address_ipv6") or "")
            for destination in trunk.get("destinations") or ()
        ]
        if places and not leads_to(places, peers[peer]):
            yield (
                f"the SIP trunk {planned['name']} exists already and leads to {', '.join(places)}, which is not a "
                f"node of {peer}. Give ours another name by sip_tls_trunk_name, or remove that one."
            )


def leads_to(places: Iterable[str], peer: Peer) -> bool:
    """Whether an address is that of a node, or may be: IP addresses show nothing where only names are known."""
    ours = {str(text).lower() for text in (*peer.addresses, *peer.names)}
    short = {name.split(".")[0] for name in ours if not is_address(name)}
    addresses = {name for name in ours if is_address(name)}
    for place in (text.lower() for text in places):
        if place in ours or (not is_address(place) and place.split(".")[0] in short):
            return True
        if is_address(place) and not addresses:
            return True
    return False


def _profiles(made: Objects, existing: Mapping[str, Any]) -> Iterator[str]:
    ours = {profile["name"].casefold() for profile in made["profiles"]}
    trunks = {trunk["name"].casefold() for trunk in made["trunks"]}
    for planned in made["profiles"]:
        now = next(
            (profile for profile in existing["profiles"] if profile["name"].casefold() == planned["name"].casefold()),
            None,
        )
        users = [
            trunk["name"]
            for trunk in existing["trunks"]
            if str(trunk.get("security_profile") or "").casefold() == planned["name"].casefold()
            and trunk["name"].casefold() not in trunks
        ]
        if users and not (now and _same_profile(now, planned)):
            yield (
                f"the SIP trunk security profile {planned['name']} exists already, the SIP trunk {', '.join(users)} "
                "uses it too, and this run would change it. Give ours another name by sip_tls_trunk_profile."
            )
        for other in existing["profiles"]:
            if other["name"].casefold() not in ours:
                yield from rules.collisions(planned, other)


def _same_profile(now: Mapping[str, Any], planned: Mapping[str, Any]) -> bool:
    names = ({str(name).casefold() for name in profile["x509_subject_names"] or ()} for profile in (now, planned))
    return now["security_mode"] == planned["security_mode"] and next(names) == next(names)


def _patterns(made: Objects, settings: Mapping[str, Any], existing: Mapping[str, Any]) -> Iterator[str]:
    """A pattern for a peer's number that leads elsewhere: it is someone else's route, so that it must not change."""
    ours = {(planned["pattern"], planned["partition"] or ""): planned for planned in made["patterns"]}
    trunks = {peer["name"]: [peer["trunk"]] for peer in made["peers"]} | {
        way["name"]: way["trunks"] for way in made.get("transit") or ()
    }
    owners = {PATTERN.described(str(name)): str(name) for name in trunks}
    # A number may have been routed by a trunk to its owner, or by one to a hub, before.
    hubs = {object_names(str(hub), settings)["name"] for hub in settings.get("hubs") or ()}
    for pattern in existing["route_patterns"]:
        planned = ours.get((pattern["pattern"], pattern["partition"] or ""))
        if planned is None:
            continue
        owner = owners[planned["description"]]
        title = object_names(owner, settings)
        lists = {title["route_list"], planned.get("route_list") or title["route_list"]}
        if not {*trunks[owner], title["name"], *hubs} & set(pattern["devices"]) and pattern["route_list"] not in lists:
            yield _conflict(pattern, trunks[owner][0], owner)


def _conflict(pattern: Mapping[str, Any], trunk: str, peer: str) -> str:
    where = f"in partition {pattern['partition']}" if pattern["partition"] else "without a partition"
    if pattern["route_list"]:
        behind = f" (devices: {', '.join(pattern['devices'])})" if pattern["devices"] else ""
        target = f"the route list {pattern['route_list']}{behind}"
    else:
        target = f"the gateway or trunk {pattern['gateway'] or 'of nobody'}"
    return (
        f"the route pattern {pattern['pattern']} {where}, a number of {peer}, exists already and leads to {target}, "
        f"not to {trunk}. Remove it or let it lead to {trunk}, put ours into another partition "
        f"(sip_tls_trunk_partition), or take the number out of cucm_local_patterns of {peer}; if that trunk is the one "
        "to be turned into a TLS trunk, name it by sip_tls_trunk_existing."
    )
