# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others use of the lab: its control interface as OpenAPI, snapshots, faults with a rate."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cucm_lab import openapi, release_table
from cucm_lab.control import COMMANDS, ControlError
from cucm_lab.faults import Faults
from cucm_lab.release import RELEASES
from cucm_lab.testing import LabProcess, cluster, write_scenario

pytestmark = pytest.mark.xdist_group("lab-product")


def test_every_command_is_in_the_openapi_document() -> None:
    assert openapi.ROUTES.keys() == COMMANDS.keys()
    document = json.loads(json.dumps(openapi.document()))
    assert {path.strip("/") for path in document["paths"]} == set(COMMANDS)
    rate = document["paths"]["/fault/add"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert rate["properties"]["rate"]["maximum"] == 1 and rate["required"] == ["interface", "action"]


def test_the_document_is_valid_openapi() -> None:
    """By a validator that nobody here wrote."""
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(openapi.document())


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    """Two small clusters."""
    folder = tmp_path_factory.mktemp("product")
    clusters = [cluster(21, "12.5"), cluster(22, "14")]
    with LabProcess(folder / "lab", write_scenario(folder / "own.yml", clusters)) as running:
        yield running


#: an order of each command that the lab carries out; `down` ends it
ORDERS: dict[str, dict[str, Any]] = {
    "status": {}, "call": {"cluster": "c21", "calling": "21001", "called": "21001"},
    "digits": {"cluster": "c21", "called": "21001", "calling": "21001"},
    "fault/add": {"interface": "ris", "action": "status", "rate": 0.5},
    "fault/list": {}, "fault/clear": {"id": 1}, "clock": {}, "events": {"kind": "lab"},
    "inferred": {"name": "sip.early_offer", "value": False}, "dump": {"cluster": "c21", "stable": True},
    "ca": {"what": "list"}, "csr": {"node": "C21N1"}, "phones": {"cluster": "c22"}, "syslog": {"server": ""},
    "openapi": {},
}  # fmt: skip


def test_the_lab_takes_what_the_document_describes(lab: LabProcess) -> None:
    for name, route in openapi.ROUTES.items():
        if name == "down":
            continue
        assert ORDERS[name].keys() <= route.fields.keys(), name
        try:
            answer = lab.ask(name, **ORDERS[name])
        except ControlError as refused:
            assert name == "ca" and "no CA" in str(refused), (name, refused)
            continue
        if route.answer.get("type"):
            assert isinstance(answer, list if route.answer["type"] == "array" else dict), name
        for field in route.required:
            left = {key: value for key, value in ORDERS[name].items() if key != field}
            with pytest.raises(ControlError):
                lab.ask(name, **left)


def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of the lab."""
    return subprocess.run(
        [sys.executable, "-m", "cucm_lab", *arguments], capture_output=True, text=True, check=False, timeout=120
    )


def test_a_snapshot_starts_the_same_lab_elsewhere(lab: LabProcess, tmp_path: Path) -> None:
    lab.ask("csr", node="C21N1")
    before = lab.ask("dump")
    file, state = tmp_path / "lab.zip", tmp_path / "other" / "state"
    saved = cli("save", str(file), "--state", str(lab.state))
    assert saved.returncode == 0, saved.stderr
    assert file.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            assert str(lab.state.parent).encode() not in archive.read(name), name
    lab.down()
    try:
        started = cli("load", str(file), "--state", str(state))
        assert started.returncode == 0, started.stderr
        other = LabProcess(state, net=lab.net)
        try:
            assert other.ask("dump") == before
            assert other.ask("call", cluster="c21", calling="21001", called="21001")["result"] == "answered"
        finally:
            other.down()
        again = cli("load", str(file), "--state", str(state))
        assert again.returncode == 1 and "is not empty" in again.stderr
    finally:
        lab.up()


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive"])
def test_a_file_that_is_no_snapshot_is_refused_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "lab.zip"
    file.write_bytes(content)
    done = cli("load", str(file), "--state", str(tmp_path / "state"))
    assert done.returncode == 1 and "is not a snapshot" in done.stderr and "Traceback" not in done.stderr


def test_a_snapshot_may_not_leave_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "lab.zip"
    with zipfile.ZipFile(file, "w") as archive:
        head = {"format": "cucm_lab snapshot", "version": 1, "net": "127.9", "scenario": "x"}
        archive.writestr("snapshot.json", json.dumps(head))
        archive.writestr("state/../../evil", "x")
    done = cli("load", str(file), "--state", str(tmp_path / "state"))
    assert done.returncode == 1 and "outside of its folder" in done.stderr
    assert not (tmp_path / "evil").exists()


def test_a_fault_with_a_rate_hits_that_share() -> None:
    faults = Faults(seed=7)
    faults.add(interface="axl", action="status", rate=0.25)
    hits = sum(faults.match("axl", "getPhone", "node") is not None for _unused in range(2000))
    assert 420 < hits < 580


def test_the_readme_shows_the_releases_of_the_source() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    _before, _marker, rest = text.partition("<!-- releases: made by cucm_lab.release_table.table() -->\n")
    assert rest.partition("<!-- /releases -->")[0] == release_table.table()
    for column in release_table.COLUMNS:
        letters = {letter.strip() for text in column.sources.values() for letter in text.split(",")}
        assert letters <= set(release_table.SOURCES) and RELEASES.keys() >= column.sources.keys()


def test_the_container_file_fits_the_package() -> None:
    """What its lines name is there: files, program, command and variable."""
    folder = Path(__file__).parents[2]
    text = (folder / "Containerfile").read_text(encoding="utf-8")
    lines = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
    steps = [(str(step), str(rest)) for step, rest in lines]
    assert [step for step, _rest in steps] == ["FROM", "COPY", "COPY", "RUN", "VOLUME", "ENV", "ENTRYPOINT", "CMD"]
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    copied = [source for step, rest in steps if step == "COPY" for source in rest.split()[:-1]]
    assert all((folder / source).exists() for source in copied) and {"pyproject.toml", project["readme"]} <= {*copied}
    named = dict(steps)
    assert json.loads(named["ENTRYPOINT"]) == [next(iter(project["scripts"]))]
    assert named["ENV"].startswith("CUCM_LAB_STATE=") and named["ENV"].partition("=")[2].startswith(named["VOLUME"])
    help_text = subprocess.run(
        [sys.executable, "-m", "cucm_lab", json.loads(named["CMD"])[0], "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert json.loads(named["CMD"])[1] in help_text
