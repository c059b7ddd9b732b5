# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong over all clusters."""

from __future__ import annotations

DOCUMENTATION = r"""
name: preflight_problems
short_description: List the problems of all clusters
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Collects the problems of each cluster and adds those that only show when several clusters are compared, such as a
    number or a certificate name that two of them claim, or a route pattern for a peer's number that leads elsewhere.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: The facts of the clusters, from P(siptls.cucm.preflight#filter).
    type: list
    elements: dict
    required: true
  unreachable:
    description: Whether an unreachable cluster is a problem.
    type: str
    choices: [skip, stop]
    default: skip
  overlaps:
    description: Whether it is a problem that a pattern of one cluster covers a number of another.
    type: str
    choices: [stop, allow]
    default: stop
  roll_over:
    description: Whether it is a problem that a certificate of an old CA would be replaced.
    type: str
    choices: [stop, allow]
    default: stop
  variables:
    description: C(hostvars), to find secrets that are part of a name.
    type: dict
"""

EXAMPLES = r"""
- name: Show the problems
  ansible.builtin.debug:
    msg: "{{ facts | siptls.cucm.preflight_problems }}"
"""

RETURN = r"""
_value:
  description: Sentences.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import clusters_of
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.group import problems


def preflight_problems(
    facts: Iterable[Mapping[str, Any]],
    unreachable: str = "skip",
    overlaps: str = "stop",
    roll_over: str = "stop",
    variables: Mapping[str, Any] | None = None,
) -> list[str]:
    """See the documentation above."""
    return problems(clusters_of(facts), unreachable, overlaps, roll_over, variables)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"preflight_problems": preflight_problems}
