# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is checked of a chain before anything is written to a node."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import NodeClock
from ansible_collections.siptls.cucm.plugins.module_utils._node import checks
from ansible_collections.siptls.cucm.plugins.module_utils._node.store import Entry
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import Chain
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate

from tests.support.made_views import authority, made
from tests.unit.x509.test_rules import issue

NOW = datetime.now(UTC)


def certificate(view: dict[str, Any]) -> Certificate:
    found = Certificate.from_view(view)
    assert found is not None
    return found


def said(root: Certificate, clock: NodeClock, purpose: str = "CallManager", eku_policy: str = "require") -> list[str]:
    leaf = certificate(made("CN=cucm1.lab", end=f"{NOW + timedelta(days=400):%Y-%m-%d}"))
    case = checks.Case(purpose, Chain((leaf, root)), None, None, eku_policy, "the node", clock)
    return [text for text in checks.leaf_problems(case) if "CA certificate" in text]


def test_a_ca_that_has_expired_by_the_clock_of_the_node_is_refused() -> None:
    root = certificate(authority(end=f"{NOW + timedelta(days=30):%Y-%m-%d}"))
    assert said(root, NodeClock()) == []
    [text] = said(root, NodeClock(timedelta(days=40), "CLI"))
    assert text.startswith("the CA certificate C=IN, O=cisco, CN=Lab CA in its chain cannot be used: it expired at")
    assert "clock" in text


def test_a_renewed_ca_that_leaves_certificates_behind_is_told(tmp_path: Path) -> None:
    old = issue(tmp_path, "Root", "", "basicConstraints=CA:TRUE", "subjectKeyIdentifier=hash")
    extensions = ("basicConstraints=CA:TRUE", "authorityKeyIdentifier=keyid:always,issuer:always")
    below = issue(tmp_path, "Sub", "Root", *extensions)
    # CUCM takes a certificate of the same name that starts later.
    time.sleep(1.1)
    new = read_certificate(issue(tmp_path, "Root", "", "basicConstraints=CA:TRUE", "subjectKeyIdentifier=hash"))
    stored = [Entry("CallManager-trust", "Root.pem", old), Entry("CallManager-trust", "Sub.pem", below)]
    plan = checks.trust_plan("CallManager-trust", [new], stored, NodeClock())
    assert [entry.name for entry in plan.replaced] == ["Root.pem"] and plan.problems == ()
    [said] = plan.warnings
    assert f"which Sub ({read_certificate(below).serial_text}) name as their issuer" in said
    beside = checks.trust_plan("CallManager-trust", [new], stored[:1], NodeClock(), issued=[read_certificate(below)])
    assert beside.warnings == plan.warnings
    assert checks.trust_plan("CallManager-trust", [new], stored[:1], NodeClock()).warnings == ()


def test_a_ca_for_servers_alone_is_refused_where_the_purpose_needs_clients(tmp_path: Path) -> None:
    extensions = ("basicConstraints=CA:TRUE", "extendedKeyUsage=serverAuth")
    root = read_certificate(issue(tmp_path, "Root", "", *extensions))
    [text] = said(root, NodeClock())
    assert "is restricted to the extended key usage serverAuth" in text and "clientAuth is missing" in text
    assert said(root, NodeClock(), "tomcat") == [], "tomcat is a server alone"
    assert said(root, NodeClock(), eku_policy="ignore") == []
