#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for the requests of CUCM nodes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ca_sign
short_description: Have a CSR of a CUCM node signed by a CA
version_added: 1.0.0
description:
  - Signs the certificate signing request (CSR) of a node with a CA of its own (provider V(local)), or has a Microsoft
    CA sign it (provider V(adcs), Active Directory Certificate Services with web enrolment).
  - Judges each request before it is signed. Its own signature must hold (SHA-1 ones of old releases included), it must
    not ask to become a CA, hold no wildcard, and have a key of a kind and length that CUCM uses.
  - A certificate has the subject and exactly the alternative names of its request, the extended key usages
    C(serverAuth) and C(clientAuth), and the key usages asked for, C(dataEncipherment) included. What another CA
    returns is judged by the same rules, and what it left out or added is named.
  - Gives the same certificate back while it still serves, and says why when it issues anew.
  - Never returns a private key.
author:
  - siptls.cucm contributors (@siptls)
requirements:
  - cryptography
  - requests and requests-ntlm, for the provider V(adcs)
extends_documentation_fragment:
  - siptls.cucm.attributes
options:
  provider:
    description: Who signs.
    type: str
    choices: [local, adcs]
    default: local
  csr:
    description: The request, as PEM.
    type: str
    required: true
  path:
    description:
      - Folder on the host that runs the module.
      - For V(local) it holds the CA (C(ca.pem), C(ca.key), for an intermediate CA also C(chain.pem) with the CAs above
        it) and what was issued, in C(issued).
      - For V(adcs) it keeps what was issued and the ids of requests that are pending, so that the next run goes on.
        Without it nothing is kept.
    type: path
  renew_before:
    description: Days of validity below which an issued certificate is not given back any more.
    type: int
    default: 30
  force:
    description: Issue a new certificate though an earlier one still serves.
    type: bool
    default: false
  days:
    description: Lifetime in days of what V(local) signs; never longer than the CA's.
    type: int
    default: 730
  clock_skew:
    description: Minutes that a certificate of V(local) begins in the past, for nodes whose clocks are behind.
    type: int
    default: 60
  clock_offset:
    description:
      - Seconds that the clock of the node is ahead of this machine's, negative when it is behind;
        M(siptls.cucm.cucm_csr) returns them. The node judges certificates by its own clock.
      - What V(local) signs is good by both clocks, and lasts O(days) by the one that is ahead. What V(adcs) returns is
        judged by the node's.
    type: int
    default: 0
  hash:
    description: Hash that V(local) signs with.
    type: str
    choices: [sha256, sha384, sha512]
    default: sha256
  eku_policy:
    description:
      - V(both) gives exactly C(serverAuth) and C(clientAuth), which CallManager needs.
      - V(keep) gives also what else the request asks for, for example C(ipsecEndSystem).
    type: str
    choices: [both, keep]
    default: both
  allowed_sans:
    description:
      - Patterns (with C(*) and C(?)) that the common name and each alternative name must match.
      - Any name is allowed when left out.
    type: list
    elements: str
  create:
    description: Make the CA when O(path) holds none. With V(false) that is an error.
    type: bool
    default: true
  ca_subject:
    description:
      - Subject of a CA that is made, for example C(C=IN, O=cisco, CN=SIP TLS CA).
      - By default C(CN=SIP TLS CA) with some digits, because CallManager-trust holds one certificate a common name.
    type: str
  ca_key_type:
    description: Kind of the key of a CA that is made.
    type: str
    choices: [RSA, EC]
    default: RSA
  ca_key_size:
    description: Bits of the key of a CA that is made; 3072 for V(RSA) and 384 for V(EC) by default.
    type: int
  ca_days:
    description: Lifetime in days of a CA that is made.
    type: int
    default: 3650
  ca_certificate:
    description:
      - The CA's certificate as PEM, given instead of a folder; those of the CAs above it may follow.
      - With O(path) as well, what is issued is kept there.
    type: str
  ca_key:
    description: The key of O(ca_certificate) as PEM.
    type: str
  ca_key_path:
    description: File with the key of O(ca_certificate).
    type: path
  passphrase:
    description:
      - Passphrase of the CA's key; a key that is made is encrypted with it.
      - The environment variable E(SIP_TLS_CA_PASSPHRASE) is used when the option is left out.
    type: str
  url:
    description: Address of the Microsoft CA's web enrolment, for example C(https://ca.example.com/certsrv).
    type: str
  username:  # the CA's account, not CUCM's application account: ca_sign is in no action group
    description:
      - Account on the Microsoft CA, as C(DOMAIN\\name) or C(name@domain).
      - The environment variable E(SIP_TLS_ADCS_USERNAME) is used when the option is left out.
    type: str
  password:
    description:
      - Its password.
      - The environment variable E(SIP_TLS_ADCS_PASSWORD) is used when the option is left out.
    type: str
  auth:
    description: How to log in at the Microsoft CA.
    type: str
    choices: [ntlm, basic]
    default: ntlm
  template:
    description:
      - Certificate template of an enterprise CA. It must allow C(serverAuth) and C(clientAuth), take the subject from
        the request and keep data encipherment; the stock C(WebServer) has C(serverAuth) alone.
      - Leave out for a standalone CA, which knows no templates.
    type: str
  attributes:
    description: Further attributes of the request, by name.
    type: dict
  request_id:
    description: Number of a request that was pending, to go on with; replaces the one kept in O(path).
    type: int
  wait:
    description: Seconds to wait for a pending request to be issued. With V(0) the module fails at once and says so.
    type: int
    default: 0
  validate_certs:
    description: Verify the HTTPS certificate of the Microsoft CA.
    type: bool
    default: true
  ca_path:
    description: File with the PEM certificates that HTTPS to the Microsoft CA trusts.
    type: path
  legacy_crypto:
    description: Allow the cryptography of old servers (TLS 1.0, SHA-1) on the HTTPS connection to the Microsoft CA.
    type: bool
    default: false
  timeout:
    description: Seconds to wait for an answer of the Microsoft CA.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Sign with a CA of our own, made at the first run
  siptls.cucm.ca_sign:
    path: "{{ playbook_dir }}/ca"
    csr: "{{ csr.csr }}"
    days: 730
  register: signed
  delegate_to: localhost

- name: Sign with a CA whose key lies in a vault
  siptls.cucm.ca_sign:
    ca_certificate: "{{ ca_certificate }}"
    ca_key: "{{ vault_ca_key }}"
    passphrase: "{{ vault_ca_passphrase }}"
    csr: "{{ csr.csr }}"

- name: Have a Microsoft CA sign, and wait ten minutes for its manager
  siptls.cucm.ca_sign:
    provider: adcs
    url: https://ca.example.com/certsrv
    username: EXAMPLE\enrol
    password: "{{ vault_enrol_password }}"
    template: CucmTLS
    path: "{{ playbook_dir }}/ca"
    wait: 600
    csr: "{{ csr.csr }}"
"""

RETURN = r"""
certificate:
  description: The certificate, as PEM.
  type: str
  returned: success
chain:
  description: The CAs' certificates as PEM, the issuer first and the root last.
  type: list
  elements: str
  returned: success
root:
  description: The root's certificate, as PEM.
  type: str
  returned: success
reissued_because:
  description: Why a new certificate was issued though there was an earlier one; null otherwise.
  type: str
  returned: success
  sample: the earlier certificate has 20 days left, and renew_before is 30 (certificate 4F0A)
view:
  description: What the certificate says, with C(subject), C(issuer), C(serial), C(not_before), C(not_after),
    C(days_left), C(sha256), C(sans), C(eku), C(key_usage), C(key_type), C(key_size), C(signature_algorithm), C(pem).
  type: dict
  returned: success
ca:
  description: What the issuer's certificate says.
  type: dict
  returned: success
ca_created:
  description: Whether the CA was made by this run.
  type: bool
  returned: success
status:
  description: V(issued), V(pending) or V(denied).
  type: str
  returned: when the CA answered
request_id:
  description: Number of the request at the Microsoft CA.
  type: int
  returned: with the provider V(adcs)
predicted:
  description: Whether the certificate was made in memory alone, in check mode.
  type: bool
  returned: success
"""

from typing import TYPE_CHECKING

from ansible.module_utils.basic import env_fallback
from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Face, Outcome, run_module

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

SPEC = ArgSpec(
    options={
        "provider": {"type": "str", "choices": ["local", "adcs"], "default": "local"},
        "csr": {"type": "str", "required": True},
        "path": {"type": "path"},
        "renew_before": {"type": "int", "default": 30},
        "force": {"type": "bool", "default": False},
        "days": {"type": "int", "default": 730},
        "clock_skew": {"type": "int", "default": 60},
        "clock_offset": {"type": "int", "default": 0},
        "hash": {"type": "str", "choices": ["sha256", "sha384", "sha512"], "default": "sha256"},
        "eku_policy": {"type": "str", "choices": ["both", "keep"], "default": "both"},
        "allowed_sans": {"type": "list", "elements": "str"},
        "create": {"type": "bool", "default": True},
        "ca_subject": {"type": "str"},
        "ca_key_type": {"type": "str", "choices": ["RSA", "EC"], "default": "RSA", "no_log": False},
        "ca_key_size": {"type": "int", "no_log": False},
        "ca_days": {"type": "int", "default": 3650},
        "ca_certificate": {"type": "str"},
        "ca_key": {"type": "str", "no_log": True},
        "ca_key_path": {"type": "path", "no_log": False},
        "passphrase": {"type": "str", "no_log": True, "fallback": (env_fallback, ["SIP_TLS_CA_PASSPHRASE"])},
        "url": {"type": "str"},
        "username": {"type": "str", "fallback": (env_fallback, ["SIP_TLS_ADCS_USERNAME"])},
        "password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["SIP_TLS_ADCS_PASSWORD"])},
        "auth": {"type": "str", "choices": ["ntlm", "basic"], "default": "ntlm"},
        "template": {"type": "str"},
        "attributes": {"type": "dict"},
        "request_id": {"type": "int"},
        "wait": {"type": "int", "default": 0},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "legacy_crypto": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 30},
    },
    mutually_exclusive=(("ca_key", "ca_key_path"),),
    required_if=(
        ("provider", "local", ("path", "ca_certificate"), True),
        ("provider", "adcs", ("url", "username", "password")),
    ),
)


def service(task: Task) -> Outcome:
    """Let the provider sign."""
    if task.params["provider"] == "adcs":
        from ansible_collections.siptls.cucm.plugins.module_utils._ca import adcs

        return adcs.sign(task.params, dry=task.check_mode)
    from ansible_collections.siptls.cucm.plugins.module_utils._ca import local

    return local.sign(task.params, dry=task.check_mode)


FACE = Face(SPEC, service, needs=("cryptography",))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
