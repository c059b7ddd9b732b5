# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets around bytes that crossed a socket: Ethernet, IPv4 and TCP headers, the pcap file, tcpdump's line."""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
#: payload of one segment
MSS = 1448
_GLOBAL_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
#: names that tcpdump gives ports
_SERVICES = {5060: "sip", 5061: "sip-tls"}

Address = tuple[str, int]


@dataclass(frozen=True)
class Segment:
    """One TCP segment with its time (seconds since the epoch, lab clock)."""

    when: float
    source: Address
    target: Address
    sequence: int
    acknowledged: int
    flags: int
    payload: bytes = b""
    window: int = 29200

    def frame(self) -> bytes:
        """The Ethernet frame, with its checksums."""
        options = b"\x02\x04" + struct.pack("!H", MSS) + b"\x01\x01\x01\x00" if self.flags & SYN else b""
        offset = (20 + len(options)) // 4
        ports = struct.pack("!HH", self.source[1], self.target[1])
        head = ports + struct.pack(
            "!IIBBH", self.sequence & 0xFFFFFFFF, self.acknowledged & 0xFFFFFFFF, offset << 4, self.flags, self.window
        )
        source, target = socket.inet_aton(self.source[0]), socket.inet_aton(self.target[0])
        length = 20 + len(options) + len(self.payload)
        pseudo = source + target + struct.pack("!BBH", 0, 6, length)
        check = checksum(pseudo + head + b"\0\0\0\0" + options + self.payload)
        tcp = head + struct.pack("!HH", check, 0) + options + self.payload
        identity = (self.sequence ^ self.acknowledged) & 0xFFFF
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, identity, 0x4000, 64, 6, 0) + source + target
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        return _mac(target) + _mac(source) + b"\x08\x00" + ip + tcp

    def flag_letters(self) -> str:
        """tcpdump's old flags: S, F, P, R, a full stop for none of them."""
        letters = "".join(
            letter for bit, letter in ((SYN, "S"), (FIN, "F"), (PSH, "P"), (RST, "R")) if self.flags & bit
        )
        return letters or "."


def _mac(address: bytes) -> bytes:
    # 02: a locally administered address.
    return b"\x02\x00" + address


def checksum(data: bytes) -> int:
    """The Internet checksum of RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def global_header() -> bytes:
    """The head of a pcap file with Ethernet frames, times in microseconds."""
    return _GLOBAL_HEADER


def record(segment: Segment, size: int) -> bytes:
    """A pcap record of at most `size` bytes of the frame."""
    frame = segment.frame()
    seconds = int(segment.when)
    kept = frame[:size]
    return struct.pack("<IIII", seconds, int((segment.when - seconds) * 1e6), len(kept), len(frame)) + kept


@dataclass
class Screen:
    """How a node's capture is printed."""

    #: address -> name; the node prints its own address as its name
    names: dict[str, str]
    zone: str = "UTC"
    #: tcpdump's later style, `Flags [P.], seq 1:427, ack 1, win 249, length 426`
    new_style: bool = False
    #: the first sequence number of each direction
    base: dict[tuple[Address, Address], int] = field(default_factory=dict)


def screen_line(segment: Segment, screen: Screen) -> str:
    """tcpdump's line as CUCM prints it: absolute numbers in a connection's first segment, then relative ones."""
    base, names = screen.base, screen.names
    source, target = (segment.source, segment.target), (segment.target, segment.source)
    acknowledges = bool(segment.flags & ACK)
    start, value = segment.sequence, segment.acknowledged
    if acknowledges and (source not in base or segment.flags & SYN):
        base[source], base[target] = segment.sequence, segment.acknowledged - 1
    elif acknowledges:
        start, value = (
            (number - known) & 0xFFFFFFFF for number, known in ((start, base[source]), (value, base[target]))
        )
    length = len(segment.payload)
    counted = bool(length or segment.flags & (SYN | FIN | RST))
    moment = datetime.fromtimestamp(segment.when, ZoneInfo(screen.zone))
    tick = int(segment.when * 1000) & 0xFFFFFFFF
    head = f"{moment:%H:%M:%S.%f} IP {_host(segment.source, names)} > {_host(segment.target, names)}: "
    if screen.new_style:
        letters = segment.flag_letters().rstrip(".") + ("." if acknowledges else "")
        parts = [f"Flags [{letters}]"]
        if counted:
            parts.append(f"seq {start}:{start + length}" if length else f"seq {start}")
        parts += [f"ack {value}"] * acknowledges + [f"win {segment.window}"]
        options = "mss 1448,nop,nop,nop,eol" if segment.flags & SYN else f"nop,nop,TS val {tick} ecr {tick - 1}"
        return head + ", ".join([*parts, f"options [{options}]", f"length {length}"])
    numbers = f"{start}:{start + length}({length}) " if counted else ""
    acknowledged = f"ack {value} " if acknowledges else ""
    options = "<mss 1448,nop,nop,nop,eol>" if segment.flags & SYN else f"<nop,nop,timestamp {tick} {tick - 1}>"
    return f"{head}{segment.flag_letters()} {numbers}{acknowledged}win {segment.window} {options}"


def _host(address: Address, names: dict[str, str]) -> str:
    return f"{names.get(address[0], address[0])}.{_SERVICES.get(address[1], address[1])}"


def initial_sequence(source: Address, target: Address, boot: int) -> int:
    """An initial sequence number that both ends of a connection compute."""
    mixed = hash((source, target, boot)) ^ 0x9E3779B9
    return (mixed * 2654435761) & 0x7FFFFFFF


def boot_number() -> int:
    """A number that is constant during this run of the lab."""
    return time.time_ns() & 0xFFFFFFFF
