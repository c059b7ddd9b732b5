# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A compact WSDL for one release, generated from the field tables: only what we write, and no defaults.

Booleans are true xs:boolean, so that zeep writes what the vendor's pattern takes. Reads do not use it (soap.py). Every
element is optional: our own rules check what is required, with clear messages, and nothing is filled in automatically.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import quoteattr

from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Field, Resource

SERVICE = "http://www.cisco.com/AXLAPIService/"
_UUID = '<xs:attribute name="uuid" type="xs:string"/>'


def namespace(version: str) -> str:
    """The target namespace of a release."""
    return f"http://www.cisco.com/AXL/API/{version}"


def _element(name: str, kind: str, *, nil: bool = False, most: str = "1") -> str:
    nillable = ' nillable="true"' if nil else ""
    return f'<xs:element name="{name}" type="{kind}" minOccurs="0" maxOccurs="{most}"{nillable}/>'


def _holder(name: str, content: Iterable[str], *, most: str = "1", tail: str = "") -> str:
    return (
        f'<xs:element name="{name}" minOccurs="0" maxOccurs="{most}"><xs:complexType><xs:sequence>'
        f"{''.join(content)}</xs:sequence>{tail}</xs:complexType></xs:element>"
    )


def _row(row: Field, version: str, operation: str) -> str:
    """One row as an element declaration of a request."""
    if row.base == "group":
        kids = [_row(kid, version, operation) for kid in row.kids if kid.at(version) and kid.takes(operation)]
        if not row.each:
            return _holder(row.axl, kids)
        return _holder(row.axl, [_holder(row.each, kids, most="unbounded", tail=_UUID)])
    if row.base == "FK":
        return _element(row.axl, "axl:Reference", nil=True)
    return _element(row.axl, "xs:boolean" if row.base == "bool" else "xs:string", nil=row.nil)


def _key(resource: Resource, version: str) -> Iterator[str]:
    yield _element("uuid", "xs:string")
    for option in resource.key:
        row = resource.field(option, version)
        yield _element(row.axl, "axl:Reference" if row.base == "FK" else "xs:string", nil=row.nil)


def _messages(name: str, request: Iterable[str], answer: Iterable[str]) -> Iterator[tuple[str, str]]:
    """An operation's two elements: request and answer."""
    for element, content in ((name, request), (f"{name}Response", answer)):
        yield (
            element,
            f'<xs:element name="{element}"><xs:complexType><xs:sequence>{"".join(content)}</xs:sequence>'
            '<xs:attribute name="sequence" type="xs:unsignedLong"/></xs:complexType></xs:element>',
        )


def _object_operations(resource: Resource, version: str) -> Iterator[tuple[str, str]]:
    kind, wrapper = resource.kind, resource.wrapper
    written = [_element("return", "xs:string")]
    key = list(_key(resource, version))

    def rows(operation: str) -> list[str]:
        return [_row(row, version, operation) for row in resource.rows(version, operation)]

    yield from _messages(f"add{kind}", [_holder(wrapper, rows("add"))], written)
    yield from _messages(f"update{kind}", key + rows("update"), written)
    yield from _messages(f"remove{kind}", key, written)


def _reset() -> Iterator[tuple[str, str]]:
    content = [
        _element("deviceName", "axl:Reference"),
        _element("isHardReset", "xs:boolean"),
        _element("deviceResetType", "xs:string"),
    ]
    yield from _messages("doDeviceReset", content, [_element("return", "xs:string")])


def build(version: str, resources: Iterable[Resource]) -> bytes:
    """The WSDL of one release: the writes of these objects, and the reset."""
    elements: dict[str, str] = dict(_reset())
    for resource in resources:
        elements.update(_object_operations(resource, version))
    target = namespace(version)
    names = [name for name in elements if not name.endswith("Response")]
    messages = "".join(
        f'<wsdl:message name="{name}"><wsdl:part name="parameters" element="axl:{name}"/></wsdl:message>'
        for name in elements
    )
    ports = "".join(
        f'<wsdl:operation name="{name}"><wsdl:input message="s:{name}"/><wsdl:output message="s:{name}Response"/>'
        "</wsdl:operation>"
        for name in names
    )
    bindings = "".join(
        f'<wsdl:operation name="{name}"><soap:operation soapAction="CUCM:DB ver={version} {name}" style="document"/>'
        '<wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output>'
        "</wsdl:operation>"
        for name in names
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        f' xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:s={quoteattr(SERVICE)}'
        f" xmlns:axl={quoteattr(target)}"
        f" targetNamespace={quoteattr(SERVICE)}>"
        f'<wsdl:types><xs:schema targetNamespace={quoteattr(target)} elementFormDefault="unqualified">'
        '<xs:complexType name="Reference"><xs:simpleContent><xs:extension base="xs:string">'
        f"{_UUID}</xs:extension></xs:simpleContent></xs:complexType>"
        f"{''.join(elements.values())}</xs:schema></wsdl:types>{messages}"
        f'<wsdl:portType name="AXLPort">{ports}</wsdl:portType>'
        '<wsdl:binding name="AXLAPIBinding" type="s:AXLPort">'
        f'<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>{bindings}</wsdl:binding>'
        '<wsdl:service name="AXLAPIService"><wsdl:port name="AXLPort" binding="s:AXLAPIBinding">'
        '<soap:address location="https://CCMSERVERNAME:8443/axl/"/></wsdl:port></wsdl:service></wsdl:definitions>'
    ).encode()
