# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA's web site that answers with anything: pages are read in linear time, and a run ends with it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._ca.certsrv import Certsrv
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure

from tests.support.vault import web_certificate

SHAPES = {
    "blanks": b"Disposition message:" + b" " * 2_000_000,
    "marks": b"<" * 2_000_000,
    "scripts": b"<script>" * 250_000,
    "digits": b"0x" + b"0" * 2_000_000,
    "dispositions": b"Disposition message:\n" * 100_000,
    "an unending certificate": b"-----BEGIN CERTIFICATE-----" + b" " * 2_000_000,
    "many certificates": b"-----BEGIN CERTIFICATE-----\n" * 70_000,
    "entities": b"&" * 2_000_000,
}


class Site:
    """An HTTPS server that sends what it is given, piece by piece."""

    def __init__(self, folder: Path) -> None:
        self.pieces: list[bytes] = []
        self.pause = 0.0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate, key = web_certificate(folder)
        self._context.load_cert_chain(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.options = {
            "url": f"https://127.0.0.1:{port}/certsrv", "username": "x", "password": "y", "auth": "basic",
            "ca_path": str(certificate), "validate_certs": True, "legacy_crypto": False, "timeout": 2,
        }  # fmt: skip
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _peer = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(plain,), daemon=True).start()

    def _answer(self, plain: socket.socket) -> None:
        try:
            with self._context.wrap_socket(plain, server_side=True) as tls:
                tls.recv(65536)
                for piece in self.pieces:
                    tls.sendall(piece)
                    time.sleep(self.pause)
        except OSError:
            return

    def close(self) -> None:
        """Stop."""
        self._listener.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    yield made
    made.close()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_hostile_page_is_read_in_linear_time(site: Site, shape: str) -> None:
    page = SHAPES[shape]
    site.pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(page), page]
    site.pause, client, began = 0.0, Certsrv({**site.options, "timeout": 30}), time.process_time()
    for ask in (lambda: client.retrieve(7), lambda: client.submit("CSR", None, None), client.authorities):
        try:
            ask()
        except Failure as failure:
            assert len(failure.msg) < 3_000
    assert time.process_time() - began < 5, "quadratic patterns take minutes for two million characters"


@pytest.mark.parametrize("where", ["head", "body"])
def test_an_answer_that_drips_ends_with_the_timeout(site: Site, where: str) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n"
    dripping = [b"X"] * 100
    site.pieces = [head, *dripping] if where == "head" else [head + b"\r\n", *dripping]
    site.pause, began = 0.5, time.monotonic()
    with pytest.raises(Failure, match="sent no complete response within 2 s"):
        Certsrv(site.options).login()
    assert time.monotonic() - began < 10


def test_a_page_that_never_ends_is_refused(site: Site) -> None:
    site.pieces, site.pause = [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 100_000] * 60], 0.0
    with pytest.raises(Failure, match="sent more than 4194304 bytes"):
        Certsrv({**site.options, "timeout": 30}).login()
