# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doctor's page and data: each next step once, each direction with its cause and what shows it."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict import doctor, doctor_files, verdict

from tests.unit.verdict import test_doctor
from tests.unit.verdict import test_verdict as broken

ATTACK = "<script>alert(1)</script>"


def diagnoses(evidence: dict[str, Any]) -> list[dict[str, Any]]:
    cases = verdict.directions_of(evidence["clusters"], evidence["directions"], now=broken.NOW)
    return [doctor.diagnose(case) for case in cases]


def test_the_page_says_what_to_do_and_why(tmp_path: Path) -> None:
    evidence = broken.sound()
    broken.break_peer_trust(evidence)
    test_doctor.out_of_service(evidence, "Local=2")
    found = diagnoses(evidence)
    changed, paths = doctor_files.write(str(tmp_path / "new"), found, pretend=False)
    assert changed and paths == [str(tmp_path / "new" / name) for name in ("diagnosis.html", "diagnosis.json")]
    assert doctor_files.write(str(tmp_path / "new"), found, pretend=False)[0] is False
    assert json.loads((tmp_path / "new/diagnosis.json").read_text())["diagnoses"] == found
    page = (tmp_path / "new/diagnosis.html").read_text()
    for said in ("1 of 2 directions down", "does not work", found[0]["explanation"], found[0]["next_step"],
                 found[0]["evidence"][0]["text"]):  # fmt: skip
        assert escape(said, quote=False) in page or escape(said).replace("&#x27;", "&#39;") in page, said


def test_a_step_is_listed_once_with_all_directions_that_it_helps() -> None:
    direction = {"from": "a", "to": "b", "next_step": "Restart.", "works": False, "cause": "x"}
    other = {**direction, "from": "b", "to": "a"}
    steps = doctor_files.steps([{**direction, "next_step": "Rare."}, direction, other])
    assert steps == [{"text": "Restart.", "ways": ["a to b", "b to a"]}, {"text": "Rare.", "ways": ["a to b"]}]


def test_a_page_without_a_cause(tmp_path: Path) -> None:
    evidence = broken.sound()
    for direction in evidence["directions"]:
        direction["status"] = {"in_service": True}
    doctor_files.write(str(tmp_path), diagnoses(evidence), pretend=False)
    page = (tmp_path / "diagnosis.html").read_text()
    assert "No problem" in page and "The trunk works." in page and "What to do" not in page


def test_texts_of_others_stay_texts(tmp_path: Path) -> None:
    evidence = broken.sound()
    test_doctor.trace(evidence, "cucma", kind="issuer_missing", remote_ip="10.0.0.2", meaning=ATTACK)
    evidence["traces"][0]["trouble"][0]["text"] = ATTACK
    cases = verdict.directions_of(
        evidence["clusters"], evidence["directions"], traces=evidence["traces"], now=broken.NOW
    )
    doctor_files.write(str(tmp_path), [doctor.diagnose(case) for case in cases], pretend=False)
    page = (tmp_path / "diagnosis.html").read_text()
    assert "alert(1)" in page and "<script" not in page
