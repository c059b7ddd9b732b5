# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a roll-over from old CAs to a new one is, from facts alone: nothing is stored between two runs. Pure.

A node refuses a peer whose CA is not in its trust store. Therefore the new CA goes into every trust store first (phase
trust), then each cluster gets certificates of the new CA (sign), and only then the old CAs leave the stores (retire).
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import FACTS, Cluster, Peer, View
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import climb
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, TRUNK_EC

TRUST, SIGN, RETIRE, DONE = "trust", "sign", "retire", "done"
NEW, OLD, SELF_SIGNED, OTHER = "new", "old", "self-signed", "other"
OPTION, READY = "sip_tls_old_cas", "roll_over_ready_peers"
Identity = tuple[Any, Any]


@dataclass(frozen=True)
class Leaf:
    """An identity certificate that peers meet on a SIP TLS port, and the CA that it depends on."""

    cluster: str
    node: str
    purpose: str
    issuer: str
    under: str
    #: whether the port presents it; None where that is not known
    served: bool | None

    @property
    def where(self) -> str:
        """Cluster and node, for sentences."""
        return f"{self.cluster}, node {self.node}"


@dataclass(frozen=True)
class RollOver:
    """The clusters that were read, and the CAs of the roll-over.

    hosts: all clusters of the inventory. made: the chain of a new CA that the facts do not have yet, the CA first.
    """

    clusters: Sequence[Cluster]
    hosts: Sequence[str]
    made: Sequence[str] = ()

    @property
    def old(self) -> list[Certificate]:
        """The CAs that are replaced."""
        return _certificates(pem for cluster in self.clusters for pem in cluster.old_cas)

    def new(self, cluster: Cluster | None = None) -> list[Certificate]:
        """The CA that signs from now on and those above it; of one cluster, or of all."""
        every = [cluster] if cluster is not None else self.clusters
        return _certificates([*self.made, *(pem for cluster_ in every for pem in cluster_.new_cas)])

    @property
    def unread(self) -> list[str]:
        """The clusters of which not all nodes were read."""
        read = {
            cluster.name
            for cluster in self.clusters
            if cluster.nodes and not cluster.unreachable and not cluster.unread
        }
        return [host for host in self.hosts if host not in read]

    def lacking(self) -> dict[str, dict[str, list[str]]]:
        """By cluster and node the PEMs of the new chain that are not in CallManager-trust."""
        wanted = self.new()
        found: dict[str, dict[str, list[str]]] = {}
        for cluster, node, store in self.stores():
            stored = {_identity(certificate) for certificate in store}
            missing = [authority.pem for authority in wanted if _identity(authority) not in stored]
            if missing:
                found.setdefault(cluster.name, {})[node] = missing
        return found

    def holding(self) -> dict[str, list[str]]:
        """By cluster the PEMs of the old CAs, and of those below them, that are in CallManager-trust of any node."""
        old, new = set(map(_identity, self.old)), set(map(_identity, self.new()))
        found: dict[str, dict[str, None]] = {}
        for cluster, _node, store in self.stores():
            for certificate in store:
                above = {_identity(issuer) for issuer in climb(certificate, [*store, *self.old]).certificates}
                if (
                    above & old
                    and _identity(certificate) not in new
                    and (certificate.may_sign or _identity(certificate) in old)
                ):
                    found.setdefault(cluster.name, {})[certificate.pem] = None
        return {name: list(pems) for name, pems in found.items()}

    def leaves(self) -> list[Leaf]:
        """The certificates of all nodes that run Cisco CallManager."""
        return list(self._leaves())

    def _leaves(self) -> Iterator[Leaf]:
        for cluster, node, store in self.stores():
            serving = {running.name: running.callmanager for running in cluster.nodes}
            for purpose in FACTS if serving.get(node, True) else ():
                view = cluster.by_node(purpose).get(node)
                leaf = Certificate.from_view(view)
                if leaf is not None and view:
                    under = self._under(cluster, leaf, store)
                    served = _is_served(cluster, node, purpose, leaf)
                    yield Leaf(cluster.name, node, purpose, leaf.issuer.text, under, served)

    def _under(self, cluster: Cluster, leaf: Certificate, store: Sequence[Certificate]) -> str:
        if leaf.self_signed:
            return SELF_SIGNED
        if any(leaf.signed_by(authority) for authority in self.new(cluster)[:1]):
            return NEW
        old = set(map(_identity, self.old))
        above = climb(leaf, [*self.old, *store]).issuers
        return OLD if any(_identity(certificate) in old for certificate in above) else OTHER

    def stores(self) -> Iterator[tuple[Cluster, str, list[Certificate]]]:
        """Each node that was read, with its CallManager-trust."""
        for cluster in self.clusters:
            for node in cluster.nodes:
                if node.name not in cluster.unread:
                    yield cluster, node.name, _of_views(cluster.trust.get(node.name) or ())

    def external(self) -> dict[str, Peer]:
        """The external peers of all clusters by name."""
        return {peer.name: peer for cluster in self.clusters for peer in cluster.external}


def roll_over(
    clusters: Sequence[Cluster],
    *,
    hosts: Sequence[str],
    ready: Iterable[str] = (),
    made: Sequence[str] = (),
    to_be_made: bool = False,
    blind: bool = False,
) -> dict[str, Any]:
    """The phase of the roll-over, and whatever a run or a reader needs to know of it.

    clusters: those that were read; hosts: all of the inventory. ready: external peers that trust the new CA, by the
    operator's word. made: the chain of a new CA that is not in the facts. to_be_made: the new CA does not exist yet,
    and made is a prediction. blind: go on where it is not known what a port presents.
    The result has `active` (whether an old CA is named), `phase`, `text`, `problems` (why no phase may begin),
    `blocked` (why this one may not), `leaves` and the same as sentences (`certificates`), `lacking`, `holding`,
    `unsigned`, `new` and `old`.
    """
    case = RollOver(clusters, hosts, made)
    leaves, lacking, holding = case.leaves(), case.lacking(), case.holding()
    unsigned = list(dict.fromkeys(leaf.cluster for leaf in leaves if leaf.under == OLD or _waits(leaf)))
    phase = _phase(case, bool(lacking) or to_be_made, unsigned, holding)
    peers = list(ready)
    return {
        "active": bool(case.old),
        "phase": phase,
        "text": _text(case, phase, lacking, unsigned, holding),
        "problems": [*_problems(case, leaves, peers)],
        "blocked": [*_blocked(case, phase, leaves, peers), *([] if blind else _unseen(phase, leaves))],
        "leaves": [asdict(leaf) for leaf in leaves],
        "certificates": [f"{leaf.where}, {leaf.purpose}: {leaf.issuer} ({leaf.under})" for leaf in leaves],
        "lacking": lacking,
        "holding": holding,
        "unsigned": unsigned,
        "new": [_shown(authority) for authority in case.new()],
        "old": [_shown(authority) for authority in case.old],
    }


def guarded(clusters: Sequence[Cluster]) -> Iterator[str]:
    """Why a run other than that of the roll-over must not renew: it would change the CA before everybody trusts it."""
    case = RollOver(clusters, [cluster.name for cluster in clusters])
    if not case.old:
        return
    due = {(cluster.name, node) for cluster in clusters for node in cluster.due}
    nodes = [leaf.where for leaf in case.leaves() if leaf.under == OLD and (leaf.cluster, leaf.node) in due]
    if nodes:
        yield (
            f"The certificates of {'; '.join(dict.fromkeys(nodes))} are of an old CA ({OPTION}), and this run would "
            "replace them by some of the new CA without looking whether all peers trust it. Run the playbook "
            "siptls.cucm.roll_over_ca, which does it in order; or set preflight_roll_over to allow."
        )


def _phase(case: RollOver, untrusted: bool, unsigned: Sequence[str], holding: Mapping[str, Any]) -> str:
    if untrusted or not case.new():
        return TRUST
    if unsigned:
        return SIGN
    if holding:
        return RETIRE
    return SIGN if case.unread else DONE


def _waits(leaf: Leaf) -> bool:
    """Whether the port still presents an older certificate, because its restart waits for a window or failed."""
    return leaf.under == NEW and leaf.served is False


def _problems(case: RollOver, leaves: Sequence[Leaf], ready: Sequence[str]) -> Iterator[str]:
    """What makes a roll-over impossible, whatever its phase."""
    new, old = case.new(), case.old
    if not old:
        issuers = (
            ", ".join(dict.fromkeys(leaf.issuer for leaf in leaves if leaf.under == OTHER)) or "none that is signed"
        )
        yield (
            f"{OPTION} is not set, so that it is not known which CA is replaced. Give the certificates of the old CA, "
            f"as PEM or files. The CallManager certificates that are not of the new CA were issued by: {issuers}."
        )
    if not new:
        yield (
            "The certificate of the new CA is not known. For a local CA set sip_tls_ca with the path of its folder; "
            "for any other CA set callmanager_certificate_issuer to its certificate, and add those above it to "
            "sip_tls_trusted_cas."
        )
    yield from _incomplete(case)
    same = {_identity(authority) for authority in new} & {_identity(authority) for authority in old}
    for authority in (authority for authority in old if _identity(authority) in same):
        yield (
            f"{authority.title} is both old ({OPTION}) and the new CA or one above it. A renewed certificate of the "
            "same CA, with the same name and key, requires no roll-over: take it out, and run "
            f"siptls.cucm.sip_tls_trunk. Otherwise name in {OPTION} only what is replaced."
        )
    yield from _same_names(case)
    known = case.external()
    for name in (name for name in ready if name not in known):
        yield (
            f"{READY} names {name}, which is not an external peer. The external peers are "
            f"{', '.join(known) or 'none'}: correct the name."
        )


def _incomplete(case: RollOver) -> Iterator[str]:
    new = case.new()
    for cluster in case.clusters:
        own = case.new(cluster)[:1]
        chain = climb(own[0], new) if own else None
        if chain is not None and not chain.complete:
            yield (
                f"{cluster.name}: the chain of the new CA {own[0].title} does not reach a root: {chain.gap(new)}. Add "
                "the CAs above it to sip_tls_trusted_cas."
            )


def _same_names(case: RollOver) -> Iterator[str]:
    """A new CA with the name of another one: CUCM keeps one certificate per name in a trust store."""
    others: dict[tuple[str, Identity], tuple[str, Certificate]] = {
        (authority.title.lower(), _identity(authority)): ("the old CA", authority) for authority in case.old
    }
    for cluster, node, store in case.stores():
        for certificate in store:
            place = f"a CA in {TRUNK.trust} of {cluster.name}, node {node}"
            others.setdefault((certificate.title.lower(), _identity(certificate)), (place, certificate))
    for new in case.new():
        for (title, identity), (place, other) in others.items():
            if title == new.title.lower() and identity != _identity(new):
                yield (
                    f"The new CA {new.title} (SHA-256 {new.sha256}) has the name of {place} (SHA-256 {other.sha256}), "
                    "and CUCM keeps one certificate per name in a trust store: the two can't be trusted at the same "
                    "time. Make the new CA with another common name: for a local CA set local_ca_subject and use "
                    "another folder as path."
                )


def _blocked(case: RollOver, phase: str, leaves: Sequence[Leaf], ready: Sequence[str]) -> Iterator[str]:
    """Why the phase may not begin: what is not known of clusters and external peers."""
    if phase in (SIGN, RETIRE):
        missing = "trusts the new CA" if phase == SIGN else "has a certificate of the old CA"
        for name in case.unread:
            yield (
                f"{name} was not read completely, so that it is not known whether it {missing}. Make it reachable, "
                "leave out --limit, and run again; or take it out of the inventory if it no longer exists."
            )
    if phase == SIGN:
        yield from _not_ready(case, ready)
        yield from _left_alone(case, leaves)
    if phase == RETIRE:
        yield from _external_leaves(case)


def _unseen(phase: str, leaves: Sequence[Leaf]) -> Iterator[str]:
    """Ports that may still present a certificate of the old CA."""
    for leaf in leaves if phase == RETIRE else ():
        if leaf.served is None:
            yield (
                f"{leaf.where}: it is not known whether its SIP TLS port presents the new {leaf.purpose} certificate, "
                "because the port shows this machine none. Let this machine in, or set sip_tls_undo_remove_trust to "
                "always to go on without knowing it."
            )


def _not_ready(case: RollOver, ready: Sequence[str]) -> Iterator[str]:
    names = ", ".join(f"{authority.title} (SHA-256 {authority.sha256})" for authority in case.new())
    for name in (name for name in case.external() if name not in ready):
        yield (
            f"The external peer {name} has to trust the new CA before certificates change, and nothing here shows "
            f"whether it does. Have {names} added there, then name the peer in {READY}."
        )


def _left_alone(case: RollOver, leaves: Sequence[Leaf]) -> Iterator[str]:
    leave = {cluster.name for cluster in case.clusters if cluster.options.get("ecdsa") == "leave"}
    for leaf in leaves:
        if leaf.under == OLD and leaf.purpose == TRUNK_EC.name and leaf.cluster in leave:
            yield (
                f"{leaf.where}: its {leaf.purpose} certificate is of the old CA, and callmanager_certificate_ecdsa is "
                "leave, so that it would stay. Set it to sign."
            )


def _external_leaves(case: RollOver) -> Iterator[str]:
    old = set(map(_identity, case.old))
    for name, peer in case.external().items():
        if any(_identity(certificate) in old for certificate in _certificates(peer.chain)):
            yield (
                f"The external peer {name} has a certificate of the old CA, by its ca_chain: without that CA no "
                "cluster accepts it. Have its certificate replaced, then correct ca_chain in cucm_external_peers."
            )


def _text(
    case: RollOver,
    phase: str,
    lacking: Mapping[str, Mapping[str, Any]],
    unsigned: Sequence[str],
    holding: Mapping[str, Any],
) -> str:
    """The phase in a sentence."""
    new = ", ".join(authority.title for authority in case.new()[:1]) or "a CA that will be made"
    old = ", ".join(authority.title for authority in case.old) or "a CA that is not named"
    nodes = [node for found in lacking.values() for node in found]
    words = {
        TRUST: f"{', '.join(nodes) or 'every node'} must get it as a trusted CA",
        SIGN: f"all nodes that were read trust it; {', '.join(unsigned) or 'no cluster that was read'} must get "
        "certificates of it",
        RETIRE: f"all certificates are of it; {', '.join(holding)} must stop trusting the old one",
        DONE: f"it is complete; take {OPTION} out of the inventory",
    }
    return f"CA roll-over from {old} to {new}: phase {phase}; {words[phase]}."


def _is_served(cluster: Cluster, node: str, purpose: str, leaf: Certificate) -> bool | None:
    """Whether the SIP TLS port presents a certificate. A closed port presents no other one."""
    seen = (cluster.served.get(node) or {}).get(purpose)
    return None if seen is None else seen in ("", leaf.sha256)


def _identity(certificate: Certificate) -> Identity:
    """What makes two certificates those of one CA."""
    return certificate.subject.key, certificate.key


def _shown(certificate: Certificate) -> dict[str, str]:
    return {"subject": certificate.subject.text, "sha256": certificate.sha256, "pem": certificate.pem}


def _certificates(pems: Iterable[str]) -> list[Certificate]:
    return _of_views({"pem": pem} for pem in dict.fromkeys(pems))


def _of_views(views: Iterable[View]) -> list[Certificate]:
    return list(dict.fromkeys(filter(None, map(Certificate.from_view, views))))


__all__ = ["DONE", "RETIRE", "SIGN", "TRUST", "RollOver", "guarded", "roll_over"]
