# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates that the nodes of a cluster are to present after a run. Pure; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import FACTS, Cluster, View
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, TRUNK_EC

Rows = Iterable[Mapping[str, Any]]
Holder = tuple[str, str]  # node, purpose


def with_certificates(
    cluster: Cluster, *, csrs: Rows, signed: Rows = (), uploads: Rows = (), shared: bool = False
) -> Cluster:
    """The cluster with the certificates that each node is to present, and the chain of their CA.

    csrs and uploads are the results of the looped tasks: of cucm_csr with the holder (`name` of the node and `purpose`)
    as `item`, of cucm_cert_upload with what was signed as `item`. signed are the results of ca_sign, each with the
    `name` and `purpose` of its holder. A node whose CSR was not needed keeps its certificate. shared: one certificate
    for all nodes, the publisher's. The trust stores are left out: they are the bulk of the facts, and no peer needs
    them.
    """
    owner = cluster.publisher
    kept = {_holder(result["item"]): result.get("certificate") for result in csrs}
    fresh = _fresh(signed, uploads)
    chain: list[str] = []
    found: dict[str, dict[str, View | None]] = {}
    for purpose, fact in FACTS.items():
        found[fact] = {}
        for node in cluster.nodes:
            holder = owner if shared and owner else node.name, purpose
            if holder in fresh:
                view, above = fresh[holder]
            else:
                view = kept.get(holder) or cluster.by_node(purpose).get(node.name)
                above = cluster.chains.get(fact, {}).get(holder[0]) or ()
            found[fact][node.name] = view
            chain += [pem for pem in above if pem not in chain]
    for_rsa, for_ec = found[FACTS[TRUNK.name]], found[FACTS[TRUNK_EC.name]]
    return replace(cluster, certificates=for_rsa, ec_certificates=for_ec, chain=chain, trust={}, chains={})


def _fresh(signed: Rows, uploads: Rows) -> dict[Holder, tuple[Any, Iterable[str]]]:
    """What was signed in this run, by its holder: the certificate, as uploaded where it was, and the chain above it."""
    uploaded = {_holder(row["item"]): row.get("certificate") for row in uploads if "item" in row}
    rows = {_holder(row): row for row in signed if row.get("certificate")}
    return {holder: _signed(row, uploaded.get(holder)) for holder, row in rows.items()}


def _holder(item: Mapping[str, Any]) -> Holder:
    return str(item["name"]), str(item.get("purpose") or TRUNK.name)


def _signed(result: Mapping[str, Any], uploaded: View | None) -> tuple[Any, Iterable[str]]:
    """The certificate that a CA signed, and the chain above it."""
    predicted = result.get("predicted")
    view = result.get("view") or uploaded
    # What check mode signed is what the peers' objects would name, and no evidence of anything.
    view = {**view, "predicted": True} if view and predicted else view
    # In check mode each task makes up a CA of its own, where there will be one in a real run.
    return view, () if predicted and result.get("ca_created") else result.get("chain") or ()


def expected(cluster: Cluster, *, predicted: bool) -> dict[str, dict[str, str]]:
    """By node and purpose the SHA-256 of the certificate to present; predicted: those that check mode predicts, too."""
    return {
        node.name: {
            purpose: str(view["sha256"])
            for purpose in FACTS
            if (view := cluster.by_node(purpose).get(node.name) or {}).get("sha256")
            and (predicted or not view.get("predicted"))
        }
        for node in cluster.nodes
    }
