# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a handshake ended, where it takes more than a look: yes and no are never mixed up."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import dpkt
import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import capture
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.capture import CaptureConnection

from tests.support import made_captures
from tests.support.made_captures import Flights, Frame, Identities, Script, frames_of, recorded, records, write_pcap

ASK = b"OPTIONS sip:10.106.95.200 SIP/2.0\r\n\r\n"
HEARTBEAT = b"\x18\x03\x03\x00\x13\x01\x00\x00" + bytes(16)
TLS13 = ssl.TLSVersion.TLSv1_3


def only(path: Path) -> CaptureConnection:
    """The one connection of a capture."""
    (found,) = capture.read([path]).connections
    return found


@pytest.mark.parametrize(
    "then",
    [
        [("server", None)],
        [("client", ASK), ("server", None), ("client", None)],
        [("client", b"\r\n\r\n"), ("server", b"\r\n"), ("client", None)],
        [("client", b"\r\n\r\n"), ("server", b"\r\n")] * 3,
    ],
    ids=["server closes", "no answer", "keep-alive", "three times"],
)
def test_without_tickets_a_short_record_is_no_refusal(
    shake: Callable[..., Flights], capture_file: Callable[..., Path], then: Script
) -> None:
    """A close_notify, and the pong of SIP's keep-alive, are as long as a fatal alert in TLS 1.3."""
    found = only(capture_file(shake(TLS13, tickets=0, say=b"", then=then), size=1400))
    assert found.established is None
    assert any("as short as an alert" in note for note in found.notes)
    assert not any("refusal" in note and "or the end" not in note for note in found.notes)


def test_without_tickets_an_answer_shows_that_the_connection_works(
    shake: Callable[..., Flights], capture_file: Callable[..., Path]
) -> None:
    then = [("client", ASK), ("server", b"SIP/2.0 200 OK\r\n\r\n"), ("server", None), ("client", None)]
    assert only(capture_file(shake(TLS13, tickets=0, say=b"", then=then), size=1400)).established is True


def test_a_refusal_comes_at_once(shake: Callable[..., Flights], tmp_path: Path) -> None:
    """An alert's length long after the handshake may be the end of a connection that worked."""
    frames = frames_of(shake(TLS13, client="Other", tickets=0), size=1400)
    assert only(write_pcap(tmp_path / "soon.cap", frames)).established is False
    for frame in frames[-3:]:
        frame.time += 60
    assert only(write_pcap(tmp_path / "late.cap", frames)).established is None


def test_a_refused_client_that_says_nothing_is_not_called_established(
    shake: Callable[..., Flights], capture_file: Callable[..., Path]
) -> None:
    assert only(capture_file(shake(TLS13, client="Other", say=b""), size=1400)).established is None


def test_hellos_around_a_retry_are_no_finished(shake: Callable[..., Flights], tmp_path: Path) -> None:
    """Each record in a frame of its own, and any one of them lost."""
    for client, works in (("CUCMA", True), ("Other", False)):
        frames = frames_of(records(shake(TLS13, client=client, curve="secp521r1")), size=99_999)
        whole = only(write_pcap(tmp_path / "whole.cap", frames))
        assert whole.established is works
        assert [(each["from"], each["message"]) for each in whole.handshake] == [
            ("client", "ClientHello"), ("server", "HelloRetryRequest"), ("server", "ChangeCipherSpec"),
            ("client", "ChangeCipherSpec"), ("client", "ClientHello"), ("server", "ServerHello"),
        ]  # fmt: skip
        for at in range(len(frames)):
            part = only(write_pcap(tmp_path / "part.cap", [*frames[:at], *frames[at + 1 :]]))
            assert part.established in (None, works)
            assert "Finished (encrypted)" not in [each["message"] for each in part.handshake]


def test_a_retry_does_not_show_whether_the_session_is_resumed(shake: Callable[..., Flights], tmp_path: Path) -> None:
    frames = frames_of(records(shake(TLS13, curve="secp521r1", resume=True)), size=99_999)
    assert only(write_pcap(tmp_path / "whole.cap", frames)).resumed is True
    begun = only(write_pcap(tmp_path / "begun.cap", frames[:5]))
    assert [each["message"] for each in begun.handshake][:2] == ["ClientHello", "HelloRetryRequest"]
    assert begun.resumed is None


@pytest.mark.parametrize("client", ["CUCMA", "Other"])
def test_the_alerts_of_ccm_8_are_shorter(identities: Identities, tmp_path: Path, client: str) -> None:
    """Its tag has 8 bytes; without the ServerHello the cipher is not known. Any one record lost, or all before it."""
    cipher = ["-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_8_SHA256", "-CAfile", "ca.pem"]
    server = [*cipher, "-cert", "CUCM10.pem", "-key", "CUCM10.key", "-Verify", "2", "-verify_return_error", "-rev"]
    words = [*cipher, "-cert", f"{client}.pem", "-key", f"{client}.key"]
    frames = frames_of(records(recorded(identities.folder, server, words, say="ask\n")), size=99_999)
    whole = only(write_pcap(tmp_path / "whole.cap", frames))
    works = client == "CUCMA"
    assert (whole.cipher, bool(whole.established)) == ("TLS_AES_128_CCM_8_SHA256", works)
    for at in range(len(frames)):
        for part in ([*frames[:at], *frames[at + 1 :]], frames[at:]):
            found = only(write_pcap(tmp_path / "part.cap", part))
            assert found.established in (None, works), at


@pytest.mark.parametrize(("extra", "established"), [(HEARTBEAT, True), (b"\x99" * 24, None)], ids=["heartbeat", "junk"])
def test_what_is_no_handshake_record_does_not_deny_the_handshake(
    shake: Callable[..., Flights], capture_file: Callable[..., Path], extra: bytes, established: bool | None
) -> None:
    """In one segment with the server's ChangeCipherSpec, which only a reader that knows the first record finds."""
    flights = shake()
    change = b"\x14\x03\x03\x00\x01\x01"
    last = next(at for at, (name, data) in enumerate(flights) if name == "server" and change in data)
    flights[last:] = [("server", extra + flights[last][1])]
    found = only(capture_file(flights, size=9_999))
    assert (found.established, found.mutual) == (established, established)
    assert any("no TLS record were passed over" in note for note in found.notes) is (established is None)


def test_one_exchange_shows_that_a_connection_runs(shake: Callable[..., Flights], tmp_path: Path) -> None:
    """The capture begins with the client's question, and nothing is missing before the server's answer."""
    then: Script = [("client", ASK), ("server", b"SIP/2.0 200 OK\r\nCall-ID: 1\r\n\r\n")]
    for version in (TLS13, ssl.TLSVersion.TLSv1_2):
        frames = frames_of(shake(version, then=then), size=99_999)[-4:]
        assert only(write_pcap(tmp_path / "runs.cap", frames)).established is True
        assert only(write_pcap(tmp_path / "half.cap", frames[:1])).established is None


def test_a_server_without_tls_has_refused(capture_file: Callable[..., Path], shake: Callable[..., Flights]) -> None:
    """As when a trunk's port is that of SIP without TLS."""
    hello = shake()[0]
    found = only(capture_file([hello, ("server", b"SIP/2.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n")]))
    assert (found.protocol, found.established) == ("tls", False)
    assert "the server answered with something that is not TLS" in found.notes


@pytest.mark.parametrize("accepted", [True, False])
def test_early_data_is_no_answer_to_the_server(identities: Identities, tmp_path: Path, accepted: bool) -> None:
    """Two bytes of it are as long as an alert; data that the server rejects comes before the client is refused."""
    folder = identities.folder
    (folder / "early").write_bytes(b"\r\n" if accepted else b"OPTIONS sip:b SIP/2.0\r\n\r\n")
    server = ["-tls1_3", "-cert", "CUCM10.pem", "-key", "CUCM10.key", "-early_data", "-no_anti_replay"]
    first = ["-tls1_3", "-sess_out", "session.pem"]
    second = ["-tls1_3", "-sess_in", "session.pem", "-early_data", "early"]
    if accepted:
        flights = recorded(folder, server, first, second, say="ask\n")
    else:
        # Another server does not know the first one's key of tickets.
        recorded(folder, server, first, say="ask\n")
        refuses = [*server, "-Verify", "2", "-verify_return_error", "-CAfile", "ca.pem"]
        flights = recorded(folder, refuses, [*second, "-cert", "Other.pem", "-key", "Other.key"], say="ask\n")
    assert [data[:1] for name, data in records(flights) if name == "client"][1:3] == [b"\x14", b"\x17"]
    for part_of in (records(flights), flights):
        frames = frames_of(part_of, size=1_400 if part_of is flights else 99_999)
        for at in range(len(frames)):
            for part in (frames, [*frames[:at], *frames[at + 1 :]], frames[at:]):
                found = only(write_pcap(tmp_path / "part.cap", part))
                assert found.established in (None, accepted), at


def test_a_session_without_certificates_may_be_resumed_too(capture_file: Callable[..., Path]) -> None:
    """An anonymous cipher shows no certificate in its first handshake either, but a ServerHelloDone."""
    near, far = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    near.check_hostname, near.verify_mode = False, ssl.CERT_NONE
    for context in (near, far):
        context.set_ciphers("AECDH-AES128-SHA:@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    flights, ends = made_captures._talk(near, far, ASK, None)
    assert only(capture_file(flights)).resumed is False
    again, _unused = made_captures._talk(near, far, ASK, ends["client"][0].session)
    found = only(capture_file(again))
    assert (found.resumed, found.established, found.cipher) == (True, True, "AECDH-AES128-SHA")


@pytest.mark.parametrize("flags", [0x04, 0x14], ids=["RST", "RST-ACK"])
def test_a_reset_without_acknowledgment_shows_no_end(shake: Callable[..., Flights], tmp_path: Path, flags: int) -> None:
    """The server's last flight may have come before it, and be missing."""
    *frames, end, _unused = frames_of(shake(say=b""), size=99_999)
    packet = dpkt.ip.IP(end.data)
    packet.data.flags, packet.data.sum, packet.sum = flags, 0, 0
    frames.append(Frame(end.time, bytes(packet)))
    assert only(write_pcap(tmp_path / "whole.cap", frames)).established is True
    for at in range(len(frames)):
        found = only(write_pcap(tmp_path / "part.cap", [*frames[:at], *frames[at + 1 :]]))
        assert found.established in (None, True), at
        assert found.mutual in (None, True), at


def test_encrypted_handshake_records_are_no_messages(shake: Callable[..., Flights], tmp_path: Path) -> None:
    """GCM's explicit nonces count up from 0, and would read as HelloRequest; a capture may begin behind the hello."""
    noise = bytes(range(100, 132))
    flights = [
        ("client", b"\x17\x03\x03\x00\x20" + noise),
        ("server", b"\x16\x03\x03\x00\x28" + bytes(8) + noise),
        ("client", b"\x16\x03\x03\x00\x28" + bytes(7) + b"\x01" + noise),
    ]
    assert only(write_pcap(tmp_path / "middle.cap", frames_of(flights)[2:])).handshake == []
    # Without its opening a handshake is read none the less, whether or not each record ends with a message.
    frames = frames_of(_in_other_records(shake()), size=99_999)
    assert only(write_pcap(tmp_path / "late.cap", frames[2:])).mutual is True


def _in_other_records(flights: Flights) -> Flights:
    """The server's first flight with its messages in records of 1000 bytes."""
    found, at = list(flights), next(at for at, (name, _data) in enumerate(flights) if name == "server")
    text = b"".join(data[5:] for _name, data in records([flights[at]]))
    parts = [text[begin : begin + 1_000] for begin in range(0, len(text), 1_000)]
    found[at] = ("server", b"".join(b"\x16\x03\x03" + len(part).to_bytes(2, "big") + part for part in parts))
    return found


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("draft", [0x7F1C, 0x7F12, 0xFB1A, 0x7E02], ids=["28", "18", "Facebook", "Google"])
def test_drafts_of_tls_1_3_are_read_as_tls_1_3(
    shake: Callable[..., Flights], capture_file: Callable[..., Path], draft: int, resume: bool
) -> None:
    flights = shake(TLS13, resume=resume)
    at = next(at for at, (name, _data) in enumerate(flights) if name == "server")
    hello, *others = records([flights[at]])
    number = draft.to_bytes(2, "big")
    changed = hello[1].replace(b"\x00\x2b\x00\x02\x03\x04", b"\x00\x2b\x00\x02" + number)
    if draft == 0x7F12:
        # Until draft 21: the version itself, no session, no compression, and no such extension.
        body = number + changed[11:43] + changed[76:78] + changed[79:].replace(b"\x00\x2b\x00\x02" + number, b"")
        body = body[:36] + (len(body) - 38).to_bytes(2, "big") + body[38:]
        changed = b"\x16\x03\x01" + (len(body) + 4).to_bytes(2, "big") + b"\x02" + len(body).to_bytes(3, "big") + body
    flights[at] = ("server", changed + b"".join(data for _name, data in others))
    found = only(capture_file(flights))
    assert (found.established, found.resumed, found.mutual) == (True, resume, None)
    assert (found.tls_version, found.cipher) == (f"0x{draft:04X}", "TLS_AES_256_GCM_SHA384")


def test_a_key_that_both_ends_were_given_looks_like_a_session(
    identities: Identities, capture_file: Callable[..., Path]
) -> None:
    """As the module's documentation says."""
    key = ["-tls1_3", "-psk", "00112233445566778899aabbccddeeff"]
    found = only(capture_file(recorded(identities.folder, [*key, "-nocert", "-rev"], key, say="ask\n")))
    assert (found.tls_version, found.established, found.resumed) == ("TLSv1.3", True, True)
