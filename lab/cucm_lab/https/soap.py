# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SOAP 1.1 envelopes, read and written."""

from __future__ import annotations

from lxml import etree

XML = "text/xml;charset=UTF-8"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


class Malformed(ValueError):
    """The request is not a SOAP envelope with one operation."""


def parse(body: bytes) -> etree._Element:
    """The operation element of a request's body. External entities and DTDs are ignored."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise Malformed(str(error)) from None
    inside = root.find(f"{{{SOAP}}}Body")
    operation = None if inside is None else next((e for e in inside if isinstance(e.tag, str)), None)
    if operation is None:
        raise Malformed("no operation in the SOAP body")
    return operation


def envelope(inner: str) -> str:
    """A response as Axis2 writes it: the prolog in single quotes."""
    return (
        f"<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv=\"{SOAP}\"><soapenv:Body>{inner}"
        f"</soapenv:Body></soapenv:Envelope>"
    )


def fault(text: str, code: str = "soapenv:Server") -> str:
    """A plain SOAP fault, as the serviceability services send it."""
    from xml.sax.saxutils import escape

    return envelope(
        f"<soapenv:Fault><faultcode>{code}</faultcode><faultstring>{escape(text)}</faultstring><detail/></soapenv:Fault>"
    )
