# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_record
short_description: Make the record of a cluster
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Combines what the modules read from a cluster into one document, from which a lab can make a twin.
  - Role P(siptls.cucm.cluster_record#role) uses it.
  - Internal to the roles of this collection. It may change in any release.
positional: configuration, certificates
options:
  _input:
    description: Inventory name of the cluster.
    type: str
    required: true
  configuration:
    description: Result of M(siptls.cucm.cucm_configuration_info).
    type: dict
    required: true
  certificates:
    description: Results of M(siptls.cucm.cucm_certificate_info), one per node, each with the node as C(item).
    type: list
    elements: dict
    required: true
  trunks:
    description: The trunks that M(siptls.cucm.cucm_sip_trunk_info) returned.
    type: list
    elements: dict
    default: []
  local_patterns:
    description: The cluster's own numbers.
    type: list
    elements: raw
    default: []
  peers:
    description: Results of M(siptls.cucm.sip_tls_probe), one per destination outside of the clusters, each with an
      entry of the filter P(siptls.cucm.foreign_peers#filter) as C(item).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Make the record
  ansible.builtin.set_fact:
    record: "{{ inventory_hostname | siptls.cucm.cluster_record(configuration, certificates.results) }}"
"""

RETURN = r"""
_value:
  description: The record; guide_rehearsal describes its parts.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._record.document import cluster_record


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"cluster_record": cluster_record}
