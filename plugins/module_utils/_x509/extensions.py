# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extensions of a certificate or request that matter to CUCM; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._x509.constraints import (
    DirectoryName,
    structured_name,
    subtrees,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.der import (
    SEQUENCE,
    DerError,
    Element,
    bits,
    first,
    integer,
    octets,
    oid,
    split,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import AltName, Name, general_name

SERVER_AUTH, CLIENT_AUTH = "serverAuth", "clientAuth"
#: what a certificate of CallManager is used for: a SIP trunk is TLS server and TLS client at once
BOTH_USES = (SERVER_AUTH, CLIENT_AUTH)
EKU_NAMES = {
    "1.3.6.1.5.5.7.3.1": SERVER_AUTH,
    "1.3.6.1.5.5.7.3.2": CLIENT_AUTH,
    "1.3.6.1.5.5.7.3.3": "codeSigning",
    "1.3.6.1.5.5.7.3.4": "emailProtection",
    "1.3.6.1.5.5.7.3.5": "ipsecEndSystem",
    "1.3.6.1.5.5.7.3.6": "ipsecTunnel",
    "1.3.6.1.5.5.7.3.7": "ipsecUser",
    "1.3.6.1.5.5.7.3.8": "timeStamping",
    "1.3.6.1.5.5.7.3.9": "OCSPSigning",
    "2.5.29.37.0": "anyExtendedKeyUsage",
}
#: what OpenSSL wants one of in the key usages, where there are any (check_purpose_ssl_server, _ssl_client)
TLS_KEY_USAGES = {
    SERVER_AUTH: ("digitalSignature", "keyEncipherment", "keyAgreement"),
    CLIENT_AUTH: ("digitalSignature", "keyAgreement"),
}
#: the extensions that OpenSSL takes for handled where they are critical (X509_supported_extension); it never takes a
#: certificate with proxyCertInfo, which is in its list
SUPPORTED = frozenset({
    "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.31", "2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.37",
    "2.5.29.54", "1.3.6.1.5.5.7.1.7", "1.3.6.1.5.5.7.1.8", "1.3.6.1.5.5.7.48.1.5", "2.16.840.1.113730.1.1",
})  # fmt: skip
#: authorityInfoAccess
ACCESS = "1.3.6.1.5.5.7.1.1"
#: the access method of OCSP (RFC 5280, 4.2.2.1)
OCSP = "1.3.6.1.5.5.7.48.1"
EKU_OIDS = {name: number for number, name in EKU_NAMES.items()}
#: RFC 5280's name -> the attribute of cryptography's KeyUsage, in the order of the bits
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


@dataclass(frozen=True)
class Authority:
    """Which certificate issued another one, as its authorityKeyIdentifier says; None is what that leaves out."""

    key_id: bytes | None = None
    serial: int | None = None
    #: the issuer of the issuer
    issuer: Name | None = None


@dataclass(frozen=True)
class Extensions:
    """What the extensions say; None where the extension is missing. unread: those that are damaged or come twice."""

    sans: tuple[AltName, ...] = ()
    eku: tuple[str, ...] | None = None
    key_usage: tuple[str, ...] | None = None
    ca: bool | None = None
    path_length: int | None = None
    permitted: tuple[AltName, ...] = ()
    excluded: tuple[AltName, ...] = ()
    #: addresses of OCSP responders; None where they cannot be read
    ocsp: tuple[str, ...] | None = ()
    unread: tuple[str, ...] = ()
    #: the subjectKeyIdentifier, and what the authorityKeyIdentifier names
    key_id: bytes | None = None
    authority: Authority = Authority()
    #: numbers of the critical extensions that OpenSSL does not know
    unhandled: tuple[str, ...] = ()

    def allows(self, use: str) -> bool:
        """Whether the extended key usages allow a use; without the extension every use is allowed.

        OpenSSL does not take anyExtendedKeyUsage for the usages of TLS.
        """
        return self.eku is None or use in self.eku

    def signs_for(self, use: str) -> bool:
        """Whether the key usages allow what a use needs; without the extension everything is allowed."""
        return self.key_usage is None or any(usage in self.key_usage for usage in TLS_KEY_USAGES[use])


def read_extensions(element: Element) -> Extensions:
    """From Extensions. One that cannot be read is named in `unread` and counts as unknown, not as missing."""
    found, seen, unread, unhandled = Extensions(), set(), [], []
    for extension in element.expect(SEQUENCE, "the list of extensions").children():
        parts = extension.expect(SEQUENCE, "an extension").children()
        if len(parts) < 2:
            raise DerError("an extension has no value")
        number = oid(parts[0], "the type of an extension")
        name, reader = _READERS.get(number, (number, None))
        if number in seen:
            unread.append(f"the extension {name} comes twice")
            continue
        seen.add(number)
        if number not in SUPPORTED and _critical(parts):
            unhandled.append(number)
        if reader is None:
            continue
        try:
            found = replace(found, **reader(first(octets(parts[-1], "the value of an extension"))))
        except (ValueError, IndexError) as error:
            if number == ACCESS:
                found = replace(found, ocsp=None)
            else:
                unread.append(f"the extension {name} cannot be read: {error}")
    return replace(found, unread=tuple(unread), unhandled=tuple(unhandled))


def _critical(parts: list[Element]) -> bool:
    flag = split(parts[1:-1], 0x01)[0]
    return flag is not None and flag.content not in (b"", b"\0")


def _sans(value: Element) -> dict[str, Any]:
    return {"sans": tuple(map(structured_name, value.expect(SEQUENCE, "subjectAltName").children()))}


def _eku(value: Element) -> dict[str, Any]:
    numbers = (oid(element, "a usage") for element in value.expect(SEQUENCE, "extendedKeyUsage").children())
    return {"eku": tuple(EKU_NAMES.get(number, number) for number in numbers)}


def _key_usage(value: Element) -> dict[str, Any]:
    content = bits(value, "keyUsage")
    is_set = [bool(byte & 0x80 >> place) for byte in content for place in range(8)]
    return {"key_usage": tuple(name for name, key_usage in zip(KEY_USAGES, is_set, strict=False) if key_usage)}


def _constraints(value: Element) -> dict[str, Any]:
    parts = value.expect(SEQUENCE, "basicConstraints").children()
    flag, length = split(parts, 0x01, 0x02)
    return {
        "ca": flag is not None and flag.content not in (b"", b"\0"),
        "path_length": integer(length, "the path length") if length is not None else None,
    }


def _name_constraints(value: Element) -> dict[str, Any]:
    permitted, excluded = split(value.expect(SEQUENCE, "nameConstraints").children(), 0xA0, 0xA1)
    return {"permitted": subtrees(permitted), "excluded": subtrees(excluded)}


def _key_id(value: Element) -> dict[str, Any]:
    return {"key_id": octets(value, "subjectKeyIdentifier")}


def _authority(value: Element) -> dict[str, Any]:
    key_id, names, serial = split(value.expect(SEQUENCE, "authorityKeyIdentifier").children(), 0x80, 0xA1, 0x82)
    listed = map(structured_name, names.children()) if names is not None else ()
    # Of several names OpenSSL takes the first one that is a directory name.
    issuer = next((name.name for name in listed if isinstance(name, DirectoryName)), None)
    number = int.from_bytes(serial.content, "big", signed=True) if serial is not None else None
    return {"authority": Authority(key_id.content if key_id is not None else None, number, issuer)}


def _access(value: Element) -> dict[str, Any]:
    """OpenSSL checks a certificate without reading this extension, so that a damaged one does no harm."""
    try:
        methods = [element.children() for element in value.expect(SEQUENCE, "authorityInfoAccess").children()]
        places = [general_name(place) for method, place in methods if oid(method, "a method") == OCSP]
    except (ValueError, IndexError):
        return {"ocsp": None}
    return {"ocsp": tuple(place.value for place in places if place.kind == "URI")}


_READERS: dict[str, tuple[str, Callable[[Element], dict[str, Any]]]] = {
    ACCESS: ("authorityInfoAccess", _access),
    "2.5.29.14": ("subjectKeyIdentifier", _key_id),
    "2.5.29.15": ("keyUsage", _key_usage),
    "2.5.29.17": ("subjectAltName", _sans),
    "2.5.29.19": ("basicConstraints", _constraints),
    "2.5.29.30": ("nameConstraints", _name_constraints),
    "2.5.29.35": ("authorityKeyIdentifier", _authority),
    "2.5.29.37": ("extendedKeyUsage", _eku),
}
