# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether certificates that were due were renewed, what waits for the window, and what else uses them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.phones import signer_warnings
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.renewals import pending, renewals
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.users import (
    UNLISTED,
    certificate_users,
    users_sentence,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.options import check_options

NODES = {name: {"name": name, "purpose": "CallManager"} for name in ("N1", "N2", "N3")}
CSRS = [{"item": node, "needed": name != "N3", "reason": "19 days left"} for name, node in NODES.items()]
UPLOADS = [{"item": csr["item"], "certificate": {"sha256": "AA"}} for csr in CSRS[:2]]
DONE = {"item": NODES["N1"], "pending": []}
WAITS = {"item": NODES["N2"], "pending": ["Cisco CallManager", "Cisco Tftp"]}
EARLIER = {"item": NODES["N3"], "pending": ["Cisco CallManager"]}


def states(**more: Any) -> dict[str, str]:
    return {row["node"]: row["state"] for row in renewals("a", CSRS, **more)}


def test_a_restart_that_waits_for_the_window_is_pending_also_from_an_earlier_run() -> None:
    assert states(uploads=UPLOADS, restarts=[DONE, WAITS, EARLIER]) == {
        "N1": "renewed", "N2": "pending", "N3": "pending",
    }  # fmt: skip
    assert states(uploads=UPLOADS, restarts=[DONE]) == {"N1": "renewed", "N2": "uploaded"}
    assert states(uploads=UPLOADS, restarts=[DONE], check=True) == {"N1": "due", "N2": "due"}
    texts = [row["text"] for row in renewals("a", CSRS, uploads=UPLOADS, restarts=[DONE, WAITS, EARLIER])]
    assert texts[1].endswith("the restart that makes it active waits for the window (19 days left)")
    assert texts[2] == (
        "a, node N3, CallManager: the new certificate is in place; the restart that makes it active waits for the "
        "window (uploaded by an earlier run)"
    )


def test_the_summary_names_node_services_and_window() -> None:
    assert pending([DONE, WAITS, {"skipped": True}], "a", window="01:00-04:00") == [
        "a, node N2: the restart of Cisco CallManager, Cisco Tftp waits for the window 01:00-04:00, by the node's "
        "clock. Run the playbook again at that time."
    ]


FOUND: dict[str, Any] = {
    "sip_trunks": [{"name": "SIP-TLS-b", "destinations": ["b:5061"]}, {"name": "SBC", "destinations": ["h:5061"]}],
    "conference_bridges": [{"name": "CFB", "product": "CMS", "address": ""}], "expressways": [], "cti_users": [],
    "unknown": ["cti_users"],
}  # fmt: skip


def test_who_else_relies_on_a_certificate_and_what_each_needs() -> None:
    rows = certificate_users(FOUND, issuer="CN=New CA", own_trunks=["SIP-TLS-b"])
    assert [(row["what"], row["name"]) for row in rows] == [
        ("SIP trunk", "SBC (h:5061)"), ("conference bridge", "CFB"),
        ("CTI over TLS", "not known: the account may not read access control groups"),
        (UNLISTED["what"], UNLISTED["name"]),
    ]  # fmt: skip
    assert "trust the CA CN=New CA and to accept the names" in rows[0]["need"]
    facts = {"name": "a", "due": ["N1"], "certificate_users": rows}
    (text,) = users_sentence(Cluster.from_facts(facts), same_ca=False)
    assert "The CallManager certificates" not in text and text.startswith("the CallManager certificates of N1 will")
    assert "SIP trunk SBC (h:5061); conference bridge CFB" in text and "Expressway" not in text
    (kept,) = users_sentence(Cluster.from_facts(facts), same_ca=True)
    assert "The CA remains the same" in kept
    assert not list(users_sentence(Cluster.from_facts({**facts, "due": []}), same_ca=False))
    assert not list(users_sentence(Cluster("a", due=["N1"], certificate_users=certificate_users({})), same_ca=False))


@pytest.mark.parametrize(
    "version, left, expected",
    [("12.5.1", 400, ""), ("12.5.1", 30, "expires in 30 days"), ("14.0.1", -1, "has expired"), ("11.5.1", -1, ""),
     ("15.0.1", None, "")],
)  # fmt: skip
def test_from_12_on_the_signer_of_the_trust_lists_is_itlrecovery(version: str, left: int | None, expected: str) -> None:
    signer = {"subject": "CN=ITLRECOVERY_pub", "days_left": left, "not_after": "2027-01-01T00:00:00Z"}
    found = list(signer_warnings(Cluster("a", version=version, itl_signer=signer)))
    assert bool(found) == bool(expected) and expected in " ".join(found)
    assert not list(signer_warnings(Cluster("a", version=version)))


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"callmanager_certificate_window": "1am-4am"}, "such as 01:00-04:00"),
        ({"callmanager_certificate_window": "04:00-04:00"}, "such as 01:00-04:00"),
        ({"callmanager_certificate_window": "22:00-04:00"}, ""),
        ({"callmanager_certificate_window": ""}, ""),
        ({"callmanager_certificate_drain": -1}, "from 0 to 1440"),
        ({"callmanager_certificate_drain": 30}, ""),
    ],
)
def test_a_window_and_a_drain_are_checked_before_anything_is_changed(given: dict[str, Any], expected: str) -> None:
    found = check_options(given, {})
    assert expected in " ".join(found) and bool(found) == bool(expected), found
