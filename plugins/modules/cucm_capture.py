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
  - Runs C(utils network capture) on one or more nodes at once for O(seconds), then fetches the file by DIME (HTTPS) or
    has the node send it to an SFTP server, and removes it from the node.
  - What you want to capture has to happen while the capture runs. Start it with O(state=begun), run the tasks that
    cause the traffic, then end it with O(state=ended); or rely on a trunk that sends OPTIONS.
  - A capture ends with its terminal session. Even if the play is killed, it ends after O(seconds).
  - Check mode captures nothing.
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
    details: Captures nothing; RV(captures) is empty.
  diff_mode:
    support: N/A
    details: A capture changes no settings.
  idempotent:
    support: N/A
    details: Every run captures again.
options:
  state:
    description:
      - V(captured) captures for O(seconds) and fetches.
      - V(begun) returns when the captures of all nodes have started (or one of them has failed to start), and leaves
        them running in a process of its own.
      - V(ended) ends the captures that V(begun) started in O(folder), fetches them, and returns RV(captures). It needs
        no other options but O(host).
    type: str
    choices: [captured, begun, ended]
    default: captured
  folder:
    description:
      - The folder on the controller that O(state=begun) and O(state=ended) share. Without it V(begun) creates one in
        the folder for temporary files and returns it as RV(folder).
      - The files are fetched to it unless O(dest) is given. Remove it when they are no longer needed.
    type: path
  end_early:
    description: With O(state=ended), whether to end the captures at once. Otherwise they run until O(seconds) are over.
    type: bool
    default: true
  username:
    description:
      - The application account that fetches the file by DIME. Required with O(dest) unless O(sftp) is given.
      - The environment variable E(CUCM_USERNAME) is the default.
    type: str
  password:
    description:
      - The password of O(username).
      - The environment variable E(CUCM_PASSWORD) is the default.
    type: str
  nodes:
    description:
      - The nodes to capture on at the same time, each with C(host) and those connection options of this module that
        differ, such as C(ssh_host_key). The default is O(host) alone.
    type: list
    elements: dict
    default: []
  to:
    description: V(file) captures into a file on the node; V(screen) returns the parsed lines of the packets.
    type: str
    choices: [file, screen]
    default: file
  name:
    description: Name of the file on the node, without C(.cap). CUCM does not allow dots in it.
    type: str
    default: siptls
  seconds:
    description: Maximum duration of the capture, in seconds.
    type: int
    default: 30
  marker:
    description: A file on the controller that the module creates once the captures of all nodes have started.
      Removing it ends them before O(seconds) are over.
    type: path
  count:
    description: Maximum number of packets to capture, up to 100000.
    type: int
    default: 100000
  size:
    description: Bytes of each packet to keep, or V(all), which is required to see certificates.
    type: str
    default: all
  peer:
    description: Capture only packets from or to this address.
    type: str
  peer_port:
    description: Capture only packets from or to this port.
    type: int
  network:
    description: The node's network interface.
    type: str
    choices: [eth0, eth1]
    default: eth0
  dest:
    description: The folder on the controller to fetch the files to, as C(<host>-<name>.cap).
    type: path
  keep:
    description: Keep the file on the node.
    type: bool
    default: false
  sftp:
    description: An SFTP server to which the node sends the file, for networks that block HTTPS to the node.
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
- name: Begin a capture
  siptls.cucm.cucm_capture:
    host: cucma.example.com
    os_username: "{{ cucm_os_username }}"
    os_password: "{{ cucm_os_password }}"
    username: "{{ cucm_username }}"
    password: "{{ cucm_password }}"
    peer: 10.106.95.200
    seconds: 120
    state: begun
    dest: build/evidence
  register: running

- name: Make the trunk reconnect
  siptls.cucm.cucm_sip_trunk:
    name: TLS-TO-CUCM10
    reset: always

- name: End the capture and fetch its file
  siptls.cucm.cucm_capture:
    host: cucma.example.com
    os_username: "{{ cucm_os_username }}"
    os_password: "{{ cucm_os_password }}"
    state: ended
    folder: "{{ running.folder }}"
  register: capture
"""

RETURN = r"""
folder:
  description: The folder to give to O(state=ended).
  type: str
  returned: when O(state=begun), except in check mode
  sample: "/tmp/cucm_capture.4k2mzq0v"
captures:
  description: One entry per node; empty with O(state=begun).
  type: list
  elements: dict
  returned: success
  contains:
    node:
      description: The node.
      type: str
      returned: always
      sample: "127.217.91.1"
    command:
      description: The command that the CLI ran.
      type: str
      returned: always
      sample: "utils network capture eth0 file siptls count 100000 s..."
    seconds:
      description: How long the capture took, including the start of the CLI.
      type: int
      returned: always
      sample: 5
    packets:
      description: The parsed lines of the packets, each with C(time), C(source), C(source_port), C(target),
        C(target_port),
        C(flags), C(sequence), C(length), C(ack), C(window).
      type: list
      elements: dict
      returned: always
      sample: []
    files:
      description: The files, each with C(remote_path), and with C(path), C(size) and C(sha256) if it was fetched.
      type: list
      elements: dict
      returned: always
      sample: [{"remote_path": "/var/log/active/platform/cli/siptls.cap"}]
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import (
    APPLICATION,
    PLATFORM,
    ArgSpec,
    Face,
    Failure,
    Outcome,
    run_module,
)

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.node_capture import Plan
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

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
            "state": {"type": "str", "choices": ["captured", "begun", "ended"], "default": "captured"},
            "folder": {"type": "path"},
            "end_early": {"type": "bool", "default": True},
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


def service(task: Task) -> Outcome:
    """Capture on every node, or begin to, or end what was begun."""
    if task.params["state"] == "ended":
        return _end(task)
    from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import node_capture

    given = task.params
    plan = _plan(given)
    if task.check_mode:
        return Outcome(result={"captures": []})
    nodes = [{**given, **node} for node in given["nodes"]] or [given]
    push = node_capture.Push(**given["sftp"]) if given["sftp"] else None
    changed = given["keep"] and given["to"] == "file"
    if given["state"] == "begun":
        folder = node_capture.begin(nodes, plan, push, _path(given["folder"]))
        return Outcome(changed=changed, result={"captures": [], "folder": folder})
    captures, warnings = node_capture.run(nodes, plan, push)
    return Outcome(changed=changed, result={"captures": captures}, warnings=warnings)


def _plan(given: Mapping[str, Any]) -> Plan:
    """What to capture. Failure when the options contradict each other, or CUCM would not take them."""
    from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.node_capture import Plan

    if given["size"] != "all" and not given["size"].isdecimal():
        raise Failure(f"size is {given['size']!r}; it is a number of bytes, or all.")
    fetches = given["dest"] or given["state"] == "begun"
    if fetches and not given["sftp"] and not (given["username"] and given["password"]):
        raise Failure("To fetch the capture by DIME, give username and password of the application account.")
    plan = Plan(
        name=given["name"] if given["to"] == "file" else None, seconds=given["seconds"], count=given["count"],
        size=given["size"], host=given["peer"], port=given["peer_port"], network=given["network"],
        keep=given["keep"], dest=_path(given["dest"]), marker=_path(given["marker"]),
    )  # fmt: skip
    plan.command()
    return plan


def _path(given: str | None) -> Path | None:
    return Path(given) if given else None


def _end(task: Task) -> Outcome:
    """End what was begun in the folder."""
    from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import node_capture

    if not task.params["folder"]:
        raise Failure("state=ended needs the folder that state=begun returned.")
    if task.check_mode:
        return Outcome(result={"captures": []})
    captures, warnings = node_capture.end(Path(task.params["folder"]), early=task.params["end_early"])
    return Outcome(result={"captures": captures}, warnings=warnings)


FACE = Face(SPEC, service, needs=("asyncssh", "requests"))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
