# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a cluster with its certificates."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sip_tls_restore
short_description: Work out how to restore the objects of a record
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Without O(found), names the objects of a record of M(siptls.cucm.cucm_backup), so that
    M(siptls.cucm.cucm_object_info) can read them and what uses them. With O(found), compares the record with them, and
    works out how to restore them.
  - If somebody has changed an object since the run, C(refusals) names it.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: The record.
    type: dict
    required: true
  cluster:
    description: The facts of the cluster, from P(siptls.cucm.preflight#filter).
    type: dict
  settings:
    description: The options of role P(siptls.cucm.sip_tls_trunk#role), without their prefix.
    type: dict
  peers:
    description: Inventory names of all peers of the cluster.
    type: list
    elements: str
  clusters:
    description: The facts of the peers, from P(siptls.cucm.preflight#filter).
    type: list
    elements: dict
  found:
    description: Result of M(siptls.cucm.cucm_object_info) for C(look_up), with C(trunks).
    type: dict
  certificates:
    description: Results of M(siptls.cucm.cucm_certificate_info) for all certificates of the cluster, one per node.
    type: list
    elements: dict
  policy:
    description: Which CAs that the run added are removed, as for P(siptls.cucm.sip_tls_removal#filter).
    type: str
    choices: [unused, never, always]
    default: unused
  force:
    description: Whether to restore objects that somebody has changed since the run.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Read the objects of a record, and what uses them
  siptls.cucm.cucm_object_info:
    objects: "{{ (record | siptls.cucm.sip_tls_restore).look_up }}"
"""

RETURN = r"""
_value:
  description:
    - C(look_up), a list for O(siptls.cucm.cucm_object_info#module:objects).
    - With O(found) also C(present) and C(absent), each with lists of objects by kind; C(trust_removed) and C(trust),
      the CAs to trust again and to remove, as PEM; and the sentences C(refusals), C(kept), C(kept_cas) and C(messages).
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster, typed_settings
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.objects import current_peers
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo.restoring import Now, objects_of_record, restoring
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo.trust_removal import Trust
from ansible_collections.siptls.cucm.plugins.module_utils._text import with_harmless


def sip_tls_restore(
    record: Mapping[str, Any],
    *,
    cluster: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    peers: Sequence[str] = (),
    clusters: Iterable[Mapping[str, Any]] = (),
    found: Mapping[str, Any] | None = None,
    certificates: Iterable[Mapping[str, Any]] = (),
    policy: str = "unused",
    force: bool = False,
) -> dict[str, Any]:
    """See the documentation above."""
    asked = {"look_up": objects_of_record(record)}
    if found is None or cluster is None:
        return asked
    now = Now(
        Cluster.from_facts(cluster), current_peers(peers, clusters, cluster.get("external") or ()),
        typed_settings(settings or {}),
        found, Trust.from_results(certificates, policy),
    )  # fmt: skip
    worked_out = restoring(record, now, force=force)
    return {**asked, **with_harmless(worked_out, "messages", "refusals", "kept", "kept_cas")}


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"sip_tls_restore": sip_tls_restore}
