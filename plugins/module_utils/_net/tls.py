# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node's HTTPS must show before a byte is sent: TLS policy, pin, name, and what legacy_crypto let through.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure

# OpenSSL's reasons (error and verification texts) that only legacy_crypto can help with.
LEGACY_REASONS = re.compile(
    r"unsupported.protocol|alert.protocol.version|no.protocols.available|key.too.(small|weak)|md.too.weak"
    r"|dh.key.too.small|wrong.signature.type|legacy.renegotiation|handshake.failure|no.shared.cipher"
    r"|unsupported.signature|version.too.low|eof occurred",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Endpoint:
    """Where a node's HTTPS is and how far it is trusted."""

    host: str
    port: int = 8443
    validate_certs: bool = True
    ca_path: str | None = None
    tls_fingerprint: str | None = None
    legacy_crypto: bool = False
    timeout: int = 30

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Endpoint:
        """The connection options of a module."""
        values = {name: params.get(name) for name in cls.__dataclass_fields__}
        return cls(**{name: value for name, value in values.items() if value is not None})

    @property
    def url(self) -> str:
        """The address without a path; IPv6 addresses in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}"

    @property
    def pin(self) -> str | None:
        """The pinned SHA-256 fingerprint in plain lower-case hexadecimal, or None."""
        if not self.tls_fingerprint:
            return None
        digits = re.sub(r"^sha-?256[:=]|[:\s]", "", self.tls_fingerprint.strip().lower())
        if not re.fullmatch(r"[0-9a-f]{64}", digits):
            raise Failure(
                f"tls_fingerprint {self.tls_fingerprint!r} is not a SHA-256 fingerprint: give its 64 hexadecimal "
                "digits, with or without colons."
            )
        return digits


def tls_context(params: Mapping[str, Any] | Endpoint) -> ssl.SSLContext:
    """The client context for a node: verification as asked, old protocol and key sizes only with legacy_crypto.

    The name is compared after the handshake (Connection of HttpClient), because a certificate that is itself listed
    in ca_path needs no name. Raises Failure when ca_path cannot be read.
    """
    endpoint = params if isinstance(params, Endpoint) else Endpoint.from_params(params)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DEFAULT:@SECLEVEL=2")
    if endpoint.legacy_crypto:
        # Python warns about TLS 1.0 by itself; ours comes later, and only when it was used.
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("ALL:!aNULL:!eNULL:@SECLEVEL=0")
        context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
    if endpoint.pin or not endpoint.validate_certs:
        context.verify_mode = ssl.CERT_NONE
        return context
    context.verify_mode = ssl.CERT_REQUIRED
    if endpoint.ca_path is None:
        context.load_default_certs()
        return context
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cafile=endpoint.ca_path)
    except OSError as error:
        reason = "it holds no PEM certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise Failure(f"ca_path {endpoint.ca_path} cannot be used for {endpoint.host}: {reason}.") from None
    return context


def check_connection(endpoint: Endpoint, sock: ssl.SSLSocket) -> list[str]:
    """Check a new connection by pin or name; returns what legacy_crypto really let through.

    Raises ssl.SSLError with the reason when the node is not the one that the user trusts.
    """
    der = sock.getpeercert(binary_form=True) or b""
    pin = endpoint.pin
    if pin is not None:
        found = hashlib.sha256(der).hexdigest()
        if found != pin:
            raise ssl.SSLError(f"its certificate has the SHA-256 fingerprint {found.upper()}, not {pin.upper()}")
    elif endpoint.validate_certs and der not in _listed(endpoint.ca_path):
        _match_name(sock, endpoint.host)
    return [*_old_protocol(sock), *_weak_certificate(der)] if endpoint.legacy_crypto else []


def _listed(ca_path: str | None) -> set[bytes]:
    """The certificates that ca_path itself lists, as DER; one of them presented by the node needs no name."""
    if ca_path is None:
        return set()
    with open(ca_path, encoding="utf-8", errors="replace") as file:
        blocks = re.findall(r"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----", file.read())
    return {ssl.PEM_cert_to_DER_cert(block) for block in blocks}


def _match_name(sock: ssl.SSLSocket, host: str) -> None:
    from urllib3.util.ssl_match_hostname import CertificateError, match_hostname

    certificate: Any = sock.getpeercert()
    try:
        match_hostname(certificate, host, hostname_checks_common_name=True)
    except CertificateError as error:
        raise ssl.SSLError(f"the certificate is for another name: {error}") from None


def _old_protocol(sock: ssl.SSLSocket) -> Iterator[str]:
    if sock.version() in ("TLSv1", "TLSv1.1"):
        yield f"{sock.version()} with {(sock.cipher() or ('an unknown cipher',))[0]}"


def _weak_certificate(der: bytes) -> Iterator[str]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

    certificate = x509.load_der_x509_certificate(der)
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048:
        yield f"a certificate with an RSA key of {key.key_size} bits"
    digest = certificate.signature_hash_algorithm
    if digest is not None and digest.name in ("sha1", "md5"):
        yield f"a certificate signed with {digest.name.upper()}"
