# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services that are activated per node, CallManager groups, and shipped objects that a scenario replaces."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from cucm_lab.scenario import ScenarioError, parse
from cucm_lab.services import CALLMANAGER, services_of
from cucm_lab.sip import place_call
from cucm_lab.sip import testing as world
from cucm_lab.world import Lab


def _scenario(**first: Any) -> dict[str, Any]:
    data = world.scenario("14", "12.5")
    data["clusters"][0].update(first)
    return data


TWO_NODES = [
    {"name": "CUCMA", "address": "127.0.91.1", "not_activated": [CALLMANAGER, "Cisco CTIManager"]},
    {"name": "CUCMS", "address": "127.0.91.2", "role": "Subscriber"},
]


def test_a_publisher_without_callmanager_runs_no_trunk_and_no_phone(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, _scenario(nodes=TWO_NODES)) as lab:
            pub, sub = lab.clusters["a"].nodes
            await world.secure_pair(lab)
            assert pub.services.get(CALLMANAGER).activated is False
            assert pub.services.status(CALLMANAGER) == "Stopped"
            result = await place_call(lab, "a", "1018", "9898")
            assert (result["result"], result["node"]) == ("answered", sub.name), result
            active = {
                (row["processNodeName"], row["service"]): row["isActive"]
                for row in lab.clusters["a"].config.objects("ProcessNodeService")
            }
            assert (active[pub.name, CALLMANAGER], active[sub.name, CALLMANAGER]) == (False, True)
            await pub.services.activate(CALLMANAGER)
            assert pub.services.running(CALLMANAGER)
            await sub.services.deactivate(CALLMANAGER)
            await sub.services.restart(CALLMANAGER)
            assert sub.services.status(CALLMANAGER) == "Stopped"

    asyncio.run(run())


def test_activation_survives_the_labs_next_start(tmp_path: Path) -> None:
    async def run(expect: bool) -> None:
        lab = Lab(parse(_scenario(), "s", "127.77"), tmp_path)
        services = lab.clusters["a"].publisher.services
        assert services.get("Cisco Tftp").activated is expect
        await services.deactivate("Cisco Tftp")
        await lab.close()

    asyncio.run(run(True))
    asyncio.run(run(False))


def test_an_invite_that_reaches_a_node_without_the_trunk_is_refused(tmp_path: Path) -> None:
    nodes = [{"name": "CUCMA", "address": "127.0.91.1"}, TWO_NODES[1]]
    only_the_subscriber = {
        "CallManagerGroup": [{"name": "Default", "members": [{"callManagerName": "CM_CUCMS", "priority": 0}]}]
    }

    async def run() -> None:
        async with world.running(tmp_path, _scenario(nodes=nodes, config=only_the_subscriber)) as lab:
            await world.secure_pair(lab)
            trunk = lab.clusters["b"].config.record("SipTrunk", "to-a")
            assert trunk is not None
            to_publisher = {**trunk.body, "destinations": trunk.body["destinations"][:1]}
            world.change(lab.clusters["b"], "SipTrunk", "to-a", destinations=to_publisher["destinations"])
            await asyncio.sleep(0.05)
            result = await place_call(lab, "b", "9898", "1018")
            assert (result["result"], result["status"]) == ("failed", 503), result
            lab.inferred.set("sip.trunk_elsewhere", "answer")
            assert (await place_call(lab, "b", "9898", "1018"))["result"] == "answered"

    asyncio.run(run())


def test_the_first_connection_after_a_reset_uses_the_new_settings(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            await world.secure_pair(lab)
            for mode, cipher in (
                ("Authenticated", "NULL-SHA"),
                ("Encrypted", "AES256-SHA"),
                ("Authenticated", "NULL-SHA"),
            ):
                for cluster in lab.clusters.values():
                    world.change(cluster, "SipTrunkSecurityProfile", world.TLS_NAME, securityMode=mode)
                # No pause: the call follows the reset at once.
                result = await place_call(lab, "a", "1018", "9898")
                assert result["result"] == "answered", result
                assert (result["cipher"] == "NULL-SHA") is (cipher == "NULL-SHA"), result["cipher"]

    asyncio.run(run())


def test_haproxy_comes_with_14(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, _scenario()) as lab:
            have = {name: {s.name for s in services_of(c.release)} for name, c in lab.clusters.items()}
            assert ("Cisco HAProxy" in have["a"], "Cisco HAProxy" in have["b"]) == (True, False)

    asyncio.run(run())


@pytest.mark.parametrize(("given", "expected"), [("mixed", 1), ("non-secure", 0), (1, 1), (0, 0)])
def test_security_mode_takes_words(given: object, expected: int) -> None:
    assert parse(_scenario(security_mode=given), "s").clusters[0].security_mode == expected


def test_wrong_words_are_named() -> None:
    with pytest.raises(ScenarioError, match="security_mode secure is not one of non-secure, mixed"):
        parse(_scenario(security_mode="secure"), "s")
    with pytest.raises(ScenarioError, match="not_activated names Cisco Tomcat"):
        parse(_scenario(nodes=[{"name": "A", "address": "127.0.1.1", "not_activated": ["Cisco Tomcat"]}]), "s")
