# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phase of a CA roll-over, over shapes of clusters; and what may not begin, with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.filter.preflight import preflight
from ansible_collections.siptls.cucm.plugins.filter.sip_tls_removal import sip_tls_removal
from ansible_collections.siptls.cucm.plugins.filter.sip_tls_roll_over import sip_tls_roll_over
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import clusters_of
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.group import problems
from test_composition import SETTINGS

from tests.support.made_views import authority, made

OLD_NAME, NEW_NAME = "C=IN,O=cisco,CN=Old CA", "C=IN,O=cisco,CN=New CA"
OLD, NEW = authority(OLD_NAME), authority(NEW_NAME)
OTHER = authority("CN=Other CA")
Views = list[dict[str, Any]]


def leaf(node: str, issuer: str | None = OLD_NAME, purpose: str = "CallManager") -> dict[str, Any]:
    return {**made(f"C=IN,O=cisco,CN={node}", issuer), "purpose": purpose}


def trusted(*cas: dict[str, Any]) -> Views:
    return [{**view, "purpose": "CallManager-trust", "name": f"{view['common_name']}.pem"} for view in cas]


def cluster(
    name: str, issuer: str | None = OLD_NAME, *cas: dict[str, Any], nodes: int = 1, **more: Any
) -> dict[str, Any]:
    """The facts of a cluster whose nodes have certificates of one CA, trust some, and serve what they hold."""
    names = [f"{name}{n}" for n in range(1, nodes + 1)]
    leaves = {node: leaf(node, issuer) for node in names}
    return {
        "name": name, "nodes": [{"name": node, "address": node} for node in names], "certificates": leaves,
        "trust": {node: trusted(*(cas or (OLD,))) for node in names},
        "served": {node: {"CallManager": view["sha256"], "CallManager-ECDSA": ""} for node, view in leaves.items()},
        "new_cas": [NEW["pem"]], "old_cas": [OLD["pem"]], **more,
    }  # fmt: skip


def state(*facts: dict[str, Any], hosts: list[str] | None = None, **more: Any) -> dict[str, Any]:
    return sip_tls_roll_over(facts, hosts=hosts or [cluster["name"] for cluster in facts], **more)


def test_one_node_of_nine_that_lacks_the_new_ca_keeps_the_phase_at_trust() -> None:
    facts = [cluster(name, OLD_NAME, OLD, NEW, nodes=3) for name in "abc"]
    assert state(*facts)["phase"] == "sign"
    facts[1]["trust"]["b3"] = trusted(OLD)
    found = state(*facts)
    assert (found["phase"], found["lacking"], found["blocked"]) == ("trust", {"b": {"b3": [NEW["pem"]]}}, [])
    assert "from Old CA to New CA: phase trust; b3 must get it" in found["text"]


def test_phases_follow_each_other() -> None:
    everything = [cluster("a"), cluster("b")]
    assert state(*everything)["phase"] == "trust"
    both = [cluster("a", OLD_NAME, OLD, NEW), cluster("b", OLD_NAME, OLD, NEW)]
    assert (state(*both)["phase"], state(*both)["unsigned"]) == ("sign", ["a", "b"])
    half = [cluster("a", NEW_NAME, OLD, NEW), both[1]]
    assert (state(*half)["phase"], state(*half)["unsigned"]) == ("sign", ["b"])
    assert [leaf["under"] for leaf in state(*half)["leaves"]] == ["new", "old"]
    assert state(*half)["certificates"][1] == "b, node b1, CallManager: C=IN, O=cisco, CN=Old CA (old)"
    signed = [cluster(name, NEW_NAME, OLD, NEW) for name in "ab"]
    assert (state(*signed)["phase"], state(*signed)["blocked"]) == ("retire", [])
    assert state(*signed)["holding"] == {"a": [OLD["pem"]], "b": [OLD["pem"]]}
    retired = [signed[0], cluster("b", NEW_NAME, NEW)]
    assert (state(*retired)["phase"], list(state(*retired)["holding"])) == ("retire", ["a"])
    done = [cluster(name, NEW_NAME, NEW) for name in "ab"]
    assert state(*done)["phase"] == "done" and "take sip_tls_old_cas out" in state(*done)["text"]


@pytest.mark.parametrize(("issuer", "cas", "phase"), [(OLD_NAME, (OLD, NEW), "sign"), (NEW_NAME, (OLD, NEW), "retire"),
                                                      (NEW_NAME, (NEW,), "sign")])  # fmt: skip
@pytest.mark.parametrize("unread", ["left out", "unreachable", "a node"])
def test_a_cluster_that_was_not_read_blocks_what_comes_after_trust(
    issuer: str, cas: tuple[Any, ...], phase: str, unread: str
) -> None:
    silent = {
        "left out": [],
        "unreachable": [{"name": "b", "unreachable": "b is down.", "old_cas": [OLD["pem"]]}],
        "a node": [cluster("b", issuer, *cas, nodes=2, unread=["b2"])],
    }[unread]
    found = state(cluster("a", issuer, *cas), *silent, hosts=["a", "b"])
    assert found["phase"] == phase
    assert [text for text in found["blocked"] if text.startswith("b was not read completely")], found["blocked"]


def test_an_unread_cluster_does_not_keep_the_others_from_trusting() -> None:
    found = state(cluster("a"), hosts=["a", "b"])
    assert (found["phase"], found["blocked"], list(found["lacking"])) == ("trust", [], ["a"])


def external(*cas: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "sbc",
        "names": ["sbc.example.com"],
        "addresses": ["192.0.2.1"],
        "chain": [view["pem"] for view in cas],
    }


def test_an_external_peer_needs_the_operators_word_before_sign() -> None:
    facts = cluster("a", OLD_NAME, OLD, NEW, external=[external(OTHER)])
    (said,) = state(facts)["blocked"]
    assert "external peer sbc" in said and NEW["sha256"] in said and "roll_over_ready_peers" in said
    for given in (["sbc"], "sbc", " sbc ,"):
        assert state(facts, ready=given)["blocked"] == []
    assert "roll_over_ready_peers names sbx" in state(facts, ready=["sbx"])["problems"][0]


def test_an_external_peer_under_the_old_ca_keeps_it_in_the_stores() -> None:
    facts = cluster("a", NEW_NAME, OLD, NEW, external=[external(OLD)])
    (said,) = state(facts)["blocked"]
    assert "sbc has a certificate of the old CA, by its ca_chain" in said and "cucm_external_peers" in said
    assert state({**facts, "external": [external(NEW)]})["blocked"] == []


def test_a_new_ca_of_the_name_of_the_old_one_is_refused() -> None:
    namesake = authority(OLD_NAME, key="another key")
    (said,) = state(cluster("a", new_cas=[namesake["pem"]]))["problems"]
    for part in (namesake["sha256"], OLD["sha256"], "one certificate per name", "local_ca_subject", "another folder"):
        assert part in said
    third = authority(NEW_NAME, key="somebody else's")
    (said,) = state(cluster("a", OLD_NAME, OLD, third))["problems"]
    assert "has the name of a CA in CallManager-trust of a, node a1" in said and third["sha256"] in said


def test_a_renewed_certificate_of_the_same_ca_is_no_roll_over() -> None:
    renewed = authority(OLD_NAME, begin="2026-06-01", end="2036-01-01", serial="77")
    (said,) = state(cluster("a", new_cas=[renewed["pem"]]))["problems"]
    assert "requires no roll-over" in said
    root, below = authority("CN=Root"), authority(NEW_NAME, "CN=Root")
    (said,) = state(cluster("a", new_cas=[below["pem"], root["pem"]], old_cas=[OLD["pem"], root["pem"]]))["problems"]
    assert said.startswith("Root is both old")


def test_what_is_not_given_is_asked_for() -> None:
    (said,) = state(cluster("a", old_cas=[]))["problems"]
    assert "sip_tls_old_cas is not set" in said and "Old CA" in said
    (said,) = state(cluster("a", new_cas=[]))["problems"]
    assert "certificate of the new CA is not known" in said and "callmanager_certificate_issuer" in said
    below = authority(NEW_NAME, "CN=Root")
    (said,) = state(cluster("a", new_cas=[below["pem"]]))["problems"]
    assert "does not reach a root" in said and "sip_tls_trusted_cas" in said


def test_a_new_ca_that_is_not_made_yet_is_a_matter_of_trust() -> None:
    found = state(cluster("a", new_cas=[]), made=[NEW["pem"]], to_be_made=True)
    assert (found["phase"], found["problems"]) == ("trust", [])


def test_a_restart_that_waits_keeps_the_phase_at_sign() -> None:
    facts = cluster("a", NEW_NAME, OLD, NEW)
    facts["served"]["a1"]["CallManager"] = "the old one"
    assert (state(facts)["phase"], state(facts)["unsigned"]) == ("sign", ["a"])


def test_a_port_that_shows_nothing_blocks_the_retirement_until_somebody_answers_for_it() -> None:
    facts = cluster("a", NEW_NAME, OLD, NEW)
    facts["served"]["a1"]["CallManager"] = None
    (said,) = state(facts)["blocked"]
    assert "not known whether its SIP TLS port presents" in said and "sip_tls_undo_remove_trust" in said
    assert state(facts, blind=True)["blocked"] == []
    facts["served"]["a1"]["CallManager"] = ""
    assert state(facts)["blocked"] == [], "a closed port presents no old certificate"


def test_a_multi_server_certificate_counts_on_each_node_that_holds_it() -> None:
    facts = cluster("a", NEW_NAME, OLD, NEW, nodes=3)
    shared, before = leaf("a1-ms", NEW_NAME), leaf("a1-ms")
    facts["certificates"] = {"a1": shared, "a2": shared, "a3": before}
    facts["served"] = {node: {"CallManager": view["sha256"]} for node, view in facts["certificates"].items()}
    assert state(facts)["phase"] == "sign", "the publisher's certificate has not reached a3"
    facts["certificates"]["a3"] = shared
    facts["served"]["a3"] = {"CallManager": shared["sha256"]}
    assert state(facts)["phase"] == "retire"


def test_the_ecdsa_certificate_counts_too() -> None:
    facts = cluster("a", NEW_NAME, OLD, NEW)
    facts["ec_certificates"] = {"a1": leaf("a1-EC", OLD_NAME, "CallManager-ECDSA")}
    facts["served"]["a1"]["CallManager-ECDSA"] = facts["ec_certificates"]["a1"]["sha256"]
    assert (state(facts)["phase"], state(facts)["blocked"]) == ("sign", [])
    (said,) = state({**facts, "options": {"ecdsa": "leave"}})["blocked"]
    assert "callmanager_certificate_ecdsa is leave" in said


def test_a_node_without_call_processing_keeps_nothing_back() -> None:
    facts = cluster("a", NEW_NAME, OLD, NEW, nodes=2)
    facts["certificates"]["a2"] = leaf("a2")
    facts["nodes"][1]["callmanager"] = False
    assert state(facts)["phase"] == "retire"


def test_a_leaf_below_an_old_root_is_old_and_the_ca_between_goes_too() -> None:
    root, between = authority("CN=Old root"), authority("CN=Old issuer", "CN=Old root")
    facts = cluster("a", "CN=Old issuer", root, between, NEW, old_cas=[root["pem"]])
    assert state(facts)["leaves"][0]["under"] == "old"
    signed = cluster("a", NEW_NAME, root, between, NEW, OTHER, old_cas=[root["pem"]])
    assert state(signed)["holding"] == {"a": [root["pem"], between["pem"]]}


def test_what_something_else_needs_is_kept() -> None:
    def read(*identities: dict[str, Any]) -> Views:
        stores = [{**certificate, "kind": "trust"} for certificate in trusted(OLD, NEW)]
        return [{"certificates": [*({**identity, "kind": "identity"} for identity in identities), *stores]}]

    def old_ca(
        *identities: dict[str, Any], trunks: Views | None = None, policy: str = "unused", **more: Any
    ) -> dict[str, Any]:
        found = sip_tls_removal(
            [], chain=[OLD["pem"]], certificates=read(*identities), policy=policy,
            settings={**SETTINGS, "sip_profile_copy_from": ""},
            found={"objects": [], "users": [], "trunks": trunks or []}, **{"peers": [], **more},
        )  # fmt: skip
        assert not any(found[kind] for kind in ("trunks", "profiles", "patterns", "route_groups", "kept", "elsewhere"))
        return {key: found[key] for key in ("trust", "kept_cas")}

    assert old_ca(leaf("a1", NEW_NAME)) == {"trust": [OLD["pem"]], "kept_cas": []}
    found = old_ca(leaf("a1", OLD_NAME, "tomcat"))
    assert not found["trust"] and "it is above the tomcat certificate" in found["kept_cas"][0]
    foreign = [{"name": "SBC", "transport": "TLS"}]
    found = old_ca(trunks=foreign)
    assert not found["trust"] and "the SIP trunk SBC uses TLS too" in found["kept_cas"][0]
    assert old_ca(trunks=foreign, policy="always")["trust"] == [OLD["pem"]]
    peers = {"peers": ["b"], "clusters": [cluster("a", NEW_NAME, NEW), cluster("b", NEW_NAME, NEW)]}
    assert old_ca(leaf("a1", NEW_NAME), **peers) == {"trust": [OLD["pem"]], "kept_cas": []}


def test_another_run_does_not_change_the_ca_on_the_way() -> None:
    facts = cluster("a", OLD_NAME, OLD, NEW, due=["a1"])
    (said,) = problems(clusters_of([facts]))
    assert "a, node a1" in said and "siptls.cucm.roll_over_ca" in said and "preflight_roll_over" in said
    assert problems(clusters_of([facts]), roll_over="allow") == []
    assert problems(clusters_of([{**facts, "due": []}])) == []
    assert problems(clusters_of([{**facts, "old_cas": []}])) == []
    assert problems(clusters_of([cluster("a", NEW_NAME, OLD, NEW, due=["a1"])])) == []


def read_by_preflight(tmp_path: Path, ports: dict[str, Any], **authority_options: Any) -> dict[str, Any]:
    """The facts of a cluster with a node that was read and one that was not."""
    nodes = [{"name": name, "address": name} for name in ("a1", "a2")]
    results = [
        {"item": nodes[0], "certificates": [leaf("a1"), *trusted(OLD)], "ports": ports},
        {"item": nodes[1], "msg": "Port 22 of a2 refuses the connection.", "reason": "down"},
    ]
    given = {"pem": "", "where": "the inventory", "renew_before": 30, "folders": [str(tmp_path)], **authority_options}
    return preflight("a", {"version": "14", "nodes": nodes}, results, authority=given, hosts=["a"])


def test_a_ca_that_is_not_local_is_known_by_its_certificate_and_those_above_it(tmp_path: Path) -> None:
    """As for AD CS and Vault: callmanager_certificate_issuer, sip_tls_trusted_cas, and the old CA as a file."""
    root, issuing = authority("CN=New root"), authority(NEW_NAME, "CN=New root")
    (tmp_path / "old.pem").write_text(OLD["pem"], encoding="utf-8")
    facts = read_by_preflight(tmp_path, {}, pem=issuing["pem"], trusted=[root["pem"]], old=["old.pem"])
    assert (facts["new_cas"], facts["old_cas"]) == ([issuing["pem"], root["pem"]], [OLD["pem"]])
    assert facts["unread"] == ["a2"]
    found = state(facts)
    assert (found["phase"], found["problems"]) == ("trust", [])
    assert found["lacking"] == {"a": {"a1": [issuing["pem"], root["pem"]]}}
    wrong = read_by_preflight(tmp_path, {}, pem=issuing["pem"], old=["gone.pem"])
    assert any("sip_tls_old_cas: " in text and "gone.pem cannot be read" in text for text in wrong["mistakes"]), wrong


@pytest.mark.parametrize(("ports", "served"), [
    ({"CallManager": {"state": "tls", "sha256": "AA"}}, {"CallManager": "AA", "CallManager-ECDSA": ""}),
    ({"CallManager": {"state": "tls", "sha256": "AA"}, "CallManager-ECDSA": {"state": "tls", "sha256": "BB"}},
     {"CallManager": "AA", "CallManager-ECDSA": "BB"}),
    ({"CallManager": {"state": "refused"}}, {"CallManager": "", "CallManager-ECDSA": None}),
    ({"CallManager": {"state": "silent"}}, {"CallManager": None, "CallManager-ECDSA": None}),
    ({}, {"CallManager": None, "CallManager-ECDSA": None}),
])  # fmt: skip
def test_what_a_port_presents_is_known_or_not(tmp_path: Path, ports: dict[str, Any], served: dict[str, Any]) -> None:
    assert read_by_preflight(tmp_path, ports)["served"]["a1"] == served
