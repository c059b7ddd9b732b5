# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What DER is, so that a sentence can name it: by the tags of its outermost elements. Private to siptls.cucm."""

from __future__ import annotations

from ansible_collections.siptls.cucm.plugins.module_utils._x509.der import DerError, Element, first

CERTIFICATE, REQUEST, PKCS7, PKCS12 = "CERTIFICATE", "CERTIFICATE REQUEST", "PKCS7", "PKCS12"
#: what is no certificate, by its label in PEM
WORDS = {
    REQUEST: "a certificate request, which no CA has signed yet",
    PKCS12: "a PKCS#12 file (.pfx, .p12), which holds a private key",
    "PRIVATE KEY": "a private key",
    "ENCRYPTED PRIVATE KEY": "an encrypted private key",
    "PUBLIC KEY": "a public key, which names no owner",
    "X509 CRL": "a CA's list of revoked certificates (CRL)",
}
# The tags of the parts; the first that fits counts. PKCS#8 and SEC1 keys, then those of PKCS#1 and of DSA.
_OUTER = (
    ((b"\x06\xa0",), PKCS7),
    ((b"\x02\x30\x04", b"\x02\x04", b"\x02\x02\x02\x02\x02\x02"), "PRIVATE KEY"),
    ((b"\x02\x30",), PKCS12),
    ((b"\x30\x04",), "ENCRYPTED PRIVATE KEY"),
)
# What is signed: a CRL has a time where a certificate has its validity.
_SIGNED = (
    ((b"\xa0\x02\x30\x30\x30\x30\x30", b"\x02\x30\x30\x30\x30\x30"), CERTIFICATE),
    ((b"\x02\x30\x30\x17", b"\x02\x30\x30\x18", b"\x30\x30\x17", b"\x30\x30\x18"), "X509 CRL"),
    ((b"\x02\x30\x30",), REQUEST),
)


def kind_of(der: bytes) -> str:
    """The label that PEM gives to such DER; empty where it is none of those that are known here."""
    try:
        parts = first(der).children()
        tags = _tags(parts)
        if tags == b"\x30\x30\x03":
            return _fitting(_SIGNED, _tags(parts[0].children()))
    except DerError:
        return ""
    return "PUBLIC KEY" if tags == b"\x30\x03" else _fitting(_OUTER, tags)


def _tags(parts: list[Element]) -> bytes:
    return bytes(part.tag for part in parts)


def _fitting(shapes: tuple[tuple[tuple[bytes, ...], str], ...], tags: bytes) -> str:
    return next((label for begins, label in shapes if tags.startswith(begins)), "")
