# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which old CAs a cluster no longer needs."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_old_cas
short_description: List the old CAs that nothing on a cluster needs any more
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Applies the rules of P(siptls.cucm.sip_tls_removal#filter) to the CAs that a roll-over replaced.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: The CAs to remove, as PEM.
    type: list
    elements: str
    required: true
  certificates:
    description: Results of M(siptls.cucm.cucm_certificate_info) for all certificates of the cluster, one per node.
    type: list
    elements: dict
    required: true
  trunks:
    description: The trunks of the cluster, from M(siptls.cucm.cucm_object_info).
    type: list
    elements: dict
  settings:
    description: The options of role P(siptls.cucm.sip_tls_trunk#role), without their prefix.
    type: dict
    required: true
  peers:
    description: Names of all peers of the cluster, by which our trunks are recognized.
    type: list
    elements: str
  external:
    description: The peers that are not managed here, from the facts of the cluster.
    type: list
    elements: dict
  policy:
    description: V(never) keeps all CAs. V(always) disregards trunks and peers whose CA is not known.
    type: str
    choices: [unused, never, always]
    default: unused
"""

EXAMPLES = r"""
- name: Work out which of them can be removed
  ansible.builtin.set_fact:
    removal: "{{ old | siptls.cucm.sip_tls_old_cas(certificates=read.results, settings=settings) }}"
"""

RETURN = r"""
_value:
  description: C(trust), the CAs to remove as PEM, and C(kept_cas), sentences about those that something needs.
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Peer
from ansible_collections.siptls.cucm.plugins.module_utils._roles.removal import other_trunks
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trust_removal import Trust
from ansible_collections.siptls.cucm.plugins.module_utils._text import with_harmless


def sip_tls_old_cas(
    old: Iterable[str],
    *,
    certificates: Iterable[Mapping[str, Any]],
    settings: Mapping[str, Any],
    trunks: Iterable[Mapping[str, Any]] = (),
    peers: Sequence[str] = (),
    external: Iterable[Mapping[str, Any]] = (),
    policy: str = "unused",
) -> dict[str, list[str]]:
    """See the documentation above."""
    kept = [Peer.from_facts(peer) for peer in external]
    others = other_trunks(trunks, [*peers, *(peer.name for peer in kept)], settings)
    return with_harmless(Trust.from_results(certificates, policy).removals(old, kept, others), "kept_cas")


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_old_cas": sip_tls_old_cas}
