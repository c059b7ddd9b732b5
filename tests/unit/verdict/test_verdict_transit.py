# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls through hubs are as secure as the least secure leg."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.transit import sentence, transit


def judged(**words: str) -> list[dict[str, Any]]:
    return [{"from": pair[0], "to": pair[1], "verdict": word} for pair, word in words.items()]


def way(start: str, end: str, *hubs: str, state: str = "routed") -> dict[str, Any]:
    return {"from": start, "to": end, "through": list(hubs), "state": state}


@pytest.mark.parametrize(
    ("second", "expected"), [("secure", "secure"), ("insecure", "insecure"), ("unproven", "unproven")]
)
def test_both_legs_count(second: str, expected: str) -> None:
    (found,) = transit(judged(ah="secure", hb=second, ha="insecure"), [way("a", "b", "h"), way("a", "h")])
    assert (found["verdict"], found["routed"]) == (expected, "routed")
    assert sentence(found) == f"a to b through h: {expected} (a to h secure, h to b {second})"


def test_a_leg_of_which_nothing_is_known_is_unproven() -> None:
    (found,) = transit(
        judged(ah="secure"), [way("a", "b", "h", state="unknown"), way("a", "b", "h", state="not routed")]
    )
    assert found["verdict"] == "unproven"
    assert sentence(found).startswith(
        "a to b through h: unproven, but some calls are not routed (a to h secure, h to b"
    )


def test_hubs_in_a_row_and_side_by_side() -> None:
    found = transit(judged(ah="secure", hg="secure", gb="insecure"), [way("a", "b", "h"), way("h", "b", "g")])
    assert [(leg["from"], leg["to"]) for leg in found[0]["legs"]] == [("a", "h"), ("h", "g"), ("g", "b")]
    assert found[0]["verdict"] == "insecure"
    (found_,) = transit(judged(ah="secure", ag="secure", hb="secure", gb="secure"), [way("a", "b", "h", "g")])
    assert len(found_["legs"]) == 4 and sentence(found_).startswith(
        "a to b through h or g: secure (a to h secure, h to"
    )


def test_hubs_that_name_each_other_end() -> None:
    (found, _other) = transit(judged(ah="secure"), [way("a", "b", "h"), way("h", "b", "a")])
    assert found["verdict"] == "unproven"
