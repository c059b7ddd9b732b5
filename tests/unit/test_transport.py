# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS as CUCM's releases do it: trust, pins, old cryptography, retries that never repeat a write blindly."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils import _transport
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._transport import (
    AnswerLost,
    HttpClient,
    Unauthorized,
    tls_context,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers by the server's script, one step a request."""

    protocol_version = "HTTP/1.1"
    server: Any

    def do_POST(self) -> None:
        """One step of the script; the last one goes on for ever."""
        length = int(self.headers.get("Content-Length", 0))
        self.server.seen.append((self.command, self.path, self.headers.get("Authorization"), self.rfile.read(length)))
        script = self.server.script
        step = script.pop(0) if len(script) > 1 else script[0]
        step(self)

    do_GET = do_POST

    def log_message(self, *_args: Any) -> None:
        """Silence."""

    def reply(self, status: int, body: bytes = b"<ok/>", **headers: str) -> None:
        """One whole answer."""
        self.send_response(status)
        for name, value in {"Content-Type": "text/xml", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


def status(code: int, body: bytes = b"<ok/>", **headers: str) -> Answer:
    """A step that answers."""
    return lambda handler: handler.reply(code, body, **headers)


def hang_up(handler: Handler) -> None:
    """A step that takes the request and never answers."""
    handler.close_connection = True


class Server:
    """A TLS server on loopback with a self-signed certificate of our choice."""

    def __init__(self, folder: Path, *, bits: int = 2048, name: str = "127.0.0.1", old: bool = False) -> None:
        key = rsa.generate_private_key(65537, bits)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(1))
        builder = builder.not_valid_after(now + datetime.timedelta(9))
        try:
            names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(name))]
        except ValueError:
            names = [x509.DNSName(name)]
        certificate = builder.add_extension(x509.SubjectAlternativeName(names), False).sign(key, hashes.SHA256())
        self.pem = folder / "server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.fingerprint = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.seen, self.http.script = [], [status(200)]  # type: ignore[attr-defined]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        if old:
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1
        context.load_cert_chain(self.pem)
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def seen(self) -> list[tuple[str, str, str, bytes]]:
        """What arrived."""
        return self.http.seen  # type: ignore[attr-defined,no-any-return]

    def play(self, *script: Answer) -> None:
        """What to answer from now on."""
        self.http.script = list(script)  # type: ignore[attr-defined]

    def client(self, **options: Any) -> HttpClient:
        """A client that trusts the server's own certificate unless told otherwise."""
        params = {"host": "127.0.0.1", "port": self.http.server_port, "username": "axl", "password": "secret-word"}
        return HttpClient.from_params({**params, "ca_path": str(self.ca), "timeout": 2, **options})


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits are the product's patience, not what is tested."""
    monkeypatch.setattr(_transport, "WAITS", (0.01, 0.01, 0.01, 0.01))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of today."""
    one = Server(tmp_path)
    yield one
    one.http.shutdown()
    one.http.server_close()


def test_an_answer_comes_whole(server: Server) -> None:
    answer = server.client().request("POST", "/axl/", data="<x/>")
    assert (answer.status, answer.body, answer.content_type) == (200, b"<ok/>", "text/xml")
    assert server.seen[0][:3] == ("POST", "/axl/", "Basic YXhsOnNlY3JldC13b3Jk")


def test_trust_is_decided_before_the_password_is_sent(server: Server, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="ca_path"):
        server.client(ca_path=None).request("GET", "/")
    with pytest.raises(Failure, match="fingerprint"):
        server.client(tls_fingerprint="00" * 32).request("GET", "/")
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(Failure, match="ca_path"):
        server.client(ca_path=str(Server(other).ca)).request("GET", "/")
    with pytest.raises(Failure, match="no PEM"):
        empty = tmp_path / "empty.pem"
        empty.write_text("nothing")
        server.client(ca_path=str(empty)).request("GET", "/")
    assert server.seen == []
    pin = ":".join(server.fingerprint[at : at + 2] for at in range(0, 64, 2)).upper()
    assert server.client(ca_path=None, tls_fingerprint=pin).request("GET", "/").status == 200
    assert server.client(ca_path=None, validate_certs=False).request("GET", "/").status == 200


def test_a_certificate_listed_itself_needs_no_name(tmp_path: Path) -> None:
    named = Server(tmp_path, name="cucma.example.com")
    assert named.client().request("GET", "/").status == 200


def test_old_cryptography_is_named_refused_and_allowed(tmp_path: Path) -> None:
    old = Server(tmp_path, bits=1024, old=True)
    with pytest.raises(Failure, match="legacy_crypto"):
        old.client().request("GET", "/")
    client = old.client(legacy_crypto=True)
    assert client.request("GET", "/").status == 200
    assert client.warnings and "TLSv1" in client.warnings[0] and "1024" in client.warnings[0]


def test_legacy_crypto_says_nothing_when_it_was_not_needed(server: Server) -> None:
    client = server.client(legacy_crypto=True)
    client.request("GET", "/")
    assert client.warnings == []


def test_a_refused_password_is_tried_once(server: Server) -> None:
    server.play(status(401))
    with pytest.raises(Unauthorized, match="tried once") as failure:
        server.client().request("POST", "/axl/", idempotent=True)
    assert len(server.seen) == 1 and "secret-word" not in failure.value.msg


def test_throttle_is_waited_out_even_for_writes(server: Server) -> None:
    server.play(status(503), status(503, Retry_After="0"), status(200))
    assert server.client().request("POST", "/axl/").status == 200
    assert len(server.seen) == 3
    server.play(status(503))
    with pytest.raises(Failure, match="503"):
        server.client().request("POST", "/axl/")


def test_a_write_without_an_answer_is_never_repeated(server: Server) -> None:
    server.play(hang_up, status(200))
    with pytest.raises(AnswerLost):
        server.client().request("POST", "/axl/")
    assert len(server.seen) == 1
    server.play(status(502), status(200))
    with pytest.raises(AnswerLost, match="502"):
        server.client().request("POST", "/axl/")
    assert len(server.seen) == 2


def test_a_read_without_an_answer_is_repeated(server: Server) -> None:
    server.play(hang_up, status(504), status(200))
    assert server.client().request("POST", "/axl/", idempotent=True).status == 200
    assert len(server.seen) == 3


def test_redirects_are_not_followed(server: Server) -> None:
    server.play(status(302, Location="/elsewhere"))
    assert server.client().request("POST", "/axl").status == 302
    assert len(server.seen) == 1


def test_an_answer_has_a_limit_in_size_and_time(server: Server) -> None:
    server.play(status(200, b"x" * 5000))
    with pytest.raises(Failure, match="larger"):
        server.client().request("GET", "/", largest=1000)
    stop = threading.Event()
    server.play(lambda _handler: stop.wait(5) and None)
    with pytest.raises(AnswerLost, match="no answer within"):
        server.client(timeout=1).request("POST", "/axl/")
    stop.set()


def test_no_server_is_a_sentence() -> None:
    client = HttpClient.from_params({"host": "127.0.0.1", "port": 1, "username": "a", "password": "b"})
    with pytest.raises(Failure, match="no connection") as failure:
        client.request("GET", "/")
    assert "127.0.0.1" in failure.value.msg and not isinstance(failure.value, AnswerLost)
    with pytest.raises(Failure, match="64"):
        tls_context({"host": "x", "tls_fingerprint": "abc"})


def test_the_environment_sets_no_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert server.client().request("GET", "/").status == 200
