# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a verdict that look at trunks, handshakes, states and calls. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict import negotiated
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.certificates import Check
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import (
    Direction,
    Leg,
    Node,
    between,
    first,
)

SIP_TLS_PORT = 5061
#: security mode of a cluster that is not in mixed mode, as cucm_info returns it
NON_SECURE = "non-secure"
#: device security mode of phones that encrypt their media
ENCRYPTED = "Encrypted"
BROKEN_VERSIONS = {"SSLv2", "SSLv3"}
OLD_VERSIONS = {"TLSv1", "TLSv1.0", "TLSv1.1"}
WEAK_CIPHERS = ("NULL", "EXP", "ADH", "AECDH", "RC4", "DES-CBC-")
# A call's outcomes as the sources of this collection name them.
ANSWERED = {"answered", "200", "ok", "connected"}


def transport_checks(case: Direction) -> Iterator[Check]:
    """Configuration, mutual authentication, handshakes, trunk state, traces and calls of one direction."""
    yield from _profile(case.source, case.leg, "profile")
    yield from _profile(case.target, case.back, "peer_profile")
    yield from _destinations(case)
    yield from _srtp_setting(case)
    yield from _mutual(case)
    yield from _handshakes(case)
    yield from _parameters(case)
    yield from _status(case)
    yield from _traces(case)
    yield from _calls(case)


def _profile(cluster: str, leg: Leg, name: str) -> Iterator[Check]:
    if leg.profile is None:
        yield Check(
            name, "unknown", f"the security profile of the trunk on {cluster} is not known", "configuration",
            proof="Give the result of cucm_sip_trunk_profile.",
        )  # fmt: skip
        return
    profile = leg.profile
    label = first(profile, "name") or "without a name"
    remedy = "Give the trunk a profile with security_mode Encrypted and outgoing_transport TLS, and reset it."
    used = first(leg.trunk or {}, "security_profile", "security_profile_name", "securityProfileName")
    if used and first(profile, "name") and str(used) != str(profile["name"]):
        yield Check(
            name, "fail", f"the trunk on {cluster} uses the profile {used}, not {label}", "configuration",
            remedy=f"Set the trunk's security profile to {label} (cucm_sip_trunk) and reset it.",
        )  # fmt: skip
    mode = str(first(profile, "security_mode", "device_security_mode", "deviceSecurityMode", "securityMode") or "")
    transport = str(first(profile, "outgoing_transport", "outgoingTransport") or "")
    faults = [f"is {mode}, not Encrypted"] if mode not in ("", "Encrypted") else []
    faults += [f"sends over {transport}, not TLS"] if transport not in ("", "TLS") else []
    for fault in faults:
        yield Check(name, "fail", f"the profile {label} of {cluster} {fault}", "configuration", remedy)
    if not (mode and transport):
        yield Check(
            name, "unknown", f"the security mode and transport of {label} on {cluster} are not known", "configuration"
        )
    elif not faults:
        yield Check(name, "pass", f"the profile {label} of {cluster} is Encrypted over TLS", "configuration")


def _destinations(case: Direction) -> Iterator[Check]:
    destinations = case.leg.destinations
    if destinations is None:
        yield Check(
            "destinations", "unknown", f"where the trunk of {case.source} points is not known", "configuration",
            proof="Give the trunk's destinations (the result of cucm_sip_trunk).",
        )  # fmt: skip
        return
    known = frozenset().union(*(node.addresses for node in case.target_nodes))
    port = int(first(case.back.profile or {}, "incoming_port", "incomingPort") or SIP_TLS_PORT)
    for address, asked in destinations:
        other = next((node for node in case.other_nodes if address in node.addresses), None)
        if other and address not in known:
            yield _other_destination(case, address, other)
        elif address not in known:
            yield Check(
                "destinations", "fail", f"the trunk of {case.source} points to {address}, which is not a node of "
                f"{case.target}", "configuration", remedy="Correct the trunk's destinations (cucm_sip_trunk).",
            )  # fmt: skip
        elif asked != port:
            yield Check(
                "destinations", "fail", f"the trunk of {case.source} points to port {asked} of {address}; "
                f"{case.target} takes TLS on {port}", "configuration",
                remedy="Correct the trunk's destination port (cucm_sip_trunk).",
            )  # fmt: skip
        else:
            yield Check(
                "destinations", "pass", f"the trunk of {case.source} points to {address}:{asked} of {case.target}",
                "configuration",
            )  # fmt: skip


def _other_destination(case: Direction, address: str, node: Node) -> Check:
    """A destination that is a node of the target on which its trunk does not run."""
    why = "the trunk of {} does not run" if node.activated else "Cisco CallManager is not activated"
    return Check(
        "destinations", "fail", f"the trunk of {case.source} points to {address}, node {node.name} of {case.target}, "
        f"on which {why.format(case.target)}", "configuration",
        remedy=f"Take {node.name} out of the destinations of the trunk of {case.source} (cucm_sip_trunk)"
        + ("." if node.activated else f", or activate Cisco CallManager on {node.name}."),
        cause="" if node.activated else "not_activated",
    )  # fmt: skip


def _srtp_setting(case: Direction) -> Iterator[Check]:
    """What the configuration allows: whether media is encrypted is only seen in a call."""
    if not case.srtp_wanted:
        return
    for cluster, leg in ((case.source, case.leg), (case.target, case.back)):
        allowed = first(leg.trunk or {}, "srtp_allowed", "srtpAllowed")
        if allowed is False or str(allowed).lower() == "false":
            yield Check(
                "srtp", "fail", f"the trunk of {cluster} does not allow SRTP: media crosses the network in the clear",
                "configuration", remedy="Set srtp_allowed: true on the trunk (cucm_sip_trunk) and reset it.",
            )  # fmt: skip
        elif allowed is not None:
            yield Check("srtp", "pass", f"the trunk of {cluster} allows SRTP", "configuration")
    if any(call.get("srtp") for call in seen_calls(case)):
        return
    for cluster in (case.source, case.target):
        if case.security_modes.get(cluster) == NON_SECURE:
            yield Check(
                "srtp", "warning", f"{cluster} is not in mixed mode: its phones cannot encrypt their media",
                "configuration", remedy="Set the cluster to mixed mode, and give the phones an encrypted security "
                "profile.",
            )  # fmt: skip
        elif _without_encrypted_phones(case, cluster):
            yield Check(
                "srtp", "warning", f"no phone of {cluster} has an encrypted security profile: none encrypts its media",
                "configuration", remedy="Give the phones a security profile with device security mode Encrypted.",
            )  # fmt: skip


def _without_encrypted_phones(case: Direction, cluster: str) -> bool:
    """Whether the cluster is known to have phones, and none of them an encrypted security profile."""
    phones = case.phone_security.get(cluster)
    return bool(phones) and not int((phones or {}).get(ENCRYPTED) or 0)


def media(case: Direction) -> str:
    """C(encrypted) or C(clear) as calls show; else C(allowed), C(not allowed) or C(unknown) by configuration."""
    keys = [call.get("srtp") for call in seen_calls(case) if call.get("srtp") is not None]
    if keys:
        return "encrypted" if all(keys) else "clear"
    allowed = {
        str(first(leg.trunk or {}, "srtp_allowed", "srtpAllowed")).lower() for leg in (case.leg, case.back) if leg.trunk
    }
    ends = (case.source, case.target)
    phones_cannot = any(
        case.security_modes.get(cluster) == NON_SECURE or _without_encrypted_phones(case, cluster) for cluster in ends
    )
    if "false" in allowed or phones_cannot:
        return "not allowed"
    return "allowed" if allowed == {"true"} else "unknown"


def _mutual(case: Direction) -> Iterator[Check]:
    name, found = "mutual_authentication", False
    for node in case.reached:
        asked = (node.probe or {}).get("mutual")
        if asked is False:
            found = True
            yield Check(
                name, "fail", f"{node.name} takes TLS connections without asking for a client certificate", "probe",
                remedy="Give the peer's trunk a profile with security_mode Encrypted; look for a proxy before 5061.",
            )  # fmt: skip
        elif asked:
            found = True
            yield Check(name, "pass", f"{node.name} asks its clients for a certificate", "probe")
    captured = between(case.captures, case.source_nodes, case.target_nodes)
    # A capture that began after the handshake, or TLS 1.3, does not show it; the last that does counts.
    for connection in [entry for entry in captured if entry.get("mutual") is not None][-1:]:
        if connection.get("mutual") and connection.get("established"):
            found = True
            yield Check(
                name, "pass", f"{connection['client']} and {connection['server']} each showed a certificate and proved "
                "its key", "capture",
            )  # fmt: skip
        elif connection.get("mutual") is False and connection.get("established"):
            found = True
            yield Check(
                name, "fail", f"{connection['server']} accepted {connection['client']} without a client certificate",
                "capture", remedy="Give both trunks a profile with security_mode Encrypted.",
            )  # fmt: skip
    if not found:
        yield Check(
            name, "unknown", f"whether {case.target} asks for a client certificate was not seen", "probe",
            proof="Probe its port 5061 with sip_tls_probe, or capture a handshake up to TLS 1.2.",
        )  # fmt: skip


def _handshakes(case: Direction) -> Iterator[Check]:
    captured = between(case.captures, case.source_nodes, case.target_nodes)
    plain = [connection for connection in captured if connection.get("protocol") == "sip"]
    if plain:
        yield Check(
            "wire", "fail", f"SIP crossed the network in the clear, {plain[-1]['client']} to {plain[-1]['server']} "
            f"({len(plain)} connections)", "capture",
            remedy="Check which trunk sent it: one with a non-secure profile routes these calls.",
        )  # fmt: skip
    tls = [connection for connection in captured if connection.get("protocol") == "tls"]
    if not tls:
        return
    last = tls[-1]
    if last.get("established"):
        yield Check(
            "wire", "pass", f"{last['client']} opened {last.get('tls_version')} to {last['server']}, and the handshake "
            "succeeded", "capture",
        )  # fmt: skip
    elif last.get("established") is False:
        alert = next((sent for sent in last.get("alerts") or [] if sent.get("level") == "fatal"), None)
        reason = f"the {alert['from']} sent {alert['name']}: {alert['meaning']}" if alert else "it was broken off"
        yield Check(
            "wire", "fail", f"the last captured handshake of {last['client']} with {last['server']} failed: {reason}",
            "capture", remedy="Correct what the alert names, reset the trunk and capture again.",
        )  # fmt: skip


def _parameters(case: Direction) -> Iterator[Check]:
    for parameters in negotiated.seen(case):
        who = negotiated.WHO[parameters.source]
        if parameters.tls_version:
            yield _version(parameters.tls_version, f"{who} negotiated {parameters.tls_version}", parameters.source)
        if parameters.cipher:
            yield _cipher(parameters.cipher, f"{who} negotiated the cipher {parameters.cipher}", parameters.source)


def _version(version: str, text: str, source: str) -> Check:
    if version in BROKEN_VERSIONS:
        return Check(
            "tls_version", "fail", f"{text}, which is broken", source,
            remedy="Raise the minimum TLS version of both clusters.",
        )  # fmt: skip
    if version in OLD_VERSIONS:
        return Check(
            "tls_version", "warning", f"{text}: the best that an old release speaks, and deprecated (RFC 8996)", source,
            remedy="Plan the upgrade of the cluster that supports no newer version.",
        )  # fmt: skip
    return Check("tls_version", "pass", text, source)


def _cipher(cipher: str, text: str, source: str) -> Check:
    if cipher.startswith(WEAK_CIPHERS) or "-NULL-" in cipher:
        return Check(
            "cipher", "fail", f"{text}, which does not protect what is sent", source,
            remedy="Set security_mode Encrypted in the profile (Authenticated means a NULL cipher).",
        )  # fmt: skip
    return Check("cipher", "pass", text, source)


def _status(case: Direction) -> Iterator[Check]:
    status = case.leg.status
    if not status:
        return
    service = status.get("in_service")
    if service is True:
        yield Check("trunk_status", "pass", f"{case.source} reports its trunk in service", "status")
    elif service is False:
        said = [str(part) for part in (status.get("reason"), first(status, "meaning", "reason_text")) if part]
        reason = ", ".join(said) or "without a reason"
        yield Check(
            "trunk_status", "fail", f"{case.source} reports its trunk out of service: {reason}", "status",
            remedy=str(first(status, "next_step") or "Look at the handshake with sip_tls_probe and cucm_capture."),
        )  # fmt: skip
    else:
        yield Check(
            "trunk_status", "info", f"{case.source} does not know its trunk's state: its SIP profile has no OPTIONS "
            "ping, or the first one has no result yet", "status",
            proof="Switch OPTIONS ping on in the trunk's SIP profile (cucm_sip_profile), or verify again.",
        )  # fmt: skip


def _traces(case: Direction) -> Iterator[Check]:
    # A trace names a certificate by its subject alone, in OpenSSL's form of one line.
    certificates = [identity.expected for node in case.reached for identity in node.identities]
    expected = {text for certificate in certificates if certificate for text in certificate.subject.written}
    shown = list(negotiated.presented(case))
    if shown and expected:
        last = shown[-1]
        fits = str(last.get("subject") or "") in expected
        yield Check(
            "trace_certificate", "pass" if fits else "fail",
            f"the trace of {case.source} shows the certificate of {last.get('subject')} from "
            f"{last.get('remote_ip')} ({last.get('cipher')})", "trace",
            remedy="" if fits else "The peer presented another certificate than it holds; restart its CallManager.",
        )  # fmt: skip


def _outdated(call: Mapping[str, Any], trace: Mapping[str, Any], hosts: frozenset[str]) -> bool:
    """True for a call in clear that is older than the last handshake with the same peer in the same trace."""
    if str(call.get("transport") or "TLS").upper() == "TLS":
        return False
    shown = [
        certificate
        for certificate in trace.get("certificates") or []
        if str(certificate.get("remote_ip")).lower() in hosts
    ]
    return any(
        str(certificate.get("time")) > str(call.get("time"))
        for certificate in shown
        if certificate.get("time") and call.get("time")
    )


def seen_calls(case: Direction) -> list[Mapping[str, Any]]:
    """The calls that count: those that were made for the check, and the last one in the traces that was answered.

    Earlier calls may be from before the trunk was secured, and a call that nobody answered is no fault of the trunk. A
    call in the clear before the last handshake with the peer is left out, too: a plain trunk has just become this one.
    """
    hosts = frozenset().union(*(node.addresses for node in case.target_nodes))
    traced = [
        call
        for trace in case.traces
        if trace.get("cluster") == case.source
        for call in trace.get("calls") or []
        if str(call.get("remote_ip")).lower() in hosts
        and call.get("direction") == "out"
        and str(call.get("result")).lower() in ANSWERED
        and not _outdated(call, trace, hosts)
    ]
    return [*case.leg.calls, *sorted(traced, key=lambda call: str(call.get("time")))[-1:]]


def _calls(case: Direction) -> Iterator[Check]:
    for call in seen_calls(case):
        yield from _call(call, srtp_wanted=case.srtp_wanted)


def _call(call: Mapping[str, Any], *, srtp_wanted: bool) -> Iterator[Check]:
    who = f"{first(call, 'calling', 'from') or '?'} to {first(call, 'called', 'to') or '?'}"
    transport, srtp = str(call.get("transport") or "").upper(), call.get("srtp")
    result = str(first(call, "result", "status") or "unknown").lower()
    if transport not in ("", "TLS"):
        yield Check(
            "call", "fail", f"the call from {who} went over {transport}, not TLS", "call",
            remedy="Check which trunk the route pattern points to (cucm_route_pattern).",
        )  # fmt: skip
    elif result not in ANSWERED:
        yield Check(
            "call", "unknown", f"the call from {who} was not answered: {result}", "call",
            proof="A call that is answered over this trunk.",
        )  # fmt: skip
    elif not transport:
        yield Check(
            "call", "info", f"a call from {who} was answered; its transport is not shown", "call",
            proof="The SDL trace of the call, whose Via header names the transport (cucm_trace_info).",
        )  # fmt: skip
    elif srtp_wanted and srtp is False:
        yield Check(
            "srtp", "fail", f"the call from {who} carried its media without SRTP", "call",
            remedy="Set srtp_allowed on both trunks; the phones need mixed mode and an encrypted profile, too.",
        )  # fmt: skip
    else:
        yield Check("call", "pass", f"a call from {who} was answered over TLS{' with SRTP' if srtp else ''}", "call")
        if srtp:
            yield Check("srtp", "pass", f"both ends of the call from {who} agreed on SRTP keys", "call")
