# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab in one file, which others can start from: its scenario, databases, keys and files, without paths of a machine.

Faults, shifted clocks and rows of the table of inferences that were set at run time are not part of it.
"""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from .outputs import LAB
from .scenario import SCENARIOS, ScenarioError

FORMAT, VERSION = "cucm_lab snapshot", 1
HEAD, SCENARIO, STATE = "snapshot.json", "scenario.yml", "state/"
#: made anew at each start, or of the process alone
_NOT_KEPT = {"lab.json", "lab.out", "lab.log", "inventory.yml", "https-ca.pem", "known_hosts", "control.sock",
             "scenario.yml", "ntlm-users"}  # fmt: skip
_STAND_INS = "stand-ins/stand-ins.json"


class SnapshotError(ValueError):
    """The snapshot cannot be written or used; the text says why."""


def save(state: Path, file: Path) -> int:
    """Write the lab of a state directory, which has to be running; the number of files in the snapshot."""
    try:
        lab = json.loads((state / LAB).read_text(encoding="utf-8"))
        scenario = yaml.safe_load(_scenario(lab["source"]).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SnapshotError(f"The lab in {state} cannot be saved: {error}. It has to be running.") from None
    scenario["name"] = lab["scenario"]
    head = {"format": FORMAT, "version": VERSION, "net": lab["net"], "scenario": lab["scenario"]}
    number = 0
    # It has the keys of the lab: nobody else may read it.
    file.touch(mode=0o600)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(HEAD, json.dumps(head, indent=1) + "\n")
        archive.writestr(SCENARIO, yaml.safe_dump(scenario, sort_keys=False, allow_unicode=True))
        for name, data in _files(state):
            archive.writestr(STATE + name, data)
            number += 1
    return number


def _scenario(source: str) -> Path:
    shipped = SCENARIOS / f"{source}.yml"
    return shipped if shipped.exists() else Path(source)


def _files(state: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(state.rglob("*")):
        name = path.relative_to(state).as_posix()
        if name in _NOT_KEPT or not path.is_file() or path.is_symlink() or path.name.endswith(("-wal", "-shm")):
            continue
        if path.suffix == ".db":
            yield name, _database(path)
        elif name == _STAND_INS:
            listed = [
                {**stand_in, "key": Path(stand_in["key"]).name}
                for stand_in in json.loads(path.read_text(encoding="utf-8"))
            ]
            yield name, json.dumps(listed, indent=1).encode()
        else:
            yield name, path.read_bytes()


def _database(path: Path) -> bytes:
    """A database as of one moment, although the lab is writing to it."""
    source = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with closing(source) as running, closing(sqlite3.connect(":memory:")) as copy:
        running.backup(copy)
        return bytes(copy.serialize())


def load(file: Path, state: Path) -> tuple[Path, str]:
    """Unpack a snapshot into a state directory that is new or empty; the path of its scenario, and its net."""
    if state.exists() and any(state.iterdir()):
        raise SnapshotError(f"{state} is not empty; choose another --state.")
    try:
        with zipfile.ZipFile(file) as archive:
            head = json.loads(archive.read(HEAD))
            _check(file, head, archive)
            state.mkdir(parents=True, exist_ok=True)
            for name in archive.namelist():
                _unpack(archive, name, state)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        if isinstance(error, SnapshotError | ScenarioError):
            raise
        raise SnapshotError(f"{file} is not a snapshot of a lab: {error}") from None
    return state / SCENARIO, str(head["net"])


def _check(file: Path, head: dict[str, Any], archive: zipfile.ZipFile) -> None:
    if head.get("format") != FORMAT or head.get("version") != VERSION:
        raise SnapshotError(f"{file} is not a snapshot that this lab reads (version {VERSION}).")
    for name in archive.namelist():
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts or "\\" in name:
            raise SnapshotError(f"{file} names a file outside of its folder: {name!r}.")


def _unpack(archive: zipfile.ZipFile, name: str, state: Path) -> None:
    if name == HEAD or name.endswith("/"):
        return
    target = state / name.removeprefix(STATE)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    data = archive.read(name)
    if name == STATE + _STAND_INS:
        listed = [{**stand_in, "key": str(target.parent / stand_in["key"])} for stand_in in json.loads(data)]
        data = json.dumps(listed, indent=1).encode()
    target.write_bytes(data)
