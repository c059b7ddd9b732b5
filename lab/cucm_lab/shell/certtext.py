# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two texts in which `show cert` prints a certificate: up to 14 SU1, and from 14 SU2 on.

The layouts are those of public samples; where none exists (details of the newer form), they follow the library that
prints them. Only the PEM after the text is reliable.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from ..pki.material import KEY_USAGES

_SHORT = {
    NameOID.COMMON_NAME: "CN", NameOID.ORGANIZATIONAL_UNIT_NAME: "OU", NameOID.ORGANIZATION_NAME: "O",
    NameOID.LOCALITY_NAME: "L", NameOID.STATE_OR_PROVINCE_NAME: "ST", NameOID.COUNTRY_NAME: "C",
    NameOID.DOMAIN_COMPONENT: "DC", NameOID.EMAIL_ADDRESS: "E",
}  # fmt: skip
_ALGORITHMS = {
    "1.2.840.113549.1.1.5": "SHA1withRSA", "1.2.840.113549.1.1.11": "SHA256withRSA",
    "1.2.840.113549.1.1.12": "SHA384withRSA", "1.2.840.113549.1.1.13": "SHA512withRSA",
    "1.2.840.10045.4.3.2": "SHA256withECDSA", "1.2.840.10045.4.3.3": "SHA384withECDSA",
}  # fmt: skip
_EXTENSIONS = {
    "2.5.29.14": "SubjectKeyIdentifier", "2.5.29.15": "KeyUsage", "2.5.29.17": "SubjectAltName",
    "2.5.29.19": "BasicConstraints", "2.5.29.35": "AuthorityKeyIdentifier", "2.5.29.37": "ExtKeyUsageSyntax",
}  # fmt: skip
_NAME_KINDS: dict[type[x509.GeneralName], str] = {
    x509.DNSName: "dNSName",
    x509.IPAddress: "iPAddress",
    x509.RFC822Name: "rfc822Name",
}


def printed(certificate: x509.Certificate, form: str, timezone: str, pem: bool = True) -> str:
    """The text of `form` ("rsa" or "bouncycastle"), with the PEM behind it."""
    text = rsa_text(certificate, timezone) if form == "rsa" else bouncycastle_text(certificate, timezone)
    if not pem:
        return text
    # The older text ends in "]", and the PEM follows on the same line.
    separator = "" if form == "rsa" else "\n"
    return text + separator + certificate.public_bytes(serialization.Encoding.PEM).decode().rstrip("\n")


def java_date(moment: datetime, timezone: str) -> str:
    """As Java's Date.toString() prints it in the server's zone, e.g. Sun Jul 08 13:05:19 BST 2018."""
    return moment.astimezone(ZoneInfo(timezone) if timezone != "UTC" else UTC).strftime("%a %b %d %H:%M:%S %Z %Y")


def _names(name: x509.Name, reverse: bool, separator: str) -> str:
    parts = [f"{_SHORT.get(a.oid, a.oid.dotted_string)}={a.value!s}" for a in name]
    return separator.join(reversed(parts) if reverse else parts)


def _usages(value: x509.KeyUsage) -> list[str]:
    return [name for name, attribute in KEY_USAGES.items() if getattr(value, attribute)]


def _public_key(certificate: x509.Certificate) -> bytes:
    public = certificate.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _value_lines(extension: x509.Extension[x509.ExtensionType]) -> list[str]:
    value = extension.value
    if isinstance(value, x509.KeyUsage):
        return ["Usages: " + "".join(f"{name}, " for name in _usages(value))]
    if isinstance(value, x509.ExtendedKeyUsage):
        return ["Usage oids: " + "".join(f"{oid.dotted_string}, " for oid in value)]
    if isinstance(value, x509.SubjectAlternativeName):
        names = [
            f"     {n}) {name.value} ({_NAME_KINDS.get(type(name), 'otherName')})" for n, name in enumerate(value, 1)
        ]
        return [f"   altNames: {len(names)} names", *names]
    if isinstance(value, x509.BasicConstraints):
        return [f"cA: {str(value.ca).lower()}", f"pathLenConstraint: {value.path_length or 0}"] if value.ca else []
    if isinstance(value, x509.SubjectKeyIdentifier):
        return [f"keyID: {value.digest.hex()}"]
    if isinstance(value, x509.AuthorityKeyIdentifier):
        return [f"keyID: {(value.key_identifier or b'').hex()}"]
    return []


def rsa_text(certificate: x509.Certificate, timezone: str) -> str:
    """The older text, from "[" to "]"."""
    oid = certificate.signature_algorithm_oid.dotted_string
    kind = "RSA (1.2.840.113549.1.1.1)" if "RSA" in _ALGORITHMS.get(oid, "RSA") else "EC (1.2.840.10045.2.1)"
    lines = [
        "[",
        "  Version: V3",
        f"  Serial Number: {certificate.serial_number:X}",
        f"  SignatureAlgorithm: {_ALGORITHMS.get(oid, oid)} ({oid})",
        f"  Issuer Name: {_names(certificate.issuer, True, ', ')}",
        f"  Validity From: {java_date(certificate.not_valid_before_utc, timezone)}",
        f"           To:   {java_date(certificate.not_valid_after_utc, timezone)}",
        f"  Subject Name: {_names(certificate.subject, True, ', ')}",
        f"  Key: {kind}",
        f"    Key value: {_public_key(certificate).hex()}",
        f"  Extensions: {len(certificate.extensions)} present",
    ]
    for extension in certificate.extensions:
        number = extension.oid.dotted_string
        lines += [
            "  [ ",
            f"     Extension: {_EXTENSIONS.get(number, number)} (OID.{number})",
            f"     Critical: {str(extension.critical).lower()}",
            *(f"     {line}" for line in _value_lines(extension)),
            "  ]",
        ]
    lines += ["", "  Signature: "]
    for offset in range(0, len(certificate.signature), 16):
        row = certificate.signature[offset : offset + 16]
        gutter = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"  {offset:04x}: {row.hex(' ')} [{gutter}]")
    return "\n".join([*lines, "", "]"])


def bouncycastle_text(certificate: x509.Certificate, timezone: str) -> str:
    """The newer text: names in DER order, serial in decimal, extensions by number."""
    oid = certificate.signature_algorithm_oid.dotted_string
    signature = certificate.signature.hex()
    public = certificate.public_key()
    key = f"Modulus: {public.public_numbers().n:x}" if isinstance(public, rsa.RSAPublicKey) else "EC Public Key"
    lines = [
        "  [0]         Version: 3",
        f"         SerialNumber: {certificate.serial_number}",
        f"             IssuerDN: {_names(certificate.issuer, False, ',')}",
        f"           Start Date: {java_date(certificate.not_valid_before_utc, timezone)}",
        f"           Final Date: {java_date(certificate.not_valid_after_utc, timezone)}",
        f"            SubjectDN: {_names(certificate.subject, False, ',')}",
        "           Public Key: RSA Public Key"
        if key.startswith("Modulus")
        else "           Public Key: EC Public Key",
        f"            {key}",
        f"  Signature Algorithm: {_ALGORITHMS.get(oid, oid).upper()}",
        f"            Signature: {signature[:40]}",
        *(f"                       {signature[at : at + 40]}" for at in range(40, len(signature), 40)),
        "       Extensions: ",
        *(
            f"                       critical({str(e.critical).lower()}) {e.oid.dotted_string} value = "
            f"{' '.join(_value_lines(e)) or 'Sequence'}"
            for e in certificate.extensions
        ),
    ]
    return "\n".join(lines) + "\n"
