# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, alternative names and usages of X.509 in the words of OpenSSL and RFC 4514; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

# Attribute types that cryptography has no short name for, or another one than OpenSSL prints.
_ATTRIBUTES = {
    "2.5.4.5": "serialNumber",
    "2.5.4.9": "street",
    "2.5.4.17": "postalCode",
    "1.2.840.113549.1.9.1": "emailAddress",
}

EKU_NAMES = {
    "1.3.6.1.5.5.7.3.1": "serverAuth",
    "1.3.6.1.5.5.7.3.2": "clientAuth",
    "1.3.6.1.5.5.7.3.3": "codeSigning",
    "1.3.6.1.5.5.7.3.4": "emailProtection",
    "1.3.6.1.5.5.7.3.5": "ipsecEndSystem",
    "1.3.6.1.5.5.7.3.6": "ipsecTunnel",
    "1.3.6.1.5.5.7.3.7": "ipsecUser",
    "1.3.6.1.5.5.7.3.8": "timeStamping",
    "1.3.6.1.5.5.7.3.9": "OCSPSigning",
    "2.5.29.37.0": "anyExtendedKeyUsage",
}
EKU_OIDS = {name: oid for oid, name in EKU_NAMES.items()}

# RFC 5280's name -> the attribute of cryptography's KeyUsage, in the order of the bits.
KEY_USAGES = {
    "digitalSignature": "digital_signature",
    "nonRepudiation": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
    "encipherOnly": "encipher_only",
    "decipherOnly": "decipher_only",
}


def name_text(name: x509.Name) -> str:
    """A name in the order of its DER, as CUCM's SDL prints it: C=IN, ST=cisco, O=cisco, CN=CUCMA."""
    return ", ".join(
        "+".join(
            f"{_ATTRIBUTES.get(one.oid.dotted_string, one.rfc4514_attribute_name)}={_escaped(one.value)}" for one in rdn
        )
        for rdn in name.rdns
    )


def _escaped(value: str | bytes) -> str:
    if isinstance(value, bytes):
        return "#" + value.hex()
    text = "".join("\\" + sign if sign in ',+"\\<>;' else sign for sign in value)
    return "\\" + text if text.startswith((" ", "#")) else text


def common_name(name: x509.Name) -> str | None:
    """The last common name of a name, which is the one that a peer is checked by; None when it has none."""
    from cryptography.x509.oid import NameOID

    found = [str(one.value) for one in name if one.oid == NameOID.COMMON_NAME]
    return found[-1] if found else None


def san_texts(extensions: x509.Extensions) -> list[str]:
    """The subject alternative names as OpenSSL writes them in a configuration: DNS:..., IP:..., URI:..., email:..."""
    from cryptography import x509

    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [_san_text(one) for one in names]


def _san_text(one: x509.GeneralName) -> str:
    from cryptography import x509

    if isinstance(one, x509.DirectoryName):
        return f"dirName:{name_text(one.value)}"
    if isinstance(one, x509.RegisteredID):
        return f"RID:{one.value.dotted_string}"
    if isinstance(one, x509.OtherName):
        return f"otherName:{one.type_id.dotted_string}"
    kinds: list[tuple[type, str]] = [
        (x509.DNSName, "DNS"),
        (x509.IPAddress, "IP"),
        (x509.UniformResourceIdentifier, "URI"),
        (x509.RFC822Name, "email"),
    ]
    return next((f"{word}:{one.value}" for kind, word in kinds if isinstance(one, kind)), f"other:{one.value}")


def san_key(text: str) -> str:
    """An alternative name in the form that CUCM compares by: letters in lower case; a bare name counts as DNS."""
    kind, colon, value = text.strip().partition(":")
    known = {"dns": "DNS", "ip": "IP", "uri": "URI", "email": "email", "dirname": "dirName", "rid": "RID"}
    if colon and kind.lower() in known:
        return f"{known[kind.lower()]}:{value.strip().lower()}"
    # A colon without a known kind is an IPv6 address.
    return f"IP:{text.strip().lower()}" if _is_address(text.strip()) else f"DNS:{text.strip().lower()}"


def _is_address(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def same_sans(left: Iterable[str], right: Iterable[str]) -> bool:
    """Whether two lists hold the same alternative names; neither order nor case counts, as on CUCM."""
    return {san_key(one) for one in left} == {san_key(one) for one in right}


def eku_texts(extensions: x509.Extensions) -> list[str]:
    """The extended key usages by name, or by number when they have none here; empty when there is no restriction."""
    from cryptography import x509

    try:
        usages = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return []
    return [EKU_NAMES.get(one.dotted_string, one.dotted_string) for one in usages]


def key_usage_texts(extensions: x509.Extensions) -> list[str]:
    """The key usages by RFC 5280's names in the order of their bits; empty when there is no restriction."""
    from cryptography import x509

    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return []
    found = []
    for text, attribute in KEY_USAGES.items():
        # encipherOnly and decipherOnly are defined beside keyAgreement alone; cryptography raises without it.
        if attribute in ("encipher_only", "decipher_only") and not usage.key_agreement:
            continue
        if getattr(usage, attribute):
            found.append(text)
    return found


def is_ca(extensions: x509.Extensions) -> bool:
    """Whether the basic constraints say that the owner is a CA."""
    from cryptography import x509

    try:
        return bool(extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False
