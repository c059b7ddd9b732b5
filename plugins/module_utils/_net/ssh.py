# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH to a CUCM node: algorithms, host key, and a password that is tried exactly once.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import os
import re
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure, Reason
from ansible_collections.siptls.cucm.plugins.module_utils._net import confine
from ansible_collections.siptls.cucm.plugins.module_utils._text import readable

LARGEST_PACKET = 35000  # bytes of an SSH packet that every side must take (RFC 4253, 6.1)


#: what a log-in shows whose password is too old, and one for which there is no session left
_EXPIRED = re.compile(r"(?i)expired|password aged|required to change|new (?:unix )?password")
NO_SESSION = re.compile(r"(?i)maximum number of (?:\w+ )?(?:sessions|logins)|too many (?:\w+ )?(?:sessions|logins)")


class ShellLost(Failure):
    """The SSH connection ended while CUCM was at work: look up what happened before repeating anything."""


@dataclass(frozen=True)
class Algorithms:
    """One list of a negotiation: what we offer always, and what only legacy_crypto adds (always after the rest)."""

    label: str
    modern: tuple[str, ...]
    legacy: tuple[str, ...]

    def offer(self, legacy: bool) -> list[str]:
        """Our list, best first."""
        return [*self.modern, *(self.legacy if legacy else ())]


# asyncssh's own defaults hold SHA-1, so each list is given whole. Keys are its option names; the order is KEXINIT's.
ALGORITHMS: dict[str, Algorithms] = {
    "kex_algs": Algorithms(
        "key exchange",
        ("curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384",
         "ecdh-sha2-nistp521", "diffie-hellman-group16-sha512", "diffie-hellman-group14-sha256",
         "diffie-hellman-group-exchange-sha256"),
        ("diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1", "diffie-hellman-group1-sha1"),
    ),
    "server_host_key_algs": Algorithms(
        "host key",
        ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512",
         "rsa-sha2-256"),
        ("ssh-rsa",),
    ),
    "encryption_algs": Algorithms(
        "cipher",
        ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr",
         "aes192-ctr", "aes128-ctr"),
        ("aes256-cbc", "aes192-cbc", "aes128-cbc", "3des-cbc"),
    ),
    "mac_algs": Algorithms(
        "MAC",
        ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "umac-128-etm@openssh.com",
         "hmac-sha2-256", "hmac-sha2-512", "umac-128@openssh.com"),
        ("hmac-sha1-etm@openssh.com", "hmac-sha1"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class SshAccess:
    """Where a node's SSH is, how far it is trusted and who logs in."""

    host: str
    os_username: str
    os_password: str = field(repr=False)
    ssh_port: int = 22
    ssh_known_hosts: str | None = "~/.ssh/known_hosts"
    ssh_host_key: str | None = None
    validate_host_key: bool = True
    legacy_crypto: bool = False
    timeout: int = 30

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> SshAccess:
        """The platform options of a module."""
        values = {name: params.get(name) for name in cls.__dataclass_fields__}
        return cls(**{name: value for name, value in values.items() if value is not None})

    @property
    def where(self) -> str:
        """Node, interface and account in words."""
        return f"{self.host} (SSH port {self.ssh_port}, as platform account {self.os_username})"


def read_offer(host: str, port: int, timeout: float) -> dict[str, list[str]]:
    """The algorithms that a node offers, by asyncssh's option names; empty when it does not say.

    They are read from the first key exchange message, which goes in the clear (RFC 4253, 7.1): asyncssh reports neither
    the whole offer of a node that it cannot agree with nor which key exchange was agreed on.
    """
    try:
        packet = _first_packet(host, port, min(timeout, 15))
    except (OSError, struct.error):
        return {}
    at, lists = 1 + 1 + 16, []  # padding length, message number, cookie
    try:
        for _index in range(6):
            length = struct.unpack_from(">I", packet, at)[0]
            lists.append(packet[at + 4 : at + 4 + length].decode("ascii", "replace"))
            at += 4 + length
    except struct.error:
        return {}
    # ext-info and kex-strict are flags that stand among the key exchanges (RFC 8308), not algorithms.
    offers = [[name for name in text.split(",") if not name.startswith(("ext-info", "kex-strict"))] for text in lists]
    return dict(zip(ALGORITHMS, (offers[0], offers[1], offers[2], offers[4]), strict=True))


def _first_packet(host: str, port: int, timeout: float) -> bytes:
    """The first packet after the greeting, whole within so many seconds; empty when it is none."""
    end = time.monotonic() + timeout
    data = b""
    with socket.create_connection((host, port), timeout=timeout) as sock:
        sock.sendall(b"SSH-2.0-siptls.cucm\r\n")
        while len(data) <= 50 * 1024 + LARGEST_PACKET:
            greeting = re.search(rb"(?m)^SSH-[^\n]*\n", data)
            packet = data[greeting.end() :] if greeting else b""
            if len(packet) >= 4:
                size = struct.unpack(">I", packet[:4])[0]
                if not 20 < size <= LARGEST_PACKET:
                    return b""
                if len(packet) >= 4 + size:
                    return packet[4 : 4 + size]
            if (left := end - time.monotonic()) <= 0:
                return b""
            sock.settimeout(left)
            more = sock.recv(65536)
            if not more:
                return b""
            data += more
    return b""


def lowered(offer: Mapping[str, list[str]]) -> list[str]:
    """What only legacy_crypto lets through with a node that offers this, e.g. 'key exchange diffie-hellman-…-sha1'."""
    found = []
    for name, theirs in offer.items():
        rule = ALGORITHMS[name]
        chosen = next((algorithm for algorithm in rule.offer(True) if algorithm in theirs), None)
        if chosen in rule.legacy:
            found.append(f"{rule.label} {chosen}")
    return found


class _Once:
    """Returns the password once: CUCM locks accounts after a few refusals."""

    def __init__(self, secret: str) -> None:
        self._secret: str | None = secret

    def take(self) -> str | None:
        secret, self._secret = self._secret, None
        return secret


def _known(access: SshAccess, address: str, key: Any) -> str | None:
    """Why this host key is not the node's, or None when it is."""
    import asyncssh

    print_ = key.get_fingerprint()
    pinned = (access.ssh_host_key or "").strip()
    if pinned.upper().startswith("SHA256:"):
        same = pinned[7:].rstrip("=") == print_[7:].rstrip("=")
    elif pinned:
        found = re.search(r"(?<!\S)(?:ssh-|ecdsa-)\S+\s+[A-Za-z0-9+/=]+", pinned)
        try:
            same = found is not None and asyncssh.import_public_key(found.group()) == key
        except asyncssh.KeyImportError:
            same = False
        if found is None:
            return "ssh_host_key is neither a SHA256: fingerprint nor a public key line"
    else:
        return _unlisted(access, address, key)
    return None if same else f"its key {print_} is not the one that ssh_host_key pins"


def _unlisted(access: SshAccess, address: str, key: Any) -> str | None:
    import asyncssh

    path = os.path.expanduser(access.ssh_known_hosts or "")
    try:
        listed = asyncssh.read_known_hosts(path) if os.path.exists(path) else None
    except (OSError, ValueError) as error:
        return f"{path} cannot be read as a known_hosts file ({type(error).__name__})"
    trusted: list[Any] = []
    revoked: list[Any] = []
    if listed is not None:
        matched = asyncssh.match_known_hosts(listed, access.host, address, access.ssh_port)
        trusted, revoked = list(matched[0]), list(matched[2])
    if key in revoked:
        return f"its key {key.get_fingerprint()} is revoked in {path}"
    if key in trusted:
        return None
    if trusted:
        return (
            f"its key {key.get_fingerprint()} is NOT the one in {path}; the node was reinstalled, or someone stands "
            "in between"
        )
    return f"its key {key.get_fingerprint()} is not in {path}"


async def connect(access: SshAccess) -> tuple[Any, list[str]]:
    """The authenticated connection (asyncssh.SSHClientConnection) and warnings; raises Failure with the reason."""
    import asyncssh

    notes: dict[str, str] = {}
    once = _Once(access.os_password)

    class Client(asyncssh.SSHClient):
        """Checks the host key, and supplies the password once in all."""

        def validate_host_public_key(self, host: str, addr: str, port: int, key: Any) -> bool:
            problem = _known(access, addr, key)
            if problem:
                notes["host key"] = problem
            return problem is None

        def password_auth_requested(self) -> str | None:
            return once.take()

        def password_change_requested(self, prompt: str, lang: str) -> Any:
            notes["expired"] = prompt
            return NotImplemented

        def kbdint_auth_requested(self) -> str | None:
            return ""

        def kbdint_challenge_received(self, name: str, instructions: str, lang: str, prompts: Any) -> list[str] | None:
            if not prompts:
                return []
            if len(prompts) == 1 and not prompts[0][1] and "new" not in prompts[0][0].lower():
                secret = once.take()
                return None if secret is None else [secret]
            notes["expired"] = " ".join(text for text, _echo in prompts)
            return None

    confine.check(access.host, access.ssh_port)
    offer = read_offer(access.host, access.ssh_port, access.timeout) if access.legacy_crypto else {}
    try:
        connection = await asyncssh.connect(
            access.host,
            access.ssh_port,
            config=None,
            client_factory=Client,
            known_hosts=([], [], []) if access.validate_host_key else None,
            username=access.os_username,
            client_keys=None,
            agent_path=None,
            gss_host=None,
            preferred_auth="keyboard-interactive,password",
            connect_timeout=min(access.timeout, 15),
            login_timeout=max(access.timeout, 60),
            keepalive_interval=0,
            **{name: rule.offer(access.legacy_crypto) for name, rule in ALGORITHMS.items()},
        )
    except (asyncssh.Error, OSError, TimeoutError) as error:
        raise _failure(access, error, notes) from None
    used = lowered(offer)
    warning = f"{access.host}: legacy_crypto let through {', '.join(used)} on SSH port {access.ssh_port}."
    return connection, [warning] if used else []


def _failure(access: SshAccess, error: Exception, notes: Mapping[str, str]) -> Failure:
    """Why the log-in failed and what to do, in one sentence."""
    import asyncssh

    doing = f"Logging in to the CLI of {access.where} failed"
    if "host key" in notes:
        return Failure(
            f"{doing}: the SSH host key is not trusted: {notes['host key']}. Compare it with the node's console, then "
            "add it to ssh_known_hosts or pin it with ssh_host_key.",
            reason="host_key",
        )
    if isinstance(error, asyncssh.KeyExchangeFailed | asyncssh.ConnectionLost):
        # A node may hang up before its refusal has come through; its offer then shows the same.
        apart = _apart(access)
        if apart or isinstance(error, asyncssh.KeyExchangeFailed):
            return _no_agreement(access, doing, apart)
    if isinstance(error, asyncssh.PermissionDenied):
        if "expired" in notes:
            said = readable(notes["expired"])
            sure = "has expired" if _EXPIRED.search(said) else "may have expired"
            return Failure(
                f"{doing}: the password {sure}; the node asked for more than it ({said!r}). Log in by hand and "
                "set a new password, then run again with it.",
                reason="account",
            )
        return Failure(
            f"{doing}: CUCM refused the account; user name or password is wrong or the account is locked. The password "
            "was tried once only, because CUCM locks accounts. Check os_username and os_password (it is the account "
            "of the operating system administration, not an AXL user).",
            reason="account",
        )
    kind: Reason = "unreachable"
    if isinstance(error, TimeoutError):
        kind, said = "timeout", "no answer in time. Check host, ssh_port and the firewall between"
    elif isinstance(error, socket.gaierror):
        kind = "name"
        said = f"the host name {access.host} does not resolve. Correct the name, or this machine's DNS"
    elif isinstance(error, OSError):
        # asyncio writes its own text over the system's: Connect call failed ('10.0.0.1', 22).
        system = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        said = f"{system or type(error).__name__}. Check host and ssh_port, and that the node is up"
    else:
        said = readable(getattr(error, "reason", "") or type(error).__name__)
        said = f"{said}. Try again; if it happens again, look at the node's console"
    return Failure(f"{doing}: {said}.", reason=kind)


def _apart(access: SshAccess) -> dict[str, list[str]]:
    """The lists of the node's offer that have nothing in common with ours."""
    return {
        name: theirs
        for name, theirs in read_offer(access.host, access.ssh_port, access.timeout).items()
        if not set(theirs) & set(ALGORITHMS[name].offer(access.legacy_crypto))
    }


def _no_agreement(access: SshAccess, doing: str, apart: Mapping[str, list[str]]) -> Failure:
    said = "; ".join(f"{ALGORITHMS[name].label}: {', '.join(map(readable, theirs))}" for name, theirs in apart.items())
    said = said or "an offer that could not be read"
    helps = not access.legacy_crypto and all(set(theirs) & set(ALGORITHMS[n].legacy) for n, theirs in apart.items())
    advice = (
        "That is the cryptography of old releases (SHA-1); legacy_crypto: true allows it for this cluster."
        if helps
        else "No option of this collection allows that."
    )
    return Failure(
        f"{doing}: no SSH algorithm in common. The node offers only {said}. {advice}", reason="algorithms", offer=apart
    )
