# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serves fixtures: every node of them on a loopback address of its own, with HTTPS and the CLI over SSH.

Any account is accepted. Equal requests get their answers in the order of the fixtures, the last one again and again.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh
from aiohttp import web
from cryptography import x509
from cryptography.x509.oid import NameOID

from ..pki import material
from ..shell import texts
from ..shell.terminal import Closed, Interrupted, Terminal
from .fixtures import Exchange

#: what is not in the fixtures
UNKNOWN = "The fixtures have no answer to this request."


class Player:
    """The answers of one node."""

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        self._exact: dict[tuple[str, ...], deque[Exchange]] = {}
        self._loose: dict[tuple[str, ...], deque[Exchange]] = {}
        for exchange in exchanges:
            self._exact.setdefault(exchange.key, deque()).append(exchange)
            self._loose.setdefault(exchange.loose_key, deque()).append(exchange)

    def answer(self, request: Exchange) -> dict[str, Any] | None:
        """The next answer to a request; None when the fixtures have none."""
        found = self._exact.get(request.key) or self._loose.get(request.loose_key)
        if not found:
            return None
        return dict((found.popleft() if len(found) > 1 else found[0]).answer)


async def serve(exchanges: list[Exchange], directory: Path, net: str, ready: Any, ended: asyncio.Event) -> None:
    """Serve until `ended` is set; `ready` is called with the description that replay.json has, too. OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    running: list[Any] = []
    nodes = {
        name: f"{net}.210.{place}"
        for place, name in enumerate(dict.fromkeys(exchange.node for exchange in exchanges), 1)
    }
    known_hosts, certificates = [], []
    try:
        for name, address in nodes.items():
            player = Player(exchange for exchange in exchanges if exchange.node == name)
            pair, certificate = _certificate(name, address, directory)
            certificates.append(certificate)
            running.append(await _https(name, address, player, pair))
            host_key = asyncssh.generate_private_key("ssh-rsa")
            known_hosts.append(f"[{address}]:{SSH} {host_key.export_public_key().decode().strip()}")
            running.append(await _ssh(name, address, player, host_key))
        described = {"nodes": nodes, "https": HTTPS, "ssh": SSH, "exchanges": len(exchanges)}
        for file, text in (
            ("https-ca.pem", "".join(certificates)),
            ("known_hosts", "".join(f"{line}\n" for line in known_hosts)),
            ("replay.json", json.dumps(described, indent=1) + "\n"),
        ):
            (directory / file).write_text(text, encoding="utf-8")
        ready(described)
        await ended.wait()
    finally:
        for server in running:
            await server.stop()


HTTPS, SSH = 8443, 2222


def _certificate(name: str, address: str, directory: Path) -> tuple[Path, str]:
    """A new certificate for the web interface: the file with its key, and its PEM."""
    key = material.new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    names = list(dict.fromkeys((address, name)))
    made = material.self_signed(subject, key, "sha256", datetime.now(UTC), names=names, eku=["serverAuth"])
    pair = directory / f"{address}.pem"
    pair.touch(mode=0o600)
    pair.write_text(material.key_pem(key) + material.pem_of(made), encoding="utf-8")
    return pair, material.pem_of(made)


async def _https(name: str, address: str, player: Player, pair: Path) -> Any:
    async def handle(request: web.BaseRequest) -> web.Response:
        body = (await request.content.read()).decode("utf-8", "replace")
        asked = Exchange("https", name, {}, method=request.method, path=request.path_qs, body=body)
        answer = player.answer(asked)
        if answer is None:
            return web.Response(status=501, text=f"{UNKNOWN} {asked.title}")
        text = "" if answer["body"] is None else answer["body"]
        return web.Response(status=answer["status"], headers=answer["headers"], body=text.encode())

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, address, HTTPS, ssl_context=context).start()
    return _Stopping(runner.cleanup)


class _Stopping:
    def __init__(self, stop: Any) -> None:
        self.stop = stop


class _AnyAccount(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return True


async def _ssh(name: str, address: str, player: Player, host_key: asyncssh.SSHKey) -> Any:
    async def session(process: asyncssh.SSHServerProcess[str]) -> None:
        terminal = Terminal(process.stdout.write, 24)
        reading = asyncio.ensure_future(_feed(process, terminal))
        try:
            await _shell(terminal, name, player)
        finally:
            reading.cancel()
            process.exit(0)

    acceptor = await asyncssh.listen(
        address, SSH, server_factory=_AnyAccount, server_host_keys=[host_key], process_factory=session,
        line_editor=False,
    )  # fmt: skip

    async def stop() -> None:
        acceptor.close()
        await acceptor.wait_closed()

    return _Stopping(stop)


async def _feed(process: asyncssh.SSHServerProcess[str], terminal: Terminal) -> None:
    while text := await process.stdin.read(1024):
        terminal.feed(text)
    terminal.close()


async def _shell(terminal: Terminal, name: str, player: Player) -> None:
    terminal.write(f"{texts.STARTING}\n{texts.WELCOME}\n")
    while True:
        terminal.write(texts.PROMPT)
        try:
            line = (await terminal.line()).strip()
        except Interrupted:
            continue
        except Closed:
            return
        if line == "exit":
            return
        if line:
            answer = player.answer(Exchange("cli", name, {}, command=line))
            terminal.write((UNKNOWN if answer is None else answer["output"]) + "\n")
