# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shipped for AWX: every file loads, and what it refers to is there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.module_utils._module import APPLICATION, PLATFORM
from ansible_collections.siptls.cucm.plugins.module_utils._node.restart_times import Window

ROOT = Path(__file__).resolve().parents[2]
AWX = ROOT / "extensions" / "awx"
PATTERNS = sorted((ROOT / "extensions" / "patterns").iterdir())
ACCOUNTS = ("username", "password", "os_username", "os_password")


class Loader(yaml.SafeLoader):
    """YAML with Ansible's !unsafe, which keeps the controller's templates from being ours."""


class Unsafe(str):
    """A text that Ansible won't template."""


Loader.add_constructor("!unsafe", lambda loader, node: Unsafe(loader.construct_scalar(node)))  # type: ignore[arg-type]


def load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader)  # a subclass of SafeLoader


TYPES: list[dict[str, Any]] = load(AWX / "credential_types.yml")["cucm_awx_credential_types"]
TEMPLATES: list[dict[str, Any]] = load(AWX / "job_templates.yml")["cucm_awx_job_templates"]
WORKFLOW: dict[str, Any] = load(AWX / "workflow.yml")["cucm_awx_workflow"]
SCHEDULES: list[dict[str, Any]] = load(AWX / "workflow.yml")["cucm_awx_schedules"]
NAMES = {template["name"] for template in TEMPLATES}
#: playbooks that are run from a command line: one configures the controller itself, others leave files on it
NO_JOBS = {"awx_configure", "record", "rehearse", "truth"}


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind["name"])
def test_a_credential_type_injects_its_fields_and_keeps_secrets_secret(kind: dict[str, Any]) -> None:
    fields = {field["id"]: field for field in kind["inputs"]["fields"]}
    assert set(kind["inputs"]["required"]) <= set(fields)
    used: set[str] = set()
    for group in ("env", "extra_vars", "file"):
        for name, template in (kind["injectors"].get(group) or {}).items():
            assert isinstance(template, Unsafe), f"{name} would be templated by our own playbook"
            (inside,) = re.findall(r"{{ ([\w.]+) }}", template)
            used.add(inside)
            assert inside in fields or inside.startswith("tower.filename."), (
                f"{name} injects {inside}, which is no field"
            )
    files = {name.removeprefix("template.") for name in kind["injectors"].get("file") or {}}
    assert {name.rpartition(".")[2] for name in used if name.startswith("tower.")} == files
    assert set(fields) <= used, "a field that nothing injects"
    for name, field in fields.items():
        assert bool(field.get("secret")) == name.endswith(("password", "key", "passphrase"))


def test_the_shared_type_sets_what_the_modules_read() -> None:
    options = {**APPLICATION.options, **PLATFORM.options}
    read = {name for option in ACCOUNTS for name in options[option]["fallback"][1]}
    assert set(TYPES[0]["injectors"]["env"]) == read
    for name, template in TYPES[0]["injectors"]["env"].items():
        assert template == "{{ " + name.removeprefix("CUCM_").lower() + " }}"


@pytest.mark.parametrize("side", ["a", "b"])
def test_the_types_of_two_clusters_set_variables_that_the_inventory_hands_on(side: str) -> None:
    (kind,) = [credential for credential in TYPES if credential["name"].endswith(f"cluster {side.upper()}")]
    assert set(kind["injectors"]["extra_vars"]) == {f"cucm_{side}_{name}" for name in ACCOUNTS}
    assert set(kind["injectors"]["env"]) == {f"CUCM_{side.upper()}_{name.upper()}" for name in ACCOUNTS}
    for path in (AWX / "inventory.example.yml", *(pattern / "templates" / "inventory.yml" for pattern in PATTERNS)):
        hosts = load(path)["cucm_clusters"]["hosts"].values()
        (host,) = [host for host in hosts if f"cucm_{side}_username" in host["cucm_username"]]
        for name in ACCOUNTS:
            assert f"cucm_{side}_{name} " in host[f"cucm_{name}"]
            assert f"'CUCM_{side.upper()}_{name.upper()}'" in host[f"cucm_{name}"]


def test_the_ca_of_the_credential_is_what_the_inventory_reads() -> None:
    text = (AWX / "inventory.example.yml").read_text(encoding="utf-8")
    (kind,) = [credential for credential in TYPES if "file" in credential["injectors"]]
    providers = sorted((ROOT / "plugins" / "module_utils" / "_ca").glob("*.py"))
    module = "".join(path.read_text(encoding="utf-8") for path in providers)
    for name in kind["injectors"]["env"]:
        assert f"'{name}'" in text or f'"{name}"' in module, f"nobody reads {name}"


def known_variables(playbook: Path) -> dict[str, dict[str, Any]]:
    """What may be set for a playbook: the options of the roles, and its own variables."""
    found: dict[str, dict[str, Any]] = {}
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        for spec in load(path)["argument_specs"].values():
            found |= spec["options"]
    for play in load(playbook):
        found |= {name: {} for name in play.get("vars") or {}}
        found |= {"sip_tls_confirm": {}} if "sip_tls_confirm" in str(play) else {}
    return found


def questions() -> Iterator[Any]:
    for template in TEMPLATES:
        for question in template.get("survey_spec", {}).get("spec", []):
            yield pytest.param(template, question, id=f"{template['name']}-{question['variable']}")


@pytest.mark.parametrize(("template", "question"), list(questions()))
def test_a_survey_asks_for_what_there_is(template: dict[str, Any], question: dict[str, Any]) -> None:
    option = known_variables(ROOT / template["playbook"])[question["variable"]]
    kind = option.get("type", "str")
    assert question["type"] in {"int": ("integer",), "bool": ("multiplechoice",)}.get(kind, ("text", "multiplechoice"))
    assert {"question_name", "question_description", "required"} <= set(question)
    # What asks for a confirmation must not answer itself.
    assert ("default" in question) is (question["variable"] != "sip_tls_confirm")
    if question["type"] == "multiplechoice":
        assert question["default"] in question["choices"]
        # A playbook checks its own variables itself.
        assert not option or set(question["choices"]) <= set(option.get("choices") or ("true", "false"))
    if question["type"] == "integer":
        assert question["min"] <= question["default"] <= question["max"]
    if "default" in option and question["required"] and "default" in question:
        assert str(question["default"]).lower() == str(option["default"]).lower(), "another default than the role's"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template["name"])
def test_a_job_template_has_its_playbook_and_is_not_sliced(template: dict[str, Any]) -> None:
    assert (ROOT / template["playbook"]).is_file()
    assert isinstance(template["changes"], bool) and set(template["prompts"]) <= {"limit", "verbosity", "job_type"}
    assert ("job_type" in template["prompts"]) is template["changes"], "a job that changes something can be a check"


def test_there_is_a_template_for_everything_that_a_person_does() -> None:
    playbooks = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    assert {Path(template["playbook"]).stem for template in TEMPLATES} == playbooks - NO_JOBS


def test_the_workflow_goes_from_plan_over_an_approval_to_set_up_and_verify() -> None:
    nodes = {node["identifier"]: node for node in WORKFLOW["nodes"]}
    order, at = [], WORKFLOW["nodes"][0]["identifier"]
    while at:
        node = nodes[at]
        assert ("template" in node) != ("approval" in node)
        assert node.get("template", WORKFLOW["nodes"][0]["template"]) in NAMES
        order.append("approval" if "approval" in node else Path(playbook_of(node["template"])).stem)
        at = (node["success"] or [None])[0]
    assert order == ["plan", "approval", "sip_tls_trunk", "verify"] and len(order) == len(nodes)


def playbook_of(name: str) -> str:
    return str(next(template["playbook"] for template in TEMPLATES if template["name"] == name))


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule["name"])
def test_a_schedule_starts_a_template_that_asks_nothing_without_a_default(schedule: dict[str, Any]) -> None:
    assert schedule["template"] in NAMES
    assert re.fullmatch(
        r"DTSTART(;TZID=[\w/]+)?:\d{8}T\d{6}Z? RRULE:FREQ=\w+;INTERVAL=\d+(;BYDAY=\w+)?", schedule["rrule"]
    )


def test_the_nightly_renewal_restarts_only_in_a_window_that_each_node_meets() -> None:
    (nightly,) = (schedule for schedule in SCHEDULES if "renew" in schedule["template"])
    (template,) = (template for template in TEMPLATES if template["name"] == nightly["template"])
    asked = {question["variable"] for question in template["survey_spec"]["spec"]}
    assert set(nightly["answers"]) <= asked, "a controller ignores answers to questions that nobody asks"
    window = Window.parse(nightly["answers"]["callmanager_certificate_window"])
    every = int(re.search(r"FREQ=HOURLY;INTERVAL=(\d+)", nightly["rrule"])[1])  # type: ignore[index]
    assert window.end - window.start >= 60 * every, "a node of some time zone would never be restarted"
    assert nightly["answers"]["callmanager_certificate_drain"] > 0


@pytest.mark.parametrize("playbook", ["remove_sip_tls_trunk", "restore"])
def test_what_a_survey_has_to_confirm_is_checked_before_a_role_runs(playbook: str) -> None:
    (tasks,) = (play["tasks"] for play in load(ROOT / "playbooks" / f"{playbook}.yml") if play["hosts"] != "localhost")
    asserted = next(at for at, task in enumerate(tasks) if "sip_tls_confirm" in str(task.get("ansible.builtin.assert")))
    assert all("ansible.builtin.import_role" not in task for task in tasks[:asserted])


def test_nothing_that_is_generated_was_edited() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dev.generate_controller_data", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_aap_gets_the_same_objects() -> None:
    shown = {path.stem: load(path)[path.stem] for path in (ROOT / "extensions" / "aap").glob("controller_*.yml")}
    assert {row["name"] for row in shown["controller_templates"]} == NAMES
    for row in shown["controller_templates"]:
        assert {"organization", "project", "inventory", "credentials", "execution_environment"} <= set(row)
    assert all(row["unified_job_template"] in NAMES for row in shown["controller_schedules"])
    (workflow,) = shown["controller_workflows"]
    nodes = {node["identifier"]: node for node in workflow["simplified_workflow_nodes"]}
    assert all(set(node["success_nodes"]) <= set(nodes) for node in nodes.values())
    for kind in shown["controller_credential_types"]:
        for group in kind["injectors"].values():
            assert all(isinstance(template, Unsafe) for template in group.values())


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda path: path.name)
def test_a_pattern_is_whole(pattern: Path) -> None:
    meta = json.loads((pattern / "meta" / "pattern.json").read_text(encoding="utf-8"))
    assert meta["name"] == pattern.name and (pattern / "README.md").is_file()
    assert {"schema_version", "title", "description", "short_description", "tags", "aap_resources"} <= set(meta)
    resources = meta["aap_resources"]
    jobs = resources["controller_job_templates"]
    shipped = {path.name for path in (pattern / "playbooks").glob("*.yml") if not path.name.endswith(".meta.yml")}
    assert {job["playbook"] for job in jobs} == shipped
    assert [job["name"] for job in jobs if job.get("primary")] == ["SIP TLS trunks, set up"]
    assert {job["name"] for job in jobs} == NAMES
    for job in jobs:
        assert job["execution_environment"] == resources["controller_execution_environment"]["name"]
        assert set(job["labels"]) <= set(resources["controller_labels"])
        (play,) = load(pattern / "playbooks" / job["playbook"])
        imported = ROOT / "playbooks" / f"{play['ansible.builtin.import_playbook'].removeprefix('siptls.cucm.')}.yml"
        assert imported.is_file() and imported.name == Path(playbook_of(job["name"])).name
        asked = {question["variable"] for question in job.get("survey", {}).get("spec", [])}
        specs = load(pattern / "playbooks" / job["playbook"].replace(".yml", ".meta.yml"))["argument_specs"]
        assert set(specs["main"]["options"]) == asked <= set(known_variables(imported))


def test_the_execution_environments_are_of_version_3_and_bring_what_the_modules_need() -> None:
    shipped = load(ROOT / "meta" / "execution-environment.yml")
    assert shipped["version"] == 3 and (ROOT / shipped["dependencies"]["python"]).is_file()
    built = load(ROOT / "execution-environment.yml")
    assert built["version"] == 3 and built["images"]["base_image"]["name"]
    assert {"ansible_core", "ansible_runner", "galaxy", "python"} <= set(built["dependencies"])
