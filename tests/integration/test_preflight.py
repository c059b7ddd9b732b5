# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many things wrong at once, on three clusters: one run names them all and writes nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.operator_site import ROOT, Site

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("preflight"), pytest.mark.timeout(600)]
SCENARIO = ROOT / "lab" / "cucm_lab" / "scenarios" / "two-clusters.yml"

#: what stands on the first cluster before anybody comes: objects by kind
STANDING: dict[str, list[dict[str, Any]]] = {
    "SipTrunkSecurityProfile": [
        {
            "name": "Old TLS profile", "securityMode": "Encrypted", "incomingTransport": "TLS",
            "outgoingTransport": "TLS", "x509SubjectName": "CUCM10", "incomingPort": 5061,
        },
    ],
    "SipTrunk": [
        {
            "name": name, "securityProfileName": "Non Secure SIP Trunk Profile",
            "sipProfileName": "Standard SIP Profile", "devicePoolName": "Default", "locationName": "Hub_None",
            "destinations": [{"addressIpv4": "192.0.2.9", "port": 5060, "sortOrder": 1}],
        }
        for name in ("SIP-TLS-cucm10", "To-provider")
    ],
    "RoutePattern": [{"pattern": "9898", "destination": {"gatewayName": "To-provider"}}],
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Three clusters; the first has objects of its own in the way."""
    folder = tmp_path_factory.mktemp("preflight")
    scenario = yaml.safe_load(SCENARIO.read_text(encoding="utf-8"))
    scenario["clusters"][0]["config"] = STANDING
    scenario["clusters"].append(
        {
            "name": "cucmc", "release": "15", "domain": "lab.local", "subject": {"C": "IN"},
            "nodes": [{"name": "CUCMC", "address": "127.0.150.1"}], "phones": [{"extension": "7777"}],
        }
    )  # fmt: skip
    path = folder / "scenario.yml"
    path.write_text(yaml.safe_dump(scenario, sort_keys=False), encoding="utf-8")
    place = Site(folder, scenario=str(path))
    with place.lab:
        yield place


def expired_ca(folder: Path) -> Path:
    """A folder with a CA whose time is over."""
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Old CA")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2021, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return folder


def listed(output: str) -> str:
    """The one list, on one line."""
    return re.sub(r"\s+", " ", output.partition("List every problem")[2].partition("PLAY RECAP")[0])


def test_one_list_names_all_that_is_wrong_and_nothing_is_written(site: Site, tmp_path: Path) -> None:
    before = site.lab.ask("dump")
    inventory = yaml.safe_load(site.lab.inventory.read_text(encoding="utf-8"))
    hosts = inventory["cucm_clusters"]["hosts"]
    hosts["cucm10"]["cucm_os_password"] = "not the password"
    hosts["cucmc"] |= {"cucm_username": "axlread", "cucm_password": "Axl-Lab-91!reading-alone"}
    hosts["cucma"]["sip_tls_trunk_device_pool"] = "No such pool"
    bad = tmp_path / "inventory.yml"
    bad.write_text(yaml.safe_dump(inventory), encoding="utf-8")
    run = site.play("sip_tls_trunk", "-i", str(bad), extra={"sip_tls_ca": {"path": str(expired_ca(tmp_path / "ca"))}})
    said = listed(run.output)
    assert run.code != 0 and "Traceback" not in run.output
    for words in (
        r"The CA Old CA \(\S+\) has expired",
        r"osadmin.*cucm10|127\.\d+\.105\.1.*osadmin",
        r"cucmc: the application account may only read by AXL",
        r"cucmc: services can't be restarted.*Standard CCM Server Monitoring",
        r"cucma: the device pool 'No such pool' \(sip_tls_trunk_device_pool\)",
        r"cucma: the SIP trunk SIP-TLS-cucm10 exists already and leads to 192\.0\.2\.9",
        r"cucma: SIP trunk security profiles SIP TLS cucm10 and Old TLS profile cannot both have .*cucm10",
        r"cucma: the route pattern 9898 without a partition, a number of cucm10, exists already and leads to the "
        r"gateway or trunk To-provider",
    ):
        assert re.search(words, said), f"not said: {words}\n{run.output[-8000:]}"
    assert site.lab.ask("dump") == before
    refused = [event for event in site.lab.events() if event.get("account") == "osadmin" and "refused" in str(event)]
    assert len(refused) <= 1, "a refused password was tried again"


@pytest.mark.matrix
def test_options_of_the_wrong_kind_are_named_and_make_a_plan_that_can_t_be_approved(site: Site, tmp_path: Path) -> None:
    before = site.lab.ask("dump")
    run = site.play(
        "plan",
        extra={
            "plan_path": str(tmp_path),
            "sip_tls_trunk_port": "70000", "sip_tls_trunk_security_mode": "Very", "sip_tls_trunk_srtp_allowed": "often",
            "sip_tls_trunk_name": "to {peer}!", "callmanager_certificate_days": "many",
        },
    )  # fmt: skip
    assert run.code != 0 and "Traceback" not in run.output
    said = (tmp_path / "plan.md").read_text(encoding="utf-8").replace("\\", "")
    assert "Not to be approved" in said and "Not to be approved" in (tmp_path / "plan.html").read_text(encoding="utf-8")
    for words in ("sip_tls_trunk_security_mode", "Encrypted, Authenticated", "sip_tls_trunk_srtp_allowed",
                  "sip_tls_trunk_port is 70000", "callmanager_certificate_days"):  # fmt: skip
        assert words in said, f"not said: {words}\n{run.output[-6000:]}"
    assert site.lab.ask("dump") == before


def test_a_password_that_the_ca_rejected_is_tried_once_for_all_clusters(tmp_path: Path) -> None:
    site = Site(tmp_path, "two-clusters-adcs")
    with site.lab:
        site.extra["sip_tls_ca"] = {**site.microsoft_ca(), "path": str(site.ca)}
        account = {"SIP_TLS_ADCS_USERNAME": "LAB\\enroll", "SIP_TLS_ADCS_PASSWORD": "not the password"}
        run = site.play("sip_tls_trunk", **account)
        assert run.code != 0 and "refused the account LAB" in run.output and "It was tried once" in run.output
        tried = [event for event in site.lab.events() if event["kind"] == "adcs" and event.get("result") == "refused"]
        assert len(tried) == 1, "Active Directory locks accounts"
        assert run.total("changed") == 0
