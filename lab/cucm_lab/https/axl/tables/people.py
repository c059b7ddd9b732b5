# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of end users and application users. These objects are data alone: the lab's accounts come from its scenario.

A row: element | type | add | nil | default | update | get | list | since | until; see `routing`. Passwords and PINs are
taken and never returned. Left out: lists of devices, device profiles, extensions and LDAP, and credential policies.
"""

from __future__ import annotations

USER = """
firstName | string | o | | | o | y | y | |
displayName | string | o | | | o | y | y | 11.0 |
middleName | string | o | | | o | y | y | |
lastName | string | o | | | o | y | y | |
userid | string | R | | | - | y | y | |
newUserid | string | - | | | o | - | - | |
password | string | o | | | o | - | - | |
pin | string | o | | | o | - | - | |
telephoneNumber | string | o | | | o | y | y | | 9.1
mailid | string | o | | | o | y | y | |
department | string | o | | | o | y | y | |
manager | string | o | | | o | y | y | |
userLocale | XUserLocale | o | n | | o | y | y | |
associatedPc | string | o | | | o | y | y | |
associatedGroups | group | o | | | o | y | - | |
associatedGroups/userGroup | list | o | | | o | y | - | |
associatedGroups/userGroup/name | string | R | | | R | y | - | |
enableCti | bool | o | | true | o | y | y | |
digestCredentials | string | o | n | | o | - | - | |
presenceGroupName | fk | o | | Standard Presence group | o | y | y | |
subscribeCallingSearchSpaceName | fk | o | n | | o | y | y | |
enableMobility | bool | o | | false | o | y | y | |
enableMobileVoiceAccess | bool | o | | false | o | y | y | |
maxDeskPickupWaitTime | int | o | | 10000 | o | y | y | |
remoteDestinationLimit | int | o | | 4 | o | y | y | |
status | int | - | | 1 | - | y | y | |
enableEmcc | bool | o | | | o | y | y | |
patternPrecedence | XPatternPrecedence | o | | Default | o | y | y | |
numericUserId | string | o | | | o | y | y | |
mlppPassword | string | o | n | | o | - | - | |
homeCluster | bool | o | | true | o | y | y | |
imAndPresenceEnable | bool | o | | | o | y | y | |
directoryUri | string | o | n | | o | y | y | |
telephoneNumber | string | o | | | o | y | y | 10.0 |
title | string | o | | | o | y | y | 10.0 |
mobileNumber | string | o | | | o | y | y | 10.0 |
homeNumber | string | o | | | o | y | y | 10.0 |
pagerNumber | string | o | | | o | y | y | 10.0 |
calendarPresence | bool | o | | false | o | y | y | 10.0 |
userIdentity | string | o | | | o | y | y | 10.0 |
nameDialing | string | o | | | o | y | - | 10.0 |
"""

APP_USER = """
userid | string | R | | | - | y | y | |
newUserid | string | - | | | o | - | - | |
password | string | o | | | o | - | - | |
digestCredentials | string | o | | | o | - | - | |
presenceGroupName | fk | o | | Standard Presence group | o | y | y | |
acceptPresenceSubscription | bool | o | | false | o | y | y | |
acceptOutOfDialogRefer | bool | o | | false | o | y | y | |
acceptUnsolicitedNotification | bool | o | | false | o | y | y | |
allowReplaceHeader | bool | o | | false | o | y | y | |
isStandard | bool | - | | false | - | y | y | |
associatedGroups | group | o | | | o | y | - | |
associatedGroups/userGroup | list | o | | | o | y | - | |
associatedGroups/userGroup/name | string | R | | | R | y | - | |
"""
