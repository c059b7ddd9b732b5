# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Purposes are data: two tables name them, one in Python and one in YAML, and nothing else does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.module_utils._x509 import purposes

ROOT = Path(__file__).resolve().parents[3]
TABLES = ("plugins/module_utils/_x509/purposes.py", "roles/connection/vars/main.yml")
NAMES = {name for purpose in purposes.PURPOSES.values() for name in (purpose.name, purpose.trust)}
#: calls that name AXL's kind of object CallManager, which is a service on a node
AXL_KIND = re.compile(r"\b(listing|Kind)\(\s*\"CallManager\"")
#: keys of tasks that hold words for people
WORDS = {"name", "msg", "fail_msg", "success_msg", "description", "label"}


def literals(tree: ast.AST) -> Iterator[ast.Constant]:
    """The texts in a file that are exactly a purpose."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in NAMES:
            yield node


def test_no_other_python_file_names_a_purpose() -> None:
    files = [path for path in (ROOT / "plugins").rglob("*.py") if not path.is_symlink()]
    found = []
    for path in files:
        name, text = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        for node in literals(ast.parse(text)):
            line = text.splitlines()[node.lineno - 1]
            if name not in TABLES and not AXL_KIND.search(line):
                found.append(f"{name}:{node.lineno}: {line.strip()}")
    assert len(files) > 150 and not found


def texts(value: Any) -> Iterator[str]:
    """The texts of tasks and variables that Ansible works with."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in WORDS:
                yield str(key)
                yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)
    elif isinstance(value, str):
        yield value


def named(text: str) -> list[str]:
    """The purposes that a text names as a value, and not as part of a sentence or of a service's name."""
    words = "|".join(sorted(map(re.escape, NAMES), key=len, reverse=True))
    whole = [text] if text in NAMES else []
    return whole or re.findall(rf"(?:(?<=['\".])|(?<=\[))({words})(?=['\"\],]|$)", text)


def test_no_other_yaml_file_names_a_purpose() -> None:
    folders = [*(ROOT / "roles").glob("*/[tdv]*"), ROOT / "playbooks"]
    files = [path for folder in folders for path in folder.rglob("*.yml")]
    found = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in files
        if str(path.relative_to(ROOT)) not in TABLES
        for text in texts(yaml.safe_load(path.read_text(encoding="utf-8")))
        if named(text)
    ]
    assert len(files) > 40 and not found


@pytest.mark.parametrize(
    "text", ["CallManager-trust", "{{ ['CallManager', x] }}", "{{ held['CallManager-ECDSA'] }}", "{{ held['TVS'] }}"]
)
def test_a_new_literal_is_found(text: str) -> None:
    assert named(text) and not named(f"Restart Cisco {text.replace('[', '').replace(chr(39), '')} now")
    assert list(literals(ast.parse("x = 'CallManager'")))


def test_the_table_in_yaml_has_the_names_of_the_one_in_python() -> None:
    content = yaml.safe_load((ROOT / TABLES[1]).read_text(encoding="utf-8"))
    trunk = purposes.TRUNK
    assert content["cucm_purposes"] == {
        "trunk": trunk.name, "trunk_ec": purposes.TRUNK_EC.name, "trunk_trust": trunk.trust,
        "tvs": purposes.TVS.name, "itl_signer": purposes.ITL_RECOVERY.name,
    }  # fmt: skip
