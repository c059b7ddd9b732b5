# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make lint`: every gate, one after another, each saying how many checks ran.

A gate that checked nothing has failed; one that this machine can't run is skipped, loudly. Names choose gates. With
--fast only those run that need no further environment. With --ci sanity runs whole on the newest ansible-core and the
tests of SANITY_CORE on the others.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from dev import gate_docs, gate_package, gate_sanity, gate_source, gate_words
from dev.cores import CORES, Unavailable
from dev.gate_tools import Failed


@dataclass(frozen=True)
class Gate:
    """A gate: its run returns how many checks passed and what they are called."""

    name: str
    run: Callable[[], tuple[int, str]]
    fast: bool = False


def gates(*, ci: bool) -> list[Gate]:
    """Every gate, in order."""
    whole = gate_sanity.newest() if ci else None
    return [
        Gate("ruff", gate_source.ruff_check, fast=True),
        Gate("layout", gate_source.ruff_format, fast=True),
        Gate("mypy", gate_source.mypy, fast=True),
        Gate("branches", gate_source.branches, fast=True),
        Gate("words", gate_words.words, fast=True),
        Gate("licences", gate_source.licences),
        Gate("ansible-lint", gate_source.ansible_lint),
        Gate("changelog", gate_docs.changelog),
        Gate("docs", gate_docs.plugin_docs),
        Gate("attributes", gate_docs.attributes),
        Gate("action-groups", gate_docs.action_groups),
        Gate("docs-site", gate_docs.site),
        Gate("tarball", gate_package.tarball),
        Gate("galaxy-importer", gate_package.importer),
        Gate("execution-environment", gate_package.execution_environment),
        *(
            Gate(f"sanity-{core.version}", partial(gate_sanity.sanity, core, whole=not ci or core == whole))
            for core in CORES
        ),
    ]


@dataclass
class Result:
    """What the gates said."""

    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    checks: int = 0

    def run(self, gate: Gate) -> None:
        """Run a gate and print its line."""
        begun = time.monotonic()
        print(f"-- {gate.name} ... ", end="", flush=True)
        try:
            count, what = gate.run()
            if count < 1:
                raise Failed("nothing was checked")
        except Failed as complaint:
            self.failed.append(gate.name)
            print(f"FAILED\n{complaint}", flush=True)
        except Unavailable as why:
            self.skipped.append(gate.name)
            print(f"SKIPPED: {why}", flush=True)
        else:
            self.passed.append(gate.name)
            self.checks += count
            print(f"{count} {what}, good ({time.monotonic() - begun:.0f} s)", flush=True)

    def report(self, chosen: list[Gate]) -> int:
        """Print the summary; the exit code. Sanity has to run on one ansible-core at least."""
        if _sanity(self.skipped) and not _sanity(self.passed):
            self.failed.append("sanity (no ansible-core could be tried)")
        print(f"{len(self.passed)} of {len(chosen)} gates passed, {self.checks} checks")
        if self.skipped:
            print(f"SKIPPED, because this machine lacks what they need: {', '.join(self.skipped)}")
        if self.failed:
            print(f"FAILED: {', '.join(self.failed)}")
        return 1 if self.failed or not self.passed else 0


def main(arguments: list[str]) -> int:
    """Run the gates that the arguments name, or all; the exit code."""
    options = {argument for argument in arguments if argument.startswith("-")}
    names = [argument for argument in arguments if argument not in options]
    every = gates(ci="--ci" in options)
    unknown = [name for name in names if not any(_named(gate, name) for gate in every)]
    unknown += sorted(options - {"--ci", "--fast"})
    if unknown:
        print(f"No such gate or option: {', '.join(unknown)}; the gates are: {', '.join(gate.name for gate in every)}")
        return 2
    chosen = [gate for gate in every if not names or any(_named(gate, name) for name in names)]
    chosen = [gate for gate in chosen if gate.fast or "--fast" not in options]
    result = Result()
    for gate in chosen:
        result.run(gate)
    return result.report(chosen)


def _sanity(names: list[str]) -> bool:
    return any(name.startswith("sanity") for name in names)


def _named(gate: Gate, name: str) -> bool:
    return gate.name == name or gate.name.startswith(f"{name}-")


if __name__ == "__main__":
    os.environ.pop("ANSIBLE_CONFIG", None)
    sys.exit(main(sys.argv[1:]))
