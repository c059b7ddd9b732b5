# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways a call takes: destinations, trunks and nodes that fail, route lists, resets, phones, faults."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from cucm_lab.config import reference
from cucm_lab.sip import CallResult, client, place_call
from cucm_lab.sip import testing as world
from cucm_lab.world import Cluster, Lab


def three_nodes() -> dict[str, Any]:
    data = world.scenario("14", "12.5")
    data["clusters"][0]["nodes"] += [
        {"name": "SUB1", "address": "127.0.91.2", "role": "Subscriber"},
        {"name": "SUB2", "address": "127.0.91.3", "role": "Subscriber"},
    ]
    return data


async def answered(lab: Lab, *way: str) -> CallResult:
    result = await place_call(lab, *way)
    assert result["result"] == "answered", result
    return result


def test_a_cluster_of_three_nodes_serves_as_long_as_one_runs(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, three_nodes()) as lab:
            await world.secure_pair(lab)
            first, second = lab.clusters["a"], lab.clusters["b"]
            names = " ".join(node.fqdn for node in first.nodes)
            world.change(second, "SipTrunkSecurityProfile", world.TLS_NAME, x509SubjectName=names)
            seen = []
            for node in first.nodes:
                seen.append((await answered(lab, "a", "1018", "9898"))["node"])
                seen.append((await answered(lab, "b", "9898", "1018"))["peer"].split(":")[0])
                await node.services.stop(world.CALLMANAGER)
            assert seen[0::2] == ["CUCMA", "SUB1", "SUB2"]
            assert seen[1::2] == [node.address for node in first.nodes]
            result = await place_call(lab, "b", "9898", "1018")
            assert result["result"] == "failed"
            assert "refuses connections on port 5061" in result["reason"]
            result = await place_call(lab, "a", "1018", "9898")
            assert "runs on no node" in result["reason"]

    asyncio.run(run())


def to_list(cluster: Cluster, algorithm: str, trunks: list[str], *, enabled: bool = True) -> None:
    config = cluster.config
    group = config.add("RouteGroup", "RG", {"name": "RG", "distributionAlgorithm": algorithm, "members": [
        {"deviceName": reference(world.record(cluster, "SipTrunk", name)), "deviceSelectionOrder": place, "port": 0}
        for place, name in enumerate(trunks, 1)]})  # fmt: skip
    manager_group = world.record(cluster, "CallManagerGroup", "Default")
    route_list = config.add("RouteList", "RL", {
        "name": "RL", "routeListEnabled": enabled, "callManagerGroupName": reference(manager_group),
        "members": [{"routeGroupName": reference(group), "selectionOrder": 1}]})  # fmt: skip
    config.add("RoutePattern", "8.9898", {
        "pattern": "8.9898", "routePartitionName": None, "blockEnable": False,
        "digitDiscardInstructionName": reference(world.record(cluster, "Ddi", "PreDot")),
        "destination": {"gatewayName": None, "routeListName": reference(route_list)}})  # fmt: skip


@pytest.mark.parametrize("algorithm", ["Top Down", "Circular", "Longest Idle Time"])
def test_route_lists_and_groups(tmp_path: Path, algorithm: str) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            await world.secure_pair(lab)
            first = lab.clusters["a"]
            body = world.record(first, "SipTrunk", "to-b").body
            nowhere = [{**body["destinations"][0], "addressIpv4": lab.clusters["a"].publisher.address, "port": 5999}]
            first.config.add("SipTrunk", "second", {**body, "name": "second"})
            first.config.add("SipTrunk", "nowhere", {**body, "name": "nowhere", "destinations": nowhere})
            to_list(first, algorithm, ["nowhere", "to-b", "second"])
            used = [(await answered(lab, "a", "1018", "89898"))["trunk"] for _unused in range(3)]
            if algorithm == "Top Down":
                assert used == ["to-b"] * 3
            else:
                assert set(used) == {"to-b", "second"}

    asyncio.run(run())


def test_a_disabled_route_list_and_a_blocked_pattern(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            await world.secure_pair(lab)
            first = lab.clusters["a"]
            to_list(first, "Top Down", ["to-b"], enabled=False)
            assert "disabled or empty" in (await place_call(lab, "a", "1018", "89898"))["reason"]
            world.change(first, "RoutePattern", "8.9898", blockEnable=True)
            result = await place_call(lab, "a", "1018", "89898")
            assert (result["status"], "blocks calls" in result["reason"]) == (403, True)

    asyncio.run(run())


def test_a_reset_makes_changes_work_and_drops_connections(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            await world.secure_pair(lab)
            first = lab.clusters["a"]
            await answered(lab, "a", "1018", "9898")
            before = set(lab.nodes[0].sip.connections)
            await answered(lab, "a", "1018", "9898")
            assert set(lab.nodes[0].sip.connections) == before
            world.change(first, "SipTrunk", "to-b", reset=False, srtpAllowed=False)
            assert (await answered(lab, "a", "1018", "9898"))["srtp"] is True
            first.config.apply([world.record(first, "SipTrunk", "to-b")])
            await asyncio.sleep(0.05)
            assert not set(lab.nodes[0].sip.connections)
            result = await answered(lab, "a", "1018", "9898")
            assert (result["srtp"], result["secure"]) == (False, False)
            assert not set(lab.nodes[0].sip.connections) & before

    asyncio.run(run())


def hub_and_leaves() -> dict[str, Any]:
    data = world.scenario("9.1", "12.5")
    data["clusters"].append(
        {"name": "hub", "release": "14", "nodes": [{"name": "HUB", "address": "127.0.77.1"}], "phones": []}
    )
    return data


async def around_a_hub(lab: Lab) -> None:
    """Two leaves whose calls pass through the hub, all with certificates of one CA."""
    authority = world.Authority()
    first, second, hub = (lab.clusters[name] for name in ("a", "b", "hub"))
    world.connect(first, hub, "98XX")
    world.connect(second, hub, "10XX")
    for leaf, pattern in ((first, "10XX"), (second, "98XX")):
        world.connect(hub, leaf, pattern, profile_name=f"TLS to {leaf.name}")
    for cluster in (first, second, hub):
        for node in cluster.nodes:
            await world.certify(node, authority)


def test_a_hub_passes_calls_on_over_tls_on_both_legs(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, hub_and_leaves()) as lab:
            await around_a_hub(lab)
            for way in (("a", "1018", "9898"), ("b", "9898", "1018")):
                result = await answered(lab, *way)
                assert (result["secure"], result["trunk"]) == (True, "to-hub")
            await asyncio.sleep(0.2)
            passed = lab.log.events("sip", event="call_passed_on")
            assert [(call["came_by"], call["trunk"], call["secure"]) for call in passed] == [
                ("to-a", "to-b", True), ("to-b", "to-a", True)
            ]  # fmt: skip
            assert [call["tls_version"] for call in passed] == ["TLSv1.2", "TLSv1.0"]
            # What the called phone says reaches the caller.
            busy = await place_call(lab, "a", "1018", "9897")
            assert (busy["result"], busy["status"]) == ("failed", 486)
            assert (await place_call(lab, "a", "1018", "9811"))["status"] == 404
            # No keys on the second leg: the first one has none either.
            world.change(lab.clusters["hub"], "SipTrunk", "to-b", srtpAllowed=False)
            await asyncio.sleep(0.05)
            assert (await answered(lab, "a", "1018", "9898"))["srtp"] is False
            await lab.clusters["b"].publisher.services.stop(world.CALLMANAGER)
            assert (await place_call(lab, "a", "1018", "9898"))["status"] == 503
            assert not lab.log.events("sip", event="error")

    asyncio.run(run())


def test_a_hub_hangs_up_on_the_second_leg_when_the_caller_does(tmp_path: Path) -> None:
    async def run() -> None:
        data = hub_and_leaves()
        data["clusters"][1]["phones"].append({"extension": "9800", "behaviour": "no_answer"})
        async with world.running(tmp_path, data) as lab:
            await around_a_hub(lab)
            call = asyncio.ensure_future(place_call(lab, "a", "1018", "9800"))

            async def rings() -> bool:
                return bool(lab.clusters["b"].publisher.sip.calls)

            await world.eventually(rings)
            call.cancel()

            async def both_legs_ended() -> bool:
                ends = [(event["trunk"], event["status"]) for event in lab.log.events("sip", event="call_in")]
                return sorted(ends) == [("to-a", 487), ("to-hub", 487)]

            await world.eventually(both_legs_ended)

    asyncio.run(run())


@pytest.mark.parametrize("counts", [True, False])
def test_a_loop_ends(tmp_path: Path, counts: bool) -> None:
    async def run() -> None:
        async with world.running(tmp_path, hub_and_leaves()) as lab:
            await around_a_hub(lab)
            lab.inferred.set("sip.tandem_counts_hops", counts)
            # b sends what it does not know back to the hub.
            second = lab.clusters["b"]
            back = world.record(second, "RoutePattern", "10XX").body
            second.config.add("RoutePattern", "98[2-7]X", {**back, "pattern": "98[2-7]X"})
            if counts:
                assert (await place_call(lab, "a", "1018", "9877"))["status"] == 483
                return
            before = client.RINGING_SECONDS
            client.RINGING_SECONDS = 0.5
            try:
                assert (await place_call(lab, "a", "1018", "9877"))["status"] == 408
            finally:
                client.RINGING_SECONDS = before

    asyncio.run(run())


@pytest.mark.parametrize(("called", "status"), [("9897", 486), ("9811", 404)])
def test_phones_that_do_not_answer(tmp_path: Path, called: str, status: int) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            await world.secure_pair(lab)
            result = await place_call(lab, "a", "1018", called)
            assert (result["result"], result["status"], result["transport"]) == ("failed", status, "TLS")
            assert str(status) in result["reason"]
            local = await place_call(lab, "a", "1018", "1019")
            assert (local["result"], local["status"]) == ("failed", 486)
            with pytest.raises(KeyError, match="has no phone 7"):
                await place_call(lab, "a", "7", "9898")

    asyncio.run(run())


def test_srtp_is_off_when_one_side_does_not_allow_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            await world.secure_pair(lab)
            world.change(lab.clusters["b"], "SipTrunk", "to-a", srtpAllowed=False)
            await asyncio.sleep(0.05)
            assert (await answered(lab, "a", "1018", "9898"))["srtp"] is False
            assert (await answered(lab, "b", "9898", "1018"))["srtp"] is False
            lab.inferred.set("sip.srtp_fallback", False)
            assert (await place_call(lab, "a", "1018", "9898"))["status"] == 488

    asyncio.run(run())


@pytest.mark.parametrize("first", ["mixed", "non-secure"])
@pytest.mark.parametrize("second", ["mixed", "non-secure"])
def test_phones_do_srtp_in_mixed_mode_alone(tmp_path: Path, first: str, second: str) -> None:
    data = world.scenario("10.5", "14", inferred={"phones.srtp_in_non_secure_mode": False})
    for cluster, mode in zip(data["clusters"], (first, second), strict=True):
        cluster["security_mode"] = mode

    async def run() -> None:
        async with world.running(tmp_path, data) as lab:
            await world.secure_pair(lab)
            for cluster in lab.clusters.values():
                if cluster.telephones.files.mixed_mode:
                    cluster.telephones.files.update_ctl()
                    cluster.telephones.reset()
            for way in (("a", "1018", "9898"), ("b", "9898", "1018")):
                call = await answered(lab, *way)
                assert (call["transport"], call["srtp"]) == ("TLS", first == second == "mixed"), call

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["tls_to_tcp", "tcp_to_tls"])
def test_transports_that_do_not_fit(tmp_path: Path, kind: str) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            first, second = lab.clusters["a"], lab.clusters["b"]
            world.connect(first, second, "9898", tls=kind == "tls_to_tcp")
            trunk = world.record(first, "SipTrunk", "to-b")
            port = 5060 if kind == "tls_to_tcp" else 5061
            world.change(first, "SipTrunk", "to-b", destinations=[{**trunk.body["destinations"][0], "port": port}])
            await asyncio.sleep(0.05)
            begin = time.monotonic()
            result = await place_call(lab, "a", "1018", "9898")
            assert result["result"] == "failed"
            assert time.monotonic() - begin < 3

    asyncio.run(run())


@pytest.mark.parametrize(
    ("operation", "rule", "expected"),
    [
        ("handshake", {"action": "alert", "extra": {"alert": 70}}, "alert: protocol version"),
        ("handshake", {"action": "wrong_certificate"}, "unknown CA"),
        ("handshake", {"action": "wrong_certificate", "extra": {"how": "name"}}, "unknown CA"),
        ("accept", {"action": "refuse"}, "during the handshake"),
        ("INVITE", {"action": "status", "status": 503}, "503 Service Unavailable"),
        ("INVITE", {"action": "refuse"}, "closed"),
        ("INVITE", {"action": "reset"}, "closed"),
        ("INVITE", {"action": "garbage"}, "closed"),
        ("INVITE", {"action": "stall", "seconds": 0.2}, ""),
    ],
)
def test_faults(tmp_path: Path, operation: str, rule: dict[str, Any], expected: str) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            await world.secure_pair(lab)
            lab.faults.add(interface="sip", operation=operation, node="CUCM10", **rule)
            result = await place_call(lab, "a", "1018", "9898")
            assert (result["result"] == "failed") is bool(expected), result
            assert expected in result["reason"]
            lab.faults.clear()
            await answered(lab, "a", "1018", "9898")
            assert not lab.log.events("sip", event="error")

    asyncio.run(run())


def test_a_fault_takes_mutual_authentication_away(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            await world.secure_pair(lab)
            lab.faults.add(interface="sip", operation="client-certificate", node="CUCM10", action="fail")
            await answered(lab, "a", "1018", "9898")
            event = lab.log.events("sip", event="handshake", node="CUCM10", direction="in")[-1]
            assert event["peer_subject"] is None

    asyncio.run(run())


_INVITE = "\r\n".join(
    [
        "INVITE sip:1018@x SIP/2.0",
        "Via: SIP/2.0/TCP x;branch=z9hG4bK1",
        "From: <sip:9898@x>;tag=1",
        "To: <sip:1018@x>",
        "Call-ID: c",
        "CSeq: 1 INVITE",
        "Content-Length: 0\r\n\r\n",
    ]
)


#: what is sent, and how the answer begins
MALFORMED = {
    "sound": (_INVITE, "SIP/2.0 200"),
    "after a keepalive": (f"\r\n\r\n{_INVITE}", "SIP/2.0 200"),
    "no address": (_INVITE.replace("<sip:9898@x>", "what is this>"), "SIP/2.0 400"),
    "escaped NUL": (_INVITE.replace("sip:1018@x SIP", "sip:%00@x SIP"), "SIP/2.0 404"),
    "SUBSCRIBE": (_INVITE.replace("INVITE", "SUBSCRIBE"), "SIP/2.0 405"),
    "no method": (_INVITE.replace("INVITE", "MAKETEA"), "SIP/2.0 501"),
    "BYE": (_INVITE.replace("INVITE", "BYE"), "SIP/2.0 481"),
    "ACK": (_INVITE.replace("INVITE", "ACK"), ""),
    "no Via": (_INVITE.replace("Via", "Vie"), ""),
    "no scheme": (_INVITE.replace("sip:1018@x SIP", "1018 SIP"), ""),
    "length too large": (_INVITE.replace("Content-Length: 0", "Content-Length: 999999999"), ""),
    "body cut": (_INVITE.replace("Content-Length: 0", "Content-Length: 40"), ""),
    "binary": ("\xff\xfe" * 50 + "\r\n\r\n", ""),
    "no end": ("x" * 300_000, ""),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_messages_are_survived(tmp_path: Path, what: str) -> None:
    sent, answer = MALFORMED[what]

    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            first, second = lab.clusters["a"], lab.clusters["b"]
            world.connect(first, second, "9898", tls=False)
            where = (first.publisher.address, 5060)
            reader, writer = await asyncio.open_connection(*where, local_addr=(second.publisher.address, 0))
            writer.write(sent.encode("latin-1"))
            text = ""
            try:
                async with asyncio.timeout(5 if answer else 0.6):
                    while answer not in text or not answer:
                        part = await reader.read(4096)
                        text += part.decode()
                        if not part:
                            break
            except (TimeoutError, ConnectionResetError):
                pass
            writer.close()
            assert answer in text
            assert answer or not text
            assert not lab.log.events("sip", event="error")

    asyncio.run(run())
