# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incoming requests of a trunk: OPTIONS, and calls that phones answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sipmessage import Request, Response

from . import digits, messages, sdp
from .connection import SipConnection
from .peers import identify
from .trunk import Trunk

if TYPE_CHECKING:
    from ..world import Phone
    from .endpoint import SipEndpoint

#: how long a phone rings before it is answered, in seconds; real people take longer
RING_SECONDS = 0.05
#: how long a phone rings that nobody answers, in seconds
NO_ANSWER_SECONDS = 12.0
ACK_SECONDS = 8.0
#: SIP methods that these trunks do not accept
_NOT_HERE = {"REGISTER", "MESSAGE", "PUBLISH", "SUBSCRIBE", "NOTIFY", "INFO", "UPDATE", "REFER", "PRACK"}


@dataclass
class IncomingCall:
    """An incoming call of a trunk."""

    call_id: str
    to_tag: str
    calling: str
    called: str
    trunk: str
    connection: SipConnection
    srtp: bool = False
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


def respond(
    endpoint: SipEndpoint,
    connection: SipConnection,
    request: Request,
    code: int,
    *,
    to_tag: str = "",
    warning: str = "",
    contact: str = "",
    body: bytes = b"",
) -> Response:
    """Respond to a request over the connection that it came in on."""
    response = messages.answer(
        request,
        code,
        endpoint.lab.clock.now(),
        user_agent=endpoint.cluster.release.user_agent,
        to_tag=to_tag,
        warning=warning,
        contact=contact,
        body=body,
        source=connection.remote,
    )
    if not connection.closed:
        connection.send(response)
    return response


async def serve(endpoint: SipEndpoint, connection: SipConnection, request: Request) -> None:
    """Do what a request asks for."""
    if request.method == "ACK":
        call = endpoint.calls.get(request.headers["Call-ID"])
        if call:
            call.acknowledged.set()
        return
    refused = connection.engine is not None and connection.candidates == set()
    trunk = None if refused else identify(connection)
    if trunk and not endpoint.runs(trunk) and endpoint.lab.inferred["sip.trunk_elsewhere"] == "refuse":
        trunk = None
    if trunk is None:
        _refuse(endpoint, connection, request, mismatch=refused)
    elif request.method == "OPTIONS":
        connection.trunk = trunk
        forwards = request.headers.get("Max-Forwards")
        respond(endpoint, connection, request, 483 if forwards == "0" else 200, to_tag=messages.new_tag())
    elif request.method == "INVITE":
        connection.trunk = trunk
        await _invite(endpoint, connection, request, trunk)
    elif request.method in ("BYE", "CANCEL"):
        _end(endpoint, connection, request)
    elif request.method in _NOT_HERE:
        respond(endpoint, connection, request, 405)
    else:
        respond(endpoint, connection, request, 501)


def _refuse(endpoint: SipEndpoint, connection: SipConnection, request: Request, *, mismatch: bool) -> None:
    peer, port = connection.remote[0], connection.local[1]
    if mismatch:
        respond(endpoint, connection, request, 403, to_tag=messages.new_tag())
        reason = "subject_name_mismatch"
    else:
        warning = (
            f'399 {endpoint.node.name} "Unable to find a device handler for the request received on port {port} '
            f'from {peer}"'
        )
        respond(endpoint, connection, request, 503, to_tag=messages.new_tag(), warning=warning)
        reason = "no_trunk_for_address"
    endpoint.lab.log.write(
        "sip", event="request_refused", node=endpoint.node.name, method=request.method, peer=peer, port=port,
        reason=reason,
    )  # fmt: skip


def _end(endpoint: SipEndpoint, connection: SipConnection, request: Request) -> None:
    call = endpoint.calls.get(request.headers["Call-ID"])
    if call is None:
        respond(endpoint, connection, request, 481)
        return
    respond(endpoint, connection, request, 200)
    call.ended.set()


async def _invite(endpoint: SipEndpoint, connection: SipConnection, request: Request, trunk: Trunk) -> None:
    settings = bool(endpoint.lab.inferred["sip.incoming_called_settings"])
    called = trunk.incoming.called(unquote(request.uri.user or ""), settings=settings)
    calling = unquote(request.from_address.uri.user or "")
    call = IncomingCall(request.headers["Call-ID"], messages.new_tag(), calling, called, trunk.name, connection)
    respond(endpoint, connection, request, 100)
    match = digits.analyse(endpoint.cluster, called, digits.search_space(endpoint.cluster, trunk.css))
    endpoint.traces.digit_analysis(calling, called, match)
    if match is not None and match.route is not None and not match.blocked:
        # Not at the top: a tandem call is a call of both sides.
        from . import tandem

        await tandem.pass_on(tandem.Incoming(endpoint, connection, request, call, trunk), match)
        return
    offer = sdp.parse(request.body) if request.body else None
    code = _refusal(endpoint, match.phone if match else None)
    if code is None and offer and offer.srtp and not trunk.srtp_allowed and not _may_fall_back(endpoint, request):
        code = 488
    if code is not None:
        respond(endpoint, connection, request, code, to_tag=call.to_tag)
        log_call(endpoint, connection, call, result="rejected", status=code)
        return
    assert match is not None and match.phone is not None
    endpoint.calls[call.call_id] = call
    try:
        await _Answering(endpoint, connection, request, trunk).talk(call, match.phone, offer)
    finally:
        endpoint.calls.pop(call.call_id, None)


def _refusal(endpoint: SipEndpoint, phone: Phone | None) -> int | None:
    if phone is None:
        return 404
    if endpoint.cluster.telephones.registration(phone).node is None:
        return int(endpoint.lab.inferred["sip.unregistered_phone"])
    return 486 if phone.behaviour == "busy" else None


def _may_fall_back(endpoint: SipEndpoint, request: Request) -> bool:
    supported = ",".join(request.headers.getlist("Supported"))
    return bool(endpoint.lab.inferred["sip.srtp_fallback"]) and "X-cisco-srtp-fallback" in supported


@dataclass(frozen=True)
class _Answering:
    """A phone's side of an INVITE."""

    endpoint: SipEndpoint
    connection: SipConnection
    request: Request
    trunk: Trunk

    async def talk(self, call: IncomingCall, phone: Phone, offer: sdp.Description | None) -> None:
        """Ring, answer, and wait until the caller hangs up."""
        endpoint, connection, request, trunk = self.endpoint, self.connection, self.request, self.trunk
        transport = connection.transport_name
        contact = f"<sip:{call.called}@{endpoint.node.address}:{connection.local[1]};transport={transport.lower()}>"
        endpoint.traces.call_offered(call.calling, call.called, trunk.name, phone.name)
        respond(endpoint, connection, request, 180, to_tag=call.to_tag, contact=contact)
        ring = NO_ANSWER_SECONDS if phone.behaviour == "no_answer" else RING_SECONDS
        if await within(call.ended, ring):
            respond(endpoint, connection, request, 487, to_tag=call.to_tag)
            log_call(endpoint, connection, call, result="cancelled", status=487)
            return
        if phone.behaviour == "no_answer":
            respond(endpoint, connection, request, 480, to_tag=call.to_tag)
            log_call(endpoint, connection, call, result="not answered", status=480)
            return
        secure = endpoint.cluster.telephones.does_srtp(phone)
        call.srtp = trunk.srtp_allowed and secure and (offer is None or offer.srtp)
        body = sdp.build(endpoint.node.address, srtp=call.srtp, tag=offer.tag if offer else "1")
        respond(endpoint, connection, request, 200, to_tag=call.to_tag, contact=contact, body=body)
        acknowledged = await within(call.acknowledged, ACK_SECONDS)
        log_call(endpoint, connection, call, result="answered" if acknowledged else "not acknowledged", status=200)
        if acknowledged:
            await within(call.ended, 3600)
        endpoint.traces.call_released(call.calling, call.called)


async def within(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event comes about in time."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


def log_call(endpoint: SipEndpoint, connection: SipConnection, call: IncomingCall, *, result: str, status: int) -> None:
    """Write a call that came in into the lab's log."""
    engine = connection.engine
    endpoint.lab.log.write(
        "sip", event="call_in", node=endpoint.node.name, trunk=call.trunk, peer=connection.remote[0],
        calling=call.calling, called=call.called, result=result, status=status, transport=connection.transport_name,
        tls_version=engine.version if engine else None, cipher=engine.cipher if engine else None, srtp=call.srtp,
        call_id=call.call_id,
    )  # fmt: skip
