# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole processes, measured by the kernel: wall time, processor time, peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
ENVIRONMENT = {
    **os.environ,
    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
    "PYTHONPATH": str(ROOT / ".venv" / "collections"),
    "ANSIBLE_NOCOWS": "1",
    "ANSIBLE_FORKS": "20",
    "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
}


#: where the collection's tasks run, by the switch in the environment
IN_PROCESS, AS_MODULES = "in process", "as modules"
WAYS = {IN_PROCESS: {"SIPTLS_CUCM_IN_PROCESS": "true"}, AS_MODULES: {"SIPTLS_CUCM_IN_PROCESS": "false"}}


@dataclass(frozen=True)
class Run:
    """Seconds of wall and processor time, peak memory of the largest process in MB."""

    wall: float
    cpu: float
    peak: float
    #: what it printed; nothing for the median of several
    output: str = ""


class Broken(RuntimeError):
    """A measured command failed, so that its figure would mean nothing."""


def once(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end; Broken with its last words when it failed."""
    begin = time.perf_counter()
    with subprocess.Popen(
        command, env={**ENVIRONMENT, **(environment or {})}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Broken(f"{' '.join(command[:4])}… ended with {process.returncode}: {output.decode()[-1500:]}")
    return Run(time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output.decode())


def middle(seen: Sequence[Run]) -> Run:
    """The median of runs, figure by figure."""
    figures = {name: statistics.median(getattr(run, name) for run in seen) for name in ("wall", "cpu", "peak")}
    return Run(**figures)


def median(command: Sequence[str], runs: int, before: Callable[[], None] | None = None) -> Run:
    """The median of several runs; before prepares each one and is not counted."""
    seen = []
    for _unused in range(runs):
        if before:
            before()
        seen.append(once(command))
    return middle(seen)


def both_ways(command: Sequence[str], runs: int) -> dict[str, Run]:
    """The medians of either way; the ways take turns, so that a busy machine slows down both."""
    seen: dict[str, list[Run]] = {way: [] for way in WAYS}
    for _unused in range(runs):
        for way, environment in WAYS.items():
            seen[way].append(once(command, environment))
    return {way: middle(found) for way, found in seen.items()}


def playbook(path: Path, inventory: Path, *extra: str) -> list[str]:
    """The command of a playbook."""
    return [sys.executable, "-m", "ansible", "playbook", str(path), "-i", str(inventory), *extra]
