# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of SIP trunks by RIS, the real-time information service, in its three generations. Private.

RIS answers for the whole cluster, 15 times a minute by default; so all trunks are asked for at once.
"""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability import soap
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability.soap import NotHere, SoapFault, element

MOST_DEVICES = 1000
RATE_WORDS = "exceeded allowed rate"
# Seconds between questions when the rate is used up (15 a minute), and for how long to go on asking.
RATE_PAUSE, RATE_PATIENCE = 5.0, 90.0

IN_SERVICE = {"Registered": True, "PartiallyRegistered": True, "UnRegistered": False, "Rejected": False}
STATUS_WORDS = {
    "Registered": "in service",
    "PartiallyRegistered": "in service with some of its destinations",
    "UnRegistered": "out of service",
    "Rejected": "out of service: rejected",
    "Unknown": "unknown: without OPTIONS ping in its SIP profile CUCM does not watch a trunk",
}


@dataclass(frozen=True)
class Generation:
    """How one generation of the service is asked."""

    name: str
    path: str
    action: str
    operation: str
    namespace: str
    class_element: str
    class_name: str


GENERATIONS = (
    Generation(
        "RISService70", "/realtimeservice2/services/RISService70", "selectCmDevice", "selectCmDevice",
        soap.NAMESPACE, "DeviceClass", "SIPTrunk",
    ),
    Generation(
        "RISService", "/realtimeservice2/services/RISService", "selectCmDevice", "selectCmDevice",
        soap.NAMESPACE, "DeviceClass", "SIP Trunk",
    ),
    Generation(
        "RisPort", "/realtimeservice/services/RisPort",
        "http://schemas.cisco.com/ast/soap/action/#RisPort#SelectCmDevice", "SelectCmDevice",
        soap.NAMESPACE + "/", "Class", "SIP Trunk",
    ),
)  # fmt: skip


def trunks(
    client: HttpClient, names: Sequence[str], pause: Callable[[float], None] = time.sleep
) -> list[dict[str, Any]]:
    """The state of the named trunks (all without names), one entry a trunk and node."""
    missing: NotHere | None = None
    for generation in GENERATIONS:
        try:
            return _ask(client, generation, names, pause)
        except NotHere as error:
            missing = error
    raise Failure(
        f"The state of SIP trunks could not be read on {client.host}: none of the services "
        f"{', '.join(one.name for one in GENERATIONS)} is there. Activate Cisco RIS Data Collector and check that the "
        "host is a CUCM node."
    ) from missing


def _ask(
    client: HttpClient, generation: Generation, names: Sequence[str], pause: Callable[[float], None]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    wanted = list(names) or ["*"]
    for at in range(0, len(wanted), MOST_DEVICES):
        body = _request(generation, wanted[at : at + MOST_DEVICES])
        answer = _patiently(client, generation, body, pause)
        found += _devices(answer.body, generation)
        total = int(soap.text_of(answer.body, "TotalDevicesFound") or 0)
        if not names and total > len(found):
            raise Failure(
                f"{client.host} has {total} SIP trunks, and RIS reports at most {MOST_DEVICES} in one response. "
                "Name the trunks with the option names."
            )
    return found


def _patiently(client: HttpClient, generation: Generation, body: str, pause: Callable[[float], None]) -> soap.Answer:
    waited = 0.0
    while True:
        try:
            return soap.call(
                client, generation.path, generation.action, body, "The state of SIP trunks (RIS)",
                namespace=generation.namespace,
            )  # fmt: skip
        except SoapFault as fault:
            if RATE_WORDS not in fault.text.lower() or waited >= RATE_PATIENCE:
                raise
            pause(RATE_PAUSE)
            waited += RATE_PAUSE


def _request(generation: Generation, names: Sequence[str]) -> str:
    items = "".join(element("item", inner=element("Item", name)) for name in names)
    criteria = "".join(
        (
            element("MaxReturnedDevices", MOST_DEVICES),
            element(generation.class_element, generation.class_name),
            element("Model", 255),
            element("Status", "Any"),
            element("NodeName", "Any"),
            element("SelectBy", "Name"),
            element("SelectItems", inner=items),
            element("Protocol", "Any"),
            element("DownloadStatus", "Any"),
        )
    )
    return element(
        generation.operation, inner=element("StateInfo", "") + element("CmSelectionCriteria", inner=criteria)
    )


def _devices(body: ET.Element, generation: Generation) -> list[dict[str, Any]]:
    found = []
    for node in (one for name in ("CmNodes",) for parent in soap.find_all(body, name) for one in parent):
        node_name = next(((one.text or "").strip() for one in node if one.tag == "Name"), "")
        for device in (one for parent in soap.find_all(node, "CmDevices") for one in parent):
            values = {one.tag: (one.text or "").strip() for one in device}
            # A service that ignores the class answers with phones, too.
            if values.get("DeviceClass", values.get("Class", generation.class_name)).replace(" ", "") == "SIPTrunk":
                found.append(_device(device, values, node_name))
    return found


def _device(device: ET.Element, values: dict[str, str], node: str) -> dict[str, Any]:
    status = values.get("Status") or "Unknown"
    addresses = [one.text.strip() for one in soap.find_all(device, "IP") if one.text and one.text.strip()]
    if not addresses and values.get("IpAddress"):
        addresses = [values["IpAddress"]]
    code = values.get("StatusReason", "")
    return {
        "name": values.get("Name", ""),
        "node": node,
        "status": status,
        "in_service": IN_SERVICE.get(status),
        "status_text": STATUS_WORDS.get(status, status),
        "status_reason": int(code) if code.isdecimal() else None,
        "description": values.get("Description") or "",
        "addresses": addresses,
        "since": int(values["TimeStamp"]) if values.get("TimeStamp", "").isdecimal() else None,
    }
