# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new CallManager certificate in mixed mode: phones that stay, and phones that are lost where the CTL is ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cucm_lab.testing import LabProcess, cluster, write_scenario

from tests.support.operator_site import Run, Site

pytestmark = [pytest.mark.playbook, pytest.mark.timeout(900)]


def mixed_site(folder: Path) -> Site:
    """A cluster of 11.5 and one of 14, both in mixed mode with encrypted phones."""
    clusters = [{**cluster(61, "11.5", name="old"), "security_mode": "mixed"},
                {**cluster(62, "14", name="new"), "security_mode": "mixed"}]  # fmt: skip
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
        assert "`utils ctl update CTLFile`" in stopped.output
        assert site.lab.ask("dump", stable=True) == before
        run = site.play("sip_tls_trunk", extra={"callmanager_certificate_ctl": "update"})
        assert run.code == 0, run.output[-6000:]
        assert every_phone_is_there(site.lab), registrations(site.lab)
        _restarted_in_order(site, "OLDN1", haproxy=False)
        _restarted_in_order(site, "NEWN1", haproxy=True)
        for caller, calling, called in (("old", "61001", "62001"), ("new", "62001", "61001")):
            call = site.lab.ask("call", cluster=caller, calling=calling, called=called)
            assert (call["result"], call["secure"]) == ("answered", True), call
        again = site.play("sip_tls_trunk")
        assert again.code == 0 and _changed(again) == 0, again.output[-3000:]


def _restarted_in_order(site: Site, node: str, *, haproxy: bool) -> None:
    """CTL before the first restart; then the services as in Cisco's document 214231."""
    events = [event for event in site.lab.events() if event.get("node") == node]
    started = [e["service"] for e in events if e.get("kind") == "service" and e.get("status") == "Started"]
    expected = ["Cisco CallManager", "Cisco CTIManager", "Cisco Trust Verification Service", "Cisco Tftp"]
    assert started == [*expected, *(["Cisco HAProxy"] if haproxy else [])]
    commands = [
        number for number, event in enumerate(site.lab.events())
        if event.get("node") == node and "ctl update" in str(event.get("command"))
    ]  # fmt: skip
    restart = next(
        number for number, event in enumerate(site.lab.events())
        if event.get("node") == node and event.get("service") == "Cisco CallManager" and event.get("status")
    )  # fmt: skip
    assert len(commands) == 1 and commands[0] < restart


def _changed(run: Run) -> int:
    return sum(int(part.split()[0]) for part in run.output.split("changed=")[1:])


@pytest.mark.xdist_group("phones")
def test_who_ignores_the_ctl_loses_the_phones(tmp_path: Path) -> None:
    site = mixed_site(tmp_path)
    with site.lab:
        run = site.play("sip_tls_trunk", extra={"callmanager_certificate_ctl": "done", "sip_tls_verify_enforce": False})
        assert run.code == 0, run.output[-6000:]
        assert not any(row["node"] for rows in registrations(site.lab).values() for row in rows)
        call = site.lab.ask("call", cluster="old", calling="61001", called="62001")
        assert call["result"] == "failed" and "its CTL does not have the certificate" in call["reason"], call
