# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts that the clusters of a play know each other by. Pure; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import climb


def with_certificates(
    cluster: Mapping[str, Any],
    *,
    csrs: Iterable[Mapping[str, Any]],
    signed: Iterable[Mapping[str, Any]] = (),
    uploads: Iterable[Mapping[str, Any]] = (),
    shared: bool = False,
) -> dict[str, Any]:
    """The facts of a cluster with the certificate that each node is to present, and the chain of its CA.

    csrs, signed and uploads are the results of the looped tasks: of cucm_csr with the node as `item`, of the signing
    with the CSR's result as `item`, of cucm_cert_upload with the signing's result as `item`. A node whose CSR was not
    needed keeps the certificate that it has. shared: one certificate for all nodes, the publisher's. The trust stores
    are left out.
    """
    owner = next((node["name"] for node in cluster["nodes"] if node.get("role") == "Publisher"), None)
    kept = {one["item"]["name"]: one.get("certificate") for one in csrs}
    fresh = {one["item"]["item"]["name"]: one for one in signed if one.get("certificate")}
    held = {one["item"]["item"]["item"]["name"]: one.get("certificate") for one in uploads if "item" in one}
    certificates: dict[str, Any] = {}
    chain: list[str] = []
    for node in cluster["nodes"]:
        name = owner if shared and owner else node["name"]
        if name in fresh:
            predicted = fresh[name].get("predicted")
            view = fresh[name].get("view") or held.get(name)
            # What check mode signed is what the peers' objects would name, and no evidence of anything.
            view = {**view, "predicted": True} if view and predicted else view
            # In check mode each task makes up a CA of its own, where in truth there will be one.
            above = () if predicted and fresh[name].get("ca_created") else fresh[name].get("chain") or ()
        else:
            view = kept.get(name) or cluster["certificates"].get(name)
            above = chain_in(cluster["trust"].get(name) or (), view)
        certificates[node["name"]] = view
        chain += [pem for pem in above if pem not in chain]
    # The trust stores are the bulk of the facts, and no peer asks for them; what verifies reads them anew.
    kept_facts = {key: value for key, value in cluster.items() if key != "trust"}
    return {**kept_facts, "certificates": certificates, "chain": chain}


def chain_in(trust: Iterable[Mapping[str, Any]], certificate: Mapping[str, Any] | None) -> list[str]:
    """The PEMs of the CAs above a certificate, as far as a trust store shows them, by their signatures."""
    leaf = Certificate.from_view(certificate)
    if leaf is None:
        return []
    return [one.pem for one in climb(leaf, filter(None, map(Certificate.from_view, trust))).issuers]
