# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether phones will still trust their cluster after a new CallManager certificate."""

from __future__ import annotations

DOCUMENTATION = r"""
name: preflight_phones
short_description: Check whether phones can verify the next ITL file
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Adds problems to the facts of a cluster that would keep its phones from verifying the next ITL file. Up to release
    11.5 the CallManager certificate signs the ITL file, and phones verify a new one with the Trust Verification Service
    (TVS).
  - Internal to the roles of this collection. It may change in any release.
positional: _input
options:
  _input:
    description: The facts of the cluster, from P(siptls.cucm.preflight#filter).
    type: dict
    required: true
  trust_lists:
    description: The result of M(siptls.cucm.cucm_ctl) with the ITL file.
    type: dict
    required: true
  check:
    description: Add warnings instead of problems, because nothing will be changed.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Add the problems of phones
  ansible.builtin.set_fact:
    preflight_cluster: "{{ preflight_cluster | siptls.cucm.preflight_phones(trust_lists=read) }}"
"""

RETURN = r"""
_value:
  description: The facts of the cluster.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster
from ansible_collections.siptls.cucm.plugins.module_utils._roles.phones import add_anchor_problems


def preflight_phones(facts: Mapping[str, Any], trust_lists: Mapping[str, Any], check: bool = False) -> dict[str, Any]:
    """See the documentation above."""
    cluster = Cluster.from_facts(facts)
    add_anchor_problems(cluster, trust_lists, check=check)
    return cluster.to_facts()


class FilterModule:
    """Ansible asks this class for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"preflight_phones": preflight_phones}
