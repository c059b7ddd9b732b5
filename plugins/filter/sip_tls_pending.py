# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts that wait for the window."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_pending
short_description: List the restarts that wait for the window
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Lists the restarts that role callmanager_certificate did not carry out because it ran outside of the window.
  - Internal to the roles of this collection. It may change in any release.
positional: _input, cluster
options:
  _input:
    description: Results of M(siptls.cucm.cucm_service) of a loop over nodes.
    type: list
    elements: dict
    required: true
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  window:
    description: The window, such as V(01:00-04:00).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show which restarts are pending
  ansible.builtin.debug:
    msg: "{{ restarts.results | siptls.cucm.sip_tls_pending(inventory_hostname, window='01:00-04:00') }}"
"""

RETURN = r"""
_value:
  description: A sentence for each node on which services require a restart.
  type: list
  elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.renewals import pending


class FilterModule:
    """Ansible asks this class for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"sip_tls_pending": pending}
