# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS numbers in words: versions, ciphers, handshake messages, alerts, names. Private to this collection."""

from __future__ import annotations

import contextlib
from functools import cache

from ansible_collections.siptls.cucm.plugins.module_utils._x509.der import first
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import Name

VERSIONS = {0x0002: "SSLv2", 0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}

HANDSHAKE_TYPES = {
    0: "HelloRequest",
    1: "ClientHello",
    2: "ServerHello",
    4: "NewSessionTicket",
    8: "EncryptedExtensions",
    11: "Certificate",
    12: "ServerKeyExchange",
    13: "CertificateRequest",
    14: "ServerHelloDone",
    15: "CertificateVerify",
    16: "ClientKeyExchange",
    20: "Finished",
    22: "CertificateStatus",
}

# Code -> (name in RFC 5246/8446, what it means for the end that received it).
ALERTS: dict[int, tuple[str, str]] = {
    0: ("close_notify", "the sender has closed the connection in good order"),
    10: ("unexpected_message", "the sender did not expect the message it was sent"),
    20: ("bad_record_mac", "the sender could not verify a record; the keys of the two ends differ"),
    22: ("record_overflow", "the sender was sent a record longer than TLS allows"),
    40: ("handshake_failure", "the two ends have no cipher or no signature algorithm in common, or the sender "
         "asked for a certificate and was given none"),
    42: ("bad_certificate", "the sender found the certificate it was shown damaged, or not signed by its issuer"),
    43: ("unsupported_certificate", "the certificate shown is not of a type or use that the sender accepts; "
         "look at its extended key usage (serverAuth and clientAuth are both needed)"),
    44: ("certificate_revoked", "the certificate shown has been revoked by its CA"),
    45: ("certificate_expired", "the certificate shown is past its end or not yet valid by the sender's clock"),
    46: ("certificate_unknown", "the sender did not accept the certificate it was shown, for a reason of its own"),
    47: ("illegal_parameter", "the sender was sent a value that contradicts the protocol"),
    48: ("unknown_ca", "the CA that signed the certificate shown is not in the sender's CallManager-trust"),
    49: ("access_denied", "the certificate is valid, but the sender does not let its owner in"),
    50: ("decode_error", "the sender could not read a message"),
    51: ("decrypt_error", "the sender could not verify a signature or a Finished message"),
    70: ("protocol_version", "the two ends have no TLS version in common"),
    71: ("insufficient_security", "the sender asks for stronger ciphers than it was offered"),
    80: ("internal_error", "the sender failed for a reason of its own, not because of the other end"),
    86: ("inappropriate_fallback", "the sender saw a retry with a lower TLS version than both ends know"),
    90: ("user_canceled", "the sender broke the handshake off"),
    109: ("missing_extension", "the sender misses a TLS extension"),
    112: ("unrecognized_name", "the sender does not serve the name that it was asked for"),
    116: ("certificate_required", "the sender asked for a certificate and was given none"),
    120: ("no_application_protocol", "the two ends have no application protocol in common"),
}  # fmt: skip

# Suites that today's OpenSSL may be built without, or does not list; every other name comes from OpenSSL itself.
_MORE_CIPHERS = {
    0x0001: "NULL-MD5", 0x0002: "NULL-SHA", 0x0004: "RC4-MD5", 0x0005: "RC4-SHA", 0x0009: "DES-CBC-SHA",
    0x000A: "DES-CBC3-SHA", 0x0016: "EDH-RSA-DES-CBC3-SHA", 0x002F: "AES128-SHA", 0x0035: "AES256-SHA",
    0x003B: "NULL-SHA256", 0xC006: "ECDHE-ECDSA-NULL-SHA", 0xC010: "ECDHE-RSA-NULL-SHA",
    0xC011: "ECDHE-RSA-RC4-SHA", 0xC012: "ECDHE-RSA-DES-CBC3-SHA",
    0x1304: "TLS_AES_128_CCM_SHA256", 0x1305: "TLS_AES_128_CCM_8_SHA256",
}  # fmt: skip


@cache
def _openssl_ciphers() -> dict[int, str]:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with contextlib.suppress(ssl.SSLError):
        context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    return {int(cipher["id"]) & 0xFFFF: str(cipher["name"]) for cipher in context.get_ciphers()}


def cipher_name(code: int) -> str:
    """A cipher suite's OpenSSL name, as CUCM's traces print it; its number in hex when it has none."""
    return _MORE_CIPHERS.get(code) or _openssl_ciphers().get(code) or f"0x{code:04X}"


def version_name(code: int) -> str:
    """A protocol version as Python's and OpenSSL's tools print it."""
    return VERSIONS.get(code, f"0x{code:04X}")


def alert_words(level: int, code: int) -> tuple[str, str, str]:
    """(level, name, meaning) of an alert; level 0 stands for an encrypted one."""
    if not level:
        return "encrypted", "encrypted_alert", "an alert that the capture cannot show, for it is encrypted"
    name, meaning = ALERTS.get(code, (f"alert_{code}", "an alert that this reader does not know"))
    return ("warning" if level == 1 else "fatal"), name, meaning


def read_name(der: bytes) -> Name | None:
    """A distinguished name as a CertificateRequest has it; None when it cannot be read."""
    try:
        return Name.read(first(der), "a name")
    except (ValueError, IndexError):
        return None


def dn_text(der: bytes) -> str:
    """A DER name as RFC 4514 writes it (most specific part first); its hex form when it cannot be read."""
    name = read_name(der)
    return "DER " + der.hex() if name is None else name.rfc4514


def dn_parts(der: bytes) -> list[str]:
    """The attributes of a DER name, as ``Name.parts``; its hex form when it cannot be read."""
    name = read_name(der)
    return ["DER " + der.hex()] if name is None else name.parts
