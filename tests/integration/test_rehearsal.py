# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearsals on twins: mistakes on the originals are found there, and the originals stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from cucm_lab.testing import cluster, free_net, write_scenario

from tests.support.operator_site import Site

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("rehearsal"), pytest.mark.timeout(1200)]


def rehearse(site: Site, **variables: Any) -> tuple[int, str]:
    """A rehearsal of the main playbook from the operator's own inventory; its exit code and its report."""
    before, events = site.lab.ask("dump"), len(site.lab.events())
    extra = {"rehearse_path": str(site.folder / "rehearsal"), "rehearse_net": free_net(), **variables}
    run = site.play("rehearse", extra=extra)
    assert site.lab.ask("dump") == before, "the originals are only read"
    writes = [
        event["operation"] for event in site.lab.events()[events:]
        if event["kind"] == "axl" and not str(event["operation"]).startswith(("get", "list", "executeSQLQuery"))
    ]  # fmt: skip
    assert not writes
    report = site.folder / "rehearsal" / "rehearsal.md"
    assert report.exists(), run.output[-4000:]
    return run.code, report.read_text()


def hide_the_originals(site: Site) -> None:
    """What a user may have beside the inventory: variables that win over it, and lead to the originals."""
    hosts = yaml.safe_load(site.lab.inventory.read_text())["cucm_clusters"]["hosts"]
    for name, variables in hosts.items():
        folder = site.lab.inventory.parent / "host_vars"
        folder.mkdir(exist_ok=True)
        kept = {key: value for key, value in variables.items() if key.startswith("cucm_")}
        (folder / f"{name}.yml").write_text(yaml.safe_dump(kept))


def test_mixed_mode_without_a_decision_is_found_on_the_twins(tmp_path: Path) -> None:
    first, second = cluster(31, "14", name="bern"), cluster(32, "12.5", name="graz")
    first["security_mode"] = "mixed"
    site = Site(tmp_path, write_scenario(tmp_path / "site.yml", [first, second]))
    with site.lab:
        hide_the_originals(site)
        code, report = rehearse(site)
    assert code != 0
    assert "callmanager_certificate_ctl" in report and "bern" in report
    assert "Nothing has been changed on any cluster" in report
    assert "| bern | graz | 0 of 1 answered" in report
    assert "private keys: every certificate" in report


@pytest.mark.matrix
def test_a_partition_that_hides_the_phones_is_found_by_calls_on_the_twins(tmp_path: Path) -> None:
    first, second = cluster(31, "14", name="bern"), cluster(32, "12.5", name="graz")
    first["config"] = second["config"] = {
        "RoutePartition": [{"name": "Internal"}],
        "Css": [{"name": "Phones", "members": [{"routePartitionName": "Internal", "index": 1}]}],
    }
    second["phones"] = [{"extension": "32001", "partition": "Internal", "css": "Phones"}]
    site = Site(tmp_path, write_scenario(tmp_path / "site.yml", [first, second]))
    with site.lab:
        code, report = rehearse(site, cluster_record_numbers=True)
        assert code != 0
        assert "Calls from bern to graz fail as before after the run" in report, report
        assert "| graz | bern | 0 of 1 answered" in report and "| 1 of 1 answered" in report
        sound = {"sip_tls_trunk_calling_search_space": "Phones"}
        code, report = rehearse(site, cluster_record_numbers=True, rehearse_variables=sound)
        assert (code, "## Problems" in report) == (0, False), report
