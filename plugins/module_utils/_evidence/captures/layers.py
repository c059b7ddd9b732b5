# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a packet down to its TCP segment, through the tunnels in which mirror ports wrap packets. Private.

VLAN tags, tags of Cisco's switches (VN-Tag, CMD, ISL, FabricPath) and of 802.1BR and HSR, LLC with SNAP, MPLS, PPP and
PPPoE, GRE, ERSPAN (I to III), VXLAN, GENEVE, 6in4 and IP in IP are opened. Everything else is counted in CaptureNotes
by its name or number, unless it never carries SIP.
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
# Tag -> bytes between it and the EtherType of what it holds: VLAN tags, VN-Tag of UCS and Nexus, E-Tag (802.1BR), the
# metadata of Cisco TrustSec, and HSR.
TAGS = {0x8100: 2, 0x88A8: 2, 0x9100: 2, 0x9200: 2, 0x9300: 2, 0x8926: 4, 0x893F: 6, 0x8909: 6, 0x892F: 4}
MPLS = {0x8847, 0x8848}
IPV4, IPV6, BRIDGED, PPPOE, ERSPAN, ERSPAN3, FABRICPATH = 0x0800, 0x86DD, 0x6558, 0x8864, 0x88BE, 0x22EB, 0x8903
CLOSED_ETHERTYPES = {
    0x88E5: "MACsec", 0x894F: "NSH", 0x88E7: "PBB", 0x880B: "PPTP", 0x22F3: "TRILL", 0x883E: "WCCP",
    **{number: "Aruba GRE" for number in range(0x8200, 0x8300)},
}  # fmt: skip
# What never carries SIP: ARP, RARP, NHRP, LLDP, EAPOL, PPPoE discovery, loop tests, LACP, PTP, CFM, FCoE, AoE, IPX,
# AppleTalk, DEC's, wake on LAN, probes of network cards, MRP's; with SNAP, CDP, UDLD, VTP, DTP and PVST.
WITHOUT_SIP = {
    0x0806, 0x8035, 0x2001, 0x88CC, 0x888E, 0x88C7, 0x8863, 0x9000, 0x8809, 0x88F7, 0x8902, 0x8906, 0x8914, 0x88A2,
    0x8137, 0x809B, 0x80F3, 0x6001, 0x6002, 0x6003, 0x6004, 0x0842, 0x886D, 0x8874, 0x8899, 0x88F5, 0x88F6, 0x8808,
    0x2000, 0x0111, 0x2003, 0x2004, 0x010B,
}  # fmt: skip
# An EtherType below this is the length of a frame with LLC.
LEAST_ETHERTYPE = 0x0600
# What a SNAP header begins with: the OUI of an EtherType, also through bridges (802.1H).
SNAPS = {b"\xaa\xaa\x03\x00\x00\x00", b"\xaa\xaa\x03\x00\x00\xf8"}
# The addresses of frames with ISL's header; the last four bits are the user's, and those before say Ethernet.
ISL = {bytes([first, 0, 0x0C, 0, 0, user]) for first in (1, 3, 12) for user in range(16)}
# IPv6 headers that may come before TCP and are as long as their second byte says (in 8 bytes, less the first 8).
IPV6_OPTIONS = {0, 43, 60, 135}
TCP, UDP, IP_IN_IP, IPV6_IN_IP, GRE, FRAGMENT, AUTHENTICATION, MPLS_IN_IP = 6, 17, 4, 41, 47, 44, 51, 137
CLOSED_PROTOCOLS = {
    50: "IPsec ESP", 55: "IP mobility", 97: "EtherIP", 108: "IPComp", 115: "L2TPv3", 132: "SCTP",
}  # fmt: skip
# ICMP, IGMP, GGP, EGP, IGP, DCCP, RSVP, NHRP, ICMPv6, nothing, EIGRP, OSPF, PIM, VRRP, HIP, Shim6
PROTOCOLS_WITHOUT_SIP = {1, 2, 3, 8, 9, 33, 46, 54, 58, 59, 88, 89, 103, 112, 139, 140}
PPP_NEXT = {0x0021: IPV4, 0x0057: IPV6, 0x0281: 0x8847}
PPP_CLOSED = {0x003D: "PPP multilink", 0x00FD: "compressed PPP", 0x0053: "encrypted PPP", 0x002D: "compressed PPP"}
#: PPP's protocols from here on control a link (LCP, IPCP, PAP, CHAP)
PPP_CONTROL = 0x4000
VXLAN_PORTS, GENEVE_PORT = {4789, 8472}, 6081
CLOSED_PORTS = {
    1701: "L2TP",
    2152: "GTP",
    3544: "Teredo",
    4341: "LISP",
    4500: "IPsec NAT traversal",
    4790: "VXLAN-GPE",
    5247: "CAPWAP",
    6080: "GUE",
    6635: "MPLS in UDP",
    37008: "TZSP",
}
# Programs get their own ports from here on: a source port is a tunnel's only below.
LEAST_PORT_OF_A_PROGRAM = 32_768
MOST_LAYERS = 12
NO_LIMIT = 1 << 62
# Ethernet fills a frame up to 64 bytes, and may end with a checksum.
MOST_PADDING = 64
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
            notes.other_ports += 1
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
    if link == PPP:
        # With or without HDLC's address and control bytes.
        return _ppp(data, start + 2 if data[start : start + 2] == b"\xff\x03" else start, end, notes)
    if link in RAW_IP:
        return _by_version(data, start, end)
    if link in (NULL, LOOP):
        return _by_version(data, start + 4, end)
    notes.unknown_links.add(link)
    return None


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
        return _mpls(data, at, end, notes)
    if kind == PPPOE:
        return _ppp(data, at + 6, end, notes)
    if kind < LEAST_ETHERTYPE:
        return _llc(data, at, end)
    if reader := _SHIMS.get(kind):
        return reader(data, at, end)
    if kind not in WITHOUT_SIP:
        _closed(notes, CLOSED_ETHERTYPES.get(kind) or f"EtherType 0x{kind:04X}")
    return None


def _llc(data: Buffer, at: int, end: int) -> _Next | None:
    """What follows a length in place of an EtherType: ISL, or SNAP with an EtherType. Other LLC never carries SIP."""
    if at >= 14 and bytes(data[at - 14 : at - 8]) in ISL:
        return _ethernet(data, at + 12, end)
    if at + 8 > end or bytes(data[at : at + 6]) not in SNAPS:
        return None
    kind = (data[at + 6] << 8) | data[at + 7]
    return None if kind < LEAST_ETHERTYPE else (kind, at + 8)


def _mpls(data: Buffer, at: int, end: int, notes: CaptureNotes) -> _Next | None:
    """Behind the last label: IP, or Ethernet with or without a control word (RFC 4385)."""
    last = False
    while at + 4 <= end and not last:
        last = bool(data[at + 2] & 1)
        at += 4
    if at + 4 > end or data[at] >> 4 == 1:
        # Cut off, or the channel in which routers watch over a path.
        return None
    found = _behind_labels(data, at, end)
    if found is None:
        _closed(notes, "MPLS")
    return found


def _behind_labels(data: Buffer, at: int, end: int) -> _Next | None:
    """An address of Ethernet may begin like IP or like a control word: what follows has to fit."""
    begins = (at + 4, at) if data[at] >> 4 == 0 else (at,)
    frames = [found for begin in begins if (found := _ethernet(data, begin, end)) and _fits(data, *found, end)]
    whole = [found for found in frames if _is_whole_ip(data, found[1], end)]
    if whole or not frames or _is_whole_ip(data, at, end):
        return whole[0] if whole else _by_version(data, at, end)
    return frames[0]


def _is_whole_ip(data: Buffer, at: int, end: int) -> bool:
    """Whether a packet's own length is what is left, but for padding."""
    version = data[at] >> 4
    if at + 20 > end or version not in (4, 6):
        return False
    claimed = (data[at + 2] << 8) | data[at + 3] if version == 4 else 40 + ((data[at + 4] << 8) | data[at + 5])
    return claimed >= 20 and 0 <= end - at - claimed <= MOST_PADDING


def _fits(data: Buffer, kind: int, at: int, end: int) -> bool:
    """Whether an EtherType is one, by what follows it."""
    if kind in (IPV4, IPV6):
        return _by_version(data, at, end) == (kind, at)
    return kind in TAGS or kind in MPLS or kind in _SHIMS or kind == PPPOE or kind in WITHOUT_SIP


def _ppp(data: Buffer, at: int, end: int, notes: CaptureNotes) -> _Next | None:
    """What follows PPP's protocol field, whose first byte may be left out."""
    if at + 2 > end:
        return None
    short = data[at] & 1
    kind, at = (data[at], at + 1) if short else ((data[at] << 8) | data[at + 1], at + 2)
    if kind in PPP_NEXT:
        return PPP_NEXT[kind], at
    if kind < PPP_CONTROL:
        _closed(notes, PPP_CLOSED.get(kind) or f"PPP protocol 0x{kind:04X}")
    return None


def _erspan3(data: Buffer, at: int, end: int) -> _Next | None:
    # 12 bytes, and 8 more when the last bit says so.
    return _ethernet(data, at + 12 + 8 * (data[at + 11] & 1), end) if at + 12 <= end else None


#: EtherType (of the link, or of GRE) -> what follows it
_SHIMS: dict[int, Callable[[Buffer, int, int], _Next | None]] = {
    BRIDGED: _ethernet,
    FABRICPATH: lambda data, at, end: _ethernet(data, at + 2, end),
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
    if protocol == MPLS_IN_IP:
        return 0x8847, at
    if protocol not in PROTOCOLS_WITHOUT_SIP:
        _closed(notes, CLOSED_PROTOCOLS.get(protocol) or f"IP protocol {protocol}")
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
    name = CLOSED_PORTS.get(port) or (CLOSED_PORTS.get(source) if source < LEAST_PORT_OF_A_PROGRAM else None)
    if name:
        _closed(notes, name)
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
