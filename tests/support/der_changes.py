# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DER in which one element is another: certificates that no program makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ansible_collections.siptls.cucm.plugins.module_utils._x509.der import DerError, Element


def tlv(tag: int, content: bytes) -> bytes:
    """DER of one element."""
    size = len(content)
    count = (size.bit_length() + 7) // 8
    return bytes([tag, size] if size < 128 else [tag, 0x80 | count, *size.to_bytes(count, "big")]) + content


def inside(element: Element) -> list[Element]:
    """The elements in a constructed one, and those that an OCTET STRING wraps."""
    try:
        if element.tag & 0x20:
            return element.children()
        return element.children() if element.tag == 0x04 and len(element.content) > 2 else []
    except DerError:
        return []


def walk(element: Element) -> Iterator[Element]:
    yield element
    for child in inside(element):
        yield from walk(child)


def changed(element: Element, at: int, change: Callable[[Element], bytes]) -> bytes:
    """The DER of an element in which the one with the number at, counted from the outermost, is another."""
    return b"".join(_changed(element, iter(range(at, -1, -1)), change))


def _changed(element: Element, left: Iterator[int], change: Callable[[Element], bytes]) -> Iterator[bytes]:
    turn = next(left, -1)
    if turn == 0:
        yield change(element)
    elif turn < 0 or not inside(element):
        yield element.whole
    else:
        yield tlv(element.tag, b"".join(part for child in inside(element) for part in _changed(child, left, change)))
