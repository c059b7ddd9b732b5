# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a CA provider is: its options, and how it signs one request; private to siptls.cucm.

A provider only signs. Everything around it (who may have which name, whether an earlier certificate is still good,
whether CUCM accepts the new one) is in signing.py, once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from ansible_collections.siptls.cucm.plugins.module_utils._ca import signer
from ansible_collections.siptls.cucm.plugins.module_utils._ca.folder import CaFolder
from ansible_collections.siptls.cucm.plugins.module_utils._module import ArgSpec
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Request
from ansible_collections.siptls.cucm.plugins.module_utils._x509.rules import Policy


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On which terms a CA signs. now: this machine's time; there: the time of the node that the certificate is for.

    options: the provider's own, without its prefix. dry: check mode, in which nothing is written or submitted.
    """

    policy: Policy
    options: Mapping[str, Any]
    folder: CaFolder | None
    renew_before: int
    now: datetime
    there: datetime
    dry: bool = False


@dataclass(frozen=True, kw_only=True)
class Job(Terms):
    """One request to sign. allowed: patterns of names that the operator allows."""

    request: Request
    force: bool = False
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Issued:
    """What a CA issued. authorities: the CAs above the certificate, in any order; facts: for the module's result.

    signing: of a prediction, the CA that would sign and those above it; empty where the provider does not show them.
    """

    certificate: Certificate
    authorities: tuple[Certificate, ...]
    predicted: bool = False
    signing: tuple[Certificate, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


class Signer(Protocol):
    """A provider working on one job."""

    @property
    def authorities(self) -> tuple[Certificate, ...]:
        """CAs that are known without contacting one; those of an earlier certificate are kept with it."""

    @property
    def facts(self) -> dict[str, Any]:
        """For the module's result: request_id, ca_created."""

    @property
    def warnings(self) -> list[str]:
        """What the user should know, for instance what the options leave unprotected."""

    def outdated(self, certificate: Certificate) -> str | None:
        """Why an earlier certificate for the same key is no longer good; None if this provider has no objection."""

    def sign(self) -> Issued | None:
        """Sign the request; None where the request is only to be checked.

        Raises Failure if it is pending (status pending among its facts) or was refused.
        """


@dataclass(frozen=True)
class Provider:
    """A row of the registry. spec: its options; each name begins with the name of the provider and an underscore.

    needs: options without which it cannot sign; of a tuple one is enough. libraries: Python packages that it imports.
    gives_back: whether an earlier certificate that still serves is returned in place of a new one.
    authority: the CA with those above it and whether it is new; it is made where there is none. None for a provider
    that is not asked before it signs.
    """

    name: str
    spec: ArgSpec
    open: Callable[[Job], AbstractContextManager[Signer]]
    needs: tuple[tuple[str, ...], ...] = ()
    libraries: tuple[str, ...] = ()
    gives_back: bool = True
    authority: Callable[[Terms], tuple[tuple[Certificate, ...], bool]] | None = None


def renamed(old: str, **rule: Any) -> dict[str, Any]:
    """The rule of an option that had another name before; the old one still works, with a warning."""
    return {
        **rule,
        "aliases": [old],
        "deprecated_aliases": [{"name": old, "version": "3.0.0", "collection_name": "siptls.cucm"}],
    }


def stand_in(job: Job, signing: tuple[Certificate, ...]) -> Issued:
    """A prediction for check mode: signed by a throw-away CA in memory, so that the tasks after it can run too.

    signing: the CA that would sign and those above it, as far as they are known.
    """
    plan = signer.CaPlan(key_type="EC", key_size=256, days=2)
    key = signer.new_key(plan)
    ca = signer.SigningCa.load(signer.new_certificate(key, plan, job.now), key, None, "memory")
    certificate = ca.sign(job.request, Policy(days=2, skew=timedelta(hours=1)), job.now, job.there)
    return Issued(certificate, ca.authorities, predicted=True, signing=signing)
