# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new CallManager certificate in mixed mode: phones that stay, and phones that are lost where the CTL is ignored."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.module_utils._net.shell import YES, AdminShell
from cucm_lab import scenario as scenarios
from cucm_lab.testing import LabProcess, cluster, write_scenario

from tests.support.module_processes import run_module
from tests.support.operator_site import Site

pytestmark = [pytest.mark.playbook, pytest.mark.timeout(900)]


#: what relies on a cluster's certificates beside its phones and peers
OTHERS = {
    "SipTrunkSecurityProfile": [
        {"name": "TLS to the SBC", "securityMode": "Encrypted", "incomingTransport": "TLS", "outgoingTransport": "TLS",
         "incomingPort": 5062, "x509SubjectName": "sbc.example.com"},
    ],
    "SipTrunk": [
        {"name": "SBC", "product": "SIP Trunk", "class": "Trunk", "protocol": "SIP", "protocolSide": "Network",
         "devicePoolName": "Default", "locationName": "Hub_None", "securityProfileName": "TLS to the SBC",
         "sipProfileName": "Standard SIP Profile",
         "destinations": [{"addressIpv4": "192.0.2.7", "port": 5061, "sortOrder": 1}]},
    ],
    "ConferenceBridge": [
        {"name": "CFB-SECURE", "product": "Cisco IOS Enhanced Conference Bridge", "devicePoolName": "Default",
         "securityProfileName": "Encrypted Conference Bridge"},
        {"name": "CFB-PLAIN", "product": "Cisco IOS Enhanced Conference Bridge", "devicePoolName": "Default",
         "securityProfileName": "Non Secure Conference Bridge"},
    ],
    "ExpresswayCConfiguration": [{"HostNameOrIP": "expc.example.com"}],
}  # fmt: skip


def accounts() -> list[dict[str, Any]]:
    """The application accounts of the shipped scenario."""
    shipped = yaml.safe_load((scenarios.SCENARIOS / "two-clusters.yml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = shipped["accounts"]["application"]
    return found


def mixed_site(folder: Path, newer: str = "14") -> Site:
    """A cluster of 11.5 and a newer one in Tokyo, both in mixed mode with encrypted phones."""
    clusters = [{**cluster(61, "11.5", name="old"), "security_mode": "mixed"},
                {**cluster(62, newer, name="new"), "security_mode": "mixed"}]  # fmt: skip
    clusters[1]["nodes"][0]["timezone"] = "Asia/Tokyo"
    clusters[1] |= {"config": OTHERS, "accounts": {"application": [*accounts(), {
        "username": "jtapi1", "password": "Jtapi-Lab-91!applications", "groups": ["Standard CTI Secure Connection"],
    }]}}  # fmt: skip
    return Site(folder, write_scenario(folder / "mixed.yml", clusters))


def registrations(lab: LabProcess) -> dict[str, list[dict[str, Any]]]:
    """Every phone of every cluster."""
    return {row["name"]: row["registrations"] for row in lab.ask("status")["clusters"]}


def every_phone_is_there(lab: LabProcess) -> bool:
    """All phones are registered, all by TLS."""
    return all(row["node"] and row["encrypted"] for rows in registrations(lab).values() for row in rows)


def uploads(site: Site) -> list[dict[str, Any]]:
    """What was put on nodes."""
    return [event for event in site.lab.events() if event.get("kind") == "pki" and event.get("event") in ("own", "csr")]


@pytest.mark.xdist_group("phones")
def test_mixed_mode_stops_before_anything_is_changed_and_keeps_its_phones_with_update(tmp_path: Path) -> None:
    site = mixed_site(tmp_path)
    with site.lab:
        before = site.lab.ask("dump", stable=True)
        stopped = site.play("sip_tls_trunk")
        assert stopped.code != 0
        assert "the cluster is in mixed mode and the CallManager certificate of OLDN1 will change" in stopped.output
        assert "1 phone with an authenticated or encrypted security profile" in stopped.output
        assert "`utils ctl update CTLFile`" in stopped.output
        assert site.lab.ask("dump", stable=True) == before
        _the_plan_has_every_step_of_the_regeneration_guide(site, tmp_path)
        assert site.lab.ask("dump", stable=True) == before
        run = site.play("sip_tls_trunk", extra={"callmanager_certificate_ctl": "update"})
        assert run.code == 0, run.output[-6000:]
        assert every_phone_is_there(site.lab), registrations(site.lab)
        for name in ("old", "new"):
            assert (
                f"{name}: Registered phones by RIS: 1 before the restarts, 1 after them. Next, reset all" in run.output
            )
        assert [phone["lost"] for phone in site.verdict()["phones"]] == [[], []]
        _restarted_in_order(site, "OLDN1", haproxy=False)
        _restarted_in_order(site, "NEWN1", haproxy=True)
        _calls_are_secure(site)


@pytest.mark.matrix
@pytest.mark.xdist_group("phones")
def test_a_renewal_waits_for_the_window_and_for_calls(tmp_path: Path) -> None:
    """Outside the window everything but the restarts is done; inside it they wait until the call has ended."""
    site = mixed_site(tmp_path)
    with site.lab:
        run = site.play("sip_tls_trunk", extra={"callmanager_certificate_ctl": "update"})
        assert run.code == 0, run.output[-6000:]
        _renew(site)


def _the_plan_has_every_step_of_the_regeneration_guide(site: Site, folder: Path) -> None:
    """Cisco document 214231, for the cluster of 14; the one of 11.5 has no HAProxy, and its plan names TVS."""
    run = site.play("plan", extra={"callmanager_certificate_ctl": "update", "plan_path": str(folder / "plan")})
    assert run.total("changed") == 0, run.recap
    assert run.code == 0, run.output[-6000:]
    old, new = (folder / "plan" / "plan.md").read_text().split("\n## ")[1:3]
    assert old.startswith("old (CUCM 11.5") and new.startswith("new (CUCM 14"), (old[:30], new[:30])
    steps = [line.partition(". ")[2] for line in new.splitlines() if line[:1].isdigit()]
    wanted = [
        "By hand: Check that all phones are powered on", "New CallManager certificate", "New CallManager-ECDSA",
        "Put ", "Put ", "Update the CTL file", "By hand: Reset 1 phone with an authenticated or encrypted",
        "Restart Cisco CallManager", "Restart Cisco CTIManager", "Restart Cisco Trust Verification Service",
        "Restart Cisco Tftp", "Restart Cisco HAProxy",
        "By hand: Reset all phones",
    ]  # fmt: skip
    assert steps.count("Put the new local CA into CallManager-trust (NEWN1)") == 1, steps
    found = [step for step in steps if not step.startswith(("Make the", "Put the new local CA into"))]
    assert len(found) == len(wanted), found
    assert "HAProxy" not in old and "the TVS certificate must not change" in old
    for step, text in zip(found, wanted, strict=True):
        assert step.startswith(text), (text, steps)
    assert "out of service until it is back" in new
    for row in ("SIP trunk | SBC (192.0.2.7:5061)", "conference bridge | CFB-SECURE", "CTI over TLS | jtapi1",
                "Expressway-C | expc.example.com"):  # fmt: skip
        assert f"| {row} |" in new, new
    assert "CFB-PLAIN" not in new and "| SIP trunk |" not in old, "neither TLS nor somebody else's"
    assert "These also rely on them: SIP trunk SBC (192.0.2.7:5061); conference bridge CFB-SECURE" in new


def _renew(site: Site) -> None:
    tokyo = datetime.now(ZoneInfo("Asia/Tokyo"))
    windows = [f"{tokyo + timedelta(hours=start):%H:%M}-{tokyo + timedelta(hours=end):%H:%M}" for start, end in
               ((2, 3), (-1, 2))]  # fmt: skip
    since = len(site.lab.events())
    night: dict[str, Any] = {"callmanager_certificate_ctl": "update", "callmanager_certificate_window": windows[0]}
    anew = {**night, "callmanager_certificate_regenerate": "always"}
    day = site.play("renew_certificates", "--limit", "new", extra=anew)
    assert day.code == 0, day.output[-6000:]
    assert f"waits for the window {windows[0]}, by the node's clock" in day.output
    assert "the restart that makes it active waits for the window" in day.output
    events = site.lab.events()[since:]
    assert not [event for event in events if event.get("kind") == "service"], "restarted outside the window"
    assert [event for event in events if "ctl update" in str(event.get("command"))]
    _calls_are_secure(site)
    night |= {"callmanager_certificate_window": windows[1], "callmanager_certificate_drain": 2}
    with ThreadPoolExecutor() as pool:
        talk = pool.submit(site.lab.ask, "call", cluster="old", calling="61001", called="62001", hold=20)
        finished = site.play("renew_certificates", "--limit", "new", extra=night)
        assert (talk.result()["result"], talk.result()["secure"]) == ("answered", True), talk.result()
    assert finished.code == 0, finished.output[-6000:]
    assert "waits for the window" not in finished.output
    assert finished.recap["new"]["changed"] == 2, "nothing was left but Cisco CallManager, then the other services"
    _restarted_in_order(site, "NEWN1", haproxy=True, since=since)
    assert every_phone_is_there(site.lab), registrations(site.lab)
    _calls_are_secure(site)


def _calls_are_secure(site: Site) -> None:
    for caller, calling, called in (("old", "61001", "62001"), ("new", "62001", "61001")):
        call = site.lab.ask("call", cluster=caller, calling=calling, called=called)
        assert (call["result"], call["secure"]) == ("answered", True), call


def _restarted_in_order(site: Site, node: str, *, haproxy: bool, since: int = 0) -> None:
    """CTL before the first restart; then the services as in Cisco's document 214231."""
    every = site.lab.events()[since:]
    events = [event for event in every if event.get("node") == node]
    started = [e["service"] for e in events if e.get("kind") == "service" and e.get("status") == "Started"]
    expected = ["Cisco CallManager", "Cisco CTIManager", "Cisco Trust Verification Service", "Cisco Tftp"]
    assert started == [*expected, *(["Cisco HAProxy"] if haproxy else [])]
    commands = [
        number for number, event in enumerate(every)
        if event.get("node") == node and "ctl update" in str(event.get("command"))
    ]  # fmt: skip
    restart = next(
        number for number, event in enumerate(every)
        if event.get("node") == node and event.get("service") == "Cisco CallManager" and event.get("status")
    )  # fmt: skip
    assert len(commands) == 1 and commands[0] < restart


def _module_options(site: Site, cluster_name: str) -> dict[str, Any]:
    """A node and its accounts, as options of a module."""
    return {
        "host": site.lab.address(cluster_name), "ssh_port": 2222, "os_username": "osadmin",
        "os_password": "Os-Lab-91!platform-account", "ssh_known_hosts": str(site.lab.state / "known_hosts"),
        "validate_host_key": True, "legacy_crypto": True, "timeout": 20,
    }  # fmt: skip


def _renew_tvs(site: Site, cluster_name: str) -> None:
    """As a person does at the CLI."""
    with AdminShell.from_params(_module_options(site, cluster_name)) as shell:
        shell.run("set cert regen TVS", [YES])


@pytest.mark.matrix
@pytest.mark.xdist_group("phones")
def test_tvs_that_was_renewed_before_stops_11_5_and_not_12_5(tmp_path: Path) -> None:
    site = mixed_site(tmp_path, "12.5")
    with site.lab:
        for name in ("old", "new"):
            _renew_tvs(site, name)
        before = site.lab.ask("dump", stable=True)
        stopped = site.play("renew_certificates", extra={"callmanager_certificate_ctl": "done"})
        assert stopped.code != 0 and "1 problem found" in stopped.output, stopped.output[-3000:]
        assert "old: the TVS certificate of OLDN1 is newer than the ITL file" in stopped.output
        assert "225746" in stopped.output and "NEWN1" not in stopped.output.partition("1 problem found")[2][:800]
        assert site.lab.ask("dump", stable=True) == before
        newer = site.play("renew_certificates", "--limit", "new", extra={"callmanager_certificate_ctl": "update"})
        assert newer.code == 0, newer.output[-6000:]
        assert every_phone_is_there(site.lab), "from 12.0 on ITLRecovery signs both files"
        for service in ("Cisco Trust Verification Service", "Cisco Tftp"):
            options = {**_module_options(site, "old"), "name": service, "state": "restarted", "poll_interval": 0.3}
            assert run_module("cucm_service", options).get("changed"), service
        site.lab.ask("phones", cluster="old")
        assert every_phone_is_there(site.lab), "the remedy in the message keeps the phones"


@pytest.mark.matrix
@pytest.mark.xdist_group("phones")
def test_who_ignores_the_ctl_loses_the_phones(tmp_path: Path) -> None:
    site = mixed_site(tmp_path, "12.5")
    with site.lab:
        ignored = {"callmanager_certificate_ctl": "done", "callmanager_certificate_phone_wait": 0,
                   "callmanager_certificate_regenerate": "always"}  # fmt: skip
        run = site.play("sip_tls_trunk", extra={**ignored, "sip_tls_verify_enforce": False})
        assert run.code == 0, run.output[-6000:]
        for name in ("old", "new"):
            assert f"{name}: Registered phones by RIS: 1 before the restarts, 0 after them." in run.output
        assert all(phone["lost"] for phone in site.verdict()["phones"]), site.verdict()["phones"]
        assert not any(row["node"] for rows in registrations(site.lab).values() for row in rows)
        call = site.lab.ask("call", cluster="old", calling="61001", called="62001")
        assert call["result"] == "failed" and "its CTL does not have the certificate" in call["reason"], call
