# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rehearsal showed."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rehearsal_findings
short_description: Summarize what a rehearsal showed
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Compares calls, phones and trunks before and after a run on twins.
  - Playbook C(rehearse.yml) uses it.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: Exit code, seconds, calls and states of a rehearsal, the plan, and the variables of the clusters.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Keep the summary
  ansible.builtin.set_fact:
    found: "{{ given | siptls.cucm.rehearsal_findings }}"
"""

RETURN = r"""
_value:
  description: Problems, the calls of each pair of clusters, a summary, and what to have ready for the real change.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._record.rehearsal import rehearsal_findings


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"rehearsal_findings": rehearsal_findings}
