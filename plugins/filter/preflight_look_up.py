# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to look up on a cluster before anything is changed."""

from __future__ import annotations

DOCUMENTATION = r"""
name: preflight_look_up
short_description: List what has to be looked up on a cluster before trunks are created
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Lists the objects that trunks to these peers would need or conflict with, for
    O(siptls.cucm.cucm_info#module:look_up).
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: Inventory names of the peers.
    type: list
    elements: str
    required: true
  settings:
    description: The options of role P(siptls.cucm.sip_tls_trunk#role), without their prefix.
    type: dict
    required: true
  patterns:
    description: The peers' own numbers.
    type: list
    elements: str
  external:
    description: The peers that are not managed here, as in C(cucm_external_peers), not checked yet.
    type: list
    elements: dict
"""

EXAMPLES = r"""
- name: Look up what trunks to cucm10 would need
  siptls.cucm.cucm_info:
    look_up: "{{ ['cucm10'] | siptls.cucm.preflight_look_up(settings=settings, patterns=['9898']) }}"
"""

RETURN = r"""
_value:
  description: Lists of names by the suboptions of O(siptls.cucm.cucm_info#module:look_up).
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.objects import look_up


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"preflight_look_up": look_up}
