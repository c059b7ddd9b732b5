# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phones after a restart: counts before and after, and which of them are missing."""

from __future__ import annotations

from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.phones import registrations

UNKNOWN: dict[str, Any] = {
    "registered": None,
    "names": [],
    "listed": False,
    "not_registered": [],
    "unknown": "RIS was busy.",
}


def phones(*names: str, out: tuple[str, ...] = ()) -> dict[str, Any]:
    """A cluster with few phones, of which some are not registered."""
    return {"registered": len(names), "names": [*names], "listed": True, "not_registered": [*out], "unknown": ""}


def many(count: int, *out: str) -> dict[str, Any]:
    """A cluster whose phones RIS can't list."""
    return {"registered": count, "names": [], "listed": False, "not_registered": [*out], "unknown": ""}


def test_all_phones_are_back() -> None:
    found = registrations(phones("SEP1", "SEP2"), phones("SEP2", "SEP1"))
    assert (found["before"], found["after"], found["lost"]) == (2, 2, [])
    assert found["text"] == "Registered phones by RIS: 2 before the restarts, 2 after them."
    assert "System > Enterprise Parameters > Reset" in found["next"]


def test_a_phone_that_ris_has_forgotten_is_missing_and_one_that_was_out_before_is_not() -> None:
    found = registrations(phones("SEP1", "SEP2", out=("SEP9",)), phones("SEP2", out=("SEP9",)))
    assert found["lost"] == ["SEP1"]
    assert found["text"].endswith("2 before the restarts, 1 after them. Not registered any more: SEP1.")


def test_of_many_phones_the_first_that_are_missing_are_named() -> None:
    found = registrations(many(1000, "SEP9"), many(970, "SEP9", *(f"SEP{n}" for n in range(100, 130))))
    assert "at least 1000 before the restarts, 970 after them" in found["text"] and len(found["lost"]) == 30
    assert found["text"].endswith("SEP118, SEP119 and 10 others.") and "SEP9," not in found["text"]


def test_what_ris_does_not_say_is_not_known() -> None:
    for found in (registrations(phones("SEP1"), UNKNOWN), registrations(UNKNOWN, phones("SEP1"))):
        assert found["text"] == "How many phones are registered is not known. RIS was busy." and not found["lost"]
    assert registrations({}, {})["text"].endswith("RIS was not asked.")
