# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services are restarted after Cisco CallManager."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_restarts
short_description: List the services to restart after Cisco CallManager
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Lists the services that have to be restarted after Cisco CallManager because of a new CallManager certificate,
    service by service, each on the publisher and then on the subscribers, in the order of Cisco's document 214231.
  - Internal to the roles of this collection. It may change in any release.
positional: _input, results
options:
  _input:
    description: The facts of the cluster, from P(siptls.cucm.sip_tls_cluster#filter).
    type: dict
    required: true
  results:
    description: Results of M(siptls.cucm.cucm_service) of a loop over the nodes, with
      O(siptls.cucm.cucm_service#module:also) for the other services.
    type: list
    elements: dict
    required: true
  uploaded:
    description: The nodes that got a new certificate in this run.
    type: list
    elements: str
    default: []
  ctl_changed:
    description: Whether the CTL file was updated in this run.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Find out what else has to be restarted
  ansible.builtin.set_fact:
    following: >-
      {{ callmanager_certificate_cluster | siptls.cucm.sip_tls_restarts(restarts.results, uploaded=['CUCMA']) }}
"""

RETURN = r"""
_value:
  description: C(next), the restarts to carry out, each with C(service), C(name), C(address), C(in_window) and
    C(started_before), and C(waiting), the nodes whose services wait for the window together with Cisco CallManager.
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.restarts import following
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster


def sip_tls_restarts(
    facts: Mapping[str, Any],
    results: Iterable[Mapping[str, Any]],
    uploaded: Sequence[str] = (),
    ctl_changed: bool = False,
) -> dict[str, Any]:
    """See the documentation above."""
    return following(Cluster.from_facts(facts), results, uploaded=uploaded, ctl_changed=ctl_changed)


class FilterModule:
    """Ansible asks this class for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"sip_tls_restarts": sip_tls_restarts}
