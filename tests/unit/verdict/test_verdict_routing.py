# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the verdict says about calls that the dial plans do not route: a warning, and nothing about security."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import verdict


@pytest.mark.parametrize(
    ("state", "severity", "said"),
    [("routed", None, ""), ("not routed", "warning", "but some calls are not routed"), ("unknown", None, "")],
)
def test_calls_that_are_not_routed_are_a_warning(state: str, severity: str | None, said: str) -> None:
    entry = {"from": "a", "to": "b", "pattern": "9898", "state": state, "why": "the step that fails"}
    clusters: list[dict[str, Any]] = [
        {"name": name, "nodes": [{"name": name, "addresses": [name]}]} for name in ("a", "b")
    ]
    cases = verdict.directions_of(clusters, [{"from": "a", "to": "b"}], routing=[entry, {**entry, "from": "b"}])
    (judged,) = verdict.verdict(cases)["directions"]
    findings = [finding for finding in judged["findings"] if finding["check"] == "calls_routed"]
    evidence = [line for line in judged["evidence"] if line["check"] == "calls_routed"]
    assert [finding["severity"] for finding in findings] == ([severity] if severity else [])
    assert len(findings) + len(evidence) == 1 and said in verdict.verdict(cases)["summary"][0]
