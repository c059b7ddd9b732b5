# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of a route list in AXL 9.1 to 15.0, in the order of the schema.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Field, Resource
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_pattern import USED_BY_PATTERNS

MEMBER = (
    Field("route_group", "routeGroupName", "FK", "AUg", nil=True, ref="RouteGroup"),
    Field("order", "selectionOrder", "int", "AUg"),
    Field("called_party_transformation_mask", "calledPartyTransformationMask", "String50", "aug", nil=True),
    Field("calling_party_transformation_mask", "callingPartyTransformationMask", "String50", "aug", nil=True),
    Field("dial_plan_wizard_gen_id", "dialPlanWizardGenId", "int", "g"),
    Field("digit_discard_instructions", "digitDiscardInstructionName", "FK", "aug", nil=True, ref="Ddi"),
    Field("calling_party_prefix_digits", "callingPartyPrefixDigits", "String50", "aug", nil=True),
    Field("prefix_digits_out", "prefixDigitsOut", "String50", "aug", nil=True),
    Field(
        "use_fully_qualified_calling_party_number",
        "useFullyQualifiedCallingPartyNumber",
        "XStatus",
        "AUg",
        default="Default",
    ),
    Field(
        "calling_party_numbering_plan",
        "callingPartyNumberingPlan",
        "XNumberingPlan",
        "aug",
        default="Cisco CallManager",
    ),
    Field("calling_party_number_type", "callingPartyNumberType", "XPriOfNumber", "aug", default="Cisco CallManager"),
    Field(
        "called_party_numbering_plan", "calledPartyNumberingPlan", "XNumberingPlan", "aug", default="Cisco CallManager"
    ),
    Field("called_party_number_type", "calledPartyNumberType", "XPriOfNumber", "aug", default="Cisco CallManager"),
)

MEMBER_LIST: dict[str, Any] = {"kids": MEMBER, "each": "member", "order": "order", "identity": ("route_group",)}

FIELDS = (
    Field("new_name", "newName", "string", "u"),
    Field("name", "name", "string", "Agl"),
    Field("description", "description", "string", "augl"),
    Field("callmanager_group", "callManagerGroupName", "FK", "Augl", nil=True, ref="CallManagerGroup", send="Default"),
    Field("enabled", "routeListEnabled", "bool", "augl", default="false", send="true"),
    Field("remove_members", "removeMembers", "group", "u", delta="members", **MEMBER_LIST),
    Field("add_members", "addMembers", "group", "u", delta="members", **MEMBER_LIST),
    Field("members", "members", "group", "aug", **MEMBER_LIST),
    Field("run_on_every_node", "runOnEveryNode", "bool", "augl", default="false"),
)

ROUTE_LIST = Resource(
    kind="RouteList",
    module="route_list",
    wrapper="routeList",
    noun="route list",
    fields=FIELDS,
    search=("name", "description"),
    used_by=(USED_BY_PATTERNS,),
)
