# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SOAP for the serviceability services: envelopes by hand, answers as plain trees, attachments. Private.

The vendor's WSDL files are small and may not be shipped; the few requests needed are written out instead.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import (
    HttpAnswer,
    HttpClient,
    declares_types,
)
from ansible_collections.siptls.cucm.plugins.module_utils._text import readable

NAMESPACE = "http://schemas.cisco.com/ast/soap"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


class NotHere(Failure):
    """The node has no such service (HTTP 404): an older or a newer release."""


class SoapFault(Failure):
    """The service answered with a fault; ``text`` is what it said."""

    def __init__(self, msg: str, text: str) -> None:
        super().__init__(msg)
        self.text = text


@dataclass
class Answer:
    """The body of an answer and what was attached to it."""

    body: ET.Element
    attachments: list[bytes] = field(default_factory=list)


def element(name: str, content: str | int | bool | None = None, inner: str = "") -> str:
    """One element in the services' namespace (prefix s), its text escaped."""
    text = "" if content is None else escape(str(content).lower() if isinstance(content, bool) else str(content))
    return f"<s:{name}>{text}{inner}</s:{name}>"


def call(
    client: HttpClient, path: str, action: str, body: str, what: str, *,
    namespace: str = NAMESPACE, largest: int = 64 << 20, timeout: float | None = None,
) -> Answer:  # fmt: skip
    """One read-only call. NotHere, SoapFault, or Failure when the answer is no SOAP."""
    envelope = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{ENVELOPE}" xmlns:s="{namespace}">'
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
    headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": f'"{action}"'}
    answer = client.request(
        "POST", path, data=envelope, headers=headers, idempotent=True, what=what, largest=largest, timeout=timeout
    )
    where = f"{what} on {client.host} ({client.who})"
    if answer.status == 404:
        raise NotHere(f"{where} failed: the node does not have the service {path} (404).")
    if answer.status == 403:
        raise Failure(
            f"{where} was refused (403). The account needs the roles Standard CCM Server Monitoring and "
            "Standard RealtimeAndTraceCollection.", status=403,
        )  # fmt: skip
    root, attachments = parts_of(answer)
    fault = find(root, "Fault") if root is not None else None
    if fault is not None:
        words = filter(None, (text_of(fault, "faultcode"), text_of(fault, "faultstring")))
        text = readable(" ".join(words), None) or "no text"
        raise SoapFault(f"{where} failed: the service answered with a fault: {text}.", text)
    body_element = find(root, "Body") if root is not None else None
    if body_element is None or answer.status != 200:
        raise Failure(
            f"{where} failed: HTTP {answer.status}, and no SOAP answer ({answer.text().rstrip('.') or 'no text'}). "
            "Check that Cisco Tomcat and the service run on the node, then run again."
        )
    return Answer(body_element, attachments)


def parts_of(answer: HttpAnswer) -> tuple[ET.Element | None, list[bytes]]:
    """(SOAP tree, attachments) of an answer, multipart or not; the tree is None when there is none."""
    boundary = re.search(r'boundary="?([^";,]+)"?', answer.headers.get("content-type", ""))
    if not boundary:
        return parse(answer.body), []
    root: ET.Element | None = None
    attachments: list[bytes] = []
    for head, content in _multipart(answer.body, b"--" + boundary[1].encode()):
        if root is None and (b"xml" in head.lower() or content.lstrip()[:1] == b"<"):
            root = parse(content)
            if root is not None:
                continue
        attachments.append(content)
    return root, attachments


def _multipart(body: bytes, mark: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(head, content) of each part."""
    position = body.find(mark)
    while position >= 0:
        start = position + len(mark)
        if body[start : start + 2] == b"--":
            return
        following = body.find(b"\n" + mark, start)
        part = body[start : following if following >= 0 else len(body)].removesuffix(b"\r")
        part = part.removeprefix(b"\r").removeprefix(b"\n")
        head, empty, content = part.partition(b"\r\n\r\n")
        if not empty:
            head, empty, content = part.partition(b"\n\n")
        yield head, content
        position = following + 1 if following >= 0 else -1


def parse(content: bytes) -> ET.Element | None:
    """An XML document as a tree without namespaces; None when it is not XML, or has a document type."""
    if declares_types(content):
        return None
    try:
        root = ET.fromstring(content)
    except ET.ParseError:
        return None
    for node in root.iter():
        if isinstance(node.tag, str):
            node.tag = node.tag.rpartition("}")[2]
    return root


def find(root: ET.Element, name: str) -> ET.Element | None:
    """The first element of a name, at any depth, itself included."""
    return next((node for node in root.iter() if node.tag == name), None)


def find_all(root: ET.Element, name: str) -> list[ET.Element]:
    """All elements of a name."""
    return [node for node in root.iter() if node.tag == name]


def text_of(root: ET.Element, name: str) -> str | None:
    """The text of the first element of a name; None when it is missing, empty or nil."""
    found = find(root, name)
    return (found.text or "").strip() or None if found is not None else None
