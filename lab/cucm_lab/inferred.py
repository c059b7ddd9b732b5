# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table of behaviour that no document or capture states: inferred, marked, switchable.

A scenario's `inferred:` overrides a value; a later capture of a real CUCM replaces it here. The lab
may not hide such a guess elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Guess:
    """One inferred behaviour: the lab's choice, and what is not known."""

    value: Any
    what: str


INFERRED: dict[str, Guess] = {
    "axl.realm": Guess("Cisco Web Services Realm", "Realm of the 401 of AXL and serviceability"),
    "axl.status_599_body": Guess("Unsupported AXL version", "Body of HTTP 599"),
    "axl.unknown_operation": Guess((5003, "Unknown operation {operation}"), "Answer to an operation that is not known"),
    "axl.malformed": Guess(
        (5003, "XML document structures must start and end within the same entity."),
        "Answer to malformed XML",
    ),
    "axl.action_mismatch": Guess(
        (5003, "SOAPAction {action} does not match the namespace {namespace}."),
        "Answer to a SOAPAction that contradicts the namespace",
    ),
    "axl.remove_missing": Guess(
        (5007, "Item not valid: The specified {object} was not found"),
        "Removal of a missing object",
    ),
    "axl.phone_product": Guess(
        "Third-party SIP Device (Basic)",
        "Product and model of the emulated phones; RIS and SQL number that model 336",
    ),
    "axl.phone_security_profile": Guess(
        "Third-party SIP Device Basic - Standard SIP {mode} Profile",
        "Name of the security profile of a phone that is secure or not; such phones of the lab can be encrypted",
    ),
    "axl.no_key": Guess(
        (5007, "Item not valid: The specified {object} was not found"),
        "A get, update or remove that names no object (no source shows the answer)",
    ),
    "axl.update_missing": Guess(
        (5003, "{object} not found"),
        "Update or reset of a missing object (code known, scope not)",
    ),
    "axl.still_referenced": Guess(
        (-692, "Key value for constraint (informix.{constraint}) is still being referenced."),
        "Removal of an object in use",
    ),
    "axl.subject_port_collision": Guess(
        (5003, "The X.509 subject name {subject} with incoming port {port} is in use by SIP Trunk Security "
         "Profile {other}."),
        "Two profiles with one subject name and port",
    ),
    "axl.duplicate_pattern": Guess(
        (4052, "Cannot insert or update pattern. A Route Pattern exists with the same pattern and partition."),
        "Duplicate route pattern (text of its relatives is known)",
    ),
    "axl.sql_syntax": Guess((-201, "A syntax error has occurred."), "201 or -201 for bad SQL"),
    "axl.sql_account_tables": Guess(True, "Tables of users, groups and roles are there for queries, under these names"),
    "axl.sql_not_emulated": Guess(
        (-1, "The lab does not carry out this SQL statement; CUCM does. The statement itself is right."),
        "A right INSERT, DELETE or UPDATE that the lab does not emulate (CUCM carries it out)",
    ),
    "axl.sql_no_table": Guess(
        (-206, "The specified table ({missing}) is not in the database."),
        "SQL on a table that does not exist",
    ),
    "axl.bad_name": Guess(5003, "axlcode of a device name with invalid characters (the text is known)"),
    "axl.bad_profile": Guess(5003, "axlcode of a security profile that does not fit the device (the text is known)"),
    "axl.bad_literal": Guess(
        (5003, "Value {value} is not valid for {field}."),
        "An enumeration literal that does not exist",
    ),
    "axl.bad_value": Guess(
        (5003, "{field}: {value} is out of range."),
        "A number out of range or a text that is no number",
    ),
    "axl.too_long": Guess((5003, "{field} is longer than {limit} characters."), "A text longer than its column"),
    "axl.two_choices": Guess((5003, "Only one of {fields} may be given."), "Both branches of a choice (code known)"),
    "axl.mode_transport": Guess(
        (5003, "Transport type {transport} is not valid for Device Security Mode {mode}."),
        "Security mode and transports that do not fit",
    ),
    "axl.fixed_at_add": Guess(
        {"SipTrunk": ["sipTrunkType"]},
        "Fields that update takes and leaves as they are (that it can't change them is known)",
    ),
    "axl.port_transport_clash": Guess(
        (5003, "Incoming port {port} is in use by SIP Trunk Security Profile {other} with another transport."),
        "A TLS and a non-TLS profile on one port (the rule is known, its text is not)",
    ),
    "axl.enforced": Guess(
        {
            "SipTrunkSecurityProfile": ["name"],
            "SipTrunk": ["name", "product", "class", "protocol", "protocolSide", "devicePoolName", "locationName",
                         "securityProfileName", "sipProfileName", "presenceGroupName"],
            "SipProfile": ["name"],
            "RoutePattern": ["pattern", "destination"],
            "Phone": ["name", "product", "class", "protocol", "protocolSide", "devicePoolName", "locationName"],
            "Line": ["pattern", "usage"],
            "Region": ["name"],
            "DateTimeGroup": ["name", "timeZone"],
            "RouteGroup": ["name", "distributionAlgorithm", "members"],
            "RouteList": ["name", "callManagerGroupName"],
            "DevicePool": ["name", "callManagerGroupName", "dateTimeSettingName", "regionName", "srstName"],
        },
        "Which schema-required elements the server refuses to go without (column null: -391)",
    ),
    "axl.transformation_usage": Guess(
        {
            "CallingPartyTransformationPattern": "Translation Calling Party Number",
            "CalledPartyTransformationPattern": "Called Party Number Transformation",
        },
        "The usage that CUCM returns for a transformation pattern (these are in the vendor's list of usages)",
    ),
    "axl.names_case_sensitive": Guess(
        False,
        "Whether the case of a name counts in a reference (DevNet's samples name the shipped Standard Presence group "
        "as Standard Presence Group, and no document says more)",
    ),
    "axl.accepts_same_major": Guess(True, "10.5 accepts both 10.0 and 10.5"),
    "axl.security_mode_parameter": Guess(True, "getServiceParameter knows ClusterSecurityMode"),
    "axl.standard_sip_profile_ping": Guess(False, "OPTIONS ping of the shipped Standard SIP Profile"),
    "axl.notifications_per_second": Guess(
        2000,
        "How fast change notifications drain (the limit of 1,500 outstanding ones is known)",
    ),
    "axl.callmanager_name": Guess("CM_{node}", "Naming of CallManager objects"),
    "axl.lock_after": Guess(3, "Bad passwords after which an application account is locked"),
    "axl.lock_minutes": Guess(30, "How long it stays locked"),
    "axl.reset_needed": Guess(True, "A changed trunk or profile works in SIP only after reset or apply"),
    "https.tomcat_san_address": Guess(
        True,
        "The tomcat certificate names the node's IP address (as set web-security would add)",
    ),
    "service.restart_seconds": Guess(1.0, "How long a service takes to stop and start again"),
    "ris.trunk_without_ping": Guess("Unknown", "RIS status of a trunk whose SIP profile has no OPTIONS ping"),
    "ris.requests_per_minute": Guess(15, "Allowed Device Queries Per Minute (15 is known; switchable for tests)"),
    "ris.trunk_model": Guess(131, "RIS model number of a SIP trunk"),
    "ris.empty_item_is_all": Guess(
        True,
        "An empty <Item/> in SelectItems selects every device (clients send it so; no document states it)",
    ),
    "controlcenter.extended_head": Guess(
        True,
        "getStaticServiceListExtended has more elements than Services, here the return code's (a client needs some)",
    ),
    "controlcenter.product_name": Guess("Cisco Unified Communications Manager", "ProductName of CUCM in the list"),
    "logcollection.list_multipart": Guess(
        True,
        "listNodeServiceLogs answers as multipart/related with one XML part (most clients read both forms; cisco-dime "
        "reads this one alone, with a boundary that is not in quotes)",
    ),
    "controlcenter.node_name_checked": Guess(False, "NodeName of soapDoControlServices has an effect"),
    "controlcenter.shows_commanded": Guess(False, "Control Center shows that a service was stopped by order"),
    "logcollection.get_one_file_wrapper": Guess(True, "LogCollectionPortType accepts GetOneFile/FileName too"),
}  # fmt: skip


class Inferred:
    """The table with a scenario's overrides: `inferred["axl.realm"]`. Other packages may `register` rows."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        self._overrides = dict(overrides or {})

    def __getitem__(self, name: str) -> Any:
        return self._overrides[name] if name in self._overrides else INFERRED[name].value

    def set(self, name: str, value: Any) -> None:
        """Switch one behaviour at run time."""
        if name not in INFERRED:
            raise KeyError(f"No inferred behaviour is named {name}.")
        self._overrides[name] = value


def register(name: str, value: Any, what: str) -> None:
    """Add a row from another package, at import."""
    INFERRED[name] = Guess(value, what)
