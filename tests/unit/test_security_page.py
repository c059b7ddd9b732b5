# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/security.md claims nothing without a test: each row of its tables of attempts names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def attempts() -> list[str]:
    """The rows of the tables whose heading begins with `attempt`."""
    tables = re.findall(r"^\| attempt \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [row for table in tables for row in table.splitlines()]


def test_each_attempt_names_a_test() -> None:
    rows = attempts()
    assert len(rows) > 15
    assert not [row for row in rows if not NAMED.search(row)]


def test_the_named_tests_exist() -> None:
    missing = []
    for file, name in sorted(set(NAMED.findall(PAGE))):
        path = ROOT / file
        tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
        if name not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            missing.append(f"{file}::{name}")
    assert not missing
