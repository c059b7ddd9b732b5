# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames as mirror ports and overlays wrap them, built by hand."""

from __future__ import annotations

import struct

import dpkt

MACS = b"\x02\x00\x00\x00\x00\x11\x02\x00\x00\x00\x00\x12"
NO_CONTROL_WORD = "mpls without control word, "
OUTER = (b"\x0a\x01\x01\x01", b"\x0a\x01\x01\x02")


def ethernet(payload: bytes, kind: int = 0x0800) -> bytes:
    return MACS + struct.pack(">H", kind) + payload


def _ip(protocol: int, payload: bytes) -> bytes:
    packet = dpkt.ip.IP(src=OUTER[0], dst=OUTER[1], p=protocol, ttl=64, data=payload)
    packet.len = 20 + len(payload)
    return bytes(packet)


def _gre(kind: int, payload: bytes, flags: int = 0, more: bytes = b"") -> bytes:
    return ethernet(_ip(47, struct.pack(">HH", flags, kind) + more + payload))


def _udp(port: int, payload: bytes) -> bytes:
    return ethernet(_ip(17, struct.pack(">HHHH", 50000, port, 8 + len(payload), 0) + payload))


def _length(payload: bytes) -> bytes:
    """A frame of IEEE 802.3: its length in place of an EtherType."""
    return ethernet(payload, len(payload))


def _pppoe(protocol: bytes, payload: bytes) -> bytes:
    return ethernet(b"\x11\x00\x00\x01" + struct.pack(">H", len(protocol + payload)) + protocol + payload, 0x8864)


def wrapped(how: str, ip: bytes) -> bytes:
    """An Ethernet frame that holds this IP packet in a tunnel."""
    kind = 0x86DD if ip[0] >> 4 == 6 else 0x0800
    ether, ppp = struct.pack(">H", kind), b"\x57" if kind == 0x86DD else b"\x21"
    inner = ethernet(ip, kind)
    label = struct.pack(">I", (16 << 12) | 0x100 | 64)
    labels = struct.pack(">I", (17 << 12) | 64) + label
    sequence = b"\x00\x00\x00\x01"
    if how.startswith(NO_CONTROL_WORD):
        # The address that follows may begin like a control word, IPv4 or IPv6.
        return ethernet(label + bytes.fromhex(how[-2:]) + inner[1:], 0x8847)
    return {
        "gre": lambda: _gre(kind, ip),
        "gre with key and checksum": lambda: _gre(kind, ip, 0xA000, bytes(8)),
        "gre bridged": lambda: _gre(0x6558, inner),
        "erspan 1": lambda: _gre(0x88BE, inner),
        "erspan 2": lambda: _gre(0x88BE, b"\x10\x01\x00\x64\x00\x00\x00\x00" + inner, 0x1000, sequence),
        "erspan 3": lambda: _gre(0x22EB, b"\x20\x01\x00\x64" + bytes(8) + inner, 0x1000, sequence),
        "vxlan": lambda: _udp(4789, b"\x08\x00\x00\x00\x00\x00\x2a\x00" + inner),
        "geneve": lambda: _udp(6081, b"\x01\x00\x65\x58\x00\x00\x2a\x00" + bytes(4) + inner),
        "mpls": lambda: ethernet(label + ip, 0x8847),
        "mpls twice": lambda: ethernet(labels + ip, 0x8847),
        "mpls pseudowire": lambda: ethernet(label + bytes(4) + inner, 0x8847),
        "mpls in ip": lambda: ethernet(_ip(137, label + ip)),
        "pppoe": lambda: _pppoe(b"\x00" + ppp, ip),
        "pppoe, one byte of protocol": lambda: _pppoe(ppp, ip),
        "pppoe with mpls": lambda: _pppoe(b"\x02\x81", label + ip),
        "snap": lambda: _length(b"\xaa\xaa\x03\x00\x00\x00" + ether + ip),
        "snap through a bridge": lambda: _length(b"\xaa\xaa\x03\x00\x00\xf8" + ether + ip),
        # These two end with a checksum.
        "isl": lambda: (
            b"\x01\x00\x0c\x00\x00\x01"
            + _length(b"\xaa\xaa\x03" + MACS[:3] + b"\x00\x0a" + bytes(4) + inner + bytes(4))[6:]
        ),
        "fabricpath": lambda: ethernet(b"\x00\x40" + inner + bytes(4), 0x8903),
        "vlan 9200": lambda: ethernet(b"\x00\x05" + ether + ip, 0x9200),
        "hsr": lambda: ethernet(b"\x00\x05\x00\x01" + ether + ip, 0x892F),
        "ip in ip": lambda: ethernet(_ip(41 if kind == 0x86DD else 4, ip)),
        "vlan in gre": lambda: _gre(0x6558, MACS + b"\x81\x00\x00\x05" + struct.pack(">H", kind) + ip),
        "vn-tag": lambda: ethernet(b"\x80\x01\x00\x02" + struct.pack(">H", kind) + ip, 0x8926),
        "e-tag": lambda: ethernet(b"\x00\x00\x00\x64\x00\x00" + struct.pack(">H", kind) + ip, 0x893F),
        "trustsec": lambda: ethernet(b"\x01\x01\x00\x01\x00\x64" + struct.pack(">H", kind) + ip, 0x8909),
        # What can't be opened.
        "IPsec ESP": lambda: ethernet(_ip(50, ip)),
        "MACsec": lambda: ethernet(ip, 0x88E5),
        "L2TP": lambda: _udp(1701, ip),
        "CAPWAP": lambda: _udp(5247, bytes(8) + ip),
        "LISP": lambda: _udp(4341, bytes(8) + ip),
        "Teredo": lambda: _udp(3544, ip),
        "GUE": lambda: _udp(6080, bytes(4) + ip),
        "IPComp": lambda: ethernet(_ip(108, bytes(4) + ip)),
        "IP mobility": lambda: ethernet(_ip(55, ip)),
        "IP protocol 200": lambda: ethernet(_ip(200, ip)),
        "WCCP": lambda: _gre(0x883E, bytes(4) + ip),
        "Aruba GRE": lambda: _gre(0x8200, ip),
        "EtherType 0x7777": lambda: ethernet(ip, 0x7777),
        "PPP multilink": lambda: _pppoe(b"\x00\x3d", bytes(4) + ppp + ip),
        "PPP protocol 0x0069": lambda: _pppoe(b"\x00\x69", ip),
        "MPLS": lambda: ethernet(label + b"\xe4" + bytes(range(60)), 0x8847),
    }[how]()


OPENED = (
    "gre", "gre with key and checksum", "gre bridged", "erspan 1", "erspan 2", "erspan 3", "vxlan", "geneve", "mpls",
    "mpls twice", "mpls in ip", "pppoe", "pppoe, one byte of protocol", "pppoe with mpls", "ip in ip", "vlan in gre",
    "vn-tag", "e-tag", "trustsec", "snap", "snap through a bridge", "isl", "fabricpath", "vlan 9200", "hsr",
    "mpls pseudowire", *(NO_CONTROL_WORD + first for first in ("00", "40", "45", "64", "e4")),
)  # fmt: skip
CLOSED = (
    "IPsec ESP", "MACsec", "L2TP", "CAPWAP", "LISP", "Teredo", "GUE", "IPComp", "IP mobility", "IP protocol 200",
    "WCCP", "Aruba GRE", "EtherType 0x7777", "PPP multilink", "PPP protocol 0x0069", "MPLS",
)  # fmt: skip
