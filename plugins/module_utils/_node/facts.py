# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rules ask of a certificate or a request, the same for both.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._x509 import view
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import san_key
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import load_certificate, load_csr

SERVER_AUTH, CLIENT_AUTH = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"
_EKU = "2.5.29.37"


@dataclass(frozen=True)
class Facts:
    """One certificate, or with is_csr one PKCS#10 request: shown is its view, loaded the parsed object."""

    shown: dict[str, Any] = field(repr=False)
    loaded: Any = field(repr=False, compare=False)
    is_csr: bool

    @property
    def pem(self) -> str:
        """The object itself, in clean PEM."""
        return str(self.shown["pem"])

    @property
    def subject(self) -> str:
        """The distinguished name as CUCM writes it."""
        return str(self.shown["subject"])

    @property
    def issuer(self) -> str:
        """The issuer's distinguished name."""
        return str(self.shown["issuer"])

    @property
    def common_name(self) -> str:
        """The CN of the subject."""
        return self.shown["common_name"] or ""

    @property
    def sha256(self) -> str:
        """The fingerprint, upper hexadecimal with colons."""
        return str(self.shown["sha256"])

    @property
    def names(self) -> frozenset[str]:
        """Subject alternative names in the form that CUCM compares by, e.g. DNS:cucma.example.com."""
        return frozenset(san_key(name) for name in self.shown["sans"])

    @property
    def key_usage(self) -> frozenset[str]:
        """The key usages; empty when the extension is missing."""
        return frozenset(self.shown["key_usage"])

    @property
    def both_sides(self) -> bool:
        """May serve as TLS server and as TLS client, which a SIP trunk is at once; no extension means any use."""
        found = [extension.value for extension in self.loaded.extensions if extension.oid.dotted_string == _EKU]
        return not found or {SERVER_AUTH, CLIENT_AUTH} <= {oid.dotted_string for oid in found[0]}

    @property
    def same_key(self) -> str:
        """The public key's fingerprint: equal for a request and the certificate that answers it."""
        return str(self.shown["public_key_sha256"])

    @property
    def self_signed(self) -> bool:
        """Signed by its own key; of a request, False."""
        return bool(self.shown.get("self_signed"))

    @property
    def serial(self) -> int:
        """The serial number of a certificate."""
        return int(self.loaded.serial_number)

    @property
    def not_before(self) -> datetime.datetime:
        """Begin of the validity, UTC."""
        begin: datetime.datetime = self.loaded.not_valid_before_utc
        return begin

    @property
    def not_after(self) -> datetime.datetime:
        """End of the validity, UTC."""
        end: datetime.datetime = self.loaded.not_valid_after_utc
        return end

    def days_left(self, moment: datetime.datetime) -> float:
        """Days from that moment to the end, negative when it is over."""
        return (self.not_after - moment).total_seconds() / 86400

    def view(self, moment: datetime.datetime) -> dict[str, Any]:
        """What a result shows, with the days left at that moment."""
        return {**self.shown, "days_left": math.floor(self.days_left(moment))}

    @property
    def hash_name(self) -> str:
        """The hash of the signature, e.g. sha256."""
        digest = self.loaded.signature_hash_algorithm
        return str(digest.name) if digest is not None else ""

    def signed_by(self, issuer: Facts) -> bool:
        """True when the issuer's name and key made this certificate; SHA-1 counts, it is a question of fact here."""
        return view.verify_issued_by(self.loaded, issuer.loaded)


def certificate_facts(source: str | bytes) -> Facts:
    """Read the first certificate; Failure when there is none."""
    loaded = load_certificate(source)
    return Facts(view.certificate_view(loaded), loaded, False)


def csr_facts(source: str | bytes) -> Facts:
    """Read a request; Failure when there is none."""
    loaded = load_csr(source)
    return Facts(view.csr_view(loaded), loaded, True)
