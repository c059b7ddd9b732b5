# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of SIP profiles.

A row: element | type | add | nil | default | update | get | list | since | until. Rows stand in the order of
requests and answers. add, update: R required, o optional, - absent. get, list: y present. since, until: AXL
versions, empty for "always". A slash goes into a group; `list` is its repeated child.
"""

from __future__ import annotations

SIP_PROFILE = """
newName | string(50) | - | | | o | - | - | |
name | string(50) | R | | | - | y | y | |
description | string(100) | o | n | | o | y | y | |
defaultTelephonyEventPayloadType | int | o | | 101 | o | y | y | |
redirectByApplication | bool | o | | false | o | y | y | |
ringing180 | bool | o | | false | o | y | y | |
timerInvite | int | o | | 180 | o | y | y | |
timerRegisterDelta | int | o | | 5 | o | y | y | |
timerRegister | int | o | | 3600 | o | y | y | |
timerT1 | int | o | | 500 | o | y | y | |
timerT2 | int | o | | 4000 | o | y | y | |
retryInvite | int | o | | 6 | o | y | y | |
retryNotInvite | int | o | | 10 | o | y | y | |
startMediaPort | int | o | | 16384 | o | y | y | |
stopMediaPort | int | o | | 32766 | o | y | y | |
callpickupUri | string(128) | o | | x-cisco-serviceuri-pickup | o | y | y | | 9.1
startVideoPort | int | o | | 0 | o | y | - | 11.0 |
stopVideoPort | int | o | | 0 | o | y | - | 11.0 |
dscpForAudioCalls | string | o | n | | o | y | - | 11.0 |
dscpForVideoCalls | string | o | n | | o | y | - | 11.0 |
dscpForAudioPortionOfVideoCalls | string | o | n | | o | y | - | 11.0 |
dscpForTelePresenceCalls | string | o | n | | o | y | - | 11.0 |
dscpForAudioPortionOfTelePresenceCalls | string | o | n | | o | y | - | 11.0 |
callpickupListUri | string(128) | o | | x-cisco-serviceuri-opickup | o | y | y | |
callpickupGroupUri | string(128) | o | | x-cisco-serviceuri-gpickup | o | y | y | |
meetmeServiceUrl | string(128) | o | | x-cisco-serviceuri-meetme | o | y | y | |
userInfo | XZzuserInfo | o | | None | o | y | y | |
dtmfDbLevel | XZzdtmfDbLevel | o | | Nominal | o | y | y | |
callHoldRingback | XZzpreff | o | | Off | o | y | y | |
anonymousCallBlock | XZzpreff | o | | Off | o | y | y | |
callerIdBlock | XZzpreff | o | | Off | o | y | y | |
dndControl | XZzdndcontrol | o | | User | o | y | y | |
telnetLevel | XTelnetLevel | o | | Disabled | o | y | y | |
timerKeepAlive | int | o | | 120 | o | y | y | |
timerSubscribe | int | o | | 120 | o | y | y | |
timerSubscribeDelta | int | o | | 5 | o | y | y | |
maxRedirects | int | o | | 70 | o | y | y | |
timerOffHookToFirstDigit | int | o | | 15000 | o | y | y | |
callForwardUri | string(128) | o | | x-cisco-serviceuri-cfwdall | o | y | y | |
abbreviatedDialUri | string(128) | o | | x-cisco-serviceuri-abbrdial | o | y | y | |
confJointEnable | bool | o | | true | o | y | y | |
rfc2543Hold | bool | o | | false | o | y | y | |
semiAttendedTransfer | bool | o | | true | o | y | y | |
enableVad | bool | o | | false | o | y | y | |
stutterMsgWaiting | bool | o | | false | o | y | y | |
callStats | bool | o | | false | o | y | y | |
t38Invite | bool | o | | false | o | y | y | |
faxInvite | bool | o | | false | o | y | y | 11.5 |
rerouteIncomingRequest | XSIPReroute | o | | Never | o | y | y | |
resourcePriorityNamespaceListName | fk | o | n | | o | y | y | |
enableAnatForEarlyOfferCalls | bool | o | | false | o | y | y | |
rsvpOverSip | XRSVPOverSIP | o | | Local RSVP | o | y | y | |
fallbackToLocalRsvp | bool | o | | true | o | y | y | |
sipRe11XxEnabled | XSIPRel1XXOptions | o | | Disabled | o | y | y | |
gClear | XGClear | o | | Disabled | o | y | y | |
earlyOfferSupportForVoiceCall | bool | o | | false | o | y | y | | 10.0
sendRecvSDPInMidCallInvite | bool | o | | false | o | y | y | |
enableOutboundOptionsPing | bool | o | | false | o | y | y | |
optionsPingIntervalWhenStatusOK | int | o | | 60 | o | y | y | |
optionsPingIntervalWhenStatusNotOK | int | o | | 120 | o | y | y | |
deliverConferenceBridgeIdentifier | bool | o | | | o | y | y | |
sipOptionsRetryCount | int | o | | 6 | o | y | y | |
sipOptionsRetryTimer | int | o | | 500 | o | y | y | |
sipBandwidthModifier | XSIPBandwidthModifier | R | | TIAS and AS | o | y | y | |
enableUriOutdialSupport | bool | o | | | o | y | y | | 9.1
enableUriOutdialSupport | string | o | | | o | y | y | 10.0 |
userAgentServerHeaderInfo | XUserAgentServerHeaderInfo | R | | Send Unified CM Version Information as \
User-Agent Header | o | y | y | |
allowPresentationSharingUsingBfcp | bool | o | | | o | y | y | |
scriptParameters | string | o | | | o | y | y | |
isScriptTraceEnabled | bool | o | | false | o | y | y | |
sipNormalizationScript | fk | o | n | | o | y | y | |
allowiXApplicationMedia | bool | o | | | o | y | y | |
dialStringInterpretation | XURIDisambiguationPolicy | R | | Phone number consists of characters 0-9, *, #, \
and + (others treated as URI addresses) | o | y | y | |
acceptAudioCodecPreferences | XStatus | o | | Default | o | y | y | |
mlppUserAuthorization | bool | o | | false | o | y | y | |
isAssuredSipServiceEnabled | bool | o | | false | o | y | y | |
enableExternalQoS | bool | o | | false | o | y | - | 11.5 |
resourcePriorityNamespace | fk | o | n | | o | y | y | |
useCallerIdCallerNameinUriOutgoingRequest | bool | o | | | o | y | y | |
callerIdDn | string(50) | o | n | | o | y | y | | 12.0
callerName | string(50) | o | | | o | y | y | | 12.0
externalPresentationInfo | group | o | | | o | y | - | 12.5 |
externalPresentationInfo/isAnonymous | bool | R | | | R | y | - | 12.5 |
externalPresentationInfo/presentationInfo | group | R | | | R | y | - | 12.5 |
externalPresentationInfo/presentationInfo/externalPresentationNumber | string | o | n | | o | y | - | 12.5 |
externalPresentationInfo/presentationInfo/externalPresentationName | string(50) | o | n | | o | y | - | 12.5 |
callingLineIdentification | XCallingLineIdentification | R | | Default | o | y | y | |
rejectAnonymousIncomingCall | bool | o | | | o | y | y | |
callpickupUri | string(128) | o | | x-cisco-serviceuri-pickup | o | y | y | 10.0 |
rejectAnonymousOutgoingCall | bool | o | | | o | y | y | |
videoCallTrafficClass | XVideoCallTrafficClass | o | | Mixed | o | y | y | |
sdpTransparency | fk | o | n | | o | y | y | 10.0 |
allowMultipleCodecs | bool | o | | false | o | y | y | 10.0 |
sipSessionRefreshMethod | XSipSessionRefreshMethod | R | | Invite | o | y | y | 10.0 |
earlyOfferSuppVoiceCall | XEOSuppVoiceCall | R | | Disabled (Default value) | o | y | y | 10.5 |
cucmVersionInSipHeader | XCUCMVersionInSipHeader | R | | Major And Minor | o | y | y | 10.0 |
confidentialAccessLevelHeaders | XCALHeaders | R | | Disabled | o | y | y | 10.0 |
destRouteString | bool | o | | | o | y | y | 10.0 |
inactiveSDPRequired | bool | o | | false | o | y | y | |
allowRRAndRSBandwidthModifier | bool | o | | false | o | y | y | 12.0 |
connectCallBeforePlayingAnnouncement | bool | o | | | o | y | - | 11.5 |
"""
