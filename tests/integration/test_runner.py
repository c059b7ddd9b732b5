# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main playbook as AWX runs it: ansible-runner, accounts in the environment, the CA's key from a credential's file.

A job's file system does not outlive it: each run has a private data directory of its own, and no folder of a CA.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import ansible_runner
import pytest
import yaml

from tests.support.operator_site import ROOT, Site

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("runner"), pytest.mark.timeout(1200)]
ACCOUNT_VARIABLES = {
    "cucm_username": "CUCM_USERNAME",
    "cucm_password": "CUCM_PASSWORD",
    "cucm_os_username": "CUCM_OS_USERNAME",
    "cucm_os_password": "CUCM_OS_PASSWORD",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two clusters as shipped, and beside them the CA that the credential holds."""
    place = Site(tmp_path_factory.mktemp("runner"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "3650", "-subj", "/CN=Job CA",
         "-keyout", str(place.folder / "ca.key"), "-out", str(place.folder / "ca.pem"),
         "-addext", "keyUsage=critical,keyCertSign,cRLSign"],
        check=True, capture_output=True,
    )  # fmt: skip
    (place.folder / "ca.key").chmod(0o600)
    with place.lab:
        yield place


def private_data(site: Site, name: str) -> tuple[Path, list[str]]:
    """A private data directory as a job gets it, and the secrets that must stay out of what the job leaves."""
    folder = site.folder / name
    (folder / "inventory").mkdir(parents=True)
    (folder / "env").mkdir()
    inventory = yaml.safe_load(site.lab.inventory.read_text(encoding="utf-8"))
    accounts: dict[str, str] = {}
    for host in inventory["cucm_clusters"]["hosts"].values():
        for variable, environment in ACCOUNT_VARIABLES.items():
            accounts[environment] = host.pop(variable)
    (folder / "inventory" / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    job_environment = {
        **accounts,
        "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
        "ANSIBLE_HOME": str(folder / "ansible"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    (folder / "env" / "envvars").write_text(json.dumps(job_environment), encoding="utf-8")
    extra = {
        "sip_tls_ca": {
            "provider": "local",
            "ca_certificate": (site.folder / "ca.pem").read_text(encoding="utf-8"),
            "ca_key_path": str(site.folder / "ca.key"),
        }
    }
    (folder / "env" / "extravars").write_text(json.dumps(extra), encoding="utf-8")
    key = (site.folder / "ca.key").read_text(encoding="utf-8").splitlines()[5]
    return folder, [accounts["CUCM_PASSWORD"], accounts["CUCM_OS_PASSWORD"], key]


def settings(folder: Path) -> dict[str, Any]:
    """What both ways of running take."""
    return {
        "private_data_dir": str(folder),
        "playbook": str(ROOT / "playbooks" / "sip_tls_trunk.yml"),
        "quiet": True,
        "verbosity": 4,
    }


def leaks(folder: Path, secrets: list[str]) -> list[str]:
    """The artifacts that hold a secret.

    Not checked: env/, which is what the job was given, and `command`, ansible-runner's own copy of it.
    """
    found = []
    for path in (folder / "artifacts").rglob("*"):
        if (
            path.is_file()
            and path.name != "command"
            and any(secret in path.read_text(encoding="utf-8", errors="replace") for secret in secrets)
        ):
            found.append(path.name)
    return found


def test_a_job_sets_up_and_the_next_one_on_a_remote_worker_changes_nothing(site: Site) -> None:
    folder, secrets = private_data(site, "first")
    first = ansible_runner.run(**settings(folder))
    assert first.rc == 0, first.stdout.read()[-6000:]
    events = list(first.events)
    assert len(events) > 50
    stats = [event["event_data"].get("artifact_data", {}) for event in events if event["event"] == "playbook_on_stats"]
    assert stats and "secure" in json.dumps(stats[-1]), "set_stats does not carry the verdict"
    assert leaks(folder, secrets) == []

    # transmit | worker | process, as AWX drives an execution node; what the first job issued is recognised.
    before = site.lab.ask("dump")
    folder, secrets = private_data(site, "remote")
    (folder / "project").mkdir()
    sent, returned = site.folder / "sent", site.folder / "returned"
    with sent.open("wb") as out:
        ansible_runner.run(streamer="transmit", _output=out, **settings(folder))
    with sent.open("rb") as received, returned.open("wb") as back:
        worker = str(site.folder / "worker")
        ansible_runner.run(streamer="worker", _input=received, _output=back, private_data_dir=worker, quiet=True)
    with returned.open("rb") as received:
        processed = str(site.folder / "processed")
        done = ansible_runner.run(
            streamer="process", _input=received, private_data_dir=processed, ident="job", quiet=True
        )
    assert done.status == "successful"
    output = "".join(path.read_text() for path in (site.folder / "processed").rglob("stdout"))
    recap = output.rpartition("PLAY RECAP")[2]
    # localhost, where the inventory's group is checked, and the two clusters
    assert re.findall(r"changed=\S*?(\d+)", recap) == ["0", "0", "0"], recap
    assert site.lab.ask("dump") == before
    assert leaks(site.folder / "processed", secrets) == []


TWO_ACCOUNTS = """
- name: Ask each cluster by the account of its own credential
  hosts: cucm_clusters
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
    ansible_pipelining: true
  module_defaults:
    group/siptls.cucm.cucm:
      host: "{{ cucm_host }}"
      ca_path: "{{ cucm_ca_path }}"
      legacy_crypto: true
      username: "{{ cucm_username }}"
      password: "{{ cucm_password }}"
    group/siptls.cucm.platform:
      host: "{{ cucm_host }}"
      ca_path: "{{ cucm_ca_path }}"
      legacy_crypto: true
      ssh_port: "{{ cucm_ssh_port }}"
      ssh_known_hosts: "{{ cucm_ssh_known_hosts }}"
      os_username: "{{ cucm_os_username }}"
      os_password: "{{ cucm_os_password }}"
  tasks:
    - name: By the application account
      siptls.cucm.cucm_info:
    - name: By the platform account
      siptls.cucm.cucm_certificate_info:
        purposes: [CallManager]
        served_ports: {}
"""


def test_two_clusters_have_accounts_of_their_own_by_variables_and_by_environment(site: Site) -> None:
    """Cluster A's credential comes as extra vars, cluster B's by environment; the inventory is the one we ship."""
    folder, _secrets = private_data(site, "two-accounts")
    lab = yaml.safe_load(site.lab.inventory.read_text(encoding="utf-8"))["cucm_clusters"]["hosts"]
    shipped = yaml.safe_load((ROOT / "extensions" / "awx" / "inventory.example.yml").read_text(encoding="utf-8"))
    for name, host in shipped["cucm_clusters"]["hosts"].items():
        kept = ("cucm_host", "cucm_ca_path", "cucm_ssh_port", "cucm_ssh_known_hosts")
        host.update({key: lab[name][key] for key in kept})
    del shipped["cucm_clusters"]["vars"]["sip_tls_ca"]
    (folder / "inventory" / "hosts.yml").write_text(yaml.safe_dump(shipped), encoding="utf-8")
    platform = {"os_username": lab["cucma"]["cucm_os_username"], "os_password": lab["cucma"]["cucm_os_password"]}
    reader = {"username": "axlread", "password": "Axl-Lab-91!reading-alone", **platform}
    writer = {"username": lab["cucm10"]["cucm_username"], "password": lab["cucm10"]["cucm_password"], **platform}
    (folder / "env" / "extravars").write_text(json.dumps({f"cucm_a_{key}": value for key, value in reader.items()}))
    environment = json.loads((folder / "env" / "envvars").read_text(encoding="utf-8"))
    environment = {key: value for key, value in environment.items() if not key.startswith("CUCM_")}
    environment |= {f"CUCM_B_{key.upper()}": value for key, value in writer.items()}
    (folder / "env" / "envvars").write_text(json.dumps(environment), encoding="utf-8")
    (folder / "project").mkdir()
    (folder / "project" / "ask.yml").write_text(TWO_ACCOUNTS, encoding="utf-8")
    seen = len(site.lab.events())
    done = ansible_runner.run(private_data_dir=str(folder), playbook="ask.yml", quiet=True, verbosity=4)
    assert done.rc == 0, done.stdout.read()[-6000:]
    asked = {
        (event["node"], event["account"])
        for event in site.lab.events()[seen:]
        if event.get("kind") == "axl" and event.get("account")
    }
    assert asked == {("CUCMA", "axlread"), ("CUCM10", writer["username"])}
    assert leaks(folder, [reader["password"], writer["password"], platform["os_password"]]) == []
