# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates on the source: style, layout, types, licences, ansible-lint."""

from __future__ import annotations

import os
import re

from dev.gate_tools import BIN, LINT, ROOT, Failed, copy, tool, tracked


def ruff_check() -> tuple[int, str]:
    """Style and likely faults."""
    files = tracked("*.py")
    tool(BIN / "ruff", "check", *files)
    return len(files), "Python files checked"


def ruff_format() -> tuple[int, str]:
    """Layout."""
    files = tracked("*.py")
    tool(BIN / "ruff", "format", "--check", *files)
    return len(files), "Python files checked"


def mypy() -> tuple[int, str]:
    """Types: module_utils and the lab, strictly."""
    output = tool(
        BIN / "mypy", "-p", "ansible_collections.siptls.cucm.plugins.module_utils", "-p", "cucm_lab",
        also={"MYPYPATH": f"{ROOT / '.venv' / 'collections'}{os.pathsep}{ROOT / 'lab'}"},
    )  # fmt: skip
    found = re.search(r"no issues found in (\d+) source files", output)
    return (int(found[1]) if found else 0), "typed files checked"


def licences() -> tuple[int, str]:
    """Every program says under which licence it is."""
    files = [name for name in tracked("*.py", "*.sh") if (ROOT / name).stat().st_size]
    without = [
        name
        for name in files
        if "SPDX-License-Identifier: GPL-3.0-or-later" not in (ROOT / name).read_text(encoding="utf-8")[:600]
    ]
    if without:
        raise Failed(f"no SPDX line in: {', '.join(without)}")
    return len(files), "programs checked for an SPDX line"


def ansible_lint() -> tuple[int, str]:
    """ansible-lint, profile production; its own count of files."""
    with copy() as folder:
        output = tool(LINT / "ansible-lint", "--offline", "--profile", "production", "--nocolor", cwd=folder)
    found = re.search(r"(\d+) failure\(s\), (\d+) warning\(s\) in (\d+) files", output)
    if not found or int(found[1]) or int(found[2]):
        raise Failed(output)
    return int(found[3]), "files linted"
