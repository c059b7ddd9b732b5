# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence on trunks; private to siptls.cucm."""

from __future__ import annotations


class ModuleDocFragment:
    """The options EVIDENCE and CHECKS of module_utils/_verdict/options.py."""

    DOCUMENTATION = r"""
options:
  clusters:
    description: The clusters and what is known of the CallManager certificates of their nodes.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the cluster, as O(directions[].from) and O(directions[].to) call it.
        type: str
        required: true
      version:
        description: The cluster's version, for the report.
        type: str
      security_mode:
        description: The cluster's security mode (RV(siptls.cucm.cucm_info#module:security_mode)). Phones of a cluster
          that is V(non-secure) cannot encrypt their media.
        type: str
      phone_security:
        description: How many phones have a security profile of each mode
          (RV(siptls.cucm.cucm_info#module:phone_security)). If none is V(Encrypted), no phone encrypts its media.
        type: dict
      revocation:
        description:
          - How the cluster checks whether certificates are revoked, for the forecast.
          - No interface of CUCM shows it. It is set in OS Administration under C(Security > Certificate Revocation).
        type: dict
        suboptions:
          ocsp:
            description:
              - Where OCSP responders are asked.
              - V(certificate) means at the address in the certificate (C(Use OCSP URI from Certificate)), V(configured)
                at the cluster's own address (C(Use Configured OCSP URI)), and V(disabled) that no responder is asked.
            type: str
            choices: [disabled, certificate, configured]
          common_criteria:
            description: Whether Common Criteria mode is on (C(utils fips_common_criteria status)). CUCM then refuses
              connections whose certificate has an unknown status; otherwise it accepts them.
            type: bool
      phones:
        description: The state of the phones after services were restarted, with the numbers of registered phones
          C(before) and C(after), the names of those that are C(lost), and C(text). It has no effect on the verdict on
          trunks.
        type: dict
      nodes:
        description: The nodes that run Cisco CallManager.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description: Name of the node.
            type: str
            required: true
          addresses:
            description: The addresses and host names by which peers, captures and trunk destinations know the node.
            type: list
            elements: str
            required: true
          held:
            description: The CallManager certificate that the node holds (from M(siptls.cucm.cucm_certificate_info)).
            type: dict
          issued:
            description: The certificate that the CA issued for the node (RV(siptls.cucm.ca_sign#module:view)).
            type: dict
          ec_held:
            description: The CallManager-ECDSA certificate that the node holds, on release 11.0 and later.
            type: dict
          ec_issued:
            description: The CallManager-ECDSA certificate that the CA issued for the node.
            type: dict
          probe:
            description: The result of M(siptls.cucm.sip_tls_probe) on the node's port 5061.
            type: dict
          trust:
            description: The certificates in the node's CallManager-trust.
            type: list
            elements: dict
          clock:
            description: The node's clock (RV(siptls.cucm.cucm_certificate_info#module:clock)). Nodes check the dates of
              their peers' certificates by it.
            type: dict
          callmanager:
            description: V(false) if Cisco CallManager is not activated on the node.
            type: bool
      other_nodes:
        description: The nodes on which the cluster's trunks do not run. A peer's trunk must not point to them.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the node.
            type: str
            required: true
          addresses:
            description: The addresses and host names by which trunk destinations know the node.
            type: list
            elements: str
            required: true
          callmanager:
            description: V(false) if Cisco CallManager is not activated on the node.
            type: bool
  directions:
    description: The directions of the trunks. Each trunk has two, one from each end.
    type: list
    elements: dict
    required: true
    suboptions:
      from:
        description: The cluster that sends the calls.
        type: str
        required: true
      to:
        description: The cluster that receives them.
        type: str
        required: true
      profile:
        description: The security profile of the trunk on O(directions[].from), as
          M(siptls.cucm.cucm_sip_trunk_profile) returns it.
        type: dict
      trunk:
        description: The trunk on O(directions[].from), as M(siptls.cucm.cucm_sip_trunk) returns it.
        type: dict
      status:
        description: The trunk's state, an entry of M(siptls.cucm.cucm_sip_trunk_info).
        type: dict
      external:
        description:
          - Set if O(directions[].to) is an external peer, which O(clusters) does not contain.
          - Such a direction is checked by what one side can see.
        type: dict
        suboptions:
          addresses:
            description: The addresses of its SIP ports.
            type: list
            elements: str
            required: true
          port:
            description: Its port.
            type: int
            default: 5061
          srtp:
            description: Whether its trunk should allow SRTP. With V(false), media without SRTP is only a warning.
            type: bool
            default: true
          probes:
            description: Results of M(siptls.cucm.sip_tls_probe) with O(siptls.cucm.sip_tls_probe#module:ca_chain) and
              O(siptls.cucm.sip_tls_probe#module:subject_names), by address.
            type: dict
      calls:
        description: Calls made in this direction, each with C(calling), C(called), C(result), C(transport), C(srtp).
        type: list
        elements: dict
        default: []
  captures:
    description: The C(connections) of M(siptls.cucm.sip_tls_capture_info), of one or more captures.
    type: list
    elements: dict
    default: []
  traces:
    description: Results of M(siptls.cucm.cucm_trace_info), each with the key C(cluster) added.
    type: list
    elements: dict
    default: []
"""

    CHECKS = r"""
options:
  routing:
    description:
      - Whether calls are routed, by the dial plans of both ends; C(routing) of
        P(siptls.cucm.sip_tls_call_paths#filter). Each entry has C(from), C(to), C(through), C(pattern),
        C(state) and C(why).
      - It does not change how secure a direction is.
    type: list
    elements: dict
    default: []
  require_srtp:
    description: Whether a trunk or a call without SRTP is a problem.
    type: bool
    default: true
"""
