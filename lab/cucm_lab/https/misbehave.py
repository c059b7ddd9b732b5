# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the HTTPS interfaces: what a rule does to a request."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from ..faults import Fault
from . import pages
from .soap import XML

GARBAGE = b'\x00\xff\x13<html>%PDF-1.4 \x80\x81{["\xfe not what was asked'
MEMORY = "Maximum AXL Memory Allocation Consumed. Please retry once requests in progress have completed"
Handle = Callable[[], Awaitable[web.Response]]


def cut(request: web.BaseRequest) -> None:
    """End the connection with a TCP reset."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def apply(fault: Fault, request: web.BaseRequest, handle: Handle) -> web.StreamResponse:
    """Respond, or don't, as the rule says; `handle` carries the request out."""
    action = fault.action
    if action == "refuse":
        cut(request)
        return web.Response()
    if action == "status":
        return web.Response(status=fault.status, text=pages.status(fault.status), headers={"Content-Type": pages.HTML})
    if action == "garbage":
        return web.Response(body=GARBAGE, headers={"Content-Type": XML})
    if action == "stall":
        await asyncio.sleep(fault.seconds)
        return await handle()
    if action == "hang":
        await fault.gone()
    answer = await handle()
    body = answer.body if isinstance(answer.body, bytes) else b""
    kind = {"Content-Type": answer.headers.get("Content-Type", XML)}
    if action == "drop":
        cut(request)
    elif action == "truncated":
        return web.Response(status=answer.status, body=body[: len(body) // 2], headers=kind)
    elif action == "reset":
        partial = web.StreamResponse(status=answer.status, headers=kind)
        partial.content_length = len(body)
        await partial.prepare(request)
        await partial.write(body[: len(body) // 2])
        await asyncio.sleep(0.02)
        cut(request)
        return partial
    return answer
