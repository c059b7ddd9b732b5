#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The face of _node/csr.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_csr
short_description: Generate or keep the certificate signing request of a CUCM node
version_added: 1.0.0
description:
  - Returns the CSR that a node of Cisco Unified Communications Manager holds for a purpose, and generates one if it is
    required.
  - Generates none if the installed certificate is as requested (issuer, names, key, days left), and keeps a pending CSR
    that is as requested, because a new CSR silently replaces the pending one and its key.
  - RV(reason) explains the decision.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.platform
  - siptls.cucm.attributes
  - siptls.cucm.attributes.platform_group
options:
  purpose:
    description: What the certificate is for, as CUCM names it.
    type: str
    default: CallManager
  key_type:
    description: The requested type of key.
    type: str
    choices: [rsa, ec]
  key_length:
    description: The requested length of the key, in bits.
    type: int
  hash_algorithm:
    description: The hash algorithm of the signature of the CSR.
    type: str
    choices: [sha1, sha256, sha384, sha512]
  distribution:
    description: Whether the certificate is for this node only or for all nodes of the cluster.
    type: str
    choices: [this_server, multi_server]
  common_name:
    description: The common name. The default is CUCM's default, the name of the node.
    type: str
  sans:
    description: Subject alternative names that the CSR has to contain; CUCM adds names of its own.
    type: list
    elements: str
  parent_domain:
    description: The parent domain among the subject alternative names.
    type: str
  include_ou:
    description: Whether the subject contains the organizational unit. Release 14 and later omit it by default.
    type: bool
  covers:
    description:
      - Host names of nodes that a multi-server certificate has to cover. CUCM adds the names of all nodes; if a
        certificate or CSR is older than a node, it lacks that node's name and has to be replaced.
    type: list
    elements: str
  regenerate:
    description:
      - V(if_needed) generates a CSR if neither the installed certificate nor a pending CSR is as requested.
      - V(always) generates a new one in every run. A certificate that is being signed for the pending CSR becomes
        useless.
      - V(never) only returns a pending CSR.
    type: str
    choices: [if_needed, always, never]
    default: if_needed
  renew_before:
    description: Renew the installed certificate if it has fewer days left than this.
    type: int
    default: 30
  issuer:
    description:
      - PEM of the CA certificate that has to be the issuer. An installed certificate from another issuer is replaced.
      - Without it, any certificate that is not self-signed is kept.
    type: str
  replaces:
    description:
      - SHA-256 fingerprint (or PEM) of the certificate that the node held when the run began. If it holds another one
        now, another run or a person replaced it, and the module fails before it generates a CSR.
    type: str
notes:
  - The CLI (all releases before 14) cannot choose key, hash and names. If the CSR that the node generates is not as
    requested, the module fails and says what to do. A CSR that was generated on the web page of the node is kept.
  - In check mode a stand-in with a temporary key represents the CSR that would be generated (RV(predicted)).
seealso:
  - module: siptls.cucm.ca_sign
  - module: siptls.cucm.cucm_cert_upload
"""

EXAMPLES = r"""
- name: Generate a CSR unless the certificate of our CA has 30 days left
  siptls.cucm.cucm_csr:
    host: cucma.example.com
    os_username: osadmin
    os_password: "{{ vault_os_password }}"
    issuer: "{{ lookup('ansible.builtin.file', 'ca/root.pem') }}"
  register: request

- name: One request for all nodes of a release 14 cluster
  siptls.cucm.cucm_csr:
    host: cucm14.example.com
    os_username: osadmin
    os_password: "{{ vault_os_password }}"
    distribution: multi_server
    key_length: 2048
    hash_algorithm: sha256
"""

RETURN = r"""
csr:
  description: The pending CSR as PEM; null if none is required.
  returned: success
  type: str
  sample: "-----BEGIN CERTIFICATE REQUEST-----..."
request:
  description: The fields of the CSR (subject, sans, key_type, key_size, signature_algorithm, key_usage, eku).
  returned: when there is a CSR
  type: dict
  sample: {"subject": "C=IN, ST=cisco, L=cisco, O=cisco, OU=cisco, CN=CUCMA", "common_name": "CUCMA"}
needed:
  description: Whether a new certificate is required.
  returned: success
  type: bool
  sample: true
reason:
  description: The reason for the decision.
  returned: success
  type: str
  sample: the installed certificate is self-signed; no CSR is pending
certificate:
  description: The installed identity certificate.
  returned: success
  type: dict
  sample: {"subject": "C=IN, ST=cisco, L=cisco, O=cisco, OU=cisco, CN=CUCMA", "common_name": "CUCMA"}
predicted:
  description: Whether the CSR is a stand-in for one that CUCM would generate (check mode).
  returned: success
  type: bool
  sample: false
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
"""

from ansible_collections.siptls.cucm.plugins.module_utils._module import Face, run_module
from ansible_collections.siptls.cucm.plugins.module_utils._node.csr import SPEC, service

FACE = Face(SPEC, service, needs=("asyncssh", "cryptography", "requests"))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
