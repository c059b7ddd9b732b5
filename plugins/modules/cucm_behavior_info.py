#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_behavior_info
short_description: Ask a CUCM cluster what no document says
version_added: 1.0.0
description:
  - Sends a publisher harmless requests, some of them wrong on purpose, and returns how it responds. Nothing is written,
    and no wrong password is tried.
  - The emulated clusters of the collection's lab respond to these requests as inferred from documents. C(cucm_lab
    learn) compares the two; see the playbook C(truth.yml).
  - The answers contain no names or addresses of the site.
author:
  - siptls.cucm contributors (@siptls)
requirements:
  - zeep
  - asyncssh
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.application
  - siptls.cucm.platform
  - siptls.cucm.attributes.info
  - siptls.cucm.attributes.both
seealso:
  - module: siptls.cucm.cucm_info
"""

EXAMPLES = r"""
- name: Ask the publisher
  siptls.cucm.cucm_behavior_info:
    host: cucma.example.com
    username: axladmin
    password: "{{ cucm_password }}"
    os_username: osadmin
    os_password: "{{ cucm_os_password }}"
    ca_path: /etc/pki/cucm.pem
  register: behavior

- name: Show what could not be asked
  ansible.builtin.debug:
    msg: "{{ behavior.unanswered }}"
"""

RETURN = r"""
version:
  description: The version number of the release.
  returned: success
  type: str
  sample: 10.5.2.10000-5
answers:
  description: What the cluster responded, by question; a text, a code and a text, or a value.
  returned: success
  type: dict
  sample: {axl_callmanager_name: "CM_{node}"}
unanswered:
  description: The reason for each question without an answer.
  returned: success
  type: dict
  sample: {rest_interface: "the release has no certificate REST API"}
"""

from ansible_collections.siptls.cucm.plugins.module_utils._module import Face, run_module
from ansible_collections.siptls.cucm.plugins.module_utils._record.behavior import SPEC, service

FACE = Face(SPEC, service, needs=("requests", "zeep", "asyncssh"))


if __name__ == "__main__":
    run_module(FACE)
