# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forecast's page and tables: all certificates of all clusters, sortable in a real browser, safe to open."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import (
    all_certificates,
    forecast,
    forecast_files,
    verdict,
)
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import Direction

from tests.support.browser import CHROMIUM, FLAGS, look, needs_chromium
from tests.unit.verdict import test_verdict as broken

ATTACK = '=HYPERLINK("http://evil") <script>alert(1)</script>'


def certificate(purpose: str, name: str, end: str, node: str = "10.0.0.1", **more: Any) -> dict[str, Any]:
    view = broken.view(name, "AB", end=end)
    return {**view, "node": node, "purpose": purpose, "name": f"{name}.pem", "days_left": 100, **more}


def results() -> list[dict[str, Any]]:
    root = certificate("tomcat-trust", "Root", "2027-09-01", days_left=304)
    return [
        {"cluster": "cucma", "certificates": [
            certificate("CallManager", "CUCMA", "2028-01-01", days_left=426), root,
            certificate("tomcat", "WEB", "2026-11-11", days_left=10),
            {"node": "10.0.0.1", "purpose": "ipsec", "name": "odd.pem", "problem": "it cannot be read"},
        ]},
        {"cluster": "cucma", "certificates": [{**root, "node": "10.0.0.3"}]},
        {"cluster": "cucm10", "certificates": [certificate("CallManager", "CUCM10", "2026-10-01", days_left=-31)]},
        {"cluster": "cucm3", "msg": "10.0.0.9 is unreachable"},
    ]  # fmt: skip


def cases(evidence: dict[str, Any] | None = None) -> list[Direction]:
    evidence = evidence or broken.sound()
    return verdict.directions_of(evidence["clusters"], evidence["directions"], now=broken.NOW)


def result(rows: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    found = [forecast.forecast(case) for case in cases()]
    listed = all_certificates.listed(rows or results(), cases(), {"cucma": "14.0.1", "cucm10": "9.1.2"})
    return {
        "breaks_on": found[0]["breaks_on"], "days_left": found[0]["days_left"], "forecasts": found,
        "summary": [], "certificates": listed, "unread": all_certificates.unread(results()),
    }  # fmt: skip


def test_every_certificate_is_listed_once_per_cluster_and_purpose() -> None:
    rows = result()["certificates"]
    assert [(row["cluster"], row["purpose"], row["days_left"]) for row in rows] == [
        ("cucma", "ipsec", None), ("cucm10", "CallManager", -31), ("cucma", "tomcat", 10),
        ("cucma", "tomcat-trust", 304), ("cucma", "CallManager", 426),
    ]  # fmt: skip
    assert rows[3]["nodes"] == ["10.0.0.1", "10.0.0.3"]
    assert rows[2]["restarts"] == ["Cisco Tomcat"] and rows[3]["restarts"] == []
    assert "Cisco HAProxy" in rows[4]["restarts"] and "Cisco HAProxy" not in rows[1]["restarts"]
    assert rows[0]["problem"] == "it cannot be read"


def test_certificates_of_every_service_end_and_trust_stores_do_not_count() -> None:
    rows = result()["certificates"]
    assert all_certificates.first_end(rows) == -31
    assert all_certificates.ending(rows, 9) == [
        "cucm10: the CallManager certificate CUCM10 of 10.0.0.1 ended on 2026-10-01 (-31 days). After its renewal, "
        "restart Cisco CallManager, Cisco CTIManager, Cisco Trust Verification Service, Cisco Tftp."
    ]
    assert "cucma: the tomcat certificate WEB" in all_certificates.ending(rows, 10)[1]
    assert len(all_certificates.ending(rows, 10_000)) == 3, "what cannot be read and what is trusted has no day here"


def test_an_external_peer_is_listed_by_what_it_presents() -> None:
    evidence = broken.sound()
    probe = evidence["clusters"][1]["nodes"][0]["probe"]
    evidence["directions"][0]["external"] = {"addresses": ["10.0.0.2"], "probes": {"10.0.0.2": probe}}
    (row,) = [row for row in all_certificates.listed([], cases(evidence), {}) if row["kind"] == "presented"]
    assert (row["cluster"], row["nodes"], row["common_name"], row["days_left"]) == (
        "cucm10",
        ["10.0.0.2"],
        "CUCM10",
        426,
    )


def test_the_files_hold_the_same(tmp_path: Path) -> None:
    found = result()
    changed, paths = forecast_files.write(str(tmp_path / "new"), found, near=30, pretend=False)
    assert changed and [Path(path).name for path in paths] == [
        "forecast.html", "forecast.csv", "certificates.csv", "forecast.json",
    ]  # fmt: skip
    assert forecast_files.write(str(tmp_path / "new"), found, near=30, pretend=False)[0] is False
    data = json.loads((tmp_path / "new/forecast.json").read_text())
    assert data["certificates"] == found["certificates"] and data["forecasts"] == found["forecasts"]
    with (tmp_path / "new/certificates.csv").open(newline="") as stream:
        listed = list(csv.DictReader(stream))
    assert [row["days_left"] for row in listed] == ["", "-31", "10", "304", "426"]
    with (tmp_path / "new/forecast.csv").open(newline="") as stream:
        events = list(csv.DictReader(stream))
    assert len(events) == sum(len(way["events"]) for way in found["forecasts"])
    assert {event["from"] for event in events} == {"cucma", "cucm10"}
    page = (tmp_path / "new/forecast.html").read_text()
    assert "directions down" not in page
    found["forecasts"][0]["works"] = False
    assert "1 of 2 directions down" in forecast_files.page({**found, "generated": "now"})
    for said in ("426 days", "cucma to cucm10 breaks first, on 2028-01-01", "10.0.0.9 is unreachable", ">Tomcat<"):
        assert said in page, said


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    assert forecast_files.write(str(tmp_path / "new"), result(), near=30, pretend=True)[0] is True
    assert not list(tmp_path.iterdir())


def test_names_of_others_are_text_in_the_page_and_in_the_table(tmp_path: Path) -> None:
    rows = [{"cluster": "cucma", "certificates": [certificate("tomcat", "WEB", "2027-01-01", common_name=ATTACK)]}]
    forecast_files.write(str(tmp_path), result(rows), near=30, pretend=False)
    page = (tmp_path / "forecast.html").read_text()
    assert "<script>alert" not in page and page.count("<script>") == 1
    with (tmp_path / "certificates.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row["common_name"] == f"'{ATTACK}"


@needs_chromium
def test_a_click_on_a_column_sorts_the_certificates(tmp_path: Path) -> None:
    """In a real browser, under the page's own policy, which allows its script by its hash alone."""
    forecast_files.write(str(tmp_path), result(), near=30, pretend=False)
    page = tmp_path / "forecast.html"
    # The click comes from a frame around the page, because the page allows no second script.
    (tmp_path / "frame.html").write_text(
        """<!DOCTYPE html><pre id="out"></pre><iframe id="f" src="forecast.html" style="width:1200px"></iframe><script>
        document.getElementById('f').addEventListener('load', function () {
          var d = this.contentDocument, t = d.querySelectorAll('table')[1], out = {};
          var text = function (at) { return function (row) { return row.cells[at].innerText; }; };
          var column = function (at) { return [].map.call(t.tBodies[0].rows, text(at)); };
          var click = function (at) { t.querySelectorAll('thead button')[at].click(); };
          out.days = column(6);
          click(2); out.purposes = column(2); click(2); out.turned = column(2);
          click(5); out.ends = column(5);
          out.rejected = t.querySelectorAll('script').length;
          document.getElementById('out').textContent = JSON.stringify(out);
        });</script>"""
    )
    assert page.exists()
    run = subprocess.run(
        [str(CHROMIUM), *FLAGS, "--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}",
         "--virtual-time-budget=3000", "--dump-dom", (tmp_path / "frame.html").as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    found = json.loads(run.stdout.split('<pre id="out">')[1].split("</pre>")[0])
    assert found["days"] == ["not known", "ended", "10 days", "304 days", "426 days"]
    assert found["purposes"] == sorted(found["purposes"], key=str.lower) and found["turned"] == found["purposes"][::-1]
    assert found["ends"][0] == "2026-10-01" and found["ends"][-1] == "not known"
    assert "Refused to execute" not in run.stderr and "violates" not in run.stderr


@needs_chromium
@pytest.mark.xdist_group("report")
def test_axe_finds_nothing_in_the_forecast(tmp_path: Path) -> None:
    forecast_files.write(str(tmp_path), result(), near=30, pretend=False)
    found, console = look(tmp_path, [("forecast.html", 360), ("forecast.html", 1200)])
    assert console == ""
    assert [(page["problems"], page["scroll"] <= page["client"]) for page in found] == [([], True)] * 2
