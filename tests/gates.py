# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make lint`: every gate, one after another, each saying how many checks ran.

A gate that checked nothing has failed. With --fast only those that need no further environment run; names choose some.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
LINT = ROOT / ".venv" / "lint" / "bin"
#: what a release may hold at its top; anything else in the tarball is a stray file
SHIPPED = {
    "CHANGELOG.md", "CHANGELOG.rst", "CONTRIBUTING.md", "COPYING", "FILES.json", "MANIFEST.json", "Makefile",
    "README.md", "changelogs", "docs", "execution-environment.yml", "extensions", "meta", "playbooks", "plugins",
    "pyproject.toml", "requirements.txt", "roles", "tests", ".ansible-lint",
}  # fmt: skip


class Failed(Exception):
    """A gate's complaint, as the tool wrote it."""


@dataclass(frozen=True)
class Gate:
    """A gate: its run returns how many checks passed and what they are called."""

    name: str
    run: Callable[[], tuple[int, str]]
    fast: bool = False


def main(wishes: list[str]) -> int:
    """Run the gates; the exit code."""
    fast = "--fast" in wishes
    names = [wish for wish in wishes if not wish.startswith("-")]
    chosen = [gate for gate in GATES if (not names or gate.name in names) and (gate.fast or not fast)]
    failed = []
    for gate in chosen:
        begun = time.monotonic()
        print(f"-- {gate.name} ... ", end="", flush=True)
        try:
            count, what = gate.run()
            if not count:
                raise Failed("nothing was checked")
        except Failed as complaint:
            failed.append(gate.name)
            print(f"FAILED\n{complaint}")
        else:
            print(f"{count} {what} checked, good ({time.monotonic() - begun:.0f} s)")
    print(
        f"{len(chosen) - len(failed)} of {len(chosen)} gates passed"
        + (f"; failed: {', '.join(failed)}" if failed else "")
    )
    return 1 if failed or not chosen else 0


def tool(*order: str | Path, cwd: Path = ROOT, also: dict[str, str] | None = None) -> str:
    """Run a tool; its output; Failed with it when it complains."""
    environment = os.environ | {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
        "ANSIBLE_HOME": str(ROOT / "build" / "ansible"),
        "PATH": f"{LINT}{os.pathsep}{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "NO_COLOR": "1",
    }
    try:
        done = subprocess.run(
            [str(part) for part in order], cwd=cwd, env=environment | (also or {}), text=True, capture_output=True,
            timeout=1800, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise Failed(f"{order[0]} is not installed; run it by `make lint`") from None
    if done.returncode:
        raise Failed((done.stdout + done.stderr).strip() or f"{order[0]} ended with {done.returncode}")
    return done.stdout + done.stderr


def tracked(*patterns: str) -> list[str]:
    """The files of the repository that match."""
    return tool("git", "ls-files", "--", *patterns).split()


def ruff_check() -> tuple[int, str]:
    """Style and likely faults."""
    files = tracked("*.py")
    tool(BIN / "ruff", "check", *files)
    return len(files), "Python files"


def ruff_format() -> tuple[int, str]:
    """Layout."""
    files = tracked("*.py")
    tool(BIN / "ruff", "format", "--check", *files)
    return len(files), "Python files"


def mypy() -> tuple[int, str]:
    """Types: module_utils and the lab, strictly."""
    output = tool(
        BIN / "mypy", "-p", "ansible_collections.siptls.cucm.plugins.module_utils", "-p", "cucm_lab",
        also={"MYPYPATH": f"{ROOT / '.venv' / 'collections'}{os.pathsep}{ROOT / 'tests' / 'lab'}"},
    )  # fmt: skip
    found = re.search(r"no issues found in (\d+) source files", output)
    return (int(found[1]) if found else 0), "typed files"


def changelog() -> tuple[int, str]:
    """Fragments and releases of the changelog."""
    tool(LINT / "antsibull-changelog", "lint")
    return len(tracked("changelogs")), "changelog files"


def docs() -> tuple[int, str]:
    """The documentation of plugins and roles."""
    with copy() as folder:
        tool(LINT / "antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", ".", cwd=folder)
    return len(tracked("plugins/modules", "plugins/filter", "roles/*/meta/argument_specs.yml")), "documents"


def lint() -> tuple[int, str]:
    """ansible-lint, profile production."""
    with copy() as folder:
        output = tool(LINT / "ansible-lint", "--offline", "--profile", "production", "-q", "--nocolor", cwd=folder)
    _ = output
    return len(tracked("roles/*.yml", "playbooks/*.yml", "meta/*.yml", "galaxy.yml")), "YAML files"


def sanity() -> tuple[int, str]:
    """ansible-test sanity, without an ignore file."""
    with copy() as folder:
        home = folder.parents[2] / "home"
        cache = home / ".ansible" / "test" / "cache"
        cache.mkdir(parents=True)
        # ansible-test fetches get-pip.py from a host of its own; what venv itself brings does as well.
        source = next(LINT.parent.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py"))
        for version in re.findall(r"pip='([0-9.]+)'", source.read_text(encoding="utf-8")):
            stand_in = cache / f"get_pip_{version.replace('.', '_')}.py"
            stand_in.write_text("import ensurepip\nensurepip.bootstrap(default_pip=True)\n", encoding="utf-8")
        order = ["sanity", "--local", "--requirements", "--color", "no", *(f"--test={name}" for name in SANITY)]
        output = tool(
            LINT / "ansible-test", *order, cwd=folder,
            also={"ANSIBLE_COLLECTIONS_PATH": str(folder.parents[2]), "HOME": str(home)},
        )  # fmt: skip
    return len(re.findall(r"^Running sanity test", output, re.MULTILINE)), "sanity tests"


def tarball() -> tuple[int, str]:
    """ansible-galaxy collection build holds only what belongs; galaxy-importer takes it."""
    with copy() as folder:
        tool(BIN / "ansible-galaxy", "collection", "build", "--force", "--output-path", folder.parent, ".", cwd=folder)
        built = next(folder.parent.glob("*.tar.gz"))
        with tarfile.open(built) as content:
            names = content.getnames()
        stray = sorted({name.split("/")[0] for name in names} - SHIPPED)
        if stray:
            raise Failed(f"the tarball holds what does not belong there: {', '.join(stray)}")
        tool(LINT / "python", "-m", "galaxy_importer.main", built, cwd=folder.parent)
    return len(names), "files of the tarball"


class copy:
    """A clean git copy of what is tracked, at ansible_collections/siptls/cucm, as the tools want it."""

    def __enter__(self) -> Path:
        self._folder = Path(tempfile.mkdtemp(prefix="siptls-gates-"))
        place = self._folder / "ansible_collections" / "siptls" / "cucm"
        for name in tool("git", "ls-files", "-z").split("\0"):
            if name and (ROOT / name).is_file():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, place / name)
        identity = ["-c", "user.name=gates", "-c", "user.email=gates@localhost"]
        tool("git", "init", "-q", ".", cwd=place)
        tool("git", "add", "-A", cwd=place)
        tool("git", *identity, "commit", "-q", "-m", "gates", cwd=place)
        return place

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


SANITY = (
    "action-plugin-docs", "ansible-doc", "ansible-requirements", "changelog", "empty-init", "ignores", "line-endings",
    "no-assert", "no-get-exception", "no-illegal-filenames", "no-smart-quotes", "replace-urlopen", "runtime-metadata",
    "shebang", "symlinks", "use-argspec-type-path", "use-compat-six", "validate-modules", "yamllint", "pep8", "pylint",
    "import", "compile",
)  # fmt: skip
GATES = (
    Gate("ruff", ruff_check, fast=True),
    Gate("layout", ruff_format, fast=True),
    Gate("mypy", mypy, fast=True),
    Gate("changelog", changelog),
    Gate("docs", docs),
    Gate("ansible-lint", lint),
    Gate("sanity", sanity),
    Gate("tarball", tarball),
)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
