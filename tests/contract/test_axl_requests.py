# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request that the AXL modules can send is valid by the vendor's own schema, release by release."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import RESOURCES
from lxml import etree

from . import messages, vendor

pytestmark = pytest.mark.contract


@pytest.mark.parametrize("version", vendor.VERSIONS)
def test_every_request_is_valid(version: str, record_property: Callable[[str, object], None]) -> None:
    vendor.schema(version)
    judged, wrong = 0, []
    for operation, what, element in messages.every(version):
        judged += 1
        found = vendor.complaints(version, element)
        wrong += [f"{operation} ({what}): {found[0]}"] if found else []
    record_property("requests", (version, judged))
    assert not wrong, f"{len(wrong)} of {judged} requests are invalid:\n" + "\n".join(wrong)
    assert judged > 400


@pytest.mark.parametrize("version", vendor.VERSIONS)
def test_a_wrong_request_is_found(version: str) -> None:
    """The judge can say no: an element out of place makes a valid request invalid."""
    vendor.schema(version)
    _operation, _what, element = messages.message("removeSipTrunk", "", version, name="T")
    assert not vendor.complaints(version, element)
    etree.SubElement(element, "nosuch")
    assert vendor.complaints(version, element)


@pytest.mark.parametrize("version", vendor.VERSIONS)
def test_empty_tags_are_the_schemas_own_fault(version: str) -> None:
    """An empty boolean tag breaks the schema's pattern, and every client of CUCM sends it: only that is wrong."""
    vendor.schema(version)
    for resource in RESOURCES:
        tags = [row.axl for row in resource.rows(version, "list") if row.base == "bool"]
        for tag in tags:
            content = {"searchCriteria": {resource.search[0]: "%"}, "returnedTags": {tag: ""}}
            element = messages.message(f"list{resource.kind}", tag, version, **content)[2]
            found = vendor.complaints(version, element)
            assert len(found) <= 2 and all("pattern" in text or "boolean" in text for text in found), found


@pytest.mark.parametrize("version", vendor.VERSIONS)
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.kind)
def test_every_field_of_the_vendor_is_in_the_table(version: str, resource: object) -> None:
    """The add type of the vendor and the table's rows name the same elements in the same order."""
    vendor.schema(version)
    tree = etree.parse(str(vendor.CACHE / version / "AXLSoap.xsd"))
    xs = {"xs": "http://www.w3.org/2001/XMLSchema"}
    kind = resource.kind  # type: ignore[attr-defined]
    for operation, name in (
        ("add", f"X{kind}"),
        ("get", f"R{kind}"),
        ("list", f"L{kind}"),
        ("update", f"Update{kind}Req"),
    ):
        found = tree.xpath(f"//xs:complexType[@name='{name}']//xs:element[not(ancestor::xs:element)]", namespaces=xs)
        theirs = [element.get("name") for element in found]
        ours = [row.axl for row in resource.rows(version, operation)]  # type: ignore[attr-defined]
        assert theirs, f"no type {name} in AXL {version}"
        if operation == "update":
            keys = {"uuid", *(resource.field(option, version).axl for option in resource.key)}  # type: ignore[attr-defined]
            theirs = [element for element in theirs if element not in keys]
        if operation == "list":
            theirs = [element for element in theirs if element in ours]
        assert theirs == ours, f"{kind} {operation} in AXL {version}"
