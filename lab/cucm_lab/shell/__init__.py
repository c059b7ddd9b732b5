# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform's `admin:` shell over SSH."""

from __future__ import annotations

from .server import host_key_lines, start

__all__ = ["host_key_lines", "start"]
