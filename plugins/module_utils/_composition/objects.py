# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster needs for its peers: one list of objects a kind, for the aggregate of each module. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._composition.names import certificate_names

MOST_DESTINATIONS = 16


def trunk_objects(
    peers: Iterable[str],
    clusters: Iterable[Mapping[str, Any]],
    settings: Mapping[str, Any],
    own: Mapping[str, Any] | None = None,
) -> dict[str, list[Any]]:
    """Profiles, trunks, route groups, route lists and patterns towards the peers, and the CAs to trust.

    clusters are the facts that the roles keep of each cluster: name, nodes (each with its address), certificates
    (the one that each node is to present, by its name), patterns, chain (PEM). A peer without a certificate on every
    node can't be set up yet and is told of in `waiting`. ValueError, with a sentence, when a peer can't be at all.
    """
    known = {str(one["name"]): one for one in clusters}
    made: dict[str, list[Any]] = {
        "profiles": [], "trunks": [], "route_groups": [], "route_lists": [], "patterns": [], "trust": [],
        "waiting": [], "peers": [],
    }  # fmt: skip
    trusted = set((own or {}).get("chain") or ())
    for peer in peers:
        cluster = known.get(peer)
        names = _names(cluster) if cluster else []
        if cluster is None or not names:
            made["waiting"].append(f"{peer}: its certificates are not known in this run, so its trunk is not made yet.")
            continue
        _one_peer(made, peer, cluster, names, settings)
        made["trust"] += [pem for pem in cluster.get("chain") or () if pem not in trusted]
        trusted |= set(cluster.get("chain") or ())
    return made


def _names(cluster: Mapping[str, Any]) -> list[str]:
    """The names of the certificates of all nodes of a cluster; empty when one node has none."""
    held = cluster.get("certificates") or {}
    each = [certificate_names(held.get(node["name"]) or {}) for node in cluster.get("nodes") or ()]
    return list(dict.fromkeys(name for names in each for name in names)) if all(each) else []


def _one_peer(
    made: dict[str, list[Any]],
    peer: str,
    cluster: Mapping[str, Any],
    names: list[str],
    settings: Mapping[str, Any],
) -> None:
    addresses = [node["address"] for node in cluster["nodes"]]
    if len(addresses) > MOST_DESTINATIONS:
        raise ValueError(f"{peer} has {len(addresses)} nodes, but a SIP trunk takes {MOST_DESTINATIONS} destinations")
    title = object_names(peer, settings)
    port = settings["port"]
    made["peers"].append({"name": peer, "trunk": title["name"], "profile": title["profile"]})
    made["profiles"].append(
        {
            "name": title["profile"], "copy_from": settings["profile_copy_from"],
            "description": f"SIP over mutual TLS with {peer}",
            "security_mode": settings["security_mode"], "incoming_transport": "TLS", "outgoing_transport": "TLS",
            "x509_subject_names": names, "incoming_port": port,
        }
    )  # fmt: skip
    trunk = {
        "name": title["name"], "description": f"SIP over mutual TLS to {peer}",
        "security_profile": title["profile"], "sip_profile": settings["sip_profile"],
        "srtp_allowed": settings["srtp_allowed"], "device_pool": settings["device_pool"],
        "location": settings["location"],
        "destinations": [{"address": address, "port": port} for address in addresses],
    }  # fmt: skip
    if settings.get("calling_search_space"):
        trunk["calling_search_space"] = settings["calling_search_space"]
    made["trunks"].append(trunk)
    target = {"gateway": title["name"]}
    if settings["route_by"] == "route_list":
        made["route_groups"].append({"name": title["route_group"], "members": [{"device": title["name"]}]})
        made["route_lists"].append({"name": title["route_list"], "members": [{"route_group": title["route_group"]}]})
        target = {"route_list": title["route_list"]}
    made["patterns"] += [
        {
            "pattern": str(pattern),
            "partition": settings["partition"],
            "description": f"To {peer} by SIP over mutual TLS",
            **target,
        }
        for pattern in cluster.get("patterns") or ()
    ]


def object_names(peer: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """The names of a peer's objects, from the templates of the settings."""
    return {key: str(settings[key]).replace("{peer}", peer) for key in ("name", "profile", "route_group", "route_list")}


def trunk_removals(
    peers: Iterable[str],
    settings: Mapping[str, Any],
    standing: Iterable[Mapping[str, Any]] = (),
) -> dict[str, list[dict[str, Any]]]:
    """What trunk_objects makes towards the peers, to be removed: lists of {name, state: absent}, patterns likewise.

    standing are the patterns in question as they stand on the cluster; one that leads elsewhere than to our trunk or
    route list is somebody else's and is left alone.
    """
    titles = [object_names(peer, settings) for peer in peers]
    ours = {title[key] for title in titles for key in ("name", "route_list")}

    def absent(key: str) -> list[dict[str, Any]]:
        return [{"name": title[key], "state": "absent"} for title in titles]

    return {
        "patterns": [
            {"pattern": one["pattern"], "partition": one.get("partition") or "", "state": "absent"}
            for one in standing
            if one and (one.get("gateway") in ours or one.get("route_list") in ours)
        ],
        "route_lists": absent("route_list"),
        "route_groups": absent("route_group"),
        "trunks": absent("name"),
        "profiles": absent("profile"),
    }
