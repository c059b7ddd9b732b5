# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster is: release, nodes and roles, CallManager groups, device pools, security mode.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl import soap
from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._axl.lookup import SPEC as LOOKUP
from ansible_collections.siptls.cucm.plugins.module_utils._axl.lookup import gathered, looked_up
from ansible_collections.siptls.cucm.plugins.module_utils._axl.soap import text
from ansible_collections.siptls.cucm.plugins.module_utils._module import APPLICATION, ArgSpec, Outcome, Task
from ansible_collections.siptls.cucm.plugins.module_utils._releases import name_of, release_of

SPEC = APPLICATION + ArgSpec(options=LOOKUP)

VIRTUAL_NODE = "EnterpriseWideData"
PRESENCE_ROLE = "CUCM IM and Presence"
MIXED = "mixed"
SECURITY_MODES = {"0": "non-secure", "1": MIXED}
#: device class 1 is Phone
_PHONES = (
    "select m.name as security, count(*) as phones from device d "
    "inner join securityprofile p on d.fksecurityprofile = p.pkid "
    "inner join typedevicesecuritymode m on p.tkdevicesecuritymode = m.enum where d.tkclass = 1 group by m.name"
)
ALL = {"name": "%"}


def service(task: Task) -> Outcome:
    """The service of cucm_info."""
    gather, look_up = task.params["gather"], task.params["look_up"]
    client = AxlClient.from_params(task.params)
    result = {**describe(client), **gathered(client, gather)}
    if look_up:
        result |= looked_up(client, look_up)
    return Outcome(result=result, warnings=client.http.warnings)


def describe(client: AxlClient) -> dict[str, Any]:
    """What cucm_info returns for every cluster."""
    servers, release = nodes(client), release_of(client.release)
    return {
        "version": client.release,
        "release": name_of(client.release),
        "axl_version": client.version,
        "legacy_crypto": release.legacy_crypto,
        "itl_recovery": release.itl_recovery,
        "nodes": servers,
        "callmanager_groups": callmanager_groups(client),
        "device_pools": device_pools(client),
        "security_mode": (mode := security_mode(client)),
        # In non-secure mode no phone encrypts its media.
        "phone_security": phone_security(client) if mode == MIXED else None,
    }


def nodes(client: AxlClient) -> list[dict[str, str]]:
    """The servers that run or may run Cisco CallManager, the publisher first.

    The address of the publisher is the one that the user gave; of the others CUCM's own name, which may be a host
    name, an FQDN or an address.
    """
    tags = ["name", "description", "nodeUsage"] + (["processNodeRole"] if release_of(client.release).node_roles else [])
    found = []
    for item in client.listing("ProcessNode", "processNode", ALL, tags):
        name, role = text(item, "name"), text(item, "nodeUsage")
        if name == VIRTUAL_NODE or text(item, "processNodeRole") == PRESENCE_ROLE:
            continue
        address = client.host if role == "Publisher" else name
        found.append({"name": name, "role": role, "address": address, "description": text(item, "description")})
    return sorted(found, key=lambda node: (node["role"] != "Publisher", node["name"]))


def callmanager_groups(client: AxlClient) -> list[dict[str, Any]]:
    """The groups, with their members in order of priority."""
    managers = client.listing("CallManager", "callManager", ALL, ["name", "processNodeName"])
    node_of = {text(item, "name"): text(item, "processNodeName") for item in managers}
    names = [text(item, "name") for item in client.listing("CallManagerGroup", "callManagerGroup", ALL, ["name"])]

    def group(name: str) -> dict[str, Any]:
        found = client.get("CallManagerGroup", "callManagerGroup", {"name": name}, name)
        members = [
            {
                "callmanager": text(entry, "callManagerName"),
                "node": node_of.get(text(entry, "callManagerName"), ""),
                "priority": int(text(entry, "priority")),
            }
            for entry in soap.each(soap.child(found, "members") if found is not None else None, "member")
        ]
        return {"name": name, "members": sorted(members, key=lambda member: int(member["priority"]))}

    return client.side_by_side(group, names)


def device_pools(client: AxlClient) -> list[dict[str, str]]:
    """The device pools, which determine the nodes of a trunk."""
    tags = ["name", "callManagerGroupName", "regionName", "locationName"]
    return [
        {
            "name": text(item, "name"),
            "callmanager_group": text(item, "callManagerGroupName"),
            "region": text(item, "regionName"),
            "location": text(item, "locationName"),
        }
        for item in client.listing("DevicePool", "devicePool", ALL, tags)
    ]


def security_mode(client: AxlClient) -> str:
    """non-secure or mixed; unknown when the account may not read it."""
    try:
        rows = client.sql("select paramname,paramvalue from processconfig where paramname='ClusterSecurityMode'")
        value = rows[0].get("paramvalue", "") if rows else ""
    except AxlFault:
        value = _parameter(client)
    return SECURITY_MODES.get(value.strip(), "unknown")


def phone_security(client: AxlClient) -> dict[str, int] | None:
    """How many phones have a security profile of each mode; None when the account may not read it."""
    try:
        return {row["security"]: int(row["phones"]) for row in client.sql(_PHONES)}
    except AxlFault:
        return None


def _parameter(client: AxlClient) -> str:
    try:
        answer = client.ask(
            "getServiceParameter",
            processNodeName={"_value_1": VIRTUAL_NODE},
            name="ClusterSecurityMode",
            service="Enterprise Wide",
        )
    except AxlFault:
        return ""
    return text(answer, "serviceParameter", "value")
