# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture files (pcap, pcapng, either of them gzipped) down to TCP segments. Private to this collection.

Written against raw buffers and not with a packet library: a capture of CUCM holds 100,000 packets, and an object
a layer costs ten times what the reading costs. Nothing here raises on bad input; what could not be read is said
in L(CaptureNotes).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.unpacking import GZIP_MAGIC, blocks

if TYPE_CHECKING:
    from typing import TypeAlias

    Buffer: TypeAlias = "bytes | mmap.mmap"

# No packet of a real link is longer; a record that claims more is damage.
MOST_PACKET = 262_144
# How far a damaged file is searched for its next record, and how often, so that no file can hold us for long.
RESYNC_WINDOW, MOST_RESYNCS = 65_536, 50
# A gzipped capture is unpacked in memory; a bomb stops here.
MOST_UNPACKED = 1 << 30

# The order of bytes, and the ticks a second. Times are ticks divided by these, so that they are the nearest float there
# is, and the same whether they come from pcap or pcapng.
MICROSECONDS, NANOSECONDS = 10**6, 10**9
PCAP_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", MICROSECONDS), b"\xa1\xb2\xc3\xd4": (">", MICROSECONDS),
    b"\x4d\x3c\xb2\xa1": ("<", NANOSECONDS), b"\xa1\xb2\x3c\x4d": (">", NANOSECONDS),
}  # fmt: skip
PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"

# Link types (tcpdump.org/linktypes.html): bytes before the EtherType field, or what the header is otherwise.
ETHERNET, NULL, LOOP, SLL, SLL2 = 1, 0, 108, 113, 276
RAW_IP = {12, 14, 101, 228, 229}
PPP = 9
ETHERTYPE_AT = {ETHERNET: 12, SLL: 14, SLL2: 0}
PAYLOAD_AT = {ETHERNET: 14, SLL: 16, SLL2: 20}
VLAN_TAGS = {0x8100, 0x88A8, 0x9100}
IPV4, IPV6 = 0x0800, 0x86DD
# IPv6 headers that may stand before TCP and are as long as their second byte says (in 8 bytes, less the first 8).
IPV6_OPTIONS = {0, 43, 60, 135}
TCP, FRAGMENT, AUTHENTICATION = 6, 44, 51

FIN, SYN, RST, ACK = 1, 2, 4, 16


class Packet(NamedTuple):
    """One captured packet: where its bytes lie in the file and when it came (seconds since 1970)."""

    frame: int
    time: float
    link: int
    start: int
    end: int


class Segment(NamedTuple):
    """One TCP segment; addresses are the raw 4 or 16 bytes. ``missing`` counts bytes that the capture cut off."""

    frame: int
    time: float
    source: tuple[bytes, int]
    target: tuple[bytes, int]
    sequence: int
    flags: int
    payload: bytes
    missing: int


@dataclass
class CaptureNotes:
    """What a reader of the result has to know of the file itself."""

    format: str = "unknown"
    packets: int = 0
    segments: int = 0
    fragments: int = 0
    cut_packets: int = 0
    unknown_links: set[int] = field(default_factory=set)
    first: float | None = None
    last: float | None = None
    problems: list[str] = field(default_factory=list)

    def problem(self, text: str) -> None:
        """Notes damage, once each, and not without end."""
        if text not in self.problems and len(self.problems) < 20:
            self.problems.append(text)


def address_text(address: bytes) -> str:
    """The usual form of a raw IPv4 or IPv6 address."""
    return str(IPv4Address(address) if len(address) == 4 else IPv6Address(address))


def load(path: Path, notes: CaptureNotes) -> Buffer:
    """The bytes of a capture file, mapped where that is possible. OSError is the caller's to word."""
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
        yield from _pcapng(data, notes)
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


def _pcapng(data: Buffer, notes: CaptureNotes) -> Iterator[Packet]:
    size, position, frame, order = len(data), 0, 0, "<"
    interfaces: list[tuple[int, int]] = []
    while position + 12 <= size:
        if bytes(data[position : position + 4]) == PCAPNG_MAGIC:
            order = ">" if bytes(data[position + 8 : position + 12]) == b"\x1a\x2b\x3c\x4d" else "<"
            interfaces = []
        kind, length = struct.unpack_from(order + "II", data, position)
        if length < 12 or length % 4 or length > MOST_PACKET * 4:
            notes.problem(f"the file is damaged at byte {position}; nothing after it could be read")
            return
        body, end = position + 8, position + length - 4
        if position + length > size:
            notes.problem(f"the file ends inside the block at byte {position}")
            end = size
        if kind == 1 and end - body >= 8:
            link = struct.unpack_from(order + "H", data, body)[0]
            interfaces.append((link, _resolution(data, body + 8, end, order)))
        elif kind in (2, 6) and end - body >= 20:
            interface, high, low, kept, original = struct.unpack_from(order + "IIIII", data, body)
            if kind == 2:
                # The old Packet Block: 16 bits of interface, 16 of drops.
                interface = struct.unpack_from(order + "H", data, body)[0]
            frame += 1
            if interface < len(interfaces):
                link, per_second = interfaces[interface]
                stop = min(body + 20 + kept, end)
                if kept < original or stop < body + 20 + kept:
                    notes.cut_packets += 1
                yield Packet(frame, ((high << 32) | low) / per_second, link, body + 20, stop)
            else:
                notes.problem(f"packet {frame} names interface {interface}, which the file does not describe")
        elif kind == 3 and end - body >= 4 and interfaces:
            frame += 1
            original = struct.unpack_from(order + "I", data, body)[0]
            yield Packet(frame, 0.0, interfaces[0][0], body + 4, min(body + 4 + original, end))
        position += length
    if position < size:
        notes.problem("the file ends inside a block")


def _resolution(data: Buffer, position: int, end: int, order: str) -> int:
    """Ticks a second of an interface's time stamps (option 9, if_tsresol; microseconds without it)."""
    while position + 4 <= end:
        code, length = struct.unpack_from(order + "HH", data, position)
        if code == 0:
            break
        if code == 9 and length >= 1 and position + 4 < end:
            value = data[position + 4]
            return 1 << (value & 0x7F) if value & 0x80 else 10**value
        position += 4 + (length + 3) // 4 * 4
    return MICROSECONDS


def segments(data: Buffer, ports: frozenset[int], notes: CaptureNotes) -> Iterator[Segment]:
    """The TCP segments from or to one of the ports (every port when the set is empty)."""
    unpack_tcp = struct.Struct(">HHIIBB").unpack_from
    for packet in packets(data, notes):
        frame, time, link, start, end = packet
        notes.packets += 1
        if time:
            notes.first = time if notes.first is None or time < notes.first else notes.first
            notes.last = time if notes.last is None or time > notes.last else notes.last
        network = _network(data, link, start, end, notes)
        if network is None:
            continue
        version, at = network
        if version == IPV4:
            if at + 20 > end or data[at] >> 4 != 4 or data[at + 9] != TCP:
                continue
            if (data[at + 6] & 0x3F) or data[at + 7]:
                notes.fragments += 1
                continue
            header = (data[at] & 15) * 4
            total = (data[at + 2] << 8) | data[at + 3]
            source, target = bytes(data[at + 12 : at + 16]), bytes(data[at + 16 : at + 20])
            tcp = at + header
            # Offloading network cards leave the length 0; then the capture's own length counts.
            stop = at + total if total >= header else end
        else:
            found = _ipv6(data, at, end, notes)
            if found is None:
                continue
            source, target, tcp, stop = found
        if tcp + 20 > end:
            continue
        source_port, target_port, sequence, _unused, offset, flags = unpack_tcp(data, tcp)
        if ports and source_port not in ports and target_port not in ports:
            continue
        first = tcp + (offset >> 4) * 4
        payload = bytes(data[first : min(stop, end)]) if first < end else b""
        notes.segments += 1
        missing = max(0, stop - max(first, end)) if stop > end else 0
        yield Segment(
            frame, time, (source, source_port), (target, target_port), sequence, flags & 0x3F, payload, missing
        )
    if notes.fragments:
        notes.problem(f"{notes.fragments} IP fragments were left out")
    if notes.cut_packets:
        notes.problem(f"{notes.cut_packets} packets were captured in part only (use size all)")
    for link in notes.unknown_links:
        notes.problem(f"packets of link type {link} could not be read")


def _network(data: Buffer, link: int, start: int, end: int, notes: CaptureNotes) -> tuple[int, int] | None:
    """(EtherType, position of the IP header) of a packet, or None when it carries no IP."""
    if link in ETHERTYPE_AT:
        at, where = start + PAYLOAD_AT[link], start + ETHERTYPE_AT[link]
        if at > end:
            return None
        kind = (data[where] << 8) | data[where + 1]
        while kind in VLAN_TAGS and at + 4 <= end:
            kind = (data[at + 2] << 8) | data[at + 3]
            at += 4
        return (kind, at) if kind in (IPV4, IPV6) else None
    at = {NULL: start + 4, LOOP: start + 4, PPP: start}.get(link, start)
    if link == PPP:
        # With or without HDLC's address and control bytes.
        at += 4 if data[start : start + 2] == b"\xff\x03" else 2
    elif link not in RAW_IP and link not in (NULL, LOOP):
        notes.unknown_links.add(link)
        return None
    if at >= end:
        return None
    version = data[at] >> 4
    return (IPV4, at) if version == 4 else (IPV6, at) if version == 6 else None


def _ipv6(data: Buffer, at: int, end: int, notes: CaptureNotes) -> tuple[bytes, bytes, int, int] | None:
    if at + 40 > end:
        return None
    length = (data[at + 4] << 8) | data[at + 5]
    following, position = data[at + 6], at + 40
    while following != TCP:
        if position + 8 > end:
            return None
        if following == FRAGMENT:
            notes.fragments += 1
            return None
        if following in IPV6_OPTIONS:
            following, position = data[position], position + (data[position + 1] + 1) * 8
        elif following == AUTHENTICATION:
            following, position = data[position], position + (data[position + 1] + 2) * 4
        else:
            return None
    stop = at + 40 + length if length else end
    return bytes(data[at + 8 : at + 24]), bytes(data[at + 24 : at + 40]), position, stop
