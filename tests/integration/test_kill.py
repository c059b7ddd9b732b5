# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main playbook killed after each of its tasks, and run again: it ends where an undisturbed run ends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from operator_site import Run, Site

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("kill"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Clusters as shipped, kept as `shipped`; down between the tests."""
    place = Site(tmp_path_factory.mktemp("kill"))
    with place.lab:
        pass
    place.keep("shipped")
    yield place
    place.lab.down()


def settled(site: Site) -> Any:
    """The lab's content without what no two runs have in common: keys, serials, identifiers, times."""
    text = json.dumps(site.lab.ask("dump"), sort_keys=True)
    text = re.sub(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----(\\n)?", "PEM", text)
    text = re.sub(r"\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?", "UUID", text)
    return json.loads(text)


def killed(site: Site, after: int) -> Run:
    """Run the playbook and kill it when that many tasks have ended."""
    return site.play("sip_tls_trunk", ANSIBLE_CALLBACKS_ENABLED="kill_after", KILL_AFTER=str(after))


def test_killed_after_any_task_the_next_run_finishes(site: Site) -> None:
    with site.lab:
        whole = site.play("sip_tls_trunk")
        assert whole.code == 0, whole.output[-6000:]
        wanted = summary(site)
    tasks = len(whole.tasks)
    assert tasks > 12
    site.restore("shipped")
    with site.lab:
        # Each run goes one task further than the one before, on what that one left.
        for after in range(1, tasks):
            run = killed(site, after)
            assert run.code == -9, f"after task {after}: {run.output[-3000:]}"
            assert len(run.tasks) in (after, after + 1)
        last = site.play("sip_tls_trunk")
        assert last.code == 0, last.output[-6000:]
        assert site.verdict()["verdict"] == "secure"
        assert summary(site) == wanted


CHANGING = (
    "Make a CSR on each node that needs one",
    "Have the CSRs signed by the CA",
    "Put the CA's chain and the certificate on each node",
    "Restart Cisco CallManager where its port does not serve what the node holds",
    "Make a SIP trunk to each peer",
)


@pytest.mark.parametrize("task", CHANGING)
def test_killed_right_after_a_change_one_run_finishes(site: Site, task: str) -> None:
    site.restore("shipped")
    with site.lab:
        # Where the task stands is told by a run in check mode, which leaves everything as it is.
        if not hasattr(site, "order"):
            site.order = site.play("sip_tls_trunk", "--check").tasks  # type: ignore[attr-defined]
        names = [name.rpartition(" : ")[2] for name in site.order]  # type: ignore[attr-defined]
        run = killed(site, names.index(task) + 1)
        assert run.code == -9
        again = site.play("sip_tls_trunk")
        assert again.code == 0, again.output[-6000:]
        assert site.verdict()["verdict"] == "secure"
        third = site.play("sip_tls_trunk")
        assert third.total("changed") == 0, third.output[-6000:]


def summary(site: Site) -> Any:
    """What counts in the end: objects, and how many certificates each store holds."""
    return {
        cluster: {
            "config": content["config"],
            **{table: len(rows) for table, rows in content.items() if table != "config" and "cert" in table},
        }
        for cluster, content in settled(site).items()
    }
