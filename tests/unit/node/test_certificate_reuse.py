# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The multi-server certificate of tomcat in place of CallManager's, by REST and by the CLI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._net.shell import AdminShell
from cucm_lab.testing import LabProcess

from tests.support.certificate_kit import Authority
from tests.support.module_processes import run_module
from tests.unit.node.test_platform_certificates import options


@pytest.mark.timeout(300)
def test_a_reused_certificate_is_recognised(tmp_path: Path) -> None:
    root = Authority.make(tmp_path, "Reuse Root")
    with LabProcess(tmp_path / "lab", "releases") as lab:
        node: dict[str, Any] = options(lab, "cucm140")
        request = run_module("cucm_csr", **node, purpose="tomcat", distribution="multi_server", regenerate="always")
        upload = {"certificate": root.sign(request["csr"]), "chain": [root.pem], "csr": request["csr"]}
        done = run_module("cucm_cert_upload", **node, purpose="tomcat", **upload)
        assert done["changed"], done
        assert not any(
            certificate["reuses"] for certificate in run_module("cucm_certificate_info", **node)["certificates"]
        )
        with AdminShell.from_params({**node, "timeout": 30, "validate_host_key": True}) as shell:
            assert "Successfully reused" in shell.run("set cert reuse tomcat CallManager")
        for interface in ("rest", "cli"):
            found = run_module("cucm_certificate_info", **node, interface=interface)
            identities = {
                certificate["purpose"]: certificate
                for certificate in found["certificates"]
                if certificate["kind"] == "identity"
            }
            assert identities["CallManager"]["reuses"] == "tomcat" and identities["CallManager-ECDSA"]["reuses"] is None
            assert identities["CallManager"]["sha256"] == identities["tomcat"]["sha256"]
            assert found["not_served"] == ["CallManager/tomcat.pem"]
            kept = run_module("cucm_csr", **node, interface=interface, issuer=root.pem)
            assert not kept["changed"] and kept["needed"] is False, kept
