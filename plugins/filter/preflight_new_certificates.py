# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the CA can sign for a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
name: preflight_new_certificates
short_description: Check in advance whether the certificates of a cluster can be replaced
version_added: 1.0.0
author:
  - siptls.cucm contributors (@siptls)
description:
  - Runs M(siptls.cucm.ca_sign) in check mode with a request like the one that a node of the cluster would make. Nothing
    is written, and nothing is submitted to a CA.
  - Does the same with each CSR that is pending on a node and would be signed, and checks whose its names are.
  - Checks the returned chain as M(siptls.cucm.cucm_cert_upload) will check it.
  - Checks whether phones can verify the next ITL file. Up to release 11.5 the CallManager certificate signs it, and
    phones verify a new one with the Trust Verification Service (TVS).
  - Internal to the roles of this collection. It may change in any release.
options:
  _input:
    description: The facts of the cluster, from P(siptls.cucm.preflight#filter).
    type: dict
    required: true
  authority:
    description: The keys of C(sip_tls_ca). Without them signing is not checked.
    type: dict
  days:
    description: Lifetime of what the CA signs, in days.
    type: int
  renew_before:
    description: Days before it expires from which a certificate is renewed.
    type: int
  password:
    description: Password of the account that requests certificates.
    type: str
  passphrase:
    description: Passphrase of the CA's key.
    type: str
  token:
    description: Token of HashiCorp Vault.
    type: str
  csrs:
    description: Results of M(siptls.cucm.cucm_csr) in check mode, each with the node and the purpose as C(item).
    type: list
    elements: dict
  variables:
    description: C(hostvars), which have the names and addresses of the other clusters.
    type: dict
  hosts:
    description: Clusters of the inventory.
    type: list
    elements: str
  trust_lists:
    description: The result of M(siptls.cucm.cucm_ctl) with the ITL file. Without it the ITL file is not checked.
    type: dict
  check:
    description: Whether problems with the ITL file are only warnings, because nothing will be changed.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Check that the CA can sign
  ansible.builtin.set_fact:
    cluster: >-
      {{ cluster | siptls.cucm.preflight_new_certificates({'provider': 'local', 'path': 'ca'}) }}
"""

RETURN = r"""
_value:
  description: The facts, with C(signing_chain) (the CAs that will sign, as PEM) and the additional C(mistakes),
    C(problems) and C(warnings).
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._axl.values import plain
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.phones import add_anchor_problems
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.signing import add_signing
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster
from ansible_collections.siptls.cucm.plugins.modules.ca_sign import FACE


def preflight_new_certificates(
    facts: Mapping[str, Any],
    authority: Mapping[str, Any] | None = None,
    *,
    days: Any = None,
    renew_before: Any = None,
    password: str | None = None,
    passphrase: str | None = None,
    token: str | None = None,
    csrs: Iterable[Mapping[str, Any]] = (),
    trust_lists: Mapping[str, Any] | None = None,
    check: bool = False,
    **owners: Any,
) -> dict[str, Any]:
    """See the documentation above."""
    cluster = Cluster.from_facts(facts)
    if authority and not cluster.mistakes:
        secrets = {"adcs_password": password, "local_passphrase": passphrase, "vault_token": token}
        given = {"ca": plain(authority), **plain({"days": days, "renew_before": renew_before, **secrets})}
        add_signing(cluster, FACE, given, csrs=csrs, **owners)
    if trust_lists and not trust_lists.get("skipped"):
        add_anchor_problems(cluster, trust_lists, check=check)
    return cluster.to_facts()


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Its name and what runs."""
        return {"preflight_new_certificates": preflight_new_certificates}
