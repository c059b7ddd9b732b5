# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of tasks, none longer than a person reads."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_messages
short_description: Shorten messages
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Shortens each message to 600 characters. Its beginning and its end, which says what to do, remain.
  - Internal to the roles of this collection. It may change in any release.
positional: _input, verbosity
options:
  _input:
    description: A message, or a list of messages.
    type: raw
    required: true
  verbosity:
    description: Verbosity of the run. From 1 on (C(-v)) no message is shortened.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: End for this cluster where a certificate is not signed yet
  ansible.builtin.fail:
    msg: "{{ waiting | siptls.cucm.sip_tls_messages(ansible_verbosity) }}"
"""

RETURN = r"""
_value:
  description: The message or the messages.
  type: raw
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._text import clipped


def sip_tls_messages(given: Any, verbosity: int) -> str | list[str]:
    """See the documentation above."""
    shorten = str if int(verbosity) else lambda text: clipped(str(text))
    return shorten(given) if isinstance(given, str) else [shorten(text) for text in given]


class FilterModule:
    """Ansible asks this class for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"sip_tls_messages": sip_tls_messages}
