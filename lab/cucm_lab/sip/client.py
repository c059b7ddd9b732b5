# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outgoing calls: from a phone or a trunk by a route pattern, a trunk and its destinations to the response."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict
from weakref import WeakKeyDictionary

from sipmessage import Response

from . import digits, sdp
from .connection import ConnectionFailed, SipConnection
from .messages import Leg
from .trunk import Router, Trunk, nodes_of

if TYPE_CHECKING:
    from ..world import Cluster, Lab
    from .endpoint import SipEndpoint

#: how long a caller waits for the first answer, and for the call to be answered, in seconds
FIRST_ANSWER_SECONDS = 6.0
RINGING_SECONDS = 20.0
#: duration of a call, unless another one is given, and the longest
HOLD_SECONDS = 0.1
LONGEST_SECONDS = 3600.0
#: how often a connected call is checked, in seconds
LOOK_SECONDS = 0.1

CallResult = TypedDict(
    "CallResult",
    {
        "from": str,
        "to": str,
        #: "answered", "failed", or "lost": answered, and ended by a cluster before the caller hung up
        "result": str,
        #: the final SIP status of the last attempt; 0 without one
        "status": int,
        #: a sentence; empty for an answered call
        "reason": str,
        #: "TLS", "TCP", "local" (a phone of the same cluster), or empty
        "transport": str,
        "tls_version": str,
        "cipher": str,
        #: both ends agreed on keys
        "srtp": bool,
        #: TLS and SRTP
        "secure": bool,
        "trunk": str,
        "node": str,
        "peer": str,
        "call_id": str,
        "steps": list[str],
    },
)

_routers: WeakKeyDictionary[Cluster, Router] = WeakKeyDictionary()

#: final answers after which the next destination or trunk is tried
_TRY_NEXT = {408, 500, 502, 503, 504}


class CallFailed(Exception):
    """A call that was not answered: why, and the SIP status of the last attempt; 0 when there was none."""

    def __init__(self, reason: str, status: int = 0, *, final: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        #: no other trunk would change it
        self.final = final


class CallLost(CallFailed):
    """A call that ended while it was connected, before the caller hung up."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, 200, final=True)


@dataclass(frozen=True)
class Origin:
    """Where a call that goes out comes from; this one is a phone."""

    calling: str
    device: str
    #: it can do SRTP
    secure: bool
    max_forwards: int = 70
    hold: float = HOLD_SECONDS

    def offer(self, address: str, *, srtp: bool) -> bytes:
        """The SDP of the INVITE."""
        return sdp.build(address, srtp=srtp)

    def ringing(self) -> None:
        """The called phone rings."""

    async def talk(self, answer: Response) -> None:
        """The call was answered; return when it is to end."""
        await asyncio.sleep(self.hold)


def empty_result(calling: str, called: str) -> CallResult:
    """The result of a call that has not begun."""
    return {
        "from": calling, "to": called, "result": "failed", "status": 0, "reason": "", "transport": "",
        "tls_version": "", "cipher": "", "srtp": False, "secure": False, "trunk": "", "node": "", "peer": "",
        "call_id": "", "steps": [],
    }  # fmt: skip


async def place_call(
    lab: Lab, cluster: Cluster | str, calling: str, called: str, *, hold: float = HOLD_SECONDS
) -> CallResult:
    """Let a phone of a cluster dial a number and hang up after `hold` seconds; return what happened.

    A failed or lost call is a result, not an error. KeyError with a sentence for a cluster or a calling phone that the
    lab does not have.
    """
    if isinstance(cluster, str):
        cluster = lab.cluster(cluster)
    if not any(phone.extension == calling for phone in cluster.phones):
        have = ", ".join(phone.extension for phone in cluster.phones) or "none"
        raise KeyError(f"Cluster {cluster.name} has no phone {calling}; it has {have}.")
    result = empty_result(calling, called)
    try:
        await _route(cluster, calling, called, result, min(hold, LONGEST_SECONDS))
        result["result"] = "answered"
    except CallLost as loss:
        result["result"], result["reason"] = "lost", str(loss)
    except CallFailed as failure:
        result["reason"], result["status"] = str(failure), failure.status or result["status"]
    result["secure"] = result["result"] == "answered" and result["srtp"] and result["transport"] == "TLS"
    lab.log.write("sip", event="call_out", cluster=cluster.name, **result)
    return result


async def _route(cluster: Cluster, calling: str, called: str, result: CallResult, hold: float) -> None:
    steps = result["steps"]
    phone = next(phone for phone in cluster.phones if phone.extension == calling)
    registration = cluster.telephones.registration(phone)
    if registration.node is None:
        raise CallFailed(f"The phone {calling} is not registered: {registration.reason}.")
    home: SipEndpoint = registration.node.sip
    result["node"] = home.node.name
    match = digits.analyse(cluster, called, digits.phone_space(cluster, phone))
    home.traces.digit_analysis(calling, called, match)
    if match is None:
        raise CallFailed(
            f"Digit analysis on {home.node.name}: {called} matches no phone and no route pattern in the calling search "
            f"space of {calling}.", 404,
        )  # fmt: skip
    for pattern in match.translations:
        steps.append(f"the translation pattern {pattern} changes the number")
    if match.blocked:
        raise CallFailed(f"The pattern {match.pattern} blocks calls.", 403)
    if match.phone:
        steps.append(f"{called} is a phone of {cluster.name} itself")
        there = cluster.telephones.registration(match.phone)
        if there.node is None:
            raise CallFailed(f"The phone {called} is not registered: {there.reason}.", 404)
        behaviour = {"busy": 486, "no_answer": 480}.get(match.phone.behaviour)
        if behaviour:
            raise CallFailed(f"The phone {called} is {match.phone.behaviour.replace('_', ' ')}.", behaviour)
        result["transport"], result["status"] = "local", 200
        await _talk_inside(result, {home, there.node.sip}, hold)
        return
    assert match.route is not None
    steps.append(f"{called} matches the route pattern {match.pattern}")
    await by_route(home, match, Origin(calling, phone.name, cluster.telephones.does_srtp(phone), hold=hold), result)


async def _talk_inside(result: CallResult, endpoints: set[SipEndpoint], hold: float) -> None:
    """A call between two phones of a cluster, over the nodes on which they are registered; CallLost."""
    for endpoint in endpoints:
        endpoint.active.append(result)
    try:
        until = asyncio.get_running_loop().time() + hold
        while (left := until - asyncio.get_running_loop().time()) > 0:
            down = [endpoint.node.name for endpoint in endpoints if not endpoint.running]
            if down:
                raise CallLost(f"Cisco CallManager stopped on {down[0]}.")
            await asyncio.sleep(min(left, LOOK_SECONDS))
    finally:
        for endpoint in endpoints:
            endpoint.active.remove(result)


async def by_route(home: SipEndpoint, match: digits.Match, origin: Origin, result: CallResult) -> None:
    """Send a call out by a route pattern, over the first trunk that takes it. CallFailed."""
    assert match.route is not None
    router = _routers.setdefault(home.cluster, Router(home.cluster))
    devices = router.devices(match.route.get("destination") or {})
    if not devices:
        raise CallFailed(f"The route pattern {match.pattern} leads to no trunk: its route list is disabled or empty.")
    last = CallFailed("no trunk was tried")
    for device in devices:
        trunk = home.trunk(device)
        if trunk is None:
            last = CallFailed(f"{device}, to which the route pattern {match.pattern} leads, is not a SIP trunk.")
            continue
        try:
            await _through(home, trunk, origin, match.called, result)
            router.used(device)
            return
        except CallFailed as failure:
            last = failure
            if failure.final:
                break
    raise last


async def _through(home: SipEndpoint, trunk: Trunk, origin: Origin, called: str, result: CallResult) -> None:
    nodes = nodes_of(home.cluster, trunk)
    if not nodes:
        raise CallFailed(f"The trunk {trunk.name} runs on no node: Cisco CallManager is stopped on its group's nodes.")
    endpoint: SipEndpoint = home if home.node in nodes else nodes[0].sip
    result["node"], result["trunk"] = endpoint.node.name, trunk.name
    if not trunk.destinations:
        raise CallFailed(f"The trunk {trunk.name} has no destination.")
    last = CallFailed("no destination was tried")
    for host, port in trunk.destinations:
        result["peer"] = f"{host}:{port}"
        try:
            reused = endpoint.connected(trunk, host, port)
            try:
                await _call(trunk, await endpoint.connect(trunk, host, port), origin, called, result)
            except ConnectionFailed:
                # The peer may just have closed an idle connection: try a new one.
                if not reused or result["steps"][-1:] == ["180 Ringing"]:
                    raise
                await _call(trunk, await endpoint.connect(trunk, host, port), origin, called, result)
            return
        except ConnectionFailed as failure:
            last = CallFailed(f"{endpoint.node.name} → {host}:{port} over the trunk {trunk.name}: {failure}.")
        except TimeoutError:
            last = CallFailed(
                f"{endpoint.node.name} → {host}:{port} over the trunk {trunk.name}: no TLS handshake in time."
            )
        except CallFailed as failure:
            last = failure
            if failure.final:
                raise
        result["steps"].append(str(last))
    raise last


async def _call(trunk: Trunk, connection: SipConnection, origin: Origin, called: str, result: CallResult) -> None:
    endpoint = connection.endpoint
    engine = connection.engine
    result["transport"] = connection.transport_name
    result["tls_version"] = engine.version if engine else ""
    result["cipher"] = engine.cipher if engine else ""
    leg = Leg(
        transport=connection.transport_name,
        local=endpoint.node.address,
        local_port=trunk.incoming_port,
        remote=connection.remote[0],
        remote_port=connection.remote[1],
        user_agent=endpoint.cluster.release.user_agent,
        calling=origin.calling,
        called=called,
    )
    result["call_id"] = leg.call_id
    offers = trunk.srtp_allowed and origin.secure
    offer = origin.offer(endpoint.node.address, srtp=offers) if endpoint.lab.inferred["sip.early_offer"] else b""
    cseq = f"{leg.sequence} INVITE"
    answers = connection.expect(leg.call_id, cseq)
    try:
        endpoint.traces.call_offered(origin.calling, called, origin.device, trunk.name)
        invite = leg.request("INVITE", endpoint.lab.clock.now(), max_forwards=origin.max_forwards, body=offer)
        connection.send(invite)
        result["steps"].append(
            f"INVITE over {connection.transport_name} to {connection.remote[0]}:{connection.remote[1]}"
            f" with {'RTP/SAVP' if offers else 'RTP/AVP'}"
        )
        final = await _final(leg, connection, answers, origin, result)
    finally:
        connection.forget(leg.call_id, cseq)
    leg.answered(final)
    result["status"] = final.code
    answered = sdp.parse(final.body) if final.code == 200 else None
    late = b"" if offer or final.code != 200 else sdp.build(
        endpoint.node.address, srtp=bool(answered and answered.srtp and trunk.srtp_allowed)
    )  # fmt: skip
    connection.send(leg.request("ACK", endpoint.lab.clock.now(), body=late))
    if final.code != 200:
        warning = final.headers.get("Warning")
        said = f"{final.code} {final.phrase}" + (f" ({warning})" if warning else "")
        raise CallFailed(
            f"{connection.remote[0]}:{connection.remote[1]} answered {said} over the trunk {trunk.name}.",
            final.code,
            final=final.code not in _TRY_NEXT,
        )
    result["srtp"] = bool(offers and answered and answered.srtp)
    endpoint.active.append(result)
    try:
        await _talk(origin, final, connection)
    finally:
        endpoint.active.remove(result)
        await _bye(endpoint, leg, connection, result)


async def _talk(origin: Origin, answer: Response, connection: SipConnection) -> None:
    """Until the caller hangs up; CallLost when the node or the connection goes before."""
    endpoint = connection.endpoint
    talking = asyncio.ensure_future(origin.talk(answer))
    try:
        while not talking.done():
            if not endpoint.running:
                raise CallLost(f"Cisco CallManager stopped on {endpoint.node.name}.")
            if connection.closed and endpoint.lab.inferred["sip.call_needs_connection"]:
                raise CallLost(f"The connection with {connection.remote[0]} ended during the call.")
            await asyncio.wait({talking}, timeout=LOOK_SECONDS)
        await talking
    finally:
        talking.cancel()


async def _final(
    leg: Leg,
    connection: SipConnection,
    answers: asyncio.Queue[Response | ConnectionFailed],
    origin: Origin,
    result: CallResult,
) -> Response:
    endpoint, seconds = connection.endpoint, FIRST_ANSWER_SECONDS
    while True:
        try:
            answer = await asyncio.wait_for(answers.get(), seconds)
        except asyncio.CancelledError:
            # The caller hung up before the answer.
            await _cancel(endpoint, leg, connection, answers)
            raise
        except TimeoutError:
            if seconds == RINGING_SECONDS:
                await _cancel(endpoint, leg, connection, answers)
                raise CallFailed(
                    f"{connection.remote[0]} did not answer the call in {seconds:g} s.", 408, final=True
                ) from None
            raise CallFailed(f"{connection.remote[0]} did not answer the INVITE in {seconds:g} s.", 408) from None
        if isinstance(answer, ConnectionFailed):
            raise answer
        result["steps"].append(f"{answer.code} {answer.phrase}")
        if answer.code >= 200:
            return answer
        if answer.code == 180:
            origin.ringing()
        seconds = RINGING_SECONDS


async def _cancel(
    endpoint: SipEndpoint, leg: Leg, connection: SipConnection, answers: asyncio.Queue[Response | ConnectionFailed]
) -> None:
    """Give up; the peer then responds to the INVITE with 487, which requires an ACK."""
    connection.send(leg.request("CANCEL", endpoint.lab.clock.now()))
    try:
        answer = await asyncio.wait_for(answers.get(), 2)
    except TimeoutError:
        return
    if isinstance(answer, Response) and answer.code >= 300:
        leg.answered(answer)
        connection.send(leg.request("ACK", endpoint.lab.clock.now()))


async def _bye(endpoint: SipEndpoint, leg: Leg, connection: SipConnection, result: CallResult) -> None:
    leg.sequence += 1
    cseq = f"{leg.sequence} BYE"
    answers = connection.expect(leg.call_id, cseq)
    try:
        connection.send(leg.request("BYE", endpoint.lab.clock.now()))
        answer = await asyncio.wait_for(answers.get(), 2)
        if isinstance(answer, Response):
            result["steps"].append(f"BYE, {answer.code} {answer.phrase}")
    except (TimeoutError, ConnectionFailed) as error:
        # The call was answered; a lost end is only logged.
        result["steps"].append(f"BYE without an answer ({error or 'no answer in 2 s'})")
    finally:
        connection.forget(leg.call_id, cseq)
        endpoint.traces.call_released(leg.calling, leg.called)
