# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No name that a secret is part of gets into CUCM as Ansible's mask: preflight refuses it, and so does each module."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.filter.preflight_inventory import preflight_inventory
from ansible_collections.siptls.cucm.plugins.filter.preflight_problems import preflight_problems
from ansible_collections.siptls.cucm.plugins.module_utils._module import MASKS, perform

from tests.support.made_views import made

MODULES = sorted(path.stem for path in (Path(__file__).resolve().parents[3] / "plugins" / "modules").glob("*.py"))
PACKAGE = "ansible_collections.siptls.cucm.plugins.modules"


def face(module: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.{module}").FACE


def with_secrets() -> list[str]:
    return [name for name in MODULES if any(option.get("no_log") for option in face(name).spec.options.values())]


def test_there_are_modules_with_secrets() -> None:
    assert len(with_secrets()) > 18 and "ca_sign" in with_secrets()


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("module", with_secrets())
def test_every_module_refuses_text_with_the_mask(module: str, mask: str) -> None:
    """Each option that is text, a list or a mapping: the sentence comes before anything is contacted or written."""
    options = face(module).spec.options
    texts = [
        name for name, rule in options.items() if rule["type"] in ("str", "list", "dict") and not rule.get("no_log")
    ]
    texts = [name for name in texts if not options[name].get("choices")]
    assert texts
    for name in texts:
        params = {option: rule.get("default") for option, rule in options.items()}
        inside: Any = f"west1.{mask}.local"
        value = {"list": [{"name": inside}], "dict": {"name": inside}}.get(options[name]["type"], inside)
        task = SimpleNamespace(params={**params, name: value}, check_mode=False, tmpdir="")
        result, _warnings = perform(face(module), task)
        assert result["failed"] and f"The option {name} contains" in result["msg"], (name, result)
        assert "Nothing was written" in result["msg"]


WEST = {
    "name": "west", "nodes": [{"name": "WEST1", "address": "192.0.2.1"}], "patterns": ["6001"],
    "certificates": {"WEST1": made("C=IN,O=cisco,CN=west1.ciscolab.local", sans=("DNS:west1.ciscolab.local",))},
}  # fmt: skip
EAST = {"name": "east", "nodes": [{"name": "EAST1", "address": "192.0.2.2"}], "patterns": ["5001"]}


@pytest.mark.parametrize(("owner", "secret", "value"), [
    ("east", "cucm_password", "ciscolab"), ("east", "cucm_os_password", "west1"),
    ("east", "cucm_password", "192.0.2.1"), ("east", "cucm_password", 6001),
    ("west", "sip_tls_ca_passphrase", "ciscolab"), ("west", "sip_tls_ca_password", "cisco"),
    ("west", "sip_tls_vault_token", "WEST1"),
])  # fmt: skip
def test_a_secret_of_one_cluster_in_a_name_of_another_is_a_problem(owner: str, secret: str, value: Any) -> None:
    (said,) = preflight_problems([EAST, WEST], variables={"east": {}, "west": {}, owner: {secret: value}})
    assert f"the value of {secret} is part of a name, an address or a number of west" in said
    assert str(value) not in said


def test_a_secret_from_the_environment_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIP_TLS_CA_PASSPHRASE", "ciscolab")
    found = preflight_problems([EAST, WEST], variables={"east": {}, "west": {}})
    assert len(found) == 2 and all("sip_tls_ca_passphrase" in text for text in found)
    monkeypatch.setenv("CUCM_PASSWORD", "6001")
    said = preflight_inventory({"cucm_local_patterns": ["6001"]}, "west", given={}, options=[], hosts=["west"])
    assert any("the value of cucm_password is part of cucm_local_patterns" in text for text in said), said


def test_secrets_that_are_part_of_nothing_are_no_problem() -> None:
    accounts = {"cucm_password": "Axl-Lab-91!", "cucm_os_password": "Os-Lab-91!", "sip_tls_ca_passphrase": "x9"}
    assert preflight_problems([EAST, WEST], variables={"east": accounts, "west": accounts}) == []
