# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CA and the certificate of a peer that is no cluster, made by the openssl program."""

from __future__ import annotations

import subprocess
from pathlib import Path


class OwnCa:
    """A root (own-ca.pem) and one RSA certificate of it (leaf.pem, leaf.key) in a folder."""

    def __init__(self, folder: Path, organisation: str, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.file = folder / "own-ca.pem"
        self.root("own-ca", f"/O={organisation}/CN={name} Root")
        (folder / "leaf.ext").write_text(f"subjectAltName=DNS:{name}.example\nextendedKeyUsage=serverAuth,clientAuth\n")
        self.openssl(
            "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "leaf.key", "-out", "leaf.csr",
            "-subj", f"/O={organisation}/CN={name}",
        )  # fmt: skip
        self.openssl(
            "x509", "-req", "-in", "leaf.csr", "-CA", "own-ca.pem", "-CAkey", "own-ca.key", "-set_serial",
            "4711", "-days", "20", "-extfile", "leaf.ext", "-out", "leaf.pem",
        )  # fmt: skip

    def root(self, name: str, subject: str) -> Path:
        """Make a self-signed CA certificate NAME.pem beside NAME.key; a relative name is in the folder."""
        self.openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem",
            "-days", "90", "-subj", subject,
        )  # fmt: skip
        return self.folder / f"{name}.pem"

    def openssl(self, *arguments: str) -> None:
        """Run openssl in the folder."""
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
