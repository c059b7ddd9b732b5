# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what infra.aap_configuration and the pattern know of the controller's objects, from extensions/awx/.

Run it after a change there: `python -m dev.generate_controller_data`. With --check it writes nothing and ends with 1
when a file differs from what it would write.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
AWX = ROOT / "extensions" / "awx"
AAP = ROOT / "extensions" / "aap"
PATTERN = ROOT / "extensions" / "patterns" / "sip_tls_trunk"
LABEL = "siptls.cucm"
HEAD = "# Written by dev/generate_controller_data.py from extensions/awx/; do not edit.\n"
#: what a user may set, with the defaults of playbooks/vars/awx.yml
SETTINGS = {
    "organization": "cucm_awx_organization",
    "project": "cucm_awx_project",
    "inventory": "cucm_awx_inventory",
    "execution_environment": "cucm_awx_execution_environment",
}
#: the playbooks of the pattern, by those of the collection
SHORT = {"sip_tls_trunk": "set_up", "renew_certificates": "renew", "remove_sip_tls_trunk": "remove"}


class Unsafe(str):
    """A text that Ansible must not template."""


class _Loader(yaml.SafeLoader):
    """YAML with Ansible's !unsafe."""


class _Dumper(yaml.SafeDumper):
    """YAML with Ansible's !unsafe, lists indented, no aliases."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Loader.add_constructor("!unsafe", lambda loader, node: Unsafe(loader.construct_scalar(node)))  # type: ignore[arg-type]
_Dumper.add_representer(Unsafe, lambda dumper, data: dumper.represent_scalar("!unsafe", data, '"'))


def source(name: str) -> dict[str, Any]:
    """A file of extensions/awx/."""
    found: dict[str, Any] = yaml.load((AWX / name).read_text(encoding="utf-8"), _Loader)  # a subclass of SafeLoader
    return found


TYPES: list[dict[str, Any]] = source("credential_types.yml")["cucm_awx_credential_types"]
TEMPLATES: list[dict[str, Any]] = source("job_templates.yml")["cucm_awx_job_templates"]
WORKFLOW: dict[str, Any] = source("workflow.yml")["cucm_awx_workflow"]
SCHEDULES: list[dict[str, Any]] = source("workflow.yml")["cucm_awx_schedules"]


def questions(template: dict[str, Any]) -> list[dict[str, Any]]:
    """The questions of a template's survey."""
    found: list[dict[str, Any]] = template.get("survey_spec", {}).get("spec", [])
    return found


def answers(name: str) -> dict[str, Any]:
    """The defaults of the required questions, which schedules and nodes have to bring along."""
    (template,) = (template for template in TEMPLATES if template["name"] == name)
    asked = questions(template)
    return {row["variable"]: row["default"] for row in asked if row["required"] and "default" in row}


def _setting(*names: str) -> dict[str, str]:
    return {name: "{{ " + SETTINGS[name] + " }}" for name in names}


def aap() -> dict[str, Any]:
    """The variables of the roles of infra.aap_configuration."""
    return {
        "controller_credential_types": [{"kind": "cloud", **kind} for kind in TYPES],
        "controller_instance_groups": [
            {"name": "{{ cucm_awx_instance_group }}", "policy_instance_percentage": 100, "max_concurrent_jobs": 1}
        ],
        "controller_templates": [_template(template) for template in TEMPLATES],
        "controller_workflows": [
            {
                "name": WORKFLOW["name"],
                "description": WORKFLOW["description"],
                **_setting("organization", "inventory"),
                "allow_simultaneous": False,
                "simplified_workflow_nodes": [_node(node) for node in WORKFLOW["nodes"]],
            }
        ],
        "controller_schedules": [
            {
                "name": schedule["name"],
                "unified_job_template": schedule["template"],
                **_setting("organization"),
                "rrule": schedule["rrule"],
                "extra_data": answers(schedule["template"]) | schedule.get("answers", {}),
            }
            for schedule in SCHEDULES
        ],
    }


def _template(template: dict[str, Any]) -> dict[str, Any]:
    group = {"instance_groups": ["{{ cucm_awx_instance_group }}"]} if template["changes"] else {}
    return {
        "name": template["name"],
        "description": template["description"],
        **_setting(*SETTINGS),
        "credentials": "{{ cucm_awx_credentials }}",
        "playbook": template["playbook"],
        "job_type": "run",
        "job_slice_count": 1,
        "allow_simultaneous": False,
        **group,
        "prevent_instance_group_fallback": template["changes"],
        **{f"ask_{name}_on_launch": True for name in template["prompts"]},
        "survey_enabled": "survey_spec" in template,
        **({"survey_spec": template["survey_spec"]} if "survey_spec" in template else {}),
    }


def _node(node: dict[str, Any]) -> dict[str, Any]:
    if "approval" in node:
        return {"identifier": node["identifier"], "approval_node": node["approval"], "success_nodes": node["success"]}
    return {
        "identifier": node["identifier"],
        "unified_job_template": node["template"],
        "extra_data": answers(node["template"]),
        "success_nodes": node["success"],
    }


def pattern() -> dict[str, Any]:
    """meta/pattern.json of the pattern, with what it says of itself kept."""
    meta: dict[str, Any] = json.loads((PATTERN / "meta" / "pattern.json").read_text(encoding="utf-8"))
    resources = meta["aap_resources"]
    environment = resources["controller_execution_environment"]["name"]
    resources["controller_job_templates"] = [_pattern_template(template, environment) for template in TEMPLATES]
    return meta


def _pattern_template(template: dict[str, Any], environment: str) -> dict[str, Any]:
    survey = template.get("survey_spec")
    return {
        "name": template["name"],
        "description": template["description"],
        "execution_environment": environment,
        "playbook": f"{short(template)}.yml",
        **({"primary": True} if template.get("primary") else {}),
        "labels": [LABEL],
        "fields_required_at_launch": ["credential", "inventory"],
        **({"survey": survey | {"spec": [_pattern_question(row) for row in survey["spec"]]}} if survey else {}),
    }


def _pattern_question(question: dict[str, Any]) -> dict[str, Any]:
    """A question as a pattern takes it: its types are those of the form, its defaults are texts."""
    kept = {name: value for name, value in question.items() if name not in ("min", "max", "type", "default")}
    kind = "text" if question["type"] == "integer" else question["type"]
    default = {"default": str(question["default"])} if "default" in question else {}
    return {"type": kind, **kept, **default}


def short(template: dict[str, Any]) -> str:
    """The name of a template's playbook in the pattern."""
    name = Path(template["playbook"]).stem
    return SHORT.get(name, name)


def _playbook(template: dict[str, Any]) -> str:
    name = Path(template["playbook"]).stem
    return f"---\n- name: {template['description'].split('. ')[0].rstrip('.')}\n" + (
        f"  ansible.builtin.import_playbook: siptls.cucm.{name}\n"
    )


def _playbook_meta(template: dict[str, Any]) -> dict[str, Any]:
    kinds = {"integer": "int"}
    options = {
        row["variable"]: {
            "type": "bool" if row.get("choices") == ["true", "false"] else kinds.get(row["type"], "str"),
            "required": row["required"] and "default" not in row,
            "description": f"{row['question_name']} {row['question_description']}",
        }
        for row in questions(template)
    }
    return {
        "short_description": template["name"],
        "description": template["description"],
        "argument_specs": {
            "main": {
                "short_description": template["name"],
                "description": [template["description"]],
                "author": ["siptls.cucm contributors"],
                "options": options,
                "examples": f"ansible-playbook siptls.cucm.{Path(template['playbook']).stem} -i inventory.yml",
            }
        },
    }


def dumped(data: Any, head: str = HEAD) -> str:
    """YAML as the repository lays it out."""
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
    return f"---\n{head}{text}"


def files() -> dict[Path, str]:
    """Everything that is generated, by its path."""
    found = {AAP / f"{name}.yml": dumped({name: value}) for name, value in aap().items()}
    found[PATTERN / "meta" / "pattern.json"] = json.dumps(pattern(), indent=2, ensure_ascii=False) + "\n"
    for template in TEMPLATES:
        found[PATTERN / "playbooks" / f"{short(template)}.yml"] = _playbook(template)
        found[PATTERN / "playbooks" / f"{short(template)}.meta.yml"] = dumped(_playbook_meta(template), head="")
    return found


def main(arguments: list[str]) -> int:
    """Write the files, or with --check name those that differ; the exit code."""
    differing = [
        path for path, text in files().items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in arguments:
        for path in differing:
            print(f"{path.relative_to(ROOT)} is not what dev/generate_controller_data.py writes")
        return 1 if differing else 0
    for path in differing:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files()[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
