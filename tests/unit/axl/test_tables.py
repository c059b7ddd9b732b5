# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the field tables promise, and what is derived from them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._axl import validation
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Field, Resource, argument, flat, number
from ansible_collections.siptls.cucm.plugins.module_utils._axl.service import argument_spec
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import BY_KIND, NAMED, RESOURCES
from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import names, same, scalar, wanted
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[3]
by_kind = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.kind)


def test_generated_documentation_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "dev" / "generate_axl_fields.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def compare(documented: dict[str, Any], spec: dict[str, Any], where: str) -> list[str]:
    """Where documentation and argument specification differ."""
    wrong = [f"{where}.{name}" for name in set(documented) ^ set(spec)]
    for name in set(documented) & set(spec):
        doc, real = documented[name], spec[name]
        for key, other in (
            ("type", "str"),
            ("elements", None),
            ("choices", None),
            ("default", None),
            ("required", False),
        ):
            if doc.get(key, other) != real.get(key, other):
                wrong.append(f"{where}.{name}: {key} is {doc.get(key)} in the documentation, {real.get(key)} in truth")
        wrong += compare(doc.get("suboptions", {}), real.get("options", {}), f"{where}.{name}")
    return wrong


@by_kind
def test_documentation_and_arguments_agree(resource: Resource) -> None:
    name = f"siptls.cucm.cucm_{resource.module}"
    command = [str(Path(sys.executable).parent / "ansible-doc"), "-t", "module", "-j", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    documented = json.loads(done.stdout)[name]["doc"]["options"]
    assert compare(documented, argument_spec(resource).options, "") == []


@by_kind
def test_every_writable_field_is_an_option(resource: Resource) -> None:
    def reachable(rows: tuple[Field, ...], spec: dict[str, Any]) -> None:
        for row in flat(rows):
            if row.writable:
                assert row.option in spec, row.axl
                if row.kids:
                    reachable(row.kids, spec[row.option]["options"])

    reachable(resource.fields, argument_spec(resource).options)


@by_kind
def test_no_release_has_two_rows_of_an_option(resource: Resource) -> None:
    for version in ("9.1", "10.0", "10.5", "11.0", "11.5", "12.0", "12.5", "14.0", "15.0"):
        options = [row.option for row in flat(resource.fields) if row.at(version)]
        assert len(options) == len(set(options)), version


@by_kind
def test_every_name_of_another_object_is_looked_up(resource: Resource) -> None:
    def rows(fields: tuple[Field, ...]) -> Iterator[Field]:
        for row in flat(fields):
            yield row
            yield from rows(row.kids)

    named = [row for row in rows(resource.fields) if row.base == "FK" and row.writable]
    assert all(row.ref in NAMED for row in named), [row.option for row in named if row.ref not in NAMED]


def test_versions_compare_as_numbers() -> None:
    assert number("9.1") < number("10.0") < number("10.5") < number("14") == number("14.0")
    moved = Field("x", "x", "String64;11.5:String75", "Augl")
    assert (moved.length("11.0"), moved.length("11.5"), moved.length("15.0")) == (64, 75, 75)


@given(
    st.lists(st.text("abc.-", min_size=1, max_size=6), max_size=6), st.sampled_from([" ", ",", ";", ":", " , ", ";;"])
)
def test_subject_names_compare_as_a_set_whatever_separates_them(parts: list[str], separator: str) -> None:
    row = next(row for row in BY_KIND["SipTrunkSecurityProfile"].fields if row.many)
    assert same(row, names(parts), scalar(row, separator.join(reversed(parts))))


@given(st.one_of(st.booleans(), st.sampled_from(["true", "t", "1", "True", "false", "f", "0", "", None])))
def test_booleans_are_normalised(value: Any) -> None:
    row = Field("x", "x", "bool", "augl")
    expected = "" if value in ("", None) else str(value).lower() in ("true", "t", "1")
    assert scalar(row, value) == expected


def test_an_unquoted_on_is_the_literal() -> None:
    row = next(row for row in BY_KIND["SipTrunk"].fields if row.option == "mlpp_indication_status")
    assert "choices" not in argument(row)
    assert [scalar(row, value) for value in ("True", "False", "Default")] == ["On", "Off", "Default"]


def test_an_ipv6_destination_goes_where_cucm_wants_it() -> None:
    found = wanted(
        BY_KIND["SipTrunk"].fields, {"destinations": [{"address": "2001:db8::1"}, {"address": "b", "order": 7}]}
    )
    assert found["destinations"] == [{"address_ipv6": "2001:db8::1", "order": 1}, {"address": "b", "order": 7}]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    entries: list[dict[str, Any]] = [
        {"name": "a b", "significant_digits": "x"},
        {"name": "c", "destinations": [{"port": 1, "order": 1}]},
    ]
    problems = list(validation.shape(BY_KIND["SipTrunk"], entries + entries[1:]))
    assert len(problems) == 5
    assert any("2 times" in text for text in problems) and any("names no address" in text for text in problems)
