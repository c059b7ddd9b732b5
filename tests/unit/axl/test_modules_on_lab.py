# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every object module on every release of the lab: make, keep, change, rename, remove, each in check mode before."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._axl import info
from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient

Cluster = Any  # conftest.Cluster, which pytest hands over

PROFILE = {
    "security_mode": "Encrypted",
    "incoming_port": 5071,
    "x509_subject_names": ["a.example.com", "b.example.com"],
}
TRUNK = {"security_profile": "Non Secure SIP Trunk Profile", "destinations": [{"address": "127.0.0.9", "port": 5061}]}


def prepare(cluster: Cluster, kind: str, mark: str) -> None:
    """The objects that one of this kind refers to."""
    if kind in ("RoutePattern", "RouteGroup", "RouteList"):
        cluster.run("SipTrunk", name=f"T1{mark}", **TRUNK)
        cluster.run("SipTrunk", name=f"T2{mark}", **TRUNK)
    if kind == "RouteList":
        for name, trunk in (("G1", "T1"), ("G2", "T2")):
            cluster.run("RouteGroup", name=f"{name}{mark}", members=[{"device": f"{trunk}{mark}"}])


def life(kind: str, mark: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options to make an object with, and those that change it."""
    if kind == "SipTrunkSecurityProfile":
        copy = {"copy_from": "Non Secure SIP Trunk Profile"}
        return {**PROFILE, **copy}, {"x509_subject_names": ["c.example.com"], "accept_out_of_dialog_refer": True}
    if kind == "SipProfile":
        return {"copy_from": "Standard SIP Profile", "options_ping": True}, {"options_ping_interval_ok": 30}
    if kind == "SipTrunk":
        three = [{"address": f"127.0.0.{last}", "port": 5061} for last in (1, 2, 3)]
        return TRUNK, {"destinations": three, "description": "Three", "run_on_every_node": True}
    if kind == "RoutePattern":
        return {"gateway": f"T1{mark}"}, {"gateway": f"T2{mark}", "urgent_priority": True, "description": "Two"}
    if kind == "RouteGroup":
        members = [{"device": f"T2{mark}"}, {"device": f"T1{mark}"}]
        return {"members": members[:1]}, {"members": members, "distribution_algorithm": "Top Down"}
    members = [{"route_group": f"G2{mark}"}, {"route_group": f"G1{mark}", "prefix_digits_out": "9"}]
    return {"members": members[:1]}, {"members": members, "run_on_every_node": True}


KINDS = ("SipTrunkSecurityProfile", "SipProfile", "SipTrunk", "RoutePattern", "RouteGroup", "RouteList")


# An option of each kind that no release takes, and a word of the refusal.
BAD = {
    "SipTrunkSecurityProfile": ({"incoming_port": 70000}, "70000"),
    "SipProfile": ({"start_media_port": 70000}, "70000"),
    "SipTrunk": ({"destinations": [{"address": "127.0.0.1", "port": 70000}]}, "70000"),
    "RoutePattern": ({"gateway": "Nobody"}, "Nobody"),
    "RouteGroup": ({"members": [{"device": "Nobody"}]}, "Nobody"),
    "RouteList": ({"members": [{"route_group": "Nobody"}]}, "Nobody"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_life_of_an_object(lab: Any, each_cluster: Cluster, kind: str) -> None:
    cluster = each_cluster
    first = "pattern" if kind == "RoutePattern" else "name"
    mark = f"L{KINDS.index(kind)}"
    old, new = ("7001", "7002") if kind == "RoutePattern" else ("A-life", "B-life")
    prepare(cluster, kind, mark)
    make, change = life(kind, mark)

    def task(name: str, check: bool = False, **options: Any) -> Any:
        return cluster.run(kind, check=check, **{first: name}, **options)

    assert task(old, True, **make).changed
    assert task(old, True, **make).result["previous"] == {}, "check mode has made it"
    made = task(old, **make)
    assert made.changed and made.result["uuid"].startswith("{") and not made.warnings
    assert made.diff and made.diff[0]["before"] == {} and made.diff[0]["after"][first] == old  # type: ignore[index]
    assert not task(old, **make).changed
    assert not task(old, True, **make).changed
    predicted = task(old, True, **change)
    assert predicted.changed
    changed = task(old, **change)
    assert changed.changed and predicted.result["actions"] == changed.result["actions"]
    before, after = changed.diff[0]["before"], changed.diff[0]["after"]  # type: ignore[index]
    assert {option for option, value in after.items() if value != before[option]} == set(change)
    assert predicted.diff[0]["before"] == before, "the check before has changed something"  # type: ignore[index]
    foreseen = predicted.diff[0]["after"]  # type: ignore[index]
    assert {option: foreseen[option] for option in foreseen if option not in change} == {
        option: after[option] for option in foreseen if option not in change
    }
    bad, words = BAD[kind]
    _none, line = lab.written()
    assert words in cluster.refused(kind, **{first: old}, **bad)
    assert lab.written(line)[0] == [], "something was written although the input was refused"
    assert not task(old, **change).changed
    rename: dict[str, Any] = {f"new_{first}": new}
    assert task(old, True, **rename).changed
    renamed = task(old, **rename)
    assert renamed.changed and renamed.result["object"][first] == new
    assert renamed.result["uuid"] == made.result["uuid"]
    assert not task(old, **rename, **change).changed
    assert task(new, True, state="absent").changed
    assert task(new, state="absent").changed
    assert not task(new, state="absent").changed
    assert not task(old, state="absent").changed


def test_options_left_out_are_left_alone_and_empty_ones_clear(cluster: Cluster) -> None:
    cluster.run("SipTrunk", name="Clear-1", **TRUNK, description="Something", prefix_dn="9")
    assert not cluster.run("SipTrunk", name="Clear-1").changed
    cleared = cluster.run("SipTrunk", name="Clear-1", description="", prefix_dn="")
    assert cleared.changed and not cleared.warnings
    assert cleared.result["object"]["description"] == "" == cleared.result["object"]["prefix_dn"]
    assert not cluster.run("SipTrunk", name="Clear-1", description="", prefix_dn="").changed
    assert cleared.result["object"]["destinations"][0]["port"] == 5061


def test_destinations_are_added_and_removed_one_by_one(cluster: Cluster) -> None:
    cluster.run("SipTrunk", name="Delta-1", **TRUNK)
    more = [{"address": "127.0.0.10", "port": 5061}]
    added = cluster.run("SipTrunk", name="Delta-1", add_destinations=more)
    assert added.changed and not added.warnings
    assert [entry["address"] for entry in added.result["object"]["destinations"]] == ["127.0.0.9", "127.0.0.10"]
    assert not cluster.run("SipTrunk", name="Delta-1", add_destinations=more).changed
    removed = cluster.run("SipTrunk", name="Delta-1", remove_destinations=more)
    assert [entry["address"] for entry in removed.result["object"]["destinations"]] == ["127.0.0.9"]
    assert not cluster.run("SipTrunk", name="Delta-1", remove_destinations=more).changed
    sixteen = [{"address": f"127.0.1.{last}", "port": 5061} for last in range(1, 17)]
    assert "17 destinations" in cluster.refused("SipTrunk", name="Delta-1", add_destinations=sixteen)


def test_subject_names_are_a_set(cluster: Cluster) -> None:
    cluster.run("SipTrunkSecurityProfile", name="Set-1", **{**PROFILE, "incoming_port": 5072})
    names = ["b.example.com", "a.example.com"]
    assert not cluster.run("SipTrunkSecurityProfile", name="Set-1", x509_subject_names=names).changed
    assert not cluster.run(
        "SipTrunkSecurityProfile", name="Set-1", x509_subject_names=["b.example.com;a.example.com"]
    ).changed


def test_changes_reset_the_trunk_and_new_trunks_are_not_reset(cluster: Cluster) -> None:
    made = cluster.run("SipTrunk", name="Reset-1", **TRUNK)
    assert made.result["reset"] == []
    quiet = cluster.run("SipTrunk", name="Reset-1", description="No reset for that")
    assert quiet.changed and quiet.result["reset"] == []
    assert cluster.run("SipTrunk", name="Reset-1", mtp_required=True, reset="never").result["reset"] == []
    assert cluster.run("SipTrunk", name="Reset-1", mtp_required=False).result["reset"] == ["Reset-1"]
    assert cluster.run("SipTrunk", name="Reset-1", reset="always").result["reset"] == ["Reset-1"]


def test_changes_of_a_profile_reset_its_trunks(cluster: Cluster) -> None:
    cluster.run("SipTrunkSecurityProfile", name="Reset-P", **{**PROFILE, "incoming_port": 5073})
    cluster.run("SipProfile", name="Reset-S", copy_from="Standard SIP Profile")
    for name in ("Reset-2", "Reset-3"):
        cluster.run("SipTrunk", name=name, security_profile="Reset-P", sip_profile="Reset-S", srtp_allowed=True)
    profile = cluster.run("SipTrunkSecurityProfile", name="Reset-P", x509_subject_names=["d.example.com"])
    assert profile.result["reset"] == ["Reset-2", "Reset-3"]
    assert cluster.run("SipProfile", name="Reset-S", options_ping=True).result["reset"] == ["Reset-2", "Reset-3"]
    in_clear = cluster.refused(
        "SipTrunkSecurityProfile",
        name="Reset-P",
        security_mode="Non Secure",
        incoming_transport="TCP",
        outgoing_transport="TCP",
        incoming_port=5079,
    )
    assert "Reset-2" in in_clear and "clear" in in_clear


def test_an_option_of_another_release_is_refused(cluster: Cluster, version: str) -> None:
    if version == "9.1":
        text = cluster.refused("SipTrunkSecurityProfile", name="X", allow_charging_header=True)
        assert "10.0 and later" in text and "9.1.2" in text
    else:
        text = cluster.refused("SipTrunk", name="X", destination_address="127.0.0.1")
        assert "up to 9.1" in text


def test_aggregate_and_purge_of_patterns(cluster: Cluster) -> None:
    cluster.run("SipTrunk", name="Many-T", **TRUNK)
    entries = [{"pattern": f"55{number:03}"} for number in range(20)]
    made = cluster.run("RoutePattern", gateway="Many-T", aggregate=entries)
    assert made.changed and len(made.result["objects"]) == 20
    kept = cluster.run("RoutePattern", gateway="Many-T", aggregate=entries)
    assert not kept.changed and kept.result["objects"][0]["object"] == {
        "pattern": "55000", "partition": "", "dial_plan": "", "route_filter": "", "gateway": "Many-T",
    }  # fmt: skip
    fewer = {"aggregate": entries[:15], "purge": {"prefix": "55"}}
    assert len(cluster.run("RoutePattern", check=True, **fewer).result["actions"]) == 5
    assert len(cluster.run("RoutePattern", **fewer).result["actions"]) == 5
    assert not cluster.run("RoutePattern", **fewer).changed
    assert "prefix" in cluster.refused("RoutePattern", aggregate=entries[:1], purge={"prefix": ""})
    mixed = [{"pattern": "55000", "state": "absent"}, {"pattern": "55001", "new_pattern": "55901"}]
    assert cluster.run("RoutePattern", aggregate=mixed).changed
    assert not cluster.run("RoutePattern", aggregate=mixed).changed


def test_references_by_uuid_and_objects_in_use(cluster: Cluster) -> None:
    profile = {**PROFILE, "incoming_port": 5078, "x509_subject_names": ["u.example.com"]}
    uuid = cluster.run("SipTrunkSecurityProfile", name="Uuid-P", **profile).result["uuid"]
    made = cluster.run("SipTrunk", name="Uuid-T", security_profile=uuid, srtp_allowed=True)
    assert made.changed and made.result["object"]["security_profile"] == "Uuid-P" and not made.warnings
    assert not cluster.run("SipTrunk", name="Uuid-T", security_profile=uuid).changed
    assert not cluster.run("SipTrunk", name="Uuid-T", security_profile="Uuid-P").changed
    assert "AXL code" in cluster.refused("SipTrunkSecurityProfile", name="Uuid-P", state="absent")
    assert "uuid" in cluster.refused(
        "SipTrunkSecurityProfile", name="{0B1C2D3E-4F50-6172-8394-A5B6C7D8E9F0}", **profile
    )


def test_purge_of_trunks_keeps_the_others(cluster: Cluster) -> None:
    # CUCM would take the underscore for any sign, and compares without case: neither is what the user wrote.
    for name in ("Purge_1", "Purge_2", "Purge-3", "PURGE_4"):
        cluster.run("SipTrunk", name=name, **TRUNK)
    purge = {"aggregate": [{"name": "Purge_1"}], "purge": {"prefix": "Purge_"}}
    predicted = cluster.run("SipTrunk", check=True, **purge)
    outcome = cluster.run("SipTrunk", **purge)
    assert outcome.result["actions"] == ["removed SIP trunk Purge_2"] == predicted.result["actions"]
    assert [difference["before"]["name"] for difference in outcome.diff] == ["Purge_2"]  # type: ignore[index,union-attr]
    assert [difference["after"] for difference in outcome.diff] == [{}] and outcome.diff == predicted.diff  # type: ignore[union-attr]
    assert not cluster.run("SipTrunk", **purge).changed
    for name in ("Purge_1", "Purge-3", "PURGE_4"):
        assert not cluster.run("SipTrunk", name=name).changed
    cluster.run("RoutePattern", pattern="4499", gateway="Purge_1")
    in_use = cluster.refused("SipTrunk", aggregate=[], purge={"prefix": "Purge_"})
    assert "Purge_1" in in_use and "refers to the object" in in_use
    cluster.run("RoutePattern", pattern="4499", state="absent")


def test_purge_of_patterns_by_partition_and_by_pattern(cluster: Cluster) -> None:
    client = AxlClient.from_params(cluster.connection)
    for name in ("PT-Purge-A", "PT-Purge-B", "PT-Keep"):
        client.ask("addRoutePartition", routePartition={"name": name})
    cluster.run("SipTrunk", name="Purge-P", **TRUNK)
    where = {"4400": "PT-Purge-A", "4401": "PT-Purge-A", "4402": "PT-Purge-B", "4403": "PT-Keep", "4404": ""}
    entries = [{"pattern": pattern, "partition": partition} for pattern, partition in where.items()]
    cluster.run("RoutePattern", aggregate=entries, gateway="Purge-P")

    def present() -> set[str]:
        found = [cluster.run("RoutePattern", check=True, **entry, state="absent") for entry in entries]
        return {entry["pattern"] for entry, outcome in zip(entries, found, strict=True) if outcome.changed}

    by_partition = {"aggregate": entries[:1], "purge": {"partition_prefix": "PT-Purge-"}}
    predicted = cluster.run("RoutePattern", check=True, **by_partition)
    assert predicted.changed and present() == set(where)
    outcome = cluster.run("RoutePattern", **by_partition)
    assert outcome.result["actions"] == [
        "removed route pattern 4401 in partition PT-Purge-A",
        "removed route pattern 4402 in partition PT-Purge-B",
    ]
    assert outcome.diff == predicted.diff and present() == {"4400", "4403", "4404"}
    assert not cluster.run("RoutePattern", **by_partition).changed
    both = {"aggregate": [], "purge": {"prefix": "440", "partition_prefix": "PT-Keep"}}
    assert cluster.run("RoutePattern", **both).result["actions"] == ["removed route pattern 4403 in partition PT-Keep"]
    assert cluster.run("RoutePattern", aggregate=[], purge={"prefix": "440"}).changed and present() == set()
    for name in ("PT-Purge-A", "PT-Purge-B", "PT-Keep"):
        client.ask("removeRoutePartition", name=name)


def test_in_check_mode_an_earlier_task_may_give_a_profile_tls(cluster: Cluster) -> None:
    """Without check mode the same is a failure: the profile is what it is then."""
    options = {"name": "InClear", **TRUNK, "srtp_allowed": True}
    foreseen = cluster.run("SipTrunk", check=True, **options)
    assert foreseen.changed and len(foreseen.warnings) == 1
    assert "needs a TLS profile" in foreseen.warnings[0] and "Unless an earlier task" in foreseen.warnings[0]
    refused = cluster.refused("SipTrunk", **options)
    assert "needs a TLS profile" in refused and "earlier task" not in refused


def test_check_mode_takes_what_this_collection_makes_as_made(cluster: Cluster) -> None:
    trunk = cluster.run("SipTrunk", check=True, name="Later-1", **{**TRUNK, "security_profile": "Not yet"})
    assert trunk.result["assumes"] == ["SIP trunk security profile Not yet"]
    assert cluster.run("RoutePattern", check=True, pattern="9811", gateway="Later-1").result["assumes"]
    assert "Not yet" in cluster.refused("SipTrunk", name="Later-1", **{**TRUNK, "security_profile": "Not yet"})
    missing = {**TRUNK, "device_pool": "No such pool"}
    assert "No such pool" in cluster.refused("SipTrunk", check=True, name="Later-1", **missing)
    assert "No such trunk" in cluster.refused("RoutePattern", pattern="9811", gateway="No such trunk")


REFUSED = [
    ("SipTrunk", {"name": "has space", **TRUNK}, "has space"),
    ("SipTrunk", {"name": "T" * 51, **TRUNK}, "1 to 50 of"),
    ("SipTrunk", {"name": "T", **TRUNK, "destinations": [{"address": f"h{n}"} for n in range(17)]}, "at most 16"),
    ("SipTrunk", {"name": "T", **TRUNK, "destinations": [{"address": "h", "port": 70000}]}, "70000"),
    ("SipTrunk", {"name": "T", **TRUNK, "srtp_allowed": True}, "clear"),
    ("SipTrunk", {"name": "T", **TRUNK, "destination_is_srv": True}, "127.0.0.9"),
    ("SipTrunk", {"name": "T"}, "security_profile"),
    ("SipTrunk", {"name": "T", **TRUNK, "description": "bell \x07"}, "control character"),
    ("SipTrunk", {"name": "T", **TRUNK, "new_name": "no/slash"}, "no/slash"),
    ("SipTrunk", {"name": "T", **TRUNK, "location": "Nowhere"}, "location 'Nowhere'"),
    ("SipTrunk", {"name": "T", **TRUNK, "sip_profile": "Nowhere"}, "SIP profile 'Nowhere'"),
    ("SipTrunk", {"aggregate": [{"name": "T", **TRUNK}], "purge": {"prefix": " "}}, "not empty"),
    ("SipTrunk", {"name": "T", **TRUNK, "mlpp_indication_status": "Maybe"}, "Off, On, Default"),
    ("SipTrunk", {"name": "T", **TRUNK, "significant_digits": "many"}, "whole number"),
    ("SipTrunkSecurityProfile", {"name": "P", **PROFILE, "incoming_port": 70000}, "70000"),
    ("SipTrunkSecurityProfile", {"name": "P", **PROFILE, "security_mode": "Very"}, "Encrypted"),
    ("SipTrunkSecurityProfile", {"name": "P", **PROFILE, "incoming_port": 5060}, "5060"),
    ("SipTrunkSecurityProfile", {"name": "P", **PROFILE, "incoming_transport": "TCP"}, "needs TLS"),
    ("SipTrunkSecurityProfile", {"name": "P", "security_mode": "Non Secure", "outgoing_transport": "TLS"}, "TLS needs"),
    ("SipTrunkSecurityProfile", {"name": "P", **PROFILE, "copy_from": "No such"}, "No such"),
    ("SipTrunkSecurityProfile", {"name": "P" * 80, **PROFILE}, "characters"),
    ("RoutePattern", {"pattern": "9@", "gateway": "T"}, "dial_plan"),
    ("RoutePattern", {"pattern": "99", "gateway": "T", "partition": "Nowhere"}, "partition 'Nowhere'"),
    ("RoutePattern", {"pattern": "99", "route_list": "Nowhere"}, "route list 'Nowhere'"),
    ("RoutePattern", {"aggregate": [], "purge": {"prefix": ""}}, "not empty"),
    ("RoutePattern", {"aggregate": [], "purge": {}}, "not empty"),
    ("RoutePattern", {"aggregate": [], "purge": {"prefix": "9", "partition_prefix": ""}}, "not empty"),
    ("RoutePattern", {"pattern": "9999"}, "gateway or route_list"),
    ("RoutePattern", {"pattern": "9999", "gateway": "T", "route_list": "L"}, "exclude"),
    ("RouteGroup", {"name": "G", "members": []}, "at least one"),
    ("RouteGroup", {"name": "G"}, "members"),
]


@pytest.mark.parametrize(
    ("kind", "options", "words"), REFUSED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_bad_input_is_one_sentence_and_no_write(
    lab: Any, cluster: Cluster, kind: str, options: dict[str, Any], words: str
) -> None:
    _none, line = lab.written()
    text = cluster.refused(kind, **options)
    assert words in text and "Traceback" not in text
    assert lab.written(line)[0] == []


def test_a_subject_name_has_one_profile_a_port(cluster: Cluster) -> None:
    cluster.run("SipTrunkSecurityProfile", name="Pair-1", **{**PROFILE, "incoming_port": 5074})
    taken = {**PROFILE, "incoming_port": 5074, "x509_subject_names": ["z.example.com", "B.example.com"]}
    text = cluster.refused("SipTrunkSecurityProfile", name="Pair-2", **taken)
    assert "Pair-1" in text and "b.example.com" in text
    assert cluster.run("SipTrunkSecurityProfile", name="Pair-2", **{**taken, "incoming_port": 5075}).changed
    both = [{"name": "Pair-3"}, {"name": "Pair-4"}]
    text = cluster.refused("SipTrunkSecurityProfile", aggregate=both, **{**PROFILE, "incoming_port": 5076})
    assert "Pair-3" in text and "Pair-4" in text


def test_accounts_and_trust(lab: Any) -> None:
    wrong = lab.cluster("cucm105", password="wrong")
    text = wrong.refused("SipTrunk", name="T", **TRUNK)
    assert "401" in text and "once" in text and "axladmin" in text and "wrong." not in text
    reader = lab.cluster("cucm150", username="noaxl", password="Axl-Lab-91!without-any-role")
    assert "403" in reader.refused("SipTrunk", name="T", **TRUNK)
    assert "legacy_crypto" in lab.cluster("cucm91", legacy_crypto=False).refused("SipTrunk", name="T", **TRUNK)
    assert "ca_path" in lab.cluster("cucm150", ca_path=None).refused("SipTrunk", name="T", **TRUNK)
    assert "fingerprint" in lab.cluster("cucm150", tls_fingerprint="AB" * 32).refused("SipTrunk", name="T", **TRUNK)
    assert "no connection" in lab.cluster("cucm150", port=1).refused("SipTrunk", name="T", **TRUNK)


def test_phones_are_counted_by_the_mode_of_their_security_profile(cluster: Cluster) -> None:
    client = AxlClient.from_params(cluster.connection)
    assert info.phone_security(client) == {"Encrypted": 1}
    # In non-secure mode no phone encrypts its media, whatever its profile.
    described = info.describe(client)
    assert (described["security_mode"], described["phone_security"]) == ("non-secure", None)


def test_below_vv_a_diff_shows_what_was_asked_and_what_differs(lab: Any) -> None:
    cluster = lab.cluster("cucm150")
    task = {"name": "Brief", "copy_from": "Standard SIP Profile"}
    made = cluster.run("SipProfile", options_ping=True, **task)
    (whole,), (brief,) = made.diff, made.brief
    assert len(whole["after"]) > 20
    assert set(brief["after"]) == {"name", "options_ping", "copied from Standard SIP Profile"}
    assert brief["after"]["copied from Standard SIP Profile"] == f"{len(whole['after']) - 2} values, which -vv shows"
    assert made.ready_diff(1) == made.brief and made.ready_diff(2) == made.diff
    updated = cluster.run("SipProfile", options_ping=False, **task)
    assert [(difference["before"], difference["after"]) for difference in updated.brief] == [
        ({"options_ping": True}, {"options_ping": False})
    ]
    cluster.run("SipProfile", name="Brief", state="absent")
