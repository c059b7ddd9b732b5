# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA of openssl's own tools, and HashiCorp Vault's endpoint in front of it."""

from __future__ import annotations

import http.server
import json
import re
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any

TOKEN = "hvs.canary-token"
GO_USAGES = {  # Go's names of key usages, which Vault takes in any case, and OpenSSL's
    "digitalsignature": "digitalSignature", "keyencipherment": "keyEncipherment",
    "dataencipherment": "dataEncipherment", "keyagreement": "keyAgreement",
    "serverauth": "serverAuth", "clientauth": "clientAuth",
}  # fmt: skip


def openssl(*order: str | Path, feed: str = "") -> str:
    done = subprocess.run(["openssl", *map(str, order)], input=feed, check=True, capture_output=True, text=True)
    return done.stdout


class OpensslCa:
    """A CA of openssl's own tools."""

    def __init__(self, folder: Path, name: str, *extensions: str) -> None:
        folder.mkdir()
        self.pem, self._key, self._folder = folder / "ca.pem", folder / "ca.key", folder
        openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self._key, "-out", self.pem, "-days", "900",
            "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            *(part for extension in extensions for part in ("-addext", extension)),
        )  # fmt: skip

    def sign(self, csr: str, key_usage: str, eku: str, days: int) -> str:
        """A certificate with the names of the CSR, by `openssl x509`."""
        (self._folder / "csr.pem").write_text(csr)
        text = openssl("req", "-noout", "-text", feed=csr)
        names = re.search(r"Subject Alternative Name: ?\n\s*(.*)\n", text)
        lines = [f"keyUsage=critical,{key_usage}", f"extendedKeyUsage={eku}"]
        lines += [f"subjectAltName={names[1]}"] if names else []
        (self._folder / "ext.cnf").write_text("\n".join(lines) + "\n")
        return openssl(
            "x509", "-req", "-in", self._folder / "csr.pem", "-CA", self.pem, "-CAkey", self._key, "-CAcreateserial",
            "-days", str(days), "-sha256", "-extfile", self._folder / "ext.cnf",
        )  # fmt: skip


def web_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, as files."""
    certificate, key = folder / "web.pem", folder / "web.key"
    openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "30",
        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
    )  # fmt: skip
    return certificate, key


class Vault:
    """An HTTPS server that answers as Vault's API documents it, for the role cucm of the mount pki; openssl signs.

    grants: what the token may do on the path that signs. issuer: the one that the role names, with a CA of its own.
    """

    def __init__(self, ca: OpensslCa) -> None:
        self.ca = ca
        self.requests: list[dict[str, Any]] = []
        self.grants = ["update"]
        self.issuer: tuple[str, OpensslCa] = ("default", ca)
        vault = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/v1/pki/ca_chain":
                    self.send(200, ca.pem.read_bytes(), "application/pem-certificate-chain")
                else:
                    self.send_json(*vault.shown(self.path, self.headers.get("X-Vault-Token")))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                token = self.headers.get("X-Vault-Token")
                if self.path == "/v1/sys/capabilities-self":
                    self.send_json(*vault.capabilities(token, body))
                    return
                vault.requests.append(body)
                self.send_json(*vault.answer(self.path, token, body, ca))

            def send_json(self, status: int, answer: dict[str, Any]) -> None:
                self.send(status, json.dumps(answer).encode(), "application/json")

            def send(self, status: int, data: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.certificate, key = web_certificate(ca.pem.parent)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def shown(self, path: str, token: str | None) -> tuple[int, dict[str, Any]]:
        """Status and JSON of what is only read: the role, which needs a token, and the certificate of an issuer."""
        name, ca = self.issuer
        if path == f"/v1/pki/issuer/{name}/json":
            pem = ca.pem.read_text()
            return 200, {"data": {"certificate": pem, "ca_chain": [pem]}}
        if path != "/v1/pki/roles/cucm":
            return 404, {"errors": []}
        if token != TOKEN:
            return 403, {"errors": ["permission denied"]}
        return 200, {"data": {"issuer_ref": name, "ttl": 0}}

    def capabilities(self, token: str | None, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON of what a token may do."""
        if token != TOKEN:
            return 403, {"errors": ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}
        return 200, {"data": {"capabilities": self.grants, **dict.fromkeys(body["paths"], self.grants)}}

    @staticmethod
    def answer(path: str, token: str | None, body: dict[str, Any], ca: OpensslCa) -> tuple[int, dict[str, Any]]:
        """Status and JSON."""
        if path != "/v1/pki/sign-verbatim/cucm":
            return 404, {"errors": [f'no handler for route "{path.removeprefix("/v1/")}". route entry not found.']}
        if token != TOKEN:
            return 403, {"errors": ["permission denied"]}
        known = {"csr", "ttl", "format", "key_usage", "ext_key_usage"}
        if set(body) - known or not re.fullmatch(r"\d+[hms]", body["ttl"]) or body["format"] != "pem":
            return 400, {"errors": [f"unexpected request: {sorted(body)}"]}
        usages = [",".join(GO_USAGES[usage.lower()] for usage in body[kind]) for kind in ("key_usage", "ext_key_usage")]
        leaf = ca.sign(body["csr"], usages[0], usages[1], days=int(body["ttl"][:-1]) // 24)
        root = ca.pem.read_text().strip()
        data = {"certificate": leaf.strip(), "issuing_ca": root, "ca_chain": [root], "serial_number": "1a:2b"}
        return 200, {"request_id": "6b6ad0ac", "lease_id": "", "renewable": False, "data": data, "warnings": None}

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
