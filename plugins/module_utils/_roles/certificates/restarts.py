# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is restarted after Cisco CallManager: service by service, each on the publisher and then on the subscribers.

That order is Cisco document 214231's. It matters for phones: when the first Cisco Tftp serves a new ITL file, every
Trust Verification Service that they may ask has restarted already. Pure; private to siptls.cucm: no other collection
may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster, Node
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, Service

Row = Mapping[str, Any]
STARTED, STOPPED = "Started", "Stopped"
#: the most by which a CA usually dates a certificate back: ca_sign's local one does
BACKDATING = timedelta(hours=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Looked:
    """What the task that restarts Cisco CallManager found out about a node."""

    node: Node
    #: Cisco CallManager was restarted, or its restart waits for the window
    restarted: bool
    pending: bool
    #: the certificate of the node, or the CTL file, is new
    new: bool
    #: by name the rows of the other services: `status`, `activated`, `since`
    services: Mapping[str, Row]
    #: when the certificate of the node begins
    begins: str
    #: when Cisco CallManager was started there; empty where the interface does not show it
    since: str = ""

    @property
    def changed(self) -> bool:
        """Whether its other services have to take up something new, as far as this run shows."""
        return self.restarted or self.pending or self.new

    @property
    def limit(self) -> datetime:
        """A service that was started before this moment does not have the node's certificate yet."""
        return _limit(_moment(self.begins), _moment(self.since))

    def due(self, service: Service, somewhere: bool, newest: datetime) -> bool:
        """Whether a service has to be restarted, or would have to be if it were not stopped.

        somewhere: something of the cluster is new; newest: the limit of the cluster's newest certificate.
        """
        row = self.services.get(service.name) or {}
        changed = self.changed or (service.on_every_node and somewhere)
        if row.get("status") == STARTED:
            return changed or _before(row.get("since"), newest if service.on_every_node else self.limit)
        # Whether somebody stopped it is for cucm_service to find out, which then leaves it alone and says so.
        return changed and row.get("status") == STOPPED and bool(row.get("activated"))


def following(
    cluster: Cluster, results: Iterable[Row], *, uploaded: Sequence[str] = (), ctl_changed: bool = False
) -> dict[str, Any]:
    """The restarts after those of Cisco CallManager.

    results are those of cucm_service in the loop over the nodes with a certificate of the role, in the order of their
    restarts; uploaded are the nodes whose certificate is new. `next` lists the restarts to make, in order: `service`,
    `name` and `address` of the node, whether it is kept to the window (`in_window`; a restart that belongs to one of
    this run is not), and `started_before`, the condition for a node that was not read. `waiting` has a row as
    of cucm_service for each node whose services wait for the window together with Cisco CallManager.
    """
    looked = [_looked(cluster, row, uploaded, ctl_changed) for row in results if row.get("status")]
    if not looked:
        return {"next": [], "waiting": []}
    newest = max(node.limit for node in looked)
    somewhere = ctl_changed or any(node.changed for node in looked)
    due = [(service, [node for node in looked if node.due(service, somewhere, newest)]) for service in TRUNK.services]
    known = {node.node.name for node in looked}
    others = [node for node in cluster.nodes if node.name not in known]
    started_before = "" if somewhere or newest == _NEVER else newest.isoformat()
    return {
        "next": [row for service, found in due for row in _rows(service, found, others, started_before)],
        "waiting": [
            {"item": node.node.to_facts(), "pending": [service.name for service, found in due if node in found]}
            for node in looked
            if node.pending
        ],
    }


def _rows(service: Service, due: Iterable[Looked], others: Iterable[Node], started_before: str) -> list[dict[str, Any]]:
    """The restarts of one service, on the publisher first; others are the nodes that were not read."""
    nodes = [(looked.node, not looked.restarted, "") for looked in due if not looked.pending]
    if service.on_every_node:
        nodes += [(node, True, started_before) for node in others]
    nodes.sort(key=lambda pair: not pair[0].is_publisher)
    return [
        {"service": service.name, "name": node.name, "address": node.address, "in_window": in_window,
         "started_before": limit}
        for node, in_window, limit in nodes
    ]  # fmt: skip


def _looked(cluster: Cluster, row: Row, uploaded: Sequence[str], ctl_changed: bool) -> Looked:
    name = str(row["item"]["name"])
    node = next((candidate for candidate in cluster.nodes if candidate.name == name), Node.from_facts(row["item"]))
    return Looked(
        node,
        restarted=bool(row.get("restarted")),
        pending=bool(row.get("pending")),
        new=node.name in uploaded or ctl_changed,
        services={str(service["name"]): service for service in row.get("also") or ()},
        begins=str((cluster.certificates.get(node.name) or {}).get("not_before") or ""),
        since=str(row.get("since") or ""),
    )


def _moment(text: str) -> datetime:
    """A moment; the earliest there is for none."""
    return datetime.fromisoformat(text) if text else _NEVER


def _limit(begins: datetime, callmanager: datetime) -> datetime:
    """The moment at which a certificate came into use, as far as it can be known.

    A CA dates the beginning back. What was started in that time is from before the certificate if Cisco CallManager,
    which is restarted first, was started later still.
    """
    if begins == _NEVER:
        return begins
    return max(begins, min(begins + BACKDATING, callmanager))


def _before(since: Any, limit: datetime) -> bool:
    """Whether a service runs since before a moment; no where the interface does not show since when."""
    return bool(since) and _moment(str(since)) < limit


def by_service(restarts: Iterable[Row], followed: Iterable[Row], waiting: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """Every restart that was made or is pending: service and node (the item of its row), in the order of the table."""
    rows = [row for row in (*restarts, *followed, *waiting) if "item" in row and not row.get("skipped")]
    for service in TRUNK.services:
        for row in rows:
            if service.name in (*(row.get("restarted") or ()), *(row.get("pending") or ())):
                yield service.name, row["item"]
