# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main playbook killed after each of its tasks, or at any time, and run again: it ends as if nothing had been."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.operator_site import Run, Site, settled
from tests.support.sites import SetUp
from tests.support.states import summary

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("trunk"), pytest.mark.timeout(1800)]
SEEDS = (1, 2, 3, 4, 5)
MARK = "SIPTLS_TEST_RUN"


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


@pytest.fixture(scope="module")
def changing(set_up: SetUp) -> list[int]:
    """The numbers of the tasks of an undisturbed run that left another state than the one before."""
    assert set_up.first.code == 0, set_up.first.output[-6000:]
    assert len(set_up.states) == len(set_up.first.tasks) + 1, "one state a task, and the one before the first"
    pairs = itertools.pairwise(set_up.states)
    return [now["task"] for before, now in pairs if now["digest"] != before["digest"]]


def test_only_tasks_that_say_so_change_something(set_up: SetUp, changing: list[int]) -> None:
    """Killed after any other task the state is, byte for byte, the one of the task before: those need no kill."""
    assert len(changing) >= 7, "CSR, signature, upload, restart, profiles, trunk, pattern"
    names = [set_up.first.tasks[number - 1] for number in changing]
    assert not [name for name in names if re.search(r"preflight|sip_tls_verify|arg spec", name)], names


def changing_tasks(run: Run) -> list[int]:
    """The numbers of the tasks of a run that changed something."""
    parts = re.split(r"^TASK \[", run.output, flags=re.MULTILINE)[1:]
    return [number for number, part in enumerate(parts, 1) if re.search(r"^changed: ", part, re.MULTILINE)]


def test_killed_in_the_middle_the_next_run_finishes(site: Site, set_up: SetUp, changing: list[int]) -> None:
    """After half of the changes."""
    site.restore("shipped")
    with site.lab:
        after = changing[len(changing) // 2]
        run = killed(site, after)
        assert run.code == -signal.SIGKILL, f"after {set_up.first.tasks[after - 1]}: {run.output[-3000:]}"
        finishes(site, set_up)


@pytest.mark.matrix
def test_killed_after_each_task_that_changes_something(site: Site, set_up: SetUp, changing: list[int]) -> None:
    """Each run goes one change further than the one before, on what that one left; the last one finishes."""
    site.restore("shipped")
    with site.lab:
        for after in changing:
            run = killed(site, after)
            assert run.code == -signal.SIGKILL, f"after {set_up.first.tasks[after - 1]}: {run.output[-3000:]}"
        finishes(site, set_up)
        changes_nothing(site)


@pytest.mark.matrix
@pytest.mark.timeout(7200)
def test_killed_after_any_task_one_run_finishes(site: Site, set_up: SetUp) -> None:
    """Every task, each time on clusters as shipped."""
    for after in range(1, len(set_up.first.tasks)):
        site.restore("shipped")
        with site.lab:
            assert killed(site, after).code == -signal.SIGKILL
            finishes(site, set_up)


@pytest.mark.matrix
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("modules", ["die", "live on"])
@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_any_time_one_run_finishes(site: Site, set_up: SetUp, seed: int, modules: str) -> None:
    """SIGKILL at a random moment. Ansible's modules have sessions of their own: they die too, or work on alone."""
    after = random.Random(seed).uniform(0.05, 0.95) * set_up.seconds
    print(f"seed {seed}: killed after {after:.1f} of {set_up.seconds:.1f} s, its modules {modules}")
    site.restore("shipped")
    with site.lab:
        with site.start("sip_tls_trunk", **{MARK: f"{site.folder}-{seed}"}) as process:
            time.sleep(after)
            family = relatives(f"{site.folder}-{seed}")
            process.send_signal(signal.SIGKILL)
            if modules == "die":
                for pid in family | relatives(f"{site.folder}-{seed}"):
                    kill(pid)
        if modules == "live on":
            gone_by = time.monotonic() + 120
            while relatives(f"{site.folder}-{seed}") and time.monotonic() < gone_by:
                time.sleep(0.2)
        finishes(site, set_up)
        changes_nothing(site)


def relatives(mark: str) -> set[int]:
    """The processes of a run, by the mark in their environment."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if f"{MARK}={mark}\0".encode() in (entry / "environ").read_bytes():
                    found.add(int(entry.name))
            except OSError:
                continue
    return found


def kill(pid: int) -> None:
    """End a process of ours, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.matrix
def test_a_module_whose_ansible_died_finishes_its_write(site: Site) -> None:
    """Ansible dies while CUCM thinks; the module works on alone; the next run finds its work done and does the rest."""
    site.restore("shipped")
    mark = f"{site.folder}-orphan"
    with site.lab as lab:
        lab.ask("fault/add", interface="ssh", action="stall", operation="set csr gen*", seconds=4, count=2)
        with site.start("sip_tls_trunk", **{MARK: mark}) as process:
            until = time.monotonic() + 600
            while not any(event.get("command", "").startswith("set csr gen") for event in lab.events()):
                assert process.poll() is None and time.monotonic() < until
                time.sleep(0.1)
            process.send_signal(signal.SIGKILL)
        assert relatives(mark), "the modules ended with their Ansible"
        while relatives(mark):
            assert time.monotonic() < until, "a module outlived its work"
            time.sleep(0.2)
        requests = [event for event in lab.events() if str(event.get("command", "")).startswith("show csr own")]
        assert requests, "the module did not look after its write"
        counted = len([event for event in lab.events() if str(event.get("command", "")).startswith("set csr gen")])
        run = killed(site, 9)
        assert run.code == -signal.SIGKILL, run.output[-3000:]
        after = len([event for event in lab.events() if str(event.get("command", "")).startswith("set csr gen")])
        assert after == counted == 2, "the CSRs that the orphans made were made once more"


@pytest.mark.matrix
def test_what_another_controller_changed_since_preflight_is_not_overwritten(site: Site) -> None:
    """A run waits after its preflight, as before a slow certificate, while one on another controller removes trunks."""
    site.restore("shipped")
    with site.lab as lab, (site.folder / "waiting.log").open("w+", encoding="utf-8") as log:
        first = site.play("sip_tls_trunk")
        assert first.code == 0, first.output[-6000:]
        checked = next(n for n, task in enumerate(first.tasks, 1) if task.endswith("Save the present state"))
        stopped = {"ANSIBLE_CALLBACKS_ENABLED": "kill_after", "KILL_AFTER": str(checked), "KILL_SIGNAL": "SIGSTOP"}
        with site.start("sip_tls_trunk", log, **stopped) as waiting:
            os.waitid(os.P_PID, waiting.pid, os.WSTOPPED | os.WNOWAIT)
            # The other controller has neither this one's records nor its claims.
            other = site.play("remove_sip_tls_trunk", extra={"sip_tls_undo_backup": False})
            assert other.code == 0, other.output[-6000:]
            left = settled(lab.ask("dump"))
            waiting.send_signal(signal.SIGCONT)
            assert waiting.wait(600) != 0
        log.seek(0)
        words = " ".join(log.read().split())
        for name in ("cucma", "cucm10"):
            removed = rf"{name}: SIP trunk security profile .+ was removed; SIP trunk .+ was removed"
            assert re.search(removed, words), words
        assert "This run has written none of its objects. Let the other finish, then run again." in words
        assert settled(lab.ask("dump")) == left, "something was written"
        again = site.play("sip_tls_trunk")
        assert again.code == 0 and site.verdict()["verdict"] == "secure", again.output[-6000:]


def finishes(site: Site, set_up: SetUp) -> None:
    """The next run ends well, where the undisturbed one ended."""
    run = site.play("sip_tls_trunk")
    assert run.code == 0, run.output[-6000:]
    assert site.verdict()["verdict"] == "secure"
    assert summary(site) == set_up.left


def changes_nothing(site: Site) -> None:
    """One more run has nothing to do."""
    again = site.play("sip_tls_trunk")
    assert again.code == 0 and again.total("changed") == 0, again.output[-6000:]


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
    assert {name: dump["config"] for name, dump in left.items()} == {
        name: dump["config"] for name, dump in shipped.items()
    }
    site.restore("made")
    with site.lab:
        # Numbers of tasks shift as nothing is left to do for earlier ones, so that each run goes one change further.
        for after in changing:
            assert killed(site, after, undo).code == -signal.SIGKILL
        run = site.play(undo)
        assert run.code == 0, run.output[-6000:]
        assert summary(site) == left
        assert site.play(undo).total("changed") == 0
