# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No trace is read as more than it says: transports, transactions, failures, bounds, addresses."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence import addresses
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces import (
    alarms,
    sdl,
    selection,
    tls_failures,
    trace_files,
)
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import doctor
from cryptography.hazmat.bindings.openssl.binding import Binding
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.made_traces import head, opened, sip

PEER = ("10.0.0.170", 5061, 12)
INVITE = "INVITE sip:9898@10.0.0.170:5061 SIP/2.0"
KEYS = "v=0\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:c2VjcmV0\r\n"
CLEAR = "v=0\r\nm=audio 4000 RTP/AVP 0\r\n"


def read(*files: str, **wanted: Any) -> dict[str, Any]:
    trace = sdl.SdlTrace()
    for text in files:
        sdl.read(io.BytesIO(text.encode()), trace)
    return selection.summary(trace, [], selection.Wanted(**wanted))


def calls(*files: str) -> list[dict[str, Any]]:
    return read(*files)["calls"]


def test_the_via_decides_the_transport() -> None:
    (call,) = calls(head() + opened(12, "10.0.0.170", 5061, "TLS Over TCP") + sip("out", INVITE, "a", PEER, via="TCP"))
    assert call["transport"] == "TCP"


@pytest.mark.parametrize("written", ["Via:\n SIP/2.0/TLS", "Via :\n\tSIP/2.0/TLS", "v: SIP / 2.0 / tls"])
def test_a_header_may_be_folded_or_short(written: str) -> None:
    text = sip("out", INVITE, "a", PEER, via="TLS")
    assert "Via: SIP/2.0/TLS" in text
    (call,) = calls(head() + text.replace("Via: SIP/2.0/TLS", written))
    assert call["transport"] == "TLS"


def test_without_a_via_only_the_same_connection_says_what_the_transport_is() -> None:
    bare = sip("out", INVITE, "a", PEER, via="")
    tls = opened(12, "10.0.0.170", 5061, "TLS Over TCP")
    assert calls(head() + tls + bare)[0]["transport"] == "TLS"
    assert calls(head() + opened(12, "10.0.0.200", 5061, "TLS Over TCP") + bare)[0]["transport"] is None
    assert calls(head() + opened(12, "10.0.0.170", 5060, "TLS Over TCP") + bare)[0]["transport"] is None
    assert calls(head() + tls, head(started="12 08:00:00") + bare)[0]["transport"] is None
    assert calls(head() + tls, head(2, "cucm-2", "10.0.0.92") + bare)[0]["transport"] is None
    # The process started anew within the time of one head's text: line numbers begin again.
    assert calls(head(line="00900000") + tls, head(line="00000001") + bare)[0]["transport"] is None
    # A second file of the same run.
    assert calls(head() + tls, head(line="00000103") + bare)[0]["transport"] == "TLS"


def test_a_closed_connection_says_nothing_about_a_later_one() -> None:
    closed = (
        "00000102.000 |20:21:09.050 |AppInfo  |//SIP/Stack/Transport/0x0/sipTransportPostCloseConnection: Posting "
        "TCP conn close for addr=10.0.0.170, port=5061, connid=12\n"
    )
    tls = opened(12, "10.0.0.170", 5061, "TLS Over TCP")
    assert calls(head() + tls + closed + sip("out", INVITE, "a", PEER, via=""))[0]["transport"] is None


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["10.0.0.1", "10.0.0.2"]), st.sampled_from([5060, 5061]), st.integers(1, 3),
        st.sampled_from(["TCP", "TLS Over TCP"]), st.booleans(),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=80, deadline=2000, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 2), st.integers(11, 12), EVENTS), min_size=1, max_size=4))
def test_reused_numbers_never_mix_two_connections(files: list[tuple[int, int, list[Any]]]) -> None:
    """A call without a Via has the transport of the newest connection on its own number, address, port and run."""
    texts, expected = [], {}
    known: dict[tuple[Any, ...], str] = {}
    for number, (node, start, events) in enumerate(files):
        text = head(node, f"cucm-{node}", f"10.0.0.9{node}", f"{start} 08:00:00", line=f"{1000 + number:08d}")
        for at, (peer, port, index, transport, opens) in enumerate(events):
            key = (node, start, peer, port, index)
            line = 1001 + number
            if opens:
                known[key] = transport
                text += opened(index, peer, port, transport, line)
            call_id = f"{number}-{at}"
            text += sip("out", INVITE, call_id, (peer, port, index), via="")
            expected[call_id] = {"TLS Over TCP": "TLS", "TCP": "TCP", None: None}[known.get(key)]
        texts.append(text)
    # Files of one run that were read apart from each other stay one run, as CUCM's rolled files do.
    found = {call["call_id"]: call["transport"] for call in calls(*texts)}
    assert found == expected


@pytest.mark.parametrize("first", ["422 Session Interval Too Small", "401 Unauthorized", "302 Moved", "407 Proxy"])
def test_the_last_invite_counts(first: str) -> None:
    def dialog(status: str) -> str:
        return (
            head()
            + sip("out", INVITE, "a", PEER, body=KEYS)
            + sip("in", f"SIP/2.0 {first}", "a", PEER)
            + sip("out", "ACK sip:9898@10.0.0.170 SIP/2.0", "a", PEER, cseq="101 ACK")
            + sip("out", INVITE, "a", PEER, cseq="102 INVITE", body=KEYS)
            + sip("in", f"SIP/2.0 {status}", "a", PEER, cseq="102 INVITE", body=KEYS)
        )

    answered, failed = calls(dialog("200 OK"))[0], calls(dialog("486 Busy Here"))[0]
    assert (answered["status"], answered["result"], answered["srtp"]) == (200, "answered", True)
    assert (failed["status"], failed["result"]) == (486, "486 Busy Here")


def test_a_refused_change_of_a_call_leaves_it_answered() -> None:
    (call,) = calls(
        head() + sip("out", INVITE, "a", PEER) + sip("in", "SIP/2.0 200 OK", "a", PEER)
        + sip("in", "INVITE sip:1018@10.0.0.91 SIP/2.0", "a", PEER, cseq="101 INVITE")
        + sip("out", "SIP/2.0 488 Not Acceptable Here", "a", PEER, cseq="101 INVITE")
    )  # fmt: skip
    assert (call["result"], call["direction"]) == ("answered", "out")


@pytest.mark.parametrize(
    ("offer", "answer", "srtp"),
    [(KEYS, KEYS, True), (KEYS, CLEAR, False), (CLEAR, "", False), (KEYS, "", None), ("", "", None), ("", KEYS, None)],
)
def test_srtp_is_known_only_when_both_ends_sent_keys(offer: str, answer: str, srtp: bool | None) -> None:
    (call,) = calls(
        head() + sip("out", INVITE, "a", PEER, body=offer) + sip("in", "SIP/2.0 200 OK", "a", PEER, body=answer)
    )
    assert call["srtp"] is srtp


def test_both_ends_of_one_call_are_two_views_of_it() -> None:
    near = head() + sip("out", INVITE, "a", PEER)
    far = head(1, "cucm-b", "10.0.0.170") + sip("in", INVITE, "a", ("10.0.0.91", 40000, 3))
    assert [(call["node"], call["direction"]) for call in calls(near, far)] == [("cucm-1", "out"), ("cucm-b", "in")]


@pytest.mark.parametrize(
    "line",
    [
        "//SIP/SIPUdp/wait_SdlDataInd: Incoming SIP UDP message size 539 from 10.0.0.30:[49193]:",
        "SIPUdp - wait_SdlReadRsp: Incoming SIP UDP message size 539 from 10.0.0.30:[49193]:",
        "//SIP/SIPUdp/wait_SdlSPISignal: Outgoing SIP UDP message to ::ffff:10.0.0.30:[49193]:",
    ],
)
def test_udp_in_its_forms(line: str) -> None:
    text = f"00000102.001 |20:21:09.100 |AppInfo  |{line}\n[1,NET]\n{INVITE}\r\nCall-ID: u\r\nCSeq: 1 INVITE\r\n\r\n\n"
    (call,) = calls(head() + text)
    assert (call["remote_ip"], call["remote_port"], call["transport"]) == ("10.0.0.30", 49193, "UDP")


def test_sip_over_tcp_in_the_form_of_udp() -> None:
    text = sip("in", INVITE, "a", PEER).replace("SIPTcp - ", "//SIP/SIPTcp/")
    (call,) = calls(head() + text)
    assert (call["direction"], call["remote_ip"], call["transport"]) == ("in", "10.0.0.170", "TLS")
    line = opened(12, "10.0.0.170", 5061, "TLS Over TCP").replace("//SIP/Stack/Transport/0x0/", "//SIP/SIPTcp/")
    assert read(head() + line)["connections"][0]["transport"] == "TLS Over TCP"


@pytest.mark.parametrize(("peer", "address"), [("10.0.0.170", "10.0.0.170"), ("2001:DB8::1", "2001:db8::1")])
def test_a_message_that_was_too_large_is_told(peer: str, address: str) -> None:
    line = f"SIPTcp - Ignoring large message from {peer}:[27469]. Only allow up to 5000 bytes. Resetting connection."
    (found,) = read(head() + f"00000102.000 |20:21:09.100 |AppInfo  |{line}\n")["trouble"]
    assert (found["kind"], found["remote_ip"], found["remote_port"]) == ("message_too_large", address, 27469)
    assert (
        found["meaning"] == "a SIP message of the peer was dropped, because it was larger than the limit of 5000 bytes"
    )
    assert "SIP Max Incoming Message Size" in found["next_step"]


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("::ffff:192.0.2.50", "192.0.2.50"), ("[2001:DB8:0::1]", "2001:db8::1"), ("192.0.2.1", "192.0.2.1"),
        ("cucm.example.com", "cucm.example.com"),
    ],
)  # fmt: skip
def test_addresses_have_one_form(written: str, plain: str) -> None:
    assert addresses.plain(written) == plain
    assert addresses.without_port(f"{written}:5061") == (plain, 5061)
    assert read(head(address=written))["nodes"][0]["address"] == plain
    (call,) = calls(head() + sip("out", INVITE, "a", (written, 5061, 1)))
    assert call["remote_ip"] == plain


def test_addresses_of_ipv6_without_a_port() -> None:
    assert addresses.without_port("2001:db8::1") == ("2001:db8::1", None)
    assert addresses.without_port("cucm") == ("cucm", None)


FAILURES = (
    ("[1, 100, 17, 5]: HandleSSLError - Certificate verification failed:(Verification error:{code})- words for "
     "192.0.2.20:5061"),
    "SIPD(18) - validTLSConnection:TLS InvalidX509NameInCertificate Error , did not find matching SAN either, "
    "Rcvd=b.example.com, Expected=a.example.com",
)  # fmt: skip


@pytest.mark.parametrize(
    ("code", "kind"),
    [(9, "not_yet_valid"), (10, "expired"), (18, "self_signed"), (20, "issuer_missing"), (26, "purpose"),
     (23, "revoked"), (12, "revocation_unknown"), (48, "name_constraints"), (67, "weak"), (79, "invalid_ca"),
     (200, "verification")],
)  # fmt: skip
def test_verification_numbers_in_words(code: int, kind: str) -> None:
    line = f"00000102.000 |13:35:16.765 |AppInfo  |{FAILURES[0].format(code=code)}\n"
    (found,) = read(head() + line)["trouble"]
    assert (found["kind"], found["verification_error"], found["remote_ip"], found["remote_port"], found["node"]) == (
        kind, code, "192.0.2.20", 5061, "cucm-1",
    )  # fmt: skip
    assert found["meaning"]
    assert found["next_step"]


def test_every_verification_number_that_openssl_names_is_in_words() -> None:
    """OpenSSL's own list; what this program asks for (50) and what needs DNS or raw keys (65, 95) has no sentence."""
    binding = Binding()
    words = {
        code: binding.ffi.string(binding.lib.X509_verify_cert_error_string(code)).decode() for code in range(2, 100)
    }
    named = {code for code, text in words.items() if not text.startswith("unknown certificate verification error")}
    assert named - set(tls_failures.VERIFICATION) <= {50, 65, 95}
    assert len(named) > 80


@pytest.mark.parametrize(
    ("reason", "kind", "alert"),
    [
        ("tlsv1 alert unknown ca [1048]", "alert", "unknown_ca"),
        ("ssl/tls alert handshake failure [1040]", "alert", "handshake_failure"),
        ("no shared cipher [193]", "cipher", None),
        ("unsupported protocol [258]", "version", None),
        ("peer did not return a certificate [199]", "no_client_certificate", None),
        ("internal error [68]", "protocol", None),
    ],
)
def test_errors_of_the_protocol_in_words(reason: str, kind: str, alert: str | None) -> None:
    text = (
        f"[1, 100, 17, 5]: HandleSSLError - TLS protocol error(ssl reason code={reason}),lib=SSL routines [20],"
        "fun=ssl3_read_bytes [148], errno=0 for 192.0.2.20:5061"
    )
    found = tls_failures.failure(text)
    assert found
    assert (found["kind"], found.get("alert"), found["remote_ip"]) == (kind, alert, "192.0.2.20")


def test_a_certificate_that_openssl_could_not_verify_was_refused_here() -> None:
    found = tls_failures.failure(
        "[1, 100, 17, 5]: HandleSSLError - TLS protocol error(ssl reason code=certificate verify failed [134]),lib=SSL "
        "routines [20],fun=tls_process_server_certificate [148], errno=0 for 192.0.2.20:5061"
    )
    assert found
    assert (found["kind"], found["remote_ip"]) == ("verification", "192.0.2.20")
    assert "could not verify the peer's certificate, and refused it" in found["meaning"]
    assert "before" not in found["meaning"] and found["next_step"]


@pytest.mark.parametrize(
    ("errno", "words"),
    [(104, ": the peer reset the connection"), (110, ": the connection timed out"), (0, ": OpenSSL reports no reason"),
     (99, ": OpenSSL reports no reason"), (32, ": the peer had closed the connection"),
     (111, ": the peer refused the connection")],
)  # fmt: skip
def test_a_handshake_that_ends_without_an_error_of_openssl(errno: int, words: str) -> None:
    found = tls_failures.failure(
        f"[1, 100, 17, 5]: HandleSSLError - TLS protocol error(ssl reason code=(null) [0]),lib=(null) [0],fun=(null) "
        f"[0], errno={errno} for 192.0.2.20:5061"
    )
    assert found
    assert (found["kind"], found["meaning"]) == ("connection", f"the TLS handshake was not completed{words}")


def test_a_wrong_name_in_words() -> None:
    line = f"00000102.000 |13:35:16.765 |AppInfo  |{FAILURES[1]}\n"
    (found,) = read(head() + line)["trouble"]
    assert (found["kind"], found["received"], found["expected"]) == ("name_mismatch", "b.example.com", "a.example.com")


# Cisco's own sample: a phone behind an Expressway, its device name in the alarm.
PHONE = (
    "AppInfo  |SIPStationD(18400) - validTLSConnection:TLS InvalidX509NameInCertificate Error , did not find matching "
    "SAN either, Rcvd=exp-c.example.com, Expected=Secure-EX90.example.com",
    "AppInfo  |ConnectionFailure - Unified CM failed to open a TLS connection for the indicated device Device "
    "Name:SEP00506006EAFE IP Address:192.0.2.20 IPV6Address: Device type:584 Reason code:2 App ID:Cisco CallManager "
    "Cluster ID:C Node ID:cucm-1",
    "AlarmErr |AlarmClass: CallManager, AlarmName: ConnectionFailure, AlarmSeverity: Error, AlarmMessage: , "
    "AlarmDescription: x, AlarmParameters: DeviceName:{device}, IPAddress:192.0.2.20, IPV6Address:, {type}Reason:2, "
    "AppID:Cisco CallManager, ClusterID:C, NodeID:cucm-1,",
)


@pytest.mark.parametrize(
    ("line", "device"),
    [
        (PHONE[0], None),
        (PHONE[1], "SEP00506006EAFE"),
        (PHONE[2].format(device="SEP00506006EAFE", type="DeviceType:584, "), "SEP00506006EAFE"),
        (PHONE[2].format(device="SEP00506006EAFE", type=""), "SEP00506006EAFE"),
        (PHONE[2].format(device="CSFJDOE", type=""), "CSFJDOE"),
    ],
)
def test_a_failed_connection_of_a_phone_blames_no_trunk(line: str, device: str | None) -> None:
    read_of = read(head() + f"00000102.000 |13:35:16.765 |{line}\n")
    (found,) = read_of["trouble"] + read_of["alarms"]
    assert (found["kind"], found.get("trunk"), found["node"]) == ("name_mismatch", None, "cucm-1")
    assert found["phone"] and not doctor._cause_of(found, at_target=True)
    assert found.get("parameters", {}).get("DeviceName") == device
    assert found["next_step"].startswith("This concerns a phone, not a trunk.")


@pytest.mark.parametrize("kind", ["DeviceType:131, ", ""])
def test_a_failed_connection_of_a_trunk_names_it(kind: str) -> None:
    line = PHONE[2].format(device="SEP-PARIS", type=kind)
    (found,) = read(head() + f"00000102.000 |13:35:16.765 |{line}\n")["alarms"]
    assert (found["kind"], found["trunk"], found.get("phone")) == ("name_mismatch", "SEP-PARIS", None)
    assert "SIP trunk security profile" in found["next_step"]


RIS = """\
00000102.000 |13:35:16.765 |AppInfo  |RISCMAccess::SIPTrunkOOS -->
00000102.001 |13:35:16.765 |AppInfo  |{0}::deviceName=TLS-TO-B
00000102.002 |13:35:16.765 |AppInfo  |{0}::availList=
00000102.003 |13:35:16.765 |AppInfo  |{0}::unAvailList=b, 192.0.2.20, 5061, Remote=503
00000102.004 |13:35:16.765 |AppInfo  |RISCMAccess::SIPTrunkOOS <--
"""
OUT_OF_SERVICE = (
    RIS.format("RISCMAccess::SIPTrunkOOS"),
    RIS.format(""),
    "00000102.000 |13:35:16.765 |AlarmErr |AlarmClass: CallManager, AlarmName: SIPTrunkOOS, AlarmSeverity: Error, "
    "AlarmMessage: , AlarmDescription: x, AlarmParameters:  DeviceName:TLS-TO-B, "
    "UnavailableRemotePeersWithReasonCode:b, 192.0.2.20, 5061, ReasonCodeType=Remote=503, AppID:Cisco CallManager, "
    "NodeID:cucm-1,\n",
)


@pytest.mark.parametrize("text", OUT_OF_SERVICE)
def test_a_trunk_out_of_service_in_all_forms(text: str) -> None:
    (alarm,) = read(head() + text)["alarms"]
    assert (alarm["name"], alarm["trunk"], alarm["node"]) == ("SIPTrunkOOS", "TLS-TO-B", "cucm-1")
    (peer,) = alarm["peers"]
    assert (peer["address"], peer["reason"]) == ("192.0.2.20", "Remote=503")
    assert "Busy Out" in peer["next_step"]


def ris(number: int, trunk: str, peers: str) -> list[str]:
    """The lines of a block of RISCMAccess about a trunk out of service."""
    begin = f"{number:08d}.00{{}} |13:35:16.765 |AppInfo  |"
    texts = (
        "RISCMAccess::SIPTrunkOOS -->", f"::deviceName={trunk}", "::availList=", f"::unAvailList={peers}",
        "RISCMAccess::SIPTrunkOOS <--",
    )  # fmt: skip
    return [f"{begin.format(at)}{text}\n" for at, text in enumerate(texts)]


def told(*files: str) -> list[tuple[str, str | None, list[str]]]:
    return [
        (alarm["name"], alarm["trunk"], [peer["address"] for peer in alarm["peers"]])
        for alarm in read(*files)["alarms"]
    ]


FIRST, SECOND = ris(102, "T1", "b, 192.0.2.20, 5061, Local=2"), ris(103, "T2", "c, 192.0.2.21, 5061, Local=1")
T1, T2 = ("SIPTrunkOOS", "T1", ["192.0.2.20"]), ("SIPTrunkOOS", "T2", ["192.0.2.21"])


def test_alarms_of_ris_that_are_written_in_turns_do_not_mix() -> None:
    mixed = [*FIRST[:2], *SECOND[:2], *FIRST[2:], *SECOND[2:]]
    assert told(head() + "".join(mixed)) == [T1, T2]
    # The signals have numbers of their own here, and nothing says whose peer this is.
    strange = [line.replace("00000102", "00000104").replace("00000103", "00000105") for line in mixed[4:]]
    assert told(head() + "".join(mixed[:4] + strange)) == [(*T1[:2], []), (*T2[:2], [])]


def test_an_alarm_of_ris_without_its_end_or_over_two_files_is_not_lost() -> None:
    for shown in (2, 3):
        assert told(head() + "".join(FIRST[:shown])) == [(*T1[:2], [])]
    assert told(head() + "".join(FIRST[:4])) == [T1]
    assert told(head() + "".join(FIRST[:4] + SECOND)) == [T1, T2]
    later = head(line="00000103") + "".join(line.replace("00000102", "00000104") for line in FIRST[3:])
    assert told(head() + "".join(FIRST[:3]), later + "".join(SECOND)) == [T1, T2]
    # The first lines of another run say nothing about this one.
    assert told(head() + "".join(FIRST[:3]), head(2, "cucm-2", "10.0.0.92") + "".join(FIRST[3:])) == [(*T1[:2], [])]
    unnamed = head() + FIRST[0] + FIRST[3] + FIRST[4]
    assert told(unnamed) == [("SIPTrunkOOS", None, ["192.0.2.20"])]
    assert told(head() + "".join(FIRST[:1] + FIRST[3:0:-1] + FIRST[4:])) == [T1]
    # However many have lost their end, a later one is whole.
    many = "".join("".join(ris(200 + number, f"X{number}", "")[:2]) for number in range(40))
    assert told(head() + many + "".join(SECOND))[-1] == T2


def test_an_alarm_in_the_general_form_of_sdl() -> None:
    text = (
        "00000102.004 |20:21:09.539 |AppInfo  |GenAlarm: AlarmName = {0}, subFac = CALLMANAGERKeyParam = , severity = "
        "3, AlarmMsg = DeviceName : TLS-TO-B\nUNKNOWN_PARAMNAME:UnavailableRemotePeersWithReasonCode : b, 2001:db8::1, "
        "5061, Local=2\nAppID : Cisco CallManager\nClusterID : \nNodeID : cucm-b\n\n"
    )
    other = text.format("MediaResourceListExhausted")
    push = text[:38] + "GenAlarm: Push_back offset 9\n"
    (alarm,) = read(head() + other + text.format("SIPTrunkOOS") + push)["alarms"]
    assert (alarm["name"], alarm["trunk"], alarm["severity"], alarm["node"]) == (
        "SIPTrunkOOS", "TLS-TO-B", "Error", "cucm-b",
    )  # fmt: skip
    assert [(peer["host"], peer["address"], peer["reason"]) for peer in alarm["peers"]] == [
        ("b", "2001:db8::1", "Local=2")
    ]
    assert (alarm["parameters"]["AppID"], alarm["parameters"]["ClusterID"]) == ("Cisco CallManager", "")


def test_a_trunk_out_of_service_from_syslog() -> None:
    alarm = alarms.alarm(
        "<187>1: cucm-1: Oct 18 2026 20:21:09.1 UTC: %UC_CALLMANAGER-3-SIPTrunkOOS: %[DeviceName=TLS-TO-B]"
        "[UnavailableRemotePeersWithReasonCode=b, 192.0.2.20, 5061, Local=2][AppID=Cisco CallManager][ClusterID=C1]"
        "[NodeID=cucm-1]: All remote peers are out of service"
    )
    assert alarm
    assert (alarm["trunk"], alarm["severity"], alarm["node"]) == ("TLS-TO-B", "Error", "cucm-1")
    assert alarm["peers"][0]["reason"] == "Local=2"


IPV4, IPV6 = ("b", "192.0.2.20", 5061), ("2001:db8::1", "2001:db8::1", 5061)


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("b, 192.0.2.20, 5061, Local=2", [(*IPV4, "Local=2")]),
        ("b, 192.0.2.20, 5061, local=2", [(*IPV4, "Local=2")]),
        ("b, 192.0.2.20, 5061, ReasonCodeType = remote = 503", [(*IPV4, "Remote=503")]),
        ("2001:db8::1, 2001:db8::1, 5061, Local=2", [(*IPV6, "Local=2")]),
        ("[2001:db8::1], [2001:db8::1], 5061, Local=2", [(*IPV6, "Local=2")]),
        ("fd00::1, fd00::1, 5061, Local=2", [("fd00::1", "fd00::1", 5061, "Local=2")]),
        ("fe80::1%eth0, fe80::1%eth0, 5061, Local=2", [("fe80::1%eth0", "fe80::1%eth0", 5061, "Local=2")]),
        ("b, 192.0.2.20, 5061, Local=2; 2001:db8::1, 2001:db8::1, 5061, Remote=503;",
         [(*IPV4, "Local=2"), (*IPV6, "Remote=503")]),
        ("b, , 0, Local=3", [("b", "", 0, "Local=3")]),
        ("no port, Local=3", []),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "form",
    [
        "%UC_CALLMANAGER-3-SIPTrunkOOS: %[DeviceName=T][UnavailableRemotePeersWithReasonCode={0}][NodeID=cucm-1]: x",
        "AlarmName: SIPTrunkOOS, AlarmParameters:  DeviceName:T, UnavailableRemotePeersWithReasonCode:{0}, NodeID:x,",
    ],
)
def test_peers_of_an_alarm_in_all_their_forms(form: str, listed: str, expected: list[Any]) -> None:
    alarm = alarms.alarm(form.format(listed))
    assert alarm
    assert alarm["trunk"] == "T"
    found = [(peer["host"], peer["address"], peer["port"], peer["reason"]) for peer in alarm["peers"]]
    assert found == expected


SYSLOG = (
    "%UC_CALLMANAGER-3-SIPTrunkOOS: %[DeviceName=TLS-TO-B][UnavailableRemotePeersWithReasonCode=b, 192.0.2.20, 5061, "
    "Local=2][AppID=Cisco CallManager]{node}: All remote peers are out of service\n"
)
NODE = "[NodeID=cucm-1]"


@pytest.mark.parametrize(
    ("begin", "node", "when", "host"),
    [
        ("<187>1: cucm-1: Oct 18 2026 20:21:09.1 UTC :  ", NODE, "2026-10-18T20:21:09.100+00:00", "cucm-1"),
        ("<187>1: cucm-9: Oct  8 2026 12:01:09 AM.123 UTC : ", "", "2026-10-08T00:01:09.123+00:00", "cucm-9"),
        (
            "Oct 18 22:21:10 log local7 3 : 1: cucm-9: Oct 18 2026 08:21:09 PM : ",
            "",
            "2026-10-18T20:21:09.000",
            "cucm-9",
        ),
        ("Oct 18 2026 20:21:09.1 IST : ", NODE, "Oct 18 2026 20:21:09.1 IST", "cucm-1"),
        ("local7.err Oct 18 2026 20:21:09 UTC : ", "", "2026-10-18T20:21:09.000+00:00", None),
        ("Oct 38 2026 20:21:09 UTC : ", NODE, "Oct 38 2026 20:21:09 UTC", "cucm-1"),
        ("<187>Oct 18 20:21:09 cucm-9 1: ", "", "Oct 18 20:21:09", "cucm-9"),
        ("2026-10-18T20:21:09.1Z cucm-9 1: ", "", "2026-10-18T20:21:09.1Z", "cucm-9"),
        ("", "", None, None),
    ],
)
def test_a_file_of_syslog_is_read_for_alarms(begin: str, node: str, when: str | None, host: str | None) -> None:
    other = "Oct 18 20:21:08 cucm-1 sshd: session opened\n"
    found = read(other + begin + SYSLOG.format(node=node) + other)
    (alarm,) = found["alarms"]
    assert (alarm["name"], alarm["trunk"], alarm["time"], alarm["node"]) == ("SIPTrunkOOS", "TLS-TO-B", when, host)
    assert (alarm["peers"][0]["reason"], found["problems"]) == ("Local=2", [])


def test_a_line_of_syslog_in_a_trace_is_somebodys_text() -> None:
    line = "<187>1: cucm-1: Oct 18 2026 20:21:09.1 UTC :  " + SYSLOG.format(node=NODE)
    for text in (line + head(), head() + line, head() + sip("in", INVITE, "a", PEER, body=line)):
        assert read(text)["alarms"] == []
    assert read(line.replace("SIPTrunkOOS", "SDLLinkOOS"))["problems"] == []


@pytest.mark.parametrize(
    ("body", "srtp"),
    [(KEYS, True), (CLEAR, False), (KEYS[: KEYS.index("a=crypto")], None), (KEYS[: KEYS.index("AVP 0")], None),
     (CLEAR[: CLEAR.index("VP 0")], None)],
)  # fmt: skip
def test_a_body_that_is_cut_does_not_say_that_there_are_no_keys(body: str, srtp: bool | None) -> None:
    """As where a file was rotated in the middle of a message."""
    answer = sip("in", "SIP/2.0 200 OK", "a", PEER, body=KEYS)
    (call,) = calls(head() + sip("out", INVITE, "a", PEER, body=body).rstrip("\n") + "\n" + answer)
    assert call["srtp"] is srtp if srtp is not None else call["srtp"] is not False


def test_a_node_that_has_run_for_long_counts_further_than_eight_digits() -> None:
    text = sip("out", INVITE, "a", PEER)
    assert calls(head(line="100000100") + text.replace("00000102.001", "100000102.001"))
    assert calls("\ufeff" + head() + text)[0]["time"].startswith("2026-10-18")


def test_options_of_a_peer_are_counted_and_do_not_say_that_it_answers() -> None:
    text = sip("in", "OPTIONS sip:10.0.0.91:5061 SIP/2.0", "a", PEER, cseq="101 OPTIONS")
    (found,) = read(head() + text)["options"]
    assert (found["peer_ip"], found["sent"], found["received"], found["state"]) == ("10.0.0.170", 0, 1, "unknown")


@pytest.mark.parametrize("text", ["", "%PDF-1.4\n", "\n" * 9, head().encode("utf-16-le").decode("latin-1")])
def test_what_is_no_trace_is_named(text: str) -> None:
    assert "no line of an SDL trace" in read(text)["problems"][0]


def test_messages_of_phones_do_not_use_up_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdl, "MOST_EVENTS", 5)
    message = (
        "00000102.000 |20:21:09.050 |AppInfo  |//SIP/Stack/Transport/0x0/sipConnectionManagerProcessNewConnMsg: "
        "gConnTab=0x1, addr=10.0.0.50, port=50000, connid=7, transport=TCP\n"
    )
    found = read(head() + message * 50 + opened(12, "10.0.0.170", 5061, "TLS Over TCP"))
    assert [connection["index"] for connection in found["connections"]] == [7, 12]
    assert found["problems"] == []


def test_what_a_bound_leaves_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdl, "MOST_EVENTS", 2)
    found = read(head() + "".join(sip("out", INVITE, f"c{number}", PEER) for number in range(3)))
    assert len(found["calls"]) == 2
    assert "more than 2 entries of messages" in found["problems"][0]
    long = sip("out", INVITE, "a", PEER, body="v=0\r\n" * 500)
    assert "lines after the first 400" in read(head() + long)["problems"][0]


def analysis(calling: str, dialed: str) -> str:
    return (
        f'00000102.009 |20:21:10.000 |AppInfo  |Digit analysis: match(cn="{calling}", dd="{dialed}")\n'
        f"00000102.011 |20:21:10.000 |AppInfo  ||CallingPartyNumber={calling}\n|DialingPartition=P{calling}\n"
        f"|DialingPattern={dialed}\n|FullyQualifiedCalledPartyNumber={dialed}\n"
    )


def test_results_of_an_analysis_that_was_left_out_are_not_those_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdl, "MOST_EVENTS", 1)
    found = read(head() + analysis("1", "100") + analysis("2", "200"))
    (kept,) = found["digit_analysis"]
    assert (kept["calling"], kept["dialed"], kept["pattern"], kept["partition"]) == ("1", "100", "100", "P1")
    assert "more than 1 entries of digit_analysis" in found["problems"][0]


@pytest.mark.parametrize(("wanted", "kept", "said"), [(109, 1, 0), (105, 5, 0), (100, 5, 1), (None, 5, 1)])
def test_only_what_is_in_the_asked_time_uses_up_the_bound(
    wanted: int | None, kept: int, said: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdl, "MOST_EVENTS", 5)
    since = datetime.fromisoformat(f"2026-10-18T20:21:09.{wanted}+00:00") if wanted else None
    asked = selection.Wanted(since=since)
    reader = trace_files.Reader(asked.at if wanted else None)
    text = head() + "".join(sip("out", INVITE, f"c{ms}", PEER, ms=str(ms)) for ms in range(100, 110))
    late = sip("out", INVITE, "old", PEER, ms="050") if wanted else ""
    reader.add("SDL001_100_000001.txt", io.BytesIO((text + late).encode()))
    found = selection.summary(reader.trace, [], asked)
    first = max(wanted or 100, 100)
    assert [call["call_id"] for call in found["calls"]] == [f"c{ms}" for ms in range(first, first + kept)]
    assert len(found["problems"]) == said


def at_time(*times: str) -> str:
    return "".join(
        opened(100 + number, "10.0.0.170", 5061, "TCP").replace("20:21:09.000", when)
        for number, when in enumerate(times)
    )


@pytest.mark.parametrize(
    ("begin", "times", "days"),
    [
        # Nobody asked for the lines between: the next day is seen by a step back of more than an hour.
        ("10:00:00.000", ["03:00:00.000"], [19]),
        ("10:00:00.000", ["09:59:59.000", "10:00:00.000"], [18, 18]),
        # Summer time ends.
        ("02:10:00.000", ["02:59:59.900", "02:00:00.100"], [18, 18]),
        ("23:59:00.000", ["00:00:00.001", "23:59:59.999", "00:00:00.002", "00:00:03.000"], [19, 18, 19, 19]),
        ("23:59:00.000", ["00:00:00.001", "23:50:00.000", "00:00:00.002"], [19, 19, 20]),
        ("00:00:00.001", ["23:59:59.999", "00:00:00.002"], [18, 19]),
    ],
)
def test_a_trace_passes_midnight(begin: str, times: list[str], days: list[int]) -> None:
    found = read(head(time=begin) + at_time(*times))["connections"]
    expected = [f"2026-10-{day}T{when}+00:00" for day, when in zip(days, times, strict=True)]
    assert [entry["time"] for entry in found] == expected


def test_a_midnight_among_lines_that_do_not_matter_is_seen() -> None:
    """A quiet day: every 6 s a line of statistics, and nothing about a trunk until the next morning."""
    statistics = "".join(
        f"00000102.001 |{at // 3600 % 24:02d}:{at // 60 % 60:02d}:{at % 60:02d}.000 |SdlStat  |Period: 6s\n"
        for at in range(10 * 3600, 34 * 3600 + 1800, 6)
    )
    (found,) = read(head(time="10:00:00.000") + statistics + at_time("10:30:00.000"))["connections"]
    assert found["time"] == "2026-10-19T10:30:00.000+00:00"


FORGED = (
    "00000103.000 |20:21:09.100 |AppInfo  |SIPTcp - wait_SdlReadRsp: Incoming SIP TCP message from 6.6.6.6 on port "
    "5061 index 12 with 1 bytes:\r\n[102,NET]\r\nINVITE sip:666@x SIP/2.0\r\nCall-ID: evil\r\nCSeq: 1 INVITE\r\n"
    "Via: SIP/2.0/TLS x\r\n\r\n"
)
NEXT = sip("out", INVITE, "good", PEER)


def sized(text: str, form: str = "TCP", add: int = 0) -> str:
    """A message that came in, with the line above it that says how many bytes it has."""
    begin, content = text.split("[101,NET]\n", 1)
    size = len(content) - 1 + add
    words = "SIPUdp - wait_SdlReadRsp: Incoming SIP UDP message size {} from 10.0.0.170:[5061]:"
    if form == "TCP":
        words = "SIPTcp - " + begin.split("SIPTcp - ")[1].rstrip() + " with {} bytes:"
    return f"{begin.split('SIPTcp')[0]}{words.format(size)}\n[101,NET]\n{content}"


@pytest.mark.parametrize("form", ["TCP", "UDP"])
@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("body", [FORGED, "v=0\r\n" * 500 + FORGED, "a=x " + FORGED, FORGED * 3], ids=str.__len__)
def test_a_line_in_a_peers_message_is_no_line_of_the_trace(body: str, end: str, form: str) -> None:
    text = sized(sip("in", "MESSAGE sip:1@2 SIP/2.0", "z", PEER, cseq="1 MESSAGE", body=body), form) + end
    good = [("good", "10.0.0.170")]
    for whole in (text + NEXT, (text + NEXT).replace("\r\n", "\n").replace("\n", "\r\n")):
        found = read(head() + sized(sip("in", INVITE, "first", PEER)) + whole)
        assert [(call["call_id"], call["remote_ip"]) for call in found["calls"]][1:] == good
    # A file that is still being written, and one whose line ends an editor has changed.
    assert read(head() + text[: text.index("6.6.6.6") + 200])["calls"] == []
    changed = read((head() + text + NEXT).replace("\r\n", "\n"))
    assert [call["call_id"] for call in changed["calls"]] == ["good"]


def test_what_follows_a_message_that_somebody_shortened_is_read() -> None:
    text = sized(sip("in", INVITE, "short", PEER), add=300)
    for after in (NEXT, NEXT + NEXT.replace("good", "better"), sized(sip("in", INVITE, "good", PEER), add=99) + NEXT):
        found = read(head() + text + after)
        assert [call["call_id"] for call in found["calls"]][:2] == ["short", "good"]
        assert found["problems"] == []
    assert [call["call_id"] for call in read(head() + text + NEXT * 20)["calls"]] == ["short", "good"]


@pytest.mark.parametrize("way", ["in", "out"])
def test_without_its_size_a_message_ends_after_its_content_length(way: str) -> None:
    text = sip(way, "MESSAGE sip:1@2 SIP/2.0", "z", PEER, cseq="1 MESSAGE", body=FORGED)
    assert [call["call_id"] for call in calls(head() + text + NEXT)] == ["good"]
    longer = text.replace(f"Content-Length: {len(FORGED)}", f"l: {len(FORGED) + 60}")
    assert [call["call_id"] for call in calls(head() + longer + NEXT)][-1] == "good"


def test_a_message_may_be_nothing_but_lines_of_the_form_of_a_trace() -> None:
    begin = sip("in", INVITE, "a", PEER).split("INVITE")[0]
    assert [call["call_id"] for call in calls(head() + sized(begin + FORGED + "\n") + NEXT)] == ["good"]
