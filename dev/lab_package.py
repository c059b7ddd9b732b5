# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's wheel and sdist, and a try of the wheel as a new user: pip, a lab, a call, pytest with the fixture.

The try happens in an environment that has nothing but the wheel, what it requires, and pytest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "build" / "lab-package"
TRIAL = OUTPUT / "trial"
TEST = """
def test_a_call_between_the_clusters(cucm_lab):
    call = cucm_lab.ask("call", cluster="east", calling="1401", called="1501")
    assert call["result"] == "answered", call
    assert cucm_lab.inventory.exists()
"""


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a command; ends the program with its output when it fails."""
    # Nothing of the checkout may be used by accident.
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def environment(name: str, *requirements: str | Path) -> Path:
    """The bin folder of a fresh environment with these packages."""
    folder = OUTPUT / name
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", *requirements)
    return folder / "bin"


def build() -> tuple[Path, Path]:
    """(wheel, sdist), made of a copy: setuptools leaves folders where it works."""
    copy = OUTPUT / "source"
    shutil.copytree(ROOT / "lab", copy, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__", "tests", "build"))
    shutil.copy(ROOT / "COPYING", copy / "COPYING")
    tools = environment("tools", "build")
    run(tools / "python", "-m", "build", "--outdir", OUTPUT / "dist", copy)
    return next((OUTPUT / "dist").glob("*.whl")), next((OUTPUT / "dist").glob("*.tar.gz"))


def strangers(wheel: Path, sdist: Path) -> list[str]:
    """Files in the packages that do not belong to the lab."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.startswith(("cucm_lab/", "cucm_lab-"))]
    with tarfile.open(sdist) as tar:
        inside = [member.name.partition("/")[2] for member in tar.getmembers() if member.isfile()]
    own = ("cucm_lab/", "cucm_lab.egg-info/", "README.md", "COPYING", "pyproject.toml", "PKG-INFO", "setup.cfg")
    return names + [name for name in inside if not name.startswith(own)]


def trial(wheel: Path) -> None:
    """Use the wheel in an empty folder as a new user would."""
    binaries = environment("trial-environment", wheel, "pytest>=8,<9.2")
    TRIAL.mkdir()
    lab = [binaries / "cucm_lab"]
    state = ("--state", TRIAL / "state", "--net", "127.83")
    run(*lab, "up", "--scenario", "connected", *state, cwd=TRIAL)
    try:
        print(run(*lab, "status", *state[:2], cwd=TRIAL).strip())
        # A call that is not answered has an exit code of its own.
        print(run(*lab, "call", "east", "1401", "1501", *state[:2], cwd=TRIAL).strip().splitlines()[0])
    finally:
        run(*lab, "down", *state[:2], cwd=TRIAL)
    (TRIAL / "test_fixture.py").write_text(TEST, encoding="utf-8")
    # Its own configuration, so that pytest does not find the checkout's.
    (TRIAL / "pytest.ini").write_text("[pytest]\ncucm_lab_scenario = connected\n", encoding="utf-8")
    print(run(binaries / "python", "-m", "pytest", "-q", "test_fixture.py", cwd=TRIAL).strip().splitlines()[-1])


def main() -> None:
    """Build, look inside, try."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    wheel, sdist = build()
    foreign = strangers(wheel, sdist)
    if foreign:
        sys.exit(f"The lab's package holds files that are not the lab's: {', '.join(foreign[:5])}")
    trial(wheel)
    print(f"{wheel.name} and {sdist.name} are in {wheel.parent.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
