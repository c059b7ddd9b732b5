# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A self-signed certificate a purpose, in place of `pki.store.CertificateStore` until that package is there."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .world import Lab, Node


class CertificateStore:
    """Identities alone."""

    def __init__(self, lab: Lab, node: Node) -> None:
        self._node = node

    def active_identity(self, purpose: str) -> tuple[str, str]:
        """(certificate PEM, key PEM) of a purpose, made at first use."""
        base = self._node.directory / purpose
        certificate, key = base.with_suffix(".pem"), base.with_suffix(".key")
        if not certificate.exists():
            bits, digest = self._node.cluster.release.self_signed
            subprocess.run(
                ["openssl", "req", "-x509", "-nodes", "-newkey", f"rsa:{bits}", f"-{digest}", "-days", "1825",
                 "-subj", f"/CN={self._node.name}", "-addext",
                 f"subjectAltName=DNS:{self._node.name},DNS:{self._node.fqdn},IP:{self._node.address}",
                 "-keyout", str(key), "-out", str(certificate)],
                check=True, capture_output=True,
            )  # fmt: skip
        return certificate.read_text(), key.read_text()

    def activate(self, purpose: str) -> None:
        """Nothing to activate."""
