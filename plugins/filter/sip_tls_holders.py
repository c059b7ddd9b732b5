# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each node once per purpose of its certificates."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_holders
short_description: Each node once per purpose of its certificates
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Gives the items of a loop over nodes and the purposes of their certificates.
  - Roles of the collection use it.
positional: purposes
options:
  _input:
    description: The nodes, each with C(name) and C(address).
    type: list
    elements: dict
    required: true
  purposes:
    description: The purposes, such as V(CallManager-ECDSA).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Keep it
  ansible.builtin.set_fact:
    holders: "{{ nodes | siptls.cucm.sip_tls_holders(['CallManager', 'CallManager-ECDSA']) }}"
"""

RETURN = r"""
_value:
  description: The nodes, each with its C(purpose).
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.cluster import holders


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_holders": holders}
