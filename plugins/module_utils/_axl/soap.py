# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The envelopes of AXL's reads, written and taken apart by lxml.

There are many reads, with long responses: zeep would take several times as long as everything else, and importing it
costs a task that changes nothing more time than its requests. Writes are few and go through zeep, which sends nothing
that the WSDL does not have. Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


def request(namespace: str, operation: str, content: Mapping[str, Any]) -> bytes:
    """The envelope of an operation; values are texts, groups, or references as key_body gives them."""
    return (
        f"<?xml version='1.0' encoding='UTF-8'?><soap-env:Envelope xmlns:soap-env={quoteattr(ENVELOPE)}><soap-env:Body>"
        f"<ns0:{operation} xmlns:ns0={quoteattr(namespace)}>{_elements(content)}</ns0:{operation}>"
        "</soap-env:Body></soap-env:Envelope>"
    ).encode()


def _elements(content: Mapping[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in content.items())


def _element(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        if "_value_1" not in value:
            return f"<{name}>{_elements(value)}</{name}>"
        value = value["_value_1"]
    return f"<{name}>{escape(str(value))}</{name}>" if value else f"<{name}/>"


def local(node: Any) -> str:
    """An element's name without its namespace, which releases put in different places."""
    return str(node.tag).rpartition("}")[2]


def children(node: Any) -> dict[str, Any]:
    """The child elements by local name; of several with one name the last."""
    return {local(child): child for child in node}


def child(node: Any, *path: str) -> Any | None:
    """The element at a path of local names below a node, or None."""
    for name in path:
        node = next((inner for inner in node if local(inner) == name), None)
        if node is None:
            return None
    return node


def text(node: Any, *path: str) -> str:
    """The text at a path below a node; empty when there is none."""
    found = child(node, *path)
    return str(found.text or "") if found is not None else ""


def each(node: Any, name: str) -> list[Any]:
    """The child elements with this local name."""
    return [inner for inner in node if local(inner) == name] if node is not None else []
