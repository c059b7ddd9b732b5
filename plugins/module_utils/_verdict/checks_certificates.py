# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a verdict that look at certificates. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import apart
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import (
    Direction,
    Leg,
    Node,
    between,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import climb
from ansible_collections.siptls.cucm.plugins.module_utils._x509.extensions import BOTH_USES
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK


@dataclass(frozen=True)
class Check:
    """One thing looked at. ``state``: pass, fail (insecure), unknown (unproven), or without effect: warning, info,
    one_sided (not to be seen from one side)."""

    name: str
    state: str
    text: str
    source: str
    remedy: str = ""
    proof: str = ""


def certificate_checks(case: Direction, *, uses_of: tuple[Node, ...] | None = None) -> Iterator[Check]:
    """Server and client identity, trust, names, uses (of some nodes alone, when given) and dates of one direction."""
    for node in case.reached:
        seen = [(node.probed, "probe"), *_captured(case, node, "server")]
        yield from _identity("server_certificate", "server", case.target, node, seen)
    for node in case.source_nodes:
        # CallManager has one certificate for both roles: what its own 5061 serves is what it shows as a client.
        seen = [(node.probed, "probe"), *_captured(case, node, "client")]
        yield from _identity("client_certificate", "client", case.source, node, seen)
    yield from _trust(case, case.source, case.source_nodes, case.reached, "server_trust")
    yield from _trust(case, case.target, case.reached, case.source_nodes, "client_trust")
    yield from _names(case.source, case.leg, case.target, case.reached, "server_name")
    yield from _names(case.target, case.back, case.source, case.source_nodes, "client_name")
    for node in (*case.reached, *case.source_nodes):
        certificate = node.expected or node.probed
        if certificate:
            if uses_of is None or node in uses_of:
                yield from _uses(node, certificate)
            yield from _dates(case, node, certificate)


def _captured(case: Direction, node: Node, role: str) -> list[tuple[Certificate | None, str]]:
    """The leaf certificates that the node showed in a role, in the captured handshakes; the newest alone counts."""
    pairs = ([node], case.target_nodes) if role == "client" else (case.source_nodes, [node])
    shown = [one for one in between(case.captures, *pairs) if one.get(f"{role}_certificates")]
    return [(Certificate.from_view(shown[-1][f"{role}_certificates"][0]), "capture")] if shown else []


def _identity(
    name: str, role: str, cluster: str, node: Node, seen: list[tuple[Certificate | None, str]]
) -> Iterator[Check]:
    known = [(shown, source) for shown, source in seen if shown is not None]
    held, issued = node.held, node.issued
    where = f"{node.name} ({cluster})"
    if held and issued and held.sha256 != issued.sha256:
        yield Check(
            name, "fail", f"{where} holds {_short(held)} as its {TRUNK.name} certificate, not {_short(issued)}, "
            "which the CA issued for it", "configuration",
            remedy="Upload the issued certificate with cucm_cert_upload (role callmanager_certificate).",
        )  # fmt: skip
    elif held and not issued and held.self_signed:
        yield Check(
            name, "fail", f"{where} holds a self-signed {TRUNK.name} certificate, {_short(held)}", "configuration",
            remedy="Have the CSR signed by the CA and upload the certificate (role callmanager_certificate).",
        )  # fmt: skip
    elif held and issued:
        yield Check(
            name, "pass", f"{where} holds {_short(held)}, the certificate that the CA issued for it", "configuration",
        )  # fmt: skip
    elif not held:
        yield Check(
            name, "unknown", f"which {TRUNK.name} certificate {where} holds is not known", "configuration",
            proof="Read it with cucm_certificate_info.",
        )  # fmt: skip
    reference = held or issued
    for shown, source in known:
        if reference is None or shown.sha256 == reference.sha256:
            yield Check(
                name, "pass" if reference else "info", f"{where} presented {_short(shown)} as {role}"
                + (", the certificate that it holds" if held else ""), source,
            )  # fmt: skip
        else:
            yield Check(name, "fail", *_mismatch(where, role, shown, reference, source))
    if not known:
        yield Check(
            name, "unknown", f"no handshake has shown which certificate {where} presents as {role}", "probe",
            proof=f"Probe port 5061 of {node.name} with sip_tls_probe, or capture a handshake with cucm_capture.",
        )  # fmt: skip


def _mismatch(where: str, role: str, shown: Certificate, held: Certificate, source: str) -> tuple[str, str, str]:
    text = f"{where} presented {_short(shown)} as {role}, but holds {_short(held)}"
    if shown.self_signed or shown.subject.key == held.subject.key:
        return (
            text + ": the certificate is uploaded but not yet active", source,
            "Restart Cisco CallManager on the node (cucm_service), which makes the uploaded certificate active.",
        )  # fmt: skip
    return (
        text, source,
        "Find what answers at this address (a proxy, another server?) or restart Cisco CallManager on the node.",
    )  # fmt: skip


def _trust(
    case: Direction, cluster: str, judges: tuple[Node, ...], shown: tuple[Node, ...], name: str
) -> Iterator[Check]:
    for judge in judges:
        if judge.trust is None:
            yield Check(
                name, "info", f"the {TRUNK.trust} of {judge.name} ({cluster}) was not read", "configuration",
                proof="Read it with cucm_certificate_info.",
            )  # fmt: skip
            continue
        for node in shown:
            certificate = node.expected or node.probed
            if certificate is None:
                continue
            if _anchored(certificate, node, judge.trust):
                yield Check(
                    name, "pass", f"{judge.name} trusts the issuer of {node.name}'s certificate "
                    f"({certificate.issuer.text})", "configuration",
                )  # fmt: skip
            else:
                yield Check(
                    name, "fail", f"{judge.name} ({cluster}) has no CA for {_short(certificate)} in its "
                    f"{TRUNK.trust}: {certificate.issuer.text} is missing", "configuration",
                    remedy=f"Upload the chain of {certificate.issuer.text} to {TRUNK.trust} of {judge.name} "
                    "(cucm_cert_upload), then restart Cisco CallManager.",
                )  # fmt: skip


def _anchored(leaf: Certificate, node: Node, trust: tuple[Certificate, ...]) -> bool:
    """Whether signatures lead from the leaf, over what the node sends and what is trusted, to a trusted root."""
    if leaf in trust:
        return True
    shown = map(Certificate.from_view, ((node.probe or {}).get("chain") or [])[1:])
    between_them = [one for one in shown if one is not None and not one.self_signed]
    chain = climb(leaf, [*trust, *between_them])
    return chain.complete and chain.top in trust


def _names(cluster: str, leg: Leg, peer: str, nodes: tuple[Node, ...], name: str) -> Iterator[Check]:
    accepted = leg.accepted_names
    if accepted is None:
        yield Check(
            name, "unknown", f"the SIP trunk security profile of {cluster} toward {peer} is not known", "configuration",
            proof="Give the profile's x509_subject_names (the result of cucm_sip_trunk_profile).",
        )  # fmt: skip
        return
    lowered = {one.lower() for one in accepted}
    for node in nodes:
        certificate = node.expected or node.probed
        if certificate is None:
            continue
        if any(one.lower() in lowered for one in certificate.matched_names):
            yield Check(
                name, "pass", f"the profile of {cluster} accepts the name of {node.name}'s certificate "
                f"({certificate.common_name})", "configuration",
            )  # fmt: skip
        else:
            yield Check(
                name, "fail", f"the profile of {cluster} accepts {', '.join(accepted) or 'no name'}, but the "
                f"certificate of {node.name} ({peer}) names {', '.join(certificate.matched_names) or 'nobody'}",
                "configuration",
                remedy=f"Set x509_subject_names of the profile on {cluster} to {certificate.common_name} "
                "(cucm_sip_trunk_profile) and reset the trunk.",
            )  # fmt: skip


def _uses(node: Node, certificate: Certificate) -> Iterator[Check]:
    if certificate.extensions.eku is None:
        # No extension means no restriction (RFC 5280, 4.2.1.12).
        yield Check("extended_key_usage", "info", f"the certificate of {node.name} restricts no use", "certificate")
        return
    missing = [use for use in BOTH_USES if not certificate.extensions.allows(use)]
    if missing:
        yield Check(
            "extended_key_usage", "fail", f"the certificate of {node.name} is not made for {' and '.join(missing)}; "
            f"{TRUNK.name} uses it as server and as client", "certificate",
            remedy="Sign the CSR again with serverAuth and clientAuth (ca_sign) and upload the certificate.",
        )  # fmt: skip
    else:
        yield Check(
            "extended_key_usage", "pass", f"the certificate of {node.name} may serve and connect "
            "(serverAuth, clientAuth)", "certificate",
        )  # fmt: skip


def _dates(case: Direction, node: Node, certificate: Certificate) -> Iterator[Check]:
    begin, end = certificate.not_before, certificate.not_after
    renew = "Renew it (playbook renew_certificates.yml)."
    clocks = {judge.ahead: judge for judge in case.judges(node)} or {node.ahead: node}
    latest, earliest = max(clocks), min(clocks)
    if end < case.now + latest:
        yield Check(
            "dates", "fail", f"the certificate of {node.name} expired on {end:%Y-%m-%d}{_clock(clocks[latest])}",
            "certificate", remedy=renew,
        )  # fmt: skip
    elif begin > case.now + earliest:
        yield Check(
            "dates", "fail", f"the certificate of {node.name} is not valid before {begin:%Y-%m-%d %H:%M} UTC"
            f"{_clock(clocks[earliest])}", "certificate", remedy="Compare the clocks of the CA and of the node (NTP).",
        )  # fmt: skip
    else:
        days = (end - case.now - latest).days
        state = "warning" if days < case.warn_days else "pass"
        yield Check(
            "dates", state, f"the certificate of {node.name} is valid until {end:%Y-%m-%d} ({days} days)",
            "certificate", remedy=renew if state == "warning" else "",
        )  # fmt: skip


def _clock(judge: Node) -> str:
    """Whose clock says so, where it is another time than the controller's."""
    return f", and the clock of {judge.name} is {apart(judge.ahead)}" if judge.ahead else ""


def _short(certificate: Certificate) -> str:
    """A few words that tell a certificate from another one."""
    return f"{certificate.title} (serial {certificate.serial_text})"
