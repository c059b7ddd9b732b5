# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of the six releases, and a bare client: requests and strings, none of the collection's code."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from cucm_lab.testing import LabProcess
from lxml import etree
from requests.adapters import HTTPAdapter

ACCOUNT = ("axladmin", "Axl-Lab-91!reading-and-writing")
READER = ("axlread", "Axl-Lab-91!reading-alone")
NOBODY = ("noaxl", "Axl-Lab-91!without-any-role")
#: cluster -> AXL version
RELEASES = {
    "cucm91": "9.1", "cucm105": "10.5", "cucm115": "11.5", "cucm125": "12.5", "cucm140": "14.0", "cucm150": "15.0",
}  # fmt: skip


class OldTls(HTTPAdapter):
    """Any TLS, any certificate: these tests look at what is said inside."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        super().init_poolmanager(*args, ssl_context=context, **kwargs)


def session(account: tuple[str, str] | None = ACCOUNT) -> requests.Session:
    made = requests.Session()
    made.mount("https://", OldTls())
    made.trust_env = False
    made.verify = False
    made.auth = account
    return made


@dataclass
class Answer:
    """An AXL answer taken apart."""

    status: int
    element: Any
    code: int | None = None
    text: str = ""

    def value(self, path: str) -> str:
        """The text at a path below <return>, such as sipTrunk/name."""
        found = self.element.findtext(f"return/{path}")
        return found or ""

    def all(self, path: str) -> list[str]:
        return [e.text or "" for e in self.element.findall(f"return/{path}")]


class Axl:
    """A cluster, spoken to in one version."""

    def __init__(self, address: str, version: str, account: tuple[str, str] = ACCOUNT) -> None:
        self.url = f"https://{address}:8443/axl/"
        self.version = version
        self.session = session(account)

    def raw(self, operation: str, inner: str = "", version: str | None = None, **headers: str) -> requests.Response:
        version = version or self.version
        body = (
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Body>'
            f'<n:{operation} xmlns:n="http://www.cisco.com/AXL/API/{version}">{inner}</n:{operation}></e:Body></e:Envelope>'
        )
        return self.session.post(
            self.url, data=body.encode(), headers={"Content-Type": "text/xml", **headers}, timeout=30
        )

    def __call__(self, operation: str, inner: str = "") -> Answer:
        answer = self.raw(operation, inner, SOAPAction=f'"CUCM:DB ver={self.version} {operation}"')
        element = etree.fromstring(answer.content)[0][0]
        if answer.status_code == 200:
            return Answer(200, element)
        return Answer(
            answer.status_code,
            element,
            int(element.findtext("detail/axlError/axlcode")),
            element.findtext("faultstring"),
        )

    def ok(self, operation: str, inner: str = "") -> Answer:
        answer = self(operation, inner)
        assert answer.status == 200, f"{operation}: {answer.code} {answer.text}"
        return answer


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    with LabProcess(tmp_path_factory.mktemp("lab"), "releases") as process:
        yield process


@pytest.fixture(params=list(RELEASES))
def axl(request: pytest.FixtureRequest, lab: LabProcess) -> Axl:
    """AXL of each release in turn."""
    return Axl(lab.address(request.param), RELEASES[request.param])


@pytest.fixture
def axl14(lab: LabProcess) -> Iterator[Axl]:
    """AXL of release 14; faults are cleared afterwards."""
    yield Axl(lab.address("cucm140"), "14.0")
    lab.ask("fault/clear")


def profile(name: str, subject: str = "", port: int = 5061, more: str = "") -> str:
    return (
        f"<sipTrunkSecurityProfile><name>{name}</name><securityMode>Encrypted</securityMode>"
        f"<incomingTransport>TLS</incomingTransport><outgoingTransport>TLS</outgoingTransport>"
        f"<x509SubjectName>{subject}</x509SubjectName><incomingPort>{port}</incomingPort>"
        f"<sipV150OutboundSdpOfferFiltering>Use Default Filter</sipV150OutboundSdpOfferFiltering>{more}"
        f"</sipTrunkSecurityProfile>"
    )


def destination(address: str, order: int, port: int = 5061) -> str:
    where = f"<addressIpv4>{address}</addressIpv4><port>{port}</port>"
    return f"<destination>{where}<sortOrder>{order}</sortOrder></destination>"


def trunk(name: str, security: str = "Non Secure SIP Trunk Profile", destinations: str = "", more: str = "") -> str:
    return (
        f"<sipTrunk><name>{name}</name><product>SIP Trunk</product><class>Trunk</class><protocol>SIP</protocol>"
        f"<protocolSide>Network</protocolSide><devicePoolName>Default</devicePoolName>"
        f"<locationName>Hub_None</locationName><securityProfileName>{security}</securityProfileName>"
        f"<sipProfileName>Standard SIP Profile</sipProfileName>"
        f"<presenceGroupName>Standard Presence group</presenceGroupName>{more}"
        f"<destinations>{destinations or destination('10.0.0.1', 1)}</destinations>"
        f"<callingAndCalledPartyInfoFormat>Deliver DN only in connected party</callingAndCalledPartyInfoFormat>"
        f"</sipTrunk>"
    )


def pattern(number: str, to: str, partition: str = "") -> str:
    return (
        f"<routePattern><pattern>{number}</pattern><routePartitionName>{partition}</routePartitionName>"
        f"<blockEnable>false</blockEnable><useCallingPartyPhoneMask>Default</useCallingPartyPhoneMask>"
        f'<dialPlanName xsi:nil="true"/><digitDiscardInstructionName xsi:nil="true"/>'
        f"<networkLocation>OnNet</networkLocation><prefixDigitsOut/><routeFilterName/><destination>{to}</destination></routePattern>"
    )


def group(name: str, device: str) -> str:
    return (
        f"<routeGroup><distributionAlgorithm>Circular</distributionAlgorithm><members><member><deviceSelectionOrder>1"
        f"</deviceSelectionOrder><deviceName>{device}</deviceName><port>0</port></member></members><name>{name}</name></routeGroup>"
    )


def route_list(name: str, of: str) -> str:
    return (
        f"<routeList><name>{name}</name><callManagerGroupName>Default</callManagerGroupName>"
        f"<routeListEnabled>true</routeListEnabled><members><member><routeGroupName>{of}</routeGroupName>"
        f"<selectionOrder>1</selectionOrder><useFullyQualifiedCallingPartyNumber>Default"
        f"</useFullyQualifiedCallingPartyNumber></member></members></routeList>"
    )
