# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is checked of a chain before anything is written to a node."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import NodeClock
from ansible_collections.siptls.cucm.plugins.module_utils._node import checks
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import Chain

from tests.support.made_views import authority, made

NOW = datetime.now(UTC)


def certificate(view: dict[str, Any]) -> Certificate:
    found = Certificate.from_view(view)
    assert found is not None
    return found


def said(root: Certificate, clock: NodeClock) -> list[str]:
    leaf = certificate(made("CN=cucm1.lab", end=f"{NOW + timedelta(days=400):%Y-%m-%d}"))
    case = checks.Case("CallManager", Chain((leaf, root)), None, None, "require", "the node", clock)
    return [text for text in checks.leaf_problems(case) if "CA certificate" in text]


def test_a_ca_that_has_expired_by_the_clock_of_the_node_is_refused() -> None:
    root = certificate(authority(end=f"{NOW + timedelta(days=30):%Y-%m-%d}"))
    assert said(root, NodeClock()) == []
    [text] = said(root, NodeClock(timedelta(days=40), "CLI"))
    assert text.startswith("the CA certificate C=IN, O=cisco, CN=Lab CA in its chain cannot be used: it expired at")
    assert "clock" in text
