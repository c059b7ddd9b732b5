# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which CAs of removed peers can go."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_trust_removals
short_description: The CAs of removed peers that nothing else on the cluster needs
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Judges the CAs of removed peers that stand in C(CallManager-trust). A CA stays when it stands above an identity
    certificate of a node of the cluster or above the certificates of a peer that stays.
options:
  _input:
    description: The CAs of the removed peers, as PEM.
    type: list
    elements: str
    required: true
  held:
    description: The certificates of all nodes of the cluster, from M(siptls.cucm.cucm_certificate_info).
    type: list
    elements: dict
    required: true
  remaining:
    description: The CAs of each peer that stays, as PEM.
    type: list
    elements: list
    required: true
  unknown:
    description: Names of peers that stay and whose CA is not known.
    type: list
    elements: str
  others:
    description: Names of trunks with TLS on the cluster that are not the role's, from
      P(siptls.cucm.sip_tls_other_trunks#filter).
    type: list
    elements: str
  policy:
    description: V(never) keeps all of them; V(always) disregards O(unknown) and O(others).
    type: str
    choices: [unused, never, always]
    default: unused
"""

EXAMPLES = r"""
- name: Work out which CAs go
  ansible.builtin.set_fact:
    trust: "{{ chain | siptls.cucm.sip_tls_trust_removals(held=certificates, remaining=[]) }}"
"""

RETURN = r"""
_value:
  description: C(remove), dictionaries with C(name), C(subject), C(sha256) and C(pem), and C(stay), sentences.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.removal import trust_removals


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_trust_removals": trust_removals}
