# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a cluster with its certificates."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_cluster
short_description: The facts of a cluster with the certificates that its nodes are to present
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Adds what M(siptls.cucm.cucm_csr) and the signing said to the facts of a cluster.
options:
  _input:
    description: The facts of the cluster, from P(siptls.cucm.preflight#filter).
    type: dict
    required: true
  csrs:
    description: Results of M(siptls.cucm.cucm_csr), one per node, each with the node as C(item).
    type: list
    elements: dict
    required: true
  signed:
    description: Results of M(siptls.cucm.ca_sign), each with the C(name) of the node and the C(purpose).
    type: list
    elements: dict
  uploads:
    description: Results of M(siptls.cucm.cucm_cert_upload), each with an element of O(signed) as C(item).
    type: list
    elements: dict
  shared:
    description: Whether all nodes present the publisher's certificate (multi-server).
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Keep what the node is to present
  ansible.builtin.set_fact:
    cluster: "{{ cluster | siptls.cucm.sip_tls_cluster(csrs=csrs.results, signed=signed) }}"
"""

RETURN = r"""
_value:
  description: The facts, with the C(certificates) by node name and the C(chain) of the CA.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.cluster import with_certificates


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_cluster": with_certificates}
