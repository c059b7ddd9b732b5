# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""awx_configure.yml by the real modules of awx.awx, against a stand-in of AWX's API.

The modules come out of the package `ansible`, fetched at test time into build/awx and never committed.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.awx_stand_in import TOKEN, StandIn, serving
from tests.support.operator_site import ROOT, recap_of

CACHE = ROOT / "build" / "awx"
SECRET = "Axl-Lab-91!reading-and-writing"
GIVEN: dict[str, Any] = {
    "cucm_awx_project_url": "https://git.example.com/siptls.git",
    "cucm_awx_inventory_path": "inventory.yml",
    "cucm_awx_image": "registry.example.com/siptls-cucm:1.0.0",
    "cucm_awx_credential_inputs": {
        "CUCM accounts": {
            "type": "CUCM accounts",
            "inputs": {"username": "axl", "password": SECRET, "os_username": "os", "os_password": f"{SECRET}2"},
        },
        "SIP TLS certificate authority": {
            "type": "SIP TLS certificate authority",
            "inputs": {"ca_certificate": "-----BEGIN CERTIFICATE-----", "ca_key": f"{SECRET}3"},
        },
    },
}
pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("awx")]


@pytest.fixture(scope="module")
def collections() -> Path:
    """A collections path with awx.awx; skips when the package index cannot be reached."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (CACHE / "ansible_collections" / "awx" / "awx" / "MANIFEST.json").exists():
            order = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(CACHE), "ansible"]
            done = subprocess.run(order, capture_output=True, text=True, timeout=300, check=False)
            wheels = sorted(CACHE.glob("ansible-*.whl"))
            if not wheels:
                pytest.skip(f"AWX_CONFIGURE WAS NOT RUN, because awx.awx could not be fetched: {done.stderr[-300:]}")
            with zipfile.ZipFile(wheels[-1]) as wheel:
                names = [name for name in wheel.namelist() if name.startswith("ansible_collections/awx/awx/")]
                wheel.extractall(CACHE, names)
            for wheel_path in wheels:
                wheel_path.unlink()
    return CACHE


class Controller:
    """A stand-in that is up, and the playbook against it."""

    def __init__(self, stand_in: StandIn, url: str, folder: Path, collections: Path) -> None:
        self.stand_in, self.url, self.folder, self.collections = stand_in, url, folder, collections

    def configure(self, *options: str, given: dict[str, Any] | None = None, **environment: str) -> tuple[int, str]:
        """Run the playbook; exit code and output."""
        extra = self.folder / "given.json"
        extra.write_text(json.dumps(GIVEN if given is None else given))
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "CONTROLLER_", "AAP_"))
        }
        paths = os.pathsep.join((os.environ["ANSIBLE_COLLECTIONS_PATH"], str(self.collections)))
        account = {"CONTROLLER_HOST": self.url, "CONTROLLER_OAUTH_TOKEN": TOKEN}
        program = str(Path(sys.executable).parent / "ansible-playbook")
        done = subprocess.run(
            [program, "siptls.cucm.awx_configure", "-e", f"@{extra}", *options],
            cwd=self.folder, text=True, capture_output=True, timeout=300, check=False,
            env={
                **kept, "ANSIBLE_COLLECTIONS_PATH": paths, "ANSIBLE_HOME": str(self.folder / "ansible"),
                "ANSIBLE_NOCOLOR": "1", **account, **environment,
            },
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def one(self, kind: str, name: str) -> dict[str, Any]:
        """The object of that name."""
        (row,) = (row for row in self.stand_in.rows[kind].values() if name in (row.get("name"), row.get("identifier")))
        return row


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, collections: Path) -> Iterator[Controller]:
    """A controller with nothing but an organization, of which the tests here write nothing."""
    stand_in = StandIn()
    with serving(stand_in) as url:
        yield Controller(stand_in, url, tmp_path_factory.mktemp("awx-empty"), collections)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, collections: Path) -> Iterator[Controller]:
    """A controller that the playbook has configured once, behind a prefix as the gateway of AAP has it."""
    stand_in = StandIn("/api/controller/")
    with serving(stand_in) as url:
        made = Controller(stand_in, url, tmp_path_factory.mktemp("awx-full"), collections)
        code, output = made.configure(**PREFIX)
        assert code == 0, output
        assert SECRET not in output
        yield made


PREFIX = {"CONTROLLER_OPTIONAL_API_URLPATTERN_PREFIX": "/api/controller/"}


def test_what_has_to_be_given_is_named_before_the_first_object_is_made(empty: Controller) -> None:
    code, output = empty.configure(given={})
    assert code != 0 and not empty.stand_in.writes
    for variable in ("cucm_awx_project_url", "cucm_awx_inventory_path", "cucm_awx_image", "cucm_awx_credential_inputs"):
        assert variable in output, output


def test_without_an_account_one_sentence_names_the_variables(empty: Controller) -> None:
    code, output = empty.configure(CONTROLLER_HOST="", CONTROLLER_OAUTH_TOKEN="")
    assert code != 0 and not empty.stand_in.writes
    for variable in ("CONTROLLER_HOST", "AAP_HOSTNAME", "CONTROLLER_OAUTH_TOKEN", "AAP_TOKEN"):
        assert variable in output, output
    code, output = empty.configure(CONTROLLER_OPTIONAL_API_URLPATTERN_PREFIX="api/controller")
    assert code != 0 and "begin and end with a slash" in output


def test_check_mode_on_an_empty_controller_lists_what_would_be_made(empty: Controller) -> None:
    code, output = empty.configure("--check")
    assert code == 0 and not empty.stand_in.writes, output
    for text in (
        "job template SIP TLS trunks, set up",
        "schedule Renew",
        "project siptls.cucm",
        "inventory CUCM clusters",
    ):
        assert f"Would create: {text}" in output, output


def test_the_names_of_aap_serve_as_well(empty: Controller) -> None:
    names = {"AAP_HOSTNAME": empty.url, "AAP_TOKEN": TOKEN, "CONTROLLER_HOST": "", "CONTROLLER_OAUTH_TOKEN": ""}
    code, output = empty.configure("--check", **names)
    assert code == 0 and "Would create" in output, output


def test_everything_is_made_in_one_run_and_linked(full: Controller) -> None:
    rows, links = full.stand_in.rows, full.stand_in.links
    templates = yaml.safe_load((ROOT / "extensions" / "awx" / "job_templates.yml").read_text())[
        "cucm_awx_job_templates"
    ]
    assert {row["name"] for row in rows["job_templates"].values()} == {template["name"] for template in templates}
    nodes = {row["identifier"]: row["id"] for row in rows["workflow_job_template_nodes"].values()}
    order = ["plan", "approval", "set-up", "verify"]
    for name, after in itertools.pairwise(order):
        assert links["workflow_job_template_nodes", nodes[name], "success_nodes"] == [nodes[after]]
    assert full.one("workflow_approval_templates", "Approve the plan")["timeout"] == 604800
    assert full.one("inventory_sources", "CUCM clusters of siptls.cucm")["overwrite_vars"] is True
    assert full.one("projects", "siptls.cucm")["scm_update_on_launch"] is True
    assert full.one("instance_groups", "CUCM changes")["max_concurrent_jobs"] == 1


def test_schedules_and_nodes_bring_the_answers_that_a_launch_requires(full: Controller) -> None:
    started = [*full.stand_in.rows["schedules"].values(), *full.stand_in.rows["workflow_job_template_nodes"].values()]
    assert len(started) == 6
    for row in started:
        assert full.stand_in.unanswered(row["unified_job_template"], row.get("extra_data") or {}) == []


def test_jobs_that_change_clusters_share_the_group_of_one_job(full: Controller) -> None:
    group = full.one("instance_groups", "CUCM changes")["id"]
    for name, changes in (("set up", True), ("renew certificates", True), ("remove", True), ("plan", False)):
        template = full.one("job_templates", f"SIP TLS trunks, {name}")
        linked = full.stand_in.links.get(("job_templates", template["id"], "instance_groups"), [])
        assert (linked == [group]) is changes and template["prevent_instance_group_fallback"] is changes
        assert template["allow_simultaneous"] is False and template["ask_limit_on_launch"] is True


@pytest.mark.matrix
def test_a_second_run_and_a_check_change_nothing(full: Controller) -> None:
    full.stand_in.writes.clear()
    for options in ((), ("--check",)):
        code, output = full.configure(*options, **PREFIX)
        assert code == 0 and recap_of(output)["localhost"]["changed"] == 0, output
    assert not full.stand_in.writes
