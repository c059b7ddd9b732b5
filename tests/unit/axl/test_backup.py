# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of runs: before the first write, continued after a kill, finished, for their owner alone."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

Cluster = Any  # conftest.Cluster, which pytest hands over
TCP = "Non Secure SIP Trunk Profile"


def test_a_record_is_begun_continued_and_finished(lab: Any, tmp_path: Path) -> None:
    cluster: Cluster = lab.cluster("cucm150")
    kept = {"path": str(tmp_path / "kept"), "name": "a"}
    changes = {"name": "T-SAVED", "description": "after"}
    cluster.run("SipTrunk", name="T-SAVED", description="before", security_profile=TCP)
    try:
        cluster.saved(**kept, objects={"sip_trunk": [changes]}, check=True)
        assert not (tmp_path / "kept").exists()
        began = cluster.saved(
            **kept, certificates={"A": {"sha256": "aa", "subject": "CN=A", "pem": "PEM"}}, trust=["bb"],
            ec_certificates={"A": {"sha256": "ee", "subject": "CN=A-EC", "pem": "PEM"}, "B": None},
        )  # fmt: skip
        cluster.saved(
            **kept, objects={"sip_trunk": [changes], "route_pattern": [{"pattern": "7778", "gateway": "T-SAVED"}]}
        )
        cluster.run("SipTrunk", **changes)
        # The run is killed here; the next one finds the trunk changed, and the record still holds how it was.
        continued = cluster.saved(**kept, objects={"sip_trunk": [changes]})
        assert json.loads(Path(continued["file"]).read_text()) == continued["record"]
        assert continued["record"]["began"] == began["record"]["began"]
        cluster.run("RoutePattern", pattern="7778", gateway="T-SAVED")
        done = cluster.saved(**kept, state="finished", certificates={"A": {"sha256": "aa"}})
        trunk, pattern = done["record"]["objects"]
        assert (trunk["before"]["description"], trunk["after"]["description"]) == ("before", "after")
        assert pattern["before"] is None and pattern["after"]["gateway"] == "T-SAVED"
        assert {label: view["sha256"] for label, view in done["record"]["identity"].items()} == {
            "A": "aa", "A CallManager-ECDSA": "ee",
        }  # fmt: skip
        assert "PEM" not in json.dumps(done["record"]["identity"])
        files = list((tmp_path / "kept").rglob("*"))
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o700, 0o600}
        assert [file.name for file in files if file.is_file()] == [Path(done["file"]).name]
        cluster.saved(**kept, objects={"sip_trunk": [changes]})
        assert cluster.saved(**kept, state="finished") == {"record": {}, "file": ""}
        assert len(list((tmp_path / "kept").rglob("*.json"))) == 1
    finally:
        cluster.run("RoutePattern", pattern="7778", state="absent")
        cluster.run("SipTrunk", name="T-SAVED", state="absent")


@pytest.mark.parametrize("content", ["no JSON", "{}"])
def test_a_broken_record_is_told_before_anything_is_asked_of_the_cluster(
    tmp_path: Path, lab: Any, content: str
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "unfinished.json").write_text(content)
    with pytest.raises(Exception, match=r"unfinished.json.*Move it away"):
        lab.cluster("cucm150", host="192.0.2.1").saved(
            path=str(tmp_path), name="a", objects={"sip_trunk": [{"name": "T"}]}
        )
