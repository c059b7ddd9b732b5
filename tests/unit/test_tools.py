# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools of the repository: which Python is taken, what a failed set-up says, the page of failure sentences."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._node.refusals import REFUSALS
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight import inventory
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import fingerprint_of, read_certificates

from dev import failure_sentences, inventory_variables

FIND = ROOT / "dev" / "find_python.sh"


def find_python(path: Path | str, named: str = "") -> subprocess.CompletedProcess[str]:
    order = ["/bin/sh", str(FIND), named]
    return subprocess.run(order, env={"PATH": str(path)}, text=True, capture_output=True, timeout=60, check=False)


def interpreter(folder: Path, name: str, *, new: bool, venv: bool) -> None:
    """A program that answers as a Python of that kind answers to the two questions that are asked."""
    script = f'#!/bin/sh\ncase "$2" in\n*version_info*) exit {0 if new else 1};;\n*) exit {0 if venv else 1};;\nesac\n'
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)


def test_a_new_enough_python_is_found_behind_an_old_one(tmp_path: Path) -> None:
    interpreter(tmp_path, "python3", new=False, venv=True)
    interpreter(tmp_path, "python3.12", new=True, venv=False)
    interpreter(tmp_path, "python3.13", new=True, venv=True)
    assert find_python(tmp_path).stdout == "python3.13\n"


def test_this_python_is_taken_when_it_is_named() -> None:
    found = find_python(os.environ["PATH"], sys.executable)
    assert (found.returncode, found.stdout.strip()) == (0, sys.executable)


@pytest.mark.parametrize(
    ("new", "venv", "named", "words"),
    [
        (False, True, "", "No Python 3.11 or newer was found"),
        (True, False, "", "on Debian install python3-venv"),
        (False, True, "python3", "python3 is not a Python 3.11 or newer"),
    ],
    ids=["too old", "without venv", "named, too old"],
)
def test_a_sentence_says_why_no_python_serves(tmp_path: Path, new: bool, venv: bool, named: str, words: str) -> None:
    interpreter(tmp_path, "python3", new=new, venv=venv)
    found = find_python(tmp_path, named)
    assert found.returncode == 1 and not found.stdout and words in found.stderr


def test_make_fails_with_pips_words_when_pip_fails(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.txt", "dev/find_python.sh", "lab/pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "requirements.txt").write_text("siptls-no-such-package\n")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / ".venv"], check=True)
    environment = os.environ | {"PIP_NO_INDEX": "1"}
    order = ["make", "setup", f"PYTHON={sys.executable}"]
    done = subprocess.run(
        order, cwd=tmp_path, env=environment, text=True, capture_output=True, timeout=120, check=False
    )
    assert done.returncode != 0 and "siptls-no-such-package" in done.stderr
    assert not (tmp_path / ".venv" / ".stamp").exists()


@functools.cache
def sentences() -> list[failure_sentences.Sentence]:
    return failure_sentences.sentences(ROOT)


#: they share the sentences, whose gathering takes seconds
of_sentences = pytest.mark.xdist_group("failure-sentences")


@of_sentences
def test_the_page_has_the_sentences_of_every_phase() -> None:
    phases = {sentence.phase for sentence in sentences()}
    assert phases == {phase.title for phase in failure_sentences.PHASES}
    assert len(sentences()) > 350
    page = failure_sentences.page(ROOT)
    assert all(failure_sentences._rst(sentence.text) in page for sentence in sentences())


@of_sentences
def test_no_sentence_has_the_name_of_a_constant() -> None:
    holes = {
        hole
        for sentence in sentences()
        for text in (sentence.text, sentence.remedy)
        for hole in failure_sentences.HOLE.findall(text)
    }
    assert not [hole for hole in holes if hole.isupper() and len(hole) > 5]


def listed(said: str) -> bool:
    """Whether a sentence that was really said is one of the page, whatever was filled in."""
    return any(
        re.fullmatch(".*".join(map(re.escape, failure_sentences.HOLE.split(sentence.text))), said, re.DOTALL)
        for sentence in sentences()
    )


@of_sentences
def test_what_is_really_said_is_listed() -> None:
    said = [str(AxlFault("addSipTrunk of T", "-239", "Could not insert new row - duplicate value in a UNIQUE INDEX"))]
    for wrong in (lambda: fingerprint_of("nonsense", "replaces"), lambda: read_certificates(b"nonsense")):
        with pytest.raises(Failure) as failed:
            wrong()
        said.append(failed.value.msg)
    assert len(said) == 3 and all(map(listed, said)), said
    assert not listed("Something that nobody says.")


@of_sentences
def test_every_refusal_of_the_certificate_store_is_listed_with_its_remedy() -> None:
    remedies = {sentence.text: sentence.remedy for sentence in sentences()}
    for refusal in REFUSALS:
        cause = failure_sentences._sentence(refusal.cause)
        assert remedies[cause] == failure_sentences._sentence(refusal.remedy)


def test_the_page_of_variables_has_every_variable_that_preflight_accepts() -> None:
    listed = [name for variables in inventory_variables.general(ROOT).values() for name in variables]
    # Preflight knows nothing of the variables of playbooks, which have other beginnings.
    general = {name for name in listed if name.startswith(inventory.PREFIXES)}
    assert general == {*inventory.CONNECTION, *inventory.OTHERS} and len(listed) == len(set(listed))
    page = inventory_variables.fill(inventory_variables.MARK, ROOT)
    options = set()
    for spec in ROOT.glob("roles/*/meta/argument_specs.yml"):
        options |= set(yaml.safe_load(spec.read_text())["argument_specs"]["main"]["options"])
    assert len(options) > 50
    assert set(re.findall(r"^``(\w+)``", page, re.MULTILINE)) == {*listed, *options}
