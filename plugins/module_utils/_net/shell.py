# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `admin:` shell of a CUCM node, driven as a person would: start-up, prompt, pagers, questions, Ctrl-C.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net import recording, screen, ssh
from ansible_collections.siptls.cucm.plugins.module_utils._net.ssh import ShellLost, SshAccess
from ansible_collections.siptls.cucm.plugins.module_utils._text import readable

START_LIMIT = 120.0  # seconds until the first prompt: slow nodes take more than 60
NUDGES = (0.4, 1.2, 2.5, 5.0)  # seconds of silence after which a newline wakes the prompt
LOOK = 0.25  # seconds of one look for more output
# Unsuccessful reads after which a prompt counts without an echo of the command: if no echo was ever seen, if one was.
# They are counted and not timed, because a busy controller may be silent for long between two reads.
QUIET_LOOKS, QUIET_LOOKS_AFTER_ECHO = 8, 40
CTRL_C = (0.0, 0.75, 1.5, 3.0)  # seconds between interrupts: one alone may get lost
LARGEST_OUTPUT = 16 * 1024 * 1024  # characters of one command
TAIL = 1200  # characters at the end in which prompts and questions are looked for
HEAD = 4096  # characters at the beginning in which a command's echo is looked for, which may come key by key
PASTE_PIECE = 1024  # characters sent at once: a terminal's input queue holds 4096


@dataclass(frozen=True)
class Answer:
    """What to type when the node asks this; a newline is added."""

    question: re.Pattern[str]
    reply: str


YES = Answer(re.compile(r"\(\s*yes\s*\|\s*no\s*\)|\[\s*yes/no\s*\]", re.I), "yes")


@dataclass
class AdminShell:
    """One log-in to a node's CLI; opened at the first command, closed by close() or at the end of a with block.

    run() is the whole interface: it returns a command's output without echo, pagers and prompt. Failures name node,
    interface and account. ShellLost says that the connection ended, or stopped answering, while a command was at work.
    """

    access: SshAccess
    warnings: list[str] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, repr=False)
    _connection: Any = field(default=None, repr=False)
    _process: Any = field(default=None, repr=False)
    _prompt: re.Pattern[str] = field(default=screen.FIRST_PROMPT, repr=False)
    _echoes: bool | None = field(default=None, repr=False)  # None until a command has shown it

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> AdminShell:
        """The shell for a module's platform options."""
        return cls(SshAccess.from_params(params))

    def __enter__(self) -> AdminShell:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(
        self,
        command: str,
        answers: Sequence[Answer] = (),
        *,
        idle: float | None = None,
        limit: float = 900.0,
        interrupt_after: float | None = None,
        interrupt_when: Callable[[], bool] | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> str:
        """Type a command and return what it printed.

        answers reply to the questions that may come; any other question is answered with no and fails. idle: seconds
        without output after which the node counts as lost (default: the option timeout, at least 60); limit: seconds
        in all; interrupt_after: seconds after which Ctrl-C ends the command, as a capture wants; interrupt_when: asked
        some times a second, ends it sooner; on_text sees raw text.
        """
        if re.search(r"[\x00-\x1f\x7f]", command):
            raise Failure(f"The command {command!r} holds control characters and was not sent to {self.access.where}.")
        self.open()
        idle = idle or max(self.access.timeout, 60)
        output = str(
            self._wait(
                self._command(
                    command,
                    answers,
                    idle=idle,
                    limit=limit,
                    interrupt_after=interrupt_after,
                    interrupt_when=interrupt_when,
                    on_text=on_text,
                )
            )
        )
        if recording.wanted() is not None:
            problem = recording.keep(recording.cli(self.access.host, command, output), (self.access.os_password,))
            if problem and problem not in self.warnings:
                self.warnings.append(problem)
        return output

    def open(self) -> None:
        """Log in and wait for the prompt, if that is not done yet."""
        if self._process is not None:
            return
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        self._wait(self._start())

    def close(self) -> None:
        """End the log-in; the next command would log in again."""
        if self._loop is None:
            return
        loop, self._loop = self._loop, None
        connection, self._connection, self._process = self._connection, None, None
        try:
            if connection is not None:
                connection.abort()
                loop.run_until_complete(asyncio.wait_for(connection.wait_closed(), 5))
        except (OSError, TimeoutError):
            pass
        finally:
            loop.close()

    def _wait(self, work: Any) -> Any:
        """Run to the end; whatever fails leaves no session behind whose state is unknown."""
        if self._loop is None:
            raise AssertionError("there is no session to wait for")
        try:
            return self._loop.run_until_complete(work)
        except BaseException:
            self.close()
            raise

    async def _start(self) -> None:
        import asyncssh

        self._connection, warnings = await ssh.connect(self.access)
        self.warnings += [text for text in warnings if text not in self.warnings]
        try:
            # A shell on a terminal: CUCM's CLI knows no exec. Wide, so that nothing wraps.
            self._process = await self._connection.create_process(
                term_type="vt100", term_size=(511, 0), encoding="utf-8", errors="replace", stderr=asyncssh.STDOUT
            )
        except (asyncssh.Error, OSError) as error:
            raise Failure(
                f"The CLI of {self.access.where} gave no terminal ({readable(str(error)) or 'no reason'}). Too many "
                "sessions may be open; try again later."
            ) from None
        self._prompt = screen.FIRST_PROMPT
        text = await self._first_prompt()
        match = screen.FIRST_PROMPT.search(text)
        if match is None:
            raise AssertionError("the first prompt was waited for by the same pattern")
        self._prompt = screen.prompt_like(match.group(1))
        await self._command("set cli pagination off", idle=max(self.access.timeout, 60), limit=120.0)

    async def _first_prompt(self) -> str:
        """Wait for the end of the start-up text; a newline now and then wakes a prompt that does not come by itself."""
        began, quiet, tail, nudges = time.monotonic(), 0.0, "", list(NUDGES)
        while time.monotonic() - began < START_LIMIT:
            try:
                chunk = await self._read(0.2, "its start")
            except ShellLost:
                raise self._full(tail) or self._lost("its start") from None
            if chunk is None:
                quiet += 0.2
                if quiet >= (nudges[0] if nudges else NUDGES[-1]):
                    nudges, quiet = nudges[1:], 0.0
                    await self._type("\n", "its start")
                continue
            quiet, tail = 0.0, (tail + chunk)[-TAIL:]
            if screen.FIRST_PROMPT.search(shown := screen.clean(tail)):
                return shown
        seen = readable(screen.clean(tail)[-200:]) or "nothing"
        raise Failure(
            f"The CLI of {self.access.where} showed no prompt within {START_LIMIT:.0f} s; the last it showed was "
            f"{seen!r}. The node may be starting or overloaded; try again later."
        )

    def _full(self, text: str) -> Failure | None:
        """The failure of a log-in that ends because all sessions are in use; None for another end."""
        said = readable(screen.clean(text))
        if not ssh.NO_SESSION.search(said):
            return None
        return Failure(
            f"Logging in to the CLI of {self.access.where} failed: the maximum number of CLI sessions is open "
            f"({said!r}). End sessions that nobody uses (`show cli session timeout` shows after how many minutes they "
            "end by themselves), then run again.",
            reason="busy",
        )

    async def _read(self, wait: float, doing: str) -> str | None:
        """What came within so many seconds, None for nothing; raises ShellLost at the end of the stream."""
        import asyncssh

        try:
            chunk: str = await asyncio.wait_for(self._process.stdout.read(65536), wait)
        except TimeoutError:
            return None
        except (asyncssh.Error, OSError):
            chunk = ""
        if chunk == "":
            raise self._lost(doing)
        return chunk

    def _lost(self, doing: str) -> ShellLost:
        return ShellLost(
            f"The CLI of {self.access.where} closed the connection during {doing}. Whether the node finished it is "
            "not known; run again, and the state is looked up first."
        )

    async def _command(
        self,
        command: str,
        answers: Sequence[Answer] = (),
        *,
        idle: float,
        limit: float,
        interrupt_after: float | None = None,
        interrupt_when: Callable[[], bool] | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> str:
        doing = f"'{command}'"
        watch = _Watch(re.sub(r"\s", "", command), time.monotonic(), echoed=self._echoes is False)
        interrupts = _Interrupts(watch.began, interrupt_after, interrupt_when)
        await self._type(command + "\n", doing)
        while True:
            chunk = await self._read(LOOK, doing)
            now = time.monotonic()
            if interrupts.due(now):
                await self._type("\x03", doing)
            watch.take(chunk, now)
            if chunk is not None and on_text is not None:
                on_text(chunk)
            if not self._prompt.search(watch.shown):
                await self._answer(watch, answers, doing)
            elif watch.echoed or watch.quiet >= (QUIET_LOOKS_AFTER_ECHO if self._echoes else QUIET_LOOKS):
                self._echoes = watch.echoed if self._echoes is None else self._echoes
                break
            self._check_bounds(watch, doing, None if interrupt_after is not None else idle, limit)
        if watch.rejected:
            raise Failure(
                f"{doing} on {self.access.where} asked a question that this collection does not know "
                f"({watch.rejected!r}); the answer was no, and nothing was done. Please report the question with the "
                "release."
            )
        return self._output("".join(watch.parts), watch.echo)

    async def _answer(self, watch: _Watch, answers: Sequence[Answer], doing: str) -> None:
        """Answer a pager or a question at the end of the screen; an unknown question gets a no."""
        reply = self._reply(watch.shown, answers, screen.QUESTION)
        if reply is None:
            return
        if reply == "":
            watch.rejected = watch.rejected or readable(watch.shown[-200:])
            reply = "no\n" if "yes" in watch.shown[-40:].lower() else "n\n"
        await self._type(reply, doing)
        watch.tail, watch.heard = "", time.monotonic()

    def _check_bounds(self, watch: _Watch, doing: str, idle: float | None, limit: float) -> None:
        """Raise when the command prints too much, takes longer than limit or is silent for idle seconds."""
        if watch.size > LARGEST_OUTPUT:
            raise Failure(f"{doing} on {self.access.where} was stopped: it printed more than 16 MiB.")
        now = time.monotonic()
        if now - watch.began > limit:
            took = f"in {limit:.0f} s"
        elif idle is not None and now - watch.heard > idle:
            took = f"for {idle:.0f} s"
        else:
            return
        raise ShellLost(
            f"{doing} on {self.access.where} did not end: no prompt {took}; the last it showed was "
            f"{readable(watch.shown[-200:]) or 'nothing'!r}. Run again, and the state is looked up first."
        )

    @staticmethod
    def _reply(shown: str, answers: Sequence[Answer], question: re.Pattern[str]) -> str | None:
        """The keys for a pager or a question at the end of the screen; "" for a question nobody has an answer to."""
        end = shown.rstrip()
        for pattern, key in screen.PAGERS:
            if any(match.end() >= len(end) for match in pattern.finditer(shown)):
                return key
        last = "\n".join(end.split("\n")[-3:])
        for answer in answers:
            if answer.question.search(last):
                return answer.reply + "\n"
        return "" if question.search(shown) else None

    async def _type(self, text: str, doing: str) -> None:
        """Type in pieces that a terminal's input queue can hold; raises ShellLost when nobody is there any more."""
        import asyncssh

        try:
            for at in range(0, len(text), PASTE_PIECE):
                self._process.stdin.write(text[at : at + PASTE_PIECE])
                await self._process.stdin.drain()
                if len(text) > PASTE_PIECE:
                    await asyncio.sleep(0.02)
        except (asyncssh.Error, OSError):
            raise self._lost(doing) from None

    def _output(self, raw: str, echo: str) -> str:
        """What the command itself printed: after its echo, before the prompt, without pagers."""
        lines = screen.without_pagers(screen.clean(raw)).split("\n")
        for number, line in enumerate(lines):
            if echo in re.sub(r"\s", "", line):
                lines = lines[number + 1 :]
                break
        return "\n".join(lines[:-1]).strip("\n")


@dataclass
class _Watch:
    """What a command has printed so far, and when."""

    #: the command without white space, as its echo is looked for
    echo: str
    began: float
    echoed: bool
    heard: float = 0.0
    parts: list[str] = field(default_factory=list)
    size: int = 0
    head: str = ""
    tail: str = ""
    #: looks in a row that brought nothing
    quiet: int = 0
    #: the unknown question that got a no
    rejected: str = ""

    def __post_init__(self) -> None:
        self.heard = self.began

    @property
    def shown(self) -> str:
        """The end of the screen."""
        return screen.clean(self.tail)

    def take(self, chunk: str | None, now: float) -> None:
        """Take in what one look brought; None for nothing."""
        if chunk is None:
            self.quiet += 1
        else:
            self.quiet, self.heard, self.size = 0, now, self.size + len(chunk)
            self.head, self.tail = (self.head + chunk)[:HEAD], (self.tail + chunk)[-TAIL:]
            self.parts.append(chunk)
        self.echoed = self.echoed or any(
            self.echo in re.sub(r"\s", "", text) for text in (screen.clean(self.head), self.shown)
        )


class _Interrupts:
    """When to type Ctrl-C: some seconds after the beginning, or once something is the case."""

    def __init__(self, began: float, after: float | None, when: Callable[[], bool] | None) -> None:
        self._times = _interrupts(began + after) if after is not None else []
        self._when = when

    def due(self, now: float) -> bool:
        """Whether to type it now."""
        if self._when is not None and self._when():
            self._times, self._when = _interrupts(now), None
        if not self._times or now < self._times[0]:
            return False
        self._times.pop(0)
        return True


def _interrupts(begin: float) -> list[float]:
    """When to type Ctrl-C."""
    return [begin + sum(CTRL_C[: count + 1]) for count in range(len(CTRL_C))]
