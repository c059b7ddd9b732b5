# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures that the tests of this folder share."""

from __future__ import annotations

from tests.support.made_captures import capture_file, identities, shake

__all__ = ["capture_file", "identities", "shake"]
