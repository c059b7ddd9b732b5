# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentences that the collection can fail with, read out of its source, as a page of the documentation.

A sentence is the text of a Failure (or of a class of its kind), of a problem of the preflight, of a refusal by CUCM's
certificate store, of a trunk's reason, or of a finding of the verdict with its remedy. Parts that are filled in at run
time stand as a name in angle brackets.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = ".. The list of failures is put here when the site is built."
#: parts of the source by folder, in the order of the page
AREAS = {
    "_roles": "Preflight",
    "_net": "Connections",
    "_node": "Certificates, services and the CLI of a node",
    "_axl": "Objects by AXL",
    "_serviceability": "Serviceability",
    "_x509": "Certificates",
    "_ca": "Signing",
    "_evidence": "Proof",
    "_verdict": "Proof",
    "modules": "Proof",
    "_module": "All modules",
}
LEAST = 60
HOLE = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class Sentence:
    """What is said, and what to do, where that stands apart from it."""

    area: str
    text: str
    remedy: str = ""


def sentences(plugins: Path) -> list[Sentence]:
    """Every sentence of the collection, once, in the order of the areas and of the source."""
    found: dict[tuple[str, str], Sentence] = {}
    kinds = _kinds(plugins)
    for path in sorted(plugins.rglob("*.py")):
        parts = path.relative_to(plugins).with_suffix("").parts
        area = next((title for part, title in AREAS.items() if part in parts), "")
        if not area:
            continue
        for _unused, text, remedy in sorted(_of_file(ast.parse(path.read_text(encoding="utf-8")), kinds)):
            # A text or remedy that is only passed on ("<text>") is another's sentence.
            if len(re.sub(HOLE, "", text).split()) >= 3:
                own = re.sub(HOLE, "", remedy).strip(" .")
                found.setdefault((area, text), Sentence(area, text, remedy if own else ""))
    order = list(dict.fromkeys(AREAS.values()))
    return sorted(found.values(), key=lambda one: order.index(one.area))


def _kinds(plugins: Path) -> set[str]:
    """Failure and the names of the classes that derive from it."""
    names, grown = {"Failure"}, 0
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in plugins.rglob("*.py")]
    while grown != len(names):
        grown = len(names)
        for tree in trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and {_name(base) for base in node.bases} & names:
                    names.add(node.name)
    return names


def _of_file(tree: ast.Module, kinds: set[str]) -> Iterator[tuple[int, str, str]]:
    """Line, text and remedy of each sentence of a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node, kinds)
        elif isinstance(node, ast.Assign) and any(_name(target) == "REASONS" for target in node.targets):
            assert isinstance(node.value, ast.Dict)
            yield from _of_reasons(node.value)


def _of_call(node: ast.Call, kinds: set[str]) -> Iterator[tuple[int, str, str]]:
    """The sentence that a call hands on: a failure, a problem, a refusal or a failed check."""
    name, given = _name(node.func), {keyword.arg: keyword.value for keyword in node.keywords}
    if not node.args:
        return
    # __init__: that of a kind of failure, which puts its sentence together itself.
    if name in kinds | {"__init__"} or (name == "append" and _is_problem(node.func)):
        yield node.lineno, _ended(_text(node.args[0])), ""
    elif name == "_refusal" and len(node.args) == 4:
        yield node.lineno, _sentence(_text(node.args[2])), _sentence(_text(node.args[3]))
    elif name == "Check" and len(node.args) >= 3 and _text(node.args[1]) in ("fail", "unknown"):
        remedy = _text(given.get("remedy") or given.get("proof"))
        yield node.lineno, _sentence(_text(node.args[2])), _sentence(remedy)


def _of_reasons(table: ast.Dict) -> Iterator[tuple[int, str, str]]:
    """The rows of the table of a trunk's reasons."""
    for key, value in zip(table.keys, table.values, strict=True):
        if isinstance(value, ast.Tuple):
            said = f"{_text(key).capitalize()}: {_text(value.elts[0])}."
            yield value.lineno, said, _sentence(_text(value.elts[1]))


def _is_problem(node: ast.expr) -> bool:
    """Whether this is `append` of a list of problems: facts["problems"] or found."""
    if not isinstance(node, ast.Attribute):
        return False
    owner = node.value
    if isinstance(owner, ast.Subscript):
        return _text(owner.slice) == "problems"
    return _name(owner) in ("problems", "found")


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr | None) -> str:
    """The text of an expression, with <names> for what is filled in at run time."""
    if node is None:
        return ""
    if isinstance(node, ast.Constant):
        return str(node.value) if isinstance(node.value, (str, int)) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return f"<{_hole(node.value)}>"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    if isinstance(node, ast.IfExp):
        return _text(node.body) or _text(node.orelse)
    return f"<{_hole(node)}>"


def _hole(node: ast.expr) -> str:
    """A readable name for an expression: its last attribute, key or variable."""
    if isinstance(node, ast.Subscript):
        inner = _text(node.slice)
        return inner if inner and "<" not in inner else _hole(node.value)
    if isinstance(node, ast.Call):
        return _hole(node.args[0]) if node.args else _hole(node.func)
    if isinstance(node, (ast.Attribute, ast.Name)):
        return _name(node).strip("_").replace("_", " ")
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and not isinstance(child, ast.Constant) and (found := _hole(child)) != "...":
            return found
    return "..."


def _ended(text: str) -> str:
    text = " ".join(text.split())
    return text if not text or text.endswith((".", "?", ">", "!")) else f"{text}."


def _sentence(text: str) -> str:
    """Part of a sentence as a whole one."""
    text = _ended(text)
    return text if text.startswith("<") else text[:1].upper() + text[1:]


def page(plugins: Path) -> str:
    """The sentences as reStructuredText."""
    areas: dict[str, list[Sentence]] = defaultdict(list)
    for one in sentences(plugins):
        areas[one.area].append(one)
    if sum(map(len, areas.values())) < LEAST:
        raise SystemExit("too few failure sentences were found in the source; has its form changed?")
    lines: list[str] = []
    for title, members in areas.items():
        lines += [title, "-" * len(title), ""]
        for one in members:
            lines += [f"* {_rst(one.text)}", ""]
            if one.remedy:
                lines += [f"  **What to do:** {_rst(one.remedy)}", ""]
    return "\n".join(lines)


def _rst(text: str) -> str:
    """Text for reStructuredText: no markup in it, and the holes in italics."""
    parts = re.split(r"(<[^<>]*>)", text)
    return "".join(
        rf"\ *{part[1:-1]}*\ " if part.startswith("<") and len(part) > 2 else re.sub(r"([\\*`_|])", r"\\\1", part)
        for part in parts
    ).removeprefix(r"\ ")


def fill(text: str, plugins: Path) -> str:
    """A page with the list in the place of its mark."""
    if MARK not in text:
        raise SystemExit("docs/docsite/rst/failures.rst has no place for the list")
    return text.replace(MARK, page(plugins))
