# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SIP side of one node while Cisco CallManager runs: listeners, connections, trunks, who a peer is.

Faults of interface `sip`, by operation: `accept` (refuse, stall), `handshake` (alert, stall, wrong_certificate),
`client-certificate` (fail: the peer's certificate is not asked for), and each SIP method that comes in (refuse,
reset, stall, drop, garbage, status).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import itertools
import socket
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from sipmessage import Request

from ..faults import Fault
from ..release import TlsPolicy
from ..services import CALLMANAGER, STARTED
from ..traces.capture import CaptureHub
from ..traces.node import NodeTraces
from . import names, offer, peers, server
from .connection import ConnectionFailed, SipConnection
from .engine import Engine, TlsContexts, TlsFailure
from .ping import Pinger
from .spoiled import spoiled_identity
from .trunk import Trunk, nodes_of

if TYPE_CHECKING:
    from ..world import Lab, Node
    from .client import CallResult

#: a TCP connection that is not established within these seconds has timed out
CONNECT_SECONDS = 5.0
#: how often a node checks whether its trunks have changed, in seconds
_WATCH_SECONDS = 0.5


class SipEndpoint:
    """A node's SIP. `start` opens it while the service runs, and follows the service from then on."""

    def __init__(self, lab: Lab, node: Node) -> None:
        self.lab = lab
        self.node = node
        self.cluster = node.cluster
        self.captures = CaptureHub(lab, node)
        self.traces = NodeTraces(lab, node)
        self.pinger = Pinger(self)
        self.connections: set[SipConnection] = set()
        self.outgoing: dict[tuple[str, str, int], SipConnection] = {}
        #: incoming calls, by Call-ID
        self.calls: dict[str, server.IncomingCall] = {}
        #: calls that phones of this node placed and that are connected now
        self.active: list[CallResult] = []
        #: of the server (False) and the client (True): what it was made for, and the contexts
        self.contexts: dict[bool, tuple[object, TlsContexts]] = {}
        self.running = False
        self._servers: dict[int, asyncio.Server] = {}
        self._connids = itertools.count(1)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._watch: asyncio.Task[None] | None = None
        self._trunks: tuple[Trunk, ...] = ()
        self._revision = -1
        #: when a trunk was reset last, by the loop's time
        self._resets: dict[str, float] = {}
        #: CallManager-trust as last read; None: not read since the start of Cisco CallManager
        self._trust: tuple[str, ...] | None = None
        self._loop = asyncio.get_running_loop()

    # -- life ---------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Follow the service; open when it runs."""
        self.node.services.on_change(self._service_changed)
        hook = getattr(self.cluster.config, "on_apply", None)
        if hook is not None:
            hook(self._applied)
        if self.node.services.running(CALLMANAGER):
            await self.open()

    async def stop(self) -> None:
        """Close everything for good."""
        await self.close()
        self.captures.close()

    async def _service_changed(self, node: Node, service: str, status: str) -> None:
        if service == CALLMANAGER:
            await (self.open() if status == STARTED else self.close())

    async def open(self) -> None:
        """Load the active certificate and the trust store, listen, and start pinging."""
        if self.running:
            return
        self.contexts, self._trust = {}, None
        self._revision = -1
        self.traces.open()
        self.running = True
        try:
            for port in sorted(self._ports()):
                await self._listen(port)
        except OSError:
            await self.close()
            raise
        self._watch = asyncio.ensure_future(self._follow())
        self.lab.log.write("sip", event="listening", node=self.node.name, ports=sorted(self._servers))

    async def close(self) -> None:
        """Close the ports and every connection."""
        if not self.running:
            return
        self.running = False
        if self._watch:
            self._watch.cancel()
        self.pinger.stop()
        for server_ in self._servers.values():
            server_.close()
        for connection in list(self.connections):
            connection.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._servers.clear()
        self.traces.close()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a task that ends with the service."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ConnectionFailed):
            self.lab.log.write("sip", event="error", node=self.node.name, error=f"{type(error).__name__}: {error}")

    # -- listeners ----------------------------------------------------------------------------------

    def _ports(self) -> dict[int, bool]:
        """Port -> TLS."""
        ports = {self.lab.ports.sip_tcp: False, self.lab.ports.sip_tls: True}
        for trunk in self.trunks():
            ports.setdefault(trunk.incoming_port, trunk.incoming_tls)
        return ports

    async def _listen(self, port: int) -> None:
        tls = self._ports()[port]

        def protocol() -> SipConnection:
            return SipConnection(self, self._server_engine(port) if tls else None, incoming=True)

        self._servers[port] = await self._loop.create_server(
            protocol, self.node.address, port, reuse_address=True, backlog=100
        )

    async def _follow(self) -> None:
        """Open and close ports and start and stop pings as trunks come and go."""
        seen = -1
        while True:
            if seen != self.cluster.config.revision:
                seen = self.cluster.config.revision
                wanted = self._ports()
                for port in wanted.keys() - self._servers.keys():
                    with contextlib.suppress(OSError):
                        await self._listen(port)
                for port in self._servers.keys() - wanted.keys():
                    self._servers.pop(port).close()
                gone = {connection.trunk.name for connection in self.outgoing.values() if connection.trunk}
                self.reset(gone - {trunk.name for trunk in self.trunks()})
                self.pinger.follow(self.trunks())
            await asyncio.sleep(_WATCH_SECONDS)

    def _applied(self, records: Any) -> None:
        """Trunks were reset: pass the news from AXL's thread to the loop."""
        trunk_names = {record.name for record in records}
        # From now on no earlier connection may be used, even before the loop gets to closing it.
        now = self._loop.time()
        self._resets.update(dict.fromkeys(trunk_names, now))
        self._loop.call_soon_threadsafe(self.reset, trunk_names, now)

    def reset(self, trunk_names: set[str], since: float | None = None) -> None:
        """Drop the connections and calls of these trunks (with `since`: only earlier ones), and ping anew."""
        if not self.running or not trunk_names:
            return
        # An outgoing connection that still waits for its peer is in `outgoing` alone.
        for connection in {*self.connections, *self.outgoing.values()}:
            if since is not None and connection.made > since:
                continue
            # A peer's profile may have changed, in either direction, so peers have to repeat the handshake.
            fitted = connection.candidates is not None and (
                not connection.candidates or connection.candidates & trunk_names
            )
            if fitted or (connection.trunk and connection.trunk.name in trunk_names):
                connection.close()
        self.pinger.restart(trunk_names)

    # -- trunks -------------------------------------------------------------------------------------

    def trunks(self) -> tuple[Trunk, ...]:
        """The cluster's trunks as they run."""
        config = self.cluster.config
        if self._revision != config.revision or not self.lab.inferred["axl.reset_needed"]:
            self._trunks = tuple(Trunk.read(body) for body in config.running_trunks())
            self._revision = config.revision
        return self._trunks

    def trunk(self, name: str) -> Trunk | None:
        """One trunk by name."""
        return next((trunk for trunk in self.trunks() if trunk.name == name), None)

    def calls_active(self) -> list[bool]:
        """The calls that are connected on this node now, each by whether it is encrypted."""
        came_in = [call for call in self.calls.values() if call.acknowledged.is_set() and not call.ended.is_set()]
        return [call["srtp"] for call in self.active] + [call.srtp for call in came_in]

    def runs(self, trunk: Trunk) -> bool:
        """Whether the trunk runs on this node."""
        return self.node in nodes_of(self.cluster, trunk)

    async def resolve(self, host: str) -> str:
        """The address of a destination; ConnectionFailed (Local=3) when its name is unknown."""
        known = self.lab.address_of(host)
        if known:
            return known
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            pass
        try:
            found = await self._loop.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
        except OSError as error:
            raise ConnectionFailed(f"the name {host} can't be resolved ({error.strerror or error})", local=3) from None
        return str(found[0][4][0])

    # -- TLS ----------------------------------------------------------------------------------------

    def tls(self, *, client: bool = False) -> TlsContexts:
        """The TLS settings of SIP; renewed when the offer, the trust store or the minute of a shifted clock changes."""
        if self._trust is None or not self.lab.inferred["sip.trust_needs_restart"]:
            self._trust = tuple(pem for _unused, pem in self.node.certs.trust("CallManager-trust"))
        shift = self.node.clock.moved
        # A shifted clock keeps running: its time is read again each minute.
        clock = (shift, int(self.node.clock.time() // 60)) if shift else None
        wanted = (offer.policy(self.node), tuple(offer.identities(self.node, client=client)), self._trust, clock)
        if client not in self.contexts or self.contexts[client][0] != wanted:
            self.contexts[client] = wanted, self._contexts(wanted[0], wanted[1], moved=bool(shift))
        return self.contexts[client][1]

    def _contexts(self, policy: TlsPolicy, identities: tuple[tuple[str, str], ...], *, moved: bool) -> TlsContexts:
        return TlsContexts(policy, identities, self._trust or (), self.node.clock.now() if moved else None)

    def _server_engine(self, port: int) -> Engine:
        contexts = self.tls()
        fault = self.lab.faults.match("sip", "handshake", self.node)
        if fault and fault.action == "wrong_certificate":
            how = str(fault.extra.get("how", "self-signed"))
            spoiled = (spoiled_identity(self.node, contexts.certificate, how),)
            contexts = self._contexts(offer.policy(self.node), spoiled, moved=bool(self.node.clock.moved))
        asks = self.lab.faults.match("sip", "client-certificate", self.node)
        modes = {trunk.security_mode for trunk in self.trunks() if trunk.incoming_tls and trunk.incoming_port == port}
        mode = "both" if "Authenticated" in modes else "Encrypted"
        engine = Engine(contexts.context(mode, ask=asks is None), server=True)
        engine.fault = fault if fault and fault.action in ("alert", "stall", "refuse") else None
        return engine

    def connected(self, trunk: Trunk, host: str, port: int) -> bool:
        """Whether the trunk has an open connection with a destination."""
        connection = self.outgoing.get((trunk.name, host, port))
        return connection is not None and not connection.closed

    async def connect(self, trunk: Trunk, host: str, port: int) -> SipConnection:
        """The trunk's connection with a destination, made if there is none; ConnectionFailed."""
        connection = self.outgoing.get((trunk.name, host, port))
        if connection is not None and connection.made <= self._resets.get(trunk.name, -1.0):
            connection.close()
            connection = None
        if connection is None or connection.closed:
            connection = await self._connect(trunk, host, port)
        await asyncio.wait_for(asyncio.shield(connection.ready), 15)
        return connection

    async def _connect(self, trunk: Trunk, host: str, port: int) -> SipConnection:
        address = await self.resolve(host)
        engine = None
        if trunk.outgoing_tls:
            mode = trunk.security_mode if trunk.security_mode == "Authenticated" else "Encrypted"
            engine = Engine(self.tls(client=True).context(mode), server=False)
        connection = SipConnection(self, engine, incoming=False)
        connection.trunk = trunk
        connection.remote = (address, port)
        self.outgoing[trunk.name, host, port] = connection
        self.traces.connection_wanted(connection)
        attempt = self._loop.create_connection(
            lambda: connection, address, port, local_addr=(self.node.address, 0), family=socket.AF_INET
        )
        try:
            await asyncio.wait_for(attempt, CONNECT_SECONDS)
        except TimeoutError:
            failure = ConnectionFailed(f"{address} did not answer on port {port}", local=1)
        except OSError as error:
            self.captures.refused(self.node.address, (address, port))
            failure = ConnectionFailed(f"{address} refuses connections on port {port} ({error.strerror or error})")
        else:
            return connection
        connection.refuse(failure)
        self.lab.log.write("sip", event="connection_failed", node=self.node.name, trunk=trunk.name,
                           peer=address, port=port, reason=str(failure))  # fmt: skip
        raise failure

    # -- events of connections ------------------------------------------------------------------------

    def next_connection_id(self) -> int:
        """CUCM's connid."""
        return next(self._connids)

    def connection_opened(self, connection: SipConnection) -> None:
        """TCP is there."""
        self.connections.add(connection)
        if connection.incoming:
            fault = self.lab.faults.match("sip", "accept", self.node)
            if fault and fault.action in ("refuse", "reset"):
                connection.abort()
                return
        self.traces.connection_made(connection)

    def connection_ready(self, connection: SipConnection) -> ConnectionFailed | None:
        """TCP, or TLS with its handshake, is established; a failure if the peer's names do not match."""
        engine = connection.engine
        if engine is None:
            return None
        problem = peers.check_names(connection, engine)
        self.lab.log.write(
            "sip", event="handshake", result="mismatch" if problem else "ok", node=self.node.name,
            direction="in" if connection.incoming else "out", peer=connection.remote[0],
            port=connection.local[1] if connection.incoming else connection.remote[1],
            trunk=connection.trunk.name if connection.trunk else None, tls_version=engine.version, cipher=engine.cipher,
            peer_subject=engine.peer.subject if engine.peer else None,
            peer_serial=engine.peer.serial if engine.peer else None,
            own_subject=names.one_line(own.subject) if (own := engine.own_certificate) else None,
            **({"reason": "subject_name_mismatch", "text": str(problem)} if problem else {}),
        )  # fmt: skip
        self.traces.certificate(connection)
        if problem:
            self.traces.name_refused(connection, problem.expected)
        return problem if problem and self.lab.inferred["sip.name_mismatch"] == "close" else None

    def handshake_failed(self, connection: SipConnection, failure: TlsFailure) -> None:
        """TLS was not established."""
        self.lab.log.write(
            "sip", event="handshake", result="failed", node=self.node.name,
            direction="in" if connection.incoming else "out", peer=connection.remote[0],
            port=connection.local[1] if connection.incoming else connection.remote[1],
            trunk=connection.trunk.name if connection.trunk else None, reason=failure.reason, text=str(failure),
            alert=failure.alert or None, peer_subject=failure.peer.subject if failure.peer else None,
        )  # fmt: skip
        self.traces.handshake_failed(connection, failure)

    def connection_closed(self, connection: SipConnection) -> None:
        """It is gone."""
        self.connections.discard(connection)
        for key in [key for key, value in self.outgoing.items() if value is connection]:
            del self.outgoing[key]
        for call in self.calls.values():
            if call.connection is connection:
                call.ended.set()
        self.traces.connection_closed(connection)

    def request(self, connection: SipConnection, request: Request) -> None:
        """A request came in."""
        fault = self.lab.faults.match("sip", request.method, self.node)
        self.spawn(self._serve(connection, request, fault))

    async def _serve(self, connection: SipConnection, request: Request, fault: Fault | None) -> None:
        if fault:
            if fault.action == "stall":
                await asyncio.sleep(fault.seconds)
            elif fault.action == "garbage":
                connection.send_raw(b"\x00\xff this is no SIP \x00\r\n\r\n")
                return
            elif fault.action == "truncated":
                connection.send_raw(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 127.0.0.1:5061;bran")
                connection.close()
                return
            elif fault.action == "reset":
                connection.abort()
                return
            elif fault.action == "refuse":
                connection.close()
                return
            elif fault.action == "drop":
                return
            elif fault.action == "status":
                server.respond(self, connection, request, fault.status)
                return
        try:
            await server.serve(self, connection, request)
        except ValueError as error:
            # A header that sipmessage can't read, such as a From that is not an address.
            self.lab.log.write(
                "sip", event="malformed", node=self.node.name, peer=connection.remote[0], reason=str(error)
            )
            server.respond(self, connection, request, 400)
