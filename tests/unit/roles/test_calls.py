# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which calls between clusters would be routed, and the sentences about those that would not."""

from __future__ import annotations

from typing import Any

from ansible_collections.siptls.cucm.plugins.filter.sip_tls_call_paths import sip_tls_call_paths

SETTINGS = {
    "name": "T-{peer}", "profile": "P {peer}", "route_group": "RG-{peer}", "route_list": "RL-{peer}", "port": 5061,
    "profile_copy_from": "X", "security_mode": "Encrypted", "sip_profile": "S", "srtp_allowed": True,
    "device_pool": "Default", "location": "Hub_None", "calling_search_space": "", "route_by": "trunk", "partition": "",
}  # fmt: skip


def facts(name: str, peer: str, number: str, **settings: Any) -> dict[str, Any]:
    node = {"name": name.upper(), "address": f"{name}.example", "role": "Publisher"}
    return {
        "name": name, "nodes": [node], "certificates": {node["name"]: {"profile_names": [f"{name}.example"]}},
        "patterns": [number], "external": [], "chain": [],
        "planned": {"peers": [peer], "settings": {**SETTINGS, **settings}},
    }  # fmt: skip


def dial_plan(number: str, partition: str = "", **more: Any) -> dict[str, Any]:
    lines = {partition: {"numbers": [number], "urgent": [], "without_device": []}}
    caller = {"line_search_space": "", "device_search_space": "CSS", "count": 3, "example": number}
    return {
        "search_spaces": {"CSS": [partition] if partition else []}, "scheduled_partitions": [], "patterns": [],
        "lines": lines, "trunks": [], "route_lists": [], "callers": [caller], "unknown": [], **more,
    }  # fmt: skip


def states(found: dict[str, Any], when: str) -> list[str]:
    return [entry[when]["state"] for entry in found["paths"]]


def test_without_partitions_every_call_is_routed_after_the_run() -> None:
    clusters = [facts("a", "b", "1018"), facts("b", "a", "9898")]
    found = sip_tls_call_paths(clusters, {"a": dial_plan("1018"), "b": dial_plan("9898")})
    assert states(found, "planned") == ["routed", "routed"] and states(found, "now") == ["not routed"] * 2
    assert found["warnings"] == [] and [entry["numbers"] for entry in found["paths"]] == [["9898"], ["1018"]]


def test_the_search_space_of_a_trunk_is_missed_and_the_option_is_named() -> None:
    clusters = [facts("a", "b", "1018"), facts("b", "a", "9898")]
    plans = {"a": dial_plan("1018"), "b": dial_plan("9898", "Internal")}
    found = sip_tls_call_paths(clusters, plans)
    assert found["warnings"] == [
        "Calls from a to 9898 of b would not be routed: phones with calling search space CSS, such as 1018, dial 9898; "
        "it arrives over the SIP trunk T-a as 9898, and the directory number 9898 in partition Internal is not in the "
        "calling search space of that trunk: set sip_tls_trunk_calling_search_space of b."
    ]
    clusters[1]["planned"]["settings"]["calling_search_space"] = "CSS"
    assert sip_tls_call_paths(clusters, plans)["warnings"] == []


def test_the_partition_of_our_patterns_is_one_that_phones_reach() -> None:
    clusters = [facts("a", "b", "1018", partition="Nobody"), facts("b", "a", "9898")]
    found = sip_tls_call_paths(clusters, {"a": dial_plan("1018"), "b": dial_plan("9898")})
    assert "set sip_tls_trunk_partition to a partition that they reach" in found["warnings"][0]
    assert states(found, "planned") == ["not routed", "routed"]


def test_what_could_not_be_read_is_unknown_and_an_external_peer_is_not_reported() -> None:
    clusters = [facts("a", "b", "1018"), facts("b", "a", "9898")]
    refused = dial_plan("9898", unknown=["the dial plan could not be read: no rights"])
    found = sip_tls_call_paths(clusters, {"a": dial_plan("1018"), "b": refused})
    assert states(found, "planned") == ["unknown", "unknown"] and "no rights" in found["warnings"][1]
    assert states(sip_tls_call_paths(clusters, {}), "planned") == ["unknown", "unknown"]
    clusters[0]["external"] = [
        {"name": "sbc", "patterns": ["5XXX"], "addresses": ["sbc.example"], "names": ["sbc.example"], "port": 5061,
         "chain": [], "legacy_crypto": False}
    ]  # fmt: skip
    found = sip_tls_call_paths(clusters, {"a": dial_plan("1018"), "b": dial_plan("9898")})
    outside = next(entry for entry in found["paths"] if entry["to"] == "sbc")
    assert outside["planned"]["state"] == "unknown" and found["warnings"] == []
