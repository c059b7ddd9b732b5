# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificates of a cluster were due, and whether they were renewed. Pure; private to siptls.cucm."""

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
    came. state: renewed (in place and served), uploaded (in place, the restart did not come or failed), pending (in
    place, the restart waits for the window) or due. A node that waits since an earlier run has a row too.
    """
    # Behind a node that did not come back, the others were skipped.
    restarts = [result for result in restarts if not result.get("skipped")]
    placed = {_holder(result["item"]) for result in uploads if "item" in result and result.get("certificate")}
    waits = [result["item"]["name"] for result in restarts if result.get("pending")]
    served = {result["item"]["name"] for result in restarts if not result.get("failed") and not result.get("pending")}
    rows = []
    for result in csrs:
        if not result.get("needed"):
            continue
        node, before = result["item"]["name"], result.get("certificate") or {}
        purpose = _holder(result["item"])[1]
        state = "due"
        if not check and (node, purpose) in placed:
            state = "renewed" if node in served else "pending" if node in waits else "uploaded"
        rows.append(_row(cluster, (node, purpose), state, result["reason"], before))
    known = {row["node"] for row in rows}
    rows += [_row(cluster, (node, TRUNK.name), "pending", _EARLIER, {}) for node in waits if node not in known]
    return rows


def pending(restarts: Iterable[Mapping[str, Any]], cluster: str, *, window: str) -> list[str]:
    """A sentence for each node of a cluster with services whose restart waits for the window."""
    waiting: dict[str, list[str]] = {}
    for result in restarts:
        if result.get("pending"):
            waiting.setdefault(result["item"]["name"], []).extend(result["pending"])
    return [
        f"{cluster}, node {node}: the restart of {', '.join(services)} waits for the window {window}, by the node's "
        "clock. Run the playbook again at that time."
        for node, services in waiting.items()
    ]


def _row(
    cluster: str, holder: tuple[str, str], state: str, reason: str, before: Mapping[str, Any]
) -> dict[str, Any]:  # fmt: skip
    node, purpose = holder
    return {
        "cluster": cluster, "node": node, "purpose": purpose, "state": state, "reason": reason,
        "days_left": before.get("days_left"), "not_after": before.get("not_after"),
        "text": f"{cluster}, node {node}, {purpose}: {_STATES[state]} ({reason})",
    }  # fmt: skip


def _holder(item: Mapping[str, Any]) -> tuple[str, str]:
    """Node and purpose of a loop's item."""
    return str(item["name"]), str(item.get("purpose") or TRUNK.name)


_EARLIER = "uploaded by an earlier run"
_STATES = {
    "due": "due, and not renewed",
    "pending": "the new certificate is in place; the restart that makes it active waits for the window",
    "uploaded": "due; the new certificate is in place, but Cisco CallManager does not serve it yet",
    "renewed": "renewed",
}
