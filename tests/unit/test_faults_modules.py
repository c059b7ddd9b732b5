# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every interface under every fault, a module at a time: it gets through, or one sentence says what to do."""

from __future__ import annotations

import itertools
import queue
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from cucm_lab.faults import INTERFACES
from cucm_lab.testing import LabProcess

from tests.support import reliability
from tests.support.certificate_kit import Authority
from tests.support.module_processes import ran
from tests.support.requests_made import make_csr

pytestmark = [pytest.mark.xdist_group("faults-modules"), pytest.mark.timeout(300)]
APPLICATION = {"username": "axladmin", "password": "Axl-Lab-91!reading-and-writing"}
PLATFORM = {"os_username": "osadmin", "os_password": "Os-Lab-91!platform-account", "ssh_port": 2222}
CA = {"adcs_username": "LAB\\enroll", "adcs_password": "Ca-Lab-91!enrolling"}
#: a number for each time a row is run: a second try of a test shall not find what the first one made
TIMES = itertools.count()
#: seconds; a fault that stalls does so for longer
TIMEOUT, STALL = 2, 20


@dataclass(frozen=True)
class Call:
    """A module as the table names it: on which cluster, with which options."""

    module: str
    cluster: str = "rest"
    options: dict[str, Any] = field(default_factory=dict)


CALLS = {
    "info": Call("cucm_info"),
    "profile": Call("cucm_sip_trunk_profile", options={"copy_from": "Non Secure SIP Trunk Profile"}),
    "restart": Call("cucm_service", options={
        "name": "Cisco Tftp", "state": "restarted", "interface": "soap", "poll_interval": 0.2,
        "wait_timeout": 8}),
    "restart by cli": Call("cucm_service", "cli", {
        "name": "Cisco Tftp", "state": "restarted", "interface": "cli", "poll_interval": 0.2, "wait_timeout": 8}),
    "trunks": Call("cucm_sip_trunk_info"),
    "traces": Call("cucm_trace_info", options={"minutes": 1000}),
    "capture": Call("cucm_capture", options={"seconds": 1, "dest": "captures"}),
    "csr": Call("cucm_csr", options={"interface": "rest", "regenerate": "always"}),
    "csr by cli": Call("cucm_csr", "cli", {"interface": "cli", "regenerate": "always"}),
    "trust": Call("cucm_cert_upload", options={"interface": "rest", "chain": ["fresh"]}),
    "trust by cli": Call("cucm_cert_upload", "cli", {"interface": "cli", "chain": ["fresh"]}),
    "certificates": Call("cucm_certificate_info", options={"interface": "rest"}),
    "certificates by cli": Call("cucm_certificate_info", "cli", {"interface": "cli"}),
    "probe": Call("sip_tls_probe"),
    "sign": Call("ca_sign"),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A fault, the module that meets it, and the sentence it ends with; none: it gets through."""

    interface: str
    operation: str
    action: str
    call: str
    sentence: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    #: one of those that every run of the tests looks at
    sharp: bool = False

    @property
    def name(self) -> str:
        """For failed assertions."""
        return f"{self.interface}, {self.operation}, {self.words}, {self.call}"

    @property
    def words(self) -> str:
        """The fault, for people."""
        more = {key: value for key, value in self.more.items() if key in ("status", "rate", "count")}
        return ", ".join([self.action.replace("_", " "), *(f"{key} {value}" for key, value in more.items())])


def row(interface: str, operation: str, action: str, call: str, sentence: str = "", **more: Any) -> Row:
    """A row; more are the rule's own numbers."""
    sharp = more.pop("sharp", False)
    return Row(interface, operation, action, call, sentence, more, sharp)


BROKE, SILENT = "the connection broke before the answer came .*run again", "no answer within 2 s.*run again"
NO_SOAP = "(no SOAP answer|not valid XML).*run again"
FIVE: dict[str, Any] = {"status": 500}
ONCE: dict[str, Any] = {"count": 1}
TWICE: dict[str, Any] = {"count": 2}
LONG: dict[str, Any] = {"seconds": STALL}
TABLE = [
    row("https", "connect", "refuse", "info", BROKE),
    row("https", "connect", "stall", "info", SILENT, **LONG),
    row("https", "handshake", "alert", "info", "TLS handshake: sslv3 alert handshake failure", sharp=True),
    row("https", "handshake", "wrong_certificate", "info", "certificate verify failed: self-signed .*ca_path"),
    row("axl", "*", "refuse", "info", BROKE),
    row("axl", "get*", "refuse", "profile", **ONCE),
    row("axl", "add*", "refuse", "profile", **ONCE),
    row("axl", "add*", "reset", "profile", **ONCE),
    row("axl", "add*", "drop", "profile", sharp=True, **ONCE),
    row("axl", "add*", "stall", "profile", SILENT, **LONG),
    row("axl", "*", "status", "profile", sharp=True, **TWICE),
    row("axl", "add*", "status", "profile", "answered 500 .*run again", **FIVE),
    row("axl", "*", "memory", "profile", **ONCE),
    row("axl", "add*", "garbage", "profile", "whether CUCM acted is (unknown|not known).*run again"),
    row("axl", "get*", "garbage", "profile", "is not valid XML.*run again"),
    row("axl", "add*", "truncated", "profile", sharp=True, **ONCE),
    row("axl", "get*", "truncated", "profile", "not valid XML.*run again", sharp=True),
    row("axl", "*", "refuse", "profile", rate=0.2),
    row("axl", "*", "clock", "profile", seconds=-86400 * 400, **ONCE),
    row("controlcenter", "*", "refuse", "restart", BROKE),
    row("controlcenter", "soapDo*", "refuse", "restart", **ONCE),
    row("controlcenter", "soapDo*", "reset", "restart", **ONCE),
    row("controlcenter", "soapDo*", "drop", "restart", sharp=True, **ONCE),
    row("controlcenter", "soapGet*", "stall", "restart", SILENT, **LONG),
    row("controlcenter", "*", "status", "restart", **TWICE),
    row("controlcenter", "soapGet*", "status", "restart", "answered 500 .*Try again", **FIVE),
    row("controlcenter", "soapDo*", "status", "restart", "answered 500 .*Try again", **FIVE),
    row("controlcenter", "soapGet*", "garbage", "restart", "not what was asked.*Try again"),
    row("controlcenter", "soapDo*", "garbage", "restart", **ONCE),
    row("controlcenter", "soapDo*", "truncated", "restart", **ONCE),
    row("service", "start*", "hang", "restart", "is Starting, not Started, 8 s after it was asked.*wait_timeout"),
    row("service", "start*", "fail", "restart", "is Stopped, not Started, 8 s after it was asked"),
    row("service", "start*", "hang", "restart by cli", "is Starting, not Started, 8 s after it was asked", sharp=True),
    row("service", "start*", "fail", "restart by cli", "is Stopped, not Started, 8 s after it was asked"),
    row("ris", "*", "refuse", "trunks", BROKE),
    row("ris", "*", "reset", "trunks", **ONCE),
    row("ris", "*", "stall", "trunks", SILENT, **LONG),
    row("ris", "*", "status", "trunks", **TWICE),
    row("ris", "*", "status", "trunks", NO_SOAP, **FIVE),
    row("ris", "*", "garbage", "trunks", NO_SOAP, sharp=True),
    row("ris", "*", "truncated", "trunks", NO_SOAP),
    row("logcollection", "*", "refuse", "traces", BROKE),
    row("logcollection", "*", "stall", "traces", SILENT, **LONG),
    row("logcollection", "*", "status", "traces", **TWICE),
    row("logcollection", "*", "status", "traces", NO_SOAP, **FIVE),
    row("logcollection", "*", "garbage", "traces", NO_SOAP),
    row("logcollection", "*", "truncated", "traces", NO_SOAP, sharp=True),
    row("dime", "*", "refuse", "capture", BROKE),
    row("dime", "*", "reset", "capture", **ONCE),
    row("dime", "*", "status", "capture", NO_SOAP, **FIVE),
    row("dime", "*", "garbage", "capture", NO_SOAP),
    row("dime", "*", "truncated", "capture", NO_SOAP, sharp=True),
    row("certmgr", "*", "refuse", "certificates", BROKE),
    row("certmgr", "GET*", "reset", "certificates", **ONCE),
    row("certmgr", "POST*csr", "refuse", "csr", **ONCE),
    row("certmgr", "POST*csr", "reset", "csr", **ONCE),
    row("certmgr", "POST*csr", "drop", "csr", sharp=True, **ONCE),
    row("certmgr", "POST*", "drop", "trust", **ONCE),
    row("certmgr", "GET*", "stall", "certificates", SILENT, **LONG),
    row("certmgr", "*", "status", "csr", **TWICE),
    row("certmgr", "POST*", "status", "csr", "HTTP 500.*Try again", **FIVE),
    row("certmgr", "GET*", "garbage", "certificates", "answered 200 .*interface: cli"),
    row("certmgr", "GET*", "truncated", "certificates", "answered 200 .*interface: cli", sharp=True),
    row("certmgr", "POST*", "garbage", "csr", "a fresh read shows that it did not take.*Run again"),
    row("certmgr", "POST*", "truncated", "csr"),
    row("certmgr", "import*", "fail", "trust", "Certificate upload failed.*certificate log"),
    row("certmgr", "import*", "fail", "trust by cli", '"Certificate upload failed: [^ ]*".*certificate log'),
    row(
        "ssh",
        "connect",
        "refuse",
        "certificates by cli",
        "Logging in to the CLI .*(Connection lost. Try again|Connection reset by peer. Check host)",
    ),
    row("ssh", "connect", "wrong_certificate", "certificates by cli", "is NOT the one in .*ssh_host_key", sharp=True),
    row("ssh", "login", "refuse", "certificates by cli", "closed the connection during its start.*run again"),
    row("ssh", "show cert*", "reset", "certificates by cli", **ONCE),
    row("ssh", "show cert*", "garbage", "certificates by cli", "named no certificate; .*run again", sharp=True),
    row("ssh", "show cert*", "fail", "certificates by cli", "named no certificate; .*run again"),
    row("ssh", "show cert*", "truncated", "certificates by cli", **ONCE),
    row("ssh", "show*", "paging", "certificates by cli", sharp=True),
    row("ssh", "paste", "reset", "trust by cli", sharp=True, **ONCE),
    row("ssh", "paste", "reset", "trust by cli", "closed the connection during 'set cert import.*run again"),
    row("ssh", "set csr*", "drop", "csr by cli", **ONCE),
    row("ssh", "set csr*", "refuse", "csr by cli", "closed the connection during 'set csr gen.*run again"),
    row("ssh", "set csr*", "fail", "csr by cli", "Executed command unsuccessfully.*certificate log"),
    row("ssh", "set csr*", "garbage", "csr by cli", "a fresh read shows that it did not take.*Run again"),
    row("ssh", "utils service list", "drop", "restart by cli", **ONCE),
    row("ssh", "utils network*", "reset", "capture", "closed the connection during 'utils network capture"),
    row("sip", "accept", "refuse", "probe", "(broke off|peer closed the connection).*Check that", sharp=True),
    row("sip", "handshake", "alert", "probe", "it answered handshake_failure"),
    row("sip", "handshake", "stall", "probe", SILENT.replace("run again", "Check that"), **LONG),
    row("sip", "handshake", "wrong_certificate", "probe"),
    row("adcs", "*", "refuse", "sign", "the connection broke .*Check the URL"),
    row("adcs", "submit", "status", "sign", "responded with HTTP 503 .*run again"),
    row("adcs", "submit", "drop", "sign", "the connection broke .*may have issued .*run again", sharp=True),
    row("adcs", "submit", "stall", "sign", "no complete response within 2 s.*run again", **LONG),
    row("adcs", "submit", "garbage", "sign", "not what was asked.*run again"),
    row("adcs", "submit", "truncated", "sign", "[Cc]heck (at the CA|there).*run again"),
    row("adcs", "fetch", "garbage", "sign", "It says: .*run again"),
]
LANES = 4
PLATFORM_MODULES = ("cucm_csr", "cucm_cert_upload", "cucm_certificate_info")
SCENARIO = {
    "name": "fault-table",
    "accounts": {
        "application": [{**APPLICATION, "roles": [
            "Standard AXL API Access", "Standard CCM Admin Users", "Standard CCM Server Monitoring",
            "Standard RealtimeAndTraceCollection"]}],
        "platform": [{"username": PLATFORM["os_username"], "password": PLATFORM["os_password"], "level": 4}],
    },
    "clusters": [
        {"name": f"{name}{lane}", "release": release, "phones": [{"extension": extension}],
         "nodes": [{"name": f"{name}{lane}".upper(), "address": f"127.0.{extension[1:]}.{lane + 1}"}]}
        for name, release, extension in (("rest", "15", "1150"), ("cli", "12.5", "1125")) for lane in range(LANES)
    ],
    "cas": [
        {"name": f"adcs{lane}", "kind": "enterprise", "address": f"127.0.200.{lane + 1}", "port": 8443,
         "accounts": [{name.removeprefix("adcs_"): value for name, value in CA.items()}]} for lane in range(LANES)
    ],
}  # fmt: skip
#: what every sentence names: the node or the CA, the interface or what was tried, the account
NAMES = re.compile(r"NODE.*|CA at https://NODE", re.DOTALL)
NEVER = re.compile(r"Traceback|met an error that it does not know|object at 0x|Error\(|Exception|[\x00-\x1f\x7f-\x9f]")


@dataclass
class Laboratory:
    """As many alike clusters as rows run at once."""

    process: LabProcess
    folder: Path
    csr: str
    lanes: queue.Queue[int]

    def options(self, call: Call, lane: int, unique: str) -> dict[str, Any]:
        """The options of a call on the clusters of a lane."""
        host = self.process.address(f"{call.cluster}{lane}")
        state = self.process.state
        node = {"host": host, "ca_path": str(state / "https-ca.pem"), "timeout": TIMEOUT}
        known = {"ssh_known_hosts": str(state / "known_hosts")}
        sets: dict[str, dict[str, Any]] = {
            "sip_tls_probe": {"host": host, "timeout": TIMEOUT},
            "ca_sign": {"provider": "adcs", "csr": self.csr, "adcs_template": "CucmTLS", "adcs_timeout": TIMEOUT, **CA},
            **{name: {**node, **PLATFORM, **known} for name in PLATFORM_MODULES},
            **{name: {**node, **PLATFORM, **known, **APPLICATION} for name in ("cucm_service", "cucm_capture")},
        }
        given = {**sets.get(call.module, {**node, **APPLICATION}), **call.options}
        if call.module == "ca_sign":
            ca = next(authority for authority in self.process.description["cas"] if authority["name"] == f"adcs{lane}")
            given |= {"adcs_url": f"https://{ca['address']}:{ca['port']}/certsrv",
                      "adcs_ca_path": str(state / f"ca-adcs{lane}" / "ca.pem")}  # fmt: skip
        if call.module == "cucm_sip_trunk_profile":
            given |= {"name": f"Profile {unique}", "x509_subject_names": [f"peer-{unique}"]}
        if "chain" in given:
            given["chain"] = [Authority.make(self.folder, f"Root {unique}").pem]
        if "dest" in given:
            given["dest"] = str(self.folder / f"captures-{unique}")
        return given

    def meet(self, row: Row) -> tuple[Row, str, int, dict[str, Any]]:
        """Run a row: (row, its sentence without what differs from run to run, hits, the whole result)."""
        lane = self.lanes.get()
        try:
            call = CALLS[row.call]
            options = self.options(call, lane, str(next(TIMES)))
            node = f"adcs{lane}" if row.interface == "adcs" else f"{call.cluster}{lane}"
            fault = self.process.ask(
                "fault/add", interface=row.interface, operation=row.operation, action=row.action, node=node, **row.more
            )
            try:
                done = ran(call.module, options)
                hits = next(known["hits"] for known in self.process.ask("fault/list") if known["id"] == fault["id"])
            finally:
                self.process.ask("fault/clear", id=fault["id"])
                if row.action == "clock":
                    self.process.ask("clock", reset=True)
            return row, settled(done.sentence, self.process), hits, done.result
        finally:
            self.lanes.put(lane)


def settled(text: str, process: LabProcess) -> str:
    """A sentence without what no two runs have in common."""
    text = re.sub(rf"\b{re.escape(process.net)}\.\d+\.\d+\b", "NODE", text).replace(str(process.state), "LAB")
    text = re.sub(r"SHA256:[A-Za-z0-9+/]{43}", "SHA256:…", text)
    text = re.sub(r"=_Part_[0-9a-f]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?i:\brest\d\b)", "…", text)
    text = re.sub(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\ \n]*", "-----BEGIN CERTIFICATE-----…", text)
    return re.sub(r"\b(CN=Root|Profile|request) \d+", r"\1 N", text)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    folder = tmp_path_factory.mktemp("fault-table")
    scenario = folder / "scenario.yml"
    scenario.write_text(yaml.safe_dump(SCENARIO))
    lanes: queue.Queue[int] = queue.Queue()
    for lane in range(LANES):
        lanes.put(lane)
    csr = make_csr(folder, "CUCM10", key="rsa:2048", sans="DNS:cucm10.lab.local")
    with LabProcess(folder / "lab", str(scenario)) as process:
        yield Laboratory(process, folder, csr, lanes)


def judged(laboratory: Laboratory, rows: list[Row]) -> list[dict[str, str]]:
    """Run rows side by side; each must end as its row says. The rows of the page on reliability."""
    with ThreadPoolExecutor(LANES) as pool:
        met = list(pool.map(laboratory.meet, [row for row in rows if row.action != "clock"]))
    # The lab has one clock: a row that moves it runs alone.
    met += [laboratory.meet(row) for row in rows if row.action == "clock"]
    wrong = []
    for row, sentence, hits, result in met:
        good = (
            bool(re.search(row.sentence, sentence)) and bool(NAMES.search(sentence)) and not NEVER.search(sentence)
            if row.sentence
            else not result.get("failed")
        )  # fmt: skip
        if not hits and "rate" not in row.more:
            wrong.append(f"{row.name}: the fault was never met")
        elif not good:
            wrong.append(f"{row.name}: {sentence or result}")
    assert not wrong, "\n".join(wrong)
    return [{"interface": row.interface, "operation": row.operation, "fault": row.words, "task": row.call,
             "end": sentence} for row, sentence, _hits, _result in met]  # fmt: skip


def test_the_sharpest_faults_end_well_or_in_a_sentence(laboratory: Laboratory) -> None:
    assert judged(laboratory, [row for row in TABLE if row.sharp])


@pytest.mark.matrix
def test_every_fault_of_every_interface_ends_well_or_in_a_sentence(laboratory: Laboratory) -> None:
    assert {row.interface for row in TABLE} >= set(INTERFACES) - {"perfmon", "uds"}
    reliability.keep("modules", judged(laboratory, TABLE))
