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
  - Has the certificate signing request (CSR) of a node signed by a CA.
  - O(provider) says who signs. V(local) is a CA of your own, V(adcs) a Microsoft CA (Active Directory Certificate
    Services with web enrollment), V(vault) the PKI secrets engine of HashiCorp Vault, and V(by_hand) a person, who
    exchanges files through a folder. With V(tasks) your own tasks sign, and the module checks the request beforehand
    and the certificate afterwards.
  - Checks each request before it is signed. Its own signature must be valid (SHA-1 signatures of old releases
    included), it must not ask for a CA certificate, must not contain a wildcard, and must have exactly one common name
    and a key of a type and length that CUCM uses.
  - With O(requester), a name that is not the node's own or that belongs to another cluster is refused.
  - Checks each certificate before it is returned. It must have the key, the alternative names and the key usages of the
    request (including C(dataEncipherment)), allow C(serverAuth) and C(clientAuth), be valid by the clock of the node,
    and have a chain up to a root.
  - Returns an earlier certificate as long as it is valid for the request, and gives the reason if it issues a new one.
  - Never returns a private key.
author:
  - siptls.cucm contributors (@siptls)
requirements:
  - cryptography
  - requests, for the providers V(adcs) and V(vault)
  - requests-ntlm, for the provider V(adcs)
extends_documentation_fragment:
  - siptls.cucm.attributes
options:
  provider:
    description: Who signs. Options that begin with the name of another provider are refused.
    type: str
    choices: [local, adcs, vault, by_hand, tasks]
    default: local
  ca:
    description:
      - Options that say who signs, as one mapping with their names as keys, for example O(provider), O(path) and
        O(adcs_url). They override the options of the same names.
      - Secrets are refused here, because this mapping is shown in logs.
    type: dict
  csr:
    description:
      - The request, as PEM.
      - Without it nothing is signed. With V(local) the CA is created if there is none, and RV(chain) contains it; the
        other providers fail.
    type: str
  path:
    description:
      - Folder on the host that runs the module.
      - For V(local) it contains the CA (C(ca.pem), C(ca.key), for an intermediate CA also C(chain.pem) with the CAs
        above it) and the issued certificates, in C(issued).
      - For the other providers it contains the issued certificates with their chains, and for V(adcs) the numbers of
        pending requests, so that the next run continues with them. Without it nothing is kept.
    type: path
  requester:
    description:
      - The node that requests the certificate, as P(siptls.cucm.sip_tls_requester#filter) returns it. Each name in the
        request has to be its own, or match O(allowed_sans), and must not belong to any other cluster or peer.
      - A multi-server certificate may have the names of all nodes of the cluster. The parent domain, which CUCM adds to
        each request, is accepted.
      - Without it the names are not compared with the node.
    type: dict
  allowed_sans:
    description:
      - Patterns (with C(*) and C(?)) of names that the common name and the alternative names may have.
      - With O(requester) they are allowed in addition to the node's own names. An entry without a wildcard is allowed
        even if another cluster has the name.
      - Without O(requester) only these names are allowed. If both options are left out, any name is allowed.
    type: list
    elements: str
  renew_before:
    description: Days of validity below which an earlier certificate is no longer returned.
    type: int
    default: 30
  force:
    description: Issue a new certificate even if an earlier one is still valid for the request.
    type: bool
    default: false
  days:
    description: Lifetime, in days, of certificates that V(local) and V(vault) sign; never longer than the CA's.
    type: int
    default: 730
  clock_offset:
    description:
      - Seconds by which the clock of the node is ahead of this machine's, negative if it is behind;
        M(siptls.cucm.cucm_csr) returns them. The node checks certificates by its own clock.
      - A certificate of V(local) is valid by both clocks, and lasts O(days) by the clock that is ahead. Certificates of
        the other providers are checked by the node's clock.
    type: int
    default: 0
  eku_policy:
    description:
      - V(both) gives the certificate exactly C(serverAuth) and C(clientAuth), which CallManager needs.
      - V(keep) also gives it those of O(kept_eku) that the request contains.
    type: str
    choices: [both, keep]
    default: both
  kept_eku:
    description: Extended key usages, as names or object identifiers, that O(eku_policy=keep) keeps.
    type: list
    elements: str
    default: [ipsecEndSystem]
  local_create:
    description: Create the CA if O(path) contains none. With V(false) a missing CA is an error.
    type: bool
    default: true
    aliases: [create]
  local_hash:
    description: Hash that V(local) signs with.
    type: str
    choices: [sha256, sha384, sha512]
    default: sha256
    aliases: [hash]
  local_clock_skew:
    description: Minutes by which certificates of V(local) are backdated, for nodes whose clocks are behind.
    type: int
    default: 60
    aliases: [clock_skew]
  local_crl_urls:
    description:
      - Addresses of the revocation list (CRL) that V(local) writes into each certificate as CRL distribution points.
      - The module does not create a revocation list. Set the option only if you publish one there.
    type: list
    elements: str
  local_ocsp_urls:
    description: Addresses of OCSP responders that V(local) writes into each certificate. The module runs no responder.
    type: list
    elements: str
  local_ca_subject:
    description:
      - Subject of a CA that the module creates, for example C(C=IN, O=cisco, CN=SIP TLS CA).
      - By default C(CN=SIP TLS CA) with some digits, because CallManager-trust holds one certificate per common name.
    type: str
    aliases: [ca_subject]
  local_ca_key_type:
    description: Type of the key of a CA that the module creates.
    type: str
    choices: [RSA, EC]
    default: RSA
    aliases: [ca_key_type]
  local_ca_key_size:
    description: Length, in bits, of the key of a CA that the module creates; by default 3072 for V(RSA) and 384 for
      V(EC).
    type: int
    aliases: [ca_key_size]
  local_ca_days:
    description: Lifetime, in days, of a CA that the module creates. Not less than O(days), and not more than 36500.
    type: int
    default: 3650
    aliases: [ca_days]
  local_permitted_names:
    description:
      - Domains and networks, such as C(example.com) and C(10.1.0.0/16), to which name constraints limit a CA that the
        module creates. Whoever checks its certificates then rejects other names.
      - Name constraints do not limit a common name without a domain. Whether old releases of CUCM accept a CA with this
        critical extension is not known; try it in a lab first.
    type: list
    elements: str
  local_ca_certificate:
    description:
      - The CA's certificate as PEM, given instead of a folder; those of the CAs above it may follow.
      - With O(path) as well, issued certificates are kept there.
    type: str
    aliases: [ca_certificate]
  local_ca_key:
    description: The key of O(local_ca_certificate) as PEM.
    type: str
    aliases: [ca_key]
  local_ca_key_path:
    description: File with the key of O(local_ca_certificate).
    type: path
    aliases: [ca_key_path]
  local_passphrase:
    description:
      - Passphrase of the CA's key; a key that the module creates is encrypted with it.
      - The environment variable E(SIP_TLS_CA_PASSPHRASE) is the default.
    type: str
    aliases: [passphrase]
  adcs_url:
    description: Address of the Microsoft CA's web enrollment, for example C(https://ca.example.com/certsrv).
    type: str
    aliases: [url]
  adcs_username:  # the CA's account, not CUCM's application account: ca_sign is in no action group
    description:
      - Account on the Microsoft CA, as C(DOMAIN\\name) or C(name@domain).
      - The environment variable E(SIP_TLS_ADCS_USERNAME) is the default.
    type: str
    aliases: [username]
  adcs_password:
    description:
      - Its password.
      - The environment variable E(SIP_TLS_ADCS_PASSWORD) is the default.
    type: str
    aliases: [password]
  adcs_auth:
    description: How to log in to the Microsoft CA.
    type: str
    choices: [ntlm, basic]
    default: ntlm
    aliases: [auth]
  adcs_template:
    description:
      - Certificate template of an enterprise CA. It must allow C(serverAuth) and C(clientAuth), take the subject from
        the request and keep data encipherment; the default template C(WebServer) has only C(serverAuth).
      - Leave it out for a standalone CA, which has no templates.
    type: str
    aliases: [template]
  adcs_attributes:
    description: Additional attributes of the request, by name.
    type: dict
    aliases: [attributes]
  adcs_request_id:
    description: Number of a pending request to continue with, in place of the one kept in O(path).
    type: int
    aliases: [request_id]
  adcs_wait:
    description: Seconds to wait for a pending request to be issued. With V(0) the module fails at once with status
      V(pending).
    type: int
    default: 0
    aliases: [wait]
  adcs_validate_certs:
    description: Verify the HTTPS certificate of the Microsoft CA.
    type: bool
    default: true
    aliases: [validate_certs]
  adcs_ca_path:
    description: File with the PEM certificates that HTTPS to the Microsoft CA trusts.
    type: path
    aliases: [ca_path]
  adcs_legacy_crypto:
    description: Allow the cryptography of old servers (TLS 1.0, SHA-1) on the HTTPS connection to the Microsoft CA.
    type: bool
    default: false
    aliases: [legacy_crypto]
  adcs_timeout:
    description: Seconds to wait for a complete response of the Microsoft CA.
    type: int
    default: 30
    aliases: [timeout]
  vault_url:
    description:
      - Address of Vault without a path, for example C(https://vault.example.com:8200). Plain HTTP is refused.
      - The environment variable E(VAULT_ADDR) is the default.
    type: str
  vault_token:
    description:
      - A token whose policy allows C(update) on the signing path.
      - The environment variable E(VAULT_TOKEN) is the default.
    type: str
  vault_mount:
    description: Mount of the PKI secrets engine.
    type: str
    default: pki
  vault_sign:
    description:
      - With V(verbatim) Vault signs the request as it is (C(sign-verbatim)), with the usages that CallManager needs.
      - With V(role) O(vault_role) decides (C(sign/ROLE)). The role needs C(server_flag) and C(client_flag), and
        C(key_usage) with C(DataEncipherment).
    type: str
    choices: [verbatim, role]
    default: verbatim
  vault_role:
    description: Role of the secrets engine; required with O(vault_sign=role).
    type: str
  vault_namespace:
    description: Namespace of Vault Enterprise.
    type: str
  vault_validate_certs:
    description: Verify Vault's HTTPS certificate.
    type: bool
    default: true
  vault_ca_path:
    description: File with the PEM certificates that HTTPS to Vault trusts.
    type: path
  vault_timeout:
    description: Seconds to wait for a complete response of Vault.
    type: int
    default: 30
  by_hand_path:
    description:
      - Folder for requests and signed certificates. The module writes the request there and fails with its path. Save
        the certificate beside it as the message says, and run again.
      - The certificate may be PEM, DER or PKCS#7. Its chain may be in the same file, or in C(chain.pem), C(chain.cer)
        or C(chain.p7b).
    type: path
  by_hand_name:
    description: First part of the file names in O(by_hand_path); the common name of the request by default.
    type: str
  tasks_certificate:
    description:
      - The certificate that your own tasks got, as PEM. Without it only the request is checked, RV(status) is
        V(checked), and RV(certificate) is null.
    type: str
  tasks_chain:
    description: The certificates of the CAs above O(tasks_certificate), as PEM.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Sign with a CA of our own, which the first run creates
  siptls.cucm.ca_sign:
    path: "{{ playbook_dir }}/ca"
    csr: "{{ csr.csr }}"
    days: 730
  register: signed
  delegate_to: localhost

- name: Sign with a CA whose key is in a vault
  siptls.cucm.ca_sign:
    local_ca_certificate: "{{ ca_certificate }}"
    local_ca_key: "{{ vault_ca_key }}"
    local_passphrase: "{{ vault_ca_passphrase }}"
    csr: "{{ csr.csr }}"

- name: Have a Microsoft CA sign, and wait ten minutes for its manager
  siptls.cucm.ca_sign:
    provider: adcs
    adcs_url: https://ca.example.com/certsrv
    adcs_username: EXAMPLE\enrol
    adcs_password: "{{ vault_enrol_password }}"
    adcs_template: CucmTLS
    adcs_wait: 600
    path: "{{ playbook_dir }}/ca"
    csr: "{{ csr.csr }}"

- name: Have HashiCorp Vault sign with a role
  siptls.cucm.ca_sign:
    provider: vault
    vault_url: https://vault.example.com:8200
    vault_token: "{{ vault_pki_token }}"
    vault_sign: role
    vault_role: cucm
    csr: "{{ csr.csr }}"
"""

RETURN = r"""
certificate:
  description: The certificate, as PEM; null if nothing was to be signed.
  type: str
  returned: success
  sample: "-----BEGIN CERTIFICATE-----..."
chain:
  description: The CAs' certificates as PEM, the issuer first and the root last.
  type: list
  elements: str
  returned: success
  sample: ["-----BEGIN CERTIFICATE-----..."]
root:
  description: The root's certificate, as PEM.
  type: str
  returned: success
  sample: "-----BEGIN CERTIFICATE-----..."
reissued_because:
  description: Why a new certificate was issued although there was an earlier one; null otherwise.
  type: str
  returned: success
  sample: the earlier certificate has 20 days left, and renew_before is 30 (certificate 4F0A)
view:
  description: The fields of the certificate, with C(subject), C(issuer), C(serial), C(not_before), C(not_after),
    C(days_left), C(sha256), C(sans), C(eku), C(key_usage), C(key_type), C(key_size), C(signature_algorithm), C(pem).
  type: dict
  returned: success
  sample: {"subject": "C=IN, ST=cisco, L=cisco, O=cisco, OU=cisco, CN=CUCMA", "common_name": "CUCMA"}
ca:
  description: The fields of the issuer's certificate.
  type: dict
  returned: success
  sample: {"subject": "CN=SIP TLS CA f0f496e4", "common_name": "SIP TLS CA f0f496e4"}
ca_created:
  description: Whether this run created the CA.
  type: bool
  returned: success
  sample: true
status:
  description: V(issued), V(pending), V(denied), V(checked) if nothing was to be signed, or V(ready) without O(csr).
  type: str
  returned: when the CA responded
  sample: "issued"
request_id:
  description: Number of the request at the Microsoft CA.
  type: int
  returned: with the provider V(adcs)
  sample: 17
signing_chain:
  description: In check mode, the certificate of the CA that would sign and those above it, as PEM; empty if the CA does
    not show them before it signs.
  type: list
  elements: str
  returned: if a certificate was signed or predicted
  sample: ["-----BEGIN CERTIFICATE-----..."]
predicted:
  description: Whether the certificate exists only in memory, in check mode.
  type: bool
  returned: success
  sample: false
"""

from typing import TYPE_CHECKING

from ansible_collections.siptls.cucm.plugins.module_utils._ca.options import SPEC
from ansible_collections.siptls.cucm.plugins.module_utils._ca.signing import sign
from ansible_collections.siptls.cucm.plugins.module_utils._module import Face, Outcome, run_module

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task


def service(task: Task) -> Outcome:
    """Let the provider sign."""
    return sign(task.params, dry=task.check_mode)


FACE = Face(SPEC, service, needs=("cryptography",))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
