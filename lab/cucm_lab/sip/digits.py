# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Digit analysis: which phone or route pattern a dialled number leads to, within the caller's search space.

CUCM's wildcards: X one digit, N 2 to 9, ! one digit or more, [..] and [^..] sets, ? and + repeat what is before
them, . separates, @ the North American plan (here its lengths alone), \\+ a plus sign. The pattern that matches the
fewest numbers of the dialled length wins; of equal ones, the one whose partition comes first in the search space. A
translation pattern changes the number and searches again in its own search space.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..world import Cluster, Phone

#: what X, N, ! and @ stand for in a regular expression, and how many signs that is
_WILD = {"X": ("[0-9]", 10), "N": ("[2-9]", 8), "!": ("[0-9*#+]", 13)}
_NANP = r"(?:911|\d{7}|1?[2-9]\d{9}|011\d+)"
_SIGNS = "0123456789*#+"


@dataclass
class _Part:
    """One place of a pattern: its expression, how many characters it takes, and how it repeats ("", "*" or "+")."""

    expression: str
    size: int
    repeat: str = ""


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern."""

    text: str
    expression: re.Pattern[str]
    #: (signs, repeat) of each place
    sizes: tuple[tuple[int, str], ...]

    def breadth(self, length: int) -> int:
        """How many numbers of a length it matches."""
        return _count(self.sizes, length)


@lru_cache(maxsize=65536)
def _count(sizes: tuple[tuple[int, str], ...], length: int) -> int:
    if not sizes:
        return int(length == 0)
    (size, repeat), rest = sizes[0], sizes[1:]
    if repeat == "":
        return size * _count(rest, length - 1) if length else 0
    # One more of this place, or on to the next one.
    more = size * _count(((size, "*"), *rest), length - 1) if length else 0
    return more + (_count(rest, length) if repeat == "*" else 0)


@lru_cache(maxsize=4096)
def compile_pattern(text: str) -> Pattern:
    """Compile a CUCM pattern; a `[` without an end is an ordinary character."""
    parts: list[_Part] = []
    dot: int | None = None
    for token in re.findall(r"\[[^\]]*\]|\\.|.", text, re.DOTALL):
        if token == "." and dot is None:
            dot = len(parts)
        elif token in "?+":
            # At the start there is nothing to repeat; a plus sign that is dialled is written \\+.
            if parts and len(parts) != dot:
                parts[-1].repeat = "*" if token == "?" else "+"
        else:
            parts.append(_part(token))
    body = [f"(?:{part.expression}){part.repeat}" for part in parts]
    if dot is not None:
        body = [*body[:dot], "(?P<rest>", *body[dot:], ")"]
    try:
        expression = re.compile("".join(body))
    except re.error:
        expression = re.compile(re.escape(text))
    return Pattern(text, expression, tuple((part.size, part.repeat) for part in parts))


def _part(token: str) -> _Part:
    if token.upper() in _WILD:
        expression, size = _WILD[token.upper()]
        return _Part(expression, size, "+" if token == "!" else "")
    if token == "@":
        return _Part(_NANP, 10, "+")
    if token.startswith("[") and len(token) > 1:
        return _Part(token, _size(token))
    return _Part(re.escape(token[-1]), 1)


def _size(token: str) -> int:
    try:
        place = re.compile(token)
    except re.error:
        return 10
    return max(1, sum(1 for sign in _SIGNS[:12] if place.match(sign)))


@dataclass(frozen=True)
class Match:
    """Where a number goes: a phone, or a route pattern with the number that leaves through it."""

    dialled: str
    pattern: str
    partition: str
    phone: Phone | None = None
    route: dict[str, Any] | None = None
    called: str = ""
    #: the translation patterns on the way
    translations: tuple[str, ...] = ()
    #: the pattern blocks the call
    blocked: bool = False


@dataclass(frozen=True)
class _Candidate:
    rank: tuple[int, int]
    match: Match
    translation: dict[str, Any] | None = None
    urgent: bool = False


def search_space(cluster: Cluster, *names: str) -> tuple[str, ...]:
    """The partitions of calling search spaces in order; what is in no partition comes last, for everybody."""
    found: list[str] = []
    for name in names:
        css = (cluster.config.object("Css", name) if name else None) or {}
        members = sorted(elements(css.get("members"), "member"), key=lambda row: int(row.get("index") or 0))
        found += [str(row.get("routePartitionName") or "") for row in members]
    return tuple(dict.fromkeys([*found, ""]))


def line_of(cluster: Cluster, phone: Phone) -> dict[str, Any]:
    """The line of a phone as AXL has it now; empty if it was removed.

    Lines in several partitions may have its number: the one in which the scenario put it comes first.
    """
    records = cluster.config.search("Line", phone.extension)
    lines = [cluster.config.object("Line", record.name, record.scope) or {} for record in records]
    return min(lines, key=lambda line: (line.get("routePartitionName") or "") != phone.partition, default={})


def phone_space(cluster: Cluster, phone: Phone) -> tuple[str, ...]:
    """A phone's search space: the line's first, then the device's."""
    device = cluster.config.object("Phone", phone.name) or {}
    spaces = (line_of(cluster, phone).get("shareLineAppearanceCssName"), device.get("callingSearchSpaceName"))
    return search_space(cluster, *(str(name or "") for name in spaces))


def analyse(
    cluster: Cluster, dialled: str, space: tuple[str, ...] = ("",), *, one_by_one: bool = False
) -> Match | None:
    """Where a number leads, or None when nothing matches.

    A phone that sends its digits one by one is taken by an urgent pattern as soon as that is the closest match.
    """
    plan = _Plan(cluster)
    number = dialled
    done: tuple[str, ...] = ()
    for length in range(1, len(dialled)) if one_by_one else ():
        early = plan.closest(dialled[:length], space)
        if early is not None and early.urgent:
            number = dialled[:length]
            break
    for _hop in range(int(cluster.lab.inferred["sip.translations"]) + 1):
        found = plan.closest(number, space)
        if found is None:
            return None
        match = replace(found.match, dialled=dialled, translations=done)
        if found.translation is None or match.blocked:
            return match
        done = (*done, match.pattern)
        number = match.called
        if found.translation.get("useOriginatorCss") is not True:
            space = search_space(cluster, str(found.translation.get("callingSearchSpaceName") or ""))
    return None


def explain(
    cluster: Cluster, called: str, *, calling: str = "", trunk: str = "", one_by_one: bool = False
) -> dict[str, Any]:
    """Where a number leads for a phone, or for a trunk that a call comes in over, without a call.

    `result` is phone, route, blocked or none; `number` is what leaves, `device` the trunk or route list of a route.
    """
    from .trunk import Trunk

    if trunk:
        body = next(
            running_trunk for running_trunk in cluster.config.running_trunks() if running_trunk["name"] == trunk
        )
        running = Trunk.read(body)
        settings = bool(cluster.lab.inferred["sip.incoming_called_settings"])
        called, space = running.incoming.called(called, settings=settings), search_space(cluster, running.css)
    else:
        space = phone_space(cluster, next(phone for phone in cluster.phones if phone.extension == calling))
    match = analyse(cluster, called, space, one_by_one=one_by_one)
    if match is None:
        return {"result": "none", "pattern": "", "partition": "", "number": "", "device": ""}
    destination = (match.route or {}).get("destination") or {}
    return {
        "result": "blocked" if match.blocked else "phone" if match.phone else "route",
        "pattern": match.pattern, "partition": match.partition, "number": match.called,
        "device": str(destination.get("gatewayName") or destination.get("routeListName") or ""),
    }  # fmt: skip


@dataclass
class _Plan:
    """Everything that can match on a cluster."""

    cluster: Cluster
    _routes: list[tuple[dict[str, Any], bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        config = self.cluster.config
        self._routes += [(record, False) for record in config.objects("RoutePattern")]
        self._routes += [(record, True) for record in config.objects("TransPattern")]
        # Of equal matches in one partition, the first one wins.
        last = self.cluster.lab.inferred["sip.equal_patterns"] == "last"
        self._routes.sort(key=lambda row: str(row[0].get("pattern")), reverse=last)

    def closest(self, number: str, space: tuple[str, ...]) -> _Candidate | None:
        """The closest match within a search space."""
        order = {partition: place for place, partition in enumerate(space)}
        return min(self._candidates(number, order), key=lambda candidate: candidate.rank, default=None)

    def _candidates(self, number: str, order: dict[str, int]) -> Iterator[_Candidate]:
        for phone in self.cluster.phones:
            line = line_of(self.cluster, phone) if phone.extension == number else {}
            partition = str(line.get("routePartitionName") or "")
            if line and partition in order:
                match = Match(number, phone.extension, partition, phone=phone, called=number)
                yield _Candidate((1, order[partition]), match)
        for record, translates in self._routes:
            partition = str(record.get("routePartitionName") or "")
            pattern = compile_pattern(str(record.get("pattern") or ""))
            fits = pattern.expression.fullmatch(number) if partition in order else None
            if fits:
                match = Match(
                    number, pattern.text, partition, route=None if translates else record,
                    called=_transformed(record, number, fits), blocked=record.get("blockEnable") is True,
                )  # fmt: skip
                yield _Candidate(
                    (pattern.breadth(len(number)), order[partition]), match,
                    record if translates else None, record.get("patternUrgency") is True,
                )  # fmt: skip


def _transformed(record: dict[str, Any], number: str, match: re.Match[str]) -> str:
    """The called number after discard, mask and prefix, in CUCM's order."""
    discard = str(record.get("digitDiscardInstructionName") or "")
    if discard.startswith("PreDot") and "rest" in match.re.groupindex:
        number = match["rest"]
    if discard.endswith("Trailing-#") and number.endswith("#"):
        number = number[:-1]
    number = apply_mask(number, str(record.get("calledPartyTransformationMask") or ""))
    return str(record.get("prefixDigitsOut") or "") + number


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
