# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Basic authentication's header."""

from __future__ import annotations

import base64
import binascii


def credentials(header: str | None) -> tuple[str, str] | None:
    """(username, password) of an Authorization header, or None if it has none."""
    scheme, _unused, value = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, _unused, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return username, password
