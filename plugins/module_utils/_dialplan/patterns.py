# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CUCM's patterns: what each place takes, which numbers match, which pattern covers another.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKEN = re.compile(r"\[(\^?)([^\]]*)\]|(\\\+)|(.)")
_DIGITS = frozenset("0123456789")
_ALL = frozenset("0123456789*#+ABCD")
#: what one place of a pattern takes; None stands for one digit or more
Place = frozenset[str] | None


def covers(wide: str, narrow: str) -> bool:
    """True when the wider pattern matches every number that the narrower one stands for."""
    one, other = places(wide), places(narrow)
    if one is None or other is None:
        return wide == narrow
    return _covers(one, other)


def _covers(wide: Sequence[Place], narrow: Sequence[Place]) -> bool:
    if not wide or not narrow:
        return not wide and not narrow
    first, rest = wide[0], wide[1:]
    if first is None:
        # The ! takes one place or more; a ! of the narrower pattern is one of them.
        return any(_covers(rest, narrow[count:]) for count in range(1, len(narrow) + 1))
    return narrow[0] is not None and narrow[0] <= first and _covers(rest, narrow[1:])


def places(pattern: str) -> list[Place] | None:
    """What each place of a pattern takes; None for what is not understood, such as @."""
    found: list[Place] = []
    for match in _TOKEN.finditer(pattern):
        inverse, inside, plus, char = match.groups()
        if inside is not None:
            found.append(_all_but(inside) if inverse else _set(inside))
        elif plus:
            found.append(frozenset("+"))
        elif char == "X":
            found.append(_DIGITS)
        elif char == "!":
            found.append(None)
        elif char in _ALL:
            found.append(frozenset(char))
        elif char != ".":
            return None
    return found


def _set(inside: str) -> frozenset[str]:
    """The characters of a bracket, with its ranges."""
    wide = re.sub(r"(\d)-(\d)", lambda m: "".join(str(n) for n in range(int(m[1]), int(m[2]) + 1)), inside)
    return frozenset(wide.replace("\\", ""))


def _all_but(inside: str) -> frozenset[str]:
    return (_DIGITS | frozenset("*#")) - _set(inside)
