# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the serviceability services share: one namespace, qualified children, plain faults."""

from __future__ import annotations

import uuid
from xml.sax.saxutils import escape

from aiohttp import web
from lxml import etree

from .soap import XML, envelope, fault

NAMESPACE = "http://schemas.cisco.com/ast/soap"


class AstFault(Exception):
    """A SOAP fault of a serviceability service."""


def find_all(element: etree._Element, name: str) -> list[etree._Element]:
    """All descendants of a local name, whatever their namespace."""
    return [e for e in element.iter() if isinstance(e.tag, str) and etree.QName(e).localname == name]


def find_text(element: etree._Element, name: str, default: str = "") -> str:
    """The text of the first descendant of a local name."""
    found = find_all(element, name)
    return (found[0].text or "").strip() if found else default


def elements(**values: object) -> str:
    """<ns1:Name>value</ns1:Name> for each; None is an empty element."""
    return "".join(
        f"<ns1:{name}/>" if value in (None, "") else f"<ns1:{name}>{escape(str(value))}</ns1:{name}>"
        for name, value in values.items()
    )


def answer(operation: str, inner: str) -> web.Response:
    """The operation's response."""
    text = envelope(f'<ns1:{operation}Response xmlns:ns1="{NAMESPACE}">{inner}</ns1:{operation}Response>')
    return web.Response(body=text.encode(), headers={"Content-Type": XML})


def bare(name: str, text: str) -> web.Response:
    """A response that is one element with a text, as the WSDL has it for some operations of Log Collection."""
    body = envelope(f'<ns1:{name} xmlns:ns1="{NAMESPACE}">{escape(text)}</ns1:{name}>')
    return web.Response(body=body.encode(), headers={"Content-Type": XML})


def multipart(parts: list[tuple[str, str, bytes]], *, quoted: bool = True) -> web.Response:
    """Parts as (content type, content id, bytes), in multipart/related as Axis2 writes it, the boundary in quotes."""
    boundary = f"MIMEBoundary_{uuid.uuid4().hex}"
    start = f"<{parts[0][1]}>"
    body = b"".join(
        f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\n"
        f"Content-ID: <{identity}>\r\n\r\n".encode()
        + data
        + b"\r\n"
        for kind, identity, data in parts
    )
    mark = '"' if quoted else ""
    kind = f'multipart/related; type="text/xml"; start="{start}"; boundary={mark}{boundary}{mark}'
    return web.Response(body=body + f"--{boundary}--\r\n".encode(), headers={"Content-Type": kind})


def refuse(text: str) -> web.Response:
    """A fault, with HTTP 500."""
    return web.Response(status=500, body=fault(text).encode(), headers={"Content-Type": XML})
