# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sites that the tests of whole playbooks share, and the mark of those on clusters as shipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.operator_site import Run, Site
from tests.support.process_watch import ProcessWatch

#: tests on clusters as shipped, beside those on clusters that are set up
UNTOUCHED = pytest.mark.xdist_group("untouched")


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
