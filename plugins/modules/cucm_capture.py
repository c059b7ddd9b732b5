#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packet captures on CUCM nodes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_capture
short_description: Capture packets on CUCM nodes and fetch the captures
version_added: 1.0.0
description:
  - Runs C(utils network capture) on one or more nodes at once for O(seconds), ends it, fetches the file by DIME
    (HTTPS) or has the node send it to an SFTP server, and removes it from the node.
  - What has to be seen in the capture must happen while it runs, so start the task with C(async) and C(poll=0), or
    with a trunk that sends OPTIONS. With O(marker) the play knows when the captures run, and ends them.
  - A capture is bound to its terminal and ends with it. It is never left running, also when the play dies, for
    O(seconds) bounds it.
  - In check mode nothing is captured.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.platform
  - siptls.cucm.attributes
  - siptls.cucm.attributes.both
attributes:
  check_mode:
    support: full
    details: Nothing is captured, so that RV(captures) is empty.
  diff_mode:
    support: N/A
    details: A capture changes no settings.
  idempotent:
    support: N/A
    details: Every run captures anew.
options:
  username:
    description:
      - The application account that fetches the file by DIME. Needed with O(dest) unless O(sftp) is given.
      - The environment variable E(CUCM_USERNAME) is used when the option is left out.
    type: str
  password:
    description:
      - The password of O(username).
      - The environment variable E(CUCM_PASSWORD) is used when the option is left out.
    type: str
  nodes:
    description:
      - The nodes to capture on at once, each with C(host) and those of this module's options for connections that
        differ, such as C(ssh_host_key). Only O(host) when left out.
    type: list
    elements: dict
    default: []
  to:
    description: V(file) captures into a file on the node; V(screen) returns the packets' lines, parsed.
    type: str
    choices: [file, screen]
    default: file
  name:
    description: Name of the file on the node, without C(.cap). CUCM takes no dot in it.
    type: str
    default: siptls
  seconds:
    description: How long to capture, at most.
    type: int
    default: 30
  marker:
    description: A file on the controller that the module makes once the captures of all nodes run. Taking it away ends
      them before O(seconds) are over.
    type: path
  count:
    description: The most packets to capture, up to 100000.
    type: int
    default: 100000
  size:
    description: Bytes of each packet to keep, or V(all), which certificates need.
    type: str
    default: all
  peer:
    description: Capture packets from or to this address alone.
    type: str
  peer_port:
    description: Capture packets from or to this port alone.
    type: int
  network:
    description: The node's network interface.
    type: str
    choices: [eth0, eth1]
    default: eth0
  dest:
    description: The folder on the controller into which the files are fetched, as C(<host>-<name>.cap).
    type: path
  keep:
    description: Whether the file stays on the node.
    type: bool
    default: false
  sftp:
    description: An SFTP server to which the node sends the file, for networks in which HTTPS to the node is closed.
    type: dict
    suboptions:
      host:
        description: Address of the server, as the node reaches it.
        type: str
        required: true
      port:
        description: Port of the server.
        type: int
        default: 22
      username:
        description: Account on the server.
        type: str
        required: true
      password:
        description: Password of the account.
        type: str
        required: true
      directory:
        description: Directory on the server.
        type: str
        default: /
"""

EXAMPLES = r"""
- name: Capture for 40 seconds, in the background
  siptls.cucm.cucm_capture:
    host: cucma.example.com
    os_username: "{{ cucm_os_username }}"
    os_password: "{{ cucm_os_password }}"
    username: "{{ cucm_username }}"
    password: "{{ cucm_password }}"
    peer: 10.106.95.200
    seconds: 120
    marker: build/capture-runs
    dest: build/evidence
  async: 300
  poll: 0
  register: running

- name: Wait until it runs
  ansible.builtin.wait_for:
    path: build/capture-runs

- name: Make the trunk open its connections anew
  siptls.cucm.cucm_sip_trunk:
    name: TLS-TO-CUCM10
    reset: always

- name: End the capture
  ansible.builtin.file:
    path: build/capture-runs
    state: absent

- name: Wait for its file
  ansible.builtin.async_status:
    jid: "{{ running.ansible_job_id }}"
  register: capture
  until: capture.finished
  retries: 60
  delay: 3
"""

RETURN = r"""
captures:
  description: One entry a node.
  type: list
  elements: dict
  returned: success
  contains:
    node:
      description: The node.
      type: str
      returned: always
    command:
      description: The CLI's command.
      type: str
      returned: always
    seconds:
      description: How long it took, the start of the CLI included.
      type: int
      returned: always
    packets:
      description: The packets' lines, parsed, each with C(time), C(source), C(source_port), C(target), C(target_port),
        C(flags), C(sequence), C(length), C(ack), C(window).
      type: list
      elements: dict
      returned: always
    files:
      description: The files, each with C(remote_path), and C(path), C(size), C(sha256) when they were fetched.
      type: list
      elements: dict
      returned: always
"""

from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.siptls.cucm.plugins.module_utils._module import (
    APPLICATION,
    PLATFORM,
    ArgSpec,
    Failure,
    Outcome,
    run_module,
)

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

SFTP = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": 22},
    "username": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "directory": {"type": "str", "default": "/"},
}
SPEC = (
    APPLICATION.optional("username", "password")
    + PLATFORM
    + ArgSpec(
        options={
            "nodes": {"type": "list", "elements": "dict", "default": []},
            "to": {"type": "str", "choices": ["file", "screen"], "default": "file"},
            "name": {"type": "str", "default": "siptls"},
            "seconds": {"type": "int", "default": 30},
            "marker": {"type": "path"},
            "count": {"type": "int", "default": 100_000},
            "size": {"type": "str", "default": "all"},
            "peer": {"type": "str"},
            "peer_port": {"type": "int"},
            "network": {"type": "str", "choices": ["eth0", "eth1"], "default": "eth0"},
            "dest": {"type": "path"},
            "keep": {"type": "bool", "default": False},
            "sftp": {"type": "dict", "options": SFTP},
        }
    )
)


def service(module: AnsibleModule) -> Outcome:
    """Capture on every node."""
    from ansible_collections.siptls.cucm.plugins.module_utils._evidence.node_capture import Plan, Push, run

    given = module.params
    if given["dest"] and not given["sftp"] and not (given["username"] and given["password"]):
        raise Failure("To fetch the capture by DIME, give username and password of the application account.")
    if not (given["size"] == "all" or given["size"].isdecimal()):
        raise Failure(f"size is {given['size']!r}; it is a number of bytes, or all.")
    nodes = [{**given, **one} for one in given["nodes"]] or [given]
    plan = Plan(
        name=given["name"] if given["to"] == "file" else None, seconds=given["seconds"], count=given["count"],
        size=given["size"], host=given["peer"], port=given["peer_port"], network=given["network"],
        keep=given["keep"], dest=Path(given["dest"]) if given["dest"] else None,
        marker=Path(given["marker"]) if given["marker"] else None,
    )  # fmt: skip
    plan.command()
    if module.check_mode:
        return Outcome(result={"captures": []})
    captures, warnings = run(nodes, plan, Push(**given["sftp"]) if given["sftp"] else None)
    return Outcome(changed=given["keep"] and given["to"] == "file", result={"captures": captures}, warnings=warnings)


def main() -> None:
    """Run the module."""
    run_module(SPEC, service, needs=("asyncssh", "requests"))


if __name__ == "__main__":
    main()
