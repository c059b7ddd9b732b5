# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RisPort: which devices are registered, with which node, for which reason. It responds for the whole cluster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from aiohttp import web
from lxml import etree

from ..packages import package
from . import ast
from .rates import Rate
from .soap import Malformed, parse

if TYPE_CHECKING:
    from ..world import Cluster, Node

MAXIMUM = 1000
#: Cisco's own spelling
TOO_MANY = (
    "AxisFault: Exceeded allowed rate for Reatime information. "
    "Current allowed rate for realtime information is {allowed} requests per minute."
)
_RATES: WeakKeyDictionary[Cluster, Rate] = WeakKeyDictionary()


@dataclass(frozen=True)
class Shape:
    """The element names of a generation of the service."""

    trunk_class: str
    node: str
    device: str
    addresses_listed: bool


SHAPES = {
    "RISService70": Shape("SIPTrunk", "item", "item", True),
    "RISService": Shape("SIP Trunk", "CmNode", "CmDevice", False),
}


async def handle(shape: Shape, node: Node, body: bytes, _unused: web.BaseRequest) -> web.Response:
    """Respond to selectCmDevice, selectCmDeviceExt or selectCtiItem."""
    try:
        request = parse(body)
    except Malformed as error:
        return ast.refuse(str(error))
    operation = etree.QName(request).localname
    if operation not in ("selectCmDevice", "selectCmDeviceExt", "selectCtiItem"):
        return ast.refuse(f"The endpoint reference (EPR) for the Operation not found is {operation}")
    cluster = node.cluster
    rate = _RATES.setdefault(cluster, Rate(int(cluster.lab.inferred["ris.requests_per_minute"])))
    if not rate.take():
        return ast.refuse(TOO_MANY.format(allowed=rate.allowed))
    if operation == "selectCtiItem":
        return _no_cti_items(cluster)
    return _select(shape, cluster, operation, request)


def _no_cti_items(cluster: Cluster) -> web.Response:
    """No application has opened a provider, device or line in the lab: every node answers that it found none."""
    empty = ast.elements(CtiItems=None)
    nodes = "".join(
        f"<ns1:item>{ast.elements(ReturnCode='NotFound', Name=node.name, NoChange='false')}{empty}</ns1:item>"
        for node in cluster.nodes
    )
    result = ast.elements(TotalItemsFound=0) + f"<ns1:CtiNodes>{nodes}</ns1:CtiNodes>"
    return ast.answer(
        "selectCtiItem",
        f"<ns1:selectCtiItemReturn><ns1:SelectCtiItemResult>{result}</ns1:SelectCtiItemResult><ns1:StateInfo/>"
        f"</ns1:selectCtiItemReturn>",
    )


def devices(cluster: Cluster) -> list[dict[str, Any]]:
    """Every device on every node: trunks by their state, phones as registered."""
    sip = package("sip")
    model = cluster.lab.inferred["ris.trunk_model"]
    rows = [{**row, "class": "trunk", "model": model} for row in sip.trunk_status(cluster)]
    running = [node for node in cluster.nodes if node.services.running("Cisco CallManager")]
    for phone in cluster.phones if running else ():
        home = cluster.telephones.registration(phone).node
        rows.append(
            {"name": phone.name, "description": phone.extension, "node": (home or running[0]).name, "class": "Phone",
             "status": "Registered" if home else "UnRegistered", "since": cluster.lab.clock.time(),
             # The emulated phones have their node's address.
             "destinations": [{"ip": home.address}] if home else [], "model": 336, "number": phone.extension}
        )  # fmt: skip
    return rows


def _select(shape: Shape, cluster: Cluster, operation: str, request: etree._Element) -> web.Response:
    wanted = {
        name: ast.find_text(request, name, "Any")
        for name in ("DeviceClass", "Status", "NodeName", "SelectBy", "Protocol")
    }
    items = [text for e in ast.find_all(request, "Item") for text in (e.text or "").split(",") if text.strip()]
    wildcard = operation == "selectCmDevice"
    everything = not items and bool(cluster.lab.inferred["ris.empty_item_is_all"])
    try:
        limit = min(int(ast.find_text(request, "MaxReturnedDevices", str(MAXIMUM)) or MAXIMUM), MAXIMUM)
    except ValueError:
        return ast.refuse("MaxReturnedDevices is not a number")
    rows = [
        row
        for row in devices(cluster)
        if _fits(shape, row, wanted) and (everything or _named(row, wanted["SelectBy"], items, wildcard))
    ]
    if not wildcard:
        rows = list({row["name"]: row for row in rows}.values())
    total = len(rows)
    rows = rows[:limit]
    nodes = "".join(_node(shape, node.name, [r for r in rows if r["node"] == node.name]) for node in cluster.nodes)
    result = ast.elements(TotalDevicesFound=total) + f"<ns1:CmNodes>{nodes}</ns1:CmNodes>"
    # The WSDL gives both selections the same response.
    return ast.answer(
        "selectCmDevice",
        f"<ns1:selectCmDeviceReturn><ns1:SelectCmDeviceResult>{result}</ns1:SelectCmDeviceResult><ns1:StateInfo/>"
        f"</ns1:selectCmDeviceReturn>",
    )


def _named(row: dict[str, Any], select_by: str, items: Iterable[str], wildcard: bool) -> bool:
    by = {"Name": row["name"], "Description": row.get("description") or "", "DirNumber": row.get("number", "")}
    value = str(by.get(select_by, row["name"])).lower()
    patterns = [item.strip().lower() for item in items]
    return any(fnmatchcase(value, item) if wildcard else value == item for item in patterns)


def _fits(shape: Shape, row: dict[str, Any], wanted: dict[str, str]) -> bool:
    """Whether a device is of the class, status and node that the request asks for."""
    device_class = shape.trunk_class if row["class"] == "trunk" else row["class"]
    return (
        wanted["DeviceClass"] in ("Any", device_class)
        and wanted["Status"] in ("Any", row["status"])
        and wanted["NodeName"].lower() in ("any", "", row["node"].lower())
    )


def _node(shape: Shape, name: str, rows: list[dict[str, Any]]) -> str:
    inner = "".join(f"<ns1:{shape.device}>{_device(shape, row)}</ns1:{shape.device}>" for row in rows)
    head = ast.elements(ReturnCode="Ok" if rows else "NotFound", Name=name, NoChange="false")
    return f"<ns1:{shape.node}>{head}<ns1:CmDevices>{inner}</ns1:CmDevices></ns1:{shape.node}>"


def _device(shape: Shape, row: dict[str, Any]) -> str:
    trunk = row["class"] == "trunk"
    head = ast.elements(
        Name=row["name"], DirNumber=row.get("number"), DeviceClass=shape.trunk_class if trunk else row["class"],
        Model=row["model"], Product=row["model"], BoxProduct=0, Httpd="No", RegistrationAttempts=0,
        IsCtiControllable="false", LoginUserId=None, Status=row["status"], StatusReason=0, PerfMonObject=2, DChannel=0,
        Description=row.get("description"), H323Trunk=None, TimeStamp=int(row.get("since") or 0), Protocol="SIP",
        NumOfLines=0 if trunk else 1,
    )  # fmt: skip
    line = "" if trunk else ast.elements(DirectoryNumber=row.get("number"), Status=row["status"])
    lines = f"<ns1:LinesStatus><ns1:item>{line}</ns1:item></ns1:LinesStatus>" if line else "<ns1:LinesStatus/>"
    text = head + lines + ast.elements(
        ActiveLoadID=None, InactiveLoadID=None, DownloadStatus="Unknown", DownloadFailureReason=None,
        DownloadServer=None,
    )  # fmt: skip
    addresses = list(dict.fromkeys(d.get("ip") or d.get("host") for d in row["destinations"]))
    if not shape.addresses_listed:
        return text + ast.elements(IpAddress=addresses[0] if addresses else None)
    inner = "".join(
        "<ns1:item>"
        + ast.elements(IP=a, IPAddrType="ipv6" if ":" in a else "ipv4", Attribute="Unknown")
        + "</ns1:item>"
        for a in addresses
    )
    return f"{text}<ns1:IPAddress>{inner}</ns1:IPAddress>"


HANDLERS = {name: partial(handle, shape) for name, shape in SHAPES.items()}
