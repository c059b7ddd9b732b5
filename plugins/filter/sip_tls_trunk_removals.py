# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to remove again."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_trunk_removals
short_description: The objects towards peers that are to be removed
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Names what P(siptls.cucm.sip_tls_trunk_objects#filter) makes towards the peers, each with C(state=absent), as far as
    nothing else uses it; what has to stay is told with the reason.
  - A route pattern is ours when it leads to our trunk or route list and has a number of the peer's or our description.
    One that leads elsewhere is left alone.
options:
  _input:
    description: Names of the peers.
    type: list
    elements: str
    required: true
  settings:
    description: The options of role P(siptls.cucm.sip_tls_trunk#role), without their prefix.
    type: dict
    required: true
  standing:
    description: Result of M(siptls.cucm.cucm_object_info) with what P(siptls.cucm.sip_tls_removal_questions#filter)
      asks for.
    type: dict
    required: true
  remaining:
    description: Names of the peers that stay.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Work out what to remove
  ansible.builtin.set_fact:
    removals: "{{ ['cucm10'] | siptls.cucm.sip_tls_trunk_removals(settings=settings, standing=standing) }}"
"""

RETURN = r"""
_value:
  description: Lists by the keys C(patterns), C(route_lists), C(route_groups), C(trunks), C(profiles), C(sip_profiles);
    C(stays) and C(foreign) are sentences.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.removal import trunk_removals


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_trunk_removals": trunk_removals}
