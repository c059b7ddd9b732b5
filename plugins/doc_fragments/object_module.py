# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module of an AXL object has in common; private to siptls.cucm."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that _axl adds to each object's own, and the notes on how they are compared."""

    DOCUMENTATION = r"""
requirements:
  - zeep
options:
  state:
    description:
      - V(present) creates the object or changes what differs; V(absent) removes it.
    type: str
    choices: [present, absent]
    default: present
notes:
  - An option that you leave out stays as it is on CUCM; an empty one (V("") or V([])) clears the setting.
  - Only what differs is written. All options are checked before the first write.
  - The module uses the AXL version of the server, from 9.1 to 15. An option that the release does not have is
    rejected with a message that names the releases that have it.
  - In check mode a missing object of a kind that this collection creates (security profile, SIP profile, trunk, route
    group, route list) counts as created if another object refers to it, and is listed in RV(assumes).
  - Objects are returned with the names of the options, with booleans and integers as such, and an empty setting as
    V("").
  - AXL requests go to the publisher.
"""

    RESET = r"""
options:
  reset:
    description:
      - When to reset the SIP trunks concerned, which ends all their calls. Changes of a trunk, its security profile
        or its SIP profile take effect only after a reset.
      - V(on_change) resets after a change of an existing object; V(always) in every run; V(never) not at all.
      - Each trunk is reset right after the write that requires it. CUCM does not show that a reset is pending; if a run
        is interrupted between the two, the next run resets the trunk only with O(reset_journal), or with V(always).
    type: str
    choices: [on_change, never, always]
    default: on_change
  reset_journal:
    description:
      - A file on the host that runs the module, one per cluster, which lists the trunks to reset, from before the write
        until the reset. The next run with the same file resets the trunks that an interrupted run left in it, unless
        O(reset=never). The file exists only while resets are pending.
    type: path
"""
