# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a SIP TLS port presents, asks for and answers. Private to this collection."""

from __future__ import annotations

import ssl

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._siptls.handshake import Handshake, Seen, client_context
from ansible_collections.siptls.cucm.plugins.module_utils._siptls.tls_names import ALERTS
from ansible_collections.siptls.cucm.plugins.module_utils._tls import LEGACY_REASONS


def served_certificate(host: str, port: int, *, legacy: bool, timeout: float) -> list[str]:
    """The chain that a TLS server presents, leaf first, as PEM, whether or not it lets us in.

    Nothing is verified: the caller compares. Raises Failure when no chain was seen, with state ``unreachable`` (no
    TCP connection) or ``no_handshake`` among its facts.
    """
    with connect(host, port, client_context(legacy), timeout) as connection:
        connection.shake()
        if not connection.seen.chain:
            raise no_chain(host, port, connection.seen, legacy)
        return [ssl.DER_cert_to_PEM_cert(der) for der in connection.seen.chain]


def connect(host: str, port: int, context: ssl.SSLContext, timeout: float) -> Handshake:
    """A TCP connection ready for its handshake; raises Failure with what the operating system said."""
    try:
        return Handshake(host, port, context, timeout)
    except TimeoutError:
        said = f"no answer within {timeout:g} s"
        hint = "Look for a firewall between this machine and the node."
    except ConnectionRefusedError:
        said = "the connection was refused"
        hint = "Look whether Cisco CallManager runs there, and whether a trunk with a TLS profile on this port exists."
    except OSError as error:
        said = (error.strerror or type(error).__name__).lower()
        hint = "Check the name and the address."
    raise Failure(f"Connecting to {host} port {port} for a TLS handshake failed: {said}. {hint}", state="unreachable")


def no_chain(host: str, port: int, seen: Seen, legacy: bool) -> Failure:
    """Why a handshake ended before the server's certificate was seen, in a sentence."""
    if seen.plain_text:
        first = seen.plain_text.split(b"\r\n")[0][:60].decode("ascii", "replace")
        said = f"it does not speak TLS there (its first line is {first!r})"
        hint = "Use the port of the SIP trunk security profile with transport TLS, 5061 by default."
    else:
        code = seen.alert[1] if seen.alert else None
        name, meaning = ALERTS.get(code, (f"alert {code}", "")) if code is not None else ("", "")
        said = f"it answered {name}: {meaning}" if code is not None else (seen.trouble or "it closed the connection")
        hint = "Look whether Cisco CallManager runs there and the port takes TLS."
        if not legacy and LEGACY_REASONS.search(f"{name} {seen.trouble or ''}".replace("_", " ")):
            hint = "Releases before 11.5 speak TLS 1.0 and old ciphers alone: set legacy_crypto: true for this cluster."
    return Failure(
        f"The TLS handshake with {host} port {port} showed no certificate: {said}. {hint}", state="no_handshake"
    )
