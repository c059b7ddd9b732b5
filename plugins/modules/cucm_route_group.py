#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_route_group
short_description: Manage route groups of CUCM
version_added: 1.0.0
description:
  - Creates, changes, renames and removes route groups, which choose among trunks and gateways.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.application
  - siptls.cucm.object_module
  - siptls.cucm.attributes
  - siptls.cucm.attributes.cucm
options:
  # Generated from the field table: begin
  name:
    description:
    - Name of the route group. Release 9.1 allows neither spaces nor a leading digit.
    - AXL field C(name).
    type: str
  <<: &own
    new_name:
      description:
      - New name of the route group. If O(name) no longer exists and this name does, it counts as renamed.
      - AXL field C(newName).
      type: str
    distribution_algorithm:
      description:
      - Distribution algorithm.
      - AXL field C(distributionAlgorithm).
      type: str
      choices:
      - Top Down
      - Circular
      - Longest Idle Time
      - Broadcast
    remove_members:
      description:
      - Members to remove. Excludes O(members).
      - AXL field C(removeMembers).
      type: list
      elements: dict
      suboptions:
        order:
          description:
          - Position of the member, from 1. The default is its position in the list.
          - AXL field C(deviceSelectionOrder).
          type: int
        device:
          description:
          - Name of the SIP trunk or gateway.
          - AXL field C(deviceName).
          type: str
          required: true
        port:
          description:
          - Port of a gateway; 0 for a trunk and by default.
          - AXL field C(port).
          type: int
    add_members:
      description:
      - Members to add if they are missing. Excludes O(members).
      - AXL field C(addMembers).
      type: list
      elements: dict
      suboptions:
        order:
          description:
          - Position of the member, from 1. The default is its position in the list.
          - AXL field C(deviceSelectionOrder).
          type: int
        device:
          description:
          - Name of the SIP trunk or gateway.
          - AXL field C(deviceName).
          type: str
          required: true
        port:
          description:
          - Port of a gateway; 0 for a trunk and by default.
          - AXL field C(port).
          type: int
    members:
      description:
      - The trunks and gateways, in the order of their selection. The list replaces the one on CUCM.
      - AXL field C(members).
      type: list
      elements: dict
      suboptions:
        order:
          description:
          - Position of the member, from 1. The default is its position in the list.
          - AXL field C(deviceSelectionOrder).
          type: int
        device:
          description:
          - Name of the SIP trunk or gateway.
          - AXL field C(deviceName).
          type: str
          required: true
        port:
          description:
          - Port of a gateway; 0 for a trunk and by default.
          - AXL field C(port).
          type: int
  aggregate:
    description:
    - Many objects in one task. Each entry takes the options of a single route group; the task's own options
      are the defaults of the entries.
    - Excludes O(name). Objects are read in parallel and written in order.
    type: list
    elements: dict
    suboptions:
      <<: *own
      name:
        description:
        - Name of the route group. Release 9.1 allows neither spaces nor a leading digit.
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
  - module: siptls.cucm.cucm_route_list
"""

EXAMPLES = r"""
- name: A route group of two trunks, the second for calls that the first cannot take
  siptls.cucm.cucm_route_group:
    host: cucma.example.com
    username: axladmin
    password: "{{ cucm_password }}"
    name: RG_TLS
    distribution_algorithm: Top Down
    members:
      - device: TLS-TO-CUCM10
      - device: TLS-TO-CUCM10-B
"""

RETURN = r"""
name:
  description: The name of the object, or the pattern.
  returned: success, without O(aggregate)
  type: str
  sample: "New-RG"
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
  sample: {"name": "New-RG", "distribution_algorithm": "Circular"}
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
  sample: ["added route group New-RG"]
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
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_group import ROUTE_GROUP
from ansible_collections.siptls.cucm.plugins.module_utils._module import run_module

FACE = face(ROUTE_GROUP)

if __name__ == "__main__":
    run_module(FACE)
