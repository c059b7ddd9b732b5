# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of SIP trunks and phones by RIS, the real-time information service, in its three generations. Private.

RIS answers for the whole cluster, 15 times a minute by default; so all devices are asked for at once.
"""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability import soap
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability.soap import NotHere, SoapFault, element

MOST_DEVICES = 1000
RATE_WORDS = "exceeded allowed rate"
# Seconds between questions when the rate is used up (15 a minute), and for how long to go on asking.
RATE_PAUSE, RATE_PATIENCE = 5.0, 90.0
#: the same for phones, of which a run can do without the number
PHONES_PATIENCE = 20.0

IN_SERVICE = {"Registered": True, "PartiallyRegistered": True, "UnRegistered": False, "Rejected": False}
STATUS_WORDS = {
    "Registered": "in service",
    "PartiallyRegistered": "in service with some of its destinations",
    "UnRegistered": "out of service",
    "Rejected": "out of service: rejected",
    "Unknown": "unknown: without OPTIONS ping in its SIP profile CUCM does not watch a trunk",
}


PHONE = "Phone"
REGISTERED = "Registered"
#: what RIS says of a phone that it knows and that is not registered
NOT_REGISTERED = ("UnRegistered", "Rejected")


class Asked(NamedTuple):
    """Which devices are asked for. what: the same in a sentence."""

    device_class: str
    what: str
    names: Sequence[str] = ()
    status: str = "Any"
    patience: float = RATE_PATIENCE


class Selected(NamedTuple):
    """What RIS returned: the devices, each with its node, and how many there are."""

    rows: list[tuple[ET.Element, dict[str, str], str]]
    total: int


@dataclass(frozen=True)
class Phones:
    """The phones of a cluster as RIS knows them."""

    #: how many are registered; where they are not listed, there may be more than MOST_DEVICES if it is that number
    registered: int
    #: their names; empty where there are too many to list, for which listed is false
    names: tuple[str, ...]
    listed: bool
    #: names of phones that RIS knows and that are not registered with any node
    not_registered: tuple[str, ...]


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
    """The state of the named trunks (all without names), one entry per trunk and node."""
    generation, found = _first(client, Asked("", "SIP trunks", names), pause)
    if not names and found.total > len(found.rows):
        raise Failure(
            f"{client.host} has {found.total} SIP trunks, and RIS reports at most {MOST_DEVICES} in one response. "
            "Name the trunks with the option names."
        )
    return [_device(device, values, node) for device, values, node in found.rows if _is_trunk(values, generation)]


def phones(client: HttpClient, pause: Callable[[float], None] = time.sleep) -> Phones:
    """Which phones are registered. One request for fewer than 1,000 phones, up to five for more."""
    every = Asked(PHONE, "phones", patience=PHONES_PATIENCE)
    generation, found = _first(client, every, pause)
    # Whether RIS counts more devices than it returns is not known.
    if found.total <= len(found.rows) < MOST_DEVICES:
        registered, others = _by_registration(found)
        return Phones(len(registered), tuple(sorted(registered)), True, tuple(sorted(others)))
    count = _ask(client, generation, every._replace(status=REGISTERED), pause).total
    out: set[str] = set()
    for status in NOT_REGISTERED:
        out |= _by_registration(_ask(client, generation, every._replace(status=status), pause))[1]
    if out:
        # The node that a phone has left may still list it, while another one has it registered.
        out -= _by_registration(_ask(client, generation, every._replace(names=sorted(out)), pause))[0]
    return Phones(count, (), False, tuple(sorted(out)))


def _by_registration(found: Selected) -> tuple[set[str], set[str]]:
    """Names of phones that are registered with a node, and of those that are with none."""
    rows = [values for _device, values, _node in found.rows if _is_phone(values)]
    registered = {row.get("Name", "") for row in rows if row.get("Status") == REGISTERED}
    return registered, {row.get("Name", "") for row in rows} - registered


def _is_phone(values: dict[str, str]) -> bool:
    return values.get("DeviceClass", values.get("Class", PHONE)) == PHONE


def _is_trunk(values: dict[str, str], generation: Generation) -> bool:
    """A service that ignores the class also returns phones."""
    return values.get("DeviceClass", values.get("Class", generation.class_name)).replace(" ", "") == "SIPTrunk"


def _first(client: HttpClient, asked: Asked, pause: Callable[[float], None]) -> tuple[Generation, Selected]:
    """The answer of the newest generation that is there. Failure where none is."""
    missing: NotHere | None = None
    for generation in GENERATIONS:
        try:
            return generation, _ask(client, generation, asked, pause)
        except NotHere as error:
            missing = error
    raise Failure(
        f"The state of {asked.what} could not be read on {client.host}: none of the services "
        f"{', '.join(known.name for known in GENERATIONS)} is there. Activate Cisco RIS Data Collector and check that "
        "the host is a CUCM node."
    ) from missing


def _ask(client: HttpClient, generation: Generation, asked: Asked, pause: Callable[[float], None]) -> Selected:
    found = Selected([], 0)
    wanted = list(asked.names) or ["*"]
    for at in range(0, len(wanted), MOST_DEVICES):
        body = _request(generation, asked._replace(names=wanted[at : at + MOST_DEVICES]))
        answer = _patiently(client, generation, asked, body, pause)
        total = int(soap.text_of(answer.body, "TotalDevicesFound") or 0)
        found = Selected([*found.rows, *_devices(answer.body)], found.total + total)
    return found


def _patiently(
    client: HttpClient, generation: Generation, asked: Asked, body: str, pause: Callable[[float], None]
) -> soap.Answer:
    waited = 0.0
    while True:
        try:
            return soap.call(
                client, generation.path, generation.action, body, f"The state of {asked.what} (RIS)",
                namespace=generation.namespace,
            )  # fmt: skip
        except SoapFault as fault:
            if RATE_WORDS not in fault.text.lower() or waited >= asked.patience:
                raise
            pause(RATE_PAUSE)
            waited += RATE_PAUSE


def _request(generation: Generation, asked: Asked) -> str:
    items = "".join(element("item", inner=element("Item", name)) for name in asked.names)
    criteria = "".join(
        (
            element("MaxReturnedDevices", MOST_DEVICES),
            element(generation.class_element, asked.device_class or generation.class_name),
            element("Model", 255),
            element("Status", asked.status),
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


def _devices(body: ET.Element) -> list[tuple[ET.Element, dict[str, str], str]]:
    """Each device of a response, its plain values, and its node."""
    found = []
    for node in (child for name in ("CmNodes",) for parent in soap.find_all(body, name) for child in parent):
        node_name = next(((child.text or "").strip() for child in node if child.tag == "Name"), "")
        for device in (child for parent in soap.find_all(node, "CmDevices") for child in parent):
            found.append((device, {child.tag: (child.text or "").strip() for child in device}, node_name))
    return found


def _device(device: ET.Element, values: dict[str, str], node: str) -> dict[str, Any]:
    status = values.get("Status") or "Unknown"
    addresses = [
        address.text.strip() for address in soap.find_all(device, "IP") if address.text and address.text.strip()
    ]
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
