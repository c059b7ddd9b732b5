# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""utils network capture: to the screen or to a file, until a count or Ctrl-C."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..session import CommandError, Shell
from ..terminal import Closed, Interrupted

if TYPE_CHECKING:
    from ...traces.capture import Capture

FOLDER = "platform/cli"
_MAXIMUM_PACKETS = 100_000
_DEFAULT_COUNT = 1000
_DEFAULT_SIZE = 128


@dataclass
class _Options:
    file: str | None = None
    count: int = _DEFAULT_COUNT
    size: int | None = _DEFAULT_SIZE
    src: str = ""
    dest: str = ""
    port: int | None = None
    host: str = ""
    #: the options that were typed, for the echo
    typed: tuple[str, ...] = ()


def _read(shell: Shell, parameters: list[str]) -> _Options:
    words, options, typed = list(parameters), _Options(), []
    bad = CommandError(*shell.inferred["shell.bad_arguments"])
    if words and words[0].lower() == "eth0":
        words.pop(0)
    while words:
        key = words.pop(0).lower()
        typed.append(key)
        try:
            value = words.pop(0)
            if key == "file" and re.fullmatch(r"[\w-]+", value):
                options.file = value
            elif key == "count" and 0 < int(value) <= _MAXIMUM_PACKETS:
                options.count = int(value)
            elif key == "size":
                options.size = None if value.lower() == "all" else int(value)
            elif key == "port" and 0 < int(value) < 65536:
                options.port = int(value)
            elif key in ("src", "dest"):
                setattr(options, key, value)
            elif key == "host" and value.lower() in ("ip", "arp", "rarp", "all"):
                options.host = words.pop(0)
            else:
                raise bad
        except (IndexError, ValueError):
            raise bad from None
    options.typed = tuple(typed)
    return options


async def capture(shell: Shell, parameters: list[str]) -> None:
    """Record what the node's SIP sockets carry."""
    options = _read(shell, parameters)
    if shell.node.sip is None:
        raise CommandError("Executed command unsuccessfully")
    path = _path(shell, options.file) if options.file else None
    if path and path.exists():
        other = next(p for n in range(1, 1000) if not (p := path.with_name(f"{options.file}_{n}.cap")).exists())
        path.rename(other)
        text = shell.inferred["shell.capture_renamed"]
        await shell.say(text.format(name=path.name, other=other.name))
    await shell.say(_echo(options))
    running = shell.node.sip.captures.start(
        host=options.host or None, port=options.port, src=options.src or None, dest=options.dest or None,
        count=options.count if options.file or "count" in options.typed else None, size=options.size, path=path,
    )  # fmt: skip
    try:
        async with _interrupt(shell, running):
            if path:
                await running.done.wait()
            else:
                while (line := await running.line()) is not None:
                    # No pagination here: the screen follows the network.
                    shell.terminal.write(line + "\n")
    finally:
        running.stop()


def _echo(options: _Options) -> str:
    """The options as CUCM echoes them: with only a host, in the form that the source document shows."""
    if options.typed == ("host",):
        return f"Executing command with options:\n interface=eth0\n ip={options.host}\n"
    size = "ALL" if options.size is None else str(options.size)
    return (
        "Executing command with options:\n"
        f" size={size:<20}count={options.count:<20}interface=eth0\n"
        f" src={options.src:<21}dest={options.dest:<21}port={options.port or ''}\n"
        f" ip={options.host}"
    )


@asynccontextmanager
async def _interrupt(shell: Shell, running: Capture) -> AsyncIterator[None]:
    """While the block runs, Ctrl-C or the client's disconnection stops the capture."""

    async def watch() -> None:
        try:
            await shell.terminal.wait_interrupt()
            shell.terminal.write(f"\n{shell.inferred['shell.capture_stopped']}\n")
        except (Closed, Interrupted):
            pass
        finally:
            running.stop()

    task = asyncio.ensure_future(watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _path(shell: Shell, name: str) -> Path:
    return shell.node.active_log / FOLDER / f"{name}.cap"
