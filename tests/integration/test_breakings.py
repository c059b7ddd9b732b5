# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each thing that makes a trunk unsafe or dead, broken in the lab: verify.yml finds it, says the cause and what to do.

Every case breaks one thing on the clusters that are set up, looks by the real playbook, and puts it right again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from cucm_lab import testing as lab_testing

from tests.support.breakings import BREAKINGS, Pair, settle
from tests.support.operator_site import Site
from tests.support.sites import SetUp

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("trunk"), pytest.mark.timeout(1200)]
# The capture is filled by a reset of the trunks, and not waited for long by one that stays down.
LOOK = {"sip_tls_verify_reset": "all", "sip_tls_verify_retries": 1}


@dataclass(frozen=True)
class Finding:
    """What of the findings shows a breaking: (check, words of the cause, of the remedy)."""

    check: str
    cause: str
    remedy: str


FINDINGS = {
    "another certificate is active": Finding(
        "server_certificate", "uploaded but not yet active", "Restart Cisco CallManager"
    ),
    "an expired certificate is active": Finding("server_certificate", "but holds", "Restart Cisco CallManager"),
    "certificates expired": Finding("dates", "1200 days ahead of the controller's", "Renew it"),
    "untrusted CA": Finding("client_trust", "has no CA for CUCMA", "CallManager-trust of CUCM10"),
    "name mismatch": Finding(
        "server_name", "accepts somebody.else, but the certificate of CUCM10", "x509_subject_names"
    ),
    "no mutual authentication": Finding(
        "mutual_authentication", "without asking for a client certificate", "Encrypted"
    ),
    "the trunk points elsewhere": Finding(
        "destinations", "which is not a node of cucm10", "Correct the trunk's destinations"
    ),
    "a trunk that only looks like TLS": Finding("profile", "is Non Secure, not Encrypted", "security_mode Encrypted"),
    "SRTP off": Finding("srtp", "does not allow SRTP", "srtp_allowed: true"),
}


@pytest.mark.matrix
@pytest.mark.parametrize("name", FINDINGS)
def test_verify_finds_what_is_broken_and_says_what_to_do(set_up: SetUp, name: str) -> None:
    site, case = set_up.site, FINDINGS[name]
    mend = BREAKINGS[name](Pair(site))
    try:
        run = site.play("verify", extra=LOOK)
        verdict = site.verdict()
    finally:
        mend()
        settle([Pair(site)])
    assert run.code != 0, run.output[-6000:]
    assert "Traceback" not in run.output
    findings = [finding for direction in verdict["directions"] for finding in direction["findings"]]
    assert verdict["verdict"] == "insecure", verdict
    errors = [finding for finding in findings if finding["severity"] == "error"]
    explained = [error for error in errors if error["check"] == case.check and case.cause in error["cause"]]
    assert explained, json.dumps(errors, indent=1)
    assert case.remedy in explained[0]["remedy"]
    # What is said at the end of the run is the cause, too.
    assert any(error["cause"] in run.output for error in errors)


@pytest.mark.matrix
def test_the_sound_set_up_was_captured_and_traced(set_up: SetUp) -> None:
    """TLS 1.0: a capture of the reset, with both certificates in it, and the traces beside it."""
    verdict = set_up.site.play("verify", extra=LOOK | {"sip_tls_verify_trace_minutes": 60})
    assert verdict.code == 0, verdict.output[-6000:]
    proven(set_up.site, "TLSv1", {"probe", "capture", "status", "trace"})


def proven(site: Site, version: str, sources: set[str]) -> None:
    """Both ways secure, in this version, by evidence of these sources."""
    verdict = site.verdict()
    assert verdict["verdict"] == "secure", verdict
    assert len(verdict["directions"]) == 2
    for direction in verdict["directions"]:
        assert direction["tls_version"] == version
        assert sources <= {item["source"] for item in direction["evidence"]}, direction["evidence"]


@pytest.mark.matrix
@pytest.mark.parametrize(("release", "version"), [("9.1", "TLSv1"), ("14", "TLSv1.2"), ("15SU2", "TLSv1.3")])
def test_a_sound_set_up_is_secure_on_every_version(tmp_path: Path, release: str, version: str) -> None:
    path = lab_testing.write_scenario(
        tmp_path / "pair.yml", [lab_testing.cluster(number, release) for number in (1, 2)]
    )
    site = Site(tmp_path, path, {"sip_tls_report_path": str(tmp_path / "report")})
    with site.lab:
        run = site.play("sip_tls_trunk")
        assert run.code == 0, run.output[-6000:]
    proven(site, version, {"probe", "capture", "status", "trace"})
    if version == "TLSv1.3":
        # A capture shows that there was a handshake; whose certificates, the traces of both ends on that connection.
        for direction in site.verdict()["directions"]:
            joined = [item["text"] for item in direction["evidence"]
                      if (item["check"], item["source"]) == ("mutual_authentication", "trace")]  # fmt: skip
            assert joined and all("show the certificates of the TLS 1.3 connection" in text for text in joined), (
                direction
            )
    data = json.loads((tmp_path / "report" / "report.json").read_text())
    assert data["captures"] and data["traces"] and data["changes"]
    for listed in data["files"]:
        assert hashlib.sha256((tmp_path / "report" / listed["path"]).read_bytes()).hexdigest() == listed["sha256"]
    assert {Path(listed["path"]).suffix for listed in data["files"]} >= {".cap"}
