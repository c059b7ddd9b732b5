#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The face of _node/trust_lists.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_ctl
short_description: Read and update the CTL file of a CUCM cluster in mixed mode
version_added: 1.0.0
description:
  - Reads the certificate trust list (CTL) that phones of a cluster in mixed mode hold, with C(show ctl) on the
    publisher, and updates it with C(utils ctl update CTLFile).
  - After a new CallManager certificate the CTL has to be updated before Cisco CallManager is restarted. Otherwise
    phones with an authenticated or encrypted security profile do not register.
  - The module reads the CTL again after the update, and fails if it still lacks a certificate.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.platform
  - siptls.cucm.attributes
  - siptls.cucm.attributes.platform_group
options:
  update:
    description:
      - V(if_needed) updates the CTL if it lacks the certificate with one of the O(serial_numbers), V(always) in every
        run. V(never) only reads.
      - The update needs release 10.0 or later and a CTL without USB tokens. It runs on the publisher only.
      - Restart Cisco CallManager and Cisco Tftp afterwards on all nodes that run them, then reset the phones.
    type: str
    choices: [never, if_needed, always]
    default: never
  serial_numbers:
    description: Serial numbers, in hexadecimal, of the certificates that the CTL has to contain.
    type: list
    elements: str
    default: []
  files:
    description: What to return. V(itl) adds the ITL file of the node (C(show itl)).
    type: list
    elements: str
    choices: [ctl, itl]
    default: [ctl]
seealso:
  - module: siptls.cucm.cucm_cert_upload
  - module: siptls.cucm.cucm_service
"""

EXAMPLES = r"""
- name: Read what phones trust
  siptls.cucm.cucm_ctl:
    host: cucma.example.com
    os_username: osadmin
    os_password: "{{ vault_os_password }}"

- name: Update the CTL after a new CallManager certificate, before Cisco CallManager is restarted
  siptls.cucm.cucm_ctl:
    host: cucma.example.com
    os_username: osadmin
    os_password: "{{ vault_os_password }}"
    update: if_needed
    serial_numbers: ["{{ upload.certificate.serial }}"]
"""

RETURN = r"""
ctl:
  description:
    - The CTL file. C(present) is false on a cluster that has never been in mixed mode. C(verified) is whether CUCM
      could verify its signature, C(signer) the subject of the certificate that signed it.
    - Each of C(records) has C(function), C(subject), C(issuer) and C(serial_number).
  returned: success
  type: dict
  sample: {"present": false, "verified": false}
itl:
  description: The ITL file, in the same form.
  returned: with V(itl) in O(files)
  type: dict
  sample: {"present": true, "nodes": ["CUCMA"]}
missing:
  description: Those of O(serial_numbers) that the CTL does not contain.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.siptls.cucm.plugins.module_utils._module import Face, run_module
from ansible_collections.siptls.cucm.plugins.module_utils._node.trust_lists import SPEC, service

FACE = Face(SPEC, service, needs=("asyncssh",))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
