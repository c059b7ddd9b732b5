# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run does, as a table: clusters as columns, phases as rows."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: stdout
short_description: Shows a run as a table of clusters and phases
version_added: 1.0.0
description:
  - Shows one row per phase of a playbook of this collection, and one column per cluster. Above its row each phase lists
    what it changed, its warnings and its failures, each in one line.
  - On a terminal the row of the current phase shows the current task and its duration in seconds. In a pipe or a file
    there are plain lines, and a task that takes long is reported every 30 seconds.
  - C(-v) and more show each result, C(--diff) shows differences, and other playbooks are shown with the names of their
    plays and roles.
requirements:
  - Set as stdout callback, by C(stdout_callback = siptls.cucm.progress) in the section C([defaults]) of
    C(ansible.cfg), or by the environment variable C(ANSIBLE_STDOUT_CALLBACK).
author:
  - siptls.cucm contributors (@siptls)
options:
  show_after:
    description: Interval, in seconds, at which a pipe or a file shows that a task is still running.
    type: int
    default: 30
    env:
      - name: SIPTLS_CUCM_PROGRESS_SHOW_AFTER
    ini:
      - section: callback_progress
        key: show_after
"""

EXAMPLES = r"""
ansible.cfg: |
  [defaults]
  stdout_callback = siptls.cucm.progress
"""

import os
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible import constants as C
from ansible import context
from ansible.plugins.callback import CallbackBase

#: what the roles of this collection are called as phases; other roles and plays go by their names
PHASES = {
    "preflight": "Preflight",
    "callmanager_certificate": "Certificates",
    "sip_tls_trunk": "Trunks",
    "sip_tls_undo": "Undo",
    "sip_tls_verify": "Verification",
    "sip_tls_report": "Report",
}
#: the state of a cell, the worst first; and its colour
STATES = {"failed": C.COLOR_ERROR, "unreachable": C.COLOR_UNREACHABLE, "changed": C.COLOR_CHANGED, "ok": C.COLOR_OK}
#: columns that hold a name and its state; a terminal too narrow for all clusters shows counts
PHASE_WIDTH = 18
CELL_WIDTH = 14
#: the width of a pipe and of a file, which have none
NO_TERMINAL = 100
#: keys of a loop's item by which people know it, where the task names no label
ITEM_NAMES = ("name", "address", "host", "path")
NOTHING_TO_SAY = "All assertions passed"


@dataclass
class Phase:
    """One row: the state of each cluster in a phase."""

    title: str
    began: float = field(default_factory=time.monotonic)
    changes: Counter[str] = field(default_factory=Counter)
    states: dict[str, str] = field(default_factory=dict)

    def note(self, host: str, state: str) -> None:
        """Take a result in: the worst state of a cluster is kept."""
        order = list(STATES)
        known = self.states.get(host, "ok")
        self.states[host] = min(known, state, key=order.index)
        self.changes[host] += state == "changed"

    def cell(self, host: str) -> str:
        """The state of a cluster in words."""
        state = self.states.get(host, "")
        return f"{self.changes[host]} changed" if state == "changed" else state


@dataclass
class Current:
    """The task that runs."""

    name: str = ""
    began: float = field(default_factory=time.monotonic)
    hosts: set[str] = field(default_factory=set)
    #: hosts of which a failed item of a loop was shown
    failed: set[str] = field(default_factory=set)
    note: str = ""

    def words(self) -> str:
        """The task, for how long it has run, and where."""
        where = f", {', '.join(sorted(self.hosts))}" if 0 < len(self.hosts) <= 3 else ""
        return f"{self.name}: {time.monotonic() - self.began:.0f} s{where}{self.note}"


class Screen:
    """Where the lines go: a terminal, whose last line is rewritten, or a pipe or file, to which lines are added.

    What a second thread writes goes to the descriptor: it must hold no lock of sys.stdout while Ansible forks.
    """

    def __init__(self, display: Any) -> None:
        self.display = display
        self.live = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.lock = threading.Lock()
        self.drawn = False

    @property
    def width(self) -> int:
        """Characters per line."""
        return shutil.get_terminal_size((NO_TERMINAL, 24)).columns if self.live else NO_TERMINAL

    def line(self, text: str, colour: str | None = None) -> None:
        """Add a line that stays."""
        with self.lock:
            self._wipe()
            self.display.display(text, color=colour)

    def draw(self, lines: Iterable[str]) -> None:
        """Show lines until others take their place. Foreign output overwrites them."""
        if not self.live:
            return
        shown = [text[: self.width - 1] for text in lines]
        with self.lock:
            self._write("\r\x1b[J" + "\n".join(shown) + (f"\x1b[{len(shown) - 1}A" if len(shown) > 1 else "") + "\r")
            self.drawn = True

    def _wipe(self) -> None:
        if self.drawn:
            self._write("\r\x1b[J")
            self.drawn = False

    def add(self, text: str) -> None:
        """Add a line from the second thread."""
        with self.lock:
            self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        os.write(sys.stdout.fileno(), text.encode())


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core has no types
    """Ansible's events, as rows."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "siptls.cucm.progress"

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.screen = Screen(self._display)
        self.clusters: list[str] = []
        self.play_name = ""
        self.phase: Phase | None = None
        self.current = Current()
        self.said: set[str] = set()
        self.began = time.monotonic()
        self.over = threading.Event()

    # What begins

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Name the playbook, and begin to watch the time."""
        check = " (check mode: nothing is changed)" if context.CLIARGS.get("check") else ""
        self.screen.line(f"{os.path.basename(playbook._file_name)}{check}")
        threading.Thread(target=self._watch, daemon=True).start()

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """A play: its clusters are the columns. The play on localhost before it checks the inventory."""
        self._end_phase()
        self.play_name = play.get_name().strip()
        manager = play.get_variable_manager()
        hosts = [host.name for host in manager._inventory.get_hosts(play.hosts)]
        named = [host for host in hosts if host != "localhost"]
        if named and named != self.clusters:
            self.clusters = named
            self._head()

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """A task: a role of its own begins a phase."""
        title = self._title(task)
        if title and (self.phase is None or self.phase.title != title):
            self._end_phase()
            self.phase = Phase(title)
        self.current = Current(task.name or task.action)
        self._draw()

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """A handler."""
        self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """A cluster begins the task."""
        self.current.hosts.add(host.name)
        self._draw()

    # What came out

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task that ended well: what it changed, and what it says."""
        found = _found(result)
        self._take(result, "changed" if found.get("changed") else "ok")
        # The items of a loop have been shown.
        if "results" not in found or result._task.loop is None:
            self.v2_runner_item_on_ok(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """A task that failed: one sentence; those of a loop's items have been shown."""
        found = _found(result)
        self._take(result, "ok" if ignore_errors else "failed")
        if result._host.name not in self.current.failed:
            self._failed(result, found)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """A host that Ansible itself could not connect to."""
        self._take(result, "unreachable")
        self._failed(result, _found(result))

    def v2_runner_on_skipped(self, result: Any) -> None:
        """A task that does not apply is not shown."""
        self.current.hosts.discard(result._host.name)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """An item of a loop, or a task without one."""
        found = _found(result)
        if found.get("changed"):
            self._changed(result, found)
        for text in _messages(result._task, found):
            self.screen.line(f"  {text}")
        self._details(result, found)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """An item of a loop that failed: one sentence."""
        self.current.failed.add(result._host.name)
        self._failed(result, _found(result))

    def v2_runner_retry(self, result: Any) -> None:
        """A task that is tried again."""
        found = _found(result)
        self.current.note = f", try {found.get('attempts')} of {int(found.get('retries') or 1) - 1}"
        self._draw()

    def v2_on_file_diff(self, result: Any) -> None:
        """What differs, for --diff."""
        found = _found(result)
        looped = found.get("results") if result._task.loop is not None else None
        for item in looped or [found]:
            if isinstance(item, Mapping) and item.get("diff") and item.get("changed"):
                text = self._get_diff(item["diff"])
                if text:
                    self.screen.line(text.rstrip("\n"))

    # The end of a play and of the run

    def v2_playbook_on_no_hosts_matched(self) -> None:
        """A play without hosts."""
        self.screen.line("The pattern of hosts matches no cluster of the inventory.", C.COLOR_ERROR)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """The end: Ansible's own recap, which other programs read, and how long it took."""
        self._end_phase()
        self.over.set()
        self.screen.line("\nPLAY RECAP")
        for host in sorted(stats.processed):
            counts = stats.summarize(host)
            words = " ".join(
                f"{name}={counts[key]}"
                for name, key in (
                    ("ok", "ok"), ("changed", "changed"), ("unreachable", "unreachable"), ("failed", "failures"),
                    ("skipped", "skipped"), ("rescued", "rescued"), ("ignored", "ignored"),
                )
            )  # fmt: skip
            bad = counts["failures"] or counts["unreachable"]
            self.screen.line(f"{host} : {words}", C.COLOR_ERROR if bad else None)
        self.screen.line(f"Finished after {_seconds(time.monotonic() - self.began)}.")

    # The parts of it

    def _title(self, task: Any) -> str:
        """The phase of a task: its role's, or its play's; empty for tasks that only prepare or include others.

        Saving objects belongs to the phase that it is done in.
        """
        action, path = task.action.rpartition(".")[2], task.get_path().rpartition(":")[0]
        file = os.path.basename(path)
        if action in ("meta", "include_role") or file.startswith("check_"):
            return ""
        if self.phase is not None and file.startswith("backup"):
            return self.phase.title
        role = task._role.get_name().rpartition(".")[2] if task._role else ""
        return PHASES.get(role, role) or self.play_name

    def _take(self, result: Any, state: str) -> None:
        host = result._host.name
        self.current.hosts.discard(host)
        if self.phase is not None and host in self.clusters:
            self.phase.note(host, state)
        self._draw()

    def _changed(self, result: Any, found: Mapping[str, Any]) -> None:
        """One line per thing that changed."""
        would = "would change: " if result._task.check_mode else ""
        actions = [str(action) for action in found.get("actions") or ()]
        label = _label(result, found)
        what = "; ".join(actions) or result._task.name
        self.screen.line(f"  {result._host.name}{label}: {would}{what}", C.COLOR_CHANGED)

    def _failed(self, result: Any, found: Mapping[str, Any]) -> None:
        text = str(found.get("msg") or found.get("stderr") or found.get("reason") or "no reason was given")
        failed, colour = ("ignored", C.COLOR_WARN) if result._task.ignore_errors else ("failed", C.COLOR_ERROR)
        self.screen.line(f"  {result._host.name}{_label(result, found)}: {failed}: {result._task.name}", colour)
        for part in found["msg"] if isinstance(found.get("msg"), list) else text.splitlines():
            self.screen.line(f"      {part}", colour)
        self._details(result, found)

    def _details(self, result: Any, found: Mapping[str, Any]) -> None:
        """Warnings once each; the whole result at -v."""
        for warning in found.get("warnings") or ():
            text = f"  {result._host.name}: warning: {warning}"
            if text not in self.said:
                self.said.add(text)
                self.screen.line(text, C.COLOR_WARN)
        if self._display.verbosity:
            label = _label(result, found)
            self.screen.line(f"  {result._host.name}{label}: {result._task.name}: {self._dump_results(found)}")

    def _head(self) -> None:
        if self._fits():
            self.screen.line(" " * PHASE_WIDTH + "".join(_pad(host, CELL_WIDTH) for host in self.clusters).rstrip())
        else:
            self.screen.line(f"{len(self.clusters)} clusters")

    def _fits(self) -> bool:
        return PHASE_WIDTH + CELL_WIDTH * len(self.clusters) + 6 <= self.screen.width

    def _row(self, phase: Phase) -> str:
        taken = _seconds(time.monotonic() - phase.began)
        if self._fits():
            cells = "".join(_pad(phase.cell(host), CELL_WIDTH) for host in self.clusters)
            return f"{_pad(phase.title, PHASE_WIDTH)}{cells}{taken}"
        return f"{_pad(phase.title, PHASE_WIDTH)}{'; '.join(self._counts(phase)) or '-'}; {taken}"

    def _counts(self, phase: Phase) -> Iterator[str]:
        """The states of clusters that are too many for columns; those with problems by name."""
        for state in STATES:
            hosts = [host for host in self.clusters if phase.states.get(host) == state]
            if hosts:
                named = f" ({', '.join(hosts)})" if state in ("failed", "unreachable") else ""
                yield f"{len(hosts)} {state}{named}"

    def _end_phase(self) -> None:
        phase, self.phase = self.phase, None
        self.current = Current()
        if phase is not None and phase.states:
            bad = {"failed", "unreachable"} & set(phase.states.values())
            self.screen.line(self._row(phase), C.COLOR_ERROR if bad else C.COLOR_OK)

    def _draw(self) -> None:
        if self.phase is not None:
            self.screen.draw([self._row(self.phase), f"  {self.current.words()}" if self.current.name else ""])

    def _watch(self) -> None:
        """Let the seconds count on a terminal; in a pipe, report a task that takes long. A second thread."""
        after = max(1, int(self.get_option("show_after")))
        shown = 0
        while not self.over.wait(1):
            if self.screen.live:
                self._draw()
                continue
            passed = int(time.monotonic() - self.current.began)
            if self.current.name and self.current.hosts and passed // after > shown:
                self.screen.add(f"  still: {self.current.words()}")
            shown = passed // after


def _found(result: Any) -> Mapping[str, Any]:
    """The result's dictionary; ansible-core 2.19 renamed the attribute."""
    found: Mapping[str, Any] = getattr(result, "result", None) or result._result
    return found


def _messages(task: Any, found: Mapping[str, Any]) -> list[str]:
    """What a task says to the reader: debug and assert."""
    if task.action.rpartition(".")[2] not in ("debug", "assert", "fail"):
        return []
    said = found.get("msg")
    texts = said if isinstance(said, list) else [] if said in (None, NOTHING_TO_SAY) else [said]
    return [str(text) for text in texts]


def _label(result: Any, found: Mapping[str, Any]) -> str:
    """The item of a loop, by the task's own label or by its name."""
    variable = found.get("ansible_loop_var")
    if not variable:
        return ""
    label = found.get("_ansible_item_label", found.get(variable))
    if isinstance(label, Mapping):
        label = next((label[key] for key in ITEM_NAMES if label.get(key)), None)
    return f" {label}" if label is not None else ""


def _pad(text: str, width: int) -> str:
    """A text in a column of so many characters, with a blank behind it."""
    cut = text if len(text) < width else text[: width - 2] + "…"
    return cut.ljust(width)


def _seconds(count: float) -> str:
    """A duration."""
    return f"{count:.0f} s" if count < 120 else f"{count / 60:.0f} min {count % 60:.0f} s"
