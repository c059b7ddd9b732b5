# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys and signatures, verified on the raw bytes; private to siptls.cucm.

cryptography's X.509 layer calls every SHA-1 signature false or unknown, though 9.1 makes no other (certificates.md, 7).
The keys' own verify() still knows SHA-1, so all verification goes through it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._x509.der import (
    INTEGER,
    OID,
    SEQUENCE,
    DerError,
    Element,
    bits,
    first,
    integer,
    oid,
    split,
)

RSA, EC, DSA = "RSA", "EC", "DSA"
_KINDS = {
    "1.2.840.113549.1.1.1": RSA, "1.2.840.113549.1.1.7": RSA, "1.2.840.113549.1.1.10": RSA, "1.2.840.10045.2.1": EC,
    "1.2.840.10040.4.1": DSA, "1.3.101.110": "X25519", "1.3.101.111": "X448", "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}  # fmt: skip
_CURVES = {
    "1.2.840.10045.3.1.1": 192, "1.2.840.10045.3.1.7": 256, "1.3.132.0.10": 256, "1.3.132.0.33": 224,
    "1.3.132.0.34": 384, "1.3.132.0.35": 521, "1.3.36.3.3.2.8.1.1.7": 256, "1.3.36.3.3.2.8.1.1.11": 384,
    "1.3.36.3.3.2.8.1.1.13": 512,
}  # fmt: skip
#: the curves of NIST that CUCM uses, by their names in its documents
NIST_CURVES = {"1.2.840.10045.3.1.7": "P-256", "1.3.132.0.34": "P-384", "1.3.132.0.35": "P-521"}
_FIXED_SIZES = {"X25519": 256, "Ed25519": 256, "X448": 448, "Ed448": 448}
_PSS = "1.2.840.113549.1.1.10"
#: algorithm -> (OpenSSL's name, the hash; empty where the algorithm brings its own)
SIGNATURES = {
    "1.2.840.113549.1.1.2": ("md2WithRSAEncryption", "md2"),
    "1.2.840.113549.1.1.4": ("md5WithRSAEncryption", "md5"),
    "1.2.840.113549.1.1.5": ("sha1WithRSAEncryption", "sha1"),
    "1.3.14.3.2.29": ("sha1WithRSA", "sha1"),
    "1.2.840.113549.1.1.14": ("sha224WithRSAEncryption", "sha224"),
    "1.2.840.113549.1.1.11": ("sha256WithRSAEncryption", "sha256"),
    "1.2.840.113549.1.1.12": ("sha384WithRSAEncryption", "sha384"),
    "1.2.840.113549.1.1.13": ("sha512WithRSAEncryption", "sha512"),
    "1.2.840.10045.4.1": ("ecdsa-with-SHA1", "sha1"),
    "1.2.840.10045.4.3.1": ("ecdsa-with-SHA224", "sha224"),
    "1.2.840.10045.4.3.2": ("ecdsa-with-SHA256", "sha256"),
    "1.2.840.10045.4.3.3": ("ecdsa-with-SHA384", "sha384"),
    "1.2.840.10045.4.3.4": ("ecdsa-with-SHA512", "sha512"),
    "1.2.840.10040.4.3": ("dsa-with-sha1", "sha1"),
    "2.16.840.1.101.3.4.3.1": ("dsa-with-sha224", "sha224"),
    "2.16.840.1.101.3.4.3.2": ("dsa-with-sha256", "sha256"),
    "1.3.101.112": ("ed25519", ""),
    "1.3.101.113": ("ed448", ""),
}
_HASHES = {
    "1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.4": "sha224", "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512",
}  # fmt: skip


@dataclass(frozen=True)
class PublicKey:
    """A public key. kind: RSA, EC, DSA, Ed25519 …, or the number of its algorithm; bits: 0 if not known.

    curve: the object identifier of an EC key's curve; empty of other keys and of curves that are written out.
    """

    der: bytes = field(repr=False)
    kind: str = field(compare=False)
    bits: int = field(compare=False)
    curve: str = field(default="", compare=False)

    @classmethod
    def read(cls, element: Element) -> PublicKey:
        """From a SubjectPublicKeyInfo."""
        parts = element.expect(SEQUENCE, "the public key").children()
        if len(parts) != 2:
            raise DerError("the public key is not an algorithm and a key")
        algorithm = parts[0].expect(SEQUENCE, "the algorithm of the public key").children()
        number = oid(algorithm[0], "the algorithm of the public key")
        kind = _KINDS.get(number, number)
        try:
            size = _size(kind, algorithm[1:], bits(parts[1], "the public key"))
        except (DerError, IndexError):
            size = 0
        named = kind == EC and len(algorithm) > 1 and algorithm[1].tag == OID
        return cls(element.whole, kind, size, oid(algorithm[1], "the curve") if named else "")

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the SubjectPublicKeyInfo in upper hexadecimal with colons: equal exactly when the keys are."""
        return colons(hashlib.sha256(self.der).hexdigest())


def _size(kind: str, parameters: list[Element], content: bytes) -> int:
    if kind == RSA:
        return _length(first(content).children()[0], "the modulus")
    if kind == EC and parameters:
        # A curve that is written out has its order as the fifth of its parameters.
        named = parameters[0].tag == OID
        return (
            _CURVES.get(oid(parameters[0], "the curve"), 0)
            if named
            else _length(parameters[0].children()[4], "the order of the curve")
        )
    if kind == DSA and parameters:
        return _length(parameters[0].children()[0], "the prime")
    return _FIXED_SIZES.get(kind, 0)


def _length(element: Element, what: str) -> int:
    """The bits of a positive number, of which some programs forgot the zero byte that makes it positive."""
    return int.from_bytes(element.expect(INTEGER, what).content, "big").bit_length()


@dataclass(frozen=True)
class Signature:
    """A signature over signed bytes. algorithm: OpenSSL's name or the number; digest: its hash, e.g. sha256."""

    algorithm: str
    digest: str
    parameters: bytes = field(repr=False)
    value: bytes = field(repr=False)

    @classmethod
    def read(cls, algorithm: Element, value: Element) -> Signature:
        """From an AlgorithmIdentifier and a BIT STRING."""
        parts = algorithm.expect(SEQUENCE, "the signature algorithm").children()
        if not parts:
            raise DerError("the signature algorithm is empty")
        number = oid(parts[0], "the signature algorithm")
        parameters = parts[1].whole if len(parts) > 1 else b""
        name, digest = SIGNATURES.get(number, (number, ""))
        if number == _PSS:
            name, digest = "rsassaPss", _pss(parameters)[0]
        return cls(name, digest, parameters, bits(value, "the signature"))

    def signed_by(self, key: PublicKey, content: bytes) -> bool:
        """Whether this is key's signature over content; SHA-1 and MD5 count, it is a question of fact here."""
        return _verify(key.der, self, content)


def _pss(parameters: bytes) -> tuple[str, int]:
    """The hash and the length of the salt of RSASSA-PSS; the hash is empty where it is one that we don't know."""
    try:
        parts = first(parameters).children() if parameters else []
        digest, salt = split(parts, 0xA0, 0xA2)
        name = "sha1" if digest is None else _HASHES.get(oid(digest.children()[0].children()[0], "the hash"), "")
        return name, 20 if salt is None else integer(salt.children()[0], "the length of the salt")
    except (DerError, IndexError):
        return "", 0


@lru_cache(maxsize=4096)
def _verify(key_der: bytes, signature: Signature, content: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key: Any = load_der_public_key(key_der)
        digest = getattr(hashes, signature.digest.upper())() if signature.digest else None
        if isinstance(key, rsa.RSAPublicKey):
            pad: Any = padding.PKCS1v15()
            if signature.algorithm == "rsassaPss":
                pad = padding.PSS(padding.MGF1(digest), _pss(signature.parameters)[1])  # type: ignore[arg-type]
            key.verify(signature.value, content, pad, digest)  # type: ignore[arg-type]
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature.value, content, ec.ECDSA(digest))  # type: ignore[arg-type]
        elif isinstance(key, dsa.DSAPublicKey):
            key.verify(signature.value, content, digest)  # type: ignore[arg-type]
        else:
            key.verify(signature.value, content)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, AttributeError, OverflowError):
        return False
    return True


def colons(digits: str) -> str:
    """A fingerprint as CUCM, OpenSSL and browsers print it."""
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper()


def public_key(private: Any) -> PublicKey:
    """The public half of a private key of cryptography."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return PublicKey.read(first(private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)))
