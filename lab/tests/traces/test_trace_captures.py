# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures of the real TLS bytes, judged by tshark."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cucm_lab.sip import place_call
from cucm_lab.sip import testing as world
from cucm_lab.traces import packets
from cucm_lab.traces.capture import Capture

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark (Debian's package) is not installed")
ONSCREEN = re.compile(
    r"^(\d\d:\d\d:\d\d\.\d{6}) IP (\S+)\.([\w-]+) > (\S+)\.([\w-]+): ([SFPRW.]+) "
    r"(?:(\d+):(\d+)\((\d+)\) )?(?:ack (\d+) )?win (\d+)"
)


SUPPORTED = "tls.handshake.extensions.supported_version"
FIELDS = (
    "tcp.flags.str", "tls.handshake.type", "tls.handshake.version", SUPPORTED, "tls.handshake.certificate",
    "tls.alert_message.desc", "_ws.expert.severity", "_ws.malformed", "sip.Method", "sip.Status-Code",
    "sdp.media.proto",
)  # fmt: skip


def read(path: Path) -> list[dict[str, str]]:
    """Each frame's fields, several values with commas."""
    arguments = ["tshark", "-r", str(path), "-d", "tcp.port==5061,tls", "-o", "tcp.check_checksum:TRUE",
                 "-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "occurrence=a"]  # fmt: skip
    for name in FIELDS:
        arguments += ["-e", name]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    return [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


@needs_tshark
@pytest.mark.parametrize(("release", "version"), [("9.1", "0x0301"), ("14", "0x0303"), ("15SU2", "0x0304")])
def test_tshark_reads_both_ends_of_a_call(tmp_path: Path, release: str, version: str) -> None:
    paths = {}

    async def run() -> list[bytes]:
        async with world.running(tmp_path, world.scenario(release, release)) as lab:
            await world.secure_pair(lab)
            installed = [node.certs.held_certificate("CallManager").encode() for node in lab.nodes]
            captures: list[Capture] = []
            for node in lab.nodes:
                paths[node.name] = node.active_log / "platform" / "cli" / "packets.cap"
                captures.append(node.sip.captures.start(port=5061, path=paths[node.name]))
            assert (await place_call(lab, "a", "1018", "9898"))["result"] == "answered"
            for cluster in lab.clusters.values():
                world.reset_trunks(cluster)
            await asyncio.sleep(0.2)
            for capture in captures:
                capture.stop()
            await world.certify(lab.clusters["b"].publisher, world.Authority("Other CA"))
            broken = tmp_path / "broken.cap"
            paths["broken"] = broken
            last = lab.nodes[0].sip.captures.start(path=broken)
            assert (await place_call(lab, "a", "1018", "9898"))["result"] == "failed"
            await asyncio.sleep(0.1)
            last.stop()
            return installed

    installed = asyncio.run(run())
    frames = {name: read(path) for name, path in paths.items()}
    for name, rows in frames.items():
        flags = [row["tcp.flags.str"] for row in rows]
        assert sum("S" in flag for flag in flags) == 2, flags
        assert sum("F" in flag for flag in flags) == 2, flags
        assert not [row for row in rows if row["_ws.malformed"]]
        if name != "broken":
            # 6291456: a warning, such as a bad checksum, a lost segment or a retransmission.
            levels = ",".join(row["_ws.expert.severity"] for row in rows).split(",")
            assert not [level for level in levels if level and int(level) >= 6291456]
    for name in ("CUCMA", "CUCM10"):
        hello = [row for row in frames[name] if "2" in row["tls.handshake.type"].split(",")]
        assert len(hello) == 1
        assert (hello[0][SUPPORTED] or hello[0]["tls.handshake.version"]) == version
        types = ",".join(row["tls.handshake.type"] for row in frames[name]).split(",")
        certificates = [c for row in frames[name] for c in row["tls.handshake.certificate"].split(",") if c]
        if release == "15SU2":
            assert certificates == []
        else:
            assert types.count("11") == 2
            assert {"13", "15", "16"} <= set(types)
            for pem in installed:
                assert x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER).hex() in certificates
    alerts = [row["tls.alert_message.desc"] for row in frames["broken"] if row["tls.alert_message.desc"]]
    assert "48" in alerts or release == "15SU2"


@needs_tshark
def test_sip_over_tcp_is_readable_in_a_capture(tmp_path: Path) -> None:
    async def run() -> Path:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            world.connect(lab.clusters["a"], lab.clusters["b"], "9898", tls=False)
            world.connect(lab.clusters["b"], lab.clusters["a"], "1018", tls=False)
            path = tmp_path / "plain.cap"
            capture = lab.nodes[0].sip.captures.start(host=lab.nodes[1].address, path=path)
            result = await place_call(lab, "a", "1018", "9898")
            assert (result["result"], result["transport"], result["srtp"], result["secure"]) == (
                "answered", "TCP", True, False)  # fmt: skip
            capture.stop()
            return path

    path = asyncio.run(run())
    rows = read(path)
    assert [row["sip.Method"] for row in rows if row["sip.Method"]] == ["INVITE", "ACK", "BYE"]
    assert ",".join(row["sip.Status-Code"] for row in rows if row["sip.Status-Code"]) == "100,180,200,200"
    assert [row["sdp.media.proto"] for row in rows if row["sdp.media.proto"]] == ["RTP/SAVP", "RTP/SAVP"]


def test_the_screen_shows_what_the_document_shows(tmp_path: Path) -> None:
    async def run() -> list[str]:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            await world.secure_pair(lab)
            node = lab.nodes[0]
            capture = node.sip.captures.start(host=lab.nodes[1].address, count=12)
            await place_call(lab, "a", "1018", "9898")
            lines = []
            while (line := await capture.line()) is not None:
                lines.append(line)
            assert capture.packets == 12
            return lines

    lines = asyncio.run(run())
    assert len(lines) == 12
    matches = [ONSCREEN.match(line) for line in lines]
    assert all(matches), lines
    assert " CUCMA." in lines[0]
    assert ".sip-tls: S " in lines[0]
    payload = [match for match in matches if match and match[6] == "P"]
    assert payload[0][7] == "1"
    assert int(payload[0][8]) - int(payload[0][7]) == int(payload[0][9])


def test_a_capture_in_the_middle_starts_with_absolute_numbers() -> None:
    here, there = ("10.106.95.203", 42387), ("10.106.95.200", 5061)
    screen = packets.Screen({"10.106.95.203": "CUCMA"})
    first = packets.Segment(1.5, here, there, 790302485, 3661485150, packets.PSH | packets.ACK, b"x" * 1146, 182)
    second = packets.Segment(1.6, there, here, 3661485150, 790303631, packets.ACK, window=249)
    third = packets.Segment(1.7, there, here, 3661485150, 790303631, packets.PSH | packets.ACK, b"y" * 426)
    shown = [packets.screen_line(segment, screen) for segment in (first, second, third)]
    assert "CUCMA.42387 > 10.106.95.200.sip-tls: P 790302485:790303631(1146) ack 3661485150 win 182" in shown[0]
    assert "10.106.95.200.sip-tls > CUCMA.42387: . ack 1146 win 249" in shown[1]
    assert ": P 1:427(426) ack 1146 win" in shown[2]
    newer = packets.screen_line(first, packets.Screen({"10.106.95.203": "CUCMA"}, new_style=True))
    assert "sip-tls: Flags [P.], seq 790302485:790303631, ack 3661485150, win 182, options [" in newer
    assert newer.endswith("], length 1146")
