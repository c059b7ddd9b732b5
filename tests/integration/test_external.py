# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trunk to a SIP server of another make: set up from our side, proven as far as that goes, called over both ways."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from cucm_lab.testing import cluster, write_scenario

from tests.support import baresip
from tests.support.operator_site import Run, Site
from tests.support.other_make import Kamailio, modules
from tests.support.sites import UNTOUCHED

pytestmark = [pytest.mark.playbook, pytest.mark.timeout(900)]


def finding(direction: dict[str, Any], severity: str) -> list[str]:
    return [finding["check"] for finding in direction["findings"] if finding["severity"] == severity]


def direction(site: Site, source: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        direction for direction in site.verdict()["directions"] if direction["to"] == "kamailio"
    )
    assert found["from"] == source
    return found


def well(run: Run) -> Run:
    assert run.code == 0, run.output[-6000:]
    return run


def incoming(site: Site) -> dict[str, Any]:
    """The lab's own record of the call that came in last."""
    end = time.monotonic() + 5
    while True:
        calls = [event for event in site.lab.events() if event.get("event") == "call_in"]
        if calls or time.monotonic() > end:
            return calls[-1] if calls else {}
        time.sleep(0.1)


def toward(site: Site, name: str = "kamailio", **more: Any) -> tuple[Kamailio, dict[str, Any]]:
    """The other server, and the variables of a run that has it as a peer."""
    other = Kamailio(site.folder / "kamailio", f"{site.lab.net}.200.1", site.lab.address("c01"))
    peer = {"name": name, "address": other.address, "subject_names": ["kamailio"], "ca_chain": str(other.ca.file),
            "numbers": ["8XXX"], **more}  # fmt: skip
    return other, {"cucm_external_peers": [peer]}


def call_both_ways(site: Site, other: Kamailio) -> None:
    call = site.call("c01", "1001", "8001")
    assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True), (call, other.log())
    assert call["steps"][-1] == "BYE, 200 OK", call["steps"]
    code, said = other.call("1001")
    assert code == 0, (said, other.log())
    came = incoming(site)
    assert (came["result"], came["transport"], came["srtp"]) == ("answered", "TLS", True), came
    assert came["trunk"] == "SIP-TLS-kamailio"


@pytest.mark.matrix
def test_one_run_leads_to_calls_both_ways_with_kamailio(tmp_path: Path) -> None:
    modules()
    site = Site(tmp_path, write_scenario(tmp_path / "lone.yml", [cluster(1)]))
    with site.lab:
        other, extra = toward(site)
        site.ca.mkdir()
        other.ca.root(str(site.ca / "ca"), "/O=Site/CN=Site CA")
        with other.running(site.ca / "ca.pem"), other.answering():
            well(site.play("sip_tls_trunk", extra=extra))
            way = direction(site, "c01")
            assert way["verdict"] == "secure", (way["findings"], other.log())
            assert set(finding(way, "one_sided")) == {"incoming", "srtp"}
            call_both_ways(site, other)


def elliptic(call: dict[str, Any], release: str) -> None:
    """A client with default ciphers is shown the EC certificate; TLS 1.3 has no suites for one kind of key."""
    tls13 = release == "15SU2"
    assert call["tls_version"] == ("TLSv1.3" if tls13 else "TLSv1.2"), call
    assert tls13 or "ECDSA" in call["cipher"], call


@pytest.mark.matrix
@pytest.mark.parametrize("release", ["11.5", "12.5", "14", "15SU2"])
def test_two_makes_with_default_ciphers_call_a_finished_cluster_both_ways(tmp_path: Path, release: str) -> None:
    modules()
    baresip.modules()
    site = Site(tmp_path, write_scenario(tmp_path / "lone.yml", [cluster(1, release)]))
    with site.lab:
        other, extra = toward(site)
        phone = baresip.Baresip(site.folder / "baresip", site.lab.address("c01"))
        extra["cucm_external_peers"].append(
            {"name": "baresip", "address": baresip.ADDRESS, "port": phone.port, "subject_names": ["baresip"],
             "ca_chain": str(phone.ca.file), "numbers": ["7XXX"]}
        )  # fmt: skip
        site.ca.mkdir()
        trusts = other.ca.root(str(site.ca / "ca"), "/O=Site/CN=Site CA")
        with other.running(trusts), other.answering(), phone.running(trusts):
            well(site.play("sip_tls_trunk", extra=extra))
            call_both_ways(site, other)
            elliptic(incoming(site), release)

            call = site.call("c01", "1001", baresip.NUMBER)
            assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True), (call, phone.log())
            answered = phone.call("1001")
            assert answered["type"] == "CALL_ESTABLISHED", (answered, phone.log())
            came = incoming(site)
            assert (came["result"], came["transport"], came["srtp"]) == ("answered", "TLS", True), came
            assert came["trunk"] == "SIP-TLS-baresip"
            elliptic(came, release)


@pytest.mark.matrix
@pytest.mark.parametrize(("release", "method"), [("9.1", "TLSv1+"), ("12.5", "TLSv1.2+"), ("15", "TLSv1.2+")])
def test_our_side_is_made_first_and_removed_at_last(tmp_path: Path, release: str, method: str) -> None:
    modules()
    site = Site(tmp_path, write_scenario(tmp_path / "lone.yml", [cluster(1, release)]))
    with site.lab:
        other, extra = toward(site, legacy_crypto=release == "9.1")
        before = site.lab.ask("dump")["c01"]

        # Its administrator is not ready yet: our side is made, and the run says what waits for him.
        first = well(site.play("sip_tls_trunk", extra={**extra, "sip_tls_verify_retries": 1}))
        way = direction(site, "c01")
        assert way["verdict"] == "unproven" and "trunk_status" in finding(way, "missing")
        assert "as far as one side can show" in first.output

        with other.running(site.ca / "ca.pem", method), other.answering():
            second = well(site.play("sip_tls_trunk", extra=extra))
            assert second.total("changed") == 0, second.output[-6000:]
            way = direction(site, "c01")
            assert way["verdict"] == "secure", (way["findings"], other.log())
            call_both_ways(site, other)

            # A CA of the same name that did not sign it: nothing is secure about that.
            twin = other.ca.root("twin", "/O=Another Make/CN=Somebody else")
            wrong = {**extra["cucm_external_peers"][0], "ca_chain": str(twin)}
            third = site.play("verify", extra={"cucm_external_peers": [wrong]})
            assert third.code != 0 and direction(site, "c01")["verdict"] == "insecure", third.output[-3000:]
        well(site.play("remove_sip_tls_trunk", extra=extra))
        assert site.lab.ask("dump")["c01"]["config"] == before["config"]


@pytest.mark.matrix
@UNTOUCHED
def test_bad_peers_are_said_in_one_list_before_anything_is_changed(untouched: Site, tmp_path: Path) -> None:
    before = untouched.lab.ask("dump")
    good = {"address": "sbc.example", "subject_names": ["sbc.example"], "ca_chain": "nowhere.pem"}
    peers = [
        {**good, "name": "cucma"},
        {"name": "nameless", "address": "sbc.example"},
        {**good, "name": "broken", "ca_chain": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"},
    ]
    run = untouched.play("sip_tls_trunk", extra={"cucm_external_peers": peers})
    assert run.code != 0
    said = run.output.partition("List every problem")[2]
    for words in ("cucma is a cluster of the inventory", "No such file", "no subject_names", "no ca_chain", "damaged"):
        assert words in said, (words, said[:3000])
    assert untouched.lab.ask("dump") == before
