# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA's key and certificate in memory: making them, loading them, signing with them; private to siptls.cucm."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Request, time_text
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import climb_to_root
from ansible_collections.siptls.cucm.plugins.module_utils._x509.extensions import EKU_OIDS, KEY_USAGES
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import public_key
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificates
from ansible_collections.siptls.cucm.plugins.module_utils._x509.rules import Policy

if TYPE_CHECKING:
    from cryptography import x509

DIGESTS = ("sha256", "sha384", "sha512")
CURVES = {256: "SECP256R1", 384: "SECP384R1", 521: "SECP521R1"}
_COMMA = re.compile(r"(?<!\\),\s*")


@dataclass(frozen=True)
class CaWish:
    """What a new CA is to be like. subject: in the order of its DER (C=IN, O=cisco, CN=...), None for one of ours."""

    subject: str | None = None
    key_type: str = "RSA"
    key_size: int = 3072
    days: int = 3650
    digest: str = "sha256"
    skew: timedelta = timedelta(hours=1)


@dataclass(frozen=True)
class SigningCa:
    """A CA ready to sign. chain: its own certificate first, the root last, as PEM."""

    certificate: Certificate
    key: Any
    chain: tuple[str, ...]

    @classmethod
    def load(cls, certificates: str | bytes, key: Any, above: str | bytes | None, where: str) -> SigningCa:
        """From PEM, the CA's own certificate anywhere among those of its chain; raises Failure when they don't fit."""
        found = read_certificates(certificates, where)
        own = [one for one in found if one.key == public_key(key)]
        if not own:
            raise Failure(
                f"The CA's key and certificate in {where} do not belong together: the key signs for none of "
                f"{', '.join(one.subject.text for one in found)}. Put the matching pair there."
            )
        pool = [*found, *(read_certificates(above, where) if above else ())]
        certificate = max(own, key=lambda one: one.not_after)
        if not certificate.is_ca or not certificate.may_sign:
            raise Failure(
                f"The certificate {certificate.subject.text} in {where} is not a CA certificate: its basic constraints "
                "or key usages do not let it sign. Use a CA certificate."
            )
        return cls(certificate, key, tuple(one.pem for one in climb_to_root(certificate, pool).certificates))

    @property
    def name(self) -> str:
        """The CA's subject."""
        return self.certificate.subject.text

    def judge_dates(self, now: datetime, there: datetime, renew_before: int) -> None:
        """Refuse a CA that is not valid, or that ends so soon that each of its certificates would be due at once.

        now is this machine's time, there the time of the node that the certificate is for.
        """
        begin, end = self.certificate.not_before, self.certificate.not_after
        if now < begin:
            raise Failure(
                f"The CA {self.name} is not valid before {time_text(begin)}; compare the clock of this machine."
            )
        if there < begin:
            raise Failure(
                f"The CA {self.name} is not valid before {time_text(begin)}, and the node's clock shows "
                f"{time_text(there)}: set the clock of the node (NTP)."
            )
        if end <= max(now, there) + timedelta(days=renew_before):
            raise Failure(
                f"The CA {self.name} ends on {time_text(end)}, and renew_before is {renew_before} days: what it signs "
                "would be due for renewal at once. Make a new CA in another folder."
            )

    def sign(self, request: Request, policy: Policy, now: datetime, there: datetime | None = None) -> str:
        """A certificate for a request that has been judged, as PEM; it never outlives its CA.

        there is the node's time where it differs from now: the certificate is to be good by both clocks, and to last
        as long as the policy says by the one that is ahead.
        """
        from cryptography import x509
        from cryptography.x509.oid import ExtensionOID

        # What is signed is the request's own DER as cryptography reads it, so that no name is written anew.
        own, csr = x509.load_der_x509_certificate(self.certificate.der), x509.load_der_x509_csr(request.der)
        uses = [x509.ObjectIdentifier(EKU_OIDS.get(one, one)) for one in policy.eku(request)]
        earlier, later = sorted((now, there or now))
        begin = max(earlier - policy.skew, self.certificate.not_before)
        end = min(later + timedelta(days=policy.days), self.certificate.not_after)
        builder = (
            x509.CertificateBuilder()
            .subject_name(csr.subject)
            .issuer_name(own.subject)
            .public_key(csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(policy.key_usage(request)), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(csr.public_key()), critical=False)
            .add_extension(_authority(own), critical=False)
        )
        for one in csr.extensions:
            if one.oid == ExtensionOID.SUBJECT_ALTERNATIVE_NAME:
                builder = builder.add_extension(one.value, critical=False)
        return _to_pem(builder.sign(self.key, digest(self.key, policy.digest)))


def _authority(certificate: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    from cryptography import x509

    try:
        own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        key: Any = certificate.public_key()
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _to_pem(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def new_key(wish: CaWish) -> Any:
    """A key for a new CA: RSA from 2048 bits, or EC."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if wish.key_type == "EC":
        if wish.key_size not in CURVES:
            raise Failure(f"ca_key_size {wish.key_size} is no EC key's: use {', '.join(map(str, CURVES))}.")
        return ec.generate_private_key(getattr(ec, CURVES[wish.key_size])())
    if not 2048 <= wish.key_size <= 4096:
        raise Failure(f"ca_key_size {wish.key_size} is out of range: an RSA CA has 2048 to 4096 bits, as CUCM takes.")
    return rsa.generate_private_key(public_exponent=65537, key_size=wish.key_size)


def new_certificate(key: Any, wish: CaWish, now: datetime) -> str:
    """The self-signed certificate of a new CA, as PEM."""
    from cryptography import x509

    # CallManager-trust holds one certificate a common name: two CAs of the same name would push each other out.
    name = _parsed(wish.subject or f"CN=SIP TLS CA {secrets.token_hex(4)}")
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - wish.skew)
        .not_valid_after(now + timedelta(days=wish.days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(["keyCertSign", "cRLSign"]), critical=True)
        .add_extension(own, critical=False)
    )
    return _to_pem(builder.sign(key, digest(key, wish.digest)))


def _parsed(subject: str) -> x509.Name:
    from cryptography import x509

    try:
        # RFC 4514 writes the last part first; people and CUCM write the country first.
        name = x509.Name.from_rfc4514_string(",".join(reversed(_COMMA.split(subject.strip()))))
        if not any(one.rfc4514_attribute_name == "CN" for one in name):
            raise ValueError
    except (ValueError, KeyError):
        raise Failure(f"ca_subject {subject!r} is not a name: write it as C=IN, O=cisco, CN=SIP TLS CA.") from None
    return name


def load_key(pem: str | bytes, passphrase: str | None, where: str) -> Any:
    """A CA's private key; raises Failure that names the passphrase when that is what is wrong, never the key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = pem.encode() if isinstance(pem, str) else pem
    encrypted = b"ENCRYPTED" in data
    try:
        return load_pem_private_key(data, passphrase.encode() if passphrase and encrypted else None)
    except TypeError:
        said = "is encrypted, and no passphrase was given"
    except (ValueError, UnsupportedAlgorithm):
        said = "cannot be decrypted with the passphrase given" if encrypted else "is no private key in PEM"
    raise Failure(f"The CA's key in {where} {said}.")


def key_pem(key: Any, passphrase: str | None) -> bytes:
    """A key for its file."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        KeySerializationEncryption,
        NoEncryption,
        PrivateFormat,
    )

    how: KeySerializationEncryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    data: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)
    return data


def digest(key: Any, name: str) -> Any:
    """The hash that a CA signs with; keys of a kind that brings its own get none."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    return getattr(hashes, name.upper())() if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) else None


def key_usage(names: list[str]) -> Any:
    """The KeyUsage extension with these usages (RFC 5280's names)."""
    from cryptography import x509

    return x509.KeyUsage(**{attribute: name in names for name, attribute in KEY_USAGES.items()})


def real_now() -> datetime:
    """This machine's time, to the second, as certificates count it."""
    return datetime.now(UTC).replace(microsecond=0)
