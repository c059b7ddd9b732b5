# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of SIP trunks and of SIP trunk security profiles.

A row: element | type | add | nil | default | update | get | list | since | until. Rows stand in the order of
requests and answers. add, update: R required, o optional, - absent. get, list: y present. since, until: AXL
versions, empty for "always". A slash goes into a group; `list` is its repeated child.
"""

from __future__ import annotations

SECURITY_PROFILE = """
newName | string(64) | - | | | o | - | - | | 11.0
newName | string(75) | - | | | o | - | - | 11.5 |
name | string(64) | R | | | - | y | y | | 11.0
name | string(75) | R | | | - | y | y | 11.5 |
description | string(100) | o | n | | o | y | y | |
securityMode | XDeviceSecurityMode | o | n | | o | y | y | |
incomingTransport | XTransport | o | | TCP+UDP | o | y | y | |
outgoingTransport | XTransport | o | n | | o | y | y | |
digestAuthentication | bool | o | | false | o | y | y | |
noncePolicyTime | int | o | | 600 | o | y | y | |
x509SubjectName | string(4096) | o | | | o | y | y | |
incomingPort | int | o | | 5060 | o | y | y | |
applLevelAuthentication | bool | o | | false | o | y | y | |
acceptPresenceSubscription | bool | o | | false | o | y | y | |
acceptOutOfDialogRefer | bool | o | | false | o | y | y | |
acceptUnsolicitedNotification | bool | o | | false | o | y | y | |
allowReplaceHeader | bool | o | | false | o | y | y | |
transmitSecurityStatus | bool | o | | false | o | y | y | |
sipV150OutboundSdpOfferFiltering | XV150SDPFilter | R | | Use Default Filter | o | y | y | |
allowChargingHeader | bool | o | | false | o | y | y | 10.0 |
"""

TRUNK = """
newName | string(128) | - | | | o | - | - | |
name | string(128) | R | | | - | y | y | |
description | string(128) | o | | | o | y | y | |
product | XProduct | R | | | - | y | y | |
model | XModel | - | | | - | y | y | |
class | XClass | R | | | - | y | y | |
protocol | XDeviceProtocol | R | | | - | y | y | |
protocolSide | XProtocolSide | R | | User | - | y | y | |
callingSearchSpaceName | fk | o | n | | o | y | y | |
devicePoolName | fk | R | n | | o | y | y | |
commonDeviceConfigName | fk | o | n | | o | y | y | |
networkLocation | XNetworkLocation | o | | Use System Default | o | y | y | |
locationName | fk | R | | | o | y | y | |
mediaResourceListName | fk | o | n | | o | y | y | |
networkHoldMohAudioSourceId | XMOHAudioSourceId | o | n | | o | y | y | |
userHoldMohAudioSourceId | XMOHAudioSourceId | o | n | | o | y | y | |
automatedAlternateRoutingCssName | fk | o | n | | o | y | y | |
aarNeighborhoodName | fk | o | n | | o | y | y | |
packetCaptureMode | XPacketCaptureMode | o | | None | o | y | y | |
packetCaptureDuration | int | o | n | 0 | o | y | y | |
loadInformation | load | o | n | | - | y | y | |
versionStamp | string(128) | - | | | - | y | - | |
traceFlag | bool | o | | | - | y | y | |
mlppDomainId | string(128) | o | n | | o | y | - | |
mlppIndicationStatus | XStatus | o | | Off | o | y | y | |
preemption | XPreemption | o | | Default | o | y | y | |
useTrustedRelayPoint | XStatus | o | | Default | o | y | y | |
retryVideoCallAsAudio | bool | o | | true | o | y | y | |
securityProfileName | fk | R | n | | o | y | y | |
sipProfileName | fk | R | n | | o | y | y | |
cgpnTransformationCssName | fk | o | n | | o | y | y | |
useDevicePoolCgpnTransformCss | bool | o | | true | o | y | y | |
geoLocationName | fk | o | n | | o | y | y | |
geoLocationFilterName | fk | o | n | | o | y | y | |
sendGeoLocation | bool | o | | | o | y | y | |
cdpnTransformationCssName | fk | o | n | | o | y | y | |
useDevicePoolCdpnTransformCss | bool | o | | true | o | y | y | |
unattendedPort | bool | o | | false | o | y | y | |
transmitUtf8 | bool | o | | false | o | y | y | |
subscribeCallingSearchSpaceName | fk | o | n | | o | y | y | |
rerouteCallingSearchSpaceName | fk | o | n | | o | y | y | |
referCallingSearchSpaceName | fk | o | n | | o | y | y | |
mtpRequired | bool | o | | | o | y | y | |
presenceGroupName | fk | R | | | o | y | y | |
unknownPrefix | string(16) | o | | | o | y | y | |
destinationAddress | string(50) | o | | | o | y | y | | 9.1
destAddrIsSrv | bool | o | | | o | y | y | |
destinationport | int | o | | | o | y | y | | 9.1
tkSipCodec | XSIPCodec | o | | 711ulaw | o | y | y | |
sigDigits | digits | o | n | 99 | o | y | y | |
connectedNamePresentation | XPresentationBit | o | | Default | o | y | y | |
connectedPartyIdPresentation | XPresentationBit | o | | Default | o | y | y | |
callingPartySelection | XCallingPartySelection | o | | Originator | o | y | y | |
callingname | XPresentationBit | o | | Default | o | y | y | |
callingLineIdPresentation | XPresentationBit | o | | Default | o | y | y | |
prefixDn | string(50) | o | n | | o | y | y | |
callerName | string(50) | o | | | o | y | y | | 12.0
callerIdDn | string(50) | o | n | | o | y | y | | 12.0
externalPresentationInfo | group | o | | | o | y | - | 12.5 |
externalPresentationInfo/isAnonymous | bool | R | | | R | y | - | 12.5 |
externalPresentationInfo/presentationInfo | group | R | | | R | y | - | 12.5 |
externalPresentationInfo/presentationInfo/externalPresentationNumber | string | o | n | | o | y | - | 12.5 |
externalPresentationInfo/presentationInfo/externalPresentationName | string(50) | o | n | | o | y | - | 12.5 |
acceptInboundRdnis | bool | o | | | o | y | y | |
acceptOutboundRdnis | bool | o | | | o | y | y | |
srtpAllowed | bool | o | | false | o | y | y | |
srtpFallbackAllowed | bool | o | | false | o | y | y | |
isPaiEnabled | bool | o | | true | o | y | y | |
sipPrivacy | XSipPrivacy | o | | Default | o | y | y | |
isRpidEnabled | bool | o | | true | o | y | y | |
sipAssertedType | XSipAssertedType | o | | Default | o | y | y | |
destinationAddressIpv6 | string | o | | | o | y | y | | 9.1
trustReceivedIdentity | XTrustReceivedIdentity | o | n | Trust All (Default) | o | y | y | 12.0 |
dtmfSignalingMethod | XDTMFSignaling | o | | No Preference | o | y | y | |
routeClassSignalling | XStatus | o | | Default | o | y | y | |
sipTrunkType | XTrunkService | o | | None(Default) | o | y | y | |
pstnAccess | bool | o | | true | o | y | y | |
imeE164TransformationName | fk | o | n | | o | y | y | |
useImePublicIpPort | bool | o | | false | o | y | y | |
useDevicePoolCntdPnTransformationCss | bool | o | | true | o | y | y | |
cntdPnTransformationCssName | fk | o | n | | o | y | - | |
useDevicePoolCgpnTransformCssUnkn | bool | o | | true | o | y | y | |
rdnTransformationCssName | fk | o | n | | o | y | y | 11.0 |
useDevicePoolRdnTransformCss | bool | o | | true | o | y | y | 11.0 |
useOrigCallingPartyPresOnDivert | bool | o | | false | o | y | y | 12.5 |
sipNormalizationScriptName | fk | o | n | | o | y | y | |
runOnEveryNode | bool | o | | false | o | y | y | |
removeDestinations | group | - | | | o | - | - | |
addDestinations | group | - | | | o | - | - | |
destinations | group | o | | | o | y | - | |
destinations/destination | list | o | | | o | y | - | |
destinations/destination/addressIpv4 | string(255) | o | | | o | y | - | |
destinations/destination/addressIpv6 | string(255) | o | | | o | y | - | |
destinations/destination/port | int | o | | 5060 | o | y | - | |
destinations/destination/sortOrder | int | R | | | R | y | - | |
unknownStripDigits | uint | o | n | | o | y | y | | 10.5
unknownStripDigits | int | o | n | | o | y | y | 11.0 |
cgpnTransformationUnknownCssName | fk | o | n | | o | y | y | |
tunneledProtocol | XTunneledProtocol | o | | None | o | y | y | |
asn1RoseOidEncoding | XASN1RoseOidEncoding | o | | No Changes | o | y | y | |
qsigVariant | XQSIGVariant | o | | No Changes | o | y | y | |
pathReplacementSupport | bool | o | | false | o | y | y | |
enableQsigUtf8 | bool | o | | false | o | y | y | |
scriptParameters | string | o | | | o | y | y | |
scriptTraceEnabled | bool | o | | false | o | y | y | |
trunkTrafficSecure | XSIPTrunkCallLegSecurity | o | | When using both sRTP and TLS | o | y | y | |
callingAndCalledPartyInfoFormat | XSIPIdentityBlend | R | | Deliver DN only in connected party | o | y | y | |
useCallerIdCallerNameinUriOutgoingRequest | bool | o | | | o | y | y | |
service | string | o | | | o | y | - | 12.0 |
parameterLabel | string | o | | | o | y | - | 12.0 |
originatingParameterValue | string | o | | | o | y | - | 12.0 |
terminatingParameterValue | string | o | | | o | y | - | 12.0 |
outboundUriRoutingInstructions | string | o | | | o | y | - | 12.0 |
requestUriDomainName | string | o | | | o | y | y | |
enableCiscoRecordingQsigTunneling | bool | o | | false | o | y | y | 10.0 |
recordingInformation | string | o | | 0 | o | y | - | 10.0 |
calledPartyUnknownTransformationCssName | fk | o | n | | o | y | y | 10.0 |
calledPartyUnknownPrefix | string(16) | o | | | o | y | y | 10.0 |
calledPartyUnknownStripDigits | int | o | n | | o | y | y | 10.0 |
useDevicePoolCalledCssUnkn | bool | o | | true | o | y | y | 10.0 |
confidentialAccess | group | o | | | o | y | y | 10.0 |
confidentialAccess/confidentialAccessMode | XCALMode | R | n | | R | y | y | 10.0 |
confidentialAccess/confidentialAccessLevel | int | R | n | | R | y | y | 10.0 |
"""
