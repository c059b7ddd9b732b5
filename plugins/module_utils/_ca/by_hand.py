# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider by_hand: a person signs, through a folder; private to siptls.cucm.

The CSR is written into the folder, and the module fails with the path. The next run continues once the certificate is
next to it. The names contain part of the key's fingerprint, so that the certificate of an earlier CSR is not mistaken
for this one's. The certificate may be PEM, DER or PKCS#7, its chain in the same file or in one file for all.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._ca.folder import CaFolder
from ansible_collections.siptls.cucm.plugins.module_utils._ca.provider import Issued, Job, Provider, stand_in
from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec, Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificates

SPEC = ArgSpec(options={"by_hand_path": {"type": "path"}, "by_hand_name": {"type": "str"}})
_CERTIFICATES = (".pem", ".cer", ".crt", ".p7b")
_CHAINS = ("chain.pem", "chain.cer", "chain.p7b")
_LARGEST = 1 << 20  # bytes


@contextlib.contextmanager
def _open(job: Job) -> Iterator[HandSigner]:
    yield HandSigner(job, CaFolder(job.options["path"]))


@dataclass
class HandSigner:
    """A folder for requests and what was signed."""

    job: Job
    folder: CaFolder
    authorities: tuple[Certificate, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def _stem(self) -> str:
        """The path of the request without its suffix."""
        name = re.sub(r"[^A-Za-z0-9.-]", "-", self.job.options["name"] or self.job.request.title)[:100]
        return str(self.folder.path / f"{name}-{self.job.request.key.sha256.replace(':', '').lower()[:8]}")

    def outdated(self, certificate: Certificate) -> str | None:
        """None: whatever is in the folder is used."""
        return None

    def sign(self) -> Issued:
        """The certificate that is next to the request. Raises Failure with status pending while there is none."""
        if self.job.dry:
            # What is saved in the folder may be the chain of an earlier CA.
            return stand_in(self.job, ())
        file = f"{self._stem}.csr"
        self.folder.write(Path(file), self.job.request.pem.encode(), 0o644)
        found = self._read([Path(self._stem + suffix) for suffix in _CERTIFICATES])
        if not found:
            raise Failure(
                f"The CSR of {self.job.request.title} is not signed yet: have {file} signed by your CA (serverAuth and "
                f"clientAuth, the names exactly as in the request), save the certificate as {self._stem}.pem (.cer, "
                f".crt or .p7b) and the chain of the CA as {self.folder.path}/chain.pem (.cer or .p7b), and run again.",
                status="pending",
            )
        key = self.job.request.key
        leaf = next((candidate for candidate in found if candidate.key == key), found[0])
        rest = [certificate for certificate in found if certificate != leaf]
        return Issued(leaf, (*rest, *self._read([self.folder.path / name for name in _CHAINS])))

    def _read(self, files: list[Path]) -> list[Certificate]:
        """The certificates of those files that exist."""
        certificates: list[Certificate] = []
        for file in files:
            data = self.folder.read(file)
            if data is not None and len(data) > _LARGEST:
                raise Failure(f"The file {file} has more than {_LARGEST} bytes. Save certificates alone there.")
            certificates += read_certificates(data, str(file)) if data else []
        return certificates


PROVIDER = Provider("by_hand", SPEC, _open, needs=(("by_hand_path",),), gives_back=False)
