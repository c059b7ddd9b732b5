# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls between two clusters over real sockets and real TLS."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from cucm_lab.https import perfmon
from cucm_lab.sip import place_call
from cucm_lab.sip import testing as world


@pytest.mark.parametrize(
    ("first", "second", "version"),
    [("9.1", "10.5", "TLSv1.0"), ("9.1", "12.5", "TLSv1.0"), ("11.5", "14", "TLSv1.2"), ("15SU2", "15SU4", "TLSv1.3")],
)
@pytest.mark.parametrize("srtp", [True, False])
def test_calls_ride_tls_both_ways(tmp_path: Path, first: str, second: str, version: str, srtp: bool) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario(first, second)) as lab:
            await world.secure_pair(lab, srtp=srtp)
            for cluster, calling, called in (("a", "1018", "9898"), ("b", "9898", "1018")):
                result = await place_call(lab, cluster, calling, called)
                assert result["result"] == "answered", result
                assert (result["transport"], result["tls_version"]) == ("TLS", version)
                assert result["srtp"] is srtp
                assert result["secure"] is srtp

    asyncio.run(run())


def test_a_restart_ends_the_calls_of_its_node_and_counters_show_them(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("12.5", "14")) as lab:
            await world.secure_pair(lab)
            kept = await place_call(lab, "a", "1018", "9898", hold=0.3)
            assert kept["result"] == "answered", kept
            for end in ("a", "b"):
                talking = asyncio.ensure_future(place_call(lab, "a", "1018", "9898", hold=30))
                while not talking.done() and lab.clusters["b"].publisher.sip.calls_active() != [True]:
                    await asyncio.sleep(0.05)
                for name in ("a", "b"):
                    shown = perfmon.values(lab.clusters[name].publisher, "Cisco CallManager")
                    counted = {counter: value for _unused, counter, value in shown}
                    assert (counted["CallsActive"], counted["EncryptedCallsActive"]) == (1, 1), (name, counted)
                await lab.clusters[end].publisher.services.restart(world.CALLMANAGER)
                lost = await asyncio.wait_for(talking, 5)
                assert (lost["result"], lost["secure"]) == ("lost", False), lost
                assert lab.clusters[end].publisher.sip.calls_active() == []

    asyncio.run(run())


def test_releases_without_a_common_version_say_so(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "15SU2")) as lab:
            await world.secure_pair(lab)
            result = await place_call(lab, "a", "1018", "9898")
            assert result["result"] == "failed"
            assert "protocol version" in result["reason"]
            found = [event["reason"] for event in lab.log.events("sip", event="handshake", node="CUCM10")]
            assert found == ["protocol_version"]

    asyncio.run(run())


def test_a_new_release_takes_an_old_peer_where_its_minimum_is_untouched(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "15")) as lab:
            await world.secure_pair(lab)
            for cluster, calling, called in (("a", "1018", "9898"), ("b", "9898", "1018")):
                result = await place_call(lab, cluster, calling, called)
                assert (result["result"], result["tls_version"]) == ("answered", "TLSv1.0"), result

    asyncio.run(run())


def test_an_authenticated_trunk_is_signed_and_not_encrypted(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            await world.secure_pair(lab)
            for cluster in lab.clusters.values():
                world.change(cluster, "SipTrunkSecurityProfile", world.TLS_NAME, securityMode="Authenticated")
            await asyncio.sleep(0.05)
            result = await place_call(lab, "a", "1018", "9898")
            assert (result["result"], result["cipher"]) == ("answered", "NULL-SHA")

    asyncio.run(run())


def test_many_calls_at_once_share_a_connection(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("14", "15")) as lab:
            await world.secure_pair(lab)
            results = await asyncio.gather(*(place_call(lab, "a", "1018", "9898") for _unused in range(40)))
            assert {result["result"] for result in results} == {"answered"}
            assert len({result["call_id"] for result in results}) == 40
            assert len(lab.nodes[0].sip.connections) == 1

    asyncio.run(run())


needs_sipp = pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp (Debian's sip-tester) is not installed")


async def sipp(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        "sipp", *arguments, "-m", "1", "-nostdin", "-timeout", "8", "-t", "t1",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip


@needs_sipp
def test_sipp_calls_and_is_called_over_tcp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            first, second = lab.clusters["a"], lab.clusters["b"]
            world.connect(first, second, "9898", tls=False, srtp=False)
            await second.publisher.services.stop(world.CALLMANAGER)
            here, there = first.publisher.address, second.publisher.address
            process = await sipp("-sn", "uac", "-i", there, "-p", "5060", "-s", "1018", f"{here}:5060")
            out, _unused = await process.communicate()
            assert process.returncode == 0, out.decode()
            assert lab.log.events("sip", event="call_in", result="answered", called="1018", transport="TCP")
            process = await sipp("-sn", "uas", "-i", there, "-p", "5060")
            await asyncio.sleep(0.5)
            result = await place_call(lab, "a", "1018", "9898")
            out, _unused = await process.communicate()
            assert result["result"] == "answered", result
            assert process.returncode == 0, out.decode()

    asyncio.run(run())
