# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pytest plugin that measures which branches of the collection and of the lab the tests take.

`make test` loads it by `-p`, before anything that it measures is imported. It counts the import of every module and
what runs in pytest's own processes: unit, lab and contract tests, and of a long one its first fifth of a second. The
programs that tests start (ansible-playbook, the lab of a playbook test) are not counted, so that a playbook test takes
no longer. The data stay in build/coverage, for `coverage html`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import signal
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "coverage"
#: what is measured, by the name under which it is imported
SOURCES = {"plugins": "ansible_collections.siptls.cucm.plugins", "lab/cucm_lab": "cucm_lab"}
#: the measurement of this process, once it has begun
RUNNING: list[coverage.Coverage] = []
#: processor time of a test that is measured: what takes longer repeats itself, and measuring costs a quarter more
SECONDS = 0.2
COUNTS = ("covered_lines", "num_statements", "covered_branches", "num_branches")


def measure(*, suffix: bool) -> coverage.Coverage:
    """A measurement; with a suffix it writes a data file of its own, for one process of several."""
    found = coverage.Coverage(
        data_file=str(FOLDER / ".coverage"), data_suffix=suffix, config_file=False, branch=True,
        source=[str(ROOT / source) for source in SOURCES], omit=[str(ROOT / "plugins" / "action" / "*")],
    )  # fmt: skip
    # Files that no test imports count as well; the collection's folders are no packages with an __init__.py.
    found.set_option("report:include_namespace_packages", True)
    return found


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin; the controller of pytest-xdist's workers runs no test and measures nothing."""
    worker = "PYTEST_XDIST_WORKER" in os.environ
    if not worker:
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
    if worker or not getattr(early_config.known_args_namespace, "numprocesses", None):
        RUNNING.append(measure(suffix=True))
        RUNNING[0].start()


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Measure what the import of the sources runs. The collection of the tests would take twice as long measured."""
    if RUNNING:
        for name in sorted(modules()):
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        RUNNING[0].stop()


def modules() -> Iterator[str]:
    """The names of all modules that are measured, but for programs, and action plugins, which load modules in turn."""
    for source, package in SOURCES.items():
        for path in (ROOT / source).rglob("*.py"):
            parts = path.relative_to(ROOT / source).with_suffix("").parts
            if parts[-1] != "__main__" and parts[0] != "action":
                yield ".".join((package, *parts)).removesuffix(".__init__")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Measure the beginning of a test."""
    if not RUNNING:
        return (yield)

    def end(*_signal: object) -> None:
        RUNNING[0].stop()

    signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    RUNNING[0].start()
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        RUNNING[0].stop()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Write what this process has measured."""
    if RUNNING:
        RUNNING[0].save()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show the share of each package; no number makes the tests fail."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    terminalreporter.section("lines and branches run in the tests' own processes")
    try:
        lines = table(report())
    except coverage.exceptions.NoDataError:
        lines = ["not measured: no test run came to its end"]
    for line in lines:
        terminalreporter.write_line(line)


def report() -> dict[str, Any]:
    """Combine the data of all processes, and return coverage's JSON report."""
    whole = measure(suffix=False)
    whole.combine()
    whole.save()
    whole.json_report(outfile=str(FOLDER / "report.json"))
    found: dict[str, Any] = json.loads((FOLDER / "report.json").read_text(encoding="utf-8"))
    return found


def package(file: str) -> str:
    """The package of a file: three folders of the collection's module_utils, two of anything else."""
    parts = Path(file).parent.parts
    return "/".join(parts[: 3 if "module_utils" in parts or "cucm_lab" in parts else 2])


def table(found: dict[str, Any]) -> list[str]:
    """A row per package, and the totals of collection and lab."""
    rows: dict[str, Counter[str]] = {}
    for file, values in found["files"].items():
        whole = "all of plugins" if file.startswith("plugins") else "all of lab"
        for name in (package(file), whole):
            rows.setdefault(name, Counter()).update({key: values["summary"][key] for key in COUNTS})
    width = max(map(len, rows))
    ordered = sorted(rows, key=lambda name: (name.startswith("all of"), name))
    return [f"{name:{width}}  lines {share(rows[name], 0):>4}  branches {share(rows[name], 2):>4}" for name in ordered]


def share(counts: Counter[str], first: int) -> str:
    """A percentage, or a dash where there is nothing to cover."""
    covered, number = counts[COUNTS[first]], counts[COUNTS[first + 1]]
    return f"{covered * 100 // number} %" if number else "-"
