# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a number goes on one cluster: the closest match within a search space, through translations. Pure.

CUCM takes the pattern that matches the fewest numbers of the dialled length; among equals the one whose partition comes
first. What CUCM's documents do not decide, such as equal patterns in one partition, is not known here.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.patterns import before_dot, breadth, matches
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.plan import (
    ALL_DIGITS,
    TRANSLATION,
    DialPlan,
    Pattern,
    Trunk,
)

#: number of translations after which a call counts as looping
MOST_TRANSLATIONS = 10


class NotKnown(Exception):
    """Where a number goes is not known; the message says why."""


@dataclass(frozen=True)
class Found:
    """What a number reaches: the last pattern, the number that leaves it, and the translations on the way.

    pattern is None when nothing matches; `problem` then says so, and it says when a pattern blocks the call.
    """

    number: str
    pattern: Pattern | None = None
    translations: tuple[Pattern, ...] = ()
    problem: str = ""
    outside: bool = False  # something matches, in a partition that the search space does not have

    @property
    def translated(self) -> str:
        """The beginning of a sentence that names the translation patterns which the number met; empty without one."""
        words = " and ".join(translation.words for translation in self.translations)
        return f"{words} changed the called number, and " if words else ""


def analyse(plan: DialPlan, dialled: str, space: Sequence[str]) -> Found:
    """Where a number goes when it is dialled whole. NotKnown, with the reason, when that is not decided."""
    number = dialled
    way: list[Pattern] = []
    partitions = tuple(space)
    while len(way) < MOST_TRANSLATIONS:
        pattern = closest(plan, number, partitions)
        if pattern is None:
            return _no_match(plan, number, partitions, way)
        if pattern.blocked:
            return Found(number, pattern, tuple(way), f"{pattern.words} blocks the call")
        if pattern.kind != TRANSLATION:
            return Found(transformed(pattern, number), pattern, tuple(way))
        way.append(pattern)
        number = transformed(pattern, number)
        if not pattern.originator_search_space:
            partitions = plan.partitions(pattern.search_space)
    return Found(number, None, tuple(way), f"{way[0].words} leads in circles")


def closest(plan: DialPlan, number: str, partitions: Sequence[str]) -> Pattern | None:
    """The closest match of a number within partitions; None when nothing matches."""
    order = {partition: place for place, partition in enumerate(partitions)}
    ranked: list[tuple[tuple[int, int], Pattern]] = [
        ((1, order[pattern.partition]), pattern) for pattern in plan.exact.get(number, ()) if pattern.partition in order
    ]
    exact = bool(ranked)
    for pattern in plan.wild:
        if pattern.partition not in order:
            continue
        fits = matches(pattern.pattern, number)
        if fits is None and exact:
            continue  # nothing is closer than a pattern that is the number itself
        if fits is None:
            raise NotKnown(f"{pattern.words} is not understood, and it may match {number}")
        if fits:
            ranked.append(((breadth(pattern.pattern, len(number)) or 0, order[pattern.partition]), pattern))
    if not ranked:
        return None
    best = min(rank for rank, _pattern in ranked)
    found = [pattern for rank, pattern in ranked if rank == best]
    if len(found) > 1:
        raise NotKnown(f"{found[0].words} and {found[1].words} match {number} equally")
    if plan.scheduled & {pattern.partition for _rank, pattern in ranked}:
        raise NotKnown(f"partitions with a time schedule decide about {number}")
    return found[0]


def _no_match(plan: DialPlan, number: str, partitions: Sequence[str], way: Sequence[Pattern]) -> Found:
    """Why nothing matches: where the number is, when it is in a partition that the search space does not have."""
    elsewhere = [candidate for candidate in (*plan.exact.get(number, ()), *plan.wild) if _matches(candidate, number)]
    outside = next((candidate for candidate in elsewhere if candidate.partition not in partitions), None)
    holder = f"the calling search space of {way[-1].words}" if way else "the calling search space"
    problem = f"{outside.words} is not in {holder}" if outside else f"nothing in {holder} matches {number}"
    return Found(number, None, tuple(way), problem, outside=outside is not None and not way)


def _matches(pattern: Pattern, number: str) -> bool:
    return matches(pattern.pattern, number) is True


def caught_early(plan: DialPlan, dialled: str, partitions: Sequence[str]) -> Pattern | None:
    """The urgent pattern that matches before a phone that sends digit by digit has sent all digits."""
    urgent = any(pattern.urgent and pattern.partition in partitions for pattern in plan.patterns)
    for length in range(1, len(dialled)) if urgent else ():
        pattern = closest(plan, dialled[:length], partitions)
        if pattern is not None and pattern.urgent:
            return pattern
    return None


def transformed(pattern: Pattern, number: str) -> str:
    """The called number after discard, mask and prefix, in CUCM's order. NotKnown for other discard instructions."""
    if pattern.discard in ("PreDot", "PreDot Trailing-#"):
        head = before_dot(pattern.pattern, number)
        if head is None:
            raise NotKnown(f"what {pattern.words} discards of {number} is not clear")
        number = number[len(head) :]
    elif pattern.discard not in ("", "NoDigits", "Trailing-#"):
        raise NotKnown(f"the discard instruction {pattern.discard} of {pattern.words} is not understood")
    if pattern.discard.endswith("Trailing-#"):
        number = number.removesuffix("#")
    return pattern.prefix + masked(number, pattern.mask)


def masked(number: str, mask: str) -> str:
    """A transformation mask, which is aligned at the right: X keeps the digit, everything else replaces it."""
    if not mask:
        return number
    kept = list(number[-len(mask) :])
    found: list[str] = []
    for char in reversed(mask):
        old = kept.pop() if kept else ""
        found.append(old if char in "Xx" else char)
    return "".join(reversed(found))


def received(trunk: Trunk, number: str) -> str:
    """The number that a trunk hands to digit analysis. NotKnown when it has settings that are not followed here."""
    if trunk.other_settings:
        raise NotKnown(f"the SIP trunk {trunk.name} changes the called number by {', '.join(trunk.other_settings)}")
    digits = trunk.significant_digits
    kept = number if digits >= ALL_DIGITS or digits >= len(number) else number[len(number) - digits :]
    return trunk.prefix + kept
