# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of Cisco document 200180 parse to what they say; so do the shapes of real traces, cut anywhere."""

from __future__ import annotations

import gzip
import io
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import onscreen
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces import (
    calllogs,
    reasons,
    sdl,
    selection,
    trace_files,
    trunk_state,
)
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability import dime, log_collection

from tests.support.made_traces import CALLLOG, FLAT, REAL, head


def parse(text: str | bytes) -> sdl.SdlTrace:
    trace = sdl.SdlTrace()
    sdl.read(io.BytesIO(text if isinstance(text, bytes) else text.encode()), trace)
    return trace


def summary(trace: sdl.SdlTrace, logs: str = "", **wanted: Any) -> dict[str, Any]:
    entries = calllogs.read(io.BytesIO(logs.encode()), trace.problem)
    return selection.summary(trace, entries, selection.Wanted(**wanted))


def test_both_certificate_signals_of_the_document() -> None:
    first, second = parse(FLAT).certificates
    expected = {
        "run": 0,
        "index": 12, "remote_ip": "10.106.95.200", "remote_port": 5061,
        "subject": "/C=IN/ST=cisco/L=cisco/O=cisco/OU=cisco/CN=CUCM10", "cipher": "AES128-SHA", "sans": [],
    }  # fmt: skip
    assert first == {
        "time": "19:59:21.323",
        **expected,
        "receiver": "SIPHandler(1,100,72,1)",
        "sender": "SIPTcp(1,100,64,1)",
    }
    assert second == {
        "time": "19:59:21.324",
        **expected,
        "receiver": "SIPD(1,100,74,16)",
        "sender": "SIPHandler(1,100,72,1)",
    }


def test_digit_analysis_of_the_document() -> None:
    (found,) = parse(FLAT).digit_analysis
    assert (found["calling"], found["dialed"], found["pattern"], found["partition"]) == ("1018", "9898", "9898", "")
    assert found["match"]["fqcn"] == "1018"
    assert found["match"]["dac"] == "0"
    assert found["results"] == {
        "PretransformCallingPartyNumber": "1018", "CallingPartyNumber": "1018", "DialingPartition": "",
        "DialingPattern": "9898", "FullyQualifiedCalledPartyNumber": "9898",
    }  # fmt: skip


def test_connection_and_invite_of_the_document() -> None:
    trace = parse(FLAT)
    assert trace.connections == [
        {"time": "19:59:21.189", "run": 0, "event": "createConnMsg", "tls_security": 3},
        {
            "time": "19:59:21.224", "run": 0, "event": "sipConnectionManagerProcessConnCreated",
            "remote_ip": "10.106.95.200", "remote_port": 5061, "index": 12, "transport": "TLS Over TCP",
        },
    ]  # fmt: skip
    (invite,) = trace.messages
    assert invite["start_line"] == "INVITE sip:9898@10.106.95.200:5061 SIP/2.0"
    assert invite["call_id"] == "94fffc00-57415541-7-cb5f6a0a@10.106.95.203"
    assert (invite["calling"], invite["called"], invite["user_agent"]) == ("1018", "9898", "Cisco-CUCM9.1")
    assert (invite["way"], invite["remote_ip"], invite["remote_port"], invite["index"], invite["net"]) == (
        "out", "10.106.95.200", 5061, 12, 131,
    )  # fmt: skip
    (call,) = summary(trace)["calls"]
    assert (call["transport"], call["result"]) == ("TLS", "not known")


def test_the_screen_of_the_document_flat_and_in_lines() -> None:
    head = (
        "admin:utils network capture host ip 10.106.95.200 Executing command with options: interface=eth0 "
        "ip=10.106.95.200 "
    )
    lines = [
        "19:04:13.410944 IP CUCMA.42387 > 10.106.95.200.sip-tls: P 790302485:790303631(1146) ack 3661485150 win 182 "
        "<nop,nop,timestamp 2864697196 5629758>",
        "19:04:13.450507 IP 10.106.95.200.sip-tls > CUCMA.42387: . ack 1146 win 249 "
        "<nop,nop,timestamp 6072188 2864697196>",
        "19:04:13.465388 IP 10.106.95.200.sip-tls > CUCMA.42387: P 1:427(426) ack 1146 win 249 "
        "<nop,nop,timestamp 6072201 2864697196>",
    ]
    for text in (head + " ".join(lines), head + "\n" + "\r\n".join(lines)):
        first, second, third = onscreen.packets(text)
        assert first == {
            "time": "19:04:13.410944", "source": "CUCMA", "source_port": 42387, "target": "10.106.95.200",
            "target_port": 5061, "flags": "P", "sequence": 790302485, "length": 1146, "ack": 3661485150, "window": 182,
        }  # fmt: skip
        assert (second["flags"], second["length"], second["ack"], second["sequence"]) == (".", 0, 1146, None)
        assert (third["source_port"], third["sequence"], third["length"]) == (5061, 1, 426)


def test_the_newer_style_of_tcpdump_on_the_screen() -> None:
    text = "19:04:13.410944 IP 10.0.0.1.42387 > 10.0.0.2.5061: Flags [P.], seq 1:1147, ack 1, win 182, length 1146"
    (found,) = onscreen.packets(text)
    assert (found["flags"], found["sequence"], found["length"], found["ack"], found["window"]) == (
        "P.",
        1,
        1146,
        1,
        182,
    )


def test_a_whole_call_with_date_zone_srtp_and_ladder() -> None:
    trace = parse(REAL)
    assert trace.heads == [
        {
            "time": "2014-05-22T19:59:00.000+05:30", "version": "9.1.2.10000-28", "host": "CUCMA",
            "address": "10.106.95.203", "trace_version": "3.0", "node_id": 1, "process_started": "2014/05/01 08:57:06",
        }
    ]  # fmt: skip
    (call,) = summary(trace, CALLLOG)["calls"]
    assert call["time"] == "2014-05-22T19:59:21.224+05:30"
    assert (call["trunk"], call["transport"], call["result"], call["srtp"]) == ("TLS-TO-B", "TLS", "answered", True)
    assert [(step["way"], step["message"]) for step in call["ladder"]] == [("out", "INVITE"), ("in", "200 OK")]
    assert "U0VDUkVUS0VZ" not in repr(trace)
    (analysis,) = trace.digit_analysis
    assert analysis["calling_search_space"] == "CSS"
    assert analysis["results"]["DialingPattern"] == "9898"


def test_call_logs_alone_tell_of_the_call() -> None:
    (call,) = summary(sdl.SdlTrace(), CALLLOG)["calls"]
    assert (call["trunk"], call["transport"], call["result"], call["direction"]) == (
        "TLS-TO-B",
        "TLS",
        "answered",
        "out",
    )
    assert call["remote_ip"] == "10.106.95.200"


def test_the_alarm_says_why_and_what_next_and_passes_midnight() -> None:
    (alarm,) = summary(parse(REAL))["alarms"]
    assert alarm["time"] == "2014-05-23T00:00:01.000+05:30"
    assert (alarm["name"], alarm["trunk"], alarm["severity"], alarm["node"]) == (
        "SIPTrunkOOS",
        "TLS-TO-B",
        "Critical",
        "CUCMA",
    )
    (peer,) = alarm["peers"]
    assert (peer["host"], peer["address"], peer["port"], peer["reason"]) == ("cucm10", "10.106.95.200", 5061, "Local=2")
    assert "TLS handshake" in peer["meaning"]
    assert "sip_tls_probe" in peer["next_step"]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"number": "9898"}, 1), ({"number": "1018"}, 1), ({"number": "7777"}, 0), ({"trunk": "TLS-TO-B"}, 1),
        ({"trunk": "OTHER"}, 0), ({"call_id": "call-1@10.106.95.203"}, 1), ({"call_id": "x"}, 0),
        ({"since": datetime.fromisoformat("2014-05-22T14:29:00+00:00")}, 1),
        ({"since": datetime.fromisoformat("2014-05-22T14:30:00+00:00")}, 0),
        ({"until": datetime.fromisoformat("2014-05-22T19:00:00")}, 0),
        ({"peers": frozenset({"10.106.95.200"})}, 1), ({"peers": frozenset({"10.9.9.9"})}, 0),
    ],
)  # fmt: skip
def test_calls_are_found_by_time_number_trunk_call_and_peer(wanted: dict[str, Any], count: int) -> None:
    assert len(summary(parse(REAL), CALLLOG, **wanted)["calls"]) == count


def ping(way: str, start: str, call_id: str, when: str = "12:00:00.000") -> str:
    words = (
        "wait_SdlSPISignal: Outgoing SIP TCP message to"
        if way == "out"
        else "wait_SdlReadRsp: Incoming SIP TCP message from"
    )
    return (
        f"00000001.000 |{when} |AppInfo  |SIPTcp - {words} 192.168.38.8 on port 5061 index 4 \n[1,NET]\n{start}\r\n"
        f"Call-ID: {call_id}\r\nCSeq: 101 OPTIONS\r\nMax-Forwards: 0\r\n\r\n\n"
    )


def result(error: str, response: int) -> str:
    return (
        "00000002.000 |12:00:01.000 |SdlSig   |SIPPingResult                          |restart0                       "
        "|SIPD(2,100,81,17) |SIPHandler(2,100,79,1) |2,100,14,1^*^* |[R:N-H:0,N:1,L:0,V:0,Z:0,D:0]  ccbID= 431466 "
        f"interErr={error} resp={response} state=0 --TransType=1 --TransSecurity=0 PeerAddr = 192.168.38.8:5061\n"
    )


OPTIONS = "OPTIONS sip:192.168.38.8:5061 SIP/2.0"


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (ping("out", OPTIONS, "a") + ping("in", "SIP/2.0 483 Too Many Hops", "a") + result("F", 483), "alive"),
        (ping("out", OPTIONS, "a") + ping("in", "SIP/2.0 483 Too Many Hops", "a") + result("T", 0), "alive"),
        (ping("out", OPTIONS, "a") + ping("in", "SIP/2.0 503 Service Unavailable", "a") + result("F", 503), "dead"),
        (ping("out", OPTIONS, "a") + ping("out", OPTIONS, "b", "12:02:00.000"), "dead"),
        (ping("out", OPTIONS, "a") + ping("out", OPTIONS, "b", "12:00:00.500"), "unknown"),
        (result("F", 483) + ping("out", OPTIONS, "a", "12:01:00.000"), "alive"),
        (
            result("F", 483) + ping("out", OPTIONS, "a", "12:01:00.000") + ping("out", OPTIONS, "b", "12:03:00.000"),
            "dead",
        ),
        (result("F", 483) + result("F", 408).replace("12:00:01", "12:19:00"), "dead"),
        (ping("out", OPTIONS, "a"), "unknown"),
        (result("T", 0), "unknown"),
        (result("F", 408), "dead"),
    ],
    ids=[
        "483",
        "483 but interErr",
        "503",
        "two unanswered",
        "two just sent",
        "one after an answer",
        "two after an answer",
        "408 after an answer",
        "one just sent",
        "interErr alone",
        "408",
    ],
)
def test_a_peer_is_alive_by_its_answer_not_by_cucms_internal_error(text: str, state: str) -> None:
    (found,) = summary(parse(text))["options"]
    assert (found["peer_ip"], found["state"]) == ("192.168.38.8", state)


@pytest.mark.parametrize("cut", [0, 3, 20, 400])
def test_gzip_finished_or_not(cut: int) -> None:
    packed = gzip.compress(REAL.encode())
    trace = parse(packed[: len(packed) - cut])
    assert trace.heads
    assert bool(trace.problems) == bool(cut)
    if cut <= 20:
        assert len(trace.messages) == 2


def test_cut_anywhere_it_reads_what_is_there() -> None:
    raw = REAL.encode()
    for at in range(0, len(raw), 37):
        assert len(parse(raw[at:]).messages) <= 2
        assert len(parse(raw[:at]).messages) <= 2


def test_unknown_reasons_are_still_put_in_words() -> None:
    assert reasons.explain("Remote=500")["meaning"] == "the peer answered 500"
    assert reasons.explain("nothing here") == {"reason": None, "meaning": None, "next_step": None}


def test_a_tls_failure_of_another_kind_is_kept_in_cucms_words() -> None:
    (found,) = parse("04530204.002 |19:59:21.224 |AppError  |SSL_connect failed: certificate verify failed\n").failures
    assert (found["text"], found["meaning"]) == ("SSL_connect failed: certificate verify failed", None)


def test_a_trace_of_noise_is_read_fast() -> None:
    """At 20 MB a second 1 GB takes 50 s, within ten times what zcat and wc take; here half of it must be reached."""
    noise = (
        "09939305.000 |07:43:52.064 |SdlSig   |SIPSPISignal                           |wait                           "
        "|SIPHandler(2,100,79,1)           |SIPTcp(2,100,71,1)               |2,100,14,268456.1419^1.2.3.4^SEP"
        " |*TraceFlagOverrode\n"
        "09939306.000 |07:43:52.065 |AppInfo  |Line - something that nobody asks for\n"
    )
    text = gzip.compress((noise * 60_000 + REAL).encode(), 1)
    size = len(noise) * 60_000
    begin = time.process_time()
    trace = parse(text)
    spent = time.process_time() - begin
    assert len(trace.messages) == 2
    assert size / spent > 10e6, f"{size / spent / 1e6:.0f} MB/s"


def test_files_on_disk_are_in_the_order_of_their_heads_because_their_names_begin_again(tmp_path: Path) -> None:
    second = {"started": "12 08:00:00"}
    written = {
        "SDL001_100_000249.txt": head(number="499").encode(),
        "SDL001_100_000250.txt.gz": gzip.compress(head(number="500").encode()),
        "SDL001_100_000001.txt.gz": gzip.compress(head(number="501").encode()),
        "SDL001_100_000002.txt.gzo": gzip.compress((head(number="502") + "x" * 99).encode())[:-8],
        "SDL001_100_000009.txt": head(number="502", time="20:30:00.000").encode(),
        "SDL001_100_000003.txt": ("\ufeff" + head(number="1", **second)).encode(),
        "SDL002_100_000001.txt": head(2, "cucm-2", "10.0.0.92", number="7").encode(),
        "SDL001_100_000004.txt": b"00000102.000 |20:21:09.000 |AppInfo  |x\n",
        "calllogs_00000001.txt": CALLLOG.encode(),
    }
    for name, content in written.items():
        (tmp_path / name).write_bytes(content)
    assert [path.name for path in trace_files.in_order([tmp_path])] == list(written)


def listing(names: str, modified: str) -> list[log_collection.LogFile]:
    """Files of a node, the first one the oldest; ``modified`` is the form of their dates."""
    return [
        log_collection.LogFile(f"/x/SDL001_100_000{name}.txt.gz", 1, modified.format(minute=10 + number))
        for number, name in enumerate(names.split())
    ]


@pytest.mark.parametrize(
    ("modified", "newest"),
    [
        ("Sun Nov 29 10:{minute}:00 UTC 2026", ["250", "001", "002"]),
        ("Sun Nov  1 10:{minute}:00 2026", ["250", "001", "002"]),
        ("Sun Nov 29 10:00:00 IST 2026", ["248", "249", "250"]),
        ("yesterday", ["248", "249", "250"]),
        ("Sun Nov 39 10:{minute}:00 IST 2026", ["248", "249", "250"]),
    ],
)
def test_the_newest_files_of_a_node_are_those_that_changed_last(
    modified: str, newest: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_collection, "select", lambda *_given, **_more: listing("248 249 250 001 002", modified))
    files, left_out = trace_files.wanted_files(None, None, None, 60, 3)  # type: ignore[arg-type]
    assert ([file.name[-10:-7] for file in files], left_out) == (newest, 2)


def test_the_last_alarm_of_a_trunk_is_in_the_file_that_changed_last(monkeypatch: pytest.MonkeyPatch) -> None:
    alarm = (
        "00000102.000 |20:21:09.000 |AlarmErr |AlarmClass: CallManager, AlarmName: {0}, AlarmSeverity: Error, "
        "AlarmMessage: , AlarmDescription: x, AlarmParameters:  DeviceName:T, NodeID:cucm-1,\n"
    )
    texts = {"250": head() + alarm.format("SIPTrunkOOS"), "001": head() + alarm.format("SIPTrunkISV")}
    files = listing("250 001", "Sun Nov 29 10:{minute}:00 UTC 2026")
    monkeypatch.setattr(log_collection, "select", lambda *_given, **_more: files)
    monkeypatch.setattr(dime, "fetch", lambda _client, path: texts[path[-10:-7]].encode())
    assert trunk_state._alarms(type("Client", (), {"host": "cucm-1"}), 60, []) == {}  # type: ignore[arg-type]
