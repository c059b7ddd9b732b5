# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each way of breaking a trunk gets its verdict and its cause; the sound one is secure."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import verdict
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate

from tests.support.made_views import LAB_CA, authority, made
from tests.support.requests_made import openssl
from tests.unit.x509.test_rules import issue

NOW = datetime(2026, 11, 1, tzinfo=UTC)
CA = "C=IN, O=cisco, CN=Lab CA"
Evidence = dict[str, Any]


def view(name: str, serial: str, **changes: Any) -> Evidence:
    """The certificate of a node; another serial number is another key."""
    return made(f"C=IN,ST=cisco,L=cisco,O=cisco,OU=cisco,CN={name}", key=f"{name} {serial}", serial=serial, **changes)


ROOT = authority(serial="CC")
OLD_A = view("CUCMA", "0A", issuer=None)


def cluster(name: str, node: str, address: str, serial: str) -> Evidence:
    own = view(node, serial)
    probe = {"chain": [own, ROOT], "mutual": True, "tls_version": "TLSv1", "cipher": "AES128-SHA"}
    return {
        "name": name,
        "nodes": [{"name": node, "addresses": [address], "held": own, "issued": own, "probe": probe, "trust": [ROOT]}],
    }


def leg(source: str, target: str, peer_name: str, address: str) -> Evidence:
    return {
        "from": source,
        "to": target,
        "profile": {
            "name": "TLS", "security_mode": "Encrypted", "incoming_transport": "TLS", "outgoing_transport": "TLS",
            "incoming_port": 5061, "x509_subject_name": peer_name,
        },
        "trunk": {"name": "T", "security_profile": "TLS", "srtp_allowed": True,
                  "destinations": [{"address": address, "port": 5061}]},
    }  # fmt: skip


def sound() -> Evidence:
    """Probe and configuration alone."""
    return {
        "clusters": [cluster("cucma", "CUCMA", "10.0.0.1", "AA"), cluster("cucm10", "CUCM10", "10.0.0.2", "BB")],
        "directions": [
            leg("cucma", "cucm10", "CUCM10", "10.0.0.2"),
            leg("cucm10", "cucma", "cucma.example.com, CUCMA", "10.0.0.1"),
        ],
        "captures": [],
        "traces": [],
    }


def handshake(**changes: Any) -> Evidence:
    made = {
        "client": "10.0.0.1:40000", "server": "10.0.0.2:5061", "started": "2026-10-31T10:00:00Z", "protocol": "tls",
        "tls_version": "TLSv1.2", "cipher": "ECDHE-RSA-AES256-GCM-SHA384", "established": True, "mutual": True,
        "client_certificates": [view("CUCMA", "AA")], "server_certificates": [view("CUCM10", "BB")], "alerts": [],
    }  # fmt: skip
    return {**made, **changes}


def judge(evidence: Evidence, **options: Any) -> Evidence:
    """The verdict on the first direction, cucma to cucm10."""
    cases = verdict.directions_of(
        evidence["clusters"], evidence["directions"], captures=evidence["captures"], traces=evidence["traces"],
        now=NOW, **options,
    )  # fmt: skip
    return verdict.of_direction(cases[0])


def node(evidence: Evidence, index: int) -> Evidence:
    found: Evidence = evidence["clusters"][index]["nodes"][0]
    return found


def test_probe_and_configuration_make_it_secure() -> None:
    result = judge(sound())
    assert result["verdict"] == "secure", result["findings"]
    assert result["reach"] == "probed"
    assert result["server_certificate"] == {
        "subject": "C=IN, ST=cisco, L=cisco, O=cisco, OU=cisco, CN=CUCM10", "issuer": CA, "serial": "BB",
        "not_after": "2028-01-01T00:00:00Z", "sha256": view("CUCM10", "BB")["sha256"],
    }  # fmt: skip
    assert [finding["check"] for finding in result["findings"]] == ["tls_version"], (
        "TLS 1.0 causes a warning, and nothing else does"
    )


def test_dates_are_judged_by_the_clocks_of_the_nodes_that_see_the_certificate() -> None:
    evidence = sound()
    years = 3 * 365 * 86_400
    node(evidence, 1)["clock"] = {"offset": years, "source": "HTTPS"}
    result = judge(evidence)
    assert result["verdict"] == "insecure"
    assert [finding["cause"] for finding in result["findings"] if finding["check"] == "dates"] == [
        "the certificate of CUCMA expired on 2028-01-01, and the clock of CUCM10 is 1095 days ahead of the controller's"
    ]
    node(evidence, 1)["clock"] = {"offset": -years, "source": "CLI"}
    said = [finding["cause"] for finding in judge(evidence)["findings"] if finding["check"] == "dates"]
    assert len(said) == 1 and "CUCMA is not valid before" in said[0] and "1095 days behind" in said[0], said
    node(evidence, 1)["clock"] = {"offset": 0, "source": "controller"}
    assert judge(evidence)["verdict"] == "secure"


def test_better_evidence_reaches_further() -> None:
    evidence = sound()
    evidence["captures"] = [handshake()]
    seen = judge(evidence)
    assert (seen["verdict"], seen["reach"], seen["tls_version"]) == ("secure", "observed", "TLSv1.2")
    evidence["directions"][0]["calls"] = [
        {"calling": "1018", "called": "9898", "result": "answered", "transport": "TLS", "srtp": True}
    ]
    assert judge(evidence)["reach"] == "call"


def test_what_only_the_probe_negotiated_is_the_probes() -> None:
    evidence = sound()
    result = judge(evidence)
    assert (result["cipher"], result["cipher_source"], result["tls_version_source"]) == ("AES128-SHA", "probe", "probe")
    cases = verdict.directions_of(evidence["clusters"], evidence["directions"], now=NOW)
    assert verdict.verdict(cases)["summary"][0] == (
        "cucma to cucm10: secure (TLSv1, AES128-SHA to the controller's probe)"
    )


def test_the_cipher_of_the_clusters_comes_before_that_of_the_probe() -> None:
    evidence = sound()
    seen = {"remote_ip": "10.0.0.2", "subject": "/C=IN/ST=cisco/L=cisco/O=cisco/OU=cisco/CN=CUCM10",
            "cipher": "AES256-SHA"}  # fmt: skip
    evidence["traces"] = [{"cluster": "cucma", "certificates": [seen]}]
    result = judge(evidence)
    assert (result["cipher"], result["cipher_source"], result["tls_version_source"]) == ("AES256-SHA", "trace", "probe")
    evidence["captures"] = [handshake()]
    result = judge(evidence)
    assert (result["tls_version_source"], result["cipher_source"]) == ("capture", "capture")
    assert result["cipher"] == "ECDHE-RSA-AES256-GCM-SHA384"


def test_media_is_encrypted_only_when_a_call_showed_keys() -> None:
    evidence = sound()
    assert judge(evidence)["media"] == "allowed"
    evidence["clusters"][0]["security_mode"] = "non-secure"
    plain = judge(evidence)
    assert (plain["media"], plain["verdict"]) == ("not allowed", "secure")
    assert any("is not in mixed mode" in finding["cause"] for finding in plain["findings"])
    evidence["traces"] = [{"cluster": "cucma", "calls": [trace_call()]}]
    assert judge(evidence)["media"] == "encrypted"
    evidence["traces"] = [{"cluster": "cucma", "calls": [trace_call(srtp=False)]}]
    assert (judge(evidence)["media"], judge(evidence)["verdict"]) == ("clear", "insecure")
    evidence["traces"] = [{"cluster": "cucma", "calls": [trace_call(srtp=None)]}]
    assert judge(evidence)["media"] == "not allowed"


@pytest.mark.parametrize(
    ("phones", "media", "warned"),
    [({"Non Secure": 9, "Authenticated": 1}, "not allowed", True),
     ({"Non Secure": 9, "Encrypted": 1}, "allowed", False), ({}, "allowed", False), (None, "allowed", False)],
)  # fmt: skip
def test_phones_profiles_decide_over_media_where_no_call_was_seen(phones: Any, media: str, warned: bool) -> None:
    evidence = sound()
    for cluster in evidence["clusters"]:
        cluster["security_mode"] = "mixed"
    evidence["clusters"][1]["phone_security"] = phones
    result = judge(evidence)
    assert (result["media"], result["verdict"]) == (media, "secure")
    assert any("no phone of cucm10 has an encrypted" in finding["cause"] for finding in result["findings"]) is warned
    evidence["traces"] = [{"cluster": "cucma", "calls": [trace_call()]}]
    seen = judge(evidence)
    assert seen["media"] == "encrypted"
    assert not any("encrypted security profile" in finding["cause"] for finding in seen["findings"])


def test_a_self_signed_certificate_is_a_fault_of_trust() -> None:
    evidence = sound()
    break_self_signed(evidence)
    concerns = {finding["concerns"] for finding in judge(evidence)["findings"] if "self-signed" in finding["cause"]}
    assert concerns == {"trust"}


def test_a_call_whose_transport_is_not_shown_proves_nothing_about_it() -> None:
    evidence = sound()
    evidence["traces"] = [{"cluster": "cucma", "calls": [trace_call(transport=None)]}]
    result = judge(evidence)
    assert (result["verdict"], result["reach"]) == ("secure", "probed")


def test_tls13_capture_without_certificates_rests_on_the_probe() -> None:
    evidence = sound()
    evidence["captures"] = [
        handshake(tls_version="TLSv1.3", mutual=None, client_certificates=[], server_certificates=[])
    ]
    assert judge(evidence)["verdict"] == "secure"


SUBJECT = "/C=IN/ST=cisco/L=cisco/O=cisco/OU=cisco/CN="


def tls13(**changes: Any) -> Evidence:
    """A captured TLS 1.3 handshake, and both ends' traces of it."""
    evidence = sound()
    evidence["captures"] = [
        handshake(tls_version="TLSv1.3", mutual=None, client_certificates=[], server_certificates=[])
    ]
    at_client = {"time": "2026-10-31T15:30:00.300+05:30", "remote_ip": "10.0.0.2", "remote_port": 5061,
                 "subject": SUBJECT + "CUCM10"}  # fmt: skip
    at_server = {"time": "2026-10-31T10:00:00.200+00:00", "remote_ip": "10.0.0.1", "remote_port": 40000,
                 "subject": SUBJECT + "CUCMA", **changes}  # fmt: skip
    evidence["traces"] = [
        {"cluster": "cucma", "certificates": [at_client]}, {"cluster": "cucm10", "certificates": [at_server]},
    ]  # fmt: skip
    return evidence


def test_the_traces_of_both_ends_prove_a_tls13_connection() -> None:
    def proof(evidence: Evidence) -> list[str]:
        return [line["text"] for line in judge(evidence)["evidence"] if "traces of both ends" in line["text"]]

    (text,) = proof(tls13())
    assert text.endswith(f"{SUBJECT}CUCMA as client, {SUBJECT}CUCM10 as server")
    # Another port or another time is another connection.
    assert not proof(tls13(remote_port=40001))
    assert not proof(tls13(time="2026-10-31T11:00:00.200+00:00"))
    assert judge(tls13(subject="/CN=Mallory"))["verdict"] == "insecure"


def reissue(e: Evidence, **changes: Any) -> None:
    """Give the target another certificate, everywhere."""
    new = view("CUCM10", "BB", **changes)
    node(e, 1).update(held=new, issued=new)
    node(e, 1)["probe"]["chain"][0] = new


def test_a_ca_of_the_same_name_and_another_key_does_not_make_it_secure() -> None:
    evidence = sound()
    node(evidence, 0)["trust"] = [authority(key="somebody else's")]
    result = judge(evidence)
    assert result["verdict"] == "insecure"
    assert any("has no CA for CUCM10" in finding["cause"] for finding in result["findings"])


def break_active(e: Evidence) -> None:
    node(e, 1)["probe"]["chain"] = [view("CUCM10", "0B", issuer=None)]


def break_client_active(e: Evidence) -> None:
    node(e, 0)["probe"]["chain"] = [OLD_A]


def break_held(e: Evidence) -> None:
    node(e, 1)["held"] = view("CUCM10", "0B")


def break_self_signed(e: Evidence) -> None:
    for cluster_index in (0, 1):
        node(e, cluster_index)["issued"] = None
        shown = view(("CUCMA", "CUCM10")[cluster_index], "0C", issuer=None)
        node(e, cluster_index)["held"] = shown
        node(e, cluster_index)["probe"]["chain"] = [shown]


def break_expired(e: Evidence) -> None:
    reissue(e, end="2026-10-01")


def break_not_yet(e: Evidence) -> None:
    reissue(e, begin="2026-12-01")


def break_trust(e: Evidence) -> None:
    node(e, 0)["trust"] = [OLD_A]


def break_peer_trust(e: Evidence) -> None:
    node(e, 1)["trust"] = []


def break_name(e: Evidence) -> None:
    e["directions"][0]["profile"]["x509_subject_name"] = "CUCM11"


def break_peer_name(e: Evidence) -> None:
    e["directions"][1]["profile"]["x509_subject_name"] = "somebody"


def break_mutual(e: Evidence) -> None:
    node(e, 1)["probe"]["mutual"] = False


def break_destination(e: Evidence) -> None:
    e["directions"][0]["trunk"]["destinations"] = [{"address": "10.0.0.9", "port": 5061}]


def break_port(e: Evidence) -> None:
    e["directions"][0]["trunk"]["destinations"] = [{"address": "10.0.0.2", "port": 5060}]


def break_profile_used(e: Evidence) -> None:
    e["directions"][0]["trunk"]["security_profile"] = "Non Secure SIP Trunk Profile"


def break_transport(e: Evidence) -> None:
    e["directions"][0]["profile"].update(security_mode="Non Secure", outgoing_transport="TCP")


def break_null(e: Evidence) -> None:
    e["directions"][1]["profile"]["security_mode"] = "Authenticated"


def break_srtp(e: Evidence) -> None:
    e["directions"][1]["trunk"]["srtp_allowed"] = False


def break_eku(e: Evidence) -> None:
    reissue(e, uses=("serverAuth",))


def break_status(e: Evidence) -> None:
    e["directions"][0]["status"] = {"in_service": False, "reason": "Local=2: no socket could be opened"}


def break_plain(e: Evidence) -> None:
    e["captures"] = [handshake(protocol="sip", tls_version=None, server="10.0.0.2:5060", established=None)]


def break_alert(e: Evidence) -> None:
    alert = {"from": "server", "level": "fatal", "name": "unknown_ca", "meaning": "the CA is not trusted"}
    e["captures"] = [
        handshake(),
        handshake(started="2026-10-31T11:00:00Z", established=False, mutual=False, alerts=[alert]),
    ]


def break_wire_client(e: Evidence) -> None:
    e["captures"] = [handshake(client_certificates=[OLD_A])]


def break_cipher(e: Evidence) -> None:
    e["captures"] = [handshake(cipher="NULL-SHA")]


def break_call(e: Evidence) -> None:
    e["directions"][0]["calls"] = [{"from": "1018", "to": "9898", "result": "answered", "transport": "TCP"}]


def break_media(e: Evidence) -> None:
    e["directions"][0]["calls"] = [
        {"from": "1018", "to": "9898", "result": "answered", "transport": "TLS", "srtp": False}
    ]


def break_trace(e: Evidence) -> None:
    shown = {"remote_ip": "10.0.0.2", "subject": "/C=IN/O=cisco/CN=Mallory", "cipher": "AES128-SHA"}
    e["traces"] = [{"cluster": "cucma", "certificates": [shown]}]


@pytest.mark.parametrize(
    ("breaking", "check", "words"),
    [
        (break_active, "server_certificate", "uploaded but not yet active"),
        (break_client_active, "client_certificate", "uploaded but not yet active"),
        (break_held, "server_certificate", "not CUCM10 (serial BB), which the CA issued"),
        (break_self_signed, "server_certificate", "self-signed"),
        (break_expired, "dates", "expired on 2026-10-01"),
        (break_not_yet, "dates", "not valid before 2026-12-01"),
        (break_trust, "server_trust", "has no CA for CUCM10"),
        (break_peer_trust, "client_trust", "has no CA for CUCMA"),
        (break_name, "server_name", "accepts CUCM11, but the certificate of CUCM10"),
        (break_peer_name, "client_name", "names CUCMA"),
        (break_mutual, "mutual_authentication", "without asking for a client certificate"),
        (break_destination, "destinations", "10.0.0.9, which is not a node of cucm10"),
        (break_port, "destinations", "port 5060"),
        (break_profile_used, "profile", "uses the profile Non Secure SIP Trunk Profile"),
        (break_transport, "profile", "over TCP, not TLS"),
        (break_null, "peer_profile", "is Authenticated, not Encrypted"),
        (break_srtp, "srtp", "trunk of cucm10 does not allow SRTP"),
        (break_eku, "extended_key_usage", "not made for clientAuth"),
        (break_status, "trunk_status", "Local=2"),
        (break_plain, "wire", "in the clear"),
        (break_alert, "wire", "unknown_ca"),
        (break_wire_client, "client_certificate", "presented CUCMA (serial 0A) as client"),
        (break_cipher, "cipher", "NULL-SHA"),
        (break_call, "call", "over TCP, not TLS"),
        (break_media, "srtp", "without SRTP"),
        (break_trace, "trace_certificate", "Mallory"),
    ],
    ids=lambda value: value.__name__.removeprefix("break_") if callable(value) else "",
)
def test_what_is_wrong_is_insecure_with_its_cause(breaking: Callable[[Evidence], None], check: str, words: str) -> None:
    evidence = copy.deepcopy(sound())
    breaking(evidence)
    result = judge(evidence)
    assert result["verdict"] == "insecure"
    errors = [finding for finding in result["findings"] if finding["severity"] == "error"]
    assert any(error["check"] == check and words in error["cause"] for error in errors), errors


def drop_probe(e: Evidence) -> None:
    node(e, 1)["probe"] = None


def drop_held(e: Evidence) -> None:
    node(e, 1)["held"] = None


def drop_profile(e: Evidence) -> None:
    e["directions"][1]["profile"] = None


def drop_trunk(e: Evidence) -> None:
    e["directions"][0]["trunk"] = None


def drop_answer(e: Evidence) -> None:
    e["directions"][0]["calls"] = [{"from": "1018", "to": "9898", "result": "404 Not Found", "transport": "TLS"}]


@pytest.mark.parametrize(
    ("dropping", "check"),
    [
        (drop_probe, "server_certificate"),
        (drop_held, "server_certificate"),
        (drop_profile, "client_name"),
        (drop_trunk, "destinations"),
        (drop_answer, "call"),
    ],
    ids=lambda value: value.__name__.removeprefix("drop_") if callable(value) else "",
)
def test_what_was_not_seen_is_unproven(dropping: Callable[[Evidence], None], check: str) -> None:
    evidence = sound()
    dropping(evidence)
    result = judge(evidence)
    assert result["verdict"] == "unproven"
    assert any(finding["check"] == check and finding["severity"] == "missing" for finding in result["findings"])


def test_a_peers_own_root_chain_and_san_are_understood() -> None:
    evidence = sound()
    reissue(evidence, issuer="CN=Issuing", sans=("DNS:cucm10.example.com",))
    node(evidence, 1)["probe"]["chain"].insert(1, authority("CN=Issuing", LAB_CA))
    evidence["directions"][0]["profile"]["x509_subject_name"] = "CUCM10.EXAMPLE.COM"
    assert judge(evidence)["verdict"] == "secure"


def trace_call(**changes: Any) -> Evidence:
    made = {"remote_ip": "10.0.0.2", "direction": "out", "calling": "1018", "called": "9898", "result": "answered",
            "transport": "TLS", "srtp": True}  # fmt: skip
    return {**made, **changes}


def test_only_the_last_answered_call_out_of_a_trace_is_judged() -> None:
    evidence = sound()
    old, now = trace_call(transport="TCP", srtp=False), trace_call()
    evidence["traces"] = [
        {
            "cluster": "cucma",
            "calls": [old, now, trace_call(result="486 Busy Here"), trace_call(direction="in", srtp=False)],
        }
    ]
    assert (judge(evidence)["verdict"], judge(evidence)["reach"]) == ("secure", "call")
    evidence["traces"][0]["calls"].append(old)
    assert judge(evidence)["verdict"] == "insecure"


def test_a_call_in_clear_from_before_the_trunk_was_turned_into_tls_says_nothing_of_it() -> None:
    evidence = sound()
    seen = {"remote_ip": "10.0.0.2", "subject": node(evidence, 1)["held"]["subject"], "cipher": "AES256-SHA"}
    call = trace_call(transport="TCP", srtp=False, time="2026-10-31T12:00:05.000")
    evidence["traces"] = [
        {"cluster": "cucma", "calls": [call], "certificates": [{**seen, "time": "2026-10-31T12:00:09.000"}]}
    ]
    assert judge(evidence)["verdict"] == "secure"
    evidence["traces"][0]["certificates"][0]["time"] = "2026-10-31T12:00:01.000"
    assert judge(evidence)["verdict"] == "insecure"


def test_a_capture_from_the_middle_of_a_connection_does_not_hide_the_handshake() -> None:
    evidence = sound()
    middle = handshake(started="2026-10-31T12:00:00Z", mutual=None, cipher=None, tls_version=None,
                       client_certificates=[], server_certificates=[])  # fmt: skip
    evidence["captures"] = [handshake(), middle]
    assert judge(evidence)["cipher"] == "ECDHE-RSA-AES256-GCM-SHA384"
    evidence["captures"] = [handshake(mutual=False), middle]
    assert judge(evidence)["verdict"] == "insecure"


def test_srtp_can_be_left_out_of_the_question() -> None:
    evidence = sound()
    break_srtp(evidence)
    assert judge(evidence, srtp_wanted=False)["verdict"] == "secure"


def test_a_direction_from_nowhere_is_refused() -> None:
    evidence = sound()
    evidence["directions"][0]["from"] = "nowhere"
    with pytest.raises(ValueError, match="nowhere"):
        judge(evidence)


def test_a_peer_whose_part_of_the_run_failed_is_said_to_be_unseen() -> None:
    evidence = sound()
    del evidence["clusters"][1], evidence["directions"][1]
    result = judge(evidence)
    assert result["verdict"] == "unproven"
    assert [finding["cause"] for finding in result["findings"]] == [
        "Nothing of cucm10 was seen: it was unreachable, or its part of the run failed before this."
    ]


def test_the_whole_is_as_bad_as_its_worst_direction() -> None:
    evidence = sound()
    break_peer_name(evidence)
    cases = verdict.directions_of(evidence["clusters"], evidence["directions"], now=NOW)
    whole = verdict.verdict(cases)
    assert whole["verdict"] == "insecure"
    assert whole["summary"][0].startswith("cucma to cucm10: insecure (the profile of cucm10 accepts somebody")


def trust_findings(evidence: Evidence) -> list[tuple[str, str]]:
    """What the checker of the server's certificate says of its chain, and what is to be done."""
    findings = [finding for finding in judge(evidence)["findings"] if finding["check"] == "server_trust"]
    return [(finding["cause"], finding["remedy"]) for finding in findings]


@pytest.mark.parametrize(
    ("root", "words"),
    [
        ({"end": "2026-10-01"}, "the CA certificate C=IN, O=cisco, CN=Lab CA in its chain expired on 2026-10-01"),
        ({"begin": "2026-12-01"}, "CN=Lab CA in its chain is not valid before 2026-12-01 00:00 UTC"),
    ],
)
def test_the_dates_of_a_ca_count_as_those_of_the_certificate(root: Evidence, words: str) -> None:
    evidence = sound()
    node(evidence, 0)["trust"] = [authority(serial="CC", **root)]
    [(cause, _remedy)] = trust_findings(evidence)
    assert words in cause and "CUCMA (cucma) refuses CUCM10 (serial BB)" in cause


def test_the_dates_of_a_ca_are_judged_by_the_clock_of_the_node_that_checks() -> None:
    evidence = sound()
    node(evidence, 0)["trust"] = [authority(serial="CC", end="2026-11-20")]
    assert trust_findings(evidence) == []
    node(evidence, 0)["clock"] = {"offset": 30 * 86_400, "source": "CLI"}
    [(cause, _remedy)] = trust_findings(evidence)
    assert "expired on 2026-11-20, and the clock of CUCMA is 30 days ahead" in cause
    node(evidence, 0)["clock"] = {"offset": 0, "source": "CLI"}
    node(evidence, 1)["clock"] = {"offset": 30 * 86_400, "source": "CLI"}
    assert trust_findings(evidence) == [], "the store of CUCMA is judged by the clock of CUCMA"


def test_a_chain_that_openssl_would_not_follow_is_not_called_missing() -> None:
    evidence = sound()
    node(evidence, 0)["trust"] = [made(LAB_CA, None, serial="CC", uses=())]
    [(cause, remedy)] = trust_findings(evidence)
    assert "C=IN, O=cisco, CN=Lab CA, which signed it, is not a CA certificate" in cause and "missing" not in cause
    assert "issued by a CA" in remedy


def test_a_certificate_that_a_ca_signed_is_not_trusted_without_the_ca() -> None:
    evidence = sound()
    node(evidence, 0)["trust"] = [view("CUCM10", "BB")]
    [(cause, _remedy)] = trust_findings(evidence)
    assert "C=IN, O=cisco, CN=Lab CA is missing" in cause, "openssl: error 20"


def test_a_regenerated_certificate_is_to_be_signed_and_no_chain_is_missing() -> None:
    evidence = sound()
    own = view("CUCM10", "BE", issuer=None)
    node(evidence, 1).update(held=own, issued=None)
    node(evidence, 1)["probe"]["chain"] = [own]
    [(cause, remedy)] = trust_findings(evidence)
    assert "does not trust CUCM10's certificate" in cause and "self-signed, and not in the CallManager-trust" in cause
    assert "renew_certificates" in remedy and "upload it to CallManager-trust of CUCMA" in remedy
    node(evidence, 0)["trust"] = [ROOT, own]
    assert trust_findings(evidence) == []


def test_a_certificate_without_the_key_usage_of_a_client_is_not_made_for_tls(tmp_path: Path) -> None:
    issue(tmp_path, "Root", "", "basicConstraints=critical,CA:TRUE")
    extensions = ("keyUsage=critical,keyEncipherment", "extendedKeyUsage=serverAuth,clientAuth")
    own = read_certificate(issue(tmp_path, "CUCM10", "Root", *extensions)).view()
    evidence = sound()
    node(evidence, 1).update(held=own, issued=own)
    said = [finding["cause"] for finding in judge(evidence)["findings"] if finding["check"] == "extended_key_usage"]
    assert len(said) == 1 and "clientAuth needs digitalSignature or keyAgreement" in said[0], said


def test_a_chain_that_cannot_be_verified_here_is_unknown(tmp_path: Path) -> None:
    curve = "ec_paramgen_curve:brainpoolP320r1"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", str(tmp_path / "Root.key"))
    root = read_certificate(issue(tmp_path, "Root", "", "basicConstraints=critical,CA:TRUE")).view()
    own = read_certificate(issue(tmp_path, "CUCM10", "Root", "extendedKeyUsage=serverAuth,clientAuth")).view()
    evidence = sound()
    node(evidence, 1).update(held=own, issued=own)
    node(evidence, 1)["probe"]["chain"] = [own]
    node(evidence, 0)["trust"] = [root]
    result = judge(evidence)
    [finding] = [finding for finding in result["findings"] if finding["check"] == "server_trust"]
    assert finding["severity"] == "missing" and "cannot be verified here" in finding["cause"], finding


def test_a_ca_for_servers_alone_is_no_ca_of_clients(tmp_path: Path) -> None:
    extensions = ("basicConstraints=critical,CA:TRUE", "extendedKeyUsage=serverAuth")
    root = read_certificate(issue(tmp_path, "Root", "", *extensions)).view()
    evidence = sound()
    for index, name in enumerate(("CUCMA", "CUCM10")):
        own = read_certificate(issue(tmp_path, name, "Root", "extendedKeyUsage=serverAuth,clientAuth")).view()
        node(evidence, index).update(held=own, issued=own, trust=[root])
        node(evidence, index)["probe"]["chain"] = [own]
    findings = judge(evidence)["findings"]
    restricted = {finding["check"]: finding["cause"] for finding in findings if "restricted to" in finding["cause"]}
    assert set(restricted) == {"client_trust"} and "clientAuth is missing" in restricted["client_trust"], restricted
