# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a packet capture proves of SIP over TLS: chains, version, cipher, alerts. Private to this collection."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence import packets, sip_text
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.streams import (
    Chunk,
    Connection,
    connections,
    endpoint_text,
)
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.tls_names import (
    alert_words,
    cipher_name,
    version_name,
)
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.tls_records import (
    TLS13,
    TlsReader,
    TlsSide,
    looks_like_tls,
)

TLS12 = 0x0303
SIP_PORTS = frozenset({5060, 5061})
# An encrypted alert of TLS 1.3: two bytes, its content type and the 16 bytes of an AEAD tag.
TLS13_ALERT_RECORD = 19
# What a MAC adds to data under a NULL cipher.
_NULL_MACS = {"MD5": 16, "SHA": 20, "SHA256": 32, "SHA384": 48}
MOST_SIP = 500


@dataclass
class CaptureConnection:
    """One connection as the evidence wants it; certificates as DER, leaf first."""

    client: str
    server: str
    started: float
    frame: int
    protocol: str = "unknown"
    tls_version: str | None = None
    cipher: str | None = None
    server_name: str | None = None
    established: bool | None = None
    resumed: bool = False
    certificates_visible: bool = False
    mutual: bool | None = None
    client_chain: list[bytes] = field(default_factory=list)
    server_chain: list[bytes] = field(default_factory=list)
    asked_cas: list[str] = field(default_factory=list)
    asked_for_certificate: bool | None = None
    alerts: list[dict[str, Any]] = field(default_factory=list)
    handshake: list[dict[str, Any]] = field(default_factory=list)
    sip: list[dict[str, Any]] = field(default_factory=list)
    closed_by: str | None = None
    notes: list[str] = field(default_factory=list)
    packets: int = 0
    octets: int = 0


@dataclass
class Capture:
    """One capture: a file, or rolled files in a row."""

    connections: list[CaptureConnection]
    notes: packets.CaptureNotes


def iso_time(seconds: float) -> str:
    """UTC with microseconds; packets carry no zone of their own, pcap's clock is UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except (OverflowError, ValueError, OSError):
        return "unknown"


def read(paths: Sequence[Path], ports: frozenset[int] = SIP_PORTS) -> Capture:
    """Reads one capture from its files, oldest first. OSError when a file cannot be opened."""
    notes = packets.CaptureNotes()

    def every() -> Iterator[packets.Segment]:
        base = 0
        for path in paths:
            data = packets.load(path, notes)
            before = notes.packets
            for segment in packets.segments(data, ports, notes):
                yield segment._replace(frame=segment.frame + base) if base else segment
            base += notes.packets - before

    return Capture([_judge(one) for one in connections(every(), ports)], notes)


def _judge(connection: Connection) -> CaptureConnection:
    client, server = connection.names
    result = CaptureConnection(
        client, server, connection.started, connection.first_frame, packets=connection.packets, octets=connection.octets
    )
    if not connection.opening_seen:
        result.notes.append("the capture began after the connection was opened")
    for end, name in ((connection.client, "client"), (connection.server, "server")):
        if connection.direction(end).reset:
            result.closed_by = f"reset by the {name} ({endpoint_text(end)})"
    sent = {
        "client": list(connection.direction(connection.client).chunks()),
        "server": list(connection.direction(connection.server).chunks()),
    }
    if any(looks_like_tls(chunk.data) for side in sent.values() for chunk in side[:3]):
        _judge_tls(result, sent)
    elif any(sent.values()):
        _sip(result, {side: [(c.time, c.frame, c.data) for c in chunks] for side, chunks in sent.items()})
        result.protocol = "sip" if result.sip else "other"
    else:
        result.protocol = "none"
        result.notes.append("no data was sent on this connection")
    return result


def _judge_tls(result: CaptureConnection, sent: dict[str, list[Chunk]]) -> None:
    result.protocol = "tls"
    readers = {name: TlsReader() for name in sent}
    for name, chunks in sent.items():
        for chunk in chunks:
            readers[name].feed(chunk)
    client, server = readers["client"].finish(), readers["server"].finish()
    running = bool(client.application and server.application)
    # In the middle of a connection the records tell the version, but those of TLS 1.3 say 1.2.
    in_middle = client.record_version if running and client.record_version < TLS12 else 0
    version = server.chosen_version or in_middle
    if version:
        result.tls_version = version_name(version)
    if server.cipher is not None:
        result.cipher = cipher_name(server.cipher)
        if "NULL" in result.cipher:
            result.notes.append("the cipher does not encrypt: signalling, SRTP keys included, can be read by anyone")
            _plain_sip(result, sent)
    result.server_name = client.server_name
    result.client_chain, result.server_chain = client.certificates or [], server.certificates or []
    result.asked_cas = server.asked_cas
    for name, side in (("client", client), ("server", server)):
        if side.gaps:
            result.notes.append(f"{side.gaps} bytes that the {name} sent are missing from the capture")
        if side.incomplete:
            result.notes.append(f"{name}: {side.incomplete}")
        result.alerts += [_alert(name, alert) for alert in side.alerts]
        result.handshake += [
            {"time": iso_time(one.time), "frame": one.frame, "from": name, "message": one.name} for one in side.messages
        ]
    order = {"client": 0, "server": 1}
    result.handshake.sort(key=lambda one: (one["frame"], one["time"], order[one["from"]]))
    result.alerts.sort(key=lambda one: one["frame"])
    if server.chosen_version == TLS13:
        _judge_tls13(result, client, server)
    else:
        _judge_plain_handshake(result, client, server)


def _judge_plain_handshake(result: CaptureConnection, client: TlsSide, server: TlsSide) -> None:
    """SSL 3.0 to TLS 1.2, where the handshake is there to read."""
    fatal = any(one["level"] == "fatal" for one in result.alerts)
    if not server.hello:
        running = bool(client.application and server.application)
        result.established = False if fatal else True if running else None
        if not fatal:
            result.notes.append("no ServerHello was captured, so the handshake cannot be judged")
        return
    done = client.cipher_changed and server.cipher_changed
    # A refusal may follow the client's ChangeCipherSpec, before the server's own.
    result.established = done and not fatal
    result.resumed = done and server.certificates is None and not _is_anonymous(result.cipher)
    if result.resumed:
        result.notes.append("the session was resumed: its certificates were shown in an earlier handshake")
        return
    result.certificates_visible = bool(result.server_chain or result.client_chain)
    result.asked_for_certificate = server.asked_for_certificate
    if client.certificate_verify and result.client_chain:
        result.mutual = result.established
    elif done or server.messages:
        result.mutual = False if (done or client.certificates is not None or fatal) else None


def _is_anonymous(cipher: str | None) -> bool:
    return bool(cipher and (cipher.startswith(("ADH", "AECDH")) or "PSK" in cipher))


def _judge_tls13(result: CaptureConnection, client: TlsSide, server: TlsSide) -> None:
    result.certificates_visible = False
    result.notes.append("TLS 1.3 encrypts the certificates: a capture cannot show them; sip_tls_probe or a trace can")
    first = client.application[0][1] if client.application else None
    after = [size for _unused, frame, size in server.application if first is not None and frame > first]
    if first is None:
        result.established = False if any(one["level"] == "fatal" for one in result.alerts) else None
    elif after and after[0] == TLS13_ALERT_RECORD:
        result.established = False
        result.notes.append("by its length, the server's answer to the client's certificate is an alert: a refusal")
    elif client.application[0][2] == TLS13_ALERT_RECORD:
        result.established = False
        result.notes.append("by its length, the client's answer to the server's certificate is an alert: a refusal")
    else:
        result.established = True if after else None


def _plain_sip(result: CaptureConnection, sent: dict[str, list[Chunk]]) -> None:
    mac = _NULL_MACS.get((result.cipher or "").rsplit("-", 1)[-1], 0)
    pieces: dict[str, list[tuple[float, int, bytes]]] = {}
    for name, chunks in sent.items():
        reader = TlsReader(plain_after_change=True)
        for chunk in chunks:
            reader.feed(chunk)
        pieces[name] = [(one.time, one.frame, one.data[: len(one.data) - mac]) for one in reader.plain]
    _sip(result, pieces)


def _sip(result: CaptureConnection, pieces: dict[str, list[tuple[float, int, bytes]]]) -> None:
    for name, parts in pieces.items():
        for time, frame, message in sip_text.in_stream(parts):
            if len(result.sip) < MOST_SIP:
                result.sip.append({"time": iso_time(time), "frame": frame, "from": name, **message.as_dict()})
    result.sip.sort(key=lambda one: (one["frame"], one["time"]))


def _alert(side: str, alert: Any) -> dict[str, Any]:
    level, name, meaning = alert_words(alert.level, alert.code)
    return {
        "time": iso_time(alert.time), "frame": alert.frame, "from": side, "level": level,
        "code": alert.code if alert.level else None, "name": name, "meaning": meaning,
    }  # fmt: skip


def as_dict(capture: Capture, view: Callable[[bytes], dict[str, Any]]) -> dict[str, Any]:
    """A capture as a module returns it; ``view`` makes the collection's dictionary of a DER certificate."""
    notes = capture.notes
    return {
        "format": notes.format,
        "packets": notes.packets,
        "segments": notes.segments,
        "first_packet": iso_time(notes.first) if notes.first is not None else None,
        "last_packet": iso_time(notes.last) if notes.last is not None else None,
        "problems": notes.problems,
        "connections": [
            {
                **{key: value for key, value in vars(one).items() if key not in _CHANGED_KEYS},
                "started": iso_time(one.started),
                "client_certificates": [_view(der, view) for der in one.client_chain],
                "server_certificates": [_view(der, view) for der in one.server_chain],
            }
            for one in capture.connections
        ],
    }


_CHANGED_KEYS = {"started", "client_chain", "server_chain"}


def _view(der: bytes, view: Callable[[bytes], dict[str, Any]]) -> dict[str, Any]:
    """The certificate's view; one that can't be read is still named by its hash."""
    try:
        return view(der)
    except Exception as broken:
        digest = hashlib.sha256(der).hexdigest().upper()
        return {"sha256": ":".join(digest[i : i + 2] for i in range(0, 64, 2)), "unreadable": str(broken)}
