# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every answer of the lab is valid by the vendor's schema, and other people's client works with it."""

from __future__ import annotations

import datetime
import importlib
import ipaddress
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.module_utils._axl import info
from ansible_collections.siptls.cucm.plugins.module_utils._axl.certificate_users import certificate_users
from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient, returned
from ansible_collections.siptls.cucm.plugins.module_utils._axl.dial_plan import dial_plan
from ansible_collections.siptls.cucm.plugins.module_utils._axl.faults import AxlFault
from ansible_collections.siptls.cucm.plugins.module_utils._axl.schema import flat
from ansible_collections.siptls.cucm.plugins.module_utils._axl.tables.everything import RESOURCES
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpAnswer
from ansible_collections.siptls.cucm.plugins.module_utils._releases import numbers
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from cucm_lab.testing import LabProcess
from lxml import etree

from . import messages, vendor
from .relay import Relay

pytestmark = pytest.mark.contract
CLUSTERS = {
    "9.1": "cucm91",
    "10.5": "cucm105",
    "11.5": "cucm115",
    "12.5": "cucm125",
    "14.0": "cucm140",
    "15.0": "cucm150",
}
# ciscoaxl ends with 12.5, which the two later releases still speak.
SPOKEN = {"14.0": "12.5", "15.0": "12.5"}
REFERENCES = {
    "security_profile": "Non Secure SIP Trunk Profile",
    "sip_profile": "Standard SIP Profile",
    "device_pool": "Default",
    "location": "Hub_None",
    "presence_group": "Standard Presence group",
    "callmanager_group": "Default",
    "gateway": "Judged-SipTrunk",
    "incoming_transport": "TLS",
    "outgoing_transport": "TLS",
    "incoming_port": 5077,
}
MEMBERS = {"RouteGroup": {"device": "Judged-SipTrunk"}, "RouteList": {"route_group": "Judged-RouteGroup"}}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """The connection variables of the lab's clusters."""
    with LabProcess(tmp_path_factory.mktemp("lab"), "releases") as process:
        inventory = yaml.safe_load(process.inventory.read_text(encoding="utf-8"))
        yield inventory["cucm_clusters"]["hosts"]


def recorded(host: dict[str, Any]) -> tuple[AxlClient, list[tuple[bytes, HttpAnswer]]]:
    """A client of a cluster, and everything that it sends and gets."""
    names = ("host", "port", "username", "password", "ca_path", "legacy_crypto")
    client = AxlClient.from_params({name: host.get(f"cucm_{name}") for name in names}, RESOURCES)
    tape: list[tuple[bytes, HttpAnswer]] = []
    send = client.http.request

    def request(*args: Any, **options: Any) -> HttpAnswer:
        answer = send(*args, **options)
        tape.append((options["data"], answer))
        return answer

    client.http.request = request  # type: ignore[method-assign]
    return client, tape


def values(kind: str, version: str) -> dict[str, Any]:
    """Options with every scalar option that needs no further object, for rich answers."""
    resource = next(resource for resource in RESOURCES if resource.kind == kind)
    found: dict[str, Any] = {}
    for row in flat(resource.fields):
        if not row.at(version) or not row.takes("add") or not row.writable or row.option in resource.key:
            continue
        if row.option in REFERENCES:
            found[row.option] = REFERENCES[row.option]
        elif row.option == "members":
            found[row.option] = [{**MEMBERS[kind]}]
        elif row.base == "int" and row.default:
            found[row.option] = int(row.default)  # within the range that the server takes
        elif row.base != "FK" and row.option != "route_list":
            found[row.option] = messages.sample(row)
    return {**found, resource.first: f"Judged-{kind}" if resource.first == "name" else "4321"}


def drive(client: AxlClient) -> None:
    """Make, read, change, list and remove one object of each kind, and ask for all else that the modules ask."""
    version = client.version
    made: list[tuple[Any, dict[str, Any]]] = []
    for resource in RESOURCES:
        options = values(resource.kind, version)
        messages_of = messages.Item(resource, messages.wanted(resource.fields, options))
        messages.decide(messages_of, messages.Session(client))
        assert not messages_of.problems, messages_of.problems
        client.call(f"add{resource.kind}", **messages_of.body)
        key = messages.key_body(resource, options, version)
        made.append((resource, key))
        assert client.get(resource.kind, resource.wrapper, key) is not None
        if "description" in resource.options:
            client.call(f"update{resource.kind}", **key, description="Judged")
        tags = [row.axl for row in resource.rows(version, "list")]
        for name in resource.search:
            assert client.listing(resource.kind, resource.wrapper, {name: "%"}, tags)
    pattern = {"pattern": "55XX", "routePartitionName": {"_value_1": ""}}
    translation = {"pattern": "55XX", "usage": "Translation", "routePartitionName": {"_value_1": ""}}
    client.ask("addTransPattern", transPattern={**translation, "prefixDigitsOut": "9"})
    client.ask("updateTransPattern", **pattern, description="Judged")
    assert client.get("TransPattern", "transPattern", pattern) is not None
    assert any(pattern["pattern"] == "55XX" for pattern in dial_plan(client)["patterns"])
    client.ask("removeTransPattern", **pattern)
    bridge = {
        "name": "Judged-Bridge", "product": "Cisco IOS Enhanced Conference Bridge",
        "devicePoolName": {"_value_1": "Default"}, "locationName": {"_value_1": "Hub_None"},
        "securityProfileName": {"_value_1": "Encrypted Conference Bridge"}, "destinationAddress": "192.0.2.9",
    }  # fmt: skip
    client.ask("addConferenceBridge", conferenceBridge=bridge)
    if numbers(version) >= (12, 5):
        client.ask("addExpresswayCConfiguration", expresswayCConfiguration={"HostNameOrIP": "exp.example.com"})
    users = certificate_users(client)
    assert [conference_bridge["name"] for conference_bridge in users["conference_bridges"]] == ["Judged-Bridge"], users
    assert [expressway["name"] for expressway in users["expressways"]] == ["exp.example.com"] * (
        numbers(version) >= (12, 5)
    ), users
    assert users["cti_users"] == [] and users["unknown"] == [], users
    client.ask("removeConferenceBridge", name="Judged-Bridge")
    client.call("doDeviceReset", deviceName={"_value_1": "Judged-SipTrunk"}, isHardReset=True)
    info.describe(client)
    for resource, key in reversed(made):
        client.call(f"remove{resource.kind}", **key)
        assert client.get(resource.kind, resource.wrapper, key) is None
        with pytest.raises(AxlFault):
            client.call(f"remove{resource.kind}", **key)


@pytest.mark.parametrize("version", CLUSTERS)
def test_every_answer_is_valid(
    lab: dict[str, Any], version: str, record_property: Callable[[str, object], None]
) -> None:
    vendor.schema(version)
    client, tape = recorded(lab[CLUSTERS[version]])
    drive(client)
    judged, wrong = 0, []
    for request, answer in tape:
        for what, text in (("request", request), ("answer", answer.body)):
            element = vendor.body(etree.fromstring(text))
            if etree.QName(element).localname == "Fault":
                element = fault_detail(element, version)
                if version == "9.1":
                    continue  # its schema declares no fault
            complaints = vendor.complaints(version, element)
            if what == "request" and etree.QName(element).localname.startswith("list"):
                complaints = []  # empty tags: the schema's own fault, judged in test_axl_requests
            judged += 1
            wrong += [f"{what} {etree.QName(element).localname}: {complaints[0]}"] if complaints else []
    record_property("answers", (version, judged))
    assert not wrong, "\n".join(wrong)
    assert judged > 60


def fault_detail(element: etree._Element, version: str) -> etree._Element:
    """The axlError of a fault, which the schema declares from 10.0 on."""
    for node in element.iter():
        if etree.QName(node).localname == "axlError":
            namespaced = etree.Element(f"{{http://www.cisco.com/AXL/API/{version}}}axlError")
            namespaced.extend(list(node))
            return namespaced
    raise AssertionError("a fault without axlError")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A throw-away certificate for the relay."""
    path = tmp_path_factory.mktemp("relay") / "relay.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = builder.add_extension(names, critical=False)
    signed = builder.not_valid_after(now + datetime.timedelta(1)).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


ALWAYS = ("9.1", "15.0")
DRIVEN = [pytest.param(version, marks=() if version in ALWAYS else pytest.mark.matrix) for version in CLUSTERS]


@pytest.mark.parametrize("version", DRIVEN)
def test_ciscoaxl_drives_the_lab(
    lab: dict[str, Any], version: str, certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "path", [str(vendor.ciscoaxl()), *sys.path])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    host = lab[CLUSTERS[version]]
    relay = Relay(host["cucm_host"], int(host["cucm_port"]), certificate)
    client = importlib.import_module("ciscoaxl").axl(
        host["cucm_username"], host["cucm_password"], "127.0.0.1", SPOKEN.get(version, version), cucm_port=relay.port
    )

    def good(answer: Any) -> Any:
        assert not isinstance(answer, Exception | str), answer
        return returned(answer)

    trunk = {
        "name": "Theirs", "product": "SIP Trunk", "class": "Trunk", "protocol": "SIP", "protocolSide": "Network",
        "devicePoolName": "Default", "locationName": "Hub_None", "presenceGroupName": "Standard Presence group",
        "securityProfileName": "Non Secure SIP Trunk Profile", "sipProfileName": "Standard SIP Profile",
        "callingAndCalledPartyInfoFormat": "Deliver DN only in connected party",
        "destinations": {"destination": [{"addressIpv4": "127.0.0.9", "port": 5060, "sortOrder": 1}]},
    }  # fmt: skip
    good(client.add_sip_trunk(sipTrunk=trunk))
    assert good(client.get_sip_trunk(name="Theirs"))["destinations"]["destination"][0]["port"] == 5060
    good(client.update_sip_trunk(name="Theirs", description="changed"))
    assert "Theirs" in [trunk["name"] for trunk in client.get_sip_trunks()]
    good(client.add_route_group("RG_Theirs", members=["Theirs"]))
    assert good(client.get_route_group(name="RG_Theirs"))["name"] == "RG_Theirs"
    good(client.update_route_group(name="RG_Theirs", distributionAlgorithm="Circular"))
    assert "RG_Theirs" in [group["name"] for group in client.get_route_groups()]
    good(client.add_route_list("RL_Theirs", members=["RG_Theirs"]))
    good(client.update_route_list(name="RL_Theirs", description="changed"))
    assert "RL_Theirs" in [route_list["name"] for route_list in client.get_route_lists()]
    good(client.add_route_pattern("8765", route_list="RL_Theirs"))
    pattern = client.get_route_pattern(pattern="8765")
    assert pattern["destination"]["routeListName"]["_value_1"] == "RL_Theirs"
    good(client.update_route_pattern(uuid=pattern["uuid"], description="changed"))
    assert "8765" in [pattern["pattern"] for pattern in client.get_route_patterns()]
    assert isinstance(client.delete_sip_trunk(name="Theirs"), Exception), "a trunk in use was removed"
    good(client.delete_route_pattern(uuid=pattern["uuid"]))
    good(client.delete_route_list(name="RL_Theirs"))
    good(client.delete_route_group(name="RG_Theirs"))
    good(client.delete_sip_trunk(name="Theirs"))
    assert isinstance(client.get_sip_trunk(name="Theirs"), Exception)
    relay.close()


#: operations on kinds that the collection does not use -> the request's content
OTHER_KINDS = {
    "listPhone": "<searchCriteria><name>SEP%</name></searchCriteria><returnedTags><name/><model/></returnedTags>",
    "getPhone": "<name>{phone}</name>",
    "getLine": "<pattern>{extension}</pattern>",
    "listLine": "<searchCriteria><pattern>%</pattern></searchCriteria><returnedTags><pattern/><usage/></returnedTags>",
    "getRegion": "<name>Default</name>",
    "listRegion": "<searchCriteria><name>%</name></searchCriteria><returnedTags><name/></returnedTags>",
    "getDateTimeGroup": "<name>CMLocal</name>",
    "listDateTimeGroup": "<searchCriteria><name>%</name></searchCriteria><returnedTags><name/></returnedTags>",
}


def answered(client: Any, version: str, operation: str, content: str) -> etree._Element:
    """The lab's answer to an operation, which is valid by the vendor's schema."""
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f'<n:{operation} xmlns:n="http://www.cisco.com/AXL/API/{version}">{content}</n:{operation}></e:Body></e:Envelope>'
    )
    headers = {"Content-Type": "text/xml", "SOAPAction": f'"CUCM:DB ver={version} {operation}"'}
    answer = client.http.request("POST", "/axl/", data=envelope, headers=headers)
    element = vendor.body(etree.fromstring(answer.body))
    assert etree.QName(element).localname == f"{operation}Response", answer.body
    assert not vendor.complaints(version, element), (operation, answer.body)
    return element


CREDENTIALS = (
    "<passwordCredentials><pwdCredPolicyName>Default Credential Policy</pwdCredPolicyName>"
    "<pwdCredUserMustChange>true</pwdCredUserMustChange></passwordCredentials>"
)
GROUPS = (
    "<associatedGroups><userGroup><name>Standard CTI Enabled</name><userRoles><userRole>Standard CTI Enabled"
    "</userRole></userRoles></userGroup></associatedGroups>"
)
#: what a get shows of the above as it was given
KEPT = {
    "Phone": ["<videoCapability>0</videoCapability>"],
    "User": ["<device>SEP0000000074AB</device>", "<pwdCredUserMustChange>true</pwdCredUserMustChange>",
             "<userRole>Standard CTI Enabled</userRole>", "<pinCredDoesNotExpire>true</pinCredDoesNotExpire>"],
    "AppUser": ["<device>SEP0000000074AB</device>", "<userRole>Standard CTI Enabled</userRole>"],
    "MediaResourceList": ["Rest group</mediaResourceGroupName>"],
    "CallingPartyTransformationPattern": ["<usage>Translation Calling Party Number</usage>"],
}  # fmt: skip
#: kind -> its key, what names an object of it, the rest of its content, and what an update changes
DIAL_PLAN_KINDS: dict[str, tuple[str, str, str, str]] = {
    "RoutePartition": ("name", "Rest", "", "<description>changed</description>"),
    "Css": ("name", "Rest_CSS", "<members><member><routePartitionName>Rest 0</routePartitionName><index>1</index>"
            "</member></members>", "<description>changed</description>"),
    "TransPattern": ("pattern", "71XX", "<usage>Translation</usage><routePartitionName/>",
                     "<routePartitionName/><description>changed</description>"),
    "CallingPartyTransformationPattern": (
        "pattern", "72XX", "<routePartitionName>Rest 0</routePartitionName>"
        "<callingPartyTransformationMask>0891234XXXX</callingPartyTransformationMask>",
        "<routePartitionName>Rest 0</routePartitionName><description>changed</description>"),
    "CalledPartyTransformationPattern": (
        "pattern", "73XX", "<routePartitionName>Rest 0</routePartitionName>"
        "<calledPartyTransformationMask>9XXX</calledPartyTransformationMask>",
        "<routePartitionName>Rest 0</routePartitionName><description>changed</description>"),
    "Line": ("pattern", "7401", "<usage>Device</usage><routePartitionName/>",
             "<routePartitionName/><description>changed</description>"),
    "Phone": ("name", "SEP0000000074AB",
              "<product>Cisco 8865</product><class>Phone</class><protocol>SIP</protocol>"
              "<protocolSide>User</protocolSide><devicePoolName>Default</devicePoolName><locationName>Hub_None</locationName>"
              "<vendorConfig><videoCapability>0</videoCapability></vendorConfig>",
              "<description>changed</description>"),
    "Region": ("name", "Rest region", "", "<newName>Rest region 2</newName>"),
    "DateTimeGroup": ("name", "Rest time", "<timeZone>Europe/Berlin</timeZone>", "<timeZone>Europe/Paris</timeZone>"),
    "PhoneNtp": ("ipAddress", "192.0.2.7", "<mode>Unicast</mode>", "<description>changed</description>"),
    "MediaResourceList": (
        "name", "Rest media", "<members><member><mediaResourceGroupName>Rest group</mediaResourceGroupName>"
        "<order>0</order></member></members>", "<newName>Rest changed</newName>"),
    "User": ("userid", "rest", "<lastName>Rest</lastName><password>Rest-91!</password><pin>74185</pin>"
             f"<associatedDevices><device>SEP0000000074AB</device></associatedDevices>{GROUPS}"
             "<presenceGroupName>Standard Presence group</presenceGroupName>"
             f"{CREDENTIALS}<pinCredentials><pinCredDoesNotExpire>true</pinCredDoesNotExpire></pinCredentials>",
             "<department>changed</department>"),
    "AppUser": ("userid", "restapp", f"<password>Rest-91!</password>{CREDENTIALS}"
                "<presenceGroupName>Standard Presence group</presenceGroupName>"
                f"<associatedDevices><device>SEP0000000074AB</device></associatedDevices>{GROUPS}",
                "<allowReplaceHeader>true</allowReplaceHeader>"),
}  # fmt: skip


@pytest.mark.parametrize("version", CLUSTERS)
def test_a_dial_plan_is_added_read_changed_listed_and_removed(lab: dict[str, Any], version: str) -> None:
    """Every answer is valid by the vendor's schema, and no answer shows a password or a PIN."""
    vendor.schema(version)
    client, _tape = recorded(lab[CLUSTERS[version]])

    def ask(operation: str, content: str) -> etree._Element:
        return answered(client, version, operation, content)

    ask("addRoutePartition", "<routePartition><name>Rest 0</name></routePartition>")
    for kind, (key, name, content, change) in DIAL_PLAN_KINDS.items():
        element, own = kind[0].lower() + kind[1:], f"<{key}>{name}</{key}>"
        scope = change[: change.index("</routePartitionName>") + 21] if "</routePartitionName>" in change else ""
        scope = scope or ("<routePartitionName/>" if "<routePartitionName/>" in change else "")
        ask(f"add{kind}", f"<{element}>{own}{content}</{element}>")
        got = etree.tostring(ask(f"get{kind}", own + scope), encoding="unicode")
        assert name in got and "Rest-91!" not in got and "74185" not in got
        assert all(part in got for part in KEPT.get(kind, [])), got
        tags = f"<returnedTags><{key}/></returnedTags>"
        listed = ask(f"list{kind}", f"<searchCriteria><{key}>%</{key}></searchCriteria>{tags}")
        assert name in [element.text for element in listed.iter(key)]
        ask(f"update{kind}", own + change)
        renamed = change.partition("<newName>")[2].partition("</newName>")[0]
        own = f"<name>{renamed}</name>" if renamed else own
        after = etree.tostring(ask(f"get{kind}", own + scope), encoding="unicode")
        assert any(word in after for word in ("changed", "Europe/Paris", "Rest region 2", "<allowReplaceHeader>true"))
        ask(f"remove{kind}", own + scope)
    ask("removeRoutePartition", "<name>Rest 0</name>")


@pytest.mark.parametrize("version", CLUSTERS)
def test_answers_about_phones_lines_and_regions_are_valid(lab: dict[str, Any], version: str) -> None:
    vendor.schema(version)
    client, _tape = recorded(lab[CLUSTERS[version]])
    names: dict[str, str] = {}
    for operation, content in OTHER_KINDS.items():
        inner = content.format(**names) if names else content
        element = answered(client, version, operation, inner)
        if operation == "listPhone":
            phone = str(element.findtext(".//name"))
            names = {"phone": phone, "extension": phone.removeprefix("SEP").lstrip("0")}
