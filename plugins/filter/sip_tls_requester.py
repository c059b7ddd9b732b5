# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names a node may have in its certificate."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_requester
short_description: Work out which names a node may have in its certificate
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Works out which names belong to a node, to its cluster, and to the other clusters and external peers, for the option
    O(siptls.cucm.ca_sign#module:requester) of M(siptls.cucm.ca_sign).
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: The facts of the cluster, from P(siptls.cucm.preflight#filter).
    type: dict
    required: true
  node:
    description: The name of the node.
    type: str
    required: true
  variables:
    description: C(hostvars), for the facts and the addresses of the clusters.
    type: dict
    default: {}
  hosts:
    description: The inventory names of all clusters.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Have the CSR signed, unless it contains the name of another cluster
  siptls.cucm.ca_sign:
    csr: "{{ csr.csr }}"
    path: "{{ playbook_dir }}/ca"
    requester: >-
      {{ preflight_cluster | siptls.cucm.sip_tls_requester('CUCMA', variables=hostvars, hosts=groups.cucm_clusters) }}
"""

RETURN = r"""
_value:
  description: The owner of each name.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.owners import requester
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster


def sip_tls_requester(cluster: Mapping[str, Any], node: str, **more: Any) -> dict[str, Any]:
    """See the documentation above."""
    return requester(Cluster.from_facts(cluster), node, **more)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_requester": sip_tls_requester}
