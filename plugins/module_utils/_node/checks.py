# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CUCM's rules, checked before anything is written: each broken rule is a sentence.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import NodeClock
from ansible_collections.siptls.cucm.plugins.module_utils._node.store import Entry
from ansible_collections.siptls.cucm.plugins.module_utils._x509 import rules
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Request, time_text
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import Chain, other_issuer, root_first
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import purpose_of

LONGEST_WAIT = datetime.timedelta(minutes=5)  # for a certificate that is about to become valid on the node


@dataclass(frozen=True)
class Case:
    """A signed certificate and everything that it is checked against."""

    purpose: str
    chain: Chain  # the certificate and its issuers, as far as they are known
    request: Request | None  # the CSR that waits on the node, or in check mode its stand-in
    expected: Request | None  # the CSR that the user says it answers
    eku_policy: str  # require, warn or ignore
    where: str
    clock: NodeClock
    pool: tuple[Certificate, ...] = ()  # where the issuers were looked for

    @property
    def leaf(self) -> Certificate:
        """The certificate."""
        return self.chain.leaf


def leaf_problems(case: Case) -> Iterator[str]:
    """Every reason why CUCM would refuse the certificate, or a trunk would fail with it."""
    purpose = purpose_of(case.purpose)
    yield from _dates(case.leaf, case.clock)
    yield from rules.certificate_problems(case.leaf, purpose, eku_required=case.eku_policy == "require")
    yield from _request(case)
    if case.chain.unverified(case.pool):
        yield f"its chain cannot be followed: {case.chain.gap(case.pool)}. Use a CA with an RSA key or a curve of NIST"
    elif not case.chain.complete:
        last = case.chain.top
        yield (
            f"the chain is not complete: {last.subject.text} was issued by {last.issuer.text}, which is neither "
            "in chain nor in the trust store (CUCM: CA certificate is not available in the trust-store). Add the CA "
            "certificates up to the self-signed root to chain"
        )
    # Who allows a leaf without a usage allows it the CA, too: public CAs restrict both to serverAuth.
    uses = purpose.uses if case.eku_policy == "require" else ()
    yield from rules.chain_problems(case.chain, partial(_dates, clock=case.clock), uses)


def _request(case: Case) -> Iterator[str]:
    """The rules between certificate and CSR."""
    request, expected = case.request, case.expected
    if request is None:
        yield (
            f"no CSR for {case.purpose} is pending on the node, so that CUCM has no key for the certificate. Run "
            "cucm_csr, sign what it returns and upload that certificate"
        )
    elif expected is not None and expected.key != request.key:
        yield (
            "the CSR that is pending on the node is not the one that was signed: it was replaced in between, by "
            "another run or on the web page. Run cucm_csr again and sign what it returns"
        )
    else:
        yield from rules.request_differences(case.leaf, request)


def _dates(certificate: Certificate, clock: NodeClock) -> Iterator[str]:
    early = max(clock.tolerance, LONGEST_WAIT)
    yield from rules.date_problems(certificate, clock.now(), early=early, late=clock.tolerance, clock=clock.words)


def wait_for(certificate: Certificate, clock: NodeClock) -> float:
    """Seconds until the node's clock finds the certificate valid, so few that the check let it pass."""
    left = (certificate.not_before - clock.now()).total_seconds() if clock.known else 0.0
    return min(max(left + 1, 0.0), LONGEST_WAIT.total_seconds() + 1) if left > 0 else 0.0


@dataclass(frozen=True)
class TrustPlan:
    """What a trust store needs: uploads in order (root first), what they replace, and what prevents them."""

    uploads: tuple[Certificate, ...]
    replaced: tuple[Entry, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def trust_plan(
    purpose: str,
    wanted: Sequence[Certificate],
    stored: Sequence[Entry],
    clock: NodeClock,
    *,
    issued: Sequence[Certificate] = (),
) -> TrustPlan:
    """What has to be uploaded so that a store holds what is wanted.

    CUCM keeps one certificate per name and store: a renewed one of the same key replaces the older one. One with
    another key is a problem, because nobody asked to replace the CA behind the name. issued: certificates that are to
    be followed afterwards, beside those of the store.
    """
    uploads: list[Certificate] = []
    replaced: list[Entry] = []
    problems: list[str] = []
    warnings: list[str] = []
    below = [*issued, *(entry.facts for entry in stored if entry.facts is not None)]
    missing = [certificate for certificate in wanted if not any(entry.is_certificate(certificate) for entry in stored)]
    for new in root_first(missing):
        wrong = [*_dates(new, clock), *rules.key_problems(new)]
        problems += [f"{new.subject.text} (for {purpose}): {text}" for text in wrong]
        if any(_same_name(new, other) for other in uploads):
            problems.append(
                f"two certificates named {new.title} are to go into {purpose}, and CUCM keeps one per name. Use CAs "
                "with different names"
            )
        for entry in stored:
            if entry.facts is not None and _same_name(new, entry.facts):
                problem = _in_the_way(purpose, new, entry, entry.facts)
                problems += [problem] if problem else []
                replaced += [] if problem else [entry]
                warnings += [] if problem else _left_behind(purpose, new, entry.facts, below)
        uploads.append(new)
    return TrustPlan(tuple(uploads), tuple(replaced), tuple(problems), tuple(warnings))


def _same_name(new: Certificate, other: Certificate) -> bool:
    """Whether CUCM takes two certificates for the same entry of a store: by CN, without one by subject."""
    return new.title.lower() == other.title.lower()


def _left_behind(purpose: str, new: Certificate, other: Certificate, below: Sequence[Certificate]) -> Iterator[str]:
    """What names a CA certificate that is to be replaced as its issuer, and is not followed over the new one."""
    named = [
        f"{certificate.title} ({certificate.serial_text})"
        for certificate in dict.fromkeys(below)
        if certificate != other
        and certificate.signed_by(new)
        and other_issuer(certificate, new)
        and not other_issuer(certificate, other)
    ]
    if named:
        yield (
            f"In {purpose}, {new.title} (serial {new.serial_text}) replaces the certificate with the serial "
            f"{other.serial_text}, which {', '.join(named)} name as their issuer (authorityKeyIdentifier): OpenSSL no "
            "longer follows them. Have them signed again."
        )


def _in_the_way(purpose: str, new: Certificate, entry: Entry, other: Certificate) -> str:
    """Why a certificate cannot replace the one of its name; empty when it can."""
    if new.key != other.key:
        return (
            f"{purpose} holds another certificate named {new.title} ({entry.name}, SHA-256 {other.sha256}), and the "
            f"new one (SHA-256 {new.sha256}) has another key. A CA is never replaced by a different one with the same "
            "name. Find out which is yours; remove the other one (state: absent), or use a CA with another name"
        )
    if other.not_before >= new.not_before:
        return (
            f"{purpose} already holds another certificate named {new.title} ({entry.name}, from "
            f"{time_text(other.not_before)}), and CUCM refuses one that does not start later. Remove that one "
            "(state: absent) or use a CA with another name"
        )
    return ""
