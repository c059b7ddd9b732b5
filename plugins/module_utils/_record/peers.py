# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where trunks lead beyond the recorded clusters, and what a record says of it. Pure; private to siptls.cucm.

A lab stands in for such a peer with an endpoint that presents what the real one presented and trusts the CAs that the
real one named. What one handshake does not show is None, which is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate

_DEFAULT_PORTS = {"TLS": 5061, "TCP": 5060, "UDP": 5060}


def foreign_peers(
    configuration: Mapping[str, Any],
    *,
    clusters: Iterable[Mapping[str, Any]],
    external: Iterable[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """The destinations of a cluster's trunks that are no node of the clusters, and the addresses of external peers.

    configuration and clusters are results of cucm_configuration_info, external the peers as `read_peers` returns them.
    Each is {address, port, transport, chain}: chain has the CAs (PEM) that the inventory names for it.
    """
    own = {name for cluster in clusters for name in _node_names(cluster)}
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for address, port, transport in _destinations(configuration["objects"]):
        if address.lower() not in own:
            place = {"address": address, "port": port, "transport": transport, "chain": []}
            found.setdefault((address.lower(), port), place)
    for peer in external:
        for address in peer["addresses"]:
            place = {"address": address, "port": peer["port"], "transport": "TLS", "chain": []}
            found.setdefault((address.lower(), peer["port"]), place)["chain"] = list(peer["chain"])
    return list(found.values())


def _node_names(configuration: Mapping[str, Any]) -> Iterator[str]:
    """Everything that a cluster's nodes are called in destinations, in lower case."""
    domain = str(configuration["parameters"].get("OrganizationTopLevelDomain") or "").lower()
    for node in configuration["nodes"]:
        name = str(node["name"]).lower()
        yield from (name, str(node["address"]).lower())
        if domain and "." not in name:
            yield f"{name}.{domain}"


def _destinations(objects: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[tuple[str, int, str]]:
    """(address, port, transport) of every destination of every trunk."""
    transports = {
        profile["name"]: profile.get("outgoingTransport") for profile in objects.get("SipTrunkSecurityProfile", ())
    }
    for trunk in objects.get("SipTrunk", ()):
        transport = str(transports.get(trunk.get("securityProfileName")) or "TCP")
        rows = trunk.get("destinations")
        for row in rows if isinstance(rows, list) else ():
            address = str(row.get("addressIpv4") or row.get("addressIpv6") or "")
            port = str(row.get("port") or "")
            if address:
                yield address, int(port) if port.isdecimal() else _DEFAULT_PORTS.get(transport, 5060), transport


def certificates_of(results: Iterable[Mapping[str, Any]]) -> Iterator[Certificate]:
    """The certificates that peers presented, and those of the CAs that the inventory names for them."""
    for result in results:
        views = (Certificate.from_view(view) for view in result.get("chain") or ())
        yield from (view for view in views if view is not None)
        yield from (read_certificate(pem) for pem in result["item"]["chain"])


def peer_entry(result: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of a peer: result is that of sip_tls_probe, with what `foreign_peers` returned as `item`.

    The certificates are fingerprints, which `numbered` replaces.
    """
    item = result["item"]
    views = map(Certificate.from_view, result.get("chain") or ())
    shown = [certificate for certificate in views if certificate is not None]
    return {
        "address": item["address"],
        "port": item["port"],
        "transport": item["transport"],
        "tls_version": result.get("tls_version"),
        "old_peers": result.get("old_peers"),
        "client_certificate": result.get("client_certificate_asked"),
        "acceptable_cas": result.get("acceptable_ca_names"),
        "chain": [certificate.sha256 for certificate in shown],
        "expected_chain": [read_certificate(pem).sha256 for pem in item["chain"]],
    }


def peer_problems(results: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each peer of which no certificate was seen."""
    for result in results:
        item = result["item"]
        if item["transport"] == "TLS" and not result.get("chain"):
            yield f"peer {item['address']} port {item['port']}: {result.get('msg', 'it was not probed')}"
