# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The house rules that a reader of the tree can check: who may import whom."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
LAB = ROOT / "lab" / "cucm_lab"


def imports(path: Path) -> Iterator[str]:
    """Every module name that a file imports, lazily or not."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def sources(folder: Path) -> list[Path]:
    """The Python files below a folder; a house without any would make every test here pass for nothing."""
    found = sorted(folder.rglob("*.py"))
    assert found, f"no Python file below {folder}"
    return found


def test_the_product_never_imports_the_lab() -> None:
    guilty = [path for path in sources(PLUGINS) if any(name.split(".")[0] == "cucm_lab" for name in imports(path))]
    assert not guilty


def test_the_lab_never_imports_the_product() -> None:
    guilty = [
        path
        for path in sources(LAB)
        if any(name.split(".")[0] in {"ansible", "ansible_collections", "plugins"} for name in imports(path))
    ]
    assert not guilty


#: the packages of module_utils from the ground up: each may import those of the floors below it
FLOORS = (
    {"_text"},
    {"_module"},
    {"_releases"},
    {"_net", "_x509", "_dialplan"},
    {"_serviceability", "_ca"},
    {"_evidence", "_axl"},
    {"_node", "_verdict"},
    {"_record"},
    {"_roles"},
)
UTILS = PLUGINS / "module_utils"
PREFIX = "ansible_collections.siptls.cucm.plugins.module_utils."


def package(path: Path) -> str:
    """The package of module_utils that a file belongs to."""
    return path.relative_to(UTILS).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The modules of module_utils that a file imports, by their dotted names below it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and f"{node.module}.".startswith(PREFIX):
            below = node.module[len(PREFIX) :]
            names = [below, *(f"{below}.{alias.name}".lstrip(".") for alias in node.names)]
            found |= {name for name in names if _exists(name)}
    return found


def _exists(name: str) -> bool:
    return bool(name) and UTILS.joinpath(*name.split(".")).with_suffix(".py").is_file()


def test_every_package_has_a_floor() -> None:
    assert set().union(*FLOORS) == {package(path) for path in sources(UTILS)}


def test_no_package_imports_up() -> None:
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    seen, up = 0, []
    for path in sources(UTILS):
        for name in imported(path):
            other = name.split(".")[0]
            seen += 1
            if other != package(path) and floor[other] >= floor[package(path)]:
                up.append(f"{path.relative_to(UTILS)} imports {name}")
    assert seen > 100, "too few imports for this to mean anything"
    assert not up


#: comparing one certificate with one known issuer is no climbing
ONE_ISSUER = {
    "_ca/local.py",
    "_node/checks.py",
    "_node/csr.py",
    "_roles/certificates/roll_over.py",
    "_x509/certificate.py",
    "_x509/chain.py",
    "_x509/rules.py",
}


def test_only_one_file_climbs_chains() -> None:
    utils = PLUGINS / "module_utils"
    found = {str(path.relative_to(utils)) for path in utils.rglob("*.py") if ".signed_by(" in path.read_text("utf-8")}
    assert "_x509/chain.py" in found and found <= ONE_ISSUER


def test_every_file_that_connects_checks_the_network_it_is_confined_to() -> None:
    """A rehearsal relies on it."""
    connects = re.compile(r"create_connection\(|asyncssh\.connect\(|requests\.Session\(|\.connect\(\(")
    guilty = [
        path.relative_to(PLUGINS).as_posix()
        for path in sources(PLUGINS)
        if connects.search(text := path.read_text(encoding="utf-8")) and "confine.check(" not in text
    ]
    # Its one caller is probe.py, which checks.
    assert guilty == ["module_utils/_evidence/probes/handshake.py"]
    callers = [path.name for path in sources(PLUGINS) if " Handshake(" in path.read_text(encoding="utf-8")]
    assert callers == ["probe.py"]


@pytest.mark.parametrize("folder", [PLUGINS, LAB], ids=["plugins", "lab"])
def test_every_file_postpones_its_annotations(folder: Path) -> None:
    guilty = [
        path
        for path in sources(folder)
        if len(ast.parse(path.read_text(encoding="utf-8")).body) > 1 and "__future__" not in set(imports(path))
    ]
    assert not guilty


def test_every_plugin_file_names_its_licence() -> None:
    guilty = [path for path in sources(PLUGINS) if "SPDX-License-Identifier: GPL-3.0-or-later" not in path.read_text()]
    assert not guilty


def test_no_private_key_is_kept_in_the_repository() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in tracked.split("\0") if name]
    assert len(files) > 100, "git names too few files for this to mean anything"
    key = re.compile(r"-----BEGIN (?:\w+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{60}")
    assert [path for path in files if path.is_file() and key.search(path.read_text(errors="replace"))] == []
