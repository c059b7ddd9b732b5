# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A terminal: characters in with echo, CRLF out, questions, pagination."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from . import texts


class Interrupted(Exception):
    """Ctrl-C was pressed."""


class Quit(Exception):
    """The user quit the pager with q."""


class Closed(Exception):
    """The client disconnected."""


class Terminal:
    """A session's input and output. `send` takes text for the channel."""

    def __init__(self, send: Callable[[str], None], rows: int) -> None:
        self._send = send
        self.rows = rows if rows > 2 else 24
        self.pagination = True
        self._keys: deque[str] = deque()
        self._arrived = asyncio.Event()
        self._closed = False
        self._printed = 0
        self._after_return = False
        #: a fault: number of characters still sent before the rest is lost
        self.cut_after: int | None = None

    def feed(self, text: str) -> None:
        """Characters came in."""
        self._keys.extend(text)
        self._arrived.set()

    def close(self) -> None:
        """No more input will come."""
        self._closed = True
        self._arrived.set()

    @property
    def closed(self) -> bool:
        """Whether the client has disconnected."""
        return self._closed

    def write(self, text: str) -> None:
        """Send text; newlines become CRLF."""
        text = text.replace("\n", "\r\n")
        if self.cut_after is not None:
            text = text[: self.cut_after]
            self.cut_after -= len(text)
        if text and not self._closed:
            self._send(text)

    async def key(self) -> str:
        """The next character; Interrupted for Ctrl-C, Closed at the end."""
        while not self._keys:
            if self._closed:
                raise Closed
            self._arrived.clear()
            await self._arrived.wait()
        key = self._keys.popleft()
        if key == "\n" and self._after_return:
            # The second half of a CRLF.
            self._after_return = False
            return await self.key()
        self._after_return = key == "\r"
        if key == "\x03":
            raise Interrupted
        if key == "\x04":
            raise Closed
        return key

    async def line(self, echo: str | None = None) -> str:
        """A line, echoed as it is read: as typed, or `echo` for each character ("" shows nothing)."""
        typed: list[str] = []
        while True:
            key = await self.key()
            if key in "\r\n":
                self.write("\n")
                return "".join(typed)
            if key in "\x7f\b":
                if typed:
                    typed.pop()
                    self.write("\b \b" if echo != "" else "")
            elif key == "\x15":
                self.write("\b \b" * len(typed) if echo != "" else "")
                typed.clear()
            elif key.isprintable() or key == "\t":
                typed.append(key)
                self.write(key if echo is None else echo)

    async def ask(self, question: str, echo: str | None = None) -> str:
        """A question at the end of a line, and its answer."""
        self.write(question)
        return (await self.line(echo)).strip()

    def start_page(self) -> None:
        """A new command: its first screen is empty."""
        self._printed = 0

    async def say(self, text: str = "") -> None:
        """Print lines, pausing at each full screen while pagination is on; Quit if the user quits."""
        for line in text.split("\n"):
            if self.pagination and self._printed >= self.rows - 1:
                await self._pause()
            self.write(line + "\n")
            self._printed += 1

    async def _pause(self) -> None:
        self.write(texts.PAGER)
        while True:
            key = await self.key()
            if key in "\r\n":
                self._printed -= 1
            elif key == " ":
                self._printed = 0
            elif key not in "qQ":
                continue
            self.write(texts.PAGER_GONE)
            if key in "qQ":
                raise Quit
            return

    async def wait_interrupt(self) -> None:
        """Read on, without echo, until Ctrl-C; Closed when the client goes."""
        while True:
            try:
                await self.key()
            except Interrupted:
                return
