# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform account, SSH and the choice between REST and CLI; private to siptls.cucm."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that PLATFORM in module_utils/_module.py adds to CONNECTION."""

    DOCUMENTATION = r"""
requirements:
  - asyncssh
  - cryptography
options:
  os_username:
    description:
      - The platform account, which is the OS administrator of the node (CLI, certificate management).
      - The environment variable E(CUCM_OS_USERNAME) is the default.
    type: str
    required: true
  os_password:
    description:
      - The password of O(os_username). A rejected password is never tried twice, because CUCM locks accounts.
      - The environment variable E(CUCM_OS_PASSWORD) is the default.
    type: str
    required: true
  ssh_port:
    description: TCP port of the node's SSH server.
    type: int
    default: 22
  ssh_known_hosts:
    description: File of trusted SSH host keys, in the format of OpenSSH.
    type: path
    default: ~/.ssh/known_hosts
  ssh_host_key:
    description:
      - Pins the node's SSH host key, as a C(SHA256:) fingerprint or as a public key line.
      - Replaces O(ssh_known_hosts).
    type: str
  validate_host_key:
    description: Verify the SSH host key of the node.
    type: bool
    default: true
  interface:
    description:
      - Whether to manage certificates by the REST API (release 14 and later) or by the CLI over SSH.
      - V(auto) uses the REST API where the release has it.
    type: str
    choices: [auto, rest, cli]
    default: auto
"""
