# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on the controller that are written when their content changes. Private to this collection."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure


def write_changed(
    folder: str, name: str, data: dict[str, Any], texts: Mapping[str, Callable[[], str]], *, what: str, pretend: bool
) -> tuple[bool, list[str]]:
    """Writes data as JSON, and texts made of it, unless the folder has the same but for the time it was made.

    Whether it changed anything, and the paths of the texts and of the data. Failure when files can't be written.
    """
    paths = {file: Path(folder) / file for file in (*texts, name)}
    try:
        changed = not all(path.exists() for path in paths.values()) or not _same(paths[name], data)
        if changed and not pretend:
            Path(folder).mkdir(parents=True, exist_ok=True)
            for file, text in texts.items():
                paths[file].write_text(text(), encoding="utf-8")
            # The data last: it is what the next run compares with.
            paths[name].write_text(as_json(data), encoding="utf-8")
    except OSError as error:
        raise Failure(
            f"The {what} could not be written to {error.filename or folder} on this machine: {error.strerror or error}."
        ) from error
    return changed, [str(path) for path in paths.values()]


def as_json(data: Mapping[str, Any]) -> str:
    """Data as the file holds it."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _same(path: Path, data: dict[str, Any]) -> bool:
    """Whether a file holds the same; when and by whom it was made does not count."""
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    apart = {"generated": None, "made": None}
    return isinstance(old, dict) and {**old, **apart} == {**json.loads(as_json(data)), **apart}
