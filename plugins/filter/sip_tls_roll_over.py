# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phase of a CA roll-over, from facts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_roll_over
short_description: Work out the phase of a CA roll-over and what is left to do in it
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Works out from the trust stores and certificates of all nodes whether the new CA has to be distributed, certificates
    have to be signed by it, or the old CAs have to be removed.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: The facts of the clusters that were read, from P(siptls.cucm.preflight#filter).
    type: list
    elements: dict
    required: true
  hosts:
    description: Names of all clusters of the inventory.
    type: list
    elements: str
    required: true
  ready:
    description: Names of the external peers that trust the new CA, as a list or separated by commas.
    type: raw
  made:
    description: The chain of a new CA that the facts do not contain yet, as PEM, the CA first.
    type: list
    elements: str
  to_be_made:
    description: Whether the new CA does not exist yet, and O(made) is a prediction.
    type: bool
    default: false
  blind:
    description: Whether to continue if it is not known which certificate a port presents.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Find out the phase
  ansible.builtin.set_fact:
    state: "{{ facts | siptls.cucm.sip_tls_roll_over(hosts=groups.cucm_clusters) }}"
"""

RETURN = r"""
_value:
  description:
    - C(active), whether old CAs are named; C(phase), V(trust), V(sign), V(retire) or V(done); C(text), a sentence.
    - C(problems), why no phase may begin, and C(blocked), why this one may not, as sentences.
    - C(leaves), each certificate that is presented to peers, with C(cluster), C(node), C(purpose), C(issuer), C(under)
      (V(new), V(old), V(self-signed), V(other)) and C(served); C(certificates), the same in words.
    - C(lacking), by cluster and node the CAs to add, and C(holding), by cluster the CAs to remove, both as PEM;
      C(unsigned), the clusters to sign for; C(new) and C(old), the CAs.
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.roll_over import roll_over
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import clusters_of


def sip_tls_roll_over(
    facts: Iterable[Mapping[str, Any]],
    *,
    hosts: Sequence[str],
    ready: Any = (),
    made: Sequence[str] = (),
    to_be_made: bool = False,
    blind: bool = False,
) -> dict[str, Any]:
    """See the documentation above."""
    names = ready.split(",") if isinstance(ready, str) else list(ready or ())
    ready_names = [name for peer in names if (name := str(peer).strip())]
    return roll_over(clusters_of(facts), hosts=hosts, ready=ready_names, made=made, to_be_made=to_be_made, blind=blind)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_roll_over": sip_tls_roll_over}
