# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's reading of a dial plan and the lab's digit analysis agree, call by call, on generated dial plans.

The plans are written and read over AXL; the lab answers from its own process and shares no code with the product.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.siptls.cucm.plugins.module_utils._axl.client import AxlClient
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan import analysis, paths
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.plan import LINE, ROUTE, DialPlan
from cucm_lab.testing import LabProcess
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.dialled_site import Site, update

# One worker: the last test looks at what the first one counted.
pytestmark = pytest.mark.xdist_group("dialplan")

PARTITIONS = ("P0", "P1", "P2")
PHONES = ({"extension": "11"}, {"extension": "12", "partition": "P0"}, {"extension": "121", "partition": "P1"},
          {"extension": "2211", "partition": "P2"}, {"extension": "11", "partition": "P2"})  # fmt: skip
SPACES = ("Line", "Device", "Trunk", "Translation")
OUT = "OUT"
NAMED = {"_value_1": ""}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("dialplan")
    shipped = Path(__file__).resolve().parents[3] / "lab" / "cucm_lab" / "scenarios" / "two-clusters.yml"
    scenario = yaml.safe_load(shipped.read_text(encoding="utf-8"))
    one = scenario["clusters"][0]
    one["release"] = "12.5"
    one["phones"] = [
        {**phone, "name": f"SEP{place:012}", "css": "Device", "line_css": "Line"} for place, phone in enumerate(PHONES)
    ]
    one["config"] = {
        "RoutePartition": [{"name": name} for name in PARTITIONS],
        "Css": [{"name": name, "members": []} for name in SPACES],
        "SipTrunk": [
            {
                "name": OUT, "product": "SIP Trunk", "class": "Trunk", "protocol": "SIP", "protocolSide": "Network",
                "devicePoolName": "Default", "locationName": "Hub_None", "callingSearchSpaceName": "Trunk",
                "presenceGroupName": "Standard Presence group",
                "securityProfileName": "Non Secure SIP Trunk Profile", "sipProfileName": "Standard SIP Profile",
                "destinations": [{"addressIpv4": "192.0.2.1", "port": 5060, "sortOrder": 1}],
            }
        ],
    }  # fmt: skip
    file = folder / "scenario.yml"
    file.write_text(yaml.safe_dump(scenario), encoding="utf-8")
    with LabProcess(folder / "lab", str(file)) as lab:
        host = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))["cucm_clusters"]["hosts"]["cucma"]
        names = ("host", "port", "username", "password", "ca_path", "legacy_crypto")
        params = {name: host.get(f"cucm_{name}") for name in names}
        yield Site(lab, AxlClient.from_params(params))


TOKENS = st.sampled_from(["1", "2", "X", "[12]", "[^2]", "!", "*", "2?", "1+"])
PATTERN = st.lists(TOKENS, min_size=1, max_size=4).map("".join)
DOTTED = st.tuples(st.sampled_from(["1", "2", "X"]), PATTERN).map(".".join)
NUMBER = st.text("12", min_size=1, max_size=4)
PARTITION = st.sampled_from(["", *PARTITIONS])
CHANGES = st.fixed_dictionaries(
    {
        "digitDiscardInstructionName": st.sampled_from(["", "PreDot"]),
        "calledPartyTransformationMask": st.sampled_from(["", "1X", "XX", "22XX"]),
        "prefixDigitsOut": st.sampled_from(["", "1", "2"]),
        "blockEnable": st.sampled_from(["false", "false", "false", "true"]),
        "patternUrgency": st.sampled_from(["false", "false", "true"]),
    }
)


@st.composite
def routes(draw: st.DrawFn, extra: dict[str, st.SearchStrategy[str]]) -> list[dict[str, Any]]:
    """Patterns with their settings, each once."""
    found = draw(
        st.lists(
            st.tuples(st.one_of(PATTERN, DOTTED), PARTITION, CHANGES, st.fixed_dictionaries(extra)),
            max_size=6,
            unique_by=lambda row: row[:2],
        )
    )
    return [{"pattern": row[0], "routePartitionName": row[1], **row[2], **row[3]} for row in found]


PLANS = st.fixed_dictionaries(
    {
        "routes": routes({}),
        "translations": routes(
            {
                "callingSearchSpaceName": st.sampled_from(["", "Line", "Translation"]),
                "useOriginatorCss": st.sampled_from(["false", "true"]),
            }
        ),
        "spaces": st.fixed_dictionaries(
            {name: st.lists(st.sampled_from(PARTITIONS), max_size=3, unique=True) for name in SPACES}
        ),
        "trunk": st.fixed_dictionaries(
            {"sigDigits": st.sampled_from(["99", "2", "3"]), "prefixDn": st.sampled_from(["", "1", "2"])}
        ),
    }
)


def element(name: str, value: str) -> Any:
    """A setting as AXL's element, a reference where it is one."""
    return {"_value_1": value} if name.endswith("Name") else value


def write(site: Site, plan: dict[str, Any]) -> None:
    """Put a generated plan in the place of the last one."""
    for kind, wrapper in (("RoutePattern", "routePattern"), ("TransPattern", "transPattern")):
        for old in site.client.listing(kind, wrapper, {"pattern": "%"}, ["pattern"]):
            site.client.ask(f"remove{kind}", uuid=old.get("uuid"))
    for name, members in plan["spaces"].items():
        rows = "".join(
            f"<member><routePartitionName>{partition}</routePartitionName><index>{place}</index></member>"
            for place, partition in enumerate(members, 1)
        )
        update(site, "updateCss", f"<name>{name}</name><members>{rows}</members>")
    trunk = "".join(f"<{name}>{value}</{name}>" for name, value in plan["trunk"].items())
    update(site, "updateSipTrunk", f"<name>{OUT}</name>{trunk}")
    update(site, "doDeviceReset", f"<deviceName>{OUT}</deviceName><isHardReset>true</isHardReset>")
    for row in plan["routes"]:
        settings_ = "".join(f"<{name}>{value}</{name}>" for name, value in row.items())
        needed = (
            "<useCallingPartyPhoneMask>Default</useCallingPartyPhoneMask><dialPlanName/><networkLocation>OnNet"
            f"</networkLocation><routeFilterName/><destination><gatewayName>{OUT}</gatewayName></destination>"
        )
        update(site, "addRoutePattern", f"<routePattern>{settings_}{needed}</routePattern>")
    for row in plan["translations"]:
        settings_ = "".join(f"<{name}>{value}</{name}>" for name, value in row.items())
        update(site, "addTransPattern", f"<transPattern>{settings_}<usage>Translation</usage></transPattern>")


def ours(plan: DialPlan, called: str, space: tuple[str, ...], *, one_by_one: bool) -> dict[str, str] | None:
    """The product's word on a number in the lab's terms; None when it says that it does not know."""
    try:
        early = analysis.caught_early(plan, called, space) if one_by_one else None
        dialled = called
        if early is not None:
            dialled = next(
                called[:length]
                for length in range(1, len(called))
                if (found := analysis.closest(plan, called[:length], space)) is not None and found.urgent
            )
        found_ = analysis.analyse(plan, dialled, space)
    except analysis.NotKnown:
        return None
    pattern = found_.pattern
    if pattern is None:
        return {"result": "none", "pattern": "", "partition": "", "number": "", "device": ""}
    result = "blocked" if found_.problem else "phone" if pattern.kind == LINE else "route"
    number = found_.number
    if result == "blocked":
        number = ""
    return {"result": result, "pattern": pattern.pattern, "partition": pattern.partition, "number": number,
            "device": pattern.target if pattern.kind == ROUTE else ""}  # fmt: skip


COUNTED = {"agreed": 0, "unknown": 0}


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(PLANS, st.lists(NUMBER, min_size=8, max_size=8, unique=True))
def test_both_agree_on_where_each_number_goes(site: Site, generated: dict[str, Any], numbers: list[str]) -> None:
    write(site, generated)
    plan = site.plan()
    assert not plan.unknown
    caller = plan.partitions("Line", "Device")
    for number in numbers:
        for one_by_one in (False, True):
            compare(ours(plan, number, caller, one_by_one=one_by_one),
                    site.analysed(number, calling="11", one_by_one=one_by_one))  # fmt: skip
        trunk = plan.trunks[OUT]
        called = analysis.received(trunk, number)
        compare(ours(plan, called, plan.partitions(trunk.search_space), one_by_one=False),
                site.analysed(number, trunk=OUT))  # fmt: skip
        step = paths.inbound(plan, trunk, number)
        if step.state == paths.ROUTED:
            assert site.analysed(number, trunk=OUT)["result"] == "phone"


def compare(mine: dict[str, str] | None, theirs: dict[str, Any]) -> None:
    """Equal, unless the product says that it is not known."""
    if mine is None:
        COUNTED["unknown"] += 1
        return
    shown = dict(theirs)
    if shown["result"] == "blocked":
        # Where a call is blocked, no number leaves and no device matters.
        shown.update(number="", device="")
        mine = {**mine, "device": ""}
    assert mine == shown
    COUNTED["agreed"] += 1


def test_most_calls_were_decided() -> None:
    assert COUNTED["agreed"] > 5 * COUNTED["unknown"] > -1 and COUNTED["agreed"] > 100
