# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a trunk will break, and why: per direction, dated and undated events of both ends. Private. Pure.

Sources: the certificates and their chains; the Chrome Root Program (public CAs issue no clientAuth from March 2027);
the CA/Browser Forum's ballot SC-081v3 (200, 100 and 47 days); Cisco's release notes of 15SU3 (no RSA key exchange);
Cisco's security guides of 12.5(1)SU2 and 14 on certificate revocation (OCSP for SIP, refusals in Common Criteria mode).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._releases import features
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import doctor, negotiated
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import Direction, Node
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import climb

#: organizations of the public CAs whose certificates are common on trunks, in lower case
PUBLIC_CAS = (
    "digicert", "identrust", "sectigo", "comodo", "globalsign", "let's encrypt", "entrust", "godaddy", "go daddy",
    "google trust services", "ssl corp", "quovadis", "swisssign", "buypass", "actalis", "telekom security",
)  # fmt: skip
#: the day from which public CAs issue no certificate with clientAuth
NO_CLIENT_AUTH = datetime(2027, 3, 1, tzinfo=UTC)
#: from when on public CAs issue certificates for at most so many days
LIFETIMES = (
    (datetime(2026, 3, 15, tzinfo=UTC), 200), (datetime(2027, 3, 15, tzinfo=UTC), 100),
    (datetime(2029, 3, 15, tzinfo=UTC), 47),
)  # fmt: skip
#: key exchange by RSA, which 15SU3 takes away
RSA_KEY_EXCHANGE = (
    "AES128-SHA",
    "AES256-SHA",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA256",
    "AES256-SHA256",
)
SMALLEST_RSA_KEY = 2048
_RENEW = "Renew it before that day (playbook renew_certificates.yml)."
_NEW_CA = "Upload the CA's new certificate to CallManager-trust, and have the nodes' certificates signed by it."
_PRIVATE_CA = "Move to a private CA, or to a CA that keeps clientAuth, before the certificate is renewed."


@dataclass(frozen=True)
class Event:
    """Something that breaks the trunk: on a day, or (``date`` None) at an upgrade or a renewal."""

    kind: str
    date: datetime | None
    node: str | None
    reason: str
    next_step: str

    def as_dict(self, now: datetime) -> dict[str, Any]:
        """For a module's result; days are whole, negative once the day is over."""
        return {
            "kind": self.kind, "date": self.date.strftime("%Y-%m-%dT%H:%M:%SZ") if self.date else None,
            "days_left": (self.date - now).days if self.date else None, "node": self.node, "reason": self.reason,
            "next_step": self.next_step,
        }  # fmt: skip


def forecast(case: Direction, *, renew_before: int = 30) -> dict[str, Any]:
    """The events of one direction, the earliest first; ``breaks_on`` is the first dated one.

    ``renew_before`` is how many days before their end certificates are renewed.
    """
    found = [*_certificates(case, renew_before), *_revocation(case), *_parameters(case)]
    # Both directions of a trunk, and both roles of a node, show the same certificate.
    events = list({(event.kind, event.reason): event for event in found}.values())
    events.sort(key=lambda event: (event.date is None, event.date or case.now, event.reason))
    listed = [event.as_dict(case.now) for event in events]
    first: Mapping[str, Any] = next((event for event in listed if event["date"]), {})
    return {
        "from": case.source, "to": case.target, "breaks_on": first.get("date"), "days_left": first.get("days_left"),
        "reason": first.get("reason"), "events": listed, "works": doctor.works(case),
    }  # fmt: skip


def sentence(forecast_: Mapping[str, Any]) -> str:
    """A forecast in one line."""
    lead = f"{forecast_['from']} to {forecast_['to']}"
    if forecast_["works"] is False:
        lead += " does not work now (playbook diagnose.yml names the cause)"
    if not forecast_["breaks_on"]:
        return f"{lead}: no date is known on which it will break"
    return (
        f"{lead}: breaks on {str(forecast_['breaks_on'])[:10]} ({forecast_['days_left']} days): {forecast_['reason']}"
    )


def _certificates(case: Direction, renew_before: int) -> Iterator[Event]:
    for node in (*case.reached, *case.source_nodes):
        for identity in node.identities:
            leaf = identity.installed or identity.probed
            if leaf is not None:
                yield from _leaf(node, leaf, identity.title)
                if _public(leaf):
                    yield from _public_ca(node, leaf, f"the {identity.title} of {node.name}", renew_before)
        for checker in case.checkers(node):
            yield from _authorities(node, checker)


def _leaf(node: Node, leaf: Certificate, title: str) -> Iterator[Event]:
    what = f"the {title} of {node.name}"
    yield Event("certificate_end", leaf.not_after, node.name, f"{what} expires", _RENEW)
    yield from _weak(
        leaf, node, what, "Have a new CSR with 2048 bits or more signed.", "Have it signed again with SHA-256."
    )


def _weak(
    certificate: Certificate, node: Node, what: str, longer: str, again: str, *, root: bool = False
) -> Iterator[Event]:
    """A short key, and a signature with SHA-1, which nobody checks of a root CA."""
    if certificate.key.kind == "RSA" and 0 < certificate.key.bits < SMALLEST_RSA_KEY:
        reason = f"{what} has a key of {certificate.key.bits} bits, which new releases refuse"
        yield Event("key_size", None, node.name, reason, longer)
    if "sha1" in certificate.signature.algorithm.lower() and not root:
        yield Event("sha1", None, node.name, f"{what} is signed with SHA-1, which new releases refuse", again)


def _public(leaf: Certificate) -> bool:
    issuer = str(leaf.issuer).lower()
    return any(name in issuer for name in PUBLIC_CAS)


def _public_ca(node: Node, leaf: Certificate, what: str, renew_before: int) -> Iterator[Event]:
    """What renewal at a public CA will bring."""
    if leaf.not_after >= NO_CLIENT_AUTH:
        yield Event(
            "client_auth",
            leaf.not_after,
            node.name,
            f"{what} is from a public CA, which can renew it only without clientAuth from March 2027 on",
            _PRIVATE_CA,
        )
    days = next((most for start, most in reversed(LIFETIMES) if leaf.not_after >= start), None)
    if days is not None:
        yield Event(
            "lifetime",
            None,
            node.name,
            f"{what} is from a public CA, which renews it for at most {days} days; {_pace(days, renew_before)}",
            "Plan the renewals, or move to a private CA.",
        )


def _pace(days: int, renew_before: int) -> str:
    """How often certificates of so many days are renewed, each time with a restart."""
    if renew_before >= days:
        return (
            f"they are renewed {renew_before} days before their end, so that every run would renew it and restart "
            "Cisco CallManager (callmanager_certificate_renew_before)"
        )
    every = days - renew_before
    return f"renewed {renew_before} days before its end, it requires a restart of Cisco CallManager every {every} days"


def _revocation(case: Direction) -> Iterator[Event]:
    """Certificates that name no OCSP responder, at clusters that look for its address there.

    A cluster with an address of its own needs none. Outside of Common Criteria mode CUCM accepts a certificate whose
    status is unknown. CRLs are downloaded from addresses that are set in the cluster.
    """
    ends = ((case.source, case.reached), (case.target, case.source_nodes))
    for checker, nodes in ends if not case.external else ends[:1]:
        rule = case.revocation.get(checker) or {}
        if rule.get("ocsp") in ("disabled", "configured") or rule.get("common_criteria") is False:
            continue
        silent = [(node, title) for node in nodes for title, leaf in _leaves(node) if leaf.extensions.ocsp == ()]
        if rule.get("ocsp") == "certificate":
            yield from (_no_responder(checker, node, title, rule) for node, title in silent)
        elif silent and not _without_ocsp(case, checker):
            names = ", ".join(dict.fromkeys(node.name for node, _title in silent))
            yield Event(
                "revocation", None, None,
                f"certificates of {names} name no OCSP responder, and whether {checker} requires one is not known",
                "Read Security > Certificate Revocation in OS Administration and the answer to utils "
                f"fips_common_criteria status, and set cucm_revocation of {checker} in the inventory.",
            )  # fmt: skip


def _leaves(node: Node) -> list[tuple[str, Certificate]]:
    """The title and the certificate of each identity of a node that CAs confirm."""
    found = ((identity.title, identity.installed or identity.probed) for identity in node.identities)
    return [(title, leaf) for title, leaf in found if leaf is not None and not leaf.self_signed]


def _without_ocsp(case: Direction, cluster: str) -> bool:
    return not features(case.versions.get(cluster)).asks_ocsp


def _no_responder(checker: str, node: Node, title: str, rule: Mapping[str, Any]) -> Event:
    mode = "" if rule.get("common_criteria") else " if Common Criteria mode is on, which is not known"
    return Event(
        "revocation",
        None,
        node.name,
        f"the {title} of {node.name} names no OCSP responder, where {checker} looks for one: it refuses the "
        f"connection{mode}",
        "Have the certificate signed again with the address of a responder (local_ocsp_urls of a local CA), or set "
        f"Use Configured OCSP URI on {checker} (OS Administration, Security > Certificate Revocation).",
    )


def _authorities(node: Node, checker: Node) -> Iterator[Event]:
    """The CAs above a node's certificates in the store of a node that checks them."""
    for identity in node.identities:
        shown = identity.installed or identity.probed
        for authority in climb(shown, checker.trust or ()).issuers if shown is not None else ():
            what = f"the CA {authority.title}, which {checker.name} trusts for {node.name},"
            yield Event("ca_end", authority.not_after, checker.name, f"{what} expires", _NEW_CA)
            yield from _weak(authority, checker, what, _NEW_CA, _NEW_CA, root=authority.self_issued)


def _parameters(case: Direction) -> Iterator[Event]:
    for shown in negotiated.seen(case):
        if shown.source == "probe":
            continue
        if shown.cipher in RSA_KEY_EXCHANGE:
            yield Event(
                "rsa_key_exchange",
                None,
                None,
                f"the clusters negotiate {shown.cipher}, whose key exchange by RSA ends with 15SU3",
                "Before the upgrade, allow a cipher with ECDHE at both ends (enterprise parameter TLS Ciphers).",
            )
        if shown.tls_version in ("TLSv1", "TLSv1.0", "TLSv1.1"):
            yield Event(
                "tls_minimum",
                None,
                None,
                f"the clusters negotiate {shown.tls_version}, below the minimum of a fresh 15SU2 (TLS 1.2)",
                "Upgrade the cluster that supports no newer version first.",
            )
