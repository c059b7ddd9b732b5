# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of end users and application users. These objects are data alone: the lab's accounts come from its scenario.

A row: element | type | add | nil | default | update | get | list | since | until; see `routing`. Passwords and PINs are
accepted and never returned. References to objects that the lab does not hold, such as device profiles and credential
policies, are texts: any name is accepted.
"""

from __future__ import annotations

_LINE_APPEARANCE = "lineAppearanceAssociationForPresences/lineAppearanceAssociationForPresence"

_PASSWORD_CREDENTIALS = """\
passwordCredentials | group | o | | | o | y | - | |
passwordCredentials/pwdCredPolicyName | string | o | | | o | y | - | |
passwordCredentials/pwdCredUserCantChange | bool | o | | | o | y | - | |
passwordCredentials/pwdCredUserMustChange | bool | o | | | o | y | - | |
passwordCredentials/pwdCredDoesNotExpire | bool | o | | | o | y | - | |
passwordCredentials/pwdCredTimeChanged | string | o | | | o | y | - | |
passwordCredentials/pwdCredTimeAdminLockout | string | o | n | | o | y | - | |
passwordCredentials/pwdCredLockedByAdministrator | bool | o | | | o | y | - | |
passwordCredentials/pwdResetHackCount | bool | o | | | o | y | - | 11.0 |
"""

USER = f"""
firstName | string | o | | | o | y | y | |
displayName | string | o | | | o | y | y | 11.0 | 12.0
displayName | string | o | | | o | y | - | 12.5 |
middleName | string | o | | | o | y | y | |
lastName | string | R | | | o | y | y | |
emMaxLoginTime | int | o | n | | o | y | y | 12.5 |
newUserid | string | - | | | o | - | - | |
userid | string | R | | | - | y | y | |
password | string | o | | | o | - | - | |
pin | string | o | | | o | - | - | |
telephoneNumber | string(255) | o | | | o | y | y | | 9.1
mailid | string | o | | | o | y | y | |
department | string | o | | | o | y | y | |
manager | string | o | | | o | y | y | |
userLocale | XUserLocale | o | n | | o | y | y | |
associatedDevices | group | o | | | o | y | - | |
associatedDevices/device | list | o | | | o | y | - | |
primaryExtension | group | o | | | o | y | y | |
primaryExtension/pattern | string(255) | R | | | R | y | y | |
primaryExtension/routePartitionName | string(50) | o | | | o | y | y | |
associatedPc | string | o | | | o | y | y | |
associatedGroups | group | o | | | o | y | - | |
associatedGroups/userGroup | rows | o | | | o | y | - | |
associatedGroups/userGroup/name | string(100) | R | | | R | y | - | |
associatedGroups/userGroup/userRoles | group | o | | | o | y | - | |
associatedGroups/userGroup/userRoles/userRole | list | o | | | o | y | - | |
enableCti | bool | o | | true | o | y | y | |
digestCredentials | string | o | n | | o | - | - | |
phoneProfiles | group | o | | | o | y | - | |
phoneProfiles/profileName | list | R | | | R | y | - | |
defaultProfile | string | o | | | o | y | - | |
presenceGroupName | fk | R | | Standard Presence group | o | y | y | | 12.0
presenceGroupName | fk | R | | Standard Presence group | o | y | - | 12.5 |
subscribeCallingSearchSpaceName | fk | o | n | | o | y | y | |
enableMobility | bool | o | | false | o | y | y | |
enableMobileVoiceAccess | bool | o | | false | o | y | y | |
maxDeskPickupWaitTime | int | o | | 10000 | o | y | y | |
remoteDestinationLimit | int | o | | 4 | o | y | y | |
associatedRemoteDestinationProfiles | group | - | | | - | y | - | |
associatedRemoteDestinationProfiles/remoteDestinationProfile | list | - | | | - | y | - | |
{_PASSWORD_CREDENTIALS}pinCredentials | group | o | | | o | y | - | |
pinCredentials/pinCredPolicyName | string | o | | | o | y | - | |
pinCredentials/pinCredUserCantChange | bool | o | | | o | y | - | |
pinCredentials/pinCredUserMustChange | bool | o | | | o | y | - | |
pinCredentials/pinCredDoesNotExpire | bool | o | | | o | y | - | |
pinCredentials/pinCredTimeChanged | bool | o | | | o | y | - | |
pinCredentials/pinCredTimeAdminLockout | string | o | n | | o | y | - | |
pinCredentials/pinCredLockedByAdministrator | bool | o | | | o | y | - | |
primaryDevice | string | o | | | o | y | - | | 10.5
pinCredentials/pinResetHackCount | bool | o | | | o | y | - | 11.0 |
associatedTodAccess | group | - | | | - | y | - | |
associatedTodAccess/todAccess | list | - | | | - | y | - | |
status | int | - | | 1 | - | y | y | |
enableEmcc | bool | o | | | o | y | y | |
associatedCapfProfiles | group | - | | | - | y | - | |
associatedCapfProfiles/capfProfileInstanceId | list | - | | | - | y | - | |
ctiControlledDeviceProfiles | group | o | | | o | y | - | |
ctiControlledDeviceProfiles/profileName | list | R | | | R | y | - | |
patternPrecedence | XPatternPrecedence | o | | Default | o | y | y | |
numericUserId | string | o | | | o | y | y | |
mlppPassword | string | o | n | | o | - | - | |
customUserFields | group | o | | | o | y | - | |
customUserFields/customUserField | rows | o | | | o | y | - | |
customUserFields/customUserField/name | string | - | | | - | y | - | | 9.1
customUserFields/customUserField/value | string | - | | | - | y | - | | 9.1
customUserFields/customUserField/name | string | o | | | o | y | - | 10.0 |
customUserFields/customUserField/value | string | o | | | o | y | - | 10.0 |
homeCluster | bool | o | | true | o | y | y | |
imAndPresenceEnable | bool | o | | | o | y | y | |
serviceProfile | string | o | n | | o | y | y | |
lineAppearanceAssociationForPresences | group | o | | | o | y | - | |
lineAppearanceAssociationForPresences/lineAppearanceAssociationForPresence | list | o | | | o | y | - | |
{_LINE_APPEARANCE}/laapAssociate | string | o | | | o | y | - | |
{_LINE_APPEARANCE}/laapProductType | string(128) | o | | | o | y | - | |
{_LINE_APPEARANCE}/laapDeviceName | string(128) | o | | | o | y | - | |
{_LINE_APPEARANCE}/laapDirectory | string(128) | o | | | o | y | - | |
{_LINE_APPEARANCE}/laapPartition | string(128) | o | | | o | y | - | |
{_LINE_APPEARANCE}/laapDescription | string(128) | o | | | o | y | - | |
directoryUri | string | o | n | | o | y | y | |
telephoneNumber | string(255) | o | | | o | y | y | 10.0 | 10.5
telephoneNumber | string | o | | | o | y | y | 11.0 |
title | string | o | | | o | y | y | 10.0 |
mobileNumber | string | o | | | o | y | y | 10.0 |
homeNumber | string | o | | | o | y | y | 10.0 |
pagerNumber | string | o | | | o | y | y | 10.0 |
removeExtensionsInfo | group | - | | | o | - | - | 10.0 |
addExtensionsInfo | group | - | | | o | - | - | 10.0 |
extensionsInfo | group | o | | | o | y | - | 10.0 |
extensionsInfo/extension | list | o | | | o | y | - | 10.0 |
extensionsInfo/extension/sortOrder | int | o | n | | o | y | - | 10.0 |
extensionsInfo/extension/pattern | string | R | | | R | y | - | 10.0 |
extensionsInfo/extension/routePartition | string | o | | | o | y | - | 10.0 |
extensionsInfo/extension/linePrimaryUri | string | o | n | | o | y | - | 10.0 |
extensionsInfo/extension/partition | string | o | n | | o | y | - | 10.0 |
selfService | string(50) | o | n | | o | y | y | 10.0 | 12.0
selfService | string(50) | o | n | | o | y | - | 12.5 |
userProfile | string | o | n | | o | y | - | 10.0 |
calendarPresence | bool | o | | false | o | y | y | 10.0 |
ldapDirectoryName | string | o | n | | o | y | y | 10.0 | 12.0
ldapDirectoryName | string | o | n | | o | y | - | 12.5 |
userIdentity | string | o | | | o | y | y | 10.0 |
nameDialing | string | o | | | o | y | - | 10.0 |
ipccExtension | string | o | n | | o | y | - | 10.0 |
ipccRoutePartition | string | o | n | | o | y | - | 12.0 |
convertUserAccount | string | o | n | | o | y | - | 10.0 |
accountType | XAccountType | o | | Local | o | y | y | 10.5 | 11.5
authenticationType | XAuthenticationType | o | | Local | o | y | y | 10.5 | 11.5
enableUserToHostConferenceNow | bool | o | | false | o | y | y | 11.0 | 12.0
attendeesAccessCode | string | o | | | o | y | y | 11.0 | 12.0
enableUserToHostConferenceNow | bool | o | | false | o | y | - | 12.5 |
attendeesAccessCode | string | o | | | o | y | - | 12.5 |
zeroHop | bool | o | | false | o | y | - | 11.5 |
customerName | string | o | n | | o | y | - | 12.5 | 12.5
customerName | string | o | n | | o | y | y | 14.0 |
removeAssociatedHeadsets | group | - | | | o | - | - | 14.0 |
addAssociatedHeadsets | group | - | | | o | - | - | 14.0 |
associatedHeadsets | group | o | | | o | y | - | 14.0 |
associatedHeadsets/headset | list | o | | | o | y | - | 14.0 |
"""

APP_USER = f"""
userid | string | R | | | - | y | y | |
newUserid | string | - | | | o | - | - | |
password | string | o | | | o | - | - | |
{_PASSWORD_CREDENTIALS}digestCredentials | string | o | | | o | - | - | |
presenceGroupName | fk | o | | Standard Presence group | o | y | y | |
acceptPresenceSubscription | bool | o | | false | o | y | y | |
acceptOutOfDialogRefer | bool | o | | false | o | y | y | |
acceptUnsolicitedNotification | bool | o | | false | o | y | y | |
allowReplaceHeader | bool | o | | false | o | y | y | |
isStandard | bool | - | | false | - | y | y | |
associatedDevices | group | o | | | o | y | - | |
associatedDevices/device | list | o | | | o | y | - | |
associatedGroups | group | o | | | o | y | - | |
associatedGroups/userGroup | rows | o | | | o | y | - | |
associatedGroups/userGroup/name | string(100) | R | | | R | y | - | |
associatedGroups/userGroup/userRoles | group | o | | | o | y | - | |
associatedGroups/userGroup/userRoles/userRole | list | o | | | o | y | - | |
associatedCapfProfiles | group | - | | | - | y | - | |
associatedCapfProfiles/capfProfileInstanceId | list | - | | | - | y | - | |
ctiControlledDeviceProfiles | group | o | | | o | y | - | |
ctiControlledDeviceProfiles/deviceProfile | list | o | | | o | y | - | |
"""
