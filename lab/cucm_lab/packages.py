# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interfaces' packages, imported on demand: the command line needs none of them."""

from __future__ import annotations

import importlib
import pkgutil
from importlib import metadata
from types import ModuleType


def package(name: str) -> ModuleType:
    """An interface's package: https, shell, sip, adcs."""
    return importlib.import_module(f"{__package__}.{name}")


def load_all() -> None:
    """Import every module of the interfaces: their rows of the table of inferences are registered then."""
    for name in ("https", "shell", "sip", "certmgr", "phones", "pki", "traces"):
        parent = package(name)
        for module in pkgutil.walk_packages(parent.__path__, f"{parent.__name__}."):
            if not module.name.endswith(".testing"):
                importlib.import_module(module.name)


def version() -> str:
    """The version of this package; 0 where it is used from a source tree alone."""
    try:
        return metadata.version("cucm-lab")
    except metadata.PackageNotFoundError:
        return "0"
