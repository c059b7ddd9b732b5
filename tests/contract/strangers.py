# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that others published, taken from their registries at test time and never kept in the repository.

`build/strangers` holds what was fetched; delete it to fetch again. A client that cannot be had is skipped, aloud.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CACHE = Path(__file__).resolve().parents[2] / "build" / "strangers"
DRIVER = Path(__file__).with_name("npm_clients.cjs")
NPM = {"cisco-axl": "1.2.5", "cisco-risport": "3.0.3", "cisco-perfmon": "1.5.3"}
PYPI = {"netmiko": "4.8.0", "cucmapi": "0.0.2", "ciscoris": "0.0.5"}
SAMPLES = "https://github.com/CiscoDevNet/serviceability-python-zeep-samples"
SECONDS = 240


@contextmanager
def _lock() -> Iterator[None]:
    """One test process at a time fetches."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetched(name: str, command: list[str]) -> Path:
    """The folder of that name, filled by the command; skips the test when it cannot be had."""
    target, partial = CACHE / name, CACHE / f".{name}"
    with _lock():
        if target.exists():
            return target
        if shutil.which(command[0]) is None:
            pytest.skip(f"{name} DID NOT RUN AGAINST THE LAB: {command[0]} is not installed")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            done = subprocess.run(command, cwd=partial, capture_output=True, text=True, timeout=SECONDS, check=False)
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1] if done.returncode else ""
        except (OSError, subprocess.TimeoutExpired) as error:
            said = type(error).__name__
        if said:
            pytest.skip(f"{name} DID NOT RUN AGAINST THE LAB: {said}")
        partial.rename(target)
    return target


def npm_calls(client: str, create: list[str], calls: list[list[Any]], ca: Path) -> list[dict[str, Any]]:
    """What each call of an npm client gave (`gave`) or threw (`threw`)."""
    if shutil.which("node") is None:
        pytest.skip(f"{client} DID NOT RUN AGAINST THE LAB: node is not installed")
    packages = [f"{name}@{version}" for name, version in NPM.items()]
    install = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--ignore-scripts", "--prefix", ".", *packages]
    folder = _fetched("npm", install)
    environment = {**os.environ, "NODE_PATH": str(folder / "node_modules"), "NODE_EXTRA_CA_CERTS": str(ca)}
    done = subprocess.run(
        ["node", str(DRIVER)],
        input=json.dumps({"client": client, "create": create, "calls": calls}),
        env=environment, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def pypi(name: str) -> Path:
    """A folder for sys.path with the client and what it requires."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", ".", f"{name}=={PYPI[name]}"]
    # zeep and requests are here already; a client's own requirements would bring them again.
    return _fetched(name, pip if name == "netmiko" else [*pip, "--no-deps"])


def samples() -> Path:
    """DevNet's serviceability samples, which are in no registry: from their repository."""
    return _fetched("devnet", ["git", "clone", "--quiet", "--depth", "1", SAMPLES, "."])
