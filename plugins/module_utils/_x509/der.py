# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DER and definite BER, taken apart element by element; private to siptls.cucm.

Reading certificates by hand rather than by a library keeps what a library refuses: a certificate with one odd
attribute is still a certificate whose names, dates and fingerprint an operator needs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

INTEGER, BIT_STRING, OCTET_STRING, OID, SEQUENCE, SET = 0x02, 0x03, 0x04, 0x06, 0x30, 0x31
_DEEPEST = 32
# What programs and people leave between files and after them.
_BLANKS = re.compile(rb"[\0\t\n\f\r ]*")


class DerError(ValueError):
    """The bytes are not what is expected in their place; the text ends a sentence."""


@dataclass(frozen=True)
class Element:
    """One element: its identifier octet, its content, and all of it with the header."""

    tag: int
    content: bytes
    whole: bytes

    def children(self) -> list[Element]:
        """The elements inside a constructed one."""
        return elements(self.content)

    def expect(self, tag: int, what: str) -> Element:
        """The element itself; DerError unless it has this tag."""
        if self.tag != tag:
            raise DerError(f"{what} has the ASN.1 tag {self.tag:#04x} instead of {tag:#04x}")
        return self


def elements(data: bytes) -> list[Element]:
    """The elements that follow each other in data."""
    found, at = [], 0
    while at < len(data):
        element = _element(data, at, 0)
        found.append(element)
        at += len(element.whole)
    return found


def sequences(data: bytes) -> tuple[list[Element], bytes]:
    """The SEQUENCEs that follow each other in a file, blanks between them skipped; and the rest that holds none."""
    found, at = [], 0
    while data[at : at + 1] == b"\x30":
        try:
            element = _element(data, at, 0)
        except DerError:
            break
        found.append(element)
        at = _BLANKS.match(data, at + len(element.whole)).end()  # type: ignore[union-attr]
    return found, data[at:]


def first(data: bytes) -> Element:
    """The first element of data; what follows it does not matter."""
    return _element(data, 0, 0)


def _element(data: bytes, at: int, depth: int) -> Element:
    if at + 2 > len(data):
        raise DerError("it ends in the middle")
    tag, length, begin = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise DerError("it holds an ASN.1 tag of more than one byte")
    if length == 0x80:
        return _indefinite(data, at, depth)
    if length & 0x80:
        count = length & 0x7F
        length, begin = int.from_bytes(data[begin : begin + count], "big"), begin + count
    if begin + length > len(data):
        raise DerError("it ends in the middle")
    return Element(tag, data[begin : begin + length], data[at : begin + length])


def _indefinite(data: bytes, at: int, depth: int) -> Element:
    """An element of BER that two zero bytes end, as Java writes PKCS#7."""
    if depth > _DEEPEST:
        raise DerError("it is nested too deeply")
    begin = end = at + 2
    while data[end : end + 2] != b"\0\0":
        end += len(_element(data, end, depth + 1).whole)
    return Element(data[at], data[begin:end], data[at : end + 2])


def integer(element: Element, what: str) -> int:
    """The value of an INTEGER."""
    return int.from_bytes(element.expect(INTEGER, what).content, "big", signed=True)


def dotted(content: bytes) -> str:
    """An object identifier in dotted form."""
    if not content or content[-1] & 0x80:
        raise DerError("it holds an object identifier that ends in the middle")
    numbers, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    head = min(numbers[0] // 40, 2)
    return ".".join(map(str, (head, numbers[0] - 40 * head, *numbers[1:])))


def oid(element: Element, what: str) -> str:
    """The value of an OBJECT IDENTIFIER in dotted form."""
    return dotted(element.expect(OID, what).content)


def octets(element: Element, what: str) -> bytes:
    """The content of an OCTET STRING."""
    return element.expect(OCTET_STRING, what).content


def bits(element: Element, what: str) -> bytes:
    """The bytes of a BIT STRING without its count of unused bits."""
    content = element.expect(BIT_STRING, what).content
    if not content:
        raise DerError(f"{what} is empty")
    return content[1:]


def moment(element: Element, what: str) -> datetime:
    """A UTCTime or GeneralizedTime, in UTC."""
    digits = {0x17: 10, 0x18: 12}.get(element.tag)
    text = element.content.decode("ascii", "replace")
    if digits is None:
        raise DerError(f"{what} is not a time")
    try:
        year = int(text[: digits - 8])
        year += 0 if digits == 12 else 1900 if year >= 50 else 2000
        rest, zone = (text[digits:-1], "Z") if text.endswith("Z") else (text[digits:-5], text[-5:])
        month, day, hour, minute = (int(text[at : at + 2]) for at in range(digits - 8, digits, 2))
        shift = timedelta() if zone == "Z" else timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
        local = datetime(year, month, day, hour, minute, int(rest[:2] or 0), tzinfo=UTC)
        return local + shift if zone[0] == "-" else local - shift
    except (ValueError, IndexError, OverflowError):
        raise DerError(f"{what} is {text[:20]!r}, which is not a time") from None


def split(data: Sequence[Element], *tags: int) -> list[Element | None]:
    """The elements with these (context) tags, None for each that is missing."""
    return [next((element for element in data if element.tag == tag), None) for tag in tags]
