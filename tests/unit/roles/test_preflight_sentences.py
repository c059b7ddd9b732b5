# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentences of preflight: what is wrong, where, and what to do; and what is no reason to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.filter.preflight import preflight
from ansible_collections.siptls.cucm.plugins.filter.preflight_problems import preflight_problems
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.authority import check_authority
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.objects import look_up
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.options import check_options
from test_composition import SETTINGS, view

ROLES = Path(__file__).resolve().parents[3] / "roles"
SPECS = {role: yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
         for role in ("callmanager_certificate", "preflight", "sip_tls_trunk", "sip_tls_verify")}  # fmt: skip
PROFILE = {"name": "Mine", "security_mode": "Encrypted", "incoming_transport": "TLS", "incoming_port": 5061,
           "x509_subject_names": ["b"]}  # fmt: skip
PATTERN = {"pattern": "9898", "partition": "", "gateway": "Elsewhere", "route_list": "", "devices": ["Elsewhere"]}


def info(**more: Any) -> dict[str, Any]:
    """What cucm_info says of a cluster where nothing is in the way."""
    found: dict[str, Any] = {"sip_trunks": [], "other_devices": [], "route_patterns": []}
    return {
        "version": "10.5.2.10000-5", "security_mode": "mixed", "rights": {"roles": None, "control_center": ""},
        "security_profiles": [], "sip_trunks": [], "missing": {}, **more, "found": {**found, **more.get("found", {})},
    }  # fmt: skip


def cluster(name: str, seen: dict[str, Any] | None = None, *, ports: Any = None, **more: Any) -> dict[str, Any]:
    """The facts of a cluster whose one node has its name."""
    nodes = [{"name": name, "address": f"10.0.0.{ord(name[0])}", "role": "Publisher"}]
    stored = {**view(name, days_left=900), "sha256": "AA"}
    node = {"item": nodes[0], "certificates": [stored], "ports": {"CallManager": ports or {}}}
    peers = [other for other in ("a", "b") if other != name]
    given: dict[str, Any] = {
        "planned": {"peers": peers, "settings": {**SETTINGS, "sip_profile_copy_from": "Standard SIP Profile"}}
    }
    given["patterns"] = [f"7{ord(name[0])}"]
    return preflight(name, {**(seen or info()), "nodes": nodes}, [node], **{**given, **more})


B = {"patterns": ["9898"]}


def checked(seen: dict[str, Any] | None = None, **more: Any) -> list[str]:
    """The list over cluster a, which these results describe, and a sound cluster b."""
    return preflight_problems([cluster("a", seen, **more), cluster("b", **B)])


def planned(**settings: Any) -> dict[str, Any]:
    return {"planned": {"peers": ["b"], "settings": {**SETTINGS, "sip_profile_copy_from": "", **settings}}}


TRUNK = {"name": "SIP-TLS-b", "description": "", "destinations": [{"address": "192.0.2.9", "port": 5060}]}
WRONG: list[tuple[str, dict[str, Any], dict[str, Any], tuple[str, ...]]] = [
    ("a pattern that leads to another trunk", info(found={"route_patterns": [PATTERN]}), {},
     ("route pattern 9898 without a partition", "number of b", "Elsewhere", "SIP-TLS-b", "sip_tls_trunk_partition")),
    ("a pattern that leads to a route list",
     info(found={"route_patterns": [{**PATTERN, "gateway": "", "route_list": "RL", "devices": ["G1", "G2"]}]}), {},
     ("route list RL (devices: G1, G2)",)),
    ("our trunk's name leads elsewhere", info(found={"sip_trunks": [TRUNK]}), {},
     ("SIP-TLS-b exists already and leads to 192.0.2.9", "not a node of b", "sip_tls_trunk_name")),
    ("our trunk's name is a gateway's", info(found={"other_devices": ["SIP-TLS-b"]}), {},
     ("device of another kind is called SIP-TLS-b",)),
    ("name and port on another profile", info(security_profiles=[PROFILE]), {},
     ("SIP TLS b and Mine", "X.509 subject name b on incoming_port 5061")),
    ("a plain profile on the TLS port",
     info(security_profiles=[{**PROFILE, "incoming_transport": "TCP+UDP", "security_mode": "Non Secure",
                             "x509_subject_names": []}]), {},
     ("SIP TLS b (TLS) and Mine (TCP+UDP) cannot share incoming_port 5061",)),
    ("our profile is used by somebody",
     info(security_profiles=[{**PROFILE, "name": "SIP TLS b", "security_mode": "Authenticated"}],
          sip_trunks=[{"name": "SBC", "security_profile": "SIP TLS b"}]), {},
     ("SIP TLS b exists already", "SIP trunk SBC uses it too", "sip_tls_trunk_profile")),
    ("a device pool that is not there", info(missing={"device_pools": ["Gone"]}), {},
     ("a: the device pool 'Gone' (sip_tls_trunk_device_pool)",)),
    ("nothing to copy from", info(missing={"sip_profiles": ["SIP TLS Profile", "Gone"]}),
     planned(sip_profile_copy_from="Gone"), ("sip_tls_trunk_sip_profile_copy_from",)),
    ("a name that CUCM won't take", info(), planned(name="To {peer}!"),
     ("'To b!' is not a name that CUCM takes for a SIP trunk", "It comes from sip_tls_trunk_name")),
    ("a profile's name too long", info(), planned(profile="{peer}" * 80), ("80 characters", "sip_tls_trunk_profile")),
    ("an account that only reads",
     info(rights={"roles": ["Standard AXL API Users", "Standard AXL Read Only API Access"], "control_center": ""}), {},
     ("a: the application account may only read", "Standard AXL API Access")),
    ("an account without serviceability", info(rights={"roles": None, "control_center": "Refused (403)."}), {},
     ("services can't be restarted nor trunks watched: Refused (403).",)),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "more", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_wrong_is_one_sentence(seen: dict[str, Any], more: dict[str, Any], words: tuple[str, ...]) -> None:
    found = checked(seen, **more)
    assert len(found) == 1, found
    assert found[0].startswith("a:") and found[0].endswith(".")
    for part in words:
        assert part in found[0]


RIGHT: list[tuple[str, dict[str, Any]]] = [
    ("nothing there", info()),
    ("our own objects, from an earlier run", info(
        security_profiles=[{**PROFILE, "name": "SIP TLS b"}],
        sip_trunks=[{"name": "SIP-TLS-b", "security_profile": "SIP TLS b"}],
        found={"sip_trunks": [{**TRUNK, "description": "SIP over mutual TLS to b"}],
               "route_patterns": [{**PATTERN, "gateway": "SIP-TLS-b", "devices": ["SIP-TLS-b"]}]})),
    ("a plain trunk to the peer, to be turned into a TLS one, with a route list of its own", info(found={
        "sip_trunks": [{**TRUNK, "destinations": [{"address": "10.0.0.98", "port": 5060}]}],
        "route_patterns": [{**PATTERN, "gateway": "", "route_list": "RL", "devices": ["SIP-TLS-b"]}]})),
    ("the name on another port", info(security_profiles=[{**PROFILE, "incoming_port": 5071}])),
    ("a role of one's own beside the reading one", info(
        rights={"roles": ["AXL for trunks", "Standard AXL Read Only API Access"], "control_center": ""})),
    ("our profile as it should be, used by somebody", info(
        security_profiles=[{**PROFILE, "name": "SIP TLS b", "x509_subject_names": ["B"]}],
        sip_trunks=[{"name": "SBC", "security_profile": "SIP TLS b"}])),
    ("the template is gone, and nothing is to be copied", info(
        security_profiles=[{**PROFILE, "name": "SIP TLS b"}],
        missing={"security_profiles": ["Non Secure SIP Trunk Profile"]})),
]  # fmt: skip


@pytest.mark.parametrize("seen", [row[1] for row in RIGHT], ids=[row[0] for row in RIGHT])
def test_what_is_right_stops_nobody(seen: dict[str, Any]) -> None:
    assert checked(seen) == []


def test_trunks_are_judged_even_when_a_peers_certificate_could_not_be_read() -> None:
    silent = cluster("b", **B)
    silent["certificates"] = {"b": None}
    assert "Elsewhere" in preflight_problems([cluster("a", info(found={"route_patterns": [PATTERN]})), silent])[0]


def test_without_trunks_only_the_cluster_is_judged() -> None:
    seen = info(found={"route_patterns": [PATTERN]}, missing={"device_pools": ["Gone"]})
    assert checked(seen, planned=None) == []


def test_a_cluster_with_seventeen_nodes_is_too_large_for_a_trunk() -> None:
    large = cluster("b", **B)
    large["nodes"] = [{"name": f"b{number}", "address": f"10.0.0.{number}"} for number in range(17)]
    assert "17 nodes" in preflight_problems([cluster("a"), large])[0]


def test_peers_that_are_not_ours_meet_what_stands_there_too() -> None:
    sbc = {"name": "sbc", "names": ["sbc.example.com"], "addresses": ["sbc.example.com"], "chain": [], "port": 5061,
           "patterns": ["0.!"], "incoming_port": None, "legacy_crypto": False}  # fmt: skip
    seen = info(
        found={
            "route_patterns": [{**PATTERN, "pattern": "0.!"}],
            "sip_trunks": [{**TRUNK, "name": "SIP-TLS-sbc", "destinations": [{"address": "other.example.com"}]}],
        }
    )
    found = preflight_problems([{**cluster("a", seen), "external": [sbc]}, cluster("b", **B)])
    assert len(found) == 2
    assert "leads to other.example.com, which is not a node of sbc" in found[0]
    assert "route pattern 0.! without a partition, a number of sbc" in found[1]
    asked = look_up(["b"], SETTINGS, ["9898"], [{"name": "sbc", "numbers": ["0.!"]}, "nonsense"])
    assert asked["sip_trunks"] == ["SIP-TLS-b", "SIP-TLS-sbc"]
    assert [route_pattern["pattern"] for route_pattern in asked["route_patterns"]] == ["9898", "0.!"]


SBC = {"name": "sbc", "names": ["sbc.example.com"], "addresses": ["sbc.example.com"], "chain": [], "port": 5061,
       "patterns": [], "routes": [], "incoming_port": None, "legacy_crypto": False}  # fmt: skip


def about_external(missing: dict[str, Any] | None = None, **keys: Any) -> list[str]:
    seen = info(missing=missing or {})
    return preflight_problems([{**cluster("a", seen), "external": [{**SBC, **keys}]}, cluster("b", **B)])


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (
            {"addresses": ["2001:db8::7"]},
            "the destination 2001:db8::7 of SIP trunk SIP-TLS-sbc is an IPv6 address alone",
        ),
        ({"addresses": ["192.0.2.7"], "trunk": {"destination_is_srv": True}}, "excludes the IP address 192.0.2.7"),
        ({"addresses": ["_sips._tcp.example.com"]}, "is the name of an SRV record. Set destination_is_srv to true"),
        ({"routes": [{"pattern": "9.@"}]}, "route pattern 9.@ contains @ and needs a dial_plan"),
        ({"routes": [{"pattern": "9.X", "blocked_call_percentage": "5"}]}, "needs enable_dcc_enforcement"),
        ({"routes": [{"pattern": "9.X", "emergency_service_number": True}]}, "needs CUCM release 11.0 and later"),
    ],
)
def test_what_a_task_would_refuse_of_a_peer_that_is_not_ours_is_found_before(keys: dict[str, Any], says: str) -> None:
    (text,) = about_external(**keys)
    assert text.startswith("a: ") and says in text
    mode = {"addresses": ["2001:db8::7"], "trunk": {"common_device_configuration": "IPv6"}}
    assert not about_external() and not about_external(**mode)


def test_objects_that_an_external_peer_or_a_number_names_have_to_exist() -> None:
    trunk = {"sip_profile": "Theirs", "calling_search_space": "From them", "aar_calling_search_space": "AAR"}
    missing = {"sip_profiles": ["Theirs"], "calling_search_spaces": ["From them", "AAR"], "partitions": ["Gone"]}
    routes = [{"pattern": "9.X", "partition": "Gone"}]
    assert [text.partition("does not exist")[0] for text in about_external(missing, trunk=trunk, routes=routes)] == [
        "a: the calling search space 'From them' (calling_search_space of the external peer sbc) ",
        "a: the calling search space 'AAR' (aar_calling_search_space of the external peer sbc) ",
        "a: the partition 'Gone' (partition of the number 9.X) ",
        "a: the SIP profile 'Theirs' (sip_profile of the external peer sbc) ",
    ]
    given = {"name": "sbc", "numbers": [{"pattern": "9.X", "partition": "Gone"}], "sip_profile": "Theirs",
             "calling_search_space": "From them", "trunk": {"aar_calling_search_space": "AAR"}}  # fmt: skip
    asked = look_up(["b"], SETTINGS, [], [given])
    assert sorted(asked["calling_search_spaces"]) == ["AAR", "From them"]
    assert "Theirs" in asked["sip_profiles"] and asked["partitions"] == ["Gone"]


def test_one_cluster_without_any_peer_is_a_problem_where_trunks_are_wanted() -> None:
    text = (
        "a is the only cluster in cucm_clusters, and cucm_external_peers is empty, so that there is no trunk to set "
        "up. Add the other clusters to the group, or the peer to cucm_external_peers."
    )
    assert preflight_problems([cluster("a", hosts=["a"])]) == [text]
    assert preflight_problems([cluster("a", hosts=["a"], planned=None)]) == [], "certificates alone need no peer"
    assert preflight_problems([cluster("a", hosts=["a", "b"])]) == [], "--limit leaves out the peer"


def test_silent_clusters_are_named_beside_what_is_wrong() -> None:
    silent = preflight("b", {"msg": "Asking b failed: no connection (refused).", "reason": "unreachable"}, [])
    wrong = cluster("a", info(rights={"roles": None, "control_center": "Refused."}))
    assert preflight_problems([cluster("a"), silent]) == []
    assert preflight_problems([silent]) == [silent["unreachable"]], "no cluster is left"
    assert len(preflight_problems([wrong, silent])) == 2 and "no connection" in preflight_problems([wrong, silent])[1]


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({"port": 5061, "state": "silent"}, "a firewall is likely"),
        ({"port": 5061, "state": "no_handshake", "said": "It said no."}, "no TLS handshake. It said no."),
        ({"port": 5061, "state": "tls", "sha256": "BB", "subject": "CN=x"}, "presents another certificate (CN=x)"),
        ({"port": 5061, "state": "refused"}, ""),
        ({"port": 5061, "state": "tls", "sha256": "AA"}, ""),
        ({}, ""),
    ],
)
def test_the_port_as_this_machine_sees_it_is_only_warned_of(seen: dict[str, Any], words: str) -> None:
    facts = cluster("a", ports=seen)
    assert not facts["problems"]
    assert [text for text in facts["warnings"] if "port 5061" in text] == [
        text for text in facts["warnings"] if words and words in text
    ]
    assert bool(facts["warnings"]) == bool(words)


def test_a_non_secure_cluster_is_warned_that_srtp_needs_mixed_mode() -> None:
    (text,) = cluster("a", info(security_mode="non-secure"))["warnings"]
    assert "mixed mode" in text
    assert not cluster("a", info(security_mode="non-secure"), **planned(srtp_allowed=False))["warnings"]


def test_a_release_from_the_future_is_warned_of() -> None:
    assert "newer than siptls.cucm knows" in cluster("a", info(version="16.0.1.10000-1"))["warnings"][0]


OPTIONS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"sip_tls_trunk_port": 70000}, ("sip_tls_trunk_port is 70000", "1 to 65535")),
    ({"sip_tls_trunk_port": "70000"}, ("sip_tls_trunk_port is 70000",)),
    ({"sip_tls_trunk_port": "many"}, ("Role sip_tls_trunk", "sip_tls_trunk_port", "int")),
    ({"sip_tls_trunk_security_mode": "Very"}, ("sip_tls_trunk_security_mode", "Encrypted, Authenticated", "Very")),
    ({"sip_tls_trunk_srtp_allowed": "often"}, ("sip_tls_trunk_srtp_allowed", "bool")),
    ({"sip_tls_trunk_options_interval_down": 2}, ("from 5 to 600",)),
    ({"callmanager_certificate_days": 0}, ("callmanager_certificate_days is 0",)),
    ({"callmanager_certificate_regenerate": "now"}, ("if_needed, always, never",)),
    ({"sip_tls_verify_enforce": "perhaps"}, ("Role sip_tls_verify",)),
    ({"sip_tls_trunk_peers": ["b", "c"], "sip_tls_trunk_name": "Same"}, ("sip_tls_trunk_name is 'Same'", "{peer}")),
]


@pytest.mark.parametrize(("values", "words"), OPTIONS, ids="-".join)
def test_an_option_of_the_wrong_kind_is_named(values: dict[str, Any], words: tuple[str, ...]) -> None:
    (found,) = check_options(values, SPECS)
    for part in words:
        assert part in found


def test_options_as_text_from_a_survey_are_right() -> None:
    given = {"sip_tls_trunk_port": "5061", "callmanager_certificate_restart": "false", "sip_tls_trunk_peers": "b,c",
             "callmanager_certificate_issuer": ""}  # fmt: skip
    assert check_options(given, SPECS) == []


def test_a_slip_of_all_clusters_is_said_once_and_one_clusters_slip_with_its_name() -> None:
    both = [cluster("a", inventory=["x is wrong."]), cluster("b", inventory=["x is wrong."])]
    assert preflight_problems(both) == ["x is wrong."]
    assert preflight_problems([cluster("a"), cluster("b", inventory=["x is wrong."])]) == ["b: x is wrong."]


def test_a_ca_that_is_none_is_named() -> None:
    assert "can't be read" in check_authority("-----BEGIN NONSENSE-----", 30, 30, "ca")["problems"][0]
    assert check_authority("", 30, 30, "ca") == {"problems": [], "warnings": []}


def test_what_is_looked_up_is_what_the_trunks_meet() -> None:
    asked = look_up(["b"], {**SETTINGS, "sip_profile_copy_from": "Standard SIP Profile"}, ["9898", "9898"])
    assert asked["sip_trunks"] == ["SIP-TLS-b"]
    assert asked["route_patterns"] == [{"pattern": "9898", "partition": ""}]
    assert asked["sip_profiles"] == ["SIP TLS Profile", "Standard SIP Profile"]
    assert asked["calling_search_spaces"] == [] and asked["device_pools"] == ["Default"]
