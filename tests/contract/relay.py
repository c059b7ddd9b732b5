# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TLS relay, so that today's clients reach the lab's old releases: TLS 1.2 before it, TLS 1.0 behind it.

urllib3 refuses TLS 1.0, and ciscoaxl makes its session by itself. Only cryptography is translated; not a byte changes.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
from pathlib import Path

IDLE = 120  # seconds without a byte after which a connection is given up


class Relay:
    """Listens on loopback and passes everything on to a node."""

    def __init__(self, host: str, port: int, certificate: Path) -> None:
        self._target = (host, port)
        self._front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._front.load_cert_chain(certificate)
        self._back = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._back.check_hostname = False
        self._back.verify_mode = ssl.CERT_NONE
        self._back.minimum_version = ssl.TLSVersion.TLSv1
        self._back.set_ciphers("ALL:@SECLEVEL=0")
        for context in (self._front, self._back):
            # In TLS 1.3 a ticket makes a socket readable without a byte to read, and _pass_on would wait for one.
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                raw, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError), self._front.wrap_socket(raw, server_side=True) as near:
            behind = socket.create_connection(self._target)
            with self._back.wrap_socket(behind, server_hostname="node") as far:
                self._pass_on(near, far)

    @staticmethod
    def _pass_on(near: ssl.SSLSocket, far: ssl.SSLSocket) -> None:
        """Both ways in one thread: a TLS socket does not survive a read and a write at once."""
        # Not select(), which takes no descriptor above 1,023; a test process that has run much has such.
        with selectors.DefaultSelector() as watch:
            ways = ((near, far), (far, near))
            for way in ways:
                watch.register(way[0], selectors.EVENT_READ, way)
            while True:
                ready = [way for way in ways if way[0].pending()] or [key.data for key, _unused in watch.select(IDLE)]
                for source, target in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    target.sendall(data)
                if not ready:
                    return

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()
