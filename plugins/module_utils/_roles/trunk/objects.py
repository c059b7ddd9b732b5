# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster needs for its peers: one list of objects per kind, for the aggregate of each module. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.cluster import with_certificates
from ansible_collections.siptls.cucm.plugins.module_utils._roles.kinds import PATTERN, PER_PEER, PROFILE, TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import (
    Cluster,
    Objects,
    Options,
    Peer,
    Settings,
    Way,
    clusters_of,
    ways_of,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.nodes import MOST_DESTINATIONS
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.transit import routes_in_transit, shared_title

#: what is checked of an external peer
EXTERNAL_KEYS = ("addresses", "port", "names", "chain", "legacy_crypto")


def every_peer(names: Iterable[str], clusters: Iterable[Cluster], external: Iterable[Peer] = ()) -> list[Peer]:
    """All peers of a cluster: those of the inventory by their names, then the external ones.

    A peer of the inventory whose certificates are not known has no subject names.
    """
    known = {cluster.name: cluster for cluster in clusters}
    return [*(known[name].as_peer() if name in known else Peer(name) for name in map(str, names)), *external]


def current_peers(
    names: Iterable[str], clusters: Iterable[Mapping[str, Any]], external: Iterable[Mapping[str, Any]] = ()
) -> list[Peer]:
    """All peers with the certificates that they have now, from facts of role preflight."""
    others = [Peer.from_facts(peer) for peer in external]
    inventory = dict.fromkeys(str(name) for name in names if str(name) not in {peer.name for peer in others})
    return every_peer(inventory, [with_certificates(cluster, csrs=()) for cluster in clusters_of(clusters)], others)


def trunk_objects(
    peers: Iterable[Peer],
    settings: Settings,
    *,
    trusted: Iterable[str] = (),
    asked: Sequence[str] | None = None,
) -> Objects:
    """Profiles, trunks, route groups, route lists and patterns towards the peers, and the CAs to trust.

    A peer without a certificate on every node cannot be set up yet and is reported in `waiting`. trusted are the CAs,
    as PEM, that the cluster trusts anyway. asked are the hosts of the play; without it, all clusters. `transit` of the
    settings holds what is routed through hubs, as transit() returns it. ValueError, with a sentence, for a peer that no
    trunk can lead to.
    """
    made: Objects = {
        "profiles": [], "trunks": [], "route_groups": [], "route_lists": [], "patterns": [], "trust": [],
        "waiting": [], "peers": [], "transit": [],
    }  # fmt: skip
    ways = ways_of(settings)
    sharing = {hub for way in ways if len(way.through) > 1 for hub in way.through}
    known = set(trusted)
    for peer in peers:
        if not peer.names:
            left_out = asked is not None and peer.name not in [str(host) for host in asked]
            advice = "It was left out by --limit: run for both." if left_out else "Run again when it answers."
            made["waiting"].append(
                f"{peer.name}: its certificates are not known in this run, so its trunk is not made yet. {advice}"
            )
            continue
        # A trunk in a route group can't be the target of a pattern itself.
        _objects_for(made, peer, {**settings, "route_by": "route_list"} if peer.name in sharing else settings)
        made["trust"] += [pem for pem in peer.chain if pem not in known]
        known |= set(peer.chain)
    for way in ways:
        _in_transit(made, way, settings)
    return made


def _in_transit(made: Objects, way: Way, settings: Mapping[str, Any]) -> None:
    """The patterns for the numbers of a cluster that hubs lead to, and the route list that several hubs share."""
    owner, hubs = way.name, way.through
    if not hubs:
        return  # preflight warns of it
    trunks = {peer["name"]: peer["trunk"] for peer in made["peers"]}
    missing = [hub for hub in hubs if hub not in trunks]
    if missing:
        made["waiting"].append(
            f"{owner}: its numbers are routed through {', '.join(hubs)}, and {', '.join(missing)} is not known in this "
            "run, so nothing is changed for them. Run again when it answers."
        )
        return
    titles = [object_names(hub, settings) for hub in hubs]
    target = {"gateway": titles[0]["name"]}
    if len(hubs) > 1:
        target = {"route_list": shared_title(str(settings["route_list"]), hubs)}
        _route_list(made, target["route_list"], [title["route_group"] for title in titles], settings)
    elif any(route_list["name"] == titles[0]["route_list"] for route_list in made["route_lists"]):
        target = {"route_list": titles[0]["route_list"]}
    made["transit"].append({**way.to_facts(), "trunks": [trunks[hub] for hub in hubs]})
    made["patterns"] += _patterns(owner, routes_in_transit(way), settings, target)


def _route_list(made: Objects, name: str, groups: Iterable[str], settings: Mapping[str, Any]) -> None:
    """A route list with these route groups, once."""
    route_list: Options = {"name": name, "members": [{"route_group": group} for group in groups]}
    if settings.get("run_on_every_node"):
        route_list["run_on_every_node"] = True
    if route_list not in made["route_lists"]:
        made["route_lists"].append(route_list)


def _patterns(
    owner: str, numbers: Iterable[Mapping[str, Any]], settings: Mapping[str, Any], target: Mapping[str, str]
) -> Iterator[Options]:
    """A route pattern for each number of a cluster or peer."""
    for route in numbers:
        yield {"partition": settings["partition"], **route, "description": PATTERN.described(owner), **target}


def _objects_for(made: Objects, peer: Peer, settings: Settings) -> None:
    """Add what one peer needs."""
    name, addresses = peer.name, peer.addresses
    if len(addresses) > MOST_DESTINATIONS:
        raise ValueError(f"{name} has {len(addresses)} nodes, but a SIP trunk takes {MOST_DESTINATIONS} destinations")
    title = object_names(name, settings)
    port = peer.port or settings["port"]
    made["peers"].append({"name": name, "trunk": title["name"], "profile": title["profile"]})
    if peer.external:
        srtp = peer.trunk.get("srtp_allowed", settings["srtp_allowed"])
        made["peers"][-1]["external"] = {**{key: getattr(peer, key) for key in EXTERNAL_KEYS}, "srtp": srtp}
    made["profiles"].append(
        {
            "name": title["profile"], "copy_from": settings["profile_copy_from"],
            "description": PROFILE.described(name),
            "security_mode": peer.security_mode or settings["security_mode"],
            "incoming_transport": "TLS", "outgoing_transport": "TLS",
            "x509_subject_names": list(peer.names), "incoming_port": peer.incoming_port or settings["port"],
        }
    )  # fmt: skip
    trunk = {
        **({"run_on_every_node": True} if settings.get("run_on_every_node") else {}),
        "name": title["name"], "description": TRUNK.described(name),
        "security_profile": title["profile"], "sip_profile": settings["sip_profile"],
        "srtp_allowed": settings["srtp_allowed"], "device_pool": settings["device_pool"],
        "location": settings["location"],
        "destinations": [{_address_option(address): address, "port": port} for address in addresses],
    }  # fmt: skip
    if settings.get("calling_search_space"):
        trunk["calling_search_space"] = settings["calling_search_space"]
    made["trunks"].append({**trunk, **peer.trunk})
    target = {"gateway": title["name"]}
    if settings["route_by"] == "route_list":
        made["route_groups"].append({"name": title["route_group"], "members": [{"device": title["name"]}]})
        _route_list(made, title["route_list"], [title["route_group"]], settings)
        target = {"route_list": title["route_list"]}
    made["patterns"] += _patterns(name, peer.routes, settings, target)


def _address_option(address: str) -> str:
    return "address_ipv6" if ":" in address else "address"


def object_names(peer: str, settings: Settings) -> dict[str, str]:
    """The names of a peer's objects, from the templates of the settings; a trunk that exists already keeps its own."""
    names = {kind.title: str(settings[kind.title]).replace("{peer}", peer) for kind in PER_PEER}
    return {**names, "name": str((settings.get("existing") or {}).get(peer) or names["name"])}
