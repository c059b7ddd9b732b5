# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to put a record back."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_restore_plan
short_description: What puts the objects of a record back
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Compares a record of M(siptls.cucm.cucm_backup) with how the objects stand, and works out what puts them back.
  - An object that somebody changed after the run is a refusal.
options:
  _input:
    description: The record.
    type: dict
    required: true
  standing:
    description: Result of M(siptls.cucm.cucm_object_info) with what P(siptls.cucm.sip_tls_restore_questions#filter)
      asks for.
    type: dict
    required: true
  cluster:
    description: Facts of the cluster, from P(siptls.cucm.preflight#filter).
    type: dict
    required: true
  peers:
    description: Names of the trunks by the names of the peers, all of the cluster.
    type: dict
  force:
    description: Put objects back that somebody changed after the run, too.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Work out what puts them back
  ansible.builtin.set_fact:
    plan: "{{ record | siptls.cucm.sip_tls_restore_plan(standing=standing, cluster=preflight_cluster) }}"
"""

RETURN = r"""
_value:
  description: C(present) and C(absent), each with lists of objects by kind; C(refusals), C(stays) and C(said), lists of
    sentences; C(staying), the peers whose trunk stays as it is; C(trust_added) and C(trust_removed), lists of PEM.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.restoring import restore_plan


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_restore_plan": restore_plan}
