# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the faces: specifications add up, results and failures leave by the right door."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import (
    APPLICATION,
    CONNECTION,
    PLATFORM,
    ArgSpec,
    Outcome,
    missing_libraries,
)

HEAD = """
import sys
from ansible_collections.siptls.cucm.plugins.module_utils._module import *
from ansible_collections.siptls.cucm.plugins.module_utils._module import Face, Failure, Outcome, ArgSpec, run_module
spec = ArgSpec(options={"secret": {"type": "str", "no_log": True}})
"""


def play(tmp_path: Path, body: str, *, needs: str = "()", **params: Any) -> dict[str, Any]:
    """Run a module as Ansible does: a process of its own, arguments as JSON, one JSON result."""
    path = tmp_path / "face.py"
    path.write_text(
        HEAD + textwrap.dedent(body) + f"\nrun_module(Face(spec, service, needs={needs}))\n", encoding="utf-8"
    )
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {"secret": "hunter2-hunter2", **params}})
    done = subprocess.run(
        [sys.executable, str(path)], input=arguments, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    result["_rc"] = done.returncode
    return result


def test_results_and_warnings_leave_through_exit_json(tmp_path: Path) -> None:
    body = """
    def service(module):
        return Outcome(True, before={"a": 1}, after={"a": 2}, result={"changed": "no", "x": 1}, warnings=["careful"])
    """
    result = play(tmp_path, body, _ansible_diff=True)
    assert result["_rc"] == 0 and result["changed"] is True and result["x"] == 1
    assert result["diff"] == {"before": {"a": 1}, "after": {"a": 2}}
    assert "careful" in str(result["warnings"])
    assert "diff" not in play(tmp_path, body)


def test_a_failure_is_a_sentence_with_facts(tmp_path: Path) -> None:
    body = """
    def service(module):
        raise Failure("It was refused.", status=503)
    """
    result = play(tmp_path, body)
    assert result["failed"] and result["msg"] == "It was refused." and result["status"] == 503
    assert "exception" not in result


def test_a_message_has_at_most_600_characters_and_v_shows_all_of_it(tmp_path: Path) -> None:
    body = """
    def service(module):
        raise Failure(f"Reading trunks on cucma failed. CUCM said {'no ' * 400}. Give the account the role.")
    """
    short, whole = play(tmp_path, body)["msg"], play(tmp_path, body, _ansible_verbosity=1)["msg"]
    assert len(short) <= 600 and short.startswith("Reading trunks on cucma failed. CUCM said no")
    assert short.endswith("Give the account the role. (-v shows the whole message)") and " … " in short
    assert len(whole) > 1200 and whole.endswith("Give the account the role.")


def test_problems_and_warnings_have_at_most_600_characters_too(tmp_path: Path) -> None:
    failing = """
    def service(module):
        raise Failure("Two things are wrong.", problems=["the name " + "n" * 900 + " is too long", "short"])
    """
    short, whole = play(tmp_path, failing)["problems"], play(tmp_path, failing, _ansible_verbosity=1)["problems"]
    assert len(short[0]) <= 600 and short[1] == "short" and len(whole[0]) > 900
    warned = """
    def service(module):
        return Outcome(warnings=["The peers " + "p " * 900 + "are not known."])
    """
    assert "-v shows the whole message" in str(play(tmp_path, warned)["warnings"])
    assert (
        len(str(play(tmp_path, warned, _ansible_verbosity=1)["warnings"]))
        > 1800
        > len(str(play(tmp_path, warned)["warnings"]))
    )


def test_an_unknown_error_tells_its_place_and_no_secret(tmp_path: Path) -> None:
    body = """
    def service(module):
        raise ValueError("cannot use " + module.params["secret"])
    """
    result = play(tmp_path, body)
    assert result["failed"] and "ValueError" in result["msg"] and "face.py:" in result["msg"]
    assert "hunter2" not in json.dumps({key: value for key, value in result.items() if key != "invocation"})
    verbose = play(tmp_path, body, _ansible_verbosity=3)
    assert "in service" in str(verbose["frames"]) and "hunter2" not in str(verbose["frames"])


def test_a_missing_library_is_named(tmp_path: Path) -> None:
    result = play(tmp_path, "def service(module): return Outcome()", needs="('no_such_library',)")
    assert result["failed"] and "no_such_library" in result["msg"]
    assert missing_libraries(["json", "no_such_library"]) == ["no_such_library"]


def test_specifications_add_up() -> None:
    both = APPLICATION + PLATFORM
    assert set(CONNECTION.options) < set(both.options)
    assert both.options["password"]["no_log"] and both.options["os_password"]["no_log"]
    rule = ArgSpec(options={"a": {"type": "str"}}, mutually_exclusive=(("a", "b"),), required_by={"a": ("b",)})
    assert (rule + rule).mutually_exclusive == (("a", "b"),)
    assert (rule + ArgSpec(options={"a": {"type": "int"}})).options["a"]["type"] == "int"
    relaxed = APPLICATION.optional("username", "password")
    assert "required" not in relaxed.options["username"] and APPLICATION.options["username"]["required"]


def test_an_outcome_without_anything_to_compare_has_no_diff() -> None:
    assert Outcome().ready_diff() is None
    assert Outcome(after={"a": 1}).ready_diff() == {"before": {}, "after": {"a": 1}}
    assert Outcome(before=1, diff=[{"before": ""}]).ready_diff() == [{"before": ""}]
