# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The core without a process: scenarios, fault rules, the database, the event log, services, configuration."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from cucm_lab import scenario as scenarios
from cucm_lab.clock import Clock
from cucm_lab.config import InUse
from cucm_lab.database import Database
from cucm_lab.eventlog import EventLog
from cucm_lab.faults import FaultError, Faults
from cucm_lab.world import Lab, Node


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(scenarios.load("two-clusters"), tmp_path)


@pytest.mark.parametrize("name", scenarios.names())
def test_each_scenario_loads_and_rebases(name: str) -> None:
    scenario = scenarios.load(name, "127.37")
    assert all(node.address.startswith("127.37.") for cluster in scenario.clusters for node in cluster.nodes)
    extensions = [phone.extension for cluster in scenario.clusters for phone in cluster.phones]
    assert len(set(extensions)) == len(extensions)


def test_two_clusters_are_those_of_the_document() -> None:
    cucma, cucm10 = scenarios.load("two-clusters").clusters
    assert (cucma.release.version, cucma.phones[0].extension) == ("9.1.2.10000-28", "1018")
    assert (cucm10.release.version, cucm10.phones[0].extension) == ("10.5.2.10000-5", "9898")
    assert cucma.subject == {"C": "IN", "ST": "cisco", "L": "cisco", "O": "cisco", "OU": "cisco"}
    assert (cucma.nodes[0].name, cucm10.nodes[0].name) == ("CUCMA", "CUCM10")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"release": "8.6"}, "8.6"),
        ({"nodes": []}, "Publisher"),
        ({"nodes": [{"name": "A", "address": "127.0.1.1", "role": "Subscriber"}]}, "Publisher"),
        ({"nodes": [{"name": "A", "address": "127.0.1.1", "colour": "red"}]}, "colour"),
    ],
)
def test_a_wrong_scenario_names_what_is_wrong(change: dict[str, object], word: str) -> None:
    cluster = {"name": "a", "release": "14", "nodes": [{"name": "A", "address": "127.0.1.1"}], **change}
    with pytest.raises(scenarios.ScenarioError, match=word):
        scenarios.parse({"clusters": [cluster]}, "wrong")


@pytest.mark.parametrize("net", ["10.0", "127", "127.300", "127.a"])
def test_a_net_that_is_no_loopback(net: str) -> None:
    with pytest.raises(scenarios.ScenarioError, match="127"):
        scenarios.load("two-clusters", net)


def hits(faults: Faults, count: int, operation: str = "addSipTrunk", node: str = "CUCMA") -> list[bool]:
    return [faults.match("axl", operation, node) is not None for _unused in range(count)]


def test_fault_by_count_every_and_pattern() -> None:
    faults = Faults()
    faults.add(interface="axl", action="status", count=2)
    assert hits(faults, 4) == [True, True, False, False]
    faults.clear()
    faults.add(interface="axl", action="drop", operation="add*", every=3)
    assert hits(faults, 7) == [False, False, True, False, False, True, False]
    assert hits(faults, 3, "getSipTrunk") == [False] * 3
    assert faults.match("ssh", "addSipTrunk", "CUCMA") is None
    faults.clear()
    faults.add(interface="axl", action="drop", node="cucm10")
    assert hits(faults, 1) == [False]


def test_fault_by_rate_is_repeatable() -> None:
    def run() -> list[bool]:
        faults = Faults(seed=7)
        faults.add(interface="axl", action="status", rate=0.3)
        return hits(faults, 200)

    assert run() == run()
    assert 30 < sum(run()) < 90


def test_a_rule_that_cannot_be() -> None:
    for wrong in ({"interface": "telnet", "action": "drop"}, {"interface": "axl", "action": "drop", "colour": 1}):
        with pytest.raises(FaultError):
            Faults().add(**wrong)


def test_a_transaction_that_fails_keeps_nothing(tmp_path: Path) -> None:
    db = Database(tmp_path / "a.db")
    with pytest.raises(RuntimeError), db.transaction():
        db.set_setting("a", "1")
        with db.transaction():
            db.set_setting("b", "1")
        raise RuntimeError
    assert (db.setting("a"), db.setting("b")) == (None, None)


def test_the_log_holds_no_secret(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "log", Clock(), ["s3cret-word"])
    log.write("axl", text="password s3cret-word", deep={"a": ["s3cret-word"]})
    assert "s3cret" not in (tmp_path / "log").read_text()
    assert log.events("axl")[0]["deep"] == {"a": ["********"]}
    assert json.loads((tmp_path / "log").read_text())["kind"] == "axl"


def test_restart_tells_listeners_in_order_and_remembers_stops(lab: Lab) -> None:
    node = lab.clusters["cucma"].publisher
    seen: list[str] = []

    async def listener(_unused: Node, name: str, status: str) -> None:
        # listeners hear of "Started" before the table shows it: the ports must be open by then.
        seen.append(f"{status} while {node.services.status(name)}")

    node.services.on_change(listener)
    lab.inferred.set("service.restart_seconds", 0.01)
    asyncio.run(node.services.restart("Cisco CallManager"))
    assert seen == [
        "Stopping while Stopping", "Stopped while Stopped", "Starting while Starting", "Started while Starting"
    ]  # fmt: skip
    asyncio.run(node.services.stop("Cisco Tftp"))
    again = Lab(lab.scenario, lab.directory)
    assert again.clusters["cucma"].publisher.services.status("Cisco Tftp") == "Stopped"
    assert again.clusters["cucma"].publisher.services.status("Cisco CallManager") == "Started"


def test_a_start_that_hangs_or_fails(lab: Lab) -> None:
    services = lab.clusters["cucma"].publisher.services
    lab.inferred.set("service.restart_seconds", 0.01)
    lab.faults.add(interface="service", action="fail", operation="start Cisco CallManager", count=1)
    asyncio.run(services.restart("Cisco CallManager"))
    assert services.status("Cisco CallManager") == "Stopped"
    lab.faults.add(interface="service", action="hang", operation="start Cisco CallManager", count=1)

    async def hang() -> None:
        started = asyncio.ensure_future(services.start("Cisco CallManager"))
        await asyncio.sleep(0.2)
        assert services.status("Cisco CallManager") == "Starting"
        lab.faults.clear()
        await asyncio.wait_for(started, 5)

    asyncio.run(hang())
    assert services.status("Cisco CallManager") == "Started"


def test_a_restart_cut_short_leaves_no_stopped_service(lab: Lab) -> None:
    services = lab.clusters["cucma"].publisher.services
    lab.faults.add(interface="service", action="hang", operation="start *")

    async def cut() -> None:
        services.begin("restart", "Cisco CallManager")
        await asyncio.sleep(0.8)
        await services.close()

    asyncio.run(cut())
    assert services.status("Cisco CallManager") == "Starting"
    again = Lab(lab.scenario, lab.directory)
    assert again.clusters["cucma"].publisher.services.status("Cisco CallManager") == "Started"


def test_a_change_is_in_use_after_reset_only(lab: Lab) -> None:
    config = lab.clusters["cucm10"].config
    profile = config.record("SipTrunkSecurityProfile", "Non Secure SIP Trunk Profile")
    sip = config.record("SipProfile", "Standard SIP Profile")
    assert profile
    assert sip
    applied: list[list[str]] = []
    config.on_apply(lambda trunks: applied.append([trunk.name for trunk in trunks]))
    body = {"name": "T", "securityProfileName": {"@": profile.pkid}, "sipProfileName": {"@": sip.pkid}}
    trunk = config.add("SipTrunk", "T", body)
    assert config.running_trunks()[0]["securityProfile"]["incomingPort"] == 5060
    profile.body["incomingPort"] = 5070
    config.replace(profile)
    assert config.running_trunks()[0]["securityProfile"]["incomingPort"] == 5060
    config.apply([trunk])
    assert config.running_trunks()[0]["securityProfile"]["incomingPort"] == 5070
    assert applied == [["T"], ["T"]]
    with pytest.raises(InUse):
        config.remove(profile)
    config.remove(trunk)
    assert config.running_trunks() == []


def test_files_stay_inside_the_node(lab: Lab) -> None:
    node = lab.clusters["cucma"].publisher
    assert node.file("/var/log/active/cm") == node.active_log / "cm"
    with pytest.raises(ValueError, match="outside"):
        node.file("/../../../etc/passwd")
