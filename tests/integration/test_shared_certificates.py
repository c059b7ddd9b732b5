# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One certificate for all nodes of a cluster, by REST and by the CLI; and restarts that end at the first bad node."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from cucm_lab.testing import cluster, write_scenario
from test_renewal import DAY, certificates, with_days

from tests.support.operator_site import Site

pytestmark = [pytest.mark.playbook, pytest.mark.matrix, pytest.mark.timeout(1800)]
SHARED = {"callmanager_certificate_distribution": "multi_server"}


def names(pem: str) -> str:
    """Subject and alternative names of a certificate, by openssl."""
    order = ["openssl", "x509", "-noout", "-subject", "-ext", "subjectAltName"]
    return subprocess.run(order, input=pem, capture_output=True, text=True, check=True).stdout


def commands(site: Site, node: str, words: str) -> list[dict[str, Any]]:
    """The commands of the CLI on a node that hold these words."""
    return [event for event in site.lab.events() if event.get("node") == node and words in str(event.get("command"))]


def test_all_nodes_share_a_certificate_on_a_release_with_rest_and_on_one_without(tmp_path: Path) -> None:
    clusters = [cluster(1, "14", nodes=3, name="rest"), cluster(2, "12.5", nodes=3, name="cli")]
    site = Site(tmp_path, write_scenario(tmp_path / "shared.yml", clusters), limit=1800)
    with site.lab:
        shipped = site.lab.ask("dump")
        first = site.play("renew_certificates", extra=SHARED)
        assert first.code != 0, first.output[-3000:]
        assert "cannot make one; nothing was done. Make it on the publisher's web page" in first.output
        assert "Nothing has been changed on any cluster." in first.output and site.lab.ask("dump") == shipped
        # A person makes the CSRs on the publisher's web page; the next run keeps them.
        for unit in ("CallManager", "CallManager-ECDSA"):
            site.lab.ask("csr", node=site.lab.address("cli"), unit=unit, multi_server=True)
        second = site.play("sip_tls_trunk", extra=SHARED)
        assert second.code == 0, second.output[-6000:]
        installed = certificates(site)
        (shared,) = set(installed["rest"].values())
        assert set(installed["rest"]) == {"RESTN1", "RESTN2", "RESTN3"}
        assert "CN = RESTN1-ms.lab.local" in names(shared) or "CN = restn1-ms.lab.local" in names(shared)
        assert all(f"DNS:restn{n}.lab.local" in names(shared) for n in (1, 2, 3))
        assert len(installed["cli"]) == 3 and len(set(installed["cli"].values())) == 1
        assert not commands(site, "CLIN1", "set csr gen") and not commands(site, "CLIN2", "set cert import own")
        assert site.verdict()["verdict"] == "secure", site.verdict()
        for way in (("rest", "1001", "2001"), ("cli", "2001", "1001")):
            call = site.call(*way)
            assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True), call
        third = site.play("renew_certificates", extra=SHARED)
        assert third.code == 0 and third.total("changed") == 0 and "Nothing was due." in third.output


def started(site: Site, cluster: str) -> dict[str, str]:
    """The state of Cisco CallManager on each node of a cluster."""
    clusters = site.lab.ask("status")["clusters"]
    nodes = next(listed["nodes"] for listed in clusters if listed["name"] == cluster)
    return {node["name"]: node["services"]["Cisco CallManager"] for node in nodes}


def test_a_node_that_does_not_come_back_ends_the_restarts_and_the_next_run_goes_on(tmp_path: Path) -> None:
    site = Site(tmp_path, "three-nodes")
    with site.lab:
        options = with_days(site, big=60, small=730)
        assert site.play("renew_certificates", *options).code == 0
        site.lab.ask("clock", shift=40 * DAY)
        site.lab.ask("fault/add", interface="service", action="hang", operation="start*", node="BIGSUB1", count=1)
        before = len(site.lab.events())
        limited = {"callmanager_certificate_wait_timeout": 15}
        failed = site.play("renew_certificates", *options, extra=limited)
        assert failed.recap["big"]["failed"] == 1 and failed.recap["small"]["failed"] == 0, failed.output[-6000:]
        # Renewed on all, restarted on the publisher and on the subscriber that did not come back, and said so.
        assert failed.output.count("Cisco CallManager does not serve it yet") >= 3
        news = site.lab.events()[before:]
        asked = [row["node"] for row in news if row.get("operation") == "soapDoControlServices"]
        assert [node for node in asked if node.startswith("BIG")] == ["BIGPUB", "BIGSUB1"], asked
        assert started(site, "big")["BIGSUB2"] == started(site, "big")["BIGPUB"] == "Started"
        installed = certificates(site)
        site.lab.ask("fault/clear")
        second = site.play("renew_certificates", *options)
        assert second.code == 0, second.output[-6000:]
        assert certificates(site) == installed, "a renewal that was in place was done again"
        assert set(started(site, "big").values()) == {"Started"}
        assert site.play("renew_certificates", *options).total("changed") == 0


def test_csrs_of_somebody_else_and_between_our_steps_end_well(tmp_path: Path) -> None:
    """A foreign CSR waits on each node at the start; one is replaced when the run is killed between two steps."""
    site = Site(tmp_path)
    with site.lab:
        for name in ("cucma", "cucm10"):
            site.lab.ask("csr", node=site.lab.address(name))
        tasks = site.play("renew_certificates", "--check").tasks
        signed = next(n for n, task in enumerate(tasks, 1) if task.endswith("Have the CSR signed by the CA"))
        killed = site.play("renew_certificates", ANSIBLE_CALLBACKS_ENABLED="kill_after", KILL_AFTER=str(signed))
        assert killed.code < 0, killed.output[-3000:]
        assert not any(certificates(site).values())
        assert not commands(site, "CUCMA", "set csr gen"), "a CSR that was as requested was replaced"
        site.lab.ask("csr", node=site.lab.address("cucma"))
        run = site.play("renew_certificates")
        assert run.code == 0, run.output[-6000:]
        assert all(len(installed) == 1 for installed in certificates(site).values())
        again = site.play("renew_certificates")
        assert again.code == 0 and again.total("changed") == 0 and "Nothing was due." in again.output


def test_a_node_far_behind_stops_the_run_before_anything_is_written(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with site.lab:
        before = site.lab.ask("dump")
        site.lab.ask("clock", node="CUCM10", shift=-2 * 3600)
        run = site.play("sip_tls_trunk")
        assert run.code != 0 and "node CUCM10: its clock is 2 h behind the controller's" in run.output
        assert site.lab.ask("dump") == before
