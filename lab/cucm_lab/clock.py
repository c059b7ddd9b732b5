# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's clock: real time plus a shift, so that a test can let certificates expire; and a clock of each node."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Wall-clock time that can be shifted. Sleeps and time limits use real time.

    A node's clock is based on the lab's and has a shift of its own.
    """

    def __init__(self, base: Clock | None = None) -> None:
        self._base = base
        self.shift_seconds = 0.0

    def time(self) -> float:
        """Seconds since the epoch, shifted."""
        return (self._base.time() if self._base else time.time()) + self.shift_seconds

    @property
    def moved(self) -> float:
        """Its difference from real time, in seconds."""
        return self.shift_seconds + (self._base.moved if self._base else 0.0)

    def now(self) -> datetime:
        """The shifted time in UTC, with its time zone."""
        return datetime.fromtimestamp(self.time(), UTC)

    def shift(self, seconds: float) -> datetime:
        """Shift the clock by a number of seconds (negative: back) and return the new time."""
        self.shift_seconds += seconds
        return self.now()

    def reset(self) -> datetime:
        """Back to real time."""
        self.shift_seconds = 0.0
        return self.now()
