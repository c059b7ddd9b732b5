# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CUCM's rules for certificates, judged before anything is written: each broken rule is a sentence.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import NodeClock
from ansible_collections.siptls.cucm.plugins.module_utils._node.store import Entry
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Request, time_text
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import Chain, root_first

LARGEST_KEY = 4096  # bits; CUCM takes no longer RSA key
LONGEST_WAIT = datetime.timedelta(minutes=5)  # for a certificate that is about to become valid on the node
SAN_ADVICE = "Have the CA take the names of the CSR exactly (it often adds the common name, a www name or an address)"


@dataclass(frozen=True)
class Case:
    """A signed certificate and everything it is judged by."""

    purpose: str
    chain: Chain  # the certificate and its issuers, as far as they are known
    request: Request | None  # the CSR that waits on the node, or in check mode its stand-in
    expected: Request | None  # the CSR that the user says it answers
    eku_policy: str  # require, warn or ignore
    where: str
    clock: NodeClock

    @property
    def leaf(self) -> Certificate:
        """The certificate."""
        return self.chain.leaf


def leaf_problems(case: Case) -> Iterator[str]:
    """Every reason why CUCM would refuse the certificate, or a trunk would fail with it."""
    leaf = case.leaf
    yield from _dates("the certificate", leaf, case.clock)
    if leaf.is_ca:
        yield "it is a CA certificate, which belongs into a trust store. Give CAs in chain and the leaf in certificate"
    if leaf.self_signed:
        yield "it is self-signed, and CUCM takes only what a CA signed. Sign the CSR with a CA"
    wild = sorted(name for name in {leaf.common_name, *leaf.sans} if "*" in name)
    if wild:
        yield f"it holds the wildcard {', '.join(wild)}, and CUCM takes no wildcard certificates"
    if case.eku_policy == "require" and not leaf.both_uses:
        yield eku_problem(leaf)
    if (leaf.key.kind == "EC") != case.purpose.endswith("-ECDSA"):
        yield f"its key is {leaf.key.kind}, which purpose {case.purpose} does not take"
    yield from _key_length("its key", leaf)
    yield from _request(case)
    if not case.chain.complete:
        last = case.chain.top
        yield (
            f"the chain is not complete: {last.subject.text} was issued by {last.issuer.text}, which is neither "
            "in chain nor in the trust store (CUCM: CA certificate is not available in the trust-store). Add the CA "
            "certificates up to the self-signed root to chain"
        )
    for issuer in case.chain.issuers:
        if not issuer.is_ca:
            yield f"{issuer.subject.text}, which signed it, is not a CA certificate"


def eku_problem(leaf: Certificate) -> str:
    """The sentence about missing extended key usages."""
    has = ", ".join(leaf.extensions.eku or ())
    return (
        f"its extended key usage is {has} alone. A SIP trunk is TLS server and client at once and needs serverAuth and "
        "clientAuth; have the CA issue with a template for both (public CAs no longer do), or set eku_policy"
    )


def _request(case: Case) -> Iterator[str]:
    """The rules between certificate and CSR."""
    leaf, request, expected = case.leaf, case.request, case.expected
    if request is None:
        yield (
            f"no CSR for {case.purpose} waits on the node, so that CUCM has no key for the certificate. Run cucm_csr, "
            "sign what it returns and upload that certificate"
        )
        return
    if expected is not None and expected.key != request.key:
        yield (
            "the CSR that waits on the node is not the one that was signed: it was replaced in between, by another run "
            "or on the web page. Run cucm_csr again and sign what it returns"
        )
        return
    if leaf.key != request.key:
        yield (
            "it was made for another key than that of the CSR which waits on the node. Sign the pending CSR (cucm_csr "
            "returns it) and upload that certificate"
        )
        return
    added, lost = sorted(leaf.san_keys - request.san_keys), sorted(request.san_keys - leaf.san_keys)
    if added or lost:
        parts = [f"{word} {', '.join(names)}" for word, names in (("added", added), ("left out", lost)) if names]
        yield f"its subject alternative names are not those of the CSR: the CA {' and '.join(parts)}. {SAN_ADVICE}"
    if leaf.common_name.lower() != request.common_name.lower():
        yield f"its common name is {leaf.common_name}, that of the CSR {request.common_name}. Have the CA keep it"
    given = leaf.extensions.key_usage
    usages = sorted(set(request.extensions.key_usage or ()) - set(given)) if given is not None else []
    if usages:
        yield f"it lacks the key usages {', '.join(usages)} of the CSR. Have the CA keep them"


def _dates(what: str, certificate: Certificate, clock: NodeClock) -> Iterator[str]:
    if certificate.not_before > clock.now() + max(clock.tolerance, LONGEST_WAIT):
        begin = time_text(certificate.not_before)
        yield f"{what} is not yet valid: it begins at {begin}, and {clock.words}. Set the clock (NTP), or wait"
    if certificate.not_after < clock.now() - clock.tolerance:
        yield f"{what} expired at {time_text(certificate.not_after)}, and {clock.words}. Get a new one"


def wait_for(certificate: Certificate, clock: NodeClock) -> float:
    """Seconds until the node's clock finds the certificate valid, so few that judging let it pass."""
    left = (certificate.not_before - clock.now()).total_seconds() if clock.known else 0.0
    return min(max(left + 1, 0.0), LONGEST_WAIT.total_seconds() + 1) if left > 0 else 0.0


def _key_length(what: str, certificate: Certificate) -> Iterator[str]:
    if certificate.key.kind == "RSA" and certificate.key.bits > LARGEST_KEY:
        yield f"{what} has {certificate.key.bits} bits, and CUCM takes no more than {LARGEST_KEY}"


@dataclass(frozen=True)
class TrustPlan:
    """What a trust store needs: uploads in order (root first), what they replace, and what forbids them."""

    uploads: tuple[Certificate, ...]
    replaced: tuple[Entry, ...]
    problems: tuple[str, ...]


def trust_plan(purpose: str, wanted: Sequence[Certificate], held: Sequence[Entry], clock: NodeClock) -> TrustPlan:
    """What has to be uploaded so that a store holds what is wanted.

    CUCM keeps one certificate per name and store: a renewed one of the same key replaces the older one. One of another
    key is a problem, for nobody asked that the CA behind the name be another one.
    """
    uploads: list[Certificate] = []
    replaced: list[Entry] = []
    problems: list[str] = []
    missing = [one for one in wanted if not any(entry.is_certificate(one) for entry in held)]
    for one in root_first(missing):
        problems += _dates(f"{one.subject.text} (for {purpose})", one, clock)
        problems += _key_length(f"the key of {one.subject.text}", one)
        if any(_same_name(one, other) for other in uploads):
            problems.append(
                f"two certificates named {one.title} are to go into {purpose}, and CUCM keeps one per name. Use CAs "
                "with different names"
            )
        for entry in held:
            if entry.facts is not None and _same_name(one, entry.facts):
                problem = _in_the_way(purpose, one, entry, entry.facts)
                problems += [problem] if problem else []
                replaced += [] if problem else [entry]
        uploads.append(one)
    return TrustPlan(tuple(uploads), tuple(replaced), tuple(problems))


def _same_name(one: Certificate, other: Certificate) -> bool:
    """Whether CUCM takes two certificates for the same entry of a store: by CN, without one by subject."""
    return one.title.lower() == other.title.lower()


def _in_the_way(purpose: str, one: Certificate, entry: Entry, other: Certificate) -> str:
    """Why a certificate cannot replace the one of its name; empty when it can."""
    if one.key != other.key:
        return (
            f"{purpose} holds another certificate named {one.title} ({entry.name}, SHA-256 {other.sha256}), and the "
            f"new one (SHA-256 {one.sha256}) has another key. A CA is never replaced by another one of its name "
            "unasked. Find out which is yours; remove the other one (state: absent), or use a CA with another name"
        )
    if other.not_before >= one.not_before:
        return (
            f"{purpose} already holds another certificate named {one.title} ({entry.name}, from "
            f"{time_text(other.not_before)}), and CUCM refuses one that does not start later. Remove that one "
            "(state: absent) or use a CA with another name"
        )
    return ""
