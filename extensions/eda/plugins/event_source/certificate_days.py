# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source: certificates of SIP TLS ports that end soon."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import warnings
from datetime import UTC, datetime
from typing import Any

from cryptography import x509

DOCUMENTATION = r"""
short_description: Watch how many days the certificates of SIP TLS ports have left
description:
  - Asks each address for its certificates at an interval and sends an event C(certificate) for each that has fewer than
    O(days) left, with C(host), C(port), C(identity) (V(rsa) or V(ecdsa)), C(subject), C(not_after) and C(days_left).
  - A port of CUCM 11.0 and later has two certificates; each is requested separately, with an offer of TLS 1.2 at most
    that names one kind of key. No account is needed.
  - A certificate becomes an event again only when it changes or its days left fall by one.
options:
  hosts:
    description: Addresses or names of nodes.
    type: list
    elements: str
    required: true
  port:
    description: The SIP TLS port.
    type: int
    default: 5061
  days:
    description: Send an event for a certificate with fewer days left.
    type: int
    default: 30
  interval:
    description: Seconds between two checks.
    type: int
    default: 86400
  timeout:
    description: Seconds to wait for a handshake.
    type: int
    default: 10
"""

EXAMPLES = r"""
- siptls.cucm.certificate_days:
    hosts: [cucma.example.com, cucm10.example.com]
    days: 30
"""

#: an offer per identity, down to what 9.1 and 10.5 have
OFFERS = {"rsa": "aRSA:@SECLEVEL=0", "ecdsa": "aECDSA:@SECLEVEL=0"}


def _context(ciphers: str) -> ssl.SSLContext:
    """A client that looks at a certificate and trusts nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(ciphers)
    with warnings.catch_warnings():
        # 9.1 and 10.5 have nothing newer than TLS 1.0.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2
    return context


async def presented(host: str, port: int, identity: str, timeout: float) -> x509.Certificate | None:
    """The certificate of an identity that a port presents; None where it presents none or is unreachable."""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                found = await _certificate(reader, writer, _context(OFFERS[identity]))
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    return x509.load_der_x509_certificate(found) if found else None


async def _certificate(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext
) -> bytes | None:
    """Shake hands just as far as the server's certificate: CUCM ends a handshake of a client that shows none."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    while True:
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        if found := _sent(tls):
            return found
        writer.write(outgoing.read())
        await writer.drain()
        data = await reader.read(16384)
        if not data:
            return None
        incoming.write(data)


def _sent(tls: ssl.SSLObject) -> bytes | None:
    """The server's certificate, before the handshake ends: public from Python 3.13 on, on the inner object before."""
    if hasattr(tls, "get_unverified_chain"):
        chain = [bytes(certificate) for certificate in tls.get_unverified_chain() or ()]
    else:
        chain = [ssl.PEM_cert_to_DER_cert(row.public_bytes()) for row in tls._sslobj.get_unverified_chain() or ()]
    return chain[0] if chain else None


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Look until the rulebook ends."""
    seen: dict[tuple[str, str], tuple[bytes, int]] = {}
    port, days = int(args.get("port", 5061)), int(args.get("days", 30))
    while True:
        for host in args["hosts"]:
            for identity in OFFERS:
                found = await presented(host, port, identity, float(args.get("timeout", 10)))
                if found is None:
                    continue
                left = (found.not_valid_after_utc - datetime.now(UTC)).days
                state = (found.signature, left)
                if left < days and seen.get((host, identity)) != state:
                    seen[host, identity] = state
                    await queue.put({"certificate": _event(host, port, identity, found, left)})
        await asyncio.sleep(float(args.get("interval", 86400)))


def _event(host: str, port: int, identity: str, found: x509.Certificate, left: int) -> dict[str, Any]:
    return {
        "host": host, "port": port, "identity": identity, "subject": found.subject.rfc4514_string(),
        "not_after": found.not_valid_after_utc.isoformat(), "days_left": left,
    }  # fmt: skip
