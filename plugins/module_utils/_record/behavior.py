# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a cluster responds to harmless questions that no document answers. Reads only; wrong requests write nothing.

Each question is a row of QUESTIONS. An answer is what the cluster sent, as text or as code and text; what could not be
asked is a sentence. No answer holds a name or an address of the site.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl import soap, wsdl
from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import fault as axl_fault
from ansible_collections.siptls.cucm.plugins.module_utils._module import (
    APPLICATION,
    PLATFORM,
    ArgSpec,
    Failure,
    Outcome,
    Task,
)
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient
from ansible_collections.siptls.cucm.plugins.module_utils._net.shell import AdminShell
from ansible_collections.siptls.cucm.plugins.module_utils._node.store import REST_BASE
from ansible_collections.siptls.cucm.plugins.module_utils._releases import features
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import IPSEC

SPEC = APPLICATION + PLATFORM + ArgSpec()

#: names that no cluster has
NOTHING = "SiptlsQuestion"
NO_CERTIFICATE = "siptls-question.pem"
#: a purpose of which nobody makes a CSR by chance
IDLE_PURPOSE = IPSEC.name


class Unanswered(Exception):
    """The question does not apply to this cluster, or could not be asked; the text says why."""


@dataclass(frozen=True)
class Question:
    """What is asked, in words, and how."""

    what: str
    ask: Callable[[Cluster], Any]
    #: the account that asks
    account: str = "application"


def service(task: Task) -> Outcome:
    """The service of cucm_behavior_info."""
    cluster = Cluster(task.params)
    answers: dict[str, Any] = {}
    unanswered: dict[str, str] = {}
    # A password that was rejected is never tried again: CUCM locks accounts.
    rejected: dict[str, Failure] = {}
    try:
        # Asked first, so that a rejected application account ends the task.
        release = cluster.axl.release
        for name, question in QUESTIONS.items():
            try:
                if question.account in rejected:
                    raise rejected[question.account]
                answers[name] = question.ask(cluster)
            except Unanswered as why:
                unanswered[name] = f"{question.what}: {why}"
            except Failure as failure:
                unanswered[name] = f"{question.what}: {failure.msg}"
                if failure.reason == "account":
                    rejected[question.account] = failure
        result = {"version": release, "answers": answers, "unanswered": unanswered}
        said = [failure.msg for failure in rejected.values()]
        return Outcome(result=result, warnings=[*cluster.axl.http.warnings, *said])
    finally:
        cluster.close()


@dataclass
class Cluster:
    """The interfaces of a publisher, opened when a question needs them."""

    params: Mapping[str, Any]

    @cached_property
    def axl(self) -> AxlClient:
        """AXL."""
        return AxlClient.from_params(self.params)

    @cached_property
    def shell(self) -> AdminShell:
        """The CLI."""
        return AdminShell.from_params(self.params)

    @cached_property
    def rest(self) -> HttpClient:
        """The certificate REST API."""
        return HttpClient.from_params(self.params, account="platform")

    @property
    def has_rest(self) -> bool:
        """Whether the release has the certificate REST API."""
        return features(self.axl.version).rest

    def close(self) -> None:
        """Close what was opened."""
        for name in ("shell", "rest"):
            if name in self.__dict__:
                self.__dict__[name].close()

    def fault(self, operation: str, body: str, *, action: str = "") -> dict[str, str]:
        """The SOAP fault that a request gets: AXL's code and text."""
        envelope = body or (
            f'<e:Envelope xmlns:e="{soap.ENVELOPE}"><e:Body>'
            f'<n:{operation} xmlns:n="{wsdl.namespace(self.axl.version)}"/></e:Body></e:Envelope>'
        )
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"CUCM:DB ver={self.axl.version} {action or operation}"',
        }
        _answer, root = self.axl.post(f"get{NOTHING}", envelope.encode(), headers)
        found = soap.child(root, "Body", "Fault")
        if found is None:
            raise Unanswered("the cluster took the request")
        said = axl_fault("", soap.text(found, "faultstring"), found)
        return {"code": said.code, "text": said.text}

    def sql(self, statement: str) -> dict[str, str]:
        """The fault that a query gets."""
        try:
            self.axl.ask("executeSQLQuery", sql=statement)
        except AxlFault as refused:
            return {"code": refused.code, "text": refused.text}
        raise Unanswered("the cluster took the query")

    def cli(self, command: str) -> str:
        """What a command prints, without blanks around it."""
        return self.shell.run(command).strip()

    def get(self, path: str) -> dict[str, Any]:
        """Status and message of a request to the certificate REST API."""
        if not self.has_rest:
            raise Unanswered("the release has no certificate REST API")
        answer = self.rest.request("GET", f"{REST_BASE}/{path}", headers={"Accept": "application/json"})
        try:
            found = json.loads(answer.body)
        except ValueError:
            return {"status": answer.status, "text": answer.text(200)}
        messages = found.get("messages") if isinstance(found, dict) else None
        text = found.get("message") or (messages[0] if isinstance(messages, list) and messages else "")
        return {"status": answer.status, "text": str(text)}


def _no_key(cluster: Cluster) -> dict[str, str]:
    return cluster.fault("getSipTrunk", "")


def _callmanager_names(cluster: Cluster) -> str:
    """The name of a CallManager with {node} in place of its node's name."""
    listed = cluster.axl.listing("CallManager", "callManager", {"name": "%"}, ["name", "processNodeName"])
    forms = {soap.text(manager, "name").replace(soap.text(manager, "processNodeName"), "{node}") for manager in listed}
    if len(forms) != 1 or "{node}" not in next(iter(forms)):
        raise Unanswered("the names of CallManagers were changed")
    return forms.pop()


def _standard_profile_pings(cluster: Cluster) -> bool:
    found = cluster.axl.get("SipProfile", "sipProfile", {"name": "Standard SIP Profile"})
    if found is None:
        raise Unanswered("there is no Standard SIP Profile")
    return soap.text(found, "enableOutboundOptionsPing") == "true"


def _ciphers_parameter(cluster: Cluster) -> list[str]:
    rows = cluster.axl.sql("select paramname from processconfig where paramname like '%Ciphers%'")
    if not rows:
        raise Unanswered("the cluster has no such parameter")
    return sorted({row["paramname"] for row in rows})


def _security_mode_parameter(cluster: Cluster) -> bool:
    try:
        found = cluster.axl.ask(
            "getServiceParameter", processNodeName={"_value_1": "EnterpriseWideData"}, name="ClusterSecurityMode",
            service="Enterprise Wide",
        )  # fmt: skip
    except AxlFault:
        return False
    return soap.text(found, "serviceParameter", "value") != ""


def _last_line_of_itl(cluster: Cluster) -> str:
    return cluster.cli("show itl").splitlines()[-1].strip()


def _no_csr(cluster: Cluster) -> str:
    said = cluster.cli(f"show csr own {IDLE_PURPOSE}")
    if "BEGIN" in said:
        raise Unanswered(f"there is a pending CSR for {IDLE_PURPOSE}")
    return said


def _no_csr_at_all(cluster: Cluster) -> str:
    said = cluster.cli("show csr list own")
    if ".csr" in said:
        raise Unanswered("there is a pending CSR")
    return said


def _minimum_tls(cluster: Cluster) -> str:
    """The words around the version."""
    said = cluster.cli("show tls min-version")
    words = [word for word in said.split() if word.strip(".") in ("1.0", "1.1", "1.2", "1.3")]
    if len(words) != 1:
        raise Unanswered(f"the node printed no version of TLS: {said[:200]}")
    return said.replace(words[0], "{version}")


QUESTIONS: dict[str, Question] = {
    "axl_unknown_operation": Question(
        "AXL's fault for an operation that does not exist", lambda cluster: cluster.fault(f"get{NOTHING}", "")
    ),
    "axl_malformed": Question(
        "AXL's fault for malformed XML", lambda cluster: cluster.fault("getSipTrunk", "<broken>")
    ),
    "axl_no_key": Question("AXL's fault for a get without a key", _no_key),
    "axl_sql_syntax": Question(
        "The fault for SQL with a syntax error", lambda cluster: cluster.sql("select from where")
    ),
    "axl_sql_missing_table": Question(
        "The fault for SQL on a table that does not exist", lambda cluster: cluster.sql("select a from siptlsquestion")
    ),
    "axl_callmanager_name": Question("The form of CallManagers' names", _callmanager_names),
    "axl_standard_profile_pings": Question("OPTIONS ping of the Standard SIP Profile", _standard_profile_pings),
    "axl_security_mode_parameter": Question("getServiceParameter of ClusterSecurityMode", _security_mode_parameter),
    "ciphers_parameters": Question("Names of the enterprise parameters for ciphers", _ciphers_parameter),
    "cli_unknown_command": Question(
        "The CLI's words for an unknown command", lambda cluster: cluster.cli("show siptlsquestion"), "platform"
    ),
    "cli_bad_arguments": Question(
        "The CLI's words for a missing parameter", lambda cluster: cluster.cli("show cert own"), "platform"
    ),
    "cli_no_certificate": Question(
        "The CLI's words for a certificate that does not exist",
        lambda cluster: cluster.cli(f"show cert trust {NO_CERTIFICATE}"),
        "platform",
    ),
    "cli_no_csr": Question("The CLI's words where no CSR is pending", _no_csr, "platform"),
    "cli_no_csr_at_all": Question("The CLI's list of CSRs where none is pending", _no_csr_at_all, "platform"),
    "cli_last_line_of_itl": Question("The last line of show itl", _last_line_of_itl, "platform"),
    "cli_minimum_tls": Question("The words of show tls min-version", _minimum_tls, "platform"),
    "rest_no_csr": Question(
        "REST's response where no CSR is pending",
        lambda cluster: cluster.get(f"csr?service={IDLE_PURPOSE}"),
        "platform",
    ),
    "rest_no_path": Question(
        "REST's response to an unknown path", lambda cluster: cluster.get("siptlsquestion"), "platform"
    ),
}
