# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls between two clusters over real sockets and real TLS."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cucm_lab.sip import place_call

from . import world


@pytest.mark.parametrize(
    ("first", "second", "version"),
    [("9.1", "10.5", "TLSv1.0"), ("11.5", "14", "TLSv1.2"), ("15", "15", "TLSv1.3")],
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
