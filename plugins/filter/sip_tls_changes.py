# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run changed."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_changes
short_description: List what a run of the roles changed on the clusters
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Finds the results that the tasks of the collection's roles registered in the variables of the play's hosts, and
    lists what they changed, for the report.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: The variables of the play's hosts.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what was changed
  ansible.builtin.debug:
    msg: "{{ ansible_play_hosts_all | map('extract', hostvars) | siptls.cucm.sip_tls_changes }}"
"""

RETURN = r"""
_value:
  description: Entries with C(cluster), C(what) and C(actions).
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.plan.changes import changes


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_changes": changes}
