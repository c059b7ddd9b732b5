# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster needs for its peers."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_trunk_objects
short_description: Work out the objects that a cluster needs for its peers
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Works out security profiles, trunks, route groups, route lists and route patterns for all peers, each as a list for
    O(siptls.cucm.cucm_sip_trunk#module:aggregate) and the same option of the other modules.
  - Trunks that exist already (C(existing) of O(settings)) keep their name and everything that leads to them.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: Inventory names of the peers.
    type: list
    elements: str
    required: true
  clusters:
    description: Facts of the clusters, each with C(name), C(nodes), C(patterns), C(chain).
    type: list
    elements: dict
    required: true
  settings:
    description: The options of role P(siptls.cucm.sip_tls_trunk#role), without their prefix.
    type: dict
    required: true
  own:
    description: Facts of the cluster itself, whose CA it already trusts.
    type: dict
  external:
    description: The peers that are not managed here, from the facts of P(siptls.cucm.preflight#filter).
    type: list
    elements: dict
  found:
    description: Result of M(siptls.cucm.cucm_object_info) for the trunks that exist already, with C(trunks).
    type: dict
  asked:
    description: The hosts of the play; a peer that is not among them was left out by C(--limit).
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Work out the objects
  ansible.builtin.set_fact:
    objects: "{{ ['cucm10'] | siptls.cucm.sip_tls_trunk_objects(clusters=facts, settings=settings) }}"
"""

RETURN = r"""
_value:
  description: Lists by the keys C(profiles), C(trunks), C(route_groups), C(route_lists), C(patterns), C(trust),
    C(waiting), C(peers), C(transit). C(offers) are sentences about trunks without TLS that could be kept.
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Peer, clusters_of, typed_settings
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.existing import with_existing
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.objects import every_peer, trunk_objects
from ansible_collections.siptls.cucm.plugins.module_utils._text import with_harmless


def sip_tls_trunk_objects(
    peers: Iterable[str],
    clusters: Iterable[Mapping[str, Any]],
    settings: Mapping[str, Any],
    *,
    own: Mapping[str, Any] | None = None,
    external: Iterable[Mapping[str, Any]] = (),
    found: Mapping[str, Any] | None = None,
    asked: Sequence[str] | None = None,
) -> dict[str, Any]:
    """See the documentation above."""
    settings = typed_settings(settings)
    everybody = every_peer(peers, clusters_of(clusters), [Peer.from_facts(peer) for peer in external])
    made = trunk_objects(everybody, settings, trusted=(own or {}).get("chain") or (), asked=asked)
    return with_harmless(made if found is None else with_existing(made, found, settings), "offers", "waiting")


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_trunk_objects": sip_tls_trunk_objects}
