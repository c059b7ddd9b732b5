# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SSH server of a node: the algorithms and login methods of its release, and a shell only."""

from __future__ import annotations

import asyncio
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import asyncssh
from cryptography.utils import CryptographyDeprecationWarning

from ..pki import material
from ..release import SshPolicy
from ..scenario import Account
from . import activation
from .accounts import accounts_of
from .session import Shell
from .terminal import Terminal

if TYPE_CHECKING:
    from ..world import Lab, Node, Stoppable

# Old releases need the old key exchange; a warning at each login would be noise.
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning, module=r"asyncssh\.")

_HOST_KEY = "ssh_host_rsa_key"
_ADDED_CIPHERS = ("aes128-cbc",)


_HOST_KEYS: WeakKeyDictionary[Node, asyncssh.SSHKey] = WeakKeyDictionary()


def _host_key(node: Node) -> asyncssh.SSHKey:
    """The node's RSA host key, kept in its directory."""
    if node not in _HOST_KEYS:
        path = node.directory / _HOST_KEY
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(material.key_pem(material.POOL.take(False, 2048)))
        # The lab's own file: checking its primes again would dominate a node's start.
        _HOST_KEYS[node] = asyncssh.import_private_key(path.read_text(), unsafe_skip_rsa_key_validation=True)
    return _HOST_KEYS[node]


def host_key_lines(lab: Lab, node: Node) -> list[str]:
    """The public keys in the form of known_hosts, without the host."""
    return [" ".join(_host_key(node).export_public_key().decode().split()[:2])]


@cache
def _impostor(algorithm: bytes) -> asyncssh.SSHKeyPair:
    """Somebody else's RSA key, signing by one algorithm. A fresh one: the pool could give out the node's own again."""
    key = asyncssh.import_private_key(material.key_pem(material.new_key(False, 2048)))
    keypair = asyncssh.load_keypairs([key])[0]
    keypair.host_key_algorithms = [algorithm]
    return keypair


class _Server(asyncssh.SSHServer):
    """Authentication of one connection."""

    def __init__(self, lab: Lab, node: Node) -> None:
        self._lab = lab
        self._node = node
        self._policy: SshPolicy = node.cluster.release.ssh
        self._account: Account | None = None
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        fault = self._lab.faults.match("ssh", "connect", self._node)
        if fault and fault.action != "wrong_certificate":
            conn.abort()
        elif fault:
            # asyncssh has no host key per connection; this connection has not shown its own yet.
            conn._server_host_keys = {name: _impostor(name) for name in conn._server_host_keys}  # type: ignore[assignment]

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return False

    def password_auth_supported(self) -> bool:
        return not (self._policy.keyboard_interactive_only and self._lab.inferred["shell.no_plain_password"])

    def kbdint_auth_supported(self) -> bool:
        self._take_further_attempts()
        return True

    def _take_further_attempts(self) -> None:
        """Let the client ask for the authentication service again, as OpenSSH's server does until it is logged in.

        Clients such as paramiko ask anew before each attempt; asyncssh accepts that request once per connection.
        """
        if self._account is None and self._connection is not None:
            self._connection._next_service = b"ssh-userauth"

    def validate_password(self, username: str, password: str) -> bool:
        return self._accepts(username, password)

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        return "", "", lang, [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: Any) -> Any:
        return len(responses) == 1 and self._accepts(username, responses[0])

    def _accepts(self, username: str, password: str) -> bool:
        self._account = accounts_of(self._lab, self._node).check(username, password, "ssh")
        return self._account is not None

    def session_requested(self) -> asyncssh.SSHServerSession[str]:
        assert self._account is not None and self._connection is not None
        return _Session(self._lab, self._node, self._account, self._connection)


class _Session(asyncssh.SSHServerSession[str]):
    """A channel: a shell with a terminal; exec and subsystems are refused."""

    def __init__(self, lab: Lab, node: Node, account: Account, connection: asyncssh.SSHServerConnection) -> None:
        self._lab = lab
        self._node = node
        self._account = account
        self._connection = connection
        self._rows = 24
        self._terminal: Terminal | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, chan: asyncssh.SSHServerChannel[str]) -> None:
        self._channel = chan

    def pty_requested(self, term_type: str, term_size: Any, term_modes: Any) -> bool:
        self._rows = term_size[1]
        return True

    def shell_requested(self) -> bool:
        return True

    def session_started(self) -> None:
        self._terminal = Terminal(self._send, self._rows)
        peer = self._connection.get_extra_info("peername") or ("",)
        shell = Shell(self._lab, self._node, self._account, self._terminal, self._connection.abort, peer[0])
        self._task = asyncio.ensure_future(self._run(shell))

    async def _run(self, shell: Shell) -> None:
        try:
            await shell.run()
        except Exception as error:
            # A bug of the lab: the session ends, and the log says why.
            self._lab.log.write("ssh", node=self._node.name, event="error", error=repr(error))
        finally:
            if not self._channel.is_closing():
                self._channel.exit(0)

    def _send(self, text: str) -> None:
        if not self._channel.is_closing():
            self._channel.write(text)

    def data_received(self, data: str, datatype: asyncssh.DataType) -> None:
        if self._terminal:
            self._terminal.feed(data)

    def break_received(self, msec: int) -> bool:
        if self._terminal:
            self._terminal.feed("\x03")
        return True

    def eof_received(self) -> bool:
        if self._terminal:
            self._terminal.close()
        # Input from before the end is still carried out.
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self._terminal:
            self._terminal.close()


class _Listening:
    """The running server; stopping it ends its sessions."""

    def __init__(self, acceptor: asyncssh.SSHAcceptor, connections: set[asyncssh.SSHServerConnection]) -> None:
        self._acceptor = acceptor
        self._connections = connections

    async def stop(self) -> None:
        self._acceptor.close()
        for connection in list(self._connections):
            connection.abort()
        await self._acceptor.wait_closed()


async def start(lab: Lab, node: Node) -> Stoppable:
    """Serve SSH at the node's address."""
    policy = node.cluster.release.ssh
    keypair = asyncssh.load_keypairs([_host_key(node)])[0]
    # A keypair of RSA offers every signature it can; a release offers its own.
    keypair.host_key_algorithms = [name.encode() for name in policy.host_keys]
    connections: set[asyncssh.SSHServerConnection] = set()

    class Tracked(_Server):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            connections.add(conn)
            super().connection_made(conn)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._connection:
                connections.discard(self._connection)

    acceptor = await asyncssh.listen(
        node.address,
        lab.ports.ssh,
        server_factory=lambda: Tracked(lab, node),
        server_host_keys=[keypair],
        server_version=policy.banner,
        kex_algs=policy.kex,
        encryption_algs=[*policy.ciphers, *(c for c in _ADDED_CIPHERS if "ssh-rsa" in policy.host_keys)],
        mac_algs=policy.macs,
        signature_algs=policy.host_keys,
        compression_algs=["none"],
        public_key_auth=False,
        host_based_auth=False,
        gss_host=None,
        line_editor=False,
        allow_scp=False,
        agent_forwarding=False,
        x11_forwarding=False,
        reuse_address=True,
        keepalive_interval=0,
        login_timeout=60,
        config=[],
    )
    node.services.on_change(activation.activate)
    return _Listening(acceptor, connections)
