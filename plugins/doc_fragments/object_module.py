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
      - V(present) makes the object or changes what differs; V(absent) removes it.
    type: str
    choices: [present, absent]
    default: present
notes:
  - An option that is left out is left alone on CUCM; an empty one (V("") or V([])) clears the setting.
  - Only what differs is written. Everything given is judged before the first write.
  - The module speaks the AXL version of the server, found out at the start, from 9.1 to 15. An option that the
    release does not have is refused with the release that has it.
  - In check mode a missing object of a kind that this collection makes (security profile, SIP profile, trunk, route
    group, route list) counts as made when another object refers to it, and is listed in RV(assumes).
  - Objects are returned with the names of the options, booleans and whole numbers as such, an empty setting as
    V("").
  - AXL is asked of the publisher.
"""

    RESET = r"""
options:
  reset:
    description:
      - When to reset the SIP trunks that are concerned, which ends all their calls. Changes of a trunk, its security
        profile or its SIP profile take effect only then.
      - V(on_change) resets after a change of an object that was there before; V(always) at every run; V(never) leaves
        it to someone else.
      - Each trunk is reset right after the write that needs it. CUCM does not tell whether a reset is due, so a run
        that is stopped between the two is made good by the next one only with O(reset_journal), or with V(always).
    type: str
    choices: [on_change, never, always]
    default: on_change
  reset_journal:
    description:
      - A file on the host that runs the module, one for each cluster, that notes the trunks to reset before they are
        written and forgets them with the reset. What a stopped run left in it is reset by the next one with the same
        file, unless O(reset=never). The file is there only while resets are pending.
    type: path
"""
