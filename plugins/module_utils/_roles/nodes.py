# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes of a cluster run Cisco CallManager, and on which its trunks run. Pure; private to siptls.cucm.

A node runs Cisco CallManager if the service is activated there, started or not: somebody who stopped it will start it
again. A trunk runs on the nodes of the CallManager group of its device pool, or on all nodes that run the service.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster, Node, Settings

CALLMANAGER = "Cisco CallManager"
MOST_DESTINATIONS = 16


def callmanager_nodes(info: Mapping[str, Any]) -> set[str] | None:
    """The nodes on which Cisco CallManager is activated, in lower case; None where that could not be read."""
    services = info.get("services")
    if services is None:
        return None
    return {
        service["node"].lower() for service in services if service["service"] == CALLMANAGER and service["activated"]
    }


def group_of(info: Mapping[str, Any], settings: Settings) -> tuple[str, list[str]] | None:
    """The CallManager group of the trunks' device pool, and its nodes in lower case; None where it is not known."""
    pools = {device_pool["name"]: device_pool["callmanager_group"] for device_pool in info.get("device_pools") or ()}
    groups = {
        callmanager_group["name"]: callmanager_group["members"]
        for callmanager_group in info.get("callmanager_groups") or ()
    }
    name = pools.get(str(settings.get("device_pool")))
    if name is None or name not in groups:
        return None
    return name, [member["node"].lower() for member in groups[name] if member["node"]]


def placed(nodes: Iterable[Node], info: Mapping[str, Any], settings: Settings | None) -> list[Node]:
    """The nodes with `callmanager` (it runs Cisco CallManager), `trunk` (our trunks run on it) and `only_in`.

    only_in: the CallManager groups in which no other node runs Cisco CallManager, so that their phones depend on it.

    What could not be read counts as yes, so that no certificate and no destination is left out. settings are those of
    role sip_tls_trunk; None where no trunk is to be made.
    """
    running = callmanager_nodes(info)
    group = None
    if settings is not None and not settings.get("run_on_every_node"):
        group = group_of(info, settings)
    found = []
    for node in nodes:
        name = node.name.lower()
        serves = running is None or name in running
        only_in = _only_in(name, info, running) if serves else []
        trunk = serves and (group is None or name in group[1])
        found.append(replace(node, callmanager=serves, trunk=trunk, only_in=only_in))
    return found


def _only_in(name: str, info: Mapping[str, Any], running: set[str] | None) -> list[str]:
    """The CallManager groups of a node in which no other node runs Cisco CallManager."""
    found = []
    for group in info.get("callmanager_groups") or ():
        members = {str(member["node"]).lower() for member in group["members"] if member["node"]}
        if (members if running is None else members & running) == {name}:
            found.append(str(group["name"]))
    return found


def node_problems(cluster: Cluster, info: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    """What is wrong with where the trunks of a cluster run."""
    here = cluster.trunk_nodes
    if not here:
        group = group_of(info, settings)
        where = (
            f"the CallManager group {group[0]} of device pool {settings.get('device_pool')} has no node on which "
            "Cisco CallManager is activated" if group and not settings.get("run_on_every_node")
            else "Cisco CallManager is activated on no node"
        )  # fmt: skip
        yield (
            f"{cluster.name}: {where}, so the trunks would run nowhere. Activate the service on a node of the group, "
            "or set sip_tls_trunk_device_pool to a device pool whose group has one."
        )
    elif len(here) > MOST_DESTINATIONS:
        yield (
            f"{cluster.name}: its trunks run on {len(here)} nodes, but a peer's SIP trunk takes at most "
            f"{MOST_DESTINATIONS} destinations. Set sip_tls_trunk_device_pool to a device pool whose CallManager group "
            "has fewer nodes, and sip_tls_trunk_run_on_every_node to false."
        )
