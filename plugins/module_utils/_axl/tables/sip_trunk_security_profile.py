# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of a SIP trunk security profile in AXL 9.1 to 15.0, in the order of the schema.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import Field, Resource

FIELDS = (
    Field("new_name", "newName", "String64;11.5:String75", "u"),
    Field("name", "name", "String64;11.5:String75", "Agl"),
    Field("description", "description", "String100", "augl", nil=True, quiet=True),
    Field("security_mode", "securityMode", "XDeviceSecurityMode", "augl", nil=True),
    Field("incoming_transport", "incomingTransport", "XTransport", "augl", default="TCP+UDP"),
    Field("outgoing_transport", "outgoingTransport", "XTransport", "augl", nil=True),
    Field("digest_authentication", "digestAuthentication", "bool", "augl", default="false"),
    Field("nonce_policy_time", "noncePolicyTime", "int", "augl", default="600"),
    Field("x509_subject_names", "x509SubjectName", "String4096", "augl", many=True),
    Field("incoming_port", "incomingPort", "int", "augl", default="5060", span=(0, 65535)),
    Field("application_level_authentication", "applLevelAuthentication", "bool", "augl", default="false"),
    Field("accept_presence_subscription", "acceptPresenceSubscription", "bool", "augl", default="false"),
    Field("accept_out_of_dialog_refer", "acceptOutOfDialogRefer", "bool", "augl", default="false"),
    Field("accept_unsolicited_notification", "acceptUnsolicitedNotification", "bool", "augl", default="false"),
    Field("allow_replace_header", "allowReplaceHeader", "bool", "augl", default="false"),
    Field("transmit_security_status", "transmitSecurityStatus", "bool", "augl", default="false"),
    Field(
        "sip_v150_outbound_sdp_offer_filtering",
        "sipV150OutboundSdpOfferFiltering",
        "XV150SDPFilter",
        "Augl",
        default="Use Default Filter",
    ),
    Field("allow_charging_header", "allowChargingHeader", "bool", "augl", default="false", since="10.0"),
)

SIP_TRUNK_SECURITY_PROFILE = Resource(
    kind="SipTrunkSecurityProfile",
    module="sip_trunk_profile",
    wrapper="sipTrunkSecurityProfile",
    noun="SIP trunk security profile",
    fields=FIELDS,
    search=("name", "description"),
    copies=True,
    trunk_option="security_profile",
)
