# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of a cluster and what is wrong with it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: preflight
short_description: Check a cluster before anything is changed
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Turns the results of M(siptls.cucm.cucm_info) and M(siptls.cucm.cucm_certificate_info) for a cluster into the facts
    that the roles of this collection share, with C(problems) and C(warnings) in words.
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: Inventory name of the cluster.
    type: str
    required: true
  info:
    description: Result of M(siptls.cucm.cucm_info), failed or not.
    type: dict
    required: true
  certificates:
    description: Results of M(siptls.cucm.cucm_certificate_info), one per node, each with the node as C(item).
    type: list
    elements: dict
    required: true
  addresses:
    description: Addresses by node name, which override those that the cluster reports.
    type: dict
  patterns:
    description: The cluster's own numbers.
    type: list
    elements: str
  warn_days:
    description: Days before it expires from which a certificate causes a warning.
    type: int
    default: 30
  options:
    description: The options of all roles by their full names; null for those that are not set.
    type: dict
  specs:
    description: The contents of C(meta/argument_specs.yml) of each role, by the role's name. Without it options are not
      checked.
    type: dict
  authority:
    description: The certificate of the CA that will sign; C(pem), C(where) in words, C(renew_before) in days.
      C(regenerate) is the option of the role. C(trusted) (PEM or files, searched in C(folders)) and C(records)
      (folders of chains) are the other CAs that the operator named.
    type: dict
  peers:
    description: Inventory names of the peers.
    type: list
    elements: str
  external:
    description: The peers that are not managed here, as in C(cucm_external_peers) of role
      P(siptls.cucm.preflight#role). The files named in C(ca_chain) are read.
    type: list
    elements: dict
  hosts:
    description: Names of all clusters of the inventory.
    type: list
    elements: str
  folders:
    description: Folders in which to look for a relative file of C(ca_chain), in this order.
    type: list
    elements: str
  planned:
    description: The C(peers) of the cluster and the C(settings) of its trunks. Without it trunks are not checked.
    type: dict
  backdating:
    description: Minutes by which the CA backdates its certificates. A node whose clock is further behind would not
      accept them. V(none) if nothing will be signed.
    type: int
    default: 10
  ecdsa:
    description: What to do with the CallManager-ECDSA certificate, V(sign) or V(leave).
    type: str
    default: sign
  ctl:
    description:
      - Options of role callmanager_certificate, C(policy) about the CTL file (callmanager_certificate_ctl) and
        C(regenerate); C(window) and C(drain) for the plan; C(peers) and C(trunk_name), by which our trunks are
        recognized.
      - With C(check) nothing will be changed, and problems that would end a run are warnings.
    type: dict
"""

EXAMPLES = r"""
- name: Check what was found
  ansible.builtin.set_fact:
    facts: "{{ inventory_hostname | siptls.cucm.preflight(info=info, certificates=certificates.results) }}"
"""

RETURN = r"""
_value:
  description: The facts, with C(name), C(version), C(nodes), C(patterns), C(problems), C(mistakes),
    C(warnings), C(unreachable).
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.cluster import check_cluster
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.options import check_options
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.peers import add_peers


def preflight(
    name: str,
    info: Mapping[str, Any],
    certificates: Sequence[Mapping[str, Any]],
    *,
    peers: Iterable[Any] = (),
    external: Any = None,
    hosts: Iterable[str] = (),
    folders: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
    specs: Mapping[str, Mapping[str, Any]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """See the documentation above."""
    mistakes = check_options(options or {}, specs or {})
    cluster = check_cluster(name, info, certificates, options=mistakes, **more)
    add_peers(cluster, peers, external, hosts=hosts, folders=folders)
    return cluster.to_facts()


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"preflight": preflight}
