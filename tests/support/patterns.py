# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every regular expression of a folder, and texts that would make one of them slow."""

from __future__ import annotations

import ast
import itertools
import math
import re
import re._constants as ops  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

#: re's functions that take a pattern first, and the method of a compiled pattern that does the same work
FUNCTIONS = {
    "compile": "", "search": "search", "match": "match", "fullmatch": "fullmatch", "sub": "sub", "subn": "sub",
    "split": "split", "findall": "findall", "finditer": "findall",
}  # fmt: skip
METHODS: dict[str, Callable[[re.Pattern[Any], Any], Any]] = {
    "search": lambda pattern, text: pattern.search(text),
    "match": lambda pattern, text: pattern.match(text),
    "fullmatch": lambda pattern, text: pattern.fullmatch(text),
    "sub": lambda pattern, text: pattern.sub(lambda _match: "" if isinstance(text, str) else b"", text),
    "split": lambda pattern, text: pattern.split(text),
    "findall": lambda pattern, text: sum(1 for _match in pattern.finditer(text)),
}
#: seconds below which nothing is called slow, and after which a call is ended
ENOUGH, PATIENCE = 0.004, 1.5
_MANY = 9  # repetitions from which a repeat counts as one without end


@dataclass(frozen=True)
class Use:
    """A pattern of the source, and how it is used."""

    place: str
    pattern: str | bytes | None  # None: it is put together at run time
    flags: int
    methods: tuple[str, ...]


#: a call of a pattern's method, by the last name before it
_CALLED = re.compile(rf"\b(\w+)\.({'|'.join([*METHODS, 'finditer'])})\b")
_USED = re.compile(rf"\bre\.(?:{'|'.join(FUNCTIONS)})\(")


@cache
def sources(*folders: Path) -> dict[Path, str]:
    """The Python files below folders, and what is in them."""
    files = (path for folder in folders for path in sorted(folder.rglob("*.py")))
    return {path: path.read_text() for path in files if not path.is_symlink()}


def files_with_patterns(*folders: Path) -> list[Path]:
    """The files below folders that use regular expressions."""
    return [path for path, text in sources(*folders).items() if _USED.search(text)]


@cache
def _called(*folders: Path) -> dict[str, set[str]]:
    """By the name of a pattern, the methods by which any file below these folders calls it."""
    found: dict[str, set[str]] = {}
    for text in sources(*folders).values():
        for name, method in _CALLED.findall(text):
            found.setdefault(name, set()).add("findall" if method == "finditer" else method)
    return found


def uses(path: Path, *folders: Path) -> list[Use]:
    """All patterns of a file, with the methods by which any file below these folders calls them."""
    return list(_of_file(path, ast.parse(sources(*folders)[path]), _called(*folders)))


def _of_file(path: Path, tree: ast.Module, called: dict[str, set[str]]) -> Iterator[Use]:
    constants: dict[str, Any] = {}
    named = {
        id(node.value): target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            constants[statement.targets[0].id] = _value(statement.value, constants)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        if getattr(node.func.value, "id", "") != "re" or node.func.attr not in FUNCTIONS:
            continue
        method = FUNCTIONS[node.func.attr]
        found = sorted(called.get(named.get(id(node), ""), ())) if not method else [method]
        yield Use(
            f"{path.name}:{node.lineno}",
            _value(node.args[0], constants),
            _flags(node),
            tuple(found) or ("search", "findall"),
        )


def _value(node: ast.expr, constants: dict[str, Any]) -> Any:
    """The text of a constant expression, None for any other."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return node.value
    if isinstance(node, ast.Name):
        return constants.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _value(node.left, constants), _value(node.right, constants)
        return None if left is None or right is None else left + right
    return None


def _flags(node: ast.Call) -> int:
    names = [
        inner.attr
        for argument in (*node.args[1:], *(keyword.value for keyword in node.keywords if keyword.arg == "flags"))
        for inner in ast.walk(argument)
        if isinstance(inner, ast.Attribute) and getattr(inner.value, "id", "") == "re"
    ]
    return sum(int(flag) for flag in (getattr(re, name) for name in names) if isinstance(flag, re.RegexFlag))


def hostile_texts(pattern: str | bytes, flags: int) -> Iterator[Callable[[int], str]]:
    """Makers of texts that begin as the pattern does and repeat what it repeats, without an end that it takes."""
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    tree = parser.parse(text, flags)
    openings = list(dict.fromkeys(["", *_openings(tree, "")]))
    whole = _sample(tree)
    pumps = dict.fromkeys([" ", "\n", "a", "0", "<", *_characters(tree), *openings, whole, whole[:-1], whole + " "])
    for opening, pump, end in itertools.product(openings, filter(None, pumps), ("", "\0", "\n!")):
        yield partial(repeated, opening, pump, end)


def repeated(opening: str, pump: str, end: str, size: int) -> str:
    """A text of about a size that repeats one piece between its beginning and its end."""
    return opening + pump * (size // len(pump)) + end


def _openings(tree: Any, before: str) -> Iterator[str]:
    """What the pattern takes up to each of its long repeats, and up to and including one round of it."""
    for operation, argument in tree:
        if operation in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            if argument[1] >= _MANY:
                yield before
                yield before + _sample(argument[2])
            yield from _openings(argument[2], before)
        elif operation is ops.SUBPATTERN:
            yield from _openings(argument[3], before)
        elif operation is ops.ATOMIC_GROUP:
            yield from _openings(argument, before)
        elif operation is ops.BRANCH:
            for branch in argument[1]:
                yield from _openings(branch, before)
        before += _sample([(operation, argument)])


def _sample(tree: Any) -> str:
    """A short text that the pattern takes, or nearly."""
    return "".join(_sample_of(operation, argument) for operation, argument in tree)


def _sample_of(operation: Any, argument: Any) -> str:
    if operation is ops.LITERAL:
        return chr(argument)
    if operation is ops.NOT_LITERAL:
        return "a" if argument != ord("a") else "b"
    if operation is ops.ANY:
        return "x"
    if operation is ops.IN:
        return next(iter(_members(argument)), "x")
    if operation in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
        return _sample(argument[2]) * argument[0]
    if operation is ops.SUBPATTERN:
        return _sample(argument[3])
    if operation is ops.ATOMIC_GROUP:
        return _sample(argument)
    if operation is ops.BRANCH:
        return _sample(argument[1][0])
    return ""


_CATEGORIES = {
    ops.CATEGORY_SPACE: " ", ops.CATEGORY_DIGIT: "0", ops.CATEGORY_WORD: "a",
    ops.CATEGORY_NOT_SPACE: "x", ops.CATEGORY_NOT_DIGIT: "x", ops.CATEGORY_NOT_WORD: "-",
}  # fmt: skip


def _members(items: Any) -> list[str]:
    """Some characters of a class."""
    if items[0][0] is ops.NEGATE:
        wrong = re.compile("[" + "".join(re.escape(member) for member in _members(items[1:])) + "]")
        return [character for character in " x0<-\n" if not wrong.match(character)]
    found = []
    for operation, argument in items:
        if operation is ops.LITERAL:
            found.append(chr(argument))
        elif operation is ops.RANGE:
            found.append(chr(argument[0]))
        elif operation is ops.CATEGORY:
            found.append(_CATEGORIES[argument])
    return found


def _characters(tree: Any) -> Iterator[str]:
    """The characters of every class that the pattern names."""
    for operation, argument in tree:
        if operation is ops.IN:
            yield from _members(argument)[:3]
        elif operation in (ops.LITERAL, ops.NOT_LITERAL, ops.ANY):
            yield _sample_of(operation, argument)
        elif operation in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            yield from _characters(argument[2])
        elif operation is ops.SUBPATTERN:
            yield from _characters(argument[3])
        elif operation is ops.ATOMIC_GROUP:
            yield from _characters(argument)
        elif operation is ops.BRANCH:
            for branch in argument[1]:
                yield from _characters(branch)
        elif operation in (ops.ASSERT, ops.ASSERT_NOT):
            yield from _characters(argument[1])


def seconds(work: Callable[[], Any]) -> float:
    """Processor time of this thread that a call takes; infinite for one that PATIENCE ended."""
    began = time.thread_time()
    before = signal.signal(signal.SIGVTALRM, _end)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    try:
        work()
    except _EndedError:
        return math.inf
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return time.thread_time() - began


class _EndedError(BaseException):
    """A call took too long."""


def _end(_signal: int, _frame: object) -> None:
    raise _EndedError


def slows_down(work: Callable[[Any], Any], text: Callable[[int], Any], size: int) -> str:
    """Words on a growth beyond linear up to a text of this size, empty for none.

    A quarter of the text may take an eighth of the time: memory and garbage cost something. What looks slow is measured
    again before it counts, because others use this machine too.
    """
    whole, quarter = text(size), text(size // 4)
    took = seconds(partial(work, whole))
    if took <= ENOUGH:
        return ""
    if took == math.inf:
        return f"{size} characters take more than {PATIENCE} s"
    before = max(seconds(partial(work, quarter)) for _again in range(3))
    took = min(took, *(seconds(partial(work, whole)) for _again in range(2)))
    if took <= ENOUGH or took <= 8 * before:
        return ""
    return f"{size // 4} characters take {before * 1000:.1f} ms, {size} take {took * 1000:.1f} ms"
