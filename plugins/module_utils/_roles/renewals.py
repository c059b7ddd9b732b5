# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificates of a cluster were due, and what became of them. Pure; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK


def renewals(
    cluster: str,
    csrs: Iterable[Mapping[str, Any]],
    *,
    uploads: Iterable[Mapping[str, Any]] = (),
    restarts: Iterable[Mapping[str, Any]] = (),
    check: bool = False,
) -> list[dict[str, Any]]:
    """A row for each certificate that was due: node, reason, days left, state, and all of it as a sentence.

    csrs, uploads and restarts are the results of the looped tasks of the role callmanager_certificate, as far as they
    came. state: renewed (in place and served), uploaded (in place, the restart did not come or failed) or due.
    """
    placed = {_holder(one["item"]["item"]["item"]) for one in uploads if "item" in one and one.get("certificate")}
    served = {one["item"]["name"] for one in restarts if not one.get("failed")}
    rows = []
    for one in csrs:
        if not one.get("needed"):
            continue
        node, before = one["item"]["name"], one.get("certificate") or {}
        purpose = _holder(one["item"])[1]
        state = "due" if check or (node, purpose) not in placed else "renewed" if node in served else "uploaded"
        rows.append(
            {
                "cluster": cluster, "node": node, "purpose": purpose, "state": state, "reason": one["reason"],
                "days_left": before.get("days_left"), "not_after": before.get("not_after"),
                "text": f"{cluster}, node {node}, {purpose}: {_SAID[state]} ({one['reason']})",
            }
        )  # fmt: skip
    return rows


def _holder(item: Mapping[str, Any]) -> tuple[str, str]:
    """Node and purpose of a loop's item."""
    return str(item["name"]), str(item.get("purpose") or TRUNK.name)


_SAID = {
    "due": "due, and not renewed",
    "uploaded": "due; the new certificate is in place, but Cisco CallManager does not serve it yet",
    "renewed": "renewed",
}
