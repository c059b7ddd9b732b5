#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The face of _node/info.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_certificate_info
short_description: List the certificates of a CUCM node and their problems
version_added: 1.0.0
description:
  - Lists every identity and trust certificate of a node of Cisco Unified Communications Manager. All fields are read
    from the certificate itself, never from printed text.
  - Shows which of them have expired, expire soon, lack clientAuth, or differ from the one that the port presents.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.platform
  - siptls.cucm.attributes.info
  - siptls.cucm.attributes.platform_group
options:
  purposes:
    description: The purposes and trust stores to list, for example V(CallManager) and V(CallManager-trust). The default
      is all.
    type: list
    elements: str
  expiring_within:
    description: Days of validity below which a certificate counts as expiring.
    type: int
    default: 30
  old_peers:
    description:
      - Find out whether the CallManager port of O(served_ports) has a TLS version and a cipher in common with releases
        before 11.0, which support only TLS 1.0 with AES128-SHA.
      - This takes one more handshake, which a node with a higher minimum TLS version rejects and logs in its traces.
    type: bool
    default: false
    version_added: 1.0.0
  served_ports:
    description:
      - The TCP port on which a purpose's certificate is presented, to show whether an uploaded certificate is active.
      - With an empty mapping no port is checked.
    type: dict
    default: {CallManager: 5061, CallManager-ECDSA: 5061}
seealso:
  - module: siptls.cucm.cucm_cert_upload
"""

EXAMPLES = r"""
- name: Read all certificates of a node
  siptls.cucm.cucm_certificate_info:
    host: cucma.example.com
    os_username: osadmin
    os_password: "{{ vault_os_password }}"
  register: held

- name: List which of them expire within 60 days
  siptls.cucm.cucm_certificate_info:
    host: cucma.example.com
    os_username: osadmin
    os_password: "{{ vault_os_password }}"
    purposes: [CallManager, CallManager-trust]
    expiring_within: 60
"""

RETURN = r"""
certificates:
  description: One entry per certificate.
  returned: success
  type: list
  elements: dict
  contains:
    node:
      description: The node, as given in O(host).
      type: str
      sample: "127.217.91.1"
    purpose:
      description: The purpose or trust store.
      type: str
      sample: "CallManager"
    name:
      description: CUCM's file name.
      type: str
      sample: "CallManager.pem"
    kind:
      description: V(identity) or V(trust).
      type: str
      sample: "identity"
    subject:
      description: The subject as a distinguished name. This key and those down to C(pem) are returned only for a
        certificate that can be read.
      type: str
      sample: "C=IN, ST=cisco, L=cisco, O=cisco, OU=cisco, CN=CUCMA"
    common_name:
      description: The common name of the subject.
      type: str
      sample: "CUCMA"
    issuer:
      description: The issuer as a distinguished name.
      type: str
      sample: "C=IN, ST=cisco, L=cisco, O=cisco, OU=cisco, CN=CUCMA"
    serial:
      description: The serial number in hexadecimal.
      type: str
      sample: "5FB236FFE226A2AE2313CD7FD1BFA29A"
    not_before:
      description: Start of its validity, ISO 8601 in UTC.
      type: str
      sample: "2026-11-27T15:55:59Z"
    not_after:
      description: End of its validity, ISO 8601 in UTC.
      type: str
      sample: "2031-11-26T15:55:59Z"
    days_left:
      description: Days until it expires, by the node's clock; negative if it has expired.
      type: int
      sample: 1823
    sans:
      description: Alternative names, each with its type.
      type: list
      elements: str
      sample: []
    eku:
      description: Extended key usages; null if the certificate does not limit them.
      type: list
      elements: str
      sample: ["serverAuth"]
    key_usage:
      description: Key usages; null if the certificate does not limit them.
      type: list
      elements: str
      sample: ["digitalSignature"]
    key_type:
      description: V(RSA) or V(EC).
      type: str
      sample: "RSA"
    key_size:
      description: Length of the key in bits.
      type: int
      sample: 1024
    signature_algorithm:
      description: The algorithm of the signature.
      type: str
      sample: "sha1WithRSAEncryption"
    is_ca:
      description: Whether it is a CA certificate.
      type: bool
      sample: false
    self_signed:
      description: >-
        Whether it is signed by its own key. Where that cannot be checked (rare curves and hashes), whether subject,
        issuer and key identifiers say so.
      type: bool
      sample: true
    sha256:
      description: SHA-256 fingerprint of the certificate.
      type: str
      sample: "DE:FD:45:B9:FD:55:9E:91:A2:C9:2F:92:14:1B:FF:A7:FB:73..."
    public_key_sha256:
      description: SHA-256 fingerprint of its public key.
      type: str
      sample: "A0:20:5F:96:5E:51:85:D9:21:0A:FB:48:0B:AD:AE:C3:D2:60..."
    pem:
      description: The certificate as PEM.
      type: str
      sample: "-----BEGIN CERTIFICATE-----..."
    description:
      description: What CUCM says about the entry.
      type: str
      sample: "Self-signed certificate generated by system"
    reuses:
      description: The purpose whose multi-server certificate is also used for this one, if the node has no file of its
        own for it (Reuse Certificate, from release 14 on); null otherwise.
      type: str
      sample: "tomcat"
    served:
      description: SHA-256 of the certificate that the purpose's port presents; null if it was not checked or not shown.
      type: str
      sample: "DE:FD:45:B9:FD:55:9E:91:A2:C9:2F:92:14:1B:FF:A7:FB:73..."
    not_served:
      description: Whether the port presents a different certificate than the node holds; the service then requires a
        restart.
      type: bool
      sample: false
    expired:
      description: Whether the certificate has expired.
      type: bool
      sample: false
    expiring:
      description: Whether it expires within O(expiring_within) days.
      type: bool
      sample: false
    lacking_client_auth:
      description: Whether an identity certificate lacks serverAuth or clientAuth.
      type: bool
      sample: false
    readable:
      description: Whether the node showed the certificate itself and it can be read.
      type: bool
      sample: true
    problem:
      description: Why a certificate that the node showed cannot be read; empty otherwise.
      type: str
      sample: ""
    profile_names:
      description: The names for the X.509 Subject Name of the peers' security profiles, which are the common name and
        the DNS and IP alternative names without the parent domain.
      type: list
      elements: str
      sample: ["CUCMA"]
expired:
  description: Purpose and name of each expired certificate.
  returned: success
  type: list
  elements: str
  sample: []
expiring:
  description: Purpose and name of each certificate that expires soon.
  returned: success
  type: list
  elements: str
  sample: []
lacking_client_auth:
  description: Purpose and name of each identity certificate that lacks serverAuth or clientAuth.
  returned: success
  type: list
  elements: str
  sample: []
not_served:
  description: Purpose and name of each identity certificate that the node holds but does not present.
  returned: success
  type: list
  elements: str
  sample: []
ports:
  description: What this machine saw at each of O(served_ports), by purpose; C(port), C(state) (V(tls), V(refused),
    V(silent), V(unreachable), V(no_handshake)), C(said) in words, and C(subject) and C(sha256) of the certificate
    that is presented. With O(old_peers) also C(old_peers), null if that is not known.
  returned: success
  type: dict
  sample: {"CallManager": "..."}
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
from ansible_collections.siptls.cucm.plugins.module_utils._node.info import SPEC, service

FACE = Face(SPEC, service, needs=("asyncssh", "cryptography", "requests"))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
