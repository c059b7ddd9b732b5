# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reset that a change needs: right after its write, and made good after a run that was killed between the two."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._axl.journal import Journal
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure

Cluster = Any  # conftest.Cluster, which pytest hands over
TRUNK = {"security_profile": "Non Secure SIP Trunk Profile", "destinations": [{"address": "127.0.0.9", "port": 5061}]}


def test_each_trunk_is_reset_right_after_its_own_write(lab: Any) -> None:
    cluster = lab.cluster("cucm150")
    names = [{"name": f"Soon-{number}"} for number in (1, 2, 3)]
    cluster.run("SipTrunk", aggregate=names, **TRUNK)
    _none, line = lab.written()
    outcome = cluster.run("SipTrunk", aggregate=names, mtp_required=True)
    assert lab.written(line)[0] == ["updateSipTrunk", "doDeviceReset"] * 3
    assert outcome.result["actions"][:2] == ["updated SIP trunk Soon-1", "reset SIP trunk Soon-1"]


def test_a_trunk_of_two_changed_profiles_is_reset_once(lab: Any) -> None:
    cluster = lab.cluster("cucm150")
    cluster.run("SipProfile", aggregate=[{"name": "Twice-A"}, {"name": "Twice-B"}], copy_from="Standard SIP Profile")
    cluster.run("SipTrunk", name="Twice-1", **TRUNK, sip_profile="Twice-A")
    cluster.run("SipTrunk", name="Twice-2", **TRUNK, sip_profile="Twice-B")
    _none, line = lab.written()
    entries = [{"name": "Twice-A"}, {"name": "Twice-B"}]
    cluster.run("SipProfile", aggregate=entries, options_ping=True)
    assert lab.written(line)[0] == ["updateSipProfile", "doDeviceReset"] * 2


@pytest.mark.parametrize(
    ("kind", "name", "change"),
    [
        ("SipTrunk", "Killed", {"mtp_required": True}),
        ("SipProfile", "Killed-S", {"options_ping": True}),
        ("SipTrunkSecurityProfile", "Killed-P", {"accept_out_of_dialog_refer": True}),
    ],
)
def test_what_a_killed_run_left_is_reset_by_the_next(
    lab: Any, tmp_path: Path, kind: str, name: str, change: dict[str, Any]
) -> None:
    cluster = lab.cluster("cucm150")
    cluster.run("SipProfile", name="Killed-S", copy_from="Standard SIP Profile", options_ping=False)
    cluster.run("SipTrunkSecurityProfile", name="Killed-P", copy_from="Non Secure SIP Trunk Profile")
    parts = {**TRUNK, "sip_profile": "Killed-S", "security_profile": "Killed-P", "mtp_required": False}
    cluster.run("SipTrunk", name="Killed", **parts)
    journal = tmp_path / "notes" / "cucm150.json"
    options = {"name": name, "reset_journal": str(journal), **change}
    # The reset's request is held up, and the process is killed while it waits.
    lab.command("fault", "add", "interface=axl", "operation=doDeviceReset", "action=refuse")
    victim = multiprocessing.get_context("fork").Process(target=_run_quietly, args=(cluster, kind, options))
    victim.start()
    try:
        _wait_for(lambda: journal.exists() and f"update{kind}" in lab.written()[0][-3:])
    finally:
        os.kill(victim.pid, signal.SIGKILL)  # type: ignore[arg-type]
        victim.join()
        lab.command("fault", "clear")
    assert oct(journal.stat().st_mode)[-3:] == "600"
    predicted = cluster.run(kind, check=True, **options)
    assert predicted.changed and predicted.result["reset"] == ["Killed"] and journal.exists()
    assert cluster.run(kind, **{**options, "reset": "never"}).result["reset"] == []
    again = cluster.run(kind, **options)
    assert again.changed and again.result["reset"] == ["Killed"]
    assert again.result["actions"] == ["reset SIP trunk Killed, which an earlier run did not"]
    assert not journal.exists()
    assert not cluster.run(kind, **options).changed
    cluster.run("SipTrunk", name="Killed", state="absent")


def test_two_runs_on_two_controllers_write_the_same_objects(lab: Any) -> None:
    cluster = lab.cluster("cucm150")
    # Each write is held up, so that both runs have read before either has written.
    for operation in ("addSipTrunk", "updateSipTrunk"):
        lab.command("fault", "add", "interface=axl", f"operation={operation}", "action=stall", "seconds=1")
    try:
        _none, line = lab.written()
        made = _side_by_side(cluster, name="Both", **TRUNK)
        assert [entry["failed"] for entry in made] == ["", ""] and not any(entry["reset"] for entry in made), made
        assert lab.written(line)[0].count("addSipTrunk") == 2, "they did not meet"
        assert not cluster.run("SipTrunk", check=True, name="Both", **TRUNK).changed
        _none, line = lab.written()
        changed = _side_by_side(cluster, name="Both", mtp_required=True)
        assert [entry["failed"] for entry in changed] == ["", ""], changed
        assert not cluster.run("SipTrunk", check=True, name="Both", mtp_required=True).changed
        # Neither sees the other's reset: docs/security.md says so.
        assert lab.written(line)[0].count("doDeviceReset") == 2
    finally:
        lab.command("fault", "clear")
        cluster.run("SipTrunk", name="Both", state="absent")


def _side_by_side(cluster: Cluster, **options: Any) -> list[dict[str, Any]]:
    """What two runs of a task at the same time ended with: the failure, and the trunks that were reset."""
    context = multiprocessing.get_context("fork")
    found = context.SimpleQueue()

    def one() -> None:
        try:
            found.put({"failed": "", "reset": cluster.run("SipTrunk", **options).result["reset"]})
        except Failure as failure:
            found.put({"failed": failure.msg, "reset": []})

    runs = [context.Process(target=one) for _run in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(60)
    return [found.get() for _run in runs]


def _run_quietly(cluster: Cluster, kind: str, options: dict[str, Any]) -> None:
    with contextlib.suppress(Failure):
        cluster.run(kind, **options)
    time.sleep(60)


def _wait_for(condition: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def test_a_trunk_that_is_gone_is_not_reset(lab: Any, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "note.json")
    journal.note(["Nobody"])
    outcome = lab.cluster("cucm150").run("SipTrunk", name="Nobody", state="absent", reset_journal=str(journal.path))
    assert not outcome.changed and outcome.result["reset"] == [] and not (tmp_path / "note.json").exists()


def test_a_note_that_is_no_note_and_a_place_that_cannot_be_written(lab: Any, tmp_path: Path) -> None:
    cluster = lab.cluster("cucm150")
    spoiled = tmp_path / "spoiled.json"
    spoiled.write_text("[not JSON", encoding="utf-8")
    assert str(spoiled) in cluster.refused("SipTrunk", name="Noted", **TRUNK, reset_journal=str(spoiled))
    cluster.run("SipTrunk", name="Noted", **TRUNK)
    nowhere = str(spoiled / "below" / "a.json")
    outcome = cluster.run("SipTrunk", name="Noted", mtp_required=True, reset_journal=nowhere)
    assert outcome.result["reset"] == ["Noted"] and [nowhere in text for text in outcome.warnings] == [True]
