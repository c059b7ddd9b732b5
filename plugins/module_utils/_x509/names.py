# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in certificates and requests, as structure; the only place that reads them. Private to siptls.cucm.

Three things are called a name, and each has its own type here: a `Name` is the distinguished name of a subject or
issuer; an `AltName` is one subject alternative name with its kind; and the names that CUCM compares with the X.509
Subject Name of a security profile are `matched_names`.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ansible_collections.siptls.cucm.plugins.module_utils._text import is_address
from ansible_collections.siptls.cucm.plugins.module_utils._x509.der import SEQUENCE, SET, DerError, Element, dotted, oid

COMMON_NAME = "2.5.4.3"
ORGANIZATIONAL_UNIT = "2.5.4.11"
# The short names that OpenSSL prints.
ATTRIBUTES = {
    COMMON_NAME: "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
    "2.5.4.9": "street", "2.5.4.10": "O", ORGANIZATIONAL_UNIT: "OU", "2.5.4.12": "title", "2.5.4.13": "description",
    "2.5.4.14": "searchGuide", "2.5.4.15": "businessCategory", "2.5.4.16": "postalAddress", "2.5.4.17": "postalCode",
    "2.5.4.18": "postOfficeBox", "2.5.4.19": "physicalDeliveryOfficeName", "2.5.4.20": "telephoneNumber",
    "2.5.4.21": "telexNumber", "2.5.4.22": "teletexTerminalIdentifier", "2.5.4.23": "facsimileTelephoneNumber",
    "2.5.4.24": "x121Address", "2.5.4.25": "internationaliSDNNumber", "2.5.4.26": "registeredAddress",
    "2.5.4.27": "destinationIndicator", "2.5.4.28": "preferredDeliveryMethod", "2.5.4.31": "member",
    "2.5.4.32": "owner", "2.5.4.33": "roleOccupant", "2.5.4.34": "seeAlso", "2.5.4.35": "userPassword",
    "2.5.4.41": "name", "2.5.4.42": "GN", "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier", "2.5.4.45": "x500UniqueIdentifier",
    "2.5.4.46": "dnQualifier", "2.5.4.47": "enhancedSearchGuide", "2.5.4.49": "distinguishedName",
    "2.5.4.50": "uniqueMember", "2.5.4.51": "houseIdentifier", "2.5.4.54": "dmdName", "2.5.4.65": "pseudonym",
    "2.5.4.72": "role", "2.5.4.97": "organizationIdentifier", "1.2.840.113549.1.9.1": "emailAddress",
    "1.2.840.113549.1.9.2": "unstructuredName", "1.2.840.113549.1.9.8": "unstructuredAddress",
    "0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.3": "mail", "0.9.2342.19200300.100.1.9": "host",
    "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.44": "uid",
    "1.3.6.1.4.1.311.60.2.1.1": "jurisdictionL", "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST",
    "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC", "1.2.643.100.1": "OGRN", "1.2.643.100.3": "SNILS",
    "1.2.643.3.131.1.1": "INN",
}  # fmt: skip
#: the string types of X.520 by tag -> Python's codec; OpenSSL takes T61 (Teletex) for Latin-1, and so does CUCM
_STRINGS = {
    0x0C: "utf-8", 0x12: "latin-1", 0x13: "latin-1", 0x14: "latin-1", 0x16: "latin-1", 0x1A: "latin-1",
    0x1C: "utf-32-be", 0x1E: "utf-16-be",
}  # fmt: skip
# OpenSSL leaves a NumericString out of the types that it takes for the same text.
_NUMERIC = 0x12
# What OpenSSL folds, and no blank of Unicode.
_BLANKS = re.compile(r"[ \t\n\v\f\r]+")
_SPECIAL = ',+"\\<>;'
#: what separates names in the X.509 Subject Name of a security profile
SEPARATORS = " ,;:"


@dataclass(frozen=True)
class Attribute:
    """One attribute of a name. value is its text; when it is not a string, # and its DER in hexadecimal.

    folded: whether case and repeated blanks are ignored in comparisons.
    """

    oid: str
    value: str
    is_string: bool = True
    folded: bool = field(default=True, compare=False, repr=False)

    @classmethod
    def read(cls, element: Element) -> Attribute:
        """From an AttributeTypeAndValue."""
        parts = element.expect(SEQUENCE, "an attribute of a name").children()
        if len(parts) != 2:
            raise DerError("an attribute of a name is not a type and a value")
        kind, value = parts
        codec = _STRINGS.get(value.tag)
        name = oid(kind, "the type of an attribute")
        try:
            if codec:
                return cls(name, value.content.decode(codec), folded=value.tag != _NUMERIC)
        except UnicodeDecodeError:
            pass
        return cls(name, f"#{value.whole.hex().upper()}", is_string=False, folded=False)

    @property
    def text(self) -> str:
        """In the form of RFC 4514, e.g. CN=cucm1.example.com."""
        return f"{ATTRIBUTES.get(self.oid, self.oid)}={_escaped(self.value) if self.is_string else self.value}"

    @property
    def oneline(self) -> str:
        """In the form of X509_NAME_oneline, which CUCM's SDL traces have, e.g. /CN=cucm1.example.com."""
        signs = (
            chr(byte) if 0x20 <= byte <= 0x7E else f"\\x{byte:02X}" for byte in self.value.encode("utf-8", "replace")
        )
        return f"/{ATTRIBUTES.get(self.oid, self.oid)}={''.join(signs)}"

    @property
    def key(self) -> tuple[str, str, bool]:
        """What RFC 5280 (7.1) compares as OpenSSL does it: letters in lower case, blanks folded."""
        text = _BLANKS.sub(" ", _lower(self.value)).strip(" ") if self.folded else self.value
        return self.oid, text, self.folded


@dataclass(frozen=True)
class Name:
    """A distinguished name: its relative names in the order of the DER, each a tuple of attributes."""

    rdns: tuple[tuple[Attribute, ...], ...]

    @classmethod
    def read(cls, element: Element, what: str) -> Name:
        """From a Name (RDNSequence); an empty set says nothing, and OpenSSL leaves it out too."""
        sets = [relative.expect(SET, what).children() for relative in element.expect(SEQUENCE, what).children()]
        return cls(tuple(tuple(map(Attribute.read, attributes)) for attributes in sets if attributes))

    @cached_property
    def text(self) -> str:
        """As CUCM's SDL prints it, in the order of the DER: C=IN, ST=cisco, O=cisco, CN=CUCMA."""
        return ", ".join("+".join(attribute.text for attribute in rdn) for rdn in self.rdns)

    @cached_property
    def rfc4514(self) -> str:
        """As RFC 4514 writes it, the most specific part first: CN=CUCMA,O=cisco,ST=cisco,C=IN."""
        return ",".join("+".join(attribute.text for attribute in rdn) for rdn in reversed(self.rdns))

    @property
    def parts(self) -> list[str]:
        """The attributes in the order of the DER, each as TYPE=value with nothing escaped."""
        return [
            f"{ATTRIBUTES.get(attribute.oid, attribute.oid)}={attribute.value}"
            for rdn in self.rdns
            for attribute in rdn
        ]

    @cached_property
    def written(self) -> frozenset[str]:
        """The forms in which logs and results write it: ours, and OpenSSL's one line (/C=IN/O=cisco/CN=CUCMA)."""
        return frozenset({self.text, "".join(attribute.oneline for rdn in self.rdns for attribute in rdn)})

    @cached_property
    def key(self) -> tuple[tuple[tuple[str, str, bool], ...], ...]:
        """Equal for names that RFC 5280 (7.1) calls equal."""
        return tuple(tuple(sorted(attribute.key for attribute in rdn)) for rdn in self.rdns)

    def values(self, oid: str) -> tuple[str, ...]:
        """Every value of one attribute type, in order."""
        return tuple(attribute.value for rdn in self.rdns for attribute in rdn if attribute.oid == oid)

    @property
    def common_names(self) -> tuple[str, ...]:
        """Every CN; a certificate for CUCM has exactly one."""
        return self.values(COMMON_NAME)


@dataclass(frozen=True)
class AltName:
    """One subject alternative name. kind is OpenSSL's word: DNS, IP, URI, email, dirName, RID, otherName, other."""

    kind: str
    value: str

    @property
    def text(self) -> str:
        """As OpenSSL takes it in a configuration, e.g. DNS:cucm1.example.com."""
        return f"{self.kind}:{printable(self.value)}"

    @property
    def key(self) -> str:
        """The form in which CUCM compares it: letters in lower case."""
        return f"{self.kind}:{_lower(self.value)}"

    @classmethod
    def parse(cls, text: str) -> AltName:
        """From what a person writes: a bare name counts as DNS, a bare address as IP."""
        kind, colon, value = text.strip().partition(":")
        known = _KINDS.get(kind.strip().lower()) if colon else None
        value = value.strip() if known else text.strip()
        if is_address(value) and known in ("IP", None):
            return cls("IP", str(ipaddress.ip_address(value)))
        return cls(known or "DNS", value)


_KINDS = {
    "dns": "DNS", "ip": "IP", "uri": "URI", "email": "email", "dirname": "dirName", "rid": "RID",
    "othername": "otherName",
}  # fmt: skip


def general_name(element: Element) -> AltName:
    """From a GeneralName; an address range of a name constraint becomes address/mask."""
    content = element.content
    match element.tag:
        case 0x81 | 0x82 | 0x86:
            return AltName({0x81: "email", 0x82: "DNS", 0x86: "URI"}[element.tag], _ia5(content))
        case 0x87:
            return AltName("IP", _address(content))
        case 0x88:
            return AltName("RID", dotted(content))
        case 0xA4:
            return AltName("dirName", Name.read(_only(element), "a directory name").text)
        case 0xA0:
            return AltName("otherName", oid(_only(element), "the type of an otherName"))
    return AltName("other", f"#{element.whole.hex()}")


def _ia5(content: bytes) -> str:
    """The text of an IA5String, in which some CAs write UTF-8."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _only(element: Element) -> Element:
    inside = element.children()
    if not inside:
        raise DerError("an alternative name is empty")
    return inside[0]


def _address(content: bytes) -> str:
    if len(content) in (4, 16):
        return str(ipaddress.ip_address(content))
    if len(content) in (8, 32):
        half = len(content) // 2
        return f"{ipaddress.ip_address(content[:half])}/{ipaddress.ip_address(content[half:])}"
    return f"#{content.hex()}"


def matched_names(subject: Name, sans: Iterable[AltName]) -> tuple[str, ...]:
    """The names that CUCM compares with a security profile: the CN, then DNS and IP alternative names.

    Which one of several CNs CUCM takes is not known, so none of them counts.
    """
    commons = subject.common_names if len(subject.common_names) == 1 else ()
    alternatives = [name.value for name in sans if name.kind in ("DNS", "IP")]
    return tuple(dict.fromkeys(printable(text) for text in (*commons, *alternatives) if text))


def profile_names(subject: Name, sans: Sequence[AltName]) -> tuple[str, ...]:
    """The names of a node for the security profile of its peers.

    These are the matched names without the parent domain, which CUCM puts into every CSR: it is not a name of the
    node, and clusters of one domain share it.
    """
    names = matched_names(subject, sans)
    domains = {name.split(".", 1)[1].lower() for name in names if "." in name and not is_address(name)}
    commons = [printable(common_name) for common_name in subject.common_names]
    return tuple(name for name in names if name in commons or name.lower() not in domains)


def name_problems(subject: Name, sans: Sequence[AltName]) -> Iterable[str]:
    """Why CUCM, or whoever reads the names, could take them for others than they are; each the end of a sentence."""
    commons = subject.common_names
    if not commons:
        yield "its subject has no common name, which is what a peer's security profile is compared with"
    elif len(commons) > 1:
        listed = ", ".join(map(printable, commons))
        yield f"its subject has {len(commons)} common names ({listed}), and CUCM expects one"
    if not all((*commons, *(name.value for name in sans))):
        yield "it holds an empty name"
    for value in (*(attribute.value for rdn in subject.rdns for attribute in rdn), *(name.value for name in sans)):
        if printable(value) != value:
            yield f"the name {printable(value)} holds characters that cannot be seen"
    for value in (*commons, *(name.value for name in sans if name.kind == "DNS")):
        found = sorted({sign for sign in value if sign in SEPARATORS})
        if found:
            yield (
                f"the name {printable(value)} holds {' '.join(map(repr, found))}, which separates names in the X.509 "
                "Subject Name of a security profile"
            )
        if "*" in value:
            yield f"it holds the wildcard {printable(value)}, and CUCM does not support wildcard certificates"


def printable(text: str) -> str:
    """A text from outside without what changes a terminal or hides in it: such characters as \\XX of their UTF-8."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_hidden(sign) if _is_hidden(sign) else sign for sign in text)


def _is_hidden(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _hidden(sign: str) -> str:
    return "".join(f"\\{byte:02X}" for byte in sign.encode("utf-8", "surrogatepass"))


def _escaped(text: str) -> str:
    """A value in the form of RFC 4514."""
    shown = "".join(_hidden(sign) if _is_hidden(sign) else "\\" + sign if sign in _SPECIAL else sign for sign in text)
    shown = "\\" + shown if text.startswith((" ", "#")) else shown
    return shown[:-1] + "\\ " if text.endswith(" ") and len(text) > 1 else shown


def _lower(text: str) -> str:
    """ASCII letters in lower case, and no others: that is what OpenSSL compares by."""
    return "".join(sign.lower() if "A" <= sign <= "Z" else sign for sign in text)


def san_key(text: str) -> str:
    """An alternative name that a person wrote, in the form that CUCM compares by."""
    return AltName.parse(text).key


def serial_of(text: str) -> str:
    """A serial number, however it is written, as bare lower-case hexadecimal digits without leading zeros."""
    return re.sub(r"[^0-9a-f]", "", text.lower()).lstrip("0")
