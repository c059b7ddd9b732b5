# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One TLS handshake, watched byte by byte, so that a refusal still shows the chain. Private to this collection.

Up to TLS 1.2 the server's chain, its request for a certificate and its alerts are read from the bytes on the wire,
whatever the outcome of the handshake. TLS 1.3 encrypts them; there the chain comes from OpenSSL, and the request from
CPython's message callback where there is one. In TLS 1.3 the client has finished before the server has checked the
client's certificate: a refusal comes with the first read after the handshake.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
import warnings
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Any, Self

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.streams import Chunk
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.tls_records import (
    TlsReader,
    looks_like_tls,
)
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.tls_names import cipher_name, version_name
from ansible_collections.siptls.cucm.plugins.module_utils._text import is_address
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import EC
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import purpose_of

READ = 65_536
ALERT, HANDSHAKE, CERTIFICATE_REQUEST, CERTIFICATE_AUTHORITIES = 21, 22, 13, 47
# Python's names of the versions that should no longer be used; TLS 1.0 is the oldest that CUCM has used.
OLD_VERSIONS = ("TLSv1", "TLSv1.1")


@dataclass(frozen=True)
class Identity:
    """A client certificate with its chain and its key, as files."""

    certificate_file: str
    key_file: str
    passphrase: str | None = None


@dataclass
class Seen:
    """What a handshake showed. ``asked`` is None where it can't be known; ``alert`` is (level, code)."""

    tls_version: str | None = None
    cipher: str | None = None
    chain: list[bytes] = field(default_factory=list)
    asked: bool | None = None
    asked_cas: list[bytes] | None = None
    alert: tuple[int, int] | None = None
    alert_sent: tuple[int, int] | None = None
    finished: bool = False
    closed: bool = False
    plain_text: bytes = b""
    problem: str | None = None


class Asked(Enum):
    """Which of the two identities of a SIP port a handshake asks for, by the key of its certificate.

    From 11.0 on CUCM holds an RSA certificate (CallManager) and an ECDSA one (CallManager-ECDSA) on one port, and
    presents the one that the client's Hello ranks first.
    """

    RSA = "RSA"
    ECDSA = "ECDSA"

    @classmethod
    def of_purpose(cls, purpose: str) -> Asked:
        """The kind of certificate of a CUCM purpose, such as CallManager-ECDSA."""
        return cls.ECDSA if purpose_of(purpose).key == EC else cls.RSA


# Cipher suites up to TLS 1.2 name the kind of certificate: an offer of one kind can only be answered with it.
_SUITES = {Asked.RSA: "DEFAULT:!aECDSA:@SECLEVEL=2", Asked.ECDSA: "ECDHE+aECDSA:@SECLEVEL=2"}
# eNULL: a profile of mode Authenticated speaks NULL-SHA alone, and a probe should say so.
_OLD_SUITES = {Asked.RSA: "ALL:eNULL:!aNULL:!aECDSA:@SECLEVEL=0", Asked.ECDSA: "aECDSA:eNULL+aECDSA:@SECLEVEL=0"}
_SIGNATURES = {
    Asked.RSA: "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512",
    Asked.ECDSA: "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512",
}


def client_context(
    asked: Asked, *, legacy: bool, identity: Identity | None = None, tls13: bool = False
) -> ssl.SSLContext:
    """A context that verifies nothing: a probe reports what is there. Old protocol and keys only with legacy.

    With tls13 it speaks TLS 1.3 alone. There the signature algorithms choose the certificate: where Python can't set
    them (before 3.15) the server may present the other one, and the caller has to look at its key.
    Raises ssl.SSLError or OSError when the identity cannot be loaded.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_SUITES[asked])
    if tls13:
        context.maximum_version = context.minimum_version = ssl.TLSVersion.TLSv1_3
        if hasattr(context, "set_server_sigalgs"):
            context.set_server_sigalgs(_SIGNATURES[asked])
    if legacy:
        if not tls13:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers(_OLD_SUITES[asked])
        context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
    if identity is not None:
        context.load_cert_chain(identity.certificate_file, identity.key_file, lambda: identity.passphrase or "")
    return context


def old_peer_context() -> ssl.SSLContext:
    """The offer of a CUCM before 11.0, which has an RSA certificate alone: TLS 1.0 with AES128-SHA and nothing else."""
    context = client_context(Asked.RSA, legacy=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("AES128-SHA:@SECLEVEL=0")
    return context


class Handshake:
    """A TLS connection as a client, for use in a with statement. ``seen`` grows while it is used.

    Raises OSError when there is no TCP connection; a failed handshake is reported in ``seen``, not raised.
    """

    def __init__(self, host: str, port: int, context: ssl.SSLContext, timeout: float) -> None:
        self.seen = Seen()
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._reader = TlsReader()
        # The callback is CPython's own debugging aid: where it is missing, TLS 1.3's request stays unknown.
        if hasattr(context, "_msg_callback"):
            context._msg_callback = self._message
        self._watched = hasattr(context, "_msg_callback")
        name = None if is_address(host) else host
        self._tls = context.wrap_bio(self._in, self._out, server_side=False, server_hostname=name)
        self._first = b""
        self.socket = socket.create_connection((host, port), timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(ssl.SSLError, ValueError):
            self._tls.unwrap()
        with contextlib.suppress(OSError):
            self._flush()
        self.socket.close()

    def shake(self) -> bool:
        """Perform the handshake; whether it is complete for this end (in TLS 1.3 the refusal may still come)."""
        done = self._pump(self._tls.do_handshake) is not None
        seen = self.seen
        if done:
            seen.finished = True
            seen.tls_version = self._tls.version()
            cipher = self._tls.cipher()
            seen.cipher = cipher[0] if cipher else None
        self._from_wire()
        if done and not seen.chain:
            seen.chain = _sent_chain(self._tls)
        if done and seen.asked is None and (seen.tls_version != "TLSv1.3" or self._watched):
            seen.asked = False
        return done

    def send(self, data: bytes) -> bool:
        """Send application data; False when the connection is gone."""
        return self._pump(lambda: self._tls.write(data)) is not None

    def receive(self, wait: float) -> bytes:
        """The next application data, or nothing when none came in time (seconds), or the peer closed or refused."""
        self._deadline = time.monotonic() + wait
        problem = self.seen.problem
        data = self._pump(lambda: self._tls.read(READ))
        if not self.seen.closed and self.seen.alert is None and data is None:
            self.seen.problem = problem
        self._from_wire()
        return data or b""

    def _pump(self, step: Any) -> Any:
        """Run one step of OpenSSL's until it needs no more bytes; None when it failed."""
        while True:
            try:
                result = step()
                self._flush()
            except ssl.SSLWantReadError:
                if not self._more():
                    return None
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                self.seen.closed = True
                self.seen.problem = self.seen.problem or "the peer closed the connection"
                return None
            except ssl.SSLError as error:
                self.seen.problem = (error.reason or str(error)).lower().replace("_", " ")
                self._last_words()
                return None
            except OSError as error:
                self.seen.closed = True
                self.seen.problem = f"the connection broke off: {error.strerror or type(error).__name__}"
                return None
            else:
                return True if result is None else result

    def _more(self) -> bool:
        """Carry bytes between the socket and OpenSSL once; False at the end of the connection."""
        try:
            self._flush()
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.socket.settimeout(left)
            data = self.socket.recv(READ)
        except TimeoutError:
            self.seen.problem = f"no answer within {self._timeout:g} s"
            return False
        except OSError as error:
            self.seen.closed = True
            self.seen.problem = f"the connection broke off: {error.strerror or type(error).__name__}"
            return False
        if not self._first:
            self._first = data
            if data and not looks_like_tls(data):
                self.seen.plain_text = data[:200]
                self.seen.problem = "the peer does not speak TLS on this port"
                return False
        if data:
            self._reader.feed(Chunk(0.0, 0, data, 0))
            self._in.write(data)
        else:
            self._in.write_eof()
        return True

    def _flush(self) -> None:
        data = self._out.read()
        if data:
            self.socket.settimeout(max(0.1, self._deadline - time.monotonic()))
            self.socket.sendall(data)

    def _last_words(self) -> None:
        """Send our own alert, so that the peer logs why; an error here must not hide the first problem."""
        try:
            self._flush()
        except OSError:
            self.seen.closed = True

    def _from_wire(self) -> None:
        """Read the plain part of the bytes: it shows more than Python's ssl does, and also after a refusal."""
        side, seen = self._reader.side, self.seen
        if side.certificates:
            seen.chain = side.certificates
        if side.asked_for_certificate:
            seen.asked, seen.asked_cas = True, side.asked_cas
        if seen.tls_version is None and side.chosen_version:
            seen.tls_version = version_name(side.chosen_version)
        if seen.cipher is None and side.cipher is not None:
            seen.cipher = cipher_name(side.cipher)
        plain = next((alert for alert in side.alerts if alert.level == 2), None)
        if seen.alert is None and plain is not None:
            seen.alert = (plain.level, plain.code)

    def _message(self, _owner: Any, direction: str, version: Any, kind: Any, message: Any, data: bytes) -> None:
        """OpenSSL's messages in the clear, alerts and TLS 1.3 ones too (an exception here would be lost)."""
        if int(kind) == ALERT and len(data) == 2 and data[0] == 2:
            if direction == "read":
                self.seen.alert = (data[0], data[1])
            else:
                self.seen.alert_sent = (data[0], data[1])
        elif int(kind) == HANDSHAKE and direction == "read" and int(message) == CERTIFICATE_REQUEST:
            self.seen.asked = True
            if int(version) == 0x0304:
                self.seen.asked_cas = _authorities13(bytes(data))


def _sent_chain(tls: ssl.SSLObject) -> list[bytes]:
    """The chain as the server sent it: public from Python 3.13 on, on the inner object before."""
    if hasattr(tls, "get_unverified_chain"):
        return [bytes(certificate) for certificate in tls.get_unverified_chain() or ()]
    inner = getattr(tls, "_sslobj", None)
    if inner is not None and hasattr(inner, "get_unverified_chain"):
        return [
            ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in inner.get_unverified_chain() or ()
        ]
    leaf = tls.getpeercert(binary_form=True)
    return [leaf] if leaf else []


def _authorities13(message: bytes) -> list[bytes]:
    """The CAs that a TLS 1.3 CertificateRequest names (RFC 8446, 4.3.2), as DER; empty when it names none."""
    at = 5 + message[4]
    end = at + 2 + int.from_bytes(message[at : at + 2], "big")
    at += 2
    found: list[bytes] = []
    while at + 4 <= min(end, len(message)):
        code, length = int.from_bytes(message[at : at + 2], "big"), int.from_bytes(message[at + 2 : at + 4], "big")
        value, at = message[at + 4 : at + 4 + length], at + 4 + length
        inner = 2
        while code == CERTIFICATE_AUTHORITIES and inner + 2 <= len(value):
            size = int.from_bytes(value[inner : inner + 2], "big")
            found.append(value[inner + 2 : inner + 2 + size])
            inner += 2 + size
    return found
