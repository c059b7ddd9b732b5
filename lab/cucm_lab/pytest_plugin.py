# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pytest plugin of the package: a lab for other people's tests.

The fixture `cucm_lab` is a running lab of the scenario that the ini option `cucm_lab_scenario` names (a shipped one or
a file). It is started when the first test asks for it and stopped after the last one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .testing import LabProcess


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini option for the scenario."""
    parser.addini(
        "cucm_lab_scenario", "scenario of the fixture cucm_lab: a shipped one or a file", default="two-clusters"
    )


@pytest.fixture(scope="session")
def cucm_lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    """A running lab on a free net of loopback; see `cucm_lab.testing.LabProcess`."""
    # Imported here: a run that asks for no lab should not load one.
    from .testing import LabProcess

    state = tmp_path_factory.mktemp("cucm-lab") / "lab"
    with LabProcess(state, str(request.config.getini("cucm_lab_scenario"))) as lab:
        yield lab
