# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that an uploaded certificate is checked by; each raises the StoreError of its class."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

from . import material
from .refusals import StoreError

#: makes the refusal of a class: refuse(1022, detail="...")
Refuse = Callable[..., StoreError]

MAXIMUM_KEY_BITS = 4096
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)


def read(text: str, refuse: Refuse) -> list[x509.Certificate]:
    """The certificates of a PEM text (several of them, or a PKCS#7) in their order."""
    blocks = list(_BLOCK.finditer(text))
    if not blocks:
        raise refuse(1021)
    found: list[x509.Certificate] = []
    for block in blocks:
        kind, pem = block[1], block[0].encode()
        try:
            if kind in ("CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"):
                found.append(x509.load_pem_x509_certificate(pem))
            elif kind == "PKCS7":
                found += pkcs7.load_pem_pkcs7_certificates(pem)
            else:
                raise refuse(1022, detail=f"it holds a {kind.lower()}")
        except ValueError:
            raise refuse(1020) from None
    return found


def check_dates(certificate: x509.Certificate, now: datetime, refuse: Refuse) -> None:
    """Valid now, by the node's clock."""
    if certificate.not_valid_after_utc < now:
        raise refuse(1022, detail="the certificate has expired")
    if certificate.not_valid_before_utc > now:
        raise refuse(1022, detail="the certificate is not yet valid")


def check_leaf(certificate: x509.Certificate, refuse: Refuse, eku: bool) -> None:
    """Refuse an identity that is a CA certificate, has a wildcard or too long a key or, with `eku`, lacks a usage."""
    names = [material.common_name(certificate.subject), *material.sans(certificate)]
    if any(name.startswith("*.") for name in names):
        raise refuse(1022, detail="wildcard certificates are not supported")
    check_key(certificate, refuse)
    if eku:
        try:
            usages = set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        except x509.ExtensionNotFound:
            usages = set()
        if not usages >= {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}:
            raise refuse(1022, detail="the extended key usage lacks serverAuth or clientAuth")


def check_key(certificate: x509.Certificate, refuse: Refuse) -> None:
    """RSA of at most 4096 bits."""
    public = certificate.public_key()
    if isinstance(public, rsa.RSAPublicKey) and public.key_size > MAXIMUM_KEY_BITS:
        raise refuse(1022, detail=f"keys of more than {MAXIMUM_KEY_BITS} bits are not supported")


def check_rsa(certificate: x509.Certificate, refuse: Refuse) -> None:
    """No key but RSA."""
    if not isinstance(certificate.public_key(), rsa.RSAPublicKey):
        raise refuse(1022, detail="only RSA keys are supported")


def check_pair(certificate: x509.Certificate, csr: x509.CertificateSigningRequest, refuse: Refuse) -> None:
    """The certificate matches the CSR: its key, and the same set of SANs (host names in any case)."""
    if material.spki_digest(certificate) != material.spki_digest(csr):
        raise refuse(1015)
    wanted = {name.lower() for name in material.sans(csr)}
    if wanted != {name.lower() for name in material.sans(certificate)}:
        raise refuse(1016)


def check_chain(
    certificate: x509.Certificate, trusted: Sequence[x509.Certificate], now: datetime, refuse: Refuse
) -> None:
    """Every issuer up to a self-signed root is in the trust store, is a CA and has not expired."""
    current = certificate
    for _unused in range(10):
        issuer = next((ca for ca in trusted if material.issued_by(current, ca)), None)
        if issuer is None:
            raise refuse(1018)
        if not material.is_ca(issuer):
            raise refuse(1019, detail="it is not a CA certificate")
        if issuer.not_valid_after_utc < now:
            raise refuse(1019, detail="it has expired")
        if issuer.issuer == issuer.subject:
            return
        current = issuer
    raise refuse(1018)
