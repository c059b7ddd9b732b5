# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a SIP TLS peer is by its certificate, and whether a security profile's X.509 subject names match it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

_SHORT = {
    NameOID.COUNTRY_NAME: "C",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.LOCALITY_NAME: "L",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COMMON_NAME: "CN",
    NameOID.DOMAIN_COMPONENT: "DC",
    NameOID.EMAIL_ADDRESS: "emailAddress",
    NameOID.SERIAL_NUMBER: "serialNumber",
}
#: CUCM's form separates the names of a profile with space, comma, semicolon or colon
_SEPARATORS = re.compile(r"[ ,;:]+")


@dataclass(frozen=True)
class PeerIdentity:
    """What a peer's certificate says about it."""

    #: OpenSSL's one-line form in the order of the DER, e.g. /C=IN/O=cisco/CN=CUCM10
    subject: str
    issuer: str
    common_names: tuple[str, ...]
    sans: tuple[str, ...]
    #: upper-case hexadecimal
    serial: str
    not_after: datetime


def one_line(name: x509.Name) -> str:
    """A distinguished name as OpenSSL prints it on one line, in DER order."""
    return "".join(
        f"/{_SHORT.get(attribute.oid, attribute.oid.dotted_string)}={_text(attribute.value)}" for attribute in name
    )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.hex()


def identity(certificate: x509.Certificate) -> PeerIdentity:
    """Read a certificate's names."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        sans = (*extension.get_values_for_type(x509.DNSName),
                *map(str, extension.get_values_for_type(x509.IPAddress)))  # fmt: skip
    except (x509.ExtensionNotFound, ValueError):
        sans = ()
    return PeerIdentity(
        subject=one_line(certificate.subject),
        issuer=one_line(certificate.issuer),
        common_names=tuple(_text(a.value) for a in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)),
        sans=sans,
        serial=f"{certificate.serial_number:X}",
        not_after=certificate.not_valid_after_utc,
    )


def split(subject_names: str | None) -> tuple[str, ...]:
    """The single names of a profile's X.509 Subject Name."""
    return tuple(filter(None, _SEPARATORS.split(subject_names or "")))


def matches(subject_names: tuple[str, ...], peer: PeerIdentity, *, sans: bool) -> bool:
    """Whether one of the profile's names is the peer's CN (or, with `sans`, one of its subject alternative names)."""
    known = {name.lower() for name in (*peer.common_names, *(peer.sans if sans else ()))}
    return any(name.lower() in known for name in subject_names)
