#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TLS handshake with a SIP peer."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sip_tls_probe
short_description: Show what a SIP TLS port presents, requests and responds
version_added: 1.0.0
description:
  - Performs a TLS handshake with a SIP port, with or without a client certificate. Returns the chain that the port
    presents, the version and the cipher, whether it requests a client certificate and of which CAs, and the alert in
    words.
  - CallManager rejects clients that do not present a certificate it trusts. The module sees the chain all the same,
    with TLS 1.0 to 1.3, and such a rejection is a result, not a failure. In TLS 1.3 it comes after the handshake; the
    module waits for it.
  - From release 11.0 on the port has two certificates, CallManager (RSA) and CallManager-ECDSA, and presents the one
    that the ClientHello ranks first. The module asks for each of them in a handshake of its own and returns both in
    RV(identities). All other values belong to the RSA certificate, or to the ECDSA one if the port has no other.
  - Up to TLS 1.2 the cipher determines the kind of certificate, so the module offers TLS 1.3 only to a server that does
    not support anything older.
  - If the handshake succeeds, the module sends a SIP OPTIONS request. Any response shows that SIP is alive there.
  - Compares the presented certificate with the one that the node holds. An uploaded certificate becomes active when
    Cisco CallManager is restarted; until then RV(state) is V(uploaded_not_active).
  - Checks the presented certificate against O(ca_chain) and O(subject_names) if they are given. A mismatch is a result,
    not a failure.
  - Sends no secret. Fails if there is no connection, or if it did not see a certificate.
author:
  - siptls.cucm contributors (@siptls)
requirements:
  - cryptography
extends_documentation_fragment:
  - siptls.cucm.attributes.info
options:
  host:
    description: Name or address of the node.
    type: str
    required: true
  port:
    description: TCP port of SIP over TLS.
    type: int
    default: 5061
  client_certificate:
    description: Client certificate to present, as PEM; the certificates of its CAs may follow.
    type: str
  client_certificate_path:
    description: File with the client certificate.
    type: path
  client_key:
    description: Key of the client certificate, as PEM.
    type: str
  client_key_path:
    description: File with the key of the client certificate.
    type: path
  client_key_passphrase:
    description: Passphrase of the key.
    type: str
  held:
    description: The RSA certificate that the node holds (purpose CallManager), as PEM or as SHA-256 fingerprint.
    type: str
  held_ecdsa:
    description: The ECDSA certificate that the node holds (purpose CallManager-ECDSA), as PEM or as SHA-256
      fingerprint.
    type: str
    version_added: 1.0.0
  ca_chain:
    description: Certificates of the CAs that have to be above the peer's certificate, up to the root, as PEM.
    type: list
    elements: str
  subject_names:
    description: Names of which the peer's certificate has to contain at least one, as common or alternative name.
    type: list
    elements: str
  options:
    description: Send a SIP OPTIONS request if the handshake succeeds.
    type: bool
    default: true
  old_peers:
    description: Check in another handshake whether the port also serves peers of releases before 11.0, which support
      only TLS 1.0.
    type: bool
    default: false
    version_added: 1.0.0
  legacy_crypto:
    description:
      - Allow the cryptography of old releases, namely TLS 1.0 and its ciphers. Releases 9.1 and 10.5 need it.
      - A warning names what was used.
    type: bool
    default: false
  timeout:
    description: Seconds to wait for the connection with the handshake, and again for the response to OPTIONS.
    type: int
    default: 10
"""

EXAMPLES = r"""
- name: See which certificate a node presents
  siptls.cucm.sip_tls_probe:
    host: cucm10.example.com
    held: "{{ held.certificates[0].pem }}"
  register: probe
  delegate_to: localhost

- name: Check what a provider's SBC presents
  siptls.cucm.sip_tls_probe:
    host: sbc.example.com
    ca_chain: ["{{ lookup('ansible.builtin.file', 'provider-ca.pem') }}"]
    subject_names: [sbc.example.com]

- name: Connect as a peer does
  siptls.cucm.sip_tls_probe:
    host: cucm10.example.com
    client_certificate: "{{ lookup('ansible.builtin.file', 'peer.pem') }}"
    client_key: "{{ vault_peer_key }}"
"""

RETURN = r"""
chain:
  description: The certificates as presented, the node's own first, each with C(subject), C(issuer), C(serial),
    C(not_before), C(not_after), C(days_left), C(sha256), C(sans), C(eku), C(key_usage), C(pem) and more.
  type: list
  elements: dict
  returned: success
  sample: [{"subject": "C=IN, ST=cisco, L=cisco, O=cisco, OU=cisco, CN=CUCMA", "common_name": "CUCMA"}]
identity:
  description: The kind of certificate, V(RSA) or V(ECDSA), to which the values outside of RV(identities) belong.
  type: str
  returned: success
  sample: RSA
identities:
  description:
    - What the port presents to a client that asks for V(RSA) and to one that asks for V(ECDSA), by kind.
    - C(presented) is whether it presented a certificate of the kind, null if that is not known, and C(text) says why it
      did not. There are also C(chain), C(names), C(tls_version) and C(cipher), and if there is a chain
      C(matches_held), C(state), C(state_text), C(trusted), C(trust_text), C(name_matches) and C(name_text).
  type: dict
  returned: success
  sample: {"RSA": {"presented": true, "tls_version": "TLSv1", "cipher": "AES128-SHA"}}
names:
  description: Common name and alternative names of the node's own certificate.
  type: list
  elements: str
  returned: success
  sample: ["CUCMA"]
tls_version:
  description: The TLS version that was negotiated.
  type: str
  returned: success
  sample: TLSv1.2
cipher:
  description: The cipher by its OpenSSL name, even if the node then rejected the probe.
  type: str
  returned: success
  sample: "AES128-SHA"
old_peers:
  description: Whether the port serves peers of releases before 11.0; null if that is not known.
  type: bool
  returned: when O(old_peers)
  sample: false
accepted:
  description: Whether the node accepted the connection of the probe; null if that is not known.
  type: bool
  returned: success
  sample: false
mutual:
  description: Whether the node authenticates its clients; null if that is not known.
  type: bool
  returned: success
  sample: true
client_certificate_asked:
  description: Whether the node requested a client certificate; null if that is not known.
  type: bool
  returned: success
  sample: true
acceptable_cas:
  description: Names of the CAs whose client certificates the node accepts; null if the node did not list them or that
    is not known.
  type: list
  elements: str
  returned: success
  sample: ["CN=Cisco Manufacturing CA,O=Cisco Systems"]
acceptable_ca_names:
  description: The attributes of each name in RV(acceptable_cas), the least specific first.
  type: list
  elements: list
  returned: success
  sample: [["O=Cisco Systems", "CN=Cisco Manufacturing CA"]]
alert:
  description: The alert that ended the connection, with C(from), C(level), C(name), C(code), C(meaning), C(next_step);
    null if there was none.
  type: dict
  returned: success
  sample: {"from": "server", "level": "fatal", "name": "handshake_failure"}
trouble:
  description: Any other error that ended the connection, in the words of the TLS library.
  type: str
  returned: success
  sample: "sslv3 alert handshake failure"
options:
  description: The response to OPTIONS, with C(alive), C(status), C(answer), C(server), C(milliseconds), C(trouble);
    null if no OPTIONS was sent.
  type: dict
  returned: success
  sample: {"answered": true}
matches_held:
  description: Whether the node presents the certificate in O(held); null without it.
  type: bool
  returned: success
  sample: true
trusted:
  description: Whether the signatures of the chain lead to a root of O(ca_chain), with all certificates in their dates;
    null without it.
  type: bool
  returned: success
  sample: true
trust_text:
  description: The same in words.
  type: str
  returned: success
  sample: "issued by the CA"
name_matches:
  description: Whether the certificate has one of O(subject_names); null without them.
  type: bool
  returned: success
  sample: true
name_text:
  description: The same in words.
  type: str
  returned: success
  sample: "CUCM10 is in the certificate"
state:
  description: V(presented) without O(held). V(active), V(uploaded_not_active), V(newer_than_held) or V(different) with
    it. On failure V(unreachable) or V(no_handshake).
  type: str
  returned: always
  sample: "presented"
state_text:
  description: The same in words, with the next step.
  type: str
  returned: success
  sample: "nothing was given to compare with"
"""

import os
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probes import presented, probe
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probes.handshake import Identity
from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Face, Failure, Outcome, run_module

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

SPEC = ArgSpec(
    options={
        "host": {"type": "str", "required": True},
        "port": {"type": "int", "default": 5061},
        "client_certificate": {"type": "str"},
        "client_certificate_path": {"type": "path"},
        "client_key": {"type": "str", "no_log": True},
        "client_key_path": {"type": "path", "no_log": False},
        "client_key_passphrase": {"type": "str", "no_log": True},
        "held": {"type": "str"},
        "held_ecdsa": {"type": "str"},
        "ca_chain": {"type": "list", "elements": "str"},
        "subject_names": {"type": "list", "elements": "str"},
        "options": {"type": "bool", "default": True},
        "old_peers": {"type": "bool", "default": False},
        "legacy_crypto": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 10},
    },
    mutually_exclusive=(("client_certificate", "client_certificate_path"), ("client_key", "client_key_path")),
)


def service(task: Task) -> Outcome:
    """Probe, compare, and say what was lowered for it."""
    given = task.params
    if not 0 < given["port"] < 65536:
        raise Failure(f"port {given['port']} is not a TCP port: use 1 to 65535.")
    with tempfile.TemporaryDirectory(dir=task.tmpdir) as folder:
        target = probe.Target(given["host"], given["port"], given["legacy_crypto"], given["timeout"])
        found = probe.probe(target, identity=identity(task, folder), options=given["options"])
    if given["old_peers"]:
        found["old_peers"] = probe.takes_old_peers(target)
    warning = probe.legacy_warning(given["host"], found) if given["legacy_crypto"] else None
    expected = {"RSA": given["held"], "ECDSA": given["held_ecdsa"]}
    for kind, shown in found["identities"].items():
        shown.update(_checked(shown["chain"], expected[kind], given))
    checked = _checked(found["chain"], expected[found["identity"]], given)
    return Outcome(result={**found, **checked}, warnings=[warning] if warning else [])


def _checked(chain: list[dict[str, Any]], expected: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is presented, compared with what is expected, the CAs and the names; empty where nothing is presented."""
    if not chain:
        return {}
    names = given["subject_names"] or ()
    return {**probe.compare(chain[0], expected), **presented.check(chain, given["ca_chain"] or (), names)}


def identity(task: Task, folder: str) -> Identity | None:
    """The client certificate as files, for OpenSSL takes no other; None when there is none."""
    given = task.params
    paths = {}
    for what in ("client_certificate", "client_key"):
        paths[what] = given[f"{what}_path"]
        if given[what]:
            paths[what] = os.path.join(folder, what)
            with open(os.open(paths[what], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(given[what])
    if not any(paths.values()):
        return None
    if not all(paths.values()):
        raise Failure("A client certificate needs its key, and a key its certificate: give both.")
    return Identity(paths["client_certificate"], paths["client_key"], given["client_key_passphrase"])


FACE = Face(SPEC, service, needs=("cryptography",))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
