#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What SDL traces and call logs say of trunks and calls."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cucm_trace_info
short_description: Read SDL traces and call logs for SIP trunks and calls
version_added: 1.0.0
description:
  - Reads the SDL traces and call logs of Cisco CallManager and returns what they show about digit analysis,
    connections, the certificates that peers presented (C(SIPCertificateInd)), calls with their ladder of messages,
    responses to OPTIONS, and alarms of SIP trunks.
  - The files are fetched from a node (Log Collection for the list, DIME for the files), or are given in O(files).
  - Plain files, gzipped files and unfinished files (C(.gzo)) are read as far as they are intact.
  - A peer counts as alive if it responds to OPTIONS with anything but 408 and 503. CUCM's own C(interErr=T) does not
    prove that it is dead.
  - SRTP keys are never returned, only whether there were any.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.connection
  - siptls.cucm.application
  - siptls.cucm.attributes.info
  - siptls.cucm.attributes.cucm
options:
  host:
    description:
      - The node whose traces to fetch. Required without O(files).
      - The environment variable E(CUCM_HOST) is the default.
    type: str
    required: false
  username:
    description:
      - The application account. Required without O(files).
      - The environment variable E(CUCM_USERNAME) is the default.
    type: str
    required: false
  password:
    description:
      - The password of O(username).
      - The environment variable E(CUCM_PASSWORD) is the default.
    type: str
    required: false
  files:
    description:
      - Trace files on the controller, or folders that contain them. If they are given, nothing is fetched.
      - A file in which a syslog server kept the node's alarms is read for those of SIP trunks.
    type: list
    elements: path
    default: []
  since:
    description: Leave out what is older, as ISO 8601 (V(2026-05-22T19:00:00+05:30)).
    type: str
  until:
    description: Leave out what is newer, as ISO 8601.
    type: str
  minutes:
    description: Fetch the files that changed within this number of minutes, if neither O(since) nor O(until) is given.
    type: int
    default: 60
  most_files:
    description: Maximum number of files of each kind (traces, call logs) to fetch, the newest first.
    type: int
    default: 10
  dest:
    description: A folder on the controller in which to keep the fetched files.
    type: path
  number:
    description: Return only calls from or to this number.
    type: str
  call_id:
    description: Return only the call with this Call-ID.
    type: str
  trunk:
    description: Return only calls over the trunk of this name, and its alarms. The call logs show which trunk a call
      took.
    type: str
  peers:
    description: Return only what concerns peers with these addresses.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Read the calls of the last hour
  siptls.cucm.cucm_trace_info:
    host: cucma.example.com
    username: "{{ cucm_username }}"
    password: "{{ cucm_password }}"
    number: "9898"
    dest: build/evidence/cucma
  register: trace

- name: Read traces that somebody sent
  siptls.cucm.cucm_trace_info:
    files: [traces/2026-05-22]
"""

RETURN = r"""
calls:
  description:
    - The calls, each with C(call_id), C(node), C(time), C(direction), C(calling), C(called), C(trunk), C(remote_ip),
      C(remote_port), C(transport), C(status), C(result), C(srtp) and C(ladder). A call that two nodes traced appears
      once per node.
    - C(status) and C(result) are those of the INVITE that was answered, else of the last one; without a final answer in
      the traces they are null and V(not known). C(transport) is that of the Via header; it is null if nothing shows it.
      C(srtp) is true if both ends sent keys, false if one end sent none, null if this was not shown.
    - A call that began before the traces has no C(direction), C(calling) and C(called).
  type: list
  elements: dict
  returned: success
  sample: []
certificates:
  description: The certificates that peers presented, each with C(time), C(node), C(index), C(remote_ip),
    C(remote_port), C(subject), C(cipher), C(sans), C(receiver), C(sender).
  type: list
  elements: dict
  returned: success
  sample: []
connections:
  description: Events of connections, each with C(time), C(node), C(event), C(remote_ip), C(remote_port), C(index),
    C(transport). A message on a known connection is not an event of its own.
  type: list
  elements: dict
  returned: success
  sample: [{"time": "2026-11-28T15:55:59.457+00:00", "event": "sipCreateConnInstance", "remote_ip": "127.0.0.1"}]
digit_analysis:
  description: Digit analysis, each with C(time), C(node), C(calling), C(dialed), C(pattern), C(partition), C(match),
    C(results).
  type: list
  elements: dict
  returned: success
  sample: []
options:
  description: The peers that were sent OPTIONS or sent some, one entry per node and port, each with C(node),
    C(peer_ip), C(peer_port) (null for OPTIONS that the peer sent), C(sent), C(received), C(answers), C(results),
    C(last), C(state) (V(alive), V(dead), V(unknown), by what came last).
  type: list
  elements: dict
  returned: success
  sample: []
alarms:
  description: Alarms about SIP trunks and about failed TLS connections (C(ConnectionFailure)), each with C(time),
    C(name), C(trunk), C(severity), C(node), C(peers); each peer, and each failed connection, with C(reason),
    C(meaning), C(next_step).
  type: list
  elements: dict
  returned: success
  sample: [{"time": "2026-11-28T15:56:06.505+00:00", "name": "SIPTrunkOOS", "trunk": "New-Trunk"}]
trouble:
  description: Lines about TLS failures and dropped messages, each with C(time), C(node) and CUCM's own C(text); for
    known lines also C(kind), C(meaning) and C(next_step), and, if the line has them, C(verification_error) (OpenSSL's
    number), C(alert) (that the peer sent), C(remote_ip), C(remote_port), C(received) and C(expected) names,
    and C(phone) (true for the connection of a phone).
  type: list
  elements: dict
  returned: success
  sample: [{"time": "2026-11-28T15:55:59.462+00:00"}]
nodes:
  description: The headers of the trace files, each with C(time), C(host), C(address), C(version), C(trace_version),
    C(node_id), C(process_started).
  type: list
  elements: dict
  returned: success
  sample: [{"time": "2026-11-28T15:55:55.317+00:00", "version": "9.1.2.10000-28", "host": "CUCMA"}]
files:
  description: The files that were read; files on the controller have C(path), C(size), C(sha256).
  type: list
  elements: dict
  returned: success
  sample: [{"remote_path": "/var/log/active/cm/trace/ccm/sdl/SDL001_100_000001.tx...", "size": 1076}]
lines:
  description: Number of trace lines read.
  type: int
  returned: success
  sample: 43
problems:
  description: What could not be read, in words.
  type: list
  elements: str
  returned: success
  sample: []
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence import files as evidence_files
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces import selection, trace_files
from ansible_collections.siptls.cucm.plugins.module_utils._module import (
    APPLICATION,
    ArgSpec,
    Face,
    Failure,
    Outcome,
    run_module,
)
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import moment

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

TEXT = {"type": "str"}
SPEC = APPLICATION.optional("host", "username", "password") + ArgSpec(
    options={
        "files": {"type": "list", "elements": "path", "default": []},
        "since": TEXT,
        "until": TEXT,
        "minutes": {"type": "int", "default": 60},
        "most_files": {"type": "int", "default": 10},
        "dest": {"type": "path"},
        "number": TEXT,
        "call_id": TEXT,
        "trunk": TEXT,
        "peers": {"type": "list", "elements": "str", "default": []},
    }
)


def service(task: Task) -> Outcome:
    """Fetch or open the files, read them, return what was requested."""
    given = task.params
    wanted = selection.Wanted(
        since=moment(given["since"]), until=moment(given["until"]), call_id=given["call_id"], number=given["number"],
        trunk=given["trunk"], peers=frozenset(given["peers"]),
    )  # fmt: skip
    for name in ("since", "until"):
        if given[name] and getattr(wanted, name) is None:
            raise Failure(
                f"{name} is {given[name]!r}, which is not a time in ISO 8601 form, such as 2026-05-22T19:00:00+05:30."
            )
    reader = trace_files.Reader(wanted.at)
    files, warnings = _from_files(given, reader) if given["files"] else _from_node(given, reader, wanted)
    return Outcome(result={**selection.summary(reader.trace, reader.logs, wanted), "files": files}, warnings=warnings)


def _from_files(given: dict[str, Any], reader: trace_files.Reader) -> tuple[list[dict[str, Any]], list[str]]:
    try:
        paths = trace_files.in_order([Path(file) for file in given["files"]])
        for path in paths:
            reader.add_file(path)
        return [evidence_files.described(path) for path in paths], []
    except OSError as error:
        raise Failure(
            f"The trace file {error.filename} could not be read on this machine: {error.strerror or error}."
        ) from error


def _from_node(
    given: dict[str, Any], reader: trace_files.Reader, wanted: selection.Wanted
) -> tuple[list[dict[str, Any]], list[str]]:
    from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient

    lacking = [name for name in ("host", "username", "password") if not given[name]]
    if lacking:
        raise Failure(f"Traces come from a node or from files: give files, or {', '.join(lacking)}.")
    client = HttpClient.from_params(given)
    chosen, left_out = trace_files.wanted_files(
        client, wanted.since, wanted.until, given["minutes"], given["most_files"]
    )
    files = trace_files.fetch(client, chosen, reader, Path(given["dest"]) if given["dest"] else None)
    if left_out:
        reader.trace.problem(f"{left_out} older files were left out (most_files: {given['most_files']})")
    return files, client.warnings


FACE = Face(SPEC, service, needs=("requests",))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
