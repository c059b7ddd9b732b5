# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of phones, lines, regions and date and time groups.

A row: element | type | add | nil | default | update | get | list | since | until; see `routing`. Left out: a phone's
current configuration at a login. The elements of vendorConfig, which each phone model has for itself, are kept as they
are. References to objects that the lab does not hold, such as button templates, are texts: any name is accepted.
"""

from __future__ import annotations

LINE = """
pattern | string | R | | | - | y | y | |
newPattern | string | - | | | o | - | - | |
description | string | o | | | o | y | y | |
usage | XPatternUsage | R | | | - | y | y | |
routePartitionName | fk | o | n | | - | y | y | |
newRoutePartitionName | fk | - | n | | o | - | - | |
aarNeighborhoodName | string | o | n | | o | y | y | |
aarDestinationMask | string(128) | o | n | | o | y | y | |
aarKeepCallHistory | bool | o | | | o | y | y | |
aarVoiceMailEnabled | bool | o | | | o | y | y | |
callForwardAll | group | o | | | o | y | - | |
callForwardAll/forwardToVoiceMail | bool | o | | | o | y | - | |
callForwardAll/callingSearchSpaceName | fk | R | n | | R | y | - | |
callForwardAll/secondaryCallingSearchSpaceName | fk | R | n | | R | y | - | |
callForwardAll/destination | string(50) | o | n | | o | y | - | |
callForwardBusy | group | o | | | o | y | - | |
callForwardBusy/forwardToVoiceMail | bool | o | | | o | y | - | |
callForwardBusy/callingSearchSpaceName | fk | R | n | | R | y | - | |
callForwardBusy/destination | string(50) | o | n | | o | y | - | |
callForwardBusyInt | group | o | | | o | y | - | |
callForwardBusyInt/forwardToVoiceMail | bool | o | | | o | y | - | |
callForwardBusyInt/callingSearchSpaceName | fk | R | n | | R | y | - | |
callForwardBusyInt/destination | string(50) | o | n | | o | y | - | |
callForwardNoAnswer | group | o | | | o | y | - | |
callForwardNoAnswer/forwardToVoiceMail | bool | o | | | o | y | - | |
callForwardNoAnswer/callingSearchSpaceName | fk | R | n | | R | y | - | |
callForwardNoAnswer/destination | string(50) | o | n | | o | y | - | |
callForwardNoAnswer/duration | int | o | n | | o | y | - | |
callForwardNoAnswerInt | group | o | | | o | y | - | |
callForwardNoAnswerInt/forwardToVoiceMail | bool | o | | | o | y | - | |
callForwardNoAnswerInt/callingSearchSpaceName | fk | R | n | | R | y | - | |
callForwardNoAnswerInt/destination | string(50) | o | n | | o | y | - | |
callForwardNoAnswerInt/duration | int | o | n | | o | y | - | |
callForwardNoCoverage | group | o | | | o | y | - | |
callForwardNoCoverage/forwardToVoiceMail | bool | o | | | o | y | - | |
callForwardNoCoverage/callingSearchSpaceName | fk | R | n | | R | y | - | |
callForwardNoCoverage/destination | string(50) | o | n | | o | y | - | |
callForwardNoCoverageInt | group | o | | | o | y | - | |
callForwardNoCoverageInt/forwardToVoiceMail | bool | o | | | o | y | - | |
callForwardNoCoverageInt/callingSearchSpaceName | fk | R | n | | R | y | - | |
callForwardNoCoverageInt/destination | string(50) | o | n | | o | y | - | |
callForwardOnFailure | group | o | | | o | y | - | |
callForwardOnFailure/forwardToVoiceMail | bool | o | | | o | y | - | |
callForwardOnFailure/callingSearchSpaceName | fk | R | n | | R | y | - | |
callForwardOnFailure/destination | string(50) | o | n | | o | y | - | |
callForwardAlternateParty | group | o | | | o | y | - | |
callForwardAlternateParty/forwardToVoiceMail | bool | - | | | - | y | - | |
callForwardAlternateParty/callingSearchSpaceName | fk | R | n | | R | y | - | |
callForwardAlternateParty/destination | string(50) | o | n | | o | y | - | |
callForwardAlternateParty/duration | int | o | | | o | y | - | |
callForwardNotRegistered | group | o | | | o | y | - | |
callForwardNotRegistered/forwardToVoiceMail | bool | o | | | o | y | - | |
callForwardNotRegistered/callingSearchSpaceName | fk | R | n | | R | y | - | |
callForwardNotRegistered/destination | string(50) | o | n | | o | y | - | |
callForwardNotRegisteredInt | group | o | | | o | y | - | |
callForwardNotRegisteredInt/forwardToVoiceMail | bool | o | | | o | y | - | |
callForwardNotRegisteredInt/callingSearchSpaceName | fk | R | n | | R | y | - | |
callForwardNotRegisteredInt/destination | string(50) | o | n | | o | y | - | |
callPickupGroupName | string | o | | | o | y | y | |
autoAnswer | XAutoAnswer | o | | Auto Answer Off | o | y | y | |
networkHoldMohAudioSourceId | XMOHAudioSourceId | o | n | | o | y | y | |
userHoldMohAudioSourceId | XMOHAudioSourceId | o | n | | o | y | y | |
callingIdPresentationWhenDiverted | XPresentationBit | o | | Default | o | y | y | 12.5 |
alertingName | string(50) | o | | | o | y | y | |
asciiAlertingName | string(32) | o | | | o | y | y | |
presenceGroupName | fk | o | | | o | y | y | |
shareLineAppearanceCssName | fk | o | n | | o | y | y | |
voiceMailProfileName | string | o | n | | o | y | y | |
patternPrecedence | XPatternPrecedence | o | | Default | o | y | y | |
releaseClause | XReleaseCauseValue | o | | No Error | o | y | y | |
hrDuration | int | o | n | | o | y | y | |
hrInterval | int | o | n | | o | y | y | |
cfaCssPolicy | XCFACSSActivationPolicy | o | | Use System Default | o | y | y | |
defaultActivatedDeviceName | string | o | n | | o | y | y | |
parkMonForwardNoRetrieveDn | string(50) | o | n | | o | y | y | |
parkMonForwardNoRetrieveIntDn | string(50) | o | n | | o | y | y | |
parkMonForwardNoRetrieveVmEnabled | bool | o | | | o | y | y | |
parkMonForwardNoRetrieveIntVmEnabled | bool | o | | | o | y | y | |
parkMonForwardNoRetrieveCssName | fk | o | n | | o | y | y | |
parkMonForwardNoRetrieveIntCssName | fk | o | n | | o | y | y | |
parkMonReversionTimer | int | o | n | | o | y | y | |
partyEntranceTone | XStatus | o | | Default | o | y | y | |
directoryURIs | group | o | | | o | y | - | |
directoryURIs/directoryUri | list | o | | | o | y | - | |
directoryURIs/directoryUri/isPrimary | bool | R | | | R | y | - | |
directoryURIs/directoryUri/uri | string(128) | R | | | R | y | - | | 9.1
directoryURIs/directoryUri/uri | string(128) | R | n | | R | y | - | 10.0 |
directoryURIs/directoryUri/partition | string | R | n | | R | y | - | |
directoryURIs/directoryUri/advertiseGloballyViaIls | bool | o | | true | o | y | - | 10.0 |
allowCtiControlFlag | bool | o | | true | o | y | y | |
rejectAnonymousCall | bool | o | | | o | y | y | |
patternUrgency | bool | o | | false | o | y | - | 10.0 |
confidentialAccess | group | o | | | o | y | y | 10.0 |
confidentialAccess/confidentialAccessMode | XCALMode | R | n | | R | y | y | 10.0 |
confidentialAccess/confidentialAccessLevel | int | R | n | | R | y | y | 10.0 |
externalCallControlProfile | string | o | n | | o | y | y | 10.0 |
enterpriseAltNum | group | o | | | o | y | y | 10.0 |
enterpriseAltNum/numMask | string | o | n | | o | y | y | 10.0 |
enterpriseAltNum/isUrgent | bool | o | | false | o | y | y | 10.0 |
enterpriseAltNum/addLocalRoutePartition | bool | o | | true | o | y | y | 10.0 |
enterpriseAltNum/routePartition | string | o | n | | o | y | y | 10.0 |
enterpriseAltNum/advertiseGloballyIls | bool | o | | true | o | y | y | 10.0 |
e164AltNum | group | o | | | o | y | y | 10.0 |
e164AltNum/numMask | string | o | n | | o | y | y | 10.0 |
e164AltNum/isUrgent | bool | o | | false | o | y | y | 10.0 |
e164AltNum/addLocalRoutePartition | bool | o | | true | o | y | y | 10.0 |
e164AltNum/routePartition | string | o | n | | o | y | y | 10.0 |
e164AltNum/advertiseGloballyIls | bool | o | | true | o | y | y | 10.0 |
pstnFailover | string | o | | | o | y | y | 10.0 |
callControlAgentProfile | string | o | | | o | y | - | 10.0 |
useEnterpriseAltNum | bool | o | | | o | y | - | 10.0 |
useE164AltNum | bool | o | | | o | y | - | 10.0 |
active | bool | o | | true | o | y | - | 10.0 |
externalPresentationInfo | group | o | | | o | y | - | 12.5 |
externalPresentationInfo/isAnonymous | bool | R | | | R | y | - | 12.5 |
externalPresentationInfo/presentationInfo | group | R | | | R | y | - | 12.5 |
externalPresentationInfo/presentationInfo/externalPresentationNumber | string | o | n | | o | y | - | 12.5 |
externalPresentationInfo/presentationInfo/externalPresentationName | string(50) | o | n | | o | y | - | 12.5 |
"""

PHONE = """
name | string(128) | R | | | - | y | y | |
newName | string(128) | - | | | o | - | - | |
description | string(128) | o | | | o | y | y | |
product | XProduct | R | | | - | y | y | |
model | XModel | - | | | - | y | y | |
class | XClass | R | | | - | y | y | |
protocol | XDeviceProtocol | R | | | - | y | y | |
protocolSide | XProtocolSide | R | | User | - | y | y | |
callingSearchSpaceName | fk | o | n | | o | y | y | |
devicePoolName | fk | R | n | | o | y | y | |
commonDeviceConfigName | string | o | n | | o | y | y | |
commonPhoneConfigName | string | R | | | o | y | y | |
networkLocation | XNetworkLocation | o | | Use System Default | o | y | y | |
locationName | fk | R | | | o | y | y | |
mediaResourceListName | string | o | n | | o | y | y | |
networkHoldMohAudioSourceId | XMOHAudioSourceId | o | n | | o | y | y | |
userHoldMohAudioSourceId | XMOHAudioSourceId | o | n | | o | y | y | |
automatedAlternateRoutingCssName | fk | o | n | | o | y | y | |
aarNeighborhoodName | string | o | n | | o | y | y | |
loadInformation | string | o | n | | o | y | y | |
vendorConfig | xml | o | | | o | y | - | |
versionStamp | string(128) | o | n | | o | y | - | |
traceFlag | bool | o | | | o | y | y | |
mlppDomainId | string(128) | o | n | | o | y | - | |
mlppIndicationStatus | XStatus | o | | Off | o | y | y | |
preemption | XPreemption | o | | Default | o | y | y | |
useTrustedRelayPoint | XStatus | R | | Default | o | y | y | |
retryVideoCallAsAudio | bool | o | | true | o | y | y | |
securityProfileName | string | o | n | | o | y | y | |
sipProfileName | fk | o | n | | o | y | y | |
cgpnTransformationCssName | fk | o | n | | o | y | y | |
useDevicePoolCgpnTransformCss | bool | o | | true | o | y | y | |
geoLocationName | string | o | n | | o | y | y | |
geoLocationFilterName | string | o | n | | o | y | y | |
sendGeoLocation | bool | o | | | o | y | y | |
removeLines | group | - | | | o | - | - | 10.0 |
addLines | group | - | | | o | - | - | 10.0 |
lines | group | o | | | o | y | - | |
lines/line | list | R | | | R | y | - | |
lines/line/index | int | R | | | R | y | - | |
lines/line/label | string(50) | o | | | o | y | - | |
lines/line/asciiLabel | string(50) | o | | | o | y | - | | 9.1
lines/line/display | string(50) | o | | | o | y | - | |
lines/line/dirn | group | R | | | R | y | - | |
lines/line/dirn/pattern | string | R | | | R | y | - | |
lines/line/dirn/routePartitionName | fk | R | n | | R | y | - | |
lines/line/ringSetting | XRingSetting | o | | Ring | o | y | - | |
lines/line/consecutiveRingSetting | XRingSetting | o | n | Use System Default | o | y | - | |
lines/line/ringSettingIdlePickupAlert | XRingSetting | o | n | | o | y | - | | 9.1
lines/line/ringSettingIdlePickupAlert | XRingSetting | o | n | Use System Default | o | y | - | 10.0 |
lines/line/ringSettingActivePickupAlert | XRingSetting | o | n | | o | y | - | | 9.1
lines/line/ringSettingActivePickupAlert | XRingSetting | o | n | Use System Default | o | y | - | 10.0 |
lines/line/displayAscii | string(50) | o | | | o | y | - | |
lines/line/e164Mask | string(255) | o | n | | o | y | - | |
lines/line/dialPlanWizardId | int | - | | | - | y | - | |
lines/line/mwlPolicy | XMWLPolicy | o | | Use System Policy | o | y | - | |
lines/line/maxNumCalls | int | o | | 2 | o | y | - | |
lines/line/busyTrigger | int | o | | 1 | o | y | - | |
lines/line/callInfoDisplay | group | o | | | o | y | - | |
lines/line/callInfoDisplay/callerName | bool | o | | true | o | y | - | |
lines/line/callInfoDisplay/callerNumber | bool | o | | false | o | y | - | |
lines/line/callInfoDisplay/redirectedNumber | bool | o | | false | o | y | - | |
lines/line/callInfoDisplay/dialedNumber | bool | o | | true | o | y | - | |
lines/line/recordingProfileName | string | o | n | | o | y | - | |
lines/line/monitoringCssName | fk | o | n | | o | y | - | |
lines/line/recordingFlag | XRecordingFlag | o | | Call Recording Disabled | o | y | - | |
lines/line/audibleMwi | XStatus | o | | Default | o | y | - | |
lines/line/speedDial | string | o | n | | o | y | - | |
lines/line/partitionUsage | XPartitionUsage | o | | General | o | y | - | |
lines/line/missedCallLogging | bool | o | | true | o | y | - | |
lines/line/recordingMediaSource | XPreferredMediaSource | R | | Gateway Preferred | R | y | - | 10.0 | 11.0
lines/line/recordingMediaSource | XPreferredMediaSource | o | | Gateway Preferred | o | y | - | 11.5 |
numberOfButtons | int | - | | | - | y | y | |
phoneTemplateName | string | R | n | | o | y | y | |
speeddials | group | o | | | o | y | - | |
speeddials/speeddial | rows | o | | | o | y | - | |
speeddials/speeddial/dirn | string(255) | R | | | R | y | - | |
speeddials/speeddial/label | string | R | | | R | y | - | |
speeddials/speeddial/asciiLabel | string | o | | | o | y | - | | 9.1
speeddials/speeddial/index | int | R | | | R | y | - | |
busyLampFields | group | o | | | o | y | - | |
busyLampFields/busyLampField | rows | o | | | o | y | - | |
busyLampFields/busyLampField/blfDest | string | R | | | R | y | - | |
busyLampFields/busyLampField/blfDirn | string(255) | R | | | R | y | - | | 10.5
busyLampFields/busyLampField/blfDirn | string(255) | o | | | o | y | - | 11.0 |
busyLampFields/busyLampField/routePartition | string | o | | | o | y | - | |
busyLampFields/busyLampField/label | string | o | | | o | y | - | |
busyLampFields/busyLampField/asciiLabel | string | o | | | o | y | - | | 9.1
busyLampFields/busyLampField/associatedBlfSdFeatures | group | o | | | o | y | - | |
busyLampFields/busyLampField/associatedBlfSdFeatures/feature | XBLFSDOption | o | | | o | y | - | |
busyLampFields/busyLampField/index | int | R | | | R | y | - | |
primaryPhoneName | string | R | n | | o | y | y | |
ringSettingIdleBlfAudibleAlert | XStatus | o | | Default | o | y | y | |
ringSettingBusyBlfAudibleAlert | XStatus | o | | Default | o | y | y | |
blfDirectedCallParks | group | o | | | o | y | - | |
blfDirectedCallParks/blfDirectedCallPark | rows | o | | | o | y | - | |
blfDirectedCallParks/blfDirectedCallPark/label | string(50) | o | | | o | y | - | |
blfDirectedCallParks/blfDirectedCallPark/directedCallParkId | string | R | | | R | y | - | |
blfDirectedCallParks/blfDirectedCallPark/directedCallParkDnAndPartition | group | R | | | R | y | - | |
blfDirectedCallParks/blfDirectedCallPark/directedCallParkDnAndPartition/dnPattern | string(255) | R | | | R | y | - | |
blfDirectedCallParks/blfDirectedCallPark/directedCallParkDnAndPartition/routePartitionName | fk | o | | | o | y | - | |
blfDirectedCallParks/blfDirectedCallPark/labelAscii | string(50) | o | | | o | y | - | | 9.1
blfDirectedCallParks/blfDirectedCallPark/index | int | R | | | R | y | - | |
addOnModules | group | o | | | o | y | - | |
addOnModules/addOnModule | list | o | | | o | y | - | |
addOnModules/addOnModule/loadInformation | string | R | n | | R | y | - | |
addOnModules/addOnModule/model | XModel | R | | 7914 14-Button Line Expansion Module | R | y | - | |
addOnModules/addOnModule/index | int | R | | | R | y | - | |
userLocale | XUserLocale | o | n | | o | y | y | |
networkLocale | XCountry | o | n | | o | y | y | |
idleTimeout | int | o | n | | o | y | y | |
authenticationUrl | string | o | | | o | y | y | |
directoryUrl | string | o | | | o | y | y | |
idleUrl | string | o | | | o | y | y | |
informationUrl | string | o | | | o | y | y | |
messagesUrl | string | o | | | o | y | y | |
proxyServerUrl | string | o | | | o | y | y | |
servicesUrl | string | o | | | o | y | y | |
softkeyTemplateName | string | o | n | | o | y | y | |
loginUserId | string(255) | - | | | - | y | y | |
defaultProfileName | string | o | n | | o | y | y | |
enableExtensionMobility | bool | o | | | o | y | y | |
currentProfileName | string | - | | | - | y | y | |
loginTime | int | - | | | - | y | y | |
loginDuration | int | - | | | - | y | y | |
singleButtonBarge | XBarge | o | | Default | o | y | y | |
joinAcrossLines | XStatus | o | | Default | o | y | y | |
builtInBridgeStatus | XStatus | R | | Default | o | y | y | |
callInfoPrivacyStatus | XStatus | o | | Default | o | y | y | |
hlogStatus | XStatus | o | | | o | y | y | |
ownerUserName | string | o | n | | o | y | y | |
ignorePresentationIndicators | bool | o | | false | o | y | y | |
packetCaptureMode | XPacketCaptureMode | R | | None | o | y | y | |
packetCaptureDuration | int | o | n | 0 | o | y | y | |
subscribeCallingSearchSpaceName | fk | o | n | | o | y | y | |
rerouteCallingSearchSpaceName | fk | o | n | | o | y | y | |
allowCtiControlFlag | bool | o | | | o | y | y | |
presenceGroupName | fk | o | | | o | y | y | |
unattendedPort | bool | o | | false | o | y | y | |
requireDtmfReception | bool | o | | false | o | y | y | |
rfc2833Disabled | bool | o | | false | o | y | y | |
certificateOperation | XCertificateOperation | R | | No Pending Operation | o | y | y | |
authenticationMode | XAuthenticationMode | o | | By Null String | o | y | y | |
keySize | XKeySize | o | | 1024 | o | y | y | | 12.0
keySize | XKeySize | o | | 2048 | o | y | y | 12.5 |
keyOrder | XKeyOrder | o | | RSA Only | o | y | y | 11.0 |
ecKeySize | XECKeySize | o | | 384 | o | y | y | 11.0 | 12.0
ecKeySize | XECKeySize | o | | | o | y | y | 12.5 |
authenticationString | string(128) | o | | | o | y | y | |
certificateStatus | XCertificateStatus | - | | | - | y | y | |
upgradeFinishTime | string | o | | | o | y | y | |
deviceMobilityMode | XStatus | R | | Default | o | y | y | |
roamingDevicePoolName | string | - | | | - | y | y | |
remoteDevice | bool | o | | false | o | y | y | |
dndOption | XDNDOption | o | | Ringer Off | o | y | y | |
dndRingSetting | XRingSetting | o | n | | o | y | y | |
dndStatus | bool | o | | | o | y | y | |
isActive | bool | o | | true | o | y | y | |
isDualMode | bool | o | | | - | y | y | |
mobilityUserIdName | string | o | n | | o | y | y | |
phoneSuite | XPhonePersonalization | o | | Default | o | y | y | |
phoneServiceDisplay | XPhoneServiceDisplay | o | | Default | o | y | y | |
isProtected | bool | o | | false | o | y | y | |
mobileSmartClientProfileName | string | R | n | | o | y | y | | 9.1
mtpRequired | bool | o | | | o | y | y | |
mtpPreferedCodec | XSIPCodec | o | | 711ulaw | o | y | y | |
dialRulesName | string | o | n | | o | y | y | |
sshUserId | string(50) | o | | | o | y | y | |
sshPwd | string(255) | o | | | o | y | - | |
digestUser | string(255) | o | | | o | y | y | |
outboundCallRollover | XOutboundCallRollover | o | | No Rollover | o | y | y | |
hotlineDevice | bool | o | | false | o | y | y | |
secureInformationUrl | string(255) | o | | | o | y | y | |
secureDirectoryUrl | string(255) | o | | | o | y | y | |
secureMessageUrl | string(255) | o | | | o | y | y | |
secureServicesUrl | string(255) | o | | | o | y | y | |
secureAuthenticationUrl | string(255) | o | | | o | y | y | |
secureIdleUrl | string(255) | o | | | o | y | y | |
alwaysUsePrimeLine | XStatus | o | | Default | o | y | y | |
alwaysUsePrimeLineForVoiceMessage | XStatus | o | | Default | o | y | y | |
featureControlPolicy | string | o | n | | o | y | y | |
deviceTrustMode | XDeviceTrustMode | o | | Not Trusted | o | y | y | |
earlyOfferSupportForVoiceCall | bool | o | | false | o | y | y | |
requireThirdPartyRegistration | bool | o | | | o | y | y | |
blockIncomingCallsWhenRoaming | bool | o | | | o | y | y | |
homeNetworkId | string | o | | | o | y | y | |
AllowPresentationSharingUsingBfcp | bool | o | | false | o | y | y | |
confidentialAccess | group | o | | | o | y | y | 10.0 |
confidentialAccess/confidentialAccessMode | XCALMode | R | n | | R | y | y | 10.0 |
confidentialAccess/confidentialAccessLevel | int | R | n | | R | y | y | 10.0 |
requireOffPremiseLocation | bool | o | | false | o | y | y | |
userlocale | XUserLocale | o | n | | o | y | y | | 9.1
allowiXApplicableMedia | bool | o | | false | o | y | y | 10.0 |
cgpnIngressDN | string | o | n | | o | y | - | 10.0 |
useDevicePoolCgpnIngressDN | bool | o | | true | o | y | - | 10.0 |
msisdn | string(128) | o | n | | o | y | - | 10.0 |
enableCallRoutingToRdWhenNoneIsActive | bool | o | | false | o | y | y | 10.0 |
wifiHotspotProfile | string | o | n | | o | y | - | 10.0 |
wirelessLanProfileGroup | string | o | n | | o | y | - | 10.0 |
elinGroup | string | o | n | | o | y | - | 11.0 |
enableActivationID | bool | o | | | o | y | y | 12.5 |
activationIDStatus | string(255) | - | | | - | y | - | 12.5 |
mraServiceDomain | string | o | n | | o | y | y | 12.5 |
allowMraMode | bool | o | | false | o | y | y | 12.5 |
"""

REGION = """
name | string(50) | R | | | - | y | y | |
newName | string(50) | - | | | o | - | - | |
relatedRegions | group | o | | | o | y | - | |
relatedRegions/relatedRegion | list | R | | | R | y | - | |
relatedRegions/relatedRegion/regionName | fk | R | | | R | y | - | |
relatedRegions/relatedRegion/bandwidth | XBandwidth | R | | | R | y | - | | 9.1
relatedRegions/relatedRegion/bandwidth | string | R | | G.711 | R | y | - | 10.0 |
relatedRegions/relatedRegion/videoBandwidth | int | R | | 384 | R | y | - | |
relatedRegions/relatedRegion/lossyNetwork | XLossyNetwork | o | | | o | y | - | |
relatedRegions/relatedRegion/codecPreference | string | o | n | | o | y | - | |
relatedRegions/relatedRegion/immersiveVideoBandwidth | int | R | | 2147483647 | R | y | - | 10.0 |
defaultCodec | XBandwidth | o | | | - | y | y | | 9.1
defaultCodec | string | o | | G.711 | - | y | y | 10.0 |
"""

DATE_TIME_GROUP = """
name | string | R | | | - | y | y | |
newName | string | - | | | o | - | - | |
timeZone | XTimeZone | R | | Europe/London | o | y | y | |
separator | string | R | | | o | y | - | |
dateformat | string | R | | | o | y | y | |
timeFormat | string | R | | | o | y | - | |
removePhoneNtpReferences | group | - | | | o | - | - | |
addPhoneNtpReferences | group | - | | | o | - | - | |
phoneNtpReferences | group | o | | | o | y | - | |
phoneNtpReferences/selectedPhoneNtpReference | list | R | | | R | y | - | |
phoneNtpReferences/selectedPhoneNtpReference/phoneNtpName | string | R | | | R | y | - | |
phoneNtpReferences/selectedPhoneNtpReference/selectionOrder | int | R | n | 0 | R | y | - | |
"""

# In 12.0 and later either address identifies it; the lab takes the IPv4 address alone.
PHONE_NTP = """
ipAddress | string | R | | | R | y | y | |
ipv6Address | string | R | | | R | y | y | 12.0 |
newIpAddress | string | - | | | o | - | - | |
newIpv6Address | string | - | | | o | - | - | 12.0 |
description | string | o | | | o | y | y | |
mode | XZzntpmode | R | | Directed Broadcast | o | y | y | |
"""
