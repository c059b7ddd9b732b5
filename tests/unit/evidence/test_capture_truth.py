# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An incomplete capture never says what the whole one denies; tunnels are opened or named."""

from __future__ import annotations

import ssl
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import dpkt
import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import capture
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures.capture import CaptureConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.made_captures import Flights, Frame, frames_of, write_pcap
from tests.support.made_tunnels import CLOSED, OPENED, ethernet, wrapped
from tests.support.tshark_judge import agreed, needs_tshark

OLD = "AES128-SHA:@SECLEVEL=0"
VERSIONS = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
ANSWER = b"\x17\x03\x03\x00\x40" + bytes(64)
#: what a handshake is run with: client's certificate, server's certificate, whether the server asks
WAYS = {
    "mutual": {},
    "no client certificate": {"client": None, "ask": ssl.CERT_OPTIONAL},
    "not asked": {"ask": ssl.CERT_NONE},
    "client refused": {"client": "Other"},
    "server refused": {"server": "Other"},
    "client has none": {"client": None},
    "resumed": {"resume": True},
    "not asked, another curve": {"ask": ssl.CERT_NONE, "curve": "secp521r1"},
    "client refused, another curve": {"client": "Other", "curve": "secp521r1"},
}
YES_NO_OR_NOT_SHOWN = (
    "established",
    "resumed",
    "mutual",
    "asked_for_certificate",
    "tls_version",
    "cipher",
    "server_name",
)
Cases = dict[tuple[str, str], tuple[list[Frame], CaptureConnection]]


@pytest.fixture(scope="module")
def cases(shake: Callable[..., Flights], tmp_path_factory: pytest.TempPathFactory) -> Cases:
    """Each kind of handshake: its frames, and what the whole capture shows."""
    path = tmp_path_factory.mktemp("whole") / "whole.cap"
    found: Cases = {}
    for version in VERSIONS:
        ciphers = {"ciphers": OLD} if version < ssl.TLSVersion.TLSv1_2 else {}
        for name, how in WAYS.items():
            for size in (300, 1400):
                frames = frames_of(shake(version, **how, **ciphers), size=size)
                (whole,) = capture.read([write_pcap(path, frames)]).connections
                found[version.name, f"{name} {size}"] = frames, whole
    return found


def assert_no_contradiction(path: Path, frames: Sequence[Frame], whole: CaptureConnection) -> None:
    for part in capture.read([write_pcap(path, frames)]).connections:
        for name in YES_NO_OR_NOT_SHOWN:
            assert getattr(part, name) in (None, getattr(whole, name)), name
        assert part.protocol in ("unknown", whole.protocol)
        assert part.server_chain in ([], whole.server_chain)
        assert part.client_chain in ([], whole.client_chain)
        seen = {(message["from"], message["message"]) for message in whole.handshake}
        assert {(message["from"], message["message"]) for message in part.handshake} <= seen
        assert {alert["name"] for alert in part.alerts} <= {alert["name"] for alert in whole.alerts}


def test_the_whole_captures_say_what_happened(cases: Cases) -> None:
    for (_version, name), (_frames, whole) in cases.items():
        works = name.startswith(("mutual", "no client", "not asked", "resumed"))
        assert whole.established is works, name
        assert not works or whole.resumed is name.startswith("resumed"), name
        if name.startswith("resumed"):
            # Certificates were shown in an earlier handshake.
            assert (whole.mutual, whole.client_chain, whole.server_chain) == (None, [], [])
        elif whole.tls_version != "TLSv1.3":
            assert whole.mutual is name.startswith("mutual"), name


def test_any_one_frame_may_be_missing(cases: Cases, tmp_path: Path) -> None:
    for frames, whole in cases.values():
        for at in range(len(frames)):
            assert_no_contradiction(tmp_path / "part.cap", [*frames[:at], *frames[at + 1 :]], whole)


def test_a_capture_may_begin_late_or_end_early(cases: Cases, tmp_path: Path) -> None:
    for frames, whole in cases.values():
        for at in range(1, len(frames)):
            assert_no_contradiction(tmp_path / "part.cap", frames[:at], whole)
            assert_no_contradiction(tmp_path / "part.cap", frames[at:], whole)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_frames_may_be_missing(cases: Cases, tmp_path: Path, data: st.DataObject) -> None:
    frames, whole = cases[data.draw(st.sampled_from(sorted(cases)))]
    kept = data.draw(st.lists(st.booleans(), min_size=len(frames), max_size=len(frames)))
    part = [frame for frame, keep in zip(frames, kept, strict=True) if keep]
    assert_no_contradiction(tmp_path / "part.cap", part, whole)
    # Mirror ports also send frames twice and out of their order.
    late = data.draw(st.lists(st.integers(0, 4), min_size=2 * len(part), max_size=2 * len(part)))
    order = sorted(range(2 * len(part)), key=lambda at: at // 2 + late[at])
    assert_no_contradiction(tmp_path / "part.cap", [part[at // 2] for at in order], whole)


@pytest.mark.parametrize("name", ["client refused 300", "client has none 300", "client refused, another curve 300"])
def test_a_refusal_in_tls_1_3_is_none_the_less_when_frames_come_late(cases: Cases, tmp_path: Path, name: str) -> None:
    """Each frame of the server's flight behind the client's answer to it, and each two frames exchanged."""
    frames, whole = cases["TLSv1_3", name]
    assert whole.established is False
    for at in range(len(frames)):
        for to in range(at + 1, len(frames)):
            late = [*frames[:at], *frames[at + 1 : to + 1], frames[at], *frames[to + 1 :]]
            assert_no_contradiction(tmp_path / "late.cap", late, whole)


def test_encrypted_bytes_are_no_hello_of_sslv2(tmp_path: Path) -> None:
    """A capture may begin inside a record whose bytes look like SSLv2's; a real one is still read."""
    real = struct.pack(">HBHHHH", 0x8000 | 46, 1, 0x0301, 21, 0, 16) + bytes(range(37))
    for head, name in ((real, "ClientHello (SSLv2 form)"), (b"\x9c\x11\x01\x03" + bytes(range(60)), None)):
        frames = frames_of([("client", head)])
        (found,) = capture.read([write_pcap(tmp_path / "old.cap", frames)]).connections
        assert [message["message"] for message in found.handshake] == ([name] if name else [])


def test_a_lost_client_certificate_is_not_shown(cases: Cases, tmp_path: Path) -> None:
    """What was read as "the client has no certificate"."""
    frames, whole = cases["TLSv1_2", "mutual 300"]
    parts = [
        capture.read([write_pcap(tmp_path / "p.cap", [*frames[:at], *frames[at + 1 :]])]).connections[0]
        for at in range(len(frames))
    ]
    assert whole.client_chain
    lost = [(part.mutual, part.established) for part in parts if not part.client_chain]
    assert lost
    assert set(lost) == {(None, True)}


def test_the_version_never_comes_from_a_record_header(cases: Cases, tmp_path: Path) -> None:
    frames, _whole = cases["TLSv1_3", "mutual 1400"]
    (part,) = capture.read([write_pcap(tmp_path / "p.cap", frames[-4:])]).connections
    assert part.tls_version is None


@pytest.mark.parametrize("v6", [False, True], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("how", OPENED)
def test_tunnels_are_opened(cases: Cases, shake: Callable[..., Flights], tmp_path: Path, how: str, v6: bool) -> None:
    frames = [Frame(frame.time, wrapped(how, frame.data)) for frame in frames_of(shake(), v6=v6)]
    path = write_pcap(tmp_path / "tunnel.cap", frames, "as it is")
    read = capture.read([path])
    (found,) = read.connections
    assert (found.mutual, found.established, found.notes, read.notes.problems) == (True, True, [], [])
    assert found.server == ("[2001:db8::200]:5061" if v6 else "10.106.95.200:5061")


def test_padding_behind_pppoe_is_no_data(tmp_path: Path) -> None:
    """Ethernet pads short frames; a packet without a length of its own ends where PPPoE says."""
    text = b"OPTIONS sip:b SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"
    frames = frames_of([("client", text)], size=3, port=5060)
    for frame in frames:
        without_length = frame.data[:2] + bytes(2) + frame.data[4:]
        frame.data = wrapped("pppoe", without_length) + bytes(46 - len(without_length))
    (found,) = capture.read([write_pcap(tmp_path / "padded.cap", frames, "as it is")]).connections
    assert (found.protocol, found.octets) == ("sip", len(text))


# tshark opens an MPLS pseudowire only if it is given its content, and this tag only if it is given the number.
@needs_tshark
@pytest.mark.parametrize("how", [tunnel for tunnel in OPENED if not tunnel.startswith(("mpls p", "mpls w", "vlan 9"))])
def test_tshark_opens_the_same_tunnels(shake: Callable[..., Flights], tmp_path: Path, how: str) -> None:
    frames = [Frame(frame.time, wrapped(how, frame.data)) for frame in frames_of(shake())]
    agreed(write_pcap(tmp_path / "tunnel.cap", frames, "as it is"))


@pytest.mark.parametrize("how", CLOSED)
def test_what_is_not_opened_is_named(shake: Callable[..., Flights], tmp_path: Path, how: str) -> None:
    frames = [Frame(frame.time, wrapped(how, frame.data)) for frame in frames_of(shake())]
    read = capture.read([write_pcap(tmp_path / "tunnel.cap", frames, "as it is")])
    assert read.connections == []
    assert any(f"packets in {how} were not opened" in text for text in read.notes.problems)


def test_what_never_carries_sip_is_left_out_in_silence(tmp_path: Path) -> None:
    arp, stp, cdp = bytes(28), b"\x42\x42\x03" + bytes(35), b"\xaa\xaa\x03\x00\x00\x0c\x20\x00" + bytes(40)
    packets = [ethernet(arp, 0x0806), ethernet(stp, 38), ethernet(cdp, 48), ethernet(bytes(60), 0x88CC)]
    packets += [ethernet(dpkt_ip(protocol)) for protocol in (1, 2, 89, 103)]
    packets.append(ethernet(b"\x11\x00\x00\x01\x00\x0a\xc0\x21" + bytes(38), 0x8864))
    read = capture.read(
        [write_pcap(tmp_path / "quiet.cap", [Frame(1, data) for data in packets], "as it is")], frozenset()
    )
    assert (read.notes.packets, read.notes.problems, read.connections) == (len(packets), [], [])


def dpkt_ip(protocol: int) -> bytes:
    """A packet of another protocol than TCP and UDP."""
    packet = dpkt.ip.IP(src=b"\x0a\0\0\1", dst=b"\x0a\0\0\2", p=protocol, data=bytes(32))
    packet.len = len(packet)
    return bytes(packet)


def test_sip_over_udp_and_packets_of_other_ports_are_named(
    shake: Callable[..., Flights], capture_file: Callable[..., Path], tmp_path: Path
) -> None:
    """A capture without a connection says why; rolled files are counted together."""
    frames = frames_of(shake())
    ask = dpkt.udp.UDP(sport=5060, dport=5060, data=b"OPTIONS sip:b SIP/2.0\r\n\r\n")
    ask.ulen = len(ask)
    packet = dpkt.ip.IP(src=b"\x0a\0\0\1", dst=b"\x0a\0\0\2", p=dpkt.ip.IP_PROTO_UDP, data=ask)
    packet.len = len(packet)
    datagram = Frame(frames[0].time, bytes(dpkt.ethernet.Ethernet(data=packet)))
    paths = [
        write_pcap(tmp_path / "1.cap", [datagram], "as it is"),
        write_pcap(tmp_path / "2.cap", [datagram, datagram], "as it is"),
    ]
    read = capture.read(paths)
    assert read.connections == []
    assert read.notes.problems == ["3 UDP packets of the SIP ports are not shown; SIP over UDP is not encrypted"]
    # A packet of an unknown kind is not the reason.
    strange = write_pcap(
        tmp_path / "3.cap", [Frame(datagram.time, wrapped("EtherType 0x7777", frames[0].data))], "as it is"
    )
    elsewhere = capture.read([capture_file(shake(), port=5065), strange])
    assert elsewhere.connections == []
    assert elsewhere.notes.problems == [
        "1 packets in EtherType 0x7777 were not opened; SIP inside them is not shown",
        "no TCP packet of the ports 5060, 5061 was found; a trunk with another port needs it in ports",
    ]
    assert capture.read(paths[:1], frozenset()).notes.problems == []


def test_above_the_bound_both_sides_are_listed(
    capture_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "MOST_SIP", 6)
    ask = b"OPTIONS sip:b SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    answer = b"SIP/2.0 200 OK\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    path = capture_file([("client", ask)] * 10 + [("server", answer)] * 2, port=5060)
    (found,) = capture.read([path]).connections
    assert [message["from"] for message in found.sip].count("client") == 4
    assert [message["from"] for message in found.sip].count("server") == 2
    assert "only the first 4 of 10 SIP messages of the client are listed" in found.notes
