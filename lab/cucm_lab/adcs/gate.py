# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NTLM and Basic at the web pages. NTLM authenticates a connection, not a request."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import spnego
from aiohttp import web
from cryptography import x509
from spnego._ntlm_raw.messages import Authenticate, AvId, NTClientChallengeV2
from spnego.channel_bindings import GssChannelBindings

from ..certmgr.basic import credentials

if TYPE_CHECKING:
    from .authority import Authority

_TYPE_3 = b"NTLMSSP\x00\x03\x00\x00\x00"


class Gate:
    """Access to the pages: `user` is the account's name, `challenge` the response where there is none."""

    def __init__(self, authority: Authority, certificate_pem: str) -> None:
        self._authority = authority
        self._binding = _binding(certificate_pem)
        self._contexts: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self._users: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        if "ntlm" in authority.authentication:
            _know(authority.directory.parent / "ntlm-users", authority.accounts)

    def user(self, request: web.BaseRequest) -> tuple[str | None, list[str]]:
        """(account, []) or (None, the WWW-Authenticate headers of the 401)."""
        header = request.headers.get("Authorization", "")
        scheme, _unused, value = header.partition(" ")
        connection = request.transport
        if connection in self._users and scheme.lower() != "ntlm":
            return self._users[connection], []
        if scheme.lower() == "ntlm" and "ntlm" in self._authority.authentication:
            return self._ntlm(connection, value)
        if "basic" in self._authority.authentication:
            given = credentials(header)
            if given and self._basic(*given):
                return given[0], []
        return None, self._offers()

    def carries_credentials(self, request: web.BaseRequest) -> bool:
        """Whether a request ends an attempt to log in; the first message of NTLM names nobody yet."""
        scheme, _unused, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "ntlm":
            return scheme.lower() == "basic"
        return value.startswith(base64.b64encode(_TYPE_3[:9]).decode())

    def _offers(self) -> list[str]:
        words = {"ntlm": "NTLM", "basic": f'Basic realm="{self._authority.fqdn}"'}
        return [words[name] for name in self._authority.authentication]

    def _basic(self, username: str, password: str) -> bool:
        secret = self._secret(username)
        return secret is not None and hmac.compare_digest(secret.encode(), password.encode())

    def _secret(self, username: str) -> str | None:
        """The password of an account of this CA, named with its domain or without."""
        for known, secret in self._authority.accounts.items():
            if username.lower() in (known.lower(), known.lower().rpartition("\\")[2]):
                return secret
        return None

    def _ntlm(self, connection: Any, value: str) -> tuple[str | None, list[str]]:
        try:
            token = base64.b64decode(value, validate=True)
        except binascii.Error:
            return None, self._offers()
        try:
            if not token.startswith(_TYPE_3):
                self._contexts[connection] = spnego.server(protocol="ntlm")
            context = self._contexts.get(connection)
            if context is None or (token.startswith(_TYPE_3) and not self._bound(token)):
                return None, self._offers()
            answer = context.step(token)
        except (spnego.exceptions.SpnegoError, ValueError, IndexError):
            self._contexts.pop(connection, None)
            return None, self._offers()
        if not context.complete:
            return None, [f"NTLM {base64.b64encode(answer or b'').decode()}"]
        del self._contexts[connection]
        user = str(context.client_principal)
        if self._secret(user) is None:
            # The library's file holds the accounts of every CA of the lab.
            return None, self._offers()
        self._users[connection] = user
        return user, []

    def _bound(self, token: bytes) -> bool:
        """Extended protection: the token's channel binding belongs to this TLS certificate."""
        if self._authority.channel_binding == "off":
            return True
        response = Authenticate.unpack(token).nt_challenge_response or b""
        sent = None
        if len(response) > 24:
            sent = NTClientChallengeV2.unpack(response[16:]).av_pairs.get(AvId.channel_bindings)
        if sent in (None, b"\x00" * 16):
            return self._authority.channel_binding != "required"
        return hmac.compare_digest(bytes(sent), self._binding)


def _binding(certificate_pem: str) -> bytes:
    """NTLM's MD5 of the tls-server-end-point binding of a certificate (RFC 5929)."""
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    name = certificate.signature_hash_algorithm.name if certificate.signature_hash_algorithm else "sha256"
    from cryptography.hazmat.primitives.serialization import Encoding

    digest = hashlib.new("sha256" if name in ("md5", "sha1") else name, certificate.public_bytes(Encoding.DER)).digest()
    packed = GssChannelBindings(application_data=b"tls-server-end-point:" + digest).pack()
    return hashlib.md5(packed, usedforsecurity=False).digest()


def _know(path: Path, accounts: dict[str, str]) -> None:
    """Write the NTLM library's own file of accounts, readable only by its owner."""
    lines = set(path.read_text().splitlines()) if path.exists() else set()
    for name, password in accounts.items():
        domain, _unused, user = name.rpartition("\\")
        # A client may send the domain or leave it out.
        lines |= {f"{domain}:{user}:{password}", f":{user}:{password}"}
    path.touch(mode=0o600)
    path.write_text("".join(f"{line}\n" for line in sorted(lines)))
    os.environ["NTLM_USER_FILE"] = str(path)
