#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The face of _node/csr.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_csr
short_description: Make or keep the certificate signing request of a CUCM node
version_added: 1.0.0
description:
  - Returns the CSR that a node of Cisco Unified Communications Manager holds for a purpose, and makes one where it is
    needed.
  - Makes none when the installed certificate already serves (issuer, names, key, days left), and keeps a pending CSR
    that answers the wish, because a new CSR replaces the older one and its key without asking.
  - Says in RV(reason) why it decided.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.platform
  - siptls.cucm.attributes
  - siptls.cucm.attributes.platform_group
options:
  purpose:
    description: The unit that the certificate is for, as CUCM names it.
    type: str
    default: CallManager
  key_type:
    description: The kind of key that is wished.
    type: str
    choices: [rsa, ec]
  key_length:
    description: Bits of the key that are wished.
    type: int
  hash_algorithm:
    description: The hash that the request is signed with.
    type: str
    choices: [sha1, sha256, sha384, sha512]
  distribution:
    description: Whether the certificate is for this node alone or one for all nodes of the cluster.
    type: str
    choices: [this_server, multi_server]
  common_name:
    description: The common name; without it CUCM takes the node's name.
    type: str
  sans:
    description: Subject alternative names that the request must hold; CUCM adds names of its own.
    type: list
    elements: str
  parent_domain:
    description: The domain that stands among the subject alternative names.
    type: str
  include_ou:
    description: Whether the organizational unit stands in the subject. Releases from 14 leave it out by default.
    type: bool
  covers:
    description:
      - Host names of nodes that a multi-server certificate must stand for. CUCM puts the names of all nodes in by
        itself; a certificate or CSR from before a node was added lacks that node, and does not serve.
    type: list
    elements: str
  regenerate:
    description:
      - V(if_needed) makes a CSR when the installed certificate does not serve and no pending CSR answers the wish.
      - V(always) makes a new one at every run, which spoils a certificate that is being signed for the older one.
      - V(never) only returns what is there.
    type: str
    choices: [if_needed, always, never]
    default: if_needed
  renew_before:
    description: Days of validity below which the installed certificate no longer serves.
    type: int
    default: 30
  issuer:
    description:
      - PEM of the CA certificate that is to issue the certificate. An installed certificate of another issuer does not
        serve.
      - Without it, any certificate serves that is not self-signed.
    type: str
notes:
  - The CLI (all releases before 14) cannot choose key, hash and names. The CSR that the node makes is compared with the
    wish; when it differs, the module fails and says what can. A CSR made on the node's web page is kept.
  - In check mode a CSR that would be made is represented by a stand-in of a throw-away key (RV(predicted)).
seealso:
  - module: siptls.cucm.ca_sign
  - module: siptls.cucm.cucm_cert_upload
"""

EXAMPLES = r"""
- name: Have a CSR ready unless the certificate of our CA has 30 days left
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
  description: The pending CSR as PEM, null when none is needed.
  returned: success
  type: str
request:
  description: The same CSR, read (subject, sans, key_type, key_size, signature_algorithm, key_usage, eku).
  returned: when there is a CSR
  type: dict
needed:
  description: Whether a new certificate is needed.
  returned: success
  type: bool
reason:
  description: Why.
  returned: success
  type: str
  sample: the installed certificate is self-signed; no CSR waits
certificate:
  description: The installed identity certificate.
  returned: success
  type: dict
predicted:
  description: Whether the CSR is a stand-in for one that CUCM would make (check mode).
  returned: success
  type: bool
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
"""

from ansible_collections.siptls.cucm.plugins.module_utils._module import run_module
from ansible_collections.siptls.cucm.plugins.module_utils._node.csr import SPEC, service


def main() -> None:
    """Run the module."""
    run_module(SPEC, service, needs=("asyncssh", "cryptography", "requests"))


if __name__ == "__main__":
    main()
