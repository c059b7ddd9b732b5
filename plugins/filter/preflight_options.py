# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the options of the roles."""

from __future__ import annotations

DOCUMENTATION = r"""
name: preflight_options
short_description: What is wrong with the options of the roles, before anything is changed
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Checks the options of the roles by their argument specifications and by bounds that those can't say, for all
    clusters before the first role that changes something begins.
options:
  _input:
    description: The options by their full names; null where nothing is set.
    type: dict
    required: true
  specs:
    description: The contents of C(meta/argument_specs.yml) of each role, by the role's name.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say what is wrong
  ansible.builtin.debug:
    msg: "{{ {'sip_tls_trunk_port': 70000} | siptls.cucm.preflight_options(specs=specs) }}"
"""

RETURN = r"""
_value:
  description: Sentences.
  type: list
  elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight_options import check_options


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"preflight_options": check_options}
