#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a packet capture shows of SIP over TLS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sip_tls_capture_info
short_description: Read the TLS handshakes of SIP trunks from a packet capture
version_added: 1.0.0
description:
  - Reads a capture file from CUCM, tcpdump or Wireshark (pcap or pcapng, gzipped or not). For each connection on the
    SIP ports it returns the certificates of both ends, the TLS version and cipher, whether the authentication was
    mutual, the alerts with their meaning, and the SIP messages that are readable.
  - Needs no other program. Captures with segments that are out of order, repeated or missing, and truncated or damaged
    files, are read as far as possible; RV(problems) and RV(connections[].notes) say what is missing.
  - TLS 1.3 encrypts the certificates. RV(connections[].certificates_visible) is then V(false) and
    RV(connections[].mutual) is null; use M(siptls.cucm.sip_tls_probe) or M(siptls.cucm.cucm_trace_info) to see them.
  - SRTP keys in SIP messages are never returned, only whether there were any.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.attributes.info
requirements:
  - cryptography
options:
  paths:
    description: The capture file, or the files of one capture in the order in which they were written.
    type: list
    elements: path
    required: true
  rolled:
    description: Whether to also read the further files of a long CUCM capture, such as V(packets.cap01) beside
      V(packets.cap).
    type: bool
    default: true
  ports:
    description: The TCP ports that carry SIP. An empty list reads every connection.
    type: list
    elements: int
    default: [5060, 5061]
"""

EXAMPLES = r"""
- name: Read a capture that was fetched from CUCM
  siptls.cucm.sip_tls_capture_info:
    paths: [build/packets.cap]
  register: capture

- name: Show who presented which certificate
  ansible.builtin.debug:
    msg: >-
      {{ item.client }} to {{ item.server }}: {{ item.tls_version }}, mutual: {{ item.mutual }},
      server {{ (item.server_certificates | first).subject | default('invisible') }}
  loop: "{{ capture.connections | selectattr('protocol', 'eq', 'tls') }}"
"""

RETURN = r"""
connections:
  description: The connections, in the order of their first packet.
  type: list
  elements: dict
  returned: success
  contains:
    client:
      description: The end that opened the connection, as C(address:port).
      type: str
      returned: always
      sample: "127.18.105.1:56749"
    server:
      description: The other end, as C(address:port).
      type: str
      returned: always
      sample: "127.18.91.1:5061"
    started:
      description: Time of the first packet, in UTC.
      type: str
      returned: always
      sample: "2026-11-28T14:26:40.338986Z"
    protocol:
      description: V(tls), V(sip) (not encrypted), V(other), V(none) (no data was sent) or V(unknown) (not shown).
      type: str
      returned: always
      sample: "tls"
    tls_version:
      description: The version that the server chose.
      type: str
      returned: always
      sample: TLSv1.2
    cipher:
      description: The cipher by its OpenSSL name.
      type: str
      returned: always
      sample: AES128-SHA
    server_name:
      description: The server name that the client requested.
      type: str
      returned: always
      sample: "cucm10.example.com"
    established:
      description: Whether the handshake succeeded; null if the capture does not show it.
      type: bool
      returned: always
      sample: true
    resumed:
      description: Whether an earlier session was resumed, in which case no certificates are shown; null if the capture
        does not show it. In TLS 1.3 a key that both ends were given beforehand looks the same, and is V(true) too.
      type: bool
      returned: always
      sample: false
    certificates_visible:
      description: Whether the certificates could be read.
      type: bool
      returned: always
      sample: false
    mutual:
      description: Whether both ends presented a certificate and proved that they have its key; null if the capture does
        not show it.
      type: bool
      returned: always
      sample: true
    client_certificates:
      description: The client's chain, leaf first.
      type: list
      elements: dict
      returned: always
      sample: [{"common_name": "CUCMA"}]
    server_certificates:
      description: The server's chain, leaf first.
      type: list
      elements: dict
      returned: always
      sample: [{"common_name": "CUCM10"}]
    asked_for_certificate:
      description: Whether the server asked the client for a certificate; null if the capture does not show it.
      type: bool
      returned: always
      sample: true
    asked_cas:
      description: The CAs from which the server accepts certificates.
      type: list
      elements: str
      returned: always
      sample: ["CN=SIP TLS CA d6d15385"]
    alerts:
      description: The alerts, each with C(time), C(frame), C(from), C(level), C(code), C(name), C(meaning).
      type: list
      elements: dict
      returned: always
      sample: [{"from": "server", "level": "fatal", "name": "unknown_ca"}]
    handshake:
      description: The handshake messages, each with C(time), C(frame), C(from), C(message).
      type: list
      elements: dict
      returned: always
      sample: [{"time": "2026-11-28T14:26:40.338986Z", "frame": 1, "from": "server"}]
    sip:
      description: The SIP messages that are readable, each with C(time), C(frame), C(from), C(start_line) and more.
      type: list
      elements: dict
      returned: always
      sample: [{"from": "client", "message": "OPTIONS"}]
    closed_by:
      description: Who reset the connection, if anybody did.
      type: str
      returned: always
      sample: "client"
    notes:
      description: Notes that matter when you assess this connection.
      type: list
      elements: str
      returned: always
      sample: ["the capture begins within the connection"]
    packets:
      description: Number of packets.
      type: int
      returned: always
      sample: 5
    octets:
      description: Bytes of TCP payload.
      type: int
      returned: always
      sample: 41
    frame:
      description: Number of the first packet in the capture.
      type: int
      returned: always
      sample: 1
files:
  description: The files that were read, each with C(path), C(size) in bytes and C(sha256).
  type: list
  elements: dict
  returned: success
  sample: [{"path": "evidence/127.217.91.1-siptls.cap", "size": 24}]
format:
  description: V(pcap) or V(pcapng).
  type: str
  returned: success
  sample: "pcap"
packets:
  description: Number of packets in the files.
  type: int
  returned: success
  sample: 0
segments:
  description: Number of TCP segments on the ports.
  type: int
  returned: success
  sample: 0
first_packet:
  description: Time of the earliest packet, in UTC.
  type: str
  returned: success
  sample: "2026-11-28T14:26:40.120000Z"
last_packet:
  description: Time of the latest packet, in UTC.
  type: str
  returned: success
  sample: "2026-11-28T14:26:52.480000Z"
problems:
  description: What could not be read or is not shown, in words. SIP over UDP is counted here.
  type: list
  elements: str
  returned: success
  sample: []
"""

from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.siptls.cucm.plugins.module_utils._evidence import files as evidence_files
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import capture
from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Face, Failure, Outcome, run_module

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

SPEC = ArgSpec(
    options={
        "paths": {"type": "list", "elements": "path", "required": True},
        "rolled": {"type": "bool", "default": True},
        "ports": {"type": "list", "elements": "int", "default": [5060, 5061]},
    }
)


def service(task: Task) -> Outcome:
    """Read the files."""
    from ansible_collections.siptls.cucm.plugins.module_utils._x509.view import certificate_view

    given = task.params
    paths = [Path(path) for path in given["paths"]]
    if given["rolled"]:
        paths = [part for path in paths for part in evidence_files.rolled(path)]
    try:
        read = capture.read(paths, frozenset(given["ports"]))
        files = [evidence_files.described(path) for path in paths]
    except OSError as error:
        raise Failure(
            f"The capture file {error.filename or paths[0]} could not be read on this machine: "
            f"{error.strerror or error}. Check the path and its permissions."
        ) from error
    return Outcome(result={**capture.as_dict(read, certificate_view), "files": files})


FACE = Face(SPEC, service, needs=("cryptography",))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
