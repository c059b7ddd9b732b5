# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traces brought to the controller and read: from files given, or from a node. Private to this collection."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from ansible_collections.siptls.cucm.plugins.module_utils._evidence import files as evidence_files
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces import calllogs, sdl
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.unpacking import UNFINISHED
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability import dime, log_collection
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability.log_collection import LogFile

CALLMANAGER = "Cisco CallManager"
# What of a file is read to find its first line, packed or not.
_BEGINNING = 4096
_MODIFIED = re.compile(r"(\w{3}) +(\d{1,2}) (\d\d:\d\d:\d\d) (?:[^\s\d]\S* )?(\d{4})$")


class Reader:
    """Adds one file after the other: SDL traces to ``trace``, call logs to ``logs``; distinguished by their content."""

    def __init__(self, inside: Callable[[dict[str, Any]], bool] | None = None) -> None:
        """``inside`` says whether an entry is in the time that is asked for."""
        self.trace = sdl.SdlTrace(inside=inside)
        self.logs: list[dict[str, Any]] = []

    def add(self, name: str, stream: BinaryIO) -> None:
        """Reads one file as a stream."""

        def problem(text: str) -> None:
            # By its name, the file is still being written and has no end.
            if not (text == UNFINISHED and name.endswith(".gzo")):
                self.trace.problem(f"{name}: {text}")

        if log_collection.CALLLOGS.search(name):
            self.logs += calllogs.read(stream, problem)
        else:
            sdl.read(stream, self.trace, problem)

    def add_file(self, path: Path) -> None:
        """Reads a file on disk. The caller turns OSError into a message."""
        with path.open("rb") as stream:
            self.add(path.name, stream)


def in_order(paths: Sequence[Path]) -> list[Path]:
    """Files in the order in which they were written; of a folder, its files.

    The heads of SDL files say the order: CUCM uses the numbers in the names anew from 1 on after 250 files.
    """
    files = [
        part
        for path in paths
        for part in (sorted(file for file in path.rglob("*") if _is_trace(file.name)) if path.is_dir() else [path])
    ]
    return sorted(files, key=_place)


def _place(file: Path) -> tuple[bool, sdl.Beginning, str]:
    """What a file is sorted by; one without a head comes last, by its name."""
    if log_collection.CALLLOGS.search(file.name):
        return True, sdl.Beginning(), file.name
    with file.open("rb") as stream:
        begins = sdl.beginning(io.BytesIO(stream.read(_BEGINNING)))
    return begins is None, begins or sdl.Beginning(), file.name


def _is_trace(name: str) -> bool:
    return bool(log_collection.SDL.search(name) or log_collection.CALLLOGS.search(name))


def wanted_files(
    client: HttpClient, since: datetime | None, until: datetime | None, minutes: int | None, most: int
) -> tuple[list[LogFile], int]:
    """(the newest SDL and call log files of a span, how many older ones were left out)."""
    listed = log_collection.select(client, [CALLMANAGER], since=since, until=until, minutes=minutes)
    chosen = _by_age([file for file in listed if _is_trace(file.name)])
    by_kind = [
        [file for file in chosen if pattern.search(file.name)]
        for pattern in (log_collection.SDL, log_collection.CALLLOGS)
    ]
    kept = [file for kind in by_kind for file in kind[-most:]]
    return kept, len(chosen) - len(kept)


def _by_age(files: Sequence[LogFile]) -> list[LogFile]:
    """The oldest first, by the dates of the listing; by name where a date is not known.

    The names alone do not tell: after SDL001_100_000250 comes SDL001_100_000001.
    """
    by_name = sorted(files, key=lambda file: file.name)
    dates = {file.path: _modified(file.modified) for file in by_name}
    known = {path: date for path, date in dates.items() if date is not None}
    return sorted(by_name, key=lambda file: known[file.path]) if len(known) == len(dates) else by_name


def _modified(text: str) -> datetime | None:
    """The date of a listing (C(Sun Nov 29 10:40:00 UTC 2026)) in the node's own time, which all its files have."""
    found = _MODIFIED.search(text.strip())
    if not found:
        return None
    try:
        return datetime.strptime(" ".join(found.groups()), "%b %d %H:%M:%S %Y")
    except ValueError:
        return None


def fetch(client: HttpClient, files: Sequence[LogFile], reader: Reader, keep_in: Path | None) -> list[dict[str, Any]]:
    """Fetches and reads files; those kept on disk are described with their hashes."""
    described = []
    for file in files:
        content = dime.fetch(client, file.path)
        reader.add(file.name, io.BytesIO(content))
        entry: dict[str, Any] = {"remote_path": file.path, "size": len(content), "node": client.host}
        if keep_in is not None:
            path = keep_in / file.name
            evidence_files.write(path, content)
            entry |= evidence_files.described(path)
        described.append(entry)
    return described
