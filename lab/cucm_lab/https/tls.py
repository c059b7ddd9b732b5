# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS of HTTPS: the versions and ciphers of the release, the tomcat certificate, impersonation by a fault."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
import warnings
from asyncio import sslproto
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from cryptography import x509

from ..services import STARTED

if TYPE_CHECKING:
    from ..faults import Fault
    from ..world import Node

TOMCAT = "Cisco Tomcat"


#: what to call for an incoming connection, by its local address
_DOORS: dict[str, Callable[[], Fault | None]] = {}


class _Alerting(sslproto.SSLProtocol):
    """asyncio drops the alert of a failed handshake; a real server sends it, which shows the client the reason."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Faults of `https`, operation `connect`: refuse (a reset before the handshake), stall (no response)."""
        super().connection_made(transport)
        door = _DOORS.get((transport.get_extra_info("sockname") or ("",))[0])
        fault = door() if door and self._server_side else None
        if fault is None or not isinstance(transport, asyncio.Transport):
            return
        if fault.action == "refuse":
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        elif fault.action == "stall":
            transport.pause_reading()
            asyncio.get_running_loop().call_later(fault.seconds, transport.resume_reading)

    def _on_handshake_complete(self, handshake_exc: BaseException | None) -> None:
        if isinstance(handshake_exc, ssl.SSLError):
            with suppress(Exception):
                self._process_outgoing()  # type: ignore[attr-defined]
        super()._on_handshake_complete(handshake_exc)


def send_alerts() -> None:
    """Make every TLS server of this process send the alert when it refuses a handshake."""
    sslproto.SSLProtocol = _Alerting  # type: ignore[misc]


class TlsServer:
    """The server contexts of one node. A renewed tomcat certificate is in use after the restart of Cisco Tomcat."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._current = self._context(*node.certs.active_identity("tomcat"))
        #: the context of the listening socket, which gives each connection the current one
        self.context = self._context(*node.certs.active_identity("tomcat"))
        self.context.sni_callback = self._choose
        node.services.on_change(self._changed)
        _DOORS[node.address] = lambda: node.cluster.lab.faults.match("https", "connect", node)

    def _changed(self, node: Node, name: str, status: str) -> None:
        if name == TOMCAT and status == STARTED:
            node.certs.activate("tomcat")
            self._current = self._context(*node.certs.active_identity("tomcat"))

    def _choose(self, connection: ssl.SSLObject, _unused: str | None, __: ssl.SSLContext) -> int | None:
        """Called in each handshake, with or without a server name."""
        fault = self._node.cluster.lab.faults.match("https", "handshake", self._node)
        if fault is not None and fault.action == "alert":
            return int(fault.extra.get("alert", ssl.AlertDescription.ALERT_DESCRIPTION_HANDSHAKE_FAILURE))
        wrong = fault is not None and fault.action == "wrong_certificate"
        connection.context = self._wrong(fault) if wrong and fault else self._current
        return None

    def _wrong(self, fault: Fault) -> ssl.SSLContext:
        """The certificate of somebody else. `extra.how`: `name` (that of another node of the lab), `self-signed`,
        `expired`.
        """
        how = str(fault.extra.get("how", "self-signed"))
        node = self._node
        if how == "name":
            others = [n for n in node.cluster.lab.nodes if n is not node]
            # A certificate as strong as its own: on a new release OpenSSL would not load SHA-1 and 1024 bits.
            strength = node.cluster.release.self_signed
            other = next((n for n in others if n.cluster.release.self_signed == strength), others[0])
            return self._context(*other.certs.active_identity("tomcat"))
        from ..sip.spoiled import spoiled_identity

        own = x509.load_pem_x509_certificate(node.certs.active_identity("tomcat")[0].encode())
        certificate, key = spoiled_identity(node, own, how)
        # A test may trust it, to see that a trusted certificate out of its time is refused as well.
        (node.directory / f"https-{how}.pem").write_text(certificate)
        return self._context(certificate, key)

    def _context(self, certificate: str, key: str) -> ssl.SSLContext:
        policy = self._node.cluster.release.tls
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.set_ciphers(policy.ciphers)
        with warnings.catch_warnings():
            # Python calls TLS 1.0 deprecated, rightly; an old release speaks nothing else.
            warnings.simplefilter("ignore", DeprecationWarning)
            made.minimum_version = policy.minimum
            made.maximum_version = policy.maximum
        # The ssl module reads certificates and keys from files alone; this one lives for a moment, in memory.
        descriptor = os.memfd_create("tomcat")
        try:
            os.write(descriptor, (key.rstrip("\n") + "\n" + certificate).encode())
            made.load_cert_chain(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return made
