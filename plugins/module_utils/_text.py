# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that somebody else wrote, made fit for a terminal, a plan, a report or a log.

A certificate's subject, a trunk's name, an alarm or a server's response may contain whatever their author put there.
Escape sequences can rewrite what a terminal shows, and direction marks can make one name look like another.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

#: Controls but tab and line feed, marks that change the direction or are not seen, line separators, half characters.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
#: a message for a person is no longer than this
MOST_CHARACTERS = 600
_END = 200
_TAG = re.compile(r"<(/?)([^\s<>/]*)[^<>]*>?")
#: elements whose content no browser shows
_HIDDEN = frozenset({"head", "script", "style", "title"})


def harmless(value: Any) -> Any:
    r"""The value, in all its parts, with each harmful character as its escape, e.g. ``\x1b`` or ``\u202e``.

    The escape is shown rather than nothing, so that two texts that differ still look different. Carriage returns
    before line feeds go.
    """
    if isinstance(value, str):
        return _escaped(value.replace("\r\n", "\n"))
    if isinstance(value, Mapping):
        return {harmless(key): harmless(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [harmless(item) for item in value]
    return value


def leaves(value: Any, *, keys: bool = False) -> Iterator[Any]:
    """What is in a value of mappings and lists, however deep: texts, numbers, None; on request the keys too."""
    if isinstance(value, Mapping):
        for name, content in value.items():
            if keys:
                yield name
            yield from leaves(content, keys=keys)
    elif isinstance(value, list | tuple):
        for content in value:
            yield from leaves(content, keys=keys)
    else:
        yield value


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def with_harmless(found: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A result with those of its parts made harmless that people read; the others keep what CUCM returned."""
    return {key: harmless(value) if key in names else value for key, value in found.items()}


def _escaped(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return _HARMFUL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def readable(text: str, most: int | None = 300) -> str:
    """The text on one line, cut to so many characters: no escape sequences, controls as blanks, marks escaped."""
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f\ufffd]", " ", _ESCAPE_SEQUENCE.sub(" ", text))
    return _escaped(" ".join(plain.split()))[:most]


def clipped(text: str) -> str:
    """A message of at most MOST_CHARACTERS: a longer one keeps its beginning and its end, where the remedy is."""
    if len(text) <= MOST_CHARACTERS:
        return text
    end = f"{text[-_END:].partition(' ')[2] or text[-_END:]} (-v shows the whole message)"
    return f"{text[: MOST_CHARACTERS - len(end) - 3].rstrip()} … {end}"


def page_text(page: str) -> str:
    """What a web page shows, on one line: no tags, no scripts and styles. Takes time in proportion to its length."""
    shown: list[str] = []
    hidden, at = "", 0
    for tag in _TAG.finditer(page):
        name = tag[2].lower()
        if hidden and not (tag[1] and name == hidden):
            continue
        if not hidden:
            shown.append(page[at : tag.start()])
        hidden, at = name if not tag[1] and name in _HIDDEN else "", tag.end()
    # The content of an element that never ends is shown: it may be all that there is.
    shown.append(_TAG.sub(" ", page[at:]))
    return readable(" ".join(shown), None)
