# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CUCM's patterns: which numbers match, how closely, which pattern covers another, and a number that matches.

Wildcards: X one digit, ! one digit or more, [..] and [^..] sets, ? and + repeat what stands before them, a dot
separates, \\+ is a plus sign. @ depends on a dial plan and a route filter, and is not understood here.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(r"\[(\^?)([^\[\]]*)\]|\\(.)|(.)", re.S)
_DIGITS = frozenset("0123456789")
_LITERALS = frozenset("0123456789*#ABCD")
#: what ! and an inverted set can match
DIALLED = _DIGITS | frozenset("*#")


@dataclass(frozen=True)
class Place:
    """What one place of a pattern matches, and whether it may be repeated or missing."""

    takes: frozenset[str]
    least: int = 1
    repeats: bool = False


@dataclass(frozen=True)
class Parsed:
    """A pattern's places, and how many of them are before its dot."""

    places: tuple[Place, ...]
    before_dot: int


@lru_cache(maxsize=8192)
def parse(pattern: str) -> Parsed | None:
    """A pattern's places; None for what is not understood, such as @ or a bracket without its end."""
    places: list[Place] = []
    dot: int | None = None
    for match in _TOKEN.finditer(pattern):
        inverse, inside, escaped, char = match.groups()
        if char == "." and dot is None:
            dot = len(places)
        elif char is not None and char in "?+" and places:
            places[-1] = Place(places[-1].takes, 0 if char == "?" else 1, repeats=True)
        else:
            place = _place(inverse, inside, escaped, char)
            if place is None:
                return None
            places.append(place)
    return Parsed(tuple(places), dot or 0)


def _place(inverse: str | None, inside: str | None, escaped: str | None, char: str | None) -> Place | None:
    if inside is not None:
        taken = _set(inside)
        return Place(DIALLED - taken if inverse else taken)
    if escaped is not None:
        return Place(frozenset(escaped))
    wild = {"X": Place(_DIGITS), "!": Place(DIALLED | {"+"}, repeats=True)}
    found = str(char).upper()
    return wild.get(found) or (Place(frozenset(found)) if found in _LITERALS else None)


def _set(inside: str) -> frozenset[str]:
    """The characters of a bracket, with its ranges."""
    wide = re.sub(r"(\d)-(\d)", lambda m: "".join(str(n) for n in range(int(m[1]), int(m[2]) + 1)), inside)
    return frozenset(wide.replace("\\", ""))


def ends(parsed: Parsed, number: str, places: int | None = None) -> set[int]:
    """How many characters of a number the first places can match; all places by default."""
    at = {0}
    for place in parsed.places[:places]:
        at = set(_after(place, number, at))
    return at


def _after(place: Place, number: str, starts: set[int]) -> Iterator[int]:
    for start in starts:
        end, taken = start, 0
        while True:
            if taken >= place.least:
                yield end
            if end == len(number) or number[end] not in place.takes or (taken and not place.repeats):
                break
            end, taken = end + 1, taken + 1


def matches(pattern: str, number: str) -> bool | None:
    """Whether a pattern matches a whole number; None when that is not known, as of what an @ takes."""
    parsed = parse(pattern)
    if parsed is not None:
        return len(number) in ends(parsed, number)
    before = parse(pattern.partition("@")[0])
    return False if before is not None and not ends(before, number) else None


def breadth(pattern: str, length: int) -> int | None:
    """How many numbers of a length a pattern matches, by which CUCM finds the closest match; None if not understood."""
    parsed = parse(pattern)
    if parsed is None:
        return None
    counts = [1, *([0] * length)]
    for place in parsed.places:
        size = len(place.takes)
        after = [0] * (length + 1)
        for end in range(length + 1):
            most = end if place.repeats else min(1, end)
            after[end] = sum(counts[end - taken] * size**taken for taken in range(place.least, most + 1))
        counts = after
    return counts[length]


def sample(pattern: str) -> str | None:
    """A number that matches a pattern: the smallest; None when the pattern is not understood."""
    parsed = parse(pattern)
    if parsed is None or not all(place.takes for place in parsed.places):
        return None
    return "".join(min(place.takes & _DIGITS or place.takes) * place.least for place in parsed.places)


def before_dot(pattern: str, number: str) -> str | None:
    """What of a matching number stands before the pattern's dot; None when more than one split fits."""
    parsed = parse(pattern)
    if parsed is None:
        return None
    head = Parsed(parsed.places[: parsed.before_dot], 0)
    tail = Parsed(parsed.places[parsed.before_dot :], 0)
    fits = [end for end in ends(head, number) if len(number) - end in ends(tail, number[end:])]
    return number[: fits[0]] if len(fits) == 1 else None


def covers(wide: str, narrow: str) -> bool:
    """True when the wider pattern certainly matches every number that the narrower one matches."""
    wider, narrower = parse(wide), parse(narrow)
    if wider is None or narrower is None:
        return wide == narrow
    return _covers(wider.places, narrower.places)


def _covers(wide: Sequence[Place], narrow: Sequence[Place]) -> bool:
    if not wide:
        return not narrow
    if not narrow:
        return all(place.least == 0 for place in wide)
    first, mine = wide[0], narrow[0]
    if first.least == 0 and _covers(wide[1:], narrow):
        return True
    if not mine.takes <= first.takes or (mine.least < first.least) or (mine.repeats and not first.repeats):
        return False
    if _covers(wide[1:], narrow[1:]):
        return True
    # The wider place repeats: it matches this place of the narrower pattern, and further ones.
    return first.repeats and len(narrow) > 1 and _covers((Place(first.takes, 0, repeats=True), *wide[1:]), narrow[1:])
