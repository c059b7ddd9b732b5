# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RIS in its three generations, PerfMon, Log Collection and DIME: over real HTTPS, by script and by the lab."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import node_capture
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces import trace_files, trunk_state
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability import (
    dime,
    log_collection,
    perfmon,
    ris,
    soap,
)
from cucm_lab.testing import LabProcess

from tests.support.module_processes import run_module
from tests.support.scripted_server import Server, status


def envelope(body: str, namespace: str = soap.NAMESPACE) -> bytes:
    return (
        f'<soapenv:Envelope xmlns:soapenv="{soap.ENVELOPE}"><soapenv:Body xmlns:n="{namespace}">{body}'
        "</soapenv:Body></soapenv:Envelope>"
    ).encode()


def fault(text: str) -> bytes:
    return envelope(f"<soapenv:Fault><faultcode>Server</faultcode><faultstring>{text}</faultstring></soapenv:Fault>")


# 10.5's RISService and 8.0's RisPort name things otherwise than RISService70.
NEW = envelope(
    "<n:selectCmDeviceResponse><n:selectCmDeviceReturn><n:SelectCmDeviceResult><n:TotalDevicesFound>1"
    "</n:TotalDevicesFound><n:CmNodes><n:item><n:ReturnCode>Ok</n:ReturnCode><n:Name>NODE1</n:Name><n:CmDevices><n:item>"
    "<n:Name>TLS-TO-B</n:Name><n:DeviceClass>SIPTrunk</n:DeviceClass><n:Status>UnRegistered</n:Status>"
    "<n:StatusReason>13</n:StatusReason><n:Description>to B</n:Description><n:TimeStamp>1700000000</n:TimeStamp>"
    "<n:IPAddress><n:item><n:IP>10.0.0.2</n:IP></n:item></n:IPAddress></n:item></n:CmDevices></n:item></n:CmNodes>"
    "</n:SelectCmDeviceResult></n:selectCmDeviceReturn></n:selectCmDeviceResponse>"
)
OLD = envelope(
    "<n:SelectCmDeviceResponse><SelectCmDeviceResult><TotalDevicesFound>1</TotalDevicesFound><CmNodes><item>"
    "<ReturnCode>Ok</ReturnCode><Name>NODE1</Name><CmDevices><item><Name>TLS-TO-B</Name><IpAddress>10.0.0.2</IpAddress>"
    "<Class>SIP Trunk</Class><Status>Registered</Status></item><item><Name>SEP1</Name><Class>Phone</Class></item>"
    "</CmDevices></item></CmNodes></SelectCmDeviceResult></n:SelectCmDeviceResponse>", soap.NAMESPACE + "/",
)  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path)
    yield running
    running.http.shutdown()
    running.http.server_close()


def test_a_trunk_out_of_service_by_todays_service(server: Server) -> None:
    server.play(status(200, NEW))
    (trunk,) = ris.trunks(server.client(), ["TLS-TO-B"])
    assert (trunk["name"], trunk["node"], trunk["in_service"], trunk["status_reason"]) == (
        "TLS-TO-B",
        "NODE1",
        False,
        13,
    )
    assert (trunk["addresses"], trunk["since"]) == (["10.0.0.2"], 1_700_000_000)
    body = server.seen[0][3].decode()
    assert "<s:DeviceClass>SIPTrunk</s:DeviceClass>" in body
    assert "<s:Item>TLS-TO-B</s:Item>" in body


def test_the_old_service_is_found_when_the_new_ones_are_not_there(server: Server) -> None:
    server.play(status(404), status(404), status(200, OLD))
    (trunk,) = ris.trunks(server.client(), [])
    assert (trunk["name"], trunk["in_service"], trunk["addresses"]) == ("TLS-TO-B", True, ["10.0.0.2"])
    paths = [request[1] for request in server.seen]
    assert paths == [generation.path for generation in ris.GENERATIONS]
    assert b"<s:Class>SIP Trunk</s:Class>" in server.seen[2][3]


@pytest.mark.parametrize(("settle", "requests", "in_service"), [(0, 1, None), (0.1, 2, False), (60, 3, True)])
def test_a_trunk_that_was_reset_has_no_state_until_its_ping_has_a_result(
    server: Server, monkeypatch: pytest.MonkeyPatch, settle: float, requests: int, in_service: bool | None
) -> None:
    monkeypatch.setattr(trunk_state, "PAUSE", 0.1)
    unknown = status(200, NEW.replace(b"UnRegistered", b"Unknown"))
    known = status(200, NEW.replace(b"UnRegistered", b"Registered") if in_service else NEW)
    server.play(*[unknown] * (requests if in_service is None else requests - 1), known)
    result, _warnings = trunk_state.gather(
        server.client(), ["TLS-TO-B"], alarms=False, counters=False, minutes=60, settle=settle
    )
    assert [trunk["in_service"] for trunk in result["trunks"]] == [in_service] and len(server.seen) == requests


def test_no_service_at_all_is_a_sentence(server: Server) -> None:
    server.play(status(404))
    with pytest.raises(Failure, match="none of the services RISService70, RISService, RisPort is there"):
        ris.trunks(server.client(), [])


def test_the_rate_is_waited_for_and_not_for_ever(server: Server) -> None:
    busy = status(500, fault("AxisFault: Exceeded allowed rate for Reatime information."))
    server.play(busy, busy, status(200, NEW))
    waits: list[float] = []
    assert len(ris.trunks(server.client(), [], waits.append)) == 1
    assert waits == [ris.RATE_PAUSE] * 2
    server.play(busy)
    waits.clear()
    with pytest.raises(Failure, match="Exceeded allowed rate"):
        ris.trunks(server.client(), [], waits.append)
    assert sum(waits) == ris.RATE_PATIENCE


@pytest.mark.parametrize("body", [b"", b"not xml", b"<a>", b"<!DOCTYPE x><a/>", b"<ok/>"])
def test_an_answer_that_is_none_is_a_sentence(server: Server, body: bytes) -> None:
    server.play(status(200, body))
    with pytest.raises(Failure, match="no SOAP answer"):
        ris.trunks(server.client(), [])


def phones_answer(*rows: tuple[str, str, str], total: int | None = None) -> bytes:
    """RIS about phones: node, name, status."""
    nodes = "".join(
        f"<n:item><n:ReturnCode>Ok</n:ReturnCode><n:Name>{node}</n:Name><n:CmDevices><n:item><n:Name>{name}</n:Name>"
        f"<n:DeviceClass>Phone</n:DeviceClass><n:Status>{state}</n:Status></n:item></n:CmDevices></n:item>"
        for node, name, state in rows
    )
    count = len(rows) if total is None else total
    return envelope(
        f"<n:selectCmDeviceResponse><n:selectCmDeviceReturn><n:SelectCmDeviceResult><n:TotalDevicesFound>{count}"
        f"</n:TotalDevicesFound><n:CmNodes>{nodes}</n:CmNodes></n:SelectCmDeviceResult></n:selectCmDeviceReturn>"
        "</n:selectCmDeviceResponse>"
    )


def test_a_phone_that_went_to_another_node_is_registered(server: Server) -> None:
    rows = [("N1", "SEP1", "UnRegistered"), ("N2", "SEP1", "Registered"), ("N1", "SEP2", "Rejected")]
    server.play(status(200, phones_answer(*rows)))
    assert ris.phones(server.client()) == ris.Phones(1, ("SEP1",), True, ("SEP2",))
    assert b"<s:DeviceClass>Phone</s:DeviceClass>" in server.seen[0][3] and len(server.seen) == 1


def test_of_more_phones_than_ris_lists_those_that_are_out_are_asked_for(server: Server) -> None:
    server.play(
        status(200, phones_answer(("N1", "SEP1", "Registered"), total=4000)),
        status(200, phones_answer(("N1", "SEP1", "Registered"), total=3990)),
        status(200, phones_answer(("N1", "SEP2", "UnRegistered"), ("N1", "SEP3", "UnRegistered"))),
        status(200, phones_answer()),
        status(200, phones_answer(("N1", "SEP2", "UnRegistered"), ("N2", "SEP2", "Registered"))),
    )
    assert ris.phones(server.client()) == ris.Phones(3990, (), False, ("SEP3",))
    asked = [b"".join(re.findall(rb"<s:(?:Status|Item)>(.*?)<", request[3])) for request in server.seen]
    assert asked == [b"Any*", b"Registered*", b"UnRegistered*", b"Rejected*", b"AnySEP2SEP3"]


def multipart(content: bytes) -> tuple[bytes, str]:
    head = envelope("<n:GetOneFileResponse/>")
    body = (
        b"--frontier\r\nContent-Type: text/xml\r\n\r\n" + head + b"\r\n--frontier\r\n"
        b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n--frontier--\r\n"
    )
    return body, 'multipart/related; type="text/xml"; boundary="frontier"'


def test_dime_brings_the_file_byte_by_byte(server: Server) -> None:
    content = bytes(range(256)) * 40 + b"\r\n--fron\r\n\r\n"
    body, kind = multipart(content)
    server.play(status(200, body, Content_Type=kind))
    assert dime.fetch(server.client(), "/var/log/active/platform/cli/a.cap") == content
    assert b"<s:FileName>/var/log/active/platform/cli/a.cap</s:FileName>" in server.seen[0][3]


def test_without_dime_get_one_file_serves(server: Server) -> None:
    answer = envelope(f"<n:GetOneFileReturn>{base64.b64encode(b'capture').decode()}</n:GetOneFileReturn>")
    server.play(status(404), status(200, answer))
    assert dime.fetch(server.client(), "/x") == b"capture"


def test_a_file_that_is_not_there_is_a_sentence(server: Server) -> None:
    server.play(status(500, fault("FileNotFound")))
    with pytest.raises(Failure, match=r"transfer of /x \(DIME\).*FileNotFound"):
        dime.fetch(server.client(), "/x")


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (5, ("Minutes", 5)),
        (127, ("Minutes", 127)),
        (128, ("Hours", 3)),
        (20_000, ("Days", 14)),
        (10**7, ("Weeks", 127)),
    ],
)
def test_a_span_fits_the_byte_that_carries_it(minutes: int, expected: tuple[str, int]) -> None:
    assert log_collection._relative(minutes) == expected


def test_a_span_by_dates_is_sent_in_the_zone_it_names(server: Server) -> None:
    server.play(status(200, envelope("<n:selectLogFilesResponse/>")))
    since = datetime.fromisoformat("2026-05-22T19:00:00+05:30")
    assert (
        log_collection.select(
            server.client(), ["Cisco CallManager"], since=since, until=datetime(2026, 5, 23, tzinfo=UTC)
        )
        == []
    )
    body = server.seen[0][3].decode()
    assert "<s:FromDate>05/22/26 01:30 PM</s:FromDate>" in body
    assert "<s:ToDate>05/23/26 12:00 AM</s:ToDate>" in body


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    with LabProcess(tmp_path_factory.mktemp("lab")) as running:
        yield running


def options(lab: LabProcess, cluster: str = "cucma") -> dict[str, Any]:
    import yaml

    values = yaml.safe_load(lab.inventory.read_text())["cucm_clusters"]["hosts"][cluster]
    return {
        "host": values["cucm_host"], "port": 8443, "validate_certs": True, "ca_path": values["cucm_ca_path"],
        "tls_fingerprint": None, "legacy_crypto": True, "timeout": 30, "username": values["cucm_username"],
        "password": values["cucm_password"], "os_username": values["cucm_os_username"],
        "os_password": values["cucm_os_password"], "ssh_port": values["cucm_ssh_port"],
        "ssh_known_hosts": values["cucm_ssh_known_hosts"], "ssh_host_key": None, "validate_host_key": True,
        "interface": "auto",
    }  # fmt: skip


def test_the_labs_services_answer(lab: LabProcess) -> None:
    client = HttpClient.from_params(options(lab))
    assert ris.trunks(client, []) == []
    result, _unused = trunk_state.gather(client, ["NOT-THERE"], alarms=True, counters=True, minutes=60)
    assert result["missing"] == ["NOT-THERE"]
    assert result["counters"]["TLSConnectedSIPTrunks"] == 0
    assert perfmon.counters(client, client.host).keys() >= {"TLSConnectedSIPTrunks", "CallsActive"}


def test_the_labs_traces_come_over(lab: LabProcess, tmp_path: Path) -> None:
    client = HttpClient.from_params(options(lab))
    files, left_out = trace_files.wanted_files(client, None, None, 60, 5)
    assert files
    assert left_out == 0
    reader = trace_files.Reader()
    described = trace_files.fetch(client, files, reader, tmp_path)
    assert reader.trace.heads[0]["host"] == "CUCMA"
    assert all(Path(entry["path"]).stat().st_mode & 0o077 == 0 for entry in described)


def plan(**changes: Any) -> node_capture.Plan:
    made: dict[str, Any] = {
        "name": "unit", "seconds": 2, "count": 1000, "size": "all", "host": None, "port": None, "network": "eth0",
        "keep": False, "dest": None, "marker": None,
    }  # fmt: skip
    return node_capture.Plan(**{**made, **changes})


def test_captures_run_on_two_nodes_at_once_and_leave_nothing(lab: LabProcess, tmp_path: Path) -> None:
    nodes = [options(lab, "cucma"), options(lab, "cucm10")]
    captures, _unused = node_capture.run(nodes, plan(dest=tmp_path), None)
    assert [capture["node"] for capture in captures] == [node["host"] for node in nodes]
    for capture in captures:
        (entry,) = capture["files"]
        assert Path(entry["path"]).read_bytes()[:4] in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4")
        assert len(entry["sha256"]) == 64
    with pytest.raises(Failure, match=r"unit\.cap \(DIME\)"):
        dime.fetch(HttpClient.from_params(nodes[0]), dime.CAPTURES + "unit.cap")


def test_a_capture_says_when_it_runs_and_ends_when_its_marker_is_taken_away(lab: LabProcess, tmp_path: Path) -> None:
    marker = tmp_path / "runs"
    marker.touch()  # one that an earlier run left behind

    def take_away() -> None:
        end = time.monotonic() + 30
        while not marker.exists() or time.monotonic() < began + 0.2:
            assert time.monotonic() < end
            time.sleep(0.05)
        marker.unlink()

    began = time.monotonic()
    waiting = threading.Thread(target=take_away)
    waiting.start()
    captures, _unused = node_capture.run([options(lab)], plan(seconds=300, marker=marker, dest=tmp_path), None)
    waiting.join()
    assert time.monotonic() - began < 60
    assert captures[0]["files"][0]["sha256"]
    assert not marker.exists()


def test_a_capture_that_was_begun_runs_on_until_it_is_ended(lab: LabProcess) -> None:
    """Two processes of the module: the first one returns while the capture runs, the second one ends and fetches it."""
    asked = {**options(lab), "name": "begun", "seconds": 300}
    begun = run_module("cucm_capture", {**asked, "state": "begun"})
    assert begun["captures"] == [] and left_on(lab, "cucma", "begun"), begun
    ended = run_module("cucm_capture", {**options(lab), "state": "ended", "folder": begun["folder"]})
    (entry,) = ended["captures"][0]["files"]
    assert Path(entry["path"]).parent == Path(begun["folder"]) and entry["sha256"], ended
    assert not left_on(lab, "cucma", "begun") and not ended["changed"]
    shutil.rmtree(begun["folder"])
    again = run_module("cucm_capture", {**options(lab), "state": "ended", "folder": begun["folder"]})
    assert again["msg"] == f"No capture was begun in {begun['folder']}."


def test_a_capture_that_could_not_begin_says_why_when_it_is_ended(lab: LabProcess, tmp_path: Path) -> None:
    wrong = {**options(lab), "os_password": "Not-the-password", "state": "begun", "folder": str(tmp_path / "made")}
    assert not run_module("cucm_capture", wrong).get("failed")
    ended = run_module("cucm_capture", {**options(lab), "state": "ended", "folder": str(tmp_path / "made")})
    assert ended["failed"] and "platform account" in ended["msg"] and "Not-the-password" not in str(ended)


def test_the_node_sends_the_file_to_an_sftp_server(lab: LabProcess, tmp_path: Path) -> None:
    """A real SFTP server, asyncssh's, on the address that the option names; nothing is fetched by DIME."""
    import asyncio

    import asyncssh

    class Account(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("collector", "Sftp-secret!7")

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def root(channel: Any) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(tmp_path).encode())

    async def listen() -> Any:
        key = asyncssh.generate_private_key("ssh-ed25519")
        return await asyncssh.listen("127.0.0.1", 0, server_factory=Account, sftp_factory=root, server_host_keys=[key])

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(30)
    (tmp_path / "in").mkdir()
    push = node_capture.Push("127.0.0.1", server.get_port(), "collector", "Sftp-secret!7", "/in")
    try:
        captures, _unused = node_capture.run([{**options(lab), "password": None}], plan(name="pushed", seconds=1), push)
        wrong = node_capture.Push("127.0.0.1", server.get_port(), "collector", "Not-the-secret", "/in")
        with pytest.raises(Failure, match=r"SFTP server 127\.0\.0\.1 as collector") as refused:
            node_capture.run([options(lab)], plan(name="pushed", seconds=1), wrong)
    finally:
        loop.call_soon_threadsafe(server.close)
    assert (tmp_path / "in" / "pushed.cap").read_bytes()[:4] in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4")
    assert captures[0]["files"][0]["sent_to"] == "127.0.0.1:/in"
    assert "Not-the-secret" not in str(refused.value)


def left_on(lab: LabProcess, cluster: str, name: str) -> list[Path]:
    """The files of a capture on a node."""
    return list((lab.state / cluster).rglob(f"platform/cli/{name}.cap*"))


def test_a_capture_ends_with_the_play_that_began_it(lab: LabProcess, tmp_path: Path) -> None:
    """The module's process is killed: its terminal goes away, and the node's capture with it."""
    marker = tmp_path / "runs"
    script = tmp_path / "capture.py"
    script.write_text(
        "import json, sys\nfrom pathlib import Path\n"
        "from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import node_capture\n"
        "given = json.loads(Path(sys.argv[1]).read_text())\n"
        "plan = node_capture.Plan(name='killed', seconds=600, count=1000, size='all', host=None, port=None,\n"
        "    network='eth0', keep=False, dest=None, marker=Path(sys.argv[2]))\n"
        "node_capture.run([given], plan, None)\n"
    )
    given = tmp_path / "given.json"
    given.write_text(json.dumps(options(lab)))
    with subprocess.Popen([sys.executable, str(script), str(given), str(marker)]) as play:
        end = time.monotonic() + 60
        while not marker.exists():
            assert time.monotonic() < end and play.poll() is None
            time.sleep(0.1)
        assert left_on(lab, "cucma", "killed")
        play.kill()
    # The name is free for the next capture, and what was begun is not written on.
    sizes = [path.stat().st_size for path in left_on(lab, "cucma", "killed")]
    captures, _unused = node_capture.run([options(lab)], plan(name="killed", seconds=1), None)
    assert captures[0]["files"]
    assert [path.stat().st_size for path in left_on(lab, "cucma", "killed")] in ([], sizes)


def test_a_capture_to_the_screen_is_parsed(lab: LabProcess) -> None:
    captures, _unused = node_capture.run([options(lab)], plan(name=None, port=5061), None)
    assert captures[0]["files"] == []
    assert captures[0]["command"] == "utils network capture eth0 count 1000 size all port 5061"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "a.b"}, "letters, digits"),
        ({"count": 0}, "1 to 100000"),
        ({"count": 100_001}, "1 to 100000"),
        ({"host": "a b"}, "neither an address"),
    ],
)
def test_a_capture_that_cucm_would_not_take_is_refused_before(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Failure, match=words):
        node_capture.run([], plan(**changes), None)


def test_a_wrong_password_ends_the_capture_of_that_node_alone(lab: LabProcess) -> None:
    wrong = {**options(lab, "cucm10"), "os_password": "wrong-password"}
    with pytest.raises(Failure) as failed:
        node_capture.run([options(lab), wrong], plan(), None)
    assert wrong["host"] in failed.value.msg
    assert "wrong-password" not in failed.value.msg
    assert [capture["node"] for capture in failed.value.facts["captures"]] == [options(lab)["host"]]
