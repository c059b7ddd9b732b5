# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and requests as plain dictionaries for results, comparisons and people; private to siptls.cucm."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import (
    colons,
    is_self_signed,
    order_chain,
    public_key_sha256,
    verify_csr,
    verify_issued_by,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import (
    common_name,
    eku_texts,
    is_ca,
    key_usage_texts,
    name_text,
    san_texts,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import (
    load_certificate,
    load_csr,
    split_chain,
    to_pem,
)

if TYPE_CHECKING:
    from cryptography import x509

__all__ = [
    "certificate_view",
    "csr_view",
    "order_chain",
    "public_key_sha256",
    "split_chain",
    "verify_issued_by",
]


def certificate_view(pem_or_der: str | bytes | x509.Certificate, *, now: datetime | None = None) -> dict[str, Any]:
    """What a certificate says, in the shape that every module of the collection returns.

    days_left is counted down to whole days (negative once expired). Raises Failure when it is no certificate.
    """
    from cryptography.hazmat.primitives import hashes

    certificate = load_certificate(pem_or_der) if isinstance(pem_or_der, str | bytes) else pem_or_der
    left = certificate.not_valid_after_utc - (now or datetime.now(UTC))
    return {
        "subject": name_text(certificate.subject),
        "common_name": common_name(certificate.subject),
        "issuer": name_text(certificate.issuer),
        "serial": serial_text(certificate.serial_number),
        "not_before": time_text(certificate.not_valid_before_utc),
        "not_after": time_text(certificate.not_valid_after_utc),
        "days_left": math.floor(left.total_seconds() / 86_400),
        "sha256": colons(certificate.fingerprint(hashes.SHA256()).hex()),
        "public_key_sha256": public_key_sha256(certificate),
        **_content(certificate),
        "is_ca": is_ca(certificate.extensions),
        "self_signed": is_self_signed(certificate),
        "pem": to_pem(certificate),
    }


def csr_view(pem: str | bytes | x509.CertificateSigningRequest) -> dict[str, Any]:
    """What a request asks for; signature_valid is found on the raw bytes, so that SHA-1 requests of 9.1 count too.

    Raises Failure when it is no request.
    """
    from cryptography.hazmat.primitives.serialization import Encoding

    csr = load_csr(pem) if isinstance(pem, str | bytes) else pem
    return {
        "subject": name_text(csr.subject),
        "common_name": common_name(csr.subject),
        "public_key_sha256": public_key_sha256(csr),
        **_content(csr),
        "is_ca": is_ca(csr.extensions),
        "signature_valid": verify_csr(csr),
        "pem": csr.public_bytes(Encoding.PEM).decode("ascii"),
    }


def serial_text(serial: int) -> str:
    """A serial number in upper hexadecimal, whole bytes, as openssl x509 -serial prints it."""
    digits = f"{abs(serial):X}"
    return ("-" if serial < 0 else "") + ("0" + digits if len(digits) % 2 else digits)


def time_text(moment: datetime) -> str:
    """A moment in ISO 8601, UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def key_text(key: Any) -> tuple[str, int]:
    """(kind, bits) of a public key: RSA, EC, DSA, or the class's own name for what CUCM does not know."""
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

    kinds = ((rsa.RSAPublicKey, "RSA"), (ec.EllipticCurvePublicKey, "EC"), (dsa.DSAPublicKey, "DSA"))
    kind = next((word for one, word in kinds if isinstance(key, one)), type(key).__name__.removesuffix("PublicKey"))
    return kind, int(getattr(key, "key_size", 0) or 256)


def _content(holder: x509.Certificate | x509.CertificateSigningRequest) -> dict[str, Any]:
    """What certificates and requests have in common."""
    kind, bits = key_text(holder.public_key())
    oid = holder.signature_algorithm_oid
    return {
        "sans": san_texts(holder.extensions),
        "eku": eku_texts(holder.extensions),
        "key_usage": key_usage_texts(holder.extensions),
        "key_type": kind,
        "key_size": bits,
        "signature_algorithm": oid.dotted_string if oid._name == "Unknown OID" else oid._name,
    }
