# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The capture reader on OpenSSL's real handshakes: every TLS version, link type and kind of damage."""

from __future__ import annotations

import gzip
import random
import ssl
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dpkt
import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import capture
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.capture import CaptureConnection
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support import made_captures
from tests.support.made_captures import LINKS, Flights, Identities, frames_of, write_pcap, write_pcapng

OLD = "AES128-SHA:@SECLEVEL=0"


def only(path: Path, *more: Path) -> CaptureConnection:
    """The one connection of a capture."""
    (found,) = capture.read([path, *more]).connections
    return found


def ders(identities: Identities, name: str) -> list[bytes]:
    certificates = x509.load_pem_x509_certificates((identities.folder / f"{name}.pem").read_bytes())
    return [certificate.public_bytes(Encoding.DER) for certificate in certificates]


def assert_mutual(found: CaptureConnection, identities: Identities) -> None:
    assert found.server_chain == ders(identities, "CUCM10")
    assert found.client_chain == ders(identities, "CUCMA")
    assert (found.mutual, found.established, found.certificates_visible) == (True, True, True)


@pytest.mark.parametrize(
    ("version", "name", "cipher"),
    [
        (ssl.TLSVersion.TLSv1, "TLSv1", OLD),
        (ssl.TLSVersion.TLSv1_1, "TLSv1.1", OLD),
        (ssl.TLSVersion.TLSv1_2, "TLSv1.2", OLD),
    ],
    ids=["1.0", "1.1", "1.2"],
)
def test_both_chains_are_read_up_to_tls_1_2(
    *, shake: Callable[..., Flights], capture_file: Callable[..., Path], identities: Identities,
    version: ssl.TLSVersion, name: str, cipher: str,
) -> None:  # fmt: skip
    found = only(capture_file(shake(version, ciphers=cipher)))
    assert_mutual(found, identities)
    assert (found.tls_version, found.cipher) == (name, "AES128-SHA")
    assert (found.client, found.server) == ("10.106.95.203:42387", "10.106.95.200:5061")
    assert [message["message"] for message in found.handshake][:8] == [
        "ClientHello", "ServerHello", "Certificate", "CertificateRequest", "ServerHelloDone", "Certificate",
        "ClientKeyExchange", "CertificateVerify",
    ]  # fmt: skip


def test_tls_1_3_certificates_are_said_to_be_invisible(
    shake: Callable[..., Flights], capture_file: Callable[..., Path]
) -> None:
    found = only(capture_file(shake(ssl.TLSVersion.TLSv1_3)))
    assert (found.tls_version, found.certificates_visible, found.mutual) == ("TLSv1.3", False, None)
    assert found.established is True
    assert found.server_chain == found.client_chain == []
    assert any("TLS 1.3 encrypts the certificates" in note for note in found.notes)


def test_tls_1_3_refusal_comes_late_and_is_noticed(
    shake: Callable[..., Flights], capture_file: Callable[..., Path]
) -> None:
    found = only(capture_file(shake(ssl.TLSVersion.TLSv1_3, client="Other")))
    assert found.established is False
    assert any("is an alert: a refusal" in note for note in found.notes)


def test_a_handshake_without_client_certificate_is_not_mutual(
    shake: Callable[..., Flights], capture_file: Callable[..., Path]
) -> None:
    found = only(capture_file(shake(ask=ssl.CERT_NONE)))
    assert (found.mutual, found.established, found.asked_for_certificate) == (False, True, False)
    empty = only(capture_file(shake(client=None, ask=ssl.CERT_OPTIONAL)))
    assert (empty.mutual, empty.established, empty.asked_for_certificate) == (False, True, True)


@pytest.mark.parametrize(
    ("how", "side", "name"),
    [
        ({"client": "Other"}, "server", "unknown_ca"),
        ({"server": "Other"}, "client", "unknown_ca"),
        ({"client": None}, "server", "handshake_failure"),
        ({"server_version": ssl.TLSVersion.TLSv1_3}, "server", "protocol_version"),
    ],
    ids=["client's CA unknown", "server's CA unknown", "no client certificate", "no common version"],
)
def test_refusals_are_put_in_words(
    shake: Callable[..., Flights], capture_file: Callable[..., Path], how: dict[str, object], side: str, name: str
) -> None:
    found = only(capture_file(shake(**how)))
    fatal = [alert for alert in found.alerts if alert["level"] == "fatal"]
    assert [(alert["from"], alert["name"]) for alert in fatal] == [(side, name)]
    assert found.established is False
    assert not found.mutual
    assert len(fatal[0]["meaning"]) > 20


def test_null_encryption_is_told_and_its_sip_read(
    shake: Callable[..., Flights], capture_file: Callable[..., Path]
) -> None:
    found = only(capture_file(shake(ciphers="NULL-SHA:@SECLEVEL=0")))
    assert found.cipher == "NULL-SHA"
    assert [message["start_line"] for message in found.sip] == ["OPTIONS sip:10.106.95.200 SIP/2.0"]
    assert any("does not encrypt" in note for note in found.notes)


def test_plain_sip_is_read_without_its_keys(capture_file: Callable[..., Path]) -> None:
    body = b"v=0\r\nm=audio 20000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\n"
    invite = (
        b"INVITE sip:9898@10.106.95.200:5060 SIP/2.0\r\nVia: SIP/2.0/TCP 10.106.95.203:5060\r\n"
        b"From: <sip:1018@10.106.95.203>;tag=1\r\nTo: <sip:9898@10.106.95.200>\r\nCall-ID: x@a\r\nCSeq: 101 INVITE\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    ) + body
    answer = b"SIP/2.0 200 OK\r\nCall-ID: x@a\r\nCSeq: 101 INVITE\r\nContent-Length: 0\r\n\r\n"
    found = only(capture_file([("client", invite + invite), ("server", answer)], port=5060, size=90))
    assert found.protocol == "sip"
    assert [(message["from"], message["start_line"]) for message in found.sip] == [
        ("client", "INVITE sip:9898@10.106.95.200:5060 SIP/2.0"),
        ("client", "INVITE sip:9898@10.106.95.200:5060 SIP/2.0"),
        ("server", "SIP/2.0 200 OK"),
    ]  # fmt: skip
    assert (found.sip[0]["calling"], found.sip[0]["called"], found.sip[0]["srtp"]) == ("1018", "9898", True)
    assert "c2VjcmV0" not in repr(found)


@pytest.mark.parametrize("v6", [False, True], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("link", LINKS)
def test_every_link_type_and_both_ip_versions(
    shake: Callable[..., Flights], capture_file: Callable[..., Path], identities: Identities, link: str, v6: bool
) -> None:
    found = only(capture_file(shake(), link=link, v6=v6))
    assert_mutual(found, identities)
    assert found.server == ("[2001:db8::200]:5061" if v6 else "10.106.95.200:5061")


@pytest.mark.parametrize("kind", ["big endian", "nanoseconds", "pcapng", "gzip", "cut gzip", "rolled"])
def test_every_file_format(shake: Callable[..., Flights], tmp_path: Path, identities: Identities, kind: str) -> None:
    frames, path = frames_of(shake()), tmp_path / "packets.cap"
    more: list[Path] = []
    if kind == "pcapng":
        write_pcapng(path, frames)
    elif kind == "rolled":
        write_pcap(path, frames[:9])
        more = [write_pcap(tmp_path / "packets.cap01", frames[9:])]
    else:
        write_pcap(path, frames, order=">" if kind == "big endian" else "<", nano=kind == "nanoseconds")
        if kind.endswith("gzip"):
            packed = gzip.compress(path.read_bytes())
            path.write_bytes(packed[:-12] if kind == "cut gzip" else packed)
    found = only(path, *more)
    assert_mutual(found, identities)
    assert found.started == pytest.approx(1_400_000_000, abs=0.001)


def _block(order: str, kind: int, body: bytes) -> bytes:
    length = struct.pack(order + "I", 12 + len(body) + -len(body) % 4)
    return struct.pack(order + "I", kind) + length + body + bytes(-len(body) % 4) + length


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["offset", "without times", "two interfaces"])
def test_pcapng_with_blocks_of_every_kind(
    shake: Callable[..., Flights], tmp_path: Path, identities: Identities, kind: str, order: str
) -> None:
    """if_tsoffset counts, simple packets have no time, and what is not a packet is passed over."""

    def head(link: int, options: bytes = b"") -> bytes:
        return _block(order, 1, struct.pack(order + "HHI", link, 0, 0) + options)

    offset = struct.pack(order + "HHq", 14, 8, 1000) if kind == "offset" else b""
    parts = [_block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)), head(1, offset), head(101)]
    names = struct.pack(order + "HH", 1, 11) + b"\x0a\x6a\x5f\xc8cucm10\0\0" + bytes(4)
    for number, frame in enumerate(frames_of(shake())):
        raw = kind == "two interfaces" and number % 2 == 1
        data = frame.data if raw else made_captures._link("ethernet", frame.data)[1]
        if kind == "without times":
            parts.append(_block(order, 3, struct.pack(order + "I", len(data)) + data))
            continue
        ticks = round((frame.time - (1000 if kind == "offset" else 0)) * 1_000_000)
        sizes = struct.pack(order + "IIIII", int(raw), ticks >> 32, ticks & 0xFFFF_FFFF, len(data), len(data))
        parts += [_block(order, 6, sizes + data), _block(order, 4, names)]
    path = tmp_path / "packets.pcapng"
    path.write_bytes(b"".join(parts))
    found = capture.read([path])
    assert_mutual(found.connections[0], identities)
    assert found.notes.problems == []
    started = capture.as_dict(found, lambda der: {"size": len(der)})["connections"][0]["started"]
    assert started == ("unknown" if kind == "without times" else "2014-05-13T16:53:20.000000Z")


@pytest.mark.parametrize(("kind", "sound"), [(10, True), (6, False)], ids=["keys of TLS", "a packet"])
def test_a_large_pcapng_block_is_passed_over_if_it_is_no_packet(
    shake: Callable[..., Flights], tmp_path: Path, kind: int, sound: bool
) -> None:
    path = write_pcapng(tmp_path / "packets.pcapng", frames_of(shake()))
    whole = path.read_bytes()
    behind = struct.unpack_from("<I", whole, 4)[0]
    secrets = _block("<", kind, struct.pack("<II", 0x544C534B, 1_100_000) + bytes(1_100_000))
    path.write_bytes(whole[:behind] + secrets + whole[behind:])
    found = capture.read([path])
    assert [each.mutual for each in found.connections] == ([True] if sound else [])
    assert found.notes.problems == (
        [] if sound else [f"the file is damaged at byte {behind}; nothing after it could be read"]
    )
    # One that claims to go on behind the end of the file is damage.
    path.write_bytes(path.read_bytes()[: behind + 1_000_000])
    assert "damaged at byte" in capture.read([path]).notes.problems[0]


def test_reordering_and_repetition_change_nothing(
    shake: Callable[..., Flights], tmp_path: Path, identities: Identities
) -> None:
    frames = frames_of(shake(), size=100)
    dice = random.Random(7)
    for _unused in range(20):
        mixed = [*frames, *dice.sample(frames, len(frames) // 2)]
        # Each packet may come up to ten places late, the opening ones too.
        mixed = [frame for _unused, frame in sorted(enumerate(mixed), key=lambda pair: pair[0] + dice.random() * 10)]
        assert_mutual(only(write_pcap(tmp_path / "mixed.cap", mixed)), identities)


def test_a_lost_segment_is_told_and_the_rest_still_read(
    shake: Callable[..., Flights], tmp_path: Path, identities: Identities
) -> None:
    flights = shake()
    frames = frames_of(flights, size=500)
    # The third data segment belongs to the server's flight with its Certificate.
    path = write_pcap(tmp_path / "lost.cap", [*frames[:4], *frames[5:]])
    found = only(path)
    assert found.server_chain != ders(identities, "CUCM10")
    assert any("missing from the capture" in note for note in found.notes)
    assert found.client_chain == ders(identities, "CUCMA")


def test_cut_and_damaged_files_are_read_as_far_as_they_go(
    shake: Callable[..., Flights], capture_file: Callable[..., Path], identities: Identities
) -> None:
    path = capture_file(shake())
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    cut = capture.read([path])
    assert_mutual(cut.connections[0], identities)
    assert any("ends inside packet" in problem for problem in cut.notes.problems)
    at = whole.index(b"\x0a\x6a\x5f\xcb", 3000) - 40
    path.write_bytes(whole[:at] + b"\xff" * 30 + whole[at + 30 :])
    damaged = capture.read([path])
    assert damaged.notes.packets > 5
    for useless in (b"", b"\xd4\xc3\xb2\xa1", b"PK\x03\x04junk", b"\x0a\x0d\x0d\x0a\x00"):
        path.write_bytes(useless)
        nothing = capture.read([path])
        assert not nothing.connections
        assert nothing.notes.problems


def test_the_same_ports_twice_are_two_connections(
    shake: Callable[..., Flights], tmp_path: Path, identities: Identities
) -> None:
    first, second = frames_of(shake(client="Other")), frames_of(shake(), isn=123_456)
    for frame in second:
        frame.time += 60
    found = capture.read([write_pcap(tmp_path / "two.cap", [*first, *second])]).connections
    assert [connection.established for connection in found] == [False, True]
    assert_mutual(found[1], identities)


def test_data_on_the_same_ports_after_the_end_is_another_connection(
    shake: Callable[..., Flights], tmp_path: Path
) -> None:
    """Though the second opening was not captured."""
    first, second = frames_of(shake(client="Other")), frames_of(shake(), isn=99_000_000)[2:]
    # The server's numbers begin anew, too.
    path = write_pcap(tmp_path / "two.cap", [*first, *(_moved(frame, 88_000_000) for frame in second)])
    found = capture.read([path]).connections
    assert [connection.established for connection in found] == [False, True]


def _moved(frame: Any, by: int) -> Any:
    """A frame with the server's sequence numbers further on."""
    packet = dpkt.ip.IP(frame.data)
    if packet.data.sport == 5061:
        packet.data.seq += by
    else:
        packet.data.ack += by
    return made_captures.Frame(frame.time + 60, bytes(packet))


def test_who_sent_the_hello_says_which_end_is_the_client(shake: Callable[..., Flights], tmp_path: Path) -> None:
    """A trunk's port may be any: without the opening the smaller port is taken for the server's."""
    frames = frames_of(shake(), port=50_999)[2:]
    found = capture.read([write_pcap(tmp_path / "late.cap", frames)], frozenset()).connections[0]
    assert (found.client, found.server) == ("10.106.95.203:42387", "10.106.95.200:50999")
    assert (found.mutual, found.established) == (True, True)


def test_a_resumed_session_is_told(shake: Callable[..., Flights], capture_file: Callable[..., Path]) -> None:
    flights = shake()
    hello, server = flights[0][1], flights[1][1]
    # What stays of an abbreviated handshake: hellos, then each end's ChangeCipherSpec.
    length = int.from_bytes(server[6:9], "big") + 9
    bare = b"\x16\x03\x03" + (length - 5).to_bytes(2, "big") + server[5:length]
    change = b"\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x20" + bytes(32)
    found = only(capture_file([("client", hello), ("server", bare + change), ("client", change)]))
    assert (found.resumed, found.established, found.mutual) == (True, True, None)


def test_a_connection_joined_in_its_middle_is_known_to_run(shake: Callable[..., Flights], tmp_path: Path) -> None:
    record = b"\x17\x03\x01\x00\x20" + bytes(32)
    frames = frames_of([*shake(ssl.TLSVersion.TLSv1, ciphers=OLD), ("server", record), ("client", record)], size=4000)
    found = only(write_pcap(tmp_path / "middle.cap", frames[-4:]))
    assert (found.protocol, found.established, found.mutual, found.tls_version) == ("tls", True, None, None)
    assert any("began after" in note for note in found.notes)


def test_other_ports_are_left_alone_unless_asked_for(
    shake: Callable[..., Flights], capture_file: Callable[..., Path]
) -> None:
    path = capture_file(shake(), port=8443)
    assert capture.read([path]).connections == []
    assert len(capture.read([path], frozenset()).connections) == 1
    assert len(capture.read([path], frozenset({8443})).connections) == 1


def test_20_000_packets_take_a_second(shake: Callable[..., Flights], tmp_path: Path) -> None:
    flights = shake()
    frames: list[Any] = []
    while len(frames) < 20_000:
        frames += frames_of(flights, size=300)
        frames += frames_of([("client", b"\x17\x03\x03\x02\x00" + bytes(512))] * 200, isn=len(frames))
    path = write_pcap(tmp_path / "large.cap", frames[:20_000])
    begin = time.process_time()
    found = capture.read([path])
    spent = time.process_time() - begin
    assert found.notes.packets == 20_000
    assert spent < 1, f"{spent:.1f} s"


def test_a_refused_tcp_connection_carried_no_data(tmp_path: Path) -> None:
    """Nothing is missing of it; the next attempt, which succeeds, is another connection."""
    opening, *rest = frames_of([("client", b"hello"), ("server", b"welcome")])
    refusal = dpkt.ip.IP(rest[0].data)
    refusal.data.seq, refusal.data.flags, refusal.data.sum, refusal.sum = 0, 0x14, 0, 0
    again = frames_of([("client", b"hello"), ("server", b"welcome")], isn=4_000)
    frames = [opening, made_captures.Frame(opening.time, bytes(refusal)), *again]
    refused, later = capture.read([write_pcap(tmp_path / "refused.cap", frames)]).connections
    assert (refused.protocol, refused.notes) == ("none", ["no data was sent on this connection"])
    assert refused.closed_by == "reset by the server (10.106.95.200:5061)"
    assert later.protocol == "other"
    # The same number again, as some hosts choose it.
    frames[2:] = [opening, *rest]
    (both,) = capture.read([write_pcap(tmp_path / "refused.cap", frames)]).connections
    assert (both.protocol, both.octets) == ("other", 12)
    (late,) = capture.read([write_pcap(tmp_path / "refused.cap", frames[1:2])]).connections
    assert late.protocol == "unknown"
