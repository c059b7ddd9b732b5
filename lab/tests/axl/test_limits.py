# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits that only show under load, on the AXL service itself, and the tomcat certificate's renewal."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

import asyncssh
import pytest
from cucm_lab import scenario as scenarios
from cucm_lab.https.axl.service import NOTIFICATIONS, AxlService
from cucm_lab.testing import LabProcess
from cucm_lab.world import Lab


def envelope(operation: str, inner: str = "", version: str = "10.5") -> bytes:
    return (
        f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f'<n:{operation} xmlns:n="http://www.cisco.com/AXL/API/{version}">{inner}</n:{operation}></e:Body></e:Envelope>'
    ).encode()


@pytest.fixture
def service(tmp_path: Path) -> AxlService:
    lab = Lab(scenarios.load("two-clusters"), tmp_path)
    return AxlService(lab.clusters["cucm10"].publisher)


def test_writes_are_throttled_above_1500_outstanding_notifications(service: AxlService) -> None:
    cluster = service._node.cluster
    account = cluster.application_accounts["axladmin"]
    cluster.lab.inferred.set("axl.notifications_per_second", 0)
    write = envelope("doDeviceReset", "<deviceName>none</deviceName><isHardReset>true</isHardReset>")
    statuses = [service.handle(write, "", account).status for _unused in range(NOTIFICATIONS + 10)]
    assert statuses[0] == 500
    assert statuses.index(503) == NOTIFICATIONS + 1
    assert service.handle(envelope("getCCMVersion"), "", account).status == 200
    cluster.lab.inferred.set("axl.notifications_per_second", 100_000)
    time.sleep(0.05)
    assert service.handle(write, "", account).status == 500


def test_a_same_major_version_may_be_switched_off(service: AxlService) -> None:
    cluster = service._node.cluster
    account = cluster.application_accounts["axladmin"]
    ask = envelope("getCCMVersion", version="10.0")
    assert service.handle(ask, "", account).status == 200
    cluster.lab.inferred.set("axl.accepts_same_major", False)
    assert service.handle(ask, "", account).status == 599


def test_ten_thousand_patterns_are_found_fast(service: AxlService) -> None:
    cluster = service._node.cluster
    with cluster.db.transaction():
        for number in range(10_000):
            cluster.config.add("RoutePattern", f"{number:05}", {"pattern": f"{number:05}"}, "||")
    account = cluster.application_accounts["axladmin"]
    started = time.perf_counter()
    for number in range(0, 10_000, 100):
        assert service.handle(envelope("getRoutePattern", f"<pattern>{number:05}</pattern>"), "", account).status == 200
    took = (time.perf_counter() - started) / 100
    listed = envelope(
        "listRoutePattern",
        "<searchCriteria><pattern>0999%</pattern></searchCriteria><returnedTags><pattern/></returnedTags>",
    )
    assert service.handle(listed, "", account).body.count("<routePattern ") == 10
    # A read by key doesn't grow with the table: a scan of it would take tens of milliseconds.
    assert took < 0.02


def presented(address: str) -> str:
    return ssl.get_server_certificate((address, 8443))


def test_a_renewed_tomcat_certificate_serves_after_its_restart(lab: LabProcess) -> None:
    address = lab.address("cucm125")
    before = presented(address)

    async def order(*commands: tuple[str, str]) -> None:
        async with asyncssh.connect(
            address, 2222, username="osadmin", password="Os-Lab-91!platform-account", known_hosts=None
        ) as connection:
            process = await connection.create_process(term_type="vt100")
            await asyncio.wait_for(process.stdout.readuntil("admin:"), 30)
            for command, end in commands:
                process.stdin.write(command + "\n")
                await asyncio.wait_for(process.stdout.readuntil(end), 30)

    asyncio.run(order(("set cert regen tomcat", "(yes|no)?"), ("yes", "admin:")))
    assert presented(address) == before
    asyncio.run(order(("utils service restart Cisco Tomcat", "admin:")))
    deadline = time.monotonic() + 20
    while presented(address) == before:
        assert time.monotonic() < deadline
        time.sleep(0.1)
