# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ansible-core releases that the collection supports, and an environment for each in .venv/cores.

`make lint` runs ansible-test's sanity with them. `make test-cores` runs this file: on each one the tests named in
TESTS, which hold runs of the main playbook on the lab. Which releases run depends on the machine's Pythons; those that
are left out are reported.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".venv" / "cores"
PIP = ("--disable-pip-version-check", "--root-user-action", "ignore", "--progress-bar", "off", "-qq")
PYTHONS = ("3.11", "3.12", "3.13")
#: what runs on every release: the tables and argument specs of the modules, the filters, the main playbook on the lab
TESTS = (
    "tests/unit/test_module.py",
    "tests/unit/test_collection.py",
    "tests/unit/axl",
    "tests/unit/roles",
    "tests/unit/x509",
    "tests/unit/ca",
    "tests/integration/test_trunk.py",
    "tests/integration/test_types.py",
)
#: what .ci/run runs on the oldest and the newest release: the main playbook, and once more
ENDS = ("tests/integration/test_trunk.py", "-k", "ends_in_a_secure_verdict or second_run_changes_nothing")


class Unavailable(Exception):
    """Why a release can't be tried on this machine."""


class Broken(Exception):
    """The output of a command that should have worked."""


@dataclass(frozen=True)
class Core:
    """A release line of ansible-core and the Pythons that its controller supports; the first one found here is used."""

    version: str
    pythons: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Its environment."""
        return FOLDER / self.version

    @property
    def bin(self) -> Path:
        """Its programs."""
        return self.folder / "bin"

    def python(self) -> str:
        """The Python it gets here."""
        for version in self.pythons:
            if version in interpreters():
                return version
        raise Unavailable(
            f"ansible-core {self.version} needs Python {' or '.join(self.pythons)}, none of which is here"
        )

    def release(self) -> str:
        """Its exact version."""
        lines = run(self.bin / "python", "-c", "import ansible.release as r; print(r.__version__)").split()
        return lines[-1]

    def prepare(self, *, tests: bool = False) -> None:
        """Make the environment: ansible-core alone, or with all that the tests need."""
        python = self.python()
        stamp = self.folder / f".{'tests' if tests else 'core'}-{python}"
        requirements = [ROOT / name for name in ("requirements.txt", "tests/requirements.txt")]
        if stamp.is_file() and (not tests or all(_older(requirement, stamp) for requirement in requirements)):
            return
        if not (self.bin / "pip").is_file():
            run(interpreters()[python], "-m", "venv", self.folder)
        test_packages = ["-r", str(ROOT / "tests" / "requirements.txt")] if tests else []
        try:
            run(self.bin / "python", "-m", "pip", "install", *PIP, f"ansible-core~={self.version}.0", *test_packages)
        except Broken as failed:
            if re.search(r"No matching distribution found for ansible-core", str(failed)):
                raise Unavailable(f"pip offers no ansible-core {self.version} for Python {python} here") from None
            raise
        stamp.touch()


def _older(path: Path, stamp: Path) -> bool:
    return path.stat().st_mtime <= stamp.stat().st_mtime


CORES = (
    Core("2.17", ("3.11", "3.12")),
    Core("2.18", ("3.12", "3.11", "3.13")),
    Core("2.19", ("3.13", "3.11", "3.12")),
    Core("2.20", ("3.12", "3.13")),
    Core("2.21", ("3.13", "3.12")),
)


@cache
def interpreters() -> dict[str, Path]:
    """The Pythons of this machine that can make environments, by version; pyenv's stand-ins are looked through."""
    found: dict[str, Path] = {}
    for version in PYTHONS:
        pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
        candidates = [
            Path(folder) / f"python{version}" for folder in os.environ.get("PATH", "").split(os.pathsep) if folder
        ]
        candidates += sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
        for candidate in candidates:
            question = "import ensurepip, venv, sys; print(sys.base_prefix, '%d.%d' % sys.version_info[:2])"
            try:
                prefix, answered = run(candidate, "-c", question).split()[-2:]
            except (Broken, OSError, ValueError):
                continue
            real = Path(prefix) / "bin" / f"python{version}"
            if answered == version and real.is_file():
                found[version] = real
                break
    return found


def search_path(core: Core) -> str:
    """A PATH for ansible-test: the environment, each Python by its own name, the system; none of pyenv's stand-ins."""
    links = FOLDER / "pythons"
    links.mkdir(parents=True, exist_ok=True)
    for version, real in interpreters().items():
        link = links / f"python{version}"
        if not link.exists() or link.resolve() != real.resolve():
            link.unlink(missing_ok=True)
            link.symlink_to(real)
    return os.pathsep.join(map(str, (core.bin, links, "/usr/bin", "/bin")))


def run(*order: str | Path, cwd: Path = ROOT, environment: dict[str, str] | None = None, limit: float = 1800) -> str:
    """Run a command; its output; Broken with it when it fails."""
    done = subprocess.run(
        [str(part) for part in order], cwd=cwd, env=environment, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Broken(done.stdout.strip() or f"{order[0]} ended with {done.returncode}")
    return done.stdout


def try_core(core: Core, options: list[str], tests: tuple[str, ...] = TESTS) -> int:
    """Run the tests on a release; pytest's exit code."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    environment |= {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
        "PATH": f"{core.bin}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    order = [
        str(core.bin / "python"), "-m", "pytest", "-q", "-m", "not contract", "-p", "no:cacheprovider", *tests, *options
    ]  # fmt: skip
    return subprocess.run(order, cwd=ROOT, env=environment, check=False).returncode


def _named(version: str) -> Core:
    return next(core for core in CORES if core.version == version)


def ends() -> list[str]:
    """The oldest and the newest release that this machine can try."""
    found: dict[str, None] = {}
    for order in (CORES, CORES[::-1]):
        for core in order:
            try:
                core.prepare(tests=True)
            except (Unavailable, Broken) as why:
                print(f"-- SKIPPED: ansible-core {core.version}: {why}", flush=True)
                continue
            found[core.version] = None
            break
    return list(found)


def main(arguments: list[str]) -> int:
    """Try the releases named, or all; `ends` is the main playbook on the oldest and the newest. The exit code."""
    if arguments == ["ends"]:
        tried = ends()
        failed = [version for version in tried if try_core(_named(version), [], ENDS)]
        print("FAILED on:" if failed else "The main playbook ran on ansible-core", *(failed or tried))
        return 1 if failed or not tried else 0
    options = [argument for argument in arguments if argument.startswith("-")]
    names = [argument for argument in arguments if not argument.startswith("-")]
    found = {core.version: _try(core, options) for core in CORES if not names or core.version in names}
    return _report(list(found.values()))


def _report(found: list[tuple[str, str]]) -> int:
    """Print which releases were tried; the exit code."""
    labels: dict[str, list[str]] = {"good": [], "bad": [], "left out": []}
    for label, state in found:
        labels[state].append(label)
    print("\nansible-core tried:", ", ".join(labels["good"]) or "none", flush=True)
    if labels["bad"]:
        print("FAILED on:", ", ".join(labels["bad"]))
    if labels["left out"]:
        print("SKIPPED for want of a Python or a package:", ", ".join(labels["left out"]))
    return 1 if labels["bad"] or not labels["good"] else 0


def _try(core: Core, options: list[str]) -> tuple[str, str]:
    """The name of a release and its result: good, bad or left out."""
    try:
        core.prepare(tests=True)
    except Unavailable as why:
        print(f"-- SKIPPED: {why}", flush=True)
        return core.version, "left out"
    except Broken as said:
        print(f"-- ansible-core {core.version}: its environment could not be made\n{said}", flush=True)
        return core.version, "bad"
    label = f"{core.release()} on Python {core.python()}"
    print(f"-- ansible-core {label}", flush=True)
    begun = time.monotonic()
    state = "bad" if try_core(core, options) else "good"
    print(f"-- {label}: {time.monotonic() - begun:.0f} s", flush=True)
    return label, state


if __name__ == "__main__":
    if not shutil.which("git"):
        sys.exit("The program git is missing.")
    sys.exit(main(sys.argv[1:]))
