# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a verdict that look at certificates. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import apart
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import (
    Direction,
    Identity,
    Leg,
    Node,
    between,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import Chain, climb
from ansible_collections.siptls.cucm.plugins.module_utils._x509.extensions import (
    BOTH_USES,
    CLIENT_AUTH,
    SERVER_AUTH,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK
from ansible_collections.siptls.cucm.plugins.module_utils._x509.rules import chain_problems, key_usage_problems


@dataclass(frozen=True)
class Check:
    """One check and its outcome. ``state``: pass, fail (insecure), unknown (unproven), or without effect: warning,
    info, one_sided (not to be seen from one side).
    """

    name: str
    state: str
    text: str
    source: str
    remedy: str = ""
    proof: str = ""
    #: what the doctor calls it, where the name of the check does not say it
    cause: str = ""


def certificate_checks(case: Direction, *, uses_of: tuple[Node, ...] | None = None) -> Iterator[Check]:
    """Server and client identities, trust, names, uses (of some nodes alone, when given) and dates of one direction.

    Every identity that the two ends could choose has to be accepted: as a server CUCM presents the one that the client
    ranks first, and which one it sends as a client is not bound to the cipher.
    """
    for node, identity in _each(case.reached):
        seen = [(identity.probed, "probe"), *_captured(case, node, identity, "server")]
        found = _identity(node, identity, seen, role="server", cluster=case.target)
        yield from _weighed(case, node, identity, found)
    for node, identity in _each(case.source_nodes):
        # CallManager has the same certificates for both roles: what its own 5061 serves is what it shows as a client.
        seen = [(identity.probed, "probe"), *_captured(case, node, identity, "client")]
        found = _identity(node, identity, seen, role="client", cluster=case.source)
        yield from _weighed(case, node, identity, found)
    yield from _trust(case, case.source, case.source_nodes, case.reached, "server_trust")
    yield from _trust(case, case.target, case.reached, case.source_nodes, "client_trust")
    yield from _names(case, case.leg, case.reached, cluster=case.source, peer=case.target, name="server_name")
    yield from _names(case, case.back, case.source_nodes, cluster=case.target, peer=case.source, name="client_name")
    for node, identity in _each((*case.reached, *case.source_nodes)):
        if identity.certificate:
            if uses_of is None or node in uses_of:
                yield from _weighed(case, node, identity, _uses(node, identity, identity.certificate))
            yield from _weighed(case, node, identity, _dates(case, node, identity, identity.certificate))


def _each(nodes: Iterable[Node]) -> Iterator[tuple[Node, Identity]]:
    for node in nodes:
        for identity in node.identities:
            yield node, identity


def _weighed(case: Direction, node: Node, identity: Identity, checks: Iterable[Check]) -> Iterator[Check]:
    """What is wrong with an identity that the peer can't agree on is a warning: the peer has no ECDSA of its own.

    A client may send it all the same, because its choice is not bound to the cipher.
    """
    peers = case.source_nodes if node in case.target_nodes else case.reached
    chosen = not identity.elliptic or case.external or any(peer.elliptic for peer in peers)
    for check in checks:
        weaker = {"fail": "warning", "unknown": "info"}.get(check.state)
        yield check if chosen or weaker is None else replace(check, state=weaker)


def _captured(case: Direction, node: Node, identity: Identity, role: str) -> list[tuple[Certificate | None, str]]:
    """The leaf that the node showed of an identity in a role, in the captured handshakes; the newest alone counts."""
    pairs = ([node], case.target_nodes) if role == "client" else (case.source_nodes, [node])
    leaves = [
        Certificate.from_view(connection[f"{role}_certificates"][0])
        for connection in between(case.captures, *pairs)
        if connection.get(f"{role}_certificates")
    ]
    shown = [leaf for leaf in leaves if leaf and node.identity_of(leaf) is identity]
    return [(shown[-1], "capture")] if shown else []


def _identity(
    node: Node, identity: Identity, seen: list[tuple[Certificate | None, str]], *, role: str, cluster: str
) -> Iterator[Check]:
    name = f"{role}_certificate"
    known = [(shown, source) for shown, source in seen if shown is not None]
    where = f"{node.name} ({cluster})"
    yield _holding(identity, where, role)
    reference = identity.installed or identity.issued
    for shown, source in known:
        if reference is None or shown.sha256 == reference.sha256:
            yield Check(
                name, "pass" if reference else "info", f"{where} presented {_short(shown)} as {role}"
                + (", the certificate that it holds" if identity.installed else ""), source,
            )  # fmt: skip
        else:
            yield Check(name, "fail", *_mismatch(where, role, shown, reference, source))
    if not known:
        yield Check(
            name, "unknown", f"no handshake has shown which {identity.title} {where} presents as {role}", "probe",
            proof=f"Probe port 5061 of {node.name} with sip_tls_probe, or capture a handshake with cucm_capture.",
        )  # fmt: skip


def _holding(identity: Identity, where: str, role: str) -> Check:
    """Whether the node holds the certificate that it ought to hold."""
    name, installed, issued, purpose = f"{role}_certificate", identity.installed, identity.issued, identity.purpose.name
    if installed is None:
        return Check(
            name, "unknown", f"which {purpose} certificate {where} holds is not known", "configuration",
            proof="Read it with cucm_certificate_info.",
        )  # fmt: skip
    if issued is None and installed.self_signed:
        when = ", which it presents to a client that ranks ECDSA first" if role == "server" else ""
        return Check(
            name, "fail", f"{where} holds a self-signed {purpose} certificate, {_short(installed)}"
            f"{when if identity.elliptic else ''}: it encrypts, but no CA confirms whose it is", "configuration",
            remedy="Have the CSR signed by the CA and upload the certificate (role callmanager_certificate"
            + (", with callmanager_certificate_ecdsa: sign)." if identity.elliptic else ")."), cause="self_signed",
        )  # fmt: skip
    if issued is None:
        return Check(name, "info", f"{where} holds {_short(installed)}", "configuration")
    if installed.sha256 != issued.sha256:
        return Check(
            name, "fail", f"{where} holds {_short(installed)} as its {purpose} certificate, not {_short(issued)}, "
            "which the CA issued for it", "configuration",
            remedy="Upload the issued certificate with cucm_cert_upload (role callmanager_certificate).",
            cause="not_uploaded",
        )  # fmt: skip
    return Check(
        name, "pass", f"{where} holds {_short(installed)}, the certificate that the CA issued for it", "configuration"
    )


def _mismatch(where: str, role: str, shown: Certificate, installed: Certificate, source: str) -> tuple[str, ...]:
    """Text, source, remedy, proof and cause of the check."""
    text = f"{where} presented {_short(shown)} as {role}, but holds {_short(installed)}"
    if shown.subject.key == installed.subject.key or (shown.self_signed and _host(shown) == _host(installed)):
        return (
            text + ": the certificate is uploaded but not yet active", source,
            f"Restart Cisco CallManager on {where} (cucm_service), which makes the uploaded certificate active.", "",
            "not_active",
        )  # fmt: skip
    return (
        text, source,
        f"Find what answers at this address (a proxy, another server?) or restart Cisco CallManager on {where}.", "",
        "other_certificate",
    )  # fmt: skip


def _host(certificate: Certificate) -> str:
    """The host that a certificate names: CUCM's own may have the short name, one of a CA the full one."""
    return certificate.common_name.partition(".")[0].lower()


def _trust(
    case: Direction, cluster: str, checkers: tuple[Node, ...], shown: tuple[Node, ...], name: str
) -> Iterator[Check]:
    for checker in checkers:
        if checker.trust is None:
            yield Check(
                name, "info", f"the {TRUNK.trust} of {checker.name} ({cluster}) was not read", "configuration",
                proof="Read it with cucm_certificate_info.",
            )  # fmt: skip
            continue
        for node, identity in _each(shown):
            if identity.certificate:
                use = SERVER_AUTH if name == "server_trust" else CLIENT_AUTH
                found = _anchor(case, checker, node, identity, certificate=identity.certificate, use=use)
                checks = [replace(check, name=name) for check in found]
                yield from _weighed(case, node, identity, checks)


def _anchor(
    case: Direction, checker: Node, node: Node, identity: Identity, *, certificate: Certificate, use: str
) -> list[Check]:
    """How a node judges the chain of a certificate, by its own store and clock as OpenSSL does."""
    trust = checker.trust or ()
    # A self-signed certificate is its own root; one that a CA signed needs the CA, even if it is in the store itself.
    if certificate.self_signed:
        return [_trusted(checker, node, identity) if certificate in trust
                else _self_signed(case, checker, node, identity)]  # fmt: skip
    between_them = [sent for sent in identity.chain[1:] if not sent.self_signed]
    chain = climb(certificate, [*trust, *between_them], case.now + checker.ahead)
    if not chain.complete:
        return [_no_ca(case, checker, chain, [*trust, *between_them])]
    wrong = [*_issuer_dates(case, checker, chain), *_rules(case, checker, chain, use)]
    return wrong or [_trusted(checker, node, identity)]


def _where(case: Direction, node: Node) -> str:
    return f"{node.name} ({case.source if node in case.source_nodes else case.target})"


def _trusted(checker: Node, node: Node, identity: Identity) -> Check:
    issuer = identity.certificate.issuer.text if identity.certificate else ""
    return Check(
        "", "pass", f"{checker.name} trusts the issuer of {node.name}'s {identity.title} "
        f"({issuer})", "configuration",
    )  # fmt: skip


def _self_signed(case: Direction, checker: Node, node: Node, identity: Identity) -> Check:
    """No CA is missing here: a certificate of a key that was regenerated waits for the CA to sign it."""
    shown = f" {_short(identity.certificate)}" if identity.certificate else ""
    what, how = (
        f"the {identity.purpose.name} certificate of {node.name}",
        "role callmanager_certificate, or the playbook renew_certificates.yml",
    )
    if identity.elliptic:
        how = "role callmanager_certificate with callmanager_certificate_ecdsa: sign"
    if case.external and node in case.target_nodes:
        what, how = f"the certificate of {node.name}", "as its maker documents it"
    return Check(
        "", "fail", f"{_where(case, checker)} does not trust {node.name}'s certificate{shown}: it is self-signed, and "
        f"not in the {TRUNK.trust} of {checker.name}", "configuration",
        remedy=f"Have {what} signed by a CA that {checker.name} trusts ({how}), or "
        f"upload it to {TRUNK.trust} of {checker.name} (cucm_cert_upload) and restart Cisco CallManager there.",
        cause="self_signed",
    )  # fmt: skip


def _no_ca(case: Direction, checker: Node, chain: Chain, pool: list[Certificate]) -> Check:
    wanted = chain.top.issuer
    if chain.unverified(pool):
        return Check(
            "", "unknown", f"whether {_where(case, checker)} trusts the issuer of {_short(chain.leaf)} is not known: "
            f"{chain.gap(pool)}", "certificate",
            proof="Compare the certificates with openssl verify, or capture a handshake with cucm_capture.",
        )  # fmt: skip
    same_name = any(candidate.subject.key == wanted.key for candidate in pool)
    why = chain.gap(pool) if same_name else f"{wanted.text} is missing"
    return Check(
        "", "fail", f"{_where(case, checker)} has no CA for {_short(chain.leaf)} in its {TRUNK.trust}: {why}",
        "configuration",
        remedy=f"Upload the chain of {chain.leaf.issuer.text} to {TRUNK.trust} of {checker.name} "
        "(cucm_cert_upload), then restart Cisco CallManager.",
    )  # fmt: skip


def _issuer_dates(case: Direction, checker: Node, chain: Chain) -> Iterator[Check]:
    """The CAs above a certificate that are not valid by the clock of the node that checks it."""
    refuses = f"{_where(case, checker)} refuses {_short(chain.leaf)}"
    for issuer in chain.issuers:
        what = f"{refuses}: the CA certificate {issuer.subject.text} in its chain"
        renew = (
            f"Renew that CA certificate, upload it to {TRUNK.trust} of {checker.name} (cucm_cert_upload) and restart "
            "Cisco CallManager."
        )
        yield from _outdated(case, issuer, what, renew, [checker])


def _rules(case: Direction, checker: Node, chain: Chain, use: str) -> Iterator[Check]:
    """What breaks the rules in a chain that the node can follow to its root."""
    found = chain_problems(chain, dates=lambda _issuer: (), uses=(use,))
    problems = [*chain.leaf.extensions.unread, *dict.fromkeys(found)]
    if problems:
        yield Check(
            "", "fail", f"{_where(case, checker)} refuses {_short(chain.leaf)}: {'; '.join(problems)}", "certificate",
            remedy="Have the certificate issued by a CA whose certificates allow it (ca_sign), upload that CA's chain "
            f"to {TRUNK.trust} of {checker.name} (cucm_cert_upload), and restart Cisco CallManager.",
            cause="chain_invalid",
        )  # fmt: skip


def _names(
    case: Direction, leg: Leg, nodes: tuple[Node, ...], *, cluster: str, peer: str, name: str
) -> Iterator[Check]:
    accepted = leg.accepted_names
    if accepted is None:
        yield Check(
            name, "unknown", f"the SIP trunk security profile of {cluster} toward {peer} is not known", "configuration",
            proof="Give the profile's x509_subject_names (the result of cucm_sip_trunk_profile).",
        )  # fmt: skip
        return
    for node, identity in _each(nodes):
        if identity.certificate:
            found = _named(accepted, node, identity, identity.certificate, cluster=cluster, peer=peer, name=name)
            yield from _weighed(case, node, identity, [found])


def _named(
    accepted: tuple[str, ...],
    node: Node,
    identity: Identity,
    certificate: Certificate,
    *,
    cluster: str,
    peer: str,
    name: str,
) -> Check:
    lowered = {name.lower() for name in accepted}
    if any(matched_name.lower() in lowered for matched_name in certificate.matched_names):
        return Check(
            name, "pass", f"the profile of {cluster} accepts the name of {node.name}'s {identity.title} "
            f"({certificate.common_name})", "configuration",
        )  # fmt: skip
    return Check(
        name, "fail", f"the profile of {cluster} accepts {', '.join(accepted) or 'no name'}, but the "
        f"{identity.title} of {node.name} ({peer}) names "
        f"{', '.join(certificate.matched_names) or 'nobody'}", "configuration",
        remedy=f"Set x509_subject_names of the profile on {cluster} to {certificate.common_name} "
        "(cucm_sip_trunk_profile) and reset the trunk.",
    )  # fmt: skip


def _uses(node: Node, identity: Identity, certificate: Certificate) -> Iterator[Check]:
    what = f"the {identity.title} of {node.name}"
    unfit = list(key_usage_problems(certificate))
    if unfit:
        yield Check(
            "extended_key_usage", "fail", f"{what} is not made for TLS: {'; '.join(unfit)}", "certificate",
            remedy="Sign the CSR again with the key usages that it asks for (ca_sign) and upload the certificate.",
        )  # fmt: skip
        return
    if certificate.extensions.eku is None:
        # No extension means no restriction (RFC 5280, 4.2.1.12).
        yield Check("extended_key_usage", "info", f"{what} restricts no use", "certificate")
        return
    missing = [use for use in BOTH_USES if not certificate.extensions.allows(use)]
    if missing:
        yield Check(
            "extended_key_usage", "fail", f"{what} is not made for {' and '.join(missing)}; "
            "Cisco CallManager uses it as server and as client", "certificate",
            remedy="Sign the CSR again with serverAuth and clientAuth (ca_sign) and upload the certificate.",
        )  # fmt: skip
    else:
        yield Check(
            "extended_key_usage", "pass", f"{what} may serve and connect "
            "(serverAuth, clientAuth)", "certificate",
        )  # fmt: skip


def _dates(case: Direction, node: Node, identity: Identity, certificate: Certificate) -> Iterator[Check]:
    what = f"the {identity.title} of {node.name}"
    renew = "Renew it (playbook renew_certificates.yml)."
    checkers = case.checkers(node) or (node,)
    outdated = list(_outdated(case, certificate, what, renew, checkers))
    yield from outdated
    if not outdated:
        end = certificate.not_after
        days = (end - case.now - max(checker.ahead for checker in checkers)).days
        state = "warning" if days < case.warn_days else "pass"
        yield Check(
            "dates", state, f"{what} is valid until {end:%Y-%m-%d} ({days} days)",
            "certificate", remedy=renew if state == "warning" else "",
        )  # fmt: skip


def _outdated(
    case: Direction, certificate: Certificate, what: str, renew: str, checkers: Iterable[Node]
) -> Iterator[Check]:
    """That a certificate is not valid, by the clock of one of the nodes that check it."""
    clocks = {checker.ahead: checker for checker in checkers}
    latest, earliest = max(clocks), min(clocks)
    begin, end = certificate.not_before, certificate.not_after
    if end < case.now + latest:
        yield Check(
            "dates", "fail", f"{what} expired on {end:%Y-%m-%d}{_clock(clocks[latest])}",
            "certificate", remedy=renew, cause="expired",
        )  # fmt: skip
    elif begin > case.now + earliest:
        yield Check(
            "dates", "fail", f"{what} is not valid before {begin:%Y-%m-%d %H:%M} UTC"
            f"{_clock(clocks[earliest])}", "certificate", remedy="Compare the clocks of the CA and of the node (NTP).",
            cause="not_yet_valid",
        )  # fmt: skip


def _clock(checker: Node) -> str:
    """Whose clock says so, where it is another time than the controller's."""
    return f", and the clock of {checker.name} is {apart(checker.ahead)}" if checker.ahead else ""


def _short(certificate: Certificate) -> str:
    """A few words that identify a certificate."""
    return f"{certificate.title} (serial {certificate.serial_text})"
