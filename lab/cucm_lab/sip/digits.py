# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Digit analysis: which phone or route pattern a dialled number means.

CUCM's wildcards: X one digit, N 2 to 9, ! one digit or more, [..] and [^..] sets, ? and + repeat what is before
them, . separates, @ the North American plan (here its lengths alone), \\+ a plus sign. The pattern that could
match the fewest numbers wins. Phones have no calling search space, and partitions keep nothing apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..world import Cluster, Phone

_DIGITS = 10
#: how many numbers an open-ended part stands for: more than any closed pattern
_OPEN = 10**24
_NANP = r"(?:911|\d{7}|1?[2-9]\d{9}|011\d+)"


@dataclass(frozen=True)
class Pattern:
    """A pattern made ready for matching; `before_dot` counts what PreDot discards."""

    text: str
    expression: re.Pattern[str]
    #: how many numbers it could match
    breadth: int


@lru_cache(maxsize=4096)
def compile_pattern(text: str) -> Pattern:
    """Make a CUCM pattern ready; a `[` without its end stands for itself."""
    parts: list[str] = []
    breadth = 1
    index = 0
    while index < len(text):
        char = text[index]
        if char == "." and not any(part == "(?P<rest>" for part in parts):
            parts.append("(?P<rest>")
        elif char == "\\" and index + 1 < len(text):
            index += 1
            parts.append(re.escape(text[index]))
        elif char in "Xx":
            parts.append("[0-9]")
            breadth *= _DIGITS
        elif char in "Nn":
            parts.append("[2-9]")
            breadth *= 8
        elif char == "!":
            parts.append("[0-9*#+]+")
            breadth *= _OPEN
        elif char == "@":
            parts.append(_NANP)
            breadth *= _OPEN
        elif char == "[" and "]" in text[index:]:
            end = text.index("]", index)
            parts.append(text[index : end + 1])
            breadth *= _size(text[index + 1 : end])
            index = end
        elif char in "?+" and parts and parts[-1] != "(?P<rest>":
            parts[-1] = f"(?:{parts[-1]}){'*' if char == '?' else '+'}"
            breadth *= _OPEN
        else:
            parts.append(re.escape(char))
        index += 1
    if "(?P<rest>" in parts:
        parts.append(")")
    try:
        expression = re.compile("".join(parts))
    except re.error:
        expression = re.compile(re.escape(text))
    return Pattern(text, expression, breadth)


def _size(inner: str) -> int:
    try:
        one = re.compile(f"[{inner}]")
    except re.error:
        return _DIGITS
    return max(1, sum(1 for digit in "0123456789*#+" if one.match(digit)))


@dataclass(frozen=True)
class Match:
    """Where a number goes: a phone, or a route pattern with the number that leaves through it."""

    dialled: str
    pattern: str
    partition: str
    phone: Phone | None = None
    route: dict[str, Any] | None = None
    called: str = ""
    #: every pattern that could still match with more digits or does match, for the trace
    others: tuple[str, ...] = ()


def analyse(cluster: Cluster, dialled: str) -> Match | None:
    """The closest match of a number, or None."""
    found: list[tuple[int, int, Match]] = []
    for phone in cluster.phones:
        if phone.extension == dialled:
            found.append((1, 0, Match(dialled, phone.extension, phone.partition, phone=phone, called=dialled)))
    for record in cluster.config.objects("RoutePattern"):
        pattern = compile_pattern(str(record.get("pattern") or ""))
        match = pattern.expression.fullmatch(dialled)
        if match:
            called = _transformed(record, dialled, match)
            partition = str(record.get("routePartitionName") or "")
            found.append((pattern.breadth, 1, Match(dialled, pattern.text, partition, route=record, called=called)))
    if not found:
        return None
    return min(found, key=lambda entry: entry[:2])[2]


def _transformed(route: dict[str, Any], dialled: str, match: re.Match[str]) -> str:
    """The called number after discard, mask and prefix, in CUCM's order."""
    number = dialled
    if str(route.get("digitDiscardInstructionName") or "").startswith("PreDot") and "rest" in match.re.groupindex:
        number = match["rest"]
    number = apply_mask(number, str(route.get("calledPartyTransformationMask") or ""))
    return str(route.get("prefixDigitsOut") or "") + number


def apply_mask(number: str, mask: str) -> str:
    """CUCM's transformation mask: aligned at the right, X keeps the digit."""
    if not mask:
        return number
    padded = number.rjust(len(mask))
    kept = padded[len(padded) - len(mask) :]
    return "".join(old.strip() if new in "Xx" else new for old, new in zip(kept, mask, strict=True))


def elements(value: Any, inner: str) -> Iterable[dict[str, Any]]:
    """The list inside a group (`destinations` of `destination`), however deep it is stored."""
    if isinstance(value, dict):
        value = value.get(inner) or []
    if isinstance(value, dict):
        value = [value]
    return value or []
