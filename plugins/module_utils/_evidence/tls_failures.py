# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines in which CUCM says why a TLS connection failed, in words. Private to this collection.

Sources: the lines of C(HandleSSLError) from Cisco's document on ILS over TLS (the same SDL library), those of
C(validTLSConnection) and the alarm C(ConnectionFailure) from Cisco's troubleshooting of endpoints; verification numbers
are OpenSSL's X509_V_ERR.
"""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.addresses import without_port

# Number of OpenSSL's verification error -> (short name, meaning, next step).
_RENEW = "Renew the certificate and upload it, then restart Cisco CallManager on that node."
_UPLOAD = "Upload the CA chain of the peer's certificate to CallManager-trust and restart Cisco CallManager."
_CLOCKS = "Compare the clocks of both nodes and of the CA (utils ntp status)."
_RESIGN = "Have the certificate signed again, with the extensions that CUCM's CSR asks for, and upload it."
VERIFICATION = {
    2: ("issuer_missing", "the CA that signed the peer's certificate is not in CallManager-trust", _UPLOAD),
    7: ("bad_signature", "the signature of the peer's certificate does not fit the CA of that name", _UPLOAD),
    9: ("not_yet_valid", "the peer's certificate is not valid yet", _CLOCKS),
    10: ("expired", "the peer's certificate has expired", _RENEW),
    18: ("self_signed", "the peer presented a self-signed certificate that is not in CallManager-trust",
         "Have the peer's CallManager certificate signed by a CA, or upload it to CallManager-trust."),
    19: ("self_signed", "the root CA of the peer's chain is not in CallManager-trust", _UPLOAD),
    20: ("issuer_missing", "the CA that signed the peer's certificate is not in CallManager-trust", _UPLOAD),
    21: ("issuer_missing", "the peer sent its certificate alone, and its CA is not in CallManager-trust", _UPLOAD),
    22: ("chain_too_long", "the peer's certificate chain is too long", "Check the chain that the peer presents."),
    23: ("revoked", "the peer's certificate is revoked", _RENEW),
    24: ("invalid_ca", "a certificate of the peer's chain is not a CA certificate", _RESIGN),
    25: ("path_length", "the peer's chain is longer than its CA allows", _RESIGN),
    26: ("purpose", "the peer's certificate does not allow this use; check serverAuth and clientAuth", _RESIGN),
    27: ("not_trusted", "the CA is not trusted for this use", _UPLOAD),
    28: ("rejected", "the CA is marked as rejected for this use", _UPLOAD),
}  # fmt: skip
# Reason of the alarm ConnectionFailure -> (short name, meaning, next step). Only the reason that was seen is listed.
CONNECTION_REASONS = {
    2: ("name_mismatch", "the name in the peer's certificate is not one that the profile accepts",
        "Add the name of the peer's certificate to X.509 Subject Name of the SIP trunk security profile, then reset "
        "the trunk."),
}  # fmt: skip
_NAMES = CONNECTION_REASONS[2]
_PROTOCOL_STEP = "Look at the handshake in a capture (cucm_capture) or with sip_tls_probe."

_SSL_ERROR = re.compile(r"HandleSSLError\s*-\s*(.*)")
_FOR_PEER = re.compile(r"(?<!\s)\s+for\s+(\S+)$")
_NUMBER = re.compile(r"\(Verification error:\s*(\d{1,9})\)\s*(?:-\s*)?(.*)")
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
        entry = _entry(line, *_NAMES) if final else _entry(line, "name_mismatch_cn", None, None)
        return {**entry, "received": names[1].strip(), "expected": names[2].rstrip(".")}
    about = _ABOUT_TLS.search(line)
    return _entry(line, None, None, None) if about and _FAILED.search(line, about.end()) else None


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
        known = ("protocol", f"TLS failed before a certificate was refused here: {reason[1].strip()}", _PROTOCOL_STEP)
        return {**_entry(line, *known), **where}
    return {**_entry(line, None, None, None), **where}


def _entry(text: str, kind: str | None, meaning: str | None, step: str | None) -> dict[str, Any]:
    return {"text": text, "kind": kind, "meaning": meaning, "next_step": step}


def connection_failure(reason: str | None) -> dict[str, Any]:
    """``reason``, ``kind``, ``meaning`` and ``next_step`` of the alarm ConnectionFailure."""
    code = int(reason[:9]) if reason and reason.isdecimal() else None
    kind, meaning, step = CONNECTION_REASONS.get(
        code or 0, (None, "CUCM could not open a TLS connection, for a reason that is not documented", _PROTOCOL_STEP)
    )
    return {"reason": code, "kind": kind, "meaning": meaning, "next_step": step}
