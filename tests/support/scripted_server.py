# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TLS server on loopback that answers by a script, for what no lab would do by itself."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient
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
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Type": "text/xml", "Content-Length": str(len(body)), **given}.items():
            self.send_header(name, value)
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
        """A client that trusts the server's own certificate unless the test asks for something else."""
        params = {"host": "127.0.0.1", "port": self.http.server_port, "username": "axl", "password": "secret-word"}
        return HttpClient.from_params({**params, "ca_path": str(self.ca), "timeout": 2, **options})
