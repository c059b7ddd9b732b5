# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real cluster answered, against the table of inferred behaviour; and the patch that makes the table right.

The file of answers comes from playbook truth.yml: questions by name, each with what the cluster sent.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .inferred import INFERRED
from .packages import load_all

FORMAT, VERSION = "siptls.cucm answers", 1
#: the purpose and the file that the questions name, which stand for {unit}, {name} and {service} in the table
PURPOSE, CERTIFICATE, OPERATION, TABLE = "ipsec", "siptls-question.pem", "getSiptlsQuestion", "siptlsquestion"


class LearningError(ValueError):
    """The file cannot be used; the text says why."""


@dataclass(frozen=True)
class Lesson:
    """Which row a question is about, and the row's value that an answer means."""

    row: str
    value: Callable[[Any], Any]


def _fault(**places: str) -> Callable[[Any], Any]:
    """A code and a text, with the places of the table in it."""
    return lambda answer: (_number(answer["code"]), _placed(answer["text"], places))


def _number(code: str) -> Any:
    return int(code) if str(code).lstrip("-").isdecimal() else code


def _placed(text: str, places: Mapping[str, str]) -> str:
    for place, word in places.items():
        text = text.replace(word, f"{{{place}}}")
    return text


def _text(**places: str) -> Callable[[Any], Any]:
    return lambda answer: _placed(answer, places)


def _lines(answer: str) -> list[str]:
    return [line.strip() for line in answer.splitlines() if line.strip()]


def _response(**places: str) -> Callable[[Any], Any]:
    return lambda answer: (answer["status"], _placed(answer["text"], places))


LESSONS: dict[str, Lesson] = {
    "axl_unknown_operation": Lesson("axl.unknown_operation", _fault(operation=OPERATION)),
    "axl_malformed": Lesson("axl.malformed", _fault()),
    "axl_no_key": Lesson("axl.no_key", _fault(object="SipTrunk")),
    "axl_sql_syntax": Lesson("axl.sql_syntax", _fault()),
    "axl_sql_missing_table": Lesson("axl.sql_no_table", _fault(missing=TABLE)),
    "axl_callmanager_name": Lesson("axl.callmanager_name", _text()),
    "axl_standard_profile_pings": Lesson("axl.standard_sip_profile_ping", bool),
    "axl_security_mode_parameter": Lesson("axl.security_mode_parameter", bool),
    "ciphers_parameters": Lesson("sip.tls_ciphers_parameter", lambda names: names[0] if len(names) == 1 else names),
    "cli_unknown_command": Lesson("shell.unknown_command", _lines),
    "cli_bad_arguments": Lesson("shell.bad_arguments", _lines),
    "cli_no_certificate": Lesson("shell.no_certificate", _text(name=CERTIFICATE)),
    "cli_no_csr": Lesson("shell.no_csr", _text(unit=PURPOSE)),
    "cli_no_csr_at_all": Lesson("shell.no_csr_at_all", _text()),
    "cli_last_line_of_itl": Lesson("shell.itl_verified", _text()),
    "cli_minimum_tls": Lesson("shell.tls_minimum", _text()),
    "rest_no_csr": Lesson("certmgr.missing", _response(service=PURPOSE)),
    "rest_no_path": Lesson("certmgr.no_path", _response()),
}


@dataclass(frozen=True)
class Difference:
    """A row of the table and what the cluster showed."""

    row: str
    what: str
    inferred: Any
    seen: Any


def load(path: Path) -> dict[str, Any]:
    """Read a file of answers."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LearningError(f"{path} cannot be read: {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or found.get("version") != VERSION:
        raise LearningError(f"{path} is not a file of answers: it has no `format: {FORMAT}` and `version: {VERSION}`.")
    return found


def differences(answers: Mapping[str, Any]) -> list[Difference]:
    """The rows in which the table differs from what a cluster answered."""
    load_all()
    found = []
    for name, lesson in LESSONS.items():
        if name not in answers:
            continue
        guess, seen = INFERRED[lesson.row], lesson.value(answers[name])
        if not same(guess.value, seen):
            found.append(Difference(lesson.row, guess.what, guess.value, seen))
    return found


def same(inferred: Any, seen: Any) -> bool:
    """Equal, with tuples and lists alike."""
    if isinstance(inferred, tuple | list):
        return list(inferred) == list(seen) if isinstance(seen, tuple | list) else False
    return bool(inferred == seen)


def overrides(found: list[Difference]) -> str:
    """A scenario's `inferred:` with what was seen."""
    rows = {
        difference.row: list(difference.seen) if isinstance(difference.seen, tuple) else difference.seen
        for difference in found
    }
    return yaml.safe_dump({"inferred": rows}, sort_keys=False, allow_unicode=True, width=120)


def patch(found: list[Difference]) -> str:
    """A patch of the lab's source that puts what was seen into the table."""
    root = Path(__file__).parent
    parts: list[str] = []
    for file in sorted(root.rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        changed = _changed(source, found)
        if changed != source:
            name = f"cucm_lab/{file.relative_to(root)}"
            lines = source.splitlines(keepends=True), changed.splitlines(keepends=True)
            parts += difflib.unified_diff(*lines, f"a/{name}", f"b/{name}")
    return "".join(parts)


def _changed(source: str, found: list[Difference]) -> str:
    """A source file with the values of these rows replaced."""
    wanted = {difference.row: difference.seen for difference in found if f'"{difference.row}"' in source}
    if not wanted:
        return source
    lines = source.encode("utf-8").splitlines(keepends=True)
    # From the end, so that earlier positions stay right.
    for row, node in sorted(_values(ast.parse(source)), key=lambda pair: pair[1].lineno, reverse=True):
        if row in wanted:
            _replace(lines, node, repr(wanted[row]).encode("utf-8"))
    return b"".join(lines).decode("utf-8")


def _values(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """(row, expression of its value) in INFERRED and in calls of register."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Call) and _named(value, "Guess"):
                    yield str(key.value), value.args[0]
        elif isinstance(node, ast.Call) and _named(node, "register") and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value), node.args[1]


def _named(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == name


def _replace(lines: list[bytes], node: ast.expr, new: bytes) -> None:
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    head, tail = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
    lines[first : last + 1] = [head + new + tail]
