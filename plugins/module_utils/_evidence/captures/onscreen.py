# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What C(utils network capture) prints: tcpdump's lines, old style and new. Private to this collection."""

from __future__ import annotations

import re
from typing import Any

_LINE = re.compile(
    r"(?P<time>\d\d:\d\d:\d\d\.\d{6}) IP6? (?P<source>\S{1,255})\.(?P<source_port>[\w-]{1,40}) > "
    r"(?P<target>\S{1,255})\.(?P<target_port>[\w-]{1,40}): "
    r"(?:Flags \[(?P<new>[SFPRUEW.]+)\]|(?P<old>[SFPRUEW.]+))(?P<rest>.*)",
    re.S,
)
_START = re.compile(r"(?=\d\d:\d\d:\d\d\.\d{6} IP6? )")
PORTS = {"sip": 5060, "sip-tls": 5061, "sips": 5061}


def packets(text: str) -> list[dict[str, Any]]:
    """The packets on a screen, line ends lost or not; other lines are skipped."""
    found = []
    for piece in _START.split(text.replace("\r", "")):
        match = _LINE.match(piece)
        if match:
            found.append(_packet(match))
    return found


def _packet(match: re.Match[str]) -> dict[str, Any]:
    rest = match["rest"][:2000]
    old = re.match(r"\s*(\d+):(\d+)\((\d+)\)", rest)
    new = re.search(r"\bseq (\d+)(?::(\d+))?", rest)
    length = re.search(r"\blength (\d+)", rest)
    ack, window = re.search(r"\back (\d+)", rest), re.search(r"\bwin (\d+)", rest)
    flags = match["new"] or match["old"]
    size = int(old[3]) if old else int(length[1]) if length else None
    begin = int(old[1]) if old else int(new[1]) if new else None
    return {
        "time": match["time"],
        "source": match["source"],
        "source_port": _port(match["source_port"]),
        "target": match["target"],
        "target_port": _port(match["target_port"]),
        "flags": flags,
        "sequence": begin,
        "length": 0 if size is None else size,
        "ack": int(ack[1]) if ack else None,
        "window": int(window[1]) if window else None,
    }


def _port(text: str) -> int | str:
    return int(text) if text.isdecimal() else PORTS.get(text, text)
