# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packet captures on CUCM nodes: start, end, fetch and remove. Private to this collection.

A capture is a command in a terminal of ours. It ends by Ctrl-C after its time, by its own count, and when the terminal
closes, as it does when the play is killed: nothing is left running.
"""

from __future__ import annotations

import re
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence import files as evidence_files
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import background, onscreen
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient
from ansible_collections.siptls.cucm.plugins.module_utils._net.shell import AdminShell, Answer
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability import dime

# CUCM takes no dot in the name, and no more packets into a file.
NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
MOST_PACKETS = 100_000
ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}|[A-Za-z0-9.-]{1,253}")
FAILED = re.compile(
    r"(?i)executed command unsuccessfully|invalid (?:parameter|command)|command failed|not (?:a )?valid"
)
BEGUN = re.compile(r"(?i)executing command with options")
# Time between that line and the first packet, in which the capture's program opens the interface.
BEGIN_SECONDS = 0.3
MISSING = re.compile(r"(?i)no such file|could not be found|no files")


@dataclass(frozen=True)
class Plan:
    """What to capture. ``seconds``: how long; ``host`` and ``port`` filter."""

    name: str | None
    seconds: int
    count: int
    size: str
    host: str | None
    port: int | None
    network: str
    keep: bool
    dest: Path | None
    marker: Path | None = None

    def command(self) -> str:
        """The CLI's command. Failure for a value that the CLI does not take."""
        if self.name is not None and not NAME.fullmatch(self.name):
            raise Failure(f"The name {self.name!r} is not one that CUCM takes for a capture: letters, digits, _ and -.")
        if not 1 <= self.count <= MOST_PACKETS:
            raise Failure(f"count is {self.count}; CUCM captures 1 to {MOST_PACKETS} packets.")
        if self.host and not ADDRESS.fullmatch(self.host):
            raise Failure(f"The peer {self.host!r} is neither an address nor a host name.")
        words = ["utils network capture", self.network]
        if self.name:
            words += ["file", self.name]
        words += ["count", str(self.count), "size", self.size]
        if self.port:
            words += ["port", str(self.port)]
        if self.host:
            words += ["host", "ip", self.host]
        return " ".join(words)


class Marker:
    """A file on the controller that exists while the captures run; removing it ends them.

    It is made when the capture of every node runs (or has failed, so that nobody waits for it).
    """

    def __init__(self, path: Path | None, nodes: int) -> None:
        self._path, self._awaited = path, nodes
        self._made = False
        self._lock = threading.Lock()
        self.remove()

    def runs(self) -> None:
        """One more node captures. Failure when the file can't be made."""
        with self._lock:
            self._awaited -= 1
            if self._path is None or self._awaited:
                return
            try:
                self._path.touch(mode=0o600)
            except OSError as error:
                raise Failure(f"The file {self._path} of the option marker can't be made: {error.strerror}.") from error
            self._made = True

    def taken_away(self) -> bool:
        """Whether it existed and is gone."""
        return self._made and self._path is not None and not self._path.exists()

    def remove(self) -> None:
        """Remove it: one of an earlier run, or when all captures are fetched."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


class _Watch:
    """Follows one node's capture: reports to the marker that it runs, and knows when to end it."""

    def __init__(self, marker: Marker) -> None:
        self._marker, self._due, self._told, self._text = marker, 0.0, False, ""

    def text(self, chunk: str) -> None:
        """What the CLI shows. The capture runs when it has repeated the options."""
        if not self._due:
            self._text = (self._text + chunk)[-200:]
            if BEGUN.search(self._text):
                self._due = time.monotonic() + BEGIN_SECONDS

    def over(self) -> bool:
        """Whether the capture is to end."""
        if not self._told and self._due and time.monotonic() >= self._due:
            self.tell()
        return self._marker.taken_away()

    def tell(self) -> None:
        """Report to the marker, once."""
        if not self._told:
            self._told = True
            self._marker.runs()


@dataclass(frozen=True)
class Push:
    """An SFTP server to which the node sends the file, when DIME is not to be used."""

    host: str
    port: int
    username: str
    password: str
    directory: str

    def answers(self) -> list[Answer]:
        """What the CLI asks for a transfer, and what to type."""
        pairs = (
            (r"proceed \[y/n\]", "y"), (r"server (?:IP|host)", self.host), (r"server port", str(self.port)),
            (r"User ID", self.username), (r"Password", self.password), (r"directory", self.directory),
            (r"continue connecting", "yes"),
        )  # fmt: skip
        return [Answer(re.compile(question + r"[^\n]{0,200}$", re.I), reply) for question, reply in pairs]


def run(nodes: Sequence[Mapping[str, Any]], plan: Plan, push: Push | None) -> tuple[list[dict[str, Any]], list[str]]:
    """(one result per node, warnings); all nodes at once. Once all have ended, Failure names every node that failed."""
    plan.command()
    marker = Marker(plan.marker, len(nodes))
    with ThreadPoolExecutor(max_workers=max(1, min(len(nodes), 16))) as pool:
        waiting = [pool.submit(_one, node, plan, push, _Watch(marker)) for node in nodes]
        results, failures, warnings = [], [], []
        for future in waiting:
            try:
                result, said = future.result()
                results.append(result)
                warnings += said
            except Failure as failure:
                failures.append(failure.msg)
    marker.remove()
    if failures:
        raise Failure(" ".join(failures), captures=results)
    return results, warnings


#: in the folder of a capture that runs in the background: the marker, and how long it may run
RUNS, SECONDS = "runs", "seconds"
#: how long the captures of all nodes may take to start, and their files to be fetched once they are over
START_SECONDS, FETCH_SECONDS = 60, 180


def begin(nodes: Sequence[Mapping[str, Any]], plan: Plan, push: Push | None, folder: Path | None) -> str:
    """Capture in a process of its own; the folder by which to end it, made if none is given.

    Returns when all captures run, or one could not start, which `end` reports. Failure for a folder that can't be made.
    """
    try:
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="cucm_capture."))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / SECONDS).write_text(str(plan.seconds), encoding="utf-8")
    except OSError as error:
        raise Failure(f"The folder {folder or tempfile.gettempdir()} can't be written: {error.strerror}.") from error
    runs = folder / RUNS
    there = replace(plan, marker=runs, dest=plan.dest or folder)

    def work() -> dict[str, Any]:
        captures, warnings = run(nodes, there, push)
        return {"captures": captures, "warnings": warnings}

    background.begin(folder, work)
    background.wait_until(lambda: runs.exists() or background.ended(folder), START_SECONDS)
    return str(folder)


def end(folder: Path, *, early: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """(one result per node, warnings) of what was begun in the folder. Failure as `run` has it, or when nothing was.

    Without `early` the captures first run for as long as they may.
    """
    try:
        seconds = int((folder / SECONDS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise Failure(f"No capture was begun in {folder}.") from None
    runs = folder / RUNS
    if early:
        runs.unlink(missing_ok=True)
    found = background.result(folder, FETCH_SECONDS if early else seconds + FETCH_SECONDS)
    if found.get("failed"):
        raise Failure(found["msg"], captures=found.get("captures", []))
    return found["captures"], found["warnings"]


def _one(node: Mapping[str, Any], plan: Plan, push: Push | None, watch: _Watch) -> tuple[dict[str, Any], list[str]]:
    try:
        with AdminShell.from_params(node) as shell:
            return _in_shell(shell, node, plan, push, watch)
    finally:
        watch.tell()


def _in_shell(
    shell: AdminShell, node: Mapping[str, Any], plan: Plan, push: Push | None, watch: _Watch
) -> tuple[dict[str, Any], list[str]]:
    began = time.time()
    try:
        output = shell.run(
            plan.command(), interrupt_after=plan.seconds, interrupt_when=watch.over, on_text=watch.text,
            limit=plan.seconds + 60.0,
        )  # fmt: skip
        if FAILED.search(output):
            raise Failure(
                f"The capture on {node['host']} (CLI, platform account {node['os_username']}) was refused: "
                f"{' '.join(output.split())[-300:]}"
            )
        result: dict[str, Any] = {
            "node": node["host"],
            "command": plan.command(),
            "seconds": round(time.time() - began),
        }
        if plan.name is None:
            return {**result, "packets": onscreen.packets(output), "files": []}, shell.warnings
        client = HttpClient.from_params(node) if push is None and plan.dest is not None else None
        files = _collect(shell, client, node, plan, push)
        return {**result, "packets": [], "files": files}, [*shell.warnings, *(client.warnings if client else [])]
    finally:
        if plan.name is not None and not plan.keep:
            _remove(shell, plan.name)


def _collect(
    shell: AdminShell, client: HttpClient | None, node: Mapping[str, Any], plan: Plan, push: Push | None
) -> list[dict[str, Any]]:
    listing = shell.run(f"file list activelog platform/cli/{plan.name}.cap*")
    names = sorted(set(re.findall(rf"\b{re.escape(str(plan.name))}\.cap\d*\b", listing)))
    if not names or MISSING.search(listing):
        raise Failure(
            f"The capture on {node['host']} ended, but its file {plan.name}.cap is not there: "
            f"{' '.join(listing.split())[-200:] or 'the list is empty'}."
        )
    files = []
    for name in names:
        entry: dict[str, Any] = {"remote_path": dime.CAPTURES + name}
        if push is not None:
            text = shell.run(f"file get activelog platform/cli/{name}", push.answers())
            if "completed" not in text.lower():
                raise Failure(
                    f"{node['host']} could not send {name} to the SFTP server {push.host} as {push.username}: "
                    f"{' '.join(text.replace(push.password, '********').split())[-300:]}"
                )
            entry["sent_to"] = f"{push.host}:{push.directory}"
        elif client is not None and plan.dest is not None:
            path = plan.dest / f"{node['host']}-{name}"
            evidence_files.write(path, dime.fetch(client, dime.CAPTURES + name))
            entry |= evidence_files.described(path)
        files.append(entry)
    return files


def _remove(shell: AdminShell, name: str) -> None:
    """Removes the file from the node; if that fails, what was captured is still returned."""
    try:
        shell.run(f"file delete activelog platform/cli/{name}.cap* noconfirm")
    except Failure as failure:
        shell.warnings.append(f"The capture file {name}.cap was not removed: {failure.msg}")
