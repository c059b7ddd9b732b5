# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether calls between the clusters find their way."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_call_paths
short_description: Check whether calls between clusters would be routed
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Follows calls from the phones of each cluster to the numbers of its peers through the dial plans of both ends, as
    they are, and as they will be with the objects that role P(siptls.cucm.sip_tls_trunk#role) creates.
  - It takes into account partitions, calling search spaces, the closest match, translation patterns, transformations
    and the changes that a trunk makes to the called number. It follows up to eight numbers per pattern, from every kind
    of phone.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: Facts of the clusters, from P(siptls.cucm.preflight#filter).
    type: list
    elements: dict
    required: true
  dial_plans:
    description: RV(siptls.cucm.cucm_info#module:dial_plan) of each cluster, by its inventory name.
    type: dict
    required: true
  made:
    description: Objects of each cluster from P(siptls.cucm.sip_tls_trunk_objects#filter); by default worked out from
      the facts.
    type: dict
  when:
    description: Whether C(routing) and C(warnings) are about the dial plans as they are or as they will be.
    type: str
    choices: [now, planned]
    default: planned
"""

EXAMPLES = r"""
- name: Show which calls would not be routed
  ansible.builtin.debug:
    msg: "{{ (clusters | siptls.cucm.sip_tls_call_paths(dial_plans=dial_plans)).warnings }}"
"""

RETURN = r"""
_value:
  description: C(paths), each with C(from), C(to), C(pattern), C(numbers), C(now) and C(planned); the last two have a
    C(state), V(routed), V(not routed) or V(unknown), and C(why). C(routing) has the same entries with the C(state) and
    C(why) of O(when), for M(siptls.cucm.sip_tls_verdict). C(warnings) are sentences about the calls that fail.
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import clusters_of
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.calls import calls_between


def sip_tls_call_paths(
    facts: Iterable[Mapping[str, Any]], dial_plans: Mapping[str, Any], **more: Any
) -> dict[str, Any]:
    """See the documentation above."""
    return calls_between(clusters_of(facts), dial_plans, **more)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_call_paths": sip_tls_call_paths}
