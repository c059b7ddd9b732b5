# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence for a verdict, as types. Private to this collection.

It comes as other modules' results; what they left out is None or empty here and means "not known", never "not so".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import EC, RSA
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, TRUNK_EC, Purpose


def moment(value: Any) -> datetime | None:
    """An ISO 8601 time; without a zone it is UTC. None when it can't be read."""
    if not value:
        return None
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Identity:
    """One of the certificates that a node may present on its SIP port, by the purpose that it belongs to."""

    purpose: Purpose
    installed: Certificate | None = None
    issued: Certificate | None = None
    #: what the port showed to a probe that asked for this identity, leaf first
    chain: tuple[Certificate, ...] = ()

    @property
    def probed(self) -> Certificate | None:
        """The certificate that the node served to the probe."""
        return self.chain[0] if self.chain else None

    @property
    def expected(self) -> Certificate | None:
        """The certificate that the node ought to present."""
        return self.issued or self.installed

    @property
    def certificate(self) -> Certificate | None:
        """The certificate by which the identity is checked: the expected one, or what was seen of it."""
        return self.expected or self.probed

    @property
    def title(self) -> str:
        """What a sentence calls it: the certificate, where it is that of CallManager."""
        return "certificate" if self.purpose is TRUNK else f"{self.purpose.name} certificate"

    @property
    def elliptic(self) -> bool:
        """Whether it is the ECDSA certificate, which comes with release 11.0."""
        return self.purpose.key == EC


@dataclass(frozen=True)
class Node:
    """One node of a cluster and what is known of the certificates of its SIP port."""

    name: str
    addresses: frozenset[str]
    #: that of CallManager first, then, where the node has one, that of CallManager-ECDSA
    identities: tuple[Identity, ...]
    probe: Mapping[str, Any] | None
    trust: tuple[Certificate, ...] | None
    #: how far its clock is ahead of the controller's
    ahead: timedelta = timedelta()
    #: whether Cisco CallManager is activated there; True also if that is not known
    activated: bool = True

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Node:
        """From the option's dictionary."""
        addresses = [str(address).lower() for address in (raw.get("addresses") or [raw.get("address")]) if address]
        trust = raw.get("trust")
        return cls(
            name=str(raw.get("name") or (addresses[0] if addresses else "unnamed")),
            addresses=frozenset([*addresses, str(raw.get("name") or "").lower()]) - {""},
            identities=_identities(raw),
            probe=raw.get("probe") or None,
            trust=tuple(filter(None, map(Certificate.from_view, trust))) if trust is not None else None,
            ahead=timedelta(seconds=int((raw.get("clock") or {}).get("offset") or 0)),
            activated=raw.get("callmanager") is not False,
        )

    @property
    def elliptic(self) -> bool:
        """Whether the node has an ECDSA certificate, and so can also agree on one of its peer's."""
        return any(identity.elliptic for identity in self.identities)

    def identity_of(self, certificate: Certificate) -> Identity:
        """The identity of a certificate that the node showed, by the kind of its key; else that of CallManager."""
        kinds = {
            identity.certificate.key.kind: identity for identity in reversed(self.identities) if identity.certificate
        }
        return kinds.get(certificate.key.kind, self.identities[0])


def _identities(raw: Mapping[str, Any]) -> tuple[Identity, ...]:
    probe = raw.get("probe") or {}
    seen = probe.get("identities") or {}
    first_chain = (seen.get(_KINDS[TRUNK.key]) or {}).get("chain") if seen else probe.get("chain")
    second_chain = (seen.get(_KINDS[TRUNK_EC.key]) or {}).get("chain")
    main = Identity(
        TRUNK, Certificate.from_view(raw.get("held")), Certificate.from_view(raw.get("issued")), _chain(first_chain)
    )
    other = Identity(
        TRUNK_EC,
        Certificate.from_view(raw.get("ec_held")),
        Certificate.from_view(raw.get("ec_issued")),
        _chain(second_chain),
    )
    if not other.certificate:
        return (main,)
    # A port that was only probed, such as that of a peer that is not ours, may have an ECDSA certificate alone.
    return (main, other) if main.certificate or raw.get("trust") is not None else (other,)


#: the name of a probe for the kind of a key
_KINDS = {RSA: "RSA", EC: "ECDSA"}


def _chain(views: Any) -> tuple[Certificate, ...]:
    return tuple(filter(None, map(Certificate.from_view, views or ())))


@dataclass(frozen=True)
class Leg:
    """How one cluster is set up toward another: its trunk, the trunk's security profile, its state."""

    profile: Mapping[str, Any] | None = None
    trunk: Mapping[str, Any] | None = None
    status: Mapping[str, Any] | None = None
    calls: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Leg:
        """From the option's dictionary."""
        return cls(
            profile=raw.get("profile") or None,
            trunk=raw.get("trunk") or None,
            status=raw.get("status") or None,
            calls=tuple(raw.get("calls") or ()),
        )

    @property
    def accepted_names(self) -> tuple[str, ...] | None:
        """The names that the profile accepts of the peer; None when no profile is known."""
        if self.profile is None:
            return None
        value = first(self.profile, "x509_subject_name", "x509_subject_names", "x509SubjectName")
        parts = value if isinstance(value, (list, tuple)) else re.split(r"[\s,;:]+", str(value or ""))
        return tuple(str(part) for part in parts if part)

    @property
    def destinations(self) -> tuple[tuple[str, int], ...] | None:
        """(address, port) of each destination; None when the trunk's are not known."""
        listed = (self.trunk or {}).get("destinations")
        if not listed:
            return None
        return tuple(
            (
                str(first(destination, "address", "address_ipv4", "addressIpv4") or "").lower(),
                int(destination.get("port") or 5060),
            )
            for destination in listed
        )


@dataclass(frozen=True)
class Direction:
    """All evidence on calls from one cluster to another; ``back`` is the peer's side of the same trunk."""

    source: str
    target: str
    source_nodes: tuple[Node, ...]
    target_nodes: tuple[Node, ...]
    leg: Leg
    back: Leg
    captures: tuple[Mapping[str, Any], ...] = ()
    traces: tuple[Mapping[str, Any], ...] = ()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    srtp_wanted: bool = True
    warn_days: int = 30
    #: the target is a peer that is not ours: of its side only its port was seen
    external: bool = False
    #: cluster -> C(mixed) or C(non-secure), where it is known
    security_modes: Mapping[str, str] = field(default_factory=dict)
    #: cluster -> how many phones have a security profile of each mode, where it is known
    phone_security: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: cluster -> its version, where it is known
    versions: Mapping[str, str] = field(default_factory=dict)
    #: cluster -> how it checks the revocation of certificates, as the inventory says (cucm_revocation)
    revocation: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: the nodes of the target on which its trunks do not run
    other_nodes: tuple[Node, ...] = ()
    #: whether calls to each pattern of the target are routed, by the dial plans of both ends
    routing: tuple[Mapping[str, Any], ...] = ()

    @property
    def reached(self) -> tuple[Node, ...]:
        """The nodes of the target that the trunk's destinations name; all of them when none is known or none fits."""
        wanted = {address for address, _unused in self.leg.destinations or ()}
        return tuple(node for node in self.target_nodes if node.addresses & wanted) or self.target_nodes

    def checkers(self, node: Node) -> tuple[Node, ...]:
        """The nodes that are shown the node's certificate and check it, by their own clocks."""
        return self.reached if node in self.source_nodes else self.source_nodes


def first(mapping: Mapping[str, Any], *keys: str) -> Any:
    """The first of several keys that has a value."""
    return next((mapping[key] for key in keys if mapping.get(key) not in (None, "")), None)


def host_of(endpoint: Any) -> str:
    """The address of ``address:port`` or ``[address]:port``."""
    return str(endpoint or "").rpartition(":")[0].strip("[]").lower()


def between(
    captures: Iterable[Mapping[str, Any]], clients: Iterable[Node], servers: Iterable[Node]
) -> list[Mapping[str, Any]]:
    """The captured connections that one side's nodes opened to the other's, in the order of their start."""
    from_hosts = frozenset().union(*(node.addresses for node in clients))
    to_hosts = frozenset().union(*(node.addresses for node in servers))
    chosen = [
        capture
        for capture in captures
        if host_of(capture.get("client")) in from_hosts and host_of(capture.get("server")) in to_hosts
    ]
    return sorted(chosen, key=lambda connection: str(connection.get("started") or ""))
