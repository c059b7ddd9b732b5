#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The face of _roles/undo/backup_files.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_backup
short_description: Save the objects that a run is about to change on a CUCM cluster
version_added: 1.0.0
description:
  - Keeps a record of a run on the controller, as JSON with mode 0600 in a folder with mode 0700. Saves the objects as
    they are before the first write, and again after the run.
  - An unfinished record belongs to an interrupted run; the next run continues it. The record of a run that changed
    nothing is removed.
  - The record contains no secrets. Private keys never leave a node.
  - The role P(siptls.cucm.sip_tls_trunk#role) uses it; its C(restore) tasks put back what a record contains.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.application
  - siptls.cucm.attributes.info
  - siptls.cucm.attributes.cucm
options:
  path:
    description: The folder of the records, with a subfolder per cluster.
    type: path
    required: true
  name:
    description: Inventory name of the cluster.
    type: str
    required: true
  state:
    description:
      - V(begun) before the first write, and again when more objects are known; V(finished) after the last write.
      - V(begun) claims the cluster for its run of C(ansible-playbook), so that no second run on the same controller
        changes it at the same time; V(finished) releases it. V(claimed) and V(released) do only that, for runs without
        a record.
    type: str
    choices: [begun, finished, claimed, released]
    default: begun
  run:
    description: A description of the run.
    type: str
    default: ""
  objects:
    description: The objects that the run sets; one list per kind, each entry with the options of its module.
    type: dict
    default: {}
    suboptions:
      # Generated from the kinds: begin
      sip_trunk_profile:
        description: As in O(siptls.cucm.cucm_sip_trunk_profile#module:aggregate).
        type: list
        elements: dict
        default: []
      sip_profile:
        description: As in O(siptls.cucm.cucm_sip_profile#module:aggregate).
        type: list
        elements: dict
        default: []
      sip_trunk:
        description: As in O(siptls.cucm.cucm_sip_trunk#module:aggregate).
        type: list
        elements: dict
        default: []
      route_group:
        description: As in O(siptls.cucm.cucm_route_group#module:aggregate).
        type: list
        elements: dict
        default: []
      route_list:
        description: As in O(siptls.cucm.cucm_route_list#module:aggregate).
        type: list
        elements: dict
        default: []
      route_pattern:
        description: As in O(siptls.cucm.cucm_route_pattern#module:aggregate).
        type: list
        elements: dict
        default: []
      # Generated from the kinds: end
  seen:
    description:
      - The objects as the run found them when it checked the cluster, in the form of C(existing) in the result of
        P(siptls.cucm.preflight#filter).
      - If any of O(objects) differs from it now, somebody else is changing the cluster, and the module fails.
    type: dict
    default: {}
    version_added: 1.0.0
  certificates:
    description: The identity certificate of each node, by the name of the node, as M(siptls.cucm.cucm_certificate_info)
      returns it.
    type: dict
    default: {}
  ec_certificates:
    description: The CallManager-ECDSA certificates in the same form, from release 11.0 on.
    type: dict
    default: {}
    version_added: 1.0.0
  trust:
    description: SHA-256 of each certificate in the cluster's trust stores before the run.
    type: list
    elements: str
    default: []
  trust_added:
    description: The trust certificates (PEM) that the run adds.
    type: list
    elements: str
    default: []
  trust_removed:
    description: The trust certificates (PEM) that the run removes.
    type: list
    elements: str
    default: []
seealso:
  - module: siptls.cucm.cucm_object_info
"""

EXAMPLES = r"""
- name: Save a trunk before it is changed
  siptls.cucm.cucm_backup:
    host: cucma.example.com
    username: axladmin
    password: "{{ vault_cucm_password }}"
    path: backup
    name: cucma
    objects:
      sip_trunk: [{name: TO-CUCM10, security_profile: SIP TLS cucm10}]

- name: Save its state after the change
  siptls.cucm.cucm_backup:
    host: cucma.example.com
    username: axladmin
    password: "{{ vault_cucm_password }}"
    path: backup
    name: cucma
    state: finished
"""

RETURN = r"""
record:
  description: The saved record; empty for a run that changed nothing.
  returned: success
  type: dict
  sample: {"format": 1}
file:
  description: Path of the record; empty for a run that changed nothing.
  returned: success
  type: str
  sample: "backup/cucma/unfinished.json"
"""

from ansible_collections.siptls.cucm.plugins.module_utils._module import Face, run_module
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo.backup_files import SPEC, service

FACE = Face(SPEC, service, needs=("requests", "zeep"))


if __name__ == "__main__":
    run_module(FACE)
