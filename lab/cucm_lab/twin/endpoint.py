# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for systems other than CUCM, such as an SBC: they answer OPTIONS and every call."""

from __future__ import annotations

import asyncio
import ssl
from functools import partial
from typing import TYPE_CHECKING, cast

from sipmessage import Message, Request

from ..release import TLS10, TlsPolicy
from ..sip import messages, sdp
from ..sip.engine import Engine, TlsContexts, TlsFailure
from ..sip.framing import Framer, NotSip
from .peers import Presented, load

if TYPE_CHECKING:
    from ..scenario import Listener, PeerSpec
    from ..world import Lab

#: seconds in which a call is answered
RING_SECONDS = 0.05
USER_AGENT = "cucm_lab stand-in"
_VERSIONS = {
    "1.0": TLS10,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
#: the probe sees one cipher of those that a peer has, so a stand-in takes them all
_CIPHERS = "ALL:!aNULL:!eNULL:@SECLEVEL=0"


class ForeignPeer:
    """The ports of one stand-in."""

    def __init__(self, lab: Lab, spec: PeerSpec) -> None:
        self.lab = lab
        self.spec = spec
        self._servers: list[asyncio.Server] = []
        self.open: set[_Connection] = set()

    async def start(self) -> None:
        """Serve every port of which the record shows how; OSError when one is in use."""
        loop = asyncio.get_running_loop()
        for listener in self.spec.listeners:
            contexts = self._contexts(listener)
            if listener.transport == "TLS" and contexts is None:
                continue
            connect = partial(_Connection, self, contexts, listener.port)
            server = await loop.create_server(connect, self.spec.address, listener.port)
            self._servers.append(server)

    def _contexts(self, listener: Listener) -> tuple[TlsContexts, bool] | None:
        """The TLS settings, and whether a client certificate is requested; None without TLS."""
        shown = load(self.lab.directory, self.spec.address, listener.port) if listener.transport == "TLS" else None
        if shown is None:
            return None
        return TlsContexts(_policy(shown), [(shown.identity, shown.key)], shown.trust), shown.asks

    async def stop(self) -> None:
        """Close ports and connections."""
        for server in self._servers:
            server.close()
        for connection in list(self.open):
            connection.close()


async def start(lab: Lab, spec: PeerSpec) -> ForeignPeer:
    """A stand-in that serves."""
    peer = ForeignPeer(lab, spec)
    await peer.start()
    return peer


def _policy(shown: Presented) -> TlsPolicy:
    return TlsPolicy(_VERSIONS[shown.minimum], _VERSIONS[shown.maximum], _CIPHERS)


class _Connection(asyncio.Protocol):
    """A connection that a cluster has made."""

    def __init__(self, peer: ForeignPeer, tls: tuple[TlsContexts, bool] | None, port: int) -> None:
        self._peer = peer
        self._port = port
        self._engine = Engine(tls[0].context(ask=tls[1]), server=True) if tls else None
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self._from = ("", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._from = transport.get_extra_info("peername")[:2]
        self._peer.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._peer.open.discard(self)

    def data_received(self, data: bytes) -> None:
        try:
            plain = self._decrypted(data) if self._engine else data
            for raw in self._framer.messages(plain):
                self._message(raw)
        except TlsFailure as failure:
            self._flush()
            self._log("handshake", result="failed", reason=failure.reason, text=str(failure))
            self.close()
        except (NotSip, ValueError, KeyError) as error:
            self._log("malformed", reason=str(error))
            self.close()

    def close(self) -> None:
        """Close it."""
        if self._transport:
            self._transport.close()

    def _decrypted(self, data: bytes) -> bytes:
        engine = self._engine
        assert engine is not None
        was_open = engine.open
        plain = engine.receive(data)
        self._flush()
        if engine.open and not was_open:
            subject = engine.peer.subject if engine.peer else None
            self._log("handshake", result="ok", tls_version=engine.version, cipher=engine.cipher, peer_subject=subject)
        if engine.ended:
            self.close()
        return plain

    def _message(self, raw: bytes) -> None:
        message = Message.parse(raw)
        if not isinstance(message, Request):
            return
        if message.method == "INVITE":
            self._ring(message)
        elif message.method in ("OPTIONS", "BYE", "CANCEL"):
            self._answer(message, 200, messages.new_tag())
        elif message.method != "ACK":
            self._answer(message, 405, messages.new_tag())

    def _ring(self, invite: Request) -> None:
        """Every number is answered, with SRTP where it is offered."""
        tag = messages.new_tag()
        self._answer(invite, 100)
        self._answer(invite, 180, tag)
        offer = sdp.parse(invite.body) if invite.body else None
        body = sdp.build(self._peer.spec.address, srtp=bool(offer and offer.srtp), tag=offer.tag if offer else "1")
        asyncio.get_running_loop().call_later(RING_SECONDS, lambda: self._answer(invite, 200, tag, body))
        self._log("call_in", called=invite.uri.user, result="answered", srtp=bool(offer and offer.srtp))

    def _answer(self, request: Request, code: int, tag: str = "", body: bytes = b"") -> None:
        transport = "tls" if self._engine else "tcp"
        contact = f"<sip:{self._peer.spec.address}:{self._port};transport={transport}>"
        response = messages.answer(
            request, code, self._peer.lab.clock.now(), user_agent=USER_AGENT, to_tag=tag,
            contact=contact if request.method == "INVITE" and code > 100 else "", body=body, source=self._from,
        )  # fmt: skip
        self._send(bytes(cast(Request, response)))

    def _send(self, raw: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._engine:
            self._engine.send(raw)
            self._flush()
        else:
            self._transport.write(raw)

    def _flush(self) -> None:
        if self._engine and self._transport and not self._transport.is_closing():
            self._transport.write(self._engine.output())

    def _log(self, event: str, **fields: object) -> None:
        self._peer.lab.log.write(
            "sip", event=event, node=self._peer.spec.name, direction="in", peer=self._from[0], port=self._port, **fields
        )
