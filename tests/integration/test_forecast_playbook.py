# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""forecast.yml names the day on which trunks break, and fails when that day is near."""

from __future__ import annotations

import json

import pytest

from tests.support.sites import SetUp

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("trunk"), pytest.mark.timeout(900)]


@pytest.mark.matrix
def test_the_day_the_reason_and_all_certificates(set_up: SetUp) -> None:
    site = set_up.site
    run = site.play("forecast", extra={"forecast_path": str(site.folder / "forecast")})
    assert run.code == 0, run.output[-6000:]
    assert all(host["changed"] == 0 for host in run.recap.values()), run.recap
    data = json.loads((site.folder / "forecast/forecast.json").read_text())
    found = data["forecasts"]
    assert {(one["from"], one["to"]) for one in found} == {("cucma", "cucm10"), ("cucm10", "cucma")}
    for one in found:
        assert one["breaks_on"]
        assert "expires" in one["reason"]
        assert one["events"][0]["next_step"]
    purposes = {(one["cluster"], one["purpose"]) for one in data["certificates"]}
    wanted = {"CallManager", "tomcat", "ipsec", "CAPF", "TVS", "CallManager-trust"}
    assert purposes >= {(cluster, purpose) for cluster in ("cucma", "cucm10") for purpose in wanted}
    assert data["unread"] == []
    assert "tomcat" in (site.folder / "forecast/forecast.html").read_text()
    near = site.play("forecast", extra={"forecast_days": max(one["days_left"] for one in found) + 1})
    assert near.code != 0
    assert f"breaks on {found[0]['breaks_on'][:10]}" in near.output
