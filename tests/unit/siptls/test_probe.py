# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe against `openssl s_server`, which asks for a client certificate as a SIP TLS port does."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._siptls import probe

VERSIONS = {"tls1": "TLSv1", "tls1_2": "TLSv1.2", "tls1_3": "TLSv1.3"}


def openssl(*words: str, cwd: Path) -> None:
    subprocess.run(["openssl", *words], cwd=cwd, check=True, capture_output=True)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA, a server and a client of it, and a stranger, as old releases have them: SHA-1, RSA 1024."""
    folder = tmp_path_factory.mktemp("pki")
    new = ("req", "-newkey", "rsa:1024", "-nodes", "-sha1")
    openssl(*new, "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Lab CA", cwd=folder)
    openssl(*new, "-x509", "-keyout", "stranger.key", "-out", "stranger.pem", "-subj", "/CN=Stranger", cwd=folder)
    for name in ("server", "client"):
        openssl(*new, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}", cwd=folder)
        sign = ("x509", "-req", "-sha1", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
        openssl(*sign, "-out", f"{name}.pem", cwd=folder)
    return folder


@contextmanager
def server(folder: Path, version: str, *, verify: bool = True) -> Iterator[int]:
    """s_server on a free port of loopback; -Verify refuses a client without a certificate."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", f"-{version}", "-cipher", "ALL:@SECLEVEL=0"]
    command += ["-cert", "server.pem", "-key", "server.key", "-cert_chain", "ca.pem", "-CAfile", "ca.pem", "-quiet"]
    command += ["-Verify", "2", "-verify_return_error"] if verify else []
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        for _attempt in range(100):
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_port_that_refuses_us_still_shows_its_chain(pki: Path, version: str) -> None:
    with server(pki, version) as port:
        chain = probe.served_certificate("127.0.0.1", port, legacy=True)
        seen = probe.handshake("127.0.0.1", port, probe.client_context(True))
    wanted = [(pki / name).read_text() for name in ("server.pem", "ca.pem")]
    assert [ssl.PEM_cert_to_DER_cert(pem) for pem in chain] == [ssl.PEM_cert_to_DER_cert(pem) for pem in wanted]
    assert seen.version == VERSIONS[version]
    assert not seen.completed
    assert seen.alert in ("handshake_failure", "certificate_required"), seen


@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_of_the_right_ca_gets_through(pki: Path, version: str) -> None:
    with server(pki, version) as port:
        context = probe.client_context(True, str(pki / "client.pem"), str(pki / "client.key"))
        seen = probe.handshake("127.0.0.1", port, context)
    assert seen.completed, seen
    assert seen.alert is None
    if version != "tls1_3":
        assert seen.asked_for_certificate
        assert seen.acceptable_cas == ["CN=Lab CA"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_of_another_ca_is_refused_by_name(pki: Path, version: str) -> None:
    with server(pki, version) as port:
        context = probe.client_context(True, str(pki / "stranger.pem"), str(pki / "stranger.key"))
        seen = probe.handshake("127.0.0.1", port, context)
    assert not seen.completed
    assert seen.alert in ("unknown_ca", "bad_certificate", "certificate_unknown"), seen


def test_old_tls_is_named_when_it_is_not_allowed(pki: Path) -> None:
    with server(pki, "tls1") as port, pytest.raises(Failure, match="legacy_crypto"):
        probe.served_certificate("127.0.0.1", port, legacy=False)


def test_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(Failure, match="No TCP connection"):
            probe.served_certificate("127.0.0.1", port)
