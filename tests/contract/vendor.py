# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's own AXL schemas, taken at test time out of two public packages and never kept in the repository.

`build/schemas` holds what was fetched; delete it to fetch again. A version that cannot be had is skipped, aloud.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

CACHE = Path(__file__).resolve().parents[2] / "build" / "schemas"
VERSIONS = ("9.1", "10.0", "10.5", "11.0", "11.5", "12.0", "12.5", "14.0", "15.0")
PYPI, NPM = "ciscoaxl==0.164", "cisco-axl@1.2.5"
# From PyPI what it has, from npm the two that PyPI lacks.
FROM_NPM = ("14.0", "15.0")
SECONDS = 120


def _fetch(folder: Path, command: list[str]) -> str:
    """Run a package client in its folder; returns why it failed, or an empty text."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]}: {type(error).__name__}"
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no reason given"])[-1]


def _unpack(version: str) -> str:
    """Bring one version's schema into the cache; returns why it could not be had, or an empty text."""
    target = CACHE / version
    npm = version in FROM_NPM
    source = CACHE / ("npm" if npm else "pypi")
    if (target / "AXLSoap.xsd").exists() and source.exists():
        return ""
    if not any(source.glob("*.tgz" if npm else "*.whl")):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", PYPI]
        if npm and shutil.which("npm") is None:
            return "npm is not installed"
        failed = _fetch(source, ["npm", "pack", "--silent", NPM] if npm else pip)
        if failed:
            return failed
    partial = CACHE / f".{version}"
    partial.mkdir(exist_ok=True)
    for name in ("AXLSoap.xsd", "AXLAPI.wsdl", "AXLEnums.xsd"):
        (partial / name).write_bytes(_member(source, version, name, npm=npm))
    partial.rename(target)
    return ""


def _member(source: Path, version: str, name: str, *, npm: bool) -> bytes:
    if npm:
        with tarfile.open(next(source.glob("*.tgz"))) as archive:
            file = archive.extractfile(f"package/schema/{version}/{name}")
            assert file is not None
            return file.read()
    with zipfile.ZipFile(next(source.glob("*.whl"))) as archive:
        return archive.read(f"ciscoaxl/schema/{version}/{name}")


def ciscoaxl() -> Path:
    """The folder with the ciscoaxl client, unpacked; skips the test when it cannot be had."""
    target = CACHE / "ciscoaxl"
    with _lock():
        if not target.exists():
            failed = _unpack(VERSIONS[0])
            if failed:
                pytest.skip(f"CISCOAXL WAS NOT DRIVEN AGAINST THE LAB: {failed}")
            partial = CACHE / ".ciscoaxl"
            with zipfile.ZipFile(next((CACHE / "pypi").glob("*.whl"))) as archive:
                archive.extractall(partial)
            partial.rename(target)
    return target


@contextmanager
def _lock() -> Iterator[None]:
    """One test process at a time fetches and unpacks."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@cache
def schema(version: str) -> etree.XMLSchema:
    """The compiled schema of a version; skips the test when it cannot be had."""
    with _lock():
        failed = _unpack(version)
    if failed:
        pytest.skip(f"THE VENDOR'S SCHEMA {version} WAS NOT JUDGED AGAINST: {failed}")
    return etree.XMLSchema(etree.parse(str(CACHE / version / "AXLSoap.xsd")))


def body(envelope: etree._Element) -> etree._Element:
    """The operation element of a SOAP envelope."""
    for node in envelope.iter():
        if etree.QName(node).localname == "Body":
            return node[0]
    raise AssertionError("no SOAP body")


def complaints(version: str, element: etree._Element) -> list[str]:
    """What the vendor's schema has against an operation element; nothing when it is valid."""
    judge = schema(version)
    alone = etree.fromstring(etree.tostring(element))
    return [] if judge.validate(alone) else [f"{entry.line}: {entry.message}" for entry in judge.error_log]
