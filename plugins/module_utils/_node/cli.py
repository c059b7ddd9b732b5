# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's certificate store by the `admin:` CLI, every release.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import NodeClock, from_ntp, from_status
from ansible_collections.siptls.cucm.plugins.module_utils._net.screen import pem_blocks
from ansible_collections.siptls.cucm.plugins.module_utils._net.shell import YES, AdminShell, Answer
from ansible_collections.siptls.cucm.plugins.module_utils._net.ssh import ShellLost
from ansible_collections.siptls.cucm.plugins.module_utils._node.refusals import classify, explain
from ansible_collections.siptls.cucm.plugins.module_utils._node.store import (
    MULTI_SERVER_NAME,
    CsrOptions,
    Entry,
    with_reused,
)
from ansible_collections.siptls.cucm.plugins.module_utils._text import readable
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import unit_of

_LISTED = re.compile(r"^[ \t]*([A-Za-z][\w-]*)/([^/\n]+?\.pem)[ \t]*(?::[ \t]*(.*))?$", re.MULTILINE)
_SERIAL = re.compile(r"Serial\s?Number:?\s*([0-9A-Fa-f]+)", re.IGNORECASE)
_NAMED_SERIAL = re.compile(r"_([0-9a-fA-F]{2,40})\.pem$")
_REQUESTS = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "CERTIFICATE SIGN REQUEST")
SLOW = 180.0  # seconds without output that making keys or importing may take


@dataclass
class CliStore:
    """CertificateStore over one SSH session; it logs in at the first command."""

    shell: AdminShell
    kind: str = "CLI"
    can_choose: bool = False
    known_clock: NodeClock | None = None  # where HTTPS has shown the clock already

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> CliStore:
        """The store for a module's platform options."""
        return cls(AdminShell.from_params(params))

    @property
    def where(self) -> str:
        """Node, interface and account in words."""
        return self.shell.access.where

    @property
    def warnings(self) -> list[str]:
        """What the user should know."""
        return self.shell.warnings

    @property
    def clock(self) -> NodeClock:
        """The node's clock, by HTTPS or by what the CLI prints; the controller's where neither shows it."""
        if self.known_clock is None:
            self.known_clock = (
                from_ntp(self._read("utils ntp status")) or from_status(self._read("show status")) or NodeClock()
            )
        return self.known_clock

    def identities(self) -> list[Entry]:
        """Every identity certificate of the node."""
        return with_reused([self._own(unit, name, note) for unit, name, note in self._list("own")])

    def identity(self, purpose: str) -> Entry | None:
        """The identity certificate of a purpose."""
        entry = self._own(purpose, f"{purpose}.pem", "")
        if entry.pem is None and any(
            unit == purpose for unit, *_unused in _LISTED.findall(self._read("show cert list own"))
        ):
            raise Failure(
                f"{self.where} lists the certificate of {purpose}, but 'show cert own {purpose}' does not show it. "
                "Look at the node's CLI, then run again."
            )
        shared = MULTI_SERVER_NAME.search(entry.facts.common_name) if entry.facts else None
        if not shared:
            return entry if entry.pem else None
        # Where tomcat's certificate is reused, the CLI shows it for both.
        listed = {unit for unit, *_unused in _LISTED.findall(self._read("show cert list own"))}
        return (
            entry
            if purpose in listed
            else next((identity for identity in self.identities() if identity.purpose == purpose), entry)
        )

    def _own(self, unit: str, name: str, note: str) -> Entry:
        pem = self._first_pem(f"show cert own {unit}", f"show cert own {unit}/{name}")[0]
        return Entry(unit, name, pem, note)

    def trust(self, purpose: str | None = None) -> list[Entry]:
        """The certificates of one trust store, or of all."""
        return [
            self._trusted(store, name, note)
            for store, name, note in self._list("trust")
            if purpose is None or store == purpose
        ]

    def _trusted(self, store: str, name: str, note: str) -> Entry:
        pem, text = self._first_pem(f"show cert trust {store}/{name}", f"show cert trust {name}")
        if pem:
            return Entry(store, name, pem, note)
        # Some releases may print no PEM here: then the serial number, hexadecimal or decimal, must do.
        words = _SERIAL.findall(text) + _NAMED_SERIAL.findall(name)
        serials = {int(word, 16) for word in words} | {int(word) for word in words if word.isdigit()}
        return Entry(store, name, None, note, frozenset(serials))

    def _first_pem(self, *commands: str) -> tuple[str | None, str]:
        """The first certificate that one of the commands shows, and all they printed."""
        printed = ""
        for command in commands:
            text = self._read(command)
            blocks = pem_blocks(text, "CERTIFICATE")
            if blocks:
                return blocks[0], text
            printed += text + "\n"
        return None, printed

    def _read(self, command: str) -> str:
        """A command that only reads; when the session breaks, once more in a new one."""
        try:
            return self.shell.run(command)
        except ShellLost:
            return self.shell.run(command)

    def _list(self, which: str) -> list[tuple[str, str, str]]:
        """(unit, file name, description) of every certificate."""
        command = f"show cert list {which}"
        text = self._read(command)
        found = [(unit, name, (note or "").strip()) for unit, name, note in _LISTED.findall(text)]
        refused = None if found else classify(text)
        if refused is not None and refused.code == "level":
            raise Failure(f"'{command}' on {self.where} was refused: {explain(text)}")
        if not found and (text.strip() or which == "own"):
            # Every node has certificates: a list without any does not mean an empty store, and nothing may rely on it.
            raise Failure(
                f"'{command}' on {self.where} named no certificate; the node said {readable(text) or 'nothing'!r}. "
                "Look at the node's CLI, then run again."
            )
        return found

    def csr(self, purpose: str) -> str | None:
        """The pending CSR of a purpose as PEM."""
        for command in (f"show csr own {purpose}", f"show csr own {purpose}/{purpose}.csr"):
            blocks = pem_blocks(self._read(command), *_REQUESTS)
            if blocks:
                return blocks[0]
        return None

    def generate(self, options: CsrOptions) -> str:
        """Make a CSR; releases from 14SU1 ask whether the organizational unit goes in."""
        organizational_unit = Answer(
            re.compile(r"Include OU[^(]{0,200}\(\s*yes", re.I), "yes" if options.include_ou else "no"
        )
        return self.shell.run(f"set csr gen {options.purpose}", [organizational_unit, YES], idle=SLOW)

    def import_trust(self, purpose: str, certificate: Certificate) -> str:
        """Paste a certificate into a trust store."""
        return self._paste(f"set cert import trust {unit_of(purpose)}", certificate)

    def import_identity(self, purpose: str, certificate: Certificate, chain: list[Certificate]) -> str:
        """Paste a signed certificate; the chain is in the trust store already."""

        return self._paste(f"set cert import own {purpose}", certificate)

    def _paste(self, command: str, certificate: Certificate) -> str:
        """Import by paste; the input ends at the END line."""
        pem = certificate.pem.strip() + "\n"
        paste = Answer(re.compile(r"Paste the Certificate and Hit Enter\W*$", re.IGNORECASE), pem)
        words = self.shell.run(command, [paste, YES], idle=SLOW)
        # The node echoes what is pasted; its own words come after that.
        own = words.rpartition("-----END CERTIFICATE-----")[2]
        return re.sub(r"\badmin:\Z", "", own.rstrip()).strip() or words

    def delete_trust(self, entry: Entry) -> str:
        """Remove a certificate from a trust store; which form of the unit's name is right is not documented."""
        words = self.shell.run(f"set cert delete {unit_of(entry.purpose)} {entry.name}", [YES], idle=SLOW)
        if any(left.name == entry.name for left in self.trust(entry.purpose)):
            words = self.shell.run(f"set cert delete {entry.purpose} {entry.name}", [YES], idle=SLOW)
        return words

    def close(self) -> None:
        """End the session."""
        self.shell.close()
