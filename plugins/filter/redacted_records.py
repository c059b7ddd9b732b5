# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records without the names, addresses and numbers of a site."""

from __future__ import annotations

DOCUMENTATION = r"""
name: redacted_records
short_description: Redact the names, addresses and numbers of a site in records
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Replaces host names, domains, addresses, the parts of distinguished names, serial numbers and digits in records of
    P(siptls.cucm.cluster_record#filter), in the same way in all of them, so that a twin still behaves the same.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: The records of all clusters of a run.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Redact the records
  ansible.builtin.set_fact:
    redacted: "{{ records | siptls.cucm.redacted_records }}"
"""

RETURN = r"""
_value:
  description: The records in the same order.
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._record.redaction import redacted


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"redacted_records": redacted}
