# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tandem calls: a call that comes in over one trunk and goes out over another, by a route pattern.

CUCM stands between the two as a back-to-back user agent: each leg is a dialog of its own, and the phones' SDP passes
through, so that the media runs between the phones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sipmessage import Request, Response

from . import digits, sdp, server
from .client import CallFailed, CallLost, Origin, by_route, empty_result
from .connection import SipConnection
from .trunk import Trunk

if TYPE_CHECKING:
    from .endpoint import SipEndpoint

_MOST_HOPS = 70


@dataclass(frozen=True)
class Incoming:
    """The leg that came in."""

    endpoint: SipEndpoint
    connection: SipConnection
    request: Request
    call: server.IncomingCall
    trunk: Trunk

    def respond(self, code: int, body: bytes = b"") -> None:
        """Answer the INVITE."""
        transport = self.connection.transport_name.lower()
        contact = (
            f"<sip:{self.call.called}@{self.endpoint.node.address}:{self.connection.local[1]};transport={transport}>"
        )
        server.respond(
            self.endpoint, self.connection, self.request, code, to_tag=self.call.to_tag,
            contact=contact if code < 300 else "", body=body,
        )  # fmt: skip

    def log(self, result: str, status: int) -> None:
        """Write how it ended into the lab's log."""
        server.log_call(self.endpoint, self.connection, self.call, result=result, status=status)


@dataclass(frozen=True)
class _Passed(Origin):
    """An outgoing leg that passes on a call from another trunk."""

    leg: Incoming | None = None
    offered: bytes = b""

    def offer(self, address: str, *, srtp: bool) -> bytes:
        """What the caller offered, unless this trunk may not offer its keys."""
        found = sdp.parse(self.offered)
        return self.offered if found and found.srtp == srtp else sdp.build(address, srtp=srtp)

    def ringing(self) -> None:
        """The caller hears it."""
        assert self.leg is not None
        self.leg.respond(180)

    async def talk(self, answer: Response) -> None:
        """Hand the answer to the caller, and wait until it hangs up."""
        assert self.leg is not None
        leg, call = self.leg, self.leg.call
        found, wanted = sdp.parse(answer.body), sdp.parse(self.offered)
        srtp = bool(found and found.srtp and leg.trunk.srtp_allowed)
        # The caller may have offered keys that this trunk did not pass on.
        tag = wanted.tag if wanted else "1"
        body = answer.body if found and found.srtp == srtp else sdp.build(leg.endpoint.node.address, srtp=srtp, tag=tag)
        call.srtp = srtp
        leg.respond(200, body)
        acknowledged = await server.within(call.acknowledged, server.ACK_SECONDS)
        leg.log("passed on" if acknowledged else "not acknowledged", 200)
        if acknowledged:
            await server.within(call.ended, 3600)


async def pass_on(leg: Incoming, match: digits.Match) -> None:
    """Send an incoming call out again by the route pattern that it matched, and answer it as that leg is answered."""
    endpoint, call = leg.endpoint, leg.call
    hops = _hops(endpoint, leg.request)
    if hops <= 0:
        leg.respond(483)
        leg.log("rejected", 483)
        return
    offered = leg.request.body or b""
    found = sdp.parse(offered)
    secure = leg.trunk.srtp_allowed and (found is None or found.srtp)
    origin = _Passed(call.calling, leg.trunk.name, secure, hops, leg=leg, offered=offered)
    result = empty_result(call.calling, match.called)
    endpoint.calls[call.call_id] = call
    try:
        await _until_hung_up(by_route(endpoint, match, origin, result), call)
    except CallLost as loss:
        leg.log("lost", 200)
        result["result"], result["reason"] = "lost", str(loss)
    except CallFailed as failure:
        status = failure.status or int(endpoint.lab.inferred["sip.tandem_failure"])
        leg.respond(status)
        leg.log("rejected", status)
        result["reason"], result["status"] = str(failure), status
    except asyncio.CancelledError:
        leg.respond(487)
        leg.log("cancelled", 487)
        result["reason"] = "the caller hung up"
    else:
        result["result"] = "answered"
        result["secure"] = result["srtp"] and result["transport"] == "TLS"
    finally:
        endpoint.calls.pop(call.call_id, None)
        endpoint.lab.log.write("sip", event="call_passed_on", cluster=endpoint.cluster.name, came_by=leg.trunk.name,
                               **result)  # fmt: skip


def _hops(endpoint: SipEndpoint, request: Request) -> int:
    """Max-Forwards of the leg that goes out."""
    if not endpoint.lab.inferred["sip.tandem_counts_hops"]:
        return _MOST_HOPS
    given = request.headers.get("Max-Forwards") or str(_MOST_HOPS)
    return int(given) - 1 if given.isascii() and given.isdigit() else _MOST_HOPS


async def _until_hung_up(going_out: Coroutine[Any, Any, None], call: server.IncomingCall) -> None:
    """Let a call go out; CancelledError when the caller hangs up before it is answered."""
    work = asyncio.ensure_future(going_out)
    hung_up = asyncio.ensure_future(call.ended.wait())
    try:
        await asyncio.wait({work, hung_up}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and not call.acknowledged.is_set():
            work.cancel()
        await work
    finally:
        hung_up.cancel()
        work.cancel()
