# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read on the controller: a capture of 100,000 packets, SDL traces of a gigabyte."""

from __future__ import annotations

import gzip
import json
import shutil
import struct
import sys
from pathlib import Path

from .measure import Broken, median

Figures = dict[str, float]
PACKETS = 100_000
# An SDL file as CUCM writes it, one block repeated: signals, text, a SIP message, a certificate.
SDL_BLOCK = (
    "04530191.034 |19:59:21.189 |AppInfo  |//SIP/SIPHandler/ccbId=0/scbId=0/SIP_PROCESS_ENQUEUE: createConnMsg "
    "tls_security=3\n"
    "04530208.000 |19:59:21.224 |SdlSig   |SIPSPISignal                           |wait                           "
    "|SIPHandler(2,100,79,1)           |SIPTcp(2,100,71,1)               |2,100,14,268456.1419^192.0.2.46^* "
    "|*TraceFlagOverrode\n"
    "04530208.001 |19:59:21.224 |AppInfo  |SIPTcp - wait_SdlSPISignal: Outgoing SIP TCP message to 192.0.2.200 on "
    "port 5061 index 12 \n[131,NET]\nOPTIONS sip:192.0.2.200:5061 SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.203:5061;"
    "branch=z9hG4bK144f49a43a\r\nCall-ID: 94fffc00-57415541-7-cb5f6a0a@192.0.2.203\r\nCSeq: 101 OPTIONS\r\n"
    "Max-Forwards: 0\r\nContent-Length: 0\r\n\r\n\n"
) + "04530209.000 |19:59:21.230 |AppInfo  |StationInit - nothing of interest in a line of the usual length\n" * 40
SDL_HEAD = (
    "04530190.000 |19:59:21.000 |FileHead |UTC:+00:00,Date: 2026/01/01, AppName: CCM, AppId: 100, AppNodeId: 1, "
    "AppVersion: CUCM Install=10.5.2.10000-5 Build=10.5.2.10000-5, HostName: CUCM10, HostIPAddress: 192.0.2.203, "
    "AppStartTime: 2026/01/01 00:00:00, FileNumber: 1, TraceVer: 3.0\n"
)


def module(name: str, options: dict[str, object], folder: Path) -> list[str]:
    """The command that runs a module without Ansible around it, as the same process that a task starts."""
    arguments = folder / f"{name}.json"
    arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": options}), encoding="utf-8")
    return [sys.executable, "-m", f"ansible_collections.siptls.cucm.plugins.modules.{name}", str(arguments)]


def big_capture(path: Path) -> None:
    """Packets of one long TCP connection on 5061, TLS records of application data after a hello."""
    ether = bytes(12) + b"\x08\x00"
    record = b"\x17\x03\x03\x01\x00" + bytes(256)
    ends = bytes((192, 0, 2, 1, 192, 0, 2, 2))
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        number = 1
        for at in range(PACKETS):
            tcp = struct.pack("!HHIIBBHHH", 40000, 5061, number & 0xFFFFFFFF, 1, 0x50, 0x18, 512, 0, 0) + record
            ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), at & 0xFFFF, 0, 64, 6, 0) + ends
            data = ether + ip + tcp
            head = struct.pack("<IIII", 1_700_000_000 + at // 1000, at % 1000 * 1000, len(data), len(data))
            file.write(head + data)
            number += len(record)


def capture(folder: Path, runs: int) -> Figures:
    """(e) A capture of 100,000 packets, against tshark."""
    tshark = shutil.which("tshark")
    if not tshark:
        raise Broken("tshark is not installed, so there is nothing to compare with")
    file = folder / "large.pcap"
    big_capture(file)
    ours = median(module("sip_tls_capture_info", {"paths": [str(file)]}, folder), runs)
    fields = ["-T", "fields", "-e", "tls.handshake.type", "-e", "tls.handshake.certificate"]
    theirs = median(
        [tshark, "-r", str(file), "-d", "tcp.port==5061,tls", "-Y", "tls.handshake || tls.alert_message", *fields], runs
    )
    return {
        "ours, s": ours.wall,
        "tshark, s": theirs.wall,
        "ours / tshark": ours.wall / theirs.wall,
        "peak MB": ours.peak,
    }


def traces(folder: Path, runs: int, megabytes: int = 1024) -> Figures:
    """(f) SDL traces of a gigabyte, against zcat | wc."""
    source = folder / "sdl"
    source.mkdir()
    per_file = 32 * 1024 * 1024
    body = SDL_HEAD + SDL_BLOCK * (per_file // len(SDL_BLOCK))
    packed = gzip.compress(body.encode(), 6)
    for number in range(max(megabytes * 1024 * 1024 // per_file, 1)):
        (source / f"SDL001_100_{number:06}.txt.gz").write_bytes(packed)
    files = sorted(map(str, source.iterdir()))
    ours = median(module("cucm_trace_info", {"files": files}, folder), runs)
    theirs = median(["sh", "-c", f"zcat {source}/*.gz | wc"], runs)
    return {
        "ours, s": ours.wall,
        "zcat | wc, s": theirs.wall,
        "ours / zcat": ours.wall / theirs.wall,
        "peak MB": ours.peak,
    }
