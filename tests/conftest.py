# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every test shares: the collection is imported by its real name, through the environment's symlink."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import hypothesis
from ansible.plugins.loader import init_plugin_loader

ROOT = Path(__file__).resolve().parents[1]
COLLECTIONS = ROOT / ".venv" / "collections"

os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(COLLECTIONS)
# pytest-ansible puts Ansible's own way to find collections in later than a folder's conftest.py imports ours; what was
# imported before would lack its metadata.
init_plugin_loader([str(COLLECTIONS)])
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(COLLECTIONS), os.environ.get("PYTHONPATH")]))
# What an emulated node ships with has keys that all labs of the tests share: to make them takes longer than to start.
os.environ.setdefault("CUCM_LAB_KEYS", str(ROOT / "build" / "lab-keys"))

# Generated inputs are judged by what they show, not by how long a busy machine takes to make them.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")

JUDGED = {
    "requests": "requests of the AXL modules judged by the vendor's schemas",
    "answers": "requests and answers between modules and lab judged by the vendor's schemas",
}


def pytest_collection_finish() -> None:
    """Keep the garbage collector from going through all that was imported and collected, again and again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how much the contract tests have judged; here, because xdist's controller loads no other conftest."""
    reports = [report for report in terminalreporter.stats.get("passed", []) if report.when == "call"]
    for name, words in JUDGED.items():
        counts = {version: count for report in reports for key, value in report.user_properties if key == name
                  for version, count in [value]}  # fmt: skip
        if counts:
            each = ", ".join(f"{version}: {count}" for version, count in counts.items())
            terminalreporter.write_line(f"{sum(counts.values())} {words}, {len(counts)} releases ({each})")
