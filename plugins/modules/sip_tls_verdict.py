#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on SIP over TLS between clusters."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sip_tls_verdict
short_description: Give a verdict on SIP over mutual TLS between CUCM clusters
version_added: 1.0.0
description:
  - Takes the results of the other modules and gives a verdict on each direction between two clusters, which is
    V(secure), V(insecure) or V(unproven), with the evidence, the causes and what to do about them.
  - V(insecure) means that the evidence shows a problem. V(unproven) means that it shows no problem, but that required
    evidence is missing. V(secure) requires, for both ends, that CUCM holds the certificate that the CA issued and
    presents it in a handshake, that the certificate allows serverAuth and clientAuth and is within its dates, that the
    peer requests a client certificate, that the security profiles are Encrypted over TLS and accept each other's names,
    and that the trunk leads to its peer.
  - A capture, a trace, the trunk's state and a call are not required for V(secure), but the verdict is not V(secure) if
    they show a problem, and RV(directions[].reach) says how far the evidence goes. V(probed) proves what a node
    presents to the controller; V(observed) proves what passes between the clusters; V(call) proves that a call used
    this trunk.
  - Does not contact any system. Writes nothing but O(dest), which does not count as a change.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.attributes.info
  - siptls.cucm.evidence
  - siptls.cucm.evidence.checks
requirements:
  - cryptography
options:
  dest:
    description: File on the controller that gets the verdict as JSON, with RV(verdict), RV(summary), RV(directions),
      RV(transit), RV(phones) and O(roll_over).
    type: path
    version_added: 1.0.0
  roll_over:
    description: The state of a CA roll-over, as P(siptls.cucm.sip_tls_roll_over#filter) returns it, to be kept with the
      verdict in O(dest).
    type: dict
    version_added: 1.0.0
  unread:
    description: Sentences about evidence that could not be read. They have no effect on the verdict; each is shown as a
      warning and returned in RV(unread).
    type: list
    elements: str
    default: []
  warn_days:
    description: Days before it expires from which a certificate causes a warning.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Work out the verdict
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
  description: The evidence that could not be read, one sentence each, as in O(unread).
  type: list
  elements: str
  returned: success
  sample: []
phones:
  description: The phones of each cluster on which services were restarted, each with C(cluster), the
    numbers of registered phones C(before) and C(after) (null if not known), the names of those that are C(lost), and
    C(text).
  type: list
  elements: dict
  returned: success
  sample: [{"cluster": "cucma", "before": 214, "after": 214, "lost": []}]
transit:
  description: The verdict on calls through hubs, one entry per pair of clusters. It is the worst verdict of its legs.
  type: list
  elements: dict
  returned: success
  contains:
    from:
      description: The cluster that sends the calls.
      type: str
      returned: always
      sample: "leaf1"
    to:
      description: The cluster that receives them.
      type: str
      returned: always
      sample: "leaf2"
    through:
      description: The hubs to which RV(transit[].from) sends them.
      type: list
      elements: str
      returned: always
      sample: ["hub"]
    legs:
      description: The trunks on the way, each with C(from), C(to) and C(verdict).
      type: list
      elements: dict
      returned: always
      sample: [{"from": "leaf1", "to": "hub"}]
    verdict:
      description: V(secure), V(insecure) or V(unproven).
      type: str
      returned: always
      sample: "secure"
    routed:
      description: Whether the calls are V(routed) by the dial plans on the way, V(not routed) or V(unknown).
      type: str
      returned: always
      sample: "yes"
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
      sample: "cucm10"
    to:
      description: The cluster that takes them.
      type: str
      returned: always
      sample: "cucma"
    external:
      description: Whether RV(directions[].to) is a peer that is not managed here, checked by what one side can see.
      type: bool
      returned: always
      sample: false
    verdict:
      description: V(secure), V(insecure) or V(unproven).
      type: str
      returned: always
      sample: "unproven"
    reach:
      description: How far the evidence goes, V(configured), V(probed), V(observed) or V(call).
      type: str
      returned: always
      sample: "probed"
    tls_version:
      description: The TLS version of the last handshake between the clusters, otherwise that of the controller's probe;
        RV(directions[].tls_version_source) says which.
      type: str
      returned: when a handshake was seen
      sample: "TLSv1"
    tls_version_source:
      description: V(capture) if the clusters negotiated the version, V(probe) if the controller's probe did.
      type: str
      returned: when a handshake was seen
      sample: "probe"
    cipher:
      description: The cipher that the clusters negotiated, by its OpenSSL name, otherwise that of the controller's
        probe; RV(directions[].cipher_source) says which.
      type: str
      returned: when a handshake was seen
      sample: "AES128-SHA"
    cipher_source:
      description: V(capture) or V(trace) if the clusters negotiated the cipher, V(probe) if the controller's probe did.
      type: str
      returned: when a handshake was seen
      sample: "probe"
    media:
      description: V(encrypted) or V(clear) if a call shows it; otherwise, by configuration, V(allowed), V(not allowed)
        or V(unknown).
      type: str
      returned: always
      sample: "unknown"
    client_certificate:
      description: The certificate that the calling cluster presented last, otherwise the one that it is known to have.
      type: dict
      returned: always
      sample: {"subject": "CN=CUCMA"}
    identities:
      description: Each certificate that the C(server) and the C(client) may present, with C(node), C(purpose),
        C(subject), C(issuer), C(serial), C(not_after) and C(sha256). The direction is secure only if every certificate
        that the two ends could choose is accepted.
      type: dict
      returned: always
      sample: {"server": "..."}
    server_certificate:
      description: The certificate of the peer, with C(subject), C(issuer), C(serial), C(not_after), C(sha256).
      type: dict
      returned: when one is known
      sample: {"subject": "C=IN, ST=cisco, L=cisco, O=cisco, OU=cisco, CN=CUCMA"}
    evidence:
      description: The evidence for the verdict, each entry with C(check), C(source), C(text), C(proves).
      type: list
      elements: dict
      returned: always
      sample: [{"check": "server_certificate", "source": "probe"}]
    findings:
      description: The problems found, each with C(severity) (V(error), V(missing), V(warning), V(one_sided)),
        C(check), C(concerns) (V(trust), V(encryption), V(media) or V(connection)), C(cause), C(source), C(remedy),
        C(proof).
      type: list
      elements: dict
      returned: always
      sample: [{"severity": "missing", "check": "server_certificate", "concerns": "trust"}]
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Face, Outcome, run_module
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import verdict
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.files import write_changed
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.options import CHECKS, EVIDENCE, directions

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

SPEC = (
    EVIDENCE
    + CHECKS
    + ArgSpec(
        options={
            "dest": {"type": "path"},
            "roll_over": {"type": "dict"},
            "unread": {"type": "list", "elements": "str", "default": []},
            "warn_days": {"type": "int", "default": 30},
        }
    )
)


def service(task: Task) -> Outcome:
    """Work out the verdict on every direction."""
    given = task.params
    cases = directions(given)
    phones = [
        {"cluster": cluster["name"], **cluster["phones"]} for cluster in given["clusters"] if cluster.get("phones")
    ]
    warnings = [f"Not read, and so not weighed: {text}" for text in given["unread"]]
    warnings += [f"{row['cluster']}: {row.get('text')}" for row in phones if row.get("lost")]
    result = {**verdict.verdict(cases, given["routing"]), "phones": phones, "unread": given["unread"]}
    if given["dest"]:
        _write(Path(given["dest"]), result, given["roll_over"], pretend=task.check_mode)
    return Outcome(result=result, warnings=warnings)


def _write(file: Path, result: dict[str, Any], roll_over: dict[str, Any] | None, *, pretend: bool) -> None:
    """Write the verdict as JSON."""
    data = {key: result[key] for key in ("verdict", "summary", "directions", "transit", "phones")}
    data |= {"roll_over": roll_over} if roll_over else {}
    write_changed(str(file.parent), file.name, data, {}, what="verdict", pretend=pretend)


FACE = Face(SPEC, service, needs=("cryptography",))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
