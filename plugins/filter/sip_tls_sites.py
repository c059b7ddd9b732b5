# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clusters of an inventory and their peers, where some are hubs."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_sites
short_description: Work out what each cluster of an inventory routes through hubs
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Reads C(cucm_transit), C(cucm_peers) and C(cucm_local_patterns) of every cluster of the inventory, including those
    that the run leaves out.
  - A call takes a way with the fewest hubs. Several hubs with ways of one length are named in the order of the peers.
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
  description: By cluster its C(peers), the C(hubs) of the inventory, and C(transit), the clusters that are not its
    peers, each with its C(name), the hubs among the peers that lead there (C(through)) and its numbers (C(routes)), as
    options of route patterns. Empty if no cluster is a hub.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.transit import sites


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_sites": sites}
