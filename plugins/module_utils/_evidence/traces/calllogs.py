# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Call logs of CUCM: one line per message of a call, with the trunk's name. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, BinaryIO

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.addresses import plain
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.unpacking import blocks

_DATE = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3}$")
# The places of a SIPT/SIPL line after date and kind.
SIP_FIELDS = (
    "leg", "transport", "way", "local_ip", "local_port", "device", "remote_ip", "remote_port", "tag", "net",
    "call_id", "message",
)  # fmt: skip
NUMBERS = {"leg", "local_port", "remote_port", "net"}
MOST_ENTRIES = 100_000


def line(text: str) -> dict[str, Any] | None:
    """One line: C(SIPT) (trunk side), C(SIPL) (line side) or C(CC) (call control); None when it is none of them."""
    parts = text.strip().split("|")
    if len(parts) < 3 or not _DATE.match(parts[0]):
        return None
    # Local time of the node: the file names no zone.
    entry: dict[str, Any] = {"time": parts[0].replace("/", "-").replace(" ", "T"), "kind": parts[1]}
    if parts[1] in ("SIPT", "SIPL"):
        if len(parts) < 14:
            return None
        # The last field may hold bars of its own.
        values = [*parts[2:13], "|".join(parts[13:])]
        entry.update(zip(SIP_FIELDS, values, strict=True))
        for name in NUMBERS:
            entry[name] = int(str(entry[name])[:9]) if str(entry[name]).isdecimal() else None
        entry["way"] = str(entry["way"]).lower()
        entry["local_ip"], entry["remote_ip"] = plain(values[3]), plain(values[6])
        return entry
    if parts[1] == "CC":
        return {**entry, "event": parts[2], "fields": parts[3:]}
    return None


def read(stream: BinaryIO, problem: Callable[[str], None]) -> list[dict[str, Any]]:
    """The SIPT and CC lines of a file (plain, gzipped, unfinished); phones' own lines (SIPL) are skipped."""
    found: list[dict[str, Any]] = []
    rest = b""
    for block in blocks(stream, problem):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()[-65_536:]
        _take(lines, found)
    _take([rest], found)
    if len(found) >= MOST_ENTRIES:
        problem(f"more than {MOST_ENTRIES} call log lines; later ones were left out: narrow the time")
    return found


def _take(lines: list[bytes], found: list[dict[str, Any]]) -> None:
    for raw in lines:
        # The kind stands at a fixed place, behind a date of fixed length.
        if raw[24:28] in (b"SIPT", b"CC|S", b"CC|O", b"CC|R", b"CC|J") and len(found) < MOST_ENTRIES:
            entry = line(raw.decode("utf-8", "replace"))
            if entry:
                found.append(entry)
