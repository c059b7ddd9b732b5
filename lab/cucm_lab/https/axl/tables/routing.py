# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of route patterns, translation patterns, groups and lists.

A row: element | type | add | nil | default | update | get | list | since | until. Rows stand in the order of
requests and answers. add, update: R required, o optional, - absent. get, list: y present. since, until: AXL
versions, empty for "always". A slash goes into a group; `list` is its repeated child, `rows` one that AXL returns
without a uuid.
"""

from __future__ import annotations

ROUTE_PATTERN = """
newPattern | string | - | | | o | - | - | |
pattern | string | R | | | - | y | y | |
description | string | o | | | o | y | y | |
newRoutePartitionName | fk | - | n | | o | - | - | |
usage | XPatternUsage | - | | | - | y | y | |
routePartitionName | fk | R | n | | - | y | y | |
blockEnable | bool | R | | | o | y | y | |
calledPartyTransformationMask | string | o | n | | o | y | y | |
callingPartyTransformationMask | string | o | n | | o | y | y | |
useCallingPartyPhoneMask | XStatus | R | | Default | o | y | y | |
callingPartyPrefixDigits | string(50) | o | n | | o | y | y | |
newDialPlanName | fk | - | n | | o | - | - | |
dialPlanName | fk | R | n | | - | y | y | |
dialPlanWizardGenId | int | - | | | - | y | y | |
digitDiscardInstructionName | fk | R | n | | o | y | y | |
networkLocation | XNetworkLocation | R | | OnNet | o | y | y | |
patternUrgency | bool | o | | | o | y | y | |
prefixDigitsOut | string | R | n | | o | y | y | |
newRouteFilterName | fk | - | n | | o | - | - | |
routeFilterName | fk | R | n | | - | y | y | |
callingLinePresentationBit | XPresentationBit | o | | Default | o | y | y | |
callingNamePresentationBit | XPresentationBit | o | | Default | o | y | y | |
connectedLinePresentationBit | XPresentationBit | o | | Default | o | y | y | |
connectedNamePresentationBit | XPresentationBit | o | | Default | o | y | y | |
supportOverlapSending | bool | o | | | o | y | y | |
patternPrecedence | XPatternPrecedence | o | | Default | o | y | y | |
releaseClause | XReleaseCauseValue | o | | No Error | o | y | y | |
allowDeviceOverride | bool | o | | false | o | y | y | |
provideOutsideDialtone | bool | o | | true | o | y | y | |
callingPartyNumberingPlan | XNumberingPlan | o | | Cisco CallManager | o | y | y | |
callingPartyNumberType | XPriOfNumber | o | | Cisco CallManager | o | y | y | |
calledPartyNumberingPlan | XNumberingPlan | o | | Cisco CallManager | o | y | y | |
calledPartyNumberType | XPriOfNumber | o | | Cisco CallManager | o | y | y | |
destination | group | R | | | o | y | - | |
destination/gatewayName | fk | R | | | R | y | - | |
destination/routeListName | fk | R | | | R | y | - | |
authorizationCodeRequired | bool | o | | | o | y | y | |
authorizationLevelRequired | int | o | | 0 | o | y | y | |
clientCodeRequired | bool | o | | | o | y | y | |
withTag | string(50) | - | | | - | y | y | |
withValueClause | string(255) | - | | | - | y | y | |
isdnNsfInfoElement | group | o | | | o | y | - | |
isdnNsfInfoElement/cic | string | o | | | o | y | - | |
isdnNsfInfoElement/networkServiceProtocol | XPriProtocol | R | | | R | y | - | |
isdnNsfInfoElement/networkService | XNSFService | o | | | o | y | - | |
isdnNsfInfoElement/paramValue | string | o | | | o | y | - | |
resourcePriorityNamespaceName | fk | o | n | | o | y | y | |
routeClass | XPatternRouteClass | o | | Default | o | y | y | |
enableDccEnforcement | bool | o | | | o | y | - | |
blockedCallPercentage | string | o | n | | o | y | - | |
externalCallControl | fk | o | n | | o | y | y | 10.0 |
isEmergencyServiceNumber | bool | o | | false | o | y | y | 11.0 |
"""

TRANS_PATTERN = """
newPattern | string | - |  |  | o | - | - |  |
pattern | string | R |  |  | - | y | y |  |
description | string | o |  |  | o | y | y |  |
usage | XPatternUsage | R |  |  | - | y | y |  |
newRoutePartitionName | fk | - | n |  | o | - | - |  |
routePartitionName | fk | R | n |  | - | y | y |  |
blockEnable | bool | o |  |  | o | y | y |  |
calledPartyTransformationMask | string | o | n |  | o | y | y |  |
callingPartyTransformationMask | string | o | n |  | o | y | y |  |
useCallingPartyPhoneMask | XStatus | o |  | Default | o | y | y |  |
callingPartyPrefixDigits | string(50) | o | n |  | o | y | y |  |
newDialPlanName | fk | - | n |  | o | - | - |  |
dialPlanName | fk | o | n |  | - | y | y |  |
digitDiscardInstructionName | fk | o | n |  | o | y | y |  |
patternUrgency | bool | o |  |  | o | y | y |  |
prefixDigitsOut | string | o | n |  | o | y | y |  |
newRouteFilterName | fk | - | n |  | o | - | - |  |
routeFilterName | fk | o | n |  | - | y | y |  |
callingLinePresentationBit | XPresentationBit | o |  | Default | o | y | y |  |
callingNamePresentationBit | XPresentationBit | o |  | Default | o | y | y |  |
connectedLinePresentationBit | XPresentationBit | o |  | Default | o | y | y |  |
connectedNamePresentationBit | XPresentationBit | o |  | Default | o | y | y |  |
patternPrecedence | XPatternPrecedence | o |  | Default | o | y | y |  |
provideOutsideDialtone | bool | o |  | true | o | y | y |  |
callingPartyNumberingPlan | XNumberingPlan | o |  | Cisco CallManager | o | y | y |  |
callingPartyNumberType | XPriOfNumber | o |  | Cisco CallManager | o | y | y |  |
calledPartyNumberingPlan | XNumberingPlan | o |  | Cisco CallManager | o | y | y |  |
calledPartyNumberType | XPriOfNumber | o |  | Cisco CallManager | o | y | y |  |
callingSearchSpaceName | fk | o | n |  | o | y | y |  |
resourcePriorityNamespaceName | fk | o | n |  | o | y | y |  |
routeNextHopByCgpn | bool | o |  | false | o | y | y |  |
routeClass | XPatternRouteClass | o |  | Default | o | y | y |  |
callInterceptProfileName | fk | o | n |  | o | y | y |  |
releaseClause | XReleaseCauseValue | o |  | No Error | o | y | y |  |
useOriginatorCss | bool | o |  | false | o | y | y | 10.0 |
dontWaitForIDTOnSubsequentHops | bool | o |  | false | o | y | y | 10.0 |
isEmergencyServiceNumber | bool | o |  | false | o | y | y | 11.0 |
"""

ROUTE_GROUP = """
name | string(50) | R | | | - | y | y | | 9.1
newName | string(50) | - | | | o | - | - | | 9.1
dialPlanWizardGenld | int | - | | | - | y | y | |
distributionAlgorithm | XDistributeAlgorithm | R | | Circular | o | y | y | |
removeMembers | group | - | | | o | - | - | |
addMembers | group | - | | | o | - | - | |
members | group | R | | | o | y | - | |
members/member | list | R | | | R | y | - | |
members/member/deviceSelectionOrder | int | R | | | R | y | - | |
members/member/dialPlanWizardGenId | int | - | | | - | y | - | |
members/member/deviceName | fk | R | | | R | y | - | |
members/member/port | int | R | | | R | y | - | |
newName | string | - | | | o | - | - | 10.0 |
name | string | R | | | - | y | y | 10.0 |
"""

ROUTE_LIST = """
newName | string | - | | | o | - | - | |
name | string | R | | | - | y | y | |
description | string | o | | | o | y | y | |
callManagerGroupName | fk | R | n | | o | y | y | |
routeListEnabled | bool | o | | false | o | y | y | |
removeMembers | group | - | | | o | - | - | |
addMembers | group | - | | | o | - | - | |
members | group | o | | | o | y | - | |
members/member | list | o | | | o | y | - | |
members/member/routeGroupName | fk | R | n | | R | y | - | |
members/member/selectionOrder | int | R | | | R | y | - | |
members/member/calledPartyTransformationMask | string(50) | o | n | | o | y | - | |
members/member/callingPartyTransformationMask | string(50) | o | n | | o | y | - | |
members/member/dialPlanWizardGenId | int | - | | | - | y | - | |
members/member/digitDiscardInstructionName | fk | o | n | | o | y | - | |
members/member/callingPartyPrefixDigits | string(50) | o | n | | o | y | - | |
members/member/prefixDigitsOut | string(50) | o | n | | o | y | - | |
members/member/useFullyQualifiedCallingPartyNumber | XStatus | R | | Default | R | y | - | |
members/member/callingPartyNumberingPlan | XNumberingPlan | o | | Cisco CallManager | o | y | - | |
members/member/callingPartyNumberType | XPriOfNumber | o | | Cisco CallManager | o | y | - | |
members/member/calledPartyNumberingPlan | XNumberingPlan | o | | Cisco CallManager | o | y | - | |
members/member/calledPartyNumberType | XPriOfNumber | o | | Cisco CallManager | o | y | - | |
runOnEveryNode | bool | o | | false | o | y | y | |
"""

# `usage` comes from the row axl.transformation_usage of the table of inferences.
CALLING_TRANSFORMATION = """
newPattern | string | - | | | o | - | - | |
pattern | string | R | | | - | y | y | |
description | string | o | | | o | y | y | |
usage | XPatternUsage | - | | | - | y | y | |
newRoutePartitionName | fk | - | n | | o | - | - | |
routePartitionName | fk | R | n | | - | y | y | |
callingPartyTransformationMask | string | o | n | | o | y | y | |
useCallingPartyPhoneMask | XStatus | o | | Default | o | y | y | |
newDialPlanName | fk | - | n | | o | - | - | |
dialPlanName | fk | o | n | | - | y | y | |
digitDiscardInstructionName | fk | o | n | | o | y | y | |
patternUrgency | bool | - | | true | - | y | y | |
callingPartyPrefixDigits | string(50) | o | n | | o | y | y | |
newRouteFilterName | fk | - | n | | o | - | - | |
routeFilterName | fk | o | n | | - | y | y | |
callingLinePresentationBit | XPresentationBit | o | | Default | o | y | y | |
callingPartyNumberingPlan | XNumberingPlan | o | | Cisco CallManager | o | y | y | |
callingPartyNumberType | XPriOfNumber | o | | Cisco CallManager | o | y | y | |
mlppPreemptionDisabled | bool | o | | false | o | y | y | 10.0 |
"""

CALLED_TRANSFORMATION = """
newPattern | string | - | | | o | - | - | |
pattern | string | R | | | - | y | y | |
description | string | o | | | o | y | y | |
usage | XPatternUsage | - | | | - | y | y | |
newRoutePartitionName | fk | - | n | | o | - | - | |
routePartitionName | fk | R | n | | - | y | y | |
calledPartyTransformationMask | string | o | n | | o | y | y | |
newDialPlanName | fk | - | n | | o | - | - | |
dialPlanName | fk | o | n | | - | y | y | |
digitDiscardInstructionName | fk | o | n | | o | y | y | |
patternUrgency | bool | - | | true | - | y | y | |
newRouteFilterName | fk | - | n | | o | - | - | |
routeFilterName | fk | o | n | | - | y | y | |
calledPartyPrefixDigits | string | o | n | | o | y | y | |
calledPartyNumberingPlan | XNumberingPlan | o | | Cisco CallManager | o | y | y | |
calledPartyNumberType | XPriOfNumber | o | | Cisco CallManager | o | y | y | |
mlppPreemptionDisabled | bool | o | | false | o | y | y | 10.0 |
"""
