# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control Center Services of a node: state of services, start, stop, restart.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import NodeClock, from_http
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import (
    LOST,
    AnswerLost,
    HttpAnswer,
    HttpClient,
    declares_types,
)
from ansible_collections.siptls.cucm.plugins.module_utils._text import readable

PATH = "/controlcenterservice2/services/ControlCenterServices"
NAMESPACE = "http://schemas.cisco.com/ast/soap"
ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:s="{namespace}">'
    "<soapenv:Body><s:{operation}>{body}</s:{operation}></soapenv:Body></soapenv:Envelope>"
)


@dataclass(frozen=True)
class ServiceState:
    """One service: status is Started, Stopped, Starting, Stopping or Unknown; up_time in seconds, -1 when stopped."""

    name: str
    status: str
    reason: str = ""
    up_time: int | None = None

    @property
    def activated(self) -> bool:
        """False when the service is not activated on this node."""
        return "not activated" not in self.reason.lower()

    @property
    def commanded_out(self) -> bool:
        """True when somebody stopped the service by order, as opposed to one that did not come up."""
        return self.status == "Stopped" and "commanded out" in self.reason.lower()


@dataclass
class ControlCenter:
    """Hand-written SOAP: two operations do not need the vendor's description."""

    client: HttpClient
    kind: str = "Control Center"

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> ControlCenter:
        """For a module's application options."""
        return cls(HttpClient.from_params(params, account="application"))

    @property
    def where(self) -> str:
        """Node, interface and account in words."""
        return f"{self.client.host} (Control Center on HTTPS port {self.client.endpoint.port}, {self.client.who})"

    @property
    def warnings(self) -> list[str]:
        """What the user should know."""
        return self.client.warnings

    def status(self, name: str) -> ServiceState:
        """The state of a service; Failure when the node does not know it."""
        body = f"<s:ServiceStatus>{escape(name)}</s:ServiceStatus>"
        found = self._call("soapGetServiceStatus", body, f"Asking for the state of {name}", idempotent=True)
        state = next((candidate for candidate in found if candidate.name.lower() == name.lower()), None)
        if state is None:
            raise Failure(f"{self.where} knows no service {name}; names are those of the Control Center, in full.")
        return state

    def all_states(self) -> list[ServiceState]:
        """The states of all services; an empty name asks for all."""
        body = "<s:ServiceStatus></s:ServiceStatus>"
        return self._call("soapGetServiceStatus", body, "Asking for the state of all services", idempotent=True)

    def control(self, name: str, verb: str) -> None:
        """start, stop or restart a service; CUCM answers before it is done, so ask for the status until it is."""
        body = (
            f"<s:ControlServiceRequest><s:NodeName>{escape(self.client.host)}</s:NodeName>"
            f"<s:ControlType>{verb.capitalize()}</s:ControlType>"
            f"<s:ServiceList><s:item>{escape(name)}</s:item></s:ServiceList></s:ControlServiceRequest>"
        )
        self._call("soapDoControlServices", body, f"Asking for the {verb} of {name}", idempotent=False)

    def now(self) -> datetime:
        """The time by the node's clock as its last response showed it, or else by the controller's."""
        found = from_http(*self.client.dated) if self.client.dated is not None else None
        return (found or NodeClock()).now()

    def close(self) -> None:
        """End the session."""
        self.client.close()

    def _call(self, operation: str, body: str, doing: str, *, idempotent: bool) -> list[ServiceState]:
        answer = self.client.request(
            "POST",
            PATH,
            data=ENVELOPE.format(namespace=NAMESPACE, operation=operation, body=body),
            headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation}"'},
            idempotent=idempotent,
            what=doing,
        )
        if answer.status == 200 and not idempotent and _parse(answer.body) is None:
            raise AnswerLost(
                f"{doing} on {self.where}: the response is not valid; whether CUCM acted is not known. {LOST}"
            )
        return self._read(answer, doing)

    def _read(self, answer: HttpAnswer, doing: str) -> list[ServiceState]:
        root = _parse(answer.body)
        fault = "" if root is None else readable(_text(root, "faultstring"))
        if root is None or answer.status != 200 or fault:
            advice = {
                403: "The account needs the role Standard CCM Server Monitoring.",
                404: "The node has no Control Center service; is Cisco CallManager Serviceability up?",
            }.get(answer.status, "Try again; interface: cli does the same by the platform account.")
            said = fault or answer.text() or "no text"
            raise Failure(
                f"{doing} on {self.where} failed: CUCM answered {answer.status} ({said[:300]}). {advice}",
                status=answer.status,
            )
        code, reason = _text(root, "ReturnCode"), _text(root, "ReasonString")
        states = [
            ServiceState(
                _text(item, "ServiceName"),
                _text(item, "ServiceStatus") or "Unknown",
                _text(item, "ReasonCodeString"),
                int(seconds) if re.fullmatch(r"-?\d+", seconds := _text(item, "UpTime")) else None,
            )
            for item in _all(root, "item")
            if _text(item, "ServiceName")
        ]
        if code not in ("", "0") and not states:
            raise Failure(f"{doing} on {self.where} failed: CUCM said {reason or 'nothing'} (return code {code}).")
        return states


def _parse(body: bytes) -> Any:
    """The document; None when it is not XML. A document type is refused, since entities are of no use here."""
    from xml.etree import ElementTree

    if declares_types(body):
        return None
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return None


def _all(root: Any, name: str) -> list[Any]:
    return [
        element for element in root.iter() if isinstance(element.tag, str) and element.tag.rpartition("}")[2] == name
    ]


def _text(root: Any, name: str) -> str:
    found = _all(root, name)
    return (found[0].text or "").strip() if found else ""
