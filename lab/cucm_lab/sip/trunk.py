# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A SIP trunk as call processing runs it, and the path from a route pattern to trunks and nodes."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ..services import CALLMANAGER
from . import names
from .digits import elements

if TYPE_CHECKING:
    from ..world import Cluster, Node


@dataclass(frozen=True)
class Ping:
    """OPTIONS ping of a SIP profile: intervals in seconds, retry timer in milliseconds."""

    up: float
    down: float
    retries: int
    retry_ms: int


#: significant digits: all of them
ALL_DIGITS = 99


@dataclass(frozen=True)
class Incoming:
    """What a trunk does to the called number of an incoming call."""

    digits: int = ALL_DIGITS
    prefix: str = ""
    strip: int = 0
    unknown_prefix: str = ""

    def called(self, number: str, *, settings: bool = True) -> str:
        """Significant digits, prefix DN, then the settings for unknown called parties that came with 10.0."""
        kept = self.prefix + (number[len(number) - self.digits :] if self.digits < len(number) else number)
        return self.unknown_prefix + kept[self.strip :] if settings else kept


@dataclass(frozen=True)
class Trunk:
    """One trunk since its last reset."""

    name: str
    uuid: str
    description: str
    device_pool: str
    #: "Non Secure", "Authenticated", "Encrypted"
    security_mode: str
    security_profile: str
    #: TLS is used for outgoing connections, or required for incoming ones
    outgoing_tls: bool
    incoming_tls: bool
    incoming_port: int
    subject_names: tuple[str, ...]
    srtp_allowed: bool
    run_on_every_node: bool
    destinations: tuple[tuple[str, int], ...]
    ping: Ping | None
    #: calling search space of incoming calls, and changes to the called number
    css: str = ""
    incoming: Incoming = Incoming()

    @classmethod
    def read(cls, body: dict[str, Any]) -> Trunk:
        """Make it from a mapping of `ConfigStore.running_trunks`."""
        security, sip = body.get("securityProfile") or {}, body.get("sipProfile") or {}
        mode = str(security.get("securityMode") or "Non Secure")
        destinations = sorted(
            elements(body.get("destinations"), "destination"), key=lambda row: _number(row.get("sortOrder"), 1)
        )
        ping = None
        if sip.get("enableOutboundOptionsPing") is True and body.get("sipTrunkType", "None(Default)") in (
            None,
            "None(Default)",
        ):
            ping = Ping(
                up=_number(sip.get("optionsPingIntervalWhenStatusOK"), 60),
                down=_number(sip.get("optionsPingIntervalWhenStatusNotOK"), 120),
                retries=_number(sip.get("sipOptionsRetryCount"), 6),
                retry_ms=_number(sip.get("sipOptionsRetryTimer"), 500),
            )
        return cls(
            name=str(body["name"]),
            uuid=str(body.get("uuid") or ""),
            description=str(body.get("description") or ""),
            device_pool=str(body.get("devicePoolName") or "Default"),
            security_mode=mode,
            security_profile=str(body.get("securityProfileName") or ""),
            outgoing_tls=security.get("outgoingTransport") == "TLS",
            incoming_tls=security.get("incomingTransport") == "TLS",
            incoming_port=_number(security.get("incomingPort"), 5060),
            subject_names=names.split(security.get("x509SubjectName")),
            srtp_allowed=body.get("srtpAllowed") is True,
            run_on_every_node=body.get("runOnEveryNode") is True,
            destinations=tuple(
                (str(row.get("addressIpv4") or row.get("addressIpv6")), _number(row.get("port"), 5060))
                for row in destinations
                if row.get("addressIpv4") or row.get("addressIpv6")
            ),
            ping=ping,
            css=str(body.get("callingSearchSpaceName") or ""),
            incoming=Incoming(
                digits=_number(body.get("sigDigits"), ALL_DIGITS),
                prefix=str(body.get("prefixDn") or ""),
                strip=_number(body.get("calledPartyUnknownStripDigits"), 0),
                unknown_prefix=str(body.get("calledPartyUnknownPrefix") or ""),
            ),
        )


def _number(value: Any, default: int) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return default


#: the nodes of a cluster's device pools, as of a revision of its configuration
_groups: WeakKeyDictionary[Cluster, tuple[int, dict[str, list[Node]]]] = WeakKeyDictionary()


def _group_nodes(cluster: Cluster, device_pool: str) -> list[Node]:
    config = cluster.config
    revision, known = _groups.get(cluster, (-1, {}))
    if revision != config.revision:
        known = {}
        _groups[cluster] = (config.revision, known)
    if device_pool not in known:
        pool = config.object("DevicePool", device_pool) or {}
        group = config.object("CallManagerGroup", str(pool.get("callManagerGroupName") or "Default")) or {}
        members = sorted(elements(group.get("members"), "member"), key=lambda row: _number(row.get("priority"), 0))
        managers = [config.object("CallManager", str(row.get("callManagerName"))) or {} for row in members]
        nodes = [cluster.node(str(manager.get("processNodeName") or "")) for manager in managers]
        known[device_pool] = [node for node in nodes if node is not None] or list(cluster.nodes)
    return known[device_pool]


def running_nodes(cluster: Cluster, device_pool: str) -> list[Node]:
    """The nodes of a device pool's CallManager group that run Cisco CallManager, in the group's order."""
    return [node for node in _group_nodes(cluster, device_pool) if node.services.running(CALLMANAGER)]


def nodes_of(cluster: Cluster, trunk: Trunk) -> list[Node]:
    """The nodes on which a trunk runs now."""
    if trunk.run_on_every_node:
        return [node for node in cluster.nodes if node.services.running(CALLMANAGER)]
    return running_nodes(cluster, trunk.device_pool)


class Router:
    """From a route pattern's destination to device names, with each route group's distribution."""

    def __init__(self, cluster: Cluster) -> None:
        self._config = cluster.config
        self._turns: Counter[str] = Counter()
        self._used: dict[str, int] = {}
        self._clock = itertools.count(1)

    def devices(self, destination: dict[str, Any]) -> list[str]:
        """The devices to try, in order."""
        if destination.get("gatewayName"):
            return [str(destination["gatewayName"])]
        route_list = self._config.object("RouteList", str(destination.get("routeListName") or ""))
        if not route_list or route_list.get("routeListEnabled") is False:
            return []
        members = sorted(
            elements(route_list.get("members"), "member"), key=lambda row: _number(row.get("selectionOrder"), 1)
        )
        found = [name for row in members for name in self._group(str(row.get("routeGroupName") or ""))]
        return list(dict.fromkeys(found))

    def used(self, device: str) -> None:
        """Note a call through it: it now has the shortest idle time."""
        self._used[device] = next(self._clock)

    def _group(self, name: str) -> list[str]:
        group = self._config.object("RouteGroup", name) or {}
        rows = sorted(
            elements(group.get("members"), "member"), key=lambda row: _number(row.get("deviceSelectionOrder"), 1)
        )
        devices = [str(row["deviceName"]) for row in rows if row.get("deviceName")]
        algorithm = group.get("distributionAlgorithm")
        if algorithm == "Circular" and devices:
            turn = self._turns[name] % len(devices)
            self._turns[name] += 1
            return devices[turn:] + devices[:turn]
        if algorithm == "Longest Idle Time":
            return sorted(devices, key=lambda device: self._used.get(device, 0))
        return devices
