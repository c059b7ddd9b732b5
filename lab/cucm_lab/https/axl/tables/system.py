# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of nodes, CallManagers, their groups, device pools and service parameters.

A row: element | type | add | nil | default | update | get | list | since | until. Rows stand in the order of
requests and answers. add, update: R required, o optional, - absent. get, list: y present. since, until: AXL
versions, empty for "always". A slash goes into a group; `list` is its repeated child.
"""

from __future__ import annotations

CALL_MANAGER_GROUP = """
newName | string(50) | - | | | o | - | - | |
name | string(50) | R | | | - | y | y | |
tftpDefault | bool | o | | | o | y | y | |
members | group | R | | | o | y | - | |
members/member | list | R | | | R | y | - | |
members/member/callManagerName | fk | R | | | R | y | - | |
members/member/priority | int | R | | | R | y | - | |
"""

CALL_MANAGER = """
newName | string(50) | - | | | o | - | - | |
name | string(50) | - | | | - | y | y | |
description | string(50) | - | | | o | y | y | |
autoRegistration | group | - | | | o | y | y | |
autoRegistration/startDn | string(255) | - | | 1000 | o | y | y | |
autoRegistration/endDn | string(255) | - | | 1000 | o | y | y | |
autoRegistration/nextDn | string(255) | - | | 1000 | o | y | y | |
autoRegistration/routePartitionName | fk | - | n | | o | y | y | |
autoRegistration/e164Mask | string(50) | - | n | | o | y | y | |
autoRegistration/autoRegistrationEnabled | bool | - | | | o | y | y | 10.0 |
autoRegistration/universalDeviceTemplate | fk | - | | | o | y | y | 10.0 |
autoRegistration/lineTemplate | fk | - | | | o | y | y | 10.0 |
ports | group | - | | | o | y | - | |
ports/ethernetPhonePort | int | - | | 2000 | R | y | - | |
ports/mgcpPorts | group | - | | | R | y | - | |
ports/mgcpPorts/listen | int | - | | 2427 | R | y | - | |
ports/mgcpPorts/keepAlive | int | - | | 2428 | R | y | - | |
ports/sipPorts | group | - | | | R | y | - | |
ports/sipPorts/sipPhonePort | int | - | | 5060 | R | y | - | |
ports/sipPorts/sipPhoneSecurePort | int | - | | 5061 | R | y | - | |
ports/sipPorts/sipOAuthPort | int | - | | 5090 | R | y | - | 12.5 |
ports/sipPorts/sipOAuthMRAPort | int | - | | 5091 | R | y | - | 12.5 |
processNodeName | fk | - | | | - | y | y | |
lbmGroup | fk | - | n | | o | y | y | |
"""

PROCESS_NODE = """
newName | string(255) | - | | | o | - | - | |
name | string(255) | R | | | - | y | y | |
description | string(50) | o | | | o | y | y | |
mac | XMacAddress | o | | | o | y | y | |
ipv6Name | string | o | | | o | y | y | |
nodeUsage | XNodeUsage | - | | | - | y | y | |
lbmHubGroup | fk | o | n | | o | y | y | |
processNodeRole | XProcessNodeRole | R | | CUCM Voice/Video | - | y | y | 10.0 |
cupDomain | string | o | | | o | y | - | 10.0 |
"""

DEVICE_POOL = """
newName | string(50) | - | | | o | - | - | |
name | string(50) | R | | | - | y | y | |
autoSearchSpaceName | fk | o | n | | o | y | y | |
dateTimeSettingName | fk | R | | | o | y | y | |
callManagerGroupName | fk | R | | | o | y | y | |
mediaResourceListName | fk | o | n | | o | y | y | |
regionName | fk | R | | | o | y | y | |
networkLocale | XCountry | o | n | | o | y | y | |
srstName | fk | R | | | o | y | y | |
connectionMonitorDuration | int | o | | -1 | o | y | y | |
automatedAlternateRoutingCssName | fk | o | n | | o | y | y | |
aarNeighborhoodName | fk | R | n | | o | y | y | |
locationName | fk | o | n | | o | y | y | |
mobilityCssName | fk | o | n | | o | y | y | |
physicalLocationName | fk | o | n | | o | y | y | |
deviceMobilityGroupName | fk | o | n | | o | y | y | |
revertPriority | XRevertPriority | o | | Default | o | y | y | |
singleButtonBarge | XBarge | o | | Default | o | y | y | |
joinAcrossLines | XStatus | o | | Default | o | y | y | |
cgpnTransformationCssName | fk | o | n | | o | y | y | |
cdpnTransformationCssName | fk | o | n | | o | y | y | |
localRouteGroupName | fk | o | n | | o | y | y | | 9.1
localRouteGroupName | fk | o | | | o | y | y | 10.0 |
geoLocationName | fk | o | n | | o | y | y | |
geoLocationFilterName | fk | o | n | | o | y | y | |
callingPartyNationalPrefix | string(16) | o | | | o | y | y | |
callingPartyInternationalPrefix | string(16) | o | | | o | y | y | |
callingPartyUnknownPrefix | string(16) | o | | | o | y | y | |
callingPartySubscriberPrefix | string(16) | o | | | o | y | y | |
adjunctCallingSearchSpace | fk | o | n | | o | y | y | |
callingPartyNationalStripDigits | int | o | n | | o | y | y | |
callingPartyInternationalStripDigits | int | o | n | | o | y | y | |
callingPartyUnknownStripDigits | int | o | n | | o | y | y | |
callingPartySubscriberStripDigits | int | o | n | | o | y | y | |
callingPartyNationalTransformationCssName | fk | o | n | | o | y | y | |
callingPartyInternationalTransformationCssName | fk | o | n | | o | y | y | |
callingPartyUnknownTransformationCssName | fk | o | n | | o | y | y | |
callingPartySubscriberTransformationCssName | fk | o | n | | o | y | y | |
calledPartyNationalPrefix | string(16) | o | | | o | y | y | |
calledPartyInternationalPrefix | string(16) | o | | | o | y | y | |
calledPartyUnknownPrefix | string(16) | o | | | o | y | y | |
calledPartySubscriberPrefix | string(16) | o | | | o | y | y | |
calledPartyNationalStripDigits | int | o | n | | o | y | y | |
calledPartyInternationalStripDigits | int | o | n | | o | y | y | |
calledPartyUnknownStripDigits | int | o | n | | o | y | y | |
calledPartySubscriberStripDigits | int | o | n | | o | y | y | |
calledPartyNationalTransformationCssName | fk | o | n | | o | y | y | |
calledPartyInternationalTransformationCssName | fk | o | n | | o | y | y | |
calledPartyUnknownTransformationCssName | fk | o | n | | o | y | y | |
calledPartySubscriberTransformationCssName | fk | o | n | | o | y | y | |
imeEnrolledPatternGroupName | fk | o | n | | o | y | y | |
cntdPnTransformationCssName | fk | o | n | | o | y | - | |
localRouteGroup | group | o | | | o | y | y | 10.0 |
localRouteGroup/name | string | o | n | | o | y | y | 10.0 |
localRouteGroup/value | string | o | | | o | y | y | 10.0 |
redirectingPartyTransformationCSS | fk | o | n | | o | y | - | 10.0 |
callingPartyTransformationCSS | fk | o | n | | o | y | - | 10.0 |
wirelessLanProfileGroup | fk | o | n | | o | y | - | 10.0 |
elinGroup | fk | o | n | | o | y | - | 11.0 |
mraServiceDomain | fk | o | n | | o | y | y | 12.5 |
"""

SERVICE_PARAMETER = """
processNodeName | fk | - | | | R | y | y | |
name | string | - | | | R | y | y | |
service | XService | - | | | R | y | y | |
value | string | - | n | | o | y | y | |
valueType | XParam | - | | | - | y | y | |
"""
