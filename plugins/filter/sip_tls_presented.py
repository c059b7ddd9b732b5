# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates that a node is to present."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_presented
short_description: The certificates that a node is to present
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Gives the SHA-256 fingerprint of the certificate that a node is to present on its SIP port, by purpose.
  - Roles of the collection use it.
positional: node, purposes
options:
  _input:
    description: The facts of the cluster, from P(siptls.cucm.sip_tls_cluster#filter).
    type: dict
    required: true
  node:
    description: Name of the node.
    type: str
    required: true
  purposes:
    description: The purposes; without it, both that a SIP port can present.
    type: list
    elements: str
  predicted:
    description: Whether certificates that check mode only predicts count.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Keep it
  ansible.builtin.set_fact:
    wanted: "{{ cluster | siptls.cucm.sip_tls_presented('CUCMA') }}"
"""

RETURN = r"""
_value:
  description: SHA-256 fingerprints by purpose.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.cluster import presented


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_presented": presented}
