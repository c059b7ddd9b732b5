# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA's key and certificate in memory: making them, loading them, signing with them; private to siptls.cucm."""

from __future__ import annotations

import hashlib
import inspect
import ipaddress
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate, Request, time_text
from ansible_collections.siptls.cucm.plugins.module_utils._x509.chain import climb_to_root
from ansible_collections.siptls.cucm.plugins.module_utils._x509.extensions import EKU_OIDS, KEY_USAGES
from ansible_collections.siptls.cucm.plugins.module_utils._x509.keys import public_key
from ansible_collections.siptls.cucm.plugins.module_utils._x509.names import printable
from ansible_collections.siptls.cucm.plugins.module_utils._x509.reading import read_certificates
from ansible_collections.siptls.cucm.plugins.module_utils._x509.rules import Policy

if TYPE_CHECKING:
    from cryptography import x509

CURVES = {256: "SECP256R1", 384: "SECP384R1", 521: "SECP521R1"}
_COMMA = re.compile(r"(?<!\\),\s*")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\Z")


#: days that a CA or a certificate may last; X.509 cannot write a year after 9999
MOST_DAYS = 36_500
_REVOCATION_URL = re.compile(r"\A(https?|ldaps?)://[!-~]+\Z")


@dataclass(frozen=True)
class CaPlan:
    """The plan for a new CA. subject: in the order of its DER (C=IN, O=cisco, CN=...), None for one of ours.

    permitted: the only domains and networks for which it may sign (name constraints); none for all.
    """

    subject: str | None = None
    key_type: str = "RSA"
    key_size: int = 3072
    days: int = 3650
    digest: str = "sha256"
    skew: timedelta = timedelta(hours=1)
    permitted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Addresses:
    """Where to look up whether a certificate was revoked; written into the certificates that a CA signs."""

    crl: tuple[str, ...] = ()
    ocsp: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for url in (*self.crl, *self.ocsp):
            if not _REVOCATION_URL.match(url):
                raise Failure(
                    f"{url!r} is not the address of a CRL or an OCSP responder. Give a URL that begins with http://, "
                    "https://, ldap:// or ldaps://."
                )


@dataclass(frozen=True)
class SigningCa:
    """A CA ready to sign. authorities: its own certificate first, the root last."""

    certificate: Certificate
    key: Any
    authorities: tuple[Certificate, ...]

    @classmethod
    def load(cls, certificates: str | bytes, key: Any, above: str | bytes | None, where: str) -> SigningCa:
        """From PEM, the CA's own certificate anywhere among those of its chain; Failure if key and certificate don't
        match.
        """
        found = read_certificates(certificates, where)
        own = [candidate for candidate in found if candidate.key == public_key(key)]
        if not own:
            raise Failure(
                f"The CA's key and certificate in {where} do not belong together: the key signs for none of "
                f"{', '.join(candidate.subject.text for candidate in found)}. Put the matching pair there."
            )
        pool = [*found, *(read_certificates(above, where) if above else ())]
        certificate = max(own, key=lambda candidate: candidate.not_after)
        if not certificate.is_ca or not certificate.may_sign:
            raise Failure(
                f"The certificate {certificate.subject.text} in {where} is not a CA certificate: its basic constraints "
                "or key usages do not let it sign. Use a CA certificate."
            )
        return cls(certificate, key, climb_to_root(certificate, pool).certificates)

    @property
    def name(self) -> str:
        """The CA's subject."""
        return self.certificate.subject.text

    def check_dates(self, now: datetime, there: datetime, renew_before: int) -> None:
        """Refuse a CA that is not valid, or that ends so soon that its certificates would be due for renewal at once.

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

    def sign(
        self,
        request: Request,
        policy: Policy,
        now: datetime,
        there: datetime | None = None,
        addresses: Addresses | None = None,
    ) -> Certificate:
        """A certificate for a request that has been checked; it never outlives its CA.

        there is the node's time where it differs from now: the certificate is to be valid by both clocks, and to last
        as long as the policy says by the one that is ahead. Raises Failure where cryptography cannot copy the request.
        """
        from cryptography.exceptions import UnsupportedAlgorithm

        earlier, later = sorted((now, there or now))
        begin = max(earlier - policy.skew, self.certificate.not_before)
        end = min(later + timedelta(days=policy.days), self.certificate.not_after)
        try:
            builder = self._builder(request, policy).not_valid_before(begin).not_valid_after(end)
            for extension in _revocation(addresses or Addresses()):
                builder = builder.add_extension(extension, critical=False)
            signed = builder.sign(self.key, digest(self.key, policy.digest))
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            said = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
            raise Failure(
                f"The request of {request.title} cannot be signed: it contains something that cannot be copied into a "
                f"certificate ({printable(said)[:200]}). Make a new CSR on the node without it."
            ) from None
        return Certificate.from_der(_der(signed))

    def _builder(self, request: Request, policy: Policy) -> x509.CertificateBuilder:
        """A certificate without dates: subject, key and names are the request's own DER as cryptography reads it."""
        from cryptography import x509
        from cryptography.x509.oid import ExtensionOID

        own, csr = x509.load_der_x509_certificate(self.certificate.der), x509.load_der_x509_csr(request.der)
        uses = [x509.ObjectIdentifier(EKU_OIDS.get(use, use)) for use in policy.eku(request)]
        builder = (
            x509.CertificateBuilder()
            .subject_name(csr.subject)
            .issuer_name(own.subject)
            .public_key(csr.public_key())
            .serial_number(x509.random_serial_number())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(policy.key_usage(request)), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(csr.public_key()), critical=False)
            .add_extension(_authority(own), critical=False)
        )
        for extension in csr.extensions:
            if extension.oid == ExtensionOID.SUBJECT_ALTERNATIVE_NAME:
                builder = builder.add_extension(extension.value, critical=False)
        return builder


def _revocation(addresses: Addresses) -> Iterator[x509.ExtensionType]:
    """CRL distribution points and the OCSP responder (RFC 5280, 4.2.1.13 and 4.2.2.1)."""
    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID

    if addresses.crl:
        points = [
            x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in addresses.crl
        ]
        yield x509.CRLDistributionPoints(points)
    if addresses.ocsp:
        yield x509.AuthorityInformationAccess(
            [
                x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url))
                for url in addresses.ocsp
            ]
        )


def _authority(certificate: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    from cryptography import x509

    try:
        own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        key: Any = certificate.public_key()
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _der(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


def new_key(plan: CaPlan) -> Any:
    """A key for a new CA: RSA from 2048 bits, or EC."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    _check_key_size(plan)
    if plan.key_type == "EC":
        return ec.generate_private_key(getattr(ec, CURVES[plan.key_size])())
    return rsa.generate_private_key(public_exponent=65537, key_size=plan.key_size)


def _check_key_size(plan: CaPlan) -> None:
    if plan.key_type == "EC":
        if plan.key_size not in CURVES:
            raise Failure(
                f"local_ca_key_size {plan.key_size} is not the size of an EC key. Use {', '.join(map(str, CURVES))}."
            )
    elif not 2048 <= plan.key_size <= 4096:
        raise Failure(
            f"local_ca_key_size {plan.key_size} is out of range. CUCM accepts RSA keys of CAs from 2048 to 4096 bits."
        )


def preview(plan: CaPlan, place: str, now: datetime) -> tuple[Any, str]:
    """(key, certificate as PEM) of the CA that check mode shows; it is never trusted.

    The same for every task of a run, so that check mode shows the one CA that the run would make.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    _check_key_size(plan)
    seed = int.from_bytes(hashlib.sha256(place.encode()).digest(), "big")
    key = ec.derive_private_key(seed >> 1, ec.SECP256R1())
    shown = replace(plan, subject=plan.subject or "CN=SIP TLS CA (this run would make it)")
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return key, new_certificate(key, shown, midnight, serial=seed >> 100)


def new_certificate(key: Any, plan: CaPlan, now: datetime, serial: int | None = None) -> str:
    """The self-signed certificate of a new CA, as PEM; with a serial number the same one each time."""
    from cryptography import x509

    # CallManager-trust holds one certificate per common name: two CAs of the same name would push each other out.
    name = _parsed(plan.subject or f"CN=SIP TLS CA {secrets.token_hex(4)}")
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(now - plan.skew)
        .not_valid_after(now + timedelta(days=plan.days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(["keyCertSign", "cRLSign"]), critical=True)
        .add_extension(own, critical=False)
    )
    if plan.permitted:
        permitted = x509.NameConstraints([_subtree(text) for text in plan.permitted], None)
        builder = builder.add_extension(permitted, critical=True)
    # Older releases of cryptography have no such option; the fingerprints differ there.
    repeatable = "ecdsa_deterministic" in inspect.signature(builder.sign).parameters and serial is not None
    options: dict[str, Any] = {"ecdsa_deterministic": True} if repeatable else {}
    return Certificate.from_der(_der(builder.sign(key, digest(key, plan.digest), **options))).pem


def _subtree(text: str) -> x509.GeneralName:
    """A name constraint (RFC 5280, 4.2.1.10): a network as 10.1.0.0/16, or a domain with all that is below it."""
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_network(text))
    except ValueError:
        pass
    if not _DOMAIN.match(text):
        raise Failure(
            f"local_permitted_names: {text!r} is neither a domain nor a network. Write example.com or 10.1.0.0/16."
        )
    return x509.DNSName(text)


def _parsed(subject: str) -> x509.Name:
    from cryptography import x509

    try:
        # RFC 4514 writes the last part first; people and CUCM write the country first.
        name = x509.Name.from_rfc4514_string(",".join(reversed(_COMMA.split(subject.strip()))))
        if not any(attribute.rfc4514_attribute_name == "CN" for attribute in name):
            raise ValueError
    except (ValueError, KeyError):
        raise Failure(
            f"local_ca_subject {subject!r} is not a distinguished name. Write it as C=IN, O=cisco, CN=SIP TLS CA."
        ) from None
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
        said = "cannot be decrypted with the passphrase given" if encrypted else "is not a private key in PEM"
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
    """The hash that a CA signs with; None for kinds of keys that have their own."""
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
