# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which CAs of peers nothing else on a cluster needs. Pure; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Peer, View
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import climb
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK


@dataclass(frozen=True)
class Trust:
    """All certificates of all nodes of a cluster, and which CAs may be removed from CallManager-trust.

    policy: `unused` removes a CA that nothing else needs, `always` disregards what is not known, `never` removes none.
    """

    certificates: Sequence[View]
    policy: str = "unused"

    @classmethod
    def from_results(cls, results: Iterable[Mapping[str, Any]], policy: str) -> Self:
        """From the results of cucm_certificate_info, one per node; a task that was skipped has none."""
        return cls([view for result in results for view in result.get("certificates") or ()], policy)

    def removals(
        self, candidates: Iterable[str], remaining: Iterable[Peer], others: Sequence[str] = ()
    ) -> dict[str, list[str]]:
        """`trust`, the CAs to remove, and `kept_cas`, sentences about those that are needed.

        candidates are the CAs of the peers that are removed, as PEM; remaining the peers that are kept; others the
        trunks with TLS that are not ours, whose peers' CAs are not known.
        """
        found: dict[str, list[str]] = {"trust": [], "kept_cas": []}
        if self.policy == "never":
            return found
        peers = list(remaining)
        wanted, kept = _certificates(candidates), _certificates(pem for peer in peers for pem in peer.chain)
        unknown = [peer.name for peer in peers if not peer.names]
        for certificate, view in self._trusted().items():
            if certificate not in wanted:
                continue
            reason = self._needed_by(certificate)
            if not reason and certificate in kept:
                reason = "it signed the certificates of a peer that is kept"
            if not reason and self.policy != "always":
                reason = _may_be_needed(unknown, others)
            if reason:
                found["kept_cas"].append(f"The CA {certificate.subject.text} is kept in {TRUNK.trust}: {reason}.")
            else:
                found["trust"].append(str(view["pem"]))
        return found

    def _trusted(self) -> Mapping[Certificate, View]:
        """What is in CallManager-trust of any node."""
        views = [view for view in self.certificates if view["purpose"] == TRUNK.trust]
        return {certificate: view for view in views if (certificate := Certificate.from_view(view))}

    def _needed_by(self, certificate: Certificate) -> str:
        """Why an identity certificate of this cluster needs a CA; empty when none does."""
        stores = [Certificate.from_view(view) for view in self.certificates if view.get("kind") != "identity"]
        issuers = [store for store in stores if store is not None]
        purposes = []
        for view in (view for view in self.certificates if view.get("kind") == "identity"):
            identity = Certificate.from_view(view)
            # Which of several certificates of one key CUCM takes is not known: all of them are needed.
            above = climb(identity, issuers).certificates if identity is not None else ()
            if any(issuer.key == certificate.key and issuer.subject.key == certificate.subject.key for issuer in above):
                purposes.append(str(view["purpose"]))
        return f"it is above the {', '.join(dict.fromkeys(purposes))} certificate of this cluster" if purposes else ""


def _certificates(pems: Iterable[str]) -> set[Certificate]:
    return set(filter(None, (Certificate.from_view({"pem": pem}) for pem in pems)))


def _may_be_needed(unknown: Sequence[str], others: Sequence[str]) -> str:
    """Why it is not known whether something else needs a CA; empty when nothing else can."""
    if unknown:
        return f"it is not known who issued the certificates of {', '.join(unknown)}"
    if others:
        return (
            f"the SIP trunk {', '.join(others)} uses TLS too, and it is not known who issued its peer's certificate "
            "(sip_tls_undo_remove_trust: always removes the CA anyway)"
        )
    return ""
