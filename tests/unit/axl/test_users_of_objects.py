# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cucm_object_info shows of objects and of what uses them, on the lab."""

from __future__ import annotations

from typing import Any

Cluster = Any  # conftest.Cluster, which pytest hands over


def test_a_trunk_is_shown_with_all_that_leads_to_it_and_can_be_made_again(cluster: Cluster) -> None:
    cluster.run("SipTrunk", name="T-USED", security_profile="Non Secure SIP Trunk Profile",
                destinations=[{"address": "192.0.2.7"}, {"address": "peer.example", "port": 5080}])  # fmt: skip
    cluster.run("RouteGroup", name="RG-USED", members=[{"device": "T-USED"}])
    cluster.run("RouteList", name="RL-USED", members=[{"route_group": "RG-USED"}])
    cluster.run("RoutePattern", pattern="7777", route_list="RL-USED", description="by list")
    try:
        found = cluster.info(
            {"kind": "sip_trunk", "name": "T-USED"}, {"kind": "sip_trunk", "name": "NONE"}, trunks=True
        )
        trunk, none = found["objects"]
        assert none["object"] == {} and trunk["object"]["destinations"][1]["address"] == "peer.example"
        assert {(user["kind"], user["name"], user["of"]) for user in found["users"]} == {
            ("route_group", "RG-USED", "T-USED"), ("route_list", "RL-USED", "RG-USED"),
            ("route_pattern", "7777", "RL-USED"),
        }  # fmt: skip
        listed = next(trunk for trunk in found["trunks"] if trunk["name"] == "T-USED")
        assert listed["transport"] == "TCP" and {destination["port"] for destination in listed["destinations"]} == {
            5060,
            5080,
        }
        profile = cluster.info({"kind": "sip_trunk_profile", "name": "Non Secure SIP Trunk Profile"})
        assert "T-USED" in {user["name"] for user in profile["users"]}
        assert not cluster.run("SipTrunk", **trunk["object"]).changed
    finally:
        cluster.run("RoutePattern", pattern="7777", state="absent")
        for kind, name in (("RouteList", "RL-USED"), ("RouteGroup", "RG-USED"), ("SipTrunk", "T-USED")):
            cluster.run(kind, name=name, state="absent")
    cluster.run("SipTrunk", name="T-NANP", security_profile="Non Secure SIP Trunk Profile")
    cluster.run("RoutePattern", pattern="9.@", dial_plan="NANP", gateway="T-NANP", description="north")
    try:
        found = cluster.info({"kind": "route_pattern", "name": "9.@"}, {"kind": "route_pattern", "name": "8.@"})
        assert [shown["object"].get("dial_plan") for shown in found["objects"]] == ["NANP", None]
        (user,) = cluster.info({"kind": "sip_trunk", "name": "T-NANP"})["users"]
        assert cluster.run("RoutePattern", pattern=user["uuid"], state="absent").changed
    finally:
        cluster.run("RoutePattern", pattern="9.@", dial_plan="NANP", state="absent")
        cluster.run("SipTrunk", name="T-NANP", state="absent")
    again = {key: value for key, value in trunk["object"].items() if value not in ("", [], {})}
    cluster.run("SipTrunk", **again)
    try:
        assert cluster.info({"kind": "sip_trunk", "name": "T-USED"})["objects"][0]["object"] == trunk["object"]
    finally:
        cluster.run("SipTrunk", name="T-USED", state="absent")
