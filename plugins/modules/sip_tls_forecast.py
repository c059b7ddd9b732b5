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
    it, with the date where there is one.
  - It looks at the ends of the certificates of both ends and of the CAs above them, at certificates of public CAs (no
    clientAuth from March 2027 on, lifetimes of 200, 100 and 47 days), at key sizes and SHA-1, and at ciphers and TLS
    versions that the clusters negotiate and that newer releases take away.
  - Contacts no system and changes nothing.
author:
  - siptls.cucm contributors (@siptls)
extends_documentation_fragment:
  - siptls.cucm.attributes.info
  - siptls.cucm.evidence
requirements:
  - cryptography
"""

EXAMPLES = r"""
- name: Look ahead
  siptls.cucm.sip_tls_forecast:
    clusters: "{{ evidence | map(attribute='cluster') }}"
    directions: "{{ evidence | map(attribute='directions') | flatten }}"
  register: forecast

- name: Fail in time
  ansible.builtin.assert:
    that: forecast.days_left is none or forecast.days_left > 30
    fail_msg: "{{ forecast.summary }}"
"""

RETURN = r"""
breaks_on:
  description: The first day on which a trunk breaks, as ISO 8601; null when none is known.
  type: str
  returned: success
days_left:
  description: Whole days until RV(breaks_on).
  type: int
  returned: success
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
    to:
      description: The cluster that receives them.
      type: str
      returned: always
    breaks_on:
      description: The first day on which this direction breaks, as ISO 8601.
      type: str
      returned: always
    days_left:
      description: Whole days until then.
      type: int
      returned: always
    reason:
      description: Why it breaks on that day.
      type: str
      returned: always
    events:
      description: All that was found, the earliest first, each with C(kind), C(date) (null for what comes with an
        upgrade or a renewal), C(days_left), C(node), C(reason), C(next_step).
      type: list
      elements: dict
      returned: always
"""

from typing import TYPE_CHECKING

from ansible_collections.siptls.cucm.plugins.module_utils._module import Face, Outcome, run_module
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import forecast
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.options import EVIDENCE, directions

if TYPE_CHECKING:
    from ansible_collections.siptls.cucm.plugins.module_utils._module import Task


def service(task: Task) -> Outcome:
    """Forecast every direction."""
    found = [forecast.forecast(case) for case in directions(task.params)]
    first = min((one for one in found if one["breaks_on"]), key=lambda one: str(one["breaks_on"]), default=None)
    return Outcome(
        result={
            "breaks_on": first["breaks_on"] if first else None,
            "days_left": first["days_left"] if first else None,
            "summary": [forecast.sentence(one) for one in found],
            "forecasts": found,
        }
    )


FACE = Face(EVIDENCE, service, needs=("cryptography",))


def main() -> None:
    """Run the module."""
    run_module(FACE)


if __name__ == "__main__":
    main()
