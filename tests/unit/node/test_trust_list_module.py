# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CTL file: read, updated where it lacks a certificate, predicted in check mode, refused where the CLI can't."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._net.shell import YES, AdminShell
from cucm_lab.testing import LabProcess, cluster, write_scenario

from tests.support.module_processes import run_module
from tests.unit.node.test_platform_certificates import options

MIXED = ("11.5", "14")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    folder = tmp_path_factory.mktemp("ctl")
    clusters = [{**cluster(n, release, name=f"m{n}"), "security_mode": "mixed"} for n, release in enumerate(MIXED, 1)]
    clusters.append(cluster(3, "9.1", name="plain"))
    with LabProcess(folder / "lab", write_scenario(folder / "mixed.yml", clusters)) as running:
        yield running


def serial(node: dict[str, Any]) -> str:
    """The serial number of the CallManager certificate that a node holds."""
    shown = run_module("cucm_certificate_info", **node, purposes=["CallManager"])["certificates"]
    return str(shown[0]["serial"])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [1, 2])
def test_the_ctl_is_updated_where_it_lacks_the_new_certificate(lab: LabProcess, number: int) -> None:
    node = {**options(lab, f"m{number}"), "legacy_crypto": True}
    before = run_module("cucm_ctl", **node, serial_numbers=[serial(node)], update="if_needed", files=["ctl", "itl"])
    assert not before["changed"] and before["missing"] == [], before
    assert before["ctl"]["present"] and before["ctl"]["verified"] and before["itl"]["present"]
    with AdminShell.from_params({**node, "timeout": 30, "validate_host_key": True}) as shell:
        shell.run("set cert regen CallManager", [YES])
    task = {**node, "serial_numbers": [serial(node)]}
    read = run_module("cucm_ctl", **task)
    assert not read["changed"] and read["missing"] == task["serial_numbers"], read
    foreseen = run_module("cucm_ctl", check=True, **task, update="if_needed")
    assert foreseen["changed"] and run_module("cucm_ctl", **task)["missing"], "check mode changes nothing"
    done = run_module("cucm_ctl", **task, update="if_needed")
    assert done["changed"] and done["missing"] == [] and done["ctl"]["verified"], done
    assert not run_module("cucm_ctl", **task, update="if_needed")["changed"]


def test_what_can_not_be_updated_is_a_sentence(lab: LabProcess) -> None:
    node = options(lab, "plain")
    assert run_module("cucm_ctl", **node)["ctl"]["present"] is False
    refused = run_module("cucm_ctl", **node, update="always")
    assert refused["failed"] and "has no CTL file, so there is nothing to update" in refused["msg"], refused
    silent = run_module("cucm_ctl", **node, update="if_needed")
    assert silent["failed"] and "if_needed needs serial_numbers" in silent["msg"], silent
