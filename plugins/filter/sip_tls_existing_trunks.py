# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trunks that were there before."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_existing_trunks
short_description: Take trunks that were there before in the place of new ones
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Puts trunks that exist already into the objects of P(siptls.cucm.sip_tls_trunk_objects#filter), under their own name
    and with the patterns and groups that lead to them.
options:
  _input:
    description: The objects, from P(siptls.cucm.sip_tls_trunk_objects#filter).
    type: dict
    required: true
  standing:
    description: Result of M(siptls.cucm.cucm_object_info) for these trunks.
    type: dict
    required: true
  settings:
    description: The options of role P(siptls.cucm.sip_tls_trunk#role), without their prefix; C(existing) is in it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Keep the trunk that is there
  ansible.builtin.set_fact:
    objects: >-
      {{ objects | siptls.cucm.sip_tls_existing_trunks(standing=standing, settings=settings) }}
"""

RETURN = r"""
_value:
  description: The objects, with the same keys.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.existing import adopted


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_existing_trunks": adopted}
