# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of partitions, calling search spaces, locations, presence groups and node services.

A row: element | type | add | nil | default | update | get | list | since | until. Rows stand in the order of
requests and answers. add, update: R required, o optional, - absent. get, list: y present. since, until: AXL
versions, empty for "always". A slash goes into a group; `list` is its repeated child.
"""

from __future__ import annotations

#: what is known here of objects that others refer to: their names
NAMED = """
{name} | string | - | | | - | y | y | |
"""

ROUTE_PARTITION = """
newName | string | - | | | o | - | - | |
name | string | R | | | - | y | y | |
description | string | o | | | o | y | y | |
dialPlanWizardGenId | int | - | | | - | y | y | |
timeScheduleIdName | fk | o | n | | o | y | y | |
useOriginatingDeviceTimeZone | bool | o | | true | o | y | y | |
timeZone | XTimeZone | o | | Etc/GMT | o | y | y | |
partitionUsage | XPartitionUsage | o | | General | - | y | y | |
"""

CSS = """
newName | string(50) | - | | | o | - | - | | 9.1
name | string(50) | R | | | - | y | y | | 9.1
description | string(50) | o | | | o | y | y | |
clause | string(1024) | - | | | - | y | y | |
dialPlanWizardGenId | int | - | | | - | y | y | |
members | group | o | | | o | y | - | |
members/member | list | o | | | o | y | - | |
members/member/routePartitionName | fk | R | | | R | y | - | |
members/member/index | int | R | | | R | y | - | |
partitionUsage | XPartitionUsage | o | | General | - | y | y | |
newName | string(50) | - | | | o | - | - | 10.0 |
name | string(50) | R | | | - | y | y | 10.0 |
"""

LOCATION = """
newName | string(50) | - | | | o | - | - | |
name | string(50) | R | | | - | y | y | |
id | int | - | | | - | y | y | |
kbits | int | o | | | o | y | y | | 9.1
videoKbits | int | o | | | o | y | y | | 9.1
relatedLocations | group | o | | | o | y | - | |
relatedLocations/relatedLocation | list | R | | | R | y | - | |
relatedLocations/relatedLocation/locationName | fk | R | | | R | y | - | |
relatedLocations/relatedLocation/rsvpSetting | XMatrixValue | R | | | R | y | - | |
withinAudioBandwidth | int | R | | 0 | o | y | y | |
withinVideoBandwidth | int | R | | 0 | o | y | y | |
withinImmersiveKbits | int | R | | 0 | o | y | y | |
betweenLocations | group | R | | | o | y | - | |
betweenLocations/betweenLocation | list | R | | | R | y | - | |
betweenLocations/betweenLocation/locationName | fk | R | | | R | y | - | |
betweenLocations/betweenLocation/weight | int | R | | 50 | R | y | - | |
betweenLocations/betweenLocation/audioBandwidth | int | R | | | R | y | - | |
betweenLocations/betweenLocation/videoBandwidth | int | R | | 384 | R | y | - | |
betweenLocations/betweenLocation/immersiveBandwidth | int | R | | 384 | R | y | - | |
"""

PRESENCE_GROUP = """
newName | string | - | | | o | - | - | |
name | string | R | | | - | y | y | |
description | string | o | n | | o | y | y | |
presenceGroups | group | o | | | o | y | - | |
presenceGroups/presenceGroup | list | o | | | o | y | - | |
presenceGroups/presenceGroup/presenceGroupName | fk | R | | | R | y | - | |
presenceGroups/presenceGroup/subscriptionPermission | XMatrixValue | R | | | R | y | - | |
"""

PROCESS_NODE_SERVICE = """
processNodeName | fk | - | | | R | y | y | |
service | XService | - | | | R | y | y | |
traceLevel | int | - | | 0 | o | y | y | |
userCategories | int | - | | 0 | o | y | y | |
enable | bool | - | | false | o | y | y | |
numFiles | int | - | | 250 | o | y | y | |
maxFileSize | int | - | | 1 | o | y | y | |
isActive | bool | - | | | - | y | y | |
"""
