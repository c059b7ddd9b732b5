# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever stands in for a node is refused by default on every interface, before any password has gone out."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.support import scripted_ssh
from tests.support.certificate_kit import Authority, openssl
from tests.support.module_processes import ran
from tests.support.requests_made import make_csr
from tests.support.scripted_server import Handler, status

PASSWORD = "a-password-that-must-not-go-out"
APPLICATION = {"username": "axladmin", "password": PASSWORD}
PLATFORM = {"os_username": "osadmin", "os_password": PASSWORD}
#: interface -> module and the options that lead it there
HTTPS: dict[str, tuple[str, dict[str, Any]]] = {
    "axl": ("cucm_info", APPLICATION),
    "control center": ("cucm_service", {**APPLICATION, "interface": "soap", "name": "Cisco Tftp"}),
    "ris": ("cucm_sip_trunk_info", APPLICATION),
    "log collection": ("cucm_trace_info", APPLICATION),
    "certificate rest api": ("cucm_certificate_info", {**PLATFORM, "interface": "rest"}),
    "certsrv": ("ca_sign", {**APPLICATION, "provider": "adcs", "adcs_auth": "basic"}),
}
#: way -> (what the sentence says is wrong, what it says would accept it, the same for certsrv)
WAYS: dict[str, tuple[str, str, str]] = {
    "self-signed": ("self-signed certificate", "ca_path, or pin it with tls_fingerprint", "in adcs_ca_path"),
    "wrong CA": ("unable to get local issuer", "ca_path, or pin it with tls_fingerprint", "in adcs_ca_path"),
    "wrong name": ("name|IP address mismatch", "Give host as the certificate names it", "name that the certificate is"),
    "expired": ("certificate has expired", "Renew the node's tomcat certificate", "Renew the certificate of the CA"),
    "pinned": ("SHA-256 fingerprint", "the one pinned with tls_fingerprint", ""),
}


class Impostor:
    """An HTTPS server with a certificate and key of others' making; seen is what clients sent it."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.seen, self.http.script = [], [status(200)]  # type: ignore[attr-defined]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return int(self.http.server_port)


@pytest.fixture(scope="module")
def impostors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Impostor, Path]]]:
    """Way -> (server, the file that the user trusts)."""
    folder = tmp_path_factory.mktemp("impostors")
    trusted, other = Authority.make(folder, "Trusted"), Authority.make(folder, "Other")

    def issued(name: str, ca: Authority, san: str, **dates: str) -> Impostor:
        key, leaf = folder / f"{name}.key", folder / f"{name}.pem"
        csr = openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-subj", f"/CN={name}",
                      "-addext", f"subjectAltName={san}")  # fmt: skip
        leaf.write_text(ca.sign(csr, sans=san, **dates))
        return Impostor(leaf, key)

    alone, key = folder / "alone.pem", folder / "alone.key"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(alone), "-days", "9",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")  # fmt: skip
    made = {
        "self-signed": Impostor(alone, key),
        "wrong CA": issued("wrong-ca", other, "IP:127.0.0.1"),
        "wrong name": issued("wrong-name", trusted, "DNS:somebody.else"),
        "expired": issued(
            "expired", trusted, "IP:127.0.0.1", not_before="20240101000000Z", not_after="20250101000000Z"
        ),
        "good": issued("good", trusted, "IP:127.0.0.1"),
    }
    made["pinned"] = made["good"]
    yield {way: (server, trusted.path) for way, server in made.items()}
    for server in {id(server): server for server in made.values()}.values():
        server.http.shutdown()
        server.http.server_close()


def options(interface: str, server: Impostor, ca: Path, folder: Path) -> dict[str, Any]:
    """The options that lead a module to the server."""
    given = {**HTTPS[interface][1], "ca_path": str(ca), "timeout": 5}
    if interface == "certsrv":
        return {**given, "adcs_url": f"https://127.0.0.1:{server.port}/certsrv", "csr": make_csr(folder)}
    return {**given, "host": "127.0.0.1", "port": server.port}


@pytest.mark.parametrize("interface", HTTPS)
def test_https(impostors: dict[str, tuple[Impostor, Path]], interface: str, tmp_path: Path) -> None:
    for way, (wrong, accepts, at_the_ca) in WAYS.items():
        server, ca = impostors[way]
        given = options(interface, server, ca, tmp_path)
        if way == "pinned":
            if interface == "certsrv":
                continue
            given["tls_fingerprint"] = hashlib.sha256(b"another").hexdigest()
        said = ran(HTTPS[interface][0], given).sentence
        assert "127.0.0.1" in said and PASSWORD not in said, (way, said)
        assert any(words.lower() in said.lower() for words in wrong.split("|")), (way, said)
        assert (at_the_ca if interface == "certsrv" else accepts) in said, (way, said)
        assert not server.http.seen, f"{way}: something was sent to the impostor"  # type: ignore[attr-defined]


def test_the_right_one_is_let_in(impostors: dict[str, tuple[Impostor, Path]], tmp_path: Path) -> None:
    """The servers above fail for their certificates alone."""
    server, ca = impostors["good"]
    ran("cucm_info", options("axl", server, ca, tmp_path))
    assert server.http.seen and server.http.seen[0][2], "the account was not sent"  # type: ignore[attr-defined]
    server.http.seen.clear()  # type: ignore[attr-defined]


@pytest.mark.parametrize("way", ["unknown", "changed", "revoked", "pinned"])
def test_ssh(way: str, tmp_path: Path) -> None:
    key, other = (asyncssh.generate_private_key("ssh-rsa", key_size=2048) for _unused in range(2))
    script = scripted_ssh.Script(password=PASSWORD)
    server = scripted_ssh.Server(script, key)
    known, place = tmp_path / "known_hosts", f"[127.0.0.1]:{server.port}"
    lines = {
        "unknown": "",
        "changed": f"{place} {other.export_public_key().decode()}",
        "pinned": f"{place} {key.export_public_key().decode()}",
    }
    lines["revoked"] = f"{lines['pinned']}@revoked {lines['pinned']}"
    known.write_text(lines[way])
    given = {**PLATFORM, "host": "127.0.0.1", "ssh_port": server.port, "ssh_known_hosts": str(known), "timeout": 5}
    if way == "pinned":
        given["ssh_host_key"] = other.get_fingerprint()
    try:
        said = ran("cucm_certificate_info", {**given, "interface": "cli"}).sentence
    finally:
        server.stop()
    wrong = {"unknown": "is not in", "changed": "is NOT the one in", "revoked": "is revoked in",
             "pinned": "is not the one that ssh_host_key pins"}[way]  # fmt: skip
    assert wrong in said and str(server.port) in said, said
    assert "add it to ssh_known_hosts or pin it with ssh_host_key" in said
    assert not script.passwords and PASSWORD not in said


def test_a_probe_tells_who_is_there_and_trusts_nobody(impostors: dict[str, tuple[Impostor, Path]]) -> None:
    """The probe is asked to report; it compares with what the node holds, and sends nothing of ours."""
    installed = ssl.get_server_certificate(("127.0.0.1", impostors["good"][0].port))
    for way in ("self-signed", "wrong CA", "expired"):
        server = impostors[way][0]
        found = ran("sip_tls_probe", {"host": "127.0.0.1", "port": server.port, "held": installed, "options": False})
        assert not found.result.get("failed") and found.result["matches_held"] is False, found.result
        assert not server.http.seen, way  # type: ignore[attr-defined]
    assert subprocess.run(["openssl", "version"], check=True, capture_output=True).stdout
