# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which CAs peers come to trust: signatures decide, and the operator's word; names in a cluster's own store do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.trust import (
    chain_above,
    named_authorities,
    unknown_issuer,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate

from tests.support.made_views import LAB_CA, authority, made

OURS = authority()
ROGUE = authority(key="rogue")
LEAF = made("C=IN,O=cisco,CN=cucm1.example.com")
BY_ROGUE = made("C=IN,O=cisco,CN=cucm1.example.com", LAB_CA, key="a rogue's node", signer="rogue")


def certificates(*views: dict[str, Any]) -> list[Certificate]:
    return [read_certificate(view["pem"]) for view in views]


def test_the_chain_of_a_named_ca_is_given_to_peers() -> None:
    assert chain_above(LEAF, [ROGUE, OURS], certificates(OURS)) == [OURS["pem"]]
    assert unknown_issuer(LEAF, [ROGUE, OURS], certificates(OURS), "CallManager") == ""


def test_a_renewed_certificate_of_a_named_ca_counts() -> None:
    renewed = authority(begin="2026-06-01", end="2036-01-01", serial="77")
    assert chain_above(LEAF, [renewed], certificates(OURS))
    assert unknown_issuer(LEAF, [renewed], certificates(OURS), "CallManager") == ""


@pytest.mark.parametrize("store", [[ROGUE], [ROGUE, OURS], []], ids=["rogue", "both", "none"])
def test_a_ca_of_the_same_name_and_another_key_is_unknown(store: list[dict[str, Any]]) -> None:
    assert chain_above(BY_ROGUE, store, certificates(OURS)) == []
    said = unknown_issuer(BY_ROGUE, store, certificates(OURS), "CallManager")
    assert "issued by C=IN, O=cisco, CN=Lab CA" in said and "sip_tls_trusted_cas" in said
    assert (ROGUE["sha256"] in said) == bool(store)


def test_a_node_of_a_named_ca_is_not_a_ca() -> None:
    stolen = made(
        "CN=victim.example.com", LEAF["subject"].replace(", ", ","), signer="C=IN,O=cisco,CN=cucm1.example.com"
    )
    assert Certificate.from_view(stolen).signed_by(read_certificate(LEAF["pem"]))  # type: ignore[union-attr]
    assert chain_above(stolen, [LEAF, OURS], certificates(OURS)) == []
    assert unknown_issuer(stolen, [LEAF, OURS], certificates(OURS), "CallManager")


def test_a_self_signed_certificate_has_no_ca_to_name() -> None:
    assert unknown_issuer(made("CN=cucm1", None), [], [], "CallManager") == ""


def test_cas_are_named_by_text_file_and_record(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(OURS["pem"])
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "leaf.pem").write_text(LEAF["pem"] + ROGUE["pem"])
    (tmp_path / "kept" / "notes.pem").write_text("not a certificate")
    found, problems = named_authorities(["ca.pem"], folders=[str(tmp_path)], records=[str(tmp_path / "kept")])
    assert found == certificates(OURS, ROGUE) and not problems, "a leaf names no CA"
    missing, problems = named_authorities(["gone.pem", "-----BEGIN NONSENSE-----"], folders=[str(tmp_path)])
    assert not missing and "gone.pem cannot be read" in problems[0] and "There is no certificate" in problems[1]
