# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control Center Services: status and control of a node's services. Control is asynchronous, as on CUCM."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aiohttp import web
from lxml import etree

from ..services import STOPPED, ServiceState, UnknownService
from . import ast
from .soap import Malformed, parse

if TYPE_CHECKING:
    from ..world import Node

#: ReasonCode and ReasonCodeString of a service's state, and of a request
NOT_ACTIVATED = (-1068, "Service Not Activated")
OUT_OF_SERVICE = (-1019, "Component is not running")
COMMANDED = (-1032, "Commanded Out of Service")
UNKNOWN = (-1034, "Service name is not valid")
FORBIDDEN = (-1053, "Service can not be controlled here; use the CLI")
#: ProductID of CUCM's own services in the lists
PRODUCT_ID = "CallManager"
_CONTROLS = {"Start": "start", "Stop": "stop", "Restart": "restart"}
_DEPLOYMENTS = {"Deploy": "activate", "UnDeploy": "deactivate"}


async def handle(node: Node, body: bytes, _unused: web.BaseRequest) -> web.Response:
    """Answer one request."""
    try:
        request = parse(body)
    except Malformed as error:
        return ast.refuse(str(error))
    operation = etree.QName(request).localname
    if operation == "soapGetServiceStatus":
        return _status(node, request)
    if operation in ("soapDoControlServices", "soapDoControlServicesEx"):
        return _control(node, operation, request, _CONTROLS.get(ast.find_text(request, "ControlType")))
    if operation == "soapDoServiceDeployment":
        return _control(node, operation, request, _DEPLOYMENTS.get(ast.find_text(request, "DeployType")))
    if operation == "getFileDirectoryList":
        return _directory(node, ast.find_text(request, "DirectoryPath"))
    if operation in _LISTS:
        return _LISTS[operation](node)
    return ast.refuse(f"The endpoint reference (EPR) for the Operation not found is {operation}")


def _status(node: Node, request: etree._Element) -> web.Response:
    wanted = [(e.text or "").strip() for e in ast.find_all(request, "ServiceStatus")]
    names = [name for name in wanted if name]
    states: list[ServiceState | str] = []
    if not names:
        states = [*node.services.all()]
    for name in names:
        try:
            states.append(node.services.get(name))
        except UnknownService:
            states.append(name)
    return _answer(node, "soapGetServiceStatus", states)


def _control(node: Node, operation: str, request: etree._Element, action: str | None) -> web.Response:
    lab = node.cluster.lab
    target = ast.find_text(request, "NodeName")
    if target and lab.inferred["controlcenter.node_name_checked"] and node.cluster.node(target) is not node:
        return _answer(node, operation, [], (-1, f"Node {target} is not this node"))
    lists = ast.find_all(request, "ServiceList")
    names = [(e.text or "").strip() for e in lists for e in ast.find_all(e, "item")]
    if action is None or not names:
        return _answer(node, operation, [], (-1, "ControlType, DeployType or ServiceList is not valid"))
    states: list[ServiceState | str] = []
    reason = (-1, "")
    for name in names:
        try:
            state = node.services.get(name)
        except UnknownService:
            states.append(name)
            reason = UNKNOWN
            continue
        if not state.activated and action != "activate":
            reason = NOT_ACTIVATED
        elif state.feature if action in _DEPLOYMENTS.values() else state.controllable:
            lab.log.write("controlcenter", node=node.name, service=name, action=action)
            node.services.begin(action, name)
        else:
            reason = FORBIDDEN
        states.append(state)
    return _answer(node, operation, states, reason)


def _specification(state: ServiceState, **more: str) -> str:
    """The static lists' entry of a service; `more` are the elements that only some of the lists have."""
    return ast.elements(
        ServiceName=state.name,
        ServiceType="Service",
        Deployable="true" if state.feature else "false",
        GroupName="CM Services" if state.controllable else "Platform Services",
        **more,
        DependentServices=None,
    )


def _static(node: Node) -> web.Response:
    items = "".join(f"<ns1:item>{_specification(state)}</ns1:item>" for state in node.services.all())
    return _returned("soapGetStaticServiceList", f"<ns1:Services>{items}</ns1:Services>")


def _static_extended(node: Node) -> web.Response:
    items = "".join(
        "<ns1:item>"
        + _specification(state, ProductID=PRODUCT_ID, Restrict="none" if state.controllable else "DoNotStop")
        + "</ns1:item>"
        for state in node.services.all()
    )
    head = ast.elements(ReturnCode=0, ReasonCode=-1, ReasonString=None)
    shown = head if node.cluster.lab.inferred["controlcenter.extended_head"] else ""
    return _returned("getStaticServiceListExtended", f"{shown}<ns1:Services>{items}</ns1:Services>")


def _directory(node: Node, path: str) -> web.Response:
    """The names in a directory of the node's active log."""
    try:
        folder = node.file(path)
    except ValueError:
        folder = node.directory
    if not folder.is_dir() or not folder.is_relative_to(node.active_log.resolve()):
        return ast.refuse(f"{path} is not a directory")
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    files = "".join(ast.elements(File=name) for name in names)
    return _returned("getFileDirectoryList", f"<ns1:ListOfFiles>{files}</ns1:ListOfFiles>")


def _products(node: Node) -> web.Response:
    cluster = node.cluster
    name = cluster.lab.inferred["controlcenter.product_name"]
    product = ast.elements(
        ProductName=name,
        ProductVersion=cluster.release.version,
        ProductDescription=name,
        ProductID=PRODUCT_ID,
        ShortName="CUCM",
    )
    services = "".join(
        f"<ns1:item>{_specification(state, ProductID=PRODUCT_ID)}</ns1:item>" for state in node.services.all()
    )
    head = ast.elements(
        ActiveServerVersion=cluster.release.version, PrimaryNode=cluster.publisher.name, SecondaryNode=None
    )
    lists = f"<ns1:Products><ns1:item>{product}</ns1:item></ns1:Products><ns1:Services>{services}</ns1:Services>"
    return _returned("getProductInformationList", head + lists)


def _returned(operation: str, inner: str) -> web.Response:
    return ast.answer(operation, f"<ns1:{operation}Return>{inner}</ns1:{operation}Return>")


_LISTS = {
    "soapGetStaticServiceList": _static,
    "getStaticServiceListExtended": _static_extended,
    "getProductInformationList": _products,
}


def _answer(
    node: Node, operation: str, states: list[ServiceState | str], reason: tuple[int, str] = (-1, "")
) -> web.Response:
    items = "".join(f"<ns1:item>{_item(node, state)}</ns1:item>" for state in states)
    head = ast.elements(ReturnCode=0 if reason[0] == -1 else 1, ReasonCode=reason[0], ReasonString=reason[1])
    inner = f"<ns1:{operation}Return>{head}<ns1:ServiceInfoList>{items}</ns1:ServiceInfoList></ns1:{operation}Return>"
    return ast.answer(operation, inner)


def _item(node: Node, state: ServiceState | str) -> str:
    if isinstance(state, str):
        return ast.elements(ServiceName=state, ServiceStatus="Unknown", ReasonCode=UNKNOWN[0],
                            ReasonCodeString=UNKNOWN[1], StartTime=None, UpTime=-1)  # fmt: skip
    reason: tuple[int, str | None] = (-1, " ")
    if not state.activated:
        reason = NOT_ACTIVATED
    elif state.status == STOPPED:
        # A service on its way down or up has no reason: none of the sources shows one with Stopping or Starting.
        commanded = state.commanded and node.cluster.lab.inferred["controlcenter.shows_commanded"]
        reason = COMMANDED if commanded else OUT_OF_SERVICE
    started, up = None, -1
    if state.since is not None:
        started = datetime.fromtimestamp(state.since, UTC).strftime("%a %b %e %H:%M:%S %Y")
        up = max(0, int(node.cluster.lab.clock.time() - state.since))
    return ast.elements(ServiceName=state.name, ServiceStatus=state.status, ReasonCode=reason[0],
                        ReasonCodeString=reason[1], StartTime=started, UpTime=up)  # fmt: skip
