# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts that the clusters of a play know each other by. Pure; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def with_certificates(
    cluster: Mapping[str, Any], *, csrs: Iterable[Mapping[str, Any]], signed: Iterable[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The facts of a cluster with the certificate that each node is to present, and the chain of its CA.

    csrs and signed are the results of the looped tasks: of cucm_csr with the node as `item`, of the signing with the
    CSR's result as `item`. A node whose CSR was not needed keeps the certificate that it has.
    """
    kept = {one["item"]["name"]: one.get("certificate") for one in csrs}
    fresh = {one["item"]["item"]["name"]: one for one in signed if one.get("certificate")}
    nodes = []
    chain: list[str] = []
    for node in cluster["nodes"]:
        new = fresh.get(node["name"])
        view = {**new["view"], "pem": new["certificate"]} if new else kept.get(node["name"]) or node["certificate"]
        nodes.append({**node, "certificate": view, "issued": bool(view)})
        chain += [pem for pem in (new or {}).get("chain") or () if pem not in chain]
    return {**cluster, "nodes": nodes, "chain": chain}
