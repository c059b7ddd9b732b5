# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes run Cisco CallManager and the trunks, and which groups of phones depend on one node alone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster, Node
from ansible_collections.siptls.cucm.plugins.module_utils._roles.nodes import node_problems, placed

NODES = [{"name": name, "address": name.lower()} for name in ("PUB", "SUB1", "SUB2", "TFTP")]
GROUPS = [
    {"name": name, "members": [{"callmanager": f"CM_{node}", "node": node, "priority": 0} for node in members]}
    for name, members in (("Default", ("PUB", "SUB1")), ("Branch", ("SUB2",)), ("Subs", ("SUB1", "SUB2")), ("None", ()))
]
POOLS = [{"name": "Trunks", "callmanager_group": "Subs"}]


AS_NODES = [Node.from_facts(node) for node in NODES]


def services(*active: str) -> list[dict[str, Any]]:
    return [
        {"node": node["name"], "service": "Cisco CallManager", "activated": node["name"] in active} for node in NODES
    ]


@pytest.mark.parametrize(
    "active, callmanager, trunk, only_in",
    [
        (("PUB", "SUB1", "SUB2"), ["PUB", "SUB1", "SUB2"], ["SUB1", "SUB2"], {"SUB2": ["Branch"]}),
        (("SUB1", "SUB2"), ["SUB1", "SUB2"], ["SUB1", "SUB2"], {"SUB1": ["Default"], "SUB2": ["Branch"]}),
        (("SUB1",), ["SUB1"], ["SUB1"], {"SUB1": ["Default", "Subs"]}),
    ],
)
def test_where_the_service_and_the_trunks_run(
    active: tuple[str, ...], callmanager: list[str], trunk: list[str], only_in: dict[str, list[str]]
) -> None:
    info = {"services": services(*active), "device_pools": POOLS, "callmanager_groups": GROUPS}
    found = placed(AS_NODES, info, {"device_pool": "Trunks"})
    assert [node.name for node in found if node.callmanager] == callmanager
    assert [node.name for node in found if node.trunk] == trunk
    assert {node.name: node.only_in for node in found if node.only_in} == only_in
    every = placed(AS_NODES, info, {"device_pool": "Trunks", "run_on_every_node": True})
    assert [node.name for node in every if node.trunk] == callmanager


def test_what_could_not_be_read_counts_as_yes() -> None:
    found = placed(AS_NODES, {"services": None}, {"device_pool": "Trunks"})
    assert all(node.callmanager and node.trunk and node.only_in == [] for node in found)


def test_more_destinations_than_a_trunk_takes_and_none_at_all_are_problems() -> None:
    many = Cluster("a", nodes=[Node(f"N{number}") for number in range(17)])
    (text,) = node_problems(many, {}, {"device_pool": "Trunks", "run_on_every_node": True})
    assert "run on 17 nodes" in text and "at most 16 destinations" in text and "sip_tls_trunk_device_pool" in text
    many.nodes.pop()
    assert not list(node_problems(many, {}, {"device_pool": "Trunks"}))
    nowhere = Cluster("a", nodes=[Node("N1", trunk=False)])
    info = {"device_pools": POOLS, "callmanager_groups": GROUPS}
    (text,) = node_problems(nowhere, info, {"device_pool": "Trunks"})
    assert "the CallManager group Subs of device pool Trunks has no node" in text and "would run nowhere" in text
