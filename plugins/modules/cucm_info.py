#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_info
short_description: Get facts about a CUCM cluster
version_added: 1.0.0
description:
  - Returns release, AXL version, nodes and their roles, CallManager groups, device pools and the security mode of a
    cluster.
  - It is also the quickest way to check host, HTTPS trust and application account.
  - It can also get security profiles, SIP trunks, the rights of the account, and whether objects exist, in the
    same session and without changing anything.
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
  gather:
    description:
      - V(security_profiles) and V(sip_trunks) list all of them with the settings that matter for TLS.
      - V(rights) gets the roles of the account and whether the Control Center accepts it.
      - V(services) gets which feature services are activated on which node.
      - V(certificate_users) gets what uses the CallManager certificates over TLS besides phones, such as SIP trunks,
        conference bridges and CTI applications.
      - V(phones) gets which phones are registered, from RIS (Real-Time Information Service).
      - V(dial_plan) gets everything that decides where a dialed number goes. It reads every pattern and line of the
        cluster.
    type: list
    elements: str
    choices: [security_profiles, sip_trunks, rights, dial_plan, services, certificate_users, phones]
    default: []
  look_up:
    description: Objects to look up by name; RV(found) contains those that exist, RV(missing) names the others.
    type: dict
    suboptions:
      aar_groups:
        description: Names of AAR groups.
        type: list
        elements: str
        default: []
      calling_search_spaces:
        description: Names of calling search spaces.
        type: list
        elements: str
        default: []
      common_device_configurations:
        description: Names of common device configurations.
        type: list
        elements: str
        default: []
      device_pools:
        description: Names of device pools.
        type: list
        elements: str
        default: []
      dial_plans:
        description: Names of dial plans.
        type: list
        elements: str
        default: []
      digit_discard_instructions:
        description: Names of digit discard instructions.
        type: list
        elements: str
        default: []
      external_call_control_profiles:
        description: Names of external call control profiles.
        type: list
        elements: str
        default: []
      geo_location_filters:
        description: Names of geolocation filters.
        type: list
        elements: str
        default: []
      geo_locations:
        description: Names of geolocations.
        type: list
        elements: str
        default: []
      locations:
        description: Names of locations.
        type: list
        elements: str
        default: []
      media_resource_group_lists:
        description: Names of media resource group lists.
        type: list
        elements: str
        default: []
      normalization_scripts:
        description: Names of SIP normalization scripts.
        type: list
        elements: str
        default: []
      partitions:
        description: Names of partitions.
        type: list
        elements: str
        default: []
      presence_groups:
        description: Names of presence groups.
        type: list
        elements: str
        default: []
      resource_priority_namespaces:
        description: Names of resource priority namespaces.
        type: list
        elements: str
        default: []
      route_filters:
        description: Names of route filters.
        type: list
        elements: str
        default: []
      security_profiles:
        description: Names of SIP trunk security profiles.
        type: list
        elements: str
        default: []
      sip_profiles:
        description: Names of SIP profiles.
        type: list
        elements: str
        default: []
      sip_trunks:
        description: Names of SIP trunks.
        type: list
        elements: str
        default: []
      route_patterns:
        description: Route patterns.
        type: list
        elements: dict
        default: []
        suboptions:
          pattern:
            description: The pattern as configured on CUCM.
            type: str
            required: true
          partition:
            description: Its partition; empty for none.
            type: str
            default: ""
seealso:
  - module: siptls.cucm.cucm_sip_trunk
"""

EXAMPLES = r"""
- name: Get the facts of a cluster
  siptls.cucm.cucm_info:
    host: cucma.example.com
    username: axladmin
    password: "{{ cucm_password }}"
    ca_path: /etc/pki/cucm.pem
  register: cluster

- name: Show its nodes
  ansible.builtin.debug:
    msg: "{{ cluster.nodes | map(attribute='name') }}"

- name: Find out where 9898 is routed, and whether there is a device pool Branch
  siptls.cucm.cucm_info:
    host: cucma.example.com
    username: axladmin
    password: "{{ cucm_password }}"
    look_up:
      route_patterns: [{pattern: "9898"}]
      device_pools: [Branch]
"""

RETURN = r"""
version:
  description: The version number of the release.
  returned: success
  type: str
  sample: 10.5.2.10000-5
release:
  description:
    - The release as Cisco names it, with its service update.
    - Null if the service update is not known, because it is an engineering special or newer than this collection.
  returned: success
  type: str
  sample: 10.5(2)SU2
axl_version:
  description: The AXL version of the release, which the modules use.
  returned: success
  type: str
  sample: "10.5"
legacy_crypto:
  description: Whether the release supports only TLS 1.0 and SHA-1 (up to 10.5).
  returned: success
  type: bool
  version_added: 1.0.0
  sample: true
itl_recovery:
  description: Whether the ITLRecovery certificate signs the CTL and ITL files (from 12.0 on). Before, that of
    CallManager does.
  returned: success
  type: bool
  version_added: 1.0.0
  sample: false
nodes:
  description: The servers of the cluster except IM and Presence, the publisher first.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Host name, FQDN or address, as configured on the cluster.
      type: str
      sample: "CUCMA"
    role:
      description: V(Publisher) or V(Subscriber).
      type: str
      sample: "Publisher"
    address:
      description: Where to reach the node. For the publisher this is O(host), for the other nodes their name.
      type: str
      sample: "127.217.91.1"
    description:
      description: Free text.
      type: str
      sample: "CUCMA"
callmanager_groups:
  description: The CallManager groups.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the group.
      type: str
      sample: "Default"
    members:
      description: Its CallManagers in the order of their priority, each with C(callmanager), C(node), C(priority).
      type: list
      elements: dict
      sample: [{"callmanager": "CM_CUCMA", "node": "CUCMA", "priority": 0}]
device_pools:
  description: The device pools, each with C(name), C(callmanager_group), C(region), C(location).
  returned: success
  type: list
  elements: dict
  sample: [{"name": "Default", "callmanager_group": "Default", "region": "Default"}]
security_mode:
  description: V(non-secure) or V(mixed); V(unknown) if the account has no right to read it.
  returned: success
  type: str
  sample: non-secure
phone_security:
  description: In mixed mode, how many phones have a security profile of each mode (V(Non Secure), V(Authenticated),
    V(Encrypted)). Null in non-secure mode, and if the account has no right to read it.
  returned: success
  type: dict
  sample: {Encrypted: 120, Non Secure: 14}
security_profiles:
  description: The SIP trunk security profiles, each with C(name), C(security_mode), C(incoming_transport),
    C(incoming_port), C(x509_subject_names).
  returned: when O(gather) has V(security_profiles)
  type: list
  elements: dict
  sample: ["SIP TLS cucm10"]
sip_trunks:
  description: The SIP trunks, each with C(name), C(security_profile), C(sip_profile), C(srtp_allowed).
  returned: when O(gather) has V(sip_trunks)
  type: list
  elements: dict
  sample: ["SIP-TLS-cucm10"]
rights:
  description: The rights of the account.
  returned: when O(gather) has V(rights)
  type: dict
  contains:
    roles:
      description: Names of the roles of the account; null if the cluster does not show them.
      type: list
      elements: str
      sample: ["Standard AXL API Access"]
    control_center:
      description: Why the Control Center rejected the account; empty if it did not.
      type: str
      sample: "ok"
services:
  description: Each with C(node), C(service) and C(activated); null if the account may not read them.
  returned: when O(gather) has V(services)
  type: list
  elements: dict
  sample: [{"node": "CUCMA", "name": "Cisco CallManager"}]
certificate_users:
  description: What uses the CallManager certificates over TLS besides phones. CUCM does not know what these trust.
  returned: when O(gather) has V(certificate_users)
  type: dict
  version_added: 1.0.0
  contains:
    sip_trunks:
      description: SIP trunks with a TLS security profile, each with C(name) and C(destinations).
      type: list
      elements: dict
      sample: ["SBC"]
    conference_bridges:
      description: Conference bridges with a secure profile or HTTPS, each with C(name), C(product) and C(address).
      type: list
      elements: dict
      sample: ["CFB-1"]
    expressways:
      description: Expressway-C servers that the cluster lists (from release 12.5 on), each with C(name).
      type: list
      elements: dict
      sample: ["exp.example.com"]
    cti_users:
      description: Users who are members of the group Standard CTI Secure Connection, each with C(name).
      type: list
      elements: dict
      sample: ["cti"]
    unknown:
      description: The keys that the account may not read.
      type: list
      elements: str
      sample: ["cti_users"]
phones:
  description: Which phones are registered with the cluster, from RIS.
  returned: when O(gather) has V(phones)
  type: dict
  version_added: 1.0.0
  contains:
    registered:
      description: The number of registered phones; null if RIS could not be asked. RIS may count at most 1,000.
      type: int
      sample: 214
    names:
      description: Their names, if RV(phones.listed).
      type: list
      elements: str
      sample: ["SEP00000001001"]
    listed:
      description: Whether the cluster has fewer than 1,000 phones, the limit up to which RIS lists names.
      type: bool
      sample: true
    not_registered:
      description: Names of phones that RIS knows and that are not registered with any node, at most 1,000 per state.
      type: list
      elements: str
      sample: ["SEP00000001002"]
    unknown:
      description: Why RIS could not be asked; empty if it could.
      type: str
      sample: ""
dial_plan:
  description:
    - Everything that decides where a dialed number goes, for P(siptls.cucm.sip_tls_call_paths#filter).
  returned: when O(gather) has V(dial_plan)
  type: dict
  contains:
    search_spaces:
      description: The partitions of each calling search space, in order.
      type: dict
      sample: {"CSS-Phones": ["PT-Phones"]}
    scheduled_partitions:
      description: Partitions with a time schedule.
      type: list
      elements: str
      sample: ["PT-Night"]
    patterns:
      description: Route patterns, translation patterns and hunt pilots with what they do to the called number.
      type: list
      elements: dict
      sample: [{"pattern": "9898", "partition": ""}]
    lines:
      description: By partition, the directory numbers, those of them that are urgent and those that no device has.
      type: dict
      sample: {"numbers": ["1018"]}
    trunks:
      description: Calling search space, significant digits and prefix of each SIP trunk for incoming calls.
      type: list
      elements: dict
      sample: [{"name": "SIP-TLS-cucm10"}]
    route_lists:
      description: The devices behind each route list, in order.
      type: list
      elements: dict
      sample: [{"name": "RL-cucm10"}]
    callers:
      description: The phones by the calling search spaces of line and device, with their count and the number of one of
        them.
      type: list
      elements: dict
      sample: [{"partitions": ["PT-Phones"]}]
    unknown:
      description: A sentence for what could not be read.
      type: list
      elements: str
      sample: ["patterns"]
found:
  description: The objects that O(look_up) found.
  returned: when O(look_up) is given
  type: dict
  contains:
    sip_trunks:
      description: The SIP trunks, each with C(name), C(description), C(security_profile), C(sip_profile),
        C(srtp_allowed), C(destinations).
      type: list
      elements: dict
      sample: [{"name": "SIP-TLS-cucm10"}]
    other_devices:
      description: Names from O(look_up.sip_trunks) that belong to devices of other kinds.
      type: list
      elements: str
      sample: [{"name": "GW-1"}]
    route_patterns:
      description: The route patterns, each with C(pattern), C(partition), C(gateway), C(route_list), and the C(devices)
        that its calls are routed to.
      type: list
      elements: dict
      sample: [{"pattern": "9898"}]
missing:
  description: What O(look_up) did not find, by its options; names, and for C(route_patterns) pattern and partition.
  returned: when O(look_up) is given
  type: dict
  sample: {"device_pool": ["DP-SIP"]}
"""

from ansible_collections.siptls.cucm.plugins.module_utils._axl.info import SPEC, service
from ansible_collections.siptls.cucm.plugins.module_utils._module import Face, run_module

FACE = Face(SPEC, service, needs=("requests", "zeep"))


if __name__ == "__main__":
    run_module(FACE)
