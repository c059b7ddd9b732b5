# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's log: one JSON object per line, one event per line, without secrets."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .clock import Clock

MASK = "********"


class EventLog:
    """Appends events to `lab.log`, keeps the last of them in memory, and masks every known secret."""

    def __init__(self, path: Path | None, clock: Clock, secrets: Iterable[str] = ()) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)
        self.recent: deque[dict[str, Any]] = deque(maxlen=2000)
        # Line buffered: a reader (a test, a person with tail) sees each event when it happens.
        self._file = path.open("a", encoding="utf-8", buffering=1) if path else None

    def write(self, kind: str, **fields: Any) -> None:
        """Log one event; `kind` is a word such as `axl`, `sip`, `service`; fields must be JSON-able."""
        line = json.dumps(
            {"time": self._clock.now().isoformat(timespec="milliseconds"), "kind": kind, **fields}, default=str
        )
        for secret in self._secrets:
            if secret in line:
                line = line.replace(secret, MASK)
        with self._lock:
            self.recent.append(json.loads(line))
            if self._file:
                self._file.write(line + "\n")

    def events(self, kind: str | None = None, **fields: Any) -> list[dict[str, Any]]:
        """The events in memory of this kind whose fields equal the given ones."""
        return [
            event
            for event in list(self.recent)
            if (kind is None or event["kind"] == kind) and all(event.get(k) == v for k, v in fields.items())
        ]

    def close(self) -> None:
        """Close the file; later events stay in memory only."""
        with self._lock:
            if self._file:
                self._file.close()
                self._file = None
