# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OPTIONS ping of the trunks of a node, and the trunk status that follows from it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .connection import ConnectionFailed, ConnectionLost
from .messages import Leg
from .peers import address
from .trunk import Ping, Trunk, nodes_of

if TYPE_CHECKING:
    from ..world import Cluster
    from .endpoint import SipEndpoint

#: responses that mean: not alive
_DEAD = {408, 503}


@dataclass
class PeerState:
    """One destination as the pings see it; `alive` None before the first result."""

    host: str
    ip: str
    port: int
    alive: bool | None = None
    #: "Local=1", "Remote=503", or empty while alive
    reason: str = ""
    text: str = ""


@dataclass
class TrunkState:
    """A trunk on one node."""

    trunk: Trunk
    peers: list[PeerState] = field(default_factory=list)
    since: float = 0.0
    status: str = "Unknown"
    #: the destinations that are out of service, in the alarm's words
    down: tuple[str, ...] = ()
    task: asyncio.Task[None] | None = None

    def outcome(self) -> str:
        """In service when at least one peer is alive."""
        if any(peer.alive is None for peer in self.peers) and not any(peer.alive for peer in self.peers):
            return "Unknown"
        return "Registered" if any(peer.alive for peer in self.peers) else "UnRegistered"


class Pinger:
    """The pings of one node."""

    def __init__(self, endpoint: SipEndpoint) -> None:
        self._endpoint = endpoint
        self.states: dict[str, TrunkState] = {}

    def follow(self, trunks: Iterable[Trunk]) -> None:
        """Ping exactly these trunks, if they run here and their SIP profile enables the ping."""
        wanted = {trunk.name: trunk for trunk in trunks if trunk.ping and self._endpoint.runs(trunk)}
        for name in list(self.states):
            if wanted.get(name) != self.states[name].trunk:
                self._end(name)
        for name, trunk in wanted.items():
            if name not in self.states:
                self._begin(trunk)

    def restart(self, names: set[str]) -> None:
        """Ping these trunks anew, from an unknown status."""
        for name in names & self.states.keys():
            self._end(name)
        self.follow(self._endpoint.trunks())

    def stop(self) -> None:
        """End all pings."""
        for name in list(self.states):
            self._end(name)

    def _begin(self, trunk: Trunk) -> None:
        state = TrunkState(trunk, [PeerState(host, host, port) for host, port in trunk.destinations])
        state.since = self._endpoint.lab.clock.time()
        self.states[trunk.name] = state
        assert trunk.ping is not None
        # The handshakes of many trunks are spread over time.
        state.task = self._endpoint.spawn(self._run(state, trunk.ping, len(self.states) * 0.02))

    def _end(self, name: str) -> None:
        state = self.states.pop(name)
        if state.task:
            state.task.cancel()

    async def _run(self, state: TrunkState, ping: Ping, delay: float) -> None:
        await asyncio.sleep(delay)
        while True:
            await asyncio.gather(*(self._ping(state.trunk, peer, ping) for peer in state.peers))
            self._update(state)
            status = state.status
            await asyncio.sleep(max(1, ping.up if status == "Registered" else ping.down))

    def _update(self, state: TrunkState) -> None:
        """Store the results; log and trace what changed."""
        endpoint = self._endpoint
        down = tuple(f"{peer.host}, {peer.ip}, {peer.port}, {peer.reason}" for peer in state.peers if not peer.alive)
        status = state.outcome()
        if (status, down) == (state.status, state.down):
            return
        if status != state.status:
            state.since = endpoint.lab.clock.time()
        state.status, state.down = status, down
        endpoint.traces.trunk_status(state.trunk.name, status, down)
        endpoint.lab.log.write(
            "sip", event="trunk_status", node=endpoint.node.name, trunk=state.trunk.name, status=status,
            peers=[f"{peer.host}:{peer.port} {peer.reason or 'alive'}" for peer in state.peers],
        )  # fmt: skip

    async def _ping(self, trunk: Trunk, peer: PeerState, ping: Ping) -> None:
        endpoint = self._endpoint
        try:
            peer.ip = await endpoint.resolve(peer.host)
            try:
                code = await self._options(trunk, peer, ping)
            except ConnectionLost:
                # The peer may have reset its own trunk meanwhile.
                if not endpoint.lab.inferred["sip.ping_sent_again"]:
                    raise
                code = await self._options(trunk, peer, ping)
        except ConnectionFailed as failure:
            peer.alive, peer.reason, peer.text = False, f"Local={failure.local}", str(failure)
            return
        except TimeoutError:
            peer.alive, peer.reason, peer.text = False, "Local=1", "no answer to OPTIONS"
            return
        peer.alive = code not in _DEAD
        peer.reason = "" if peer.alive else f"Remote={code}"
        peer.text = f"answered {code}"

    async def _options(self, trunk: Trunk, peer: PeerState, ping: Ping) -> int:
        """The final answer's code; ConnectionLost when the connection ended before it, ConnectionFailed without one."""
        endpoint = self._endpoint
        connection = await endpoint.connect(trunk, peer.host, peer.port)
        leg = Leg(
            transport=connection.transport_name,
            local=endpoint.node.address,
            local_port=trunk.incoming_port,
            remote=connection.remote[0],
            remote_port=connection.remote[1],
            user_agent=endpoint.cluster.release.user_agent,
        )
        request = leg.request("OPTIONS", endpoint.lab.clock.now(), max_forwards=0)
        answers = connection.expect(leg.call_id, f"{leg.sequence} OPTIONS")
        identifier = endpoint.traces.ping_begins(trunk.name, connection)
        code = 0
        try:
            connection.send(request)
            answer = await asyncio.wait_for(answers.get(), (ping.retries + 1) * ping.retry_ms / 1000)
            if isinstance(answer, ConnectionFailed):
                raise ConnectionLost(str(answer), local=answer.local)
            code = int(answer.code)
        finally:
            connection.forget(leg.call_id, f"{leg.sequence} OPTIONS")
            named = peer.host != connection.remote[0]
            endpoint.traces.ping_ended(trunk.name, connection, identifier, code, named=named)
        return code


def trunk_status(cluster: Cluster) -> list[dict[str, Any]]:
    """Every trunk of a cluster on every node where it runs, for RIS.

    Keys: name, description, node, address (of the node), status ("Registered", "UnRegistered", or, without
    OPTIONS ping, what `ris.trunk_without_ping` says), since (lab clock), security_mode, transport, destinations
    (host, ip, port, alive, reason such as "Local=2", text), connected_tls (a TLS connection is up).
    """
    rows: list[dict[str, Any]] = []
    for node in cluster.nodes:
        endpoint: SipEndpoint | None = node.sip
        if endpoint is None or not endpoint.running:
            continue
        for trunk in endpoint.trunks():
            if node not in nodes_of(cluster, trunk):
                continue
            state = endpoint.pinger.states.get(trunk.name)
            peers = state.peers if state else [
                PeerState(host, address(cluster.lab, host), port) for host, port in trunk.destinations
            ]  # fmt: skip
            rows.append(
                {
                    "name": trunk.name,
                    "description": trunk.description,
                    "node": node.name,
                    "address": node.address,
                    "status": state.status if state else cluster.lab.inferred["ris.trunk_without_ping"],
                    "since": state.since if state else None,
                    "security_mode": trunk.security_mode,
                    "transport": "TLS" if trunk.outgoing_tls else "TCP",
                    "destinations": [vars(peer) for peer in peers],
                    "connected_tls": any(
                        connection.trunk and connection.trunk.name == trunk.name and connection.engine
                        for connection in endpoint.connections
                    ),
                }
            )
    return rows
