#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_route_pattern
short_description: Manage route patterns of CUCM
version_added: 1.0.0
description:
  - Creates, changes, renames and removes route patterns that send calls to a SIP trunk or to a route list.
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
  pattern:
    description:
    - The digits and wildcards to match.
    - AXL field C(pattern).
    type: str
  <<: &own
    new_pattern:
      description:
      - New digits of the pattern. If O(pattern) no longer exists and this one does, it counts as renamed.
      - AXL field C(newPattern).
      type: str
    description:
      description:
      - Free text.
      - AXL field C(description).
      type: str
    new_partition:
      description:
      - Partition to move the pattern to.
      - AXL field C(newRoutePartitionName).
      type: str
    partition:
      description:
      - Partition of the pattern; V("") is none.
      - AXL field C(routePartitionName).
      type: str
    block_enable:
      description:
      - Block the pattern instead of routing it. A new pattern is not blocked.
      - AXL field C(blockEnable).
      type: bool
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
    use_calling_party_phone_mask:
      description:
      - Use calling party phone mask.
      - One of V(Off), V(On), V(Default).
      - AXL field C(useCallingPartyPhoneMask).
      type: str
    calling_party_prefix_digits:
      description:
      - Calling party prefix digits.
      - AXL field C(callingPartyPrefixDigits).
      type: str
    new_dial_plan:
      description:
      - Dial plan to move the pattern to.
      - AXL field C(newDialPlanName).
      type: str
    dial_plan:
      description:
      - Dial plan of the pattern; required if the pattern contains C(@).
      - AXL field C(dialPlanName).
      type: str
    digit_discard_instructions:
      description:
      - Digit discard instructions.
      - AXL field C(digitDiscardInstructionName).
      type: str
    network_location:
      description:
      - Whether calls are on-net or off-net. A new pattern gets V(OnNet).
      - AXL field C(networkLocation).
      type: str
      choices:
      - OnNet
      - OffNet
      - Use System Default
    urgent_priority:
      description:
      - Route as soon as the pattern matches, without waiting for more digits.
      - AXL field C(patternUrgency).
      type: bool
    prefix_digits_out:
      description:
      - Prefix digits out.
      - AXL field C(prefixDigitsOut).
      type: str
    new_route_filter:
      description:
      - Route filter to move the pattern to.
      - AXL field C(newRouteFilterName).
      type: str
    route_filter:
      description:
      - Route filter of the pattern.
      - AXL field C(routeFilterName).
      type: str
    calling_line_presentation:
      description:
      - Calling line presentation.
      - AXL field C(callingLinePresentationBit).
      type: str
      choices:
      - Default
      - Allowed
      - Restricted
    calling_name_presentation:
      description:
      - Calling name presentation.
      - AXL field C(callingNamePresentationBit).
      type: str
      choices:
      - Default
      - Allowed
      - Restricted
    connected_line_presentation:
      description:
      - Connected line presentation.
      - AXL field C(connectedLinePresentationBit).
      type: str
      choices:
      - Default
      - Allowed
      - Restricted
    connected_name_presentation:
      description:
      - Connected name presentation.
      - AXL field C(connectedNamePresentationBit).
      type: str
      choices:
      - Default
      - Allowed
      - Restricted
    support_overlap_sending:
      description:
      - Support overlap sending.
      - AXL field C(supportOverlapSending).
      type: bool
    pattern_precedence:
      description:
      - Pattern precedence.
      - AXL field C(patternPrecedence).
      type: str
      choices:
      - Flash Override
      - Flash
      - Immediate
      - Priority
      - Routine
      - Default
      - Executive Override
    release_cause:
      description:
      - Release cause.
      - AXL field C(releaseClause).
      type: str
      choices:
      - No Error
      - Unallocated Number
      - Call Rejected
      - Number Changed
      - Invalid Number Format
      - Precedence Level Exceeded
    allow_device_override:
      description:
      - Allow device override.
      - AXL field C(allowDeviceOverride).
      type: bool
    provide_outside_dialtone:
      description:
      - Play outside dial tone. CUCM's own default is true.
      - AXL field C(provideOutsideDialtone).
      type: bool
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
    gateway:
      description:
      - Name of the SIP trunk or gateway to route calls to. Excludes O(route_list).
      - AXL field C(gatewayName).
      type: str
    route_list:
      description:
      - Name of the route list to route calls to. Excludes O(gateway).
      - AXL field C(routeListName).
      type: str
    authorization_code_required:
      description:
      - Authorization code required.
      - AXL field C(authorizationCodeRequired).
      type: bool
    authorization_level_required:
      description:
      - Authorization level required.
      - AXL field C(authorizationLevelRequired).
      type: int
    client_code_required:
      description:
      - Client code required.
      - AXL field C(clientCodeRequired).
      type: bool
    isdn_nsf:
      description:
      - Isdn nsf.
      - AXL field C(isdnNsfInfoElement).
      type: dict
      suboptions:
        cic:
          description:
          - Cic.
          - AXL field C(cic).
          type: str
        network_service_protocol:
          description:
          - Network service protocol.
          - AXL field C(networkServiceProtocol).
          type: str
        network_service:
          description:
          - Network service.
          - AXL field C(networkService).
          type: str
        param_value:
          description:
          - Param value.
          - AXL field C(paramValue).
          type: str
    resource_priority_namespace:
      description:
      - Resource priority namespace.
      - AXL field C(resourcePriorityNamespaceName).
      type: str
    route_class:
      description:
      - Route class.
      - AXL field C(routeClass).
      type: str
      choices:
      - Default
      - Voice
      - Data
      - Satellite Avoidance
      - Hotline Voice
      - Hotline Data
    enable_dcc_enforcement:
      description:
      - Enable dcc enforcement.
      - AXL field C(enableDccEnforcement).
      type: bool
    blocked_call_percentage:
      description:
      - Percentage of calls to block; requires O(enable_dcc_enforcement).
      - AXL field C(blockedCallPercentage).
      type: str
    external_call_control:
      description:
      - External call control.
      - AXL field C(externalCallControl), releases 10.0 and later.
      type: str
    emergency_service_number:
      description:
      - Emergency service number.
      - AXL field C(isEmergencyServiceNumber), releases 11.0 and later.
      type: bool
  aggregate:
    description:
    - Many objects in one task. Each entry takes the options of a single route pattern; the task's own options
      are the defaults of the entries.
    - Excludes O(pattern). Objects are read in parallel and written in order.
    type: list
    elements: dict
    suboptions:
      <<: *own
      pattern:
        description:
        - The digits and wildcards to match.
        - AXL field C(pattern).
        type: str
        required: true
      state:
        description:
        - As O(state), for this entry.
        type: str
        choices:
        - present
        - absent
  purge:
    description:
    - Remove every route pattern that matches these prefixes and that O(aggregate) does not name.
    - An object has to match all given prefixes; at least one prefix must not be empty.
    type: dict
    suboptions:
      prefix:
        description:
        - Beginning of the pattern.
        type: str
      partition_prefix:
        description:
        - Beginning of the name of the partition.
        type: str
  # Generated from the field table: end
seealso:
  - module: siptls.cucm.cucm_sip_trunk
  - module: siptls.cucm.cucm_route_list
"""

EXAMPLES = r"""
- name: Send 9898 over the trunk
  siptls.cucm.cucm_route_pattern:
    host: cucma.example.com
    username: axladmin
    password: "{{ cucm_password }}"
    pattern: "9898"
    gateway: TLS-TO-CUCM10

- name: Keep only these patterns in the partitions whose names begin with TLS
  siptls.cucm.cucm_route_pattern:
    host: cucma.example.com
    username: axladmin
    password: "{{ cucm_password }}"
    partition: TLS_PT
    route_list: RL_TLS
    aggregate:
      - pattern: 98XX
      - pattern: 99XX
    purge:
      partition_prefix: TLS
"""

RETURN = r"""
name:
  description: The name of the object, or the pattern.
  returned: success, without O(aggregate)
  type: str
  sample: "9898"
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
  sample: {"pattern": "9898", "usage": "Route", "block_enable": false}
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
  sample: ["added route pattern 9898"]
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
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.route_pattern import ROUTE_PATTERN
from ansible_collections.siptls.cucm.plugins.module_utils._module import run_module

FACE = face(ROUTE_PATTERN)

if __name__ == "__main__":
    run_module(FACE)
