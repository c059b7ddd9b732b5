#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_configuration_info
short_description: Get the configuration behind SIP trunks and calls
version_added: 1.0.0
description:
  - Returns nodes, CallManager groups, device pools, partitions, calling search spaces, SIP profiles, security profiles,
    SIP trunks, route groups, route lists and patterns of a CUCM cluster with all their fields, by AXL's own names, and
    the services of each node.
  - It reads every object of these kinds. M(siptls.cucm.cucm_info) is faster and enough for most purposes.
  - A part that the account may not read is named in RV(not_read) and does not fail the task.
author:
  - siptls.cucm contributors (@siptls)
requirements:
  - zeep
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.application
  - siptls.cucm.attributes.info
  - siptls.cucm.attributes.cucm
options:
  numbers:
    description:
      - Whether RV(lines) contains the directory numbers of the phones; otherwise it only counts them.
    type: bool
    default: false
  addresses:
    description: Addresses of nodes by their names, if the controller cannot reach a node by the cluster's name for it.
    type: dict
    default: {}
seealso:
  - module: siptls.cucm.cucm_info
"""

EXAMPLES = r"""
- name: Get the configuration of a cluster
  siptls.cucm.cucm_configuration_info:
    host: cucma.example.com
    username: axladmin
    password: "{{ cucm_password }}"
    ca_path: /etc/pki/cucm.pem
  register: configuration

- name: Show the SIP trunks with all their fields
  ansible.builtin.debug:
    msg: "{{ configuration.objects.SipTrunk }}"
"""

RETURN = r"""
version:
  description: The version number of the release.
  returned: success
  type: str
  sample: 10.5.2.10000-5
axl_version:
  description: The AXL version of the release.
  returned: success
  type: str
  sample: "10.5"
security_mode:
  description: V(non-secure) or V(mixed); V(unknown) if the account has no right to read it.
  returned: success
  type: str
  sample: non-secure
nodes:
  description: The servers of the cluster except IM and Presence, the publisher first, each with C(name), C(role),
    C(address) and C(description).
  returned: success
  type: list
  elements: dict
  sample: [{"name": "CUCMA", "role": "Publisher", "address": "127.217.91.1"}]
objects:
  description: By AXL's name of the kind, such as C(SipTrunk), the objects with all their fields as text.
  returned: success
  type: dict
  sample: {"ProcessNode": [{"name": "EnterpriseWideData", "nodeUsage": "Publisher"}]}
parameters:
  description: Enterprise parameters about security, ciphers and names.
  returned: success
  type: dict
  sample: {ClusterSecurityMode: "0"}
lines:
  description: The lines of phones, grouped by the settings that decide where their calls go.
  returned: success
  type: list
  elements: dict
  contains:
    partition:
      description: Partition of the lines; empty for none.
      type: str
      sample: ""
    line_search_space:
      description: Calling search space of the lines.
      type: str
      sample: ""
    device_search_space:
      description: Calling search space of the phones.
      type: str
      sample: ""
    device_pool:
      description: Device pool of the phones.
      type: str
      sample: "Default"
    count:
      description: Number of different directory numbers.
      type: int
      sample: 1
    numbers:
      description: The directory numbers, at most 1,000 per group; only if O(numbers=true).
      type: list
      elements: str
      sample: ["1018"]
services:
  description: The status of each service, by node; V(Not activated) for a feature service that is not activated.
  returned: success
  type: dict
  sample: {CUCMA: {Cisco CallManager: Started}}
not_read:
  description: A sentence for each part that could not be read.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.siptls.cucm.plugins.module_utils._module import Face, run_module
from ansible_collections.siptls.cucm.plugins.module_utils._record.configuration import SPEC, service

FACE = Face(SPEC, service, needs=("requests", "zeep"))


if __name__ == "__main__":
    run_module(FACE)
