#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on SIP over TLS between clusters."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sip_tls_verdict
short_description: Weigh the evidence on SIP over mutual TLS between CUCM clusters
version_added: 1.0.0
description:
  - Takes what the other modules found out and says of each direction between two clusters whether its calls are
    V(secure), V(insecure) or V(unproven), with the evidence, the causes and what to do about them.
  - V(insecure) means that something was found that is wrong. V(unproven) means that nothing wrong was found, but that
    something needed was not seen. V(secure) needs, for both ends, the certificate that the CA issued, held by CUCM and
    presented in a handshake, made for serverAuth and clientAuth and within its dates; a peer that asks for a client
    certificate; security profiles that are Encrypted over TLS and accept each other's names; a trunk that points at
    its peer.
  - A capture, a trace, the trunk's state and a call are not needed for V(secure), but they fail it when they show
    otherwise, and RV(directions[].reach) says how far the evidence goes. V(probed) proves what a node serves to the
    controller; V(observed) proves what passes between the clusters; V(call) proves that a call took this way.
  - Asks nobody and changes nothing.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.attributes.info
requirements:
  - cryptography
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
            version_added: 1.0.0
          ec_issued:
            description: The CallManager-ECDSA certificate that the CA issued for the node.
            type: dict
            version_added: 1.0.0
          probe:
            description: The result of M(siptls.cucm.sip_tls_probe) on the node's port 5061.
            type: dict
          trust:
            description: The certificates in the node's CallManager-trust.
            type: list
            elements: dict
          clock:
            description: The node's clock (RV(siptls.cucm.cucm_certificate_info#module:clock)). Nodes judge the dates of
              their peers' certificates by it.
            type: dict
  directions:
    description: The directions to judge. Each trunk has two, one from each end.
    type: list
    elements: dict
    required: true
    suboptions:
      from:
        description: The cluster that sends the calls.
        type: str
        required: true
      to:
        description: The cluster that takes them.
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
          - Given when O(directions[].to) is a peer that is not ours to manage, of which no cluster is described in
            O(clusters).
          - Such a direction is judged by what one side can see. What it can't is told with the severity
            V(one_sided) and does not make it V(unproven).
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
            description: Whether its trunk is to allow SRTP. V(false) makes O(require_srtp) a warning for it.
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
  unread:
    description: Sentences about evidence that was looked for and could not be read. They do not weigh; each is shown as
      a warning, and RV(unread) keeps them.
    type: list
    elements: str
    default: []
  routing:
    description:
      - Whether calls are routed, by the dial plans of both ends; C(routing) of
        P(siptls.cucm.sip_tls_call_paths#filter). Each entry has C(from), C(to), C(pattern), C(state) and C(why).
      - It does not change how secure a direction is. Calls that are not routed are a warning.
    type: list
    elements: dict
    default: []
  require_srtp:
    description: Whether a trunk or a call without SRTP is V(insecure).
    type: bool
    default: true
  warn_days:
    description: Days before its end from which a certificate is warned of.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Weigh what was found
  siptls.cucm.sip_tls_verdict:
    clusters:
      - name: cucma
        nodes:
          - name: CUCMA
            addresses: [10.106.95.203, cucma.example.com]
            held: "{{ held_a }}"
            issued: "{{ issued_a }}"
            probe: "{{ probe_a }}"
      - name: cucm10
        nodes:
          - name: CUCM10
            addresses: [10.106.95.200, cucm10.example.com]
            held: "{{ held_b }}"
            issued: "{{ issued_b }}"
            probe: "{{ probe_b }}"
    directions:
      - from: cucma
        to: cucm10
        profile: "{{ profile_a.object }}"
        trunk: "{{ trunk_a.object }}"
      - from: cucm10
        to: cucma
        profile: "{{ profile_b.object }}"
        trunk: "{{ trunk_b.object }}"
    captures: "{{ capture.connections }}"
  register: verdict
"""

RETURN = r"""
verdict:
  description: The worst of the directions' verdicts, V(secure), V(insecure) or V(unproven). A direction to an external
    peer counts when it is V(insecure), or when there is no other.
  type: str
  returned: success
  sample: secure
summary:
  description: One sentence per direction.
  type: list
  elements: str
  returned: success
  sample: ["cucma to cucm10: secure (TLSv1, AES128-SHA)"]
unread:
  description: What was looked for and could not be read, a sentence each, as O(unread).
  type: list
  elements: str
  returned: success
directions:
  description: The verdict on each direction.
  type: list
  elements: dict
  returned: success
  contains:
    from:
      description: The cluster that sends the calls.
      type: str
      returned: always
    to:
      description: The cluster that takes them.
      type: str
      returned: always
    external:
      description: Whether RV(directions[].to) is a peer that is not ours, judged by what one side can see.
      type: bool
      returned: always
    verdict:
      description: V(secure), V(insecure) or V(unproven).
      type: str
      returned: always
    reach:
      description: How far the evidence goes, V(configured), V(probed), V(observed) or V(call).
      type: str
      returned: always
    tls_version:
      description: The TLS version of the newest handshake between the clusters, else that of the controller's probe;
        RV(directions[].tls_version_source) says which.
      type: str
      returned: when a handshake was seen
    tls_version_source:
      description: V(capture) when the clusters negotiated the version, V(probe) when the controller's probe did.
      type: str
      returned: when a handshake was seen
    cipher:
      description: The cipher that the clusters negotiated, by its OpenSSL name, else that of the controller's probe;
        RV(directions[].cipher_source) says which.
      type: str
      returned: when a handshake was seen
    cipher_source:
      description: V(capture) or V(trace) when the clusters negotiated the cipher, V(probe) when the controller's probe
        did.
      type: str
      returned: when a handshake was seen
    media:
      description: V(encrypted) or V(clear) when a call showed it; by configuration V(allowed), V(not allowed) or
        V(unknown).
      type: str
      returned: always
    client_certificate:
      description: The certificate that the calling cluster showed last, or else the one it is known to have.
      type: dict
      returned: always
    identities:
      description: Each certificate that the C(server) and the C(client) may show, with C(node), C(purpose), C(subject),
        C(issuer), C(serial), C(not_after) and C(sha256). The direction is secure only if all of them that the two ends
        could choose are accepted.
      type: dict
      returned: always
    server_certificate:
      description: The certificate of the peer, with C(subject), C(issuer), C(serial), C(not_after), C(sha256).
      type: dict
      returned: when one is known
    evidence:
      description: What speaks for the verdict, each with C(check), C(source), C(text), C(proves).
      type: list
      elements: dict
      returned: always
    findings:
      description: What speaks against it, each with C(severity) (V(error), V(missing), V(warning), V(one_sided)),
        C(check), C(concerns) (V(trust), V(encryption), V(media) or V(connection)), C(cause), C(source), C(remedy),
        C(proof).
      type: list
      elements: dict
      returned: always
"""

from typing import TYPE_CHECKING

from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Face, Failure, Outcome, run_module
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import verdict

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

DICTS = {"type": "list", "elements": "dict", "default": []}
NODE = {
    "name": {"type": "str", "required": True},
    "addresses": {"type": "list", "elements": "str", "required": True},
    "held": {"type": "dict"},
    "issued": {"type": "dict"},
    "ec_held": {"type": "dict"},
    "ec_issued": {"type": "dict"},
    "probe": {"type": "dict"},
    "trust": {"type": "list", "elements": "dict"},
    "clock": {"type": "dict"},
}
CLUSTER = {
    "name": {"type": "str", "required": True},
    "version": {"type": "str"},
    "security_mode": {"type": "str"},
    "nodes": {"type": "list", "elements": "dict", "required": True, "options": NODE},
}
EXTERNAL = {
    "addresses": {"type": "list", "elements": "str", "required": True},
    "port": {"type": "int", "default": 5061},
    "srtp": {"type": "bool", "default": True},
    "probes": {"type": "dict"},
}
DIRECTION = {
    "from": {"type": "str", "required": True},
    "to": {"type": "str", "required": True},
    "profile": {"type": "dict"},
    "trunk": {"type": "dict"},
    "status": {"type": "dict"},
    "external": {"type": "dict", "options": EXTERNAL},
    "calls": DICTS,
}
SPEC = ArgSpec(
    options={
        "clusters": {"type": "list", "elements": "dict", "required": True, "options": CLUSTER},
        "directions": {"type": "list", "elements": "dict", "required": True, "options": DIRECTION},
        "captures": DICTS,
        "traces": DICTS,
        "unread": {"type": "list", "elements": "str", "default": []},
        "routing": DICTS,
        "require_srtp": {"type": "bool", "default": True},
        "warn_days": {"type": "int", "default": 30},
    }
)


def service(task: Task) -> Outcome:
    """Judge every direction."""
    given = task.params
    try:
        cases = verdict.directions_of(
            given["clusters"],
            given["directions"],
            captures=given["captures"],
            traces=given["traces"],
            srtp_wanted=given["require_srtp"],
            warn_days=given["warn_days"],
            routing=given["routing"],
        )
    except ValueError as wrong:
        raise Failure(f"The evidence does not fit together: {wrong}.") from wrong
    warnings = [f"Not read, and so not weighed: {text}" for text in given["unread"]]
    return Outcome(result={**verdict.verdict(cases), "unread": given["unread"]}, warnings=warnings)


FACE = Face(SPEC, service, needs=("cryptography",))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
