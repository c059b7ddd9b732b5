# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test's sanity, without an ignore file, on each supported ansible-core that this machine's Pythons take.

In a folder that git ignores, ansible-test checks nothing and passes. It therefore gets a git repository of its own
outside this one, and first a broken file, which it has to find.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from dev.cores import CORES, Broken, Core, interpreters, run, search_path
from dev.gate_tools import Failed, collections_of, copy, tracked

#: what CI runs on every release but the newest: the tests whose verdict differs from release to release
SANITY_CORE = ("validate-modules", "import", "compile", "ansible-doc", "runtime-metadata", "action-plugin-docs")
#: tests for kinds of files that the collection does not have; they need programs (pwsh, shellcheck) of their own
NOT_OURS = ("pslint", "shellcheck")


def newest() -> Core | None:
    """The newest release that this machine's Pythons take."""
    for core in reversed(CORES):
        if any(version in interpreters() for version in core.pythons):
            return core
    return None


def sanity(core: Core, *, whole: bool = True) -> tuple[int, str]:
    """Run the sanity tests of a release, all or those of SANITY_CORE."""
    if ignored := tracked("tests/sanity/ignore*"):
        raise Failed(f"there is an ignore file: {', '.join(ignored)}")
    try:
        core.prepare()
        with copy() as place:
            home = _home(core)
            canary = place / "plugins" / "module_utils" / "_canary.py"
            canary.write_text("def broken(:\n", encoding="utf-8")
            try:
                _ansible_test(core, place, home, "--test", "compile", "--python", core.python())
            except Broken as complaint:
                if "_canary.py" not in str(complaint):
                    raise
            else:
                raise Failed("ansible-test did not find the broken file that it was shown")
            canary.unlink()
            chosen = [f"--test={name}" for name in SANITY_CORE] if not whole else []
            chosen += [f"--skip-test={name}" for name in NOT_OURS] if whole else []
            output = _ansible_test(core, place, home, *chosen)
            targets = len(_targets(place))
    except Broken as complaint:
        raise Failed(str(complaint)) from None
    ran = re.findall(r'^Running sanity test "([\w.-]+)"(?: on Python ([\d.]+))?', output, re.MULTILINE)
    tests, pythons = (
        {name for name, _unused in ran},
        sorted({python for _unused2, python in ran if python}, key=_number),
    )
    if not tests or (not whole and set(SANITY_CORE) - tests):
        raise Failed(f"some sanity tests did not run:\n{output}")
    missing = ", ".join(sorted(set(re.findall(r"Skipping sanity test .*? on Python ([\d.]+)", output)), key=_number))
    left_out = f"; not on Python {missing}" if missing else ""
    return len(ran), (
        f"sanity tests of {core.release()} on {targets} Python files"
        f" (import and compile on Python {', '.join(pythons) or core.python()}{left_out})"
    )


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _targets(place: Path) -> list[Path]:
    """What the tests on Python files look at."""
    found = [*(place / "plugins").rglob("*.py"), *(place / "tests").rglob("*.py")]
    if not found:
        raise Failed("there is no Python file to look at")
    return found


def _home(core: Core) -> Path:
    """A home folder for ansible-test: it keeps environments there, and fetches pip from a host of its own.

    What venv itself brings serves as well, so a stand-in lies where it would keep what it fetched.
    """
    home = core.folder / "home"
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    source = next(core.folder.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py"))
    for version in re.findall(r"pip='([0-9.]+)'", source.read_text(encoding="utf-8")):
        stand_in = cache / f"get_pip_{version.replace('.', '_')}.py"
        stand_in.write_text("import ensurepip\nensurepip.bootstrap(default_pip=True)\n", encoding="utf-8")
    return home


def _ansible_test(core: Core, place: Path, home: Path, *options: str) -> str:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "PYTHON"))}
    environment = kept | {
        "ANSIBLE_COLLECTIONS_PATH": str(collections_of(place)),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "PATH": search_path(core),
    }
    order = ["sanity", "--local", "--requirements", "--color", "no", *options]
    return run(core.bin / "ansible-test", *order, cwd=place, environment=environment)
