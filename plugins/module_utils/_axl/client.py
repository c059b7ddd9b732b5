# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AXL client of one cluster: version discovery, zeep on our own WSDL, back-off, paging, lost responses.

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
from typing import Any, NamedTuple, TypeVar

from ansible_collections.siptls.cucm.plugins.module_utils._axl import soap, wsdl
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import (
    ADVICE_NO_SOAP,
    AxlFault,
    Stale,
    UnreadableAnswer,
    check_response,
    fault,
)
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Resource
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import (
    CONNECTIONS,
    LOST,
    WAITS,
    AnswerLost,
    HttpAnswer,
    HttpClient,
)
from ansible_collections.siptls.cucm.plugins.module_utils._releases import release_of

PATH = "/axl/"
READS = ("get", "list", "executeSQLQuery")
Item = TypeVar("Item")
Result = TypeVar("Result")

# The oldest schema that a server accepts is named 1.0, and getCCMVersion is in every one.
_DISCOVERY = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<ns:getCCMVersion xmlns:ns="http://www.cisco.com/AXL/API/1.0"/></soapenv:Body></soapenv:Envelope>'
)


def returned(answer: Any) -> Any:
    """The content of a write's <return>, which zeep unwraps or not, depending on its neighbors."""
    return getattr(answer, "return", answer)


class Page(NamedTuple):
    """A part of a long response: how many rows to leave out, and how many to return at most."""

    skip: int
    first: int


def _in_pages(read: Callable[[Page | None], list[Any]]) -> list[Any]:
    """All rows of a read: at once, or page by page if CUCM says that the response would be too large."""
    size: int | None = None
    rows: list[Any] = []
    while True:
        try:
            part = read(None if size is None else Page(len(rows), size))
        except AxlFault as refused:
            smaller = refused.page
            if smaller is None or (size is not None and size <= 1):
                raise
            size = smaller if size is None else max(1, min(smaller, size // 2))
            continue
        rows += part
        if size is None or len(part) < size:
            return rows


@dataclass
class _Reply:
    """An HTTP response in the form that zeep expects."""

    answer: HttpAnswer

    @property
    def status_code(self) -> int:
        """200 or 500; other statuses were handled before."""
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
    """Sends zeep's requests over our HTTPS session, and checks the status before zeep parses the response."""

    client: AxlClient

    def post_xml(self, address: str, envelope: Any, headers: Mapping[str, str]) -> _Reply:
        """Send one envelope; the address in the WSDL does not matter."""
        from lxml import etree

        action = headers.get("SOAPAction", "").strip('"').rpartition(" ")[2]
        body = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
        return _Reply(self.client.post(action, body, headers)[0])


@dataclass
class AxlClient:
    """The AXL interface of a publisher. Results are plain Python with AXL's names; a refusal is a Failure."""

    http: HttpClient
    resources: Sequence[Resource] = ()
    release: str = ""  # as CUCM says it, e.g. 10.5.2.10000-5
    _lock: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def from_params(cls, params: Mapping[str, Any], resources: Sequence[Resource] = ()) -> AxlClient:
        """The client of a module's options; the first request proves host, trust and account."""
        client = cls(HttpClient.from_params(params), resources)
        client.release = client._discover()
        return client

    @cached_property
    def version(self) -> str:
        """The server's AXL version, which requests use: 10.5, 14.0."""
        match = re.match(r"(\d+)\.(\d+)", self.release)
        if match is None:
            raise Failure(f"CUCM on {self.http.host} names its release as {self.release!r}, which is not a version.")
        release_of(self.release)
        return match[0]

    @property
    def host(self) -> str:
        """The publisher as the user named it."""
        return self.http.host

    def doing(self, operation: str, subject: str = "") -> str:
        """What is being tried, on which node, by which interface and account."""
        return f"{operation}{f' of {subject}' if subject else ''} on {self.host} (AXL, {self.http.who})"

    def _discover(self) -> str:
        headers = {"Content-Type": "text/xml;charset=UTF-8"}
        doing = self.doing("getCCMVersion")

        def once() -> Any:
            answer, found = self._post_fresh("getCCMVersion", _DISCOVERY.encode(), headers)
            if answer.status == 500:
                raise fault(doing, "a SOAP fault without a reason", found)
            return found

        root = self._patiently(once)
        for node in root.iter():
            if soap.local(node) == "version" and node.text:
                return str(node.text).strip()
        raise Failure(f"{doing} failed: the answer names no version.")

    @cached_property
    def _zeep(self) -> Any:
        import zeep

        settings = zeep.Settings(strict=False, xsd_ignore_sequence_order=True, forbid_dtd=True, forbid_entities=True)
        document = io.BytesIO(wsdl.build(self.version, self.resources))
        return zeep.Client(document, transport=_Transport(self), settings=settings)

    def post(self, operation: str, body: bytes, headers: Mapping[str, str]) -> tuple[HttpAnswer, Any]:
        """Send one AXL request; returns the response and its root. A stale cookie (404) is dropped, and the request
        repeated.
        """
        try:
            return self._post_fresh(operation, body, headers)
        except Stale:
            with self._lock:
                self.http.session.cookies.clear()
            return self._post_fresh(operation, body, headers)

    def _post_fresh(self, operation: str, body: bytes, headers: Mapping[str, str]) -> tuple[HttpAnswer, Any]:
        reading = operation.startswith(READS)
        answer = self.http.request(
            "POST", PATH, data=body, headers=headers, idempotent=reading, what=f"AXL {operation}"
        )
        known = self.release and self.version
        return answer, check_response(answer, self.doing(operation), known or "1.0")

    def call(self, operation: str, subject: str = "", **body: Any) -> Any:
        """One write with AXL's names; AxlFault when refused, AnswerLost when it may have been made."""
        import zeep.exceptions

        doing = self.doing(operation, subject)

        def once() -> Any:
            try:
                return getattr(self._zeep.service, operation)(**body)
            except zeep.exceptions.Fault as error:
                raise fault(doing, str(error.message or ""), error.detail) from None
            except (UnreadableAnswer, zeep.exceptions.Error):
                raise AnswerLost(
                    f"{doing}: the response is not valid; whether CUCM acted is not known. {LOST}"
                ) from None

        return self._patiently(once)

    def ask(self, operation: str, subject: str = "", **body: Any) -> Any:
        """One read with AXL's names: the <return> of the answer as an element; AxlFault when refused."""
        doing = self.doing(operation, subject)
        sent = soap.request(wsdl.namespace(self.version), operation, body)
        action = f'"CUCM:DB ver={self.version} {operation}"'
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": action}

        def once() -> Any:
            try:
                _answer, root = self.post(operation, sent, headers)
            except UnreadableAnswer as error:
                raise Failure(error.msg) from None
            refused = soap.child(root, "Body", "Fault")
            if refused is not None:
                raise fault(doing, soap.text(refused, "faultstring"), refused)
            found = soap.child(root, "Body", f"{operation}Response", "return")
            if found is None:
                raise Failure(
                    f"{doing} failed: the response is not valid: it has no {operation}Response. {ADVICE_NO_SOAP}"
                )
            return found

        return self._patiently(once)

    @staticmethod
    def _patiently(once: Callable[[], Result]) -> Result:
        """Wait and repeat while AXL is out of memory, which it reports before it does anything."""
        for wait in WAITS:
            try:
                return once()
            except AxlFault as refused:
                if not refused.out_of_memory:
                    raise
            time.sleep(wait)
        return once()

    def get(self, kind: str, wrapper: str, key: Mapping[str, Any], subject: str = "") -> Any | None:
        """One object as an element, or None when CUCM has none."""
        try:
            return soap.child(self.ask(f"get{kind}", subject, **key), wrapper)
        except AxlFault as refused:
            if refused.missing:
                return None
            raise

    def listing(self, kind: str, wrapper: str, search: Mapping[str, str], tags: Iterable[str]) -> list[Any]:
        """All objects that the search finds, in pages when CUCM says that the answer would be too large."""
        asked: dict[str, Any] = {"searchCriteria": dict(search), "returnedTags": dict.fromkeys(tags, "")}

        def read(page: Page | None) -> list[Any]:
            extent = {} if page is None else {"skip": str(page.skip), "first": str(page.first)}
            return soap.each(self.ask(f"list{kind}", **asked, **extent), wrapper)

        return _in_pages(read)

    def sql(self, statement: str) -> list[dict[str, str]]:
        """The rows of a query; columns by name, values as text. In pages when the answer would be too large."""

        def read(page: Page | None) -> list[Any]:
            extent = "" if page is None else f"skip {page.skip} first {page.first} "
            return soap.each(
                self.ask("executeSQLQuery", sql=f"select {extent}{statement.removeprefix('select ')}"), "row"
            )

        return [{soap.local(column): (column.text or "") for column in row} for row in _in_pages(read)]

    def side_by_side(self, job: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Run reads side by side, over as many connections as CUCM handles well; results in the order of the items."""
        work = list(items)
        if len(work) < 2:
            return [job(item) for item in work]
        with ThreadPoolExecutor(max_workers=min(CONNECTIONS, len(work))) as pool:
            return list(pool.map(job, work))
