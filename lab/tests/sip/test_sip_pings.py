# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OPTIONS whose connection ends before the answer, as the reset of the peer's trunk does it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cucm_lab.sip import testing as world
from cucm_lab.sip import trunk_status


@pytest.mark.parametrize(("again", "status"), [(True, "Registered"), (False, "UnRegistered")])
def test_a_ping_that_loses_its_connection_is_sent_once_more(tmp_path: Path, again: bool, status: str) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("11.5", "12.5")) as lab:
            await world.secure_pair(lab)
            lab.inferred.set("sip.ping_sent_again", again)
            lab.faults.add(interface="sip", action="refuse", operation="OPTIONS", node="b", count=1)
            world.change(lab.clusters["a"], "SipProfile", "Standard SIP Profile", enableOutboundOptionsPing=True)
            found = "Unknown"
            for _unused in range(200):
                found = trunk_status(lab.clusters["a"])[0]["status"]
                if found != "Unknown":
                    break
                await asyncio.sleep(0.05)
            assert found == status and [rule["hits"] for rule in lab.faults.list()] == [1]

    asyncio.run(run())
