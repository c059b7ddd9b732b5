# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Digit analysis: CUCM's wildcards and transformations."""

from __future__ import annotations

import pytest
from cucm_lab.sip.digits import apply_mask, compile_pattern
from cucm_lab.sip.names import split
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("pattern", "dialled", "fits"),
    [
        ("9898", "9898", True),
        ("9898", "98980", False),
        ("98XX", "9812", True),
        ("98xx", "9812", True),
        ("98XX", "981", False),
        ("98XX", "98*2", False),
        ("9.1XXX", "91234", True),
        ("9!", "9", False),
        ("9!", "90", True),
        ("9!", "9012345678901234", True),
        ("[2-4]XXX", "2000", True),
        ("[2-4]XXX", "5000", False),
        ("[^2-4]XXX", "5000", True),
        ("[^2-4]XXX", "3000", False),
        (r"\+1!", "+14085551234", True),
        (r"\+1!", "14085551234", False),
        ("9.@", "914085551234", True),
        ("9.@", "91", False),
        ("1N00", "1100", False),
        ("1N00", "1200", True),
        ("12?", "1", True),
        ("12?", "1222", True),
        ("12+", "1", False),
        ("*7XX", "*755", True),
        ("5[", "5[", True),
    ],
)
def test_wildcards(pattern: str, dialled: str, fits: bool) -> None:
    assert bool(compile_pattern(pattern).expression.fullmatch(dialled)) is fits


def test_the_narrower_pattern_is_the_closer_one() -> None:
    order = ["9898", "989[89]", "989X", "98XX", "9XXX", "9!"]
    breadths = [compile_pattern(pattern).breadth(4) for pattern in order]
    assert breadths == sorted(breadths)
    assert breadths == [1, 2, 10, 100, 1000, 13**3]


@pytest.mark.parametrize(
    ("number", "mask", "expected"),
    [
        ("1018", "", "1018"),
        ("1018", "4085XXXXXX", "40851018"),
        ("1018", "8XXX", "8018"),
        ("91018", "XXXX", "1018"),
    ],
)
def test_masks(number: str, mask: str, expected: str) -> None:
    assert apply_mask(number, mask) == expected


@given(st.text(max_size=20), st.text(alphabet="0123456789*#+", max_size=15))
def test_no_pattern_breaks_the_analysis(pattern: str, dialled: str) -> None:
    compile_pattern(pattern).expression.fullmatch(dialled)


def test_subject_names_are_separated_as_the_form_says() -> None:
    assert split("CUCMA, CUCM10;a.example.com:b  c") == ("CUCMA", "CUCM10", "a.example.com", "b", "c")
    assert split(None) == split("") == ()
