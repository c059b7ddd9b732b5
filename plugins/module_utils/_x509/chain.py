# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures and chains, verified on the raw bytes; private to siptls.cucm.

cryptography's X.509 layer calls every SHA-1 signature false or unknown, though 9.1 makes no other (certificates.md, 7).
The keys' own verify() still knows SHA-1, so all verification goes through it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import name_text
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import (
    load_certificate,
    load_certificates,
    to_pem,
)

if TYPE_CHECKING:
    from cryptography import x509


def verify_signature(key: Any, signed: Any, content: bytes) -> bool:
    """Whether key signed content, the signature and its algorithm being those of a certificate, CSR or CRL."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

    try:
        parameters = signed.signature_algorithm_parameters
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signed.signature, content, parameters, signed.signature_hash_algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signed.signature, content, parameters)
        elif isinstance(key, dsa.DSAPublicKey):
            key.verify(signed.signature, content, signed.signature_hash_algorithm)
        else:
            key.verify(signed.signature, content)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, AttributeError):
        return False
    return True


def verify_csr(csr: x509.CertificateSigningRequest) -> bool:
    """Whether a request is signed by the key that it holds; SHA-1 too."""
    return verify_signature(csr.public_key(), csr, csr.tbs_certrequest_bytes)


def verify_issued_by(certificate: str | bytes | x509.Certificate, issuer: str | bytes | x509.Certificate) -> bool:
    """Whether issuer's name and key stand behind certificate; SHA-1 too. Dates and rights are not looked at."""
    child, parent = _loaded(certificate), _loaded(issuer)
    return child.issuer == parent.subject and _signed_by(child, parent)


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether a certificate is signed by its own key."""
    return verify_issued_by(certificate, certificate)


def public_key_sha256(key_or_holder: Any) -> str:
    """The SHA-256 of a SubjectPublicKeyInfo in upper hexadecimal with colons: equal exactly when the keys are.

    Takes a public key, a certificate or request of cryptography, or a certificate as PEM or DER.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    holder = load_certificate(key_or_holder) if isinstance(key_or_holder, str | bytes) else key_or_holder
    key: Any = holder
    if callable(getattr(holder, "public_key", None)):
        key = holder.public_key()
    return colons(hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest())


def colons(digits: str) -> str:
    """A fingerprint as CUCM, OpenSSL and browsers print it."""
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper()


def order_chain(
    leaf: str | bytes | x509.Certificate, pool: str | bytes | Iterable[str | bytes], *, complete: bool = True
) -> list[str]:
    """The chain of a certificate as PEM, leaf first and self-signed root last, from certificates in any order.

    Of several certificates of one CA (renewed, cross-signed) the path that reaches a root wins, then the shorter,
    then the one that lasts longer. Raises Failure with the name of the missing CA when no root is reached; with
    complete=False the part that was found is returned instead.
    """
    start = _loaded(leaf)
    texts = [pool] if isinstance(pool, str | bytes) else list(pool)
    candidates = [one for text in texts if text.strip() for one in load_certificates(text)]
    best = max(_paths(start, candidates), key=_merit)
    if complete and not is_self_signed(best[-1]):
        last = best[-1]
        said = "the certificate" if len(best) == 1 else f"the CA certificate {name_text(last.subject)}"
        if any(one.subject == last.issuer for one in candidates):
            why = f"is signed by a key of {name_text(last.issuer)} that none of the certificates given has"
        else:
            why = f"is issued by {name_text(last.issuer)}, whose certificate is not among those given"
        raise Failure(
            f"The chain of {name_text(start.subject)} does not reach a root: {said} {why}. "
            "Add that CA's certificate to the chain."
        )
    return [to_pem(one) for one in best]


def _loaded(certificate: str | bytes | x509.Certificate) -> x509.Certificate:
    return load_certificate(certificate) if isinstance(certificate, str | bytes) else certificate


def _signed_by(child: x509.Certificate, parent: x509.Certificate) -> bool:
    return verify_signature(parent.public_key(), child, child.tbs_certificate_bytes)


def _paths(
    start: x509.Certificate, candidates: list[x509.Certificate], walked: tuple[x509.Certificate, ...] = ()
) -> list[tuple[x509.Certificate, ...]]:
    """Every way up from a certificate; cross-signed CAs may form a circle, so that no one is walked twice."""
    walked = (*walked, start)
    if is_self_signed(start):
        return [walked]
    parents = [one for one in candidates if one not in walked and verify_issued_by(start, one)]
    return [path for parent in parents for path in _paths(parent, candidates, walked)] or [walked]


def _merit(path: tuple[x509.Certificate, ...]) -> tuple[bool, int, float]:
    ends = min(one.not_valid_after_utc.timestamp() for one in path)
    whole = is_self_signed(path[-1])
    return whole, -len(path) if whole else len(path), ends
