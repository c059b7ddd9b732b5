# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peers of a cluster, read and judged."""

from __future__ import annotations

DOCUMENTATION = r"""
name: preflight_peers
short_description: The facts of a cluster with its peers, those that are not ours among them
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Adds the peers to the facts of a cluster, and what is wrong with them to its C(problems).
  - Reads the files that C(ca_chain) of an external peer names.
options:
  _input:
    description: The facts of the cluster, from P(siptls.cucm.preflight#filter).
    type: dict
    required: true
  peers:
    description: Inventory names of the peers.
    type: list
    elements: str
    default: []
  external:
    description: The peers that are not ours to manage, as C(cucm_external_peers) of role
      P(siptls.cucm.preflight#role) has them.
    type: list
    elements: dict
  hosts:
    description: Names of all clusters of the inventory.
    type: list
    elements: str
    default: []
  folders:
    description: Where a relative file of C(ca_chain) is looked for, in this order.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Add the peers
  ansible.builtin.set_fact:
    cluster: "{{ cluster | siptls.cucm.preflight_peers(['cucm10'], cucm_external_peers, hosts=['cucma', 'cucm10']) }}"
"""

RETURN = r"""
_value:
  description: The facts, with C(peers), C(external) and more C(problems).
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.peers import with_peers


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"preflight_peers": with_peers}
