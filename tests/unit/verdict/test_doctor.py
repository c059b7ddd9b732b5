# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doctor names the cause of every way in which a trunk can be broken, alone and two at a time."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence import tls_names
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces import tls_failures
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import doctor, verdict

from tests.support.made_views import LAB_CA, made
from tests.unit.verdict import test_verdict as broken

Evidence = dict[str, Any]


def diagnose(evidence: Evidence) -> Evidence:
    """The diagnosis of the first direction, cucma to cucm10."""
    cases = verdict.directions_of(
        evidence["clusters"], evidence["directions"], captures=evidence["captures"], traces=evidence["traces"],
        routing=evidence.get("routing", ()), now=broken.NOW,
    )  # fmt: skip
    return doctor.diagnose(cases[0])


def out_of_service(evidence: Evidence, reason: str) -> None:
    evidence["directions"][0]["status"] = {"in_service": False, "reason": reason, "next_step": "Look at the peer."}


def trace(evidence: Evidence, cluster: str, **line: Any) -> None:
    evidence["traces"].append({"cluster": cluster, "trouble": [{"time": "2026-10-31T10:00:00Z", "text": "x", **line}]})


def alert(evidence: Evidence, end: str, name: str) -> None:
    one = {"from": end, "level": "fatal", "name": name, "meaning": "the meaning"}
    evidence["captures"] = [broken.handshake(established=False, mutual=False, alerts=[one])]


def closed(evidence: Evidence) -> None:
    """Local=2, though the last captured handshake was completed."""
    out_of_service(evidence, "Local=2")
    evidence["captures"] = [broken.handshake(established=True)]


def peer_elsewhere(evidence: Evidence) -> None:
    evidence["directions"][1]["trunk"]["destinations"] = [{"address": "10.9.9.9", "port": 5061}]


def call(evidence: Evidence, status: int, result: str) -> None:
    one = {"remote_ip": "10.0.0.2", "direction": "out", "status": status, "result": result, "time": "2026-10-31T11:00Z"}
    evidence["traces"].append({"cluster": "cucma", "calls": [{**one, "calling": "1018", "called": "9898"}]})


def refused(evidence: Evidence) -> None:
    broken.node(evidence, 1)["probe"] = {"port_state": "refused"}


def accepts(evidence: Evidence, names: str) -> None:
    """What the profile of cucm10 accepts."""
    evidence["directions"][1]["profile"]["x509_subject_name"] = names


def refused_name(evidence: Evidence) -> None:
    """The certificate of CUCMA was refused, and so it is by the stored profile."""
    accepts(evidence, "OTHER")
    trace(evidence, "cucm10", kind="name_mismatch", received="CUCMA")


def other_destination(evidence: Evidence) -> None:
    """RIS shows another destination than AXL."""
    out_of_service(evidence, "Local=1")
    evidence["directions"][0]["status"]["addresses"] = ["10.9.9.9"]


def works_all_the_same(evidence: Evidence, breaking: Callable[[Evidence], None]) -> None:
    """A setting that was changed without a reset: the trunk works."""
    breaking(evidence)
    evidence["directions"][0]["status"] = {"in_service": True, "addresses": ["10.0.0.2"]}
    evidence["captures"] = [broken.handshake()]


def clear_to_tls_port(evidence: Evidence) -> None:
    broken.break_plain(evidence)
    evidence["captures"][-1]["server"] = "10.0.0.2:5061"


def port(evidence: Evidence, state: str) -> None:
    broken.node(evidence, 1)["probe"] = {"port_state": state, "said": f"the port is {state}"}


def not_routed(evidence: Evidence) -> None:
    evidence["routing"] = [
        {"from": "cucma", "to": "cucm10", "pattern": "98XX", "state": "not routed", "why": "9898 matches nothing"}
    ]


def trusts(evidence: Evidence, **changes: Any) -> None:
    """The CA in the store of CUCMA is another certificate of the same key."""
    broken.node(evidence, 0)["trust"] = [made(LAB_CA, None, serial="CC", **{"ca": True, **changes})]


def regenerated(evidence: Evidence) -> None:
    """CUCM10's own certificate, after set cert regen CallManager."""
    own = broken.view("CUCM10", "BE", issuer=None)
    broken.node(evidence, 1).update(held=own, issued=None)
    broken.node(evidence, 1)["probe"]["chain"] = [own]


#: what is broken -> the cause
BREAKINGS: dict[str, tuple[Callable[[Evidence], None], str]] = {
    "not active": (broken.break_active, "not_active"),
    "client's not active": (broken.break_client_active, "not_active"),
    "not uploaded": (broken.break_held, "not_uploaded"),
    "expired": (broken.break_expired, "expired"),
    "not yet valid": (broken.break_not_yet, "not_yet_valid"),
    "trust": (broken.break_trust, "ca_missing"),
    "trust of the peer": (broken.break_peer_trust, "ca_missing_at_peer"),
    "name": (broken.break_name, "name"),
    "name at the peer": (broken.break_peer_name, "name_at_peer"),
    "no client authentication": (broken.break_mutual, "no_client_authentication"),
    "destination": (broken.break_destination, "destination"),
    "port": (broken.break_port, "destination"),
    "another profile": (broken.break_profile_used, "profile"),
    "TCP": (broken.break_transport, "profile"),
    "authenticated alone": (broken.break_null, "profile_at_peer"),
    "SRTP": (broken.break_srtp, "media"),
    "uses": (broken.break_eku, "uses"),
    "plain SIP": (broken.break_plain, "clear"),
    "name of a trace": (broken.break_trace, "other_certificate"),
    "call over TCP": (broken.break_call, "clear"),
    "closed port": (refused, "not_listening"),
    "silent port": (lambda e: port(e, "silent"), "unreachable"),
    "no route": (lambda e: port(e, "unreachable"), "unreachable"),
    "no handshake": (lambda e: port(e, "no_handshake"), "no_handshake"),
    "dial plan": (not_routed, "not_routed"),
    "DNS": (lambda e: out_of_service(e, "Local=3"), "dns"),
    "503": (lambda e: out_of_service(e, "Remote=503"), "peer_refuses"),
    "408": (lambda e: out_of_service(e, "Remote=408"), "peer_times_out"),
    "no connection": (lambda e: out_of_service(e, "Local=2"), "no_connection"),
    "no answer": (lambda e: out_of_service(e, "Local=1"), "no_answer"),
    "alert of the server": (lambda e: alert(e, "server", "unknown_ca"), "ca_missing_at_peer"),
    "alert of the client": (lambda e: alert(e, "client", "unknown_ca"), "ca_missing"),
    "no cipher": (lambda e: alert(e, "server", "handshake_failure"), "cipher"),
    "no version": (lambda e: alert(e, "server", "protocol_version"), "version"),
    "line of the source": (lambda e: trace(e, "cucma", kind="issuer_missing", remote_ip="10.0.0.2"), "ca_missing"),
    "line of the target": (
        lambda e: trace(e, "cucm10", kind="issuer_missing", remote_ip="10.0.0.1"), "ca_missing_at_peer",
    ),
    "alert in a line": (
        lambda e: trace(e, "cucma", kind="alert", alert="unknown_ca", remote_ip="10.0.0.2"), "ca_missing_at_peer",
    ),
    "revoked": (lambda e: trace(e, "cucma", kind="revoked", remote_ip="10.0.0.2"), "revoked"),
    "no CRL": (lambda e: trace(e, "cucma", kind="revocation_unknown", remote_ip="10.0.0.2"), "revocation_unknown"),
    "path length": (lambda e: trace(e, "cucm10", kind="path_length", remote_ip="10.0.0.1"), "chain_invalid"),
    "short key": (lambda e: trace(e, "cucm10", kind="weak", remote_ip="10.0.0.1"), "weak"),
    "another alert": (lambda e: alert(e, "server", "internal_error"), "handshake_failed"),
    "closed after the handshake": (closed, "closed"),
    "peer points elsewhere": (peer_elsewhere, "destination_at_peer"),
    "call refused": (lambda e: call(e, 503, "Service Unavailable"), "call_refused"),
    "number unknown": (lambda e: call(e, 404, "Not Found"), "not_routed"),
    "refused name": (refused_name, "name_at_peer"),
    "refused name that is accepted now": (
        lambda e: trace(e, "cucm10", kind="name_mismatch", received="CUCMA"), "not_reset",
    ),
    "another destination in use": (other_destination, "not_reset"),
    "plain SIP to a TLS port": (clear_to_tls_port, "not_reset"),
    "wrong destination of a working trunk": (lambda e: works_all_the_same(e, broken.break_destination), "not_reset"),
    "wrong name of a working trunk": (lambda e: works_all_the_same(e, broken.break_name), "not_reset"),
    "TCP in the profile of a working trunk": (lambda e: works_all_the_same(e, broken.break_transport), "not_reset"),
    "wrong destination of the peer's working trunk": (
        lambda e: works_all_the_same(e, peer_elsewhere), "not_reset",
    ),
    "not activated": (lambda e: broken.node(e, 1).update(callmanager=False), "not_activated"),
    "nowhere activated": (lambda e: broken.node(e, 0).update(callmanager=False), "not_activated"),
}  # fmt: skip
SYMPTOMS = {"no_connection", "no_answer", "closed", "handshake_failed"}


def found(evidence: Evidence) -> list[str]:
    diagnosis = diagnose(evidence)
    return [diagnosis["cause"], *(cause["cause"] for cause in diagnosis["others"])]


@pytest.mark.parametrize("name", BREAKINGS)
def test_one_fault_is_named_with_its_evidence(name: str) -> None:
    breaking, cause = BREAKINGS[name]
    evidence = broken.sound()
    breaking(evidence)
    diagnosis = diagnose(evidence)
    assert diagnosis["cause"] == cause, diagnosis
    assert diagnosis["evidence"]
    assert doctor.CAUSES[cause].split("{")[0] in diagnosis["explanation"]


def test_two_faults_are_both_named() -> None:
    """One of them may hide behind the other only when it is a mere symptom, or replaces the same part."""
    for (first, (break_one, one)), (second, (break_two, two)) in itertools.combinations(BREAKINGS.items(), 2):
        evidence = broken.sound()
        break_one(evidence)
        before = set(found(evidence))
        break_two(evidence)
        causes = found(evidence)
        # That a trunk was not reset shows only where the other fault leaves its settings and its work alone.
        hidden = two == "not_reset" and _same_part(first, second)
        assert two in causes or two in SYMPTOMS or hidden, (first, second, causes)
        overwritten = before - set(causes)
        assert one in causes or one in SYMPTOMS or _same_part(first, second), (first, second, causes, overwritten)


PORTS = ("closed port", "silent port", "no route", "no handshake")
STATUS = {"DNS", "503", "408", "no connection", "no answer", "closed after the handshake", "another destination in use"}
WIRE = {
    "alert of the server", "alert of the client", "no cipher", "no version", "plain SIP", "another alert",
    "closed after the handshake", "plain SIP to a TLS port",
}  # fmt: skip
#: settings that a working trunk does not use: other faults end its work, or write the same settings
WORKING = {name for name in BREAKINGS if name.endswith("working trunk")}
#: breakings that write the same part of the evidence, so that the later one undoes the earlier one
PARTS = (
    {"not active", "expired", "not yet valid", "uses", "not uploaded"},
    {"destination", "port", "wrong destination of a working trunk"},
    *({port, other} for port in PORTS for other in ("not active", "no client authentication")),
    {*PORTS},
    {"another profile", "TCP", "TCP in the profile of a working trunk"},
    STATUS,
    WIRE,
    STATUS | WIRE | WORKING | {*PORTS},
    {"name at the peer", "refused name", "refused name that is accepted now"},
    {"plain SIP to a TLS port", "another profile", "TCP", "destination", "port"},
    {"another destination in use", "destination", "port"},
    {"call refused", "number unknown"},
    {"peer points elsewhere", *WORKING},
)


def _same_part(first: str, second: str) -> bool:
    return any(first in part and second in part for part in PARTS)


def test_the_settings_of_a_trunk_come_before_what_follows_from_them() -> None:
    """NULL ciphers alone have none in common with a trunk that is Encrypted."""
    evidence = broken.sound()
    broken.break_profile_used(evidence)
    alert(evidence, "server", "handshake_failure")
    trace(evidence, "cucm10", kind="cipher", remote_ip="10.0.0.1")
    assert found(evidence) == ["profile", "cipher"]


@pytest.mark.parametrize(("cipher", "cause"), [("AES128-SHA", "not_reset"), ("NULL-SHA", "profile"), (None, "profile")])
def test_a_profile_without_encryption_may_be_the_one_in_use(cipher: str | None, cause: str) -> None:
    """Only a cipher shows that a trunk does not use its profile, which is Authenticated."""
    evidence = broken.sound()
    works_all_the_same(evidence, lambda e: e["directions"][0]["profile"].update(security_mode="Authenticated"))
    evidence["captures"] = [broken.handshake(cipher=cipher)]
    assert diagnose(evidence)["cause"] == cause


def test_a_connection_that_was_open_before_the_capture_shows_that_the_trunk_works() -> None:
    evidence = broken.sound()
    works_all_the_same(evidence, broken.break_transport)
    evidence["captures"] = [broken.handshake(cipher=None, tls_version=None)]
    assert diagnose(evidence)["cause"] == "not_reset"


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ({"addresses": ["10.9.9.9"], "in_service": False}, "not_reset"),
        ({"addresses": ["10.9.9.9"], "in_service": True}, None),
        ({"addresses": ["10.0.0.1"], "in_service": False}, "no_connection"),
        ({"addresses": ["peer.example.com"], "in_service": False}, "no_connection"),
        ({"addresses": [], "in_service": False, "destinations": [{"address": "10.9.9.9"}]}, "not_reset"),
        ({"addresses": ["10.9.9.9"], "in_service": False, "destinations": [{"address": "10.0.0.2"}]}, "no_connection"),
    ],
)
def test_the_destination_in_use_is_the_one_of_the_alarm_or_of_ris(status: Evidence, cause: str | None) -> None:
    evidence = broken.sound()
    evidence["directions"][0]["status"] = {"reason": "Local=2", **status}
    assert diagnose(evidence)["cause"] == cause


@pytest.mark.parametrize("reason", ["Local=1", "Local=2"])
@pytest.mark.parametrize(
    ("breaking", "cause"),
    [(broken.break_srtp, "media"), (broken.break_mutual, "no_client_authentication"), (not_routed, "not_routed")],
)
def test_what_leaves_the_trunk_up_hides_no_symptom(
    breaking: Callable[[Evidence], None], cause: str, reason: str
) -> None:
    evidence = broken.sound()
    breaking(evidence)
    out_of_service(evidence, reason)
    assert {*found(evidence)} == {cause, {"Local=1": "no_answer", "Local=2": "no_connection"}[reason]}


@pytest.mark.parametrize(("status", "cause"), [(503, None), (486, None), (200, None)])
def test_the_last_call_counts_and_a_busy_phone_is_no_fault_of_the_trunk(status: int, cause: str | None) -> None:
    evidence = broken.sound()
    call(evidence, status, "x")
    call(evidence, 200, "answered")
    last = evidence["traces"][-1]["calls"][0]
    last |= {"time": "2026-10-31T12:00Z", "transport": "TLS", "srtp": True}
    assert diagnose(evidence)["cause"] == cause


def test_every_failure_line_and_every_alert_has_a_cause() -> None:
    kinds = {kind for kind, _meaning, _step in tls_failures.VERIFICATION.values()}
    kinds |= {kind for _words, kind in tls_failures.REASONS_IN_WORDS} | {"verification", "protocol", "connection"}
    assert kinds <= set(doctor._BY_KIND), kinds - set(doctor._BY_KIND)
    named = {cause for causes in (*doctor._BY_KIND.values(), *doctor._BY_ALERT.values()) for cause in causes if cause}
    assert named <= set(doctor.CAUSES)
    assert {name for name, _meaning in tls_names.ALERTS.values()} >= set(doctor._BY_ALERT)


def test_a_sound_trunk_has_no_cause() -> None:
    evidence = broken.sound()
    evidence["directions"][0]["status"] = {"in_service": True}
    diagnosis = diagnose(evidence)
    assert (diagnosis["works"], diagnosis["cause"], diagnosis["next_step"]) == (True, None, None)


@pytest.mark.parametrize(("activated", "cause", "words"), [
    (False, "not_activated", "node CUCM11 of cucm10, on which Cisco CallManager is not activated"),
    (True, "destination", "node CUCM11 of cucm10, on which the trunk of cucm10 does not run"),
])  # fmt: skip
def test_a_destination_on_which_no_trunk_runs_is_still_a_node(activated: bool, cause: str, words: str) -> None:
    evidence = broken.sound()
    evidence["clusters"][1]["other_nodes"] = [{"name": "CUCM11", "addresses": ["10.0.0.3"], "callmanager": activated}]
    evidence["directions"][0]["trunk"]["destinations"].append({"address": "10.0.0.3", "port": 5061})
    diagnosis = diagnose(evidence)
    assert diagnosis["cause"] == cause and words in diagnosis["evidence"][0]["text"], diagnosis
    assert "CUCM11" in diagnosis["next_step"]


def test_what_several_sources_show_comes_first() -> None:
    evidence = broken.sound()
    broken.break_srtp(evidence)
    broken.break_peer_trust(evidence)
    trace(evidence, "cucm10", kind="issuer_missing", remote_ip="10.0.0.1")
    out_of_service(evidence, "Local=2")
    diagnosis = diagnose(evidence)
    assert (diagnosis["cause"], diagnosis["works"]) == ("ca_missing_at_peer", False)
    assert {seen["source"] for seen in diagnosis["evidence"]} == {"configuration", "trace"}
    assert [cause["cause"] for cause in diagnosis["others"]] == ["media"]
    assert doctor.sentence(diagnosis).startswith("cucma to cucm10: cucm10 does not trust the CA of cucma. Upload")


@pytest.mark.parametrize("state", ["silent", "unreachable", "no_handshake"])
def test_a_trunk_that_works_rules_out_what_the_controller_alone_meets(state: str) -> None:
    evidence = broken.sound()
    port(evidence, state)
    evidence["directions"][0]["status"] = {"in_service": True}
    assert diagnose(evidence)["cause"] is None


def test_calls_that_are_not_routed_are_the_cause_only_of_a_trunk_that_works() -> None:
    evidence = broken.sound()
    not_routed(evidence)
    alone = diagnose(evidence)
    assert (alone["cause"], alone["explanation"]) == (
        "not_routed", "The dial plans do not route calls from cucma to cucm10."
    )  # fmt: skip
    assert "9898 matches nothing" in alone["evidence"][0]["text"]
    assert "calling search space" in alone["next_step"]
    broken.break_trust(evidence)
    both = diagnose(evidence)
    assert (both["cause"], [cause["cause"] for cause in both["others"]]) == ("ca_missing", ["not_routed"])


def test_the_same_line_of_a_trace_is_shown_once_with_its_number_and_last_time() -> None:
    evidence = broken.sound()
    again = [
        {"time": f"2026-10-31T10:00:{second}Z", "kind": kind, "remote_ip": "10.0.0.2",
         "text": f"[1, 100, 17, {second}]: HandleSSLError - Certificate verification failed{why} for 10.0.0.2:{port}"}
        for second, port in ((10, 5061), (40, 41141), (55, 33617))
        for kind, why in (("issuer_missing", ":(Verification error:20)- no issuer"), ("verification", ""))
    ]  # fmt: skip
    evidence["traces"] = [{"cluster": "cucma", "trouble": again}]
    diagnosis = diagnose(evidence)
    assert diagnosis["cause"] == "ca_missing" and diagnosis["others"] == [], "a refusal without its reason adds nothing"
    (shown,) = diagnosis["evidence"]
    assert shown["text"].endswith("for 10.0.0.2:33617 (3 times, the last one at 2026-10-31T10:00:55Z)")
    evidence["traces"] = [{"cluster": "cucma", "trouble": [line for line in again if line["kind"] == "verification"]}]
    assert diagnose(evidence)["cause"] == "certificate_refused"


def test_a_failure_before_the_last_good_handshake_is_over() -> None:
    evidence = broken.sound()
    line = {"time": "2026-10-31T10:00:00Z", "text": "x", "kind": "issuer_missing", "remote_ip": "10.0.0.2"}
    good = {"time": "2026-10-31T10:05:00Z", "remote_ip": "10.0.0.2", "cipher": "AES128-SHA",
            "subject": "/C=IN/ST=cisco/L=cisco/O=cisco/OU=cisco/CN=CUCM10"}  # fmt: skip
    evidence["traces"] = [{"cluster": "cucma", "trouble": [line], "certificates": [good]}]
    assert diagnose(evidence)["cause"] is None


@pytest.mark.parametrize(
    ("seconds", "name", "cause"),
    [(4, "CUCMA", "not_reset"), (5, "CUCMA", "not_reset"), (6, "CUCMA", None), (6, "OTHER", "not_reset")],
)
def test_a_refused_name_is_over_once_the_peer_came_again_and_was_not_refused(
    seconds: int, name: str, cause: str | None
) -> None:
    """Each attempt writes the certificate first; another peer's certificate says nothing."""
    evidence = broken.sound()
    line = {"time": "2026-10-31T10:00:05Z", "text": "x", "kind": "name_mismatch", "received": "CUCMA", "node": "CUCM10"}
    shown = {"time": f"2026-10-31T10:00:0{seconds}Z", "remote_ip": "10.0.0.1", "node": "CUCM10", "cipher": "AES128-SHA",
             "subject": f"/C=IN/ST=cisco/L=cisco/O=cisco/OU=cisco/CN={name}"}  # fmt: skip
    evidence["traces"] = [{"cluster": "cucm10", "trouble": [line], "certificates": [shown]}]
    assert diagnose(evidence)["cause"] == cause


def test_without_evidence_it_says_what_would_show_the_cause() -> None:
    evidence = broken.sound()
    broken.drop_probe(evidence)
    diagnosis = diagnose(evidence)
    assert diagnosis["cause"] is None
    assert "sip_tls_probe" in diagnosis["next_step"]


@pytest.mark.parametrize(
    ("breaking", "cause"),
    [
        (lambda e: trusts(e, end="2026-10-01"), "expired"),
        (lambda e: trusts(e, begin="2026-12-01"), "not_yet_valid"),
        (lambda e: trusts(e, ca=False), "chain_invalid"),
        (regenerated, "self_signed"),
    ],
)
def test_a_chain_that_is_there_and_refused_is_not_called_missing(
    breaking: Callable[[Evidence], None], cause: str
) -> None:
    evidence = broken.sound()
    breaking(evidence)
    assert found(evidence) == [cause]


def test_another_certificate_comes_before_what_is_wrong_with_it() -> None:
    """What answers in place of the node shows a self-signed certificate: the node's own may be in order."""
    evidence = broken.sound()
    broken.break_trace(evidence)
    trace(evidence, "cucma", kind="self_signed", remote_ip="10.0.0.2")
    assert found(evidence) == ["other_certificate", "self_signed"]
