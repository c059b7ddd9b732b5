# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one end of a TLS connection sent, read from its bytes: SSL 3.0 to TLS 1.3. Private to this collection.

Up to TLS 1.2 the handshake is plain text until ChangeCipherSpec: hellos, chains, CertificateRequest, CertificateVerify
and alerts can be read. In TLS 1.3 everything after the ServerHello is encrypted.

A capture may lack bytes. What was read counts; that something was B(not) sent is known only where no bytes are missing
(``gaps_at_hello`` and its siblings, ``gaps``).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.streams import Chunk
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.tls_names import HANDSHAKE_TYPES

CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION, HEARTBEAT = 20, 21, 22, 23, 24
KINDS = (CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION, HEARTBEAT)
CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, CERTIFICATE_REQUEST, HELLO_DONE, CERTIFICATE_VERIFY = 1, 2, 11, 13, 14, 15
TLS13 = 0x0304
# The drafts of TLS 1.3: 0x7Fxx, and those of Google and Facebook.
_DRAFT, _OTHER_DRAFTS = 0x7F, (0x7E01, 0x7E02, 0xFB1A)
# A record may be 2^14 bytes and its protection's expansion.
MOST_RECORD = 16_384 + 2_048
MOST_HANDSHAKE = 1 << 18
#: SSLv2's ClientHello: length with its first bit set, kind, version, and the lengths of ciphers, session and challenge
_SSLV2_HEAD = struct.Struct(">HBBBHHH")
# The server random that makes a ServerHello a HelloRetryRequest (RFC 8446, 4.1.3).
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


class Message(NamedTuple):
    """One thing an end sent, for the ladder."""

    time: float
    frame: int
    name: str


class Alert(NamedTuple):
    """An alert in the clear; level 0 and code -1 when it is encrypted."""

    time: float
    frame: int
    level: int
    code: int


class Application(NamedTuple):
    """A record of application data (in TLS 1.3 any that is encrypted), its place among the bytes that this end sent,
    and what this end had received of the other's by then."""

    frame: int
    size: int
    at: int
    acknowledged: int
    time: float


@dataclass
class TlsSide:
    """All that was read of one direction."""

    is_tls: bool = False
    hello: bool = False
    #: the last hello was a HelloRetryRequest: the ServerHello itself is to come
    retry: bool = False
    hello_version: int = 0
    chosen_version: int = 0
    cipher: int | None = None
    #: a pre-shared key was chosen (TLS 1.3), or early data was offered
    psk_chosen: bool = False
    early_data: bool = False
    server_name: str | None = None
    certificates: list[bytes] | None = None
    asked_for_certificate: bool = False
    #: names of CAs in DER
    asked_cas: list[bytes] = field(default_factory=list)
    certificate_verify: bool = False
    cipher_changed: bool = False
    hello_done: bool = False
    #: a handshake record after ChangeCipherSpec: Finished of TLS 1.2 and before
    finished: bool = False
    #: bytes that were missing up to the hello, ServerHelloDone and ChangeCipherSpec
    gaps_at_hello: int = 0
    gaps_at_done: int = 0
    gaps_at_change: int = 0
    alerts: list[Alert] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    application: list[Application] = field(default_factory=list)
    #: application data in records of TLS 1.1 and before: in TLS 1.3 there are none such
    old_application: bool = False
    gaps: int = 0
    #: bytes that were captured, but are no TLS record
    unread: int = 0
    incomplete: str | None = None

    @property
    def is_tls13(self) -> bool:
        """Whether the server chose TLS 1.3 or a draft of it."""
        return is_tls13(self.chosen_version)

    @property
    def missing(self) -> int:
        """Bytes so far in which anything may have been sent."""
        return self.gaps + self.unread


def is_tls13(version: int) -> bool:
    """Whether a version is TLS 1.3 or a draft of it."""
    return version == TLS13 or version >> 8 == _DRAFT or version in _OTHER_DRAFTS


def looks_like_tls(data: bytes) -> bool:
    """Whether a direction's first bytes are a TLS record's head (or an SSLv2 one's that offers TLS)."""
    if len(data) >= 3 and data[0] in (20, 21, 22, 23) and data[1] == 3 and data[2] <= 4:
        return True
    return len(data) >= 5 and data[0] & 0x80 != 0 and data[2] == 1 and data[3] == 3


class TlsReader:
    """Reads the chunks of one direction. ``feed`` never raises; what it can't read it notes in ``side``."""

    def __init__(self, plain_after_change: bool = False, joined: bool = False) -> None:
        self.side = TlsSide()
        # The first bytes may not be the connection's first: then only a hello shows where the handshake begins.
        self._joined = joined
        # With a NULL cipher the data stays readable after ChangeCipherSpec; it is gathered for the SIP reader.
        self.plain: list[Chunk] = []
        self._keep_plain = plain_after_change
        self._buffer = bytearray()
        self._handshake = bytearray()
        self._lost = False
        #: the sequence number of the first byte of the buffer
        self._at = 0

    def feed(self, chunk: Chunk) -> None:
        """Takes the next bytes, in order."""
        if chunk.gap:
            self.side.gaps += chunk.gap
            self._buffer.clear()
            self._handshake.clear()
            self._lost = True
        if self._lost:
            # Records that begin at a segment's start are the way back in after a gap.
            if not self._plausible(chunk.data):
                self.side.unread += len(chunk.data)
                return
            self._lost = False
        if not self._buffer:
            self._at = chunk.at
        self._buffer += chunk.data
        position = 0
        while True:
            taken = self._record(position, chunk)
            if not taken:
                break
            position += taken
        del self._buffer[:position]
        self._at += position

    def finish(self) -> TlsSide:
        """The side, with a note when its last record or message is not whole."""
        if self._handshake and not self.side.cipher_changed:
            self.side.incomplete = "the capture ends, or has a gap, inside a handshake message"
        elif self._buffer and self.side.is_tls:
            self.side.incomplete = "the capture ends, or has a gap, inside a TLS record"
        return self.side

    @staticmethod
    def _plausible(data: bytes) -> bool:
        return (
            len(data) >= 5
            and data[0] in KINDS
            and data[1] == 3
            and data[2] <= 4
            and ((data[3] << 8) | data[4]) <= MOST_RECORD
        )

    def _record(self, at: int, chunk: Chunk) -> int:
        """Reads the record at a position of the buffer; the bytes it took, 0 when it isn't whole (or isn't TLS)."""
        buffer = self._buffer
        if len(buffer) - at < 5:
            return 0
        kind, major, minor = buffer[at], buffer[at + 1], buffer[at + 2]
        if not self.side.is_tls and kind & 0x80 and minor == 1:
            # Encrypted bytes in which a capture begins may look alike: then they are no TLS record's head either.
            if len(buffer) - at < _SSLV2_HEAD.size:
                return 0
            if _is_sslv2_hello(buffer, at):
                return self._sslv2_hello(at, chunk)
        length = (buffer[at + 3] << 8) | buffer[at + 4]
        if kind not in KINDS or major != 3 or length > MOST_RECORD:
            if self.side.is_tls:
                self.side.incomplete = "bytes that are no TLS record follow the TLS records"
            self._lost = True
            self.side.unread += len(buffer) - at
            return len(buffer) - at
        if len(buffer) - at < 5 + length:
            self.side.is_tls = True
            return 0
        self.side.is_tls = True
        if kind == APPLICATION and minor < 3:
            self.side.old_application = True
        self._content(kind, bytes(buffer[at + 5 : at + 5 + length]), chunk, self._at + at)
        return 5 + length

    def _content(self, kind: int, body: bytes, chunk: Chunk, at: int) -> None:
        side = self.side
        if kind == CHANGE_CIPHER:
            if not side.cipher_changed:
                side.cipher_changed, side.gaps_at_change = True, side.missing
            self._note(chunk, "ChangeCipherSpec")
        elif kind == ALERT:
            self._alert(body, chunk)
        elif kind == HEARTBEAT:
            # RFC 6520: neither handshake nor data.
            return
        elif kind == APPLICATION:
            side.application.append(Application(chunk.frame, len(body), at, chunk.acknowledged, chunk.time))
            if self._keep_plain:
                self.plain.append(Chunk(chunk.time, chunk.frame, body, 0))
        elif side.cipher_changed and not _begins_with_hello(body):
            # Around a HelloRetryRequest, hellos follow a ChangeCipherSpec that changes nothing (RFC 8446, D.4).
            side.finished = True
            self._note(chunk, "Finished (encrypted)")
        elif self._is_plain(body):
            self._handshake += body
            self._messages(chunk)

    def _is_plain(self, body: bytes) -> bool:
        """Whether a handshake record is one that can be read: where bytes are missing it may be encrypted."""
        side = self.side
        begun = not side.missing and (side.hello or not self._joined)
        return begun or bool(self._handshake) or _whole_messages(body) or _begins_with_hello(body)

    def _alert(self, body: bytes, chunk: Chunk) -> None:
        plain = len(body) == 2 and body[0] in (1, 2)
        self.side.alerts.append(Alert(chunk.time, chunk.frame, body[0] if plain else 0, body[1] if plain else -1))
        self._note(chunk, "Alert")

    def _messages(self, chunk: Chunk) -> None:
        data = self._handshake
        while len(data) >= 4:
            length = (data[1] << 16) | (data[2] << 8) | data[3]
            if length > MOST_HANDSHAKE:
                self.side.incomplete = "a handshake message claims a length that none has"
                data.clear()
                return
            if len(data) < 4 + length:
                return
            kind, body = data[0], bytes(data[4 : 4 + length])
            del data[: 4 + length]
            name = HANDSHAKE_TYPES.get(kind, f"handshake message {kind}")
            if kind == SERVER_HELLO and body[2:34] == RETRY:
                name = "HelloRetryRequest"
            self._note(chunk, name)
            try:
                self._message(kind, body)
            except (IndexError, ValueError):
                self.side.incomplete = f"the {name} could not be read"

    def _note(self, chunk: Chunk, name: str) -> None:
        if len(self.side.messages) < 200:
            self.side.messages.append(Message(chunk.time, chunk.frame, name))

    def _message(self, kind: int, body: bytes) -> None:
        side = self.side
        if kind in (CLIENT_HELLO, SERVER_HELLO):
            self._hello(kind, body)
        elif kind == CERTIFICATE:
            side.certificates = _chain(body)
        elif kind == CERTIFICATE_REQUEST:
            side.asked_for_certificate = True
            side.asked_cas = _authorities(body, side.chosen_version or side.hello_version)
        elif kind == CERTIFICATE_VERIFY:
            side.certificate_verify = True
        elif kind == HELLO_DONE:
            side.hello_done, side.gaps_at_done = True, side.missing

    def _hello(self, kind: int, body: bytes) -> None:
        side = self.side
        side.hello, side.gaps_at_hello = True, side.missing
        side.retry = kind == SERVER_HELLO and body[2:34] == RETRY
        side.hello_version = (body[0] << 8) | body[1]
        # The ServerHello of the drafts until 21 names no session and no compression.
        early = kind == SERVER_HELLO and is_tls13(side.hello_version)
        at = 34 if early else 35 + body[34]
        if kind == CLIENT_HELLO:
            # Data before a hello, the second of two, was early data of the first.
            side.early_data |= bool(side.application)
            at += 2 + ((body[at] << 8) | body[at + 1])
            at += 1 + body[at]
        else:
            side.cipher = (body[at] << 8) | body[at + 1]
            side.chosen_version = side.hello_version
            at += 2 if early else 3
        if at + 2 > len(body):
            return
        end = min(len(body), at + 2 + ((body[at] << 8) | body[at + 1]))
        at += 2
        while at + 4 <= end:
            code, length = (body[at] << 8) | body[at + 1], (body[at + 2] << 8) | body[at + 3]
            self._extension(kind, code, body[at + 4 : at + 4 + length])
            at += 4 + length

    def _extension(self, kind: int, code: int, value: bytes) -> None:
        side = self.side
        if code == 43 and kind == SERVER_HELLO and len(value) == 2:
            side.chosen_version = (value[0] << 8) | value[1]
        elif code == 41 and kind == SERVER_HELLO:
            side.psk_chosen = True
        elif code == 42 and kind == CLIENT_HELLO:
            side.early_data = True
        elif code == 0 and kind == CLIENT_HELLO and len(value) > 5:
            side.server_name = value[5 : 5 + ((value[3] << 8) | value[4])].decode("ascii", "replace")

    def _sslv2_hello(self, at: int, chunk: Chunk) -> int:
        """A ClientHello in SSLv2's form, as libraries of the time of CUCM 9 could send it."""
        buffer = self._buffer
        length = ((buffer[at] & 0x7F) << 8) | buffer[at + 1]
        if len(buffer) - at < 2 + length or length < 9:
            return 0
        self.side.is_tls = self.side.hello = True
        self.side.hello_version = (buffer[at + 3] << 8) | buffer[at + 4]
        self._note(chunk, "ClientHello (SSLv2 form)")
        return 2 + length


def _is_sslv2_hello(buffer: bytearray, at: int) -> bool:
    """Whether the lengths of a ClientHello in SSLv2's form (RFC 5246, E.2) add up."""
    length, kind, major, _minor, ciphers, session, challenge = _SSLV2_HEAD.unpack_from(buffer, at)
    whole = bool((length & 0x7FFF) == 9 + ciphers + session + challenge)
    return whole and (kind, major, ciphers % 3) == (CLIENT_HELLO, 3, 0)


def _begins_with_hello(body: bytes) -> bool:
    """Whether a record begins with a whole ClientHello or ServerHello: encrypted bytes don't look like that."""
    fits = len(body) > 4 and 4 + int.from_bytes(body[1:4], "big") <= len(body)
    return fits and body[0] in (CLIENT_HELLO, SERVER_HELLO) and body[4] in (3, _DRAFT)


def _whole_messages(body: bytes) -> bool:
    """Whether a record is a row of whole handshake messages: after a gap it may be the rest of one, or encrypted."""
    at = 0
    while at + 4 <= len(body):
        if body[at] not in HANDSHAKE_TYPES:
            return False
        at += 4 + int.from_bytes(body[at + 1 : at + 4], "big")
    return at == len(body)


def _chain(body: bytes) -> list[bytes]:
    """The certificates of a Certificate message, leaf first (TLS 1.2 and before)."""
    end = min(len(body), 3 + int.from_bytes(body[:3], "big"))
    at, found = 3, []
    while at + 3 <= end:
        length = int.from_bytes(body[at : at + 3], "big")
        if not length or at + 3 + length > end:
            raise ValueError("a certificate is cut")
        found.append(body[at + 3 : at + 3 + length])
        at += 3 + length
    return found


def _authorities(body: bytes, version: int) -> list[bytes]:
    """The CAs that a CertificateRequest names, as DER."""
    at = 1 + body[0]
    if version >= 0x0303:
        at += 2 + ((body[at] << 8) | body[at + 1])
    end = min(len(body), at + 2 + ((body[at] << 8) | body[at + 1]))
    at += 2
    found: list[bytes] = []
    while at + 2 <= end:
        length = (body[at] << 8) | body[at + 1]
        found.append(body[at + 2 : at + 2 + length])
        at += 2 + length
    return found
