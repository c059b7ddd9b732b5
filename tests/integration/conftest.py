# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites for the tests of whole playbooks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from operator_site import Run, Site
from process_watch import ProcessWatch

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
    #: watched the arguments of all processes during the run, for the inventory's passwords
    watch: ProcessWatch


@pytest.fixture(scope="session")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    """Two clusters after one run of the main playbook, at the highest verbosity."""
    place = Site(tmp_path_factory.mktemp("set-up"))
    with place.lab:
        before = place.lab.ask("dump")
        with ProcessWatch(place.secrets()) as watch:
            first = place.play("sip_tls_trunk", "-vvvv")
        yield SetUp(place, first, before, place.verdict(), watch)
