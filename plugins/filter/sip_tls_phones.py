# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the phones of a cluster before and after a restart."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_phones
short_description: Compare the phones of a cluster before and after a restart
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Compares which phones were registered before and after the services of a cluster were restarted.
  - Internal to the roles of this collection. It may change in any release.
positional: _input, after
options:
  _input:
    description: The phones before the restarts (RV(siptls.cucm.cucm_info#module:phones)).
    type: dict
    required: true
  after:
    description: The phones after the restarts.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the state of the phones
  ansible.builtin.debug:
    msg: "{{ (before.phones | siptls.cucm.sip_tls_phones(after.phones)).text }}"
"""

RETURN = r"""
_value:
  description: C(before) and C(after), the numbers of registered phones (null if not known), C(lost), the names of
    phones that are no longer registered, C(text), the same in words, and C(next), what you have to do.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.phones import registrations


class FilterModule:
    """Ansible asks this class for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"sip_tls_phones": registrations}
