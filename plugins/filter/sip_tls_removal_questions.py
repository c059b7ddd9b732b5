# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to ask for before a removal."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_removal_questions
short_description: The objects towards peers, to be asked for before they are removed
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Names what P(siptls.cucm.sip_tls_trunk_objects#filter) makes towards the peers, in the form of
    O(siptls.cucm.cucm_object_info#module:objects).
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
  numbers:
    description: The peers' numbers.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Ask for what stands
  siptls.cucm.cucm_object_info:
    objects: "{{ ['cucm10'] | siptls.cucm.sip_tls_removal_questions(settings=settings, numbers=['9898']) }}"
"""

RETURN = r"""
_value:
  description: Dictionaries with C(kind), C(name) and, of a route pattern, C(partition).
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.removal import removal_questions


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_removal_questions": removal_questions}
