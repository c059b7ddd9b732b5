# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a peer presents, checked against the CA chain and the names given for it. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def check(chain: Sequence[Mapping[str, Any]], ca_chain: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """``trusted``, ``trust_text``, ``name_matches``, ``name_text``; each None where nothing was given to compare with.

    chain are certificate_views as presented, the peer's own first. Signatures are verified, SHA-1 ones too, up to a
    self-signed certificate of ca_chain (PEM texts); certificates that only the peer sent count as links, not as roots.
    Raises Failure when ca_chain holds no certificates.
    """
    result: dict[str, Any] = {"trusted": None, "trust_text": None, "name_matches": None, "name_text": None}
    leaf = chain[0]
    if ca_chain:
        problem = _distrust(chain, ca_chain)
        result["trusted"] = problem is None
        result["trust_text"] = problem or f"{leaf['subject']} chains to a CA that was given"
    if names:
        own = [leaf["common_name"], *(str(name).partition(":")[2] or str(name) for name in leaf["sans"])]
        known = {str(name).lower() for name in own if name}
        fits = next((name for name in names if name.lower() in known), None)
        result["name_matches"] = fits is not None
        result["name_text"] = (
            f"it presents a certificate with the name {fits}"
            if fits
            else f"it presents a certificate for {', '.join(sorted(known)) or 'nobody'}, not for {', '.join(names)}"
        )
    return result


def _distrust(chain: Sequence[Mapping[str, Any]], ca_chain: Sequence[str]) -> str | None:
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import (
        certificate_view,
        order_chain,
        split_chain,
    )

    given = [pem for text in ca_chain for pem in split_chain(text)]
    leaf, sent = chain[0], [str(certificate["pem"]) for certificate in chain[1:]]
    path = order_chain(str(leaf["pem"]), [*given, *sent], complete=False)
    root = certificate_view(path[-1])
    if root["sha256"] not in {certificate_view(pem)["sha256"] for pem in given}:
        reached = "" if len(path) == 1 else f", and its chain ends at {root['subject']}"
        return f"{leaf['subject']} was issued by {leaf['issuer']}{reached}, which none of the given CAs vouches for"
    if not root["self_signed"]:
        return f"the chain of {leaf['subject']} ends at {root['subject']}, whose issuer {root['issuer']} was not given"
    stale = next((view for view in map(certificate_view, path) if view["days_left"] < 0), None)
    return f"{stale['subject']} of its chain expired at {stale['not_after']}" if stale else None
