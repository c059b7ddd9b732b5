# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls and OPTIONS of traces that show a part only, of several nodes, and of call logs: no guess is told as a fact."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence import sip_text
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces import calllogs, sdl, selection

from tests.support.made_traces import head, sip

PEER = ("10.0.0.170", 5061, 12)
INVITE = "INVITE sip:9898@10.0.0.170:5061 SIP/2.0"
OPTIONS = "OPTIONS sip:10.0.0.170:5061 SIP/2.0"
OK, ACK = "SIP/2.0 200 OK", "ACK sip:9898@10.0.0.170 SIP/2.0"
KEY = "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:c2VjcmV0\r\n"
KEYS = f"v=0\r\nm=audio 4000 RTP/SAVP 0\r\n{KEY}"
CLEAR = "v=0\r\nm=audio 4000 RTP/AVP 0\r\n"
BOTH = f"{KEYS}m=audio 4002 RTP/AVP 0\r\n"
KEYS_ALONE = f"{KEYS}m=audio 0 RTP/AVP 0\r\n"


def found(*files: str, logs: str = "", **wanted: Any) -> dict[str, Any]:
    trace = sdl.SdlTrace()
    for text in files:
        sdl.read(io.BytesIO(text.encode()), trace)
    sides = calllogs.read(io.BytesIO(logs.encode()), trace.problem)
    return selection.summary(trace, sides, selection.Wanted(**wanted))


def calls(*files: str, **more: Any) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = found(*files, **more)["calls"]
    return listed


def logged(*messages: str, day: str = "2026/10/18", local: str = "10.0.0.91", call_id: str = "a") -> str:
    """The lines of a call log; a message that begins with `<` came in."""
    return "".join(
        f"{day} 20:21:{number:02}.100|SIPT|1|TCP|{'IN' if text.startswith('<') else 'OUT'}|{local}|41000|TRUNK|"
        f"10.0.0.170|5061|1,100,13,11.1^*^*|131|{call_id}|{text.lstrip('<')}\n"
        for number, text in enumerate(messages)
    )


def test_calls_are_in_the_order_of_time() -> None:
    """A call log goes back further than the traces; its calls must not look like the newest."""
    traced = head() + sip("out", INVITE, "new", PEER, body=KEYS) + sip("in", OK, "new", PEER, body=KEYS)
    old = logged("INVITE", "<200 OK", day="2026/09/01", call_id="old")
    assert [call["call_id"] for call in calls(traced, logs=old)] == ["old", "new"]


def test_files_of_one_node_in_any_order_are_one_call() -> None:
    first = head() + sip("out", INVITE, "a", PEER, body=KEYS)
    second = head(line="00000200") + sip("in", OK, "a", PEER, body=KEYS, ms="900")
    for files in ((first, second), (second, first)):
        (call,) = calls(*files)
        assert (call["status"], call["direction"], call["srtp"]) == (200, "out", True)


@pytest.mark.parametrize(
    ("messages", "status", "result"),
    [
        (("INVITE", "<180 Ringing", "<200 OK", "ACK"), 200, "answered"),
        (("INVITE", "CANCEL", "<200 OK", "<487 Request Terminated", "ACK"), 487, "487 Request Terminated"),
        (("INVITE", "<183 Progress", "PRACK", "<200 OK", "<486 Busy", "ACK"), 486, "486 Busy"),
        (("INVITE", "<183 Progress", "PRACK", "<200 OK", "<200 OK", "ACK", "BYE", "<200 OK"), 200, "answered"),
        (("INVITE", "<183 Progress", "PRACK", "<200 OK"), None, "not known"),
        (("INVITE", "<401 Unauthorized", "ACK", "INVITE", "<200 OK"), 200, "answered"),
        (("INVITE", "<200 OK", "ACK", "<BYE", "200 OK"), 200, "answered"),
        (("INVITE", "<100 Trying"), None, "not known"),
    ],
)
def test_a_200_of_a_call_log_may_answer_another_request(
    messages: tuple[str, ...], status: int | None, result: str
) -> None:
    (call,) = calls(logs=logged(*messages))
    assert (call["status"], call["result"]) == (status, result)


@pytest.mark.parametrize(
    ("offer", "answer", "ack", "srtp"),
    [
        ("", BOTH, KEYS_ALONE, None),
        (BOTH, KEYS_ALONE, "", None),
        (BOTH, CLEAR, "", False),
        (f"{CLEAR}{KEY}", f"{CLEAR}{KEY}", "", None),
    ],
    ids=["late offer of both", "offer of both", "both offered, clear taken", "keys with a profile without SRTP"],
)
def test_an_offer_of_both_leaves_the_choice_to_the_other_end(
    offer: str, answer: str, ack: str, srtp: bool | None
) -> None:
    (call,) = calls(
        head() + sip("out", INVITE, "a", PEER, body=offer) + sip("in", OK, "a", PEER, body=answer)
        + sip("out", ACK, "a", PEER, cseq="101 ACK", body=ack)
    )  # fmt: skip
    assert call["srtp"] is srtp


@pytest.mark.parametrize(
    ("between", "srtp"),
    [
        (sip("in", "SIP/2.0 183 Progress", "a", PEER, body=CLEAR), True),
        (
            sip("in", "SIP/2.0 183 Progress", "a", PEER, body=KEYS)
            + sip("out", "UPDATE sip:9898@10.0.0.170 SIP/2.0", "a", PEER, cseq="102 UPDATE", body=CLEAR)
            + sip("in", "SIP/2.0 488 Not Acceptable Here", "a", PEER, cseq="102 UPDATE"),
            True,
        ),
        (
            sip("out", "UPDATE sip:9898@10.0.0.170 SIP/2.0", "a", PEER, cseq="102 UPDATE", body=CLEAR)
            + sip("in", OK, "a", PEER, cseq="102 UPDATE", body=CLEAR),
            False,
        ),
    ],
    ids=["another phone's early media", "a refused UPDATE", "an accepted UPDATE"],
)
def test_what_was_replaced_or_refused_does_not_count(between: str, srtp: bool) -> None:
    (call,) = calls(
        head() + sip("out", INVITE, "a", PEER, body=KEYS) + between + sip("in", OK, "a", PEER, body=KEYS)
    )  # fmt: skip
    assert (call["status"], call["srtp"]) == (200, srtp)


def in_dialog(text: str) -> str:
    """The same message with a tag at its To header."""
    return text.replace("To: <sip:9898@10.0.0.170>", "To: <sip:9898@10.0.0.170>;tag=2")


@pytest.mark.parametrize(
    ("text", "status", "result"),
    [
        (in_dialog(sip("in", INVITE, "a", PEER)) + sip("out", "SIP/2.0 488 No", "a", PEER), None, "not known"),
        (in_dialog(sip("in", INVITE, "a", PEER)) + sip("out", OK, "a", PEER), 200, "answered"),
        (sip("in", OK, "a", PEER) + sip("out", ACK, "a", PEER, cseq="101 ACK"), 200, "answered"),
        (sip("in", "SIP/2.0 486 Busy Here", "a", PEER), None, "not known"),
        (in_dialog(sip("out", "BYE sip:9898@10.0.0.170 SIP/2.0", "a", PEER, cseq="102 BYE")), None, "not known"),
    ],
    ids=["a change refused", "a change accepted", "the INVITE is missing", "refused, of whom?", "only its end"],
)
def test_a_call_that_began_before_the_traces(text: str, status: int | None, result: str) -> None:
    (call,) = calls(head() + text)
    assert (call["status"], call["result"]) == (status, result)
    assert (call["direction"], call["calling"], call["called"]) == (None, None, None)


def test_a_span_of_time_does_not_cut_calls() -> None:
    text = (
        head() + sip("out", INVITE, "a", PEER, ms="100") + sip("in", OK, "a", PEER, ms="900")
        + sip("out", INVITE, "b", PEER, ms="950")
    )  # fmt: skip
    until = datetime.fromisoformat("2026-10-18T20:21:09.500+00:00")
    assert [(call["call_id"], call["result"]) for call in calls(text, until=until)] == [("a", "answered")]


def test_the_call_log_of_one_node_says_nothing_of_another() -> None:
    near = head() + sip("out", INVITE, "a", PEER)
    far = head(2, "cucm-2", "10.0.0.170") + sip("in", INVITE, "a", ("10.0.0.91", 40000, 3))
    trunks = {call["node"]: call["trunk"] for call in calls(near, far, logs=logged("INVITE"))}
    assert trunks == {"cucm-1": "TRUNK", "cucm-2": None}


def test_a_call_log_has_the_zone_of_its_own_node() -> None:
    east = head(2, "cucm-2", "10.0.0.92").replace("UTC:+00:00", "UTC:+05:30")
    times = {
        local: calls(head(), east, logs=logged("INVITE", local=local))[0]["time"][23:]
        for local in ("10.0.0.91", "10.0.0.92", "10.0.0.93")
    }
    assert times == {"10.0.0.91": "+00:00", "10.0.0.92": "+05:30", "10.0.0.93": ""}


def test_nodes_of_one_name_are_two() -> None:
    near = head() + sip("out", INVITE, "a", PEER)
    far = head(1, "cucm-1", "10.9.0.91") + sip("in", INVITE, "a", ("10.0.0.91", 40000, 3))
    assert sorted((call["direction"], len(call["ladder"])) for call in calls(near, far)) == [("in", 1), ("out", 1)]


def test_addresses_of_call_logs_have_one_form() -> None:
    logs = logged("INVITE").replace("10.0.0.170", "::ffff:10.0.0.170")
    assert calls(logs=logs, peers=frozenset({"10.0.0.170"}))[0]["remote_ip"] == "10.0.0.170"


def test_a_message_that_is_cut_says_nothing_by_its_last_header() -> None:
    whole = f"{INVITE}\r\nVia: SIP/2.0/TLS 10.0.0.91:5061\r\nCall-ID: 94fffc00-57415541@10.0.0.91\r\n"
    for end in range(len(INVITE), len(whole)):
        message = sip_text.parse(whole[:end])
        assert message
        assert message.via_transport in (None, "TLS")
        assert message.call_id in (None, "94fffc00-57415541@10.0.0.91")
    cancelled = sip("out", INVITE, "a", PEER) + sip("in", OK, "a", PEER, cseq="101 CANCEL").partition("CSeq")[0]
    assert calls(head() + cancelled)[0]["result"] == "not known"


def test_the_protocol_of_a_via_may_be_written_small() -> None:
    message = sip_text.parse(f"{INVITE}\r\nvia: sip/2.0/tls 10.0.0.91\r\n\r\n")
    assert message
    assert message.via_transport == "TLS"


def test_options_are_told_per_node_and_port() -> None:
    """Port 5060 answers, 5061 does not: the usual picture of a migration that failed."""
    plain = ("10.0.0.170", 5060, 11)
    ask, refuse = {"cseq": "101 OPTIONS"}, "SIP/2.0 408 Request Timeout"
    one = (
        sip("out", OPTIONS, "p", plain, **ask) + sip("in", OK, "p", plain, **ask)
        + sip("out", OPTIONS, "t", PEER, **ask) + sip("in", refuse, "t", PEER, **ask)
    )  # fmt: skip
    two = sip("out", OPTIONS, "q", PEER, **ask) + sip("in", OK, "q", PEER, **ask)
    states = {
        (ping["node"], ping["peer_port"]): ping["state"]
        for ping in found(head() + one, head(2, "cucm-2", "10.0.0.92") + two)["options"]
    }
    assert states == {("cucm-1", 5060): "alive", ("cucm-1", 5061): "dead", ("cucm-2", 5061): "alive"}
