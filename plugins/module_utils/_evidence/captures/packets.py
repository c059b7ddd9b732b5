# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packets of capture files (pcap, pcapng, either of them gzipped). Private to this collection.

Written against raw buffers and not with a packet library: a capture of CUCM holds 100,000 packets, and an object per
layer costs ten times what the reading costs. Nothing here raises on bad input; CaptureNotes says what could not be
read.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.unpacking import GZIP_MAGIC, blocks

if TYPE_CHECKING:
    from typing import TypeAlias

    Buffer: TypeAlias = "bytes | mmap.mmap"

# No packet of a real link is longer; a record that claims more is damaged.
MOST_PACKET = 262_144
# How far a damaged file is searched for its next record, and how often, so that no file keeps the reader busy for long.
RESYNC_WINDOW, MOST_RESYNCS = 65_536, 50
# A gzipped capture is unpacked in memory; a bomb stops here.
MOST_UNPACKED = 1 << 30

# The order of bytes, and the ticks per second. Times are ticks divided by these, so that they are the nearest float
# there is, and the same whether they come from pcap or pcapng.
MICROSECONDS, NANOSECONDS = 10**6, 10**9
#: the time of a packet that has none
NO_TIME = 0.0
PCAP_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", MICROSECONDS), b"\xa1\xb2\xc3\xd4": (">", MICROSECONDS),
    b"\x4d\x3c\xb2\xa1": ("<", NANOSECONDS), b"\xa1\xb2\x3c\x4d": (">", NANOSECONDS),
}  # fmt: skip
# the kinds of blocks that hold a packet
PCAPNG_PACKETS = (2, 3, 6)
PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"


class Packet(NamedTuple):
    """One captured packet: where its bytes lie in the file and when it came (seconds since 1970, or NO_TIME)."""

    frame: int
    time: float
    link: int
    start: int
    end: int


@dataclass
class CaptureNotes:
    """What the user has to know about the file itself."""

    #: the ports that carry SIP
    ports: frozenset[int] = frozenset()
    format: str = "unknown"
    packets: int = 0
    segments: int = 0
    #: TCP packets of other ports than these
    other_ports: int = 0
    #: UDP packets from or to a SIP port
    datagrams: int = 0
    fragments: int = 0
    cut_packets: int = 0
    unknown_links: set[int] = field(default_factory=set)
    #: tunnels that were not opened, with the number of their packets
    closed_tunnels: dict[str, int] = field(default_factory=dict)
    first: float | None = None
    last: float | None = None
    problems: list[str] = field(default_factory=list)

    def problem(self, text: str) -> None:
        """Notes damage, each kind once and up to a limit."""
        if text not in self.problems and len(self.problems) < 20:
            self.problems.append(text)


def load(path: Path, notes: CaptureNotes) -> Buffer:
    """The bytes of a capture file, mapped where that is possible. The caller turns OSError into a message."""
    with path.open("rb") as stream:
        head = stream.read(4)
        if not head:
            return b""
        if head[:2] == GZIP_MAGIC:
            return _unpacked(path, notes)
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


def _unpacked(path: Path, notes: CaptureNotes) -> bytes:
    parts: list[bytes] = []
    total = 0
    with path.open("rb") as stream:
        for part in blocks(stream, notes.problem):
            total += len(part)
            if total > MOST_UNPACKED:
                notes.problem(f"the unpacked file is longer than {MOST_UNPACKED} bytes; the rest was left unread")
                break
            parts.append(part)
    return b"".join(parts)


def packets(data: Buffer, notes: CaptureNotes) -> Iterator[Packet]:
    """Every packet of a capture, in the order of the file."""
    magic = bytes(data[:4])
    if magic in PCAP_MAGICS:
        notes.format = "pcap"
        yield from _pcap(data, notes, *PCAP_MAGICS[magic])
    elif magic == PCAPNG_MAGIC:
        notes.format = "pcapng"
        yield from _PcapNg(data, notes).packets()
    elif not magic:
        notes.problem("the file is empty")
    else:
        notes.problem(f"the file begins with {magic.hex(' ')}, which is neither pcap nor pcapng")


def _pcap(data: Buffer, notes: CaptureNotes, order: str, per_second: int) -> Iterator[Packet]:
    size = len(data)
    if size < 24:
        notes.problem("the file ends inside its header")
        return
    link = struct.unpack_from(order + "I", data, 20)[0] & 0x0FFF_FFFF
    unpack = struct.Struct(order + "IIII").unpack_from
    position, frame, resyncs, last_seconds = 24, 0, 0, 0
    while position + 16 <= size:
        seconds, fraction, length, original = unpack(data, position)
        if length > MOST_PACKET or original > MOST_PACKET * 4 or fraction >= per_second:
            resyncs += 1
            found = _resync(data, position + 1, unpack, per_second, last_seconds) if resyncs <= MOST_RESYNCS else 0
            if not found:
                notes.problem(f"the file is damaged at byte {position}; nothing after it could be read")
                return
            notes.problem(f"the file is damaged at byte {position}; read on at byte {found}")
            position = found
            continue
        begin = position + 16
        end = begin + length
        frame += 1
        if end > size:
            notes.problem(f"the file ends inside packet {frame}")
            notes.cut_packets += 1
            end = size
        elif length < original:
            notes.cut_packets += 1
        last_seconds = seconds
        yield Packet(frame, (seconds * per_second + fraction) / per_second, link, begin, end)
        position = end
    if position < size:
        notes.problem(f"the file ends inside the header of packet {frame + 1}")


def _resync(data: Buffer, start: int, unpack: object, per_second: int, near: int) -> int:
    """The next position that holds a record header which is followed by another one (or by the end); 0 if none."""

    def plausible(at: int) -> int:
        seconds, fraction, length, original = unpack(data, at)  # type: ignore[operator]
        fits = 14 <= length <= original <= MOST_PACKET and fraction < per_second and abs(seconds - near) < 86_400
        return at + 16 + length if fits else 0

    size = len(data)
    for at in range(start, min(start + RESYNC_WINDOW, size - 16)):
        following = plausible(at)
        if following and (following == size or (following + 16 <= size and plausible(following))):
            return at
    return 0


class _PcapNg:
    """Reads the blocks of a pcapng file."""

    def __init__(self, data: Buffer, notes: CaptureNotes) -> None:
        self._data = data
        self._notes = notes
        self._order = "<"
        self._frame = 0
        #: link type, ticks per second, and ticks to add to each time, of each interface
        self._interfaces: list[tuple[int, int, int]] = []

    def packets(self) -> Iterator[Packet]:
        """Every packet of the file."""
        data, size, position = self._data, len(self._data), 0
        while position + 12 <= size:
            if bytes(data[position : position + 4]) == PCAPNG_MAGIC:
                self._order = ">" if bytes(data[position + 8 : position + 12]) == b"\x1a\x2b\x3c\x4d" else "<"
                self._interfaces = []
            kind, length = struct.unpack_from(self._order + "II", data, position)
            # Another block, such as keys of TLS, may be of any length; damage rarely leaves its two lengths alike.
            large = length > MOST_PACKET * 4
            if length < 12 or length % 4 or (large and not self._is_sound(kind, position, length)):
                self._notes.problem(f"the file is damaged at byte {position}; nothing after it could be read")
                return
            end = position + length - 4
            if position + length > size:
                self._notes.problem(f"the file ends inside the block at byte {position}")
                end = size
            packet = self._block(kind, position + 8, end)
            if packet is not None:
                yield packet
            position += length
        if position < size:
            self._notes.problem("the file ends inside a block")

    def _is_sound(self, kind: int, position: int, length: int) -> bool:
        """Whether a large block holds no packet, and ends in the file with its length once more."""
        behind = position + length
        if kind in PCAPNG_PACKETS or behind > len(self._data):
            return False
        return bool(struct.unpack_from(self._order + "I", self._data, behind - 4)[0] == length)

    def _block(self, kind: int, body: int, end: int) -> Packet | None:
        """The packet of a block, if it has one."""
        if kind == 1 and end - body >= 8:
            link = struct.unpack_from(self._order + "H", self._data, body)[0]
            self._interfaces.append((link, *_clock(self._data, body + 8, end, self._order)))
        elif kind in (2, 6) and end - body >= 20:
            return self._enhanced(kind, body, end)
        elif kind == 3 and end - body >= 4 and self._interfaces:
            self._frame += 1
            original = struct.unpack_from(self._order + "I", self._data, body)[0]
            self._notes.cut_packets += body + 4 + original > end
            return Packet(self._frame, NO_TIME, self._interfaces[0][0], body + 4, min(body + 4 + original, end))
        return None

    def _enhanced(self, kind: int, body: int, end: int) -> Packet | None:
        interface, high, low, kept, original = struct.unpack_from(self._order + "IIIII", self._data, body)
        if kind == 2:
            # The old Packet Block: 16 bits of interface, 16 of drops.
            interface = struct.unpack_from(self._order + "H", self._data, body)[0]
        self._frame += 1
        if interface >= len(self._interfaces):
            self._notes.problem(f"packet {self._frame} names interface {interface}, which the file does not describe")
            return None
        link, per_second, shift = self._interfaces[interface]
        stop = min(body + 20 + kept, end)
        if kept < original or stop < body + 20 + kept:
            self._notes.cut_packets += 1
        return Packet(self._frame, (((high << 32) | low) + shift) / per_second, link, body + 20, stop)


def _clock(data: Buffer, position: int, end: int, order: str) -> tuple[int, int]:
    """Ticks per second of an interface's times (option 9, if_tsresol; microseconds without it), and the ticks to add
    (option 14, if_tsoffset, in seconds)."""
    per_second, offset = MICROSECONDS, 0
    while position + 4 <= end:
        code, length = struct.unpack_from(order + "HH", data, position)
        if code == 0:
            break
        if code == 9 and length >= 1 and position + 4 < end:
            value = data[position + 4]
            per_second = 1 << (value & 0x7F) if value & 0x80 else 10**value
        elif code == 14 and length == 8 and position + 12 <= end:
            offset = struct.unpack_from(order + "q", data, position + 4)[0]
        position += 4 + (length + 3) // 4 * 4
    return per_second, offset * per_second
