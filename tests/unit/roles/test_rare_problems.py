# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of a state that the lab's playbook tests do not have: preflight reports each, and ends the run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.filter.preflight import preflight
from ansible_collections.siptls.cucm.plugins.filter.preflight_problems import preflight_problems
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.authority import check_authority
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.inventory import (
    Inventory,
    inventory_problems,
)
from test_composition import SETTINGS, view
from test_preflight_sentences import B, cluster, info

from tests.support.certificate_kit import openssl


def found(name: str, certificate: dict[str, Any] | None, *, clock: int = 0, **more: Any) -> list[str]:
    """The problems of a cluster whose one node has this name and certificate, beside a sound one."""
    node = {"name": name, "address": "10.0.0.9", "role": "Publisher"}
    stored = [] if certificate is None else [{**certificate, "purpose": "CallManager", "sha256": "AA"}]
    result = {"item": node, "certificates": stored, "ports": {}, "clock": {"offset": clock}}
    seen = {**info(**more.pop("info", {})), "nodes": [node]}
    facts = preflight("a", seen, [result], planned={"peers": ["b"], "settings": SETTINGS}, patterns=["71"], **more)
    return preflight_problems([facts, cluster("b", **B)])


def test_a_name_that_no_certificate_should_have() -> None:
    (text,) = found("localhost", view("localhost"))
    assert "localhost is not a host name for a certificate. Set it with `set network hostname`" in text


def test_a_certificate_for_another_name() -> None:
    (text,) = found("CUCMA", view("OTHER", days_left=900))
    assert "the CallManager certificate is made for OTHER, but the node is called CUCMA" in text


def test_a_clock_that_is_behind() -> None:
    (text,) = found("CUCMA", view("CUCMA", days_left=900), clock=-7200)
    assert "would take it for not yet valid and refuse it. Correct the node's NTP" in text


@pytest.mark.parametrize(
    ("policy", "version", "says"),
    [
        ("stop", "14.0.1.10000-1", "(`utils ctl update CTLFile` on the publisher"),
        ("update", "9.1.2.10000-28", "which the CLI of release 9.1.2.10000-28 can't do. Upload the certificates with"),
    ],
)
def test_a_ctl_file_that_nobody_updates(policy: str, version: str, says: str) -> None:
    certificate = view("CUCMA", days_left=900, self_signed=True)
    seen = {"version": version, "security_mode": "mixed"}
    texts = found("CUCMA", certificate, info=seen, ctl={"policy": policy, "regenerate": "if_needed"})
    assert [text for text in texts if says in text] and all(len(text) <= 600 for text in texts)


def test_a_ca_that_cannot_sign(tmp_path: Path) -> None:
    leaf = str(view("LEAF")["pem"])
    assert (
        "is not a CA certificate and cannot sign. Give that of the CA"
        in check_authority(leaf, 30, 30, "x")["problems"][0]
    )
    key, pem = tmp_path / "key.pem", tmp_path / "ca.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(key),
            "-out", str(pem), "-days", "20", "-subj", "/CN=Soon over")  # fmt: skip
    (text,) = check_authority(pem.read_text("utf-8"), 30, 30, "ca")["problems"]
    assert "The CA Soon over (ca) expires in " in text and "what it signs would be due for renewal at once" in text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_ca_folder_that_this_user_cannot_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    variables = {"sip_tls_ca": {"provider": "local", "path": str(tmp_path / "ca")}}
    texts = inventory_problems(Inventory("a", variables, {}, ca_options={"path": {}, "provider": {}}))
    assert any("can't be written by this user" in text for text in texts)
