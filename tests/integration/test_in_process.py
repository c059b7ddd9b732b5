# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks in the controller's own process and as modules: the same results, failures included, and nothing leaks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.operator_site import Site

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("in-process"), pytest.mark.timeout(600)]

NOBODY = {"host": "127.0.0.1", "port": 1, "username": "axladmin", "password": "Pw-in-results-91!", "timeout": 2}
TRUNK = {
    "name": "IN-PROCESS",
    "security_profile": "Non Secure SIP Trunk Profile",
    "destinations": [{"address": "192.0.2.1"}],
}
#: one task of each kind of result, by a name; what is not said comes from the inventory
TASKS: dict[str, dict[str, Any]] = {
    "facts": {"cucm_info": {"gather": ["security_profiles", "rights"]}},
    "objects": {"cucm_object_info": {"objects": [{"kind": "sip_profile", "name": "Standard SIP Profile"}]}},
    "certificates": {"cucm_certificate_info": {"purposes": ["CallManager"], "served_ports": {}}},
    "csr": {"cucm_csr": {"regenerate": "never"}},
    "service": {"cucm_service": {"name": "Cisco Tftp", "state": "started"}},
    "trunk states": {"cucm_sip_trunk_info": {}},
    "change": {"cucm_sip_trunk": TRUNK, "diff": True, "check_mode": True},
    "list": {"cucm_sip_trunk": {"aggregate": [TRUNK, {**TRUNK, "name": "SECOND"}]}, "check_mode": True, "diff": True},
    "failure": {"cucm_sip_trunk": {**TRUNK, "security_profile": "No such profile"}},
    "arguments": {"cucm_sip_trunk": {"name": "X", "reset": "sometimes"}},
    "unknown option": {"cucm_info": {"nonsense": 1}},
    "unreachable": {"cucm_info": NOBODY},
    "secret in a result": {"cucm_info": {**NOBODY, "username": "Pw-in-results-91!"}},
    "no_log": {"cucm_info": NOBODY, "no_log": True},
    "file": {"sip_tls_capture_info": {"paths": ["{{ playbook_dir }}/none.pcap"]}},
    "relative path": {"sip_tls_capture_info": {"paths": ["beside.pcap"]}},
    "verdict": {"sip_tls_verdict": {"clusters": {}}},
    "environment": {
        "cucm_info": {**NOBODY, "username": "{{ omit }}"}, "environment": {"CUCM_USERNAME": "from-environment"},
    },
    "delegated": {"cucm_info": {}, "delegate_to": "localhost", "run_once": True},
    "loop": {"cucm_object_info": {"objects": [{"kind": "sip_trunk", "name": "{{ item }}"}]}, "loop": ["A", "B"]},
}  # fmt: skip
#: a task that fails without a network
NO_FILE = {"siptls.cucm.sip_tls_capture_info": {"paths": ["none.pcap"]}}
CONNECTION = ("host", "port", "ca_path", "legacy_crypto")
HEAD: dict[str, Any] = {
    "hosts": "cucma",
    "connection": "local",
    "gather_facts": False,
    "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}", "ansible_pipelining": True},
    "module_defaults": {
        f"group/siptls.cucm.{group}": {
            name: "{{ cucm_" + name + " | default(omit) }}" for name in (*CONNECTION, *names)
        }
        for group, names in (
            ("cucm", ("username", "password")),
            ("platform", ("os_username", "os_password", "ssh_port", "ssh_known_hosts")),
        )
    },
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    place = Site(tmp_path_factory.mktemp("in-process"))
    (place.folder / "plays").mkdir()
    # An empty capture beside the playbook: its folder, and not the working directory, is where a module runs.
    (place.folder / "plays" / "beside.pcap").write_bytes(
        bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")
    )
    with place.lab:
        yield place


def play(site: Site, tasks: list[dict[str, Any]], *options: str, **environment: str) -> tuple[int, str]:
    """Run tasks on the lab's inventory; exit code and output."""
    path = site.folder / "plays" / "tasks.yml"
    path.write_text(yaml.safe_dump([{**HEAD, "tasks": tasks}], sort_keys=False))
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", str(path), "-i", str(site.lab.inventory), *options],
        cwd=site.folder, env=site.environment() | environment, text=True, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def results(site: Site, switch: str) -> tuple[dict[str, Any], str]:
    """What every task returns, and the output, with the plugin switched on or off."""
    tasks: list[dict[str, Any]] = []
    for number, (name, row) in enumerate(TASKS.items()):
        module = {f"siptls.cucm.{key}" if key.startswith(("cucm_", "sip_tls_")) else key: row[key] for key in row}
        keep = {"register": f"result_{number}", "ignore_errors": True}
        tasks.append({"name": name, **module, **keep})
    names = {name: "{{ result_" + str(number) + " }}" for number, name in enumerate(TASKS)}
    target = site.folder / f"results-{switch}.json"
    tasks.append({"ansible.builtin.copy": {"content": "{{ found | to_json }}", "dest": str(target), "mode": "0600"},
                  "vars": {"found": names}, "delegate_to": "localhost", "no_log": True})  # fmt: skip
    code, output = play(site, tasks, "-vvv", SIPTLS_CUCM_IN_PROCESS=switch)
    assert code == 0, output[-5000:]
    found: dict[str, Any] = json.loads(target.read_text())
    return found, output


def comparable(value: Any) -> Any:
    """A result without what no two runs have in common."""
    text = re.sub(r'"(offset|seconds|days_left)": -?[0-9.]+', r'"\1": 0', json.dumps(value, sort_keys=True))
    # Clock and time of operation come in whole seconds, so that two readings of one start may differ by one.
    text = re.sub(r'"since": "\d{4}-[^"]*"', '"since": "a moment"', text)
    text = re.sub(r'"(exception|ansible_facts|_ansible_\w+|deprecations)": ', r'"ignored \1": ', text)
    found = json.loads(text)
    return _without(found)


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(part) for key, part in value.items() if not key.startswith("ignored ")}
    return [_without(part) for part in value] if isinstance(value, list) else value


def test_both_ways_return_the_same(site: Site) -> None:
    (inside, inside_said), (outside, outside_said) = results(site, "true"), results(site, "false")
    assert list(inside) == list(outside) == list(TASKS)
    for name in TASKS:
        assert comparable(inside[name]) == comparable(outside[name]), name
    # Each ran the way that it should: modules have a file, services have none. Two rows are not valid, which the
    # module reports itself.
    assert inside_said.count("Using module file") - outside_said.count("Using module file") < -15
    for said in (inside_said, outside_said):
        assert "Pw-in-results-91!" not in said
    assert inside["failure"]["failed"] and "No such profile" in inside["failure"]["msg"]
    assert "from-environment" in inside["environment"]["msg"]
    assert inside["change"]["diff"] and inside["change"]["changed"]


@pytest.mark.parametrize(
    "how",
    [
        {"async": 60, "poll": 1},
        {"vars": {"siptls_cucm_in_process": False}},
        {"vars": {"siptls_cucm_in_process": "false"}},
        {"vars": {"ansible_python_interpreter": "/usr/bin/env python3"}},
    ],
    ids=["async", "switched off", "switched off by text", "another Python"],
)
def test_anything_else_runs_the_module(site: Site, how: dict[str, Any]) -> None:
    tasks = [{**NO_FILE, "ignore_errors": True, **how}]
    _code, output = play(site, tasks, "-vvv")
    assert "Using module file" in output, output[-3000:]


def test_a_fault_of_ours_ends_the_task_and_not_the_run(site: Site, tmp_path: Path) -> None:
    tasks = [
        {"siptls.cucm.cucm_info": {"look_up": {"sip_trunks": ["X"]}}, "ignore_errors": True, "timeout": 1,
         "vars": {"cucm_port": 9}},
        {"siptls.cucm.cucm_info": {}, "register": "after"},
        {"ansible.builtin.assert": {"that": "after.version is defined"}},
    ]  # fmt: skip
    code, output = play(site, tasks)
    assert code == 0, output[-3000:]


@pytest.mark.parametrize(("strategy", "forks"), [("linear", 1), ("linear", 50), ("free", 50), ("host_pinned", 12)])
def test_every_strategy_and_many_hosts(site: Site, strategy: str, forks: int) -> None:
    hosts = {f"many{number}": None for number in range(12)}
    inventory = site.folder / "many.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    body = {**HEAD, "hosts": "all", "strategy": f"ansible.builtin.{strategy}", "module_defaults": {}}
    body["tasks"] = [
        {**NO_FILE, "register": "made", "failed_when": "made.msg is not search('could not be read')"},
        {"ansible.builtin.debug": {"msg": "{{ made.msg }}"}},
    ]  # fmt: skip
    path = site.folder / "many-tasks.yml"
    path.write_text(yaml.safe_dump([body], sort_keys=False))
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", str(path), "-i", str(inventory), "--forks", str(forks), "-vvv"],
        cwd=site.folder, env=site.environment() | {"SIPTLS_CUCM_IN_PROCESS": "true"},
        text=True, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "Using module file" not in done.stdout, done.stdout[-3000:]


def test_every_module_has_its_link() -> None:
    plugins = Path(__file__).resolve().parents[2] / "plugins"
    modules = {path.name for path in (plugins / "modules").glob("*.py")}
    links = {path.name: os.readlink(path) for path in (plugins / "action").glob("*.py")}
    assert set(links) == modules and set(links.values()) == {"../plugin_utils/_action.py"}
