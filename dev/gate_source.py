# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates on the source: style, layout, types, licences, ansible-lint."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

from dev.gate_tools import BIN, LINT, ROOT, Failed, copy, tool, tracked

#: how many branches a function may have
MOST_BRANCHES = 15
STATEMENTS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)
EXPRESSIONS = (ast.IfExp, ast.comprehension, ast.Assert)


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
    """Types: strict for the collection, the lab and dev; the tests by the laxer section of pyproject.toml."""
    path = os.pathsep.join(str(place) for place in (ROOT / ".venv" / "collections", ROOT / "lab", ROOT))
    packages = ("ansible_collections.siptls.cucm.plugins", "cucm_lab", "dev", "tests")
    orders = [[part for name in packages for part in ("-p", name)], ["lab/tests"]]
    count = 0
    for order in orders:
        output = tool(BIN / "mypy", *order, also={"MYPYPATH": path})
        found = re.search(r"no issues found in (\d+) source files", output)
        count += int(found[1]) if found else 0
    return count, "typed files checked"


def branches() -> tuple[int, str]:
    """No function has more than MOST_BRANCHES branches, so that each can be read in one go."""
    functions = [
        (_branches(function, test=_is_test(name)), f"{name}:{function.lineno} {function.name}")
        for name in tracked("*.py")
        for function in _functions(ROOT / name)
    ]
    crowded = [
        f"{where} has {count} branches" for count, where in sorted(functions, reverse=True) if count > MOST_BRANCHES
    ]
    if crowded:
        raise Failed(f"functions of more than {MOST_BRANCHES} branches:\n" + "\n".join(crowded))
    return len(functions), f"functions checked for at most {MOST_BRANCHES} branches"


def _functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return [node for node in tree if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _branches(function: ast.AST, *, test: bool) -> int:
    """Branches of a function, those of functions within it included; `a and b` is one, too.

    In a test only statements count: assertions, and the expressions in them, are what it says.
    """
    parts = list(ast.walk(function))
    if test:
        return sum(isinstance(part, STATEMENTS) for part in parts)
    return sum(isinstance(part, STATEMENTS + EXPRESSIONS) for part in parts) + sum(
        len(part.values) - 1 for part in parts if isinstance(part, ast.BoolOp)
    )


def _is_test(name: str) -> bool:
    """Whether a file holds tests."""
    return Path(name).name.startswith("test_")


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
