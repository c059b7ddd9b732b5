# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentences that the collection can fail with, read from its source, by the phase of a run in which they appear.

A sentence is the text of a Failure (or of a class of its kind), of a problem of the preflight, of a refusal by CUCM's
certificate store, of a trunk's reason, of a finding of the verdict with its remedy, or of a task that ends a run. Parts
that are filled in at run time stand as a name in angle brackets.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

MARK = ".. The list of failures is put here when the site is built."


@dataclass(frozen=True)
class Phase:
    """A phase of a run: its title, what may have been changed by then and why, and the files with its sentences."""

    title: str
    about: str
    files: tuple[str, ...]
    #: True before the first write; all causes that are known by then are found in such a phase
    before: bool = False


#: in the order of the page; a file belongs to the row whose pattern is the longest that fits
PHASES = (
    Phase(
        "When the CA is rolled over",
        "Nothing has been changed. The phase, and what blocks it, is known before the first write.",
        ("playbooks/roll_over*", "playbooks/tasks/roll_over*",
         "plugins/module_utils/_roles/certificates/roll_over.py"),
        before=True,
    ),
    Phase(
        "In the inventory",
        "Nothing has been changed, and no cluster has been contacted. One list has the mistakes of all clusters.",
        ("playbooks/tasks/*", "plugins/module_utils/_roles/preflight/inventory.py",
         "plugins/module_utils/_roles/numbers.py", "plugins/module_utils/_roles/preflight/options.py"),
        before=True,
    ),
    Phase(
        "When changes are undone",
        "A removal or a restoration asks all clusters first. Later causes are the answers of CUCM to single objects.",
        ("playbooks/re[ms]*", "roles/sip_tls_undo/*", "plugins/module_utils/_roles/*remov*",
         "plugins/module_utils/_roles/undo/restoring.py", "plugins/module_utils/_roles/undo/backup*.py"),
    ),
    Phase(
        "In preflight",
        "Nothing has been changed. One list has the problems of all clusters. A module that runs by itself reports the "
        "same before its first write.",
        ("roles/preflight/*", "roles/connection/*", "plugins/module_utils/_axl/rules.py",
         "plugins/module_utils/_axl/validation.py", "plugins/module_utils/_node/checks.py",
         "plugins/module_utils/_x509/certificate.py", "plugins/module_utils/_x509/chain.py",
         "plugins/module_utils/_x509/reading.py", "plugins/module_utils/_roles/*",
         "plugins/module_utils/_releases.py"),
        before=True,
    ),
    Phase(
        "While a CA signs",
        "Nothing has been changed on CUCM but the new CSR. Preflight runs the CA in check mode and checks the CA "
        "certificates and the CSRs that are pending, so that whatever is known before is in its list. The others are "
        "answers of the CA to a request that it received, and certificates that it should not have issued.",
        ("plugins/module_utils/_ca/*", "plugins/module_utils/_x509/*", "roles/callmanager_certificate/tasks/sign*"),
    ),
    Phase(
        "While certificates are installed and services restarted",
        "The cause is an answer of CUCM to a request or command of that task, or a change by someone else since "
        "preflight.",
        ("plugins/module_utils/_node/*", "roles/callmanager_certificate/*"),
    ),
    Phase(
        "While objects are written",
        "The cause is an answer of CUCM to a request of that task, or a change by someone else since preflight.",
        ("plugins/module_utils/_axl/*", "plugins/module_utils/_roles/undo/unchanged.py", "roles/sip_tls_trunk/*"),
    ),
    Phase(
        "When a node cannot be reached or an account is rejected",
        "Preflight uses both accounts on each cluster first. Later the cause is a node that became unreachable.",
        ("plugins/module_utils/_net/*", "plugins/module_utils/_serviceability/*", "plugins/module_utils/_module.py"),
    ),
    Phase(
        "In the proof, the diagnosis and the report",
        "Whatever the run changed is done.",
        ("plugins/module_utils/_evidence/*", "plugins/module_utils/_verdict/*", "plugins/modules/*",
         "roles/sip_tls_verify/*", "roles/sip_tls_report/*", "playbooks/*"),
    ),
)  # fmt: skip
#: where a function returns sentences by yield
YIELDING = (
    "plugins/module_utils/_roles/*", "plugins/module_utils/_axl/rules.py", "plugins/module_utils/_axl/validation.py",
    "plugins/module_utils/_node/checks.py", "plugins/module_utils/_x509/rules.py",
    "plugins/module_utils/_x509/names.py",
)  # fmt: skip
#: files there that yield texts of another kind: the steps of a plan
NO_PROBLEMS = ("plugins/module_utils/_roles/plan/*",)
#: words from which on a text is a sentence
FEWEST = 4
LEAST = 60
HOLE = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class Sentence:
    """The text, and what to do where that is separate from it."""

    phase: str
    text: str
    remedy: str = ""


def sentences(root: Path) -> list[Sentence]:
    """Every sentence of the collection, once, in the order of the phases and of the source."""
    plugins = [str(path.relative_to(root)) for path in sorted((root / "plugins").rglob("*.py"))]
    tasks = sorted([*(root / "playbooks").rglob("*.yml"), *(root / "roles").rglob("tasks/*.yml")])
    order = [phase.title for phase in PHASES]
    found = of_files(root, [*plugins, *(str(path.relative_to(root)) for path in tasks)])
    return sorted(found, key=lambda sentence: order.index(sentence.phase))


def of_files(root: Path, names: Iterable[str]) -> list[Sentence]:
    """The sentences of files, each once."""
    found: dict[tuple[str, str], Sentence] = {}
    kinds, known = _kinds(root / "plugins"), _constants(root / "plugins")
    for name in names:
        constants = known | (_own_constants(root / name) if name.endswith(".py") else {})
        for _line, *parts in _rows(root, name, kinds):
            text, remedy = (_filled(part, constants) for part in parts)
            # A text or remedy that is only passed on ("<text>") is another's sentence.
            if len(re.sub(HOLE, "", text).split()) >= 3:
                own = re.sub(HOLE, "", remedy).strip(" .")
                phase = phase_of(name).title
                found.setdefault((phase, text), Sentence(phase, text, remedy if own else ""))
    return list(found.values())


def _rows(root: Path, name: str, kinds: set[str]) -> Iterable[tuple[int, str, str]]:
    if name.endswith(".yml"):
        return _of_tasks(root / name)
    yields = any(fnmatch(name, pattern) for pattern in YIELDING) and not any(
        fnmatch(name, exempt) for exempt in NO_PROBLEMS
    )
    return sorted(_of_file(ast.parse((root / name).read_text(encoding="utf-8")), kinds, yields=yields))


def phase_of(name: str) -> Phase:
    """The phase in which the sentences of a file appear; SystemExit for a file that no row has."""
    fitting = {pattern: phase for phase in PHASES for pattern in phase.files if fnmatch(name, pattern)}
    if not fitting:
        raise SystemExit(f"{name} has failure sentences, and no phase of dev/failure_sentences.py names it")
    return fitting[max(fitting, key=len)]


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


def _own_constants(path: Path) -> dict[str, str]:
    """The constants of a module that are a text or a number, by name; a private one has the name of a public one."""
    return {name.strip("_"): text for name, value in _assigned(path) if (text := _text(value))}


def _assigned(path: Path) -> Iterator[tuple[str, ast.expr | None]]:
    """The constants of a module and what they are set to."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        pairs: Iterable[tuple[ast.expr | None, ast.expr | None]] = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = zip(target.elts, value.elts, strict=True)
        for name, given in pairs:
            if isinstance(name, ast.Name) and name.id.strip("_").isupper():
                yield name.id, given


def _constants(plugins: Path) -> dict[str, str]:
    """The constants of all modules by name, only those with one value everywhere."""
    values: dict[str, set[str]] = defaultdict(set)
    for path in plugins.rglob("*.py"):
        for name, value in _assigned(path):
            values[name.strip("_")].add(_text(value))
    return {name: text for name, (text, *others) in values.items() if text and not others}


def _filled(text: str, constants: dict[str, str]) -> str:
    """A text with the values of constants in the place of their names, as far as they are known."""
    by_hole = {f"<{name.replace('_', ' ')}>": value for name, value in constants.items()}
    return re.sub(HOLE, lambda hole: by_hole.get(hole[0], hole[0].lower()) if hole[0].isupper() else hole[0], text)


def _of_file(tree: ast.Module, kinds: set[str], *, yields: bool) -> Iterator[tuple[int, str, str]]:
    """Line, text and remedy of each sentence of a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Yield) and yields:
            text = _text(node.value)
            if len(text.split()) >= FEWEST:
                yield node.lineno, _sentence(text), ""
        elif isinstance(node, ast.Call):
            yield from _of_call(node, kinds)
        elif isinstance(node, ast.Assign) and any(_name(target) == "REASONS" for target in node.targets):
            assert isinstance(node.value, ast.Dict)
            yield from _of_reasons(node.value)


def _of_tasks(path: Path) -> Iterator[tuple[int, str, str]]:
    """The sentence of each task of a file that ends a run."""
    for task in _tasks(yaml.safe_load(path.read_text(encoding="utf-8"))):
        ends = task.get("ansible.builtin.fail") or {}
        given = ends.get("msg") or (task.get("ansible.builtin.assert") or {}).get("fail_msg") or ""
        # A message that is shortened is a variable of the task.
        named = re.match(r"\{\{ (\w+) \| siptls\.cucm\.sip_tls_messages", str(given))
        given = (task.get("vars") or {}).get(named[1], given) if named else given
        # A loop or a condition of a template is no sentence, and what it joins is another's.
        if isinstance(given, str) and given and "{%" not in given:
            yield 0, _ended(re.sub(r"\{\{.*?\}\}", _hole_of_template, given, flags=re.DOTALL)), ""


def _tasks(content: Any) -> Iterator[dict[str, Any]]:
    """The tasks of a file, those in blocks and plays included."""
    for entry in content if isinstance(content, list) else []:
        yield entry
        for part in ("tasks", "pre_tasks", "post_tasks", "block", "rescue", "always"):
            yield from _tasks(entry.get(part))


def _hole_of_template(match: re.Match[str]) -> str:
    words = re.findall(r"[a-z_]+", match[0])
    return f"<{words[0].replace('_', ' ') if words else '...'}>"


def _of_call(node: ast.Call, kinds: set[str]) -> Iterator[tuple[int, str, str]]:
    """The sentence that a call passes on: a failure, a problem, a refusal or a failed check."""
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
    return _name(owner) in ("problems", "found", "wrong")


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr | None) -> str:
    """The text of an expression, with <names> for what is filled in at run time."""
    if node is None:
        return ""
    if isinstance(node, ast.Constant):
        value = node.value
        return f"{value:g}" if isinstance(value, float) else str(value) if isinstance(value, (str, int)) else ""
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
    # The name of a variable or an option stays as it is written.
    return text if text.startswith("<") or "_" in text.partition(" ")[0] else text[:1].upper() + text[1:]


def page(root: Path) -> str:
    """The sentences as reStructuredText, a section per phase."""
    phases: dict[str, list[Sentence]] = defaultdict(list)
    for found in sentences(root):
        phases[found.phase].append(found)
    if sum(map(len, phases.values())) < LEAST:
        raise SystemExit("too few failure sentences were found in the source; has its form changed?")
    lines: list[str] = []
    for phase in (row for row in PHASES if phases[row.title]):
        lines += [phase.title, "-" * len(phase.title), "", phase.about, ""]
        for entry in phases[phase.title]:
            lines += [f"* {_rst(entry.text)}", ""]
            if entry.remedy:
                lines += [f"  **What to do:** {_rst(entry.remedy)}", ""]
    return "\n".join(lines)


def _rst(text: str) -> str:
    """Text for reStructuredText: no markup in it, and the holes in italics."""
    parts = re.split(r"(<[^<>]*>)", text)
    return "".join(
        rf"\ *{part[1:-1]}*\ " if part.startswith("<") and len(part) > 2 else re.sub(r"([\\*`_|])", r"\\\1", part)
        for part in parts
    ).removeprefix(r"\ ")


def fill(text: str, root: Path) -> str:
    """A page with the list in the place of its mark."""
    if MARK not in text:
        raise SystemExit("docs/docsite/rst/failures.rst has no place for the list")
    return text.replace(MARK, page(root))
