# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames as mirror ports and overlays wrap them, built by hand."""

from __future__ import annotations

import struct

import dpkt

MACS = b"\x02\x00\x00\x00\x00\x11\x02\x00\x00\x00\x00\x12"
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


def wrapped(how: str, ip: bytes) -> bytes:
    """An Ethernet frame that holds this IP packet in a tunnel."""
    kind = 0x86DD if ip[0] >> 4 == 6 else 0x0800
    inner = ethernet(ip, kind)
    label = struct.pack(">I", (16 << 12) | 0x100 | 64)
    labels = struct.pack(">I", (17 << 12) | 64) + label
    sequence = b"\x00\x00\x00\x01"
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
        "pppoe": lambda: ethernet(
            b"\x11\x00\x00\x01" + struct.pack(">HH", len(ip) + 2, 0x57 if kind == 0x86DD else 0x21) + ip, 0x8864
        ),
        "ip in ip": lambda: ethernet(_ip(41 if kind == 0x86DD else 4, ip)),
        "vlan in gre": lambda: _gre(0x6558, MACS + b"\x81\x00\x00\x05" + struct.pack(">H", kind) + ip),
        "vn-tag": lambda: ethernet(b"\x80\x01\x00\x02" + struct.pack(">H", kind) + ip, 0x8926),
        "e-tag": lambda: ethernet(b"\x00\x00\x00\x64\x00\x00" + struct.pack(">H", kind) + ip, 0x893F),
        "trustsec": lambda: ethernet(b"\x01\x01\x00\x01\x00\x64" + struct.pack(">H", kind) + ip, 0x8909),
        # What can't be opened.
        "IPsec ESP": lambda: ethernet(_ip(50, ip)),
        "MACsec": lambda: ethernet(ip, 0x88E5),
        "L2TP": lambda: _udp(1701, ip),
    }[how]()


OPENED = (
    "gre", "gre with key and checksum", "gre bridged", "erspan 1", "erspan 2", "erspan 3", "vxlan", "geneve", "mpls",
    "mpls twice", "mpls pseudowire", "pppoe", "ip in ip", "vlan in gre",
    "vn-tag", "e-tag", "trustsec",
)  # fmt: skip
CLOSED = ("IPsec ESP", "MACsec", "L2TP")
