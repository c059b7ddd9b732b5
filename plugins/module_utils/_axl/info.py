# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster is: release, nodes and roles, CallManager groups, device pools, security mode.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient, returned
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._axl.lookup import SPEC as LOOKUP
from ansible_collections.siptls.cucm.plugins.module_utils._axl.lookup import TABLES, gathered, looked_up
from ansible_collections.siptls.cucm.plugins.module_utils._axl.wsdl import READ_ONLY
from ansible_collections.siptls.cucm.plugins.module_utils._module import APPLICATION, ArgSpec, Outcome

SPEC = APPLICATION + ArgSpec(options=LOOKUP)

VIRTUAL_NODE = "EnterpriseWideData"
PRESENCE_ROLE = "CUCM IM and Presence"
SECURITY_MODES = {"0": "non-secure", "1": "mixed"}
ALL = {"name": "%"}


def service(module: AnsibleModule) -> Outcome:
    """The service of cucm_info."""
    gather, look_up = module.params["gather"], module.params["look_up"]
    client = AxlClient.from_params(module.params, TABLES if gather or look_up else ())
    result = {**describe(client), **gathered(client, gather)}
    if look_up:
        result |= looked_up(client, look_up)
    return Outcome(result=result, warnings=client.http.warnings)


def describe(client: AxlClient) -> dict[str, Any]:
    """What cucm_info returns of every cluster."""
    servers = nodes(client)
    return {
        "version": client.release,
        "axl_version": client.version,
        "nodes": servers,
        "callmanager_groups": callmanager_groups(client),
        "device_pools": device_pools(client),
        "security_mode": security_mode(client),
    }


def text(value: Any) -> str:
    """The text of a zeep value, be it plain or a reference."""
    return str(getattr(value, "_value_1", value) or "")


def tree(node: Any) -> Any:
    """A raw element as nested dictionaries of lists, by local names; a leaf is its text."""
    if len(node) == 0:
        return node.text or ""
    found: dict[str, list[Any]] = {}
    for child in node:
        found.setdefault(str(child.tag).rpartition("}")[2], []).append(tree(child))
    return found


def nodes(client: AxlClient) -> list[dict[str, str]]:
    """The servers that run or may run Cisco CallManager, the publisher first.

    The address of the publisher is the one that the user gave; of the others CUCM's own name, which may be a host
    name, an FQDN or an address.
    """
    tags = ["name", "description", "nodeUsage"] + (["processNodeRole"] if client.version != "9.1" else [])
    found = []
    for item in client.listing("ProcessNode", "processNode", ALL, tags):
        name, role = text(item.name), text(item.nodeUsage)
        if name == VIRTUAL_NODE or text(getattr(item, "processNodeRole", None)) == PRESENCE_ROLE:
            continue
        address = client.host if role == "Publisher" else name
        found.append({"name": name, "role": role, "address": address, "description": text(item.description)})
    return sorted(found, key=lambda node: (node["role"] != "Publisher", node["name"]))


def callmanager_groups(client: AxlClient) -> list[dict[str, Any]]:
    """The groups with their members, the first one being who serves first."""
    managers = client.listing("CallManager", "callManager", ALL, ["name", "processNodeName"])
    node_of = {text(item.name): text(item.processNodeName) for item in managers}
    names = [text(item.name) for item in client.listing("CallManagerGroup", "callManagerGroup", ALL, ["name"])]

    def group(name: str) -> dict[str, Any]:
        answer = client.get("CallManagerGroup", READ_ONLY["CallManagerGroup"], {"name": name}, name)
        raw = {str(node.tag).rpartition("}")[2]: tree(node) for node in getattr(answer, "_value_1", None) or []}
        members = [
            {
                "callmanager": entry["callManagerName"][0],
                "node": node_of.get(entry["callManagerName"][0], ""),
                "priority": int(entry["priority"][0]),
            }
            for entry in _members(raw)
        ]
        return {"name": name, "members": sorted(members, key=lambda member: int(member["priority"]))}

    return client.side_by_side(group, names)


def _members(raw: Mapping[str, Any]) -> list[dict[str, list[str]]]:
    members = raw.get("members")
    return members.get("member", []) if isinstance(members, dict) else []


def device_pools(client: AxlClient) -> list[dict[str, str]]:
    """The device pools, by which CUCM decides about the nodes of a trunk."""
    tags = ["name", "callManagerGroupName", "regionName", "locationName"]
    return [
        {
            "name": text(item.name),
            "callmanager_group": text(item.callManagerGroupName),
            "region": text(item.regionName),
            "location": text(item.locationName),
        }
        for item in client.listing("DevicePool", "devicePool", ALL, tags)
    ]


def security_mode(client: AxlClient) -> str:
    """non-secure or mixed; unknown when the account may not ask for it."""
    try:
        rows = client.sql("select paramname,paramvalue from processconfig where paramname='ClusterSecurityMode'")
        value = rows[0].get("paramvalue", "") if rows else ""
    except AxlFault:
        value = _parameter(client)
    return SECURITY_MODES.get(value.strip(), "unknown")


def _parameter(client: AxlClient) -> str:
    try:
        answer = client.call(
            "getServiceParameter",
            processNodeName={"_value_1": VIRTUAL_NODE},
            name="ClusterSecurityMode",
            service="Enterprise Wide",
        )
    except AxlFault:
        return ""
    found = getattr(returned(answer), "serviceParameter", None)
    raw = {str(node.tag).rpartition("}")[2]: node.text for node in getattr(found, "_value_1", None) or []}
    return str(raw.get("value") or "")
