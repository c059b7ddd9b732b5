# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster's configuration as shipped, and what its scenario adds."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ...config import ConfigStore, Record, reference
from ...services import CALLMANAGER, services_of
from ...sip.offer import ALL_RSA
from .operations import scope
from .schema import KINDS, REFERRED, Field, target
from .values import defaults

if TYPE_CHECKING:
    from ...scenario import PhoneSpec
    from ...world import Cluster

ENTERPRISE = "EnterpriseWideData"
#: objects that others refer to and that AXL's tables here do not describe: kind -> names
BARE = {
    "Srst": ["Disable", "Use Default Gateway"],
    "DialPlan": ["NANP"],
    "Ddi": ["PreDot", "PreDot Trailing-#", "Trailing-#", "NoDigits"],
    "SdpTransparencyProfile": ["Pass all unknown SDP attributes"],
    "SIPNormalizationScript": ["refer-passthrough", "vcs-interop", "cisco-telepresence-conductor-interop"],
    "LbmGroup": ["Default"],
    "TimeSchedule": ["All the time"],
}
#: what the Intercluster Lookup Service learns goes here, from 10.0
LEARNED_PARTITIONS = (
    "Global Learned Enterprise Numbers", "Global Learned E164 Numbers",
    "Global Learned Enterprise Patterns", "Global Learned E164 Patterns",
)  # fmt: skip
#: kinds in the order in which they refer to each other; kinds that refer to nothing come before all of them
ORDER = (
    "CallManager", "CallManagerGroup", "Location", "Region", "RoutePartition", "Css", "DevicePool", "SipProfile",
    "SipTrunkSecurityProfile", "SipTrunk", "RouteGroup", "RouteList", "RoutePattern", "TransPattern",
)  # fmt: skip
#: kinds that refer to nothing and that others refer to, beside those of ORDER
_FIRST = ("MediaResourceList", "PhoneNtp")
_NAMESPACE = uuid.UUID("6b2f5f3e-8d0c-4e55-9a0e-0c9f8e1d2a33")


class _Seeder:
    def __init__(self, cluster: Cluster, store: ConfigStore) -> None:
        self._cluster = cluster
        self._store = store

    def shipped(self, kind_name: str, **given: Any) -> None:
        """An object as shipped; not where the scenario has all objects of the kind."""
        spec = self._cluster.spec
        if not (spec.recorded and kind_name in spec.config):
            self.add(kind_name, **given)

    def add(self, kind_name: str, **given: Any) -> Record:
        """An object with the schema's defaults and the given values; references are given by name."""
        kind = KINDS[kind_name]
        fields = kind.at(self._cluster.release.number)
        body = {**defaults(fields), **self._stored(fields, given)}
        if "_ctiid" in given:
            body["_ctiid"] = given["_ctiid"]
        return self._store.add(
            kind_name, body[kind.key], body, scope(kind, body), self._pkid(kind_name, given, kind.key)
        )

    def scenario(self, kind_name: str, **given: Any) -> Record:
        """An object of the scenario; a shipped one with the same name gets the given values."""
        kind = KINDS[kind_name]
        stored = self._stored(kind.at(self._cluster.release.number), given)
        shipped = self._store.record(kind_name, str(given.get(kind.key, "")), scope(kind, stored))
        if shipped is None:
            return self.add(kind_name, **given)
        body = {**shipped.body, **stored}
        self._store.replace(Record(shipped.pkid, kind_name, shipped.name, shipped.scope, body))
        return shipped

    def bare(self, kind: str, name: str) -> Record:
        """An object that has nothing but a name."""
        known = self._store.record(kind, name)
        body = {REFERRED[kind].key if kind in REFERRED else "name": name}
        return known or self._store.add(kind, name, body, pkid=self._pkid(kind, {"name": name}, "name"))

    def phone(self, phone: PhoneSpec) -> None:
        """A phone of the scenario and its line."""
        for kind, name in (("RoutePartition", phone.partition), ("Css", phone.line_css), ("Css", phone.css)):
            if name and self._store.record(kind, name) is None:
                raise ValueError(f"Scenario: a phone names the {kind} {name}, which does not exist.")
        inferred = self._cluster.lab.inferred
        self.add(
            "Line", pattern=phone.extension, description=phone.name, usage="Device",
            routePartitionName=phone.partition or None, shareLineAppearanceCssName=phone.line_css or None,
        )  # fmt: skip
        self.add(
            "Phone", name=phone.name, description=phone.extension, product=inferred["axl.phone_product"],
            model=inferred["axl.phone_product"], **{"class": "Phone"}, protocol="SIP", protocolSide="User",
            callingSearchSpaceName=phone.css or None, devicePoolName=phone.device_pool, locationName="Hub_None",
            securityProfileName=self._phone_profile(phone),
            lines=[{"index": 1, "dirn": {"pattern": phone.extension, "routePartitionName": phone.partition or None}}],
        )  # fmt: skip

    def _phone_profile(self, phone: PhoneSpec) -> str:
        mode = "Encrypted" if phone.secure else "Non Secure"
        return str(self._cluster.lab.inferred["axl.phone_security_profile"]).format(mode=mode)

    def _pkid(self, kind: str, given: dict[str, Any], key: str) -> str:
        # The same in each new lab, so that people and tests can tell shipped objects from others.
        label = (
            f"{self._cluster.name}/{kind}/{given[key]}/{given.get('processNodeName', '')}/{given.get('service', '')}"
        )
        if given.get("routePartitionName"):
            # The same number or pattern may be in each partition.
            label += f"/{given['routePartitionName']}"
        return str(uuid.uuid5(_NAMESPACE, label))

    def _stored(self, fields: tuple[Field, ...], given: dict[str, Any]) -> dict[str, Any]:
        known = {field.name: field for field in fields}
        return {name: self._value(known[name], value) for name, value in given.items() if name in known}

    def _value(self, field: Field, value: Any) -> Any:
        if field.type == "fk" and value:
            kind = target(field.name)
            record = next((r for r in self._store.records(kind) if r.name == value), None)
            if record is None:
                raise ValueError(f"Scenario: {field.name} names {kind} {value}, which does not exist.")
            return reference(record)
        if field.items is not None:
            children = field.items.children
            if not children:
                return list(value)
            return [
                {"_uuid": str(uuid.uuid5(_NAMESPACE, f"{field.name}/{place}/{item}")), **defaults(children),
                 **self._stored(children, item)}
                for place, item in enumerate(value)
            ]  # fmt: skip
        if field.type == "group" and value:
            return {**{child.name: None for child in field.children}, **self._stored(field.children, value)}
        return value


def seed(cluster: Cluster, store: ConfigStore) -> None:
    """Make the shipped objects of a new cluster, and those of its scenario (`config:`)."""
    add = _Seeder(cluster, store)
    for kind, names in BARE.items():
        for name in names:
            add.bare(kind, name)
    _nodes(cluster, add)
    for number, (name, audio) in enumerate((("Hub_None", 0), ("Phantom", 0), ("Shadow", 0)), 1):
        add.shipped("Location", name=name, id=number, withinAudioBandwidth=audio)
    if cluster.release.has_learned_partitions:
        for name in LEARNED_PARTITIONS:
            add.shipped("RoutePartition", name=name, description="")
    standard = "Standard Presence group"
    add.shipped("Region", name="Default", defaultCodec="G.711")
    add.add(
        "DateTimeGroup", name="CMLocal", timeZone=cluster.publisher.spec.timezone or "Etc/GMT", separator="/",
        dateformat="M/D/Y", timeFormat="12-hour",
    )  # fmt: skip
    add.add("PresenceGroup", name=standard, description=standard, presenceGroups=[])
    add.shipped(
        "DevicePool", name="Default", callManagerGroupName="Default", dateTimeSettingName="CMLocal",
        regionName="Default", srstName="Disable", connectionMonitorDuration=-1, revertPriority="Default",
        singleButtonBarge="Default", joinAcrossLines="Default",
    )  # fmt: skip
    add.shipped(
        "SipTrunkSecurityProfile", name="Non Secure SIP Trunk Profile",
        description="Non Secure SIP Trunk Profile authenticated by null String", securityMode="Non Secure",
        incomingTransport="TCP+UDP", outgoingTransport="TCP", incomingPort=5060,
    )  # fmt: skip
    ping = bool(cluster.lab.inferred["axl.standard_sip_profile_ping"])
    add.shipped(
        "SipProfile", name="Standard SIP Profile", description="Default SIP Profile", enableOutboundOptionsPing=ping
    )
    _parameters(cluster, add)
    for kind, objects in sorted(cluster.spec.config.items(), key=lambda row: _place(row[0])):
        for given in objects:
            add.scenario(kind, **given) if kind in KINDS else add.bare(kind, given["name"])
    for phone in cluster.spec.phones:
        add.phone(phone)


def _place(kind: str) -> int:
    if kind in ORDER:
        return ORDER.index(kind)
    return len(ORDER) if kind in KINDS and kind not in _FIRST else -1


def _nodes(cluster: Cluster, add: _Seeder) -> None:
    add.add("ProcessNode", name=ENTERPRISE, nodeUsage="Publisher", processNodeRole="CUCM Voice/Video")
    members = []
    for number, node in enumerate(cluster.nodes, 1):
        add.add("ProcessNode", name=node.name, description=node.name, nodeUsage=node.role, ipv6Name="",
                processNodeRole="CUCM Voice/Video", lbmHubGroup=None)  # fmt: skip
        name = str(cluster.lab.inferred["axl.callmanager_name"]).format(node=node.name)
        add.shipped(
            "CallManager", name=name, description=node.name, processNodeName=node.name, _ctiid=number,
            autoRegistration={"startDn": "1000", "endDn": "1000", "nextDn": "1000", "autoRegistrationEnabled": False},
            ports={"ethernetPhonePort": 2000, "mgcpPorts": {"listen": 2427, "keepAlive": 2428},
                   "sipPorts": {"sipPhonePort": 5060, "sipPhoneSecurePort": 5061, "sipOAuthPort": 5090,
                                "sipOAuthMRAPort": 5091}},
        )  # fmt: skip
        if CALLMANAGER not in node.spec.not_activated:
            members.append({"callManagerName": name, "priority": number - 1})
        for service in (s.name for s in services_of(cluster.release) if s.name.startswith("Cisco")):
            add.add("ProcessNodeService", service=service, processNodeName=node.name, traceLevel=127,
                    userCategories=0, enable=True, numFiles=250, maxFileSize=2,
                    isActive=service not in node.spec.not_activated)  # fmt: skip
    add.shipped("CallManagerGroup", name="Default", tftpDefault=True, members=members)


def _parameters(cluster: Cluster, add: _Seeder) -> None:
    enterprise = {
        "ClusterSecurityMode": (str(cluster.spec.security_mode), "long"),
        "ClusterID": (cluster.name, "string"),
        "OrganizationTopLevelDomain": (cluster.domain, "string"),
        "ClusterFQDN": ("", "string"),
    }
    if cluster.release.has_ecdsa:
        enterprise[str(cluster.lab.inferred["sip.tls_ciphers_parameter"])] = (ALL_RSA, "string")
    if not cluster.lab.inferred["axl.security_mode_parameter"]:
        enterprise.pop("ClusterSecurityMode")
    for name, (value, kind) in enterprise.items():
        add.add("ServiceParameter", name=name, processNodeName=ENTERPRISE, service="Enterprise Wide", value=value,
                valueType=kind)  # fmt: skip
    for node in cluster.nodes:
        for name, value, kind in (("SipTrunkOptionsPing", "T", "boolean"), ("SdlTraceFlag", "True", "boolean"),
                                  ("T302_Timer", "15000", "long")):  # fmt: skip
            add.add("ServiceParameter", name=name, processNodeName=node.name, service="Cisco CallManager", value=value,
                    valueType=kind)  # fmt: skip
