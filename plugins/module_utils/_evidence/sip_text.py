# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIP messages as evidence: what a capture or a trace shows of them, without their secrets. Private to this collection.

SDP carries SRTP keys in clear text. They are never kept: a message only says B(that) it carried keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

METHODS = "INVITE|ACK|BYE|CANCEL|OPTIONS|REGISTER|PRACK|SUBSCRIBE|NOTIFY|PUBLISH|INFO|REFER|MESSAGE|UPDATE"
START_LINE = re.compile(
    rf"(?:(?P<method>{METHODS}) (?P<uri>\S+) SIP/2\.0\s*|SIP/2\.0 (?P<status>\d{{3}})(?: (?P<words>.*))?)$"
)
_START_BYTES = re.compile(rb"(?m)^(?:(?:" + METHODS.encode() + rb") \S+ SIP/2\.0|SIP/2\.0 \d{3}[^\r\n]*)\r?$")
_SHORT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "l": "content-length",
    "m": "contact",
    "c": "content-type",
}
_FOLD = re.compile(r"\n(?=[ \t])")
_AUDIO = re.compile(r"m=audio\s+(\d{1,5})\S*\s+(\S+)")
_WITHOUT_SRTP = {"RTP/AVP", "RTP/AVPF"}
_TAG = re.compile(r";\s*tag\s*=")
_USER = re.compile(r"(?<![^\s<])sips?:(?:([^@<>;\s]*)@)?([^<>;:\s]+)")
# A message of a trunk is a few KB; this bounds what one broken Content-Length can take.
MOST_MESSAGE = 262_144


@dataclass
class SipMessage:
    """One SIP message; numbers are the user parts of From and To."""

    start_line: str
    method: str | None
    status: int | None
    call_id: str | None
    cseq: str | None
    via_transport: str | None
    calling: str | None
    called: str | None
    user_agent: str | None
    media: str | None
    srtp: bool | None
    address: str | None = None
    port: int | None = None
    warning: str | None = None
    reason: str | None = None
    #: of a request: it belongs to a dialog that was there before it
    in_dialog: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        """For a module's result."""
        return {key: value for key, value in vars(self).items() if value is not None}

    @property
    def cseq_method(self) -> str | None:
        """The method that the message is, or answers."""
        return self.method or (self.cseq.split()[-1] if self.cseq else None)


def parse(text: str) -> SipMessage | None:
    """A SIP message from its text; None if its first line is not a start line. Cut texts are read as far as they go.

    A header that ends with the text may be cut, and is left out.
    """
    head, blank, body = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n").partition("\n\n")
    # A line that begins with a blank continues the one before (RFC 3261, 7.3.1).
    head = _FOLD.sub(" ", head)
    # No header of a real message is longer; a broken one must not keep a regular expression busy.
    lines = [line[:2000] for line in head.split("\n")]
    start = START_LINE.match(lines[0])
    if not start:
        return None
    headers: dict[str, str] = {}
    whole = blank or head.endswith("\n")
    for line in lines[1:] if whole else lines[1:-1]:
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            headers.setdefault(_SHORT.get(key, key), value.strip())
    via = re.match(r"(?i)SIP\s*/\s*2\.0\s*/\s*(\w+)", headers.get("via", ""))
    uri = _USER.search(start["uri"] or "")
    media, srtp = _media(body)
    return SipMessage(
        start_line=lines[0].strip(),
        method=start["method"],
        status=int(start["status"]) if start["status"] else None,
        call_id=headers.get("call-id"),
        cseq=headers.get("cseq"),
        via_transport=via[1].upper() if via else None,
        calling=_user(headers.get("from")),
        called=(uri[1] if uri and uri[1] else None) or _user(headers.get("to")),
        user_agent=headers.get("user-agent") or headers.get("server"),
        media=media,
        srtp=srtp,
        warning=headers.get("warning"),
        reason=headers.get("reason"),
        in_dialog=True if start["method"] and _TAG.search(headers.get("to", "")) else None,
    )


def _user(value: str | None) -> str | None:
    found = _USER.search(value or "")
    return found[1] if found and found[1] else None


def _media(body: str) -> tuple[str | None, bool | None]:
    """(profile of the first audio line that is in use, whether every such line has SRTP keys) of an SDP body.

    A line with port 0 refuses the media (RFC 3264, 6); with DTLS-SRTP a fingerprint stands for the keys. A body may be
    cut: that it carries no keys is said only of profiles without SRTP. Some offer both, as two lines, or as keys with a
    profile without SRTP (RFC 8643): then the other end chooses.
    """
    lines = [part for part in re.split(r"(?m)^(?=m=)", body)[1:] if part.startswith("m=audio")]
    used = [found for part in lines if (found := _AUDIO.match(part)) and int(found[1]) != 0]
    if not used:
        refused = _AUDIO.match(lines[0]) if lines else None
        return (refused[2] if refused else None), None
    keyed = ["a=crypto:" in found.string or "a=fingerprint:" in body for found in used]
    if all(found[2].upper() in _WITHOUT_SRTP for found in used) and not any(keyed):
        return used[0][2], False
    return used[0][2], True if all("SAVP" in found[2] for found in used) and all(keyed) else None


def in_stream(pieces: Iterable[tuple[float, int, bytes]]) -> Iterator[tuple[float, int, SipMessage]]:
    """The SIP messages in a direction's bytes, given as (time, frame, bytes); junk between them is passed over."""
    buffer = bytearray()
    for time, frame, data in pieces:
        buffer += data
        while True:
            taken, message = _first(buffer)
            if message is not None:
                yield time, frame, message
            if not taken:
                break
            del buffer[:taken]
        if len(buffer) > MOST_MESSAGE:
            del buffer[: len(buffer) - 4096]
    if buffer:
        start = _START_BYTES.search(bytes(buffer))
        message = parse(bytes(buffer[start.start() :]).decode("utf-8", "replace")) if start else None
        if message is not None:
            yield time, frame, message


def _first(buffer: bytearray) -> tuple[int, SipMessage | None]:
    """(bytes to drop, message) of the first whole message; (0, None) when more bytes are needed."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return 0, None
    head = bytes(buffer[:end])
    start = _START_BYTES.search(head)
    if not start:
        return end + 4, None
    length = re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d{1,9})", head)
    body = min(int(length[1]), MOST_MESSAGE) if length else 0
    stop = end + 4 + body
    if len(buffer) < stop:
        return 0, None
    return stop, parse(bytes(buffer[start.start() : stop]).decode("utf-8", "replace"))
