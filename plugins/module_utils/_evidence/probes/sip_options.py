# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A SIP OPTIONS request over a connection that is up, and its answer. Private to this collection."""

from __future__ import annotations

import secrets
import time
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probes.handshake import Handshake
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.sip_text import SipMessage, in_stream


def request(host: str, port: int, own: tuple[str, int]) -> bytes:
    """An OPTIONS for the server itself (RFC 3261, 11). Max-Forwards 0: who gets it answers it, by 483 if need be."""
    target, here = (f"[{address}]" if ":" in address else address for address in (host, own[0]))
    mark = secrets.token_hex(8)
    lines = (
        f"OPTIONS sip:{target}:{port};transport=tls SIP/2.0",
        f"Via: SIP/2.0/TLS {here}:{own[1]};branch=z9hG4bK{mark};rport",
        "Max-Forwards: 0",
        f"From: <sip:probe@{here}>;tag={mark[:8]}",
        f"To: <sip:{target}:{port}>",
        f"Call-ID: {mark}@{here}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:probe@{here}:{own[1]};transport=tls>",
        "Accept: application/sdp",
        "User-Agent: siptls.cucm",
        "Content-Length: 0",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def ask(connection: Handshake, host: str, port: int, wait: float, early: bytes = b"") -> dict[str, Any]:
    """Send OPTIONS and wait (seconds) for a final answer. early: what the server had said before.

    Any final status counts as alive, 483 and 503 too: SIP answered. trouble says why there was no answer.
    """
    own = connection.socket.getsockname()
    nothing = {"alive": False, "status": None, "answer": None, "server": None, "milliseconds": None}
    started = time.monotonic()
    if not connection.send(request(host, port, (str(own[0]), int(own[1])))):
        return {**nothing, "trouble": connection.seen.problem}
    pieces = [(0.0, 0, early)] if early else []
    while (left := started + wait - time.monotonic()) > 0:
        data = connection.receive(left)
        if not data:
            break
        pieces.append((0.0, 0, data))
        answer = _final(pieces)
        if answer is not None:
            return {
                "alive": True,
                "status": answer.status,
                "answer": answer.start_line,
                "server": answer.user_agent,
                "milliseconds": round((time.monotonic() - started) * 1000),
                "trouble": None,
            }
    return {**nothing, "trouble": connection.seen.problem or f"no SIP answer within {wait:g} s"}


def _final(pieces: list[tuple[float, int, bytes]]) -> SipMessage | None:
    found = (message for _time, _frame, message in in_stream(pieces))
    return next(
        (message for message in found if message.status and message.status >= 200 and message.cseq_method == "OPTIONS"),
        None,
    )
