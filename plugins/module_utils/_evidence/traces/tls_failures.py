# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines in which CUCM says why a TLS connection or a message failed, in words. Private to this collection.

Sources: the lines of C(HandleSSLError) from Cisco's document on ILS over TLS (the same SDL library), those of
C(validTLSConnection) and the alarm C(ConnectionFailure) from Cisco's troubleshooting of endpoints; verification numbers
are OpenSSL's X509_V_ERR.
"""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.addresses import plain, without_port
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.tls_names import ALERTS

_RENEW = "Renew the certificate and upload it, then restart Cisco CallManager on that node."
_UPLOAD = "Upload the CA chain of the peer's certificate to CallManager-trust and restart Cisco CallManager."
_CLOCKS = "Compare the clocks of both nodes and of the CA (utils ntp status)."
_RESIGN = "Have the certificate signed again, with the extensions that CUCM's CSR asks for, and upload it."
_NEW_CA = "Have the CA's certificate replaced by one that follows RFC 5280, and upload the new chain at both ends."
_STRONGER = "Use a longer key and SHA-256 for the certificate and its CA, and upload both."
_REVOCATION = (
    "Check that the node reaches the CRL and the OCSP responder of the CA, and the settings in Cisco Unified OS "
    "Administration, Security, Certificate Revocation."
)
_NAME_STEP = (
    "Add the name of the peer's certificate to X.509 Subject Name of the SIP trunk security profile, then reset the "
    "trunk."
)
_RESOURCES = "Check the memory of the node, and restart Cisco CallManager there."
# (numbers of OpenSSL's X509_V_ERR, short name, meaning, next step). 24 was "invalid CA certificate" before OpenSSL 3.
_GROUPS = (
    ((2, 20), "issuer_missing", "the CA that signed the peer's certificate is not in CallManager-trust", _UPLOAD),
    ((21,), "issuer_missing", "the peer sent its certificate alone, and its CA is not in CallManager-trust", _UPLOAD),
    ((29, 30, 31), "issuer_missing",
     "the CA of that name in CallManager-trust is not the one that signed the peer's certificate", _UPLOAD),
    ((70,), "issuer_missing", "the CA of the peer's certificate could not be looked up in CallManager-trust", _UPLOAD),
    ((4, 7), "bad_signature", "the signature of the peer's certificate does not fit the CA of that name", _UPLOAD),
    ((9,), "not_yet_valid", "the peer's certificate is not valid yet", _CLOCKS),
    ((10,), "expired", "the peer's certificate has expired", _RENEW),
    ((13, 14), "invalid", "a date in the peer's certificate is malformed", _RESIGN),
    ((17, 69), "resources", "the node ran out of memory or could not check the certificate at all", _RESOURCES),
    ((18,), "self_signed", "the peer presented a self-signed certificate that is not in CallManager-trust",
     "Have the peer's CallManager certificate signed by a CA, or upload it to CallManager-trust."),
    ((19,), "issuer_missing", "the root CA of the peer's chain is not in CallManager-trust", _UPLOAD),
    ((22, 55), "chain_too_long", "the peer's certificate chain is too long or runs in a circle",
     "Check the chain that the peer presents."),
    ((23,), "revoked", "the peer's certificate is revoked", _RENEW),
    ((3, 33, 44, 73, 75, 96), "revocation_unknown", "whether the peer's certificate is revoked could not be found out",
     _REVOCATION),
    ((5, 8, 35, 36, 54, 74, 97), "revocation_unknown",
     "the CRL or OCSP response of the peer's CA could not be verified", _REVOCATION),
    ((11, 12, 15, 16, 98, 99), "revocation_unknown",
     "the CRL or OCSP response of the peer's CA is out of date, or not valid yet", _REVOCATION),
    ((24, 79), "invalid_ca", "the issuer of a certificate in the peer's chain is not a CA certificate", _RESIGN),
    ((6, 32, 37, 80, 81, 82, 89, 92), "invalid_ca",
     "the extensions or the key of a CA certificate in the peer's chain do not allow it to sign certificates", _NEW_CA),
    ((25, 38), "path_length", "the peer's chain is longer than its CA allows", _RESIGN),
    ((26, 39), "purpose", "the peer's certificate does not allow this use; check serverAuth and clientAuth", _RESIGN),
    ((27,), "not_trusted", "the CA is not trusted for this use", _UPLOAD),
    ((28,), "rejected", "the CA is marked as rejected for this use", _UPLOAD),
    ((34, 40, 41, 42, 43, 45, 46, 56, 57, 58, 59, 60, 61, 71, 72, 76, 77, 78, 83, 84, 85, 86, 87, 88, 90, 91, 93, 94),
     "invalid", "an extension, the name or the algorithm of a certificate in the peer's chain is not acceptable",
     _RESIGN),
    ((47, 48, 49, 51, 52, 53), "name_constraints",
     "a CA of the peer's chain may not sign certificates with the peer's names (name constraints)", _RESIGN),
    ((62, 63, 64), "name_mismatch", "the name or the address in the peer's certificate is not the expected one",
     _NAME_STEP),
    ((66, 67, 68), "weak", "a key or a signature in the peer's chain is too weak for this node", _STRONGER),
)  # fmt: skip
#: number of OpenSSL's verification error -> (short name, meaning, next step)
VERIFICATION = {code: (kind, meaning, step) for codes, kind, meaning, step in _GROUPS for code in codes}
# Reason of the alarm ConnectionFailure -> (short name, meaning, next step). Only the reason that was seen is listed.
CONNECTION_REASONS = {
    2: ("name_mismatch", "the name in the peer's certificate is not one that the profile accepts", _NAME_STEP),
}
_NAMES = CONNECTION_REASONS[2]
# What CUCM writes of a phone's connection says nothing about a trunk; such an entry has ``phone``.
_NAMES_OF_PHONE = (
    "name_mismatch", "the name in the certificate is not one that the phone's device or security profile has",
    "This concerns a phone, not a trunk. Compare the name in the certificate (of the phone, or of the Expressway "
    "before it) with the name of the device and with its phone security profile.",
)  # fmt: skip
#: what OpenSSL calls a refusal by the other end, and its other reasons that have one cause: (part of its words, kind)
_ALERT = re.compile(r"\balert ([a-z][a-z ]*)")
REASONS_IN_WORDS = (
    ("did not return a certificate", "no_client_certificate"),
    ("no shared cipher", "cipher"),
    ("no ciphers available", "cipher"),
    ("no suitable signature algorithm", "cipher"),
    ("unsupported protocol", "version"),
    ("no protocols available", "version"),
    ("version too low", "version"),
    ("wrong version number", "version"),
)
# The errors of Linux that a connection ends with, where OpenSSL itself reports none.
_ERRNOS = {
    32: "the peer had closed the connection", 104: "the peer reset the connection", 110: "the connection timed out",
    111: "the peer refused the connection",
}  # fmt: skip
_PROTOCOL_STEP = "Look at the handshake in a capture (cucm_capture) or with sip_tls_probe."

_TOO_LARGE = re.compile(
    r"SIP(?:Tcp|Udp)(?: - |/).{0,60}?Ignoring large message from (?P<ip>\S{1,64}):\[?(?P<port>\d{1,9})\]?"
    r"(?:.{0,40}?only allow up to (?P<most>\d{1,9}) bytes)?", re.I,
)  # fmt: skip
_SSL_ERROR = re.compile(r"HandleSSLError\s*-\s*(.*)")
_FOR_PEER = re.compile(r"(?<!\s)\s+for\s+(\S+)$")
_NUMBER = re.compile(r"\(Verification error:\s*(\d{1,9})\)\s*(?:-\s*)?(.*)")
_ERRNO = re.compile(r"\berrno=(\d{1,9})")
_REASON = re.compile(r"ssl reason code=([^\[\]=]*)\[(\d{1,9})\]")
_NAME = re.compile(r"validTLSConnection:\s*TLS\s+InvalidX509NameInCertificate")
_NAMES_COMPARED = re.compile(r"Rcvd=([^,=]*),\s*Expected=\s*(\S+)")
_ABOUT_TLS = re.compile(r"(?i)ssl|tls|certificate")
_FAILED = re.compile(r"(?i)fail|error|alert|unknown|expired|mismatch|reject|not match")


def failure(text: str) -> dict[str, Any] | None:
    """The failure that a line reports, with CUCM's own ``text``; None for a line that reports no failure.

    ``kind``, ``meaning`` and ``next_step`` are None when the line is not one of those that are known.
    """
    line = text.strip().split("\n", 1)[0][:600]
    if found := _SSL_ERROR.search(line):
        peer = _FOR_PEER.search(found[1])
        return _ssl_error(line, found[1][: peer.start()] if peer else found[1], peer[1] if peer else None)
    if (found := _NAME.search(line)) and (names := _NAMES_COMPARED.search(line, found.end())):
        # The first of the two lines reports the CN alone; what the SAN says comes in the second.
        final = "SAN either" in line[found.end() : names.start()]
        phone = line.startswith("SIPStationD(")
        known = _NAMES_OF_PHONE if phone else _NAMES
        entry = _entry(line, *known) if final else _entry(line, "name_mismatch_cn", None, None)
        names_of = {"received": names[1].strip(), "expected": names[2].rstrip(".")}
        return {**entry, **names_of, **({"phone": True} if phone else {})}
    if large := _TOO_LARGE.search(line):
        return _too_large(line, large)
    about = _ABOUT_TLS.search(line)
    return _entry(line, None, None, None) if about and _FAILED.search(line, about.end()) else None


def _too_large(line: str, found: re.Match[str]) -> dict[str, Any]:
    most = f" of {found['most']} bytes" if found["most"] else ""
    meaning = f"a SIP message of the peer was dropped, because it was larger than the limit{most}"
    step = (
        "Raise the service parameter SIP Max Incoming Message Size of Cisco CallManager (Advanced), or make the peer's "
        "messages smaller, such as by fewer codecs."
    )
    where = {"remote_ip": plain(found["ip"]), "remote_port": int(found["port"])}
    return {**_entry(line, "message_too_large", meaning, step), **where}


def _ssl_error(line: str, words: str, peer: str | None) -> dict[str, Any]:
    address, port = without_port(peer) if peer else (None, None)
    where = {"remote_ip": address, "remote_port": port}
    if number := _NUMBER.search(words):
        code = int(number[1])
        known = VERIFICATION.get(
            code, ("verification", f"OpenSSL refused the peer's certificate: {number[2] or code}", _PROTOCOL_STEP)
        )
        return {**_entry(line, *known), "verification_error": code, **where}
    if words.startswith("Certificate verification failed"):
        return {**_entry(line, "verification", None, None), **where}
    if reason := _REASON.search(words):
        return {**_protocol_error(line, reason[1].strip()), **where}
    return {**_entry(line, None, None, None), **where}


def _protocol_error(line: str, words: str) -> dict[str, Any]:
    """The error of a handshake in OpenSSL's words: an alert that the peer sent, or what failed at this end."""
    if alert := _ALERT.search(words):
        name = alert[1].strip().replace(" ", "_")
        meaning = next((meaning for known, meaning in ALERTS.values() if known == name), "it refused the handshake")
        return {**_entry(line, "alert", f"the peer sent the alert {name}: {meaning}", _PROTOCOL_STEP), "alert": name}
    if "certificate verify failed" in words:
        meaning = "this node could not verify the peer's certificate, and refused it; this line does not say why"
        return _entry(line, "verification", meaning, _PROTOCOL_STEP)
    if words in ("", "(null)"):
        errno = _ERRNO.search(line)
        ended = _ERRNOS.get(int(errno[1])) if errno else None
        meaning = f"the TLS handshake was not completed: {ended or 'OpenSSL reports no reason'}"
        return _entry(line, "connection", meaning, _PROTOCOL_STEP)
    kind = next((kind for part, kind in REASONS_IN_WORDS if part in words), "protocol")
    return _entry(line, kind, f"TLS failed before a certificate was refused here: {words}", _PROTOCOL_STEP)


def _entry(text: str, kind: str | None, meaning: str | None, step: str | None) -> dict[str, Any]:
    return {"text": text, "kind": kind, "meaning": meaning, "next_step": step}


def connection_failure(reason: str | None, *, phone: bool = False) -> dict[str, Any]:
    """``reason``, ``kind``, ``meaning`` and ``next_step`` of the alarm ConnectionFailure."""
    code = int(reason[:9]) if reason and reason.isdecimal() else None
    known = CONNECTION_REASONS.get(
        code or 0, (None, "CUCM could not open a TLS connection, for a reason that is not documented", _PROTOCOL_STEP)
    )
    kind, meaning, step = _NAMES_OF_PHONE if phone and known == _NAMES else known
    named = {"phone": True} if phone else {}
    return {"reason": code, "kind": kind, "meaning": meaning, "next_step": step, **named}
