# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both certificates of a node's SIP port in the facts of the roles."""

from __future__ import annotations

from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.cluster import holders, presented, with_certificates
from ansible_collections.siptls.cucm.plugins.module_utils._roles.objects import every_peer
from ansible_collections.siptls.cucm.plugins.module_utils._roles.peers import peer_problems
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight import check_cluster

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
    csrs: list[dict[str, Any]] = [{"item": item, "csr": "CSR"} for item in holders(NODES, [RSA, EC])]
    assert [(one["item"]["name"], one["item"]["purpose"]) for one in csrs] == [
        ("A", RSA), ("A", EC), ("B", RSA), ("B", EC),
    ]  # fmt: skip
    signed = [
        {**csr["item"], "certificate": "PEM", "chain": ["CA"],
         "view": {"sha256": f"{csr['item']['name']} {csr['item']['purpose']}"}}
        for csr in csrs
    ]  # fmt: skip
    after = with_certificates(facts(), csrs=csrs, signed=signed)
    assert presented(after, "A") == {RSA: "A CallManager", EC: "A CallManager-ECDSA"}
    assert presented(after, "B", [EC]) == {EC: "B CallManager-ECDSA"}
    assert after["chain"] == ["CA"]


def test_what_is_left_alone_keeps_its_certificate_and_old_releases_have_one() -> None:
    after = with_certificates(facts(), csrs=[])
    assert presented(after, "B") == {RSA: "B:RSA", EC: "B:EC"}
    old = with_certificates(facts(ec_certificates={"A": None, "B": None}), csrs=[])
    assert presented(old, "A") == {RSA: "A:RSA"}


def test_a_profile_has_the_names_of_both_identities_of_each_node() -> None:
    assert next(every_peer(["big"], [facts()]))["names"] == ["A", "A-EC", "B", "B-EC"]
    without = facts(certificates={"A": {"profile_names": ["A"]}, "B": None})
    assert next(every_peer(["big"], [without]))["names"] == []


def clusters(takes: bool | None, version: str = "9.1.2.10000-28") -> list[dict[str, Any]]:
    return [
        {"name": "old", "version": version, "peers": ["new"], "old_peers": {"OLD": None}},
        {"name": "new", "version": "15.0.1.12900-234", "peers": ["old"], "old_peers": {"NEW": takes}},
    ]


def test_a_pair_without_a_tls_version_in_common_is_a_problem() -> None:
    (text,) = peer_problems(clusters(False))
    assert "no TLS version or cipher in common" in text and "NEW refuses" in text and "set tls min-version" in text
    assert not peer_problems(clusters(True)) and not peer_problems(clusters(None))
    assert not peer_problems(clusters(False, "11.5.1.12900-21"))


def test_preflight_warns_of_the_peers_that_would_meet_the_shipped_certificate() -> None:
    told = {"nodes": [{"name": "A"}], "version": "14.0.1.12900-161", "rights": {}, "security_mode": "mixed"}
    held = [{"purpose": EC, "name": "x", "sha256": "00", "self_signed": True, "days_left": 900}]
    node = {"item": {"name": "A", "address": "192.0.2.1"}, "certificates": held}
    planned = {"peers": ["small"], "settings": {}}
    left = check_cluster("big", told, [node], planned=planned, ecdsa="leave")["warnings"]
    assert any("CallManager-ECDSA certificate of A stays self-signed" in text and "small" in text for text in left)
    assert not any(
        "stays self-signed" in text for text in check_cluster("big", told, [node], planned=planned)["warnings"]
    )
