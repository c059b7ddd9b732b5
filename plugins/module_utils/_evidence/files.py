# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence files: hashes, rolled files, and atomic writing. Private."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure


def described(path: Path) -> dict[str, Any]:
    """Path, size in bytes and SHA-256 of a file, for an auditor."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
            size += len(block)
    return {"path": str(path), "size": size, "sha256": digest.hexdigest()}


def rolled(path: Path) -> list[Path]:
    """A capture's file and those into which it rolled: C(packets.cap), C(packets.cap01), ..."""
    pattern = re.compile(re.escape(path.name) + r"\d{1,4}")
    try:
        more = [file for file in path.parent.iterdir() if pattern.fullmatch(file.name)]
    except OSError:
        more = []
    return [path, *sorted(more, key=lambda file: int(file.name[len(path.name) :]))]


def write(path: Path, content: bytes) -> None:
    """Writes a file atomically, readable by its owner only: captures and traces contain numbers and names.

    Failure when this machine has no room or no right for it.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise Failure(
                f"{path} cannot be written on this machine: {(error.strerror or type(error).__name__).lower()}. Make "
                "room or choose another dest, then run again."
            ) from None
        raise
