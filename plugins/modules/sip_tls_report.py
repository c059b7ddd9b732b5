#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report on SIP over TLS between clusters."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sip_tls_report
short_description: Write a report on SIP over TLS between CUCM clusters
version_added: 1.0.0
description:
  - Writes one HTML page with the verdict, a picture of the clusters and trunks (a matrix of directions for more than
    four clusters), the certificates side by side, the handshakes and calls as ladders, what was changed, how many
    phones were registered before and after restarts, the evidence with its hashes, and the same as JSON.
  - The page is self-contained. It loads nothing, can be printed, fits the screen of a phone and has a dark mode.
  - The files are written on the controller, whatever host the task is delegated to, by the user who runs Ansible.
  - The page shows the user, the controller and the versions with which it was made, and has room to sign.
  - If the evidence has not changed, the files are left as they are.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.attributes
attributes:
  diff_mode:
    support: none
    details: The files are written as a whole, and their contents are not meant for a terminal.
  platform:
    details: Always runs on the controller, in Ansible's own process. C(async) is not supported.
options:
  dest:
    description: The folder for V(report.html) and V(report.json); created if it is missing.
    type: path
    required: true
  title:
    description: Title of the report.
    type: str
    default: SIP over TLS between CUCM clusters
  clusters:
    description: The clusters as M(siptls.cucm.sip_tls_verdict) takes them; a C(version) is shown if there is one.
    type: list
    elements: dict
    required: true
  verdict:
    description: The result of M(siptls.cucm.sip_tls_verdict).
    type: dict
    required: true
  captures:
    description: The C(connections) of M(siptls.cucm.sip_tls_capture_info).
    type: list
    elements: dict
    default: []
  traces:
    description: Results of M(siptls.cucm.cucm_trace_info), each with the key C(cluster) added. Their calls are shown.
    type: list
    elements: dict
    default: []
  changes:
    description: What was changed, each with C(cluster), C(what) and C(actions).
    type: list
    elements: dict
    default: []
  files:
    description: The files of evidence, each with C(path), C(size), C(sha256). Paths in O(dest) are shown relative to
      it.
    type: list
    elements: dict
    default: []
  about:
    description:
      - Rows about the run for the page, each with C(name) and C(value), such as the number of a change request.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Write the report
  siptls.cucm.sip_tls_report:
    dest: build/trunk
    clusters: "{{ clusters }}"
    verdict: "{{ verdict }}"
    captures: "{{ capture.connections }}"
    files: "{{ capture.files }}"
    about:
      - name: Change request
        value: CHG0012345
"""

RETURN = r"""
html:
  description: Path of the page.
  type: str
  returned: success
  sample: "report/report.html"
json:
  description: Path of the data.
  type: str
  returned: success
  sample: "report/report.json"
"""

from typing import TYPE_CHECKING

from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Face, Outcome, run_module

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

DICTS = {"type": "list", "elements": "dict", "default": []}
SPEC = ArgSpec(
    options={
        "dest": {"type": "path", "required": True},
        "title": {"type": "str", "default": "SIP over TLS between CUCM clusters"},
        "clusters": {"type": "list", "elements": "dict", "required": True},
        "verdict": {"type": "dict", "required": True},
        "captures": DICTS,
        "traces": DICTS,
        "changes": DICTS,
        "files": DICTS,
        "about": DICTS,
    }
)


def service(task: Task) -> Outcome:
    """Write both files."""
    from ansible_collections.siptls.cucm.plugins.module_utils._verdict.report import files as report_files

    given = dict(task.params)
    return report_files.write(given.pop("dest"), given, pretend=task.check_mode)


FACE = Face(SPEC, service, controller=True)


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
