#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_route_list
short_description: Manage route lists of CUCM
version_added: 1.0.0
description:
  - Creates, changes, renames and removes route lists, which try route groups one after another.
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
    - Name of the route list.
    - AXL field C(name).
    type: str
  <<: &own
    new_name:
      description:
      - New name of the route list. If O(name) no longer exists and this name does, it counts as renamed.
      - AXL field C(newName).
      type: str
    description:
      description:
      - Free text.
      - AXL field C(description).
      type: str
    callmanager_group:
      description:
      - CallManager group with which the route list registers. A new one gets V(Default).
      - AXL field C(callManagerGroupName).
      type: str
    enabled:
      description:
      - Whether the route list routes calls; V(true) for a new one.
      - AXL field C(routeListEnabled).
      type: bool
    remove_members:
      description:
      - Route groups to remove. Excludes O(members).
      - AXL field C(removeMembers).
      type: list
      elements: dict
      suboptions:
        route_group:
          description:
          - Name of the route group.
          - AXL field C(routeGroupName).
          type: str
          required: true
        order:
          description:
          - Position of the route group, from 1. The default is its position in the list.
          - AXL field C(selectionOrder).
          type: int
        called_party_transformation_mask:
          description:
          - Called party transformation mask.
          - AXL field C(calledPartyTransformationMask).
          type: str
        calling_party_transformation_mask:
          description:
          - Calling party transformation mask.
          - AXL field C(callingPartyTransformationMask).
          type: str
        digit_discard_instructions:
          description:
          - Digit discard instructions.
          - AXL field C(digitDiscardInstructionName).
          type: str
        calling_party_prefix_digits:
          description:
          - Calling party prefix digits.
          - AXL field C(callingPartyPrefixDigits).
          type: str
        prefix_digits_out:
          description:
          - Prefix digits out.
          - AXL field C(prefixDigitsOut).
          type: str
        use_fully_qualified_calling_party_number:
          description:
          - Use fully qualified calling party number.
          - One of V(Off), V(On), V(Default).
          - AXL field C(useFullyQualifiedCallingPartyNumber).
          type: str
        calling_party_numbering_plan:
          description:
          - Calling party numbering plan.
          - AXL field C(callingPartyNumberingPlan).
          type: str
          choices:
          - Cisco CallManager
          - ISDN
          - National Standard
          - Private
          - Unknown
        calling_party_number_type:
          description:
          - Calling party number type.
          - AXL field C(callingPartyNumberType).
          type: str
          choices:
          - Cisco CallManager
          - Unknown
          - National
          - International
          - Subscriber
        called_party_numbering_plan:
          description:
          - Called party numbering plan.
          - AXL field C(calledPartyNumberingPlan).
          type: str
          choices:
          - Cisco CallManager
          - ISDN
          - National Standard
          - Private
          - Unknown
        called_party_number_type:
          description:
          - Called party number type.
          - AXL field C(calledPartyNumberType).
          type: str
          choices:
          - Cisco CallManager
          - Unknown
          - National
          - International
          - Subscriber
    add_members:
      description:
      - Route groups to add if they are missing. Excludes O(members).
      - AXL field C(addMembers).
      type: list
      elements: dict
      suboptions:
        route_group:
          description:
          - Name of the route group.
          - AXL field C(routeGroupName).
          type: str
          required: true
        order:
          description:
          - Position of the route group, from 1. The default is its position in the list.
          - AXL field C(selectionOrder).
          type: int
        called_party_transformation_mask:
          description:
          - Called party transformation mask.
          - AXL field C(calledPartyTransformationMask).
          type: str
        calling_party_transformation_mask:
          description:
          - Calling party transformation mask.
          - AXL field C(callingPartyTransformationMask).
          type: str
        digit_discard_instructions:
          description:
          - Digit discard instructions.
          - AXL field C(digitDiscardInstructionName).
          type: str
        calling_party_prefix_digits:
          description:
          - Calling party prefix digits.
          - AXL field C(callingPartyPrefixDigits).
          type: str
        prefix_digits_out:
          description:
          - Prefix digits out.
          - AXL field C(prefixDigitsOut).
          type: str
        use_fully_qualified_calling_party_number:
          description:
          - Use fully qualified calling party number.
          - One of V(Off), V(On), V(Default).
          - AXL field C(useFullyQualifiedCallingPartyNumber).
          type: str
        calling_party_numbering_plan:
          description:
          - Calling party numbering plan.
          - AXL field C(callingPartyNumberingPlan).
          type: str
          choices:
          - Cisco CallManager
          - ISDN
          - National Standard
          - Private
          - Unknown
        calling_party_number_type:
          description:
          - Calling party number type.
          - AXL field C(callingPartyNumberType).
          type: str
          choices:
          - Cisco CallManager
          - Unknown
          - National
          - International
          - Subscriber
        called_party_numbering_plan:
          description:
          - Called party numbering plan.
          - AXL field C(calledPartyNumberingPlan).
          type: str
          choices:
          - Cisco CallManager
          - ISDN
          - National Standard
          - Private
          - Unknown
        called_party_number_type:
          description:
          - Called party number type.
          - AXL field C(calledPartyNumberType).
          type: str
          choices:
          - Cisco CallManager
          - Unknown
          - National
          - International
          - Subscriber
    members:
      description:
      - The route groups, in the order of their selection. The list replaces the one on CUCM.
      - AXL field C(members).
      type: list
      elements: dict
      suboptions:
        route_group:
          description:
          - Name of the route group.
          - AXL field C(routeGroupName).
          type: str
          required: true
        order:
          description:
          - Position of the route group, from 1. The default is its position in the list.
          - AXL field C(selectionOrder).
          type: int
        called_party_transformation_mask:
          description:
          - Called party transformation mask.
          - AXL field C(calledPartyTransformationMask).
          type: str
        calling_party_transformation_mask:
          description:
          - Calling party transformation mask.
          - AXL field C(callingPartyTransformationMask).
          type: str
        digit_discard_instructions:
          description:
          - Digit discard instructions.
          - AXL field C(digitDiscardInstructionName).
          type: str
        calling_party_prefix_digits:
          description:
          - Calling party prefix digits.
          - AXL field C(callingPartyPrefixDigits).
          type: str
        prefix_digits_out:
          description:
          - Prefix digits out.
          - AXL field C(prefixDigitsOut).
          type: str
        use_fully_qualified_calling_party_number:
          description:
          - Use fully qualified calling party number.
          - One of V(Off), V(On), V(Default).
          - AXL field C(useFullyQualifiedCallingPartyNumber).
          type: str
        calling_party_numbering_plan:
          description:
          - Calling party numbering plan.
          - AXL field C(callingPartyNumberingPlan).
          type: str
          choices:
          - Cisco CallManager
          - ISDN
          - National Standard
          - Private
          - Unknown
        calling_party_number_type:
          description:
          - Calling party number type.
          - AXL field C(callingPartyNumberType).
          type: str
          choices:
          - Cisco CallManager
          - Unknown
          - National
          - International
          - Subscriber
        called_party_numbering_plan:
          description:
          - Called party numbering plan.
          - AXL field C(calledPartyNumberingPlan).
          type: str
          choices:
          - Cisco CallManager
          - ISDN
          - National Standard
          - Private
          - Unknown
        called_party_number_type:
          description:
          - Called party number type.
          - AXL field C(calledPartyNumberType).
          type: str
          choices:
          - Cisco CallManager
          - Unknown
          - National
          - International
          - Subscriber
    run_on_every_node:
      description:
      - Run on every node.
      - AXL field C(runOnEveryNode).
      type: bool
  aggregate:
    description:
    - Many objects in one task. Each entry takes the options of a single route list; the task's own options
      are the defaults of the entries.
    - Excludes O(name). Objects are read in parallel and written in order.
    type: list
    elements: dict
    suboptions:
      <<: *own
      name:
        description:
        - Name of the route list.
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
  - module: siptls.cucm.cucm_route_group
  - module: siptls.cucm.cucm_route_pattern
"""

EXAMPLES = r"""
- name: A route list with one route group
  siptls.cucm.cucm_route_list:
    host: cucma.example.com
    username: axladmin
    password: "{{ cucm_password }}"
    name: RL_TLS
    run_on_every_node: true
    members:
      - route_group: RG_TLS
"""

RETURN = r"""
name:
  description: The name of the object, or the pattern.
  returned: success, without O(aggregate)
  type: str
  sample: "New-RL"
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
  sample: {"name": "New-RL", "callmanager_group": "Default", "enabled": true}
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
  sample: ["added route list New-RL"]
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
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_list import ROUTE_LIST
from ansible_collections.siptls.cucm.plugins.module_utils._module import run_module

FACE = face(ROUTE_LIST)

if __name__ == "__main__":
    run_module(FACE)
