# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change document as data."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_plan
short_description: List what a run would do to each cluster, for an approval
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Converts the results of the roles of this collection in check mode to the form of a change document.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: Facts and registered results of each cluster by its inventory name.
    type: dict
    required: true
  problems:
    description: The problems that prevent a run, from P(siptls.cucm.preflight_problems#filter).
    type: list
    elements: str
  head:
    description: The rows at the head of the document; they are returned, made safe like all other texts.
    type: dict
  form:
    description: Makes every text safe for a page of this form.
    type: str
    choices: ["", html, markdown]
    default: ""
"""

EXAMPLES = r"""
- name: Show what a run would do
  ansible.builtin.debug:
    msg: "{{ {inventory_hostname: hostvars[inventory_hostname]} | siptls.cucm.sip_tls_plan }}"
"""

RETURN = r"""
_value:
  description: C(clusters), each with its C(steps), what remains the C(same), its C(warnings) and C(external) peers;
    C(problems); and the numbers of C(changes), C(restarts) and C(resets).
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.plan.document import change_plan


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_plan": change_plan}
