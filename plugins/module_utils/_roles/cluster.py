# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts that the clusters of a play know each other by. Pure; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, TRUNK_EC

#: fact of a cluster with the certificate of each node, by the purpose that it belongs to
FACTS = {TRUNK.name: "certificates", TRUNK_EC.name: "ec_certificates"}


def with_certificates(
    cluster: Mapping[str, Any],
    *,
    csrs: Iterable[Mapping[str, Any]],
    signed: Iterable[Mapping[str, Any]] = (),
    uploads: Iterable[Mapping[str, Any]] = (),
    shared: bool = False,
) -> dict[str, Any]:
    """The facts of a cluster with the certificates that each node is to present, and the chain of their CA.

    csrs and uploads are the results of the looped tasks: of cucm_csr with the holder (`name` of the node and `purpose`)
    as `item`, of cucm_cert_upload with what was signed as `item`. signed are the results of ca_sign, each with the
    `name` and `purpose` of its holder. A node whose CSR was not needed keeps the certificate that it has. shared: one
    certificate for all nodes, the publisher's. The trust stores are left out.
    """
    owner = next((node["name"] for node in cluster["nodes"] if node.get("role") == "Publisher"), None)
    kept = {_holder(result["item"]): result.get("certificate") for result in csrs}
    fresh = _fresh(signed, uploads)
    chain: list[str] = []
    # What peers may trust of what is kept: see _roles/trust.py.
    chains = cluster.get("chains") or {}
    # The trust stores are the bulk of the facts, and no peer asks for them; what verifies reads them anew.
    facts = {key: value for key, value in cluster.items() if key not in ("trust", "chains")}
    for purpose, fact in FACTS.items():
        before = cluster.get(fact) or {}
        facts[fact] = {}
        for node in cluster["nodes"]:
            holder = owner if shared and owner else node["name"], purpose
            if holder in fresh:
                view, above = fresh[holder]
            else:
                view = kept.get(holder) or before.get(node["name"])
                above = (chains.get(fact) or {}).get(holder[0]) or ()
            facts[fact][node["name"]] = view
            chain += [pem for pem in above if pem not in chain]
    return {**facts, "chain": chain}


def _fresh(
    signed: Iterable[Mapping[str, Any]], uploads: Iterable[Mapping[str, Any]]
) -> dict[tuple[str, str], tuple[Any, Iterable[str]]]:
    """What was signed in this run, by its holder: the certificate, as uploaded where it was, and the chain above it."""
    uploaded = {_holder(row["item"]): row.get("certificate") for row in uploads if "item" in row}
    rows = {_holder(row): row for row in signed if row.get("certificate")}
    return {holder: _signed(row, uploaded.get(holder)) for holder, row in rows.items()}


def _holder(item: Mapping[str, Any]) -> tuple[str, str]:
    return str(item["name"]), str(item.get("purpose") or TRUNK.name)


def _signed(result: Mapping[str, Any], uploaded: Mapping[str, Any] | None) -> tuple[Any, Iterable[str]]:
    """The certificate that a CA signed, and the chain above it."""
    predicted = result.get("predicted")
    view = result.get("view") or uploaded
    # What check mode signed is what the peers' objects would name, and no evidence of anything.
    view = {**view, "predicted": True} if view and predicted else view
    # In check mode each task makes up a CA of its own, where in truth there will be one.
    return view, () if predicted and result.get("ca_created") else result.get("chain") or ()


def holders(nodes: Iterable[Mapping[str, Any]], purposes: Iterable[str]) -> list[dict[str, Any]]:
    """Each node once per purpose, as the loops of the role go over them: one node after another."""
    wanted = list(purposes)
    return [{**node, "purpose": purpose} for node in nodes for purpose in wanted]


def presented(
    cluster: Mapping[str, Any], node: str, purposes: Iterable[str] = tuple(FACTS), *, predicted: bool = True
) -> dict[str, str]:
    """By purpose the SHA-256 of the certificate that a node is to present; with those that check mode predicts."""
    views = {purpose: (cluster.get(FACTS[purpose]) or {}).get(node) or {} for purpose in purposes}
    return {
        purpose: view["sha256"]
        for purpose, view in views.items()
        if view.get("sha256") and (predicted or not view.get("predicted"))
    }


def identities(cluster: Mapping[str, Any], node: str) -> list[Mapping[str, Any]]:
    """The certificates that a node may present on its SIP port, that of CallManager first."""
    views = ((cluster.get(fact) or {}).get(node) for fact in FACTS.values())
    return [view for view in views if view]
