# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of conference bridges and of the Expressway-C servers that a cluster knows; rows as in `classes`."""

from __future__ import annotations

CONFERENCE_BRIDGE = """
name | string(128) | R | | | R | y | y | |
newName | string(128) | - | | | o | - | - | |
description | string(128) | o | | | o | y | y | |
product | XProduct | R | | | o | y | y | |
devicePoolName | fk | R | n | | o | y | y | |
commonDeviceConfigName | fk | o | n | | o | y | y | |
locationName | fk | R | | Hub_None | o | y | y | |
subUnit | int | o | | 0 | - | y | y | |
loadInformation | string | o | n | | o | y | y | |
maximumCapacity | int | o | | | o | y | y | |
useTrustedRelayPoint | XStatus | o | | Default | o | y | y | |
securityProfileName | string | o | n | | o | y | y | |
destinationAddress | string | o | | | o | y | y | |
mcuConferenceBridgeSipPort | int | o | | 5060 | o | y | y | |
sipProfile | fk | o | n | | o | y | y | |
srtpAllowed | bool | o | | | o | y | y | |
normalizationScript | fk | o | n | | o | y | y | |
enableTrace | bool | o | | | o | y | y | |
userName | string | o | | | o | y | y | |
password | string | o | | | o | - | - | |
httpPort | int | o | | 80 | o | y | y | |
useHttps | bool | o | | false | o | y | y | |
conferenceBridgePrefix | string | o | n | | o | y | y | 10.0 |
allowCFBControlOfCallSecurityIcon | bool | o | n | false | o | y | y | 11.0 |
overrideSIPTrunkAddress | bool | o | n | false | o | y | y | 10.0 |
sipTrunkName | fk | o | | | o | y | y | 10.0 |
"""

EXPRESSWAY_C = """
HostNameOrIP | string(255) | R | | | R | y | y | |
description | string(50) | o | n | | o | y | y | |
X509SubjectNameorSubjectAlternateName | string(4096) | o | n | | o | y | y | |
"""

MEDIA_RESOURCE_LIST = """
newName | string(50) | - | | | o | - | - | |
removeMembers | group | - | | | o | - | - | |
addMembers | group | - | | | o | - | - | |
name | string(50) | R | | | - | y | y | |
clause | string(1024) | - | | | - | y | y | |
members | group | R | | | o | y | - | |
members/member | list | R | | | R | y | - | |
members/member/mediaResourceGroupName | string | R | | | R | y | - | |
members/member/order | int | R | | | R | y | - | |
"""
