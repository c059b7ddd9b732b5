# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a service may be restarted: inside a window by the node's own clock, and after its calls have ended.

A restart of Cisco CallManager ends the calls of its node, and at night there are fewer of them. Private to
siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import local_time
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import AnswerLost, HttpClient
from ansible_collections.siptls.cucm.plugins.module_utils._net.shell import AdminShell
from ansible_collections.siptls.cucm.plugins.module_utils._net.ssh import ShellLost
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability import perfmon

ACTIVE_CALLS = "CallsActive"
_WINDOW = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)[ ]*-[ ]*([01]?\d|2[0-3]):([0-5]\d)\Z", re.ASCII)


@dataclass(frozen=True)
class Window:
    """A time of day between two moments, in minutes since midnight; end is not part of it, and may be past midnight."""

    start: int
    end: int

    @classmethod
    def parse(cls, text: str) -> Window:
        """From text such as 01:00-04:00; Failure with the form that it takes."""
        found = _WINDOW.match(text.strip())
        hours = [int(part) for part in found.groups()] if found else [0, 0, 0, 0]
        window = cls(hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])
        if window.start == window.end:
            raise Failure(
                f"The window for restarts is {text!r}. Give a start and an end by the node's clock, such as "
                "01:00-04:00, or 22:00-04:00 across midnight."
            )
        return window

    def holds(self, moment: datetime) -> bool:
        """Whether a moment is inside."""
        minute = moment.hour * 60 + moment.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def __str__(self) -> str:
        return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (self.start, self.end))


class RestartTimes:
    """The window and the active calls of one node, from the options of a module.

    client is the session of the application account, shell that of the platform account, where one is open already.
    """

    def __init__(
        self, params: Mapping[str, Any], client: HttpClient | None = None, shell: AdminShell | None = None
    ) -> None:
        self.window = Window.parse(params["window"]) if params["window"] else None
        self.drain_minutes = float(params["drain"] or 0)
        if self.drain_minutes < 0:
            raise Failure(f"drain is {self.drain_minutes:g}; give a number of minutes, or 0 to restart at once.")
        self._params = params
        self._client, self._shell = client, shell
        #: what the node's clock showed, and when, by time.monotonic()
        self._shown: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """The node's local time; it is read once and goes on from there. Failure if the node does not show it."""
        if self._shown is None:
            self._shown = self._read_clock(), time.monotonic()
        shown, at = self._shown
        return shown + timedelta(seconds=time.monotonic() - at)

    def is_open(self) -> bool:
        """Whether a restart may be made now."""
        return self.window is None or self.window.holds(self.now())

    def wait_for_calls(self) -> int | None:
        """Wait until the node has no active calls, the drain is over, or the window ends; the calls that are left.

        None without a drain.
        """
        if not self.drain_minutes:
            return None
        if self._client is None and not self._params["username"]:
            raise Failure(
                "drain requires the application account (username, password): PerfMon counts the active calls. Nothing "
                "was restarted."
            )
        client = self._client or HttpClient.from_params(self._params, account="application")
        try:
            return self._wait(client)
        finally:
            if client is not self._client:
                client.close()

    def _wait(self, client: HttpClient) -> int:
        latest = time.monotonic() + 60 * self.drain_minutes
        while True:
            try:
                left = _active_calls(client)
            except AnswerLost:
                # The next look may succeed; with the last one there is nothing to go by.
                if time.monotonic() > latest:
                    raise
                left = -1
            remaining = latest - time.monotonic()
            if left == 0 or (left > 0 and remaining <= 0) or not self.is_open():
                return left
            time.sleep(max(min(self._params["poll_interval"], remaining), 0.1))

    def _read_clock(self) -> datetime:
        if self._shell is None and not self._params["os_username"]:
            raise Failure(
                "window requires the platform account (os_username, os_password): only the CLI shows the node's local "
                "time. Nothing was restarted."
            )
        shell = self._shell or AdminShell.from_params(self._params)
        try:
            try:
                text = shell.run("show status")
            except ShellLost:
                text = shell.run("show status")
        finally:
            if shell is not self._shell:
                shell.close()
        shown = local_time(text)
        if shown is None:
            raise Failure(
                f"The local time of {shell.access.where} could not be read from `show status`, so it is not known "
                f"whether the window {self.window} is open. Nothing was restarted. Restart inside the window without "
                "the option window."
            )
        return shown


def _active_calls(client: HttpClient) -> int:
    """The active calls of the node by PerfMon; Failure where it does not show them."""
    found = perfmon.counters(client, client.host, (ACTIVE_CALLS,))
    if ACTIVE_CALLS not in found:
        raise Failure(
            f"PerfMon of {client.host} shows no counter {ACTIVE_CALLS} of Cisco CallManager, so it is not known "
            "whether calls are active. Nothing was restarted. Set drain to 0 to restart without waiting for calls."
        )
    return found[ACTIVE_CALLS]
