# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a verdict on a peer that is not ours: its own side can't be read. Private to this collection.

The common checks are made as for any direction; those that need the peer's configuration are replaced by what one side
can see. What no evidence of one side proves has the state `one_sided`: it is shown, with what would prove it, and does
not make the direction unproven.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.certificates import (
    Check,
    certificate_checks,
)
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.transport import transport_checks
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import Direction, Node
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.extensions import CLIENT_AUTH, SERVER_AUTH

#: common checks that need the peer's configuration or its certificate store
_NOT_OURS = {"server_certificate", "client_trust", "client_name", "peer_profile", "mutual_authentication"}


def external_checks(case: Direction) -> Iterator[Check]:
    """All checks of a direction to an external peer."""
    theirs = {node.name for node in case.target_nodes}
    for check in (*certificate_checks(case, uses_of=case.source_nodes), *transport_checks(case)):
        if check.name in _NOT_OURS:
            continue
        if check.name == "trunk_status" and check.state == "fail":
            # Nobody calls over a trunk that is down, and only the peer's administrator may be able to correct it.
            yield replace(
                check, state="unknown", proof=f"Its trunk in service. Give the administrator of {case.target} the CA, "
                f"the names and the addresses of {case.source}. {check.remedy} A CA that is new in CallManager-trust "
                "may need a restart of Cisco CallManager.", remedy="",
            )  # fmt: skip
            continue
        yield check
    for node in case.reached:
        yield from _presented(case, node)
        yield from _uses(node)
    yield from _authentication(case, theirs)
    yield from _beyond(case)


def _in_service(case: Direction) -> bool:
    return (case.leg.status or {}).get("in_service") is True


def _presented(case: Direction, node: Node) -> Iterator[Check]:
    where = f"{case.target} at {node.name}"
    yield from _accepted(case, node, where)
    probed = [certificate for identity in node.identities if (certificate := identity.probed)]
    if not probed and _in_service(case):
        yield Check(
            "server_certificate", "pass", f"{case.source} accepted {where}, for its trunk is in service: the "
            "certificate is signed by a CA that is trusted, and has a name of the profile", "status",
        )  # fmt: skip
    elif not probed:
        yield Check(
            "server_certificate", "unknown", f"no handshake has shown which certificate {where} presents", "probe",
            proof=f"Probe its port with sip_tls_probe from a machine that may reach it, or get the trunk of "
            f"{case.source} into service.",
        )  # fmt: skip


def _accepted(case: Direction, node: Node, where: str) -> Iterator[Check]:
    """Whether what the port presented is signed by the CA and has the names that were given for the peer."""
    probe = node.probe or {}
    # Of two certificates on one port CUCM may choose either, where it has an ECDSA one itself.
    both = [identity for identity in (probe.get("identities") or {}).values() if identity.get("chain")]
    shown = both if len(both) > 1 and any(ours.elliptic for ours in case.source_nodes) else [probe]
    for name, verdict, text in (
        (name, seen.get(verdict), seen.get(words))
        for seen in shown
        for name, verdict, words in (
            ("server_certificate", "trusted", "trust_text"), ("server_name", "name_matches", "name_text"),
        )
    ):  # fmt: skip
        if verdict is None:
            continue
        yield Check(
            name, "pass" if verdict else "fail", f"{where}: {text}", "probe",
            remedy="" if verdict else "Ask its administrator which certificate it presents, and correct ca_chain or "
            "subject_names of the peer in cucm_external_peers. When they are right, find what answers at this address.",
        )  # fmt: skip


def _uses(node: Node) -> Iterator[Check]:
    for identity in node.identities:
        if identity.probed is not None and identity.probed.extensions.eku is not None:
            yield from _uses_of(node, identity.probed)


def _uses_of(node: Node, certificate: Certificate) -> Iterator[Check]:
    if not certificate.extensions.allows(SERVER_AUTH):
        yield Check(
            "extended_key_usage", "fail", f"the certificate of {node.name} is not made for serverAuth", "certificate",
            remedy="Its administrator has to get one that is.",
        )  # fmt: skip
    elif not certificate.extensions.allows(CLIENT_AUTH):
        yield Check(
            "extended_key_usage", "warning", f"the certificate of {node.name} is not made for clientAuth: CUCM refuses "
            "connections that the peer opens with it", "certificate",
            remedy="Its administrator needs one with both, as public CAs no longer issue, for calls from its side.",
        )  # fmt: skip


def _authentication(case: Direction, theirs: set[str]) -> Iterator[Check]:
    asked = {(node.probe or {}).get("mutual") for node in case.reached}
    who = ", ".join(sorted(theirs))
    if False in asked:
        yield Check(
            "mutual_authentication", "warning", f"{case.target} ({who}) takes TLS connections without a client "
            "certificate: its side does not prove who calls", "probe",
            remedy="Ask its administrator to demand and verify client certificates.",
        )  # fmt: skip
    elif True in asked and _in_service(case):
        yield Check(
            "mutual_authentication", "pass", f"{case.target} asks its clients for a certificate, and let "
            f"{case.source} in", "status",
        )  # fmt: skip
    elif True in asked:
        yield Check("mutual_authentication", "pass", f"{case.target} asks its clients for a certificate", "probe")
    else:
        yield Check(
            "mutual_authentication", "one_sided", f"whether {case.target} asks for a client certificate was not seen",
            "probe", proof="A capture of the handshake, up to TLS 1.2 (cucm_capture).",
        )  # fmt: skip
    if not _in_service(case):
        state = "unknown" if (case.leg.status or {}).get("in_service") is not False else "one_sided"
        yield Check(
            "client_trust", state, f"whether {case.target} trusts the CA of {case.source} and accepts its names can't "
            f"be seen from one side while the trunk is not in service", "status",
            proof=f"The trunk of {case.source} in service (cucm_sip_trunk_info), which needs OPTIONS ping.",
        )  # fmt: skip


def _beyond(case: Direction) -> Iterator[Check]:
    """What the other side alone knows."""
    yield Check(
        "incoming", "one_sided", f"what {case.target} shows of itself when it opens a connection, and whether its "
        "calls take it, can't be proven from this side", "trace",
        proof=f"A call from {case.target}; the traces of {case.source} (cucm_trace_info) and a capture (cucm_capture) "
        "show the certificate and the keys.",
    )  # fmt: skip
    if not case.srtp_wanted:
        yield Check(
            "srtp", "warning", f"calls to {case.target} may carry their media in the clear, as was asked for",
            "configuration", remedy="Take srtp: false from the peer when its side can do SRTP.",
        )  # fmt: skip
    elif not any(call.get("srtp") for call in case.leg.calls):
        yield Check(
            "srtp", "one_sided", f"whether {case.target} answers with SRTP can't be proven from this side",
            "configuration", proof=f"An answered call to {case.target}, whose trace says whether keys were agreed.",
        )  # fmt: skip
