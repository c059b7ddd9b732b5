# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles know of a cluster and of its peers. Pure.

Between tasks this is facts, that is dictionaries. A filter reads them first (from_facts) and writes them last
(to_facts); everything in between works on these types.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NotRequired, Self, TypedDict

from ansible.module_utils.common.validation import check_type_bool, check_type_int
from ansible_collections.siptls.cucm.plugins.module_utils._roles.names import certificate_names
from ansible_collections.siptls.cucm.plugins.module_utils._roles.numbers import routes
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, TRUNK_EC

#: a certificate as cucm_certificate_info returns it
View = Mapping[str, Any]
#: the options of a route pattern, with `pattern`
Route = Mapping[str, Any]
#: the options of a module of an object
Options = dict[str, Any]
#: the options of role sip_tls_trunk, without their prefix
Settings = Mapping[str, Any]

#: the purposes of the certificates that a SIP TLS port can present, with the fact that has that of each node
FACTS = {TRUNK.name: "certificates", TRUNK_EC.name: "ec_certificates"}


#: the settings that are not text; a survey returns every value as text, and so do templates before ansible-core 2.19
SETTING_TYPES: dict[str, Callable[[Any], Any]] = {
    "port": check_type_int,
    "run_on_every_node": check_type_bool,
    "srtp_allowed": check_type_bool,
}


def typed_settings(given: Mapping[str, Any]) -> Settings:
    """The settings with each value of its own type; one that is not of its type remains, and preflight reports it."""
    return {name: _typed(SETTING_TYPES.get(name), value) for name, value in given.items()}


def _typed(convert: Callable[[Any], Any] | None, value: Any) -> Any:
    try:
        return value if convert is None or value is None else convert(value)
    except TypeError:
        return value


def _given(cls: type, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those facts that are fields of a type and have a value."""
    return {field_.name: facts[field_.name] for field_ in fields(cls) if facts.get(field_.name) is not None}


def _routes(facts: Mapping[str, Any]) -> list[Route]:
    """The numbers as options of route patterns; facts without them have the patterns alone."""
    return list(facts.get("routes") or routes(list(facts.get("patterns") or ())))


@dataclass(frozen=True)
class Node:
    """A node of a cluster."""

    name: str
    address: str = ""
    role: str | None = None
    #: Cisco CallManager is activated there, or it is not known whether it is
    callmanager: bool = True
    #: our trunks run there
    trunk: bool = True
    #: CallManager groups in which no other node runs Cisco CallManager
    only_in: Sequence[str] = ()

    @property
    def is_publisher(self) -> bool:
        """Whether it is the publisher of its cluster; no where its role is not known."""
        return self.role == "Publisher"

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """A node from the facts of its cluster."""
        return cls(**_given(cls, facts))

    def to_facts(self) -> dict[str, Any]:
        """The node as facts."""
        return dict(vars(self))


@dataclass(frozen=True)
class Peer:
    """The other end of a trunk: a cluster of the inventory, or one that is not managed here (external)."""

    name: str
    #: subject names of its certificates; empty while they are not known
    names: Sequence[str] = ()
    addresses: Sequence[str] = ()
    #: the CAs above its certificates, as PEM
    chain: Sequence[str] = ()
    patterns: Sequence[str] = ()
    routes: Sequence[Route] = ()
    external: bool = False
    # What an external peer has otherwise than the settings of the role say.
    port: int | None = None
    incoming_port: int | None = None
    security_mode: str | None = None
    #: options of cucm_sip_trunk
    trunk: Mapping[str, Any] = field(default_factory=dict)
    legacy_crypto: bool = False

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """An external peer from the facts of a cluster."""
        return cls(**{**_given(cls, facts), "routes": _routes(facts), "external": True})

    def to_facts(self) -> dict[str, Any]:
        """An external peer as facts."""
        return {key: value for key, value in vars(self).items() if key != "external"}


@dataclass(frozen=True)
class Site:
    """A cluster as the inventory alone shows it: who leads to whom through hubs follows from it."""

    name: str
    peers: Sequence[str] = ()
    #: a hub: it passes calls on between its peers
    transit: bool = False
    routes: Sequence[Route] = ()


@dataclass(frozen=True)
class Way:
    """What a cluster routes through hubs: the owner of the numbers, and the hubs among its peers that lead there."""

    name: str
    #: empty when no hub leads there
    through: Sequence[str] = ()
    routes: Sequence[Route] = ()

    def to_facts(self) -> dict[str, Any]:
        """The way as facts."""
        return dict(vars(self))


def ways_of(settings: Settings) -> list[Way]:
    """The ways through hubs in the settings of role sip_tls_trunk."""
    return [Way(str(way["name"]), list(way["through"]), _routes(way)) for way in settings.get("transit") or ()]


class PeerTrunk(TypedDict):
    """The trunk to a peer, in the objects of a cluster."""

    name: str
    trunk: str
    profile: str
    #: what is read of a peer that is not managed here
    external: NotRequired[dict[str, Any]]


class Objects(TypedDict):
    """What role sip_tls_trunk makes on a cluster: options of the modules by kind, and what goes with them."""

    sip_profiles: NotRequired[list[Options]]
    profiles: list[Options]
    trunks: list[Options]
    route_groups: list[Options]
    route_lists: list[Options]
    patterns: list[Options]
    #: the CAs to trust, as PEM
    trust: list[str]
    #: sentences about what cannot be made in this run, and about trunks that could be kept
    waiting: list[str]
    offers: NotRequired[list[str]]
    peers: list[PeerTrunk]
    #: the ways through hubs, each with its trunks
    transit: list[dict[str, Any]]


NOTHING_MADE: Objects = {
    "profiles": [], "trunks": [], "route_groups": [], "route_lists": [], "patterns": [], "trust": [], "waiting": [],
    "peers": [], "transit": [],
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What a run is to make on a cluster: trunks to these peers with these settings."""

    peers: Sequence[str]
    settings: Settings


@dataclass
class Cluster:
    """A cluster: what preflight found, and what the roles after it add."""

    name: str
    version: str | None = None
    security_mode: str | None = None
    #: how many phones have which device security mode, as cucm_info returns it
    phone_security: Mapping[str, int] | None = None
    #: how it checks the revocation of certificates (cucm_revocation)
    revocation: Mapping[str, Any] | None = None
    nodes: list[Node] = field(default_factory=list)
    #: by node the CallManager certificate that it is to present, and the CallManager-ECDSA one
    certificates: dict[str, View | None] = field(default_factory=dict)
    ec_certificates: dict[str, View | None] = field(default_factory=dict)
    #: by node what is in CallManager-trust
    trust: dict[str, list[View]] = field(default_factory=dict)
    #: by fact and node the CAs above a certificate that peers may trust, as PEM: see trust.py
    chains: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    #: the CAs above the certificates that the nodes are to present, as PEM
    chain: list[str] = field(default_factory=list)
    #: the CAs that will sign certificates in this run, as PEM; empty for a CA that the run makes
    signing_chain: list[str] = field(default_factory=list)
    #: by node and purpose the SHA-256 of the certificate that its SIP port presents; "" for none, None where not known
    served: dict[str, dict[str, str | None]] = field(default_factory=dict)
    #: nodes whose certificates could not be read
    unread: list[str] = field(default_factory=list)
    #: the CA rejected the account, so that no other cluster tries it
    ca_rejected: bool = False
    #: the CA that signs and those above it, as PEM; the CAs that a roll-over replaces
    new_cas: list[str] = field(default_factory=list)
    old_cas: list[str] = field(default_factory=list)
    #: by node whether its SIP port accepts TLS 1.0 with AES128-SHA; None where it is not known
    old_peers: dict[str, bool | None] = field(default_factory=dict)
    #: by node the certificate of the Trust Verification Service
    tvs: dict[str, View] = field(default_factory=dict)
    #: the certificate that signs the CTL and ITL files from release 12.0 on
    itl_signer: View | None = None
    #: nodes whose CallManager certificate this run will change
    due: list[str] = field(default_factory=list)
    #: who else trusts the certificates that will change: what, name and need of each
    certificate_users: list[Mapping[str, str]] = field(default_factory=list)
    #: services that a new CallManager certificate requires to be restarted
    restarts: list[str] = field(default_factory=list)
    #: the numbers of the cluster: patterns, and the same as options of route patterns
    patterns: list[str] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    #: inventory names of the peers; None while they are not known
    peers: list[str] | None = None
    external: list[Peer] = field(default_factory=list)
    planned: Plan | None = None
    #: options of role callmanager_certificate that the plan shows
    options: Mapping[str, Any] = field(default_factory=dict)
    #: the objects on the cluster that a plan is checked against
    existing: Mapping[str, Any] | None = None
    #: a hub: it passes calls on between its peers
    transit: bool = False
    #: the partitions of each calling search space of a hub, where they could be read
    search_spaces: Mapping[str, Sequence[str]] | None = None
    mistakes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    #: why the cluster can't be reached; empty when it can
    unreachable: str = ""

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """A cluster from preflight_cluster or callmanager_certificate_cluster. Its lists are its own."""
        given = {key: _own(value) for key, value in _given(cls, facts).items()}
        given["nodes"] = [Node.from_facts(node) for node in facts.get("nodes") or ()]
        given["external"] = [Peer.from_facts(peer) for peer in facts.get("external") or ()]
        given["routes"] = _routes(facts)
        planned = facts.get("planned")
        given["planned"] = Plan(planned.get("peers") or (), typed_settings(planned["settings"])) if planned else None
        return cls(**given)

    def to_facts(self) -> dict[str, Any]:
        """The cluster as facts."""
        return {
            **vars(self),
            "nodes": [node.to_facts() for node in self.nodes],
            "external": [peer.to_facts() for peer in self.external],
            "planned": vars(self.planned) if self.planned else None,
        }

    def by_node(self, purpose: str) -> dict[str, View | None]:
        """The certificates of a purpose by node."""
        found: dict[str, View | None] = getattr(self, FACTS[purpose])
        return found

    def identities(self, node: str) -> list[View]:
        """The certificates that a node may present on its SIP port, that of CallManager first."""
        views = (self.by_node(purpose).get(node) for purpose in FACTS)
        return [view for view in views if view]

    @property
    def publisher(self) -> str | None:
        """The name of its publisher; None where it is not known."""
        return next((node.name for node in self.nodes if node.is_publisher), None)

    @property
    def trunk_nodes(self) -> list[Node]:
        """The nodes on which its trunks run: those that are destinations of its peers."""
        return [node for node in self.nodes if node.trunk]

    @property
    def subject_names(self) -> list[str]:
        """The names in all certificates that its trunks may present; empty when a node has no certificate.

        Which of its certificates a CUCM sends as a client is not bound to the cipher, so a peer may see either.
        """
        nodes = [node.name for node in self.trunk_nodes or self.nodes]
        if not all(certificate_names(self.certificates.get(node) or {}) for node in nodes):
            return []
        views = [view for node in nodes for view in self.identities(node)]
        return list(dict.fromkeys(name for view in views for name in certificate_names(view)))

    def as_peer(self) -> Peer:
        """The cluster as others see it.

        If its trunks run on no node, which preflight reports, a verification still compares with all nodes.
        """
        return Peer(
            self.name, names=self.subject_names, addresses=[node.address for node in self.trunk_nodes or self.nodes],
            chain=self.chain, patterns=self.patterns, routes=self.routes,
        )  # fmt: skip


def _own(value: Any) -> Any:
    """A copy of a list or dictionary, which may be changed; what is in it is shared."""
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else value


def clusters_of(facts: Iterable[Mapping[str, Any]]) -> list[Cluster]:
    """Clusters from the facts of each."""
    return [Cluster.from_facts(facts_) for facts_ in facts]


def whole(value: Any, otherwise: int) -> int:
    """A number from a template, which is text before ansible-core 2.19; a wrong one is reported with the options."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return otherwise
