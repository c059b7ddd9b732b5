#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_info
short_description: Tell what a CUCM cluster is
version_added: 1.0.0
description:
  - Returns release, AXL version, nodes and their roles, CallManager groups, device pools and the security mode of a
    cluster.
  - It is also the shortest proof that host, HTTPS trust and application account are right.
author:
  - siptls.cucm contributors (@siptls)
requirements:
  - zeep
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.application
  - siptls.cucm.attributes.info
  - siptls.cucm.attributes.cucm
seealso:
  - module: siptls.cucm.cucm_sip_trunk
"""

EXAMPLES = r"""
- name: What is this cluster?
  siptls.cucm.cucm_info:
    host: cucma.example.com
    username: axladmin
    password: "{{ cucm_password }}"
    ca_path: /etc/pki/cucm.pem
  register: cluster

- name: Its nodes
  ansible.builtin.debug:
    msg: "{{ cluster.nodes | map(attribute='name') }}"
"""

RETURN = r"""
version:
  description: The release, as CUCM names it.
  returned: success
  type: str
  sample: 10.5.2.10000-5
axl_version:
  description: The AXL version of the release, which the modules speak.
  returned: success
  type: str
  sample: "10.5"
nodes:
  description: The servers of the cluster without those of IM and Presence, the publisher first.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Host name, FQDN or address, as the cluster has it.
      type: str
    role:
      description: V(Publisher) or V(Subscriber).
      type: str
    address:
      description: Where to reach the node, that is O(host) for the publisher and the name for the others.
      type: str
    description:
      description: Free text.
      type: str
callmanager_groups:
  description: The CallManager groups.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the group.
      type: str
    members:
      description: Its CallManagers in the order of their priority, each with C(callmanager), C(node), C(priority).
      type: list
      elements: dict
device_pools:
  description: The device pools, each with C(name), C(callmanager_group), C(region), C(location).
  returned: success
  type: list
  elements: dict
security_mode:
  description: V(non-secure) or V(mixed); V(unknown) when the account may not ask for it.
  returned: success
  type: str
  sample: non-secure
"""

from ansible_collections.siptls.cucm.plugins.module_utils._axl.info import service
from ansible_collections.siptls.cucm.plugins.module_utils._module import APPLICATION, run_module

if __name__ == "__main__":
    run_module(APPLICATION, service, needs=("requests", "zeep"))
