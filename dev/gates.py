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
from dataclasses import dataclass
from functools import partial

from dev import gate_docs, gate_package, gate_sanity, gate_source
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


def main(wishes: list[str]) -> int:
    """Run the gates; the exit code."""
    options, names = {wish for wish in wishes if wish.startswith("-")}, [w for w in wishes if not w.startswith("-")]
    every = gates(ci="--ci" in options)
    unknown = [name for name in names if not any(_named(gate, name) for gate in every)]
    if unknown or options - {"--ci", "--fast"}:
        print(f"No such gate: {', '.join(unknown) or options}; there are: {', '.join(gate.name for gate in every)}")
        return 2
    chosen = [
        gate
        for gate in every
        if (not names or any(_named(gate, name) for name in names)) and (gate.fast or "--fast" not in options)
    ]
    passed, failed, skipped, checks = [], [], [], 0
    for gate in chosen:
        begun = time.monotonic()
        print(f"-- {gate.name} ... ", end="", flush=True)
        try:
            count, what = gate.run()
            if count < 1:
                raise Failed("nothing was checked")
        except Failed as complaint:
            failed.append(gate.name)
            print(f"FAILED\n{complaint}", flush=True)
        except Unavailable as why:
            skipped.append(gate.name)
            print(f"SKIPPED: {why}", flush=True)
        else:
            passed.append(gate.name)
            checks += count
            print(f"{count} {what}, good ({time.monotonic() - begun:.0f} s)", flush=True)
    if any(name.startswith("sanity") for name in skipped) and not any(name.startswith("sanity") for name in passed):
        failed.append("sanity (no ansible-core could be tried)")
    print(f"{len(passed)} of {len(chosen)} gates passed, {checks} checks")
    if skipped:
        print(f"SKIPPED, because this machine lacks what they need: {', '.join(skipped)}")
    if failed:
        print(f"FAILED: {', '.join(failed)}")
    return 1 if failed or not passed else 0


def _named(gate: Gate, name: str) -> bool:
    return gate.name == name or gate.name.startswith(f"{name}-")


if __name__ == "__main__":
    os.environ.pop("ANSIBLE_CONFIG", None)
    sys.exit(main(sys.argv[1:]))
