# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peers' numbers by route list and route group: made, kept, changed from and to the straight way, removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.operator_site import Run, Site

pytestmark = [
    pytest.mark.playbook,
    pytest.mark.matrix,
    pytest.mark.xdist_group("route_list"),
    pytest.mark.timeout(3600),
]
BY_LIST = {"sip_tls_trunk_route_by": "route_list"}
BY_TRUNK = {"sip_tls_trunk_route_by": "trunk"}
WAYS = (("cucma", "1018", "9898", "cucm10"), ("cucm10", "9898", "1018", "cucma"))


def played(site: Site, name: str, extra: dict[str, Any], *options: str) -> Run:
    """A run that ends well."""
    run = site.play(name, *options, extra=extra)
    assert run.code == 0, run.output[-6000:]
    return run


def kind(site: Site, cluster: str, name: str) -> dict[str, Any]:
    """The objects of a kind on a cluster, by name."""
    found: dict[str, Any] = site.lab.ask("dump", cluster=cluster)[cluster]["config"].get(name, {})
    return found


def check_routes(site: Site, by: str) -> None:
    """Calls are answered both ways over TLS, and the pattern leads to what it should."""
    for cluster, calling, called, peer in WAYS:
        call = site.call(cluster, calling, called)
        assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True), call
        (pattern,) = (row for row in kind(site, cluster, "RoutePattern").values() if row["pattern"] == called)
        trunk, route_list = pattern["destination"].get("gatewayName"), pattern["destination"].get("routeListName")
        expected = (f"SIP-TLS-{peer}", None) if by == "trunk" else (None, f"SIP-TLS-{peer}-RL")
        assert (trunk or None, route_list or None) == expected


def test_by_route_list_and_back_and_gone(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with site.lab:
        shipped = {cluster: kind(site, cluster, "RouteList") for cluster, *_rest in WAYS}
        # from nothing, check mode before
        checked = played(site, "sip_tls_trunk", BY_LIST, "--check")
        assert checked.total("changed") >= 2 * 10 and not kind(site, "cucma", "RouteGroup")
        played(site, "sip_tls_trunk", BY_LIST)
        check_routes(site, "route_list")
        (group,) = kind(site, "cucma", "RouteGroup").values()
        assert [member["deviceName"] for member in group["members"]] == ["SIP-TLS-cucm10"]
        assert played(site, "sip_tls_trunk", BY_LIST).total("changed") == 0
        # to the straight way: one object a cluster changes, the pattern
        back = played(site, "sip_tls_trunk", BY_TRUNK)
        assert {host: counts["changed"] for host, counts in back.recap.items()} == {"cucma": 1, "cucm10": 1}
        check_routes(site, "trunk")
        assert played(site, "sip_tls_trunk", BY_TRUNK).total("changed") == 0
        # and to the list again
        again = played(site, "sip_tls_trunk", BY_LIST)
        assert {host: counts["changed"] for host, counts in again.recap.items()} == {"cucma": 1, "cucm10": 1}
        check_routes(site, "route_list")
        # removal takes all of it, whichever way it is routed
        played(site, "remove_sip_tls_trunk", BY_TRUNK)
        for cluster, _calling, called, _peer in WAYS:
            assert not kind(site, cluster, "RouteGroup")
            assert kind(site, cluster, "RouteList") == shipped[cluster]
            assert not kind(site, cluster, "SipTrunk")
            assert called not in {row["pattern"] for row in kind(site, cluster, "RoutePattern").values()}
        assert played(site, "remove_sip_tls_trunk", BY_TRUNK).total("changed") == 0
