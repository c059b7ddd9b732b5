# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application account; private to siptls.cucm."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that APPLICATION in module_utils/_module.py adds to CONNECTION."""

    DOCUMENTATION = r"""
options:
  username:
    description:
      - The application account (an application user or an end user) for AXL and the serviceability interfaces.
      - It is not the OS administrator.
      - The environment variable E(CUCM_USERNAME) is the default.
    type: str
    required: true
  password:
    description:
      - The password of O(username). A rejected password is never tried twice, because CUCM locks accounts.
      - The environment variable E(CUCM_PASSWORD) is the default.
    type: str
    required: true
"""
