# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench [CASES="a c"]`: every case in one run; figures to build/bench.json and as a table to the screen.

A case that breaks is said to be broken, with the reason; the others still run, and the exit code is 1.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from . import clusters, plays, readers
from .measure import ROOT

CASES: dict[str, tuple[str, Callable[[Path, int], dict[str, float]]]] = {
    "a": ("main playbook against as many no-op tasks", plays.main_playbook),
    "b": ("one AXL task against ciscoaxl", plays.axl_task),
    "c": ("1,000 and 10,000 route patterns", plays.route_patterns),
    "d": ("mesh of 2, 4 and 8 clusters", clusters.mesh),
    "e": ("capture of 100,000 packets against tshark", readers.capture),
    "f": ("SDL traces against zcat | wc", readers.traces),
    "g": ("the lab itself", clusters.lab),
}


def machine() -> str:
    """Processors, memory and versions, for the table's caption."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    core = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "--version"], capture_output=True, text=True, check=True
    )
    return (
        f"{os.cpu_count()} processors {platform.machine()}, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, {core.stdout.splitlines()[0]}"
    )


def main(wanted: list[str]) -> int:
    """Run the cases; the exit code."""
    runs = int(os.environ.get("BENCH_RUNS", "5"))
    results: dict[str, object] = {"machine": machine(), "runs": runs}
    broken = 0
    for letter, (title, case) in CASES.items():
        if wanted and letter not in wanted:
            continue
        print(f"== ({letter}) {title}", flush=True)
        with tempfile.TemporaryDirectory(prefix="cucm-bench-") as folder:
            try:
                figures = case(Path(folder), runs)
            except Exception as error:
                traceback.print_exc(limit=3)
                figures, broken = {}, broken + 1
                results[letter] = {"title": title, "broken": str(error)}
                continue
        results[letter] = {"title": title, "figures": {name: round(value, 3) for name, value in figures.items()}}
        for name, value in figures.items():
            print(f"   {name:45} {value:10.2f}", flush=True)
    out = ROOT / "build" / "bench.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"Figures in {out.relative_to(ROOT)}; {len(results) - 2 - broken} cases ran, {broken} broke.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
