# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a cluster with its certificates."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_removal
short_description: Work out what to remove with the trunks to peers
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Without O(found), names the objects that P(siptls.cucm.sip_tls_trunk_objects#filter) makes for the peers, so that
    M(siptls.cucm.cucm_object_info) can read them and what uses them. With O(found), works out which of them can be
    removed, and which CAs of the peers nothing else needs.
  - A route pattern is ours if it leads to our trunk or route list and has a number of the peer or our description.
  - A CA is kept if it is above an identity certificate of the cluster or above the certificates of a peer that is kept.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: Names of the peers whose trunks are removed.
    type: list
    elements: str
    required: true
  settings:
    description: The options of role P(siptls.cucm.sip_tls_trunk#role), without their prefix.
    type: dict
    required: true
  peers:
    description: Inventory names of all peers of the cluster.
    type: list
    elements: str
    required: true
  clusters:
    description: The facts of the peers, from P(siptls.cucm.preflight#filter).
    type: list
    elements: dict
  external:
    description: The peers that are not managed here, from the facts of the cluster.
    type: list
    elements: dict
  found:
    description: Result of M(siptls.cucm.cucm_object_info) for C(look_up), with C(trunks).
    type: dict
  certificates:
    description: Results of M(siptls.cucm.cucm_certificate_info) for all certificates of the cluster, one per node.
    type: list
    elements: dict
  chain:
    description: The CAs of removed peers that are no longer in the inventory, as PEM.
    type: list
    elements: str
  policy:
    description: V(never) keeps all CAs. V(always) disregards trunks and peers whose CA is not known.
    type: str
    choices: [unused, never, always]
    default: unused
"""

EXAMPLES = r"""
- name: Read the objects for a peer, and what uses them
  siptls.cucm.cucm_object_info:
    objects: "{{ (['cucm10'] | siptls.cucm.sip_tls_removal(settings=settings, peers=peers)).look_up }}"
"""

RETURN = r"""
_value:
  description:
    - C(look_up), a list for O(siptls.cucm.cucm_object_info#module:objects).
    - With O(found) also what to remove, C(patterns), C(route_lists), C(route_groups), C(trunks), C(profiles),
      C(sip_profiles) and C(trust) (PEM), and the sentences C(kept), C(kept_cas) and C(elsewhere).
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.objects import current_peers
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo.removal import objects_to_look_up, removal
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo.trust_removal import Trust
from ansible_collections.siptls.cucm.plugins.module_utils._text import with_harmless


def sip_tls_removal(
    removed: Iterable[str],
    *,
    settings: Mapping[str, Any],
    peers: Sequence[str],
    clusters: Iterable[Mapping[str, Any]] = (),
    external: Iterable[Mapping[str, Any]] = (),
    found: Mapping[str, Any] | None = None,
    certificates: Iterable[Mapping[str, Any]] = (),
    chain: Iterable[str] = (),
    policy: str = "unused",
) -> dict[str, Any]:
    """See the documentation above."""
    names = [str(name) for name in removed]
    everybody = current_peers([*peers, *names], clusters, external)
    asked = {"look_up": objects_to_look_up(names, everybody, settings)}
    if found is None:
        return asked
    trust = Trust.from_results(certificates, policy)
    worked_out = removal(names, everybody, settings, found, trust, chain=chain)
    return {**asked, **with_harmless(worked_out, "kept", "kept_cas", "elsewhere")}


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_removal": sip_tls_removal}
