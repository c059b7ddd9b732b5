# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones after a new CallManager certificate: with and without the CTL, and with a TVS that was renewed before."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from cucm_lab.phones import Entry
from cucm_lab.services import CALLMANAGER, TFTP, TVS
from cucm_lab.shell.activation import activate
from cucm_lab.sip import place_call
from cucm_lab.sip import testing as world
from cucm_lab.world import Cluster


def _scenario(release: str, mode: str = "mixed") -> dict[str, Any]:
    data = world.scenario(release, "12.5")
    for cluster in data["clusters"]:
        cluster["security_mode"] = mode
    data["clusters"][1]["security_mode"] = "non-secure"
    return data


def _registered(cluster: Cluster) -> list[bool]:
    return [cluster.telephones.registration(phone).node is not None for phone in cluster.phones]


async def _new_certificate(cluster: Cluster, authority: world.Authority, *, update_ctl: bool) -> None:
    node = cluster.publisher
    node.certs.import_trust("CallManager-trust", authority.pem)
    node.certs.import_own("CallManager", authority.sign(node.certs.generate_csr("CallManager")))
    if update_ctl:
        cluster.telephones.files.update_ctl()
    for service in (CALLMANAGER, TVS, TFTP):
        await node.services.restart(service)


@pytest.mark.parametrize("release", ["10.5", "11.5", "14"])
def test_the_ctl_decides_over_encrypted_phones(tmp_path: Path, release: str) -> None:
    async def run() -> None:
        async with world.running(tmp_path, _scenario(release)) as lab:
            cluster = lab.clusters["a"]
            await world.secure_pair(lab)
            assert not any(_registered(cluster)), "the certificate changed and nobody updated the CTL"
            lost = await place_call(lab, "a", "1018", "9898")
            assert (lost["result"], "its CTL does not have the certificate" in lost["reason"]) == ("failed", True)
            # A phone that can't be reached inbound either.
            assert (await place_call(lab, "b", "9898", "1018"))["status"] == 404
            cluster.telephones.files.update_ctl()
            cluster.telephones.reset()
            assert all(_registered(cluster))
            await _new_certificate(cluster, world.Authority("Next CA"), update_ctl=True)
            assert all(_registered(cluster))

    asyncio.run(run())


def test_what_signs_goes_by_release(tmp_path: Path) -> None:
    async def run() -> None:
        for release in ("11.5", "12.5"):
            async with world.running(tmp_path / release, _scenario(release)) as lab:
                cluster = lab.clusters["a"]
                files, unit = cluster.telephones.files, "CallManager" if release == "11.5" else "ITLRecovery"
                expected = Entry.of("", "", cluster.publisher.certs.held_certificate(unit)).sha256
                ctl = files.ctl()
                assert ctl is not None
                assert ctl.signer.sha256 == files.itl(cluster.publisher).signer.sha256 == expected

    asyncio.run(run())


@pytest.mark.parametrize(("release", "lost"), [("11.5", True), ("12.5", False)])
def test_a_tvs_that_was_renewed_before_loses_the_phones_up_to_11_5(tmp_path: Path, release: str, lost: bool) -> None:
    async def run() -> None:
        async with world.running(tmp_path, _scenario(release, "non-secure")) as lab:
            cluster = lab.clusters["a"]
            cluster.publisher.services.on_change(activate)
            cluster.publisher.certs.regenerate("TVS")
            await cluster.publisher.services.restart(TVS)
            assert all(_registered(cluster))
            await _new_certificate(cluster, world.Authority(), update_ctl=False)
            assert any(_registered(cluster)) is not lost
            if lost:
                reason = cluster.telephones.registration(cluster.phones[0]).reason
                assert reason == "it can't verify the ITL that TFTP serves"

    asyncio.run(run())


def test_set_cluster_makes_and_removes_the_ctl(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, _scenario("12.5", "non-secure")) as lab:
            files = lab.clusters["a"].telephones.files
            assert (files.mixed_mode, files.ctl()) == (False, None)
            files.set_mixed_mode(True)
            assert files.mixed_mode
            assert files.ctl() is not None
            files.set_mixed_mode(False)
            assert (files.mixed_mode, files.ctl()) == (False, None)

    asyncio.run(run())
