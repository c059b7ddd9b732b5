# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both certificates of a SIP port, before and after the main playbook, as OpenSSL's own program sees them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.integration.test_pairs import Side, pair, peers, scenario
from tests.support.module_processes import run_module
from tests.support.operator_site import Site

pytestmark = [pytest.mark.playbook]
#: what a client asks for: OpenSSL's defaults, which rank ECDSA first, and an offer of RSA alone
OLD = ("-tls1", "-cipher", "ALL:@SECLEVEL=0")
ASKED = {"EC": (), "RSA": ("-cipher", "aRSA", "-no_tls1_3")}


def presented(site: Site, node: str, asked: Sequence[str]) -> dict[str, str]:
    """Subject, issuer and key of what openssl is shown on a node's 5061."""
    address = site.lab.address(node)
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", f"{address}:5061", *asked],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    ).stdout  # fmt: skip
    text = subprocess.run(
        ["openssl", "x509", "-noout", "-subject", "-issuer", "-text"],
        input=shown, capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    found = {word: re.search(rf"^{word}=(.*)$", text, re.MULTILINE) for word in ("subject", "issuer")}
    key = "RSA" if "rsaEncryption" in text else "EC"
    return {"key": key, **{word: match[1] for word, match in found.items() if match}}


def check_presented(site: Site, sides: Iterable[Side], *, signed: Collection[str]) -> None:
    """Each node presents a certificate for either key; those of these keys are signed, the others self-signed."""
    for side in sides:
        for kind, asked in ASKED.items():
            shown = presented(site, side.name, asked)
            assert shown["key"] == kind and (shown["subject"] != shown["issuer"]) == (kind in signed), shown


def check_causes(way: dict[str, Any]) -> None:
    """A direction is insecure because of the ECDSA certificate, and of nothing else."""
    causes = [finding["cause"] for finding in way["findings"] if finding["severity"] == "error"]
    assert any("holds a self-signed CallManager-ECDSA certificate" in cause for cause in causes), causes
    assert all("-EC" in cause or "ECDSA" in cause for cause in causes), causes


def restarts(site: Site) -> int:
    """How often Cisco CallManager of any node has started."""
    wanted = ("service", "Cisco CallManager", "Started")
    seen = [(event["kind"], event.get("service"), event.get("status")) for event in site.lab.events()]
    return seen.count(wanted)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("older", "newer"),
    [("12.5", "15SU2"), pytest.param("11.5", "15SU4", marks=pytest.mark.matrix),
     pytest.param("14", "15SU1", marks=pytest.mark.matrix)],
)  # fmt: skip
def test_both_identities_are_signed_served_and_accepted(tmp_path: Path, older: str, newer: str) -> None:
    sides = pair(older, newer)
    site = Site(tmp_path, scenario(tmp_path / "pair.yml", sides, 1), limit=1100)
    with site.lab:
        options = ("-i", peers(site, sides))
        check_presented(site, sides, signed=())
        first = site.play("sip_tls_trunk", *options)
        assert first.code == 0, first.output[-6000:]
        assert site.verdict()["verdict"] == "secure"
        check_presented(site, sides, signed=ASKED)
        for caller, called in (("1001", "2001"), ("2001", "1001")):
            side = sides[int(caller[0]) - 1]
            call = site.call(side.name, caller, called)
            assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True), call
        assert restarts(site) == len(sides), "one restart makes both certificates of a node active"
        second = site.play("sip_tls_trunk", *options)
        assert second.code == 0 and second.total("changed") == 0, second.output[-6000:]
        assert restarts(site) == len(sides)


AXL = """<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:ns="http://www.cisco.com/AXL/API/{version}"><soapenv:Body><ns:executeSQLUpdate><sql>update processconfig set
 paramvalue = '{value}' where paramname = 'TLSCiphers'</sql></ns:executeSQLUpdate></soapenv:Body></soapenv:Envelope>"""


def prefer(site: Site, cluster: str, version: str, value: str) -> None:
    """Set the enterprise parameter TLS Ciphers, as an administrator's script would."""
    account = yaml.safe_load(site.lab.inventory.read_text())["cucm_clusters"]["hosts"][cluster]
    answer = requests.post(
        f"https://{site.lab.address(cluster)}:8443/axl/", timeout=30, verify=False,
        auth=(account["cucm_username"], account["cucm_password"]),
        data=AXL.format(version=version, value=value),
        headers={"Content-Type": "text/xml", "SOAPAction": f'"CUCM:DB ver={version} executeSQLUpdate"'},
    )  # fmt: skip
    assert "<rowsUpdated>1</rowsUpdated>" in answer.text, answer.text


@pytest.mark.matrix
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("preferring", [("side1",), ("side1", "side2")], ids=["one-side", "both-sides"])
def test_where_ecdsa_is_preferred_calls_use_it_and_the_verdict_names_it(
    tmp_path: Path, preferring: tuple[str, ...]
) -> None:
    sides = pair("12.5", "14")
    site = Site(tmp_path, scenario(tmp_path / "pair.yml", sides, 1), limit=1100)
    with site.lab:
        versions = {"side1": "12.5", "side2": "14.0"}
        for side in preferring:
            prefer(site, side, versions[side], "All Ciphers ECDSA Preferred")
        run = site.play("sip_tls_trunk", "-i", peers(site, sides))
        assert run.code == 0 and site.verdict()["verdict"] == "secure", run.output[-6000:]
        for way in site.verdict()["directions"]:
            elliptic = way["from"] in preferring
            assert ("-EC" in way["server_certificate"]["subject"], "ECDSA" in way["cipher"]) == (elliptic, elliptic), (
                way
            )
            assert [identity["purpose"] for identity in way["identities"]["server"]] == [
                "CallManager",
                "CallManager-ECDSA",
            ]
        for side, caller, called in (("side1", "1001", "2001"), ("side2", "2001", "1001")):
            call = site.call(side, caller, called)
            assert (call["result"], call["transport"], call["srtp"]) == ("answered", "TLS", True), call
            assert ("ECDSA" in call["cipher"]) == (side in preferring), call


def accepted_names(site: Site, cluster: str, profile: str, **changes: Any) -> list[str]:
    """The subject names that a security profile accepts, after a change."""
    done = run_module("cucm_sip_trunk_profile", {
        "host": site.lab.address(cluster), "port": site.lab.description["ports"]["https"], "username": "axladmin",
        "password": "Axl-Lab-91!reading-and-writing", "ca_path": str(site.lab.state / "https-ca.pem"), "name": profile,
        **changes,
    })  # fmt: skip
    names: list[str] = done["object"]["x509_subject_names"]
    return names


@pytest.mark.matrix
@pytest.mark.timeout(1200)
def test_a_certificate_that_is_left_as_shipped_makes_the_directions_insecure(tmp_path: Path) -> None:
    sides = pair("12.5", "14")
    site = Site(tmp_path, scenario(tmp_path / "pair.yml", sides, 1), limit=1100)
    with site.lab:
        left = site.play("sip_tls_trunk", "-i", peers(site, sides), extra={"callmanager_certificate_ecdsa": "leave"})
        assert left.code != 0 and site.verdict()["verdict"] == "insecure", left.output[-6000:]
        for way in site.verdict()["directions"]:
            check_causes(way)
        check_presented(site, sides, signed=("RSA",))
        assert restarts(site) == len(sides)
        # As a run left it that knew of one certificate alone.
        names = accepted_names(site, "side2", "SIP TLS side1")
        only = [name for name in names if "-ec" not in name.lower()]
        assert only and only != names
        assert accepted_names(site, "side2", "SIP TLS side1", x509_subject_names=only) == only
        run = site.play("sip_tls_trunk", "-i", peers(site, sides))
        assert run.code == 0 and site.verdict()["verdict"] == "secure", run.output[-6000:]
        assert sorted(accepted_names(site, "side2", "SIP TLS side1")) == sorted(names), "the trunk gains the names"


@pytest.mark.matrix
@pytest.mark.timeout(600)
def test_clusters_without_a_version_in_common_stop_before_anything_is_signed(tmp_path: Path) -> None:
    sides = pair("10.5", "15SU2")
    site = Site(tmp_path, scenario(tmp_path / "pair.yml", sides, 1), limit=500)
    with site.lab:
        run = site.play("sip_tls_trunk", "-i", peers(site, sides))
        assert run.code != 0 and run.total("changed") == 0, run.output[-6000:]
        assert "1 problem found" in run.output and "no TLS version or cipher in common" in run.output
        assert not site.ca.exists()
        for side in sides:
            shown = presented(site, side.name, () if side.release != "10.5" else OLD)
            assert shown["subject"] == shown["issuer"]
