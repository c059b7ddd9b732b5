# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AXL client against answers that no lab gives by itself: old habits, sick servers, hostile XML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._axl import client as client_module
from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._axl.session import Session
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import RESOURCES
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.sip_trunk import SIP_TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net import https as _transport
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import AnswerLost

from tests.support.scripted_server import Answer, Server, status

NS = 'xmlns:ns="http://www.cisco.com/AXL/API/10.5"'


def soap(content: str) -> bytes:
    """An envelope as CUCM writes it."""
    return (
        "<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope "
        'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
        f"{content}</soapenv:Body></soapenv:Envelope>"
    ).encode()


def refusal(code: str, text: str, prefix: str = "") -> Answer:
    """A SOAP fault with AXL's detail; some releases put it into a namespace."""
    detail = f"<{prefix}axlError {NS}><axlcode>{code}</axlcode><axlmessage>{text}</axlmessage></{prefix}axlError>"
    return status(
        500,
        soap(
            f"<soapenv:Fault><faultcode>soapenv:Server</faultcode><faultstring>{text}</faultstring>"
            f"<detail>{detail}</detail></soapenv:Fault>"
        ),
    )


def version(release: str) -> Answer:
    """The answer to getCCMVersion."""
    inner = f"<return><componentVersion><version>{release}</version></componentVersion></return>"
    return status(200, soap(f"<ns:getCCMVersionResponse {NS}>{inner}</ns:getCCMVersionResponse>"))


def trunk(content: str) -> Answer:
    """The answer to getSipTrunk."""
    uuid = "{0B1C2D3E-4F50-6172-8394-A5B6C7D8E9F0}"
    inner = f'<return><sipTrunk uuid="{uuid}">{content}</sipTrunk></return>'
    return status(200, soap(f"<ns:getSipTrunkResponse {NS}>{inner}</ns:getSipTrunkResponse>"))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits are the product's patience, not what is tested."""
    monkeypatch.setattr(_transport, "WAITS", (0.01, 0.01, 0.01))
    monkeypatch.setattr(client_module, "WAITS", (0.01, 0.01, 0.01))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A scripted server."""
    first = Server(tmp_path)
    yield first
    first.http.shutdown()
    first.http.server_close()


def axl(server: Server, *script: Answer, release: str = "10.5.2.10000-5") -> AxlClient:
    """A client that has found out the release; the script begins after that."""
    server.play(version(release))
    http = server.client()
    params = {"host": "127.0.0.1", "port": http.endpoint.port, "ca_path": http.endpoint.ca_path, "timeout": 2}
    found = AxlClient.from_params({**params, "username": "axl", "password": "secret-word"}, RESOURCES)
    server.play(*script)
    return found


@pytest.mark.parametrize(
    ("release", "spoken"),
    [("9.1.2.10000-28", "9.1"), ("10.5.2.10000-5", "10.5"), ("14.0.1.12900-161", "14.0"), ("15.0.1.11900-23", "15.0")],
)
def test_the_servers_own_version_is_spoken(server: Server, release: str, spoken: str) -> None:
    client = axl(server, trunk("<name>T</name>"), release=release)
    assert client.version == spoken
    client.get("SipTrunk", "sipTrunk", {"name": "T"})
    assert f'"http://www.cisco.com/AXL/API/{spoken}"'.encode() in server.seen[-1][3]
    assert b"API/1.0" in server.seen[0][3]


def test_a_release_before_the_tables_is_refused(server: Server) -> None:
    client = axl(server, status(200), release="8.6.2.10000-1")
    with pytest.raises(Failure, match="is not supported"):
        _unused = client.version


def test_booleans_numbers_and_empty_settings_in_every_spelling(server: Server) -> None:
    content = (
        "<srtpAllowed>t</srtpAllowed><name>T</name><mtpRequired>false</mtpRequired><runOnEveryNode>TRUE</runOnEveryNode>"
        "<newInRelease99>x</newInRelease99><sigDigits enable='false'>99</sigDigits><description/>"
        "<devicePoolName uuid='{0B1C2D3E-4F50-6172-8394-A5B6C7D8E9F1}'>Default</devicePoolName>"
        '<callingSearchSpaceName xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
        "<destinations><destination><addressIpv4>b</addressIpv4><port>5061</port><sortOrder>2</sortOrder></destination>"
        "<destination><addressIpv4>a</addressIpv4><port>5061</port><sortOrder>1</sortOrder></destination></destinations>"
    )
    found = Session(axl(server, trunk(content))).fetch(SIP_TRUNK, {"name": "T"})
    assert found is not None and found.uuid == "{0B1C2D3E-4F50-6172-8394-A5B6C7D8E9F0}"
    assert (found.values["srtp_allowed"], found.values["mtp_required"], found.values["run_on_every_node"]) == (
        True,
        False,
        True,
    )
    assert found.values["significant_digits"] == 99 and found.values["description"] == ""
    assert found.values["device_pool"] == "Default" and found.values["calling_search_space"] == ""
    assert [entry["address"] for entry in found.values["destinations"]] == ["a", "b"]


@pytest.mark.parametrize("prefix", ["", "ns:"])
def test_faults_are_found_by_local_name(server: Server, prefix: str) -> None:
    client = axl(server, refusal("5007", "Item not valid: The specified SipTrunk was not found", prefix))
    assert client.get("SipTrunk", "sipTrunk", {"name": "T"}) is None
    server.play(refusal("-239", "Could not insert new row", prefix))
    with pytest.raises(AxlFault, match="Could not insert") as failure:
        client.call("addSipTrunk", sipTrunk={"name": "T"})
    assert failure.value.code == "-239" and "axl" in failure.value.msg and "127.0.0.1" in failure.value.msg


def test_memory_is_waited_for_and_large_answers_are_paged(server: Server) -> None:
    client = axl(server, refusal("-1", "Maximum AXL Memory Allocation Consumed. Please retry"), trunk("<name>T</name>"))
    assert client.get("SipTrunk", "sipTrunk", {"name": "T"}) is not None

    def page(*names: str) -> Answer:
        rows = "".join(f"<sipTrunk><name>{name}</name></sipTrunk>" for name in names)
        return status(200, soap(f"<ns:listSipTrunkResponse {NS}><return>{rows}</return></ns:listSipTrunkResponse>"))

    large = "Query request too large. Total rows matched: 5 rows. Suggestive Row Fetch: less than 3 rows"
    server.play(refusal("-1", large), page("a", "b"), page("c", "d"), page("e"))
    found = client.listing("SipTrunk", "sipTrunk", {"name": "%"}, ["name"])
    assert [item.findtext("name") for item in found] == ["a", "b", "c", "d", "e"]
    assert b"<skip>4</skip><first>2</first>" in server.seen[-1][3].replace(b"\n", b"")
    server.play(status(200, soap(f"<ns:listSipTrunkResponse {NS}><return/></ns:listSipTrunkResponse>")))
    assert client.listing("SipTrunk", "sipTrunk", {"name": "%"}, ["name"]) == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (status(403), "role"),
        (status(404), "Cisco AXL Web Service"),
        (status(599, b"no such version", Content_Type="text/html"), "599"),
        (status(302, Location="/axl/"), "redirect"),
        (status(200, b"<html><h1>Welcome</h1></html>", Content_Type="text/html"), "Welcome"),
        (status(200, b"<<<not XML"), "not valid XML"),
        (status(200, b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'), "hostile"),
        (status(500, b"Internal", Content_Type="text/plain"), "500"),
    ],
)
def test_what_is_not_axl_is_a_sentence(server: Server, answer: Answer, words: str) -> None:
    client = axl(server, answer)
    with pytest.raises(Failure, match=words) as failure:
        client.get("SipTrunk", "sipTrunk", {"name": "T"})
    assert "secret-word" not in failure.value.msg


def test_a_bomb_does_not_go_off(server: Server) -> None:
    entities = "".join(f'<!ENTITY l{level + 1} "{f"&l{level};" * 10}">' for level in range(9))
    bomb = f'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY l0 "boom">{entities}]><b>&l9;</b>'
    client = axl(server, status(200, bomb.encode()))
    with pytest.raises(Failure, match="hostile"):
        client.get("SipTrunk", "sipTrunk", {"name": "T"})


def test_a_stale_cookie_is_dropped_and_the_request_sent_once_again(server: Server) -> None:
    client = axl(server, status(404), trunk("<name>T</name>"))
    assert client.get("SipTrunk", "sipTrunk", {"name": "T"}) is not None
    assert len(server.seen) == 3


def test_a_write_that_answers_nonsense_counts_as_lost(server: Server) -> None:
    client = axl(server, status(200, b"<<<"))
    with pytest.raises(AnswerLost):
        client.call("addSipTrunk", sipTrunk={"name": "T"})
