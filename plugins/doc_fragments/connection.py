# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module reaches a node over HTTPS; private to siptls.cucm."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of CONNECTION in module_utils/_module.py."""

    DOCUMENTATION = r"""
requirements:
  - requests
options:
  host:
    description:
      - Name or address of the node.
      - For AXL (the configuration database) name the publisher; for certificates and services the node concerned.
      - The environment variable E(CUCM_HOST) is the default.
    type: str
    required: true
  port:
    description: TCP port of the node's HTTPS interfaces.
    type: int
    default: 8443
  validate_certs:
    description:
      - Verify the HTTPS certificate of the node.
      - The environment variable E(CUCM_VALIDATE_CERTS) is the default.
    type: bool
    default: true
  ca_path:
    description:
      - File of PEM certificates to trust for HTTPS, either the CA or the self-signed C(tomcat) certificate.
      - A certificate that is itself in the file is accepted under any name, because CUCM's own certificates rarely
        contain the address by which a node is reached.
      - The environment variable E(CUCM_CA_PATH) is the default.
    type: path
  tls_fingerprint:
    description:
      - SHA-256 fingerprint of the node's HTTPS certificate, in hexadecimal with or without colons.
      - Replaces the check of the chain and the name.
    type: str
  legacy_crypto:
    description:
      - Allow the cryptography of old releases, namely TLS 1.0, SHA-1, RSA keys of 1024 bits, and for SSH
        C(ssh-rsa) and C(diffie-hellman-group14-sha1). Releases 9.1 and 10.5 need it.
      - A warning names what was used.
    type: bool
    default: false
  timeout:
    description: Seconds to wait for a response.
    type: int
    default: 30
"""
