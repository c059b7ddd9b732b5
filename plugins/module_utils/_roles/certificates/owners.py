# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names belong to which cluster, for the CA that signs. Pure; private to siptls.cucm.

A cluster can claim any name, because its administrator decides what it reports. Such a claim counts only as long as no
other cluster and no external peer has the name; the inventory wins over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import FACTS, Cluster, Node
from ansible_collections.siptls.cucm.plugins.module_utils._roles.names import certificate_names, common_name
from ansible_collections.siptls.cucm.plugins.module_utils._text import is_address
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK

Facts = Mapping[str, Any]


def requester(
    cluster: Cluster, node: str, *, variables: Mapping[str, Facts] | None = None, hosts: Sequence[str] = ()
) -> dict[str, Any]:
    """The option `requester` of ca_sign for a node: its own names, those of its cluster, and those of the others.

    variables are hostvars, of which the facts of preflight and the addresses of the inventory count; hosts are the
    clusters of the inventory, those that are not in this run among them.
    """
    mine = cluster.name
    given = {host: _given(variables or {}, host) for host in hosts}
    facts = {host: found for host in hosts if (found := _value(variables or {}, host, "preflight_cluster"))}
    clusters = {host: Cluster.from_facts(found) for host, found in facts.items()}
    others = {
        f"cluster {name}": _owned(clusters.get(name, Cluster(name)), given=given.get(name, ()))
        for name in dict.fromkeys((*clusters, *given))
        if name != mine
    }
    for peer in (peer for owner in (cluster, *clusters.values()) for peer in owner.external):
        others[f"external peer {peer.name}"] = {
            "hosts": [], "names": sorted({str(name).lower() for name in (*peer.names, *peer.addresses)}),
        }  # fmt: skip
    return {
        "title": f"node {node} of cluster {mine}",
        **_owned(cluster, [candidate for candidate in cluster.nodes if candidate.name == node]),
        "cluster": _owned(cluster),
        "named": given.get(mine, []),
        "others": others,
    }


def _given(variables: Mapping[str, Facts], host: str) -> list[str]:
    """The host names and addresses that the inventory gives to a cluster."""
    nodes = _value(variables, host, "cucm_node_addresses")
    named = [_value(variables, host, "cucm_host"), *(nodes if isinstance(nodes, Mapping) else ())]
    named += list(nodes.values()) if isinstance(nodes, Mapping) else []
    return [str(name).lower() for name in named if name]


def _value(variables: Mapping[str, Facts], host: str, name: str) -> Any:
    """A variable of a host; None where it is missing or its template fails, which preflight reports."""
    try:
        return variables[host].get(name)
    except Exception:  # whatever a template raises, by release
        return None


def _owned(cluster: Cluster, nodes: Iterable[Node] | None = None, given: Iterable[str] = ()) -> dict[str, list[str]]:
    """Host names without domain, and FQDNs and addresses, of nodes (by default all), and what the inventory adds."""
    written = list(given)
    certified: list[str] = []
    for node in cluster.nodes if nodes is None else nodes:
        certificates = {purpose: cluster.by_node(purpose).get(node.name) or {} for purpose in FACTS}
        written += [node.name, node.address]
        certified += [name for certificate in certificates.values() for name in certificate_names(certificate)]
        if is_address(node.name):
            # Only its certificate has the host name of a node that the cluster knows by its address.
            written.append(common_name(certificates[TRUNK.name]))
    named = {name.lower() for name in written if name}
    hosts = {_host(name) for name in named if not is_address(name)}
    # A certificate may contain names of others: only those of these hosts count.
    named |= {name.lower() for name in certified if _host(name.lower()) in hosts}
    return {"hosts": sorted(hosts), "names": sorted(name for name in named if "." in name or is_address(name))}


def _host(name: str) -> str:
    return name.partition(".")[0]
