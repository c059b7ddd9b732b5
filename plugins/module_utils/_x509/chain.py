# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain above a certificate, built by signatures; the only place that climbs. Private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate

#: signatures that bring their own hash
_WITHOUT_HASH = ("ed25519", "ed448")


@dataclass(frozen=True)
class Chain:
    """A certificate and the issuers above it, the direct one first, as far as they were found."""

    certificates: tuple[Certificate, ...]

    @property
    def leaf(self) -> Certificate:
        """The certificate that the chain is for."""
        return self.certificates[0]

    @property
    def issuers(self) -> tuple[Certificate, ...]:
        """What is above the leaf."""
        return self.certificates[1:]

    @property
    def top(self) -> Certificate:
        """The last certificate that was found."""
        return self.certificates[-1]

    @property
    def complete(self) -> bool:
        """Whether the chain reaches a self-signed certificate."""
        return self.top.self_signed

    def gap(self, pool: Iterable[Certificate]) -> str:
        """Which certificate is missing from the pool; empty when the chain is complete."""
        if self.complete:
            return ""
        said = "the certificate" if self.top is self.leaf else f"the CA certificate {self.top.subject.text}"
        issuer, candidates = self.top.issuer, list(pool)
        if self.unverified(candidates):
            return (
                f"{said} is issued by {issuer.text}, and its signature ({self.top.signature.algorithm}) or the key of "
                "that CA is of a kind that cannot be verified here, so that it is not known whether the chain is "
                "complete (openssl verify may tell)"
            )
        if any(candidate.subject.key == issuer.key for candidate in candidates):
            return f"{said} is signed by a key of {issuer.text} that none of the certificates given has"
        return f"{said} is issued by {issuer.text}, whose certificate is not among those given"

    def unverified(self, pool: Iterable[Certificate]) -> bool:
        """Whether the pool has a certificate of the missing name of which we cannot tell if it is the issuer."""
        named = [candidate for candidate in pool if candidate.subject.key == self.top.issuer.key]
        return not self.complete and not all(_verifiable(self.top, candidate) for candidate in named)


def _verifiable(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether we know the algorithm of the signature and the kind of the key that would have made it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    signature = certificate.signature
    if signature.algorithm not in _WITHOUT_HASH and not hasattr(hashes, signature.digest.upper() or "-"):
        return False
    try:
        load_der_public_key(issuer.key.der)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def climb(leaf: Certificate, pool: Iterable[Certificate], now: datetime | None = None) -> Chain:
    """The chain of a certificate out of a pool in any order.

    Of several ways up (renewed and cross-signed CAs), one over the certificates that those below name as their issuers
    wins, as OpenSSL follows no other; then one over certificates that are valid now and may sign wins over one that is
    not, a shorter one over a longer one, and then the one that lasts longer.
    """
    now = now or datetime.now(UTC)
    candidates = list(dict.fromkeys(pool))
    good = [
        candidate
        for candidate in candidates
        if candidate.may_sign and candidate.not_before <= now <= candidate.not_after
    ]
    named = partial(_shortest, joined=_issued_by)
    ways = (named(leaf, good), named(leaf, candidates), _shortest(leaf, good))
    return next((chain for chain in ways if chain.complete), None) or _shortest(leaf, candidates)


def _issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    return certificate.signed_by(issuer) and not other_issuer(certificate, issuer)


def other_issuer(certificate: Certificate, issuer: Certificate) -> str:
    """How a certificate names another one as its issuer (X509_check_akid), the part of a sentence; else empty."""
    wanted, held = certificate.extensions.authority, issuer.extensions.key_id
    if wanted.key_id is not None and held is not None and wanted.key_id != held:
        return f"the key identifier {wanted.key_id.hex().upper()}, and that one has {held.hex().upper()}"
    if wanted.serial is not None and wanted.serial != issuer.serial:
        return f"the serial number {wanted.serial:X}, and that one has {issuer.serial_text}"
    if wanted.issuer is not None and wanted.issuer.key != issuer.issuer.key:
        return f"one that {wanted.issuer.text} issued, and that one was issued by {issuer.issuer.text}"
    return ""


def _shortest(
    leaf: Certificate,
    pool: Sequence[Certificate],
    joined: Callable[[Certificate, Certificate], bool] = Certificate.signed_by,
) -> Chain:
    """The shortest way to a self-signed certificate, else the longest part of one that there is."""
    # Each certificate is reached once, on the first layer that has it: cross-signed CAs may form a circle.
    layer: dict[Certificate, tuple[Certificate, ...]] = {leaf: (leaf,)}
    left = [candidate for candidate in pool if candidate != leaf]
    while True:
        whole = [path for top, path in layer.items() if top.self_signed]
        if whole:
            return Chain(max(whole, key=_end))
        above: dict[Certificate, tuple[Certificate, ...]] = {}
        for issuer in left:
            paths = [path for top, path in layer.items() if joined(top, issuer)]
            if paths:
                above[issuer] = (*max(paths, key=_end), issuer)
        if not above:
            return Chain(max(layer.values(), key=_end))
        left = [candidate for candidate in left if candidate not in above]
        layer = above


def _end(path: Sequence[Certificate]) -> datetime:
    return min(certificate.not_after for certificate in path)


def lowest_first(certificates: Sequence[Certificate], more: Iterable[Certificate] = ()) -> tuple[Certificate, ...]:
    """The one of these CAs that issued none of the others, and those above it, for which `more` is searched too."""
    if not certificates:
        return ()
    distinct = list(dict.fromkeys(certificates))
    return climb(leaf_first(distinct)[0], (*distinct, *more)).certificates


def issuer_of(certificate: Certificate, pool: Iterable[Certificate]) -> Certificate | None:
    """The certificate that signed another one, itself where it is self-signed; None when the pool does not have it."""
    return (
        certificate
        if certificate.self_signed
        else next((candidate for candidate in pool if certificate.signed_by(candidate)), None)
    )


def climb_to_root(leaf: Certificate, pool: Iterable[Certificate], now: datetime | None = None) -> Chain:
    """The chain of a certificate up to its root; Failure that names the missing CA when there is none."""
    candidates = list(pool)
    chain = climb(leaf, candidates, now)
    if not chain.complete:
        unknown = chain.unverified(candidates)
        step = "Use a CA with an RSA key or a curve of NIST." if unknown else "Add that CA's certificate to the chain."
        raise Failure(f"The chain of {leaf.subject.text} does not reach a root: {chain.gap(candidates)}. {step}")
    return chain


def root_first(certificates: Sequence[Certificate]) -> list[Certificate]:
    """Each issuer before what it issued; the rest in the order given."""
    left, ordered = list(certificates), []
    while left:
        ready = [
            candidate
            for candidate in left
            if not any(candidate.signed_by(other) for other in left if other != candidate)
        ] or left[:1]
        ordered += ready
        left = [candidate for candidate in left if candidate not in ready]
    return ordered


def leaf_first(certificates: Sequence[Certificate]) -> list[Certificate]:
    """The certificate that issued none of the others first, as a CA returns a certificate with its chain."""
    leaf = next(
        (
            certificate
            for certificate in certificates
            if not any(other.signed_by(certificate) for other in certificates if other != certificate)
        ),
        certificates[0],
    )
    return [leaf, *(certificate for certificate in certificates if certificate != leaf)]
