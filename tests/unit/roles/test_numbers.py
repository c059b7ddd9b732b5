# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers as texts and as mappings."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Peer
from ansible_collections.siptls.cucm.plugins.module_utils._roles.numbers import option_problems, routes


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["1018", 1019], [{"pattern": "1018"}, {"pattern": "1019"}]),
        ("1018, 10XX", [{"pattern": "1018"}, {"pattern": "10XX"}]),
        (1018, [{"pattern": "1018"}]),
        ({"pattern": "9.@", "dial_plan": "NANP"}, [{"pattern": "9.@", "dial_plan": "NANP"}]),
        ([{"pattern": 98, "partition": "P", "colour": "red", "gateway": "X"}], [{"pattern": "98", "partition": "P"}]),
        (None, []),
    ],
)
def test_a_number_becomes_the_options_of_its_pattern(given: Any, expected: list[dict[str, Any]]) -> None:
    assert routes(given) == expected


def test_facts_without_routes_have_their_patterns() -> None:
    assert Peer.from_facts({"name": "a", "patterns": ["1"]}).routes == [{"pattern": "1"}]
    assert Peer.from_facts({"name": "a", "routes": [{"pattern": "1", "partition": "P"}]}).routes[0]["partition"] == "P"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"pattern": "1", "prefix_digits_ot": "9"}, "Did you mean prefix_digits_out?"),
        ({"pattern": "1", "gateway": "T"}, "gateway follows from the peer"),
        ("9.@", "dial_plan: NANP"),
    ],
)
def test_what_a_number_cannot_hold_is_named_with_the_remedy(entry: Any, said: str) -> None:
    (problem,) = option_problems(entry)
    assert said in problem
    assert not list(option_problems({"pattern": "9.@", "dial_plan": "NANP", "urgent_priority": True}))
