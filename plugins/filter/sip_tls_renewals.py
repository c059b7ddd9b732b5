# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was due on a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_renewals
short_description: List which certificates of a cluster were due and whether they were renewed
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Makes a row for each certificate that was due, from the results of role P(siptls.cucm.callmanager_certificate#role),
    even if the role ended early.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: Inventory name of the cluster.
    type: str
    required: true
  csrs:
    description: Results of M(siptls.cucm.cucm_csr), each with the node as C(item).
    type: list
    elements: dict
    required: true
  uploads:
    description: Results of M(siptls.cucm.cucm_cert_upload), each with the result of the signing as C(item).
    type: list
    elements: dict
  restarts:
    description: Results of M(siptls.cucm.cucm_service), each with the node as C(item).
    type: list
    elements: dict
  check:
    description: Whether the run was in check mode.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show what was due
  ansible.builtin.debug:
    msg: "{{ inventory_hostname | siptls.cucm.sip_tls_renewals(csrs=csrs.results) | map(attribute='text') }}"
"""

RETURN = r"""
_value:
  description: Rows with C(cluster), C(node), C(state) (V(renewed), V(uploaded), V(pending) or V(due)), C(reason),
    C(days_left), C(not_after) and C(text).
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.renewals import renewals


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_renewals": renewals}
