# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trunks with TLS that are not ours."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_other_trunks
short_description: The trunks with TLS on a cluster that are not the role's
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Names the SIP trunks with TLS that lead to none of the peers.
options:
  _input:
    description: The trunks, from RV(siptls.cucm.cucm_object_info#module:trunks).
    type: list
    elements: dict
    required: true
  peers:
    description: Names of all peers of the cluster.
    type: list
    elements: str
    required: true
  settings:
    description: The options of role P(siptls.cucm.sip_tls_trunk#role), without their prefix.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Which other trunks have TLS?
  ansible.builtin.debug:
    msg: "{{ standing.trunks | siptls.cucm.sip_tls_other_trunks(peers=['cucm10'], settings=settings) }}"
"""

RETURN = r"""
_value:
  description: Names of trunks.
  type: list
  elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.removal import other_trunks


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_other_trunks": other_trunks}
