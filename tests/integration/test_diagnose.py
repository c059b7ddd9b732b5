# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""diagnose.yml on clusters in which one thing is broken, or two: the causes are named, and nothing is changed."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.test_breakings import BREAKINGS, LOOK, A, Breaking, axl, callmanager, settle
from tests.support.operator_site import Site
from tests.support.sites import SetUp

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("trunk"), pytest.mark.timeout(900)]
#: what is broken -> the direction whose cause it is, and the cause
CAUSES = {
    "untrusted CA": ("cucma", "ca_missing_at_peer"),
    "name mismatch": ("cucma", "name"),
    "another certificate is active": ("cucma", "not_active"),
    "an expired certificate is active": ("cucma", "not_active"),
    "certificates expired": ("cucma", "expired"),
    "no mutual authentication": ("cucma", "no_client_authentication"),
    "the trunk points elsewhere": ("cucma", "destination"),
    "a trunk that only looks like TLS": ("cucma", "profile"),
    "SRTP off": ("cucma", "media"),
    "calls not routed": ("cucma", "not_routed"),
    "Cisco CallManager is stopped": ("cucma", "not_listening"),
}
#: rules for the same handshake, of which the lab follows the first; and what only a handshake would show
HANDSHAKE = ("another certificate is active", "an expired certificate is active", "no mutual authentication")
SAME = ({*HANDSHAKE[:2]}, *({one, "Cisco CallManager is stopped"} for one in HANDSHAKE))


def pattern(number: str, new: str) -> Any:
    """Changes the route pattern of cucma to the phones of cucm10."""
    return lambda site: axl(site, A, "updateRoutePattern", pattern=number, newPattern=new)


NOT_ROUTED = replace(BREAKINGS["SRTP off"], breaks=pattern("9898", "7777"), mends=pattern("7777", "9898"))
STOPPED = replace(NOT_ROUTED, breaks=callmanager("stopped"), mends=callmanager("started"))
EVERY: dict[str, Breaking] = {**BREAKINGS, "calls not routed": NOT_ROUTED, "Cisco CallManager is stopped": STOPPED}
PAIRS = [pair for pair in itertools.combinations(CAUSES, 2) if set(pair) not in SAME]


def diagnosed(site: Site, *names: str) -> dict[str, list[str]]:
    """The causes of each direction, first the one that the doctor names, while these things are broken."""
    folder = site.folder / "diagnosis"
    for name in names:
        EVERY[name].breaks(site)
    try:
        run = site.play("diagnose", extra=LOOK | {"diagnose_path": str(folder)})
    finally:
        for name in reversed(names):
            EVERY[name].mends(site)
        settle(site)
    assert "Traceback" not in run.output
    assert run.code == 0, run.output[-6000:]
    found = json.loads((folder / "diagnosis.json").read_text())["diagnoses"]
    for one in found:
        if one["cause"]:
            assert one["explanation"] in run.output and one["evidence"] and one["next_step"], one
    return {one["from"]: [one["cause"], *(other["cause"] for other in one["others"])] for one in found}


@pytest.mark.parametrize(
    "name", ["untrusted CA", *(pytest.param(n, marks=pytest.mark.matrix) for n in list(CAUSES)[1:])]
)
def test_the_cause_is_named(set_up: SetUp, name: str) -> None:
    source, cause = CAUSES[name]
    found = diagnosed(set_up.site, name)
    assert found[source][0] == cause, found


@pytest.mark.matrix
@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_of_two_causes_both_are_named(set_up: SetUp, pair: tuple[str, str]) -> None:
    found = diagnosed(set_up.site, *pair)
    for source, cause in map(CAUSES.__getitem__, pair):
        assert cause in found[source], (cause, found)


@pytest.mark.matrix
def test_trunks_that_work_have_no_cause(set_up: SetUp) -> None:
    run = set_up.site.play("diagnose")
    assert run.code == 0, run.output[-6000:]
    assert run.output.count("The trunk works.") >= 2
    assert all(host["changed"] == 0 for host in run.recap.values()), run.recap
