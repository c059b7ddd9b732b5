# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys, certificates and requests as CUCM makes them, including SHA-1 and RSA 1024."""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import os
import tempfile
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

#: hashes that the builders sign with; "sha1" is signed by hand below
HASHES: dict[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    "sha1": hashes.SHA256(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
CURVES: dict[int, type[ec.EllipticCurve]] = {256: ec.SECP256R1, 384: ec.SECP384R1, 521: ec.SECP521R1}
EKUS: dict[str, ObjectIdentifier] = {
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "ipsecEndSystem": ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
}
KEY_USAGES = {
    "digitalSignature": "digital_signature",
    "nonRepudiation": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
}
#: the order in which a subject is encoded
SUBJECT = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}
# AlgorithmIdentifiers of sha256WithRSAEncryption and sha1WithRSAEncryption; they have the same length.
_SHA256_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
_SHA1_RSA = bytes.fromhex("300d06092a864886f70d0101050500")


def new_key(elliptic: bool = False, bits: int = 2048) -> PrivateKey:
    """A fresh private key."""
    if elliptic:
        return ec.generate_private_key(CURVES.get(bits, ec.SECP384R1)())
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


#: a folder in which the labs of a machine share the keys of their pools; nothing that keeps a secret may use it
SHARED_KEYS = "CUCM_LAB_KEYS"


class KeyPool:
    """Keys for what a node ships with. In a large lab, making hundreds of RSA keys would dominate its start.

    The first `size` keys of a kind are made on demand and then reused in turn. Requests and regenerated certificates
    never use the pool: they get keys of their own. With the environment variable CUCM_LAB_KEYS, the labs of a machine
    share these keys in that folder, so that a test suite makes them once.
    """

    def __init__(self, size: int = 8) -> None:
        self._size = size
        self._keys: dict[tuple[bool, int], list[PrivateKey]] = {}
        self._next: dict[tuple[bool, int], int] = {}
        self._lock = threading.Lock()

    def take(self, elliptic: bool, bits: int) -> PrivateKey:
        """A key of this kind."""
        kind = (elliptic, bits)
        with self._lock:
            keys = self._keys.setdefault(kind, [])
            turn = self._next.get(kind, 0)
            self._next[kind] = turn + 1
            if len(keys) < self._size:
                keys.append(shared_key(elliptic, bits, len(keys)))
                return keys[-1]
            return keys[turn % self._size]


def shared_key(elliptic: bool, bits: int, number: int) -> PrivateKey:
    """The key of this number that the labs share; a fresh one when they share none."""
    folder = os.environ.get(SHARED_KEYS)
    if not folder:
        return new_key(elliptic, bits)
    path = Path(folder) / f"{'ec' if elliptic else 'rsa'}-{bits}-{number}.pem"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".new") as fresh:
            fresh.write(key_pem(new_key(elliptic, bits)))
            fresh.flush()
            # Of two labs that make it at once, the first one wins.
            with contextlib.suppress(FileExistsError):
                os.link(fresh.name, path)
    return load_key(path.read_text())


POOL = KeyPool()


def key_pem(key: PrivateKey) -> str:
    """The unencrypted PKCS#8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def load_key(pem: str) -> PrivateKey:
    """The key of a PEM that `key_pem` wrote; the lab's own, so that its primes need no check."""
    key = serialization.load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, PrivateKey)
    return key


def pem_of(item: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """Its PEM."""
    return item.public_bytes(serialization.Encoding.PEM).decode()


def spki_digest(item: x509.Certificate | x509.CertificateSigningRequest | PrivateKey) -> str:
    """SHA-256 of the public key, in hex; identifies a key pair."""
    public = item.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public)
    return digest.finalize().hex()


def name_of(attributes: dict[str, str], common_name: str, include_ou: bool = True) -> x509.Name:
    """A subject in DER order C, ST, L, O, OU, CN."""
    values = {**attributes, "CN": common_name}
    return x509.Name(
        [
            x509.NameAttribute(oid, values[key])
            for key, oid in SUBJECT.items()
            if values.get(key) and (key != "OU" or include_ou)
        ]
    )


def common_name(name: x509.Name) -> str:
    """The CN, or the whole name where there is none."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def alternative_names(names: Sequence[str]) -> x509.SubjectAlternativeName:
    """DNS names and IP addresses, distinguished by their form."""
    general: list[x509.GeneralName] = []
    for name in names:
        try:
            general.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            general.append(x509.DNSName(name))
    return x509.SubjectAlternativeName(general)


def sans(item: x509.Certificate | x509.CertificateSigningRequest) -> list[str]:
    """The names of its SubjectAltName, in order; an empty list without that extension."""
    try:
        extension = item.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in extension.value]


def key_usage(names: Sequence[str]) -> x509.KeyUsage:
    """KeyUsage from OpenSSL's names of the bits."""
    bits = {attribute: name in names for name, attribute in KEY_USAGES.items()}
    return x509.KeyUsage(**bits, encipher_only=False, decipher_only=False)


def is_ca(certificate: x509.Certificate) -> bool:
    """BasicConstraints cA."""
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def self_signed(
    subject: x509.Name,
    key: PrivateKey,
    digest: str,
    now: datetime,
    *,
    names: Sequence[str] = (),
    eku: Sequence[str] = (),
    usages: Sequence[str] = (),
    days: int = 1825,
    ca: bool | None = None,
    path_length: int | None = 0,
) -> x509.Certificate:
    """A self-signed certificate, valid since a day before `now`; `ca` None: without BasicConstraints."""
    start = now.astimezone(UTC).replace(microsecond=0) - timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number() >> 32)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
    )
    if ca is not None:
        constraints = x509.BasicConstraints(ca=ca, path_length=path_length if ca else None)
        builder = builder.add_extension(constraints, True)
    if usages:
        builder = builder.add_extension(key_usage(usages), False)
    if eku:
        builder = builder.add_extension(x509.ExtendedKeyUsage([EKUS[name] for name in eku]), False)
    if names:
        builder = builder.add_extension(alternative_names(names), False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    return sign_certificate(builder, key, digest)


def sign_certificate(builder: x509.CertificateBuilder, key: PrivateKey, digest: str) -> x509.Certificate:
    """Sign it. The builders no longer sign with RSA and SHA-1: algorithm and signature are replaced afterwards."""
    if digest != "sha1" or not isinstance(key, rsa.RSAPrivateKey):
        return builder.sign(key, HASHES[digest])
    modern = builder.sign(key, hashes.SHA256())
    body = modern.tbs_certificate_bytes.replace(_SHA256_RSA, _SHA1_RSA)
    return x509.load_der_x509_certificate(_assemble(body, key))


def sign_request(
    builder: x509.CertificateSigningRequestBuilder, key: PrivateKey, digest: str
) -> x509.CertificateSigningRequest:
    """Sign a request, with SHA-1 if required."""
    if digest != "sha1" or not isinstance(key, rsa.RSAPrivateKey):
        return builder.sign(key, HASHES[digest])
    return x509.load_der_x509_csr(_assemble(builder.sign(key, hashes.SHA256()).tbs_certrequest_bytes, key))


def _assemble(body: bytes, key: rsa.RSAPrivateKey) -> bytes:
    signature = key.sign(body, padding.PKCS1v15(), hashes.SHA1())
    return _tlv(0x30, body + _SHA1_RSA + _tlv(0x03, b"\0" + signature))


def _tlv(tag: int, value: bytes) -> bytes:
    length = len(value)
    if length < 0x80:
        return bytes([tag, length]) + value
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + value


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's name and key made this certificate (SHA-1 included)."""
    if certificate.issuer != issuer.subject:
        return False
    return signature_holds(certificate.signature, certificate.tbs_certificate_bytes,
                           certificate.signature_hash_algorithm, issuer.public_key())  # fmt: skip


def signature_holds(signature: bytes, body: bytes, digest: hashes.HashAlgorithm | None, public: object) -> bool:
    """Check a signature with the raw key: the library's own checks reject SHA-1."""
    if digest is None:
        return False
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, body, padding.PKCS1v15(), digest)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, body, ec.ECDSA(digest))
        else:
            return False
    except InvalidSignature:
        return False
    return True


@functools.cache
def shipped_authorities() -> tuple[str, ...]:
    """Stand-ins for the manufacturer's authorities that every CallManager-trust ships with (PEM)."""
    start = datetime(2004, 5, 15, tzinfo=UTC)
    return tuple(
        pem_of(
            self_signed(
                x509.Name(
                    [
                        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Cisco Systems"),
                        x509.NameAttribute(NameOID.COMMON_NAME, name),
                    ]
                ),
                POOL.take(False, 2048),
                "sha256",
                start,
                usages=("keyCertSign", "cRLSign"),
                days=25 * 366,
                ca=True,
            )
        )
        for name in ("Cisco Root CA 2048", "Cisco Manufacturing CA")
    )
