#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The face of _axl/object_info.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_object_info
short_description: Get the settings of CUCM objects and what uses them
version_added: 1.0.0
description:
  - Reads objects of several kinds in one AXL session, each as options of its module, so that it can be passed to that
    module again.
  - Finds what uses them, through route groups and route lists up to the route patterns. AXL has no operation for that,
    so the module uses C(executeSQLQuery), read only. If the account may not use it, there is a warning and no users.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.application
  - siptls.cucm.attributes.info
  - siptls.cucm.attributes.cucm
options:
  objects:
    description: The objects to read.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: Kind of the object, by the name of its module without C(cucm_).
        type: str
        # Generated from the kinds: begin
        choices: [sip_trunk_profile, sip_profile, sip_trunk, route_group, route_list, route_pattern]
        # Generated from the kinds: end
        required: true
      name:
        description: Name of the object; for a route pattern the pattern.
        type: str
        required: true
      partition:
        description: Partition of a route pattern; empty for none.
        type: str
        default: ""
  users:
    description: Find what uses the objects.
    type: bool
    default: true
  trunks:
    description: Also get all SIP trunks with their destinations and transport.
    type: bool
    default: false
seealso:
  - module: siptls.cucm.cucm_info
"""

EXAMPLES = r"""
- name: Find what leads to a trunk
  siptls.cucm.cucm_object_info:
    host: cucma.example.com
    username: axladmin
    password: "{{ vault_cucm_password }}"
    objects:
      - {kind: sip_trunk, name: SIP-TLS-cucm10}
  register: found

- name: Show its patterns
  ansible.builtin.debug:
    msg: "{{ found.users | selectattr('kind', '==', 'route_pattern') | map(attribute='name') }}"
"""

RETURN = r"""
objects:
  description: The objects, in the order of O(objects).
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: As in O(objects).
      type: str
      sample: "sip_profile"
    name:
      description: As in O(objects).
      type: str
      sample: "Standard SIP Profile"
    partition:
      description: As in O(objects).
      type: str
      sample: ""
    object:
      description: Its settings as options of its module; empty if there is no such object.
      type: dict
      sample: {"name": "Standard SIP Profile", "description": "Default SIP Profile"}
users:
  description: What uses the objects, and what uses those users.
  returned: when O(users=true)
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the user; V(device) for a device other than a SIP trunk.
      type: str
      sample: "route_pattern"
    name:
      description: Name of the user; for a route pattern the pattern.
      type: str
      sample: "9898"
    partition:
      description: Partition of a route pattern.
      type: str
      sample: "PT-Phones"
    description:
      description: Description of a route pattern.
      type: str
      sample: "To cucm10"
    uuid:
      description: UUID of a route pattern, as AXL writes it.
      type: str
      sample: "{0B1C2D3E-4F50-6172-8394-A5B6C7D8E9F0}"
    of_kind:
      description: Kind of what is used.
      type: str
      sample: "sip_trunk"
    of:
      description: Name of what is used.
      type: str
      sample: "SIP-TLS-cucm10"
trunks:
  description: All SIP trunks, each with C(name), C(security_profile), C(security_mode), C(transport) and
    C(destinations), a list of C(address) and C(port).
  returned: when O(trunks=true)
  type: list
  elements: dict
  sample: [{"name": "SIP-TLS-cucm10"}]
axl_version:
  description: The AXL version used.
  returned: success
  type: str
  sample: "10.5"
"""

from ansible_collections.siptls.cucm.plugins.module_utils._axl.object_info import SPEC, service
from ansible_collections.siptls.cucm.plugins.module_utils._module import Face, run_module

FACE = Face(SPEC, service, needs=("requests", "zeep"), verbatim=True)


if __name__ == "__main__":
    run_module(FACE)
