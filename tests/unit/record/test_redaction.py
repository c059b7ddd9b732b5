# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records written to defeat redaction: nothing of the site is left in them, and what belongs together still does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._record.redaction import redacted


def certificate(subject: list[str], sans: list[str], serial: str = "4D5A9F") -> dict[str, Any]:
    return {"subject": subject, "issuer": ["C=CH", "O=Contoso AG", "CN=Contoso Root"], "sans": sans, "serial": serial,
            "issued_by": None, "not_before": "2026-01-01T00:00:00Z", "not_after": "2031-01-01T00:00:00Z",
            "key": "RSA 2048", "signature": "sha256", "ca": False}  # fmt: skip


def record(**more: Any) -> dict[str, Any]:
    """A cluster whose names are parts of each other: bern, bern-1, bern-1-pub, CUCM1 and CUCM10."""
    objects = {
        "DevicePool": [{"name": "DP_Bern-1HQ"}, {"name": "Default"}],
        "SipTrunk": [
            {"name": "SIP-TLS-bern-1", "description": "to Hans Mueller, 031 555 77 42, hans@contoso.com",
             "destinations": [{"addressIpv4": "cucm10.contoso.com", "port": 5061}]},
            {"name": "ToCUCM1Backup", "destinations": [{"addressIpv4": "10.9.8.7", "port": 5061}]},
        ],
        "SipTrunkSecurityProfile": [
            {"name": "TLS CUCM10", "x509SubjectName": "cucm10.contoso.com,sbc.voice.contoso.com;edge.fabrikam.org"},
        ],
        "SipProfile": [{"name": "P", "outboundProxy": "https://portal.contoso.com:8443/page?who=hans.mueller@contoso.com"}],
        "RoutePattern": [{"pattern": "9.4155577[3-5]X", "calledPartyTransformationMask": "0315557XXX",
                          "description": "Umleitung 0315557742"}],
    }  # fmt: skip
    return {
        "cluster": {"name": "bern-1", "parameters": {"OrganizationTopLevelDomain": "contoso.com",
                                                     "ClusterFQDN": "*.contoso.com bern-1.contoso.com"},
                    "local_patterns": ["57XXX"]},
        "nodes": [{"name": name, "address": f"10.9.8.{last}"}
                  for last, name in enumerate(("bern-1-pub", "CUCM1", "CUCM10.contoso.com"), 7)],
        "certificates": {
            "1": certificate(["C=CH", "L=Bern", "O=Contoso AG", "CN=CUCM1.contoso.com"],
                             ["DNS:cucm1.contoso.com", "email:hans.mueller@contoso.com",
                              "URI:sip:hans@bern-1-pub.contoso.com", "IP:10.9.8.8"]),
            "2": certificate(["emailAddress=hans.mueller@contoso.com", "CN=ITLRECOVERY_CUCM1.contoso.com"], []),
        },
        "stores": {"CUCM1": {"CallManager": ["1"]}},
        "lines": [{"partition": "PT_bern", "count": 1, "numbers": ["57742"]}],
        "objects": objects,
        "trunks": [{"name": "SIP-TLS-bern-1", "node": "CUCM1"}],
        "peers": [{"address": "sbc.voice.contoso.com", "acceptable_cas": [["O=Contoso AG", "CN=Contoso Root"]],
                   "chain": [], "expected_chain": []}],
        "not_recorded": ["The certificates of bern-1-pub (10.9.8.7) could not be read."],
        **more,
    }  # fmt: skip


SECRET = ("contoso", "fabrikam", "hans", "mueller", "10.9.8", "cucm1", "bern-1", "57742", "555", "sbc", "edge",
          "portal", "l=bern", "4d5a9f")  # fmt: skip


@pytest.mark.parametrize("secret", SECRET)
def test_nothing_of_the_site_is_left(secret: str) -> None:
    (hidden,) = redacted([record()])
    assert secret not in json.dumps(hidden).lower()


def test_what_belongs_together_still_does() -> None:
    (hidden,) = redacted([record()])
    objects, cluster = hidden["objects"], hidden["cluster"]["name"]
    assert objects["SipTrunk"][0]["name"] == f"SIP-TLS-{cluster}" == hidden["trunks"][0]["name"]
    assert objects["DevicePool"][0]["name"] == f"DP_{cluster}HQ" and objects["DevicePool"][1]["name"] == "Default"
    names = objects["SipTrunkSecurityProfile"][0]["x509SubjectName"]
    assert objects["SipTrunk"][0]["destinations"][0]["addressIpv4"] == names.split(",")[0]
    assert hidden["peers"][0]["address"] in names
    first, second = hidden["nodes"][1]["name"], hidden["nodes"][2]["name"].partition(".")[0]
    assert first != second and f"To{first}Backup" == objects["SipTrunk"][1]["name"]
    subjects = [part for certificate in hidden["certificates"].values() for part in certificate["subject"]]
    assert any(part.startswith(f"CN=ITLRECOVERY_{first}.") for part in subjects), subjects


def test_a_redacted_record_stays_as_it_is() -> None:
    once = redacted([record()])
    assert redacted(once) == once
