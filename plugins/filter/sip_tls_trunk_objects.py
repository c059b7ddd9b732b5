# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster needs for its peers."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_trunk_objects
short_description: The objects that a cluster needs for its peers
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Works out security profiles, trunks, route groups, route lists and route patterns towards all peers, each a list
    for O(siptls.cucm.cucm_sip_trunk#module:aggregate) and its kin.
options:
  _input:
    description: Inventory names of the peers.
    type: list
    elements: str
    required: true
  clusters:
    description: Facts of the clusters, each with C(name), C(nodes), C(patterns), C(chain).
    type: list
    elements: dict
    required: true
  settings:
    description: The options of role P(siptls.cucm.sip_tls_trunk#role), without their prefix.
    type: dict
    required: true
  own:
    description: Facts of the cluster itself, whose CA needs no further trust.
    type: dict
  external:
    description: The peers that are not ours to manage, as P(siptls.cucm.preflight_peers#filter) reads them.
    type: list
    elements: dict
  asked:
    description: The hosts of the play; a peer that is not among them was left out by C(--limit).
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Work the objects out
  ansible.builtin.set_fact:
    objects: "{{ ['cucm10'] | siptls.cucm.sip_tls_trunk_objects(clusters=facts, settings=settings) }}"
"""

RETURN = r"""
_value:
  description: Lists by the keys C(profiles), C(trunks), C(route_groups), C(route_lists), C(patterns), C(trust),
    C(waiting), C(peers).
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.objects import trunk_objects


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_trunk_objects": trunk_objects}
