# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real certificates, as the modules show them, for tests of the code that checks or combines them."""

from __future__ import annotations

import copy
import ipaddress
from datetime import UTC, datetime
from functools import cache
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID

USES = {"serverAuth": x509.OID_SERVER_AUTH, "clientAuth": x509.OID_CLIENT_AUTH}
LAB_CA = "C=IN,O=cisco,CN=Lab CA"


@cache
def _key(owner: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name.from_rfc4514_string(",".join(reversed(text.split(","))))


def _general(text: str) -> x509.GeneralName:
    kind, _colon, value = text.partition(":")
    return x509.IPAddress(ipaddress.ip_address(value)) if kind == "IP" else x509.DNSName(value)


@cache
def _made(
    names: tuple[str, str], keys: tuple[str, str], serial: int, dates: tuple[str, str], *, sans: tuple[str, ...],
    uses: tuple[str, ...], ca: bool, ocsp: str,
) -> bytes:  # fmt: skip
    subject, issuer = names
    key, signer = keys
    begin, end = dates
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(_key(key).public_key())
        .serial_number(serial)
        .not_valid_before(datetime.fromisoformat(begin).replace(tzinfo=UTC))
        .not_valid_after(datetime.fromisoformat(end).replace(tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in sans]), critical=False)
    if uses:
        builder = builder.add_extension(x509.ExtendedKeyUsage([USES[use] for use in uses]), critical=False)
    if ocsp:
        place = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp))
        builder = builder.add_extension(x509.AuthorityInformationAccess([place]), critical=False)
    return builder.sign(_key(signer), hashes.SHA256()).public_bytes(Encoding.DER)


def made(
    subject: str,
    issuer: str | None = LAB_CA,
    *,
    key: str | None = None,
    signer: str | None = None,
    serial: str = "2A",
    begin: str = "2026-01-01",
    end: str = "2028-01-01",
    sans: tuple[str, ...] = (),
    uses: tuple[str, ...] = ("serverAuth", "clientAuth"),
    ca: bool = False,
    ocsp: str = "",
) -> dict[str, Any]:
    """The view of a certificate. issuer: None makes it self-signed; key and signer name keys other than the names'."""
    above = issuer or subject
    own = key or subject
    keys = (own, signer or (own if issuer is None else above))
    der = _made(
        (subject, above), keys, int(serial, 16), (begin, end), sans=sans, uses=() if ca else uses, ca=ca, ocsp=ocsp
    )
    return copy.deepcopy(Certificate.from_der(der).view())


def authority(subject: str = LAB_CA, issuer: str | None = None, **more: Any) -> dict[str, Any]:
    """The view of a CA certificate."""
    return made(subject, issuer, ca=True, **more)
