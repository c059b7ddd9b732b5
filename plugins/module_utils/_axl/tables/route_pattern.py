# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of a route pattern in AXL 9.1 to 15.0, in the order of the schema.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Field, Resource, UsedBy

FIELDS = (
    Field("new_pattern", "newPattern", "string", "u"),
    Field("pattern", "pattern", "string", "Agl"),
    Field("description", "description", "string", "augl"),
    Field("new_partition", "newRoutePartitionName", "FK", "u", nil=True, ref="RoutePartition"),
    Field("usage", "usage", "XPatternUsage", "gl"),
    Field("partition", "routePartitionName", "FK", "Agl", nil=True, ref="RoutePartition", send=""),
    Field("block_enable", "blockEnable", "bool", "Augl", send="false"),
    Field("called_party_transformation_mask", "calledPartyTransformationMask", "string", "augl", nil=True),
    Field("calling_party_transformation_mask", "callingPartyTransformationMask", "string", "augl", nil=True),
    Field("use_calling_party_phone_mask", "useCallingPartyPhoneMask", "XStatus", "Augl", default="Default"),
    Field("calling_party_prefix_digits", "callingPartyPrefixDigits", "String50", "augl", nil=True),
    Field("new_dial_plan", "newDialPlanName", "FK", "u", nil=True, ref="DialPlan"),
    Field("dial_plan", "dialPlanName", "FK", "Agl", nil=True, ref="DialPlan", send=""),
    Field("dial_plan_wizard_gen_id", "dialPlanWizardGenId", "int", "gl"),
    Field("digit_discard_instructions", "digitDiscardInstructionName", "FK", "Augl", nil=True, ref="Ddi", send=""),
    Field("network_location", "networkLocation", "XNetworkLocation", "Augl", default="OnNet"),
    Field("urgent_priority", "patternUrgency", "bool", "augl"),
    Field("prefix_digits_out", "prefixDigitsOut", "string", "Augl", nil=True, send=""),
    Field("new_route_filter", "newRouteFilterName", "FK", "u", nil=True, ref="RouteFilter"),
    Field("route_filter", "routeFilterName", "FK", "Agl", nil=True, ref="RouteFilter", send=""),
    Field("calling_line_presentation", "callingLinePresentationBit", "XPresentationBit", "augl", default="Default"),
    Field("calling_name_presentation", "callingNamePresentationBit", "XPresentationBit", "augl", default="Default"),
    Field("connected_line_presentation", "connectedLinePresentationBit", "XPresentationBit", "augl", default="Default"),
    Field("connected_name_presentation", "connectedNamePresentationBit", "XPresentationBit", "augl", default="Default"),
    Field("support_overlap_sending", "supportOverlapSending", "bool", "augl"),
    Field("pattern_precedence", "patternPrecedence", "XPatternPrecedence", "augl", default="Default"),
    Field("release_cause", "releaseClause", "XReleaseCauseValue", "augl", default="No Error"),
    Field("allow_device_override", "allowDeviceOverride", "bool", "augl", default="false"),
    Field("provide_outside_dialtone", "provideOutsideDialtone", "bool", "augl", default="true"),
    Field(
        "calling_party_numbering_plan",
        "callingPartyNumberingPlan",
        "XNumberingPlan",
        "augl",
        default="Cisco CallManager",
    ),
    Field("calling_party_number_type", "callingPartyNumberType", "XPriOfNumber", "augl", default="Cisco CallManager"),
    Field(
        "called_party_numbering_plan", "calledPartyNumberingPlan", "XNumberingPlan", "augl", default="Cisco CallManager"
    ),
    Field("called_party_number_type", "calledPartyNumberType", "XPriOfNumber", "augl", default="Cisco CallManager"),
    Field(
        "destination",
        "destination",
        "group",
        "Aug",
        flat=True,
        choice=True,
        kids=(
            Field("gateway", "gatewayName", "FK", "aug", ref="SipTrunk"),
            Field("route_list", "routeListName", "FK", "aug", ref="RouteList"),
        ),
    ),
    Field("authorization_code_required", "authorizationCodeRequired", "bool", "augl"),
    Field("authorization_level_required", "authorizationLevelRequired", "int", "augl", default="0"),
    Field("client_code_required", "clientCodeRequired", "bool", "augl"),
    Field("with_tag", "withTag", "String50", "gl"),
    Field("with_value_clause", "withValueClause", "String255", "gl"),
    Field(
        "isdn_nsf",
        "isdnNsfInfoElement",
        "group",
        "aug",
        kids=(
            Field("cic", "cic", "string", "aug"),
            Field("network_service_protocol", "networkServiceProtocol", "XPriProtocol", "AUg"),
            Field("network_service", "networkService", "XNSFService", "aug"),
            Field("param_value", "paramValue", "string", "aug"),
        ),
    ),
    Field(
        "resource_priority_namespace",
        "resourcePriorityNamespaceName",
        "FK",
        "augl",
        nil=True,
        ref="ResourcePriorityNamespace",
    ),
    Field("route_class", "routeClass", "XPatternRouteClass", "augl", default="Default"),
    Field("enable_dcc_enforcement", "enableDccEnforcement", "bool", "aug"),
    Field("blocked_call_percentage", "blockedCallPercentage", "string", "aug", nil=True),
    Field(
        "external_call_control",
        "externalCallControl",
        "FK",
        "augl",
        nil=True,
        ref="ExternalCallControlProfile",
        since="10.0",
    ),
    Field("emergency_service_number", "isEmergencyServiceNumber", "bool", "augl", default="false", since="11.0"),
)

#: the route patterns that lead to a device: a trunk, a gateway or a route list
USED_BY_PATTERNS = UsedBy(
    "route_pattern",
    "select n.dnorpattern as name, n.pkid as pkid, p.name as partition, n.description as description, d.name as uses "
    "from numplan n inner join devicenumplanmap m on m.fknumplan=n.pkid inner join device d on d.pkid=m.fkdevice "
    "left outer join routepartition p on p.pkid=n.fkroutepartition where d.name in ({names})",
)

ROUTE_PATTERN = Resource(
    kind="RoutePattern",
    module="route_pattern",
    wrapper="routePattern",
    noun="route pattern",
    fields=FIELDS,
    key=("pattern", "partition", "dial_plan", "route_filter"),
    search=("pattern", "description", "routePartitionName"),
    purges=("prefix", "partition_prefix"),
    unlisted=frozenset({"gateway", "route_list"}),
)
