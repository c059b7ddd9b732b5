#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The face of _node/upload.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_cert_upload
short_description: Upload certificates to a CUCM node, or remove trust certificates
version_added: 1.0.0
description:
  - Uploads CA certificates to a trust store of a node of Cisco Unified Communications Manager and a signed certificate
    to its purpose, in the order that CUCM requires. It skips certificates that are already there.
  - Checks everything against CUCM's rules before the first write (same key and names as the pending CSR, both extended
    key usages, key usages, dates, complete chain, one certificate per subject name in a trust store, no wildcard, at
    most 4096 bits), so that nothing is left half done.
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
      - The signed certificate as PEM, PKCS#7 or Base64 of DER. It may include its chain.
    type: str
  certificate_path:
    description: A file with the same content, in any of these forms or DER.
    type: path
  chain:
    description:
      - CA certificates (or certificates of peers) for the trust store, in any order; each entry may hold several, in
        any of the forms of O(certificate).
      - With O(state=absent), the certificates to remove.
    type: list
    elements: str
  chain_path:
    description: A file with the same content, in any of these forms or DER.
    type: path
  csr:
    description:
      - PEM of the CSR that O(certificate) was issued for. If another CSR is pending on the node, the module fails,
        because the CSR was replaced in the meantime.
      - In check mode it takes the place of the pending CSR of the node.
    type: str
  purpose:
    description: What the certificate is for, as CUCM names it.
    type: str
    default: CallManager
  trust_purpose:
    description: The trust store for O(chain). The default is that of O(purpose), for example V(CallManager-trust).
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
    description: How to treat a certificate that lacks serverAuth or clientAuth.
    type: str
    choices: [require, warn, ignore]
    default: require
  replaces:
    description:
      - SHA-256 fingerprint (or PEM) of the identity certificate that the node held when the run began. If it holds
        neither this one nor O(certificate) now, another run or a person replaced it, and the module fails before it
        writes anything.
    type: str
notes:
  - CUCM replicates trust stores to the other nodes (except CAPF-trust), but not identity certificates. Before release
    11, remove a certificate on every node, or it comes back.
  - A new identity certificate becomes active only after a restart of the services in RV(restart_required).
  - Make a backup (DRS) afterwards, as CUCM's own page advises.
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

- name: Trust the CA of an external peer
  siptls.cucm.cucm_cert_upload:
    host: cucma.example.com
    os_username: osadmin
    os_password: "{{ vault_os_password }}"
    chain_path: provider-ca.p7b

- name: Remove an old CA and everything that has expired
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
  description: The identity certificate of the node, if O(certificate) was given.
  returned: success
  type: dict
  sample: {"subject": "C=IN, ST=cisco, L=cisco, O=cisco, OU=cisco, CN=CUCMA", "common_name": "CUCMA"}
trust:
  description: The certificates in the trust store, with their file names.
  returned: success
  type: list
  elements: dict
  sample: [{"name": "Cisco_Manufacturing_CA.pem", "subject": "O=Cisco Systems, CN=Cisco Manufacturing CA"}]
actions:
  description: What was done, in order.
  returned: success
  type: list
  elements: str
  sample: ["put CN=SIP TLS CA f0f496e4 into CallManager-trust"]
restart_required:
  description: The services to restart before a new identity certificate is active, each with C(node) and C(service).
  returned: success
  type: list
  elements: dict
  sample: [{"node": "127.217.91.1", "service": "Cisco CallManager"}]
clock:
  description: The clock of the node, against which dates are checked. C(offset) is how many seconds it is ahead of the
    controller's, negative if it is behind; C(source) is V(HTTPS), V(CLI), or V(controller) if the node did not show
    its time and the controller's clock was used.
  returned: success
  type: dict
  sample: {"offset": 0, "source": "HTTPS"}
interface:
  description: The interface used, V(rest) or V(cli).
  returned: success
  type: str
  sample: "cli"
problems:
  description: Every rule that forbids the upload.
  returned: when CUCM's rules forbid it
  type: list
  elements: str
  sample: ["the certificate ends in 12 days"]
"""

from ansible_collections.siptls.cucm.plugins.module_utils._module import Face, run_module
from ansible_collections.siptls.cucm.plugins.module_utils._node.upload import SPEC, service

FACE = Face(SPEC, service, needs=("asyncssh", "cryptography", "requests"))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
