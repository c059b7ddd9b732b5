# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of READMEs and guides: Ansible reads them, and preflight finds no mistake in them.

tests/integration/test_operation.py runs those of the roles on the lab.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.module_utils._ca.options import SPEC
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.inventory import (
    CONNECTION,
    OTHERS,
    REQUIRED,
    Inventory,
    inventory_problems,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.options import check_options
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.external import read_peers

from tests.support.certificate_kit import Authority
from tests.support.doc_examples import ROOT, Example, example_of, examples

EXAMPLES = list(examples())
SPECS = {
    path.parents[1].name: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml"))
}
OPTIONS = [name for spec in SPECS.values() for name in spec["argument_specs"]["main"]["options"]]
#: examples that only their place can check, with the reason
NOT_CHECKED = {"extensions/awx/README.md-1": "variables of awx_configure.yml with passwords left out, not of a cluster"}
#: the roles of a set-up, in their order
CHAIN = ["preflight", "callmanager_certificate", "sip_tls_trunk", "sip_tls_verify", "sip_tls_report"]


def ansible(tool: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    given = {"ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
             "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true", "ANSIBLE_NOCOLOR": "1"}  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "ansible", tool, *map(str, arguments)], env=kept | given, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def hosts_of(example: Example) -> dict[str, dict[str, Any]]:
    """The variables of each host of an example, of one host where it shows variables alone."""
    content = example.content
    if example.kind == "variables":
        return {"cucma": dict(content.get("vars") or content)}
    group = content["cucm_clusters"] if example.kind == "inventory" else {"hosts": content}
    shared = group.get("vars") or {}
    return {name: {**shared, **(host or {})} for name, host in (group.get("hosts") or {"cucma": {}}).items()}


def test_pages_have_examples_of_each_kind() -> None:
    assert {example.kind for example in EXAMPLES} == {"playbook", "tasks", "inventory", "hosts", "variables"}
    assert len(EXAMPLES) >= 25 and NOT_CHECKED.keys() <= {example.title for example in EXAMPLES}


def test_ansible_reads_every_playbook_and_every_list_of_tasks(tmp_path: Path) -> None:
    files = []
    for number, example in enumerate(example for example in EXAMPLES if example.kind in ("playbook", "tasks")):
        play = {"name": example.title, "hosts": "cucm_clusters", "gather_facts": False, "tasks": example.content}
        files.append(tmp_path / f"{number}.yml")
        files[-1].write_text(yaml.safe_dump(example.content if example.kind == "playbook" else [play]))
    done = ansible("playbook", "--syntax-check", "-i", "cucma,", *files)
    assert done.returncode == 0 and done.stdout.count("playbook: ") == len(files) >= 9, done.stderr


def test_ansible_reads_every_inventory(tmp_path: Path) -> None:
    names: set[str] = set()
    arguments: list[object] = []
    for number, example in enumerate(example for example in EXAMPLES if example.kind in ("inventory", "hosts")):
        file = tmp_path / f"{number}.yml"
        content = example.content if example.kind == "inventory" else {"cucm_clusters": {"hosts": example.content}}
        file.write_text(yaml.safe_dump(content))
        arguments += ["-i", file]
        names |= hosts_of(example).keys()
    done = ansible("inventory", *arguments, "--list", "--yaml")
    assert done.returncode == 0, done.stderr
    assert names - {"cucma"} and all(f"{name}:" in done.stdout for name in names)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that examples name."""
    place = tmp_path_factory.mktemp("examples")
    (place / "files").mkdir()
    (place / "files" / "provider-ca.pem").write_text(Authority.make(place, "Provider").pem)
    return place


def problems(variables: Mapping[str, Any], name: str, hosts: list[str], folder: Path) -> Iterator[str]:
    known = {*CONNECTION, *OTHERS, *OPTIONS}
    yield from (f"{variable} is not known" for variable in variables if variable not in known)
    yield from inventory_problems(
        Inventory(name, variables, dict.fromkeys(REQUIRED, True), OPTIONS, SPEC.options, hosts)
    )
    yield from check_options({option: variables.get(option) for option in OPTIONS}, SPECS)
    yield from read_peers(variables.get("cucm_external_peers"), hosts=hosts, folders=[str(folder)])[1]


@pytest.mark.parametrize(
    "example",
    [example for example in EXAMPLES if example.kind not in ("playbook", "tasks") and example.title not in NOT_CHECKED],
    ids=lambda example: example.title,
)
def test_preflight_finds_no_mistake_in_variables(example: Example, folder: Path) -> None:
    clusters = hosts_of(example)
    peers = [peer for host in clusters.values() for peer in host.get("cucm_peers") or ()]
    hosts = list(dict.fromkeys([*clusters, *peers]))
    for name, variables in clusters.items():
        # A template of an example is resolved by the reader's inventory.
        plain = {key: value for key, value in variables.items() if "{{" not in str(value)}
        found = list(problems({**dict.fromkeys(variables, None), **plain}, name, hosts, folder))
        assert not found, found


def test_a_roles_example_has_the_roles_that_it_needs() -> None:
    """The example of the last role runs all of them, so that running it shows that each of them runs."""
    for number, role in enumerate(CHAIN, 1):
        (play,) = example_of(role).content
        assert [role["role"].removeprefix("siptls.cucm.") for role in play["roles"]] == CHAIN[:number], role
