# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A SIP phone of another make: Debian's baresip over TLS with SRTP, its ciphers and versions as it comes."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.own_ca import OwnCa

PLACES = [*sorted(Path("/usr/lib").glob("*/baresip/modules")), Path("/usr/lib/baresip/modules")]
NEEDED = ("account", "g711", "aubridge", "srtp", "uuid", "menu", "ctrl_tcp")
#: baresip binds no address for what it sends, so that a cluster knows it by the first address of loopback
ADDRESS = "127.0.0.1"
#: the number that it answers
NUMBER = "7001"


def modules() -> Path:
    """baresip's modules; the test is skipped, with the package to install, where a part is missing."""
    found = next((place for place in PLACES if all((place / f"{name}.so").exists() for name in NEEDED)), None)
    if found is None or not shutil.which("baresip"):
        pytest.skip("A PHONE OF ANOTHER MAKE DID NOT RUN: on Debian install baresip-core")
    return found


def free_ports() -> tuple[int, int]:
    """A port for SIP of which the next one, for TLS, is free as well, and one to control the program."""
    for _attempt in range(50):
        with socket.create_server((ADDRESS, 0)) as first, contextlib.ExitStack() as sockets:
            sip = first.getsockname()[1]
            with contextlib.suppress(OSError):
                sockets.enter_context(socket.create_server((ADDRESS, sip + 1)))
                control = sockets.enter_context(socket.create_server((ADDRESS, 0)))
                return sip, control.getsockname()[1]
    raise AssertionError("no two ports in a row are free")


class Baresip:
    """One baresip on loopback, which answers every call."""

    name = "baresip"

    def __init__(self, folder: Path, cluster: str) -> None:
        self.folder, self.cluster = folder, cluster
        self.ca = OwnCa(folder, "Baresip", self.name)
        self._sip, self._port = free_ports()
        self._lines: list[dict[str, Any]] = []
        self._buffer = b""

    @property
    def port(self) -> int:
        """Where it listens for TLS."""
        return self._sip + 1

    @contextmanager
    def running(self, trusts: Path) -> Iterator[None]:
        """The phone, which trusts the CA in the file `trusts`, until the end of the block."""
        self._configure(modules(), trusts)
        with (self.folder / "baresip.log").open("w") as log:
            phone = subprocess.Popen(
                ["baresip", "-f", str(self.folder), "-v"], cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            with self._connected(phone) as self._control:
                yield
        finally:
            phone.terminate()
            try:
                phone.wait(10)
            except subprocess.TimeoutExpired:
                phone.kill()
                phone.wait()

    def call(self, number: str) -> dict[str, Any]:
        """Call a number of the cluster and hang up once it is answered; the event that ended the attempt."""
        self._say("dial", f"sip:{number}@{self.cluster}:5061")
        found = self._event({"CALL_ESTABLISHED", "CALL_CLOSED"})
        if found["type"] == "CALL_ESTABLISHED":
            time.sleep(0.2)
            self._say("hangup", "")
            self._event({"CALL_CLOSED"})
        return found

    def log(self) -> str:
        """What baresip said."""
        return (self.folder / "baresip.log").read_text(errors="replace")[-4000:]

    def _configure(self, place: Path, trusts: Path) -> None:
        identity = self.folder / "identity.pem"
        identity.write_text((self.folder / "leaf.key").read_text() + (self.folder / "leaf.pem").read_text())
        identity.chmod(0o600)
        account = (f"<sip:{NUMBER}@{ADDRESS}:{self.port};transport=tls>;regint=0;mediaenc=srtp-mand;answermode=auto;"
                   "audio_codecs=PCMU\n")  # fmt: skip
        (self.folder / "accounts").write_text(account)
        (self.folder / "contacts").touch()
        loads = "".join(f"module {name}.so\n" for name in ("g711", "aubridge", "srtp"))
        loads += "module_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n"
        (self.folder / "config").write_text(
            f"poll_method epoll\nnet_interface {ADDRESS}\nsip_listen {ADDRESS}:{self._sip}\n"
            f"sip_certificate {identity}\nsip_cafile {trusts}\nctrl_tcp_listen {ADDRESS}:{self._port}\n"
            f"audio_source aubridge,one\naudio_player aubridge,one\naudio_alert aubridge,one\n"
            f"module_path {place}\n{loads}"
        )

    @contextmanager
    def _connected(self, phone: subprocess.Popen[bytes]) -> Iterator[socket.socket]:
        end = time.monotonic() + 30
        while True:
            assert phone.poll() is None and time.monotonic() < end, self.log()
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection((ADDRESS, self._port)) as found:
                found.settimeout(30)
                yield found
                return
            time.sleep(0.1)

    def _say(self, command: str, parameters: str) -> None:
        """Send a command as a netstring with JSON."""
        text = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))

    def _event(self, types: set[str]) -> dict[str, Any]:
        """The next event of a call of its own of one of these types."""
        while True:
            size, colon, rest = self._buffer.partition(b":")
            if colon and len(rest) > int(size):
                message, self._buffer = json.loads(rest[: int(size)]), rest[int(size) + 1 :]
                if message.get("direction") == "outgoing" and message.get("type") in types:
                    found: dict[str, Any] = message
                    return found
                continue
            more = self._control.recv(65_536)
            assert more, self.log()
            self._buffer += more
