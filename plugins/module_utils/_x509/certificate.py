# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate and the request, as every part of the collection knows them; private to siptls.cucm.

Both are read from DER, once; a result of a module, a report or a sentence is a view of them.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509 import names
from ansible_collections.siptls.cucm.plugins.module_utils._x509.der import (
    SEQUENCE,
    SET,
    DerError,
    Element,
    first,
    integer,
    moment,
    octets,
    oid,
    split,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.extensions import (
    BOTH_USES,
    Extensions,
    read_extensions,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import PublicKey, Signature, colons

#: extensionRequest of PKCS#9, and Microsoft's
_EXTENSION_REQUESTS = ("1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14")
_SUBJECT_KEY, _AUTHORITY_KEY = b"\x55\x1d\x0e", b"\x55\x1d\x23"
_UNREADABLE = (ValueError, IndexError, OverflowError)


class Unreadable(Failure):
    """DER that is no certificate or request; why: the reason alone, for a sentence that names the source."""

    def __init__(self, what: str, why: object) -> None:
        super().__init__(f"{what} cannot be read: {why}.")
        self.why = str(why)


@dataclass(frozen=True, eq=False)
class _Signed:
    """What certificates and requests have in common; two with the same bytes are equal."""

    der: bytes = field(repr=False)
    signed: bytes = field(repr=False)
    subject: names.Name
    key: PublicKey = field(repr=False)
    signature: Signature = field(repr=False)
    extensions: Extensions = field(repr=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Signed) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    @property
    def common_name(self) -> str:
        """The CN, the last one where there are several; empty where there is none."""
        commons = self.subject.common_names
        return names.printable(commons[-1]) if commons else ""

    @property
    def title(self) -> str:
        """What people call it: its CN, else its subject."""
        return self.common_name or self.subject.text or "(no subject)"

    @property
    def sans(self) -> tuple[str, ...]:
        """The subject alternative names as OpenSSL writes them, e.g. DNS:cucm1.example.com."""
        return tuple(name.text for name in self.extensions.sans)

    @cached_property
    def san_keys(self) -> frozenset[str]:
        """The subject alternative names in the form in which CUCM compares them."""
        return frozenset(name.key for name in self.extensions.sans)

    @property
    def matched_names(self) -> tuple[str, ...]:
        """The names that CUCM compares with the X.509 Subject Name of a security profile."""
        return names.matched_names(self.subject, self.extensions.sans)

    @property
    def profile_names(self) -> tuple[str, ...]:
        """The names for the security profile of a peer."""
        return names.profile_names(self.subject, self.extensions.sans)

    @property
    def both_uses(self) -> bool:
        """May serve as TLS server and as TLS client, which a SIP trunk is at once; no extension allows any use."""
        return all(map(self.extensions.allows, BOTH_USES))

    @property
    def pem(self) -> str:
        """As PEM with a newline at its end."""
        body = base64.b64encode(self.der).decode("ascii")
        lines = [body[at : at + 64] for at in range(0, len(body), 64)]
        return "\n".join([f"-----BEGIN {self._label}-----", *lines, f"-----END {self._label}-----", ""])

    _label = ""

    def _content(self) -> dict[str, Any]:
        """The part of a view that certificates and requests share."""
        return {
            "sans": list(self.sans),
            "profile_names": list(self.profile_names),
            "eku": list(self.extensions.eku or ()),
            "key_usage": list(self.extensions.key_usage or ()),
            "key_type": self.key.kind,
            "key_size": self.key.bits,
            "signature_algorithm": self.signature.algorithm,
            "is_ca": bool(self.extensions.ca),
        }


@dataclass(frozen=True, eq=False)
class Certificate(_Signed):
    """An X.509 certificate, read from DER."""

    issuer: names.Name
    serial: int
    not_before: datetime
    not_after: datetime
    version: int = 3

    _label = "CERTIFICATE"

    @classmethod
    def from_der(cls, der: bytes) -> Certificate:
        """Read one; Failure with the reason where that is impossible."""
        try:
            return _certificate(der)
        except _UNREADABLE as error:
            raise Unreadable("The certificate", error) from None

    @classmethod
    def from_view(cls, view: Mapping[str, Any] | None) -> Certificate | None:
        """The certificate of a module's result (its key pem); None when it shows none that can be read."""
        from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificate

        try:
            return read_certificate(view["pem"]) if view and view.get("pem") else None
        except Failure:
            return None

    @cached_property
    def sha256(self) -> str:
        """The fingerprint in upper hexadecimal with colons."""
        return colons(hashlib.sha256(self.der).hexdigest())

    @property
    def serial_text(self) -> str:
        """The serial number in upper hexadecimal, whole bytes, as `openssl x509 -serial` prints it."""
        digits = f"{abs(self.serial):X}"
        return ("-" if self.serial < 0 else "") + ("0" + digits if len(digits) % 2 else digits)

    @property
    def self_issued(self) -> bool:
        """Subject and issuer are the same name."""
        return self.subject.key == self.issuer.key

    @cached_property
    def self_signed(self) -> bool:
        """Signed by its own key.

        Where that cannot be checked (cryptography lacks the hash or the curve), what counts is what OpenSSL goes by
        before it checks any signature: subject and issuer are the same, and so are the key identifiers if there are
        both. Such a certificate is nobody's but its own, so that no CA is searched for and none is said to be missing.
        It makes nothing trusted: a root counts only when it is itself in a trust store, and `signed_by` another
        certificate is true only when that was checked.
        """
        if not self.self_issued:
            return False
        checked = self.signature.check(self.key, self.signed)
        return _names_its_own_key(self.signed) if checked is None else checked

    @property
    def is_ca(self) -> bool:
        """Whether the basic constraints say that it is a CA's."""
        return bool(self.extensions.ca)

    @property
    def may_sign(self) -> bool:
        """Whether OpenSSL lets it stand above another certificate: a CA by its constraints and key usages.

        A certificate without basic constraints counts when it is a self-signed one of version 1, or when its key
        usages name keyCertSign.
        """
        usages = self.extensions.key_usage
        if usages is not None and "keyCertSign" not in usages:
            return False
        if self.extensions.ca is not None:
            return self.extensions.ca
        return usages is not None or (self.version == 1 and self.self_issued)

    def signed_by(self, issuer: Certificate) -> bool:
        """Whether the issuer's name and key are behind this certificate. Dates and rights are not checked."""
        return self.issuer.key == issuer.subject.key and self.signature.signed_by(issuer.key, self.signed)

    def days_left(self, now: datetime) -> float:
        """Days from a moment to the end, negative once it is over."""
        return (self.not_after - now).total_seconds() / 86_400

    def view(self, now: datetime | None = None) -> dict[str, Any]:
        """What modules return of a certificate; days_left is counted down to whole days."""
        return {
            "subject": self.subject.text,
            "common_name": self.common_name or None,
            "issuer": self.issuer.text,
            "serial": self.serial_text,
            "not_before": time_text(self.not_before),
            "not_after": time_text(self.not_after),
            "days_left": math.floor(self.days_left(now or datetime.now(UTC))),
            "sha256": self.sha256,
            "public_key_sha256": self.key.sha256,
            **self._content(),
            "self_signed": self.self_signed,
            "pem": self.pem,
        }


@dataclass(frozen=True, eq=False)
class Request(_Signed):
    """A PKCS#10 certificate request (CSR), read from DER."""

    _label = "CERTIFICATE REQUEST"

    @classmethod
    def from_der(cls, der: bytes) -> Request:
        """Read one; Failure with the reason where that is impossible."""
        try:
            return _request(der)
        except _UNREADABLE as error:
            raise Unreadable("The certificate request", error) from None

    @cached_property
    def signature_valid(self) -> bool:
        """Whether it is signed by the key that it holds."""
        return self.signature.signed_by(self.key, self.signed)

    def view(self) -> dict[str, Any]:
        """What modules return of a request."""
        return {
            "subject": self.subject.text,
            "common_name": self.common_name or None,
            "public_key_sha256": self.key.sha256,
            **self._content(),
            "signature_valid": self.signature_valid,
            "pem": self.pem,
        }


def time_text(when: datetime) -> str:
    """A moment in ISO 8601, UTC, to the second."""
    # strftime does not fill years before 1000 up to four digits.
    return when.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _parts(der: bytes, what: str) -> tuple[Element, list[Element], Signature]:
    """What is signed, its elements, and the signature."""
    outer = first(der).expect(SEQUENCE, f"a {what}")
    parts = outer.children()
    if len(parts) != 3:
        raise DerError(f"it is not a {what}")
    signed, algorithm, value = parts
    return signed, signed.expect(SEQUENCE, f"the content of a {what}").children(), Signature.read(algorithm, value)


@lru_cache(maxsize=2048)
def _certificate(der: bytes) -> Certificate:
    signed, content, signature = _parts(der, "certificate")
    version = 1
    if content and content[0].tag == 0xA0:
        version, content = integer(content[0].children()[0], "the version") + 1, content[1:]
    if len(content) < 6:
        raise DerError("it is not a certificate")
    serial, _algorithm, issuer, validity, subject, key, *more = content
    begin, end = validity.expect(SEQUENCE, "the validity").children()
    extensions = split(more, 0xA3)[0]
    return Certificate(
        der=first(der).whole,
        signed=signed.whole,
        subject=names.Name.read(subject, "the subject"),
        key=PublicKey.read(key),
        signature=signature,
        extensions=read_extensions(first(extensions.content)) if extensions is not None else Extensions(),
        issuer=names.Name.read(issuer, "the issuer"),
        serial=integer(serial, "the serial number"),
        not_before=moment(begin, "the start of its validity"),
        not_after=moment(end, "the end of its validity"),
        version=version,
    )


def _names_its_own_key(signed: bytes) -> bool:
    """Whether the key identifiers (of its own key and of its issuer's) are the same, or one of them is missing."""
    try:
        own, issuer = _key_identifiers(first(signed).children())
    except _UNREADABLE:
        return True
    return own is None or issuer is None or own.content == issuer.content


def _key_identifiers(content: list[Element]) -> tuple[Element | None, Element | None]:
    extensions = split(content, 0xA3)[0]
    listed = [] if extensions is None else first(extensions.content).children()
    values = {parts[0].content: first(octets(parts[-1], "an extension")) for parts in map(Element.children, listed)}
    authority = values.get(_AUTHORITY_KEY)
    return values.get(_SUBJECT_KEY), None if authority is None else split(authority.children(), 0x80)[0]


@lru_cache(maxsize=256)
def _request(der: bytes) -> Request:
    signed, content, signature = _parts(der, "certificate request")
    if len(content) < 3:
        raise DerError("it is not a certificate request")
    _version, subject, key, *more = content
    attributes = split(more, 0xA0)[0]
    return Request(
        der=first(der).whole,
        signed=signed.whole,
        subject=names.Name.read(subject, "the subject"),
        key=PublicKey.read(key),
        signature=signature,
        extensions=_requested(attributes.children() if attributes is not None else []),
    )


def _requested(attributes: list[Element]) -> Extensions:
    """The extensions that a request asks for. Those of a second list would be read by some CAs and not by others."""
    found: list[Element] = []
    for attribute in attributes:
        parts = attribute.expect(SEQUENCE, "an attribute").children()
        if len(parts) == 2 and oid(parts[0], "the type of an attribute") in _EXTENSION_REQUESTS:
            found += parts[1].expect(SET, "the values of an attribute").children()
    if not found:
        return Extensions()
    read = read_extensions(found[0])
    if len(found) > 1:
        return Extensions(**{**vars(read), "unread": (*read.unread, f"it holds {len(found)} lists of extensions")})
    return read
