# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites for the tests of whole playbooks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.operator_site import Site
from tests.support.process_watch import ProcessWatch
from tests.support.sites import SetUp
from tests.support.states import summary


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two clusters as shipped."""
    place = Site(tmp_path_factory.mktemp("untouched"))
    with place.lab:
        yield place


@pytest.fixture(scope="session")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    """Two clusters after one run of the main playbook, at the highest verbosity."""
    place = Site(tmp_path_factory.mktemp("set-up"))
    notes = place.folder / "states.jsonl"
    record: dict[str, Any] = {
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
