# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a fixture folder: a line of JSON per exchange, in the order in which they took place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "exchanges.jsonl"
_OPERATION = re.compile(r"<(?:[A-Za-z0-9_.-]{1,40}:)?Body[^<>]*>\s*<(?:[A-Za-z0-9_.-]{1,40}:)?([A-Za-z0-9_]{1,80})")


class FixtureError(ValueError):
    """The folder cannot be used; the text says why."""


@dataclass(frozen=True)
class Exchange:
    """A request and its answer. `kind` is "https" or "cli"; `node` is the name or address that was asked."""

    kind: str
    node: str
    answer: Mapping[str, Any]
    method: str = ""
    path: str = ""
    headers: Mapping[str, str] | None = None
    body: str | None = None
    command: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for equal requests."""
        if self.kind == "cli":
            return (self.node, "cli", " ".join(self.command.split()))
        return (self.node, self.method, self.path, " ".join((self.body or "").split()))

    @property
    def loose_key(self) -> tuple[str, ...]:
        """Equal for requests that do the same: of a SOAP request only its operation counts."""
        return self.key if self.kind == "cli" else (self.node, self.method, self.path.partition("?")[0], self.operation)

    @property
    def operation(self) -> str:
        """The SOAP operation; empty without one."""
        found = _OPERATION.search(self.body or "")
        return found[1] if found else ""

    @property
    def title(self) -> str:
        """The request in words."""
        return self.command if self.kind == "cli" else f"{self.method} {self.path} {self.operation}".strip()


def load(folder: Path) -> list[Exchange]:
    """The exchanges of a folder, or of its file."""
    file = folder / FILE if folder.is_dir() else folder
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        found = [Exchange(**json.loads(line)) for line in lines if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise FixtureError(f"Fixtures {file} cannot be read: {error}") from None
    except (ValueError, TypeError) as error:
        raise FixtureError(f"{file} is not a file of exchanges (CUCM_RECORD): {error}") from None
    if not found:
        raise FixtureError(f"{file} has no exchanges.")
    return found
