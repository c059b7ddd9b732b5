# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scenario: the YAML file that says which clusters, nodes, phones, accounts, CAs and faults a lab has."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from .release import ALIASES, RELEASES, Release, find
from .services import SERVICES

#: what `set tls min-version` takes
TLS_VERSIONS = ("1.0", "1.1", "1.2", "1.3")
SCENARIOS = Path(__file__).parent / "scenarios"


class ScenarioError(ValueError):
    """The file cannot be used; the text says where and why."""


@dataclass(frozen=True)
class Account:
    """An application account (AXL, serviceability) or a platform account (CLI, certificate REST API)."""

    username: str
    password: str
    #: application accounts: names of CUCM's roles
    roles: tuple[str, ...] = ()
    #: application accounts: names of CUCM's access control groups beside the one that gives these roles
    groups: tuple[str, ...] = ()
    #: platform accounts: privilege level 0 (read), 1 (read and write), 4 (the installer's)
    level: int = 4


@dataclass(frozen=True)
class PhoneSpec:
    """A phone that answers calls to its extension. `secure` phones do SRTP in mixed mode.

    `css` is the device's calling search space, `line_css` the line's; `partition` is the line's.
    """

    extension: str
    name: str
    secure: bool = True
    partition: str = ""
    css: str = ""
    line_css: str = ""
    #: "answer", "busy", "no_answer" or "unregistered"
    behaviour: str = "answer"
    device_pool: str = "Default"


@dataclass(frozen=True)
class NodeSpec:
    """A server of a cluster. `domain` None: the cluster's."""

    name: str
    address: str
    role: str = "Publisher"
    domain: str | None = None
    timezone: str = "UTC"
    #: feature services that are not activated here, e.g. Cisco CallManager on a TFTP node
    not_activated: tuple[str, ...] = ()
    #: services that somebody has stopped
    stopped: tuple[str, ...] = ()
    #: other names and addresses that lead to it: those of the node that it is a twin of
    aliases: tuple[str, ...] = ()


#: `security_mode` of a scenario: the number of ClusterSecurityMode, or its word
SECURITY_MODES = {"non-secure": 0, "mixed": 1, "0": 0, "1": 1}


@dataclass(frozen=True)
class ClusterSpec:
    """A cluster. `config` seeds AXL objects: {kind: [{field: value}]}.

    A twin has `recorded`: its record's certificates and stores. Its `config` is complete for the kinds that it names.
    """

    name: str
    release: Release
    domain: str
    subject: dict[str, str]
    nodes: tuple[NodeSpec, ...]
    phones: tuple[PhoneSpec, ...]
    application_accounts: tuple[Account, ...]
    platform_accounts: tuple[Account, ...]
    security_mode: int = 0
    #: "1.0" to "1.3", as an upgrade keeps it; None: that of a fresh installation
    tls_min_version: str | None = None
    #: FIPS mode: nothing weaker than what FIPS 140 approves
    fips: bool = False
    config: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    #: what the inventory gives as the numbers of the cluster; None: the extensions of its phones
    local_patterns: tuple[str, ...] | None = None
    recorded: dict[str, Any] = field(default_factory=dict)
    #: what a twin does not have, in sentences
    not_copied: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listener:
    """A SIP port of a foreign peer. `seen` is an entry of the record of `cluster`, which has its certificates."""

    port: int
    transport: str = "TLS"
    cluster: str = ""
    seen: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PeerSpec:
    """A system that is no CUCM, such as an SBC, to which trunks lead; its stand-in answers every call.

    `name` is the destination of the original's trunks, which leads to it as well.
    """

    name: str
    address: str
    listeners: tuple[Listener, ...] = ()
    #: cluster -> a number that its dial plan sends here
    numbers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ports:
    """The ports every node serves."""

    https: int = 8443
    ssh: int = 2222
    sip_tls: int = 5061
    sip_tcp: int = 5060


@dataclass(frozen=True)
class Scenario:
    """A whole scenario. `cas` and `options` are read by the packages that use them."""

    name: str
    clusters: tuple[ClusterSpec, ...]
    ports: Ports = Ports()
    cas: tuple[dict[str, Any], ...] = ()
    peers: tuple[PeerSpec, ...] = ()
    faults: tuple[dict[str, Any], ...] = ()
    inferred: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    net: str = "127.0"
    #: the name or the file it was loaded from
    source: str = ""

    def secrets(self) -> set[str]:
        """Every password of the scenario, for masking."""
        accounts = [a for c in self.clusters for a in (*c.application_accounts, *c.platform_accounts)]
        ca_accounts = [a for ca in self.cas for a in ca.get("accounts", [])]
        return {a.password for a in accounts} | {str(a["password"]) for a in ca_accounts if "password" in a}


def names() -> list[str]:
    """The scenarios that come with the lab."""
    return sorted(path.stem for path in SCENARIOS.glob("*.yml"))


def load(name_or_path: str, net: str = "127.0") -> Scenario:
    """Read a scenario by name or path; addresses 127.0.x.y move to `net` (e.g. 127.37)."""
    path = SCENARIOS / f"{name_or_path}.yml"
    if not path.exists():
        path = Path(name_or_path)
    if not path.is_file():
        raise ScenarioError(f"There is no scenario {name_or_path!r}; the lab has {', '.join(names())}, or give a file.")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ScenarioError(f"Scenario {path} is not valid YAML: {error}") from None
    if not isinstance(data, dict):
        raise ScenarioError(f"Scenario {path} is not a mapping.")
    source = name_or_path if path.parent == SCENARIOS else str(path.absolute())
    return replace(parse(data, path.stem, net), source=source)


def parse(data: dict[str, Any], name: str, net: str = "127.0") -> Scenario:
    """Make a scenario of a mapping; ScenarioError names the key that is wrong."""
    parts = net.split(".")
    if len(parts) != 2 or parts[0] != "127" or not parts[1].isdigit() or int(parts[1]) > 255:
        raise ScenarioError(f"--net {net!r}: give two octets of loopback, such as 127.0 or 127.37.")

    data = _rebased(data, net)
    try:
        accounts = data.get("accounts", {})
        scenario = Scenario(
            name=data.get("name", name),
            clusters=tuple(_cluster(c, accounts) for c in data["clusters"]),
            ports=Ports(**data.get("ports", {})),
            cas=tuple(data.get("cas", ())),
            peers=tuple(_peer(peer) for peer in data.get("peers", ())),
            faults=tuple(data.get("faults", ())),
            inferred=data.get("inferred", {}),
            options=data.get("options", {}),
            net=net,
        )
    except KeyError as error:
        raise ScenarioError(f"Scenario {name}: {error} is missing or unknown.") from None
    except TypeError as error:
        raise ScenarioError(f"Scenario {name}: {error}") from None
    labels = [c.name for c in scenario.clusters] + [n.address for c in scenario.clusters for n in c.nodes]
    labels += [peer.address for peer in scenario.peers]
    for label, times in Counter(labels).items():
        if times > 1:
            raise ScenarioError(f"Scenario {name}: {label} occurs twice.")
    return scenario


def _rebased(value: Any, net: str) -> Any:
    """The same scenario with its 127.0 addresses on another net."""
    if isinstance(value, str) and value.startswith("127.0."):
        return net + value[5:]
    if isinstance(value, dict):
        return {key: _rebased(item, net) for key, item in value.items()}
    return [_rebased(item, net) for item in value] if isinstance(value, list) else value


def _cluster(data: dict[str, Any], accounts: dict[str, Any]) -> ClusterSpec:
    release = find(str(data["release"]))
    if release is None:
        known = ", ".join((*RELEASES, *ALIASES))
        raise ScenarioError(f"Cluster {data['name']}: release {data['release']} is not one of {known}.")
    if "version" in data:
        release = replace(release, version=str(data["version"]))
    minimum = str(data.get("tls_min_version") or "") or None
    if minimum is not None and minimum not in TLS_VERSIONS:
        raise ScenarioError(
            f"Cluster {data['name']}: tls_min_version {minimum} is not one of {', '.join(TLS_VERSIONS)}; quote it."
        )
    own = data.get("accounts", {})

    def read(kind: str) -> tuple[Account, ...]:
        rows = own.get(kind, accounts.get(kind, []))
        lists = ("roles", "groups")
        return tuple(Account(**{**row, **{key: tuple(row.get(key, ())) for key in lists}}) for row in rows)

    nodes = tuple(_node(node) for node in data["nodes"])
    mode = SECURITY_MODES.get(str(data.get("security_mode", 0)))
    if mode is None:
        raise ScenarioError(
            f"Cluster {data['name']}: security_mode {data['security_mode']} is not one of {', '.join(SECURITY_MODES)}."
        )
    if not nodes or nodes[0].role != "Publisher":
        raise ScenarioError(f"Cluster {data['name']}: the first node must be the Publisher.")
    return ClusterSpec(
        name=data["name"],
        release=release,
        domain=data.get("domain", "lab.local"),
        subject=dict(data.get("subject", {"C": "IN", "ST": "cisco", "L": "cisco", "O": "cisco", "OU": "cisco"})),
        nodes=nodes,
        phones=tuple(
            PhoneSpec(**{"name": f"SEP{phone['extension']:0>12}", **phone, "extension": str(phone["extension"])})
            for phone in data.get("phones", [])
        ),
        application_accounts=read("application"),
        platform_accounts=read("platform"),
        security_mode=mode,
        tls_min_version=minimum,
        fips=bool(data.get("fips", False)),
        config=data.get("config", {}),
        local_patterns=tuple(map(str, data["local_patterns"])) if "local_patterns" in data else None,
        recorded=data.get("recorded", {}),
        not_copied=tuple(data.get("not_copied", ())),
    )


def _peer(data: dict[str, Any]) -> PeerSpec:
    listeners = tuple(Listener(**listener) for listener in data.get("listeners", ()))
    return PeerSpec(**{**data, "listeners": listeners})


def _node(data: dict[str, Any]) -> NodeSpec:
    features = {service.name for service in SERVICES if service.feature}
    unknown = set(data.get("not_activated", ())) - features
    if unknown:
        raise ScenarioError(
            f"Node {data['name']}: not_activated names {', '.join(sorted(unknown))}; the services that can be "
            f"activated are {', '.join(sorted(features))}."
        )
    lists = {name: tuple(data.get(name, ())) for name in ("not_activated", "stopped", "aliases")}
    return NodeSpec(**{**data, **lists})
