# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on each direction: secure, insecure or unproven, and why. Pure; private to this collection.

C(insecure) when any check fails; else C(unproven) when a check that is needed could not be made; else C(secure).
A peer that is not ours is checked by what one side can see (checks_external).
What each source proves, from weak to strong:

* configuration: how CUCM is configured and which certificate it holds;
* probe: what a node serves to the controller and asks of it (not what passes between the clusters);
* status, capture, trace: that the clusters themselves reach each other, with these certificates;
* call: that a call went this way, over TLS, with SRTP keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict import negotiated, transit
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.certificates import Check, certificate_checks
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.external import external_checks
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.routing import routing_checks
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.tls13 import tls13_checks
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.transport import media, transport_checks
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import Direction, Leg, Node, between
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate

SECURE, INSECURE, UNPROVEN = "secure", "insecure", "unproven"

PROVES = {
    "configuration": "how the cluster is configured and which certificates it holds",
    "certificate": "what the certificate allows",
    "probe": "what the node presents to the controller, and what it requires of a client",
    "status": "that the cluster itself reaches its peer",
    "capture": "what passed through the network between the clusters",
    "trace": "what the cluster itself received from its peer",
    "call": "that a call used this trunk",
}
# What a finding is about, by its check; other checks are about the connection itself.
CONCERNS = {
    "server_certificate": "trust", "client_certificate": "trust", "trace_certificate": "trust", "server_trust": "trust",
    "client_trust": "trust", "server_name": "trust", "client_name": "trust", "mutual_authentication": "trust",
    "extended_key_usage": "trust", "dates": "trust", "profile": "encryption", "peer_profile": "encryption",
    "wire": "encryption", "tls_version": "encryption", "cipher": "encryption", "srtp": "media",
}  # fmt: skip
# How far the evidence reaches, strongest first: (word, sources).
REACH = (("call", {"call"}), ("observed", {"capture", "trace", "status"}), ("probed", {"probe"}))


def directions_of(
    clusters: Sequence[Mapping[str, Any]],
    directions: Sequence[Mapping[str, Any]],
    *,
    captures: Sequence[Mapping[str, Any]] = (),
    traces: Sequence[Mapping[str, Any]] = (),
    now: datetime | None = None,
    srtp_wanted: bool = True,
    warn_days: int = 30,
    routing: Sequence[Mapping[str, Any]] = (),
) -> list[Direction]:
    """The typed evidence of each direction. ValueError when nothing is known of the cluster that it starts from.

    A peer of which nothing is known, because its part of the run failed, has no nodes.
    """
    nodes = {str(cluster["name"]): tuple(map(Node.of, cluster.get("nodes") or ())) for cluster in clusters}
    others = {str(cluster["name"]): tuple(map(Node.of, cluster.get("other_nodes") or ())) for cluster in clusters}
    legs = {(str(direction["from"]), str(direction["to"])): Leg.of(direction) for direction in directions}
    external = {
        (str(direction["from"]), str(direction["to"])): direction["external"]
        for direction in directions
        if direction.get("external")
    }
    for source, target in legs:
        if not nodes.get(source):
            raise ValueError(f"the direction {source} to {target} names {source}, which has no nodes in clusters")
    more = {} if now is None else {"now": now}
    return [
        Direction(
            source=source,
            target=target,
            source_nodes=nodes[source],
            target_nodes=_ports(external[source, target]) if (source, target) in external else nodes.get(target, ()),
            other_nodes=others.get(target, ()),
            leg=leg,
            back=Leg(profile={"incoming_port": external[source, target].get("port")})
            if (source, target) in external
            else legs.get((target, source), Leg()),
            external=(source, target) in external,
            security_modes=_known(clusters, "security_mode"),
            phone_security=_known(clusters, "phone_security"),
            versions=_known(clusters, "version"),
            revocation=_known(clusters, "revocation"),
            captures=tuple(captures),
            traces=tuple(traces),
            srtp_wanted=srtp_wanted and external.get((source, target), {}).get("srtp") is not False,
            warn_days=warn_days,
            routing=tuple(entry for entry in routing if (str(entry["from"]), str(entry["to"])) == (source, target)),
            **more,
        )
        for (source, target), leg in legs.items()
    ]


def _known(clusters: Iterable[Mapping[str, Any]], key: str) -> dict[str, Any]:
    """What is known of each cluster by its name."""
    return {str(cluster["name"]): cluster[key] for cluster in clusters if cluster.get(key)}


def _ports(external: Mapping[str, Any]) -> tuple[Node, ...]:
    """The ports of a peer that is not ours, each as a node of which a probe alone is known."""
    probes = external.get("probes") or {}
    return tuple(
        Node.of({"name": address, "addresses": [address], "probe": probes.get(address)})
        for address in external.get("addresses") or ()
    )


def of_direction(case: Direction) -> dict[str, Any]:
    """The verdict on one direction as the module returns it."""
    checks = checks_of(case)
    states = {check.state for check in checks}
    verdict = INSECURE if "fail" in states else UNPROVEN if "unknown" in states else SECURE
    proven = {check.source for check in checks if check.state == "pass"}
    server, client = _chosen(case, "server", case.reached), _chosen(case, "client", case.source_nodes)
    return {
        "from": case.source,
        "to": case.target,
        "external": case.external,
        "verdict": verdict,
        "reach": next((word for word, sources in REACH if sources & proven), "configured"),
        **negotiated.result(case),
        "media": media(case),
        "server_certificate": server,
        "client_certificate": client,
        "identities": {"server": _identities(case.reached), "client": _identities(case.source_nodes)},
        "evidence": [
            {"check": check.name, "source": check.source, "text": check.text, "proves": PROVES[check.source]}
            for check in checks
            if check.state in ("pass", "info")
        ],
        # What two sources show alike is one finding.
        "findings": list(
            {check.text: _finding(check) for check in reversed(checks) if check.state in _SEVERITY}.values()
        )[::-1],
    }


def _chosen(case: Direction, role: str, nodes: Sequence[Node]) -> dict[str, Any] | None:
    """The certificate that one side showed to the other last, or else the one that it is known for first."""
    pairs = (nodes, case.target_nodes) if role == "client" else (case.source_nodes, nodes)
    shown = [connection for connection in between(case.captures, *pairs) if connection.get(f"{role}_certificates")]
    if shown:
        certificate = Certificate.from_view(shown[-1][f"{role}_certificates"][0])
    else:
        known = (identity.probed or identity.certificate for node in nodes for identity in node.identities)
        certificate = next((candidate for candidate in known if candidate), None)
    return _summary(certificate) if certificate else None


def _identities(nodes: Sequence[Node]) -> list[dict[str, Any]]:
    """Each certificate that the nodes may show, side by side."""
    return [
        {"node": node.name, "purpose": identity.purpose.name, **_summary(certificate)}
        for node in nodes
        for identity in node.identities
        if (certificate := identity.probed or identity.certificate)
    ]


def _summary(certificate: Certificate) -> dict[str, Any]:
    """What a verdict shows of a certificate."""
    view = certificate.view()
    return {key: view[key] for key in ("subject", "issuer", "serial", "not_after", "sha256")}


def checks_of(case: Direction) -> list[Check]:
    """All checks of a direction."""
    if case.external:
        return [*external_checks(case), *routing_checks(case)]
    if not case.target_nodes:
        return [_unseen(case), *routing_checks(case)]
    return [*certificate_checks(case), *transport_checks(case), *tls13_checks(case), *routing_checks(case)]


def _unseen(case: Direction) -> Check:
    """Why nothing can be said of a direction to a cluster whose own part of the run ended early."""
    return Check(
        "peer_seen",
        "unknown",
        f"Nothing of {case.target} was seen: it was unreachable, or its part of the run failed before this.",
        "configuration",
        proof=f"Correct what is reported about {case.target} above, then run again.",
    )


_SEVERITY = {"fail": "error", "unknown": "missing", "warning": "warning", "one_sided": "one_sided"}


def _finding(check: Check) -> dict[str, Any]:
    finding = {
        "severity": _SEVERITY[check.state], "check": check.name, "concerns": CONCERNS.get(check.name, "connection"),
        "cause": check.text, "source": check.source,
    }  # fmt: skip
    if check.remedy:
        finding["remedy"] = check.remedy
    if check.proof:
        finding["proof"] = check.proof
    return finding


def verdict(cases: Sequence[Direction], routing: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """All directions, those that calls pass through hubs (`transit`), and one word for the whole: the worst of them.

    A peer that is not ours may never be proven from one side, so that it counts only when it is the only kind there
    is, or insecure.
    """
    verdicts = [of_direction(case) for case in cases]
    counted = [
        direction for direction in verdicts if not direction["external"] or direction["verdict"] == INSECURE
    ] or verdicts
    words = {message["verdict"] for message in counted}
    whole = next((word for word in (INSECURE, UNPROVEN, SECURE) if word in words), UNPROVEN)
    passing = transit.transit(verdicts, routing)
    summary = [*(_sentence(direction) for direction in verdicts), *map(transit.sentence, passing)]
    return {"verdict": whole, "directions": verdicts, "transit": passing, "summary": summary}


def _sentence(found: Mapping[str, Any]) -> str:
    lead = f"{found['from']} to {found['to']}: {found['verdict']}"
    severity = {INSECURE: "error", UNPROVEN: "missing"}.get(found["verdict"])
    cause = next((finding["cause"] for finding in found["findings"] if finding["severity"] == severity), None)
    if found["external"]:
        lead += ", as far as one side can show"
    if any(finding["check"] == "calls_routed" for finding in found["findings"]):
        lead += ", but some calls are not routed"
    if cause:
        return f"{lead} ({cause})"
    return f"{lead} ({negotiated.words(found)})"
