# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables that executeSQLQuery reads, as views over the configuration, with Informix's names.

Booleans are the texts t and f; uuids are in lower case without braces.
"""

from __future__ import annotations

from ...database import Database

_TYPES = {
    "typeclass": {1: "Phone", 2: "Gateway", 4: "Conference Bridge", 5: "Media Termination Point", 7: "Route List",
                  18: "Trunk", 254: "Unknown"},
    "typemodel": {131: "SIP Trunk", 90: "Route List", 336: "Third-party SIP Device (Basic)"},
    "typeproduct": {83: "SIP Trunk", 84: "Route List"},
    "typedevicesecuritymode": {1: "Non Secure", 2: "Authenticated", 3: "Encrypted"},
    "typetransport": {1: "TCP", 2: "UDP", 3: "TLS", 4: "TCP+UDP"},
    "typepatternusage": {2: "Device", 3: "Translation", 5: "Route", 7: "Hunt Pilot"},
    "typenodeusage": {0: "Publisher", 1: "Subscriber"},
    "typedistributealgorithm": {1: "Top Down", 2: "Circular", 3: "Longest Idle Time", 4: "Broadcast"},
}  # fmt: skip


def _bool(field: str, table: str = "o") -> str:
    return f"CASE WHEN json_extract({table}.body, '$.{field}') THEN 't' ELSE 'f' END"


def _text(field: str, table: str = "o") -> str:
    return f"coalesce(json_extract({table}.body, '$.{field}'), '')"


def _ref(field: str, table: str = "o") -> str:
    return f"json_extract({table}.body, '$.{field}.\"@\"')"


def _enum(kind: str, field: str) -> str:
    return f"(SELECT enum FROM {kind} WHERE name = {_text(field)})"


def _from(kind: str) -> str:
    return f"FROM config_object o WHERE o.kind = '{kind}'"


_VIEWS = {
    "device": f"""SELECT o.pkid, o.name, {_text("description")} AS description, 18 AS tkclass, 131 AS tkmodel,
        83 AS tkproduct, {_ref("devicePoolName")} AS fkdevicepool, {_ref("locationName")} AS fklocation,
        {_ref("securityProfileName")} AS fksecurityprofile, {_ref("sipProfileName")} AS fksipprofile,
        {_ref("callingSearchSpaceName")} AS fkcallingsearchspace, {_text("versionStamp")} AS versionstamp,
        {_text("_ctiid")} AS ctiid {_from("SipTrunk")}
        UNION ALL SELECT o.pkid, o.name, {_text("description")}, 7, 90, 84, NULL, NULL, NULL, NULL, NULL, '', ''
        {_from("RouteList")}
        UNION ALL SELECT o.pkid, o.name, {_text("description")}, 1, 336, 0, {_ref("devicePoolName")}, NULL,
        {_text("securityProfileName")}, NULL,
        {_ref("callingSearchSpaceName")}, '', '' {_from("Phone")}""",
    "sipdevice": f"""SELECT o.pkid AS pkid, o.pkid AS fkdevice, {_bool("srtpAllowed")} AS srtpallowed,
        {_bool("runOnEveryNode")} AS isrunoneverynode {_from("SipTrunk")}""",
    "siptrunkdestination": """SELECT json_extract(d.value, '$._uuid') AS pkid,
        coalesce(json_extract(d.value, '$.addressIpv4'), '') AS address,
        coalesce(json_extract(d.value, '$.addressIpv6'), '') AS addressipv6,
        json_extract(d.value, '$.port') AS port, json_extract(d.value, '$.sortOrder') AS sortorder,
        o.pkid AS fksipdevice FROM config_object o, json_each(o.body, '$.destinations') d WHERE o.kind = 'SipTrunk'""",
    "sipsecurityprofile": f"""SELECT o.pkid, o.pkid AS fksecurityprofile, o.name,
        {_text("description")} AS description, {_text("x509SubjectName")} AS x509subjectname,
        {_text("incomingPort")} AS incomingport, {_enum("typetransport", "incomingTransport")} AS tktransport_in,
        {_enum("typetransport", "outgoingTransport")} AS tktransport_out,
        {_enum("typedevicesecuritymode", "securityMode")} AS tkdevicesecuritymode {_from("SipTrunkSecurityProfile")}""",
    "securityprofile": f"""SELECT o.pkid, o.name, {_text("description")} AS description,
        {_enum("typedevicesecuritymode", "securityMode")} AS tkdevicesecuritymode {_from("SipTrunkSecurityProfile")}
        UNION ALL SELECT DISTINCT {_text("securityProfileName")}, {_text("securityProfileName")}, '', (SELECT enum
        FROM typedevicesecuritymode WHERE {_text("securityProfileName")} LIKE '%' || name || '%') {_from("Phone")}""",
    "sipprofile": f"""SELECT o.pkid, o.name, {_text("description")} AS description,
        {_bool("enableOutboundOptionsPing")} AS enableoutboundoptionsping {_from("SipProfile")}""",
    "processconfig": f"""SELECT o.pkid, o.name AS paramname, {_text("value")} AS paramvalue,
        {_text("service")} AS service, {_ref("processNodeName")} AS fkprocessnode {_from("ServiceParameter")}""",
    "processnode": f"""SELECT o.pkid, o.name, {_text("description")} AS description,
        {_enum("typenodeusage", "nodeUsage")} AS tknodeusage, 1 AS tkprocessnoderole, o.position AS nodeid
        {_from("ProcessNode")}""",
    "callmanager": f"""SELECT o.pkid, o.name, {_text("description")} AS description,
        {_ref("processNodeName")} AS fkprocessnode, {_text("_ctiid")} AS ctiid {_from("CallManager")}""",
    "callmanagergroup": f"""SELECT o.pkid, o.name, {_bool("tftpDefault")} AS tftpdefault {_from("CallManagerGroup")}""",
    "callmanagergroupmember": """SELECT json_extract(m.value, '$._uuid') AS pkid, o.pkid AS fkcallmanagergroup,
        json_extract(m.value, '$.callManagerName."@"') AS fkcallmanager, json_extract(m.value, '$.priority') AS priority
        FROM config_object o, json_each(o.body, '$.members') m WHERE o.kind = 'CallManagerGroup'""",
    "devicepool": f"""SELECT o.pkid, o.name, {_ref("callManagerGroupName")} AS fkcallmanagergroup,
        {_ref("regionName")} AS fkregion {_from("DevicePool")}""",
    "numplan": " UNION ALL ".join(
        f"""SELECT o.pkid, o.name AS dnorpattern, {_text("description")} AS description, {usage} AS tkpatternusage,
        {_ref("routePartitionName")} AS fkroutepartition, {_bool("blockEnable")} AS blockenable,
        {_bool("patternUrgency")} AS patternurgency, {_text("prefixDigitsOut")} AS prefixdigitsout,
        {_text("calledPartyTransformationMask")} AS calledpartytransformationmask,
        {_ref("digitDiscardInstructionName")} AS fkdigitdiscardinstruction, {_ref("dialPlanName")} AS fkdialplan,
        {_ref("routeFilterName")} AS fkroutefilter,
        {_ref("callingSearchSpaceName")} AS fkcallingsearchspace_translation,
        {_ref("shareLineAppearanceCssName")} AS fkcallingsearchspace_sharedlineappear {_from(kind)}"""
        for kind, usage in (("RoutePattern", 5), ("TransPattern", 3), ("Line", 2))
    ),
    "devicenumplanmap": f"""SELECT o.pkid AS pkid, o.pkid AS fknumplan, 1 AS numplanindex,
        coalesce({_ref("destination.gatewayName")}, {_ref("destination.routeListName")}) AS fkdevice
        {_from("RoutePattern")}
        UNION ALL SELECT json_extract(l.value, '$._uuid'), n.pkid, json_extract(l.value, '$.index'), o.pkid
        FROM config_object o, json_each(o.body, '$.lines') l JOIN config_object n
        ON n.kind = 'Line' AND n.name = json_extract(l.value, '$.dirn.pattern')
        AND {_ref("routePartitionName", "n")} IS json_extract(l.value, '$.dirn.routePartitionName."@"')
        WHERE o.kind = 'Phone'""",
    "digitdiscardinstruction": f"SELECT o.pkid, o.name {_from('Ddi')}",
    "dialplan": f"SELECT o.pkid, o.name {_from('DialPlan')}",
    "routegroup": f"""SELECT o.pkid, o.name,
        {_enum("typedistributealgorithm", "distributionAlgorithm")} AS tkdistributealgorithm {_from("RouteGroup")}""",
    "routelist": """SELECT json_extract(m.value, '$._uuid') AS pkid, o.pkid AS fkdevice,
        json_extract(m.value, '$.routeGroupName."@"') AS fkroutegroup,
        json_extract(m.value, '$.selectionOrder') AS selectionorder
        FROM config_object o, json_each(o.body, '$.members') m WHERE o.kind = 'RouteList'""",
    "routegroupdevicemap": """SELECT json_extract(m.value, '$._uuid') AS pkid, o.pkid AS fkroutegroup,
        json_extract(m.value, '$.deviceName."@"') AS fkdevice,
        json_extract(m.value, '$.deviceSelectionOrder') AS deviceselectionorder
        FROM config_object o, json_each(o.body, '$.members') m WHERE o.kind = 'RouteGroup'""",
    "routepartition": f"SELECT o.pkid, o.name, {_text('description')} AS description {_from('RoutePartition')}",
    "callingsearchspace": f"SELECT o.pkid, o.name, {_text('description')} AS description {_from('Css')}",
    "callingsearchspacemember": """SELECT json_extract(m.value, '$._uuid') AS pkid, o.pkid AS fkcallingsearchspace,
        json_extract(m.value, '$.routePartitionName."@"') AS fkroutepartition,
        json_extract(m.value, '$.index') AS sortorder
        FROM config_object o, json_each(o.body, '$.members') m WHERE o.kind = 'Css'""",
    "location": f"SELECT o.pkid, o.name {_from('Location')}",
    "region": f"SELECT o.pkid, o.name {_from('Region')}",
    "componentversion": "SELECT 'cm-ver' AS softwarecomponent, value AS version FROM setting WHERE name = 'version'",
}  # fmt: skip

#: the views of other packages' tables, made when those tables are there: view -> (table, SELECT)
_FOREIGN = {
    "certificate": (
        "pki_trust",
        "SELECT node || '/' || unit AS pkid, unit AS name, certificate_subject(certificate) AS subjectname, "
        "certificate_issuer(certificate) AS issuername, certificate_serial(certificate) AS serialnumber, "
        "certificate_until(certificate) AS timetolive, certificate FROM ("
        "SELECT node, unit, certificate FROM pki_identity UNION ALL "
        "SELECT s.node, s.unit, s.certificate FROM volatile_pki_shipped s WHERE NOT EXISTS "
        "(SELECT 1 FROM pki_identity i WHERE i.node = s.node AND i.unit = s.unit) UNION ALL "
        "SELECT node, store || '/' || filename, certificate FROM pki_trust)",
    ),
}
VIEWS = {*_VIEWS, *_TYPES, *_FOREIGN}


def create(db: Database) -> None:
    """Make the views; they cost nothing until they are read."""
    statements = []
    for name, rows in _TYPES.items():
        select = " UNION ALL ".join(f"SELECT {enum} AS enum, '{text}' AS name" for enum, text in rows.items())
        statements.append(f"CREATE VIEW IF NOT EXISTS {name} AS {select};")
    statements += [f"CREATE VIEW IF NOT EXISTS {name} AS {select};" for name, select in _VIEWS.items()]
    for name, (table, select) in _FOREIGN.items():
        if db.one("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)):
            statements.append(f"CREATE VIEW IF NOT EXISTS {name} AS {select};")
    db.schema("\n".join(statements))
