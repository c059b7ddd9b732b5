# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection says of itself: action groups, documentation and argument specs, roles, committed files."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if (path / "tasks").is_dir())
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
FQCN = "siptls.cucm."
#: which fragment of attributes says which action groups a module is in
MEMBERSHIP = {"cucm": {"cucm"}, "platform_group": {"platform"}, "both": {"cucm", "platform"}}


def constant(path: Path, name: str) -> str:
    """A string constant of a module, without importing it."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"{path.name} has no {name}")


def tracked() -> list[Path]:
    """Every committed file."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git repository, so nothing tells which files are committed")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) >= 6 and len(ROLES) >= 4 and PLAYBOOKS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_is_documented(path: Path) -> None:
    documentation = yaml.safe_load(constant(path, "DOCUMENTATION"))
    assert documentation["module"] == path.stem
    assert documentation["version_added"] == "1.0.0"
    examples = yaml.safe_load(constant(path, "EXAMPLES"))
    assert any(FQCN + path.stem in task for task in examples), "no example uses the module by its full name"
    assert yaml.safe_load(constant(path, "RETURN"))


def groups_of(path: Path) -> set[str]:
    """The action groups that a module's documentation says it is in."""
    fragments = yaml.safe_load(constant(path, "DOCUMENTATION")).get("extends_documentation_fragment") or ()
    return {group for name in fragments for group in MEMBERSHIP.get(name.removeprefix(f"{FQCN}attributes."), ())}


@pytest.mark.parametrize("group", ["cucm", "platform"])
def test_an_action_group_holds_the_modules_that_say_so(group: str) -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    assert set(runtime["action_groups"][group]) == {path.stem for path in MODULES if group in groups_of(path)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_with_an_account_is_in_its_action_group(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    accounts = {
        group
        for group, signs in (
            ("cucm", ("siptls.cucm.application", "  username:")),
            ("platform", ("siptls.cucm.platform", "  os_username:")),
        )
        if any(f"\n  - {sign}\n" in text or f"\n{sign}\n" in text for sign in signs)
    }
    assert groups_of(path) == accounts


def spec_of(role: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"]
    return found


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_roles_options_are_its_defaults(role: Path) -> None:
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text()) or {}
    options = spec_of(role)["main"]["options"]
    assert set(options) == set(defaults)
    for name, option in options.items():
        assert name.startswith(f"{role.name}_") and option["description"] and option["type"]
        plain = not (isinstance(defaults[name], str) and "{{" in defaults[name])
        if plain:
            assert option.get("default") == defaults[name], f"{name}: documented and real default differ"


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_takes_no_secret(role: Path) -> None:
    text = " ".join(spec_of(role)["main"]["options"])
    assert not re.search(r"password|passphrase|secret|token|_key\b", text)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_roles_readme_names_each_option(role: Path) -> None:
    readme = (role / "README.md").read_text(encoding="utf-8")
    missing = [name for name in spec_of(role)["main"]["options"] if f"`{name}`" not in readme]
    assert not missing


def test_filters_are_internal_unless_users_need_them() -> None:
    filters = sorted((ROOT / "plugins" / "filter").glob("[a-z]*.py"))
    public = {
        path.stem
        for path in filters
        if "Internal to the roles of this collection" not in constant(path, "DOCUMENTATION")
    }
    assert public == {"absolute_path", "pem_chain"}
    # docs/architecture.md says of each which step of a role it is.
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| [^|]*\| `(\w+)` \| ", page, re.MULTILINE)
    assert sorted(listed) == [path.stem for path in filters] and f"There are {len(filters)} filters:" in page


def modules_used(text: str) -> set[str]:
    return set(re.findall(r"^\s*-?\s*siptls\.cucm\.(\w+):", text, re.MULTILINE))


def test_roles_and_playbooks_use_modules_that_exist_by_their_full_name() -> None:
    files = [path for role in ROLES for path in (role / "tasks").glob("*.yml")] + PLAYBOOKS
    used = {name for path in files for name in modules_used(path.read_text())}
    assert {"cucm_csr", "ca_sign", "cucm_cert_upload", "cucm_sip_trunk"} <= used
    assert not used - {path.stem for path in MODULES}
    short = {
        (path.name, name)
        for path in files
        for name in re.findall(r"^\s*-?\s*(\w+):\s*$", path.read_text(), re.MULTILINE)
        if name in {module.stem for module in MODULES}
    }
    assert not short


def each_task(content: Any) -> Iterator[dict[str, Any]]:
    """Every mapping of a file of tasks or plays, blocks and handlers included."""
    if isinstance(content, dict):
        yield content
    for part in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from each_task(part)


def test_every_job_in_the_background_names_its_folder() -> None:
    """Ansible's default is in HOME for the one and in the account's home for the other, where these two differ."""
    files = [path for role in ROLES for path in (role / "tasks").glob("*.yml")] + PLAYBOOKS
    found = [
        (path.name, task)
        for path in files
        for task in each_task(yaml.safe_load(path.read_text()))
        if "async" in task or "ansible.builtin.async_status" in task
    ]
    assert "rehearse.yml" in {name for name, _task in found}
    assert not [(name, task["name"]) for name, task in found if "ansible_async_dir" not in task.get("vars", {})]


def test_every_play_takes_its_connections_from_one_file() -> None:
    seen = 0
    for path in PLAYBOOKS:
        for play in yaml.safe_load(path.read_text()):
            if play.get("hosts") == "cucm_clusters":
                seen += 1
                assert play["module_defaults"] == {
                    "group/siptls.cucm.cucm": "{{ cucm_application_connection }}",
                    "group/siptls.cucm.platform": "{{ cucm_platform_connection }}",
                }
                assert play["vars_files"][0] == "../roles/connection/vars/main.yml", path.name
    assert seen


def test_every_role_brings_the_connections() -> None:
    for role in ROLES:
        meta = yaml.safe_load((role / "meta" / "main.yml").read_text())
        assert {"role": "siptls.cucm.connection"} in meta["dependencies"], role.name


def test_the_connections_set_every_option_of_their_action_group() -> None:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import APPLICATION, PLATFORM

    given = yaml.safe_load((ROOT / "roles/connection/vars/main.yml").read_text())
    assert set(given["cucm_application_connection"]) == set(APPLICATION.options)
    # Which interface a module takes is a matter of the task.
    assert set(given["cucm_platform_connection"]) == set(PLATFORM.options) - {"interface"}


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    home = re.compile(rb"/(?:home|Users|root|work|farm)/[A-Za-z]")
    guilty = [
        str(path.relative_to(ROOT)) for path in tracked() if path != Path(__file__) and home.search(path.read_bytes())
    ]
    assert not guilty


def test_the_vendors_schema_is_not_committed() -> None:
    assert not [path for path in tracked() if re.fullmatch(r"AXL(API|Soap|Enums)\.(wsdl|xsd)", path.name, re.I)]
