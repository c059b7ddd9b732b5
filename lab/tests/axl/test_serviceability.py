# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control Center, RIS, PerfMon, Log Collection and DIME of the lab."""

from __future__ import annotations

import base64
import email
import time
from typing import Any

import pytest
from cucm_lab.testing import LabProcess
from lxml import etree

from .conftest import NOBODY, Axl, session, trunk

AST = "http://schemas.cisco.com/ast/soap"
CONTROL = "controlcenterservice2/services/ControlCenterServices"
RIS = "realtimeservice2/services/RISService70"
PERFMON = "perfmonservice2/services/PerfmonService"
LOGS = "logcollectionservice2/services/LogCollectionPortTypeService"
DIME = "logcollectionservice/services/DimeGetFileService"


class Service:
    """One node's serviceability."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = session()

    def post(self, path: str, inner: str) -> Any:
        body = (
            f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:s="{AST}"><e:Body>{inner}</e:Body>'
            f"</e:Envelope>"
        )
        return self.session.post(f"https://{self.address}:8443/{path}", data=body, timeout=20)

    def ask(self, path: str, inner: str) -> Any:
        answer = self.post(path, inner)
        assert answer.status_code == 200, answer.text
        return etree.fromstring(answer.content)

    def states(self, *names: str) -> dict[str, str]:
        wanted = "".join(f"<s:ServiceStatus>{name}</s:ServiceStatus>" for name in names or ("",))
        root = self.ask(CONTROL, f"<s:soapGetServiceStatus>{wanted}</s:soapGetServiceStatus>")
        return {
            item.findtext(f"{{{AST}}}ServiceName"): item.findtext(f"{{{AST}}}ServiceStatus")
            for item in root.iter(f"{{{AST}}}item")
        }

    def control(self, action: str, name: str) -> Any:
        return self.ask(
            CONTROL,
            f"<s:soapDoControlServices><s:ControlServiceRequest><s:NodeName/><s:ControlType>{action}</s:ControlType>"
            f"<s:ServiceList><s:item>{name}</s:item></s:ServiceList></s:ControlServiceRequest></s:soapDoControlServices>",
        )


@pytest.fixture
def node(lab: LabProcess) -> Service:
    return Service(lab.address("cucm150"))


def texts(root: Any, name: str) -> list[str]:
    return [element.text or "" for element in root.iter(f"{{{AST}}}{name}")]


def test_status_of_all_and_of_some(node: Service) -> None:
    assert node.states()["Cisco CallManager"] == "Started"
    assert node.states("Cisco Tftp", "Cisco Nonsense") == {"Cisco Tftp": "Started", "Cisco Nonsense": "Unknown"}


def test_a_restart_goes_on_behind(node: Service) -> None:
    started = node.control("Restart", "Cisco CallManager")
    assert texts(started, "ServiceStatus") == ["Stopping"]
    seen = set()
    deadline = time.monotonic() + 20
    while (status := node.states("Cisco CallManager")["Cisco CallManager"]) != "Started":
        seen.add(status)
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert seen & {"Stopping", "Stopped", "Starting"}


def test_services_are_deployed_and_undeployed(node: Service) -> None:
    for action, expected in (("UnDeploy", "Stopped"), ("Deploy", "Started")):
        node.ask(
            CONTROL,
            f"<s:soapDoServiceDeployment><s:DeploymentServiceRequest><s:NodeName/><s:DeployType>{action}</s:DeployType>"
            "<s:ServiceList><s:item>Cisco Tftp</s:item></s:ServiceList></s:DeploymentServiceRequest>"
            "</s:soapDoServiceDeployment>",
        )
        deadline = time.monotonic() + 20
        while node.states("Cisco Tftp")["Cisco Tftp"] != expected:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_tomcat_is_not_for_the_control_center(node: Service) -> None:
    refused = node.control("Restart", "Cisco Tomcat")
    assert texts(refused, "ReturnCode") == ["1"]
    assert node.states("Cisco Tomcat") == {"Cisco Tomcat": "Started"}


def test_an_account_without_the_role(node: Service) -> None:
    url = f"https://{node.address}:8443/{CONTROL}"
    assert session(NOBODY).post(url, data="x", timeout=10).status_code == 403
    assert session(None).post(url, data="x", timeout=10).status_code == 401


def criteria(name: str, device_class: str = "SIPTrunk") -> str:
    return (
        f"<s:selectCmDevice><s:StateInfo/><s:CmSelectionCriteria><s:MaxReturnedDevices>1000</s:MaxReturnedDevices>"
        f"<s:DeviceClass>{device_class}</s:DeviceClass><s:Model>255</s:Model><s:Status>Any</s:Status>"
        f"<s:NodeName>Any</s:NodeName><s:SelectBy>Name</s:SelectBy><s:SelectItems><s:item><s:Item>{name}</s:Item></s:item>"
        f"</s:SelectItems><s:Protocol>Any</s:Protocol><s:DownloadStatus>Any</s:DownloadStatus></s:CmSelectionCriteria>"
        f"</s:selectCmDevice>"
    )


def test_ris_knows_trunks_and_counts_requests(node: Service, lab: LabProcess) -> None:
    axl = Axl(node.address, "15.0")
    axl.ok("addSipTrunk", trunk("RisTrunk"))
    try:
        found = node.ask(RIS, criteria("RisTrunk"))
        device = next(found.iter(f"{{{AST}}}CmDevices"))[0]
        assert device.findtext(f"{{{AST}}}Name") == "RisTrunk"
        assert device.findtext(f"{{{AST}}}Status") == "Unknown"
        assert device.findtext(f"{{{AST}}}DeviceClass") == "SIPTrunk"
        assert texts(found, "IP") == ["10.0.0.1"]
        assert texts(node.ask(RIS, criteria("*")), "TotalDevicesFound") == ["1"]
        assert texts(node.ask(RIS, criteria("none")), "ReturnCode") == ["NotFound"]
        for _unused in range(12):
            assert node.post(RIS, criteria("none")).status_code == 200
        over = node.post(RIS, criteria("none"))
        assert over.status_code == 500
        assert "Exceeded allowed rate for Reatime information" in over.text
    finally:
        axl.ok("removeSipTrunk", "<name>RisTrunk</name>")


def test_old_releases_have_the_old_service_alone(lab: LabProcess) -> None:
    old = Service(lab.address("cucm91"))
    assert old.post(RIS, criteria("*")).status_code == 404
    found = old.ask(RIS.removesuffix("70"), criteria("*", "SIP Trunk"))
    assert texts(found, "TotalDevicesFound") == ["0"]


def test_perfmon(node: Service) -> None:
    ask = "<s:perfmonCollectCounterData><s:Host>{}</s:Host><s:Object>{}</s:Object></s:perfmonCollectCounterData>"
    found = node.ask(PERFMON, ask.format(node.address, "Cisco CallManager"))
    counters = dict(zip(texts(found, "Name"), texts(found, "Value"), strict=True))
    assert counters[f"\\\\{node.address}\\Cisco CallManager\\TLSConnectedSIPTrunks"] == "0"
    assert node.post(PERFMON, ask.format(node.address, "Nonsense")).status_code == 500
    listed = node.ask(PERFMON, f"<s:perfmonListCounter><s:Host>{node.address}</s:Host></s:perfmonListCounter>")
    assert "TLSConnectedSIPTrunks" in texts(listed, "Name")


def select(log: str, span: str = "") -> str:
    return (
        f"<s:selectLogFiles><s:FileSelectionCriteria><s:ServiceLogs><s:item>{log}</s:item></s:ServiceLogs>"
        f"<s:SystemLogs/><s:SearchStr/><s:Frequency>OnDemand</s:Frequency><s:JobType>DownloadtoClient</s:JobType>{span}"
        f"</s:FileSelectionCriteria></s:selectLogFiles>"
    )


def test_log_files_by_list_and_bytes(node: Service, lab: LabProcess) -> None:
    folder = lab.state / "cucm150" / "CUCM150" / "var/log/active/cm/trace/ccm/sdl"
    (folder / "SDL009_100_000009.txt").write_bytes(b"a trace\r\n\x00\xff--")
    found = node.ask(LOGS, select("Cisco CallManager"))
    path = "/var/log/active/cm/trace/ccm/sdl/SDL009_100_000009.txt"
    assert path in texts(found, "absolutepath")
    late = "<s:ToDate>01/01/20 12:00 AM</s:ToDate><s:FromDate>01/01/19 12:00 AM</s:FromDate>"
    assert texts(node.ask(LOGS, select("Cisco CallManager", late)), "absolutepath") == []
    fetched = node.ask(LOGS, f"<s:GetOneFile><s:FileName>{path}</s:FileName></s:GetOneFile>")
    assert base64.b64decode(texts(fetched, "GetOneFileReturn")[0]) == b"a trace\r\n\x00\xff--"
    answer = node.post(DIME, f"<s:GetOneFile><s:FileName>{path}</s:FileName></s:GetOneFile>")
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    parts: Any = email.message_from_bytes(head + answer.content).get_payload()
    assert [part.get_content_type() for part in parts] == ["text/xml", "application/octet-stream"]
    assert b"a trace\r\n\x00\xff--" in answer.content


@pytest.mark.parametrize("path", ["/etc/passwd", "/var/log/active/../../../../cluster.db", "/var/log/active/none"])
def test_files_elsewhere_are_not_there(node: Service, path: str) -> None:
    answer = node.post(DIME, f"<s:GetOneFile><s:FileName>{path}</s:FileName></s:GetOneFile>")
    assert answer.status_code == 500
    assert "No such file or directory" in answer.text


def test_a_trailing_slash_and_the_services_wsdl(node: Service) -> None:
    for path in (CONTROL, PERFMON, LOGS, RIS):
        wsdl = node.session.get(f"https://{node.address}:8443/{path}?wsdl", timeout=10)
        assert wsdl.status_code == 200
        assert path.rsplit("/", 1)[1].encode() in wsdl.content
        assert node.post(f"{path}/", "<s:nonsense/>").status_code == 500
        assert node.session.get(f"https://{node.address}:8443/{path}", timeout=10).status_code == 405
        assert session(None).get(f"https://{node.address}:8443/{path}?wsdl", timeout=10).status_code == 401


@pytest.fixture
def rested(lab: LabProcess) -> Service:
    """A node of another cluster: the tests above spend the first one's requests of a minute."""
    return Service(lab.address("cucm140"))


def test_the_extended_selection_answers_with_the_plain_ones_elements(rested: Service) -> None:
    wanted = criteria("", "Phone").replace("selectCmDevice>", "selectCmDeviceExt>")
    answer = rested.ask(RIS, wanted)
    assert answer.find(f".//{{{AST}}}selectCmDeviceResponse/{{{AST}}}selectCmDeviceReturn") is not None
    assert texts(answer, "DirectoryNumber") == ["1140"]


def test_an_empty_item_selects_everything_or_nothing(rested: Service, lab: LabProcess) -> None:
    assert texts(rested.ask(RIS, criteria("", "Phone")), "TotalDevicesFound") == ["1"]
    lab.ask("inferred", name="ris.empty_item_is_all", value=False)
    assert texts(rested.ask(RIS, criteria("", "Phone")), "TotalDevicesFound") == ["0"]
    lab.ask("inferred", name="ris.empty_item_is_all", value=True)


def test_a_service_on_its_way_has_no_reason_and_a_stopped_one_has(node: Service) -> None:
    assert "-1019" not in texts(node.control("Restart", "Cisco CDR Agent"), "ReasonCode")
    node.control("Stop", "Cisco DRF Local")
    deadline = time.monotonic() + 20
    while node.states("Cisco DRF Local") != {"Cisco DRF Local": "Stopped"}:
        assert time.monotonic() < deadline
    status = "<s:soapGetServiceStatus><s:ServiceStatus>Cisco DRF Local</s:ServiceStatus></s:soapGetServiceStatus>"
    assert "-1019" in texts(node.ask(CONTROL, status), "ReasonCode")
    node.control("Start", "Cisco DRF Local")


def test_what_a_node_has_installed(node: Service) -> None:
    ask = "<s:getProductInformationList><s:ServiceInfo/></s:getProductInformationList>"
    listed = node.ask(CONTROL, ask)
    assert texts(listed, "ActiveServerVersion") == ["15.0.1.11900-23"]
    assert {"Cisco DRF Local", "Cisco CallManager"} <= set(texts(listed, "ServiceName"))
    ask = "<s:getStaticServiceListExtended><s:ServiceInformationResponse/></s:getStaticServiceListExtended>"
    assert "DoNotStop" in texts(node.ask(f"{CONTROL}Ex", ask), "Restrict")


def test_the_list_of_logs_in_both_forms(node: Service, lab: LabProcess) -> None:
    ask = "<s:listNodeServiceLogs><s:ListRequest/></s:listNodeServiceLogs>"
    multipart = node.post(LOGS, ask)
    head = f"Content-Type: {multipart.headers['Content-Type']}\r\n\r\n".encode()
    parts: Any = email.message_from_bytes(head + multipart.content).get_payload()
    assert [part.get_content_type() for part in parts] == ["text/xml"]
    in_part = texts(etree.fromstring(parts[0].get_payload(decode=True)), "item")
    lab.ask("inferred", name="logcollection.list_multipart", value=False)
    assert texts(node.ask(LOGS, ask), "item") == in_part
    assert "Cisco Audit Logs" in in_part
    lab.ask("inferred", name="logcollection.list_multipart", value=True)


def test_no_application_holds_a_cti_item(rested: Service) -> None:
    assert texts(rested.ask(RIS, "<s:selectCtiItem><s:StateInfo/></s:selectCtiItem>"), "TotalItemsFound") == ["0"]
