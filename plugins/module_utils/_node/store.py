# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate store of a node: one interface for CLI and REST.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import NodeClock
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import AnswerLost
from ansible_collections.siptls.cucm.plugins.module_utils._net.ssh import ShellLost
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, time_text
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import PURPOSES
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate

REST_BASE = "/platformcom/api/v1/certmgr/config"
# The common name of a certificate that all nodes of a cluster share, e.g. cucm1-ms.example.com.
MULTI_SERVER_NAME = re.compile(r"-ms(\.|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One certificate that a node holds: purpose (CallManager, CallManager-trust), CUCM's file name, the PEM.

    pem is None where the node shows only text; serials are then what the text or the name may mean as a number.
    """

    purpose: str
    name: str
    pem: str | None = field(default=None, repr=False)
    note: str = ""
    serials: frozenset[int] = frozenset()
    #: the purpose whose multi-server certificate serves as this one's (Reuse Certificate, from 14 on)
    reuses: str = ""

    @property
    def facts(self) -> Certificate | None:
        """The certificate read, None when the node did not show it or it cannot be parsed."""
        try:
            return read_certificate(self.pem) if self.pem else None
        except Failure:
            return None

    @property
    def problem(self) -> str:
        """Why the certificate cannot be read, as a sentence; empty when it can, or when the node did not show it."""
        try:
            read_certificate(self.pem or "", self.name)
        except Failure as failure:
            return failure.msg if self.pem else ""
        return ""

    def is_certificate(self, other: Certificate) -> bool:
        """True when this is that certificate: by fingerprint, without a PEM by serial number."""
        own = self.facts
        return own.sha256 == other.sha256 if own is not None else other.serial in self.serials


def with_reused(entries: Sequence[Entry]) -> list[Entry]:
    """The identities with those of CallManager that have no file of their own, because tomcat's certificate serves.

    From 14 on a multi-server certificate of tomcat can be reused; CallManager is then missing in the node's list.
    """
    listed = {entry.purpose: entry for entry in entries}
    reused = []
    for purpose, twin in ((row.name, row.reuses) for row in PURPOSES.values() if row.reuses):
        entry = listed.get(twin)
        facts = entry.facts if entry is not None else None
        if entry is not None and facts and purpose not in listed and MULTI_SERVER_NAME.search(facts.common_name):
            note = f"Uses the multi-server certificate of {twin}"
            reused.append(replace(entry, purpose=purpose, note=note, reuses=twin))
    return [*entries, *reused]


@dataclass(frozen=True)
class CsrOptions:
    """What a CSR should contain; None leaves it to CUCM."""

    purpose: str
    key_type: str | None = None
    key_length: int | None = None
    hash_algorithm: str | None = None
    distribution: str | None = None
    common_name: str | None = None
    sans: tuple[str, ...] | None = None
    parent_domain: str | None = None
    include_ou: bool | None = None
    covers: tuple[str, ...] | None = None  # hosts that names must stand for; not asked of CUCM, which adds them itself


class CertificateStore(Protocol):
    """The certificates of one node. Reads are fresh; every write raises Failure if CUCM certainly refused it.

    A write that returns may still not have taken: the caller reads back, and refused() says what went wrong. When the
    answer to a write is lost, ShellLost or AnswerLost is raised: write_once() looks before it writes again.
    """

    @property
    def kind(self) -> str:
        """CLI or REST."""

    @property
    def where(self) -> str:
        """Node, interface and account, for sentences."""

    @property
    def can_choose(self) -> bool:
        """Whether key, hash and names of a CSR can be chosen."""

    @property
    def warnings(self) -> list[str]:
        """What the user should know."""

    @property
    def clock(self) -> NodeClock:
        """The node's clock, by which it checks dates; the controller's where the node does not show it."""

    def identities(self) -> list[Entry]:
        """Every identity certificate."""

    def identity(self, purpose: str) -> Entry | None:
        """The installed identity certificate of the purpose; the running service may still present another."""

    def trust(self, purpose: str | None = None) -> list[Entry]:
        """The certificates of one trust store (CallManager-trust), or of all."""

    def csr(self, purpose: str) -> str | None:
        """The pending CSR of the purpose as PEM."""

    def generate(self, options: CsrOptions) -> str:
        """Make a CSR, replacing a pending one; returns CUCM's words."""

    def import_trust(self, purpose: str, certificate: Certificate) -> str:
        """Put a certificate into a trust store; returns CUCM's words."""

    def import_identity(self, purpose: str, certificate: Certificate, chain: list[Certificate]) -> str:
        """Put a signed certificate into its purpose; returns CUCM's words."""

    def delete_trust(self, entry: Entry) -> str:
        """Remove a certificate from a trust store; returns CUCM's words."""

    def close(self) -> None:
        """End the session."""


def check_replaced(entry: Entry | None, known: str | None, doing: str, done: str = "written") -> None:
    """Failure if a node holds another certificate than the one that the run knows of: another run has replaced it.

    known is its SHA-256. doing is what was tried and where; done is what was not done to the node.
    """
    found = entry.facts if entry is not None else None
    if entry is None or found is None or known in (None, found.sha256):
        return
    raise Failure(
        f"{doing} was stopped: another run, or a person, replaced the {entry.purpose} certificate. The node holds "
        f"{found.title} with serial number {found.serial_text}, valid from {time_text(found.not_before)}, which this "
        f"run does not know. Nothing was {done} there. Wait until the other run has ended, then run again.",
        replaced=found.view(),
    )


def write_once(write: Callable[[], str], took: Callable[[], bool]) -> str:
    """Write; when the answer is lost, look whether it took, and only if not write once more. Returns CUCM's words."""
    try:
        return write()
    except (ShellLost, AnswerLost) as lost:
        if took():
            return lost.msg
    return write()


def refused(doing: str, where: str, words: str) -> Failure:
    """The sentence for a write that did not take: what CUCM said, what that means, what to do about it."""
    from ansible_collections.siptls.cucm.plugins.module_utils._node.refusals import explain

    return Failure(f"{doing} on {where} failed: {explain(words)}", cucm_said=words[:1000])
