# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every playbook and role has to have: whole runs only, and options that mean the same as text."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.filter.preflight_inventory import preflight_inventory
from ansible_collections.siptls.cucm.plugins.filter.sip_tls_messages import sip_tls_messages
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import SETTING_TYPES, typed_settings
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.inventory import RENAMED

ROOT = Path(__file__).resolve().parents[2]
#: the playbooks that lead to a write, or predict one
PLAYBOOKS = ("plan", "remove_sip_tls_trunk", "renew_certificates", "restore", "roll_over_ca", "sip_tls_trunk", "verify")
ROLE_TASKS = ("ansible.builtin.import_role", "ansible.builtin.include_role")
#: options that a filter takes as text as well
CONVERTED_BY_FILTERS = {
    "preflight_warn_days", "preflight_backdating", "callmanager_certificate_days", "callmanager_certificate_drain",
    "callmanager_certificate_renew_before",
}  # fmt: skip
#: other variables that are not text
VARIABLES = {"cucm_transit": "bool", "cucm_legacy_crypto": "bool", "sip_tls_renewal_enforce": "bool"}


def plays(name: str) -> list[dict[str, Any]]:
    """The plays over the clusters of a playbook."""
    content: list[dict[str, Any]] = yaml.safe_load((ROOT / "playbooks" / f"{name}.yml").read_text(encoding="utf-8"))
    return [play for play in content if play.get("hosts") == "cucm_clusters"]


def tasks_of(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All tasks, those in blocks included, which have the conditions of their block too."""
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            for inner in tasks_of(task.get(part) or []):
                yield {**inner, "when": [task.get("when"), inner.get("when")]}


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_no_role_of_a_playbook_runs_without_the_first_task(name: str) -> None:
    first, *others = plays(name)
    assert first["tasks"][0]["ansible.builtin.import_tasks"] == "tasks/check_tags.yml"
    roles = [role for play in (first, *others) for role in play.get("roles", ())]
    used = [
        task for play in (first, *others) for task in tasks_of(play.get("tasks", [])) if set(ROLE_TASKS) & set(task)
    ]
    # A report writes no more than pages, and reads facts that nothing sets when the run was begun later.
    used = [task for task in used if "sip_tls_report" not in str(task)]
    assert roles or used
    for use in (*roles, *used):
        assert "cucm_whole_run" in str(use.get("when")), use


@pytest.mark.parametrize("path", sorted((ROOT / "playbooks").glob("*.yml")), ids=lambda path: path.stem)
def test_every_play_over_the_clusters_names_its_strategy(path: Path) -> None:
    # With strategy free in ansible.cfg one cluster would be changed while another one is still being checked.
    assert {play.get("strategy") for play in plays(path.stem)} <= {"ansible.builtin.linear"}


#: what a message may contain as it is: short parts, paths, the document of plan.yml, and the list of preflight
SHORT = (
    "{{ inventory_hostname }}", "{{ sip_tls_confirm | default('') }}", "{{ preflight_message }}",
    "{{ callmanager_certificate_sign_tasks }}", "{{ callmanager_certificate_provider }}",
    "{{ callmanager_certificate_request.item.name }}", "{{ sip_tls_undo_backup_path }}",
    "{{ truth_written.dest | default(truth_written.path | default('')) }}",
    "{{ cluster_record_written.dest | default(cluster_record_written.path | default('')) }}",
    "{{ sip_tls_report_path | siptls.cucm.absolute_path }}",
    "{{ lookup('ansible.builtin.template', 'plan.md.j2').splitlines() }}",
    "{{ 'would trust' if ansible_check_mode else 'trusts' }}",
)  # fmt: skip
SHORTENED = "| siptls.cucm.sip_tls_messages(ansible_verbosity) }}"


def messages() -> Iterator[tuple[Path, str]]:
    """The messages of all tasks that show one or end a run."""
    roles, playbooks = (ROOT / "roles").glob("*/tasks/*.yml"), (ROOT / "playbooks").rglob("*.yml")
    for path in (*roles, *playbooks):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        entries = content if isinstance(content, list) else []
        plays_ = [task for entry in entries for part in ("tasks", "pre_tasks") for task in entry.get(part) or []]
        for task in tasks_of([*entries, *plays_]):
            for module in ("fail", "assert", "debug"):
                given = task.get(f"ansible.builtin.{module}") or {}
                yield from ((path, str(given[key])) for key in ("msg", "fail_msg", "success_msg") if key in given)


def without_short_parts(text: str) -> str:
    """A message without the parts that it may contain as they are."""
    for part in SHORT:
        text = text.replace(part, "")
    return text


def test_no_message_of_a_task_is_longer_than_a_person_reads() -> None:
    found = list(messages())
    assert len(found) > 40
    unbounded = [(path.name, text) for path, text in found if "{{" in without_short_parts(text)]
    assert not [message for message in unbounded if not message[1].endswith(SHORTENED)]


def test_messages_are_shortened_and_v_shows_them_whole(tmp_path: Path) -> None:
    nodes = ", ".join(f"NODE{number}" for number in range(900))
    texts = [f"The nodes {nodes} have no certificate. Sign them.", "Short."]
    given: dict[str, Any] = {"vars": {"texts": texts}, "ignore_errors": True}
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [
        {"ansible.builtin.assert": {"that": False, "fail_msg": "{{ texts " + SHORTENED}, **given, "register": "listed"},
        {"ansible.builtin.fail": {"msg": "{{ texts[0] " + SHORTENED}, **given, "register": "single"},
        {"ansible.builtin.copy": {"content": "{{ [listed.msg, [single.msg]] | flatten | to_json }}",
                                  "dest": str(tmp_path / "said")}},
    ]}  # fmt: skip
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    order = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-c", "local",
             "-e", f"ansible_python_interpreter={sys.executable}", str(tmp_path / "play.yml")]  # fmt: skip
    done = subprocess.run(
        order,
        env=os.environ | {"ANSIBLE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    first, second, alone = json.loads((tmp_path / "said").read_text(encoding="utf-8"))
    assert second == "Short." and first == alone and len(first) <= 600
    assert first.endswith("have no certificate. Sign them. (-v shows the whole message)")
    assert sip_tls_messages(texts, 1) == texts and sip_tls_messages(texts[0], "1") == texts[0]


def options() -> dict[str, str]:
    """The options of all roles that are not text, with their types."""
    found = dict(VARIABLES)
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values():
            found |= {name: rule["type"] for name, rule in entry["options"].items() if rule["type"] in ("bool", "int")}
    return found


def uses(text: str, name: str) -> Iterator[str]:
    """The lines of a file in which an option is used as it is, and not handed on whole to a module."""
    for line in text.splitlines():
        if line.lstrip().startswith(("#", f"{name}:")) or re.search(rf"\.{name}\b", line):
            continue
        for match in re.finditer(rf"(?<!\w){name}(?!\w)", line):
            before, after = line[: match.start()], line[match.end() :]
            whole = before.endswith('"{{ ') and re.match(r'\s*(\|\s*default\((omit|true|false)\))?\s*\}\}"', after)
            if not whole and not re.match(r"\s*(\|\s*default\([^)]*\)\s*)?\|\s*(bool|int)\b", after):
                yield line.strip()


def test_an_option_that_is_not_text_is_converted_wherever_an_expression_uses_it() -> None:
    folders = [*(ROOT / "roles").glob("*/[tdv]*"), ROOT / "playbooks"]
    files = [path for folder in folders for path in folder.rglob("*.yml")]
    typed = {name: kind for name, kind in options().items() if name not in CONVERTED_BY_FILTERS}
    assert len(files) > 20 and len(typed) > 25
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in files
        for name in typed
        for line in uses(path.read_text(encoding="utf-8"), name)
        if "Nothing was changed. To restore" not in line
    ]
    assert not found


def test_the_scan_finds_what_it_looks_for() -> None:
    text = 'x: "{{ 1 if wide else 2 }}"\ny: "{{ wide }}"\nz: "{{ wide | bool }}"\nwide: true\n'
    assert list(uses(text, "wide")) == ['x: "{{ 1 if wide else 2 }}"']


def test_each_setting_that_is_not_text_has_its_type() -> None:
    spec = yaml.safe_load((ROOT / "roles/sip_tls_trunk/meta/argument_specs.yml").read_text(encoding="utf-8"))
    types = {name: rule["type"] for name, rule in spec["argument_specs"]["main"]["options"].items()}
    handed_on = yaml.safe_load((ROOT / "roles/sip_tls_trunk/vars/main.yml").read_text(encoding="utf-8"))
    names = {
        name for name in handed_on["sip_tls_trunk_settings"] if types.get(f"sip_tls_trunk_{name}") in ("int", "bool")
    }
    assert names == set(SETTING_TYPES)


def test_settings_as_text_mean_what_they_say() -> None:
    said = {"port": "5071", "srtp_allowed": "false", "run_on_every_node": "yes", "name": "12", "profile": None}
    meant = {"port": 5071, "srtp_allowed": False, "run_on_every_node": True, "name": "12", "profile": None}
    assert typed_settings(said) == meant
    assert typed_settings({"port": "many"}) == {"port": "many"}


def test_old_names_of_options_are_deprecated_and_still_work(capfd: pytest.CaptureFixture[str]) -> None:
    old, new = "sip_tls_trunk_backup_path", "sip_tls_undo_backup_path"
    defaults = yaml.safe_load((ROOT / "roles/sip_tls_undo/defaults/main.yml").read_text(encoding="utf-8"))
    assert set(RENAMED.values()) <= set(defaults) and all(old in defaults[RENAMED[old]] for old in RENAMED)
    preflight_inventory({old: "records"}, "cucma", options=[new])
    shown = " ".join(capfd.readouterr().err.split())
    assert "DEPRECATION WARNING" in shown and f"{old} is an old name of {new}. Rename the variable" in shown
    assert "3.0.0" in shown
