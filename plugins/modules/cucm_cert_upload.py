#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The face of _node/upload.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_cert_upload
short_description: Put certificates into a CUCM node, or take trust certificates away
version_added: 1.0.0
description:
  - Puts CA certificates into a trust store of a node of Cisco Unified Communications Manager and a signed certificate
    into its purpose, in the order that CUCM wants, and skips what is there.
  - Judges everything before the first write by CUCM's rules (same key and names as the pending CSR, both extended key
    usages, key usages, dates, complete chain, one certificate a common name in a trust store, no wildcard, no more than
    4096 bits), so that nothing is half done.
  - Reads back what the node holds afterwards.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.platform
  - siptls.cucm.attributes
  - siptls.cucm.attributes.platform_group
options:
  certificate:
    description:
      - The signed certificate, as PEM, PKCS#7 or the Base-64 of DER. Its chain may stand in it too.
    type: str
  certificate_path:
    description: File with the same, in any of these forms or DER.
    type: path
  chain:
    description:
      - CA certificates (or certificates of peers) for the trust store, in any order; each entry may hold several, in
        any of the forms of O(certificate).
      - With O(state=absent), the certificates to remove.
    type: list
    elements: str
  chain_path:
    description: File with the same, in any of these forms or DER.
    type: path
  csr:
    description:
      - PEM of the CSR that O(certificate) answers. When another one waits on the node, the module fails and says that
        it was replaced in between.
      - In check mode it stands for the CSR that waits on the node.
    type: str
  purpose:
    description: The unit that the certificate is for, as CUCM names it.
    type: str
    default: CallManager
  trust_purpose:
    description: The trust store for O(chain); without it the one of O(purpose), for example V(CallManager-trust).
    type: str
  state:
    description: V(absent) removes certificates from the trust store.
    type: str
    choices: [present, absent]
    default: present
  trust_certificates:
    description: With O(state=absent), the certificates to remove, by file name, common name or SHA-256 fingerprint.
    type: list
    elements: str
  prune_expired:
    description: Remove expired certificates from the trust store.
    type: bool
    default: false
  eku_policy:
    description: What to do about a certificate that lacks serverAuth or clientAuth.
    type: str
    choices: [require, warn, ignore]
    default: require
notes:
  - Trust stores replicate to the other nodes by themselves (CAPF-trust excepted); identity certificates do not. On
    releases before 11 a removal has to be done on every node, or the certificate comes back.
  - A new identity certificate is active only after the services of RV(restart_required) were restarted.
  - Take a backup (DRS) afterwards, as CUCM's own page advises.
seealso:
  - module: siptls.cucm.cucm_csr
  - module: siptls.cucm.cucm_service
"""

EXAMPLES = r"""
- name: Install the signed certificate and its CA
  siptls.cucm.cucm_cert_upload:
    host: cucma.example.com
    os_username: osadmin
    os_password: "{{ vault_os_password }}"
    certificate: "{{ signed.certificate }}"
    chain: "{{ signed.chain }}"
    csr: "{{ request.csr }}"

- name: Trust the CA of a peer that is not ours
  siptls.cucm.cucm_cert_upload:
    host: cucma.example.com
    os_username: osadmin
    os_password: "{{ vault_os_password }}"
    chain_path: provider-ca.p7b

- name: Remove an old CA and whatever has expired
  siptls.cucm.cucm_cert_upload:
    host: cucma.example.com
    os_username: osadmin
    os_password: "{{ vault_os_password }}"
    state: absent
    trust_certificates: [Old Lab CA]
    prune_expired: true
"""

RETURN = r"""
certificate:
  description: The identity certificate that the node holds, when O(certificate) was given.
  returned: success
  type: dict
trust:
  description: The certificates that the trust store holds, with their file names.
  returned: success
  type: list
  elements: dict
actions:
  description: What was done, in order.
  returned: success
  type: list
  elements: str
restart_required:
  description: The services that a new identity certificate becomes active with, each with C(node) and C(service).
  returned: success
  type: list
  elements: dict
clock:
  description: The node's clock, by which dates are judged. C(offset) is the seconds that it is ahead of the
    controller's, negative when it is behind; C(source) is V(HTTPS), V(CLI), or V(controller) where the node did not
    tell its time and the controller's clock had to do.
  returned: success
  type: dict
interface:
  description: The interface that was used, V(rest) or V(cli).
  returned: success
  type: str
troubles:
  description: Every rule that forbids the upload.
  returned: when CUCM's rules forbid it
  type: list
  elements: str
"""

from ansible_collections.siptls.cucm.plugins.module_utils._module import run_module
from ansible_collections.siptls.cucm.plugins.module_utils._node.upload import SPEC, service


def main() -> None:
    """Run the module."""
    run_module(SPEC, service, needs=("asyncssh", "cryptography", "requests"))


if __name__ == "__main__":
    main()
