# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a cluster with its certificates."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_cluster
short_description: Add the certificates that the nodes will present to the facts of a cluster
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Adds the results of M(siptls.cucm.cucm_csr), of the signing and of the upload to the facts of a cluster.
  - Internal to the roles of this collection. It may change in any release.
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
- name: Keep what the nodes will present
  ansible.builtin.set_fact:
    cluster: "{{ cluster | siptls.cucm.sip_tls_cluster(csrs=csrs.results, signed=signed) }}"
"""

RETURN = r"""
_value:
  description:
    - The facts, with the C(certificates) and C(ec_certificates) by node and the C(chain) of the CA.
    - C(expected) has the SHA-256 of the certificate that each node will present, by node and purpose. C(expected_now)
      leaves out those that check mode only predicts.
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.cluster import expected, with_certificates
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster


def sip_tls_cluster(
    facts: Mapping[str, Any],
    *,
    csrs: Iterable[Mapping[str, Any]],
    signed: Iterable[Mapping[str, Any]] = (),
    uploads: Iterable[Mapping[str, Any]] = (),
    shared: bool = False,
) -> dict[str, Any]:
    """See the documentation above."""
    cluster = with_certificates(Cluster.from_facts(facts), csrs=csrs, signed=signed, uploads=uploads, shared=shared)
    return {
        **cluster.to_facts(),
        "expected": expected(cluster, predicted=True),
        "expected_now": expected(cluster, predicted=False),
    }


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_cluster": sip_tls_cluster}
