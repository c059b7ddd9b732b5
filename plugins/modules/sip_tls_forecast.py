#!/usr/bin/python
# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When SIP trunks over TLS will break, and why."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sip_tls_forecast
short_description: Forecast when SIP trunks over TLS will break, and why
version_added: 1.0.0
description:
  - Takes the same evidence as M(siptls.cucm.sip_tls_verdict) and lists, for each direction of a trunk, what will break
    it, with the date if there is one.
  - It checks when the certificates of both ends and of the CAs above them expire, certificates of public CAs (no
    clientAuth from March 2027 on, lifetimes of 200, 100 and 47 days), key sizes and SHA-1, and ciphers and TLS versions
    that the clusters negotiate and that newer releases no longer support. If a cluster asks the OCSP responder named in
    a certificate (C(revocation) of O(clusters)), it lists certificates that name none.
  - With O(certificates) it also lists all certificates of all clusters and services, and what external peers present,
    those that expire first on top.
  - With O(dest) it writes both as a self-contained HTML page, as CSV and as JSON.
  - Does not contact any system. The files are written on the controller.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.attributes
  - siptls.cucm.evidence
attributes:
  diff_mode:
    support: none
    details: The files are written as a whole, and their contents are not meant for a terminal.
  platform:
    details: Always runs on the controller, in Ansible's own process. C(async) is not supported.
requirements:
  - cryptography
options:
  certificates:
    description:
      - Results of M(siptls.cucm.cucm_certificate_info), each with the key C(cluster) added.
      - A result without certificates, for a node that could not be read, is listed as not read, with its message.
    type: list
    elements: dict
    default: []
  dest:
    description: A folder on the controller for V(forecast.html), V(forecast.csv), V(certificates.csv) and
      V(forecast.json); created if it is missing. Without it nothing is written.
    type: path
  near_days:
    description: Certificates that expire within this number of days are listed in RV(ending); the page shows them in
      the color of an error.
    type: int
    default: 30
  renew_before:
    description: Days before they expire from which certificates are renewed (C(callmanager_certificate_renew_before)).
      Together with the lifetimes of public CAs it shows how often Cisco CallManager has to be restarted.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Forecast when the trunks will break
  siptls.cucm.sip_tls_forecast:
    clusters: "{{ evidence | map(attribute='cluster') }}"
    directions: "{{ evidence | map(attribute='directions') | flatten }}"
    certificates: "{{ all_certificates.results | map('combine', {'cluster': 'cucma'}) }}"
    dest: build/forecast
  register: forecast

- name: Fail if that is within 30 days
  ansible.builtin.assert:
    that:
      - forecast.days_left is none or forecast.days_left > 30
      - forecast.ending == []
    fail_msg: "{{ forecast.summary + forecast.ending }}"
"""

RETURN = r"""
breaks_on:
  description: The first day on which a trunk breaks, as ISO 8601; null if none is known.
  type: str
  returned: success
  sample: "2028-11-27T15:56:00Z"
days_left:
  description: Whole days until RV(breaks_on).
  type: int
  returned: success
  sample: 729
summary:
  description: One sentence per direction.
  type: list
  elements: str
  returned: success
  sample: ["cucma to cucm10: breaks on 2027-02-01 (92 days): the CallManager certificate of CUCM10 expires"]
forecasts:
  description: The forecast of each direction.
  type: list
  elements: dict
  returned: success
  contains:
    from:
      description: The cluster that sends the calls.
      type: str
      returned: always
      sample: "cucm10"
    to:
      description: The cluster that receives them.
      type: str
      returned: always
      sample: "cucma"
    works:
      description: Whether the trunk works in this direction now; null if nothing shows it.
      type: bool
      returned: always
      sample: true
    breaks_on:
      description: The first day on which this direction breaks, as ISO 8601.
      type: str
      returned: always
      sample: "2028-11-27T15:56:00Z"
    days_left:
      description: Whole days until then.
      type: int
      returned: always
      sample: 729
    reason:
      description: Why it breaks on that day.
      type: str
      returned: always
      sample: "the certificate of CUCMA expires"
    events:
      description: All events that were found, the earliest first, each with C(kind), C(date) (null for events that come
        with an upgrade or a renewal), C(days_left), C(node), C(reason), C(next_step).
      type: list
      elements: dict
      returned: always
      sample: [{"kind": "certificate_end", "date": "2028-11-27T15:56:00Z", "days_left": 729}]
ending:
  description: A sentence for each certificate of a service of any cluster (tomcat, TVS, CAPF, ipsec and the others), or
    of an external peer, that expires within O(near_days) or has expired. Trust stores are left out.
  type: list
  elements: str
  returned: success
  sample: ["cucma: the tomcat certificate cucma.example.com of CUCMA ends on 2026-12-10 (12 days). After its renewal,
    restart Cisco Tomcat."]
certificate_days_left:
  description: The fewest days left of any such certificate; null if none is known.
  type: int
  returned: success
  sample: 12
unread:
  description: A sentence for each node whose certificates could not be read.
  type: list
  elements: str
  returned: success
  sample: []
files:
  description: The paths of the page, the two tables and the data.
  type: list
  elements: str
  returned: with O(dest)
  sample: ["/srv/forecast/forecast.html"]
certificates:
  description: All certificates, those that expire first on top. A certificate that several nodes of a cluster have is
    listed once.
  type: list
  elements: dict
  returned: success
  contains:
    cluster:
      description: The cluster, or the external peer.
      type: str
      sample: "cucma"
    nodes:
      description: The nodes that have it, or the address of the external peer that presented it.
      type: list
      elements: str
      sample: ["10.0.0.1"]
    purpose:
      description: The service or the trust store.
      type: str
      sample: "tomcat"
    kind:
      description: V(identity), V(trust), or V(presented) by an external peer.
      type: str
      sample: "identity"
    days_left:
      description: Whole days until it expires, by the clock of the node. C(subject), C(common_name), C(issuer),
        C(serial), C(not_before), C(not_after), C(sha256) and C(name) are as in M(siptls.cucm.cucm_certificate_info).
      type: int
      sample: 304
    restarts:
      description: The services to restart after its renewal.
      type: list
      elements: str
      sample: ["Cisco Tomcat"]
    problem:
      description: Why the certificate cannot be read; null otherwise.
      type: str
      sample: "it cannot be read"
"""

from typing import TYPE_CHECKING

from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Face, Outcome, run_module
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import all_certificates, forecast
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.options import DICTS, EVIDENCE, directions

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task

SPEC = EVIDENCE + ArgSpec(
    options={
        "certificates": DICTS,
        "dest": {"type": "path"},
        "near_days": {"type": "int", "default": 30},
        "renew_before": {"type": "int", "default": 30},
    }
)


def service(task: Task) -> Outcome:
    """Forecast every direction, list every certificate, and write both on request."""
    given = task.params
    cases = directions(given)
    found = [forecast.forecast(case, renew_before=given["renew_before"]) for case in cases]
    first = min(
        (direction for direction in found if direction["breaks_on"]),
        key=lambda direction: str(direction["breaks_on"]),
        default=None,
    )
    versions = {str(cluster["name"]): str(cluster.get("version") or "") for cluster in given["clusters"]}
    rows = all_certificates.listed(given["certificates"], cases, versions)
    result = {
        "breaks_on": first["breaks_on"] if first else None,
        "days_left": first["days_left"] if first else None,
        "summary": [forecast.sentence(direction) for direction in found],
        "forecasts": found,
        "certificates": rows,
        "ending": all_certificates.ending(rows, given["near_days"]),
        "certificate_days_left": all_certificates.first_end(rows),
        "unread": all_certificates.unread(given["certificates"]),
    }
    if not given["dest"]:
        return Outcome(result=result)
    # Jinja2 is loaded for those who write alone.
    from ansible_collections.siptls.cucm.plugins.module_utils._verdict import forecast_files

    changed, files = forecast_files.write(given["dest"], result, near=given["near_days"], pretend=task.check_mode)
    return Outcome(changed=changed, result={**result, "files": files})


FACE = Face(SPEC, service, needs=("cryptography",), controller=True)


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
