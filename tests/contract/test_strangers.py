# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that others published do against the lab what their own documentation says; the lab's README has the table.

`STRANGERS_TABLE=write` rewrites the table of lab/README.md from what ran; otherwise the last test compares it.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cucm_lab.testing import LabProcess

from . import strangers, vendor

pytestmark = [pytest.mark.contract, pytest.mark.xdist_group("strangers")]
README = Path(__file__).resolve().parents[2] / "lab" / "README.md"
#: release -> (cluster, AXL version)
RELEASES = {"12.5": ("cucm125", "12.5"), "14": ("cucm140", "14.0"), "15": ("cucm150", "15.0")}
APPLICATION = ("axladmin", "Axl-Lab-91!reading-and-writing")
PLATFORM = ("osadmin", "Os-Lab-91!platform-account")
#: client -> release -> operations that did what they should
RAN: dict[str, dict[str, list[str]]] = {}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    with LabProcess(tmp_path_factory.mktemp("lab"), "releases") as process:
        process.ask("inferred", name="ris.requests_per_minute", value=1000)
        yield process


@pytest.fixture(params=list(RELEASES))
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def address(lab: LabProcess, release: str) -> str:
    return lab.address(RELEASES[release][0])


def phone(release: str) -> str:
    """The phone of the release's cluster in the scenario."""
    return f"SEP00000000{RELEASES[release][0].replace('cucm', '1')}"


def passed(client: str, release: str, operations: list[str]) -> None:
    RAN.setdefault(client, {})[release] = operations


Check = tuple[list[Any], Callable[[Any], bool]]


def npm(lab: LabProcess, client: str, release: str, create: list[str] | None, checks: list[Check]) -> None:
    """Make the calls; each must give what its check wants."""
    results = strangers.npm_calls(client, create, [call for call, _check in checks], lab.state / "https-ca.pem")
    for (call, check), result in zip(checks, results, strict=True):
        assert "threw" not in result, (call, result)
        assert check(result["gave"]), (call, result)
    passed(client, release, [call[1] if call[0] == "executeOperation" else call[0] for call, _check in checks])


def test_cisco_risport(lab: LabProcess, release: str) -> None:
    name = phone(release)

    def finds(gave: Any) -> bool:
        nodes = gave["results"]
        node = nodes[0] if isinstance(nodes, list) else nodes
        return bool(node["CmDevices"]["item"]["Name"] == name)

    common = [1000, "Any", "", "Any", "", "Name"]
    every = {"action": "SelectCmDevice", "maxReturned": 10, "deviceClass": "Phone", "model": "", "status": "Any",
             "selectBy": "Name", "selectItems": "*", "protocol": "Any", "downloadStatus": "Any"}  # fmt: skip
    npm(lab, "cisco-risport", release, [address(lab, release), *APPLICATION], [
        (["selectCmDevice", "SelectCmDevice", *common, "*", "Any", "Any"], finds),
        (["selectCmDevice", "SelectCmDeviceExt", *common, [name], "Any", "Any"], finds),
        (["selectCmDevicePaginated", every], finds),
        (["selectCtiDevice", 10, "Line", "Any", "", "UserId", "", "", ""],
         lambda gave: gave["results"]["ReturnCode"] == "NotFound"),
    ])  # fmt: skip


def test_cisco_perfmon(lab: LabProcess, release: str) -> None:
    host = address(lab, release)
    counter = {"host": host, "object": "Cisco CallManager", "counter": "CallsActive"}
    npm(lab, "cisco-perfmon", release, [host, *APPLICATION], [
        (["openSession"], lambda gave: len(gave["results"]) == 36),
        (["addCounter", "$0.results", [counter]], lambda gave: gave["results"] == "success"),
        (["collectSessionData", "$0.results"], lambda gave: gave["results"]["value"] == "0"),
        (["removeCounter", "$0.results", [counter]], lambda gave: gave["results"] == "success"),
        (["closeSession", "$0.results"], lambda gave: gave["results"] == "success"),
        (["listCounter", host], lambda gave: "Cisco SIP" in [result["Name"] for result in gave["results"]]),
        (["listInstance", host, "Cisco SIP"], lambda gave: gave["results"] == ""),
        (["collectCounterData", host, "Cisco CallManager"],
         lambda gave: "TLSConnectedSIPTrunks" in [result["counter"] for result in gave["results"]]),
        (["queryCounterDescription", counter], lambda gave: "calls" in gave["results"].lower()),
    ])  # fmt: skip


def test_cisco_axl(lab: LabProcess, release: str) -> None:
    def operation(name: str, tags: dict[str, Any], check: Callable[[Any], bool]) -> Check:
        return ["executeOperation", name, tags], check

    def made(gave: Any) -> bool:
        return bool(re.fullmatch(r"\{[0-9A-F-]{36}\}", gave))

    partition = {"name": "INTERNAL-PT", "description": "Internal directory numbers", "timeScheduleIdName": "",
                 "useOriginatingDeviceTimeZone": "", "timeZone": "", "partitionUsage": ""}  # fmt: skip
    changed = {"name": "INTERNAL-PT", "newDescription": "changed", "description": "changed"}
    listing = {"searchCriteria": {"name": "INTERNAL%"}, "returnedTags": {"name": "", "description": ""}}
    sql = f"select name from device where name = '{phone(release)}'"
    create = [address(lab, release), *APPLICATION, RELEASES[release][1]]
    npm(lab, "cisco-axl", release, create, [
        operation("addRoutePartition", {"routePartition": partition}, made),
        operation("updateRoutePartition", changed, made),
        operation("getRoutePartition", {"name": "INTERNAL-PT"},
                  lambda gave: gave["routePartition"]["description"] == "changed"),
        operation("listRoutePartition", listing, lambda gave: "INTERNAL-PT" in json.dumps(gave)),
        operation("removeRoutePartition", {"name": "INTERNAL-PT"}, made),
        operation("getPhone", {"name": phone(release)}, lambda gave: gave["phone"]["name"] == phone(release)),
        operation("listPhone", {"searchCriteria": {"name": "SEP%"}, "returnedTags": {"name": "", "model": ""}},
                  lambda gave: phone(release) in json.dumps(gave)),
        operation("executeSQLQuery", {"sql": sql}, lambda gave: phone(release) in json.dumps(gave)),
    ])  # fmt: skip


def audit_log(lab: LabProcess, release: str, name: str) -> str:
    """Its path on the node, which has just written it."""
    node = RELEASES[release][0]
    folder = lab.state / node / node.upper() / "var/log/active/audit/AuditApp"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"an audit line\n")
    return f"/var/log/active/audit/AuditApp/{name}"


def test_cisco_dime(lab: LabProcess, release: str) -> None:
    """It finds a log by the time of its last change, on the client's clock, and fetches it."""
    host = address(lab, release)
    login, path = [host, *APPLICATION], audit_log(lab, release, "Audit00000003.log")
    hour = [(datetime.now(UTC) + timedelta(hours=hours)).strftime("%m/%d/%y %I:%M %p") for hours in (-1, 1)]
    when = ["Cisco Audit Logs", *hour, "Client: (GMT+0:0)Greenwich Mean Time-Europe/London"]

    def has(gave: Any) -> bool:
        return bool(bytes(gave["data"]["data"]) == b"an audit line")

    def lists(gave: Any) -> bool:
        return path in [row["absolutepath"] for row in gave]

    npm(lab, "cisco-dime", release, None, [
        (["listNodeServiceLogs", *login], lambda gave: "Cisco CallManager" in json.dumps(gave)),
        (["selectLogFiles", *login, *when], lists),
        (["selectLogFilesMulti", [host], *APPLICATION, *when], lists),
        (["getOneFile", *login, path], has),
        (["getMultipleFiles", *login, [path]], lambda gave: has(gave[0])),
        (["getOneFileStream", *login, path], lambda gave: bool(gave["server"] == host)),
    ])  # fmt: skip


@pytest.fixture
def python_clients(lab: LabProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], Any]:
    """Import a module of a client from PyPI."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    # They switch verification off, which a bundle in the environment would override.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(lab.state / "https-ca.pem"))
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(variable, raising=False)

    def module(package: str, name: str) -> Any:
        monkeypatch.setattr(sys, "path", [*sys.path, str(strangers.pypi(package))])
        return importlib.import_module(name)

    return module


def test_ciscoris(lab: LabProcess, release: str, python_clients: Callable[[str, str], Any]) -> None:
    module = python_clients("ciscoris", "ciscoris")
    client = module.ris(*APPLICATION, address(lab, release), release)
    found = client.checkRegistration([phone(release)], [RELEASES[release][0].upper()])
    assert found["CmNodes"]["item"][0]["CmDevices"]["item"][0]["Name"] == phone(release)
    passed("ciscoris", release, ["checkRegistration"])


def test_cucmapi(lab: LabProcess, release: str, python_clients: Callable[[str, str], Any]) -> None:
    """Its control center, log and performance clients read the WSDLs that the lab serves."""
    python_clients("cucmapi", "cucmapi")
    host, node = address(lab, release), RELEASES[release][0].upper()
    login = (*APPLICATION, host, release)
    control = importlib.import_module("cucmapi.ccs").ccs(*login)
    assert control.getProductInformationList("")["ActiveServerVersion"].startswith(release)
    assert "Cisco DRF Local" in [service["ServiceName"] for service in control.soapGetStaticServiceList()]
    assert "DoNotStop" in [service["Restrict"] for service in control.getStaticServiceListExtended()]
    states = control.soapGetServiceStatus("Cisco CDR Agent")
    assert "Started" in str(states), states
    restarted = control.soapDoControlServices(node, "Restart", ["Cisco CDR Agent"])
    assert "Stopping" in str(restarted), restarted
    restarted = control.soapDoControlServicesEx("CallManager", "None", "Restart", ["Cisco DRF Local"])
    assert "Stopping" in str(restarted), restarted
    path = audit_log(lab, release, "Audit00000001.log")
    assert "Audit00000001.log" in control.getFileDirectoryList("/var/log/active/audit/AuditApp")["File"]
    logs = importlib.import_module("cucmapi.log").log(*login)
    assert "Cisco Audit Logs" in str(logs.listNodeServiceLogs())
    assert path in str(logs.selectLogFiles(service_logs=["Cisco Audit Logs"], sftp_port=0))
    assert b"an audit line" in bytes(logs.GetOneFile(path))
    counters = importlib.import_module("cucmapi.pfm").pfm(*login)
    assert "TLSConnectedSIPTrunks" in str(counters.perfmonCollectCounterData(host, "Cisco CallManager"))
    assert "Cisco SIP" in str(counters.perfmonListCounter(host))
    session = counters.perfmonOpenSession()
    assert counters.perfmonCloseSession(session) is None
    passed("cucmapi", release, [
        "getProductInformationList", "soapGetStaticServiceList", "getStaticServiceListExtended", "soapGetServiceStatus",
        "soapDoControlServices", "soapDoControlServicesEx", "getFileDirectoryList", "listNodeServiceLogs",
        "selectLogFiles", "GetOneFile", "perfmonCollectCounterData", "perfmonListCounter", "perfmonOpenSession",
        "perfmonCloseSession",
    ])  # fmt: skip


NETMIKO = """
import json, sys, netmiko
host, user, password, lines = json.load(sys.stdin)
with netmiko.ConnectHandler(device_type="generic", host=host, port=2222, username=user, password=password,
                            session_timeout=60, auth_timeout=20) as shell:
    print(json.dumps([shell.send_command(line, expect_string=r"admin:", read_timeout=20) for line in lines]))
"""


def test_netmiko(lab: LabProcess, release: str) -> None:
    """Its paramiko tries a plain password first, and where that is refused keyboard-interactive, on one connection."""
    commands = {
        "show version active": "Active Master Version",
        "set cli pagination off": "Automatic pagination is turned off",
        "show status": "Disk/logging",
        "show hardware": "HW Platform",
        "show myself": "privilege level",
        "utils service list": "Cisco CallManager[STARTED]",
        "utils dbreplication runtimestate": "(2) Setup Completed",
        f"run sql select name from device where name = '{phone(release)}'": phone(release),
        "file list activelog platform/cli/*": "file count",
        "show cert list own": "CallManager.pem",
    }
    environment = {**os.environ, "PYTHONPATH": str(strangers.pypi("netmiko"))}
    done = subprocess.run(
        [sys.executable, "-c", NETMIKO], input=json.dumps([address(lab, release), *PLATFORM, list(commands)]),
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    for (line, wanted), said in zip(commands.items(), json.loads(done.stdout), strict=True):
        # An empty folder has no files to list.
        assert wanted in said or (line.startswith("file list") and "no such file" in said), (line, said)
    passed("netmiko", release, [" ".join(line.split()[:4]) for line in commands])


def run_samples(lab: LabProcess, release: str, folder: Path, stand_in: Path, samples: dict[str, str]) -> None:
    """Run DevNet's own programs; their pauses are ended by Enter, and each has to print a text."""
    (stand_in / "dotenv.py").write_text("def load_dotenv(*_a, **_k):\n    return True\n")
    name, password = APPLICATION
    environment = {**os.environ, "PYTHONPATH": str(stand_in), "CUCM_ADDRESS": address(lab, release),
                   "USERNAME": name, "CUCM_USERNAME": name, "AXL_USERNAME": name,
                   "PASSWORD": password, "CUCM_PASSWORD": password, "AXL_PASSWORD": password,
                   "DEBUG": "False", "TERM": "dumb", "XDG_CACHE_HOME": str(stand_in),
                   "REQUESTS_CA_BUNDLE": str(lab.state / "https-ca.pem")}  # fmt: skip
    for sample, wanted in samples.items():
        done = subprocess.run(
            [sys.executable, str(folder / f"{sample}.py")], cwd=folder, env=environment, input="\n" * 20,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (sample, done.stdout[-1500:], done.stderr[-1500:])
        assert wanted in done.stdout, (sample, done.stdout[-3000:])


def test_devnet_samples(lab: LabProcess, release: str, tmp_path: Path) -> None:
    """DevNet's own programs, with the vendor's own WSDLs."""
    folder = strangers.samples("devnet")
    audit_log(lab, release, "Audit00000002.log")
    samples = {
        "risport70_selectCmDevice": phone(release),
        "services_getProductInformationList": "Cisco Unified Communications Manager",
        "services_soapGetServiceStatus": "Cisco CallManager",
        "services_doControlServices": "Cisco DRF Local",
        "perfmonPort_collect_counter_data": "CallsActive",
        "logCollection_GetOneFile": "an audit line",
    }
    run_samples(lab, release, folder, tmp_path, samples)
    passed("DevNet's serviceability samples", release, list(samples))


#: sample -> what it prints when it has worked; each removes what it has added
AXL_SAMPLES = {
    "axl_add_Region": "removeRegion response",
    "axl_add_DateTimeGroup": "removeDateTimeGroup response",
    "axl_add_Location": "removeLocation response",
    "axl_add_Partition_CSS": "removeRoutePartition (2 or 2) response",
    "axl_add_update_Line": "removeLine response",
    "axl_add_User_Line_Phone": "removePhone response",
    "axl_add_Phone_vendorConfig": "extendAndConnectCapability: 0",
    "axl_add_Phone_busyLampField": "blfDirn: 1234567890",
    "axl_add_App_User": "removePhone response",
    "axl_add_update_User": "updateUser response",
    "axl_doAuthenticateUser": "'userAuthenticated': 'true'",
    "axl_add_Sip_Trunk": "removeSipTrunk response",
    "axl_list_Sip_Trunk": "testSipTrunk",
    "axl_add_Route_Pattern": "removeRouteList response",
    "axl_add_update_Device_Pool": "removeMediaResourceList response",
}


@pytest.mark.matrix
def test_devnet_axl_samples(lab: LabProcess, release: str, tmp_path: Path) -> None:
    """DevNet's own programs, with the vendor's WSDL of the release put where their README says."""
    version = RELEASES[release][1]
    folder = tmp_path / "samples"
    shutil.copytree(strangers.samples("devnet-axl"), folder, ignore=shutil.ignore_patterns(".git", "schema"))
    vendor.schema(version)
    shutil.copytree(vendor.CACHE / version, folder / "schema")
    run_samples(lab, release, folder, tmp_path, AXL_SAMPLES)
    passed("DevNet's AXL samples", release, list(AXL_SAMPLES))


def test_ciscoaxl(lab: LabProcess, release: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its methods, with the WSDL that it brings; the newest of its schemas is that of 12.5, which all three speak."""
    monkeypatch.setattr(sys, "path", [str(vendor.ciscoaxl()), *sys.path])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(lab.state / "https-ca.pem"))
    client = importlib.import_module("ciscoaxl").axl(*APPLICATION, address(lab, release), "12.5")
    device, name = phone(release), f"PT_{release}"
    # Each operation, and whether what it gave is what its documentation says; it returns an exception, not raises it.
    checks: dict[str, tuple[tuple[Any, ...], Callable[[Any], bool]]] = {
        "get_phone": ((), lambda gave: bool(gave["name"] == device)),
        "get_phones": ((), lambda gave: device in [row["name"] for row in gave]),
        "add_partition": ((name,), lambda gave: bool(gave["return"])),
        "get_partition": ((), lambda gave: bool(gave["name"] == name)),
        "get_partitions": ((), lambda gave: name in [row["name"] for row in gave]),
        "delete_partition": ((), lambda gave: bool(gave["return"])),
        "run_sql_query": (("select name from device",), lambda gave: device in json.dumps(gave)),
    }
    named = {"get_phone": {"name": device}, "get_partition": {"name": name}, "delete_partition": {"name": name}}
    for operation, (given, check) in checks.items():
        gave = getattr(client, operation)(*given, **named.get(operation, {}))
        assert not isinstance(gave, Exception) and check(gave), (operation, gave)
    passed("ciscoaxl", release, list(checks))


MARKS = ("<!-- strangers: made by tests/contract/test_strangers.py -->", "<!-- /strangers -->")
CLIENTS = ("ciscoaxl", "cisco-axl", "cisco-risport", "cisco-perfmon", "cisco-dime", "ciscoris", "cucmapi", "netmiko",
           "DevNet's serviceability samples", "DevNet's AXL samples")  # fmt: skip


HEAD = [f"| Client | {' | '.join(RELEASES)} | Operations |", f"|---|{'---|' * len(RELEASES)}---|"]


def row(client: str) -> str:
    """A client, each release, and the operations that passed."""
    versions = {**strangers.NPM, **strangers.PYPI, "ciscoaxl": vendor.PYPI.partition("==")[2]}
    ran = RAN[client]
    cells = " | ".join(f"{len(ran[release])} passed" for release in RELEASES)
    operations = ", ".join(dict.fromkeys(f"`{name}`" for names in ran.values() for name in names))
    return f"| {client} {versions.get(client, '')}".rstrip() + f" | {cells} | {operations} |"


def test_the_table_in_the_readme() -> None:
    """The row of each client that drove every release; the row of one that cannot be had here stays as it is."""
    text = README.read_text(encoding="utf-8")
    begin, end = (text.index(mark) for mark in MARKS)
    kept = text[begin + len(MARKS[0]) : end].strip().splitlines()
    before = {client: line for client in CLIENTS for line in kept if re.match(rf"\| {re.escape(client)}[ |]", line)}
    drove = [client for client in CLIENTS if set(RAN.get(client, {})) == set(RELEASES)]
    if not drove:
        pytest.skip("THE TABLE WAS NOT COMPARED: no client drove every release")
    rows = [row(client) if client in drove else before[client] for client in CLIENTS if client in {*drove, *before}]
    if os.environ.get("STRANGERS_TABLE") == "write":
        table = "\n".join([*HEAD, *rows])
        README.write_text(f"{text[:begin]}{MARKS[0]}\n{table}\n{text[end:]}", encoding="utf-8")
        return
    assert kept == [*HEAD, *rows]
