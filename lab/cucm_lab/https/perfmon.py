# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PerfMon: counters of one node. `TLSConnectedSIPTrunks` is the cheapest proof that a TLS trunk is up."""

from __future__ import annotations

import uuid
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

TOO_MANY = (
    "Exceeded allowed rate for Perfmon information. "
    "Current allowed rate for perfmon information is {allowed} requests per minute."
)
ALLOWED = 80
_RATES: WeakKeyDictionary[Cluster, Rate] = WeakKeyDictionary()
_SESSIONS: dict[str, list[str]] = {}

#: object -> counter -> what it counts
OBJECTS = {
    "Cisco CallManager": {
        "TLSConnectedSIPTrunks": "SIP trunks that are configured and connected over TLS.",
        "CallsActive": "Calls that are in use now.",
        "CallsCompleted": "Calls that were connected.",
        "EncryptedCallsActive": "Encrypted calls that are active now.",
        "EncryptedCallsCompleted": "Encrypted calls that were connected and ended.",
    },
    "Cisco SIP": {"CallsActive": "Calls on this SIP device.", "CallsCompleted": "Calls connected on this SIP device."},
}


def _calls(node: Node, **wanted: Any) -> int:
    events = node.cluster.lab.log.events("sip", event="call_out", cluster=node.cluster.name, result="answered")
    return sum(all(event.get(key) == value for key, value in wanted.items()) for event in events)


def _trunks(node: Node) -> list[dict[str, Any]]:
    sip = package("sip")
    return [row for row in sip.trunk_status(node.cluster) if row["node"] == node.name]


def values(node: Node, name: str) -> list[tuple[str, str, int]]:
    """(instance or "", counter, value) of an object."""
    if name == "Cisco SIP":
        return [
            (trunk["name"], counter, 0 if counter == "CallsActive" else _calls(node, trunk=trunk["name"]))
            for trunk in _trunks(node)
            for counter in OBJECTS[name]
        ]
    active = node.sip.calls_active()
    counted = {
        "TLSConnectedSIPTrunks": sum(bool(trunk["connected_tls"]) for trunk in _trunks(node)),
        "CallsActive": len(active),
        "CallsCompleted": _calls(node),
        "EncryptedCallsActive": sum(active),
        "EncryptedCallsCompleted": _calls(node, secure=True),
    }
    return [("", counter, counted[counter]) for counter in OBJECTS[name]]


def _full(host: str, name: str, instance: str, counter: str) -> str:
    return f"\\\\{host}\\{name}{f'({instance})' if instance else ''}\\{counter}"


async def handle(node: Node, body: bytes, _unused: web.BaseRequest) -> web.Response:
    """Answer one request."""
    try:
        request = parse(body)
    except Malformed as error:
        return ast.refuse(str(error))
    rate = _RATES.setdefault(node.cluster, Rate(ALLOWED))
    if not rate.take():
        return ast.refuse(TOO_MANY.format(allowed=rate.allowed))
    operation = etree.QName(request).localname
    answer = _OPERATIONS.get(operation)
    if answer is None:
        return ast.refuse(f"The endpoint reference (EPR) for the Operation not found is {operation}")
    try:
        return ast.answer(operation, answer(node, operation, request))
    except ast.AstFault as error:
        return ast.refuse(str(error))


def _object(request: etree._Element) -> str:
    name = ast.find_text(request, "Object")
    if name not in OBJECTS:
        raise ast.AstFault(f"The object {name} is not known.")
    return name


def _data(operation: str, full: str, value: int) -> str:
    return f"<ns1:{operation}Return>{ast.elements(Name=full, Value=value, CStatus=1)}</ns1:{operation}Return>"


def _collect(node: Node, operation: str, request: etree._Element) -> str:
    name = _object(request)
    host = ast.find_text(request, "Host", node.address)
    if node.cluster.node(host) is not node:
        raise ast.AstFault(f"The host {host} is not this node.")
    return "".join(
        _data(operation, _full(host, name, instance, counter), value) for instance, counter, value in values(node, name)
    )


def _list_counters(_unused: Node, operation: str, __: etree._Element) -> str:
    parts = []
    for name, counters in OBJECTS.items():
        items = "".join(f"<ns1:item>{ast.elements(Name=counter)}</ns1:item>" for counter in counters)
        head = ast.elements(Name=name, MultiInstance="true" if name == "Cisco SIP" else "false")
        parts.append(
            f"<ns1:{operation}Return>{head}<ns1:ArrayOfCounter>{items}</ns1:ArrayOfCounter></ns1:{operation}Return>"
        )
    return "".join(parts)


def _list_instances(node: Node, operation: str, request: etree._Element) -> str:
    names = dict.fromkeys(instance for instance, _unused, __ in values(node, _object(request)) if instance)
    return "".join(f"<ns1:{operation}Return>{ast.elements(Name=name)}</ns1:{operation}Return>" for name in names)


def _describe(_unused: Node, operation: str, request: etree._Element) -> str:
    counter = ast.find_text(request, "Counter").rsplit("\\", 1)[-1]
    text = next((c[counter] for c in OBJECTS.values() if counter in c), "")
    return ast.elements(**{f"{operation}Return": text})


def _open(_unused: Node, operation: str, __: etree._Element) -> str:
    handle_id = str(uuid.uuid4())
    _SESSIONS[handle_id] = []
    return ast.elements(**{f"{operation}Return": handle_id})


def _session(request: etree._Element) -> list[str]:
    counters = _SESSIONS.get(ast.find_text(request, "SessionHandle"))
    if counters is None:
        raise ast.AstFault("The session handle is not known.")
    return counters


def _add(_unused: Node, __: str, request: etree._Element) -> str:
    counters = _session(request)
    counters += [ast.find_text(c, "Name") for c in ast.find_all(request, "Counter")]
    return ""


def _remove(_unused: Node, __: str, request: etree._Element) -> str:
    counters = _session(request)
    gone = {ast.find_text(c, "Name") for c in ast.find_all(request, "Counter")}
    counters[:] = [counter for counter in counters if counter not in gone]
    return ""


def _sample(node: Node, operation: str, request: etree._Element) -> str:
    wanted = _session(request)
    have = {
        _full(host, name, instance, counter): value
        for name in OBJECTS
        for instance, counter, value in values(node, name)
        for host in (node.address, node.name)
    }
    return "".join(_data(operation, counter, have[counter]) for counter in wanted if counter in have)


def _close(_unused: Node, __: str, request: etree._Element) -> str:
    _session(request)
    _SESSIONS.pop(ast.find_text(request, "SessionHandle"), None)
    return ""


_OPERATIONS = {
    "perfmonCollectCounterData": _collect,
    "perfmonListCounter": _list_counters,
    "perfmonListInstance": _list_instances,
    "perfmonQueryCounterDescription": _describe,
    "perfmonOpenSession": _open,
    "perfmonAddCounter": _add,
    "perfmonRemoveCounter": _remove,
    "perfmonCollectSessionData": _sample,
    "perfmonCloseSession": _close,
}
