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
#: what no registry has (November 2026), by the name of its folder
REPOSITORIES = {
    "devnet": "https://github.com/CiscoDevNet/serviceability-python-zeep-samples",
    "devnet-axl": "https://github.com/CiscoDevNet/axl-python-zeep-samples",
    "cisco-dime": "https://github.com/sieteunoseis/cisco-dime",
}
_INSTALL = "npm install --silent --no-fund --no-audit --ignore-scripts"
SECONDS = 240
#: what cannot be had -> why, so that each is tried once in a run
MISSING: dict[str, str] = {}


@contextmanager
def _lock() -> Iterator[None]:
    """One test process at a time fetches."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetched(name: str, command: list[str]) -> Path:
    """The folder of that name, filled by the command; skips the test when it cannot be had."""
    target = CACHE / name
    with _lock():
        if not target.exists() and name not in MISSING:
            MISSING[name] = _fetch(target, command)
    if not target.exists():
        pytest.skip(f"{name} DID NOT RUN AGAINST THE LAB: {MISSING[name]}")
    return target


def _fetch(target: Path, command: list[str]) -> str:
    """Fill the folder by the command; why it could not, empty if it did."""
    if shutil.which(command[0]) is None:
        return f"{command[0]} is not installed"
    partial = target.with_name(f".{target.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        done = subprocess.run(command, cwd=partial, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    partial.rename(target)
    return ""


def npm_calls(client: str, create: list[str] | None, calls: list[list[Any]], ca: Path) -> list[dict[str, Any]]:
    """What each call of a client for node gave (`gave`) or threw (`threw`); without `create` it has functions alone."""
    if shutil.which("node") is None:
        pytest.skip(f"{client} DID NOT RUN AGAINST THE LAB: node is not installed")
    if client in REPOSITORIES:
        modules = _cloned(client, f"{_INSTALL} --omit=dev").parent
    else:
        packages = " ".join(f"{name}@{version}" for name, version in NPM.items())
        modules = _fetched("npm", ["sh", "-c", f"{_INSTALL} --prefix . {packages}"]) / "node_modules"
    environment = {**os.environ, "NODE_PATH": str(modules), "NODE_EXTRA_CA_CERTS": str(ca)}
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


def _cloned(name: str, then: str = "true") -> Path:
    """A repository without its history, after a further command in it."""
    return _fetched(name, ["sh", "-c", f"git clone --quiet --depth 1 {REPOSITORIES[name]} . && {then}"])


def samples(name: str) -> Path:
    """DevNet's samples: `devnet` for serviceability, `devnet-axl` for AXL."""
    return _cloned(name)
