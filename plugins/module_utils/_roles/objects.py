# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster needs for its peers: one list of objects a kind, for the aggregate of each module. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.cluster import identities
from ansible_collections.siptls.cucm.plugins.module_utils._roles.kinds import PATTERN, PER_PEER, PROFILE, TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._roles.names import certificate_names
from ansible_collections.siptls.cucm.plugins.module_utils._roles.nodes import MOST_DESTINATIONS, trunk_nodes
from ansible_collections.siptls.cucm.plugins.module_utils._roles.numbers import routes_of
from ansible_collections.siptls.cucm.plugins.module_utils._roles.transit import routes_in_transit, shared_title

#: what is looked at of a peer that is not ours
EXTERNAL_KEYS = ("addresses", "port", "names", "chain", "legacy_crypto")


def every_peer(
    peers: Iterable[str], clusters: Iterable[Mapping[str, Any]], external: Iterable[Mapping[str, Any]] = ()
) -> Iterator[dict[str, Any]]:
    """All peers of a cluster in the form of read_peers: those of the inventory first, then the external ones.

    A peer of the inventory whose certificates are not known has no names.
    """
    known = {str(one["name"]): one for one in clusters}
    for name in peers:
        cluster = known.get(name) or {}
        yield {
            "name": name, "external": False, "names": _names(cluster),
            "addresses": [node["address"] for node in trunk_nodes(cluster)],
            "chain": cluster.get("chain") or (), "patterns": cluster.get("patterns") or (),
            "routes": routes_of(cluster),
        }  # fmt: skip
    for one in external:
        yield {**one, "external": True}


def trunk_objects(
    peers: Iterable[str],
    clusters: Iterable[Mapping[str, Any]],
    settings: Mapping[str, Any],
    own: Mapping[str, Any] | None = None,
    external: Iterable[Mapping[str, Any]] = (),
    *,
    asked: Sequence[str] | None = None,
) -> dict[str, list[Any]]:
    """Profiles, trunks, route groups, route lists and patterns towards the peers, and the CAs to trust.

    clusters are the facts that the roles keep of each cluster: name, nodes (each with its address), certificates
    (the one that each node is to present, by its name), patterns, chain (PEM). A peer without a certificate on every
    node cannot be set up yet and is reported in `waiting`. external are peers that are not ours, as read_peers returns
    them. asked are the hosts of the play; without it, all clusters. `transit` of the settings holds what is routed
    through hubs, as transit() returns it. ValueError, with a sentence, for a peer that no trunk can lead to.
    """
    made: dict[str, list[Any]] = {
        "profiles": [], "trunks": [], "route_groups": [], "route_lists": [], "patterns": [], "trust": [],
        "waiting": [], "peers": [], "transit": [],
    }  # fmt: skip
    sharing = {hub for way in settings.get("transit") or () if len(way["through"]) > 1 for hub in way["through"]}
    trusted = set((own or {}).get("chain") or ())
    for peer in every_peer(peers, clusters, external):
        if not peer["names"]:
            left_out = asked is not None and peer["name"] not in [str(host) for host in asked]
            advice = "It was left out by --limit: run for both." if left_out else "Run again when it answers."
            made["waiting"].append(
                f"{peer['name']}: its certificates are not known in this run, so its trunk is not made yet. {advice}"
            )
            continue
        # A trunk in a route group can't be the target of a pattern itself.
        _one_peer(made, peer, {**settings, "route_by": "route_list"} if peer["name"] in sharing else settings)
        made["trust"] += [pem for pem in peer["chain"] if pem not in trusted]
        trusted |= set(peer["chain"])
    for way in settings.get("transit") or ():
        _in_transit(made, way, settings)
    return made


def _in_transit(made: dict[str, list[Any]], way: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """The patterns for the numbers of a cluster that hubs lead to, and the route list that several hubs share."""
    owner, hubs = way["name"], way["through"]
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
    elif any(one["name"] == titles[0]["route_list"] for one in made["route_lists"]):
        target = {"route_list": titles[0]["route_list"]}
    made["transit"].append({**way, "trunks": [trunks[hub] for hub in hubs]})
    made["patterns"] += _patterns(owner, routes_in_transit(way), settings, target)


def _route_list(made: dict[str, list[Any]], name: str, groups: Iterable[str], settings: Mapping[str, Any]) -> None:
    """A route list with these route groups, once."""
    route_list: dict[str, Any] = {"name": name, "members": [{"route_group": group} for group in groups]}
    if settings.get("run_on_every_node"):
        route_list["run_on_every_node"] = True
    if route_list not in made["route_lists"]:
        made["route_lists"].append(route_list)


def _patterns(
    owner: str, numbers: Iterable[Mapping[str, Any]], settings: Mapping[str, Any], target: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """A route pattern for each number of a cluster or peer."""
    for route in numbers:
        yield {"partition": settings["partition"], **route, "description": PATTERN.described(owner), **target}


def _names(cluster: Mapping[str, Any]) -> list[str]:
    """The names of both identities of the nodes on which a cluster's trunks run; empty when one has no certificate.

    Which of its certificates a CUCM sends as a client is not bound to the cipher, so a peer may see either.
    """
    certificates, nodes = cluster.get("certificates") or {}, [node["name"] for node in trunk_nodes(cluster)]
    if not all(certificate_names(certificates.get(node) or {}) for node in nodes):
        return []
    views = [view for node in nodes for view in identities(cluster, node)]
    return list(dict.fromkeys(name for view in views for name in certificate_names(view)))


def _one_peer(made: dict[str, list[Any]], peer: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    name, addresses = peer["name"], peer["addresses"]
    if len(addresses) > MOST_DESTINATIONS:
        raise ValueError(f"{name} has {len(addresses)} nodes, but a SIP trunk takes {MOST_DESTINATIONS} destinations")
    title = object_names(name, settings)
    port = peer.get("port") or settings["port"]
    made["peers"].append({"name": name, "trunk": title["name"], "profile": title["profile"]})
    if peer["external"]:
        srtp = (peer.get("trunk") or {}).get("srtp_allowed", settings["srtp_allowed"])
        made["peers"][-1]["external"] = {**{key: peer[key] for key in EXTERNAL_KEYS}, "srtp": srtp}
    made["profiles"].append(
        {
            "name": title["profile"], "copy_from": settings["profile_copy_from"],
            "description": PROFILE.described(name),
            "security_mode": peer.get("security_mode") or settings["security_mode"],
            "incoming_transport": "TLS", "outgoing_transport": "TLS",
            "x509_subject_names": peer["names"], "incoming_port": peer.get("incoming_port") or settings["port"],
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
    made["trunks"].append({**trunk, **(peer.get("trunk") or {})})
    target = {"gateway": title["name"]}
    if settings["route_by"] == "route_list":
        made["route_groups"].append({"name": title["route_group"], "members": [{"device": title["name"]}]})
        _route_list(made, title["route_list"], [title["route_group"]], settings)
        target = {"route_list": title["route_list"]}
    made["patterns"] += _patterns(name, routes_of(peer), settings, target)


def _address_option(address: str) -> str:
    return "address_ipv6" if ":" in address else "address"


def object_names(peer: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """The names of a peer's objects, from the templates of the settings; a trunk that exists already keeps its own."""
    names = {kind.title: str(settings[kind.title]).replace("{peer}", peer) for kind in PER_PEER}
    return {**names, "name": str((settings.get("existing") or {}).get(peer) or names["name"])}
