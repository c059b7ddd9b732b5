# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to a cluster that behaves in another way than the lab's table says: the lab names what differs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._record import behavior
from cucm_lab import learning
from cucm_lab.testing import LabProcess, cluster, write_scenario

pytestmark = pytest.mark.xdist_group("learning")

ALTERED: dict[str, Any] = {
    "axl.unknown_operation": [5099, "No such operation: {operation}"],
    "axl.malformed": [5098, "Content is not allowed in prolog."],
    "axl.no_key": [-1, "Give the uuid or the name of the {object}"],
    "axl.sql_syntax": [201, "A syntax error has occurred."],
    "axl.callmanager_name": "{node}_CM",
    "axl.standard_sip_profile_ping": True,
    "shell.unknown_command": ["No such command"],
    "shell.no_certificate": "There is no file {name}",
    "shell.itl_verified": "ITL: verified",
    "certmgr.no_path": [410, "Gone"],
}


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, LabProcess]]:
    """A lab as it is, and one that was altered in ten rows."""
    folder = tmp_path_factory.mktemp("learning")
    plain = write_scenario(folder / "plain.yml", [cluster(41, "14")])
    altered = yaml.safe_load(Path(plain).read_text())
    altered["inferred"] = ALTERED
    (folder / "altered.yml").write_text(yaml.safe_dump(altered))
    with (
        LabProcess(folder / "a", plain) as lab,
        LabProcess(folder / "b", str(folder / "altered.yml")) as other,
    ):
        yield {"plain": lab, "altered": other}


def asked(lab: LabProcess, **options: str) -> dict[str, Any]:
    """The result of cucm_behavior_info, as it comes out of a module."""
    host = next(iter(yaml.safe_load(lab.inventory.read_text())["cucm_clusters"]["hosts"].values()))
    params = {name: option.get("default") for name, option in behavior.SPEC.options.items()}
    params |= {name.removeprefix("cucm_"): value for name, value in host.items() if name.startswith("cucm_")}
    params |= options
    outcome = behavior.service(SimpleNamespace(params=params, check_mode=False))  # type: ignore[arg-type]
    found: dict[str, Any] = json.loads(json.dumps(outcome.result))
    return found


def test_the_lab_as_it_is_differs_in_nothing(labs: dict[str, LabProcess]) -> None:
    before = labs["plain"].ask("dump")
    found = asked(labs["plain"])
    assert not found["unanswered"], found["unanswered"]
    assert set(found["answers"]) == set(behavior.QUESTIONS) == set(learning.LESSONS)
    assert learning.differences(found["answers"]) == []
    assert labs["plain"].ask("dump") == before, "nothing was written"
    assert "127." not in json.dumps(found["answers"])


def rejected(lab: LabProcess) -> list[str]:
    """The accounts whose password the cluster has rejected, each as often as it was tried."""
    return [event["account"] for event in lab.events() if event.get("result") in ("refused", "locked")]


def test_a_password_that_was_rejected_is_tried_by_no_other_question(labs: dict[str, LabProcess]) -> None:
    lab = labs["plain"]
    found = asked(lab, os_password="not the password")
    assert rejected(lab) == ["osadmin"], "CUCM locks accounts"
    assert {name.split("_")[0] for name in found["unanswered"]} == {"cli", "rest"}
    assert all("tried once only" in text for text in found["unanswered"].values())
    with pytest.raises(Failure, match="tried once only"):
        asked(lab, password="not the password")
    assert rejected(lab) == ["osadmin", "axladmin"]


def test_ten_altered_rows_are_named_and_patched(labs: dict[str, LabProcess], tmp_path: Path) -> None:
    found = asked(labs["altered"])
    file = tmp_path / "01.yml"
    answers = {"format": learning.FORMAT, "version": 1, "release": found["version"], "answers": found["answers"]}
    file.write_text(yaml.safe_dump(answers))
    differences = learning.differences(learning.load(file)["answers"])
    assert {difference.row for difference in differences} == set(ALTERED)
    assert yaml.safe_load(learning.overrides(differences))["inferred"] == ALTERED
    done = subprocess.run(
        [sys.executable, "-m", "cucm_lab", "learn", str(file), "--patch", str(tmp_path / "learned.patch")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "10 rows of the table differ" in done.stdout
    patched(tmp_path)


def patched(folder: Path) -> None:
    """The patch applies to the lab's source, and the table then says what was seen."""
    source = Path(learning.__file__).parents[1]
    subprocess.run(["cp", "-r", str(source), str(folder / "lab")], check=True)
    subprocess.run(["git", "apply", "--directory", "lab", "learned.patch"], cwd=folder, check=True, capture_output=True)
    show = (
        "import json; from cucm_lab.packages import load_all; load_all();"
        "from cucm_lab.inferred import INFERRED; print(json.dumps({k: g.value for k, g in INFERRED.items()}))"
    )
    out = subprocess.run(
        [sys.executable, "-c", show], cwd=folder / "lab", capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(folder / "lab")},
    ).stdout  # fmt: skip
    table = json.loads(out)
    assert {row: table[row] for row in ALTERED} == ALTERED


@pytest.mark.parametrize("text", ["[]", "format: siptls.cucm answers\nversion: 2", "format: ["])
def test_a_file_without_answers_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "answers.yml"
    file.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "cucm_lab", "learn", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and str(file) in done.stderr and "Traceback" not in done.stderr
