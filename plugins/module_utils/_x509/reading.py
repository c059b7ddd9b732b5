# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and requests out of whatever form they come in; private to siptls.cucm."""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from typing import TYPE_CHECKING

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure

if TYPE_CHECKING:
    from cryptography import x509

# Microsoft's pages put CERTIFICATE around a PKCS#7 file too, so that the label says little about the content.
_BLOCK = re.compile(r"-----BEGIN (?P<label>[A-Z0-9 ]+)-----\s*(?P<body>[A-Za-z0-9+/=\s]*?)\s*-----END (?P=label)-----")
_CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PKCS7", "CMS", "PKCS #7 SIGNED DATA")
# CUCM has been seen to write each of these (certificates.md, 2.6).
_REQUEST = re.compile(
    r"-----BEGIN (?:NEW )?CERTIFICATE (?:SIGN )?REQUEST-----(?P<body>[A-Za-z0-9+/=\s]+)"
    r"-----END (?:NEW )?CERTIFICATE (?:SIGN )?REQUEST-----"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_DAMAGED = "A certificate is damaged: what stands between BEGIN and END is not Base-64. Export it from the CA again."


def to_pem(certificate: x509.Certificate) -> str:
    """A certificate as PEM with a newline at its end."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def to_der(certificate: x509.Certificate) -> bytes:
    """A certificate as it is signed."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


def load_certificates(data: str | bytes) -> list[x509.Certificate]:
    """Every certificate in a PEM bundle, a DER file or a PKCS#7 file (PEM or DER), in its order, each once.

    Text around and between the blocks is passed over. Raises Failure when there is none, or when one is damaged.
    """
    found: dict[bytes, x509.Certificate] = {}
    for number, der in enumerate(_blocks(data), start=1):
        for certificate in _from_der(der, number):
            found.setdefault(to_der(certificate), certificate)
    if not found:
        if "BEGIN CERTIFICATE-----" in (data if isinstance(data, str) else data.decode("ascii", "replace")):
            raise Failure(_DAMAGED)
        raise Failure(
            f"There is no certificate in {_excerpt(data)}: give PEM (-----BEGIN CERTIFICATE-----), DER or PKCS#7."
        )
    return list(found.values())


def load_certificate(data: str | bytes) -> x509.Certificate:
    """The first certificate of PEM, DER or PKCS#7; raises Failure when there is none."""
    return load_certificates(data)[0]


def split_chain(data: str | bytes) -> list[str]:
    """Every certificate of a chain in any form, each as PEM, in the order given (see load_certificates)."""
    return [to_pem(one) for one in load_certificates(data)]


def load_csr(data: str | bytes) -> x509.CertificateSigningRequest:
    """A PKCS#10 request from PEM (any of CUCM's labels, text around it) or DER; raises Failure when it is none."""
    from cryptography import x509

    text = data.decode("ascii", "replace") if isinstance(data, bytes) else data
    block = _REQUEST.search(text)
    try:
        if block:
            return x509.load_der_x509_csr(base64.b64decode(block["body"]))
        if isinstance(data, bytes) and data[:1] == b"\x30":
            return x509.load_der_x509_csr(data)
    except (ValueError, binascii.Error):
        raise Failure("The certificate request is damaged: its content is not PKCS#10.") from None
    raise Failure(
        f"There is no certificate request in {_excerpt(data)}: give PEM (-----BEGIN CERTIFICATE REQUEST-----)."
    )


def _blocks(data: str | bytes) -> list[bytes]:
    """The DER of every block of a file; of the file itself when it is not PEM."""
    if isinstance(data, bytes) and data[:1] == b"\x30":
        return _elements(data)
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        found = [base64.b64decode(one["body"]) for one in _BLOCK.finditer(text) if one["label"] in _CERTIFICATE_LABELS]
        if not found and text.lstrip().startswith("MI") and _BASE64.fullmatch(text):
            found = [base64.b64decode(text)]
    except (ValueError, binascii.Error):
        raise Failure(_DAMAGED) from None
    return found


def _elements(data: bytes) -> list[bytes]:
    """DER files may simply follow each other."""
    found, at = [], 0
    while at + 2 <= len(data) and data[at] == 0x30:
        length, head = data[at + 1], 2
        if length & 0x80:
            count = length & 0x7F
            length, head = int.from_bytes(data[at + 2 : at + 2 + count], "big"), 2 + count
        found.append(data[at : at + head + length])
        at += head + length
    return found


def _from_der(der: bytes, number: int) -> list[x509.Certificate]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import pkcs7

    # ContentInfo begins with the identifier of its content; a certificate with a SEQUENCE.
    try:
        if b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" in der[:24]:
            # DER wants the set of certificates sorted; OpenSSL and Windows write it as it comes.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                return list(pkcs7.load_der_pkcs7_certificates(der))
        # OpenSSL's TRUSTED CERTIFICATE carries more after the certificate.
        return [x509.load_der_x509_certificate(_elements(der)[0])]
    except (ValueError, IndexError) as error:
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Failure(
            f"Certificate number {number} of the data given is damaged: {words}. Export it from the CA again."
        ) from None


def _excerpt(data: str | bytes) -> str:
    """What was given, in words; never its text, which may be a key."""
    if not data.strip():
        return "the data given, which is empty"
    text = data.decode("ascii", "replace") if isinstance(data, bytes) else data
    label = re.search(r"-----BEGIN ([A-Z0-9 ]{1,40})-----", text)
    if label:
        return f"the data given, which is a {label[1]}"
    return f"the {len(data)} {'bytes' if isinstance(data, bytes) else 'characters'} given"
