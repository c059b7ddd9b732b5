#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a SIP trunk over TLS does not work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sip_tls_doctor
short_description: Find out why a SIP trunk over TLS does not work
version_added: 1.0.0
description:
  - Takes the same evidence as M(siptls.cucm.sip_tls_verdict) and names, for each direction of a trunk, the cause of its
    failure, with the evidence for it and the next step.
  - It compares the configuration of both ends, their certificates and trust stores, the names in the security profiles,
    the clocks, the handshakes of the controller, alerts in captures, the failure lines and alarms in the traces of both
    ends, the state of the trunk with its reason, and the dial plans of both ends.
  - The cause with the most evidence comes first; the others follow in RV(diagnoses[].others).
  - With O(dest) it writes the diagnoses as a self-contained HTML page, and as JSON.
  - Does not contact any system. The files are written on the controller.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.attributes
  - siptls.cucm.evidence
  - siptls.cucm.evidence.checks
attributes:
  diff_mode:
    support: none
    details: The files are written as a whole, and their contents are not meant for a terminal.
  platform:
    details: Always runs on the controller, in Ansible's own process. C(async) is not supported.
requirements:
  - cryptography
options:
  dest:
    description: A folder on the controller for V(diagnosis.html) and V(diagnosis.json); created if it is missing.
      Without it nothing is written.
    type: path
"""

EXAMPLES = r"""
- name: Name the cause
  siptls.cucm.sip_tls_doctor:
    clusters: "{{ evidence | map(attribute='cluster') }}"
    directions: "{{ evidence | map(attribute='directions') | flatten }}"
    captures: "{{ evidence | map(attribute='captures') | flatten }}"
    traces: "{{ evidence | map(attribute='traces') | flatten }}"
    routing: "{{ calls.routing }}"
  register: doctor

- name: Show it
  ansible.builtin.debug:
    var: doctor.summary
"""

RETURN = r"""
summary:
  description: One sentence per direction.
  type: list
  elements: str
  returned: success
  sample: ["cucma to cucm10: cucm10 does not trust the CA of cucma. Upload the chain to CallManager-trust."]
files:
  description: The paths of the page and of the data.
  type: list
  elements: str
  returned: with O(dest)
  sample: ["/srv/diagnosis/diagnosis.html"]
diagnoses:
  description: The diagnosis of each direction.
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
      description: The cluster that receives them.
      type: str
      returned: always
      sample: "cucma"
    works:
      description: Whether the trunk works in this direction, by its state, a call or a handshake; null if nothing shows
        it.
      type: bool
      returned: always
      sample: true
    cause:
      description: Short name of the cause, such as V(ca_missing), V(name_at_peer), V(expired), V(not_active),
        V(destination), V(profile), V(no_connection); null if none was found.
      type: str
      returned: always
      sample: "expired"
    explanation:
      description: The cause in a sentence.
      type: str
      returned: always
      sample: "A certificate has expired."
    next_step:
      description: What to do next.
      type: str
      returned: always
      sample: "Read it with cucm_certificate_info."
    evidence:
      description: The evidence for the cause, each entry with C(source) and C(text).
      type: list
      elements: dict
      returned: always
      sample: []
    nodes:
      description: The nodes that the evidence names.
      type: list
      elements: str
      returned: always
      sample: []
    others:
      description: The other causes that were found, with the same keys, the one with the most evidence first.
      type: list
      elements: dict
      returned: always
      sample: []
"""

from typing import TYPE_CHECKING

from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Face, Outcome, run_module
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import doctor
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.options import CHECKS, EVIDENCE, directions

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

SPEC = EVIDENCE + CHECKS + ArgSpec(options={"dest": {"type": "path"}})


def service(task: Task) -> Outcome:
    """Diagnose every direction."""
    diagnoses = [doctor.diagnose(case) for case in directions(task.params)]
    result = {"diagnoses": diagnoses, "summary": [doctor.sentence(diagnosis) for diagnosis in diagnoses]}
    if not task.params["dest"]:
        return Outcome(result=result)
    # Jinja2 is loaded for those who write alone.
    from ansible_collections.siptls.cucm.plugins.module_utils._verdict import doctor_files

    changed, files = doctor_files.write(task.params["dest"], diagnoses, pretend=task.check_mode)
    return Outcome(changed=changed, result={**result, "files": files})


FACE = Face(SPEC, service, needs=("cryptography",), controller=True)


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
