# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: every case in one run; figures to build/bench.json, to docs/performance.md and to the screen.

`make bench CASES="a c"` runs those alone; what the same machine measured before is kept beside them.
A case that breaks is reported with the reason; the others still run, and the exit code is 1.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import clusters, plays, readers
from .measure import ROOT

CASES: dict[str, tuple[str, Callable[[Path, int], dict[str, float]]]] = {
    "a": ("main playbook against as many no-op tasks", plays.main_playbook),
    "b": ("one AXL task against ciscoaxl", plays.axl_task),
    "c": ("1,000 and 10,000 route patterns", plays.route_patterns),
    "d": ("mesh of 2, 4, 8 and 16 clusters", clusters.mesh),
    "e": ("capture of 100,000 packets against tshark", readers.capture),
    "f": ("SDL traces against zcat | wc", readers.traces),
    "g": ("50 clusters: the lab itself, and Ansible", clusters.lab),
}
#: what a figure is to be at most
TARGETS = {
    ("a", "first run in process / floor"): 1.2,
    ("a", "rerun in process / floor"): 0.9,
    ("b", "time, ours / ciscoaxl"): 0.12,
    ("b", "peak, ours / ciscoaxl"): 1 / 2,
    ("c", "1000 unchanged, s"): 1.5,
    ("c", "10000 unchanged, s"): 8.0,
    ("c", "10000 unchanged / 1000 unchanged"): 10.0,
    ("c", "peak, 10000 / 1000"): 2.0,
    ("d", "16 clusters, in process / as modules"): 0.6,
    ("d", "16 clusters, runs with a direction not secure at once"): 0.0,
    ("e", "ours / tshark"): 1.0,
    ("f", "ours / zcat"): 10.0,
    ("g", "50 clusters up, s"): 10.0,
    ("g", "memory a cluster, MB"): 20.0,
    ("g", "Ansible's peak with 50 clusters, in process / as modules"): 1.3,
}
PAGE = ROOT / "docs" / "performance.md"
#: remarks about the figures, written by hand, below the table
REMARKS = Path(__file__).parent / "remarks.md"


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


def kept(out: Path) -> dict[str, Any]:
    """The figures of the cases that this machine has measured before."""
    try:
        found = json.loads(out.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in found.items() if key in CASES} if found.get("machine") == machine() else {}


def page(results: Mapping[str, Any]) -> str:
    """The table for docs/; a case without figures is marked as not measured."""
    lines = [
        "# Performance",
        "",
        f"Measured by `make bench` on {results['machine']}; medians of {results['runs']} runs. The lab and the "
        "collection share the machine, so that ratios say more than seconds.",
        "",
        "| case | figure | value | target |",
        "|---|---|---:|---|",
    ]
    for letter, (title, _case) in CASES.items():
        figures = results.get(letter, {}).get("figures") or {}
        lines += [
            f"| {letter}: {title} | {name} | {value:,.2f} | {rated(letter, name, value)} |"
            for name, value in figures.items()
        ]
        if not figures:
            lines.append(f"| {letter}: {title} | not measured | | |")
    return "\n".join(lines).replace("zcat | wc", "zcat \\| wc") + "\n\n" + REMARKS.read_text(encoding="utf-8")


def rated(letter: str, name: str, value: float) -> str:
    """The target of a figure and whether it is met; empty without one."""
    most = TARGETS.get((letter, name))
    return "" if most is None else f"≤ {most:.2f}, {'met' if value <= most else 'missed'}"


def main(wanted: list[str]) -> int:
    """Run the cases; the exit code."""
    runs = int(os.environ.get("BENCH_RUNS", "5"))
    out = ROOT / "build" / "bench.json"
    results: dict[str, Any] = {"machine": machine(), "runs": runs, **(kept(out) if wanted else {})}
    broken = ran = 0
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
        ran += 1
        results[letter] = {"title": title, "figures": {name: round(value, 3) for name, value in figures.items()}}
        for name, value in figures.items():
            print(f"   {name:45} {value:10.2f}", flush=True)
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    PAGE.write_text(page(results), encoding="utf-8")
    print(f"Figures in {out.relative_to(ROOT)} and {PAGE.relative_to(ROOT)}; {ran} cases ran, {broken} broke.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
