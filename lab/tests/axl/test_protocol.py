# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP around AXL: status codes, versions, cookies, accounts, TLS, and the faults that tests switch on."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from cucm_lab.testing import LabProcess

from .conftest import ACCOUNT, NOBODY, READER, RELEASES, Axl, profile, session, trunk


def test_pages(axl14: Axl) -> None:
    page = axl14.session.get(axl14.url, timeout=10)
    assert (page.status_code, "text/html" in page.headers["Content-Type"]) == (200, True)
    assert "The AXL Web Service is working and accepting requests." in page.text
    moved = axl14.session.post(axl14.url.rstrip("/"), data="x", allow_redirects=False, timeout=10)
    assert (moved.status_code, moved.headers["Location"]) == (302, "/axl/")
    assert session().get(axl14.url.replace("/axl/", "/nothing/"), timeout=10).status_code == 404


def test_accounts(lab: LabProcess, axl14: Axl) -> None:
    wrong = session(("somebody", "wrong")).get(axl14.url, timeout=10)
    assert wrong.status_code == 401
    assert "HTTP Status 401" in wrong.text
    assert wrong.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert session(None).get(axl14.url, timeout=10).status_code == 401
    address = lab.address("cucm140")
    assert Axl(address, "14.0", NOBODY).raw("getCCMVersion").status_code == 403
    reader = Axl(address, "14.0", READER)
    assert reader("getCCMVersion").status == 200
    assert reader.raw("addSipTrunkSecurityProfile", profile("Reader")).status_code == 403


def test_a_wrong_password_locks(lab: LabProcess) -> None:
    url = f"https://{lab.address('cucm125')}:8443/axl/"
    for _unused in range(3):
        assert session(("axlread", "wrong")).get(url, timeout=10).status_code == 401
    assert session(READER).get(url, timeout=10).status_code == 401
    assert session(ACCOUNT).get(url, timeout=10).status_code == 200
    lab.ask("clock", shift=31 * 60)
    try:
        assert session(READER).get(url, timeout=10).status_code == 200
    finally:
        lab.ask("clock", reset=True)


def test_versions(axl: Axl) -> None:
    assert axl.raw("getCCMVersion", version="1.0").status_code == 200
    assert axl.raw("getCCMVersion", version="6.0").status_code == 599
    assert axl.raw("getCCMVersion", version=axl.version.split(".", maxsplit=1)[0]).status_code == 599
    assert axl.raw("getCCMVersion", SOAPAction='"CUCM:DB ver=6.0 getCCMVersion"').status_code == 599
    newer = {"9.1": "10.0", "15.0": "16.0"}.get(axl.version, "15.0")
    if axl.version != newer:
        assert axl.raw("getCCMVersion", version=newer).status_code == 599
    older = {"9.1": "8.5", "10.5": "9.1", "11.5": "10.5", "12.5": "11.5", "14.0": "12.5", "15.0": "14.0"}[axl.version]
    answer = axl.raw("getCCMVersion", version=older)
    assert answer.status_code == 200
    assert f"http://www.cisco.com/AXL/API/{older}" in answer.text
    assert axl.raw("getNonsense").status_code == 500


def test_malformed_xml_is_a_fault(axl14: Axl) -> None:
    answer = axl14.session.post(axl14.url, data="<not closed", timeout=10)
    assert answer.status_code == 500
    assert "axlcode" in answer.text
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    assert axl14.session.post(axl14.url, data=bomb, timeout=10).status_code == 500


def test_cookies(axl14: Axl, lab: LabProcess) -> None:
    first = axl14.raw("getCCMVersion")
    cookie = first.headers["Set-Cookie"]
    assert all(word in cookie for word in ("JSESSIONIDSSO=", "Path=/", "Secure", "HttpOnly"))
    again = axl14.raw("getCCMVersion")
    assert again.status_code == 200
    assert "Set-Cookie" not in again.headers
    lab.ask("clock", shift=31 * 60)
    try:
        assert axl14.raw("getCCMVersion").status_code == 404
        axl14.session.cookies.clear()
        assert axl14.raw("getCCMVersion").status_code == 200
    finally:
        lab.ask("clock", reset=True)


def test_axl_switched_off(lab: LabProcess, axl14: Axl) -> None:
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:s="http://schemas.cisco.com/ast/soap">'
        "<e:Body><s:soapDoControlServices><s:ControlServiceRequest><s:NodeName/><s:ControlType>{}</s:ControlType>"
        "<s:ServiceList><s:item>Cisco AXL Web Service</s:item></s:ServiceList></s:ControlServiceRequest>"
        "</s:soapDoControlServices></e:Body></e:Envelope>"
    )
    url = axl14.url.replace("/axl/", "/controlcenterservice2/services/ControlCenterServices")

    def until(action: str, status: int) -> None:
        assert axl14.session.post(url, data=envelope.format(action), timeout=10).status_code == 200
        deadline = time.monotonic() + 10
        while axl14.session.get(axl14.url, timeout=10).status_code != status:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    until("Stop", 404)
    until("Start", 200)


@pytest.mark.parametrize(
    ("cluster", "offered", "taken"),
    [
        ("cucm91", "-tls1", True),
        ("cucm91", "-tls1_2", False),
        ("cucm105", "-tls1_2", False),
        ("cucm115", "-tls1", True),
        ("cucm115", "-tls1_2", True),
        ("cucm140", "-tls1_1", False),
        ("cucm140", "-tls1_3", False),
        ("cucm150", "-tls1_2", True),
        ("cucm150", "-tls1_3", False),
    ],
)
def test_tls_is_as_old_as_the_release(lab: LabProcess, cluster: str, offered: str, taken: bool) -> None:
    command = ["openssl", "s_client", "-connect", f"{lab.address(cluster)}:8443", offered]
    if offered != "-tls1_3":
        command += ["-cipher", "ALL:@SECLEVEL=0"]
    shown = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=20).stdout
    assert ("Cipher is (NONE)" not in shown) == taken
    if cluster == "cucm91" and taken:
        assert "AES128-SHA" in shown
        assert "Server public key is 1024 bit" in shown


def fault(lab: LabProcess, **rule: object) -> None:
    lab.ask("fault/clear")
    lab.ask("fault/add", interface="axl", **rule)


def test_status_and_throttle(lab: LabProcess, axl14: Axl) -> None:
    fault(lab, action="status", operation="add*", every=2)
    statuses = [axl14.raw("addSipTrunkSecurityProfile", profile(f"F{n}", f"f{n}")).status_code for n in range(4)]
    assert statuses == [200, 503, 200, 503]
    assert axl14.raw("getCCMVersion").status_code == 200
    lab.ask("fault/clear")
    for n in (0, 2):
        axl14.ok("removeSipTrunkSecurityProfile", f"<name>F{n}</name>")


def test_an_answer_lost_after_the_write(lab: LabProcess, axl14: Axl) -> None:
    fault(lab, action="drop", operation="addSipTrunk", count=1)
    with pytest.raises(requests.ConnectionError):
        axl14.raw("addSipTrunk", trunk("Lost"))
    axl14.ok("getSipTrunk", "<name>Lost</name>")
    axl14.ok("removeSipTrunk", "<name>Lost</name>")


def test_refused_reset_truncated_garbage_stalled(lab: LabProcess, axl14: Axl) -> None:
    fault(lab, action="refuse", count=1)
    with pytest.raises(requests.ConnectionError):
        axl14.raw("getCCMVersion")
    fault(lab, action="reset", count=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        axl14.raw("getCCMVersion")
    fault(lab, action="truncated", count=1)
    cut = axl14.raw("getCCMVersion")
    assert cut.status_code == 200
    assert "</soapenv:Envelope>" not in cut.text
    fault(lab, action="garbage", count=1)
    assert b"not what was asked" in axl14.raw("getCCMVersion").content
    fault(lab, action="memory", count=1)
    assert "Maximum AXL Memory Allocation Consumed" in axl14.raw("getCCMVersion").text
    fault(lab, action="stall", count=1, seconds=0.5)
    started = time.monotonic()
    assert axl14.raw("getCCMVersion").status_code == 200
    assert time.monotonic() - started >= 0.5


def test_many_at_once(lab: LabProcess) -> None:
    """Eight connections that add and read side by side: nothing is lost, nothing is doubled."""

    def work(worker: int) -> list[str]:
        client = Axl(lab.address("cucm115"), "11.5")
        return [
            client.ok("addSipTrunkSecurityProfile", profile(f"W{worker}-{n}", f"w{worker}-{n}")).element.findtext(
                "return"
            )
            for n in range(10)
        ]

    with ThreadPoolExecutor(8) as pool:
        made = [identity for identities in pool.map(work, range(8)) for identity in identities]
    assert len(set(made)) == 80
    client = Axl(lab.address("cucm115"), "11.5")
    search = "<searchCriteria><name>W%</name></searchCriteria><returnedTags><name/></returnedTags>"
    assert len(client.ok("listSipTrunkSecurityProfile", search).all("sipTrunkSecurityProfile/name")) == 80


def test_the_log_says_who_asked_what_and_no_password(lab: LabProcess, axl14: Axl) -> None:
    axl14.ok("getOSVersion")
    event = [e for e in lab.events() if e["kind"] == "axl" and e["operation"] == "getOSVersion"][-1]
    assert (event["node"], event["account"], event["status"]) == ("CUCM140", "axladmin", 200)
    text = (lab.state / "lab.log").read_text()
    assert not any(password in text for _unused, password in (ACCOUNT, READER, NOBODY))
    assert RELEASES


def test_a_listed_change(axl14: Axl) -> None:
    first = axl14.ok("listChange").element
    queue, start = first.findtext("queueInfo/queueId"), first.findtext("queueInfo/nextStartChangeId")
    axl14.ok("addSipTrunkSecurityProfile", profile("Changed", "changed"))
    axl14.ok("removeSipTrunkSecurityProfile", "<name>Changed</name>")
    answer = axl14("listChange", f'<startChangeId queueId="{queue}">{start}</startChangeId>').element
    assert [change.findtext("action") for change in answer.iter("change")] == ["a", "r"]
    assert axl14("listChange", '<startChangeId queueId="another">1</startChangeId>').code == 5007


def verified(lab: LabProcess, extra: str = "") -> str:
    """What a client that trusts the lab's certificates, and `extra`, says of release 14's HTTPS."""
    context = ssl.create_default_context(cadata=(lab.state / "https-ca.pem").read_text() + extra)
    address = lab.address("cucm140")
    try:
        with (
            socket.create_connection((address, 8443), 10) as plain,
            context.wrap_socket(plain, server_hostname=address),
        ):
            return "trusted"
    except ssl.SSLError as error:
        return str(error)


def test_impersonation(lab: LabProcess) -> None:
    """The tomcat certificate is right by name and chain; each wrong one is wrong in its own way."""
    assert verified(lab) == "trusted"
    rules = {
        "name": "IP address mismatch",
        "self-signed": "self-signed certificate",
        "expired": "self-signed certificate",
    }
    for how, words in rules.items():
        lab.ask("fault/add", interface="https", action="wrong_certificate", node="CUCM140", extra={"how": how})
        said = verified(lab)
        expired = (
            verified(lab, (lab.state / "cucm140/CUCM140/https-expired.pem").read_text()) if how == "expired" else ""
        )
        lab.ask("fault/clear")
        assert words in said
        assert expired == "" or "expired" in expired or "self-signed" in expired
    lab.ask("fault/add", interface="https", action="alert", count=1)
    assert "alert" in verified(lab).lower()
    assert verified(lab) == "trusted"


def test_an_old_server_says_why_it_refuses(lab: LabProcess) -> None:
    context = ssl.create_default_context()
    # Said here, since a distribution's Python may leave it to OpenSSL's configuration.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection((lab.address("cucm91"), 8443), 10) as plain,
        pytest.raises(ssl.SSLError, match=r"(?i)alert.protocol.version"),
    ):
        context.wrap_socket(plain, server_hostname="cucm91")
