# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a record asks for."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_restore_questions
short_description: The objects of a record, to be asked for before they are put back
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Names the objects of a record of M(siptls.cucm.cucm_backup), in the form of
    O(siptls.cucm.cucm_object_info#module:objects).
options:
  _input:
    description: The record.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Ask how they stand
  siptls.cucm.cucm_object_info:
    objects: "{{ record | siptls.cucm.sip_tls_restore_questions }}"
"""

RETURN = r"""
_value:
  description: Dictionaries with C(kind), C(name) and C(partition).
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.restoring import restore_questions


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_restore_questions": restore_questions}
