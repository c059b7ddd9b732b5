# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of AXL responses before they are parsed, and AXL's faults as exceptions.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpAnswer, declares_types
from ansible_collections.siptls.cucm.plugins.module_utils._text import readable

NOT_FOUND = ("5007", "5003")
WRITES = ("add", "update", "remove", "apply", "reset", "do", "executeSQLUpdate")
DUPLICATE = ("-239", "4052")
# What to do about a refusal, by CUCM's text; the codes alone do not distinguish these cases.
ADVICE = (
    ("duplicate value", "Another object has the name already; choose another or rename that one."),
    ("exists with", "Another object has the pattern already in this partition; choose another or remove that one."),
    ("still being referenced", "Something refers to the object; change or remove that first."),
    ("was not found", "Something that the request names does not exist on this cluster; make it first."),
    ("privilege", "Give the account the role Standard AXL API Access."),
)
ADVICE_NO_SOAP = "Check that Cisco AXL Web Service and Cisco Tomcat run on the publisher, then run again."


class AxlFault(Failure):
    """CUCM understood the request and refused it; code and text are its own."""

    def __init__(self, doing: str, code: str, text: str) -> None:
        self.code = code
        self.text = text
        advice = next((f" {what}" for words, what in ADVICE if words in text.lower()), "")
        text = text.rstrip(".")
        super().__init__(f"{doing} was refused by CUCM: {text} (AXL code {code or 'none'}).{advice}", axl_code=code)

    @property
    def missing(self) -> bool:
        """True when the fault can mean that the object of a get does not exist."""
        return self.code in NOT_FOUND or "not found" in self.text.lower()

    @property
    def out_of_memory(self) -> bool:
        """True when parallel answers use up AXL's memory for now."""
        return "memory allocation" in self.text.lower()

    @property
    def page(self) -> int | None:
        """The number of rows to ask for when an answer would be too large; None for any other fault."""
        if "request too large" not in self.text.lower():
            return None
        hint = re.search(r"less than (\d+)", self.text)
        return max(1, int(hint[1]) - 1) if hint else 200


class UnreadableAnswer(Failure):
    """A success that is not complete XML; a write may have been made nevertheless."""


class Stale(Failure):
    """404: the session's cookie is stale, or the service is not there."""


def check_response(answer: HttpAnswer, doing: str, version: str) -> Any:
    """The root of a SOAP response with status 200 or 500; any other response becomes a Failure with what to do.

    Refuses document types and entities, which no CUCM sends, before a parser sees them, and raises UnreadableAnswer for
    a response that breaks off or is not XML.
    """
    from lxml import etree

    if answer.status not in (200, 500) or "xml" not in answer.content_type:
        raise _no_soap(answer, doing, version)
    if declares_types(answer.body):
        raise Failure(
            f"{doing} failed: the response contains a document type or entities and was rejected as hostile. "
            "CUCM never sends them: check what responds at this address."
        )
    try:
        return etree.fromstring(answer.body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise UnreadableAnswer(
            f"{doing} failed: the response is not valid XML ({error.msg}). {ADVICE_NO_SOAP}"
        ) from None


def _no_soap(answer: HttpAnswer, doing: str, version: str) -> Failure:
    said = answer.text(200) or "no text"
    if answer.status == 403:
        lacks = "has no AXL role that may write" if doing.startswith(WRITES) else "has no AXL role"
        return Failure(
            f"{doing} was refused (403): the account {lacks}. Give it the role Standard AXL API Access.",
            reason="rights",
        )
    if answer.status == 404:
        return Stale(
            f"{doing} failed: there is no AXL service (404). Activate Cisco AXL Web Service on the publisher and give "
            "the publisher as host."
        )
    if answer.status == 599:
        return Failure(f"{doing} failed (599): CUCM does not accept AXL version {version} ({said}).")
    if 300 <= answer.status < 400:
        where = answer.headers.get("location", "nowhere")
        return Failure(f"{doing} failed: CUCM redirects ({answer.status}) to {where}. Redirects are never followed.")
    return Failure(
        f"{doing} failed: CUCM answered {answer.status} {answer.content_type or 'without a type'}: {said.rstrip('.')}. "
        f"{ADVICE_NO_SOAP}"
    )


def fault(doing: str, text: str, detail: Any) -> AxlFault:
    """A SOAP fault as AxlFault; the elements of its detail are found by local name, because releases differ."""
    found = {"axlcode": "", "axlmessage": ""}
    for node in detail.iter() if detail is not None else ():
        name = str(node.tag).rpartition("}")[2]
        if name in found and node.text:
            found[name] = node.text.strip()
    said = readable(found["axlmessage"] or text, None) or "no reason given"
    return AxlFault(doing, found["axlcode"], said)
