# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both certificates of a node's SIP port in the facts of the roles."""

from __future__ import annotations

from typing import Any

from ansible_collections.siptls.cucm.plugins.filter.preflight import preflight
from ansible_collections.siptls.cucm.plugins.filter.sip_tls_cluster import sip_tls_cluster
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import Cluster, clusters_of
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.peers import peer_problems

RSA, EC = "CallManager", "CallManager-ECDSA"
NODES: list[dict[str, str]] = [
    {"name": "A", "address": "192.0.2.1", "role": "Publisher"},
    {"name": "B", "address": "192.0.2.2"},
]


def facts(**more: Any) -> dict[str, Any]:
    return {
        "name": "big", "nodes": NODES, "trust": {},
        "certificates": {node: {"sha256": f"{node}:RSA", "profile_names": [node]} for node in "AB"},
        "ec_certificates": {node: {"sha256": f"{node}:EC", "profile_names": [f"{node}-EC", node]} for node in "AB"},
        **more,
    }  # fmt: skip


def test_each_holder_gets_its_own_certificate() -> None:
    holders = [{"name": node, "purpose": purpose} for node in "AB" for purpose in (RSA, EC)]
    csrs: list[dict[str, Any]] = [{"item": item, "csr": "CSR"} for item in holders]
    signed = [
        {**csr["item"], "certificate": "PEM", "chain": ["CA"],
         "view": {"sha256": f"{csr['item']['name']} {csr['item']['purpose']}"}}
        for csr in csrs
    ]  # fmt: skip
    after = sip_tls_cluster(facts(), csrs=csrs, signed=signed)
    assert after["expected"] == {node: {RSA: f"{node} CallManager", EC: f"{node} CallManager-ECDSA"} for node in "AB"}
    assert after["expected_now"] == after["expected"]
    assert after["chain"] == ["CA"]


def test_what_is_left_alone_keeps_its_certificate_and_old_releases_have_one() -> None:
    after = sip_tls_cluster(facts(), csrs=[])
    assert after["expected"]["B"] == {RSA: "B:RSA", EC: "B:EC"}
    old = sip_tls_cluster(facts(ec_certificates={"A": None, "B": None}), csrs=[])
    assert old["expected"]["A"] == {RSA: "A:RSA"}


def test_a_profile_has_the_names_of_both_identities_of_each_node() -> None:
    assert Cluster.from_facts(facts()).subject_names == ["A", "A-EC", "B", "B-EC"]
    without = facts(certificates={"A": {"profile_names": ["A"]}, "B": None})
    assert Cluster.from_facts(without).subject_names == []


PLANNED: dict[str, Any] = {"peers": ["b"], "settings": {}}


def clusters(takes: bool | None, version: str = "9.1.2.10000-28") -> list[Cluster]:
    return clusters_of(
        [
            {"name": "old", "version": version, "peers": ["new"], "old_peers": {"OLD": None}},
            {"name": "new", "version": "15.0.1.12900-234", "peers": ["old"], "old_peers": {"NEW": takes}},
        ]
    )


def test_a_pair_without_a_tls_version_in_common_is_a_problem() -> None:
    (text,) = peer_problems(clusters(False))
    assert "no TLS version or cipher in common" in text and "NEW refuses" in text and "set tls min-version" in text
    assert not peer_problems(clusters(True)) and not peer_problems(clusters(None))
    assert not peer_problems(clusters(False, "11.5.1.12900-21"))


def test_preflight_warns_of_the_peers_that_would_meet_the_shipped_certificate() -> None:
    seen = {"nodes": [{"name": "A"}], "version": "14.0.1.12900-161", "rights": {}, "security_mode": "mixed"}
    stored = [{"purpose": EC, "name": "x", "sha256": "00", "self_signed": True, "days_left": 900}]
    node = {"item": {"name": "A", "address": "192.0.2.1"}, "certificates": stored}
    planned = {"peers": ["small"], "settings": {}}
    left = preflight("big", seen, [node], planned=planned, ecdsa="leave")["warnings"]
    assert any("CallManager-ECDSA certificate of A remains self-signed" in text and "small" in text for text in left)
    assert not any(
        "remains self-signed" in text for text in preflight("big", seen, [node], planned=planned)["warnings"]
    )


def test_facts_survive_being_read_and_written() -> None:
    info = {"nodes": [{"name": "A"}], "version": "14.0.1.12900-161", "rights": {}, "security_mode": "mixed"}
    node = {"item": {"name": "A", "address": "192.0.2.1"}, "certificates": []}
    found = preflight("a", info, [node], patterns=["1XXX"], peers=["b"], hosts=["a", "b"], planned=PLANNED)
    assert found["planned"] == PLANNED and found["nodes"][0]["address"] == "192.0.2.1"
    assert Cluster.from_facts(found).to_facts() == found
    # No list is shared with the facts that were read.
    again = Cluster.from_facts(found)
    again.problems.append("x")
    assert "x" not in found["problems"]
