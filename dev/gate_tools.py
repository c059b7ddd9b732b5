# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gates share: running a tool, the committed files, a clean copy of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
LINT = ROOT / ".venv" / "lint" / "bin"


class Failed(Exception):
    """A gate has failed; the text is what the tool wrote."""


def tool(*order: str | Path, cwd: Path = ROOT, also: dict[str, str] | None = None) -> str:
    """Run a tool; its output; Failed with it when it complains."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MOLECULE_"))}
    environment |= {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
        "ANSIBLE_HOME": str(ROOT / "build" / "ansible"),
        "PATH": f"{LINT}{os.pathsep}{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "NO_COLOR": "1",
    }
    try:
        done = subprocess.run(
            [str(part) for part in order], cwd=cwd, env=environment | (also or {}), text=True, capture_output=True,
            stdin=subprocess.DEVNULL, timeout=1800, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise Failed(f"{order[0]} is not installed; run it by `make lint`") from None
    except subprocess.TimeoutExpired:
        raise Failed(f"{order[0]} did not end within half an hour") from None
    if done.returncode:
        raise Failed((done.stdout + done.stderr).strip() or f"{order[0]} ended with {done.returncode}")
    return done.stdout + done.stderr


def tracked(*patterns: str) -> list[str]:
    """The committed files that match, from the repository's root."""
    names = tool("git", "ls-files", "-z", "--", *patterns).split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


@contextmanager
def copy() -> Iterator[Path]:
    """A clean git copy of what is committed, at ansible_collections/siptls/cucm, where the tools expect it."""
    folder = Path(tempfile.mkdtemp(prefix="siptls-gates-"))
    try:
        place = folder / "ansible_collections" / "siptls" / "cucm"
        for name in tracked():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
        identity = ["-c", "user.name=gates", "-c", "user.email=gates@localhost"]
        tool("git", "init", "-q", ".", cwd=place)
        tool("git", "add", "-A", cwd=place)
        tool("git", *identity, "commit", "-q", "-m", "gates", cwd=place)
        yield place
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def collections_of(place: Path) -> Path:
    """The collections path that a copy lies on."""
    return place.parents[2]
