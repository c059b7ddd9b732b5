# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SDL traces and call logs, read as other people's parsers would read them."""

from __future__ import annotations

import asyncio
import gzip
import re
import zlib
from pathlib import Path

import pytest
from cucm_lab.sip import place_call, trunk_status
from cucm_lab.sip import testing as world
from cucm_lab.traces import files
from cucm_lab.traces.files import RollingFile
from cucm_lab.world import Lab, Node

LINE = re.compile(r"^(\d{8})\.(\d{3}) \|(\d\d):(\d\d):(\d\d)\.(\d{3}) \|([^|]*)\|(.*)$")
CERTIFICATE = re.compile(
    r"connIdx=\s*(\d+)\s+--remoteIP=(\S+)\s+--remotePort\s*=\s*(\d+)\s+--X509SubjectName\s+(.*?)\s+--Cipher\s+(\S*)"
    r"\s+--SubjectAltname\s*=\s*(.*)$"
)
KINDS = {"AppInfo", "SdlSig", "FileHead", "AlarmErr"}


def text_of(path: Path) -> str:
    """All that a trace file holds, also while it is written."""
    unzip = zlib.decompressobj(31)
    return (unzip.decompress(path.read_bytes()) + unzip.flush()).decode()


def sdl(node: Node) -> str:
    folder = node.active_log / "cm" / "trace" / "ccm" / "sdl"
    return "".join(text_of(path) for path in sorted(folder.iterdir()))


def calllogs(node: Node) -> list[list[str]]:
    folder = node.active_log / "cm" / "trace" / "ccm" / "calllogs"
    return [line.split("|") for path in sorted(folder.iterdir()) for line in text_of(path).splitlines()]


@pytest.mark.parametrize(("release", "cipher"), [("9.1", "AES128-SHA"), ("15SU2", "TLS_AES_256_GCM_SHA384")])
def test_a_tls_call_in_sdl_and_calllogs(tmp_path: Path, release: str, cipher: str) -> None:
    async def run() -> tuple[Lab, str]:
        async with world.running(tmp_path, world.scenario(release, release)) as lab:
            await world.secure_pair(lab)
            result = await place_call(lab, "a", "1018", "9898")
            assert result["result"] == "answered"
            check(lab, result["call_id"])
            return lab, result["call_id"]

    def check(lab: Lab, call_id: str) -> None:
        node, peer = lab.nodes
        lines = sdl(node).split("\n")
        parsed = [match for line in lines if (match := LINE.match(line))]
        assert {match[7].strip() for match in parsed} <= KINDS
        heads = [match[8] for match in parsed if match[7].strip() == "FileHead"]
        assert re.search(r"UTC:\+00:00,Date: \d{4}/\d\d/\d\d, AppName: CCM", heads[0])
        assert any(
            'Digit analysis: match(pi="2", fqcn="1018", cn="1018"' in line and 'dd="9898"' in line for line in lines
        )
        at = lines.index("|CallingPartyNumber=1018")
        assert lines[at + 1 : at + 4] == [
            "|DialingPartition=",
            "|DialingPattern=98XX",
            "|FullyQualifiedCalledPartyNumber=9898",
        ]
        assert any(line.endswith("createConnMsg tls_security=3") for line in lines)
        created = re.search(
            r"ConnCreated: gConnTab=\S+, addr=(\S+), port=5061, connid=(\d+), transport=TLS Over TCP", sdl(node)
        )
        assert created
        assert created[1] == peer.address
        certificates = [match[8].split("|") for match in parsed if "SIPCertificateInd" in match[8]]
        assert [columns[0].strip() for columns in certificates] == ["SIPCertificateInd"] * 2
        assert [columns[2].split("(")[0] for columns in certificates] == ["SIPHandler", "SIPD"]
        for columns in certificates:
            assert len(columns) == 6
            found = CERTIFICATE.search(columns[5])
            assert found
            assert found[1] == created[2]
            assert (found[2], found[3], found[5]) == (peer.address, "5061", cipher)
            expected = "CUCM10" if release == "9.1" else "cucm10.lab.local"
            assert found[4].endswith(f"/CN={expected}")
        titles = [index for index, line in enumerate(lines) if "Outgoing SIP TCP message" in line]
        assert f"on port 5061 index {created[2]} " in lines[titles[0]]
        assert re.match(r"\[\d+,NET\]$", lines[titles[0] + 1])
        assert lines[titles[0] + 2].startswith(f"INVITE sip:9898@{peer.address}:5061 SIP/2.0")
        assert f"Via: SIP/2.0/TLS {node.address}:5061;" in lines[titles[0] + 3]
        assert "inline:****" in sdl(node)
        assert not re.search(r"inline:[A-Za-z0-9+/]{10}", sdl(node) + sdl(peer))

        rows = [row for row in calllogs(node) if row[1] == "SIPT"]
        assert {len(row) for row in rows} == {14}
        assert [(row[4], row[13].strip()) for row in rows] == [
            ("OUT", "INVITE"), ("IN", "100 Trying"), ("IN", "180 Ringing"), ("IN", "200 OK"), ("OUT", "ACK"),
            ("OUT", "BYE"), ("IN", "200 OK")]  # fmt: skip
        assert {(row[3], row[6], row[7], row[9], row[12]) for row in rows} == {("TLS", "5061", "to-b", "5061", call_id)}
        assert re.search(rf"^\[{rows[0][11]},NET\]\nINVITE ", sdl(node), re.MULTILINE)
        offered = [row for row in calllogs(node) if row[2] == "OFFERED"]
        assert offered[0][-1] == "to-b"
        incoming = [row for row in calllogs(peer) if row[1] == "SIPT"]
        assert incoming[0][2:5] == ["0", "TLS", "IN"]

    lab, _unused = asyncio.run(run())
    folder = lab.nodes[0].active_log / "cm" / "trace" / "ccm" / "sdl"
    assert [path.suffix for path in sorted(folder.iterdir())] == [".gz", ".gz"]
    for path in folder.iterdir():
        assert re.match(r"SDL001_100_\d{6}\.txt\.gz$", path.name)
        assert gzip.decompress(path.read_bytes()).startswith(b"0")


def test_options_ping_makes_the_status_and_the_alarms(tmp_path: Path) -> None:
    async def wait_for(lab: Lab, status: str) -> dict[str, object]:
        for _unused in range(100):
            row = trunk_status(lab.clusters["a"])[0]
            if row["status"] == status:
                return row
            await asyncio.sleep(0.05)
        raise AssertionError(row)

    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            await world.secure_pair(lab)
            node = lab.nodes[0]
            assert trunk_status(lab.clusters["a"])[0]["status"] == "Unknown"
            world.change(lab.clusters["a"], "SipProfile", "Standard SIP Profile", enableOutboundOptionsPing=True,
                         optionsPingIntervalWhenStatusOK=1, optionsPingIntervalWhenStatusNotOK=1)  # fmt: skip
            up = await wait_for(lab, "Registered")
            assert up["connected_tls"] is True
            assert re.search(r"SIPPingReq +\|wait", sdl(node))
            assert "Max-Forwards: 0" in sdl(node)
            assert "SIP/2.0 483 Too Many Hops" in sdl(node)
            assert re.search(
                r"SIPPingResult +\|restart0 .*ccbID= \d+ interErr=F resp=483 state=0 --TransType=", sdl(node)
            )
            assert not [row for row in calllogs(node) if "OPTIONS" in row[-1]]
            await lab.nodes[1].services.stop(world.CALLMANAGER)
            down = await wait_for(lab, "UnRegistered")
            assert down["destinations"][0]["reason"] == "Local=2"  # type: ignore[index]
            alarm = next(line for line in sdl(node).split("\n") if "AlarmName: SIPTrunkOOS" in line)
            peer = lab.nodes[1].address
            assert f"DeviceName:to-b, UnavailableRemotePeersWithReasonCode:{peer}, {peer}, 5061, Local=2, " in alarm
            assert re.search(r"RISCMAccess::SIPTrunkOOS::deviceName=to-b$", sdl(node), re.MULTILINE)
            await lab.nodes[1].services.start(world.CALLMANAGER)
            await wait_for(lab, "Registered")
            # The far end forgets our trunk's address: it is there, but it refuses.
            other = lab.clusters["b"]
            trunk = world.record(other, "SipTrunk", "to-a")
            elsewhere = [{**trunk.body["destinations"][0], "addressIpv4": "127.1.2.3"}]
            world.change(other, "SipTrunk", "to-a", destinations=elsewhere)
            refused = await wait_for(lab, "UnRegistered")
            assert refused["destinations"][0]["reason"] == "Remote=503"  # type: ignore[index]

    asyncio.run(run())


def test_a_host_name_is_pinged_as_11_5_traces_it_and_one_dead_peer_is_an_alarm(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("11.5", "12.5")) as lab:
            await world.secure_pair(lab)
            first, node = lab.clusters["a"], lab.nodes[0]
            destination = world.record(first, "SipTrunk", "to-b").body["destinations"][0]
            named = {**destination, "addressIpv4": lab.nodes[1].fqdn}
            dead = {**destination, "addressIpv4": lab.nodes[1].address, "port": 5999, "sortOrder": 2}
            world.change(first, "SipTrunk", "to-b", reset=False, destinations=[named, dead])
            world.change(first, "SipProfile", "Standard SIP Profile", enableOutboundOptionsPing=True,
                         optionsPingIntervalWhenStatusOK=5)  # fmt: skip
            for _unused in range(60):
                await asyncio.sleep(0.05)
                if trunk_status(first)[0]["status"] == "Registered":
                    break
            text = sdl(node)
            assert "SIP/2.0 483 Too Many Hops" in text
            assert re.search(r"SIPPingResult .*interErr=T resp=0 state=0", text)
            assert "AlarmName: SIPTrunkPartiallyISV" in text
            assert f"{dead['addressIpv4']}, {dead['addressIpv4']}, 5999, Local=2" in text

    asyncio.run(run())


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (
            "ca",
            r"HandleSSLError - Certificate verification failed:\(Verification error:(?:19|20|21)\)- .* for \S+:5061",
        ),
        (
            "name",
            r"validTLSConnection:TLS InvalidX509NameInCertificate Error , did not find matching SAN either, Rcvd=\S+",
        ),
    ],
)
def test_a_failed_handshake_leaves_the_lines_that_cisco_documents(tmp_path: Path, wrong: str, expected: str) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("10.5", "10.5")) as lab:
            await world.secure_pair(lab)
            if wrong == "ca":
                await world.certify(lab.nodes[1], world.Authority("Other CA"))
            else:
                world.change(lab.clusters["a"], "SipTrunkSecurityProfile", world.TLS_NAME,
                             x509SubjectName="someone.else")  # fmt: skip
            result = await place_call(lab, "a", "1018", "9898")
            assert result["result"] != "answered"
            text = sdl(lab.nodes[0])
            assert re.search(expected, text)
            assert ("AlarmName: ConnectionFailure" in text) == (wrong == "name")
            assert "SSL_ERROR" not in text

    asyncio.run(run())


def test_files_roll_and_stay_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROLL_BYTES", 200)
    rolling = RollingFile(tmp_path, "SDL001_100_", 6, lambda number: f"head {number}\n")
    for index in range(20):
        rolling.write(f"line {index:03d} {'x' * 40}\n")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names[0] == "SDL001_100_000001.txt.gz"
    assert sum(name.endswith(".gzo") for name in names) <= 1
    texts = [text_of(path) for path in sorted(tmp_path.iterdir())]
    assert all(text.startswith(f"head {number}\n") for number, text in enumerate(texts, 1))
    assert [int(n) for n in re.findall(r"line (\d+)", "".join(texts))] == list(range(20))
