#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of SIP trunks."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_sip_trunk_info
short_description: Show the state of SIP trunks, with the reason in words
version_added: 1.0.0
description:
  - Reads the state of SIP trunks from the real-time information service (RIS) of a cluster, in one request for all.
  - For a trunk that is out of service it looks for the last C(SIPTrunkOOS) alarm in the newest traces of the node
    (Log Collection and DIME) and says what its reason code means and what to do next.
  - CUCM allows 15 such requests per minute and cluster. When the limit is reached, the module waits.
  - CUCM does not know the state of a trunk whose SIP profile has no OPTIONS ping, and for some seconds after a reset
    not that of any trunk. RV(trunks[].in_service) is then null.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.application
  - siptls.cucm.attributes.info
  - siptls.cucm.attributes.cucm
options:
  names:
    description: The trunks to read. The default is all trunks of the cluster.
    type: list
    elements: str
    default: []
  alarms:
    description: Whether to search the traces for the reason why a trunk is out of service.
    type: bool
    default: true
  minutes:
    description: Maximum age, in minutes, of the traces in which the reason is searched.
    type: int
    default: 240
  settle:
    description: How many seconds to wait at most while the state of a trunk is not known. After a reset CUCM knows it
      when the first OPTIONS ping was answered or given up.
    type: float
    default: 0
  counters:
    description: Whether to read the counters of Cisco CallManager on O(host), C(TLSConnectedSIPTrunks) among them.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Is the trunk up?
  siptls.cucm.cucm_sip_trunk_info:
    host: cucma.example.com
    username: "{{ cucm_username }}"
    password: "{{ cucm_password }}"
    names: [TLS-TO-CUCM10]
  register: state

- name: Fail if it is not
  ansible.builtin.assert:
    that: state.trunks | rejectattr('in_service') | length == 0
    fail_msg: "{{ state.trunks | map(attribute='meaning') | join('; ') }}"
"""

RETURN = r"""
trunks:
  description: The trunks, one entry per node that reports it.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Name of the trunk.
      type: str
      returned: always
      sample: "New-Trunk"
    node:
      description: The node that reports it.
      type: str
      returned: always
      sample: "CUCMA"
    status:
      description: The state, as RIS calls it.
      type: str
      returned: always
      sample: Registered
    in_service:
      description: Whether it is in service; null if CUCM does not know.
      type: bool
      returned: always
      sample: false
    status_text:
      description: The state in words.
      type: str
      returned: always
      sample: "out of service"
    status_reason:
      description: The reason code of RIS.
      type: int
      returned: always
      sample: 0
    description:
      description: The trunk's description.
      type: str
      returned: always
      sample: ""
    addresses:
      description: Addresses of its destinations.
      type: list
      elements: str
      returned: always
      sample: ["127.217.105.1"]
    since:
      description: When the state began, in seconds since 1970.
      type: int
      returned: always
      sample: 1795881366
    destinations:
      description: The destinations that the last alarm reports as unavailable, each with its reason, meaning and next
        step.
      type: list
      elements: dict
      returned: always
      sample: [{"host": "127.217.105.1", "address": "127.217.105.1", "port": 5061}]
    reason:
      description: The reason code.
      type: str
      returned: always
      sample: Local=2
    meaning:
      description: What the reason means.
      type: str
      returned: always
      sample: "no connection could be opened; a failed TLS handshake..."
    next_step:
      description: What to do next.
      type: str
      returned: always
      sample: "Look at the handshake with sip_tls_probe or cucm_capt..."
missing:
  description: Names that RIS does not know, because there is no such trunk or because no node has ever used it.
  type: list
  elements: str
  returned: success
  sample: []
counters:
  description: Counters of the node.
  type: dict
  returned: when O(counters=true)
  sample: {"SIP-TLS-cucm10": {"CallsActive": 0}}
"""

from typing import TYPE_CHECKING

from ansible_collections.siptls.cucm.plugins.module_utils._module import APPLICATION, ArgSpec, Face, Outcome, run_module

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

SPEC = APPLICATION + ArgSpec(
    options={
        "names": {"type": "list", "elements": "str", "default": []},
        "alarms": {"type": "bool", "default": True},
        "minutes": {"type": "int", "default": 240},
        "settle": {"type": "float", "default": 0},
        "counters": {"type": "bool", "default": False},
    }
)


def service(task: Task) -> Outcome:
    """Ask RIS, and the traces for reasons."""
    from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces import trunk_state
    from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient

    given = task.params
    result, warnings = trunk_state.gather(
        HttpClient.from_params(given),
        given["names"],
        alarms=given["alarms"],
        counters=given["counters"],
        minutes=given["minutes"],
        settle=given["settle"],
    )
    return Outcome(result=result, warnings=warnings)


FACE = Face(SPEC, service, needs=("requests",))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
