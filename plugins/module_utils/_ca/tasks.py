# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider tasks: the user's own tasks sign, and hand over the certificate; private to siptls.cucm.

It is called twice: without a certificate before those tasks, so that a request that must not be signed reaches no CA,
and with one after them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._ca.provider import Issued, Job, Provider, stand_in
from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificates

SPEC = ArgSpec(
    options={"tasks_certificate": {"type": "str"}, "tasks_chain": {"type": "list", "elements": "str"}},
)


@contextlib.contextmanager
def _open(job: Job) -> Iterator[TasksSigner]:
    yield TasksSigner(job)


@dataclass
class TasksSigner:
    """What the tasks handed over."""

    job: Job
    authorities: tuple[Certificate, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def outdated(self, certificate: Certificate) -> str | None:
        """Nothing: the tasks decide."""
        return None

    def sign(self) -> Issued | None:
        """The certificate; None while the tasks have not run."""
        if self.job.dry:
            return stand_in(self.job, ())
        if not self.job.options["certificate"]:
            return None
        leaf, *rest = read_certificates(self.job.options["certificate"], "tasks_certificate")
        chain = "\n".join(self.job.options["chain"] or ())
        return Issued(leaf, (*rest, *(read_certificates(chain, "tasks_chain") if chain.strip() else ())))


PROVIDER = Provider("tasks", SPEC, _open, gives_back=False)
