# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes on what the modules of an AXL object return; private to siptls.cucm."""

from __future__ import annotations


class ModuleDocFragment:
    """Return values cannot come from a fragment on all supported releases of ansible-core; their notes can."""

    DOCUMENTATION = r"""
notes:
  - Objects are returned with the names of the options, booleans and whole numbers as such, an empty setting as
    V("").
"""
