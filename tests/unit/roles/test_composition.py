# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles' filters work out from the facts of the clusters."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.filter.preflight import preflight
from ansible_collections.siptls.cucm.plugins.filter.preflight_problems import preflight_problems
from ansible_collections.siptls.cucm.plugins.filter.sip_tls_cluster import sip_tls_cluster
from ansible_collections.siptls.cucm.plugins.filter.sip_tls_evidence import sip_tls_evidence
from ansible_collections.siptls.cucm.plugins.filter.sip_tls_trunk_objects import sip_tls_trunk_objects
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.renewals import renewals
from ansible_collections.siptls.cucm.plugins.module_utils._roles.names import certificate_names
from ansible_collections.siptls.cucm.plugins.module_utils._roles.plan.changes import changes

from tests.support.made_views import made
from tests.support.openssl_peer import ADDRESS, probe

SETTINGS = {
    "name": "SIP-TLS-{peer}", "profile": "SIP TLS {peer}", "route_group": "{peer}-RG", "route_list": "{peer}-RL",
    "profile_copy_from": "Non Secure SIP Trunk Profile", "security_mode": "Encrypted", "port": 5061,
    "sip_profile": "SIP TLS Profile", "srtp_allowed": True, "device_pool": "Default", "location": "Hub_None",
    "calling_search_space": "", "route_by": "trunk", "partition": "",
}  # fmt: skip


def view(common_name: str, *sans: str, **more: Any) -> dict[str, Any]:
    alternatives = tuple(f"DNS:{name}" for name in sans)
    return {"purpose": "CallManager", **made(f"C=IN,O=cisco,CN={common_name}", sans=alternatives), **more}


def cluster(
    name: str, *nodes: str, patterns: tuple[str, ...] = ("1018",), chain: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {
        "name": name,
        "nodes": [{"name": node, "address": f"{node.lower()}.example"} for node in nodes],
        "certificates": {node: view(node) for node in nodes},
        "patterns": list(patterns),
        "chain": list(chain),
    }


def test_names_leave_out_the_parent_domain_that_two_clusters_may_share() -> None:
    assert certificate_names(view("CUCM10", "cucm10.lab.local", "lab.local")) == ["CUCM10", "cucm10.lab.local"]


def test_names_keep_a_common_name_that_looks_like_a_parent_domain() -> None:
    assert certificate_names(view("lab.local", "a.lab.local")) == ["lab.local", "a.lab.local"]


def test_a_peer_gets_one_profile_one_trunk_and_a_pattern_for_each_number() -> None:
    made = sip_tls_trunk_objects(
        ["b"], [cluster("a", "A"), cluster("b", "B1", "B2", patterns=("9898", "98XX"))], SETTINGS
    )
    (profile,), (trunk,) = made["profiles"], made["trunks"]
    assert profile["x509_subject_names"] == ["B1", "B2"]
    assert (profile["incoming_port"], profile["security_mode"], profile["copy_from"]) == (
        5061, "Encrypted", "Non Secure SIP Trunk Profile",
    )  # fmt: skip
    assert trunk["destinations"] == [{"address": "b1.example", "port": 5061}, {"address": "b2.example", "port": 5061}]
    assert trunk["security_profile"] == profile["name"]
    assert [(pattern["pattern"], pattern["gateway"]) for pattern in made["patterns"]] == [
        ("9898", "SIP-TLS-b"), ("98XX", "SIP-TLS-b"),
    ]  # fmt: skip
    assert not made["route_groups"] and not made["route_lists"] and not made["waiting"]


def test_patterns_may_go_by_route_list_and_route_group() -> None:
    made = sip_tls_trunk_objects(["b"], [cluster("b", "B")], {**SETTINGS, "route_by": "route_list"})
    assert made["route_groups"] == [{"name": "b-RG", "members": [{"device": "SIP-TLS-b"}]}]
    assert made["route_lists"][0]["members"] == [{"route_group": "b-RG"}]
    assert made["patterns"][0]["route_list"] == "b-RL" and "gateway" not in made["patterns"][0]


def test_a_peer_without_certificates_waits_and_the_others_are_made() -> None:
    half = cluster("c", "C1", "C2")
    half["certificates"]["C2"] = None
    made = sip_tls_trunk_objects(["b", "c", "d"], [cluster("b", "B"), half], SETTINGS)
    assert [peer["name"] for peer in made["peers"]] == ["b"]
    assert [text.split(":")[0] for text in made["waiting"]] == ["c", "d"]


def test_only_the_cas_that_are_not_ones_own_are_trusted_and_each_once() -> None:
    ours, theirs = "PEM-A", "PEM-B"
    clusters = [
        cluster("b", "B", chain=(ours,)),
        cluster("c", "C", chain=(theirs,)),
        cluster("d", "D", chain=(theirs,)),
    ]
    assert sip_tls_trunk_objects(["b", "c", "d"], clusters, SETTINGS, own={"chain": [ours]})["trust"] == [theirs]


def test_more_nodes_than_a_trunk_takes_are_refused() -> None:
    with pytest.raises(ValueError, match="17 nodes"):
        sip_tls_trunk_objects(["b"], [cluster("b", *(f"B{number}" for number in range(17)))], SETTINGS)


INFO = {"version": "9.1.2.10000-28", "security_mode": "mixed"}


def checked(node: str = "CUCMA", certificate: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    nodes = [{"name": node, "address": "10.0.0.1", "role": "Publisher"}]
    stored = [certificate or view(node, days_left=900)]
    return preflight("a", {**INFO, "nodes": nodes}, [{"item": nodes[0], "certificates": stored}], **more)


def test_a_sound_cluster_has_no_problem() -> None:
    facts = checked()
    assert not facts["problems"] and not facts["warnings"] and not facts["unreachable"]
    assert facts["certificates"]["CUCMA"]["subject"].endswith("CN=CUCMA")


@pytest.mark.parametrize(
    ("node", "certificate"),
    [("localhost", None), ("two words", None), ("CUCMA", view("OLDNAME")), ("CUCMA", view("CUCMA10"))],
)
def test_a_wrong_name_is_a_problem_before_anything_is_signed(node: str, certificate: dict[str, Any] | None) -> None:
    assert len(checked(node, certificate)["problems"]) == 1


@pytest.mark.parametrize("common_name", ["cucma", "cucma.example.com", "CUCMA-ms.example.com"])
def test_host_name_fqdn_and_multi_server_names_are_right(common_name: str) -> None:
    assert not checked("CUCMA", view(common_name, days_left=900))["problems"]


def test_what_ends_soon_is_warned_of() -> None:
    assert "expires in 3 days" in checked(certificate=view("CUCMA", days_left=3))["warnings"][0]
    assert "has expired" in checked(certificate=view("CUCMA", days_left=-1))["warnings"][0]


def test_silence_and_refusal_are_two_things() -> None:
    silent = preflight("a", {"msg": "Asking a failed: no connection (refused).", "reason": "unreachable"}, [])
    refused = preflight("a", {"msg": "AXL refused the account axladmin (HTTP 401)."}, [])
    assert silent["unreachable"] and not silent["problems"]
    assert refused["problems"] and not refused["unreachable"]
    sound = {**checked(), "name": "b"}
    assert not preflight_problems([silent, sound]) and len(preflight_problems([silent, sound], "stop")) == 1


def test_all_that_is_wrong_on_all_clusters_is_one_list() -> None:
    first = {**checked(patterns=["1018"]), "name": "a"}
    other = {**checked(patterns=["1018"], node="localhost"), "name": "b"}
    found = preflight_problems([first, other])
    assert len(found) == 2
    assert "localhost" in found[0] and "both claim the number 1018" in found[1]


def test_two_clusters_may_not_have_the_same_certificate_name() -> None:
    assert "can't tell them apart" in preflight_problems([checked(), {**checked(), "name": "b"}])[0]


def test_a_fresh_certificate_replaces_the_one_that_was_held() -> None:
    facts = checked()
    csr = {"item": facts["nodes"][0], "csr": "CSR", "certificate": view("CUCMA")}
    signed = {"name": "CUCMA", "certificate": "LEAF", "view": view("CUCMA", serial="77"), "chain": ["ROOT"]}
    after = sip_tls_cluster(facts, csrs=[csr], signed=[signed])
    assert after["certificates"]["CUCMA"]["serial"] == "77"
    assert after["chain"] == ["ROOT"]
    kept = sip_tls_cluster(facts, csrs=[{**csr, "csr": None}], signed=[])
    assert kept["certificates"]["CUCMA"]["serial"] == "2A"


def test_evidence_takes_what_stands_when_a_change_is_only_predicted() -> None:
    facts = checked()
    node = facts["nodes"][0]
    objects = {"objects": [{"name": "P", "object": {"security_mode": "Encrypted"}, "previous": {}}]}

    def evidence(predicted: bool) -> Any:
        return sip_tls_evidence(
            facts, certificates=[{"item": node, "certificates": [view("CUCMA")]}], probes=[{"item": node, "msg": "no"}],
            peers=[{"name": "b", "trunk": "T", "profile": "P"}], profiles={**objects, "predicted": predicted},
        )["directions"][0]["profile"]  # fmt: skip

    assert evidence(False) == {"security_mode": "Encrypted"}
    assert evidence(True) is None


def test_evidence_says_what_could_not_be_read() -> None:
    facts = checked()
    node = facts["nodes"][0]
    lost, skipped = {"msg": "no answer", "failed": False}, {"msg": "not now", "skipped": True}
    found = sip_tls_evidence(
        facts, certificates=[{"item": node, "certificates": []}], probes=[{"item": node, **lost}], states=lost,
        captures=[{"connections": []}], traces=skipped,
    )  # fmt: skip
    assert found["unread"] == [f"{facts['name']}: no answer"] * 2
    assert not sip_tls_evidence(facts, certificates=[], probes=[], states={"trunks": []})["unread"]


def test_evidence_keeps_why_a_port_showed_no_certificate() -> None:
    facts = checked()
    with socket.create_server((ADDRESS, 0)) as server:
        silent = probe(server.getsockname()[1], timeout=1)
    for result, state in ((silent, "no_handshake"), (probe(9), "refused")):
        probes = [{"item": facts["nodes"][0], **result}]
        kept = sip_tls_evidence(facts, certificates=[], probes=probes)["cluster"]["nodes"][0]["probe"]
        assert kept == {"port_state": state, "said": result["msg"]}


def test_what_a_run_changed_is_listed_by_cluster_step_and_node() -> None:
    node = {"name": "CUCMA", "address": "10.0.0.1"}
    hosts = [
        {
            "inventory_hostname": "cucma",
            "callmanager_certificate_csrs": {"changed": True, "results": [{"changed": True, "item": node}]},
            "callmanager_certificate_uploads": {
                "changed": True,
                "results": [{"changed": True, "actions": ["put CN=CUCMA into CallManager"], "item": node}],
            },
            "sip_tls_trunk_trunks": {"changed": True, "actions": ["added SIP-TLS-b"]},
            "sip_tls_trunk_patterns": {"changed": False, "actions": []},
        },
        {"inventory_hostname": "b", "sip_tls_trunk_trunks": {"skipped": True, "changed": False}},
    ]
    assert changes(hosts) == [
        {"cluster": "cucma", "what": "CSR", "actions": ["made a key and a CSR for CallManager (CUCMA)"]},
        {"cluster": "cucma", "what": "Certificates", "actions": ["put CN=CUCMA into CallManager (CUCMA)"]},
        {"cluster": "cucma", "what": "SIP trunks", "actions": ["added SIP-TLS-b"]},
    ]
    # What a check would do is no change.
    assert changes([{**hosts[0], "sip_tls_verify_evidence": {"predicted": True}}]) == []


def with_clock(offset: int, **more: Any) -> dict[str, Any]:
    """The facts of a cluster whose only node has a clock that is off by so many seconds."""
    info = {"nodes": [{"name": "CUCMA", "address": "a", "role": "Publisher"}], "version": "12.5"}
    stored = {"item": info["nodes"][0], "certificates": [view("CUCMA", days_left=400)], "clock": {"offset": offset}}
    return preflight("a", info, [stored], **more)


@pytest.mark.parametrize("offset", [0, 59, -59])
def test_a_clock_that_is_about_right_is_not_worth_a_word(offset: int) -> None:
    facts = with_clock(offset)
    assert not facts["problems"] and not facts["warnings"]


@pytest.mark.parametrize(("offset", "words"), [(3_456_000, "40 days ahead of"), (-120, "2 min behind")])
def test_a_clock_that_is_off_is_warned_of_with_the_figures(offset: int, words: str) -> None:
    facts = with_clock(offset)
    assert not facts["problems"]
    (warning,) = facts["warnings"]
    assert words in warning and "node CUCMA" in warning and "utils ntp status" in warning


def test_a_clock_so_far_behind_that_a_new_certificate_is_not_valid_there_is_a_problem() -> None:
    (problem,) = with_clock(-1_200)["problems"]
    assert "20 min behind" in problem and "not yet valid" in problem and "NTP" in problem
    assert not with_clock(-1_200, backdating=60)["problems"]


def test_a_clock_that_is_behind_is_only_warned_of_if_nothing_will_be_signed() -> None:
    facts = with_clock(-40 * 86_400, backdating=None)
    assert not facts["problems"]
    (warning,) = facts["warnings"]
    assert "40 days behind" in warning


def due(node: str, **more: Any) -> dict[str, Any]:
    return {"item": {"name": node}, "needed": True, "reason": "20 days left", "certificate": {"days_left": 20}, **more}


def test_what_was_due_is_told_with_what_became_of_it() -> None:
    csrs = [due("A"), due("B"), due("C"), {"item": {"name": "D"}, "needed": False, "reason": "serves"}]
    placed = [{"item": {"name": node}, "certificate": view("x")} for node in "AB"]
    rows = renewals(
        "big", csrs, uploads=placed, restarts=[{"item": {"name": "A"}}, {"item": {"name": "B"}, "failed": True}]
    )
    assert [(row["node"], row["state"]) for row in rows] == [("A", "renewed"), ("B", "uploaded"), ("C", "due")]
    assert rows[0]["text"] == "big, node A, CallManager: renewed (20 days left)"
    assert [row["state"] for row in renewals("big", csrs, uploads=placed, check=True)] == ["due"] * 3


def test_all_nodes_are_to_present_the_publishers_certificate_where_they_share_one() -> None:
    facts = cluster("big", "PUB", "SUB")
    facts["nodes"][0]["role"], facts["nodes"][1]["role"] = "Publisher", "Subscriber"
    facts["trust"] = {"PUB": [], "SUB": []}
    csr = {"item": facts["nodes"][0], "certificate": view("PUB")}
    fresh = {"name": "PUB", "certificate": "PEM", "view": view("PUB-ms.lab.local"), "chain": ["CA"]}
    shared = sip_tls_cluster(facts, csrs=[csr], signed=[fresh], shared=True)
    assert shared["certificates"] == {node: view("PUB-ms.lab.local") for node in ("PUB", "SUB")}
    assert shared["chain"] == ["CA"]


@pytest.mark.parametrize("first", [True, False, None])
def test_the_node_on_which_a_trunk_is_out_of_service_counts(first: bool | None) -> None:
    rows = [
        {"name": "T", "node": node, "in_service": state} for node, state in (("A", first), ("B", False), ("C", True))
    ]
    peers = [{"name": "cucm10", "profile": "P", "trunk": "T"}]
    found = sip_tls_evidence(
        {"name": "cucma", "nodes": []}, certificates=[], probes=[], peers=peers, states={"trunks": rows}
    )
    status = found["directions"][0]["status"]
    assert status["in_service"] is False and status["node"] in ("A", "B")


def test_the_nodes_without_a_trunk_are_named_in_the_evidence() -> None:
    others = [{"name": "B", "address": "10.0.0.2", "callmanager": False, "trunk": False}]
    found = sip_tls_evidence({"name": "cucma", "nodes": []}, certificates=[], probes=[], others=others)
    assert found["cluster"]["other_nodes"] == [{"name": "B", "addresses": ["10.0.0.2", "B"], "callmanager": False}]
