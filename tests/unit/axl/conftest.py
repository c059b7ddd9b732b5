# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of six releases for the AXL modules, and a module's service called as its face would call it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.siptls.cucm.plugins.module_utils._axl import info, object_info, reconcile
from ansible_collections.siptls.cucm.plugins.module_utils._axl.service import argument_spec
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import BY_KIND
from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Failure, Outcome
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo import backup_files
from cucm_lab.testing import LabProcess

RELEASES = {
    "9.1": "cucm91",
    "10.5": "cucm105",
    "11.5": "cucm115",
    "12.5": "cucm125",
    "14.0": "cucm140",
    "15.0": "cucm150",
}
WRITES = ("add", "update", "remove", "doDeviceReset", "executeSQLUpdate")


def validated(spec: ArgSpec, params: dict[str, Any]) -> dict[str, Any]:
    """Options as AnsibleModule hands them over; Failure with Ansible's words when it would refuse them."""
    rules = spec.module_arguments()
    validator = ArgumentSpecValidator(
        rules["argument_spec"],
        mutually_exclusive=rules["mutually_exclusive"],
        required_one_of=rules["required_one_of"],
        required_by=rules["required_by"],
    )
    result = validator.validate(params)
    if result.error_messages:
        raise Failure("; ".join(result.error_messages))
    return result.validated_parameters


@dataclass
class Cluster:
    """One cluster of the lab, and the modules on it."""

    connection: dict[str, Any]

    def run(self, kind: str, *, check: bool = False, **options: Any) -> Outcome:
        """One task."""
        resource = BY_KIND[kind]
        outcome = reconcile.run(resource, validated(argument_spec(resource), {**self.connection, **options}), check)
        outcome.warnings = [text for text in outcome.warnings if "legacy_crypto let through" not in text]
        return outcome

    def info(self, *objects: dict[str, str], **options: Any) -> dict[str, Any]:
        """What cucm_object_info returns."""
        return self._serve(object_info, {"objects": list(objects), **options})

    def cluster_info(self, **options: Any) -> dict[str, Any]:
        """What cucm_info returns."""
        return self._serve(info, options)

    def saved(self, **options: Any) -> dict[str, Any]:
        """What cucm_backup returns."""
        return self._serve(backup_files, options)

    def _serve(self, part: Any, options: dict[str, Any]) -> dict[str, Any]:
        check = options.pop("check", False)
        params = validated(part.SPEC, {**self.connection, **options})
        outcome: Outcome = part.service(cast(AnsibleModule, SimpleNamespace(params=params, check_mode=check)))
        assert not outcome.changed
        return outcome.result

    def refused(self, kind: str, **options: Any) -> str:
        """The sentence with which a task fails."""
        with pytest.raises(Failure) as failure:
            self.run(kind, **options)
        return failure.value.msg


@dataclass
class Lab:
    """The running lab."""

    state: Path
    inventory: dict[str, Any]

    def cluster(self, name: str, **options: Any) -> Cluster:
        """A cluster by its name in the scenario."""
        found = self.inventory["cucm_clusters"]["hosts"][name]
        names = ("host", "port", "username", "password", "ca_path", "legacy_crypto")
        known = {option: found[f"cucm_{option}"] for option in names if f"cucm_{option}" in found}
        return Cluster({**known, **options})

    def written(self, since: int = 0) -> tuple[list[str], int]:
        """The writing operations that lab.log holds after so many lines, and the lines by now."""
        events = self.events(since)
        names = [str(event.get("operation")) for event in events if event.get("kind") == "axl"]
        return [name for name in names if name.startswith(WRITES)], since + len(events)

    def events(self, since: int = 0) -> list[dict[str, Any]]:
        """What lab.log holds after so many lines."""
        lines = (self.state / "lab.log").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines[since:]]

    def command(self, *words: str) -> str:
        """A command of the lab."""
        return cucm_lab(*words, "--state", str(self.state))


def cucm_lab(*words: str) -> str:
    """Run the lab's command line; fails aloud."""
    done = subprocess.run(
        [sys.executable, "-m", "cucm_lab", *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Six clusters, one a release, for the whole session."""
    with LabProcess(tmp_path_factory.mktemp("lab"), "releases") as process:
        yield Lab(process.state, yaml.safe_load(process.inventory.read_text(encoding="utf-8")))


# The two of the source document and the newest run always; those between them with the full matrix.
ALWAYS = ("9.1", "10.5", "15.0")
EACH = [pytest.param(version, marks=() if version in ALWAYS else pytest.mark.matrix) for version in RELEASES]


@pytest.fixture(params=EACH, ids=lambda version: f"release-{version}")
def version(request: pytest.FixtureRequest) -> str:
    """Each AXL version that the lab has a cluster of."""
    return str(request.param)


@pytest.fixture
def cluster(lab: Lab, version: str) -> Cluster:
    """The cluster of the release."""
    return lab.cluster(RELEASES[version])


@pytest.fixture(params=RELEASES, ids=lambda version: f"release-{version}")
def each_cluster(lab: Lab, request: pytest.FixtureRequest) -> Cluster:
    """The cluster of each release, always."""
    return lab.cluster(RELEASES[request.param])
