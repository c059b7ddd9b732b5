# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of a cluster as far as it decides about SIP trunks and calls, with AXL's own names. Reads only.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl import info, soap
from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._module import (
    APPLICATION,
    ArgSpec,
    Failure,
    Outcome,
    Task,
)
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability.control_center import ControlCenter

SPEC = APPLICATION + ArgSpec(
    options={
        "numbers": {"type": "bool", "default": False},
        "addresses": {"type": "dict", "default": {}},
    },
)


@dataclass(frozen=True)
class Kind:
    """A kind of AXL object: its name in operations, its element, and the field that a list is searched by."""

    name: str
    element: str
    search: str = "name"


#: in the order in which they refer to each other
KINDS = (
    Kind("ProcessNode", "processNode"),
    Kind("CallManager", "callManager"),
    Kind("CallManagerGroup", "callManagerGroup"),
    Kind("Location", "location"),
    Kind("Region", "region"),
    Kind("RoutePartition", "routePartition"),
    Kind("Css", "css"),
    Kind("DevicePool", "devicePool"),
    Kind("SipProfile", "sipProfile"),
    Kind("SipTrunkSecurityProfile", "sipTrunkSecurityProfile"),
    Kind("SipTrunk", "sipTrunk"),
    Kind("RouteGroup", "routeGroup"),
    Kind("RouteList", "routeList"),
    Kind("RoutePattern", "routePattern", "pattern"),
    Kind("TransPattern", "transPattern", "pattern"),
)
#: enterprise parameters about TLS, media and names; no document shows the name of TLS Ciphers in the database
_PARAMETERS = (
    "select paramname,paramvalue from processconfig where paramname in "
    "('ClusterSecurityMode','OrganizationTopLevelDomain','ClusterFQDN') or paramname like '%Ciphers%'"
)
_LINES = (
    "select n.dnorpattern as pattern, p.name as partition, l.name as linecss, c.name as devicecss, o.name as pool from "
    "numplan n left outer join routepartition p on p.pkid=n.fkroutepartition left outer join callingsearchspace l on "
    "l.pkid=n.fkcallingsearchspace_sharedlineappear inner join devicenumplanmap m on m.fknumplan=n.pkid inner join "
    "device d on d.pkid=m.fkdevice left outer join callingsearchspace c on c.pkid=d.fkcallingsearchspace left outer "
    "join devicepool o on o.pkid=d.fkdevicepool where n.tkpatternusage=2 and d.tkclass=1"
)
NOT_ACTIVATED = "Not activated"
#: most numbers of a group of lines that are returned
MOST_NUMBERS = 1000


def service(task: Task) -> Outcome:
    """The service of cucm_configuration_info."""
    client = AxlClient.from_params(task.params)
    reader = _Reader(client, [])
    nodes = info.nodes(client)
    result = {
        "version": client.release,
        "axl_version": client.version,
        "security_mode": info.security_mode(client),
        "nodes": nodes,
        "objects": {kind.name: reader.objects(kind) for kind in KINDS},
        "parameters": reader.parameters(),
        "lines": reader.lines(numbers=task.params["numbers"]),
        "services": {node["name"]: reader.services(task.params, node) for node in nodes},
    }
    return Outcome(result={**result, "not_read": reader.not_read}, warnings=client.http.warnings)


@dataclass
class _Reader:
    """Reads part by part; a part that the account may not read becomes a sentence in `not_read`."""

    client: AxlClient
    not_read: list[str]

    def objects(self, kind: Kind) -> list[dict[str, Any]]:
        """All objects of a kind, whole."""
        try:
            listed = self.client.listing(kind.name, kind.element, {kind.search: "%"}, [kind.search])
            keys = [str(item.get("uuid") or "") for item in listed]
            found = self.client.side_by_side(
                lambda uuid: self.client.get(kind.name, kind.element, {"uuid": uuid}, kind.name), keys
            )
        except AxlFault as refused:
            self.not_read.append(f"{kind.name}: {refused.msg}")
            return []
        return [content(element) for element in found if element is not None]

    def parameters(self) -> dict[str, str]:
        """The enterprise parameters about TLS, media and names."""
        rows = self._sql(_PARAMETERS, "enterprise parameters")
        return {row["paramname"]: row.get("paramvalue", "") for row in rows}

    def lines(self, *, numbers: bool) -> list[dict[str, Any]]:
        """The phones' lines, grouped by partition, search spaces and device pool."""
        return grouped(self._sql(_LINES, "lines"), numbers=numbers)

    def services(self, params: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, str]:
        """The services of a node by name: their status, or that they are not activated."""
        address = params["addresses"].get(node["name"]) or node["address"]
        center = ControlCenter.from_params({**params, "host": address})
        try:
            states = center.all_states()
        except Failure as failure:
            self.not_read.append(f"services of {node['name']}: {failure.msg}")
            return {}
        finally:
            center.close()
        return {state.name: state.status if state.activated else NOT_ACTIVATED for state in states}

    def _sql(self, statement: str, what: str) -> Sequence[Mapping[str, str]]:
        try:
            return self.client.sql(statement)
        except AxlFault as refused:
            self.not_read.append(f"{what}: {refused.msg}")
            return []


def content(element: Any) -> dict[str, Any]:
    """An element's children as a dictionary: texts, groups, and lists where a group repeats one child."""
    return {soap.local(child): _value(child) for child in element}


def _value(element: Any) -> Any:
    inner = list(element)
    if not inner:
        return element.text or ""
    # AXL names the repeated child of a list by the singular: members/member, destinations/destination.
    name = soap.local(inner[0])
    if soap.local(element).lower() == f"{name.lower()}s":
        return [content(child) for child in inner]
    return content(element)


def grouped(rows: Iterable[Mapping[str, str]], *, numbers: bool) -> list[dict[str, Any]]:
    """Lines by what decides about their calls; with numbers, the first MOST_NUMBERS of each group."""
    groups: dict[tuple[str, ...], dict[str, None]] = {}
    for row in rows:
        key = tuple(row.get(column, "") for column in ("partition", "linecss", "devicecss", "pool"))
        groups.setdefault(key, {})[row.get("pattern", "")] = None
    found = []
    for key, members in sorted(groups.items()):
        names = ("partition", "line_search_space", "device_search_space", "device_pool")
        group: dict[str, Any] = {**dict(zip(names, key, strict=True)), "count": len(members)}
        if numbers:
            # In the order of the rows: sorted, redacted numbers would come in another order than the originals.
            group["numbers"] = list(members)[:MOST_NUMBERS]
        found.append(group)
    return found
