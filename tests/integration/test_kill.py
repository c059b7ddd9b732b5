# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main playbook killed after each of its tasks, and run again: it ends where an undisturbed run ends."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from operator_site import Run, Site, settled

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("kill"), pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Clusters as shipped, kept as `shipped`; down between the tests."""
    place = Site(tmp_path_factory.mktemp("kill"))
    with place.lab:
        pass
    place.keep("shipped")
    yield place
    place.lab.down()


def killed(site: Site, after: int, name: str = "sip_tls_trunk") -> Run:
    """Run a playbook and kill it when that many tasks have ended."""
    return site.play(name, ANSIBLE_CALLBACKS_ENABLED="kill_after", KILL_AFTER=str(after))


@dataclass
class Undisturbed:
    """A run that nothing disturbed: its tasks, those of them that changed something, and what it left."""

    tasks: list[str]
    changing: list[int]
    left: Any


@pytest.fixture(scope="module")
def undisturbed(site: Site) -> Undisturbed:
    """The main playbook on clusters as shipped."""
    with site.lab:
        run = site.play("sip_tls_trunk")
        assert run.code == 0, run.output[-6000:]
        left = summary(site)
    changing = changing_tasks(run)
    assert len(changing) >= 8, "CSR, signature, upload, restart, SIP profile, security profile, trunk, pattern"
    return Undisturbed(run.tasks, changing, left)


def changing_tasks(run: Run) -> list[int]:
    """The numbers of the tasks of a run that changed something."""
    parts = re.split(r"^TASK \[", run.output, flags=re.MULTILINE)[1:]
    return [number for number, part in enumerate(parts, 1) if re.search(r"^changed: ", part, re.MULTILINE)]


def test_killed_after_each_task_that_changes_something(site: Site, undisturbed: Undisturbed) -> None:
    """Each run goes one change further than the one before, on what that one left; the last one finishes."""
    site.restore("shipped")
    with site.lab:
        for after in undisturbed.changing:
            run = killed(site, after)
            assert run.code == -signal.SIGKILL, f"after {undisturbed.tasks[after - 1]}: {run.output[-3000:]}"
        finishes(site, undisturbed)


@pytest.mark.matrix
@pytest.mark.timeout(7200)
def test_killed_after_any_task_one_run_finishes(site: Site, undisturbed: Undisturbed) -> None:
    """Every task, each time on clusters as shipped."""
    for after in range(1, len(undisturbed.tasks)):
        site.restore("shipped")
        with site.lab:
            assert killed(site, after).code == -signal.SIGKILL
            finishes(site, undisturbed)


def finishes(site: Site, undisturbed: Undisturbed) -> None:
    """The next run ends well, where the undisturbed one ended, and leaves nothing to do."""
    run = site.play("sip_tls_trunk")
    assert run.code == 0, run.output[-6000:]
    assert site.verdict()["verdict"] == "secure"
    assert summary(site) == undisturbed.left
    again = site.play("sip_tls_trunk")
    assert again.code == 0 and again.total("changed") == 0, again.output[-6000:]


def summary(site: Site) -> Any:
    """What counts in the end: objects, and how many certificates each store holds."""
    return {
        cluster: {
            "config": content["config"],
            **{table: len(rows) for table, rows in content.items() if table.startswith("pki_")},
        }
        for cluster, content in settled(site.lab.ask("dump")).items()
    }


@pytest.mark.matrix
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("undo", ["remove_sip_tls_trunk", "restore"])
def test_an_undoing_that_is_killed_after_any_change_is_finished_by_the_next(site: Site, undo: str) -> None:
    site.restore("shipped")
    with site.lab:
        shipped = settled(site.lab.ask("dump"))
        assert site.play("sip_tls_trunk").code == 0
    site.keep("made")
    with site.lab:
        run = site.play(undo)
        assert run.code == 0, run.output[-6000:]
        left = summary(site)
        changing = changing_tasks(run)
        assert len(changing) >= 4, "pattern, trunk, security profile, SIP profile"
    assert {name: one["config"] for name, one in left.items()} == {name: one["config"] for name, one in shipped.items()}
    site.restore("made")
    with site.lab:
        # Numbers of tasks shift as nothing is left to do for earlier ones, so that each run goes one change further.
        for after in changing:
            assert killed(site, after, undo).code == -signal.SIGKILL
        run = site.play(undo)
        assert run.code == 0, run.output[-6000:]
        assert summary(site) == left
        assert site.play(undo).total("changed") == 0
