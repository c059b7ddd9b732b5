# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated world: a Lab of Clusters of Nodes, built from a scenario and its state directory."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .clock import Clock
from .config import ConfigStore
from .database import Database
from .eventlog import EventLog
from .faults import Faults
from .https.auth import Accounts
from .inferred import Inferred
from .release import Release
from .scenario import Account, ClusterSpec, NodeSpec, PhoneSpec, Scenario
from .services import ServiceTable
from .traces.syslog import Syslog

if TYPE_CHECKING:
    from .phones import Phones
    from .pki.store import CertificateStore

Phone = PhoneSpec


class StartError(RuntimeError):
    """The lab cannot start; the text says why."""


class Stoppable(Protocol):
    """What an interface's `start(lab, node)` returns."""

    async def stop(self) -> None:
        """Close the ports and end all tasks."""


class Node:
    """A server: its names, address, clock, certificates, services and files."""

    certs: CertificateStore
    services: ServiceTable

    def __init__(self, spec: NodeSpec, cluster: Cluster) -> None:
        self.spec = spec
        self.cluster = cluster
        #: the host name as `show network eth0` and processnode have it, e.g. CUCMA
        self.name = spec.name
        self.address = spec.address
        #: "Publisher" or "Subscriber"
        self.role = spec.role
        self.domain = cluster.domain if spec.domain is None else spec.domain
        self.clock = Clock(cluster.lab.clock)
        #: set by the sip package while Cisco CallManager runs
        self.sip: Any = None
        self.directory = cluster.directory / spec.name
        for folder in ("cm/trace/ccm/sdl", "cm/trace/ccm/calllogs", "platform/cli"):
            (self.active_log / folder).mkdir(parents=True, exist_ok=True)

    @property
    def fqdn(self) -> str:
        """Host name and domain in lower case."""
        return f"{self.name}.{self.domain}".lower() if self.domain else self.name.lower()

    @property
    def names(self) -> frozenset[str]:
        """Everything that leads to it, in lower case: host name, FQDN, address, and what its original is called."""
        return frozenset({self.name.lower(), self.fqdn, self.address, *(name.lower() for name in self.spec.aliases)})

    @property
    def active_log(self) -> Path:
        """The node's /var/log/active."""
        return self.directory / "var" / "log" / "active"

    def file(self, path: str) -> Path:
        """The real file behind an absolute path of the node; ValueError when it would leave the node."""
        real = (self.directory / path.lstrip("/")).resolve()
        if not real.is_relative_to(self.directory.resolve()):
            raise ValueError(f"{path} is outside of the node's file system")
        return real

    def __repr__(self) -> str:
        return f"<Node {self.name} {self.address}>"


class Cluster:
    """A cluster: release, database, configuration, nodes, phones, accounts."""

    #: the files that phones trust, and where they are registered
    telephones: Phones

    def __init__(self, spec: ClusterSpec, lab: Lab) -> None:
        self.spec = spec
        self.lab = lab
        self.name = spec.name
        self.release: Release = spec.release
        self.domain = spec.domain
        #: subject attributes C, ST, L, O, OU; the CN is the node's name
        self.subject = dict(spec.subject)
        self.application_accounts: dict[str, Account] = {a.username: a for a in spec.application_accounts}
        self.platform_accounts: dict[str, Account] = {a.username: a for a in spec.platform_accounts}
        self.phones: list[Phone] = list(spec.phones)
        self.directory = lab.directory / spec.name
        self.directory.mkdir(parents=True, exist_ok=True)
        self.db = Database(self.directory / "cluster.db")
        self.nodes = [Node(node, self) for node in spec.nodes]
        if self.db.setting("version") is None:
            self.db.set_setting("version", self.release.version)
        #: application accounts: checks passwords, counts failures, locks
        self.accounts = Accounts(self)
        #: listChange's queue: another one at each start
        self.change_queue = f"{spec.name}-{int(time.time())}"
        #: the AXL objects; see ConfigStore
        self.config = ConfigStore(self)

    @property
    def publisher(self) -> Node:
        """The node that takes writes."""
        return self.nodes[0]

    def node(self, name: str) -> Node | None:
        """A node by host name, FQDN, address or alias, in any case."""
        wanted = name.lower()
        return next((n for n in self.nodes if wanted in n.names), None)

    def __repr__(self) -> str:
        return f"<Cluster {self.name} {self.release.name}>"


class Lab:
    """Everything of one lab process. `open()` builds it; `process.Process` starts its interfaces."""

    def __init__(self, scenario: Scenario, directory: Path) -> None:
        self.scenario = scenario
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.clock = Clock()
        self.log = EventLog(directory / "lab.log", self.clock, scenario.secrets())
        self.faults = Faults(clock=self.clock)
        for rule in scenario.faults:
            self.faults.add(**rule)
        self.inferred = Inferred(scenario.inferred)
        self.syslog = Syslog(self.clock)
        self.ports = scenario.ports
        self.clusters: dict[str, Cluster] = {}
        for spec in scenario.clusters:
            self._open(spec)
        if any(spec.recorded for spec in scenario.clusters):
            from .twin import install

            install(self)

    def _open(self, spec: ClusterSpec) -> None:
        from .phones import Phones
        from .pki.store import CertificateStore

        cluster = self.clusters[spec.name] = Cluster(spec, self)
        for node in cluster.nodes:
            self._remember_address(node)
            node.certs = CertificateStore(self, node)
            node.services = ServiceTable(self, node)
        cluster.telephones = Phones(cluster)
        for node in cluster.nodes:
            node.services.follow(cluster.telephones.service_changed)

    def _remember_address(self, node: Node) -> None:
        """StartError if the state was made with another address: its certificates contain that one."""
        database, name = node.cluster.db, f"address of {node.name}"
        earlier = database.setting(name)
        if earlier not in (None, node.address):
            raise StartError(
                f"The state in {self.directory} was made with {node.name} at {earlier}, and the certificates in it "
                f"name that address, not {node.address}. Start with --fresh to begin anew, with the --net of then, "
                f"or with another --state."
            )
        database.set_setting(name, node.address)

    @property
    def nodes(self) -> list[Node]:
        """Every node of every cluster."""
        return [node for cluster in self.clusters.values() for node in cluster.nodes]

    def cluster(self, name: str) -> Cluster:
        """A cluster by its name or by one of its nodes' names; KeyError with a sentence."""
        for cluster in self.clusters.values():
            if cluster.name.lower() == name.lower() or cluster.node(name):
                return cluster
        raise KeyError(f"The lab has no cluster {name}; it has {', '.join(self.clusters)}.")

    def node_at(self, address: str) -> Node | None:
        """The node that has this address (or name), of any cluster: the lab's DNS."""
        return next((n for c in self.clusters.values() if (n := c.node(address))), None)

    def address_of(self, name: str) -> str | None:
        """The address of a node or of a stand-in by any of its names."""
        node = self.node_at(name)
        if node is not None:
            return node.address
        wanted = name.lower()
        return next((p.address for p in self.scenario.peers if wanted in (p.name.lower(), p.address)), None)

    async def close(self) -> None:
        """Close services, databases and the log."""
        for cluster in self.clusters.values():
            for node in cluster.nodes:
                await node.services.close()
            cluster.db.close()
        self.log.close()
