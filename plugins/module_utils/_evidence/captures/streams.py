# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP segments put together to the bytes that each end sent. Private to this collection.

A capture may hold segments out of order, twice, or not at all; so all of a direction's segments are collected
first and put in order at the end, which needs no guess about how long to wait for a late one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.layers import (
    ACK,
    FIN,
    RST,
    SYN,
    Segment,
    address_text,
)

Endpoint = tuple[bytes, int]
_MASK = 0xFFFF_FFFF
# A SYN that is captured after data of its own connection comes at most this many bytes before that data; and data that
# is captured after the end of its connection is at most so many bytes away from it.
LATE_SYN = 1 << 20


class Chunk(NamedTuple):
    """Bytes in order, with the time and frame at which they were complete. ``gap``: bytes missing before them.

    ``at`` is the sequence number of the first byte; ``acknowledged`` is what the sender had of the other end's bytes.
    """

    time: float
    frame: int
    data: bytes
    gap: int
    at: int = 0
    acknowledged: int = 0


def sent_after(number: int, other: int) -> bool:
    """Whether a sequence number is at or behind another one of the same direction, on the circle of 2^32."""
    return (number - other) & _MASK < 0x8000_0000


@dataclass
class Direction:
    """What one end sent; sequence numbers are counted on past 2^32."""

    highest: int = 0
    seen: bool = False
    base: int | None = None
    reset: bool = False
    #: its reset said what it had received of the other end
    reset_acknowledges: bool = False
    finished: bool = False
    #: one past the last byte that was sent, as far as any segment of either end shows
    reach: int = 0
    #: sequence number, frame, time, payload, and the number that it acknowledges
    segments: list[tuple[int, int, float, bytes, int]] = field(default_factory=list)

    def unwrap(self, sequence: int) -> int:
        """The sequence number as one that doesn't wrap around."""
        if not self.seen:
            self.highest, self.seen = sequence, True
            return sequence
        difference = (sequence - self.highest) & _MASK
        value = self.highest + (difference if difference < 0x8000_0000 else difference - (1 << 32))
        self.highest = max(self.highest, value)
        return value

    def _in_order(self) -> list[tuple[int, int, float, bytes, int]]:
        self.segments.sort()
        return self.segments

    def acknowledge(self, number: int) -> None:
        """The other end has everything before this sequence number."""
        difference = (number - self.highest) & _MASK
        value = self.highest + (difference if difference < 0x8000_0000 else difference - (1 << 32))
        self.reach = max(self.reach, value)

    @property
    def whole(self) -> bool:
        """Whether every byte that this end sent is in the capture, as far as the capture can show that."""
        if self.base is None:
            return False
        expected = self.base
        for start, _frame, _time, data, _acknowledged in self._in_order():
            if start > expected:
                return False
            end = start + len(data)
            expected = max(expected, end)
        # A FIN counts as one more byte; an acknowledged one that was not captured leaves the end open.
        return self.reach <= expected + self.finished

    def chunks(self) -> Iterator[Chunk]:
        """The direction's bytes in order, each byte once; of bytes sent twice the first sending counts."""
        ordered = self._in_order()
        expected = self.base if self.base is not None else (ordered[0][0] if ordered else 0)
        latest, frame = 0.0, 0
        for start, number, time, data, acknowledged in ordered:
            end = start + len(data)
            if end <= expected:
                continue
            gap = max(0, start - expected)
            # Bytes are complete when the latest segment up to them came.
            latest, frame = max(latest, time), max(frame, number)
            new = data if start >= expected else data[expected - start :]
            yield Chunk(latest, frame, new, gap, end - len(new), acknowledged)
            expected = end


@dataclass
class Connection:
    """One TCP connection; ``client`` opened it, as far as the capture shows who did."""

    client: Endpoint
    server: Endpoint
    started: float
    first_frame: int
    opening_seen: bool = False
    #: an end has reset it, or both have closed it
    ended: bool = False
    #: the server answered the opening with a reset
    refused: bool = False
    last: float = 0.0
    packets: int = 0
    octets: int = 0
    sides: dict[Endpoint, Direction] = field(default_factory=dict)

    def direction(self, source: Endpoint) -> Direction:
        """The direction of an end."""
        found = self.sides.get(source)
        if found is None:
            found = self.sides[source] = Direction()
        return found

    @property
    def whole(self) -> bool:
        """Whether all bytes of both ends are in the capture. A refused opening is whole, though one end sent none."""
        ends = self.direction(self.client), self.direction(self.server)
        refused = self.refused and not ends[0].segments and not ends[1].seen
        return ends[0].whole and (ends[1].whole or refused)

    def swap(self) -> None:
        """Exchange the two ends: the other one is the client."""
        self.client, self.server = self.server, self.client

    @property
    def names(self) -> tuple[str, str]:
        """Both ends as ``address:port``, client first."""
        return endpoint_text(self.client), endpoint_text(self.server)


def endpoint_text(end: Endpoint) -> str:
    """``10.0.0.1:5061`` or ``[2001:db8::1]:5061``."""
    text = address_text(end[0])
    return f"[{text}]:{end[1]}" if ":" in text else f"{text}:{end[1]}"


def connections(found: Iterable[Segment], ports: frozenset[int]) -> list[Connection]:
    """All connections, in the order of their first packet. Segments may come from several rolled files in a row."""
    live: dict[tuple[Endpoint, Endpoint], Connection] = {}
    every: list[Connection] = []
    for segment in found:
        source, target, flags = segment.source, segment.target, segment.flags
        key = (source, target) if source < target else (target, source)
        connection = live.get(key)
        opening = bool(flags & SYN)
        if connection is not None and (
            (opening and _is_new(connection, segment)) or (connection.ended and _is_far(connection, segment))
        ):
            connection = None
        if connection is None:
            connection = _begin(segment, ports)
            live[key] = connection
            every.append(connection)
        _add(connection, segment)
    return every


def _is_new(connection: Connection, segment: Segment) -> bool:
    """A SYN on known ends opens a new connection, unless it is this one's own: sent twice, or captured late."""
    direction = connection.direction(segment.source)
    if not direction.seen:
        return False
    begin = segment.sequence + 1
    if direction.base is not None:
        return (begin - direction.base) & _MASK != 0
    earliest = min((sent[0] for sent in direction.segments), default=begin)
    return (earliest - begin) & _MASK > LATE_SYN


def _is_far(connection: Connection, segment: Segment) -> bool:
    """Data far from all that an ended connection carried: that of a new one on the same ports without its SYN."""
    direction = connection.direction(segment.source)
    if not direction.seen or not segment.payload:
        return False
    away = (segment.sequence - direction.highest) & _MASK
    return LATE_SYN < away < _MASK - LATE_SYN


def _begin(segment: Segment, ports: frozenset[int]) -> Connection:
    source, target = segment.source, segment.target
    flags = segment.flags
    if flags & SYN:
        client, server = (target, source) if flags & 16 else (source, target)
    elif (source[1] in ports) != (target[1] in ports):
        client, server = (source, target) if target[1] in ports else (target, source)
    else:
        client, server = (source, target) if source[1] >= target[1] else (target, source)
    return Connection(client, server, segment.time, segment.frame, opening_seen=bool(flags & SYN))


def _refuses(connection: Connection, segment: Segment) -> bool:
    """Whether a reset answers a SYN (RFC 9293, 3.5.2): its own sequence number is 0, outside of the stream."""
    other = connection.sides.get(segment.target)
    is_answer = other is not None and other.base is not None and segment.acknowledged == other.base & _MASK
    return is_answer and segment.flags & (RST | ACK | SYN) == RST | ACK and segment.sequence == 0


def _add(connection: Connection, segment: Segment) -> None:
    direction = connection.direction(segment.source)
    connection.packets += 1
    connection.octets += len(segment.payload)
    connection.last = max(connection.last, segment.time)
    if segment.flags & RST and _refuses(connection, segment):
        direction.reset = direction.reset_acknowledges = connection.refused = connection.ended = True
        return
    sequence = direction.unwrap(segment.sequence)
    if segment.flags & SYN:
        sequence += 1
        if direction.base is None:
            direction.base = sequence
        if not connection.opening_seen and not segment.flags & 16:
            connection.client, connection.server, connection.opening_seen = segment.source, segment.target, True
    if segment.flags & (FIN | RST):
        direction.finished |= bool(segment.flags & FIN)
        direction.reset |= bool(segment.flags & RST)
        direction.reset_acknowledges |= segment.flags & (RST | ACK) == RST | ACK
        connection.ended = direction.reset or all(side.finished for side in connection.sides.values())
    end = sequence + len(segment.payload) + segment.missing + (segment.flags & FIN)
    direction.reach = max(direction.reach, end)
    if segment.flags & ACK:
        other = connection.sides.get(segment.target)
        if other is not None and other.seen:
            other.acknowledge(segment.acknowledged)
    if segment.payload:
        direction.segments.append((sequence, segment.frame, segment.time, segment.payload, segment.acknowledged))
