# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What check mode, diff mode and repetition mean for the modules; private to siptls.cucm."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of modules that change something, of those that only read (INFO), and of the action groups."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in check mode and return the predicted result without changing anything.
    support: full
  diff_mode:
    description: Returns what changed, or in check mode would change, in diff mode.
    support: full
  idempotent:
    description: Changes nothing, and reports no change, if everything is already as requested.
    support: full
  platform:
    description: Runs on the controller or any host with Python that reaches the node.
    platforms: all
    support: full
"""

    INFO = r"""
attributes:
  check_mode:
    description: Only reads; check mode makes no difference.
    support: full
  diff_mode:
    description: Returns what changed, or in check mode would change, in diff mode.
    support: N/A
    details: The module changes nothing.
  idempotent:
    description: Changes nothing, and reports no change, if everything is already as requested.
    support: full
  platform:
    description: Runs on the controller or any host with Python that reaches the node.
    platforms: all
    support: full
"""

    CUCM = r"""
attributes:
  action_group:
    description: Use C(group/siptls.cucm.cucm) in C(module_defaults) to set the options of the application account.
    support: full
    membership:
      - siptls.cucm.cucm
"""

    # Not PLATFORM: ansible-core would find the fragment file platform.py under the name attributes.platform.
    PLATFORM_GROUP = r"""
attributes:
  action_group:
    description: Use C(group/siptls.cucm.platform) in C(module_defaults) to set the options of the platform account.
    support: full
    membership:
      - siptls.cucm.platform
"""

    BOTH = r"""
attributes:
  action_group:
    description:
      - Use C(group/siptls.cucm.cucm) or C(group/siptls.cucm.platform) in C(module_defaults) to set the options of
        an account.
    support: full
    membership:
      - siptls.cucm.cucm
      - siptls.cucm.platform
"""
