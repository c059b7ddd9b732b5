# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory of twins."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rehearsal_inventory
short_description: Make an inventory of twins
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Combines the lab's inventory of twins with the original clusters' variables about trunks and certificates. Nothing
    in it leads to the original clusters.
  - Playbook C(rehearse.yml) uses it.
  - Internal to the roles of this collection. It may change in any release.
positional: twins, stand_ins
options:
  _input:
    description: Variables of the clusters, by inventory name.
    type: dict
    required: true
  twins:
    description: Variables of the twins, by inventory name.
    type: dict
    required: true
  stand_ins:
    description: The lab's list of stand-ins for CAs.
    type: list
    elements: dict
    required: true
  peers:
    description: The lab's list of stand-ins for foreign peers.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Keep the inventory
  ansible.builtin.set_fact:
    found: "{{ given | siptls.cucm.rehearsal_inventory(twins, stand_ins) }}"
"""

RETURN = r"""
_value:
  description: An inventory with the group cucm_clusters.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._record.rehearsal import rehearsal_inventory


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"rehearsal_inventory": rehearsal_inventory}
