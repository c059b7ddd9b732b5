# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a trunk does not work: one cause per direction, ranked, with its evidence and the next step. Private. Pure.

Every source gives signs: a check of the verdict that failed, an alert on the wire, a line of a trace, an alarm, the
reason of the trunk's state. Signs of one cause are added up; a cause that several sources show comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict import verdict
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.certificates import Check
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.reset import (
    NOT_RESET,
    RESET,
    accepted_now,
    reset_checks,
)
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.transport import seen_calls
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import Direction, Node, between

Data = Mapping[str, Any]

#: Cause -> what it means, in the words of a voice engineer. Of two that are equally likely the first comes first.
CAUSES = {
    "not_activated": "Cisco CallManager is not activated on a node at which the trunk ends.",
    "destination": "The trunk of {source} does not point to the SIP TLS port of {target}.",
    "profile": "The trunk of {source} has no security profile that uses TLS with encryption.",
    "profile_at_peer": "The trunk of {target} has no security profile that uses TLS with encryption.",
    "not_listening": "{target} does not listen on its SIP TLS port: Cisco CallManager is stopped there, or none of its "
    "trunks uses TLS.",
    "expired": "A certificate has expired.",
    "not_yet_valid": "A certificate is not valid yet by the clock of the node that checks it.",
    "not_uploaded": "A node does not hold the certificate that the CA issued for it.",
    "not_active": "A certificate is uploaded, but Cisco CallManager still presents the one from before.",
    "self_signed": "A node has only its self-signed certificate.",
    "ca_missing": "{source} does not trust the CA of {target}.",
    "ca_missing_at_peer": "{target} does not trust the CA of {source}.",
    "name": "The profile of {source} does not accept the name in the certificate of {target}.",
    "name_at_peer": "The profile of {target} does not accept the name in the certificate of {source}.",
    NOT_RESET: "A trunk between {source} and {target} does not use its present settings: it was not reset after they "
    "were changed.",
    "uses": "A certificate is not made for both serverAuth and clientAuth.",
    "revoked": "A certificate is revoked.",
    "revocation_unknown": "A node cannot find out whether a certificate is revoked, and refuses it.",
    "chain_invalid": "A certificate or a CA certificate of the chain breaks the rules, and is refused.",
    "weak": "A key or a signature is too weak for the node that checks it.",
    "other_certificate": "{target} presents another certificate than it should.",
    "no_client_certificate": "{target} asked for a client certificate and was given none.",
    "no_client_authentication": "{target} does not ask for a client certificate.",
    "clear": "SIP is sent without TLS.",
    "version": "The two ends have no TLS version in common, or use one that is broken.",
    "cipher": "The two ends have no cipher in common, or use one that does not encrypt.",
    "certificate_refused": "{source} refused the certificate of {target}.",
    "certificate_refused_by_peer": "{target} refused the certificate of {source}.",
    "handshake_failed": "The TLS handshake between {source} and {target} fails, not because of a certificate.",
    "destination_at_peer": "The trunk of {target} does not point to {source}: {target} refuses what comes from there.",
    "closed": "{target} completes the TLS handshake, and then closes the connection.",
    "dns": "{source} cannot resolve the name of the trunk's destination.",
    "peer_refuses": "{target} answers with 503: its trunk is out of service, does not know the address of {source}, or "
    "the node is set to Busy Out.",
    "peer_times_out": "{target} is reachable, but what is behind it does not answer.",
    "media": "Calls are set up, but their media is not encrypted.",
    "not_routed": "The dial plans do not route calls from {source} to {target}.",
    "unreachable": "The SIP TLS port of {target} cannot be reached.",
    "no_handshake": "{target} accepts connections to its SIP TLS port, but shows no certificate there.",
    "no_connection": "{source} cannot open a TLS connection to {target}, and nothing has shown why.",
    "no_answer": "{target} does not answer OPTIONS.",
    "call_refused": "The trunk works, but {target} refused the last call.",
}
#: check of the verdict -> cause, where the check itself names none
_BY_CHECK = {
    "destinations": "destination", "profile": "profile", "peer_profile": "profile_at_peer",
    "server_trust": "ca_missing", "client_trust": "ca_missing_at_peer", "server_name": "name",
    "client_name": "name_at_peer",
    "extended_key_usage": "uses", "trace_certificate": "other_certificate", "server_certificate": "other_certificate",
    "client_certificate": "other_certificate", "mutual_authentication": "no_client_authentication",
    "tls_version": "version", "cipher": "cipher", "call": "clear", "srtp": "media",
}  # fmt: skip
#: TLS alert -> cause when the source's end sent it, and when the target's end did; any other: handshake_failed
_BY_ALERT = {
    "unknown_ca": ("ca_missing", "ca_missing_at_peer"),
    "certificate_expired": ("expired", "expired"),
    "unsupported_certificate": ("uses", "uses"),
    "certificate_revoked": ("revoked", "revoked"),
    "certificate_required": ("no_client_certificate", "no_client_certificate"),
    "protocol_version": ("version", "version"),
    "insufficient_security": ("cipher", "cipher"),
    "handshake_failure": ("cipher", "cipher"),
    "bad_certificate": ("certificate_refused", "certificate_refused_by_peer"),
    "certificate_unknown": ("certificate_refused", "certificate_refused_by_peer"),
}
#: kind of a trace's failure line -> cause when the source wrote it, and when the target did
_BY_KIND = {
    "issuer_missing": ("ca_missing", "ca_missing_at_peer"),
    "self_signed": ("self_signed", "self_signed"),
    "bad_signature": ("ca_missing", "ca_missing_at_peer"),
    "not_trusted": ("ca_missing", "ca_missing_at_peer"),
    "expired": ("expired", "expired"),
    "not_yet_valid": ("not_yet_valid", "not_yet_valid"),
    "purpose": ("uses", "uses"),
    "revoked": ("revoked", "revoked"),
    "revocation_unknown": ("revocation_unknown", "revocation_unknown"),
    "weak": ("weak", "weak"),
    **dict.fromkeys(
        ("invalid", "invalid_ca", "path_length", "chain_too_long", "name_constraints"),
        ("chain_invalid", "chain_invalid"),
    ),
    "rejected": ("ca_missing", "ca_missing_at_peer"),
    "cipher": ("cipher", "cipher"),
    "version": ("version", "version"),
    # What the source misses as a server concerns the other direction.
    "no_client_certificate": ("", "no_client_certificate"),
    "protocol": ("handshake_failed", "handshake_failed"),
    # Who ended it, and why, is not known.
    "connection": ("no_connection", "no_connection"),
    "resources": ("certificate_refused", "certificate_refused_by_peer"),
    "name_mismatch": ("name", "name_at_peer"),
    "verification": ("certificate_refused", "certificate_refused_by_peer"),
}
#: reason of a trunk's state -> cause
_BY_REASON = {
    "Local=1": "no_answer", "Local=2": "no_connection", "Local=3": "dns", "Remote=503": "peer_refuses",
    "Remote=408": "peer_times_out",
}  # fmt: skip
#: what any cause of a dead trunk leads to, and what explains no dead trunk
_SYMPTOMS = ("no_connection", "no_answer", "closed", "handshake_failed")
_TRUNK_STAYS_UP = {"media", "no_client_authentication", "not_routed", "call_refused"}
#: what the settings of a trunk show by themselves: the wire and the traces show only what follows from it
_BY_ITSELF = {"destination", "profile", "profile_at_peer"}
#: what comes before these settings: that the trunk does not use them, or that nothing does
_BEFORE_SETTINGS = {NOT_RESET, "not_activated"}
#: why a node presents another certificate, and what follows from that unless the settings or the certificate show it
_ANOTHER_CERTIFICATE = {"not_active", "other_certificate", "not_uploaded"}
_OF_CERTIFICATE = {
    "self_signed", "ca_missing", "ca_missing_at_peer", "name", "name_at_peer", "expired", "not_yet_valid", "uses",
    "revoked", "weak", "chain_invalid", "certificate_refused", "certificate_refused_by_peer",
}  # fmt: skip
_BY_CONTENT = {"configuration", "certificate"}
#: final answers to a call that concern the number, and those that concern the phone
_NUMBER_ANSWERS, _PHONE_ANSWERS = {404, 484}, {480, 486, 487, 600, 603}
#: state of a port to a probe -> cause and next step
_BY_PORT = {
    "refused": (
        "not_listening",
        "Start Cisco CallManager on {node} (cucm_service), and check that one of its trunks uses TLS.",
    ),
    "silent": ("unreachable", "Check that {node} is up, and look for a firewall in front of it."),
    "unreachable": ("unreachable", "Check the address of {node} and the route to it."),
    "no_handshake": (
        "no_handshake",
        "Look at the handshake with {node} in a capture (cucm_capture), and restart Cisco CallManager there.",
    ),
}
_COMMON_NAME = re.compile(r"/CN=([^/]*)")
#: what is new in each line of a trace: the instance of a process, the port of the peer
_EACH_TIME = re.compile(r"\A\[[\d, ]+\]: |:\d+\Z")
_WEIGHTS = {"status": 1}
_USUAL_WEIGHT = 3


@dataclass(frozen=True)
class Sign:
    """An observation that points to a cause."""

    cause: str
    source: str
    text: str
    next_step: str = ""
    node: str | None = None


def diagnose(case: Direction) -> dict[str, Any]:
    """The cause of a direction's failure with its evidence, and the other causes that were found."""
    checks = verdict.checks_of(case)
    signs = [
        *_from_checks(case, checks),
        *_from_checks(case, reset_checks(case, checks)),
        *_from_services(case),
        *_from_probes(case),
        *_from_alerts(case),
        *_from_traces(case),
        *_from_status(case),
        *_from_peer_trunk(case),
        *_from_calls(case),
    ]
    ranked = _ranked(case, signs)
    working = works(case)
    missing = [check for check in checks if check.state == "unknown"]
    first: dict[str, Any] = ranked[0] if ranked else {"cause": None, **_nothing(working, missing)}
    return {"from": case.source, "to": case.target, "works": working, **first, "others": ranked[1:]}


def sentence(diagnosis: Data) -> str:
    """A diagnosis in one line."""
    step = f" {diagnosis['next_step']}" if diagnosis.get("next_step") else ""
    return f"{diagnosis['from']} to {diagnosis['to']}: {diagnosis['explanation']}{step}"


def _nothing(works: bool | None, missing: list[Check]) -> dict[str, Any]:
    """Without a cause: what would show one."""
    if works:
        return {"explanation": "The trunk works.", "next_step": None, "evidence": [], "nodes": []}
    step = next((check.proof for check in missing if check.proof), "Make a call, and read the traces of both ends.")
    return {"explanation": "No cause was found.", "next_step": step, "evidence": [], "nodes": []}


def works(case: Direction) -> bool | None:
    """Whether calls can take this direction, as far as anything shows."""
    if (case.leg.status or {}).get("in_service") is None and any(
        str(call.get("result")).lower() == "answered" for call in seen_calls(case)
    ):
        return True
    return connects(case)


def connects(case: Direction) -> bool | None:
    """Whether the source reaches the target over TLS, as far as the trunk's state or a capture shows."""
    service = (case.leg.status or {}).get("in_service")
    if service is not None:
        return bool(service)
    captured = [connection for connection in _handshakes(case) if connection.get("established") is not None]
    return bool(captured[-1]["established"]) if captured else None


def _handshakes(case: Direction) -> list[Data]:
    return [
        connection
        for connection in between(case.captures, case.source_nodes, case.target_nodes)
        if connection.get("protocol") == "tls"
    ]


def _ranked(case: Direction, signs: Iterable[Sign]) -> list[dict[str, Any]]:
    by_cause: dict[str, list[Sign]] = {}
    for sign in signs:
        by_cause.setdefault(sign.cause, []).append(sign)
    if set(by_cause) - {*_SYMPTOMS, *_TRUNK_STAYS_UP}:
        for symptom in _SYMPTOMS:
            by_cause.pop(symptom, None)
    order = list(CAUSES)
    another = bool(set(by_cause) & _ANOTHER_CERTIFICATE)

    def rank(cause: str) -> tuple[bool, bool, bool, int, int]:
        sources = {sign.source for sign in by_cause[cause]}
        shown = sum(_WEIGHTS.get(source, _USUAL_WEIGHT) for source in sources)
        # A line of a trace may be from before a reset after which nobody has tried again.
        ahead = cause in _BEFORE_SETTINGS and sources != {"trace"}
        follows = another and cause in _OF_CERTIFICATE and not sources & _BY_CONTENT
        return not ahead, cause not in _BY_ITSELF, follows, -shown, order.index(cause)

    return [_described(case, cause, by_cause[cause]) for cause in sorted(by_cause, key=rank)]


def _described(case: Direction, cause: str, signs: list[Sign]) -> dict[str, Any]:
    return {
        "cause": cause,
        "explanation": CAUSES[cause].format(source=case.source, target=case.target),
        "next_step": next((sign.next_step for sign in signs if sign.next_step), None),
        "evidence": list({sign.text: {"source": sign.source, "text": sign.text} for sign in signs}.values()),
        "nodes": sorted({sign.node for sign in signs if sign.node}),
    }


def _from_checks(case: Direction, checks: Iterable[Check]) -> Iterator[Sign]:
    names = [node.name for node in (*case.source_nodes, *case.target_nodes)]
    for check in checks:
        cause = check.cause or _BY_CHECK.get(check.name)
        if check.state == "fail" and cause:
            node = next((name for name in names if name in check.text), None)
            yield Sign(cause, check.source, check.text, check.remedy, node)
        elif check.state == "fail" and check.name == "wire" and "in the clear" in check.text:
            yield Sign("clear", check.source, check.text, check.remedy)
        elif check.state == "warning" and check.name == "calls_routed":
            yield Sign("not_routed", check.source, check.text, check.remedy)


def _from_services(case: Direction) -> Iterator[Sign]:
    """The nodes at which the trunk ends and on which Cisco CallManager is not activated.

    A cluster may have other nodes without the service: they count only if it is activated on none.
    """
    wanted = {address for address, _port in case.leg.destinations or ()}
    ends = [(case.target, node) for node in case.target_nodes if node.addresses & wanted]
    for cluster, nodes in ((case.source, case.source_nodes), (case.target, case.target_nodes)):
        if not any(node.activated for node in nodes):
            ends += [(cluster, node) for node in nodes if (cluster, node) not in ends]
    for cluster, node in ends:
        if not node.activated:
            yield Sign(
                "not_activated", "configuration", f"Cisco CallManager is not activated on {node.name} ({cluster})",
                f"Activate Cisco CallManager on {node.name} (Cisco Unified Serviceability, Tools > Service "
                "Activation), or take the node out of the destinations of the peer's trunk.", node.name,
            )  # fmt: skip


def _from_probes(case: Direction) -> Iterator[Sign]:
    """What the controller met at the ports. One that refuses it refuses everybody; the rest a working trunk rules out.

    A firewall may let the clusters through and not the controller.
    """
    for node in case.reached:
        state = str((node.probe or {}).get("port_state"))
        if state in _BY_PORT and (state == "refused" or not connects(case)):
            cause, step = _BY_PORT[state]
            said = str(
                (node.probe or {}).get("said") or f"the SIP TLS port of {node.name} is {state} to the controller"
            )
            yield Sign(cause, "probe", said, step.format(node=node.name), node.name)


def _from_alerts(case: Direction) -> Iterator[Sign]:
    """The alerts of the last captured handshake: what came after an earlier failure counts."""
    for connection in _handshakes(case)[-1:]:
        for alert in connection.get("alerts") or []:
            if alert.get("level") == "fatal":
                cause = _of_alert(alert.get("name"), by_target=alert["from"] == "server")
                meaning = alert.get("meaning") or "refused"
                text = f"{connection[alert['from']]} sent the TLS alert {alert['name']}: {meaning}"
                yield Sign(cause, "capture", text)


def _of_alert(name: Any, *, by_target: bool) -> str:
    return _BY_ALERT.get(str(name), ("handshake_failed", "handshake_failed"))[by_target]


def _from_traces(case: Direction) -> Iterator[Sign]:
    for trace in case.traces:
        at_target = trace.get("cluster") == case.target
        if not at_target and trace.get("cluster") != case.source:
            continue
        peers = case.source_nodes if at_target else case.target_nodes
        lines = [
            line
            for line in [*(trace.get("trouble") or []), *(trace.get("alarms") or [])]
            if _cause_of(line, at_target=at_target) and _concerns(line, peers, case) and not _settled(line, trace)
        ]
        for group in _alike(_specific(lines)):
            line, times = group[-1], len(group)
            often = f" ({times} times, the last one at {line.get('time')})" if times > 1 else ""
            cause, step = _cause_of(line, at_target=at_target), str(line.get("next_step") or "")
            if cause in ("name", "name_at_peer") and accepted_now(case, line.get("received"), at_target=at_target):
                cause, step = NOT_RESET, RESET.format(cluster=trace["cluster"])
                often += f", but the profile of {trace['cluster']} accepts the name now"
            yield Sign(cause, "trace", f"{trace['cluster']}: {_text(line)}{often}", step, line.get("node"))


def _cause_of(line: Data, *, at_target: bool) -> str:
    """The cause that a failure line of a trace shows; empty when it shows none, or is about a phone."""
    if line.get("phone"):
        return ""
    if line.get("alert"):
        # The other end sent it.
        return _of_alert(line["alert"], by_target=not at_target)
    return _BY_KIND.get(str(line.get("kind")), ("", ""))[at_target]


def _text(line: Data) -> str:
    return str(line.get("text") or f"alarm {line.get('name')}: {line.get('meaning')}")


def _specific(lines: list[Data]) -> list[Data]:
    """Without lines that only repeat that a certificate was refused, where another one gives OpenSSL's reason."""
    explained = {line.get("remote_ip") for line in lines if line["kind"] != "verification"}
    return [line for line in lines if line["kind"] != "verification" or line.get("remote_ip") not in explained]


def _alike(lines: Iterable[Data]) -> Iterable[list[Data]]:
    """Lines that differ in the number of the process and the port of the peer alone: one for each attempt."""
    groups: dict[tuple[Any, ...], list[Data]] = {}
    for line in lines:
        groups.setdefault((line["kind"], line.get("node"), _EACH_TIME.sub("", _text(line))), []).append(line)
    return groups.values()


def _concerns(line: Data, peers: tuple[Node, ...], case: Direction) -> bool:
    """Whether a line of a trace is about these peers: by its address, the name that was refused, or the trunk."""
    if line.get("remote_ip"):
        return any(str(line["remote_ip"]).lower() in node.addresses for node in peers)
    received = str(line.get("received") or "").lower()
    if received:
        certificates = [identity.expected or identity.probed for node in peers for identity in node.identities]
        return any(
            received in {name.lower() for name in certificate.matched_names}
            for certificate in certificates
            if certificate
        )
    return bool(line.get("trunk")) and line.get("trunk") == (case.leg.trunk or {}).get("name")


def _settled(line: Data, trace: Data) -> bool:
    """Whether the peer was accepted after that.

    CUCM writes a peer's certificate before it compares the names, so that the last refusal has no certificate after it.
    """
    later = (
        certificate.get("time") for certificate in trace.get("certificates") or [] if _same_peer(line, certificate)
    )
    return any(str(when) > str(line.get("time")) for when in later if when and line.get("time"))


def _same_peer(line: Data, certificate: Data) -> bool:
    """Whether a failure line and a certificate in a trace are of one peer of one node, as far as they name it."""
    if line.get("node") and certificate.get("node") and line["node"] != certificate["node"]:
        return False
    if line.get("remote_ip"):
        return bool(certificate.get("remote_ip") == line["remote_ip"])
    if line.get("received"):
        name = _COMMON_NAME.search(str(certificate.get("subject")))
        return name is not None and name[1].lower() == str(line["received"]).lower()
    return True


def _from_status(case: Direction) -> Iterator[Sign]:
    status = case.leg.status or {}
    if status.get("in_service") is not False:
        return
    reasons = [status, *(status.get("destinations") or [])]
    for reason in reasons:
        code = str(reason.get("reason") or "").split(":", maxsplit=1)[0].strip()
        if code in _BY_REASON:
            text = f"{case.source} reports its trunk out of service: {code}"
            yield Sign(_by_reason(case, code), "status", text, str(reason.get("next_step") or ""))


def _by_reason(case: Direction, code: str) -> str:
    """Local=2 stands for a failed connection, also for one that the peer closes after the handshake."""
    last = _handshakes(case)[-1:]
    if code == "Local=2" and last and last[0].get("established"):
        return "closed"
    return _BY_REASON[code]


def _from_peer_trunk(case: Direction) -> Iterator[Sign]:
    """CUCM answers 503 to an address to which none of its trunks points."""
    back = case.back.destinations
    if back is None or case.external or not case.source_nodes:
        return
    known = frozenset().union(*(node.addresses for node in case.source_nodes))
    if not known & {address for address, _port in back}:
        listed = ", ".join(address for address, _port in back)
        text = f"the trunk of {case.target} points to {listed}, not to a node of {case.source}"
        cause = "destination_at_peer"
        if (case.leg.status or {}).get("in_service"):
            cause, text = NOT_RESET, f"{text}; but {case.source} reports its trunk in service"
        step = "Correct the destinations of the trunk of the peer (cucm_sip_trunk), and reset it."
        yield Sign(cause, "configuration", text, step)


def _from_calls(case: Direction) -> Iterator[Sign]:
    """The last call over the trunk, where the peer refused it."""
    hosts = frozenset().union(*(node.addresses for node in case.target_nodes))
    calls = [
        call
        for trace in case.traces
        if trace.get("cluster") == case.source
        for call in trace.get("calls") or []
        if str(call.get("remote_ip")).lower() in hosts and call.get("direction") == "out" and call.get("status")
    ]
    for call in sorted(calls, key=lambda call: str(call.get("time")))[-1:]:
        status = int(call["status"])
        if status < 400 or status in _PHONE_ANSWERS:
            continue
        yield Sign(
            "not_routed" if status in _NUMBER_ANSWERS else "call_refused", "trace",
            f"{case.source}: the call from {call.get('calling') or '?'} to {call.get('called') or '?'} was refused: "
            f"{status} {call.get('result')}",
            "Read the traces of the peer at the time of the call (cucm_trace_info): its dial plan, the calling search "
            "space of its trunk, and its phones.",
        )  # fmt: skip
