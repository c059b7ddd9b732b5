# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rehearsal showed, in sentences and as a page."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import jinja2
from ansible_collections.siptls.cucm.plugins.module_utils._record.rehearsal import rehearsal_findings

TEMPLATES = Path(__file__).resolve().parents[3] / "playbooks" / "templates"


def row(to: str, answered: int, reason: str = "") -> dict[str, Any]:
    return {"from": "bern", "to": to, "calls": 1, "answered": answered, "with_srtp": answered, "reason": reason}


def status(phone: str | None, trunk: str) -> dict[str, Any]:
    trunks = [{"name": "To-SBC", "node": "N1", "status": trunk}]
    cluster = {"name": "bern", "registrations": [{"phone": "1001", "node": phone}], "trunks": trunks}
    return {"clusters": [cluster, {"name": "graz", "registrations": [], "trunks": []}]}


def seen(**more: Any) -> dict[str, Any]:
    good = {"summary": [row("graz", 1), row("sbc", 1)]}
    states = {"status_before": status("N1", "Registered"), "status_after": status("N1", "Registered")}
    hosts = {"bern": {"sip_tls_ca": {"provider": "adcs"}}, "graz": {}}
    plan = "**3 changes, 2 restarts of Cisco CallManager, 1 reset of trunks in use.**"
    return {
        "code": 0,
        "output": "",
        "seconds": 9,
        "hosts": hosts,
        "plan": plan,
        "before": good,
        "during": good,
        "after": good,
        **states,
        **more,
    }


def test_nothing_broke() -> None:
    found = rehearsal_findings(seen())
    assert found["problems"] == []
    assert "took 9 seconds. Afterwards 2 of 2 calls are answered" in found["summary"]


def test_what_to_have_ready_follows_from_the_variables_the_plan_and_the_twins() -> None:
    ready = rehearsal_findings(seen())["ready"]
    text = "\n".join(ready)
    assert "platform account of bern, graz" in text and "Ansible Vault" in text
    assert "For bern: the account for the Microsoft CA" in text and "For graz: the folder of the CA" in text
    assert "took 9 seconds" in text and "2 restarts of Cisco CallManager and 1 reset of trunks" in text
    assert "registered on the twins: bern 1." in text and "The administrators of sbc" in text
    assert "Disaster Recovery System" in text and "sip_tls_backup" in text
    own = rehearsal_findings(seen(hosts={"bern": {"callmanager_certificate_sign_tasks": "sign.yml"}}, plan=""))["ready"]
    assert any("your own signing tasks" in text for text in own), own
    assert any("The plan shows how many" in text for text in own)


def test_every_kind_of_loss_has_its_sentence() -> None:
    broken = {"summary": [row("graz", 0, "no route"), row("sbc", 0, "unknown ca")]}
    output = "\n".join(
        f"fatal: [bern]: FAILED! => {json.dumps({'msg': said})}"
        for said in ("One.", ["Two.", "Three."], {"no": "text"})
    )
    states = {"status_after": status(None, "UnRegistered")}
    assert rehearsal_findings(seen(code=2, output=output, after=broken, **states))["problems"] == [
        "The playbook ended with an error on the twins: One. Two. Three.",
        "Calls from bern to graz were answered before and fail after the run: no route",
        "Calls from bern to sbc were answered before and fail after the run: unknown ca",
        "bern: phone 1001 was registered before and is not after the run.",
        "bern: trunk To-SBC on N1 was in service before and is not after the run.",
    ]


def test_calls_that_never_worked_count_between_clusters_alone() -> None:
    broken = {"summary": [row("graz", 0, "no route"), row("sbc", 0, "made-up number")]}
    problems = rehearsal_findings(seen(before=broken, after=broken))["problems"]
    assert problems == ["Calls from bern to graz fail as before after the run: no route"]


def test_the_page_says_what_the_findings_say_and_escapes_it() -> None:
    broken = {"summary": [row("graz", 0, "<b>no</b>")]}
    result = rehearsal_findings(seen(after=broken))
    page = jinja2.Environment(trim_blocks=True).from_string((TEMPLATES / "rehearsal.html.j2").read_text()).render(
        rehearse_playbook="sip_tls_trunk", rehearse_result=result, rehearse_plan={"rc": 0}, rehearse_not_copied=["<i>"]
    )  # fmt: skip
    assert "<b>" not in page and "<i>" not in page
    text = html.unescape(re.sub(r"<[^<>]*>", "", page))
    assert all(sentence in text for sentence in [*result["problems"], *result["ready"]]) and result["summary"] in text
