# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is removed, what stays, what a record holds and how it is put back, and trunks that were there before."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.filter.sip_tls_restore import sip_tls_restore
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.patterns import covers
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Peer
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.existing import with_existing
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo import backup
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo.removal import (
    object_removals,
    objects_to_look_up,
    other_trunks,
    removal,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo.trust_removal import Trust

from tests.support.made_views import made

SETTINGS = {
    "name": "T-{peer}", "profile": "P {peer}", "route_group": "RG-{peer}", "route_list": "RL-{peer}",
    "sip_profile": "SIPP", "sip_profile_copy_from": "Standard SIP Profile", "partition": "", "port": 5061,
}  # fmt: skip
OURS = "To b by SIP over mutual TLS"


def obj(kind: str, title: str, /, **settings: Any) -> dict[str, Any]:
    return {"kind": kind, "name": title, "partition": "", "object": settings or {"name": title}}


def use(kind: str, name: str, of_kind: str, of: str, **more: str) -> dict[str, str]:
    return {"kind": kind, "name": name, "partition": "", "description": "", "of_kind": of_kind, "of": of, **more}


def made_for_b(*more: dict[str, str], patterns: list[dict[str, Any]]) -> dict[str, Any]:
    """What stands after a set-up towards b by route list, and further users."""
    objects = [
        obj("route_list", "RL-b"), obj("route_group", "RG-b"), obj("sip_trunk", "T-b"), obj("sip_trunk_profile", "P b"),
        obj("sip_profile", "SIPP"), *patterns,
    ]  # fmt: skip
    users = [
        use("route_list", "RL-b", "route_group", "RG-b"), use("route_group", "RG-b", "sip_trunk", "T-b"),
        use("sip_trunk", "T-b", "sip_trunk_profile", "P b"), use("sip_trunk", "T-b", "sip_profile", "SIPP"), *more,
    ]  # fmt: skip
    return {"objects": objects, "users": users}


def test_all_that_was_made_goes_when_nothing_else_uses_it() -> None:
    existing = made_for_b(
        use("route_pattern", "9898", "route_list", "RL-b", description=OURS),
        patterns=[obj("route_pattern", "9898", pattern="9898", route_list="RL-b")],
    )
    found = object_removals(["b"], SETTINGS, existing)
    assert found["patterns"] == [{"pattern": "9898", "partition": "", "state": "absent"}]
    assert [len(found[kind]) for kind in ("route_lists", "route_groups", "trunks", "profiles", "sip_profiles")] == [
        1
    ] * 5
    assert not found["kept"] and not found["elsewhere"]


def test_a_foreign_pattern_keeps_our_list_and_all_below_it_and_each_is_told() -> None:
    existing = made_for_b(
        use("route_pattern", "77XX", "route_list", "RL-b", description="by hand", partition="P1"),
        patterns=[obj("route_pattern", "9898", pattern="9898", gateway="ELSEWHERE")],
    )
    found = object_removals(["b"], SETTINGS, existing)
    assert not any(found[kind] for kind in ("patterns", "route_lists", "route_groups", "trunks", "profiles"))
    assert found["kept"][0] == ("The route list RL-b is kept: it is used by the route pattern 77XX in partition P1.")
    assert len(found["kept"]) == 5
    assert found["elsewhere"] == ["The route pattern 9898 is kept: it leads to ELSEWHERE."]


def test_a_profile_that_a_foreign_trunk_uses_stays_alone() -> None:
    existing = made_for_b(use("sip_trunk", "FOREIGN", "sip_trunk_profile", "P b"), patterns=[])
    found = object_removals(["b"], SETTINGS, existing)
    assert found["trunks"] and found["sip_profiles"] and not found["profiles"]
    assert found["kept"] == ["The SIP trunk security profile P b is kept: it is used by the SIP trunk FOREIGN."]


def test_a_peer_that_left_the_inventory_is_removed_with_patterns_of_our_description() -> None:
    existing = made_for_b(use("route_pattern", "9898", "route_list", "RL-b", description=OURS), patterns=[])
    found = object_removals(["b"], SETTINGS, existing)
    assert found["patterns"] == [{"pattern": "9898", "partition": "", "state": "absent"}] and found["route_lists"]


def test_the_sip_profile_stays_without_a_word_for_peers_that_stay() -> None:
    existing = made_for_b(use("sip_trunk", "T-c", "sip_profile", "SIPP"), patterns=[])
    found = object_removals(["b"], SETTINGS, existing, remaining=["c"])
    assert found["trunks"] and not found["sip_profiles"] and not found["kept"]


def test_a_trunk_that_was_there_before_keeps_its_profile_and_names_the_way_back() -> None:
    existing = {
        "objects": [obj("sip_trunk", "OLD"), obj("sip_trunk_profile", "P b"),
                    obj("route_pattern", "9898", pattern="9898", gateway="OLD")],
        "users": [use("sip_trunk", "OLD", "sip_trunk_profile", "P b"),
                  use("route_pattern", "9898", "sip_trunk", "OLD", description="by hand"),
                  use("route_pattern", "9899", "sip_trunk", "OLD", description=OURS)],
    }  # fmt: skip
    found = object_removals(["b"], KEPT, existing)
    assert [pattern["pattern"] for pattern in found["patterns"]] == ["9899"]
    assert not found["elsewhere"] and not found["trunks"] and "restore.yml" in found["kept"][0]


def test_the_questions_name_each_kind_and_number_once() -> None:
    peers = [Peer("b", patterns=["1", "1"]), Peer("c", patterns=["2"])]
    asked = objects_to_look_up(["b"], peers, {**SETTINGS, "existing": {"b": "OLD", "x": "Y"}})
    assert [(row["kind"], row["name"]) for row in asked] == [
        ("route_list", "RL-b"), ("route_group", "RG-b"), ("sip_trunk", "T-b"), ("sip_trunk_profile", "P b"),
        ("sip_trunk", "OLD"), ("sip_profile", "SIPP"), ("route_pattern", "1"),
    ]  # fmt: skip


ISSUERS = {"CN=own": "CN=sub", "CN=sub": "CN=root"}


def cert(subject: str, issuer: str, purpose: str = "CallManager-trust") -> dict[str, Any]:
    kind = "trust" if purpose.endswith("-trust") else "identity"
    above = None if issuer == subject else issuer
    view = made(subject, above, ca=kind == "trust")
    return {**view, "purpose": purpose, "kind": kind, "name": subject}


def pem(subject: str) -> str:
    return str(cert(subject, ISSUERS.get(subject, subject))["pem"])


HELD = [cert("CN=own", "CN=sub", "CallManager"), cert("CN=sub", "CN=root"), cert("CN=root", "CN=root"),
        cert("CN=peer ca", "CN=peer ca")]  # fmt: skip


def test_only_the_ca_of_the_removed_peer_is_removed() -> None:
    candidates = [pem("CN=peer ca"), pem("CN=root").replace("\n", "\r\n"), pem("CN=sub")]
    found = Trust(HELD).removals(candidates, [])
    assert found["trust"] == [pem("CN=peer ca")]
    assert len(found["kept_cas"]) == 2 and "above the CallManager certificate" in found["kept_cas"][0]


@pytest.mark.parametrize(
    ("remaining", "others", "why"),
    [
        ([Peer("c", names=["c"], chain=[pem("CN=peer ca")])], [], "a peer that is kept"),
        ([Peer("c")], [], "certificates of c"),
        ([], ["SBC"], "SIP trunk SBC uses TLS too"),
    ],
)
def test_a_ca_that_something_else_may_need_is_kept(remaining: list[Peer], others: list[str], why: str) -> None:
    found = Trust(HELD).removals([pem("CN=peer ca")], remaining, others)
    assert not found["trust"] and why in found["kept_cas"][0]
    # What signed the certificates of a peer that is kept is needed; what is not known can be disregarded.
    forced = Trust(HELD, "always").removals([pem("CN=peer ca")], remaining, others)
    assert bool(forced["trust"]) == (not any(peer.chain for peer in remaining))
    assert not Trust(HELD, "never").removals([pem("CN=peer ca")], remaining, others)["trust"]


def test_a_removal_takes_the_ca_of_the_removed_peer_alone() -> None:
    peers = [Peer("b", names=["b"], chain=[pem("CN=peer ca")]), Peer("c", names=["c"], chain=[pem("CN=root")])]
    found = removal(["b"], peers, SETTINGS, {**made_for_b(patterns=[]), "trunks": []}, Trust(HELD))
    assert found["trust"] == [pem("CN=peer ca")] and [trunk["name"] for trunk in found["trunks"]] == ["T-b"]
    gone = removal(["x"], [Peer("x"), *peers], SETTINGS, {"objects": []}, Trust(HELD), chain=[pem("CN=peer ca")])
    assert not gone["trust"] and "a peer that is kept" in gone["kept_cas"][0]


def test_other_trunks_are_those_with_tls_and_no_name_of_ours() -> None:
    trunks = [
        {"name": name, "transport": way} for name, way in (("T-b", "TLS"), ("OLD", "TLS"), ("X", "TLS"), ("Y", "TCP"))
    ]
    assert other_trunks(trunks, ["b", "c"], {**SETTINGS, "existing": {"c": "OLD"}}) == ["X"]


@pytest.mark.parametrize(
    ("wide", "number", "expected"),
    [
        ("9898", "9898", True), ("98XX", "9898", True), ("98XX", "98X8", True), ("9898", "98XX", False),
        ("9.XXXX", "98981", True), ("9!", "98", True), ("9!", "9", False), ("9!", "9!", True), ("98XX", "98!", False),
        ("9[7-9]XX", "9898", True), ("9[^8]XX", "9898", False), (r"\+49!", r"\+4930", True), ("9.@", "9.@", True),
        ("9.@", "9555", False),
    ],
)  # fmt: skip
def test_a_pattern_leads_where_a_wider_one_leads(wide: str, number: str, expected: bool) -> None:
    assert covers(wide, number) is expected


KEPT = {**SETTINGS, "existing": {"b": "OLD"}}


def made_for(trunk: str) -> dict[str, list[Any]]:
    """What trunk_objects gives for b with the trunk of that name."""
    return {
        "peers": [{"name": "b", "trunk": trunk, "profile": "P b"}], "profiles": [{"name": "P b"}],
        "trunks": [{"name": trunk, "security_profile": "P b", "sip_profile": "SIPP", "srtp_allowed": True,
                    "device_pool": "Default", "destinations": [{"address": "192.0.2.1", "port": 5061}]}],
        "patterns": [{"pattern": "9898", "gateway": trunk}, {"pattern": "5000", "gateway": trunk}],
        "route_groups": [], "route_lists": [], "trust": [], "waiting": [],
    }  # fmt: skip


OLD = {"name": "OLD", "destinations": [{"address": "b.example", "port": 5060, "order": 1}]}


def test_an_existing_trunk_is_kept_with_its_way_and_gets_no_second_pattern() -> None:
    existing = {
        "objects": [obj("sip_trunk", "OLD", **OLD)],
        "users": [use("route_group", "G", "sip_trunk", "OLD"), use("route_list", "L", "route_group", "G"),
                  use("route_pattern", "98XX", "route_list", "L")],
    }  # fmt: skip
    found = with_existing(made_for("OLD"), existing, KEPT)
    assert found["trunks"] == [
        {"name": "OLD", "security_profile": "P b", "sip_profile": "SIPP", "srtp_allowed": True,
         "destinations": [{"address": "b.example", "order": 1, "port": 5061}]}
    ]  # fmt: skip
    assert found["patterns"] == [{"pattern": "5000", "route_list": "L"}]
    assert found["peers"] == [{"name": "b", "trunk": "OLD", "profile": "P b"}] and not found["route_groups"]


def test_a_trunk_in_a_group_without_a_list_gets_one_for_further_numbers() -> None:
    existing = {"objects": [obj("sip_trunk", "OLD", **OLD)], "users": [use("route_group", "G", "sip_trunk", "OLD")]}
    found = with_existing(made_for("OLD"), existing, KEPT)
    assert found["route_lists"] == [{"name": "RL-b", "members": [{"route_group": "G"}]}]
    assert {pattern["route_list"] for pattern in found["patterns"]} == {"RL-b"}


def test_a_name_that_does_not_exist_is_refused_and_a_trunk_that_nobody_named_is_offered() -> None:
    with pytest.raises(ValueError, match="OLD for b, which does not exist"):
        with_existing(made_for("OLD"), {"objects": [{**obj("sip_trunk", "OLD"), "object": {}}]}, KEPT)
    trunks = [
        {"name": "OLD", "transport": "TCP", "destinations": [{"address": "192.0.2.1", "port": 5060}]},
        {"name": "NEW", "transport": "TLS", "destinations": [{"address": "192.0.2.1", "port": 5061}]},
        {"name": "FAR", "transport": "TCP", "destinations": [{"address": "192.0.2.9", "port": 5060}]},
    ]  # fmt: skip
    (offer,) = with_existing(made_for("T-b"), {"trunks": trunks}, SETTINGS)["offers"]
    assert "sip_tls_trunk_existing: {b: OLD}" in offer


HEAD: dict[str, Any] = {
    "cluster": "a", "run": "set up", "began": "1", "trust": [], "trust_added": [pem("CN=x")], "trust_removed": [],
    "identity": {"A": {"sha256": "00", "subject": "CN=A", "issuer": "CN=A"},
                 "A CallManager-ECDSA": {"sha256": "02", "subject": "CN=A-EC", "issuer": "CN=A-EC"}},
}  # fmt: skip
FACTS = {"name": "a", "certificates": {"A": {"sha256": "11", "subject": "CN=A", "issuer": "CN=x"}},
         "ec_certificates": {"A": {"sha256": "12", "subject": "CN=A-EC", "issuer": "CN=x"}}}  # fmt: skip
PEERS = [{"name": name, "nodes": [{"name": name}], "certificates": {name: {"profile_names": [name]}}} for name in "bc"]
X_TRUSTED = [{"certificates": [cert("CN=x", "CN=x")]}]
WISHES: dict[str, list[dict[str, Any]]] = {
    "sip_trunk": [{"name": "OLD", "security_profile": "P b", "destinations": [{"address": "b", "port": 5061}]}],
    "sip_trunk_profile": [{"name": "P b", "copy_from": "X", "incoming_port": 5061}],
    "route_pattern": [{"pattern": "1", "partition": "", "state": "absent"}],
}
TCP = {
    "name": "OLD",
    "security_profile": "TCP",
    "destinations": [{"address": "b", "port": 5060, "order": 1}],
    "aar": "",
}
TLS = {**TCP, "security_profile": "P b", "destinations": [{"address": "b", "port": 5061, "order": 1}]}
PATTERN = {"pattern": "1", "partition": "", "gateway": "OLD", "route_list": ""}


def before() -> list[dict[str, Any]]:
    return [obj("sip_trunk", "OLD", **TCP), {**obj("sip_trunk_profile", "P b"), "object": {}},
            obj("route_pattern", "1", **PATTERN)]  # fmt: skip


def after(**trunk: Any) -> list[dict[str, Any]]:
    return [obj("sip_trunk", "OLD", **{**TLS, **trunk}),
            obj("sip_trunk_profile", "P b", name="P b", incoming_port=5061),
            {**obj("route_pattern", "1"), "object": {}}]  # fmt: skip


def plan(record: dict[str, Any], objects: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    given = {"settings": {**SETTINGS, "existing": {"b": "OLD"}}, "peers": ["b", "c"], "clusters": PEERS}
    found = {"objects": objects, "users": [use("sip_trunk", "OLD", "sip_trunk_profile", "P b")]}
    return sip_tls_restore(record, **{**given, "cluster": FACTS, "found": found, "certificates": X_TRUSTED, **more})


@pytest.mark.parametrize("over", [True, False], ids=["finished", "killed"])
def test_changed_objects_get_their_values_again_made_ones_go_removed_ones_return(over: bool) -> None:
    record = backup.begun(None, HEAD, WISHES, before())
    if over:
        record = backup.finished(record, "2", after(), {"A": "11"})
    found = plan(record, after())
    assert found["present"]["trunks"] == [
        {"name": "OLD", "security_profile": "TCP", "destinations": TCP["destinations"]}
    ]
    assert found["absent"]["profiles"] == [{"name": "P b", "state": "absent"}]
    assert found["present"]["patterns"] == [{"pattern": "1", "partition": "", "gateway": "OLD"}]
    assert not found["refusals"] and not found["kept"]
    assert [text.partition(" certificate ")[0] for text in found["messages"]] == [
        "A keeps its CallManager", "A keeps its CallManager-ECDSA",
    ]  # fmt: skip
    assert all("its key no longer exists" in text for text in found["messages"]) and found["trust"] == [pem("CN=x")]
    # The peer whose trunk is not restored keeps what it needs.
    (kept,) = [{**peer, "chains": {"certificates": {"c": [pem("CN=x")]}}} for peer in PEERS if peer["name"] == "c"]
    assert not plan(record, after(), clusters=[PEERS[0], kept])["trust"]
    assert not plan(record, after(), clusters=[PEERS[0]])["trust"], "it is not known who issued the certificates of c"
    again = plan(record, before())
    assert not any(again["present"].values()) and not any(again["absent"].values()) and not again["refusals"]


def test_what_somebody_changed_since_is_refused_with_its_values_unless_forced() -> None:
    record = backup.finished(backup.begun(None, HEAD, WISHES, before()), "2", after(), {})
    found = plan(record, after(aar="hand"))
    assert found["refusals"] == ["a: the SIP trunk OLD was changed by someone after the run: aar is 'hand' and was ''."]
    assert not plan(record, after(aar="hand"), force=True)["refusals"]
    gone = [{**row, "object": {}} for row in after()]
    assert "removed by someone" in plan(record, gone)["refusals"][0]


def test_a_made_object_that_something_else_uses_by_now_stays() -> None:
    record = backup.finished(backup.begun(None, HEAD, WISHES, before()), "2", after(), {})
    users = [use("sip_trunk", "OTHER", "sip_trunk_profile", "P b")]
    found = plan(record, after(), found={"objects": after(), "users": users})
    assert not found["absent"]["profiles"] and "used by the SIP trunk OTHER" in found["kept"][0]
    assert not found["trust"], "a trunk that is kept needs the CA"


def test_the_record_of_an_interrupted_run_is_continued_and_a_changeless_one_is_empty() -> None:
    first = backup.begun(None, HEAD, WISHES, before())
    second = backup.begun(first, {**HEAD, "began": "9", "identity": {}, "trust": ["aa"]}, WISHES, after())
    assert second["began"] == "1" and second["identity"] == HEAD["identity"]
    assert {written["name"]: written["before"] for written in second["objects"]}["OLD"] == TCP
    changed = backup.begun(first, HEAD, WISHES, after(aar="hand"))
    assert {written["name"]: written["before"] for written in changed["objects"]}["OLD"]["aar"] == "hand"
    idle = backup.finished(backup.begun(None, {**HEAD, "trust_added": []}, WISHES, after()), "2", after(), {"A": "00"})
    assert not backup.holds_something(idle)


def test_a_record_of_another_cluster_is_refused() -> None:
    record = backup.begun(None, {**HEAD, "cluster": "b"}, WISHES, before())
    with pytest.raises(ValueError, match="record is of b"):
        plan(record, after())
