# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clusters of an inventory and their peers, where some are hubs."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_sites
short_description: List the clusters of an inventory with hubs, with their peers and numbers
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Reads C(cucm_transit), C(cucm_peers) and C(cucm_local_patterns) of every cluster of the inventory, including those
    that the run leaves out.
  - Without C(cucm_peers) the peers of a hub are all other clusters, and those of any other cluster are the hubs.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: The variables of the hosts, C(hostvars).
    type: dict
    required: true
  hosts:
    description: Names of all clusters of the inventory.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Work out which clusters lead to each other through hubs
  ansible.builtin.set_fact:
    sites: "{{ hostvars | siptls.cucm.sip_tls_sites(hosts=groups.cucm_clusters) }}"
"""

RETURN = r"""
_value:
  description: For each cluster its C(name), C(transit) (whether it is a hub), C(peers) and C(routes) (its numbers, each
    as options of a route pattern). Empty if no cluster is a hub.
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.transit import sites


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_sites": sites}
