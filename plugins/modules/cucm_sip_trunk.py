#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_sip_trunk
short_description: Manage SIP trunks of CUCM
version_added: 1.0.0
description:
  - Creates, changes, renames and removes SIP trunks, and resets them if a change requires it.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.application
  - siptls.cucm.object_module
  - siptls.cucm.object_module.reset
  - siptls.cucm.attributes
  - siptls.cucm.attributes.cucm
options:
  # Generated from the field table: begin
  name:
    description:
    - Name of the trunk, at most 50 of the characters a-z, A-Z, 0-9, full stop, underscore and hyphen.
    - AXL field C(name).
    type: str
  <<: &own
    new_name:
      description:
      - New name of the trunk. If O(name) no longer exists and this name does, the trunk counts as renamed.
      - AXL field C(newName).
      type: str
    description:
      description:
      - Free text.
      - AXL field C(description).
      type: str
    protocol_side:
      description:
      - Side of the protocol. A new trunk gets V(Network); it cannot be changed afterwards.
      - AXL field C(protocolSide).
      type: str
      choices:
      - Network
      - User
    calling_search_space:
      description:
      - Calling search space.
      - AXL field C(callingSearchSpaceName).
      type: str
    device_pool:
      description:
      - Name of the device pool, which decides which nodes run the trunk. A new trunk gets V(Default).
      - AXL field C(devicePoolName).
      type: str
    common_device_configuration:
      description:
      - Common device configuration.
      - AXL field C(commonDeviceConfigName).
      type: str
    network_location:
      description:
      - Network location.
      - AXL field C(networkLocation).
      type: str
      choices:
      - OnNet
      - OffNet
      - Use System Default
    location:
      description:
      - Name of the location. A new trunk gets V(Hub_None).
      - AXL field C(locationName).
      type: str
    media_resource_group_list:
      description:
      - Media resource group list.
      - AXL field C(mediaResourceListName).
      type: str
    network_hold_moh_audio_source:
      description:
      - Network hold moh audio source.
      - AXL field C(networkHoldMohAudioSourceId).
      type: str
    user_hold_moh_audio_source:
      description:
      - User hold moh audio source.
      - AXL field C(userHoldMohAudioSourceId).
      type: str
    aar_calling_search_space:
      description:
      - AAR calling search space.
      - AXL field C(automatedAlternateRoutingCssName).
      type: str
    aar_group:
      description:
      - AAR group.
      - AXL field C(aarNeighborhoodName).
      type: str
    packet_capture_mode:
      description:
      - Packet capture mode.
      - AXL field C(packetCaptureMode).
      type: str
      choices:
      - None
      - Batch Processing Mode
    packet_capture_duration:
      description:
      - Packet capture duration.
      - AXL field C(packetCaptureDuration).
      type: str
    load_information:
      description:
      - Load information.
      - AXL field C(loadInformation).
      type: str
    trace_flag:
      description:
      - Trace flag.
      - AXL field C(traceFlag).
      type: bool
    mlpp_domain_id:
      description:
      - Hexadecimal MLPP domain; V(-1) clears it.
      - AXL field C(mlppDomainId).
      type: str
    mlpp_indication_status:
      description:
      - MLPP indication status.
      - One of V(Off), V(On), V(Default).
      - AXL field C(mlppIndicationStatus).
      type: str
    preemption:
      description:
      - Preemption.
      - AXL field C(preemption).
      type: str
      choices:
      - Disabled
      - Forceful
      - Default
    use_trusted_relay_point:
      description:
      - Use trusted relay point.
      - One of V(Off), V(On), V(Default).
      - AXL field C(useTrustedRelayPoint).
      type: str
    retry_video_call_as_audio:
      description:
      - Retry video call as audio.
      - AXL field C(retryVideoCallAsAudio).
      type: bool
    security_profile:
      description:
      - Name of the SIP trunk security profile. Required to create a trunk.
      - AXL field C(securityProfileName).
      type: str
    sip_profile:
      description:
      - Name of the SIP profile. A new trunk gets V(Standard SIP Profile).
      - AXL field C(sipProfileName).
      type: str
    calling_party_transformation_css:
      description:
      - Calling party transformation CSS.
      - AXL field C(cgpnTransformationCssName).
      type: str
    use_device_pool_calling_party_transformation_css:
      description:
      - Use device pool calling party transformation CSS.
      - AXL field C(useDevicePoolCgpnTransformCss).
      type: bool
    geo_location:
      description:
      - Geo location.
      - AXL field C(geoLocationName).
      type: str
    geo_location_filter:
      description:
      - Geo location filter.
      - AXL field C(geoLocationFilterName).
      type: str
    send_geo_location:
      description:
      - Send geo location.
      - AXL field C(sendGeoLocation).
      type: bool
    called_party_transformation_css:
      description:
      - Called party transformation CSS.
      - AXL field C(cdpnTransformationCssName).
      type: str
    use_device_pool_called_party_transformation_css:
      description:
      - Use device pool called party transformation CSS.
      - AXL field C(useDevicePoolCdpnTransformCss).
      type: bool
    unattended_port:
      description:
      - Unattended port.
      - AXL field C(unattendedPort).
      type: bool
    transmit_utf8:
      description:
      - Transmit utf8.
      - AXL field C(transmitUtf8).
      type: bool
    subscribe_calling_search_space:
      description:
      - Subscribe calling search space.
      - AXL field C(subscribeCallingSearchSpaceName).
      type: str
    reroute_calling_search_space:
      description:
      - Reroute calling search space.
      - AXL field C(rerouteCallingSearchSpaceName).
      type: str
    refer_calling_search_space:
      description:
      - Refer calling search space.
      - AXL field C(referCallingSearchSpaceName).
      type: str
    mtp_required:
      description:
      - Insert a media termination point into every call.
      - AXL field C(mtpRequired).
      type: bool
    presence_group:
      description:
      - Name of the presence group. A new trunk gets V(Standard Presence group).
      - AXL field C(presenceGroupName).
      type: str
    unknown_calling_party_prefix:
      description:
      - Unknown calling party prefix.
      - AXL field C(unknownPrefix).
      type: str
    destination_address:
      description:
      - Has no effect since release 8.5; use O(destinations).
      - AXL field C(destinationAddress), releases up to 9.1.
      type: str
    destination_is_srv:
      description:
      - The address is looked up by DNS SRV. Excludes IP addresses.
      - AXL field C(destAddrIsSrv).
      type: bool
    destination_port:
      description:
      - Has no effect since release 8.5; use O(destinations).
      - AXL field C(destinationport), releases up to 9.1.
      type: int
    sip_codec:
      description:
      - SIP codec.
      - AXL field C(tkSipCodec).
      type: str
      choices:
      - 711ulaw
      - 711alaw
      - G729/G729a
      - G729b/G729ab
    significant_digits:
      description:
      - Number of digits of the called number to keep, from the right; 99 keeps all.
      - AXL field C(sigDigits).
      type: str
    connected_name_presentation:
      description:
      - Connected name presentation.
      - AXL field C(connectedNamePresentation).
      type: str
      choices:
      - Default
      - Allowed
      - Restricted
    connected_party_id_presentation:
      description:
      - Connected party id presentation.
      - AXL field C(connectedPartyIdPresentation).
      type: str
      choices:
      - Default
      - Allowed
      - Restricted
    calling_party_selection:
      description:
      - Calling party selection.
      - AXL field C(callingPartySelection).
      type: str
      choices:
      - Originator
      - First Redirect Number
      - Last Redirect Number
      - First Redirect Number (External)
      - Last Redirect Number (External)
    calling_name:
      description:
      - Calling name.
      - AXL field C(callingname).
      type: str
      choices:
      - Default
      - Allowed
      - Restricted
    calling_line_id_presentation:
      description:
      - Calling line id presentation.
      - AXL field C(callingLineIdPresentation).
      type: str
      choices:
      - Default
      - Allowed
      - Restricted
    prefix_dn:
      description:
      - Prefix dn.
      - AXL field C(prefixDn).
      type: str
    caller_name:
      description:
      - Caller name.
      - AXL field C(callerName), releases up to 12.0.
      type: str
    caller_id_dn:
      description:
      - Caller id dn.
      - AXL field C(callerIdDn), releases up to 12.0.
      type: str
    external_presentation:
      description:
      - The caller that the peer sees, either anonymous or a number and a name.
      - AXL field C(externalPresentationInfo), releases 12.5 and later.
      type: dict
      suboptions:
        anonymous:
          description:
          - Hide the caller.
          - AXL field C(isAnonymous), releases 12.5 and later.
          type: bool
        number:
          description:
          - Number to show.
          - AXL field C(externalPresentationNumber), releases 12.5 and later.
          type: str
        name:
          description:
          - Name of the trunk, at most 50 of the characters a-z, A-Z, 0-9, full stop, underscore and hyphen.
          - AXL field C(externalPresentationName), releases 12.5 and later.
          type: str
    accept_inbound_rdnis:
      description:
      - Accept inbound rdnis.
      - AXL field C(acceptInboundRdnis).
      type: bool
    accept_outbound_rdnis:
      description:
      - Accept outbound rdnis.
      - AXL field C(acceptOutboundRdnis).
      type: bool
    srtp_allowed:
      description:
      - Let calls use SRTP. The keys are sent in the signaling, so O(security_profile) has to use TLS.
      - AXL field C(srtpAllowed).
      type: bool
    srtp_fallback_allowed:
      description:
      - Let calls fall back to RTP when SRTP cannot be negotiated.
      - AXL field C(srtpFallbackAllowed).
      type: bool
    pai_enabled:
      description:
      - Pai enabled.
      - AXL field C(isPaiEnabled).
      type: bool
    sip_privacy:
      description:
      - SIP privacy.
      - AXL field C(sipPrivacy).
      type: str
      choices:
      - Default
      - None
      - ID
      - ID Critical
    rpid_enabled:
      description:
      - Rpid enabled.
      - AXL field C(isRpidEnabled).
      type: bool
    sip_asserted_type:
      description:
      - SIP asserted type.
      - AXL field C(sipAssertedType).
      type: str
      choices:
      - Default
      - PAI
      - PPI
    destination_address_ipv6:
      description:
      - Has no effect since release 8.5; use O(destinations).
      - AXL field C(destinationAddressIpv6), releases up to 9.1.
      type: str
    trust_received_identity:
      description:
      - Trust received identity.
      - AXL field C(trustReceivedIdentity), releases 12.0 and later.
      type: str
      choices:
      - Trust All (Default)
      - Trust PAI Only
      - Trust None
    dtmf_signaling_method:
      description:
      - DTMF signaling method.
      - AXL field C(dtmfSignalingMethod).
      type: str
      choices:
      - No Preference
      - Out of Band
      - RFC 2833
      - OOB and RFC 2833
    route_class_signalling:
      description:
      - Route class signalling.
      - One of V(Off), V(On), V(Default).
      - AXL field C(routeClassSignalling).
      type: str
    sip_trunk_type:
      description:
      - Service for which the trunk is used. It cannot be changed afterwards.
      - AXL field C(sipTrunkType).
      type: str
      choices:
      - None(Default)
      - Call Control Discovery
      - Extension Mobility Cross Cluster
      - Cisco Intercompany Media Engine
      - IP Multimedia Subsystem Service Control (ISC)
    pstn_access:
      description:
      - Pstn access.
      - AXL field C(pstnAccess).
      type: bool
    ime_e164_transformation:
      description:
      - Ime e164 transformation.
      - AXL field C(imeE164TransformationName).
      type: str
    use_ime_public_ip_port:
      description:
      - Use ime public ip port.
      - AXL field C(useImePublicIpPort).
      type: bool
    use_device_pool_connected_party_transformation_css:
      description:
      - Use device pool connected party transformation CSS.
      - AXL field C(useDevicePoolCntdPnTransformationCss).
      type: bool
    connected_party_transformation_css:
      description:
      - Connected party transformation CSS.
      - AXL field C(cntdPnTransformationCssName).
      type: str
    use_device_pool_unknown_calling_party_transformation_css:
      description:
      - Use device pool unknown calling party transformation CSS.
      - AXL field C(useDevicePoolCgpnTransformCssUnkn).
      type: bool
    redirecting_party_transformation_css:
      description:
      - Redirecting party transformation CSS.
      - AXL field C(rdnTransformationCssName), releases 11.0 and later.
      type: str
    use_device_pool_redirecting_party_transformation_css:
      description:
      - Use device pool redirecting party transformation CSS.
      - AXL field C(useDevicePoolRdnTransformCss), releases 11.0 and later.
      type: bool
    use_original_calling_party_presentation_on_divert:
      description:
      - Use original calling party presentation on divert.
      - AXL field C(useOrigCallingPartyPresOnDivert), releases 12.5 and later.
      type: bool
    normalization_script:
      description:
      - Normalization script.
      - AXL field C(sipNormalizationScriptName).
      type: str
    run_on_every_node:
      description:
      - Run the trunk on every node that runs Cisco CallManager, not only on those of the CallManager group
        of its device pool.
      - AXL field C(runOnEveryNode).
      type: bool
    remove_destinations:
      description:
      - Destinations to remove. Excludes O(destinations).
      - AXL field C(removeDestinations).
      type: list
      elements: dict
      suboptions:
        address:
          description:
          - IPv4 address or name of the peer; an IPv6 address is moved to O(destinations[].address_ipv6).
          - AXL field C(addressIpv4).
          type: str
        address_ipv6:
          description:
          - IPv6 address of the peer.
          - AXL field C(addressIpv6).
          type: str
        port:
          description:
          - TCP or UDP port of the peer; CUCM uses 5060 by default. TLS usually uses 5061.
          - AXL field C(port).
          type: int
        order:
          description:
          - Position of the destination, from 1. The default is its position in the list.
          - AXL field C(sortOrder).
          type: int
    add_destinations:
      description:
      - Destinations to add if they are missing. Excludes O(destinations).
      - AXL field C(addDestinations).
      type: list
      elements: dict
      suboptions:
        address:
          description:
          - IPv4 address or name of the peer; an IPv6 address is moved to O(destinations[].address_ipv6).
          - AXL field C(addressIpv4).
          type: str
        address_ipv6:
          description:
          - IPv6 address of the peer.
          - AXL field C(addressIpv6).
          type: str
        port:
          description:
          - TCP or UDP port of the peer; CUCM uses 5060 by default. TLS usually uses 5061.
          - AXL field C(port).
          type: int
        order:
          description:
          - Position of the destination, from 1. The default is its position in the list.
          - AXL field C(sortOrder).
          type: int
    destinations:
      description:
      - The addresses to which the trunk sends calls, at most 16. The list replaces the one on CUCM.
      - AXL field C(destinations).
      type: list
      elements: dict
      suboptions:
        address:
          description:
          - IPv4 address or name of the peer; an IPv6 address is moved to O(destinations[].address_ipv6).
          - AXL field C(addressIpv4).
          type: str
        address_ipv6:
          description:
          - IPv6 address of the peer.
          - AXL field C(addressIpv6).
          type: str
        port:
          description:
          - TCP or UDP port of the peer; CUCM uses 5060 by default. TLS usually uses 5061.
          - AXL field C(port).
          type: int
        order:
          description:
          - Position of the destination, from 1. The default is its position in the list.
          - AXL field C(sortOrder).
          type: int
    unknown_calling_party_strip_digits:
      description:
      - Unknown calling party strip digits.
      - AXL field C(unknownStripDigits).
      type: str
    unknown_calling_party_transformation_css:
      description:
      - Unknown calling party transformation CSS.
      - AXL field C(cgpnTransformationUnknownCssName).
      type: str
    tunneled_protocol:
      description:
      - Tunneled protocol.
      - AXL field C(tunneledProtocol).
      type: str
      choices:
      - None
      - QSIG
    asn1_rose_oid_encoding:
      description:
      - Asn1 rose oid encoding.
      - AXL field C(asn1RoseOidEncoding).
      type: str
      choices:
      - No Changes
      - Use Local Value
      - Use Global Value ISO
      - Use Global Value ECMA
    qsig_variant:
      description:
      - QSIG variant.
      - AXL field C(qsigVariant).
      type: str
      choices:
      - No Changes
      - ECMA
      - ISO
    path_replacement_support:
      description:
      - Path replacement support.
      - AXL field C(pathReplacementSupport).
      type: bool
    enable_qsig_utf8:
      description:
      - Enable QSIG utf8.
      - AXL field C(enableQsigUtf8).
      type: bool
    normalization_script_parameters:
      description:
      - Normalization script parameters.
      - AXL field C(scriptParameters).
      type: str
    script_trace_enabled:
      description:
      - Script trace enabled.
      - AXL field C(scriptTraceEnabled).
      type: bool
    trunk_traffic_secure:
      description:
      - When a call over the trunk counts as secure.
      - AXL field C(trunkTrafficSecure).
      type: str
      choices:
      - When using both sRTP and TLS
      - When using sRTP Only
    calling_and_called_party_info_format:
      description:
      - Whether numbers, URIs or both identify the parties.
      - AXL field C(callingAndCalledPartyInfoFormat).
      type: str
      choices:
      - Deliver DN only in connected party
      - Deliver URI only in connected party, if available
      - Deliver URI and DN in connected party, if available
    use_caller_id_in_uri_of_outgoing_request:
      description:
      - Use caller id in URI of outgoing request.
      - AXL field C(useCallerIdCallerNameinUriOutgoingRequest).
      type: bool
    service:
      description:
      - Service.
      - AXL field C(service), releases 12.0 and later.
      type: str
    parameter_label:
      description:
      - Parameter label.
      - AXL field C(parameterLabel), releases 12.0 and later.
      type: str
    originating_parameter_value:
      description:
      - Originating parameter value.
      - AXL field C(originatingParameterValue), releases 12.0 and later.
      type: str
    terminating_parameter_value:
      description:
      - Terminating parameter value.
      - AXL field C(terminatingParameterValue), releases 12.0 and later.
      type: str
    outbound_uri_routing_instructions:
      description:
      - Outbound URI routing instructions.
      - AXL field C(outboundUriRoutingInstructions), releases 12.0 and later.
      type: str
    request_uri_domain_name:
      description:
      - Request URI domain name.
      - AXL field C(requestUriDomainName).
      type: str
    enable_cisco_recording_qsig_tunneling:
      description:
      - Enable cisco recording QSIG tunneling.
      - AXL field C(enableCiscoRecordingQsigTunneling), releases 10.0 and later.
      type: bool
    recording_information:
      description:
      - 0, 1 or 2.
      - AXL field C(recordingInformation), releases 10.0 and later.
      type: str
    unknown_called_party_transformation_css:
      description:
      - Unknown called party transformation CSS.
      - AXL field C(calledPartyUnknownTransformationCssName), releases 10.0 and later.
      type: str
    unknown_called_party_prefix:
      description:
      - Unknown called party prefix.
      - AXL field C(calledPartyUnknownPrefix), releases 10.0 and later.
      type: str
    unknown_called_party_strip_digits:
      description:
      - Unknown called party strip digits.
      - AXL field C(calledPartyUnknownStripDigits), releases 10.0 and later.
      type: str
    use_device_pool_unknown_called_party_transformation_css:
      description:
      - Use device pool unknown called party transformation CSS.
      - AXL field C(useDevicePoolCalledCssUnkn), releases 10.0 and later.
      type: bool
    confidential_access:
      description:
      - Confidential access mode and level, both together.
      - AXL field C(confidentialAccess), releases 10.0 and later.
      type: dict
      suboptions:
        mode:
          description:
          - Mode.
          - AXL field C(confidentialAccessMode), releases 10.0 and later.
          type: str
          choices:
          - Fixed
          - Variable
        level:
          description:
          - Level.
          - AXL field C(confidentialAccessLevel), releases 10.0 and later.
          type: str
  aggregate:
    description:
    - Many objects in one task. Each entry takes the options of a single SIP trunk; the task's own options are
      the defaults of the entries.
    - Excludes O(name). Objects are read in parallel and written in order.
    type: list
    elements: dict
    suboptions:
      <<: *own
      name:
        description:
        - Name of the trunk, at most 50 of the characters a-z, A-Z, 0-9, full stop, underscore and hyphen.
        - AXL field C(name).
        type: str
        required: true
      state:
        description:
        - As O(state), for this entry.
        type: str
        choices:
        - present
        - absent
  purge:
    description:
    - Remove every SIP trunk that matches these prefixes and that O(aggregate) does not name.
    - An object has to match all given prefixes; at least one prefix must not be empty.
    type: dict
    suboptions:
      prefix:
        description:
        - Beginning of the name.
        type: str
  # Generated from the field table: end
seealso:
  - module: siptls.cucm.cucm_sip_trunk_profile
  - module: siptls.cucm.cucm_sip_profile
  - module: siptls.cucm.cucm_route_pattern
"""

EXAMPLES = r"""
- name: A trunk over mutual TLS with SRTP
  siptls.cucm.cucm_sip_trunk:
    host: cucma.example.com
    username: axladmin
    password: "{{ cucm_password }}"
    name: TLS-TO-CUCM10
    security_profile: SIP TLS to CUCM10
    srtp_allowed: true
    run_on_every_node: true
    destinations:
      - address: cucm10.example.com
        port: 5061

- name: Of the trunks whose names begin with TLS-, keep only these
  siptls.cucm.cucm_sip_trunk:
    host: cucma.example.com
    username: axladmin
    password: "{{ cucm_password }}"
    aggregate:
      - name: TLS-TO-CUCM10
        destinations: [{address: cucm10.example.com, port: 5061}]
    purge:
      prefix: TLS-
"""

RETURN = r"""
name:
  description: The name of the object, or the pattern.
  returned: success, without O(aggregate)
  type: str
  sample: "New-Trunk"
state:
  description: V(present) or V(absent), as in the task.
  returned: success, without O(aggregate)
  type: str
  sample: "present"
object:
  description:
    - The object as it is now, or in check mode would be, by the names of the options.
    - Empty if the object is absent.
  returned: success, without O(aggregate)
  type: dict
  sample: {"name": "New-Trunk", "product": "SIP Trunk", "model": "SIP Trunk"}
previous:
  description: The object as it was before; empty if there was none.
  returned: success, without O(aggregate)
  type: dict
  sample: {}
uuid:
  description: The UUID of the object, as AXL writes it.
  returned: success, without O(aggregate)
  type: str
  sample: "{0B1C2D3E-4F50-6172-8394-A5B6C7D8E9F0}"
objects:
  description:
    - With O(aggregate), one entry per object, with C(name), C(changed), C(object), C(uuid).
    - Changed entries also have C(previous); both are complete. In the others, C(object) has only the options of the
      task.
  returned: success, with O(aggregate)
  type: list
  elements: dict
  sample: [{"name": "SIP-TLS-cucm10", "changed": true}]
actions:
  description: What was done, or in check mode would be done, one sentence each.
  returned: success
  type: list
  elements: str
  sample: ["added SIP trunk New-Trunk"]
reset:
  description: The SIP trunks that were reset, or in check mode would be reset.
  returned: success
  type: list
  elements: str
  sample: []
assumes:
  description: In check mode, the missing objects that count as created by an earlier task.
  returned: success
  type: list
  elements: str
  sample: []
axl_version:
  description: The AXL version used.
  returned: success
  type: str
  sample: "10.5"
"""

from ansible_collections.siptls.cucm.plugins.module_utils._axl.service import face
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk import SIP_TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._module import run_module

FACE = face(SIP_TRUNK)

if __name__ == "__main__":
    run_module(FACE)
