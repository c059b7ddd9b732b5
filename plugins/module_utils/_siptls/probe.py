# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TLS handshake with a SIP port, from the outside: what it presents, what it asks for, how it refuses.

A SIP TLS port wants a client certificate. Without one the handshake ends in a refusal, but only after the server
has shown its chain; so the bytes are read beside the TLS library, which keeps what it has seen of a failed handshake.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import socket
import ssl
import time
import warnings
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._siptls.streams import Chunk
from ansible_collections.siptls.cucm.plugins.module_utils._siptls.tls_names import (
    alert_words,
    cipher_name,
    version_name,
)
from ansible_collections.siptls.cucm.plugins.module_utils._siptls.tls_records import TlsReader, TlsSide

MOST_BYTES = 1 << 20  # a handshake and an answer to OPTIONS are a few KB
# A TLS 1.3 server judges the client's certificate after the client's side is done: its refusal comes with the
# first bytes that are read. Seconds to wait for it when nothing else is to be read.
LATE_REFUSAL = 1.0


@dataclass
class Handshake:
    """What one connection showed."""

    chain: list[bytes] = field(default_factory=list)
    completed: bool = False
    version: str | None = None
    cipher: str | None = None
    asked_for_certificate: bool | None = None
    acceptable_cas: list[str] | None = None
    alert: str | None = None
    alert_meaning: str | None = None
    refused: str | None = None
    answer: bytes = b""


class Tap:
    """One TLS connection by hand: the socket's bytes go to the TLS library and, untouched, to a reader."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, name: str | None, timeout: float) -> None:
        self._socket = sock
        self._latest = time.monotonic() + timeout
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        self._reader = TlsReader()
        self._received = 0

    def drive(self, step: Any) -> Any:
        """Repeat a step of the TLS library until it is through; ssl.SSLError, OSError or TimeoutError otherwise."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._send()
                self._receive()
                continue
            except ssl.SSLError:
                self._send()
                raise
            self._send()
            return result

    def finish(self) -> TlsSide:
        """What the reader saw of the server."""
        return self._reader.finish()

    def shorten(self, seconds: float) -> None:
        """Wait no longer than this from now on."""
        self._latest = min(self._latest, time.monotonic() + seconds)

    def _send(self) -> None:
        data = self._out.read()
        if data:
            self._socket.settimeout(max(self._latest - time.monotonic(), 0.05))
            self._socket.sendall(data)

    def _receive(self) -> None:
        left = self._latest - time.monotonic()
        if left <= 0 or self._received > MOST_BYTES:
            raise TimeoutError
        self._socket.settimeout(left)
        data = self._socket.recv(65536)
        self._received += len(data)
        if data:
            self._reader.feed(Chunk(time.time(), 0, data, 0))
            self._in.write(data)
        else:
            self._in.write_eof()


def client_context(legacy: bool, certificate: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """A context that judges nothing by itself: a probe wants to see, and the caller compares what it saw.

    certificate and key are paths. Failure when they cannot be loaded.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # A probe shows certificates of any strength; legacy decides about the protocol and ciphers alone.
    context.set_ciphers("ALL:!aNULL:@SECLEVEL=0" if legacy else "DEFAULT:AES128-SHA:AES256-SHA:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1 if legacy else ssl.TLSVersion.TLSv1_2
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
    if certificate:
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise Failure(f"The client certificate and its key cannot be used: {_words(error)}.") from None
    return context


def handshake(
    host: str,
    port: int,
    context: ssl.SSLContext,
    *,
    timeout: float = 10.0,
    request: bytes | None = None,
    server_name: str | None = None,
) -> Handshake:
    """Connect, shake hands, send request when that is through, and tell all that was seen.

    timeout is in seconds for the whole. Failure when no TCP connection comes up; a refusal in TLS is a result.
    """
    try:
        sock = socket.create_connection((host, port), timeout=timeout)
    except OSError as error:
        raise Failure(
            f"No TCP connection to the SIP port {port} of {host}: {_words(error)}. "
            "Check that Cisco CallManager runs there, that a SIP trunk with a TLS profile listens on the port, "
            "and the firewall between."
        ) from None
    seen = Handshake()
    with sock:
        tap = Tap(sock, context, server_name, timeout)
        try:
            tap.drive(tap.tls.do_handshake)
            seen.completed = True
            if request is not None:
                tap.drive(lambda: tap.tls.write(request))
            elif tap.tls.version() == "TLSv1.3":
                tap.shorten(LATE_REFUSAL)
            if request is not None or tap.tls.version() == "TLSv1.3":
                seen.answer = tap.drive(lambda: tap.tls.read(65536))
        except TimeoutError:
            if not seen.completed:
                seen.refused = f"no answer within {timeout:g} s"
        except (ssl.SSLError, OSError) as error:
            seen.refused = _words(error)
        _judge(seen, tap)
    return seen


def _judge(seen: Handshake, tap: Tap) -> None:
    """Put together what the library and the reader saw."""
    side = tap.finish()
    seen.chain = list(side.certificates or []) or _library_chain(tap.tls)
    # From the ServerHello: the library forgets both when the handshake fails.
    seen.version = version_name(side.chosen_version) if side.chosen_version else None
    seen.cipher = cipher_name(side.cipher) if side.cipher is not None else None
    if seen.version != "TLSv1.3" and seen.chain:
        seen.asked_for_certificate = side.asked_for_certificate
        seen.acceptable_cas = list(side.asked_cas) if side.asked_for_certificate else None
    known = [alert for alert in side.alerts if alert.level]
    if known:
        _level, seen.alert, seen.alert_meaning = alert_words(known[-1].level, known[-1].code)
    elif seen.refused and (code := _alert_code(seen.refused)) is not None:
        _level, seen.alert, seen.alert_meaning = alert_words(2, code)
    if seen.alert == "close_notify" and seen.completed and seen.refused is None:
        seen.alert = seen.alert_meaning = None
    if seen.refused and seen.completed:
        # The client's side was through, the server's was not.
        seen.completed = False


def _library_chain(tls: ssl.SSLObject) -> list[bytes]:
    """The chain of a TLS 1.3 handshake, which no reader can see; the leaf alone where the library gives no more."""
    inner = getattr(tls, "_sslobj", None)
    give = getattr(inner, "get_unverified_chain", None)
    try:
        chain = give() if give else None
        if chain:
            return [one.public_bytes(2) if hasattr(one, "public_bytes") else one for one in chain]  # 2: DER
        leaf = tls.getpeercert(binary_form=True)
    except (ValueError, ssl.SSLError):
        return []
    return [leaf] if leaf else []


ALERT_TEXTS = {
    "certificate required": 116,
    "unknown ca": 48,
    "bad certificate": 42,
    "unsupported certificate": 43,
    "certificate expired": 45,
    "certificate unknown": 46,
    "handshake failure": 40,
    "protocol version": 70,
    "access denied": 49,
    "decrypt error": 51,
    "insufficient security": 71,
    "internal error": 80,
}


def _alert_code(text: str) -> int | None:
    """The alert that OpenSSL names in its text: the only trace of one that came encrypted."""
    lowered = text.lower().replace("_", " ")
    return next((code for words, code in ALERT_TEXTS.items() if "alert" in lowered and words in lowered), None)


def _words(error: BaseException) -> str:
    text = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).replace("_", " ").lower() if str(text).isupper() or "_" in str(text) else str(text)


def served_certificate(host: str, port: int = 5061, *, legacy: bool = False, timeout: float = 10.0) -> list[str]:
    """The chain that a SIP TLS port presents, leaf first, as PEM, though it may refuse us afterwards.

    Failure when nothing listens or no certificate was shown; it names legacy_crypto when old TLS may be the cause.
    """
    seen = handshake(host, port, client_context(legacy), timeout=timeout)
    if not seen.chain:
        advice = "" if legacy else " A release that knows TLS 1.0 only needs legacy_crypto: true."
        raise Failure(
            f"The SIP port {port} of {host} showed no certificate: "
            f"{seen.alert_meaning or seen.refused or 'it closed the connection'}.{advice}"
        )
    return [ssl.DER_cert_to_PEM_cert(der) for der in seen.chain]
