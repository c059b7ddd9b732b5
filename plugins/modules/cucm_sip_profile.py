#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_sip_profile
short_description: Manage SIP profiles of CUCM
version_added: 1.0.0
description:
  - Creates, changes, renames and removes SIP profiles, for example to monitor trunks with SIP OPTIONS.
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
    - Name of the SIP profile.
    - AXL field C(name).
    type: str
  <<: &own
    new_name:
      description:
      - New name of the SIP profile. If O(name) no longer exists and this name does, the profile counts as renamed.
      - AXL field C(newName).
      type: str
    description:
      description:
      - Free text.
      - AXL field C(description).
      type: str
    telephony_event_payload_type:
      description:
      - Telephony event payload type.
      - AXL field C(defaultTelephonyEventPayloadType).
      type: int
    redirect_by_application:
      description:
      - Redirect by application.
      - AXL field C(redirectByApplication).
      type: bool
    ringing_180:
      description:
      - Ringing 180.
      - AXL field C(ringing180).
      type: bool
    timer_invite:
      description:
      - Timer invite.
      - AXL field C(timerInvite).
      type: int
    timer_register_delta:
      description:
      - Timer register delta.
      - AXL field C(timerRegisterDelta).
      type: int
    timer_register:
      description:
      - Timer register.
      - AXL field C(timerRegister).
      type: int
    timer_t1:
      description:
      - Timer t1.
      - AXL field C(timerT1).
      type: int
    timer_t2:
      description:
      - Timer t2.
      - AXL field C(timerT2).
      type: int
    retry_invite:
      description:
      - Retry invite.
      - AXL field C(retryInvite).
      type: int
    retry_not_invite:
      description:
      - Retry not invite.
      - AXL field C(retryNotInvite).
      type: int
    start_media_port:
      description:
      - Start media port.
      - AXL field C(startMediaPort).
      type: int
    stop_media_port:
      description:
      - Stop media port.
      - AXL field C(stopMediaPort).
      type: int
    call_pickup_uri:
      description:
      - Call pickup URI.
      - AXL field C(callpickupUri).
      type: str
    start_video_port:
      description:
      - Start video port.
      - AXL field C(startVideoPort), releases 11.0 and later.
      type: int
    stop_video_port:
      description:
      - Stop video port.
      - AXL field C(stopVideoPort), releases 11.0 and later.
      type: int
    dscp_for_audio_calls:
      description:
      - Dscp for audio calls.
      - AXL field C(dscpForAudioCalls), releases 11.0 and later.
      type: str
    dscp_for_video_calls:
      description:
      - Dscp for video calls.
      - AXL field C(dscpForVideoCalls), releases 11.0 and later.
      type: str
    dscp_for_audio_portion_of_video_calls:
      description:
      - Dscp for audio portion of video calls.
      - AXL field C(dscpForAudioPortionOfVideoCalls), releases 11.0 and later.
      type: str
    dscp_for_telepresence_calls:
      description:
      - Dscp for telepresence calls.
      - AXL field C(dscpForTelePresenceCalls), releases 11.0 and later.
      type: str
    dscp_for_audio_portion_of_telepresence_calls:
      description:
      - Dscp for audio portion of telepresence calls.
      - AXL field C(dscpForAudioPortionOfTelePresenceCalls), releases 11.0 and later.
      type: str
    call_pickup_list_uri:
      description:
      - Call pickup list URI.
      - AXL field C(callpickupListUri).
      type: str
    call_pickup_group_uri:
      description:
      - Call pickup group URI.
      - AXL field C(callpickupGroupUri).
      type: str
    meet_me_service_url:
      description:
      - Meet me service url.
      - AXL field C(meetmeServiceUrl).
      type: str
    user_info:
      description:
      - User info.
      - AXL field C(userInfo).
      type: str
      choices:
      - None
      - Phone
      - IP
    dtmf_db_level:
      description:
      - DTMF db level.
      - AXL field C(dtmfDbLevel).
      type: str
      choices:
      - 6 dB below nominal
      - 3 dB below nominal
      - Nominal
      - 3 dB above nominal
      - 6 dB above nominal
    call_hold_ringback:
      description:
      - Call hold ringback.
      - One of V(Off), V(On).
      - AXL field C(callHoldRingback).
      type: str
    anonymous_call_block:
      description:
      - Anonymous call block.
      - One of V(Off), V(On).
      - AXL field C(anonymousCallBlock).
      type: str
    caller_id_block:
      description:
      - Caller id block.
      - One of V(Off), V(On).
      - AXL field C(callerIdBlock).
      type: str
    dnd_control:
      description:
      - Dnd control.
      - AXL field C(dndControl).
      type: str
      choices:
      - User
      - Admin
    telnet_level:
      description:
      - Telnet level.
      - AXL field C(telnetLevel).
      type: str
      choices:
      - Disabled
      - Limited
      - Enabled
    timer_keep_alive:
      description:
      - Timer keep alive.
      - AXL field C(timerKeepAlive).
      type: int
    timer_subscribe:
      description:
      - Timer subscribe.
      - AXL field C(timerSubscribe).
      type: int
    timer_subscribe_delta:
      description:
      - Timer subscribe delta.
      - AXL field C(timerSubscribeDelta).
      type: int
    max_redirects:
      description:
      - Max redirects.
      - AXL field C(maxRedirects).
      type: int
    timer_off_hook_to_first_digit:
      description:
      - Timer off hook to first digit.
      - AXL field C(timerOffHookToFirstDigit).
      type: int
    call_forward_uri:
      description:
      - Call forward URI.
      - AXL field C(callForwardUri).
      type: str
    abbreviated_dial_uri:
      description:
      - Abbreviated dial URI.
      - AXL field C(abbreviatedDialUri).
      type: str
    conf_joint_enable:
      description:
      - Conf joint enable.
      - AXL field C(confJointEnable).
      type: bool
    rfc2543_hold:
      description:
      - Rfc2543 hold.
      - AXL field C(rfc2543Hold).
      type: bool
    semi_attended_transfer:
      description:
      - Semi attended transfer.
      - AXL field C(semiAttendedTransfer).
      type: bool
    enable_vad:
      description:
      - Enable vad.
      - AXL field C(enableVad).
      type: bool
    stutter_msg_waiting:
      description:
      - Stutter msg waiting.
      - AXL field C(stutterMsgWaiting).
      type: bool
    call_stats:
      description:
      - Call stats.
      - AXL field C(callStats).
      type: bool
    t38_invite:
      description:
      - T38 invite.
      - AXL field C(t38Invite).
      type: bool
    fax_invite:
      description:
      - Fax invite.
      - AXL field C(faxInvite), releases 11.5 and later.
      type: bool
    reroute_incoming_request:
      description:
      - Reroute incoming request.
      - AXL field C(rerouteIncomingRequest).
      type: str
      choices:
      - Never
      - Contact Header
      - Call-Info Header with purpose=x-cisco-origIP
    resource_priority_namespace_list:
      description:
      - Resource priority namespace list.
      - AXL field C(resourcePriorityNamespaceListName).
      type: str
    enable_anat_for_early_offer_calls:
      description:
      - Enable anat for early offer calls.
      - AXL field C(enableAnatForEarlyOfferCalls).
      type: bool
    rsvp_over_sip:
      description:
      - Rsvp over SIP.
      - AXL field C(rsvpOverSip).
      type: str
      choices:
      - Local RSVP
      - E2E
    fallback_to_local_rsvp:
      description:
      - Fallback to local rsvp.
      - AXL field C(fallbackToLocalRsvp).
      type: bool
    sip_rel1xx_options:
      description:
      - SIP rel1xx options.
      - AXL field C(sipRe11XxEnabled).
      type: str
      choices:
      - Disabled
      - Send PRACK if 1xx Contains SDP
      - Send PRACK for all 1xx Messages
    g_clear:
      description:
      - G clear.
      - AXL field C(gClear).
      type: str
      choices:
      - Disabled
      - CLEARMODE
      - CCD
      - G.nX64
      - X-CCD
    early_offer_support_for_voice_call:
      description:
      - Replaced by O(early_offer_voice_call) in release 10.5.
      - AXL field C(earlyOfferSupportForVoiceCall), releases up to 10.0.
      type: bool
    send_recv_sdp_in_mid_call_invite:
      description:
      - Send recv sdp in mid call invite.
      - AXL field C(sendRecvSDPInMidCallInvite).
      type: bool
    options_ping:
      description:
      - Monitor the destinations of trunks with this profile with SIP OPTIONS.
      - AXL field C(enableOutboundOptionsPing).
      type: bool
    options_ping_interval_ok:
      description:
      - Seconds between OPTIONS while a destination responds.
      - AXL field C(optionsPingIntervalWhenStatusOK).
      type: int
    options_ping_interval_not_ok:
      description:
      - Seconds between OPTIONS while a destination does not respond.
      - AXL field C(optionsPingIntervalWhenStatusNotOK).
      type: int
    deliver_conference_bridge_identifier:
      description:
      - Deliver conference bridge identifier.
      - AXL field C(deliverConferenceBridgeIdentifier).
      type: bool
    options_ping_retry_count:
      description:
      - How often an OPTIONS is repeated before a destination counts as down.
      - AXL field C(sipOptionsRetryCount).
      type: int
    options_ping_retry_timer:
      description:
      - Milliseconds before an OPTIONS is repeated.
      - AXL field C(sipOptionsRetryTimer).
      type: int
    sip_bandwidth_modifier:
      description:
      - SIP bandwidth modifier.
      - AXL field C(sipBandwidthModifier).
      type: str
      choices:
      - TIAS and AS
      - TIAS only
      - AS only
      - CT only
    enable_uri_outdial_support:
      description:
      - Enable URI outdial support.
      - AXL field C(enableUriOutdialSupport).
      type: bool
    user_agent_server_header:
      description:
      - User agent server header.
      - AXL field C(userAgentServerHeaderInfo).
      type: str
      choices:
      - Send Unified CM Version Information as User-Agent Header
      - Pass Through Received Information as Contact Header Parameters
      - Pass Through Received Information as User-Agent and Server Header
    allow_presentation_sharing_using_bfcp:
      description:
      - Allow presentation sharing using bfcp.
      - AXL field C(allowPresentationSharingUsingBfcp).
      type: bool
    normalization_script_parameters:
      description:
      - Normalization script parameters.
      - AXL field C(scriptParameters).
      type: str
    script_trace_enabled:
      description:
      - Script trace enabled.
      - AXL field C(isScriptTraceEnabled).
      type: bool
    normalization_script:
      description:
      - Normalization script.
      - AXL field C(sipNormalizationScript).
      type: str
    allow_ix_application_media:
      description:
      - Allow ix application media.
      - AXL field C(allowiXApplicationMedia).
      type: bool
    dial_string_interpretation:
      description:
      - Dial string interpretation.
      - AXL field C(dialStringInterpretation).
      type: str
      choices:
      - Always treat all dial strings as URI addresses
      - 'Phone number consists of characters 0-9, A-D, *, #, and + (others treated as URI addresses)'
      - 'Phone number consists of characters 0-9, *, #, and + (others treated as URI addresses)'
    accept_audio_codec_preferences:
      description:
      - Accept audio codec preferences.
      - One of V(Off), V(On), V(Default).
      - AXL field C(acceptAudioCodecPreferences).
      type: str
    mlpp_user_authorization:
      description:
      - MLPP user authorization.
      - AXL field C(mlppUserAuthorization).
      type: bool
    assured_sip_service_enabled:
      description:
      - Assured SIP service enabled.
      - AXL field C(isAssuredSipServiceEnabled).
      type: bool
    enable_external_qos:
      description:
      - Enable external qos.
      - AXL field C(enableExternalQoS), releases 11.5 and later.
      type: bool
    resource_priority_namespace:
      description:
      - Resource priority namespace.
      - AXL field C(resourcePriorityNamespace).
      type: str
    use_caller_id_in_uri_of_outgoing_request:
      description:
      - Use caller id in URI of outgoing request.
      - AXL field C(useCallerIdCallerNameinUriOutgoingRequest).
      type: bool
    caller_id_dn:
      description:
      - Caller id dn.
      - AXL field C(callerIdDn), releases up to 12.0.
      type: str
    caller_name:
      description:
      - Caller name.
      - AXL field C(callerName), releases up to 12.0.
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
          - Name of the SIP profile.
          - AXL field C(externalPresentationName), releases 12.5 and later.
          type: str
    calling_line_identification:
      description:
      - Calling line identification.
      - AXL field C(callingLineIdentification).
      type: str
      choices:
      - Default
      - Strict From URI presentation Only
      - Strict Identity Headers presentation Only
    reject_anonymous_incoming_call:
      description:
      - Reject anonymous incoming call.
      - AXL field C(rejectAnonymousIncomingCall).
      type: bool
    reject_anonymous_outgoing_call:
      description:
      - Reject anonymous outgoing call.
      - AXL field C(rejectAnonymousOutgoingCall).
      type: bool
    video_call_traffic_class:
      description:
      - Video call traffic class.
      - AXL field C(videoCallTrafficClass).
      type: str
      choices:
      - Immersive
      - Desktop
      - Mixed
    sdp_transparency:
      description:
      - Sdp transparency.
      - AXL field C(sdpTransparency), releases 10.0 and later.
      type: str
    allow_multiple_codecs:
      description:
      - Allow multiple codecs.
      - AXL field C(allowMultipleCodecs), releases 10.0 and later.
      type: bool
    sip_session_refresh_method:
      description:
      - SIP session refresh method.
      - AXL field C(sipSessionRefreshMethod), releases 10.0 and later.
      type: str
      choices:
      - Invite
      - Update
    early_offer_voice_call:
      description:
      - Early offer voice call.
      - AXL field C(earlyOfferSuppVoiceCall), releases 10.5 and later.
      type: str
      choices:
      - Disabled (Default value)
      - Best Effort (no MTP inserted)
      - Mandatory (insert MTP if needed)
    cucm_version_in_sip_header:
      description:
      - Cucm version in SIP header.
      - AXL field C(cucmVersionInSipHeader), releases 10.0 and later.
      type: str
      choices:
      - Major And Minor
      - Major
      - Major, Minor And Revision
      - Full Build
      - None
    confidential_access_level_headers:
      description:
      - Confidential access level headers.
      - AXL field C(confidentialAccessLevelHeaders), releases 10.0 and later.
      type: str
      choices:
      - Disabled
      - Preferred
      - Required
    destination_route_string:
      description:
      - Destination route string.
      - AXL field C(destRouteString), releases 10.0 and later.
      type: bool
    inactive_sdp_required:
      description:
      - Inactive sdp required.
      - AXL field C(inactiveSDPRequired).
      type: bool
    allow_rr_and_rs_bandwidth_modifier:
      description:
      - Allow rr and rs bandwidth modifier.
      - AXL field C(allowRRAndRSBandwidthModifier), releases 12.0 and later.
      type: bool
    connect_call_before_playing_announcement:
      description:
      - Connect call before playing announcement.
      - AXL field C(connectCallBeforePlayingAnnouncement), releases 11.5 and later.
      type: bool
    copy_from:
      description:
      - Name of a SIP profile to copy a new one from, such as V(Standard SIP Profile). It has no effect on a
        profile that exists. Other phones and trunks may use the default profiles, so change a copy.
      type: str
  aggregate:
    description:
    - Many objects in one task. Each entry takes the options of a single SIP profile; the task's own options
      are the defaults of the entries.
    - Excludes O(name). Objects are read in parallel and written in order.
    type: list
    elements: dict
    suboptions:
      <<: *own
      name:
        description:
        - Name of the SIP profile.
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
  # Generated from the field table: end
seealso:
  - module: siptls.cucm.cucm_sip_trunk
"""

EXAMPLES = r"""
- name: A SIP profile with OPTIONS ping, as a copy of the standard one
  siptls.cucm.cucm_sip_profile:
    host: cucma.example.com
    username: axladmin
    password: "{{ cucm_password }}"
    name: SIP TLS trunks
    copy_from: Standard SIP Profile
    options_ping: true
    options_ping_interval_ok: 60
    options_ping_interval_not_ok: 30
"""

RETURN = r"""
name:
  description: The name of the object, or the pattern.
  returned: success, without O(aggregate)
  type: str
  sample: "New"
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
  sample: {"name": "New", "description": "Default SIP Profile", "telephony_event_payload_type": 101}
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
  sample: ["added SIP profile New"]
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
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_profile import SIP_PROFILE
from ansible_collections.siptls.cucm.plugins.module_utils._module import run_module

FACE = face(SIP_PROFILE)

if __name__ == "__main__":
    run_module(FACE)
