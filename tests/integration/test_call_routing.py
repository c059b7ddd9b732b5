# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sites whose phones are in partitions: the plan says which calls would fail, and the lab's calls agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.operator_site import ROOT, Site

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("calls"), pytest.mark.timeout(1200)]
SCENARIO = ROOT / "lab" / "cucm_lab" / "scenarios" / "two-clusters.yml"


def css(name: str, *partitions: str) -> dict[str, Any]:
    members = [{"routePartitionName": partition, "index": place} for place, partition in enumerate(partitions, 1)]
    return {"name": name, "members": members}


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Each site's phones reach their own partition and that of the trunks; a trunk without a search space neither."""
    folder = tmp_path_factory.mktemp("calls")
    scenario = yaml.safe_load(SCENARIO.read_text(encoding="utf-8"))
    for cluster in scenario["clusters"]:
        cluster["config"] = {
            "RoutePartition": [{"name": "Internal"}, {"name": "Intersite"}, {"name": "Nobody"}],
            "Css": [css("Phones", "Internal", "Intersite"), css("Incoming", "Internal")],
        }
        for phone in cluster["phones"]:
            phone.update(partition="Internal", line_css="Phones")
    path = folder / "scenario.yml"
    path.write_text(yaml.safe_dump(scenario, sort_keys=False), encoding="utf-8")
    place = Site(folder, scenario=str(path))
    with place.lab:
        yield place


def calls(site: Site) -> list[str]:
    ways = (("cucma", "1018", "9898"), ("cucm10", "9898", "1018"))
    return [site.call(*way)["result"] for way in ways]


def test_the_plan_names_the_step_that_fails_and_the_calls_end_as_it_says(site: Site, tmp_path: Path) -> None:
    extra: dict[str, Any] = {"sip_tls_trunk_partition": "Intersite", "plan_path": str(tmp_path)}
    run = site.play("plan", extra=extra)
    assert run.code == 0, "\n".join(line for line in run.output.splitlines() if "fatal" in line or "ERROR" in line)
    text = (tmp_path / "plan.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith(("| cucma |", "| cucm10 |"))]
    assert len(rows) == 2 and all("| not routed | not routed: phones with calling search" in row for row in rows), text
    assert all("in partition Internal is not in the calling search space of that trunk" in row for row in rows)
    assert "<h2>Calls after the run</h2>" in (tmp_path / "plan.html").read_text(encoding="utf-8")

    extra["sip_tls_trunk_calling_search_space"] = "Incoming"
    run = site.play("sip_tls_trunk", extra=extra)
    assert run.code == 0 and "Calls from" not in run.output, run.output[-4000:]
    assert calls(site) == ["answered", "answered"]
    assert not any("not routed" in text for text in site.verdict()["summary"])


@pytest.mark.matrix
def test_a_run_with_calls_that_fail_says_so_and_numbers_can_be_mappings(site: Site) -> None:
    extra: dict[str, Any] = {"sip_tls_trunk_partition": "Intersite"}
    # Without the trunks' search space the run ends well, says so, and no call gets through.
    run = site.play("sip_tls_trunk", extra=extra)
    assert run.code == 0, "\n".join(line for line in run.output.splitlines() if "fatal" in line or "ERROR" in line)
    assert "Calls from cucma to 9898 of cucm10 would not be routed" in run.output
    assert calls(site) == ["failed", "failed"]
    assert site.verdict()["verdict"] == "secure"
    assert all("but some calls are not routed" in text for text in site.verdict()["summary"])

    extra["sip_tls_trunk_calling_search_space"] = "Incoming"

    # A number as a mapping: cucma's phones dial 8 before it, in a partition of its own.
    inventory = yaml.safe_load(site.lab.inventory.read_text(encoding="utf-8"))
    inventory["cucm_clusters"]["hosts"]["cucm10"]["cucm_local_patterns"] = [
        {"pattern": "8.98XX", "digit_discard_instructions": "PreDot", "partition": "Internal"}
    ]
    site.lab.inventory.write_text(yaml.safe_dump(inventory), encoding="utf-8")
    run = site.play("sip_tls_trunk", extra=extra)
    assert run.code == 0 and "Calls from" not in run.output
    assert site.call("cucma", "1018", "89898")["result"] == "answered"
