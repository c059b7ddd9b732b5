# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a certificate or a request says, in the collection's words; chains out of any form; signatures of any age.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure

if TYPE_CHECKING:
    from cryptography import x509

ATTRIBUTES = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.5": "serialNumber",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}
USAGES = {
    "1.3.6.1.5.5.7.3.1": "serverAuth",
    "1.3.6.1.5.5.7.3.2": "clientAuth",
    "1.3.6.1.5.5.7.3.5": "ipsecEndSystem",
    "1.3.6.1.5.5.7.3.17": "ipsecIKE",
}
KEY_USAGES = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}
PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s+(.*?)-----END \1-----", re.S)
CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
REQUEST_LABELS = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "CERTIFICATE SIGN REQUEST")
PKCS7_LABELS = ("PKCS7", "CMS")


def certificate_view(source: str | bytes) -> dict[str, Any]:
    """A certificate (PEM or DER) as a result shows it; Failure when it is none."""
    certificate = load_certificate(source)
    der = certificate.public_bytes(_der())
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    return {
        "subject": name_text(certificate.subject),
        "issuer": name_text(certificate.issuer),
        "common_name": common_name(certificate.subject),
        "serial": serial_text(certificate.serial_number),
        "not_before": _iso(certificate.not_valid_before_utc),
        "not_after": _iso(certificate.not_valid_after_utc),
        "days_left": left.days,
        "sha256": fingerprint(der),
        "public_key_sha256": public_key_sha256(certificate),
        **_extensions(certificate),
        **_key(certificate),
        "signature_algorithm": _signature_algorithm(certificate),
        "self_signed": certificate.subject == certificate.issuer and is_signed_by(certificate, certificate),
        "pem": to_pem(der),
    }


def csr_view(source: str | bytes) -> dict[str, Any]:
    """A certificate request (PEM or DER) as a result shows it; signature_ok is judged for SHA-1 too."""
    request = load_csr(source)
    return {
        "subject": name_text(request.subject),
        "common_name": common_name(request.subject),
        "public_key_sha256": public_key_sha256(request),
        **_extensions(request),
        **_key(request),
        "signature_algorithm": _signature_algorithm(request),
        "signature_ok": _verified(
            request.public_key(), request.signature, request.tbs_certrequest_bytes, request.signature_hash_algorithm
        ),
        "pem": to_pem(request.public_bytes(_der()), "CERTIFICATE REQUEST"),
    }


def load_certificate(source: str | bytes) -> x509.Certificate:
    """The first certificate of the text or bytes; Failure with a sentence when there is none."""
    from cryptography import x509

    pem = split_chain(source)[0]
    return x509.load_pem_x509_certificate(pem.encode())


def load_csr(source: str | bytes) -> x509.CertificateSigningRequest:
    """The request in the text or bytes; old labels (NEW, SIGN) are known. Failure when there is none."""
    from cryptography import x509

    ders = [der for label, der in _blocks(source) if label in REQUEST_LABELS]
    if not ders and isinstance(source, bytes) and source[:1] == b"0":
        ders = [source]
    if not ders:
        raise Failure("This is not a certificate request: no BEGIN CERTIFICATE REQUEST block stands in it.")
    try:
        request = x509.load_der_x509_csr(ders[0])
        request.public_key()
    except ValueError as error:
        raise Failure(f"The certificate request is damaged: {error}. Take it from the node again.") from None
    return request


def split_chain(source: str | bytes) -> list[str]:
    """Every certificate in a PEM bundle, DER or PKCS#7 (either form) as PEM, in the order found, each once."""
    ders: list[bytes] = []
    for label, der in _blocks(source):
        if label in CERTIFICATE_LABELS:
            ders.append(der)
        elif label in PKCS7_LABELS:
            ders.extend(_pkcs7(der))
    if not ders and isinstance(source, bytes) and source[:1] == b"0":
        ders = [source] if _is_certificate(source) else _pkcs7(source)
    if not ders:
        raise Failure(
            "This is not a certificate: neither PEM (BEGIN CERTIFICATE), DER nor PKCS#7 could be read. "
            "Give the file as the CA exported it, Base-64 or DER."
        )
    for position, der in enumerate(ders, 1):
        if not _is_certificate(der):
            raise Failure(f"Certificate {position} of {len(ders)} is damaged and cannot be read. Export it again.")
    return [to_pem(der) for der in dict.fromkeys(ders)]


def order_chain(leaf: str | bytes, pool: Iterable[str]) -> list[str]:
    """Leaf, its issuer and so on up to the self-signed root, out of a pool in any order.

    Failure when a link is missing: it names the issuer that nobody gave.
    """
    certificate = load_certificate(leaf)
    candidates = [load_certificate(pem) for pem in pool]
    chain = [certificate]
    while not (chain[-1].subject == chain[-1].issuer and is_signed_by(chain[-1], chain[-1])):
        issuer = next((c for c in candidates if c not in chain and verify_issued_by(chain[-1], c)), None)
        if issuer is None:
            raise Failure(
                f"The chain is not complete: {name_text(chain[-1].subject)} was issued by "
                f"{name_text(chain[-1].issuer)}, and no certificate given here is that issuer's. "
                "Add the CA's certificates up to its self-signed root."
            )
        chain.append(issuer)
    return [to_pem(c.public_bytes(_der())) for c in chain]


def verify_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's name and key made this certificate; SHA-1 signatures count as what they are."""
    return certificate.issuer == issuer.subject and is_signed_by(certificate, issuer)


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key made the certificate's signature, whatever the names."""
    return _verified(
        issuer.public_key(),
        certificate.signature,
        certificate.tbs_certificate_bytes,
        certificate.signature_hash_algorithm,
        certificate.signature_algorithm_parameters,
    )


def public_key_sha256(thing: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """SHA-256 of the SubjectPublicKeyInfo, upper hex: equal for a request and the certificate that answers it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    info = thing.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(info).hexdigest().upper()


def fingerprint(source: str | bytes) -> str:
    """SHA-256 of the certificate's DER in upper hex pairs with colons, as browsers and OpenSSL print it."""
    der = source if isinstance(source, bytes) else _blocks(source)[0][1]
    return _colons(hashlib.sha256(der).hexdigest())


def to_pem(der: bytes, label: str = "CERTIFICATE") -> str:
    """DER as PEM with lines of 64 characters."""
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def name_text(name: x509.Name) -> str:
    """A distinguished name in its DER order: C=IN, ST=cisco, ..., CN=CUCMA; commas in values are escaped."""
    return ", ".join(f"{ATTRIBUTES.get(a.oid.dotted_string, a.oid.dotted_string)}={_escaped(a.value)}" for a in name)


def common_name(name: x509.Name) -> str:
    """The last CN of the name, or nothing."""
    from cryptography.x509.oid import NameOID

    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[-1].value) if found else ""


def serial_text(number: int) -> str:
    """A serial number in upper hex with whole bytes, as CUCM prints it."""
    digits = f"{number:X}"
    return digits if len(digits) % 2 == 0 else f"0{digits}"


def _colons(digits: str) -> str:
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper()


def _escaped(value: str | bytes) -> str:
    text = value if isinstance(value, str) else value.hex()
    return re.sub(r'([,+"\\<>;])', r"\\\1", text)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _der() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER


def _blocks(source: str | bytes) -> list[tuple[str, bytes]]:
    """The PEM blocks of a text, base64 decoded; nothing for binary data."""
    text = source if isinstance(source, str) else source.decode("latin-1")
    found = []
    for label, body in PEM.findall(text):
        try:
            found.append((label.strip(), base64.b64decode("".join(body.split()), validate=True)))
        except (binascii.Error, ValueError):
            raise Failure(f"A {label.strip()} block is not valid Base-64. Export it again.") from None
    return found


def _is_certificate(der: bytes) -> bool:
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.public_key()
        list(certificate.extensions)
    except Exception:  # whatever the parser says of foreign bytes: they are no certificate that we can use
        return False
    return True


def _pkcs7(der: bytes) -> list[bytes]:
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

    try:
        return [c.public_bytes(Encoding.DER) for c in pkcs7.load_der_pkcs7_certificates(der)]
    except Exception:  # as above: foreign bytes
        return []


def _extensions(thing: x509.Certificate | x509.CertificateSigningRequest) -> dict[str, Any]:
    """SANs, EKU, key usage and whether it is (or asks to be) a CA; a SAN says its kind unless it is a DNS name."""
    from cryptography import x509

    found: dict[type[Any], Any] = {type(e.value): e.value for e in thing.extensions}
    sans = [_san(name) for name in found.get(x509.SubjectAlternativeName, ())]
    usage = found.get(x509.KeyUsage)
    basic = found.get(x509.BasicConstraints)
    return {
        "sans": sans,
        "eku": [USAGES.get(oid.dotted_string, oid.dotted_string) for oid in found.get(x509.ExtendedKeyUsage, ())],
        "key_usage": [text for name, text in KEY_USAGES.items() if usage is not None and getattr(usage, name)],
        "is_ca": bool(basic and basic.ca),
    }


def _san(name: Any) -> str:
    from cryptography import x509

    kinds: dict[Any, str] = {x509.IPAddress: "IP:", x509.RFC822Name: "email:", x509.UniformResourceIdentifier: "URI:"}
    if isinstance(name, x509.DNSName):
        return name.value
    return f"{kinds.get(type(name), type(name).__name__ + ':')}{name.value}"


def _key(thing: x509.Certificate | x509.CertificateSigningRequest) -> dict[str, Any]:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = thing.public_key()
    kind = "RSA" if isinstance(key, rsa.RSAPublicKey) else "EC" if isinstance(key, ec.EllipticCurvePublicKey) else ""
    return {"key_type": kind or type(key).__name__.replace("PublicKey", ""), "key_size": getattr(key, "key_size", 0)}


def _signature_algorithm(thing: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """As CUCM and Java name it: SHA1withRSA, SHA256withECDSA; the OID where the name is not known."""
    from cryptography.exceptions import UnsupportedAlgorithm

    oid = thing.signature_algorithm_oid
    try:
        algorithm = thing.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return oid.dotted_string
    if algorithm is None:
        return getattr(oid, "_name", oid.dotted_string)
    kind = "ECDSA" if oid.dotted_string.startswith("1.2.840.10045") else "RSA"
    return f"{algorithm.name.upper().replace('-', '')}with{kind}"


def _verified(key: Any, signature: bytes, signed: bytes, algorithm: Any, scheme: Any = None) -> bool:
    """The raw check of a signature: the x509 layer of cryptography refuses SHA-1, which old releases sign with."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    try:
        if isinstance(key, rsa.RSAPublicKey):
            pad = scheme if isinstance(scheme, padding.PSS) else padding.PKCS1v15()
            key.verify(signature, signed, pad, algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(algorithm))
        else:
            key.verify(signature, signed)
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError):
        return False
    return True
