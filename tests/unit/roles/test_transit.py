# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hubs and leaves: who leads to whom, and that no route loops."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.siptls.cucm.plugins.filter.sip_tls_trunk_objects import sip_tls_trunk_objects
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Site, clusters_of, ways_of
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.objects import check_objects
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.existing import with_existing
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.transit import (
    default_peers,
    routes_in_transit,
    shared_titles,
    sites,
    transit,
    transit_problems,
    unreached,
    ways,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo.removal import object_removals, objects_to_look_up
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st


def site(name: str, *peers: str, transit: bool = False) -> Site:
    return Site(name, peers, transit)


STAR = [site("hub", "a", "b", "c", transit=True), site("a", "hub"), site("b", "hub"), site("c", "hub")]


def test_leaves_have_the_hubs_as_peers_and_hubs_have_everybody() -> None:
    hosts = ["hub1", "a", "hub2", "b"]
    assert default_peers("a", hosts, ["hub1", "hub2"]) == ["hub1", "hub2"]
    assert default_peers("hub1", hosts, ["hub1", "hub2"]) == ["a", "hub2", "b"]
    assert default_peers("a", hosts, []) == ["hub1", "hub2", "b"]


def test_a_leaf_reaches_every_other_leaf_through_the_hub() -> None:
    assert ways("a", STAR) == {"b": ["hub"], "c": ["hub"]} and ways("hub", STAR) == {}


def test_two_hubs_lead_there_in_the_order_of_the_peers() -> None:
    clusters = [site("h1", "h2", "a", "b", transit=True), site("h2", "h1", "a", "b", transit=True),
                site("a", "h2", "h1"), site("b", "h1", "h2")]  # fmt: skip
    assert ways("a", clusters) == {"b": ["h2", "h1"]}


def test_hubs_pass_calls_on_to_each_other_and_leaves_do_not() -> None:
    clusters = [site("h1", "h2", "a", transit=True), site("h2", "h1", "b", transit=True), site("a", "h1"),
                site("b", "h2", "d"), site("d", "b")]  # fmt: skip
    assert ways("a", clusters) == {"h2": ["h1"], "b": ["h1"]} and ways("h1", clusters) == {"b": ["h2"]}
    numbered = [replace(cluster, routes=[{"pattern": f"{place}XX"}]) for place, cluster in enumerate(clusters)]
    assert list(unreached("d", {"transit": transit(numbered, "d")})) == [
        "d reaches h1, h2, a neither by a trunk of its own nor through a hub (cucm_transit). Name a hub that leads "
        "there in cucm_peers of both."
    ]
    assert not list(unreached("b", {"transit": transit(numbered, "b")})) and not list(unreached("b", {}))


def test_a_peer_that_does_not_name_the_cluster_in_turn_is_no_way() -> None:
    assert ways("a", [site("hub", "a", transit=True), site("a", "hub"), site("b", "hub")]) == {}


NAMES = tuple("abcdefg")


@st.composite
def meshes(draw: st.DrawFn) -> list[Site]:
    """Clusters with peers in any shape, some of them hubs."""
    pairs = draw(st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=14))
    both = {(first, second) for pair in pairs for first, second in (pair, pair[::-1]) if first != second}
    hubs = draw(st.sets(st.sampled_from(NAMES)))
    return [site(name, *sorted(p for o, p in both if o == name), transit=name in hubs) for name in NAMES]


@examples(max_examples=150, deadline=None)
@given(meshes())
def test_every_way_ends_at_the_owner_and_none_loops(clusters: list[Site]) -> None:
    peers = {cluster.name: cluster.peers for cluster in clusters}
    onward = {cluster.name: ways(cluster.name, clusters) for cluster in clusters}
    for start in NAMES:
        for owner in onward[start]:
            # Whatever hub each cluster takes, and of every two that it may take.
            at, passed = {start}, 0
            while at != {owner}:
                at = {
                    step for name in at for step in ([owner] if owner in peers[name] else onward[name][owner])
                }  # fmt: skip
                passed += 1
                assert passed <= len(NAMES)


def test_the_last_cluster_before_the_owner_changes_the_number() -> None:
    routes = [{"pattern": "8.98XX", "digit_discard_instructions": "PreDot", "partition": "Out"}]
    (way,) = ways_of({"transit": [{"name": "b", "through": ["hub"], "routes": routes}]})
    assert routes_in_transit(way) == [{"pattern": "8.98XX", "partition": "Out"}]


def test_hubs_share_route_lists() -> None:
    assert shared_titles("RL {peer}", ["h1", "a", "h2"], ["h2", "h1"]) == {("h1", "h2"): "RL h1-h2"}


def test_a_hub_whose_trunks_do_not_reach_its_patterns_is_a_problem() -> None:
    def found(space: str, spaces: Any) -> list[str]:
        trunk = {"settings": {"partition": "Out", "calling_search_space": space}}
        hub = {**vars(STAR[0]), "planned": trunk, "search_spaces": spaces}
        return list(transit_problems(clusters_of([hub, {**vars(STAR[1]), "routes": [], "patterns": ["1XXX"]}])))

    spaces = {"In": ["Internal"], "Both": ["Internal", "Out"]}
    assert "trunks' calling search space In does not contain partition Out" in found("In", spaces)[0]
    assert "Set sip_tls_trunk_calling_search_space of hub to one that contains it." in found("", spaces)[0]
    assert not found("Both", spaces) and not found("In", None) and not found("None such", spaces)


def test_the_ways_come_from_the_inventory_alone() -> None:
    class Broken(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            if key == "cucm_peers":
                raise ValueError("an undefined variable")
            return super().get(key, default)

    variables = {
        "hub": {"cucm_transit": "yes"},
        "a": Broken(cucm_local_patterns="1018"),
        "b": {"cucm_peers": "hub", "cucm_local_patterns": [{"pattern": "8.98XX", "prefix_digits_out": "7"}]},
        "far": {"cucm_transit": False},
    }
    found = sites(variables, list(variables))
    assert not sites({**variables, "hub": {}}, list(variables))
    assert {name: site["peers"] for name, site in found.items()} == {
        "hub": ["a", "b", "far"], "a": ["hub"], "b": ["hub"], "far": ["hub"],
    }  # fmt: skip
    assert all(site["hubs"] == ["hub"] for site in found.values())
    routes = [{"pattern": "8.98XX", "prefix_digits_out": "7"}]
    assert found["a"]["transit"] == [{"name": "b", "through": ["hub"], "routes": routes}]
    assert [way["name"] for way in found["far"]["transit"]] == ["a", "b"] and not found["hub"]["transit"]


def cluster(name: str, number: str = "") -> dict[str, Any]:
    node = {"name": name.upper(), "address": f"{name}.example"}
    certificates = {node["name"]: {"profile_names": [f"{name}.example"]}}
    return {"name": name, "nodes": [node], "certificates": certificates, "patterns": [number] if number else []}


WAY = {"name": "b", "through": ["hub"], "routes": [{"pattern": "98XX"}]}
SETTINGS: dict[str, Any] = {
    "name": "T-{peer}", "profile": "P {peer}", "route_group": "RG-{peer}", "route_list": "RL-{peer}", "port": 5061,
    "profile_copy_from": "X", "security_mode": "Encrypted", "sip_profile": "S", "srtp_allowed": True,
    "device_pool": "Default", "location": "Hub_None", "calling_search_space": "", "route_by": "trunk",
    "partition": "Out", "sip_profile_copy_from": "", "hubs": ["hub"],
    "transit": [WAY],
}  # fmt: skip
TWO = {**SETTINGS, "hubs": ["h1", "h2"], "transit": [{**WAY, "through": ["h1", "h2"]}]}


def ends(made: dict[str, Any]) -> list[tuple[str, str]]:
    return [(pattern["pattern"], pattern.get("gateway") or pattern["route_list"]) for pattern in made["patterns"]]


def test_a_leaf_routes_the_numbers_of_other_leaves_to_the_hub() -> None:
    made = sip_tls_trunk_objects(["hub"], [cluster("hub", "7XXX")], SETTINGS)
    assert ends(made) == [("7XXX", "T-hub"), ("98XX", "T-hub")] and not made["route_lists"]
    assert made["patterns"][1]["description"] == "To b by SIP over mutual TLS"
    made = sip_tls_trunk_objects(["hub"], [cluster("hub", "7XXX")], {**SETTINGS, "route_by": "route_list"})
    assert ends(made) == [("7XXX", "RL-hub"), ("98XX", "RL-hub")] and len(made["route_lists"]) == 1


def test_two_hubs_are_a_route_list_with_two_members() -> None:
    made = sip_tls_trunk_objects(["h1", "h2"], [cluster("h1", "71XX"), cluster("h2", "72XX")], TWO)
    assert ends(made) == [("71XX", "RL-h1"), ("72XX", "RL-h2"), ("98XX", "RL-h1-h2")]
    assert made["route_lists"][2]["members"] == [{"route_group": "RG-h1"}, {"route_group": "RG-h2"}]
    assert [route_group["members"] for route_group in made["route_groups"]] == [
        [{"device": "T-h1"}],
        [{"device": "T-h2"}],
    ]


def test_nothing_is_changed_for_a_number_while_a_hub_is_not_known() -> None:
    made = sip_tls_trunk_objects(["h1", "h2"], [cluster("h1", "71XX")], TWO)
    assert ends(made) == [("71XX", "RL-h1")]
    assert made["waiting"][1].startswith("b: its numbers are routed through h1, h2, and h2 is not known in this run")


def test_removal_of_the_hubs_takes_all_that_leads_to_them() -> None:
    asked = objects_to_look_up(["h1", "h2"], [], TWO)
    assert {"kind": "route_list", "name": "RL-h1-h2"} in asked
    there = [{"partition": "", **pattern, "object": {"name": pattern["name"]}} for pattern in asked]
    pattern = {"kind": "route_pattern", "name": "98XX", "partition": "Out", "of_kind": "route_list", "of": "RL-h1-h2",
               "description": "To b by SIP over mutual TLS"}  # fmt: skip
    lists = [
        {"kind": "route_list", "name": name, "partition": "", "of_kind": "route_group", "of": group, "description": ""}
        for name, group in (("RL-h1-h2", "RG-h1"), ("RL-h1-h2", "RG-h2"), ("RL-h1", "RG-h1"), ("RL-h2", "RG-h2"))
    ]
    found = object_removals(["h1", "h2"], TWO, {"objects": there, "users": [pattern, *lists]})
    assert found["patterns"] == [{"pattern": "98XX", "partition": "Out", "state": "absent"}]
    assert [route_list["name"] for route_list in found["route_lists"]] == ["RL-h1-h2", "RL-h1", "RL-h2"]
    assert len(found["route_groups"]) == 2 and not found["kept"]
    # With one of the hubs, the shared route list stays and is named.
    found = object_removals(["h1"], TWO, {"objects": there, "users": [pattern, *lists]}, ["h2"])
    assert "used by the route list RL-h1-h2" in " ".join(found["kept"])


def test_a_trunk_to_a_hub_that_was_there_keeps_its_route_group() -> None:
    made = sip_tls_trunk_objects(["h1", "h2"], [cluster("h1"), cluster("h2")], {**TWO, "existing": {"h1": "OLD"}})
    user = {"kind": "route_group", "name": "G", "partition": "", "of_kind": "sip_trunk", "of": "OLD", "description": ""}
    old = {"kind": "sip_trunk", "name": "OLD", "object": {"name": "OLD"}}
    for users, members in (([user], ["G", "RG-h2"]), ([], ["RG-h1", "RG-h2"])):
        found = with_existing(made, {"objects": [old], "users": users}, {**TWO, "existing": {"h1": "OLD"}})
        shared = next(route_list for route_list in found["route_lists"] if route_list["name"] == "RL-h1-h2")
        assert [member["route_group"] for member in shared["members"]] == members
        assert ("RG-h1" in [route_group["name"] for route_group in found["route_groups"]]) is (not users)


def test_a_pattern_that_led_to_its_owner_may_lead_to_a_hub_now() -> None:
    def problems(trunk: str) -> list[str]:
        pattern = {"pattern": "98XX", "partition": "Out", "devices": [trunk], "route_list": "", "gateway": trunk}
        existing = {"profiles": [], "profile_names": [], "trunks": [], "missing": {}, "sip_trunks": [],
                    "other_devices": [], "route_patterns": [pattern]}  # fmt: skip
        leaf = {**cluster("a"), "version": "14.0", "existing": existing,
                "planned": {"peers": ["hub"], "settings": SETTINGS}}  # fmt: skip
        own, hub = clusters_of([leaf, cluster("hub")])
        return check_objects(own, [own, hub])

    assert not problems("T-b") and not problems("T-hub")
    assert "exists already and leads to the gateway or trunk OLD, not to T-hub" in problems("OLD")[0]
