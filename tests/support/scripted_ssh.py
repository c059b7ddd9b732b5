# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small SSH server with a shell that each test scripts: real algorithms, real terminal, nothing of CUCM in it."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any

import asyncssh

OLD = {
    "kex_algs": ["diffie-hellman-group-exchange-sha1", "diffie-hellman-group14-sha1"],
    "signature_algs": ["ssh-rsa"],
    "encryption_algs": ["aes128-ctr", "aes128-cbc"],
    "mac_algs": ["hmac-sha1"],
}
WELCOME = (
    "Command Line Interface is starting up, please wait ...\r\n\r\n   Welcome to the Platform Command Line Interface"
    "\r\n\r\nVMware Installation:\r\n\t4 vCPU: Intel(R) Xeon(R) CPU\r\n\r\n"
)


@dataclass
class Script:
    """What the server does; commands maps a typed line to its output or to a function(terminal) -> output."""

    commands: dict[str, Any] = field(default_factory=dict)
    prompt: str = "admin:"
    welcome: str = WELCOME
    waits_for_newline: bool = False
    full: bool = False  # ends each log-in after its welcome
    expired: str = ""  # what it asks for after the right password
    keyboard_only: bool = False
    password: str = "S3cret-of-the-test"
    algorithms: dict[str, Any] = field(default_factory=dict)
    echo: bool = True
    hesitates: int = 0  # keys of a line that are echoed one by one before the rest comes at once
    typed: list[str] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)
    logins: int = 0


class Terminal:
    """The server's side of one shell: reads keys and lines, echoes as a terminal does."""

    def __init__(self, script: Script, process: Any) -> None:
        self.script, self.process, self.buffer = script, process, ""

    async def key(self) -> str:
        while not self.buffer:
            chunk = await self.process.stdin.read(4096)
            if not chunk:
                raise asyncssh.ConnectionLost("gone")
            self.buffer += chunk
        first, self.buffer = self.buffer[0], self.buffer[1:]
        return first

    async def line(self) -> str:
        text = ""
        while (key := await self.key()) not in "\r\n":
            text += key
            if self.script.echo:
                self.write(key)
            if len(text) <= self.script.hesitates:
                await asyncio.sleep(0.02)
        self.write("\r\n")
        return text

    def write(self, text: str) -> None:
        self.process.stdout.write(text)

    async def serve(self) -> None:
        self.script.logins += 1
        self.write(self.script.welcome)
        if self.script.full:
            self.process.exit(1)
            return
        if self.script.waits_for_newline:
            await self.line()
        while True:
            self.write(self.script.prompt)
            command = await self.line()
            self.script.typed.append(command)
            action = self.script.commands.get(command.strip(), "")
            text = action if isinstance(action, str) else await action(self)
            self.write((text or "").replace("\n", "\r\n"))


class Door(asyncssh.SSHServer):
    """Authentication that counts."""

    def __init__(self, script: Script) -> None:
        self.script = script

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return not self.script.keyboard_only

    def validate_password(self, username: str, password: str) -> bool:
        self.script.passwords.append(password)
        return password == self.script.password

    def kbdint_auth_supported(self) -> bool:
        return True

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: Any) -> Any:
        self.script.passwords += responses
        right = list(responses) == [self.script.password]
        if right and self.script.expired:
            return "", self.script.expired, "", [("New password: ", False)]
        return right


class Server:
    """The listener in a thread of its own."""

    def __init__(self, script: Script, key: Any) -> None:
        self.script, self.key = script, key
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.listener = asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result(10)
        self.port: int = self.listener.get_port()

    async def _listen(self) -> Any:
        async def serve(process: Any) -> None:
            try:
                await Terminal(self.script, process).serve()
            except (asyncssh.Error, BrokenPipeError):
                process.close()

        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=lambda: Door(self.script), server_host_keys=[self.key],
            process_factory=serve, line_editor=False, **self.script.algorithms,
        )  # fmt: skip

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.listener.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
