# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interfaces' packages, imported when they are needed."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType


def package(name: str) -> ModuleType | None:
    """An interface's package, or None while the lab has none of this name that can start."""
    full = f"{__package__}.{name}"
    try:
        module = importlib.import_module(full) if importlib.util.find_spec(full) else None
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(__package__ or ""):
            raise
        print(f"The interface {name} is not complete: {error}", file=sys.stderr)
        return None
    return module if hasattr(module, "start") else None
