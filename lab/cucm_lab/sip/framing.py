# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIP messages in a stream of bytes (RFC 3261, 18.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*(\d+)", re.IGNORECASE)
_LIMIT = 256 * 1024
#: first bytes of a TLS alert and of a handshake
_TLS_RECORDS = (b"\x15", b"\x16")


class NotSip(ValueError):
    """The bytes are no SIP; the text says why."""


class Framer:
    """Collects the bytes of one connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def messages(self, data: bytes) -> Iterator[bytes]:
        """Take bytes; every message that is complete now. NotSip."""
        self._buffer += data
        while True:
            self._buffer = bytearray(self._buffer.lstrip(b"\r\n"))
            if self._buffer[:1] in _TLS_RECORDS:
                raise NotSip("TLS on a port without TLS")
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > _LIMIT:
                    raise NotSip("no end of the header fields")
                return
            length = _LENGTH.search(self._buffer[: end + 4])
            total = end + 4 + (int(length[1]) if length else 0)
            if total > _LIMIT:
                raise NotSip("longer than any SIP message")
            if len(self._buffer) < total:
                return
            raw = bytes(self._buffer[:total])
            del self._buffer[:total]
            yield raw
