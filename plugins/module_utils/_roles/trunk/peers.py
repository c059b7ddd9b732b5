# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peers of each cluster, checked over all clusters before anything is changed. Private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._releases import release_of
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import FACTS, Cluster, Peer
from ansible_collections.siptls.cucm.plugins.module_utils._roles.names import certificate_names
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.external import read_peers
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK_EC

Clusters = Sequence[Cluster]


def add_peers(
    cluster: Cluster,
    peers: Iterable[Any] = (),
    external: Any = None,
    *,
    hosts: Iterable[str] = (),
    folders: Iterable[str] = (),
) -> None:
    """Add the peers to a cluster, also those that are not managed here (`external`), and what is wrong with them.

    hosts are the names of the inventory's clusters; folders are where a relative file of an external peer's ca_chain
    is looked for, in this order.
    """
    known = [str(host) for host in hosts]
    cluster.peers = [str(peer) for peer in peers]
    read, wrong = read_peers(external, hosts=known, folders=folders)
    wrong += [
        f"cucm_peers of {cluster.name} names {peer}, which is not a cluster of the inventory. Peers that you don't "
        "manage belong in cucm_external_peers."
        for peer in cluster.peers
        if peer not in known
    ]
    cluster.external = [Peer.from_facts(facts) for facts in read]
    cluster.problems += [*wrong, *_alone(cluster, known)]


def _alone(cluster: Cluster, known: Sequence[str]) -> Iterator[str]:
    """An inventory with one cluster and no peer at all: every trunk of it would be secure, for there is none."""
    if cluster.planned is not None and known == [cluster.name] and not cluster.external:
        yield (
            f"{cluster.name} is the only cluster in cucm_clusters, and cucm_external_peers is empty, so that there is "
            "no trunk to set up. Add the other clusters to the group, or the peer to cucm_external_peers."
        )


def peer_problems(clusters: Clusters) -> list[str]:
    """What is wrong between clusters and peers: one-sided cucm_peers, claims of two, no TLS version in common."""
    return list(dict.fromkeys([*_one_sided(clusters), *_claims(clusters), *_nothing_in_common(clusters)]))


def left_as_shipped(cluster: Cluster, peers: Sequence[str]) -> Iterator[str]:
    """The peers that could get a CallManager-ECDSA certificate that no CA signed."""
    nodes = [node for node, view in cluster.ec_certificates.items() if view and view.get("self_signed")]
    if nodes and peers:
        yield (
            f"the {TRUNK_EC.name} certificate of {', '.join(nodes)} remains self-signed (callmanager_certificate_ecdsa "
            f"is leave). {', '.join(map(str, peers))} would refuse it where ECDSA is chosen, and the verdict is "
            "insecure for each peer from release 11.0 on. Set callmanager_certificate_ecdsa to sign."
        )


def _nothing_in_common(clusters: Clusters) -> Iterator[str]:
    """Pairs of which one speaks TLS 1.0 with AES128-SHA alone and the other refuses that, as its port showed."""
    known = {cluster.name: cluster for cluster in clusters}
    for cluster in clusters:
        refusing = sorted(name for name, takes in cluster.old_peers.items() if takes is False)
        for peer in cluster.peers or () if refusing else ():
            version = str(known[peer].version or "") if peer in known else ""
            if version and release_of(version).legacy_crypto:
                yield (
                    f"{peer} (release {version}) and {cluster.name} have no TLS version or cipher in common: {peer} "
                    f"speaks TLS 1.0 with AES128-SHA alone, and the SIP port of {', '.join(refusing)} refuses that. "
                    f"Upgrade {peer}; or lower the minimum TLS version of {cluster.name} (`set tls min-version 1.0`, "
                    "which restarts it) and set its TLS Ciphers to All Ciphers RSA Preferred; from 15SU3 on that may "
                    "not help, because RSA key exchange may be gone. Or take each out of the other's cucm_peers."
                )


def _one_sided(clusters: Clusters) -> Iterator[str]:
    named = {cluster.name: set(cluster.peers) for cluster in clusters if cluster.peers is not None}
    for name, peers in named.items():
        for peer in sorted(peers & named.keys()):
            if name not in named[peer]:
                yield (
                    f"cucm_peers of {name} names {peer}, but that of {peer} does not name {name}: a trunk with one end "
                    "accepts no calls. Name each in the other's cucm_peers, or neither."
                )


def _claims(clusters: Clusters) -> Iterator[str]:
    """Numbers and subject names that a cluster and an external peer both claim."""
    external = [peer for cluster in clusters for peer in cluster.external]
    yield from _claimed_numbers(clusters, external)
    yield from _claimed_names(clusters, external)


def _claimed_numbers(clusters: Clusters, external: Iterable[Peer]) -> Iterator[str]:
    numbers = {pattern: cluster.name for cluster in clusters for pattern in cluster.patterns}
    for peer in external:
        for number in peer.patterns:
            if number in numbers:
                yield (
                    f"{numbers[number]} and the external peer {peer.name} both claim the number {number}; it can be "
                    "routed to one of them only."
                )


def _claimed_names(clusters: Clusters, external: Iterable[Peer]) -> Iterator[str]:
    names = {
        name.lower(): cluster.name
        for cluster in clusters
        for purpose in FACTS
        for certificate in cluster.by_node(purpose).values()
        for name in certificate_names(certificate or {})
    }
    for peer in external:
        for name in peer.names:
            if name.lower() in names and not peer.incoming_port:
                yield (
                    f"{names[name.lower()]} and the external peer {peer.name} both have the subject name {name}; a "
                    "cluster can't tell them apart by it on one port. Give the peer an incoming_port of its own."
                )
