# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SDP of a call: G.711 audio, RTP or SRTP with keys in `a=crypto` (RFC 4568)."""

from __future__ import annotations

import base64
import itertools
import re
import secrets
from dataclasses import dataclass

_SUITE = "AES_CM_128_HMAC_SHA1_32"
_MEDIA = re.compile(r"^m=audio (\d+) (RTP/S?AVP)", re.MULTILINE)
_CRYPTO = re.compile(r"^a=crypto:(\d+) (\S+) inline:(\S+)", re.MULTILINE)
_KEY = re.compile(rb"(?m)^(a=crypto:\d+ \S+ inline:)(\S+)")
#: a phone's media ports: even numbers of CUCM's range
_ports = itertools.cycle(range(16384, 32766, 2))
_sessions = itertools.count(2000)


@dataclass(frozen=True)
class Description:
    """What an SDP says about the audio stream."""

    port: int
    srtp: bool
    tag: str = "1"


def build(address: str, *, srtp: bool, tag: str = "1") -> bytes:
    """An offer or answer of a phone at `address`; with `srtp` a new 30-byte key and salt."""
    session = next(_sessions)
    lines = [
        "v=0",
        f"o=CiscoSystemsCCM-SIP {session} 1 IN IP4 {address}",
        "s=SIP Call",
        f"c=IN IP4 {address}",
        "t=0 0",
        f"m=audio {next(_ports)} {'RTP/SAVP' if srtp else 'RTP/AVP'} 0 101",
    ]
    if srtp:
        lines.append(f"a=crypto:{tag} {_SUITE} inline:{base64.b64encode(secrets.token_bytes(30)).decode()}")
    lines += ["a=rtpmap:0 PCMU/8000", "a=ptime:20", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"]
    return ("\r\n".join(lines) + "\r\n").encode()


def parse(body: bytes) -> Description | None:
    """The audio stream of an SDP, or None when it has none. SRTP needs the profile and a key of 30 bytes."""
    text = body.decode("utf-8", "replace").replace("\r\n", "\n")
    media = _MEDIA.search(text)
    if not media:
        return None
    crypto = _CRYPTO.search(text)
    keyed = bool(crypto) and _key_length(crypto[3]) == 30 if crypto else False
    return Description(int(media[1]), media[2] == "RTP/SAVP" and keyed, crypto[1] if crypto else "1")


def _key_length(inline: str) -> int:
    try:
        return len(base64.b64decode(inline.partition("|")[0], validate=True))
    except ValueError:
        return 0


def masked(message: bytes) -> bytes:
    """A message whose SRTP keys are asterisks of the same length."""
    return _KEY.sub(lambda match: match[1] + b"*" * len(match[2]), message)
