# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""file list | view | get | delete activelog."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncssh

from .. import texts
from ..session import CommandError, Shell

_VIEW_ROWS = 20


def _matching(shell: Shell, pattern: str) -> list[Path]:
    """The files of the active log that match a path with wildcards; none outside of it."""
    root = shell.node.active_log.resolve()
    if ".." in pattern.split("/"):
        return []
    relative = pattern.strip("/").removeprefix("activelog/")
    found = [root / relative] if (root / relative).exists() else sorted(root.glob(relative)) if relative else [root]
    return [path for path in found if path.resolve().is_relative_to(root)]


async def list_files(shell: Shell, parameters: list[str]) -> None:
    """`file list activelog <path> [page] [detail] [reverse] [date|size]`."""
    pattern, *options = parameters
    found = _matching(shell, pattern)
    if len(found) == 1 and found[0].is_dir():
        found = sorted(found[0].iterdir())
    if not found:
        raise CommandError(texts.NO_SUCH_FILE)
    if "date" in options:
        found.sort(key=lambda path: path.stat().st_mtime)
    if "size" in options:
        found.sort(key=lambda path: path.stat().st_size)
    if "reverse" in options:
        found.reverse()
    zone = ZoneInfo(shell.node.spec.timezone)
    names = [f"<dir>   {path.name}" if path.is_dir() else path.name for path in found]
    if "detail" in options:
        for path, name in zip(found, names, strict=True):
            stat = path.stat()
            moment = datetime.fromtimestamp(stat.st_mtime, zone)
            await shell.say(f" {moment:%d %b,%Y %H:%M:%S} {stat.st_size:>12,}  {name}")
    else:
        columns = int(shell.inferred["shell.file_list_columns"])
        for at in range(0, len(names), columns):
            await shell.say("".join(f"{name:<40}" for name in names[at : at + columns]).rstrip())
    directories = sum(path.is_dir() for path in found)
    await shell.say(f"dir count = {directories}, file count = {len(found) - directories}")


async def view(shell: Shell, parameters: list[str]) -> None:
    """`file view activelog <file>`, with its own pager: q, n, p, b, e."""
    found = [path for path in _matching(shell, parameters[0]) if path.is_file()]
    if not found:
        raise CommandError(texts.NO_SUCH_FILE)
    lines = found[0].read_text(errors="replace").splitlines()
    at = 0
    while True:
        shell.terminal.write("".join(f"{line}\n" for line in lines[at : at + _VIEW_ROWS]))
        last = min(at + _VIEW_ROWS, len(lines))
        if last == len(lines) and at == 0:
            return
        shell.terminal.write(
            "\x1b[1m\noptions: q=quit, n=next, p=prev, b=begin, e=end "
            f"(lines {at + 1} - {last} of {len(lines)}) : \x1b[0m"
        )
        key = await shell.terminal.key()
        shell.terminal.write(texts.PAGER_GONE)
        if key == "q":
            return
        end = max(0, len(lines) - _VIEW_ROWS)
        at = {"n": min(at + _VIEW_ROWS, end), "p": max(0, at - _VIEW_ROWS), "b": 0, "e": end}.get(key, at)


async def delete(shell: Shell, parameters: list[str]) -> None:
    """`file delete activelog <path> [detail] [noconfirm]`."""
    pattern, *options = parameters
    found = [path for path in _matching(shell, pattern) if path.is_file()]
    if not found:
        raise CommandError(texts.NO_SUCH_FILE)
    if "noconfirm" not in options and not await shell.yes(f"Delete the {len(found)} file(s) [y/n]? "):
        return
    for path in found:
        if "detail" in options:
            await shell.say(f"deleting file : {path.name}")
        path.unlink()
    await shell.say(f"files: found = {len(found)}, deleted = {len(found)}")


async def get(shell: Shell, parameters: list[str]) -> None:
    """`file get activelog <path>`: the node pushes the files to an SFTP server that the user names."""
    found = [path for path in _matching(shell, parameters[0]) if path.is_file()]
    if not found:
        raise CommandError(texts.NO_SUCH_FILE)
    terminal, root = shell.terminal, shell.node.active_log.resolve()
    size = sum(path.stat().st_size for path in found)
    terminal.write("Please wait while the system is gathering files info ...\n")
    for path in found:
        terminal.write(f" Get file: active/{path.relative_to(root)}\n")
    terminal.write(
        f"done.\nSub-directories were not traversed.\nNumber of files affected: {len(found)}\n"
        f"Total size in Bytes: {size}\nTotal size in Kbytes: {size / 1024:.4f}\n"
    )
    if not await shell.yes(texts.CONTINUE):
        return
    host = await terminal.ask("SFTP server IP: ")
    port = await terminal.ask("SFTP server port [22]: ")
    user = await terminal.ask("User ID: ")
    password = await terminal.ask("Password: ", echo="*")
    folder = await terminal.ask("Download directory: ")
    try:
        # A real node asks on first contact and stores the key; the lab's trusts the server that its user names.
        async with asyncio.timeout(30), asyncssh.connect(
            host, int(port or 22), username=user, password=password, known_hosts=None, config=[], client_keys=[],
            agent_path=None,
        ) as connection, connection.start_sftp_client() as sftp:  # fmt: skip
            for path in found:
                await sftp.put(str(path), f"{folder.rstrip('/') or ''}/{path.name}")
                terminal.write(".\n")
    except (OSError, ValueError, TimeoutError, asyncssh.Error) as error:
        raise CommandError(shell.inferred["shell.sftp_failed"].format(reason=error)) from None
    terminal.write("Transfer completed.\n")
