# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as CUCM writes them, in one form. Private to this collection."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from ansible_collections.siptls.cucm.plugins.module_utils._text import is_address


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """The usual form of an address: without brackets, an IPv4-mapped one as IPv4. A host name stays as it is."""
    bare = text.strip().strip("[]")
    if ":" not in bare:
        return bare
    try:
        address = ipaddress.IPv6Address(bare)
    except ValueError:
        return bare
    return str(address.ipv4_mapped or address)


def without_port(text: str) -> tuple[str, int | None]:
    """(address, port) of ``address:port``; an IPv6 address may have brackets or not. The port is None without one."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or not port.isdecimal() or host.endswith(":") or (":" in host and text.startswith("[") is False
                                                                   and not is_address(host)):  # fmt: skip
        return plain(text), None
    return plain(host), int(port)
