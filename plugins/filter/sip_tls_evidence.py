# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence of one cluster for the verdict."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_evidence
short_description: Collect the evidence about one cluster for the verdict
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Converts results of other modules to the form of O(siptls.cucm.sip_tls_verdict#module:clusters) and
    O(siptls.cucm.sip_tls_verdict#module:directions).
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: Facts of the cluster, with C(name) and C(nodes).
    type: dict
    required: true
  certificates:
    description: Results of M(siptls.cucm.cucm_certificate_info), one per node, each with the node as C(item).
    type: list
    elements: dict
    required: true
  probes:
    description: Results of M(siptls.cucm.sip_tls_probe), one per node, each with the node as C(item).
    type: list
    elements: dict
    required: true
  peers:
    description: The peers, each with C(name), C(trunk), C(profile).
    type: list
    elements: dict
  profiles:
    description: Result of M(siptls.cucm.cucm_sip_trunk_profile) with
      O(siptls.cucm.cucm_sip_trunk_profile#module:aggregate). If its key C(predicted) is true, it comes from check mode.
    type: dict
  trunks:
    description: Result of M(siptls.cucm.cucm_sip_trunk) with O(siptls.cucm.cucm_sip_trunk#module:aggregate), likewise.
    type: dict
  states:
    description: Result of M(siptls.cucm.cucm_sip_trunk_info).
    type: dict
  external:
    description: Results of M(siptls.cucm.sip_tls_probe) on the ports of external peers, each with a list of the peer
      and the address as C(item).
    type: list
    elements: dict
  captures:
    description: Results of M(siptls.cucm.sip_tls_capture_info), one per capture.
    type: list
    elements: dict
  traces:
    description: Result of M(siptls.cucm.cucm_trace_info) on the cluster.
    type: dict
  others:
    description: The nodes of the cluster on which its trunks do not run.
    type: list
    elements: dict
  phones:
    description: The state of the phones after services were restarted, from P(siptls.cucm.sip_tls_restarted#filter).
    type: dict
"""

EXAMPLES = r"""
- name: Gather the evidence
  ansible.builtin.set_fact:
    evidence: "{{ cluster | siptls.cucm.sip_tls_evidence(certificates=held.results, probes=probes.results) }}"
"""

RETURN = r"""
_value:
  description: C(cluster), with C(name) and C(nodes), C(directions), C(captures), C(traces), C(files) of evidence, and
    C(unread), sentences about what could not be read.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.evidence import cluster_evidence
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster


def sip_tls_evidence(facts: Mapping[str, Any], **results: Any) -> dict[str, Any]:
    """See the documentation above."""
    return cluster_evidence(Cluster.from_facts(facts), **results)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_evidence": sip_tls_evidence}
