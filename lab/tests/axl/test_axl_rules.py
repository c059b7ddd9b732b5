# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server refuses, with CUCM's words where they are known; lists, SQL, limits."""

from __future__ import annotations

import pytest
from cucm_lab.https.axl.rules import subject_names

from .conftest import Axl, destination, pattern, profile, trunk


def test_subject_names_are_separated_by_four_signs() -> None:
    assert subject_names("a.example b,c;D:e") == {"a.example", "b", "c", "d", "e"}
    assert subject_names("") == set()


@pytest.mark.parametrize("name", ["with space", "a" * 51, "umlaut-ä", "slash/"])
def test_a_device_name(axl14: Axl, name: str) -> None:
    refused = axl14("addSipTrunk", trunk(name))
    assert refused.text == (
        "The specified name has invalid characters or is not formatted correctly for this device type."
        "Valid characters include [a-zA-Z0-9._-]{1,50}"
    )


def test_subject_and_port_are_unique(axl14: Axl) -> None:
    """The Security Guide's own example."""
    axl14.ok("addSipTrunkSecurityProfile", profile("U1", "my_cm1,my_cm2"))
    axl14.ok("addSipTrunkSecurityProfile", profile("U2", "my_cm2 my_cm3", 5071))
    assert axl14("addSipTrunkSecurityProfile", profile("U3", "my_ccm4;my_cm1")).code == 5003
    axl14.ok("addSipTrunkSecurityProfile", profile("U3", "my_ccm4"))
    clash = axl14("updateSipTrunkSecurityProfile", "<name>U3</name><x509SubjectName>MY_CM1</x509SubjectName>")
    assert clash.code == 5003
    axl14.ok("updateSipTrunkSecurityProfile", "<name>U1</name><x509SubjectName>my_cm1</x509SubjectName>")
    for name in ("U1", "U2", "U3"):
        axl14.ok("removeSipTrunkSecurityProfile", f"<name>{name}</name>")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("<securityMode>Non Secure</securityMode>", "TLS"),
        ("<incomingTransport>TCP+UDP</incomingTransport>", "TCP+UDP"),
        ("<securityMode>encrypted</securityMode>", "securityMode"),
        ("<incomingPort>70000</incomingPort>", "70000"),
        ("<incomingPort>many</incomingPort>", "many"),
        ("<incomingPort>5060</incomingPort>", "5060"),
        ("<digestAuthentication>perhaps</digestAuthentication>", "perhaps"),
        (f"<newName>{'n' * 76}</newName>", "75"),
    ],
)
def test_a_profile_that_cannot_be(axl14: Axl, change: str, word: str) -> None:
    axl14.ok("addSipTrunkSecurityProfile", profile("Wrong", "wrong.example"))
    refused = axl14("updateSipTrunkSecurityProfile", f"<name>Wrong</name>{change}")
    axl14.ok("removeSipTrunkSecurityProfile", "<name>Wrong</name>")
    assert refused.status == 500
    assert word in refused.text


def test_a_trunk_that_cannot_be(axl14: Axl) -> None:
    many = "".join(destination(f"10.0.0.{n}", n) for n in range(1, 18))
    assert axl14("addSipTrunk", trunk("Many", destinations=many)).code == 5003
    assert axl14("addSipTrunk", trunk("Twice", destinations=destination("a", 1) + destination("b", 1))).code == -239
    assert axl14("addSipTrunk", trunk("NoProfile", "none such")).code == 5007
    assert (
        axl14("addSipTrunk", trunk("Empty", "")).text == "Cannot insert a null into column (device.securityprofilename)"
    )
    assert axl14("updateSipTrunk", "<name>none</name><description>x</description>").code == 5003
    assert axl14("getSipTrunk", "<name>Many</name>").code == 5007


def test_a_pattern_that_cannot_be(axl14: Axl) -> None:
    axl14.ok("addSipTrunk", trunk("PT"))
    both = "<gatewayName>PT</gatewayName><routeListName/>"
    axl14.ok("addRoutePattern", pattern("1", both))
    axl14.ok("removeRoutePattern", "<pattern>1</pattern>")
    for number, to in (
        ("not a pattern", "<gatewayName>PT</gatewayName>"),
        ("2", ""),
        ("3", "<gatewayName>none</gatewayName>"),
    ):
        assert axl14("addRoutePattern", pattern(number, to)).status == 500
    axl14.ok("removeSipTrunk", "<name>PT</name>")


def test_what_is_left_out_stays_and_what_is_empty_clears(axl14: Axl) -> None:
    axl14.ok("addRoutePartition", "<routePartition><name>Clear</name></routePartition>")
    axl14.ok(
        "addCss",
        "<css><members><member><routePartitionName>Clear</routePartitionName><index>1</index></member></members>"
        "<name>ClearCss</name></css>",
    )
    axl14.ok("addSipTrunk", trunk("Clear", more="<callingSearchSpaceName>ClearCss</callingSearchSpaceName>"))
    axl14.ok("updateSipTrunk", "<name>Clear</name><description>d</description>")
    assert axl14.ok("getSipTrunk", "<name>Clear</name>").value("sipTrunk/callingSearchSpaceName") == "ClearCss"
    axl14.ok("updateSipTrunk", '<name>Clear</name><callingSearchSpaceName xsi:nil="true"/>')
    got = axl14.ok("getSipTrunk", "<name>Clear</name>")
    assert got.value("sipTrunk/callingSearchSpaceName") == ""
    assert got.value("sipTrunk/description") == "d"
    for kind, name in (("SipTrunk", "Clear"), ("Css", "ClearCss"), ("RoutePartition", "Clear")):
        axl14.ok(f"remove{kind}", f"<name>{name}</name>")


def test_lists(axl14: Axl) -> None:
    for number in range(5):
        axl14.ok("addSipTrunk", trunk(f"L{number}"))
    ask = "<searchCriteria><name>{}</name></searchCriteria><returnedTags><name/></returnedTags>{}"

    def names(search: str, more: str = "") -> list[str]:
        return axl14.ok("listSipTrunk", ask.format(search, more)).all("sipTrunk/name")

    assert names("L%") == ["L0", "L1", "L2", "L3", "L4"]
    assert names("l3") == ["L3"]
    assert names("L%", "<skip>1</skip><first>2</first>") == ["L1", "L2"]
    assert names("L%", "<skip>3</skip>") == ["L0", "L1", "L2", "L3", "L4"]
    assert names("") == []
    assert names("none") == []
    empty = axl14.raw("listSipTrunk", ask.format("none", ""))
    assert "<return></return>" in empty.text or "<return/>" in empty.text
    for number in range(5):
        axl14.ok("removeSipTrunk", f"<name>L{number}</name>")


def test_returned_tags_in_get(axl14: Axl) -> None:
    axl14.ok("addSipTrunk", trunk("Tags"))
    got = axl14.ok("getSipTrunk", "<name>Tags</name><returnedTags><srtpAllowed/><destinations/></returnedTags>")
    axl14.ok("removeSipTrunk", "<name>Tags</name>")
    assert [e.tag for e in got.element.find("return/sipTrunk")] == ["srtpAllowed", "destinations"]
    assert got.value("sipTrunk/destinations/destination/addressIpv4") == "10.0.0.1"


def test_sql(axl14: Axl) -> None:
    def rows(sql: str) -> list[dict[str, str]]:
        answer = axl14.ok("executeSQLQuery", f"<sql>{sql}</sql>")
        return [{e.tag: e.text or "" for e in row} for row in answer.element.findall("return/row")]

    mode = rows("select paramname,paramvalue from processconfig where paramname='ClusterSecurityMode'")
    assert mode == [{"paramname": "ClusterSecurityMode", "paramvalue": "0"}]
    axl14.ok("addSipTrunk", trunk("Sql"))
    join = rows(
        "select d.name, t.address, t.port, c.name as class from device d inner join sipdevice s on s.fkdevice=d.pkid "
        "inner join siptrunkdestination t on t.fksipdevice=s.pkid inner join typeclass c on c.enum=d.tkclass"
    )
    assert join == [{"name": "Sql", "address": "10.0.0.1", "port": "5061", "class": "Trunk"}]
    assert len(rows("select skip 1 first 2 name from processnode")) == 1
    assert rows("select count(*) from device where name='Sql'") == [{"count": "1"}]
    uuid = axl14.ok("getSipTrunk", "<name>Sql</name>").element.find("return/sipTrunk").get("uuid")
    assert rows("select pkid from device where name='Sql'") == [{"pkid": uuid.strip("{}").lower()}]
    axl14.ok("removeSipTrunk", "<name>Sql</name>")
    assert axl14("executeSQLQuery", "<sql>select * from config_object</sql>").code == -206
    assert axl14("executeSQLQuery", "<sql>selekt</sql>").code == -201
    assert axl14("executeSQLQuery", "<sql>delete from device</sql>").code == -201
    assert (
        axl14("executeSQLUpdate", "<sql>update device set name='{0AC8FD42-1234-1234-1234-123412341234}'</sql>").code
        == -691
    )


def test_sql_update_is_carried_out_or_refused_with_what_is_true(axl14: Axl) -> None:
    def update(sql: str) -> tuple[int | None, str]:
        answer = axl14("executeSQLUpdate", f"<sql>{sql}</sql>")
        return answer.code, answer.value("rowsUpdated") if answer.status == 200 else answer.text

    phone = "where name = 'SEP000000001140'"
    assert update(f"update device set description = 'Front desk' {phone}") == (None, "1")
    found = axl14.ok("executeSQLQuery", f"<sql>select description from device {phone}</sql>")
    assert found.all("row/description") == ["Front desk"]
    assert update("update device set description = 'x' where name = 'none'") == (None, "0")
    assert update("update device sett description = 'x'")[0] == -201
    assert update("update devices set description = 'x' where name = 'y'")[0] == -206
    assert update(f"update device set height = '3' {phone}")[0] == -217
    for right in (f"delete from device {phone}", f"update device set tkmodel = 3 {phone}"):
        code, text = update(right)
        assert code == -1
        assert "does not carry out this SQL statement" in text


def test_sql_reads_certificates(axl14: Axl) -> None:
    answer = axl14.ok("executeSQLQuery", "<sql>select certificate,subjectname from certificate</sql>")
    pems = answer.all("row/certificate")
    assert pems
    assert all(pem.startswith("-----BEGIN CERTIFICATE-----") for pem in pems)


def test_an_answer_over_8_mb(axl14: Axl) -> None:
    big = axl14(
        "executeSQLQuery",
        "<sql>with recursive n(i) as (select 1 union all select i+1 from n where i &lt; 100000) select i from n</sql>",
    )
    # A common table expression is not Informix's SELECT.
    assert big.code == -201
    wide = ", ".join(f"a.service as c{number}" for number in range(200))
    tables = "processconfig a, typetransport b, typetransport c, typetransport d, typetransport e"
    big = axl14("executeSQLQuery", f"<sql>select {wide} from {tables}</sql>")
    assert big.code == -1
    assert big.text.startswith("Query request too large. Total rows matched: ")
    assert "Suggestive Row Fetch: less than" in big.text
