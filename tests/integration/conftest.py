# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites for the tests of whole playbooks."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from operator_site import Run, Site
from process_watch import ProcessWatch
from states import summary

#: tests on clusters as shipped, beside those on clusters that are set up
UNTOUCHED = pytest.mark.xdist_group("untouched")


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two clusters as shipped."""
    place = Site(tmp_path_factory.mktemp("untouched"))
    with place.lab:
        yield place


@dataclass
class SetUp:
    """A site after the first run of the main playbook, and that run."""

    site: Site
    first: Run
    before: dict[str, Any]
    #: as that run wrote it
    verdict: dict[str, Any]
    #: what the clusters held after each task: number, name, digest; and what counts of it in the end
    states: list[dict[str, Any]]
    left: Any
    seconds: float
    #: watched the arguments of all processes during the run, for the inventory's passwords
    watch: ProcessWatch


@pytest.fixture(scope="session")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    """Two clusters after one run of the main playbook, at the highest verbosity."""
    place = Site(tmp_path_factory.mktemp("set-up"))
    notes = place.folder / "states.jsonl"
    record = {
        "ANSIBLE_CALLBACKS_ENABLED": "record_state",
        "RECORD_TO": str(notes), "RECORD_LAB": str(place.lab.state), "RECORD_CA": str(place.ca),
    }  # fmt: skip
    with place.lab:
        before = place.lab.ask("dump")
        begun = time.monotonic()
        with ProcessWatch(place.secrets()) as watch:
            first = place.play("sip_tls_trunk", "-vvvv", **record)
        seconds = time.monotonic() - begun
        states = [json.loads(line) for line in notes.read_text().splitlines()]
        yield SetUp(place, first, before, place.verdict(), states, summary(place), seconds, watch)
