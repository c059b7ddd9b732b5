# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many requests per minute a serviceability service accepts from a cluster."""

from __future__ import annotations

import time
from collections import deque


class Rate:
    """A sliding minute of real time."""

    def __init__(self, allowed: int) -> None:
        self.allowed = allowed
        self._taken: deque[float] = deque()

    def take(self) -> bool:
        """Count a request; False if the minute's limit is reached."""
        now = time.monotonic()
        while self._taken and now - self._taken[0] >= 60:
            self._taken.popleft()
        if len(self._taken) >= self.allowed:
            return False
        self._taken.append(now)
        return True
