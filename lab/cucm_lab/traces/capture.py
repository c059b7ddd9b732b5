# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packet capture of a node: the bytes that its SIP sockets sent and received, as TCP segments."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from . import packets
from .packets import ACK, FIN, MSS, PSH, RST, SYN, Address, Segment

if TYPE_CHECKING:
    from ..world import Lab, Node

#: packets that CUCM allows in a file
MAX_PACKETS = 100_000
_BOOT = packets.boot_number()


class Capture:
    """A running capture. `lines` yields the screen's lines; with a path the packets go to that file instead."""

    def __init__(
        self,
        hub: CaptureHub,
        matches: Callable[[Segment], bool],
        count: int | None,
        size: int,
        path: Path | None,
    ) -> None:
        self._hub = hub
        self._matches = matches
        self._limit = min(count or MAX_PACKETS, MAX_PACKETS) if path else count
        self._size = size
        self.path = path
        self.packets = 0
        #: set when the count is reached or the capture is stopped
        self.done = asyncio.Event()
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        self._screen = hub.screen()
        self._file: BinaryIO | None = None
        if path is not None:
            self._file = path.open("wb")
            self._file.write(packets.global_header())
            self._file.flush()

    def see(self, segment: Segment) -> None:
        """A segment passes."""
        if self.done.is_set() or not self._matches(segment):
            return
        self.packets += 1
        if self._file is not None:
            self._file.write(packets.record(segment, self._size))
            self._file.flush()
        else:
            self.queue.put_nowait(packets.screen_line(segment, self._screen))
        if self._limit is not None and self.packets >= self._limit:
            self.stop()

    def stop(self) -> None:
        """End it; the file is whole then."""
        if not self.done.is_set():
            self.done.set()
            self._hub.captures.discard(self)
            if self._file is not None:
                self._file.close()

    async def line(self) -> str | None:
        """The next line for the screen, or None at the capture's end."""
        if not self.queue.empty():
            return self.queue.get_nowait()
        getter, ender = asyncio.ensure_future(self.queue.get()), asyncio.ensure_future(self.done.wait())
        try:
            await asyncio.wait({getter, ender}, return_when=asyncio.FIRST_COMPLETED)
            if getter.done():
                return getter.result()
        finally:
            getter.cancel()
            ender.cancel()
        return self.queue.get_nowait() if not self.queue.empty() else None


class Flow:
    """One TCP connection as its node sees it; counts sequence numbers whether or not a capture runs."""

    def __init__(self, hub: CaptureHub, local: Address, remote: Address, *, client: bool) -> None:
        self._hub = hub
        self._local, self._remote, self._client = local, remote, client
        self._sent = packets.initial_sequence(local, remote, _BOOT)
        self._received = packets.initial_sequence(remote, local, _BOOT)
        self._ended = False

    def opened(self) -> None:
        """The three segments of the opening."""
        if self._client:
            self._out(SYN)
            self._sent += 1
            self._in(SYN | ACK)
            self._received += 1
            self._out(ACK)
        else:
            self._in(SYN)
            self._received += 1
            self._out(SYN | ACK)
            self._sent += 1
            self._in(ACK)

    def sent(self, data: bytes) -> None:
        """Bytes that we sent, and the peer's acknowledgement."""
        for part in _segments(data):
            self._out(PSH | ACK, part)
            self._sent += len(part)
        self._in(ACK)

    def received(self, data: bytes) -> None:
        """Bytes that came, and our acknowledgement."""
        for part in _segments(data):
            self._in(PSH | ACK, part)
            self._received += len(part)
        self._out(ACK)

    def closed(self, *, by_peer: bool, reset: bool = False) -> None:
        """The end of the connection."""
        if self._ended:
            return
        self._ended = True
        first, second = (self._in, self._out) if by_peer else (self._out, self._in)
        if reset:
            first(RST | ACK)
            return
        first(FIN | ACK)
        self._count(by_peer)
        second(FIN | ACK)
        self._count(not by_peer)
        first(ACK)

    def _count(self, by_peer: bool) -> None:
        if by_peer:
            self._received += 1
        else:
            self._sent += 1

    def _out(self, flags: int, payload: bytes = b"") -> None:
        acknowledged = self._received if flags & ACK else 0
        self._hub.pass_on((self._local, self._remote), (self._sent, acknowledged), flags, payload)

    def _in(self, flags: int, payload: bytes = b"") -> None:
        acknowledged = self._sent if flags & ACK else 0
        self._hub.pass_on((self._remote, self._local), (self._received, acknowledged), flags, payload)


def _segments(data: bytes) -> list[bytes]:
    return [data[start : start + MSS] for start in range(0, len(data), MSS)]


class CaptureHub:
    """The captures of one node."""

    def __init__(self, lab: Lab, node: Node) -> None:
        self._lab, self._node = lab, node
        self.captures: set[Capture] = set()
        self._last = 0.0

    def screen(self) -> packets.Screen:
        """How this node prints a capture."""
        since = self._lab.inferred["capture.new_style_from"]
        new = since is not None and self._node.cluster.release.number >= tuple(since)
        return packets.Screen({self._node.address: self._node.name}, self._node.spec.timezone, new)

    def start(
        self,
        *,
        host: str | None = None,
        port: int | None = None,
        src: str | None = None,
        dest: str | None = None,
        count: int | None = None,
        size: int | None = None,
        path: Path | None = None,
    ) -> Capture:
        """Start a capture, filtered by host, port, source and destination.

        It stops after `count` packets and keeps `size` bytes of each frame (None: all); `path`: a pcap file.
        """

        def matches(segment: Segment) -> bool:
            ends = (segment.source, segment.target)
            return (
                (host is None or host in (ends[0][0], ends[1][0]))
                and (port is None or port in (ends[0][1], ends[1][1]))
                and (src is None or src == ends[0][0])
                and (dest is None or dest == ends[1][0])
            )

        capture = Capture(self, matches, count, size or 65535, path)
        self.captures.add(capture)
        return capture

    def stop(self, capture: Capture) -> None:
        """End a capture."""
        capture.stop()

    def close(self) -> None:
        """End all captures."""
        for capture in list(self.captures):
            capture.stop()

    def flow(self, local: Address, remote: Address, *, client: bool) -> Flow:
        """A new connection."""
        return Flow(self, local, remote, client=client)

    def refused(self, address: str, remote: Address) -> None:
        """A connection that the peer refused: SYN, and its reset."""
        local = (address, 32768 + packets.initial_sequence((address, 0), remote, int(self._last)) % 28000)
        first = packets.initial_sequence(local, remote, _BOOT)
        self.pass_on((local, remote), (first, 0), SYN)
        self.pass_on((remote, local), (0, first + 1), RST | ACK)

    def pass_on(
        self, ends: tuple[Address, Address], numbers: tuple[int, int], flags: int, payload: bytes = b""
    ) -> None:
        """Show a segment to every capture: its source and target, its sequence and acknowledgement numbers."""
        if not self.captures:
            return
        # No two segments have the same time: readers sort by it.
        self._last = max(self._lab.clock.time(), self._last + 0.000002)
        segment = Segment(self._last, *ends, *numbers, flags, payload)
        for capture in list(self.captures):
            capture.see(segment)
