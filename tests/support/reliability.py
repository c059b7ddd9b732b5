# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/reliability.md, written from what the tests of faults found. Its text depends on nothing but how they ended."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ROOT / "build" / "reliability"
PAGE = ROOT / "docs" / "reliability.md"
HEAD = """# Reliability

What happens when things go wrong, as the tests found it: `make test-matrix` writes this page. NODE stands for an
address and LAB for a folder of the lab; `cucm_timeout` is 2 to 4 seconds there, so that a stall shows soon.
"""
PLAYBOOKS = """
## The main playbook

Each row: the clusters as shipped, the playbook run while the interface misbehaves, then run once more without the
fault. That run ended with the verdict `secure` and left the clusters as an undisturbed run does; where the column says
so, one more run changed nothing.

| interface | operation | fault | the run under the fault | the next run |
|---|---|---|---|---|
"""
MODULES = """
## One task at a time

| interface | operation | fault | task | how it ended |
|---|---|---|---|---|
"""


def keep(part: str, rows: list[dict[str, str]]) -> None:
    """Keep the rows of a part, and write the page when all parts are there."""
    PARTS.mkdir(parents=True, exist_ok=True)
    with (PARTS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (PARTS / f"{part}.json").write_text(json.dumps(rows, indent=1))
        PAGE.write_text(page())


def page() -> str:
    """The page, of the parts that are there."""
    text = HEAD
    playbooks = [row for path in sorted(PARTS.glob("playbook-*.json")) for row in json.loads(path.read_text())]
    if playbooks:
        text += PLAYBOOKS
        text += table(playbooks, "interface", "operation", "fault", "end", "next")
    modules = PARTS / "modules.json"
    if modules.exists():
        text += MODULES + table(json.loads(modules.read_text()), "interface", "operation", "fault", "task", "end")
    return text


def table(rows: list[dict[str, str]], *columns: str) -> str:
    """Rows in Markdown."""
    return "".join("| " + " | ".join(cell(row.get(column, "")) for column in columns) + " |\n" for row in rows)


def cell(text: str) -> str:
    """A cell: one line, no marks that Markdown or HTML would take for its own."""
    text = " ".join(text.split()) or "as without the fault"
    for mark, safe in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;"), ("*", "\\*"), ("_", "\\_"), ("`", "\\`")):
        text = text.replace(mark, safe)
    return text
