# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's clock: real time plus a shift, so that a test can let certificates expire; and a clock of each node."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Wall-clock time that can be moved. Sleeping and time limits stay in real time.

    A node's clock has the lab's as its base, and a shift of its own.
    """

    def __init__(self, base: Clock | None = None) -> None:
        self._base = base
        self.shift_seconds = 0.0

    def time(self) -> float:
        """Seconds since the epoch, shifted."""
        return (self._base.time() if self._base else time.time()) + self.shift_seconds

    @property
    def moved(self) -> float:
        """Seconds by which it differs from real time."""
        return self.shift_seconds + (self._base.moved if self._base else 0.0)

    def now(self) -> datetime:
        """The shifted time, aware, in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def shift(self, seconds: float) -> datetime:
        """Move the clock by so many seconds (negative: back) and return the new time."""
        self.shift_seconds += seconds
        return self.now()

    def reset(self) -> datetime:
        """Back to real time."""
        self.shift_seconds = 0.0
        return self.now()
