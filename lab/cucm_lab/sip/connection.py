# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One SIP connection over TCP or TLS: network bytes to SIP messages, and the other way round."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from sipmessage import Message, Request, Response

from .engine import Engine, TlsFailure
from .framing import Framer, NotSip

if TYPE_CHECKING:
    from ..faults import Fault
    from ..traces.capture import Flow
    from .endpoint import SipEndpoint
    from .trunk import Trunk

#: a peer that does not finish its handshake within these seconds is dropped
HANDSHAKE_SECONDS = 10.0


class ConnectionFailed(Exception):
    """A connection, or a request over it, that failed; `local` is CUCM's reason Local=<n>."""

    def __init__(self, text: str, local: int = 2, reason: str = "", expected: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.local = local
        #: a key of engine.REASONS, or empty
        self.reason = reason
        #: the names that the profiles accept, when the peer's certificate has none of them
        self.expected = expected


class ConnectionLost(ConnectionFailed):
    """A connection that ended while a request over it waited for its answer."""


class SipConnection(asyncio.Protocol):
    """A connection of an endpoint; `engine` None means TCP."""

    def __init__(self, endpoint: SipEndpoint, engine: Engine | None, *, incoming: bool) -> None:
        self.endpoint = endpoint
        self.engine = engine
        self.incoming = incoming
        self.connid = endpoint.next_connection_id()
        #: outgoing: whose it is; incoming: whose names and address fit
        self.trunk: Trunk | None = None
        #: incoming TLS: the trunks whose profiles name the peer; None: names were not checked
        self.candidates: set[str] | None = None
        self.local = ("", 0)
        self.remote = ("", 0)
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # It may fail while nobody waits for it.
        self.ready.add_done_callback(lambda future: future.cancelled() or future.exception())
        self.closed = False
        #: by the loop's time
        self.made = asyncio.get_running_loop().time()
        self.failure: ConnectionFailed | None = None
        self.answers: dict[tuple[str, str], asyncio.Queue[Response | ConnectionFailed]] = {}
        self._transport: asyncio.Transport | None = None
        self._flow: Flow | None = None
        self._framer = Framer()
        #: a SIP message has come
        self._heard = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def transport_name(self) -> str:
        """TLS or TCP, as in Via."""
        return "TLS" if self.engine else "TCP"

    # -- asyncio's side -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.local = transport.get_extra_info("sockname")[:2]
        self.remote = transport.get_extra_info("peername")[:2]
        self._flow = self.endpoint.captures.flow(self.local, self.remote, client=not self.incoming)
        self._flow.opened()
        self.endpoint.connection_opened(self)
        if self.closed:
            return
        if self.engine is None:
            self._is_ready()
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(
            HANDSHAKE_SECONDS, self._failed, TlsFailure("other", f"no handshake in {HANDSHAKE_SECONDS:g} s")
        )
        if not self.incoming:
            self.engine.begin()
            self._flush()

    def data_received(self, data: bytes) -> None:
        if self._flow:
            self._flow.received(data)
        if self.closed:
            return
        if self.engine is None:
            self._plain(data)
            return
        if self.engine.fault and self._misbehaves(self.engine.fault):
            return
        was_open = self.engine.open
        try:
            plain = self.engine.receive(data)
        except TlsFailure as failure:
            self._flush()
            self._failed(failure)
            return
        self._flush()
        if self.engine.open and not was_open:
            self._is_ready()
        if plain and not self.closed:
            self._plain(plain)
        if self.engine.ended and self._transport:
            # The peer has closed; whoever waits for a response is informed by `connection_lost`.
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._flow:
            self._flow.closed(by_peer=not self.closed, reset=isinstance(exc, ConnectionResetError))
        if not self.closed and self.engine and not self.engine.open:
            self._failed(TlsFailure("closed", str(exc or "end of file")))
        text = f"the connection with {self.remote[0]} was closed by it"
        if self.engine and self.engine.open and not self._heard:
            text += " right after the TLS handshake, as by a CUCM whose profiles do not have our certificate's names"
        self._finish(self.failure or ConnectionFailed(text, local=2))

    # -- our side -----------------------------------------------------------------------------------

    def send(self, message: Message) -> None:
        """Send one message; ConnectionFailed when the connection is gone."""
        raw = bytes(cast(Request, message))
        if self.closed or self._transport is None:
            raise self.failure or ConnectionFailed(f"the connection with {self.remote[0]} is closed")
        self.endpoint.traces.message_out(self, raw)
        self.send_raw(raw)

    def send_raw(self, raw: bytes) -> None:
        """Send bytes as they are, through TLS where there is TLS."""
        if self.engine:
            self.engine.send(raw)
            self._flush()
        else:
            self._write(raw)

    def close(self) -> None:
        """Close it; whoever waits for a response gets a failure."""
        if self.closed:
            return
        if self.engine and self.engine.open:
            self.engine.shutdown()
            self._flush()
        self._finish(ConnectionFailed(f"the connection with {self.remote[0]} was closed"))
        if self._transport:
            self._transport.close()

    def abort(self) -> None:
        """Reset the connection."""
        if not self.closed:
            self._finish(ConnectionFailed(f"the connection with {self.remote[0]} was reset"))
            if self._transport:
                self._transport.abort()

    def expect(self, call_id: str, cseq: str) -> asyncio.Queue[Response | ConnectionFailed]:
        """The queue for the responses to a request."""
        return self.answers.setdefault((call_id, cseq), asyncio.Queue())

    def forget(self, call_id: str, cseq: str) -> None:
        """Stop taking responses."""
        self.answers.pop((call_id, cseq), None)

    def refuse(self, failure: ConnectionFailed) -> None:
        """The connection was never established."""
        self.failure = failure
        self._finish(failure)

    # -- internals ----------------------------------------------------------------------------------

    def _misbehaves(self, fault: Fault) -> bool:
        """A fault during the handshake: an alert, no response, or the end of the connection."""
        if fault.action == "alert":
            description = int(fault.extra.get("alert", 40))
            self._write(bytes((21, 3, 1, 0, 2, 2, description)))
        if fault.action != "stall":
            self.close()
        return True

    def _is_ready(self) -> None:
        if self._timer:
            self._timer.cancel()
        failure = self.endpoint.connection_ready(self)
        if failure is not None:
            self.failure = failure
            self.close()
        elif not self.ready.done():
            self.ready.set_result(None)

    def _failed(self, failure: TlsFailure) -> None:
        if self.closed:
            return
        self.failure = ConnectionFailed(str(failure), local=2, reason=failure.reason)
        self.endpoint.handshake_failed(self, failure)
        self._finish(self.failure)
        if self._transport:
            self._transport.close()

    def _finish(self, failure: ConnectionFailed) -> None:
        if self._timer:
            self._timer.cancel()
        if self.closed:
            return
        self.closed = True
        failure = self.failure or failure
        self.failure = failure
        if not self.ready.done():
            self.ready.set_exception(failure)
        for queue in self.answers.values():
            queue.put_nowait(failure)
        self.endpoint.connection_closed(self)

    def _flush(self) -> None:
        if self.engine:
            data = self.engine.output()
            if data:
                self._write(data)

    def _write(self, data: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            if self._flow:
                self._flow.sent(data)
            self._transport.write(data)

    def _plain(self, data: bytes) -> None:
        try:
            for raw in self._framer.messages(data):
                self._message(raw)
                if self.closed:
                    return
        except NotSip as error:
            self._malformed(str(error))

    def _message(self, raw: bytes) -> None:
        try:
            message = Message.parse(raw)
            key = (message.headers["Call-ID"], message.headers["CSeq"])
            if isinstance(message, Request):
                message.headers["Via"], message.headers["From"], message.headers["To"]
        except (ValueError, KeyError, IndexError) as error:
            self._malformed(str(error) or type(error).__name__)
            return
        self._heard = True
        self.endpoint.traces.message_in(self, raw)
        if isinstance(message, Request):
            self.endpoint.request(self, message)
        elif key in self.answers:
            self.answers[key].put_nowait(message)

    def _malformed(self, why: str) -> None:
        self.endpoint.lab.log.write(
            "sip", event="malformed", node=self.endpoint.node.name, peer=self.remote[0], reason=why
        )
        self.close()
