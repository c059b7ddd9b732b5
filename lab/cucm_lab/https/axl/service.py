# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AXL as a web service: envelope, version, operation, response or fault."""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lxml import etree

from ..soap import XML, Malformed, envelope, parse
from . import faults, misc, operations, sql
from .faults import AxlFault
from .misc import Operation
from .operations import Call
from .render import escape
from .schema import OLDEST, Version, version
from .values import Element

if TYPE_CHECKING:
    from ...scenario import Account
    from ...world import Cluster, Node

NAMESPACE = "http://www.cisco.com/AXL/API/"
WRITE_ROLES = {"Standard AXL API Access", "Standard CCM Admin Users"}
READ_ROLES = {"Standard AXL Read Only API Access"}
#: outstanding change notifications above which writes get 503
NOTIFICATIONS = 1500
_ACTION = re.compile(r'"?CUCM:DB ver=([\w.]+)(?: +(\w+))?"?')


@dataclass
class Answer:
    """The response over HTTP."""

    status: int
    body: str
    content_type: str = XML
    operation: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


class AxlService:
    """The AXL web service of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._cluster: Cluster = node.cluster
        self._lab = node.cluster.lab
        self._outstanding = 0.0
        self._drained = time.monotonic()

    def operation(self, body: bytes) -> str:
        """The operation's name for the fault rules, found without parsing; empty without one."""
        match = re.search(rb"<(?:[\w.-]+:)?Body[^>]*>\s*<(?:[\w.-]+:)?(\w+)", body[:65536])
        return match[1].decode() if match else ""

    def handle(self, body: bytes, action: str, account: Account) -> Answer:
        """Respond to one POST of an account that may use AXL."""
        namespace = "1.0"
        name = ""
        try:
            request = parse(body)
            qname = etree.QName(request)
            name = qname.localname
            namespace = (qname.namespace or "").removeprefix(NAMESPACE)
            number = self._version(namespace, action)
            if number is None:
                return Answer(599, str(self._lab.inferred["axl.status_599_body"]), "text/html;charset=UTF-8", name)
            return self._run(request, name, namespace, number, account)
        except Malformed:
            return self._fault(faults.inferred(self._lab.inferred, "axl.malformed"), name, namespace)
        except AxlFault as fault:
            return self._fault(fault, name, namespace)

    def allowed(self, account: Account) -> bool:
        """Whether the account may use AXL at all."""
        return bool(set(account.roles) & (WRITE_ROLES | READ_ROLES))

    def refuse(self, code: int, text: str) -> Answer:
        """A fault that a rule of `faults` asks for."""
        return self._fault(AxlFault(code, text), "", "")

    def _version(self, namespace: str, action: str) -> Version | None:
        release = self._cluster.release
        match = _ACTION.fullmatch(action.strip())
        named = match[1] if match else None
        for text in (namespace, named):
            if text not in (None, "1.0") and not self._accepts(str(text)):
                return None
        if named and namespace not in ("1.0", named):
            raise faults.inferred(self._lab.inferred, "axl.action_mismatch", action=action, namespace=namespace)
        if not re.fullmatch(r"\d+\.\d+", namespace):
            return None
        return version(release.axl_oldest if namespace == "1.0" else namespace)

    def _accepts(self, text: str) -> bool:
        release = self._cluster.release
        if text == release.axl_version or text not in release.axl_versions:
            return text in release.axl_versions
        same_major = text.split(".", maxsplit=1)[0] == release.axl_version.split(".")[0]
        return not same_major or bool(self._lab.inferred["axl.accepts_same_major"])

    def _run(self, request: Element, name: str, namespace: str, number: Version, account: Account) -> Answer:
        facts: dict[str, Any] = {}
        operation = self._operation(name, number, facts)
        if operation.writes and not set(account.roles) & WRITE_ROLES:
            return Answer(403, "", "text/html;charset=UTF-8", name)
        if operation.writes and self._throttled():
            return Answer(503, "Service Unavailable", "text/html;charset=UTF-8", name)
        started = time.perf_counter()
        inner = operation.run(self._node, request, number)
        facts["ms"] = round((time.perf_counter() - started) * 1000, 1)
        sequence = request.get("sequence")
        attribute = f' sequence="{escape(sequence)}"' if sequence else ""
        wrapped = inner if operation.bare else f"<return>{inner}</return>"
        answer = f'<ns:{name}Response xmlns:ns="{NAMESPACE}{namespace}"{attribute}>{wrapped}</ns:{name}Response>'
        return Answer(200, envelope(answer), operation=name, facts=facts)

    def _operation(self, name: str, number: Version, facts: dict[str, Any]) -> Operation:
        """The operation with this name in this version; an AxlFault if there is none."""
        special = misc.OPERATIONS.get(name) or sql.OPERATIONS.get(name)
        if special is not None and max(number, OLDEST) >= special.since:
            return special
        found = None if special else operations.find(name, number)
        if found is None:
            raise faults.inferred(self._lab.inferred, "axl.unknown_operation", operation=name)
        verb, kind = found
        writes = verb not in operations.READS

        def run(_unused: Node, request: Element, asked: Version) -> str:
            call = Call(kind, request, max(asked, OLDEST), self._cluster.config, self._lab.inferred,
                        self._cluster.release.number, [])  # fmt: skip
            with self._cluster.db.transaction() if writes else nullcontext():
                inner = operations.run(verb, call)
            if call.deviations:
                facts["deviations"] = call.deviations
            return inner

        return Operation(run, writes=writes)

    def _throttled(self) -> bool:
        """Change notifications pile up with each write, one per node, and drain with time."""
        now = time.monotonic()
        drain = float(self._lab.inferred["axl.notifications_per_second"])
        self._outstanding = max(0.0, self._outstanding - (now - self._drained) * drain)
        self._drained = now
        if self._outstanding > NOTIFICATIONS:
            return True
        self._outstanding += len(self._cluster.nodes)
        return False

    def _fault(self, fault: AxlFault, name: str, namespace: str) -> Answer:
        text = escape(fault.text)
        request = escape(name)
        body = (
            f"<soapenv:Fault><faultcode>{fault.faultcode}</faultcode><faultstring>{text}</faultstring><detail>"
            f"<axlError><axlcode>{fault.code}</axlcode><axlmessage>{text}</axlmessage><request>{request}</request>"
            f"</axlError></detail></soapenv:Fault>"
        )
        return Answer(500, envelope(body), operation=name, facts={"axlcode": fault.code, "text": fault.text})
