# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of releases in the README: what the lab does, cell by cell, and what each cell rests on."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass

from .release import RELEASES, TLS10, TLS12, TLS13, Release

#: letter -> source
SOURCES = {
    "a": "Cisco's release notes and technical notes name this version",
    "b": "AXL Developer Guide, schema versions that a server accepts",
    "c": "Security Guide 15, TLS Setup and minimum TLS version",
    "d": "Cisco document 200180, whose screens and captures are of 9.1 and 10.5",
    "e": "Cisco's training slides about certificates of 10.x (defaults of a request)",
    "f": "Administration Guide 12.5(1)SU3 and Security Guide 14SU2, chapters about certificates",
    "g": "`show ctl` of a 10.5.1 node in Cisco document 118893: RSA 1024, then 2048; no hash",
    "h": "DevNet, Certificate Management API",
    "i": "Certificates of nodes in public logs, 11.5 era",
    "j": "Cisco documents 118893 (tokenless CTL) and 214231 (certificate regeneration)",
    "?": "no source: a guess, which other cells suggest",
}


@dataclass(frozen=True)
class Column:
    """One column: its text for a release, and the sources from a release on until the next one named."""

    head: str
    text: Callable[[Release], str]
    sources: dict[str, str]

    def cell(self, release: Release) -> str:
        """The text with the letters of its sources."""
        names = list(RELEASES)
        place = names.index(release.name)
        found = max((start for start in self.sources if names.index(start) <= place), key=names.index)
        return f"{self.text(release)} ({self.sources[found]})"


def _span(minimum: ssl.TLSVersion, maximum: ssl.TLSVersion) -> str:
    names = {TLS10: "1.0", TLS12: "1.2", TLS13: "1.3"}
    return names[minimum] if minimum == maximum else f"{names[minimum]} to {names[maximum]}"


def _signers(release: Release) -> str:
    if release.itl_recovery_signs:
        return "ITLRecovery"
    return "CallManager" if release.has_tokenless_ctl else "eToken, CallManager"


COLUMNS = (
    Column("Version", lambda release: release.version, {"9.1": "a"}),
    # The guide has no column for 10.5, whose toolkit has a schema of its own.
    Column("AXL", lambda release: f"{release.axl_oldest} to {release.axl_version}",
           {"9.1": "b", "10.5": "b, ?", "11.0": "b"}),
    Column("TLS of HTTPS", lambda release: _span(release.tls.minimum, release.tls.maximum),
           {"9.1": "c", "10.0": "?", "11.0": "c", "14": "?", "15SU2": "c"}),
    Column("TLS of SIP", lambda release: _span(release.sip.minimum, release.sip.maximum),
           {"9.1": "c", "10.0": "?", "11.0": "c"}),
    Column("Request (CSR)", lambda release: f"RSA {release.csr.key_bits}, {release.csr.hash}",
           {"9.1": "d", "10.0": "e", "11.0": "f"}),
    Column("Self-signed", lambda release: f"RSA {release.self_signed[0]}, {release.self_signed[1]}",
           {"9.1": "d", "10.0": "?", "10.5": "g, ?", "11.0": "i", "12.0": "f"}),
    Column("Certificates by", lambda release: "REST, CLI" if release.has_rest_certmgr else "CLI",
           {"9.1": "f", "14": "h"}),
    Column("CTL, ITL signed by", _signers, {"9.1": "j"}),
    Column("ECDSA", lambda release: "yes" if release.has_ecdsa else "no", {"9.1": "f"}),
)  # fmt: skip


def table() -> str:
    """The releases as a table in Markdown with the sources below it, for the README."""
    head = ("Release", *(column.head for column in COLUMNS))
    rows = [head, ("---",) * len(head)]
    rows += [(release.name, *(column.cell(release) for column in COLUMNS)) for release in RELEASES.values()]
    sources = "".join(f"- ({letter}) {text}.\n" for letter, text in SOURCES.items())
    return "".join(f"| {' | '.join(row)} |\n" for row in rows) + f"\n{sources}"
