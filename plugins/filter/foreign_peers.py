# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the trunks of a cluster lead beyond the recorded clusters."""

from __future__ import annotations

DOCUMENTATION = r"""
name: foreign_peers
short_description: Find the peers outside of the recorded clusters to which trunks lead
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Lists the destinations of SIP trunks that are not nodes of the clusters, and the addresses of external peers.
  - Role P(siptls.cucm.cluster_record#role) uses it.
  - Internal to the roles of this collection. It may change in any release.
positional: clusters
options:
  _input:
    description: Result of M(siptls.cucm.cucm_configuration_info).
    type: dict
    required: true
  clusters:
    description: The results of M(siptls.cucm.cucm_configuration_info) for all clusters.
    type: list
    elements: dict
    required: true
  external:
    description: The peers that are not managed here, as in C(cucm_external_peers). Those with a mistake are left out.
    type: list
    elements: dict
    default: []
  folders:
    description: Folders in which to look for the files of their C(ca_chain).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Find where the trunks lead
  ansible.builtin.set_fact:
    peers: "{{ configuration | siptls.cucm.foreign_peers([configuration]) }}"
"""

RETURN = r"""
_value:
  description: The peers, each with C(address), C(port), C(transport) and C(chain), the CAs (PEM) that the inventory
    names.
  type: list
  elements: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._record import peers
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.external import read_peers


def foreign_peers(
    configuration: Mapping[str, Any],
    clusters: Iterable[Mapping[str, Any]],
    external: Any = (),
    folders: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """The destinations outside of the clusters."""
    named, _problems = read_peers(external, folders=folders)
    return peers.foreign_peers(configuration, clusters=clusters, external=named)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"foreign_peers": foreign_peers}
