# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One login at the shell: start-up text, prompt, commands, idle limit, faults.

Faults of interface `ssh`, by operation: `connect` (refuse; wrong_certificate: another host key), `login` (refuse,
stall), `paste` (reset: the connection ends in the middle of a paste; stall), and each command line as typed (refuse,
reset, stall, drop, garbage, fail, truncated; paging: pagination is on again).
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import texts
from .terminal import Closed, Interrupted, Quit, Terminal

if TYPE_CHECKING:
    from ..scenario import Account
    from ..world import Lab, Node

DEFAULT_IDLE_MINUTES = 30
#: in CUCM, `set cli session timeout` applies only to new logins
IDLE_SETTING = "shell/idle"


class CommandError(Exception):
    """A command that ends with these lines."""

    def __init__(self, *lines: str) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


@dataclass
class Shell:
    """A command's context: the node, the account, the terminal."""

    lab: Lab
    node: Node
    account: Account
    terminal: Terminal
    #: ends the connection at once
    abort: Callable[[], None]
    #: the address the client came from
    client: str = ""
    leaving: bool = False

    @property
    def inferred(self) -> Any:
        """The lab's table of inferred behaviour."""
        return self.lab.inferred

    async def say(self, text: str = "") -> None:
        """Print lines under pagination."""
        await self.terminal.say(text)

    async def yes(self, question: str) -> bool:
        """A yes/no question; asked again until it is answered."""
        while True:
            answer = (await self.terminal.ask(question)).lower()
            if answer in ("yes", "y"):
                return True
            if answer in ("no", "n"):
                return False
            self.terminal.write("Please answer 'y' for <yes> or 'n' for no: \n")

    async def paste(self) -> str:
        """A certificate pasted line by line, up to its END line or an empty line."""
        self.terminal.write(texts.PASTE + "\n")
        fault = self.lab.faults.match("ssh", "paste", self.node)
        lines: list[str] = []
        while True:
            line = await self.terminal.line()
            lines.append(line)
            if fault and len(lines) > 3:
                if fault.action != "stall":
                    self.abort()
                    raise Closed
                await asyncio.sleep(fault.seconds)
                fault = None
            if line.startswith("-----END") or (not line.strip() and len(lines) > 1):
                return "\n".join(lines).strip() + "\n"

    async def run(self) -> None:
        """From the start-up text to the end of the session."""
        from .commands import dispatch

        try:
            await self._greet()
            minutes = float(self.node.cluster.db.setting(f"{IDLE_SETTING}/{self.node.name}") or DEFAULT_IDLE_MINUTES)
            while not self.leaving:
                self.terminal.write(texts.PROMPT)
                try:
                    line = await asyncio.wait_for(self.terminal.line(), minutes * 60)
                    await self._carry_out(line.strip(), dispatch)
                except Interrupted:
                    self.terminal.write("^C\n")
                except Quit:
                    pass
                except CommandError as error:
                    self.terminal.write("".join(f"{text}\n" for text in error.lines))
        except TimeoutError:
            self.terminal.write(f"\n{self.inferred['shell.session_expired']}\n")
        except Closed:
            pass

    async def _greet(self) -> None:
        fault = self.lab.faults.match("ssh", "login", self.node)
        if fault and fault.action == "refuse":
            self.abort()
            raise Closed
        if fault and fault.action == "stall":
            await asyncio.sleep(fault.seconds)
        self.terminal.write(texts.STARTING + "\n")
        await asyncio.sleep(float(self.inferred["shell.start_seconds"]))
        self.terminal.write(texts.WELCOME + "\n")
        if self.inferred["shell.prompt_needs_newline"]:
            await self.terminal.line(echo="")

    async def _carry_out(self, line: str, dispatch: Callable[[Shell, str], Any]) -> None:
        if not line:
            return
        self.terminal.start_page()
        self.lab.log.write("ssh", node=self.node.name, account=self.account.username, command=line)
        fault = self.lab.faults.match("ssh", line, self.node)
        if fault is None:
            await dispatch(self, line)
            return
        if fault.action == "refuse":
            self.abort()
            raise Closed
        if fault.action == "stall":
            await asyncio.sleep(fault.seconds)
        elif fault.action == "paging":
            self.terminal.pagination = True
        elif fault.action == "fail":
            raise CommandError("Executed command unsuccessfully")
        elif fault.action == "garbage":
            self.terminal.write("\x1b[2J\x00\xff~}#{{ }}%s\n")
            return
        elif fault.action in ("reset", "truncated"):
            self.terminal.cut_after = 200
        elif fault.action == "drop":
            self.terminal.cut_after = 0
        await dispatch(self, line)
        if fault.action in ("reset", "truncated", "drop"):
            self.abort()
            raise Closed


def words(line: str) -> list[str]:
    """A command line's words; quotes keep blanks together."""
    try:
        return shlex.split(line, posix=True)
    except ValueError:
        return line.split()
