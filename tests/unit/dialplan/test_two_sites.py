# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls between two sites with partitions, search spaces and translation patterns: each ends as the product says.

The dial plans are read over AXL; the calls are SIP dialogs between the two clusters of a running lab.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient
from ansible_collections.siptls.cucm.plugins.module_utils._axl.dial_plan import dial_plan
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan import paths
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.plan import DialPlan
from ansible_collections.siptls.cucm.plugins.module_utils._roles.kinds import PATTERN
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.calls import call_paths
from cucm_lab.testing import LabProcess, cluster, write_scenario

from tests.support.dialled_site import Site, update

pytestmark = pytest.mark.xdist_group("dialplan")
PARTITIONS = ("Internal", "Hidden", "Intersite", "Incoming")
SPACES = {
    "Staff": ("Internal", "Intersite"), "Guests": ("Internal",), "From trunk": ("Incoming", "Internal"),
    "To phones": ("Internal",),
}  # fmt: skip
#: phones by site: number, partition, search space of the line
PHONES = {
    "left": (("1001", "Internal", "Staff"), ("1002", "Internal", "Guests")),
    "right": (("2001", "Internal", "Staff"), ("2002", "Hidden", "Staff"), ("2003", "Internal", "Staff"),
              ("2004", "Internal", "Staff")),
}  # fmt: skip
ROUTES = {"left": ("right", "2XXX"), "right": ("left", "1XXX")}
#: translation patterns by site, in the partition that callers meet first
TRANSLATIONS: dict[str, list[dict[str, str]]] = {
    "left": [
        # Users dial 8 before the numbers of the other site.
        {"pattern": "8.2XXX", "routePartitionName": "Internal", "digitDiscardInstructionName": "PreDot",
         "callingSearchSpaceName": "Staff"},
        # A service that was forgotten takes one number of the other site.
        {"pattern": "2003", "routePartitionName": "Internal", "calledPartyTransformationMask": "1002",
         "callingSearchSpaceName": "To phones"},
    ],
    "right": [
        # What comes in for 29XX is meant for 20XX; calls to 2004 are blocked on their way in.
        {"pattern": "29XX", "routePartitionName": "Incoming", "calledPartyTransformationMask": "20XX",
         "callingSearchSpaceName": "To phones"},
        {"pattern": "2004", "routePartitionName": "Incoming", "blockEnable": "true",
         "callingSearchSpaceName": "To phones"},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """A call and how it ends; why: words of the product's reason."""

    start: str
    calling: str
    dialled: str
    state: str = paths.ROUTED
    why: str = ""


FAILS = paths.NOT_ROUTED
CALLS = (
    Call("left", "1001", "2001"),
    Call("right", "2001", "1001"),
    Call("right", "2002", "1002"),
    Call("left", "1002", "2001", FAILS, "in partition Intersite is not in the calling search space"),
    Call("left", "1001", "2002", FAILS, "in partition Hidden is not in the calling search space"),
    Call("left", "1001", "82001"),
    Call("left", "1002", "82001"),
    Call("left", "1001", "2901"),
    Call("left", "1001", "2003", FAILS, "translation pattern 2003 in partition Internal changed the called number, and "
         "1002 reaches the directory number 1002"),
    Call("left", "1001", "2004", FAILS, "translation pattern 2004 in partition Incoming blocks the call"),
    Call("left", "1001", "2999", FAILS, "translation pattern 29XX in partition Incoming changed the called number"),
)  # fmt: skip


def _cluster(number: int, release: str, name: str) -> dict[str, Any]:
    """A cluster with its phones, partitions and search spaces, and a SIP trunk whose other end is not known yet."""
    made = cluster(number, release, name=name)
    made["phones"] = [
        {"extension": extension, "partition": partition, "line_css": space}
        for extension, partition, space in PHONES[name]
    ]
    members = {
        space: [{"routePartitionName": partition, "index": place} for place, partition in enumerate(partitions, 1)]
        for space, partitions in SPACES.items()
    }
    made["config"] = {
        "RoutePartition": [{"name": partition} for partition in PARTITIONS],
        "Css": [{"name": name, "members": rows} for name, rows in members.items()],
        "SipTrunk": [{
            "name": f"TO-{ROUTES[name][0]}", "product": "SIP Trunk", "class": "Trunk", "protocol": "SIP",
            "protocolSide": "Network", "devicePoolName": "Default", "locationName": "Hub_None",
            "callingSearchSpaceName": "From trunk", "presenceGroupName": "Standard Presence group",
            "securityProfileName": "Non Secure SIP Trunk Profile", "sipProfileName": "Standard SIP Profile",
            "destinations": [{"addressIpv4": "192.0.2.1", "port": 5060, "sortOrder": 1}],
        }],
    }  # fmt: skip
    return made


def _write(site: Site, name: str, other: str) -> None:
    """The trunk to the other site, the route pattern to it, and the translation patterns."""
    trunk = f"TO-{ROUTES[name][0]}"
    update(site, "updateSipTrunk", f"<name>{trunk}</name><destinations><destination><addressIpv4>{other}</addressIpv4>"
           "<port>5060</port><sortOrder>1</sortOrder></destination></destinations>")  # fmt: skip
    update(site, "doDeviceReset", f"<deviceName>{trunk}</deviceName><isHardReset>true</isHardReset>")
    update(site, "addRoutePattern", f"<routePattern><pattern>{ROUTES[name][1]}</pattern><routePartitionName>Intersite"
           f"</routePartitionName><blockEnable>false</blockEnable><useCallingPartyPhoneMask>Default"
           "</useCallingPartyPhoneMask><dialPlanName/><networkLocation>OnNet</networkLocation><routeFilterName/>"
           f"<destination><gatewayName>{trunk}</gatewayName></destination></routePattern>")  # fmt: skip
    for row in TRANSLATIONS[name]:
        given = "".join(f"<{key}>{value}</{key}>" for key, value in row.items())
        update(site, "addTransPattern", f"<transPattern>{given}<usage>Translation</usage></transPattern>")


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Site]]:
    folder = tmp_path_factory.mktemp("sites")
    scenario = write_scenario(folder / "sites.yml", [_cluster(1, "12.5", "left"), _cluster(2, "14", "right")])
    with LabProcess(folder / "lab", scenario) as lab:
        hosts = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))["cucm_clusters"]["hosts"]
        names = ("host", "port", "username", "password", "ca_path", "legacy_crypto")
        found = {
            name: Site(lab, AxlClient.from_params({key: hosts[name].get(f"cucm_{key}") for key in names}))
            for name in ROUTES
        }
        for name, site in found.items():
            _write(site, name, lab.address(ROUTES[name][0]))
        yield found


@pytest.fixture(scope="module")
def stops(sites: dict[str, Site]) -> dict[str, paths.Stop]:
    """Both clusters as the product reads them."""
    return {name: paths.Stop(name, site.plan(), {ROUTES[name][0]: f"TO-{ROUTES[name][0]}"})
            for name, site in sites.items()}  # fmt: skip


@pytest.mark.parametrize("row", CALLS, ids=lambda row: f"{row.calling}-{row.dialled}")
def test_a_call_ends_as_the_product_says(sites: dict[str, Site], stops: dict[str, paths.Stop], row: Call) -> None:
    stop = stops[row.start]
    assert stop.plan is not None and not stop.plan.unknown
    space = next(line_space for number, _partition, line_space in PHONES[row.start] if number == row.calling)
    caller = next(phone for phone in stop.plan.callers if phone.line_search_space == space)
    step = paths.call(stop, caller, row.dialled, out=f"TO-{ROUTES[row.start][0]}", stops=stops)
    assert step.state == row.state and row.why in step.why, step
    call = sites[row.start].lab.ask("call", cluster=row.start, calling=row.calling, called=row.dialled)
    crossed = call["result"] == "answered" and call["transport"] == "TCP"
    assert crossed is (row.state == paths.ROUTED), call


def test_the_list_of_paths_names_the_first_call_that_fails(sites: dict[str, Site]) -> None:
    made = {
        name: {
            "peers": [{"name": other, "trunk": f"TO-{other}"}],
            "patterns": [{"pattern": pattern, "partition": "Intersite", "gateway": f"TO-{other}",
                          "description": PATTERN.described(other)}],
        }
        for name, (other, pattern) in ROUTES.items()
    }  # fmt: skip
    plans = {name: dial_plan(site.client) for name, site in sites.items()}
    found = {entry["from"]: entry for entry in call_paths(plans, made)}
    assert found["right"]["now"] == {"state": paths.ROUTED, "why": ""} and found["right"]["numbers"] == ["1001", "1002"]
    assert found["left"]["now"]["state"] == paths.NOT_ROUTED and found["left"]["numbers"] == ["2001", "2002", "2003",
                                                                                              "2004"]  # fmt: skip
    assert "phones with calling search space" in found["left"]["now"]["why"]
    assert DialPlan.read(plans["left"]).callers
