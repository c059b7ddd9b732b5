# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the restarts of a run left to do."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_restarted
short_description: List what the restarts of a run left to do
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Lists the restarts that role callmanager_certificate did not carry out because it ran outside of the window.
  - Compares which phones were registered before and after the restarts.
  - Internal to the roles of this collection. It may change in any release.
positional: _input, cluster
options:
  _input:
    description: Results of M(siptls.cucm.cucm_service) of loops over nodes.
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
    default: ""
  before:
    description: The phones before the restarts (RV(siptls.cucm.cucm_info#module:phones)).
    type: dict
  after:
    description: The result of M(siptls.cucm.cucm_info) after the restarts, failed or skipped ones included.
    type: dict
"""

EXAMPLES = r"""
- name: Show which restarts are pending
  ansible.builtin.debug:
    msg: "{{ (restarts.results | siptls.cucm.sip_tls_restarted(inventory_hostname, window='01:00-04:00')).pending }}"
"""

RETURN = r"""
_value:
  description:
    - C(pending) has a sentence for each node on which services require a restart.
    - C(phones) is empty if nothing was restarted. Otherwise it has C(before) and C(after), the numbers of registered
      phones (null if not known), C(lost), the names of phones that are no longer registered, C(text), the same in
      words, and C(next), what you have to do.
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.phones import registrations
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.renewals import pending


def sip_tls_restarted(
    restarts: Iterable[Mapping[str, Any]],
    cluster: str,
    *,
    window: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """See the documentation above."""
    now = after or {"skipped": True}
    phones = (
        {} if now.get("skipped") else registrations(before or {}, now.get("phones") or {"unknown": now.get("msg", "")})
    )
    return {"pending": pending(restarts, cluster, window=window), "phones": phones}


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_restarted": sip_tls_restarted}
