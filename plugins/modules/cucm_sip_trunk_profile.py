#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_sip_trunk_profile
short_description: Manage SIP trunk security profiles of CUCM
version_added: 1.0.0
description:
  - Creates, changes, renames and removes SIP trunk security profiles, which define the transport, the port and
    the accepted certificate names of a SIP trunk.
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
    - Name of the profile.
    - AXL field C(name).
    type: str
  <<: &own
    new_name:
      description:
      - New name of the profile. If O(name) no longer exists and this name does, the profile counts as renamed.
      - AXL field C(newName).
      type: str
    description:
      description:
      - Free text.
      - AXL field C(description).
      type: str
    security_mode:
      description:
      - Whether signaling over trunks with this profile is authenticated and encrypted. V(Authenticated) and
        V(Encrypted) require TLS in both directions; a new profile gets TLS by default.
      - AXL field C(securityMode).
      type: str
      choices:
      - Non Secure
      - Authenticated
      - Encrypted
    incoming_transport:
      description:
      - Transport of incoming calls. V(TLS) belongs to a secure O(security_mode), the others to V(Non Secure).
      - AXL field C(incomingTransport).
      type: str
      choices:
      - TCP
      - UDP
      - TLS
      - TCP+UDP
    outgoing_transport:
      description:
      - Transport of outgoing calls. V(TLS) belongs to a secure O(security_mode), the others to V(Non Secure).
      - AXL field C(outgoingTransport).
      type: str
      choices:
      - TCP
      - UDP
      - TLS
      - TCP+UDP
    digest_authentication:
      description:
      - Challenge the peer for digest credentials.
      - AXL field C(digestAuthentication).
      type: bool
    nonce_policy_time:
      description:
      - Seconds for which a nonce is valid. It can be changed only while O(digest_authentication) is true.
      - AXL field C(noncePolicyTime).
      type: int
    x509_subject_names:
      description:
      - Names (common name or subject alternative name) in the certificates of the peers that may call. The
        order does not matter. Of all profiles of the cluster with the same O(incoming_port), only one may contain
        a name.
      - AXL field C(x509SubjectName).
      type: list
      elements: str
    incoming_port:
      description:
      - Port on which incoming calls arrive. CUCM's own default is 5060; TLS usually uses 5061 and cannot share
        a port with other transports.
      - AXL field C(incomingPort).
      type: int
    application_level_authentication:
      description:
      - Authorize each application on the trunk separately.
      - AXL field C(applLevelAuthentication).
      type: bool
    accept_presence_subscription:
      description:
      - Accept presence subscription.
      - AXL field C(acceptPresenceSubscription).
      type: bool
    accept_out_of_dialog_refer:
      description:
      - Accept out of dialog refer.
      - AXL field C(acceptOutOfDialogRefer).
      type: bool
    accept_unsolicited_notification:
      description:
      - Accept unsolicited notification.
      - AXL field C(acceptUnsolicitedNotification).
      type: bool
    allow_replace_header:
      description:
      - Allow replace header.
      - AXL field C(allowReplaceHeader).
      type: bool
    transmit_security_status:
      description:
      - Send the peer the security status of calls.
      - AXL field C(transmitSecurityStatus).
      type: bool
    sip_v150_outbound_sdp_offer_filtering:
      description:
      - Which V.150 attributes to remove from outbound SDP offers.
      - AXL field C(sipV150OutboundSdpOfferFiltering).
      type: str
      choices:
      - No Filtering
      - Remove MER V.150
      - Remove Pre-MER V.150
      - Use Default Filter
    allow_charging_header:
      description:
      - Allow charging header.
      - AXL field C(allowChargingHeader), releases 10.0 and later.
      type: bool
    copy_from:
      description:
      - Name of a profile to copy a new one from, such as V(Non Secure SIP Trunk Profile). It has no effect
        on a profile that exists.
      type: str
  aggregate:
    description:
    - Many objects in one task. Each entry takes the options of a single SIP trunk security profile; the task's
      own options are the defaults of the entries.
    - Excludes O(name). Objects are read in parallel and written in order.
    type: list
    elements: dict
    suboptions:
      <<: *own
      name:
        description:
        - Name of the profile.
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
- name: A profile for mutual TLS, as a copy of the shipped one
  siptls.cucm.cucm_sip_trunk_profile:
    host: cucma.example.com
    username: axladmin
    password: "{{ cucm_password }}"
    ca_path: /etc/pki/cucm.pem
    name: SIP TLS to CUCM10
    copy_from: Non Secure SIP Trunk Profile
    security_mode: Encrypted
    x509_subject_names: [CUCM10]
    incoming_port: 5061

- name: Several profiles in one task
  siptls.cucm.cucm_sip_trunk_profile:
    host: cucma.example.com
    username: axladmin
    password: "{{ cucm_password }}"
    security_mode: Encrypted
    incoming_port: 5061
    aggregate:
      - name: TLS-TO-B
        x509_subject_names: [cucm-b-pub.example.com, cucm-b-sub.example.com]
      - name: TLS-TO-C
        x509_subject_names: [cucm-c.example.com]
      - name: OLD
        state: absent
"""

RETURN = r"""
name:
  description: The name of the object, or the pattern.
  returned: success, without O(aggregate)
  type: str
  sample: "New TLS"
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
  sample: {"name": "New TLS", "description": "Non Secure SIP Trunk Profile authenticated by null St..."}
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
  sample: ["added SIP trunk security profile New TLS"]
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
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk_security_profile import (
    SIP_TRUNK_SECURITY_PROFILE,
)
from ansible_collections.siptls.cucm.plugins.module_utils._module import run_module

FACE = face(SIP_TRUNK_SECURITY_PROFILE)

if __name__ == "__main__":
    run_module(FACE)
