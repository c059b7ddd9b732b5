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
    "1.3.101.113": "Ed448", "2.5.8.1.1": RSA,
}  # fmt: skip
# The bits of the order, as openssl prints them: of SECG, of X9.62 (prime and binary), Brainpool and SM2.
_ARCS = {
    "1.3.132.0": {
        1: 163, 2: 162, 3: 238, 4: 113, 5: 113, 6: 112, 7: 110, 8: 161, 9: 161, 10: 256, 15: 163, 16: 281, 17: 282,
        22: 131, 23: 131, 24: 193, 25: 193, 26: 232, 27: 233, 28: 128, 29: 126, 30: 161, 31: 192, 32: 225, 33: 224,
        34: 384, 35: 521, 36: 407, 37: 409, 38: 570, 39: 570,
    },
    "1.2.840.10045.3.1": {1: 192, 2: 192, 3: 192, 4: 239, 5: 239, 6: 239, 7: 256},
    "1.2.840.10045.3.0": {
        1: 163, 2: 162, 3: 162, 4: 161, 5: 191, 6: 190, 7: 189, 10: 193, 11: 238, 12: 237, 13: 236, 16: 257, 17: 289,
        18: 353, 19: 353, 20: 418,
    },
    "1.3.36.3.3.2.8.1.1": {
        1: 160, 2: 160, 3: 192, 4: 192, 5: 224, 6: 224, 7: 256, 8: 256, 9: 320, 10: 320, 11: 384, 12: 384, 13: 512,
        14: 512,
    },
    "1.2.156.10197.1": {301: 256},
}  # fmt: skip
_CURVES = {f"{arc}.{number}": bits for arc, curves in _ARCS.items() for number, bits in curves.items()}
#: the curves of NIST that CUCM uses, by their names in its documents
NIST_CURVES = {"1.2.840.10045.3.1.7": "P-256", "1.3.132.0.34": "P-384", "1.3.132.0.35": "P-521"}
_FIXED_SIZES = {"X25519": 256, "Ed25519": 256, "X448": 448, "Ed448": 448}
_PSS, _MGF1 = "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8"
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
    "1.2.840.113549.1.1.15": ("sha512-224WithRSAEncryption", "sha512_224"),
    "1.2.840.113549.1.1.16": ("sha512-256WithRSAEncryption", "sha512_256"),
    "2.16.840.1.101.3.4.3.13": ("RSA-SHA3-224", "sha3_224"),
    "2.16.840.1.101.3.4.3.14": ("RSA-SHA3-256", "sha3_256"),
    "2.16.840.1.101.3.4.3.15": ("RSA-SHA3-384", "sha3_384"),
    "2.16.840.1.101.3.4.3.16": ("RSA-SHA3-512", "sha3_512"),
    "1.3.36.3.3.1.2": ("ripemd160WithRSA", "ripemd160"),
    "1.2.840.10045.4.1": ("ecdsa-with-SHA1", "sha1"),
    "1.2.840.10045.4.3.1": ("ecdsa-with-SHA224", "sha224"),
    "1.2.840.10045.4.3.2": ("ecdsa-with-SHA256", "sha256"),
    "1.2.840.10045.4.3.3": ("ecdsa-with-SHA384", "sha384"),
    "1.2.840.10045.4.3.4": ("ecdsa-with-SHA512", "sha512"),
    "2.16.840.1.101.3.4.3.9": ("ecdsa_with_SHA3-224", "sha3_224"),
    "2.16.840.1.101.3.4.3.10": ("ecdsa_with_SHA3-256", "sha3_256"),
    "2.16.840.1.101.3.4.3.11": ("ecdsa_with_SHA3-384", "sha3_384"),
    "2.16.840.1.101.3.4.3.12": ("ecdsa_with_SHA3-512", "sha3_512"),
    "1.2.156.10197.1.501": ("SM2-with-SM3", "sm3"),
    "1.2.840.10040.4.3": ("dsa-with-sha1", "sha1"),
    "2.16.840.1.101.3.4.3.1": ("dsa-with-sha224", "sha224"),
    "2.16.840.1.101.3.4.3.2": ("dsa-with-sha256", "sha256"),
    "1.3.101.112": ("ed25519", ""),
    "1.3.101.113": ("ed448", ""),
}
_HASHES = {
    "1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.4": "sha224", "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512", "2.16.840.1.101.3.4.2.5": "sha512_224",
    "2.16.840.1.101.3.4.2.6": "sha512_256", "2.16.840.1.101.3.4.2.7": "sha3_224",
    "2.16.840.1.101.3.4.2.8": "sha3_256", "2.16.840.1.101.3.4.2.9": "sha3_384", "2.16.840.1.101.3.4.2.10": "sha3_512",
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
    """A signature over signed bytes. algorithm: OpenSSL's name or the number; digest: its hash, e.g. sha256, sha3_256.

    digest is empty where the algorithm brings its own and where it is one that we don't know.
    """

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
            name, digest = "rsassaPss", _pss_digest(parameters)
        return cls(name, digest, parameters, bits(value, "the signature"))

    def signed_by(self, key: PublicKey, content: bytes) -> bool:
        """Whether this is key's signature over content; SHA-1 and MD5 count, it is a question of fact here."""
        return self.check(key, content) is True

    def check(self, key: PublicKey, content: bytes) -> bool | None:
        """The same, and None where it cannot be found out: cryptography lacks the algorithm, the hash or the curve."""
        return _verify(key.der, self, content)


@dataclass(frozen=True)
class _Pss:
    """The parameters of RSASSA-PSS, with the defaults of RFC 4055; a hash is empty where it is one we don't know."""

    digest: str = "sha1"
    mask_digest: str = "sha1"
    salt: int = 20


def _pss(parameters: bytes) -> _Pss:
    parts = first(parameters).children() if parameters else []
    digest, mask, salt = (_only(part) for part in split(parts, 0xA0, 0xA1, 0xA2))
    return _Pss(
        _hash_name(digest) if digest else "sha1",
        _mask_digest(mask) if mask else "sha1",
        integer(salt, "the length of the salt") if salt else 20,
    )


def _pss_digest(parameters: bytes) -> str:
    """The hash of RSASSA-PSS; empty where the parameters are damaged, so that the certificate is still shown."""
    try:
        return _pss(parameters).digest
    except DerError:
        return ""


def _only(part: Element | None) -> Element | None:
    return first(part.content) if part else None


def _hash_name(algorithm: Element) -> str:
    return _HASHES.get(oid(first(algorithm.content), "the hash"), "")


def _mask_digest(algorithm: Element) -> str:
    """The hash of MGF1, which need not be that of the signature; empty for any other mask."""
    parts = algorithm.children()
    return _hash_name(parts[1]) if len(parts) > 1 and oid(parts[0], "the mask") == _MGF1 else ""


@lru_cache(maxsize=4096)
def _verify(key_der: bytes, signature: Signature, content: bytes) -> bool | None:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key: Any = load_der_public_key(key_der)
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature.value, content, _padding(signature), _hash(signature.digest))
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature.value, content, ec.ECDSA(_hash(signature.digest)))
        elif isinstance(key, dsa.DSAPublicKey):
            key.verify(signature.value, content, _hash(signature.digest))
        else:
            key.verify(signature.value, content)
    except UnsupportedAlgorithm:
        return None
    except (InvalidSignature, ValueError, TypeError, AttributeError, OverflowError):
        return False
    return True


def _hash(name: str) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes

    found = getattr(hashes, name.upper(), None) if name else None
    if found is None:
        raise UnsupportedAlgorithm(f"The hash {name} is not known.")
    return found()


def _padding(signature: Signature) -> Any:
    from cryptography.hazmat.primitives.asymmetric import padding

    if signature.algorithm != "rsassaPss":
        return padding.PKCS1v15()
    pss = _pss(signature.parameters)
    return padding.PSS(padding.MGF1(_hash(pss.mask_digest)), pss.salt)


def colons(digits: str) -> str:
    """A fingerprint as CUCM, OpenSSL and browsers print it."""
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper()


def public_key(private: Any) -> PublicKey:
    """The public half of a private key of cryptography."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return PublicKey.read(first(private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)))
