# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control interface as an OpenAPI document, made from one table of its commands."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from .faults import ACTIONS, INTERFACES, Fault
from .packages import version

JSON = dict[str, Any]
_TEXT: JSON = {"type": "string"}
_NUMBER: JSON = {"type": "number"}
_WHOLE: JSON = {"type": "integer"}
_FLAG: JSON = {"type": "boolean"}
_OBJECT: JSON = {"type": "object"}
_LIST: JSON = {"type": "array", "items": {"type": "object"}}
_CLUSTER: JSON = {**_TEXT, "description": "Name of a cluster, or of one of its nodes."}
_NODE: JSON = {**_TEXT, "description": "Name or address of a node."}


@dataclass(frozen=True)
class Route:
    """A command: what it does, the fields of its order (those that are required first), and its answer."""

    summary: str
    fields: dict[str, JSON] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    answer: JSON = field(default_factory=lambda: _OBJECT)


def _fault_fields() -> dict[str, JSON]:
    kinds = {"str": _TEXT, "int": _WHOLE, "float": _NUMBER, "int | None": _WHOLE, "float | None": _NUMBER}
    own = {member.name: kinds.get(str(member.type), _OBJECT) for member in dataclasses.fields(Fault)}
    for counted in ("id", "matches", "hits", "cleared"):
        del own[counted]
    own["interface"] = {**_TEXT, "enum": [*INTERFACES, "*"]}
    own["action"] = {**_TEXT, "enum": list(ACTIONS), "description": "; ".join(f"{k}: {v}" for k, v in ACTIONS.items())}
    own["rate"] = {**_NUMBER, "minimum": 0, "maximum": 1, "description": "Share of the matches that hit."}
    own["every"] = {**_WHOLE, "minimum": 1, "description": "Only every n-th match hits."}
    own["count"] = {**_WHOLE, "minimum": 1, "description": "Number of hits after which the rule ends."}
    return own


ROUTES: dict[str, Route] = {
    "status": Route("Show clusters, nodes, services, phones, trunks and stand-ins."),
    "call": Route(
        "Place a call from a phone of a cluster.",
        {"cluster": _CLUSTER, "calling": _TEXT, "called": _TEXT, "hold": {**_NUMBER, "description": "Seconds."}},
        ("cluster", "calling", "called"),
    ),
    "digits": Route(
        "Show where a number leads, dialled by a phone (`calling`) or coming in over a `trunk`. No call is placed.",
        {"cluster": _CLUSTER, "called": _TEXT, "calling": _TEXT, "trunk": _TEXT, "one_by_one": _FLAG},
        ("cluster", "called"),
    ),
    "fault/add": Route("Add a fault.", _fault_fields(), ("interface", "action")),
    "fault/list": Route("List the faults with how often each has hit.", answer=_LIST),
    "fault/clear": Route("Clear one fault, or all.", {"id": _WHOLE}),
    "clock": Route(
        "Show or shift the clock of the lab or of a node.",
        {"shift": {**_NUMBER, "description": "Seconds."}, "reset": _FLAG, "node": _NODE},
    ),
    "events": Route("List the events of the lab's log.", {"kind": _TEXT, "fields": _OBJECT}, answer=_LIST),
    "inferred": Route("Set a row of the table of inferences.", {"name": _TEXT, "value": {}}, ("name", "value")),
    "dump": Route("Show what the databases contain.", {"cluster": _CLUSTER, "stable": _FLAG}),
    "ca": Route(
        "Act as the administrator of a CA.",
        {"what": {**_TEXT, "enum": ["list", "issue", "deny"]}, "request": _WHOLE, "ca": _TEXT},
        ("what",),
        answer={},
    ),
    "csr": Route(
        "Act as a person on the certificate web page: replace the pending CSR with a new one.",
        {"node": _NODE, "unit": _TEXT, "multi_server": _FLAG, "key_length": _WHOLE},
        ("node",),
    ),
    "down": Route("Stop the lab; its state is kept."),
    "phones": Route("Reset the phones of a cluster.", {"cluster": _CLUSTER}, ("cluster",), answer=_LIST),
    "syslog": Route(
        "Set the syslog server of all nodes, or run the certificate monitors now.",
        {"server": {**_TEXT, "description": "ADDRESS:PORT; empty: none."}, "certificates": _FLAG},
    ),
    "openapi": Route("Show this document."),
}


def document() -> JSON:
    """The OpenAPI document (3.1)."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "cucm-lab control interface",
            "version": version(),
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
            "description": "JSON over HTTP on the Unix socket control.sock in the state directory of a lab.",
        },
        "servers": [{"url": "http://localhost", "description": "The Unix socket; curl has --unix-socket."}],
        "paths": {f"/{name}": {"post": _operation(name, route)} for name, route in ROUTES.items()},
        "components": {"schemas": {"Refusal": _refusal()}},
    }


def _operation(name: str, route: Route) -> JSON:
    properties = dict(route.fields)
    order: JSON = {"type": "object", "properties": properties, "additionalProperties": False}
    if route.required:
        order["required"] = list(route.required)
    refused = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}}
    return {
        "operationId": name.replace("/", "_"),
        "summary": route.summary,
        "requestBody": {"required": bool(route.required), "content": {"application/json": {"schema": order}}},
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": {"schema": route.answer}}},
            "400": {"description": "The order cannot be carried out.", **refused},
            "404": {"description": "There is no such command.", **refused},
        },
    }


def _refusal() -> JSON:
    return {"type": "object", "required": ["error"], "properties": {"error": {**_TEXT, "description": "A sentence."}}}
