# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The restarts after Cisco CallManager: service by service, on the publisher first, and only where they are due."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.restarts import following
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK

CTI, TVS, TFTP, HAPROXY = "Cisco CTIManager", "Cisco Trust Verification Service", "Cisco Tftp", "Cisco HAProxy"
NODES: list[dict[str, Any]] = [
    {"name": "PUB", "address": "10.0.0.1", "role": "Publisher"},
    {"name": "SUB", "address": "10.0.0.2", "role": "Subscriber"},
    {"name": "TFTP", "address": "10.0.0.3", "role": "Subscriber", "callmanager": False},
]
BEGINS, EARLIER, LATER = "2027-01-31T12:00:00Z", "2027-01-31T11:59:59+00:00", "2027-01-31T13:00:01+01:00"


def cluster(publisher: str = "PUB") -> Cluster:
    """Two nodes with new certificates and a TFTP node; any of them may be the publisher."""
    nodes = [{**node, "role": "Publisher" if node["name"] == publisher else "Subscriber"} for node in NODES]
    views = {"PUB": {"not_before": BEGINS}, "SUB": {"not_before": BEGINS}, "TFTP": None}
    return Cluster.from_facts({"name": "a", "nodes": nodes, "certificates": views})


def row(node: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A result of cucm_service for a node on which every service has run since before the certificate, but for more."""
    status = {name: "Started" for name in (CTI, TVS, TFTP, HAPROXY)} | more.pop("services", {})
    since = more.pop("since", None)
    also = [{"name": name, "status": state, "activated": True, "since": since} for name, state in status.items()]
    return {"item": node, "status": "Started", "restarted": [], "pending": [], "also": also, **more}


def listed(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(restart["service"], restart["name"]) for restart in found["next"]]


def test_services_come_one_by_one_each_on_the_publisher_first() -> None:
    done = [row(node, restarted=["Cisco CallManager"]) for node in NODES[:2]]
    found = following(cluster(), done, uploaded=["PUB", "SUB"])
    assert listed(found) == [
        (CTI, "PUB"), (CTI, "SUB"),
        (TVS, "PUB"), (TVS, "SUB"), (TVS, "TFTP"),
        (TFTP, "PUB"), (TFTP, "SUB"), (TFTP, "TFTP"),
        (HAPROXY, "PUB"), (HAPROXY, "SUB"),
    ]  # fmt: skip
    assert found["waiting"] == []
    # What belongs to a restart of this run does not wait for the window; the TFTP node had none.
    assert {restart["name"] for restart in found["next"] if restart["in_window"]} == {"TFTP"}
    assert not any(restart["started_before"] for restart in found["next"])
    outside = [(name, node) for name, node in listed(following(cluster("TFTP"), done)) if name == TFTP]
    assert outside == [(TFTP, "TFTP"), (TFTP, "PUB"), (TFTP, "SUB")], "the publisher runs no Cisco CallManager"


def test_the_table_has_the_order_of_document_214231() -> None:
    assert TRUNK.services_at("15.0.1") == ("Cisco CallManager", CTI, TVS, TFTP, HAPROXY)
    assert TRUNK.services_at("12.5.1") == ("Cisco CallManager", CTI, TVS, TFTP)
    assert TRUNK.services_at("15.0.1", other_nodes=True) == (TVS, TFTP)


def test_where_nothing_is_new_only_what_runs_since_before_the_certificate_is_due() -> None:
    rows = [row(NODES[0], since=EARLIER), row(NODES[1], since=LATER)]
    found = following(cluster(), rows)
    # An earlier run ended between Cisco CallManager and the other services of the publisher.
    assert [pair for pair in listed(found) if pair[1] != "TFTP"] == [
        (name, "PUB") for name in (CTI, TVS, TFTP, HAPROXY)
    ]
    assert {restart["started_before"] for restart in found["next"] if restart["name"] == "TFTP"} == {
        f"{BEGINS[:-1]}+00:00"
    }
    quiet = following(cluster(), [row(node, since=LATER) for node in NODES[:2]])
    assert {restart["name"] for restart in quiet["next"]} == {"TFTP"} and all(
        restart["started_before"] for restart in quiet["next"]
    )
    assert following(cluster(), [row(node) for node in NODES[:2]])["next"] == quiet["next"], "since when is not known"


CALLMANAGER_SINCE = "2027-01-31T12:40:00+00:00"


@pytest.mark.parametrize(
    ("since", "callmanager", "due"),
    [
        # The CA dates back by an hour: the services were started before the certificate was issued.
        ("2027-01-31T12:20:00+00:00", CALLMANAGER_SINCE, True),
        # They were restarted after Cisco CallManager, as they should be.
        ("2027-01-31T12:41:00+00:00", CALLMANAGER_SINCE, False),
        # Somebody has restarted Cisco CallManager long after.
        ("2027-01-31T13:30:00+00:00", "2027-02-01T12:00:00+00:00", False),
        # The interface does not show since when Cisco CallManager runs.
        ("2027-01-31T12:20:00+00:00", None, False),
    ],
)
def test_what_was_started_within_the_backdating_counts_by_cisco_callmanager(
    since: str, callmanager: str | None, due: bool
) -> None:
    rows = [{**row(node, since=since), "since": callmanager} for node in NODES[:2]]
    found = [pair for pair in listed(following(cluster(), rows)) if pair[1] != "TFTP"]
    assert bool(found) is due, found


def test_one_new_certificate_is_verified_and_handed_out_by_every_node() -> None:
    rows = [row(NODES[0], restarted=["Cisco CallManager"]), row(NODES[1], since=LATER)]
    assert listed(following(cluster(), rows, uploaded=["PUB"])) == [
        (CTI, "PUB"), (TVS, "PUB"), (TVS, "SUB"), (TVS, "TFTP"), (TFTP, "PUB"), (TFTP, "SUB"), (TFTP, "TFTP"),
        (HAPROXY, "PUB"),
    ]  # fmt: skip


def test_what_waits_for_the_window_waits_with_cisco_callmanager() -> None:
    rows = [row(NODES[0], restarted=["Cisco CallManager"]), row(NODES[1], pending=["Cisco CallManager"])]
    found = following(cluster(), rows, uploaded=["PUB", "SUB"])
    assert {name for _service, name in listed(found)} == {"PUB", "TFTP"}
    assert [(row["item"]["name"], row["pending"]) for row in found["waiting"]] == [("SUB", [CTI, TVS, TFTP, HAPROXY])]


@pytest.mark.parametrize("activated", [True, False])
def test_a_stopped_service_is_left_to_the_module_and_one_that_is_not_activated_to_nobody(activated: bool) -> None:
    stopped = row(NODES[0], restarted=["Cisco CallManager"], services={CTI: "Stopped"})
    stopped["also"][0]["activated"] = activated
    assert ((CTI, "PUB") in listed(following(cluster(), [stopped]))) is activated
    assert (CTI, "PUB") not in listed(following(cluster(), [row(NODES[0], services={CTI: "Stopped"})]))


def test_after_a_node_that_did_not_come_back_nothing_is_listed_for_those_that_were_skipped() -> None:
    rows = [{"item": NODES[0], "failed": True}, {"item": NODES[1], "skipped": True}]
    assert following(cluster(), rows, uploaded=["PUB"]) == {"next": [], "waiting": []}
