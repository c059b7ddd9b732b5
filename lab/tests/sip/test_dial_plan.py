# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Partitions, calling search spaces, translation patterns and the transformations of trunks, by real calls."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from cucm_lab.config import reference
from cucm_lab.sip import digits, place_call
from cucm_lab.sip import testing as world
from cucm_lab.world import Cluster


def two_sites() -> dict[str, Any]:
    """Site a dials b's phones by 8.9XXX; each phone is in a partition that its own site reaches alone."""
    data = world.scenario("12.5", "9.1")
    first, second = data["clusters"]
    first["phones"] = [
        {"extension": "1018", "partition": "Internal", "css": "Site", "line_css": "Everywhere"},
        {"extension": "1019", "partition": "Internal", "css": "Site"},
    ]
    second["phones"] = [{"extension": "9898", "partition": "Internal", "css": "Site"}]
    for cluster in (first, second):
        cluster["config"] = {
            "RoutePartition": [{"name": name} for name in ("Internal", "Trunks", "Short")],
            "Css": [css("Site", "Internal"), css("Everywhere", "Internal", "Trunks", "Short")],
        }
    return data


def css(name: str, *partitions: str) -> dict[str, Any]:
    members = [{"routePartitionName": partition, "index": place} for place, partition in enumerate(partitions, 1)]
    return {"name": name, "members": members}


def named(cluster: Cluster, kind: str, name: str) -> dict[str, Any]:
    return reference(world.record(cluster, kind, name))


def translate(cluster: Cluster, pattern: str, **more: Any) -> None:
    body = {"pattern": pattern, "routePartitionName": None, "callingSearchSpaceName": None, **more}
    cluster.config.add("TransPattern", pattern, body)


def test_search_spaces_decide_at_both_ends_and_transformations_act(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, two_sites()) as lab:
            await world.secure_pair(lab)
            first, second = lab.clusters["a"], lab.clusters["b"]
            world.change(first, "RoutePattern", "98XX", pattern="8.9XXX",
                         routePartitionName=named(first, "RoutePartition", "Trunks"),
                         digitDiscardInstructionName=named(first, "Ddi", "PreDot"))  # fmt: skip
            refused = await place_call(lab, "a", "1019", "89898")
            assert refused["status"] == 404 and "calling search space of 1019" in refused["reason"]
            # The trunk at b has no search space, and 9898 is in a partition.
            assert (await place_call(lab, "a", "1018", "89898"))["status"] == 404
            world.change(second, "SipTrunk", "to-a", callingSearchSpaceName=named(second, "Css", "Site"))
            assert (await place_call(lab, "a", "1018", "89898"))["result"] == "answered"
            # Site b keeps four digits of what it gets, and 98 is one of its own short numbers.
            world.change(second, "SipTrunk", "to-a", sigDigits=2, prefixDn="7")
            assert (await place_call(lab, "a", "1018", "89898"))["status"] == 404
            translate(second, "7.98", digitDiscardInstructionName=named(second, "Ddi", "PreDot"),
                      prefixDigitsOut="98", callingSearchSpaceName=named(second, "Css", "Site"))  # fmt: skip
            assert (await place_call(lab, "a", "1018", "89898"))["result"] == "answered"
            world.change(second, "TransPattern", "7.98", blockEnable=True)
            assert (await place_call(lab, "a", "1018", "89898"))["result"] == "failed"

    asyncio.run(run())


def test_lines_and_phones_count_as_axl_has_them_now(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, two_sites()) as lab:
            first = lab.clusters["a"]
            assert (await place_call(lab, "a", "1019", "1018"))["result"] == "answered"
            (line,) = first.config.search("Line", "1018")
            moved = {**line.body, "routePartitionName": named(first, "RoutePartition", "Short")}
            first.config.replace(replace(line, body=moved))
            assert (await place_call(lab, "a", "1019", "1018"))["status"] == 404
            (phone,) = [one for one in first.config.records("Phone") if one.body["description"] == "1019"]
            wider = {**phone.body, "callingSearchSpaceName": named(first, "Css", "Everywhere")}
            first.config.replace(replace(phone, body=wider))
            assert (await place_call(lab, "a", "1019", "1018"))["result"] == "answered"

    asyncio.run(run())


def test_order_of_partitions_translations_in_circles_and_urgency(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, two_sites()) as lab:
            first = lab.clusters["a"]
            space = digits.phone_space(first, first.phones[0])
            assert space == ("Internal", "Trunks", "Short", "")
            short = named(first, "RoutePartition", "Short")
            translate(first, "[1-2]0XX", routePartitionName=short, calledPartyTransformationMask="1019",
                      callingSearchSpaceName=named(first, "Css", "Site"))  # fmt: skip
            assert digits.analyse(first, "1018", space).phone.extension == "1018"  # type: ignore[union-attr]
            found = digits.analyse(first, "2018", space)
            assert found is not None and found.phone is not None
            assert (found.phone.extension, found.translations) == ("1019", ("[1-2]0XX",))
            translate(first, "10", routePartitionName=short, patternUrgency=True, prefixDigitsOut="",
                      callingSearchSpaceName=named(first, "Css", "Everywhere"))  # fmt: skip
            assert digits.analyse(first, "1018", space, one_by_one=True) is None
            assert digits.analyse(first, "1018", digits.search_space(first, "Site"), one_by_one=True) is not None

    asyncio.run(run())
