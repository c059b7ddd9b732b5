# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS of a SIP port over memory buffers: both ends present a certificate and trust only CallManager-trust.

pyOpenSSL rather than the standard `ssl`: it verifies at the lab's shifted time, returns the verification error
itself, and its OpenSSL still speaks the TLS 1.0 of old releases.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from OpenSSL import SSL, crypto

from ..faults import Fault
from ..pki.material import load_key
from ..release import TlsPolicy
from .names import PeerIdentity, identity

#: reason -> text in the lab's log. The first three are the usual mistakes in setting up a trunk.
REASONS = {
    "no_client_certificate": "the peer presented no client certificate",
    "unknown_ca": "the peer's certificate is not signed by a CA in CallManager-trust (unknown CA)",
    "subject_name_mismatch": "the peer's certificate names match no X.509 subject name (subject name mismatch)",
    "expired": "the peer's certificate has expired",
    "not_yet_valid": "the peer's certificate is not yet valid",
    "purpose": "the peer's certificate does not allow this use (extended key usage)",
    "weak": "the peer's certificate has a key or a signature that is too weak for this release",
    "certificate": "the peer's certificate does not verify",
    "protocol_version": "no TLS version in common",
    "cipher": "no cipher in common",
    "refused": "the peer refused the connection",
    "closed": "the peer closed the connection during the handshake",
    "not_tls": "the peer does not speak TLS",
    "other": "the TLS handshake failed",
}
#: X509_V_ERR_* -> reason
_VERIFY = {
    2: "unknown_ca", 18: "unknown_ca", 19: "unknown_ca", 20: "unknown_ca", 21: "unknown_ca", 27: "unknown_ca",
    9: "not_yet_valid", 10: "expired", 24: "certificate", 26: "purpose", 66: "weak", 67: "weak", 68: "weak",
}  # fmt: skip
#: part of OpenSSL's reason text -> reason, when no verification error was seen
_TEXT = (
    ("did not return a certificate", "no_client_certificate"),
    ("unsupported protocol", "protocol_version"),
    ("wrong version number", "not_tls"),
    ("http request", "not_tls"),
    ("packet length too long", "not_tls"),
    ("version", "protocol_version"),
    ("no shared cipher", "cipher"),
    ("no suitable signature", "cipher"),
    ("unexpected eof", "closed"),
)
_ALERT = re.compile(r"\balert (.+)")
_VERSIONS = {"TLSv1": "TLSv1.0"}
_PARTIAL_CHAIN = 0x80000


class TlsFailure(Exception):
    """A failed handshake: a key of REASONS, OpenSSL's own words, and the peer's alert if the peer ended it."""

    def __init__(
        self, reason: str, detail: str, alert: str = "", peer: PeerIdentity | None = None, verification: int = 0
    ) -> None:
        super().__init__(reason, detail)
        #: X509_V_ERR of the peer's certificate; 0 if something else failed
        self.verification = verification
        self.reason = reason
        self.detail = detail
        self.alert = alert
        self.peer = peer

    def __str__(self) -> str:
        who = f" ({self.peer.subject}, issued by {self.peer.issuer})" if self.peer else ""
        said = f"; its alert: {self.alert}" if self.alert else f"; OpenSSL: {self.detail}" if self.detail else ""
        return f"{REASONS[self.reason]}{who}{said}"


class TlsContexts:
    """The server or client settings of one node: its identities and its trust, for what its SIP offers.

    An identity's certificate may be followed by those of its CAs, which are then presented, too. With `when`,
    certificates are checked at that fixed time; without it, at the real time. Without `trust` (None), a certificate is
    asked for and any is accepted.
    """

    def __init__(
        self,
        policy: TlsPolicy,
        identities: Iterable[tuple[str, str]],
        trust: Iterable[str] | None,
        when: datetime | None = None,
    ) -> None:
        self._policy = policy
        self._any = trust is None
        identities = list(identities)
        self._chain = [
            load_pem_x509_certificate
            for pem, _key in identities
            for load_pem_x509_certificate in x509.load_pem_x509_certificates(pem.encode())[1:]
        ]
        self._identities = [
            (x509.load_pem_x509_certificate(certificate.encode()), load_key(key)) for certificate, key in identities
        ]
        self._trust = [cert for pem in trust or () for cert in x509.load_pem_x509_certificates(pem.encode())]
        self._when = when
        self._made: dict[tuple[str, bool], SSL.Context] = {}

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate of the first identity."""
        return self._identities[0][0]

    def context(self, mode: str = "Encrypted", *, ask: bool = True) -> SSL.Context:
        """A context for a Device Security Mode; without `ask` the peer's certificate is not asked for."""
        if (mode, ask) not in self._made:
            self._made[mode, ask] = self._make(mode, ask)
        return self._made[mode, ask]

    def _make(self, mode: str, ask: bool) -> SSL.Context:
        context = SSL.Context(SSL.TLS_METHOD)
        maximum, ciphers = self._policy.maximum, self._policy.ciphers
        if mode == "Authenticated":
            # Authenticated is integrity without encryption: TLS 1.3 has no such suite, OpenSSL needs level 0 for it.
            maximum, ciphers = min(maximum, ssl.TLSVersion.TLSv1_2), "NULL-SHA:@SECLEVEL=0"
        elif mode == "both":
            ciphers = f"{ciphers}:NULL-SHA:@SECLEVEL=0"
        context.set_min_proto_version(int(self._policy.minimum))
        context.set_max_proto_version(int(maximum))
        context.set_cipher_list(ciphers.encode())
        if self._policy.signatures:
            _set_signatures(context, self._policy.signatures)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_options(SSL.OP_NO_TICKET)
        # OpenSSL keeps one identity per type of key, and presents the one that fits the chosen suite.
        for certificate, key in self._identities:
            context.use_certificate(certificate)
            context.use_privatekey(key)
        for above in self._chain:
            context.add_extra_chain_cert(crypto.X509.from_cryptography(above))
        store = context.get_cert_store()
        assert store is not None
        store.set_flags(_PARTIAL_CHAIN)
        if self._when is not None:
            store.set_time(self._when)
        for certificate in self._trust:
            store.add_cert(crypto.X509.from_cryptography(certificate))
            context.add_client_ca(certificate)
        verify = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT if ask else SSL.VERIFY_NONE
        context.set_verify(verify, _not_verified if self._any else _verified)
        return context


def _set_signatures(context: SSL.Context, signatures: str) -> None:
    """The order of the signature algorithms, for which pyOpenSSL has no method of its own."""
    if SSL._lib.SSL_CTX_set1_sigalgs_list(context._context, signatures.encode()) != 1:  # type: ignore[attr-defined]
        raise ValueError(f"OpenSSL does not know the signature algorithms {signatures}.")


def _verified(connection: SSL.Connection, certificate: crypto.X509, error: int, depth: int, ok: int) -> bool:
    if not ok:
        engine: Engine = connection.get_app_data()
        engine.verify_error = error
        engine.failed_at = (depth, identity(certificate.to_cryptography()))
    return bool(ok)


def _not_verified(_connection: SSL.Connection, _certificate: crypto.X509, _error: int, _depth: int, _ok: int) -> bool:
    return True


class Engine:
    """One TLS connection over memory: `receive` bytes of the network, take `output` to it."""

    def __init__(self, context: SSL.Context, *, server: bool) -> None:
        self._connection = SSL.Connection(context)
        self._connection.set_app_data(self)
        self._server = server
        if server:
            self._connection.set_accept_state()
        else:
            self._connection.set_connect_state()
        self.open = False
        #: the peer said close_notify, or nothing more can be read
        self.ended = False
        self.verify_error = 0
        #: where the verification failed: 0 is the peer's own certificate, more is an issuer that it sent
        self.failed_at: tuple[int, PeerIdentity] | None = None
        self.peer: PeerIdentity | None = None
        #: a fault that applies to this handshake
        self.fault: Fault | None = None

    @property
    def version(self) -> str:
        """TLSv1.0, TLSv1.2, TLSv1.3."""
        name = self._connection.get_protocol_version_name()
        return _VERSIONS.get(name, name)

    @property
    def own_certificate(self) -> x509.Certificate | None:
        """The certificate that this end presents, once the handshake has chosen it."""
        return self._connection.get_certificate(as_cryptography=True)

    @property
    def cipher(self) -> str:
        """OpenSSL's name of the cipher."""
        return self._connection.get_cipher_name() or ""

    def begin(self) -> None:
        """A client's first flight."""
        self._handshake()

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the network; the application's bytes in them. TlsFailure."""
        self._connection.bio_write(data)
        if not self.open:
            self._handshake()
        plain = bytearray()
        while self.open and not self.ended:
            try:
                plain += self._connection.recv(65536)
            except SSL.WantReadError:
                break
            except SSL.ZeroReturnError:
                self.ended = True
            except SSL.Error as error:
                raise self._failure(error) from None
        return bytes(plain)

    def send(self, data: bytes) -> None:
        """Encrypt the application's bytes."""
        self._connection.sendall(data)

    def shutdown(self) -> None:
        """Say close_notify."""
        try:
            self._connection.shutdown()
        except SSL.Error:
            # The handshake never finished, so there is nothing to close.
            return

    def output(self) -> bytes:
        """The bytes to send now."""
        data = bytearray()
        while True:
            try:
                data += self._connection.bio_read(65536)
            except SSL.WantReadError:
                return bytes(data)

    def _handshake(self) -> None:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.Error as error:
            raise self._failure(error) from None
        self.open = True
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is not None:
            self.peer = identity(certificate)

    def _failure(self, error: SSL.Error) -> TlsFailure:
        entries = error.args[0] if error.args and isinstance(error.args[0], list) else []
        detail = "; ".join(str(entry[-1]) for entry in entries) or str(error)
        alert = _ALERT.search(detail)
        if self.verify_error:
            reason = _VERIFY.get(self.verify_error, "certificate")
            detail = f"certificate verify failed, X509_V_ERR {self.verify_error}"
            depth, failing = self.failed_at or (0, None)
            if depth == 0:
                return TlsFailure(reason, detail, peer=failing, verification=self.verify_error)
            sent = f" at {failing.subject} in the chain that it sent" if failing else ""
            return TlsFailure(reason, detail + sent, verification=self.verify_error)
        if alert:
            return TlsFailure("refused", detail, alert=alert[1].strip(), peer=self.peer)
        lower = detail.lower()
        reason = next((reason for text, reason in _TEXT if text in lower), "other")
        return TlsFailure(reason, detail, peer=self.peer)
