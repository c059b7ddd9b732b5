# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""forecast.yml names the day on which trunks break, and fails when that day is near."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from cucm_lab import testing as lab_testing

from tests.support.operator_site import Site
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
    assert {(forecast["from"], forecast["to"]) for forecast in found} == {("cucma", "cucm10"), ("cucm10", "cucma")}
    for forecast in found:
        assert forecast["breaks_on"]
        assert "expires" in forecast["reason"]
        assert forecast["events"][0]["next_step"]
    purposes = {(certificate["cluster"], certificate["purpose"]) for certificate in data["certificates"]}
    wanted = {"CallManager", "tomcat", "ipsec", "CAPF", "TVS", "CallManager-trust"}
    assert purposes >= {(cluster, purpose) for cluster in ("cucma", "cucm10") for purpose in wanted}
    assert data["unread"] == []
    assert "tomcat" in (site.folder / "forecast/forecast.html").read_text()
    near = site.play("forecast", extra={"forecast_days": max(forecast["days_left"] for forecast in found) + 1})
    assert near.code != 0
    assert f"breaks on {found[0]['breaks_on'][:10]}" in near.output


@pytest.mark.matrix
def test_a_service_whose_certificate_ends_fails_the_run_although_no_trunk_breaks(tmp_path: Path) -> None:
    """Certificates as shipped end in 20 days here; those of the trunk are from the CA."""
    path = Path(lab_testing.write_scenario(tmp_path / "pair.yml", [lab_testing.cluster(n, "14") for n in (1, 2)]))
    scenario = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**scenario, "inferred": {**scenario["inferred"], "pki.shipped_days": 20}}))
    site = Site(tmp_path, str(path))
    with site.lab:
        made = site.play("sip_tls_trunk")
        assert made.code == 0, made.output[-6000:]
        rule = {"ocsp": "certificate", "common_criteria": True}
        options = {"forecast_path": str(tmp_path / "forecast"), "cucm_revocation": rule}
        near = site.play("forecast", extra=options, ANSIBLE_SHOW_CUSTOM_STATS="1")
        assert near.code != 0
        far = site.play("forecast", extra={"forecast_days": 10})
        assert far.code == 0, far.output[-6000:]
    data = json.loads((tmp_path / "forecast/forecast.json").read_text())
    assert data["days_left"] > 30 and 0 < data["certificate_days_left"] <= 20
    ending = " ".join(data["ending"])
    for purpose in ("tomcat", "TVS", "CAPF", "ipsec"):
        assert f"c01: the {purpose} certificate" in ending and f"c02: the {purpose} certificate" in ending, ending
    assert "CallManager certificate" not in ending and "-trust" not in ending
    assert "the tomcat certificate" in near.output
    stats = near.output[near.output.index("CUSTOM STATS") :]
    for name in ("sip_tls_days_left", "sip_tls_certificates_days_left", "sip_tls_certificates_ending"):
        assert name in stats
    reasons = {
        event["reason"]
        for forecast in data["forecasts"]
        for event in forecast["events"]
        if event["kind"] == "revocation"
    }
    wanted = "the certificate of C02N1 names no OCSP responder, where c01 looks for one: it refuses the connection"
    assert wanted in reasons, reasons
