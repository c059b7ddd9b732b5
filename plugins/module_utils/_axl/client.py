# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AXL of one cluster: the version found out once, zeep on our own WSDL, back-off, paging, lost answers.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, TypeVar

from ansible_collections.siptls.cucm.plugins.module_utils._axl import wsdl
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import (
    AxlFault,
    Nonsense,
    Stale,
    fault,
    judge_answer,
)
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Resource, supported
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._transport import (
    CONNECTIONS,
    WAITS,
    AnswerLost,
    HttpAnswer,
    HttpClient,
)

PATH = "/axl/"
READS = ("get", "list", "executeSQLQuery")
Item = TypeVar("Item")
Result = TypeVar("Result")

# The oldest schema that a server takes is named 1.0, and getCCMVersion is in every one.
_DISCOVERY = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<ns:getCCMVersion xmlns:ns="http://www.cisco.com/AXL/API/1.0"/></soapenv:Body></soapenv:Envelope>'
)


def returned(answer: Any) -> Any:
    """The content of <return>, which zeep unwraps or not according to what stands beside it."""
    return getattr(answer, "return", answer)


@dataclass
class _Reply:
    """An HTTP answer in the form that zeep takes it in."""

    answer: HttpAnswer

    @property
    def status_code(self) -> int:
        """200 or 500 by now."""
        return self.answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        """zeep asks for Content-Type by this spelling."""
        return {"Content-Type": self.answer.headers.get("content-type", "text/xml")}

    @property
    def content(self) -> bytes:
        """The body."""
        return self.answer.body

    encoding = "utf-8"


@dataclass
class _Transport:
    """zeep's way to our HTTPS session; statuses are judged before zeep parses."""

    client: AxlClient

    def post_xml(self, address: str, envelope: Any, headers: Mapping[str, str]) -> _Reply:
        """Send one envelope; the address in the WSDL does not matter."""
        from lxml import etree

        action = headers.get("SOAPAction", "").strip('"').rpartition(" ")[2]
        body = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
        return _Reply(self.client.post(action, body, headers))


@dataclass
class AxlClient:
    """The AXL interface of a publisher; every answer is plain Python with AXL's names, every refusal a Failure."""

    http: HttpClient
    resources: Sequence[Resource] = ()
    release: str = ""  # as CUCM says it, e.g. 10.5.2.10000-5
    requests: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def from_params(cls, params: Mapping[str, Any], resources: Sequence[Resource] = ()) -> AxlClient:
        """The client of a module's options; the first request proves host, trust and account."""
        client = cls(HttpClient.from_params(params), resources)
        client.release = client._discover()
        return client

    @cached_property
    def version(self) -> str:
        """The AXL version of the server, which is spoken: 10.5, 14.0."""
        match = re.match(r"(\d+)\.(\d+)", self.release)
        if match is None:
            raise Failure(f"CUCM on {self.http.host} names its release as {self.release!r}, which is no version.")
        return supported(match[0])

    @property
    def host(self) -> str:
        """The publisher as the user named it."""
        return self.http.host

    def doing(self, operation: str, subject: str = "") -> str:
        """What is being tried, on which node, by which interface and account."""
        return f"{operation}{f' of {subject}' if subject else ''} on {self.host} (AXL, {self.http.who})"

    def _discover(self) -> str:
        from lxml import etree

        headers = {"Content-Type": "text/xml;charset=UTF-8"}
        answer = self._post_fresh("getCCMVersion", _DISCOVERY.encode(), headers)
        doing = self.doing("getCCMVersion")
        root = etree.fromstring(answer.body)  # judged before
        if answer.status == 500:
            raise fault(doing, "a SOAP fault without a reason", root)
        for node in root.iter():
            if str(node.tag).rpartition("}")[2] == "version" and node.text:
                return str(node.text).strip()
        raise Failure(f"{doing} failed: the answer names no version.")

    @cached_property
    def _zeep(self) -> Any:
        import zeep

        settings = zeep.Settings(strict=False, xsd_ignore_sequence_order=True, forbid_dtd=True, forbid_entities=True)
        document = io.BytesIO(wsdl.build(self.version, self.resources))
        return zeep.Client(document, transport=_Transport(self), settings=settings)

    def post(self, operation: str, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        """One AXL request; a stale cookie (404) is dropped and the request sent once again."""
        try:
            return self._post_fresh(operation, body, headers)
        except Stale:
            with self._lock:
                self.http.session.cookies.clear()
            return self._post_fresh(operation, body, headers)

    def _post_fresh(self, operation: str, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        with self._lock:
            self.requests += 1
        reading = operation.startswith(READS)
        answer = self.http.request(
            "POST", PATH, data=body, headers=headers, idempotent=reading, what=f"AXL {operation}"
        )
        known = self.release and self.version
        judge_answer(answer, self.doing(operation), known or "1.0")
        return answer

    def call(self, operation: str, subject: str = "", **body: Any) -> Any:
        """One operation with AXL's names; AxlFault when refused, AnswerLost when a write may have been made.

        Waits and repeats while AXL is out of memory, which it is before it has done anything.
        """
        import zeep.exceptions

        doing = self.doing(operation, subject)
        for wait in (*WAITS, None):
            try:
                return getattr(self._zeep.service, operation)(**body)
            except zeep.exceptions.Fault as error:
                refused = fault(doing, str(error.message or ""), error.detail)
            except (Nonsense, zeep.exceptions.Error) as error:
                if operation.startswith(READS):
                    raise Failure(f"{doing} failed: the answer makes no sense ({error}).") from None
                raise AnswerLost(f"{doing}: the answer makes no sense; whether CUCM acted is unknown.") from None
            if not refused.out_of_memory or wait is None:
                raise refused
            time.sleep(wait)
        raise AssertionError("the loop above always returns or raises")

    def get(self, kind: str, wrapper: str, key: Mapping[str, Any], subject: str = "") -> Any | None:
        """One object as zeep's value, or None when CUCM has none."""
        try:
            answer = self.call(f"get{kind}", subject, **key)
        except AxlFault as refused:
            if refused.missing:
                return None
            raise
        return getattr(
            answer["return"] if isinstance(answer, dict) else getattr(answer, "return", answer), wrapper, None
        )

    def listing(self, kind: str, wrapper: str, search: Mapping[str, str], tags: Iterable[str]) -> list[Any]:
        """All objects that the search finds, in pages when CUCM says that the answer would be too large."""
        asked: dict[str, Any] = {"searchCriteria": dict(search), "returnedTags": dict.fromkeys(tags, "")}
        page: int | None = None
        found: list[Any] = []
        while True:
            extent = {} if page is None else {"skip": str(len(found)), "first": str(page)}
            try:
                answer = self.call(f"list{kind}", **asked, **extent)
            except AxlFault as refused:
                smaller = refused.page
                if smaller is None or (page is not None and page <= 1):
                    raise
                page = smaller if page is None else max(1, min(smaller, page // 2))
                continue
            got = list(getattr(returned(answer), wrapper, None) or [])
            found += got
            if page is None or len(got) < page:
                return found

    def sql(self, statement: str) -> list[dict[str, str]]:
        """The rows of a query; columns by name, values as text."""
        answer = self.call("executeSQLQuery", sql=statement)
        rows = getattr(returned(answer), "row", None) or []
        return [
            {str(node.tag).rpartition("}")[2]: (node.text or "") for node in getattr(row, "_value_1", None) or []}
            for row in rows
        ]

    def side_by_side(self, job: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """The results of reads in the order of the items, over as many connections as CUCM serves well."""
        work = list(items)
        if len(work) < 2:
            return [job(item) for item in work]
        _ = self._zeep  # made once, before the threads want it
        with ThreadPoolExecutor(max_workers=min(CONNECTIONS, len(work))) as pool:
            return list(pool.map(job, work))
