# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gate on the language: codespell, and the phrases that docs/style.md says how to write better."""

from __future__ import annotations

import re

from dev.gate_tools import BIN, ROOT, Failed, tool, tracked

STYLE = "docs/style.md"
#: tracked files that no person here wrote (the matrix writes reliability.md), or that quote others
NOT_OURS = re.compile(r"^COPYING$|^docs/reliability\.md$|\.(png|pcap|pcapng|json|tsv|svg)$")
#: words that codespell takes for mistakes: CUCM's and TLS's own names, and Latin placeholders
KNOWN_WORDS = "adminstrative,adress,anull,ist,mis,ot,reatime,selekt,sipports,timeschedule,vie"
HEADING = "## Not this, but that"
ROW = re.compile(r"^\| ([^|]+?) \| ([^|]+?) \|$", re.MULTILINE)


def phrases() -> dict[str, str]:
    """The phrases of the style page that nobody should write, with what to write in their place."""
    table = (ROOT / STYLE).read_text(encoding="utf-8").partition(HEADING)[2]
    return {bad.lower(): better for bad, better in ROW.findall(table) if bad != "not"}


def words() -> tuple[int, str]:
    """Spelling, and phrases that have a better form."""
    files = [name for name in tracked() if not NOT_OURS.search(name)]
    tool(BIN / "codespell", "--ignore-words-list", KNOWN_WORDS, *files)
    table = phrases()
    banned = re.compile(r"\b(" + "|".join(map(re.escape, table)) + r")\b", re.IGNORECASE)
    hits = [hit for name in files if name != STYLE for hit in _hits(name, banned, table)]
    if hits:
        raise Failed("\n".join(hits))
    return len(files), f"files checked for spelling and {len(table)} phrases"


def _hits(name: str, banned: re.Pattern[str], table: dict[str, str]) -> list[str]:
    """Where a file has such a phrase, over line breaks too, as `file:line: phrase -> better`."""
    text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
    folded = re.sub(r"\n[ \t]*(#:?[ \t]*)?", lambda gap: " " * len(gap[0]), text)
    return [
        f"{name}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]} -> {table[found[1].lower()]}"
        for found in banned.finditer(folded)
    ]
