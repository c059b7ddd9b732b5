# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: exchanges with a real CUCM, which can be served again or asked of a lab."""

from __future__ import annotations

from .compare import compare
from .fixtures import Exchange, FixtureError, load
from .serve import serve

__all__ = ["Exchange", "FixtureError", "compare", "load", "serve"]
