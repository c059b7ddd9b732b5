# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings what the tasks of role sip_tls_verify found into the form that sip_tls_verdict takes. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster, Node
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, TRUNK_EC

Rows = Sequence[Mapping[str, Any]]
#: what the verdict, the doctor and the forecast use of a cluster, beside its nodes
ABOUT = ("version", "security_mode", "phone_security", "revocation")
# Of a trace, what the verdict and the report show.
TRACED = ("cluster", "certificates", "calls", "options", "alarms", "trouble")


def cluster_evidence(
    cluster: Cluster,
    *,
    certificates: Rows,
    probes: Rows,
    peers: Rows = (),
    profiles: Mapping[str, Any] | None = None,
    trunks: Mapping[str, Any] | None = None,
    states: Mapping[str, Any] | None = None,
    external: Rows = (),
    captures: Rows = (),
    traces: Mapping[str, Any] | None = None,
    phones: Mapping[str, Any] | None = None,
    others: Rows = (),
) -> dict[str, Any]:
    """The evidence of one cluster: the `cluster` with its nodes, the `directions` to its peers, and what was seen.

    certificates and probes are results of looped tasks, each with the node as `item`; profiles and trunks the results
    of the modules' aggregates. In check mode these would be objects that are yet to be made, so that what is on the
    cluster now (`previous`) is used. states is the result of the task that read the trunks' states. external
    are probes of peers that are not ours, each with a list of the peer and the address as `item`. captures are the
    results of a looped task that read one capture each, traces the result of the task that read the traces. Any of them
    may have failed; its evidence is then missing, and `unread` says why. phones compares the phones before and after,
    where services were restarted. others are the nodes of the cluster on which its trunks do not run.
    """
    read = [capture for capture in captures if "connections" in capture]
    trace = {**traces, "cluster": cluster.name} if traces and "calls" in traces else None
    about: dict[str, Any] = {"name": cluster.name, "nodes": _nodes(cluster, certificates, probes)}
    if others:
        about["other_nodes"] = [_where(Node.from_facts(node)) for node in others]
    if phones:
        about["phones"] = phones
    brought = [(certificates, "certificates"), (probes, "chain"), ([states], "trunks"), (external, "chain"),
               (captures, "connections"), ([traces], "calls")]  # fmt: skip
    return {
        "cluster": about | {key: value for key in ABOUT if (value := getattr(cluster, key))},
        "directions": _directions(cluster, peers, profiles=profiles, trunks=trunks, states=states, external=external),
        "captures": [connection for capture in read for connection in capture["connections"]],
        "traces": [{key: trace[key] for key in TRACED if key in trace}] if trace else [],
        "files": _files([*read, trace or {}]),
        "unread": [f"{cluster.name}: {why}" for why in _unread(brought)],
    }


def _nodes(cluster: Cluster, certificates: Rows, probes: Rows) -> list[dict[str, Any]]:
    """What is known of each node: what it holds and trusts, what its port presented, its clock."""
    results = {result["item"]["name"]: result for result in certificates}
    seen = {result["item"]["name"]: _probe(result) for result in probes}
    return [_node(cluster, node, results.get(node.name, {}), seen.get(node.name)) for node in cluster.nodes]


def _node(cluster: Cluster, node: Node, result: Mapping[str, Any], probe: Mapping[str, Any] | None) -> dict[str, Any]:
    shown = result.get("certificates")
    return {
        **_where(node),
        "held": _of(shown, TRUNK.name, [None])[0],
        "ec_held": _of(shown, TRUNK_EC.name, [None])[0],
        "trust": _of(shown, TRUNK.trust, []) if shown else None,
        "issued": _issued(cluster, node.name, TRUNK.name),
        "ec_issued": _issued(cluster, node.name, TRUNK_EC.name),
        "probe": probe,
        "clock": result.get("clock"),
    }


def _where(node: Node) -> dict[str, Any]:
    """A node, how others know it, and whether Cisco CallManager is activated on it."""
    addresses = list(dict.fromkeys([node.address, node.name]))
    return {"name": node.name, "addresses": addresses, "callmanager": node.callmanager}


def _directions(
    cluster: Cluster,
    peers: Rows,
    *,
    profiles: Mapping[str, Any] | None,
    trunks: Mapping[str, Any] | None,
    states: Mapping[str, Any] | None,
    external: Rows,
) -> list[dict[str, Any]]:
    """What this end has for each peer: security profile, trunk and its state."""
    by_name = _states((states or {}).get("trunks") or ())
    return [
        {
            "from": cluster.name,
            "to": peer["name"],
            "profile": _object(profiles, peer["profile"]),
            "trunk": _object(trunks, peer["trunk"]),
            "status": by_name.get(peer["trunk"]),
            **_external(peer, external),
        }
        for peer in peers
    ]


def _states(rows: Rows) -> dict[str, Mapping[str, Any]]:
    """The state of each trunk. Each of its nodes reports one; a node on which it is out of service counts."""
    ranked = sorted(rows, key=lambda row: (None, True, False).index(row.get("in_service")))
    return {str(row.get("name")): row for row in ranked}


def _files(results: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The files that were kept."""
    return [file for result in results for file in result.get("files") or () if file.get("path")]


def _unread(brought: Iterable[tuple[Iterable[Mapping[str, Any] | None], str]]) -> Iterator[str]:
    """Why those results lack the key that they should have brought, which failed."""
    for results, key in brought:
        for result in results:
            if result and result.get("msg") and key not in result and not result.get("skipped"):
                yield str(result["msg"])


def _external(peer: Mapping[str, Any], probes: Rows) -> dict[str, Any]:
    """What is known of a peer that is not ours: where it is, and what its port showed."""
    if not peer.get("external"):
        return {}
    seen = {probe["item"][1]: _probe(probe) for probe in probes if probe["item"][0]["name"] == peer["name"]}
    kept = {key: peer["external"][key] for key in ("addresses", "port", "srtp")}
    return {"external": {**kept, "probes": seen}}


def _issued(cluster: Cluster, node: str, purpose: str) -> Mapping[str, Any] | None:
    """What the CA issued for a node; not what it would issue, as check mode has it, nor what is left as shipped."""
    view = cluster.by_node(purpose).get(node) or {}
    left = purpose == TRUNK_EC.name and view.get("self_signed")
    return None if not view or view.get("predicted") or left else view


def _of(certificates: Any, purpose: str, otherwise: list[Any]) -> list[Any]:
    return [certificate for certificate in certificates or () if certificate["purpose"] == purpose] or otherwise


def _probe(result: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a probe saw, if only that the port did not respond; None when the probe itself could not be made."""
    keys = ("chain", "identities", "tls_version", "cipher", "mutual", "alert", "options", "matches_held", "client_cas",
            "trusted", "trust_text", "name_matches", "name_text")  # fmt: skip
    if "chain" not in result:
        state = result.get("port_state") or result.get("state")
        return {"port_state": state, "said": result.get("msg")} if state else None
    return {key: result[key] for key in keys if key in result}


def _object(result: Mapping[str, Any] | None, name: str) -> dict[str, Any] | None:
    """An object of an aggregate as it is on the cluster, or None if it does not exist."""
    for entry in (result or {}).get("objects") or ():
        if entry.get("name") == name:
            now = entry["object"]  # an unchanged entry has no previous
            return (entry.get("previous", now) if (result or {}).get("predicted") else now) or None
    return None
