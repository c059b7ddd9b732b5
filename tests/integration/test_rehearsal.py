# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearsals on twins: mistakes on the originals are found there, and the originals stay as they are."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cucm_lab import twin
from cucm_lab.cli import running
from cucm_lab.testing import LabProcess, cluster, free_net, write_scenario

from tests.support.module_processes import run_module
from tests.support.operator_site import Site
from tests.support.other_make import Kamailio

NUMBERS = {"cluster_record_numbers": True}
pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("rehearsal"), pytest.mark.timeout(1200)]


def rehearse(site: Site, **variables: Any) -> tuple[int, str]:
    """A rehearsal of the main playbook from the operator's own inventory; its exit code and its report."""
    before, stored, events = site.lab.ask("dump"), databases(site), len(site.lab.events())
    extra = {"rehearse_path": str(site.folder / "rehearsal"), "rehearse_net": free_net(), **variables}
    played = site.play("rehearse", extra=extra)
    assert site.lab.ask("dump") == before and databases(site) == stored, "the originals are only read"
    writes = [
        event["operation"] for event in site.lab.events()[events:]
        if event["kind"] == "axl" and not str(event["operation"]).startswith(("get", "list", "executeSQLQuery"))
    ]  # fmt: skip
    assert not writes
    report = site.folder / "rehearsal" / "rehearsal.md"
    assert report.exists(), played.output[-4000:]
    return played.code, report.read_text()


def databases(site: Site) -> dict[str, str]:
    """The originals' databases as SQL text, but for what the lab itself makes at the first reading."""
    made = ("volatile_", "CREATE VIEW ")
    found = {}
    for file in site.lab.state.glob("*/cluster.db"):
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            found[file.parent.name] = "\n".join(
                line for line in database.iterdump() if not any(name in line for name in made)
            )
    return found


def hide_the_originals(site: Site) -> None:
    """What a user may have beside the inventory: variables that win over it, and lead to the originals.

    They lie in the folder of the rehearsal as well, as they do for someone who rehearses where the inventory is.
    """
    hosts = yaml.safe_load(site.lab.inventory.read_text())["cucm_clusters"]["hosts"]
    for name, variables in hosts.items():
        kept = {key: value for key, value in variables.items() if key.startswith("cucm_")}
        for folder in (site.lab.inventory.parent / "host_vars", site.folder / "rehearsal" / "host_vars"):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.yml").write_text(yaml.safe_dump(kept))


@pytest.mark.matrix
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
def test_variables_that_lead_to_the_originals_reach_nothing(tmp_path: Path) -> None:
    """A name or an address in the variables of the rehearsal wins over every inventory; the modules refuse it."""
    site = Site(tmp_path, write_scenario(tmp_path / "site.yml", [cluster(31, "14", name="bern"), cluster(32, "12.5")]))
    with site.lab:
        original = yaml.safe_load(site.lab.inventory.read_text())["cucm_clusters"]["hosts"]["bern"]
        kept = {
            key: value for key, value in original.items() if key.startswith("cucm_") and key != "cucm_node_addresses"
        }
        site.extra = {"ansible_host": original["cucm_host"]}
        for host in (original["cucm_host"], "localhost"):
            code, report = rehearse(site, rehearse_variables={**kept, "cucm_host": host})
            assert code != 0
            assert f"No connection to {host}" in report and "SIPTLS_CUCM_NETWORK keeps this run within" in report, (
                report
            )


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
        # Phones have no SRTP outside mixed mode: whoever accepts that says so.
        sound = {"sip_tls_trunk_calling_search_space": "Phones", "sip_tls_verify_require_srtp": False}
        code, report = rehearse(site, cluster_record_numbers=True, rehearse_variables=sound)
        assert code == 0 and "Calls from" not in report and "2 of 2 calls are answered" in report, report


def toward_an_sbc(name: str) -> dict[str, Any]:
    """A TLS trunk of this name to an SBC, and a pattern that leads to it."""
    return {
        "SipProfile": [{"name": "Pinged", "enableOutboundOptionsPing": True}],
        "SipTrunkSecurityProfile": [
            {"name": "TLS to the SBC", "securityMode": "Encrypted", "incomingTransport": "TLS",
             "outgoingTransport": "TLS", "incomingPort": 5061, "x509SubjectName": "kamailio"},
        ],
        "SipTrunk": [
            {"name": name, "product": "SIP Trunk", "class": "Trunk", "protocol": "SIP", "protocolSide": "Network",
             "devicePoolName": "Default", "locationName": "Hub_None", "presenceGroupName": "Standard Presence group",
             "securityProfileName": "TLS to the SBC", "sipProfileName": "Pinged",
             "destinations": [{"addressIpv4": "127.0.200.1", "port": 5061, "sortOrder": 1}]},
        ],
        "RoutePattern": [{"pattern": "0.!", "routePartitionName": None, "destination": {"gatewayName": name}}],
    }  # fmt: skip


@pytest.mark.matrix
def test_an_sbc_that_does_not_trust_the_new_ca_is_found_on_the_twins(tmp_path: Path) -> None:
    """The SBC trusts the present, self-signed certificate of bern and nothing else; the run replaces that one."""
    first, second = cluster(31, "14", name="bern"), cluster(32, "12.5", name="graz")
    first["config"] = toward_an_sbc("To-SBC")
    site = Site(tmp_path, write_scenario(tmp_path / "site.yml", [first, second]))
    with site.lab:
        other = Kamailio(tmp_path / "kamailio", f"{site.lab.net}.200.1", site.lab.address("bern"))
        own = tmp_path / "own.pem"
        own.write_text(certificate(site, "bern"))
        trusted = run_module("cucm_cert_upload", **platform(site, "bern"), chain=[other.ca.file.read_text()])
        assert trusted["changed"]
        site.lab.ask("phones", cluster="bern")
        with other.running(own):
            code, report = rehearse(site)
    assert code != 0
    assert f"Calls from bern to {other.address} were answered before and fail after the run" in report, report
    assert "bern: trunk To-SBC on BERNN1 was in service before and is not after the run." in report, report
    assert "| bern | graz | 0 of 1 answered" in report and "its stand-in answers every call" in report


@pytest.mark.matrix
def test_a_trunk_to_someone_else_is_found_on_the_twins(tmp_path: Path) -> None:
    """A person's trunk has the name of the one that the run would make, and leads to an SBC."""
    first, second = cluster(31, "14", name="bern"), cluster(32, "12.5", name="graz")
    first["config"] = toward_an_sbc("SIP-TLS-graz")
    site = Site(tmp_path, write_scenario(tmp_path / "site.yml", [first, second]))
    with site.lab:
        code, report = rehearse(site)
    assert code != 0
    assert "SIP-TLS-graz" in report and "Nothing has been changed on any cluster" in report, report
    assert "it was not seen, so it has no stand-in" in report, report


def platform(site: Site, name: str) -> dict[str, Any]:
    """The options of a module for the platform account of a cluster."""
    host = yaml.safe_load(site.lab.inventory.read_text())["cucm_clusters"]["hosts"][name]
    names = ("host", "port", "ca_path", "os_username", "os_password", "ssh_port", "ssh_known_hosts")
    return {name: host[f"cucm_{name}"] for name in names}


def certificate(site: Site, name: str) -> str:
    """The CallManager certificate of a cluster, PEM."""
    found = run_module("cucm_certificate_info", **platform(site, name), purposes=["CallManager"], served_ports={})
    pem: str = found["certificates"][0]["pem"]
    return pem


#: kinds that the main playbook writes
WRITTEN = ("SipProfile", "SipTrunkSecurityProfile", "SipTrunk", "RouteGroup", "RouteList", "RoutePattern")


def written(lab: LabProcess) -> str:
    """The objects of these kinds as text, with the names of nodes in place of their addresses."""
    dump = lab.ask("dump", stable=True)
    text = json.dumps({name: {kind: cluster["config"].get(kind) for kind in WRITTEN} for name, cluster in dump.items()})
    for number, address in enumerate(sorted(n["address"] for c in lab.description["clusters"] for n in c["nodes"])):
        text = text.replace(f'"{address}"', f'"node {number}"')
    return text


@pytest.mark.matrix
def test_the_main_playbook_writes_the_same_on_twins(tmp_path: Path) -> None:
    clusters = [cluster(31, "9.1", name="bern"), cluster(32, "14", nodes=2, name="graz")]
    site = Site(tmp_path / "site", write_scenario(tmp_path / "site.yml", clusters))
    with site.lab:
        recorded = site.play("record", extra={"cluster_record_path": str(tmp_path / "record"), **NUMBERS})
        assert recorded.code == 0, recorded.output[-3000:]
        ran = site.play("sip_tls_trunk")
        assert ran.code == 0, ran.output[-3000:]
        original = written(site.lab)
    scenario = twin.scenario_of([tmp_path / "record" / f"{name}.yml" for name in ("bern", "graz")])
    (tmp_path / "twins.yml").write_text(yaml.safe_dump(scenario, sort_keys=False))
    copy = Site(tmp_path / "copy", str(tmp_path / "twins.yml"))
    with copy.lab:
        ran = copy.play("sip_tls_trunk")
        assert ran.code == 0, ran.output[-3000:]
        assert "SIP-TLS-graz" in original and written(copy.lab) == original


@pytest.mark.matrix
def test_renewal_roll_over_and_removal_are_rehearsed_too(tmp_path: Path) -> None:
    clusters = [cluster(31, "14", name="bern"), cluster(32, "12.5", name="graz")]
    site = Site(tmp_path, write_scenario(tmp_path / "site.yml", clusters))
    log = tmp_path / "rehearsal" / "run.log"
    with site.lab:
        assert site.play("sip_tls_trunk").code == 0
        # A high threshold makes every certificate due.
        due = {"callmanager_certificate_days": 3650, "callmanager_certificate_renew_before": 800}
        code, report = rehearse(site, rehearse_playbook="renew_certificates", rehearse_variables=due)
        assert code == 0 and "2 of 2 calls are answered" in report, report
        assert "playbook `sip_tls_trunk` with the same variables" in report and "renewed" in log.read_text()
        new = {
            "sip_tls_ca": {"provider": "local", "path": str(tmp_path / "new-ca")},
            "sip_tls_old_cas": [str(site.ca / "ca.pem")],
        }
        code, report = rehearse(site, rehearse_playbook="roll_over_ca", rehearse_variables=new)
        assert code == 0 and "2 of 2 calls are answered" in report, report
        assert "phase trust" in log.read_text()
        code, report = rehearse(site, rehearse_playbook="remove_sip_tls_trunk")
        assert code != 0 and "| bern | graz | 1 of 1 answered" in report, report
        assert "Calls from bern to graz were answered before and fail after the run" in report, report


@pytest.mark.matrix
def test_a_rehearsal_that_is_killed_takes_its_twins_with_it(tmp_path: Path) -> None:
    site = Site(tmp_path, write_scenario(tmp_path / "site.yml", [cluster(31, "14", name="bern")]))
    state = tmp_path / "rehearsal" / "lab"
    with site.lab:
        site.extra = {"rehearse_path": str(tmp_path / "rehearsal"), "rehearse_net": free_net()}
        with site.start("rehearse") as playbook:
            twins = within(300, lambda: running(state))
            assert twins is not None and playbook.poll() is None
            playbook.kill()
            playbook.wait(20)
            assert within(30, lambda: running(state) is None), "the twins still run"


def within(seconds: float, found: Callable[[], Any]) -> Any:
    """What the function returns once it is true, or after so many seconds."""
    end = time.monotonic() + seconds
    while not (value := found()) and time.monotonic() < end:
        time.sleep(0.2)
    return value
