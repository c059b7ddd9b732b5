# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a packet down to its TCP segment, through the tunnels in which mirror ports wrap packets. Private.

VLAN tags, tags of Cisco's switches (VN-Tag, CMD) and of 802.1BR, MPLS, PPPoE, GRE, ERSPAN (I to III), VXLAN, GENEVE,
6in4 and IP in IP are opened; a tunnel that can't be opened is counted in CaptureNotes by its name.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, NamedTuple

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.packets import (
    CaptureNotes,
    Packet,
    packets,
)

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.packets import Buffer

# Link types (tcpdump.org/linktypes.html): bytes before the EtherType field, or what the header is otherwise.
ETHERNET, NULL, LOOP, SLL, SLL2 = 1, 0, 108, 113, 276
RAW_IP = {12, 14, 101, 228, 229}
PPP = 9
ETHERTYPE_AT = {ETHERNET: 12, SLL: 14, SLL2: 0}
PAYLOAD_AT = {ETHERNET: 14, SLL: 16, SLL2: 20}
# Tag -> bytes between it and the EtherType of what it holds: VLAN tags, VN-Tag of UCS and Nexus, E-Tag (802.1BR), and
# the metadata of Cisco TrustSec.
TAGS = {0x8100: 2, 0x88A8: 2, 0x9100: 2, 0x8926: 4, 0x893F: 6, 0x8909: 6}
MPLS = {0x8847, 0x8848}
IPV4, IPV6, BRIDGED, PPPOE, ERSPAN, ERSPAN3 = 0x0800, 0x86DD, 0x6558, 0x8864, 0x88BE, 0x22EB
CLOSED_ETHERTYPES = {0x88E5: "MACsec", 0x894F: "NSH", 0x88E7: "PBB", 0x880B: "PPTP", 0x22F3: "TRILL"}
# IPv6 headers that may come before TCP and are as long as their second byte says (in 8 bytes, less the first 8).
IPV6_OPTIONS = {0, 43, 60, 135}
TCP, UDP, IP_IN_IP, IPV6_IN_IP, GRE, FRAGMENT, AUTHENTICATION = 6, 17, 4, 41, 47, 44, 51
CLOSED_PROTOCOLS = {50: "IPsec ESP", 115: "L2TPv3", 137: "MPLS in IP", 97: "EtherIP"}
VXLAN_PORTS, GENEVE_PORT = {4789, 8472}, 6081
CLOSED_PORTS = {
    1701: "L2TP",
    2152: "GTP",
    4500: "IPsec NAT traversal",
    37008: "TZSP",
    4790: "VXLAN-GPE",
    6635: "MPLS in UDP",
}
MOST_LAYERS = 12
NO_LIMIT = 1 << 62
# EtherType IPv4 and a header of version 4 and 20 bytes; the fragment field, with and without "don't fragment".
_ETHERNET_IPV4 = b"\x08\x00\x45"
_UNFRAGMENTED = (b"\x40\x00", b"\x00\x00")

FIN, SYN, RST, ACK = 1, 2, 4, 16
_unpack_tcp = struct.Struct(">HHIIBB").unpack_from


class Segment(NamedTuple):
    """One TCP segment; addresses are the raw 4 or 16 bytes. ``missing`` counts bytes that the capture cut off."""

    frame: int
    time: float
    source: tuple[bytes, int]
    target: tuple[bytes, int]
    sequence: int
    acknowledged: int
    flags: int
    payload: bytes
    missing: int


#: source, target, where TCP begins, where the packet ends by its own header
_Tcp = tuple[bytes, bytes, int, int]
#: the next layer: its EtherType (IPV4, IPV6 or another) and where it begins
_Next = tuple[int, int]


def address_text(address: bytes) -> str:
    """The usual form of a raw IPv4 or IPv6 address."""
    if len(address) == 4:
        return str(IPv4Address(address))
    found = IPv6Address(address)
    return str(found.ipv4_mapped or found)


def segments(data: Buffer, notes: CaptureNotes) -> Iterator[Segment]:
    """The TCP segments from or to one of the ports (every port when the set is empty)."""
    ports = notes.ports
    for packet in packets(data, notes):
        frame, time, _link, _start, end = packet
        notes.packets += 1
        if time:
            notes.first = time if notes.first is None or time < notes.first else notes.first
            notes.last = time if notes.last is None or time > notes.last else notes.last
        found = _tcp(data, packet, notes)
        if found is None:
            continue
        source, target, tcp, stop = found
        if tcp + 20 > end:
            continue
        source_port, target_port, sequence, acknowledged, offset, flags = _unpack_tcp(data, tcp)
        if ports and source_port not in ports and target_port not in ports:
            continue
        first = tcp + (offset >> 4) * 4
        payload = bytes(data[first : min(stop, end)]) if first < end else b""
        notes.segments += 1
        missing = max(0, stop - max(first, end)) if stop > end else 0
        yield Segment(
            frame, time, (source, source_port), (target, target_port), sequence, acknowledged, flags & 0x3F, payload,
            missing,
        )  # fmt: skip


def report(notes: CaptureNotes) -> None:
    """Notes what was left out, once all files are read."""
    if notes.fragments:
        notes.problem(f"{notes.fragments} IP fragments were left out")
    if notes.datagrams:
        notes.problem(f"{notes.datagrams} UDP packets of the SIP ports are not shown; SIP over UDP is not encrypted")
    if notes.cut_packets:
        notes.problem(f"{notes.cut_packets} packets were captured in part only (use size all)")
    for link in notes.unknown_links:
        notes.problem(f"packets of link type {link} could not be read")
    for name, count in sorted(notes.closed_tunnels.items()):
        notes.problem(f"{count} packets in {name} were not opened; SIP inside them is not shown")


def _tcp(data: Buffer, packet: Packet, notes: CaptureNotes) -> _Tcp | None:
    """The TCP segment of a packet, out of all its tunnels; None when it has none."""
    end = packet.end
    if packet.link == ETHERNET:
        # Nearly every packet: Ethernet, IPv4 without options, whole, TCP.
        ip = packet.start + 14
        if data[ip - 2 : ip + 1] == _ETHERNET_IPV4 and ip + 20 <= end and data[ip + 9] == TCP:
            size = (data[ip + 2] << 8) | data[ip + 3]
            if size >= 20 and data[ip + 6 : ip + 8] in _UNFRAGMENTED:
                return data[ip + 12 : ip + 16], data[ip + 16 : ip + 20], ip + 20, ip + size
    layer, limit = _first_layer(data, packet, notes), NO_LIMIT
    for _unused in range(MOST_LAYERS):
        if layer is None:
            return None
        kind, at = layer
        if kind == IPV4:
            found = _ipv4(data, at, end, notes)
        elif kind == IPV6:
            found = _ipv6(data, at, end, notes)
        else:
            if kind == PPPOE:
                # Ethernet's padding is behind the end that PPPoE names.
                limit = min(limit, at + 6 + int.from_bytes(data[at + 4 : at + 6], "big"))
            layer = _between(data, kind, at, end, notes)
            continue
        if found is None:
            return None
        protocol, source, target, inner, stop = found
        if protocol == TCP:
            return source, target, inner, min(stop, limit)
        layer = _in_ip(data, protocol, inner, end, notes)
    notes.closed_tunnels["more than 12 layers"] = notes.closed_tunnels.get("more than 12 layers", 0) + 1
    return None


def _first_layer(data: Buffer, packet: Packet, notes: CaptureNotes) -> _Next | None:
    link, start, end = packet.link, packet.start, packet.end
    if link in ETHERTYPE_AT:
        at, where = start + PAYLOAD_AT[link], start + ETHERTYPE_AT[link]
        return None if at > end else ((data[where] << 8) | data[where + 1], at)
    at = {NULL: start + 4, LOOP: start + 4, PPP: start}.get(link, start)
    if link == PPP:
        # With or without HDLC's address and control bytes.
        at += 4 if data[start : start + 2] == b"\xff\x03" else 2
    elif link not in RAW_IP and link not in (NULL, LOOP):
        notes.unknown_links.add(link)
        return None
    return _by_version(data, at, end)


def _by_version(data: Buffer, at: int, end: int) -> _Next | None:
    """IPv4 or IPv6 by the first four bits."""
    version = data[at] >> 4 if at < end else 0
    return (IPV4, at) if version == 4 else (IPV6, at) if version == 6 else None


def _ethernet(data: Buffer, at: int, end: int) -> _Next | None:
    return ((data[at + 12] << 8) | data[at + 13], at + 14) if at + 14 <= end else None


def _between(data: Buffer, kind: int, at: int, end: int, notes: CaptureNotes) -> _Next | None:
    """What follows a layer that is neither IPv4 nor IPv6."""
    if at + 4 > end:
        return None
    if kind in TAGS:
        behind = at + TAGS[kind]
        return ((data[behind] << 8) | data[behind + 1], behind + 2) if behind + 2 <= end else None
    if kind in MPLS:
        return _mpls(data, at, end)
    if kind in CLOSED_ETHERTYPES:
        _closed(notes, CLOSED_ETHERTYPES[kind])
        return None
    reader = _SHIMS.get(kind)
    return reader(data, at, end) if reader else None


def _mpls(data: Buffer, at: int, end: int) -> _Next | None:
    """Behind the last label: IP, or Ethernet with or without a control word (RFC 4385)."""
    while at + 4 <= end:
        last = data[at + 2] & 1
        at += 4
        if last:
            control_word = at < end and data[at] >> 4 == 0
            return _by_version(data, at, end) or _ethernet(data, at + 4 if control_word else at, end)
    return None


def _pppoe(data: Buffer, at: int, end: int) -> _Next | None:
    if at + 8 > end:
        return None
    protocol = (data[at + 6] << 8) | data[at + 7]
    return {0x0021: (IPV4, at + 8), 0x0057: (IPV6, at + 8)}.get(protocol)


def _erspan3(data: Buffer, at: int, end: int) -> _Next | None:
    # 12 bytes, and 8 more when the last bit says so.
    return _ethernet(data, at + 12 + 8 * (data[at + 11] & 1), end) if at + 12 <= end else None


#: EtherType (of the link, or of GRE) -> what follows it
_SHIMS: dict[int, Callable[[Buffer, int, int], _Next | None]] = {
    BRIDGED: _ethernet,
    PPPOE: _pppoe,
    ERSPAN: lambda data, at, end: _ethernet(data, at + 8, end),
    ERSPAN3: _erspan3,
}


def _in_ip(data: Buffer, protocol: int, at: int, end: int, notes: CaptureNotes) -> _Next | None:
    """What follows an IP header when it is not TCP."""
    if protocol == UDP:
        return _in_udp(data, at, end, notes)
    if protocol == GRE:
        return _gre(data, at, end, notes)
    if protocol == IP_IN_IP:
        return IPV4, at
    if protocol == IPV6_IN_IP:
        return IPV6, at
    if protocol in CLOSED_PROTOCOLS:
        _closed(notes, CLOSED_PROTOCOLS[protocol])
    return None


def _gre(data: Buffer, at: int, end: int, notes: CaptureNotes) -> _Next | None:
    if at + 4 > end:
        return None
    flags, kind = data[at], (data[at + 2] << 8) | data[at + 3]
    if data[at + 1] & 7:
        _closed(notes, "PPTP")
        return None
    sequenced = flags & 0x10
    # Checksum, key and sequence number take four bytes each.
    inner = at + 4 + 4 * (bool(flags & 0x80) + bool(flags & 0x20) + bool(sequenced))
    if kind == ERSPAN and not sequenced:
        # Type I has no header of its own.
        return _ethernet(data, inner, end)
    return kind, inner


def _in_udp(data: Buffer, at: int, end: int, notes: CaptureNotes) -> _Next | None:
    if at + 16 > end:
        return None
    source, port = (data[at] << 8) | data[at + 1], (data[at + 2] << 8) | data[at + 3]
    notes.datagrams += source in notes.ports or port in notes.ports
    if port in VXLAN_PORTS:
        return _ethernet(data, at + 16, end)
    if port == GENEVE_PORT:
        return (data[at + 10] << 8) | data[at + 11], at + 16 + 4 * (data[at + 8] & 0x3F)
    if port in CLOSED_PORTS:
        _closed(notes, CLOSED_PORTS[port])
    return None


def _closed(notes: CaptureNotes, name: str) -> None:
    notes.closed_tunnels[name] = notes.closed_tunnels.get(name, 0) + 1


def _ipv4(data: Buffer, at: int, end: int, notes: CaptureNotes) -> tuple[int, bytes, bytes, int, int] | None:
    """(protocol, source, target, where its content begins, where the packet ends by its header)."""
    if at + 20 > end or data[at] >> 4 != 4:
        return None
    if (data[at + 6] & 0x3F) or data[at + 7]:
        notes.fragments += 1
        return None
    header = (data[at] & 15) * 4
    total = (data[at + 2] << 8) | data[at + 3]
    # Network cards that split segments leave the length 0; then the capture's own length counts.
    stop = at + total if total >= header else end
    protocol, inner = data[at + 9], at + header
    if protocol == AUTHENTICATION and inner + 2 <= end:
        protocol, inner = data[inner], inner + (data[inner + 1] + 2) * 4
    return protocol, bytes(data[at + 12 : at + 16]), bytes(data[at + 16 : at + 20]), inner, stop


def _ipv6(data: Buffer, at: int, end: int, notes: CaptureNotes) -> tuple[int, bytes, bytes, int, int] | None:
    """As _ipv4, behind the extension headers."""
    if at + 40 > end:
        return None
    length = (data[at + 4] << 8) | data[at + 5]
    following, position = data[at + 6], at + 40
    while following in IPV6_OPTIONS or following in (FRAGMENT, AUTHENTICATION):
        if position + 8 > end:
            return None
        if following == FRAGMENT:
            notes.fragments += 1
            return None
        step = (data[position + 1] + 2) * 4 if following == AUTHENTICATION else (data[position + 1] + 1) * 8
        following, position = data[position], position + step
    stop = at + 40 + length if length else end
    return following, bytes(data[at + 8 : at + 24]), bytes(data[at + 24 : at + 40]), position, stop
