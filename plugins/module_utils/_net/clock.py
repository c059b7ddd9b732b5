# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock of a node, by which CUCM checks certificates, as an offset from the controller's.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import datetime
import re
import time
import zoneinfo
from dataclasses import dataclass
from typing import Any

CONTROLLER = "controller"
# Where the node's time is not known, it may be this far from the controller's.
UNKNOWN_TOLERANCE = datetime.timedelta(minutes=5)
KNOWN_TOLERANCE = datetime.timedelta(seconds=2)
CLI_BLUR = 5  # seconds that a command of the CLI may take to print the time
_UTC = re.compile(
    r"time in UTC is[ \t]*:[ \t]*\w{3}[ \t]+(\w{3})[ \t]+(\d{1,2})[ \t]+([\d:]{7,8})[ \t]+\w+[ \t]+(\d{4})", re.I
)
_SHOWN = re.compile(r"^[ \t]*Date[ \t]*:[ \t]*\w{3}[ \t]+(\w{3})[ \t]+(\d{1,2}),?[ \t]+(\d{4})[ \t]+([\d:]{7,8})", re.M)
_ZONE = re.compile(r"^[ \t]*Time[ \t]*Zone[ \t]*:.*?\(([\w+-]+(?:/[\w+-]+)*)\)", re.M)


@dataclass(frozen=True)
class NodeClock:
    """How far a node's clock is ahead of the controller's (negative: behind), and what showed it.

    source: HTTPS, CLI, or controller where the node did not show its time and the controller's is used instead.
    """

    offset: datetime.timedelta = datetime.timedelta()
    source: str = CONTROLLER

    @property
    def known(self) -> bool:
        """Whether the node itself showed its time."""
        return self.source != CONTROLLER

    @property
    def tolerance(self) -> datetime.timedelta:
        """How wrong now() may be."""
        return KNOWN_TOLERANCE if self.known else UNKNOWN_TOLERANCE

    def now(self) -> datetime.datetime:
        """The node's time, in UTC."""
        return datetime.datetime.now(datetime.UTC) + self.offset

    @property
    def words(self) -> str:
        """The time and whose it is, for sentences."""
        shown = f"{self.now():%Y-%m-%dT%H:%M:%SZ}"
        if not self.known:
            return f"the controller's clock shows {shown}"
        if not self.offset:
            return f"the node's clock shows {shown}"
        return f"the node's clock shows {shown}, {apart(self.offset)}"

    def for_result(self) -> dict[str, Any]:
        """What a module returns of it."""
        return {"offset": int(self.offset.total_seconds()), "source": self.source}


def apart(offset: datetime.timedelta) -> str:
    """How far a clock is from the controller's, and on which side."""
    side = "ahead of" if offset > datetime.timedelta() else "behind"
    return f"{span(offset)} {side} the controller's"


def span(offset: datetime.timedelta) -> str:
    """A length of time in its two largest units, the second one rounded, without its sign."""
    left, parts = abs(int(offset.total_seconds())), []
    # A clock that was read over the network is a second or two off; 400 days are not 399 days and 23 h.
    grain = 3_600 if left >= 86_400 - 1_800 else 60 if left >= 3_600 - 30 else 1
    left = round(left / grain) * grain
    for seconds, unit in ((86_400, "days"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {'day' if (count, unit) == (1, 'days') else unit}")
    return " ".join(parts[:2]) or "0 s"


def from_http(date: str | None, began: float) -> NodeClock | None:
    """From the header Date of an answer to a request that was sent at `began` (seconds since the epoch).

    The header has whole seconds, and the answer was on its way for a while: what lies within that is no offset.
    """
    import email.utils

    try:
        shown = email.utils.parsedate_to_datetime(date or "")
    except (TypeError, ValueError):
        return None
    if shown.tzinfo is None:
        shown = shown.replace(tzinfo=datetime.UTC)
    ended = time.time()
    offset = shown.timestamp() + 0.5 - (began + ended) / 2
    blur = (ended - began) / 2 + 1
    return NodeClock(datetime.timedelta(seconds=0 if abs(offset) <= blur else round(offset)), "HTTPS")


def from_ntp(text: str) -> NodeClock | None:
    """From what `utils ntp status` prints: `Current time in UTC is : Fri Jan 2 13:09:00 UTC 2026`."""
    found = _UTC.search(text)
    return _shown_time(" ".join(found.group(1, 2, 4, 3)), datetime.UTC) if found else None


def from_status(text: str) -> NodeClock | None:
    """From what `show status` prints: local time, and the zone's name; None if it cannot be determined reliably."""
    shown, zone = _SHOWN.search(text), _ZONE.search(text)
    if shown is None or zone is None:
        return None
    try:
        return _shown_time(" ".join(shown.group(1, 2, 3, 4)), zoneinfo.ZoneInfo(zone[1]))
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return None


def local_time(text: str) -> datetime.datetime | None:
    """The node's local time as `show status` prints it, without a zone; None where it can't be read."""
    shown = _SHOWN.search(text)
    try:
        return datetime.datetime.strptime(" ".join(shown.group(1, 2, 3, 4)), "%b %d %Y %H:%M:%S") if shown else None
    except ValueError:
        return None


def _shown_time(text: str, zone: datetime.tzinfo) -> NodeClock | None:
    """The clock of a node that shows, now, this time of that zone."""
    try:
        shown = datetime.datetime.strptime(text, "%b %d %Y %H:%M:%S").replace(tzinfo=zone)
    except ValueError:
        return None
    offset = shown.timestamp() - time.time()
    return NodeClock(datetime.timedelta(seconds=0 if abs(offset) <= CLI_BLUR else round(offset)), "CLI")
