# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the dial plans route the calls of a direction. It does not change how secure they are.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.certificates import Check
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import Direction

_REMEDY = (
    "Correct the dial plan where the call ends: the pattern, its partition, or the calling search space of the phones "
    "or of the incoming trunk."
)


def routing_checks(case: Direction) -> Iterator[Check]:
    """One check per pattern of the target."""
    for entry in case.routing:
        what, why = f"calls from {case.source} to {entry['pattern']} of {case.target}", entry.get("why") or ""
        if entry["state"] == "routed":
            text = f"{what[:1].upper()}{what[1:]} are routed to a phone, by the dial plans of both ends."
            yield Check("calls_routed", "pass", text, "configuration")
        elif entry["state"] == "not routed":
            text = f"{what[:1].upper()}{what[1:]} are not routed: {why}."
            yield Check("calls_routed", "warning", text, "configuration", remedy=_REMEDY)
        else:
            yield Check("calls_routed", "info", f"Whether {what} are routed is not known: {why}.", "configuration")
