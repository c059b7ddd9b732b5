# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster routes through its hubs."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_transit
short_description: List the numbers that a cluster routes through hubs
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - For every cluster that is not a peer, finds the hubs among the peers that lead there through the fewest clusters.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: The clusters, from P(siptls.cucm.sip_tls_sites#filter).
    type: list
    elements: dict
    required: true
  name:
    description: Inventory name of the cluster that routes the numbers.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Work out what the cluster routes through hubs
  ansible.builtin.set_fact:
    transit: "{{ sites | siptls.cucm.sip_tls_transit(inventory_hostname) }}"
"""

RETURN = r"""
_value:
  description: For each cluster that is not a peer and has numbers, its C(name), the hubs that lead there (C(through),
    possibly none), and its C(routes).
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.transit import transit


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_transit": transit}
