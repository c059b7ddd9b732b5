# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's clock: real time plus a shift, so that a test can let certificates expire."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Wall-clock time that can be moved. Sleeping and time limits stay in real time."""

    def __init__(self, shift_seconds: float = 0.0) -> None:
        self.shift_seconds = shift_seconds

    def time(self) -> float:
        """Seconds since the epoch, shifted."""
        return time.time() + self.shift_seconds

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
