# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pytest plugin that keeps the tests of a file on one of pytest-xdist's workers.

What a file's tests share (a lab, a CA, long keys) is then made once, and not once per worker. Tests that name a group
of their own keep it.
"""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make each file a group; tryfirst, because pytest-xdist reads the groups in the same hook."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0].replace("/", ".")))
