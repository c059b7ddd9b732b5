# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever bytes they are given, the readers of captures, traces and screens neither raise nor hang."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence import sip_text, tls_names
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import (
    capture,
    onscreen,
    streams,
    tls_records,
)
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces import calllogs, reasons, sdl, selection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.made_captures import Flights, frames_of, write_pcap, write_pcapng
from tests.support.made_traces import CALLLOG, FLAT, REAL

# Bounded: each of these takes a few seconds at most.
FEW = settings(max_examples=60, deadline=2000, derandomize=True, suppress_health_check=list(HealthCheck))
MUTATIONS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=0, max_size=12)), max_size=8)


def mutate(data: bytes, mutations: list[tuple[float, bytes]], cut: float = 1.0) -> bytes:
    """The data with bytes overwritten (or, by an empty piece, removed) at some places, and cut."""
    changed = bytearray(data)
    for place, piece in mutations:
        at = int(place * len(changed))
        changed[at : at + max(len(piece), 1)] = piece
    return bytes(changed[: int(len(changed) * cut) + 1])


@pytest.fixture(scope="module")
def wholes(shake: Callable[..., Flights], tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Sound captures in both formats."""
    folder = tmp_path_factory.mktemp("wholes")
    frames = frames_of(shake())
    return [
        write_pcap(folder / "a", frames).read_bytes(),
        write_pcapng(folder / "b", frames).read_bytes(),
        write_pcap(folder / "c", frames_of(shake(), v6=True), "vlan", ">").read_bytes(),
    ]


@FEW
@given(which=st.integers(0, 2), mutations=MUTATIONS, cut=st.floats(0, 1))
def test_captures(
    wholes: list[bytes], tmp_path: Path, which: int, mutations: list[tuple[float, bytes]], cut: float
) -> None:
    path = tmp_path / "fuzzed.cap"
    path.write_bytes(mutate(wholes[which], mutations, cut))
    read = capture.read([path], frozenset())
    capture.as_dict(read, lambda der: {"size": len(der)})


@FEW
@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=300)), max_size=10))
def test_tls_records(pieces: list[tuple[int, bytes]]) -> None:
    reader = tls_records.TlsReader(plain_after_change=True)
    for number, (gap, data) in enumerate(pieces):
        kind = bytes([20 + number % 4, 3, 1])
        reader.feed(streams.Chunk(0.0, number, kind + len(data).to_bytes(2, "big") + data, 0 if gap else 5))
    reader.finish()
    tls_names.dn_text(b"".join(data for _unused, data in pieces))


@FEW
@given(mutations=MUTATIONS, cut=st.floats(0, 1), log=MUTATIONS)
def test_traces_and_call_logs(mutations: list[tuple[float, bytes]], cut: float, log: list[tuple[float, bytes]]) -> None:
    trace = sdl.SdlTrace()
    sdl.read(io.BytesIO(mutate((REAL + FLAT).encode(), mutations, cut)), trace)
    entries = calllogs.read(io.BytesIO(mutate(CALLLOG.encode(), log, cut)), trace.problem)
    selection.summary(trace, entries, selection.Wanted())


@FEW
@given(st.binary(max_size=2000))
def test_any_bytes_as_a_trace_gzipped_or_not(data: bytes) -> None:
    for head in (b"", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"):
        trace = sdl.SdlTrace()
        sdl.read(io.BytesIO(head + data), trace)


@FEW
@given(st.text(max_size=2000), st.binary(max_size=2000))
def test_screens_sip_and_reasons(text: str, data: bytes) -> None:
    onscreen.packets("19:04:13.410944 IP a.1 > b.2: " + text)
    onscreen.packets(text)
    reasons.explain(text)
    sip_text.parse("INVITE sip:1@a SIP/2.0\r\n" + text)
    list(sip_text.in_stream([(0.0, 1, b"SIP/2.0 200 OK\r\n" + data), (0.0, 2, data)]))


def test_long_rubbish_does_not_hang_the_expressions() -> None:
    """The shapes on which a careless expression takes exponential or square time."""
    for piece in (
        "|A=1 " * 20_000,
        "SIPTrunk, a:, " * 10_000,
        "connid=1, addr=" * 10_000,
        " " * 200_000,
        "a, b, 1, " * 10_000,
    ):
        for head in (
            "00000001.000 |12:00:00.000 |AppInfo  |//SIP/x: transport=",
            "00000001.000 |12:00:00.000 |AppInfo  |Digit analysis: match(",
            "00000001.000 |12:00:00.000 |AppInfo  ||X=",
            "00000001.000 |12:00:00.000 |AlarmErr |AlarmName: SIPTrunkOOS, AlarmParameters: ",
            "00000001.000 |12:00:00.000 |SdlSig   |SIPCertificateInd|w|r|s|t|connIdx= 1 --remoteIP=",
            "00000001.000 |12:00:00.000 |AppInfo  |SIPTcp - x: ",
            "00000001.000 |12:00:00.000 |FileHead |UTC:-04:00,Date: 2016/07/29",
        ):
            sdl.read(io.BytesIO((head + piece + "\n").encode()), sdl.SdlTrace())
        onscreen.packets("19:04:13.410944 IP " + piece)
