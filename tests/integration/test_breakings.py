# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each thing that makes a trunk unsafe or dead, broken in the lab: verify.yml finds it, says the cause and what to do.

Every case breaks one thing on the clusters that are set up, looks by the real playbook, and puts it right again.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
import yaml
from cucm_lab import testing as lab_testing

from tests.support.operator_site import Site
from tests.support.sites import SetUp

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("trunk"), pytest.mark.timeout(1200)]
A, B = "cucma", "cucm10"
# The capture is filled by a reset of the trunks, and not waited for long by one that stays down.
LOOK = {"sip_tls_verify_reset": "all", "sip_tls_verify_retries": 1}
CONNECTION = (
    "cucm_host", "cucm_os_username", "cucm_os_password", "cucm_ssh_port", "cucm_ssh_known_hosts", "cucm_legacy_crypto",
)  # fmt: skip
APPLICATION = ("cucm_host", "cucm_username", "cucm_password", "cucm_port", "cucm_ca_path", "cucm_legacy_crypto")


def axl(site: Site, cluster: str, operation: str, /, **fields: Any) -> None:
    """An AXL request to a cluster as any client makes it; TLS 1.0 is what these releases speak."""
    host = yaml.safe_load(site.lab.inventory.read_text())["cucm_clusters"]["hosts"][cluster]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    account = base64.b64encode(f"{host['cucm_username']}:{host['cucm_password']}".encode()).decode()
    version = "9.1" if cluster == A else "10.5"
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        f'xmlns:ns="http://www.cisco.com/AXL/API/{version}"><soapenv:Body><ns:{operation}>{xml(fields)}'
        f"</ns:{operation}></soapenv:Body></soapenv:Envelope>"
    )
    connection = http.client.HTTPSConnection(host["cucm_host"], 8443, context=context, timeout=60)
    connection.request(
        "POST", "/axl/", body.encode(),
        {"Content-Type": "text/xml", "SOAPAction": f'"CUCM:DB ver={version} {operation}"',
         "Authorization": f"Basic {account}"},
    )  # fmt: skip
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status == 200, text


def xml(value: Any) -> str:
    """Fields as elements, in their order."""
    if isinstance(value, dict):
        return "".join(f"<{key}>{xml(one)}</{key}>" for key, one in value.items())
    return escape(str(value).lower() if isinstance(value, bool) else str(value))


def reset(site: Site, name: str, peer: str) -> None:
    """Resets the trunk of a cluster to its peer, the way that every release has."""
    axl(site, name, "doDeviceReset", deviceName=f"SIP-TLS-{peer}", isHardReset=True)


def trunk(name: str, **fields: Any) -> Callable[[Site], None]:
    """Changes the trunk of a cluster, and resets it."""
    peer = B if name == A else A

    def change(site: Site) -> None:
        given = {key: value(site) if callable(value) else value for key, value in fields.items()}
        axl(site, name, "updateSipTrunk", name=f"SIP-TLS-{peer}", **given)
        reset(site, name, peer)

    return change


def profile(name: str, **fields: Any) -> Callable[[Site], None]:
    """Changes the security profile of a cluster's trunk, and resets the trunk."""
    peer = B if name == A else A

    def change(site: Site) -> None:
        axl(site, name, "updateSipTrunkSecurityProfile", name=f"SIP TLS {peer}", **fields)
        reset(site, name, peer)

    return change


def destination(address: Callable[[Site], str]) -> Callable[[Site], dict[str, Any]]:
    """The destinations of a trunk: one, on port 5061."""
    return lambda site: {"destination": {"addressIpv4": address(site), "port": 5061, "sortOrder": 1}}


def fault(**rule: Any) -> Callable[[Site], None]:
    """A fault of the lab."""
    return lambda site: site.lab.ask("fault/add", interface="sip", **rule)


def clear(site: Site) -> None:
    """Ends all faults."""
    site.lab.ask("fault/clear")


def clock(days: float) -> Callable[[Site], None]:
    """Moves the clock of the lab's nodes."""
    return lambda site: site.lab.ask("clock", shift=days * 86400)


def module(site: Site, called: str, connection: tuple[str, ...], /, **options: Any) -> None:
    """One task of a module on CUCM10, which changes something."""
    host = yaml.safe_load(site.lab.inventory.read_text())["cucm_clusters"]["hosts"][B]
    known = {key.removeprefix("cucm_"): value for key, value in host.items() if key in connection}
    order = [
        sys.executable, "-m", "ansible", "adhoc", B, "-i", str(site.lab.inventory), "-c", "local",
        "-m", f"siptls.cucm.{called}", "-a", json.dumps({**known, **options}),
    ]  # fmt: skip
    done = subprocess.run(order, env=site.environment(), capture_output=True, text=True, timeout=120, check=False)
    assert "CHANGED" in done.stdout, done.stdout + done.stderr


def trust(state: str) -> Callable[[Site], None]:
    """Takes the CA out of CUCM10's trust store, or puts it back."""
    return lambda site: module(
        site, "cucm_cert_upload", CONNECTION, purpose="CallManager", chain=[(site.ca / "ca.pem").read_text()],
        state=state,
    )  # fmt: skip


def callmanager(state: str) -> Callable[[Site], None]:
    """Stops or starts Cisco CallManager on CUCM10."""
    return lambda site: module(site, "cucm_service", APPLICATION, name="Cisco CallManager", state=state)


@dataclass(frozen=True)
class Breaking:
    """What to break, how to mend it, and what of the findings tells it: (check, words of the cause, of the remedy)."""

    breaks: Callable[[Site], None]
    mends: Callable[[Site], None]
    check: str
    cause: str
    remedy: str


ELSEWHERE = destination(lambda site: site.lab.address(A).rsplit(".", 1)[0] + ".77")
BACK = destination(lambda site: site.lab.address(B))
SECURE = {"securityMode": "Encrypted", "incomingTransport": "TLS", "outgoingTransport": "TLS"}
OPEN = {"securityMode": "Non Secure", "incomingTransport": "TCP+UDP", "outgoingTransport": "TCP"}
BREAKINGS = {
    "another certificate is active": Breaking(
        fault(action="wrong_certificate", operation="handshake", node=B), clear,
        "server_certificate", "uploaded but not yet active", "Restart Cisco CallManager",
    ),
    "an expired certificate is active": Breaking(
        fault(action="wrong_certificate", operation="handshake", node=B, extra={"how": "expired"}), clear,
        "server_certificate", "but holds", "Restart Cisco CallManager",
    ),
    "certificates expired": Breaking(
        clock(1200), clock(-1200), "dates", "1200 days ahead of the controller's", "Renew it",
    ),
    "untrusted CA": Breaking(
        trust("absent"), trust("present"), "client_trust", "has no CA for CUCMA", "CallManager-trust of CUCM10",
    ),
    "name mismatch": Breaking(
        profile(A, x509SubjectName="somebody.else"), profile(A, x509SubjectName="CUCM10,cucm10.lab.local"),
        "server_name", "accepts somebody.else, but the certificate of CUCM10", "x509_subject_names",
    ),
    "no mutual authentication": Breaking(
        fault(action="refuse", operation="client-certificate", node=B), clear,
        "mutual_authentication", "without asking for a client certificate", "Encrypted",
    ),
    "the trunk points elsewhere": Breaking(
        trunk(A, destinations=ELSEWHERE), trunk(A, destinations=BACK),
        "destinations", "which is no node of cucm10", "Correct the trunk's destinations",
    ),
    "a trunk that only looks like TLS": Breaking(
        profile(A, **OPEN), profile(A, **SECURE),
        "profile", "is Non Secure, not Encrypted", "security_mode Encrypted",
    ),
    "SRTP off": Breaking(
        trunk(A, srtpAllowed=False), trunk(A, srtpAllowed=True),
        "srtp", "does not allow SRTP", "srtp_allowed: true",
    ),
}  # fmt: skip


@pytest.mark.matrix
@pytest.mark.parametrize("name", BREAKINGS)
def test_verify_finds_what_is_broken_and_says_what_to_do(set_up: SetUp, name: str) -> None:
    site, case = set_up.site, BREAKINGS[name]
    case.breaks(site)
    try:
        run = site.play("verify", extra=LOOK)
        verdict = site.verdict()
    finally:
        case.mends(site)
        settle(site)
    assert run.code != 0, run.output[-6000:]
    assert "Traceback" not in run.output
    findings = [finding for one in verdict["directions"] for finding in one["findings"]]
    assert verdict["verdict"] == "insecure", verdict
    errors = [one for one in findings if one["severity"] == "error"]
    told = [one for one in errors if one["check"] == case.check and case.cause in one["cause"]]
    assert told, json.dumps(errors, indent=1)
    assert case.remedy in told[0]["remedy"]
    # What is said at the end of the run is the cause, too.
    assert any(one["cause"] in run.output for one in errors)


def settle(site: Site) -> None:
    """Waits until both trunks are in service again."""
    for name, peer in ((A, B), (B, A)):
        reset(site, name, peer)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        trunks = [one for each in site.lab.ask("status")["clusters"] for one in each["trunks"]]
        if trunks and all(one["status"] == "Registered" for one in trunks):
            return
        time.sleep(0.3)
    raise AssertionError("the trunks did not come back")


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
    for one in verdict["directions"]:
        assert one["tls_version"] == version
        assert sources <= {item["source"] for item in one["evidence"]}, one["evidence"]


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
        for one in site.verdict()["directions"]:
            joined = [item["text"] for item in one["evidence"]
                      if (item["check"], item["source"]) == ("mutual_authentication", "trace")]  # fmt: skip
            assert joined and all("show the certificates of the TLS 1.3 connection" in text for text in joined), one
    data = json.loads((tmp_path / "report" / "report.json").read_text())
    assert data["captures"] and data["traces"] and data["changes"]
    for one in data["files"]:
        assert hashlib.sha256((tmp_path / "report" / one["path"]).read_bytes()).hexdigest() == one["sha256"]
    assert {Path(one["path"]).suffix for one in data["files"]} >= {".cap"}
