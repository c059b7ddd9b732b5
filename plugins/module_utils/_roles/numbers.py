# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of a cluster or a peer: each a pattern as text, or a mapping with options of the route pattern. Pure.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_pattern import ROUTE_PATTERN

#: options of a route pattern that follow from the peer
_OURS = ("pattern", "description", "gateway", "route_list")
#: what a mapping may hold beside the pattern
OPTIONS = tuple(
    option for option in ROUTE_PATTERN.options if option not in _OURS and not option.startswith("new_")
)  # fmt: skip


def entries(value: Any) -> list[Any]:
    """The numbers as they were given: one or a list, a text with commas as several."""
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, list | tuple):
        return [entry for entry in value if isinstance(entry, Mapping) or str(entry).strip()]
    return [part.strip() for part in str(value if value is not None else "").split(",") if part.strip()]


def routes(value: Any) -> list[Mapping[str, Any]]:
    """Each number as the options of its route pattern; `pattern` is a text."""
    found: list[Mapping[str, Any]] = []
    for entry in entries(value):
        given = dict(entry) if isinstance(entry, Mapping) else {"pattern": entry}
        kept = {option: given[option] for option in OPTIONS if given.get(option) is not None}
        found.append({"pattern": str(given.get("pattern", "")).strip(), **kept})
    return found


def option_problems(entry: Any) -> Iterator[str]:
    """Problems with what a number holds beside its pattern."""
    given = entry if isinstance(entry, Mapping) else {"pattern": entry}
    for key in given:
        if key != "pattern" and key not in OPTIONS:
            meant = next(iter(difflib.get_close_matches(str(key), OPTIONS, n=1, cutoff=0.7)), None)
            hint = f" Did you mean {meant}?" if meant else " Take it out."
            reason = "follows from the peer" if key in _OURS else "is not an option of a route pattern"
            yield f"{key} {reason}.{hint}"
    if "@" in str(given.get("pattern", "")) and not given.get("dial_plan"):
        pattern = given["pattern"]
        yield f"a pattern with @ needs a dial plan. Write {{pattern: '{pattern}', dial_plan: NANP}}."
