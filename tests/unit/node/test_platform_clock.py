# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock of a node: read from HTTPS and from the CLI, and what is judged by it."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._net import clock as clocks
from cucm_lab.testing import LabProcess

from tests.support.certificate_kit import Authority, refusal

HOUR, DAY = 3_600, 86_400


@pytest.mark.parametrize(
    ("ahead", "took", "expected"),
    [(0, 0.2, 0), (1, 0.2, 0), (40 * DAY, 0.2, 40 * DAY), (-2 * HOUR, 0.2, -2 * HOUR), (-20, 60.0, 0)],
)
def test_the_header_date_tells_the_offset_as_far_as_the_answer_was_quick(
    ahead: float, took: float, expected: int
) -> None:
    now = datetime.now(UTC)
    found = clocks.from_http(f"{now + timedelta(seconds=ahead):%a, %d %b %Y %H:%M:%S} GMT", now.timestamp() - took)
    assert found is not None and found.source == "HTTPS"
    assert abs(found.offset.total_seconds() - expected) <= 2, found


@pytest.mark.parametrize("date", [None, "", "yesterday", "Tue, 99 Foo 2026 00:00:00 GMT"])
def test_a_date_that_is_none_is_no_clock(date: str | None) -> None:
    assert clocks.from_http(date, time.time()) is None


STATUS = """
Host Name          : publisher
Date               : Thu Jul 21, 2016 16:07:16
Time Zone          : India Standard Time (Asia/Kolkata)
Locale             : en_US.UTF-8
Product Ver        : 10.0.1.10000-24
"""
NTP = """ntpd (pid 28435) is running...

     remote           refid      st t when poll reach   delay   offset    jitter
==============================================================================
*203.0.113.5     .GPS.            1 u   44   64   377   11.724   -0.021    0.064

synchronised to NTP server (203.0.113.5) at stratum 2

Current time in UTC is : Thu Jul 21 10:37:16 UTC 2016
Current time in Asia/Kolkata is : Thu Jul 21 16:07:16 IST 2016
"""


def test_both_commands_of_the_cli_tell_the_same_time() -> None:
    shown = datetime(2016, 7, 21, 10, 37, 16, tzinfo=UTC)
    for found in (clocks.from_status(STATUS), clocks.from_ntp(NTP)):
        assert found is not None and found.source == "CLI"
        assert abs(found.now() - shown) < timedelta(seconds=2)


@pytest.mark.parametrize("text", ["", "Executed command unsuccessfully", STATUS.replace("Asia/Kolkata", "Mars/Base")])
def test_what_tells_no_time_for_sure_is_no_clock(text: str) -> None:
    assert clocks.from_status(text) is None and clocks.from_ntp(text) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (-7260, "2 h 1 min"), (DAY, "1 day"), (40 * DAY, "40 days")]
)
def test_a_span_is_said_in_two_units(seconds: int, words: str) -> None:
    assert clocks.span(timedelta(seconds=seconds)) == words


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    with LabProcess(tmp_path_factory.mktemp("clocks"), "releases") as running:
        yield running


def options(lab: LabProcess, cluster: str, interface: str) -> dict[str, Any]:
    """The platform options of a cluster's node."""
    return {
        "host": lab.address(cluster), "os_username": "osadmin", "os_password": "Os-Lab-91!platform-account",
        "ssh_port": 2222, "ssh_known_hosts": str(lab.state / "known_hosts"), "ca_path": str(lab.state / "https-ca.pem"),
        "legacy_crypto": cluster == "cucm91", "interface": interface,
    }  # fmt: skip


def outcome(part: str, **given: Any) -> dict[str, Any]:
    """What a service of _platform returns, in this process."""
    module = importlib.import_module(f"ansible_collections.siptls.cucm.plugins.module_utils._node.{part}")
    params = {name: option.get("default") for name, option in module.SPEC.options.items()} | given
    made = module.service(SimpleNamespace(params=params, check_mode=False))
    return {**made.result, "changed": made.changed}


@pytest.mark.parametrize(
    ("cluster", "interface", "source"),
    [("cucm91", "auto", "HTTPS"), ("cucm91", "cli", "CLI"), ("cucm150", "auto", "HTTPS"), ("cucm125", "cli", "CLI")],
)
def test_days_left_are_counted_by_the_clock_of_the_node(
    lab: LabProcess, cluster: str, interface: str, source: str
) -> None:
    asked = options(lab, cluster, interface) | {"purposes": ["CallManager"], "served_ports": {}}
    before = outcome("info", **asked)
    assert before["clock"] == {"offset": 0, "source": source}
    (certificate,) = before["certificates"]
    lab.ask("clock", node=lab.address(cluster), shift=(certificate["days_left"] - 19) * DAY + HOUR)
    after = outcome("info", **asked)
    lab.ask("clock", node=lab.address(cluster), reset=True)
    (moved,) = after["certificates"]
    assert (moved["days_left"], moved["expiring"]) == (19, True), moved
    assert after["expiring"] == ["CallManager/CallManager.pem"]
    assert abs(after["clock"]["offset"] - (certificate["days_left"] - 19) * DAY - HOUR) <= 5


@pytest.mark.parametrize("interface", ["cli", "rest"])
def test_a_certificate_is_judged_by_the_clock_of_the_node(
    lab: LabProcess, interface: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    node = options(lab, "cucm140", interface)
    address, ca = node["host"], Authority.make(tmp_path_factory.mktemp("ca"), "Clock Root")
    csr = lab.ask("csr", node=address)["csr"]
    before = lab.ask("dump")
    lab.ask("clock", node=address, shift=-2 * HOUR)
    said = refusal("upload", **node, certificate=ca.sign(csr), chain=[ca.pem])
    lab.ask("clock", node=address, reset=True)
    assert "is not yet valid" in said and "2 h behind the controller's" in said and "NTP" in said, said
    lab.ask("clock", node=address, shift=400 * DAY)
    said = refusal("upload", **node, certificate=ca.sign(csr, days=200), chain=[ca.pem])
    lab.ask("clock", node=address, reset=True)
    assert "expired at" in said and "400 days ahead of the controller's" in said, said
    assert lab.ask("dump") == before


@pytest.mark.parametrize("interface", ["cli", "rest"])
def test_only_what_has_expired_by_both_clocks_is_pruned(
    lab: LabProcess, interface: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    node, folder = options(lab, "cucm140", interface), tmp_path_factory.mktemp("prune")
    dates: dict[str, Any] = {"not_before": "20180101000000Z", "not_after": "20200101000000Z"}
    old = Authority.make(folder, f"Old {interface}", **dates)
    fresh = Authority.make(folder, f"Fresh {interface}", days=30)
    lab.ask("clock", node=node["host"], shift=(datetime(2019, 1, 1, tzinfo=UTC) - datetime.now(UTC)).total_seconds())
    assert outcome("upload", **node, chain=[old.pem])["changed"]
    assert not outcome("upload", **node, prune_expired=True)["changed"]
    lab.ask("clock", node=node["host"], reset=True)
    assert outcome("upload", **node, chain=[fresh.pem])["changed"]
    lab.ask("clock", node=node["host"], shift=60 * DAY)
    pruned = outcome("upload", **node, prune_expired=True)
    lab.ask("clock", node=node["host"], reset=True)
    assert len(pruned["actions"]) == 1 and pruned["actions"][0].startswith("removed Old_"), pruned["actions"]
    assert f"Fresh {interface}" in str([trusted["subject"] for trusted in pruned["trust"]])


def test_the_cli_is_told_whether_the_organizational_unit_goes_in(lab: LabProcess) -> None:
    node = options(lab, "cucm150", "cli")
    for include in (True, False):
        made = outcome("csr", **node, include_ou=include, regenerate="always")
        assert ("OU=" in made["request"]["subject"]) == include, made["request"]["subject"]
