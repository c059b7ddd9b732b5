# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a packet capture shows of SIP over TLS: chains, version, cipher, alerts. Private to this collection.

Yes, no, or not shown (None): see tls_outcome.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence import sip_text
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import layers, packets
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.streams import (
    Chunk,
    Connection,
    connections,
    endpoint_text,
)
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.tls_outcome import Outcome, outcome
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.tls_records import (
    CLIENT_HELLO,
    SERVER_HELLO,
    TlsReader,
    TlsSide,
    looks_like_tls,
)
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.tls_names import (
    alert_words,
    cipher_name,
    dn_text,
    version_name,
)

SIP_PORTS = frozenset({5060, 5061})
NO_TLS = "the server answered with something that is not TLS"
MISSING = "parts of this connection are missing from the capture, so how it ended is not shown"
PASSED_OVER = "bytes that are no TLS record were passed over, so how the handshake ended is not shown"
# What a MAC adds to data under a NULL cipher.
_NULL_MACS = {"MD5": 16, "SHA": 20, "SHA256": 32, "SHA384": 48}
MOST_SIP = 500
# How many pieces of each direction are searched for the head of a TLS record: the first may be missing.
MOST_PROBED = 50


@dataclass
class CaptureConnection:
    """One connection, ready for the verdict; certificates as DER, leaf first."""

    client: str
    server: str
    started: float
    frame: int
    protocol: str = "unknown"
    tls_version: str | None = None
    cipher: str | None = None
    server_name: str | None = None
    established: bool | None = None
    resumed: bool | None = None
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
    """UTC with microseconds; packets carry no zone of their own, pcap's clock is UTC. C(unknown) without a time."""
    if seconds == packets.NO_TIME:
        return "unknown"
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except (OverflowError, ValueError, OSError):
        return "unknown"


def read(paths: Sequence[Path], ports: frozenset[int] = SIP_PORTS) -> Capture:
    """Reads one capture from its files, oldest first. OSError when a file cannot be opened."""
    notes = packets.CaptureNotes(ports)

    def every() -> Iterator[layers.Segment]:
        base = 0
        for path in paths:
            data = packets.load(path, notes)
            before = notes.packets
            for segment in layers.segments(data, notes):
                yield segment._replace(frame=segment.frame + base) if base else segment
            base += notes.packets - before

    found = connections(every(), ports)
    layers.report(notes)
    if ports and notes.packets and not notes.segments and (notes.other_ports or not notes.problems):
        listed = ", ".join(map(str, sorted(ports)))
        notes.problem(f"no TCP packet of the ports {listed} was found; a trunk with another port needs it in ports")
    return Capture([_shown(connection) for connection in found], notes)


def _shown(connection: Connection) -> CaptureConnection:
    if not connection.opening_seen and _hello_of_the_server(connection):
        connection.swap()
    client, server = connection.names
    result = CaptureConnection(
        client, server, connection.started, connection.first_frame, packets=connection.packets, octets=connection.octets
    )
    if not connection.opening_seen:
        result.notes.append("the capture began after the connection was opened")
    for end, name in ((connection.client, "client"), (connection.server, "server")):
        if connection.direction(end).reset:
            result.closed_by = f"reset by the {name} ({endpoint_text(end)})"
    directions = {"client": connection.direction(connection.client), "server": connection.direction(connection.server)}
    sent = {name: list(direction.chunks()) for name, direction in directions.items()}
    whole = connection.whole
    # A reset without an acknowledgment does not show whether the last bytes of the other end were captured.
    ended = any(direction.finished or direction.reset_acknowledges for direction in directions.values())
    if any(looks_like_tls(chunk.data) for side in sent.values() for chunk in side[:MOST_PROBED]):
        joined = {name: direction.base is None for name, direction in directions.items()}
        _tls(result, sent, joined, whole=whole, ended=ended)
    else:
        _without_tls(result, sent, whole=whole, ended=ended)
    return result


def _hello_of_the_server(connection: Connection) -> bool:
    """Whether what looks like the client by its port begins with a ServerHello, or the server with a ClientHello."""
    for end, hello in ((connection.client, SERVER_HELLO), (connection.server, CLIENT_HELLO)):
        first = next(connection.direction(end).chunks(), None)
        if first and looks_like_tls(first.data) and first.data[:1] == b"\x16" and first.data[5:6] == bytes([hello]):
            return True
    return False


def _without_tls(result: CaptureConnection, sent: dict[str, list[Chunk]], *, whole: bool, ended: bool) -> None:
    if any(sent.values()):
        _sip(result, {side: [(c.time, c.frame, c.data) for c in chunks] for side, chunks in sent.items()})
        result.protocol = "sip" if result.sip else "other" if whole else "unknown"
    elif whole and ended:
        result.protocol = "none"
        result.notes.append("no data was sent on this connection")
    elif whole:
        result.notes.append("no data was captured on this connection")
    if not whole:
        result.notes.append("parts of this connection are missing from the capture")


def _tls(
    result: CaptureConnection, sent: dict[str, list[Chunk]], joined: dict[str, bool], *, whole: bool, ended: bool
) -> None:
    """``joined``: whether the beginning of what an end sent may be missing."""
    result.protocol = "tls"
    readers = {name: TlsReader(joined=joined[name]) for name in sent}
    for name, chunks in sent.items():
        for chunk in chunks:
            readers[name].feed(chunk)
    sides = {name: reader.finish() for name, reader in readers.items()}
    client, server = sides["client"], sides["server"]
    other = whole and _answered_without_tls(client, server)
    readable = not client.unread and (other or not server.unread)
    _parameters(result, client, server)
    if result.cipher and "NULL" in result.cipher:
        result.notes.append("the cipher does not encrypt: anyone can read the signaling, SRTP keys included")
        _plain_sip(result, sent)
    _events(result, sides)
    found = outcome(client, server, whole=whole and readable, ended=ended)
    result.established, result.resumed, result.mutual = found.established, found.resumed, found.mutual
    result.asked_for_certificate = found.asked_for_certificate
    result.certificates_visible = bool(result.server_chain or result.client_chain)
    words = [_visibility(client, server, found), found.note, NO_TLS if other else None]
    if found.established is None:
        words.append(MISSING if not whole else None if readable else PASSED_OVER)
    result.notes += filter(None, words)


def _answered_without_tls(client: TlsSide, server: TlsSide) -> bool:
    """Whether the server answered a ClientHello with no TLS at all: nothing of a handshake can be hidden there."""
    return bool(server.unread) and not server.is_tls and client.hello


def _parameters(result: CaptureConnection, client: TlsSide, server: TlsSide) -> None:
    """What the hellos and certificates say. The version is that of the ServerHello: record headers say less."""
    if server.chosen_version:
        result.tls_version = version_name(server.chosen_version)
    if server.cipher is not None:
        result.cipher = cipher_name(server.cipher)
    result.server_name = client.server_name
    result.client_chain, result.server_chain = client.certificates or [], server.certificates or []
    result.asked_cas = [dn_text(der) for der in server.asked_cas]


def _events(result: CaptureConnection, sides: dict[str, TlsSide]) -> None:
    """The ladder of the handshake, the alerts, and what is missing."""
    for name, side in sides.items():
        if side.gaps:
            result.notes.append(f"{side.gaps} bytes that the {name} sent are missing from the capture")
        if side.incomplete:
            result.notes.append(f"{name}: {side.incomplete}")
        result.alerts += [_alert(name, alert) for alert in side.alerts]
        result.handshake += [
            {"time": iso_time(message.time), "frame": message.frame, "from": name, "message": message.name}
            for message in side.messages
        ]
    order = {"client": 0, "server": 1}
    result.handshake.sort(key=lambda event: (event["frame"], event["time"], order[event["from"]]))
    result.alerts.sort(key=lambda alert: alert["frame"])


def _visibility(client: TlsSide, server: TlsSide, found: Outcome) -> str | None:
    """Why certificates can't be seen, in words."""
    if server.is_tls13:
        return "TLS 1.3 encrypts the certificates: a capture cannot show them; sip_tls_probe or a trace can"
    if not server.hello and found.established is not False:
        return "no ServerHello was captured, so the handshake itself is not shown"
    if found.resumed and client.cipher_changed:
        return "the session was resumed: its certificates were shown in an earlier handshake"
    return None


def _plain_sip(result: CaptureConnection, sent: dict[str, list[Chunk]]) -> None:
    mac = _NULL_MACS.get((result.cipher or "").rsplit("-", 1)[-1], 0)
    pieces: dict[str, list[tuple[float, int, bytes]]] = {}
    for name, chunks in sent.items():
        reader = TlsReader(plain_after_change=True)
        for chunk in chunks:
            reader.feed(chunk)
        pieces[name] = [(chunk.time, chunk.frame, chunk.data[: len(chunk.data) - mac]) for chunk in reader.plain]
    _sip(result, pieces)


def _sip(result: CaptureConnection, pieces: dict[str, list[tuple[float, int, bytes]]]) -> None:
    """The SIP messages of both ends; above MOST_SIP each end gets its half, or what the other leaves."""
    every = {name: _messages(name, parts) for name, parts in pieces.items()}
    counts = {name: len(found) for name, found in every.items()}
    for name, found in every.items():
        others = sum(count for other, count in counts.items() if other != name)
        room = max(MOST_SIP - others, MOST_SIP // 2)
        if len(found) > room:
            result.notes.append(f"only the first {room} of {len(found)} SIP messages of the {name} are listed")
        result.sip += found[:room]
    result.sip.sort(key=lambda message: (message["frame"], message["time"]))


def _messages(name: str, parts: list[tuple[float, int, bytes]]) -> list[dict[str, Any]]:
    return [
        {"time": iso_time(time), "frame": frame, "from": name, **message.as_dict()}
        for time, frame, message in sip_text.in_stream(parts)
    ]


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
                **{key: value for key, value in vars(connection).items() if key not in _CHANGED_KEYS},
                "started": iso_time(connection.started),
                "client_certificates": [_view(der, view) for der in connection.client_chain],
                "server_certificates": [_view(der, view) for der in connection.server_chain],
            }
            for connection in capture.connections
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
