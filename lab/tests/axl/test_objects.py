# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of each object on each release."""

from __future__ import annotations

from .conftest import Axl, destination, group, pattern, profile, route_list, trunk


def test_the_version(axl: Axl) -> None:
    assert axl.ok("getCCMVersion").value("componentVersion/version").startswith(axl.version + ".")


def test_shipped_objects(axl: Axl) -> None:
    shipped = axl.ok("getSipTrunkSecurityProfile", "<name>Non Secure SIP Trunk Profile</name>")
    values = {
        name: shipped.value(f"sipTrunkSecurityProfile/{name}")
        for name in ("securityMode", "incomingTransport", "outgoingTransport", "incomingPort", "digestAuthentication")
    }
    assert values == {
        "securityMode": "Non Secure", "incomingTransport": "TCP+UDP", "outgoingTransport": "TCP",
        "incomingPort": "5060", "digestAuthentication": "false",
    }  # fmt: skip
    sip = axl.ok("getSipProfile", "<name>Standard SIP Profile</name>")
    assert sip.value("sipProfile/enableOutboundOptionsPing") == "false"
    assert sip.value("sipProfile/optionsPingIntervalWhenStatusOK") == "60"
    for kind, name in (
        ("DevicePool", "Default"), ("Location", "Hub_None"), ("PresenceGroup", "Standard Presence group"),
        ("CallManagerGroup", "Default"),
    ):  # fmt: skip
        axl.ok(f"get{kind}", f"<name>{name}</name>")


def test_from_a_trunk_to_its_nodes(axl: Axl) -> None:
    pool = axl.ok("getDevicePool", "<name>Default</name>").value("devicePool/callManagerGroupName")
    members = axl.ok("getCallManagerGroup", f"<name>{pool}</name>").all(
        "callManagerGroup/members/member/callManagerName"
    )
    node = axl.ok("getCallManager", f"<name>{members[0]}</name>").value("callManager/processNodeName")
    found = axl.ok("getProcessNode", f"<name>{node}</name>")
    assert found.value("processNode/nodeUsage") == "Publisher"
    listed = axl.ok(
        "listProcessNode", "<searchCriteria><name>%</name></searchCriteria><returnedTags><name/></returnedTags>"
    )
    assert listed.all("processNode/name") == ["EnterpriseWideData", node]


def test_profile(axl: Axl) -> None:
    identity = axl.ok("addSipTrunkSecurityProfile", profile("Life", "life.example")).element.findtext("return")
    assert axl("addSipTrunkSecurityProfile", profile("Life", "x")).code == -239
    got = axl.ok("getSipTrunkSecurityProfile", f"<uuid>{identity}</uuid>")
    assert got.value("sipTrunkSecurityProfile/x509SubjectName") == "life.example"
    lower = identity.strip("{}").lower()
    axl.ok(
        "updateSipTrunkSecurityProfile",
        f"<uuid>{lower}</uuid><newName>Life2</newName><description>a &amp; b</description>",
    )
    got = axl.ok("getSipTrunkSecurityProfile", "<name>Life2</name>")
    assert got.value("sipTrunkSecurityProfile/description") == "a & b"
    assert got.value("sipTrunkSecurityProfile/securityMode") == "Encrypted"
    assert (axl("getSipTrunkSecurityProfile", "<name>Life</name>").code) == 5007
    axl.ok("removeSipTrunkSecurityProfile", "<name>Life2</name>")
    missing = axl("getSipTrunkSecurityProfile", "<name>Life2</name>")
    assert missing.text == "Item not valid: The specified SipTrunkSecurityProfile was not found"


def test_trunk_and_its_destinations(axl: Axl) -> None:
    axl.ok("addSipTrunk", trunk("Life-1", more="<srtpAllowed>True</srtpAllowed>"))
    got = axl.ok("getSipTrunk", "<name>Life-1</name>")
    assert got.value("sipTrunk/srtpAllowed") == "true"
    assert got.value("sipTrunk/protocolSide") == "Network"
    assert got.value("sipTrunk/retryVideoCallAsAudio") == "true"
    assert got.element.find("return/sipTrunk/devicePoolName").get("uuid")
    axl.ok("updateSipTrunk", f"<name>Life-1</name><addDestinations>{destination('h.example', 2)}</addDestinations>")
    path = "sipTrunk/destinations/destination/addressIpv4"
    assert axl.ok("getSipTrunk", "<name>Life-1</name>").all(path) == ["10.0.0.1", "h.example"]
    axl.ok(
        "updateSipTrunk", f"<name>Life-1</name><removeDestinations>{destination('10.0.0.1', 1)}</removeDestinations>"
    )
    assert axl.ok("getSipTrunk", "<name>Life-1</name>").all(path) == ["h.example"]
    axl.ok("updateSipTrunk", f"<name>Life-1</name><destinations>{destination('c.example', 1)}</destinations>")
    assert axl.ok("getSipTrunk", "<name>Life-1</name>").all(path) == ["c.example"]
    both = f"<destinations>{destination('a', 1)}</destinations><addDestinations>{destination('b', 2)}</addDestinations>"
    assert axl("updateSipTrunk", f"<name>Life-1</name>{both}").code == 5003
    listed = axl.ok(
        "listSipTrunk",
        "<searchCriteria><name>Life%</name></searchCriteria><returnedTags><name/><destinations/></returnedTags>",
    )
    assert listed.all("sipTrunk/name") == ["Life-1"]
    assert listed.element.find("return/sipTrunk/destinations") is None
    assert (
        axl.ok("doDeviceReset", "<deviceName>Life-1</deviceName><isHardReset>true</isHardReset>").element.findtext(
            "return"
        )
        == "true"
    )
    axl.ok("removeSipTrunk", "<name>Life-1</name>")
    assert axl("doDeviceReset", "<deviceName>Life-1</deviceName><isHardReset>true</isHardReset>").status == 500


def test_routes_and_what_holds_what(axl: Axl) -> None:
    axl.ok("addSipTrunk", trunk("Held"))
    axl.ok("addRouteGroup", group("HeldGroup", "Held"))
    axl.ok("addRouteList", route_list("HeldList", "HeldGroup"))
    axl.ok("addRoutePattern", pattern("77XX", "<routeListName>HeldList</routeListName>"))
    for kind, name in (("SipTrunk", "Held"), ("RouteGroup", "HeldGroup"), ("RouteList", "HeldList")):
        assert axl(f"remove{kind}", f"<name>{name}</name>").code == -692
    assert axl("removeSipTrunkSecurityProfile", "<name>Non Secure SIP Trunk Profile</name>").code == -692
    duplicate = axl("addRoutePattern", pattern("77XX", "<gatewayName>Held</gatewayName>"))
    assert duplicate.code == 4052
    axl.ok("addRoutePartition", "<routePartition><name>HeldPartition</name></routePartition>")
    axl.ok("addRoutePattern", pattern("77XX", "<gatewayName>Held</gatewayName>", "HeldPartition"))
    key = (
        "<pattern>77XX</pattern><routePartitionName>HeldPartition</routePartitionName><dialPlanName/><routeFilterName/>"
    )
    got = axl.ok("getRoutePattern", key)
    assert got.value("routePattern/destination/gatewayName") == "Held"
    assert got.value("routePattern/provideOutsideDialtone") == "true"
    assert got.value("routePattern/usage") == "Route"
    axl.ok("updateRoutePattern", f"{key}<newPattern>78XX</newPattern>")
    assert axl("getRoutePattern", key).code == 5007
    for number, partition in (("77XX", ""), ("78XX", "HeldPartition")):
        axl.ok("removeRoutePattern", f"<pattern>{number}</pattern><routePartitionName>{partition}</routePartitionName>")
    axl.ok("removeRoutePartition", "<name>HeldPartition</name>")
    for kind, name in (("RouteList", "HeldList"), ("RouteGroup", "HeldGroup"), ("SipTrunk", "Held")):
        axl.ok(f"remove{kind}", f"<name>{name}</name>")


def test_operations_and_fields_by_version(axl: Axl) -> None:
    new = axl.version != "9.1"
    axl.ok("addSipTrunk", trunk("Since"))
    assert axl("resetSipTrunk", "<name>Since</name>").status == (200 if new else 500)
    assert axl("applySipTrunk", "<name>Since</name>").status == 500
    assert axl("listChange").status == (200 if new else 500)
    got = axl.ok("getSipTrunk", "<name>Since</name>").element.find("return/sipTrunk")
    numbers = tuple(map(int, axl.version.split(".")))
    for field, there in (
        ("destinationAddress", numbers <= (9, 1)), ("enableCiscoRecordingQsigTunneling", numbers >= (10, 0)),
        ("rdnTransformationCssName", numbers >= (11, 0)), ("callerName", numbers <= (12, 0)),
        ("trustReceivedIdentity", numbers >= (12, 0)), ("externalPresentationInfo", numbers >= (12, 5)),
    ):  # fmt: skip
        assert (got.find(field) is not None) == there, field
    profile_element = axl.ok("getSipTrunkSecurityProfile", "<name>Non Secure SIP Trunk Profile</name>").element
    assert (profile_element.find(".//allowChargingHeader") is not None) == new
    first = axl.ok("addRouteGroup", group("SinceGroup", "Since"))
    assert first.status == 200
    names = [e.tag for e in axl.ok("getRouteGroup", "<name>SinceGroup</name>").element.find("return/routeGroup")]
    assert names.index("name") == (len(names) - 1 if new else 0)
    axl.ok("removeRouteGroup", "<name>SinceGroup</name>")
    axl.ok("removeSipTrunk", "<name>Since</name>")


def test_leniency_of_a_real_server(axl: Axl) -> None:
    """Unknown elements, any order, True and False: accepted, but noted."""
    shuffled = (
        "<sipTrunkSecurityProfile><incomingPort>5063</incomingPort><nonsense>1</nonsense><digestAuthentication>False"
        "</digestAuthentication><incomingTransport>TLS</incomingTransport><name>Loose</name>"
        "<securityMode>Encrypted</securityMode><outgoingTransport>TLS</outgoingTransport></sipTrunkSecurityProfile>"
    )
    axl.ok("addSipTrunkSecurityProfile", shuffled)
    got = axl.ok("getSipTrunkSecurityProfile", "<name>Loose</name>")
    assert got.value("sipTrunkSecurityProfile/incomingPort") == "5063"
    axl.ok("removeSipTrunkSecurityProfile", "<name>Loose</name>")


def test_the_scenarios_phones_are_in_axl_and_sql_alike(axl: Axl) -> None:
    listing = "<searchCriteria><name>SEP%</name></searchCriteria><returnedTags><name/><product/></returnedTags>"
    (name,) = axl.ok("listPhone", listing).all("phone/name")
    phone = axl.ok("getPhone", f"<name>{name}</name>")
    assert phone.value("phone/protocol") == "SIP"
    extension = phone.value("phone/lines/line/dirn/pattern")
    line = axl.ok("getLine", f"<pattern>{extension}</pattern><routePartitionName/>")
    assert line.value("line/usage") == "Device"
    sql = (
        "select d.name, n.dnorpattern from device d, devicenumplanmap m, numplan n "
        f"where m.fkdevice = d.pkid and m.fknumplan = n.pkid and d.name = '{name}'"
    )
    assert axl.ok("executeSQLQuery", f"<sql>{sql}</sql>").all("row/dnorpattern") == [extension]


def test_a_phone_and_its_line_are_made_changed_and_removed(axl: Axl) -> None:
    line = (
        "<line><pattern>7777</pattern><description>made</description><usage>Device</usage><routePartitionName/></line>"
    )
    axl.ok("addLine", line)
    dirn = "<dirn><pattern>7777</pattern><routePartitionName/></dirn>"
    phone = (
        "<phone><name>SEP0000000077AA</name><product>Cisco 8865</product><class>Phone</class><protocol>SIP</protocol>"
        "<protocolSide>User</protocolSide><devicePoolName>Default</devicePoolName><locationName>Hub_None</locationName>"
        f"<lines><line><index>1</index>{dirn}</line></lines></phone>"
    )
    axl.ok("addPhone", phone)
    assert axl("addPhone", phone).code == -239
    axl.ok("updatePhone", "<name>SEP0000000077AA</name><description>Front desk</description>")
    assert axl.ok("getPhone", "<name>SEP0000000077AA</name>").value("phone/description") == "Front desk"
    assert axl("addPhone", "<phone><name>SEP1</name><class>Phone</class></phone>").code == -391
    axl.ok("removePhone", "<name>SEP0000000077AA</name>")
    axl.ok("removeLine", "<pattern>7777</pattern><routePartitionName/>")
    assert axl("getPhone", "<name>SEP0000000077AA</name>").code == 5007


def test_regions_and_date_time_groups(axl: Axl) -> None:
    axl.ok("addRegion", "<region><name>Branch</name></region>")
    group = "<dateTimeGroup><name>Berlin</name><timeZone>Europe/Berlin</timeZone></dateTimeGroup>"
    axl.ok("addDateTimeGroup", group)
    axl.ok("updateRegion", "<name>Branch</name><newName>Branch 2</newName>")
    listing = "<searchCriteria><name>%</name></searchCriteria><returnedTags><name/></returnedTags>"
    assert "Branch 2" in axl.ok("listRegion", listing).all("region/name")
    assert axl.ok("getDateTimeGroup", "<name>Berlin</name>").value("dateTimeGroup/timeZone") == "Europe/Berlin"
    axl.ok("removeRegion", "<name>Branch 2</name>")
    axl.ok("removeDateTimeGroup", "<name>Berlin</name>")


def test_a_get_without_its_key_is_not_answered_as_an_insert(axl14: Axl) -> None:
    for operation in ("getSipTrunk", "getPhone", "updateSipTrunk", "removeSipTrunk"):
        assert axl14(operation, "").code == 5007
