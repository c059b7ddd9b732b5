# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tshark judges the capture reader, on OpenSSL's handshakes that tcpdump recorded on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import capture

from tests.support.made_captures import Flights, Identities, frames_of, write_pcap
from tests.support.tshark_judge import agreed, needs_tshark, tcpdump

pytestmark = needs_tshark
CIPHER = "AES128-SHA:@SECLEVEL=0"
# name: (server's arguments, client's arguments)
HANDSHAKES = {
    "TLS 1.0": (["-tls1", "-cipher", CIPHER, "-Verify", "2"], ["-tls1", "-cipher", CIPHER, "mine"]),
    "TLS 1.2": (["-tls1_2", "-Verify", "2"], ["-tls1_2", "mine"]),
    "TLS 1.3": (["-tls1_3", "-Verify", "2"], ["-tls1_3", "mine"]),
    "no certificate": (["-tls1_2", "-Verify", "2"], ["-tls1_2"]),
    "wrong CA": (["-tls1_2", "-Verify", "2", "-verify_return_error"], ["-tls1_2", "other"]),
    "one way": (["-tls1_2"], ["-tls1_2"]),
    "no common version": (["-tls1_3"], ["-tls1_2"]),
}


def assert_agrees(path: Path) -> capture.CaptureConnection:
    """The one connection of a capture, on which tshark and we agree."""
    (found,) = agreed(path)
    return found


@pytest.fixture(scope="module")
def recorded(identities: Identities, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Records a handshake of openssl s_client with openssl s_server by tcpdump."""
    if os.geteuid() != 0:
        pytest.skip("tcpdump needs root")
    folder = tmp_path_factory.mktemp("recorded")
    own = ["-cert", "CUCMA.pem", "-key", "CUCMA.key"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": identities.folder}

    def record(name: str) -> Path:
        server_words, client_words = HANDSHAKES[name]
        client_words = [
            part
            for word in client_words
            for part in (
                own if word == "mine" else ["-cert", "Other.pem", "-key", "Other.key"] if word == "other" else [word]
            )
        ]
        # An address of its own each time, so that no port is still in use.
        address = f"127.78.{os.getpid() % 250 + 1}.{list(HANDSHAKES).index(name) + 2}"
        path = folder / f"{name.replace(' ', '-')}.pcap"
        with tcpdump(path, f"tcp port 5061 and host {address}"):
            server = subprocess.Popen(
                ["openssl", "s_server", "-accept", f"{address}:5061", "-cert", "CUCM10.pem", "-key", "CUCM10.key",
                 "-cert_chain", "ca.pem", "-CAfile", "ca.pem", "-quiet", *server_words], **quiet,  # type: ignore[call-overload]
            )  # fmt: skip
            try:
                _wait_listening(address)
                subprocess.run(
                    ["openssl", "s_client", "-connect", f"{address}:5061", "-CAfile", "ca.pem", *client_words],
                    input="Q\n", text=True, timeout=20, check=False, **quiet,  # type: ignore[call-overload]
                )  # fmt: skip
            finally:
                server.terminate()
                server.wait(10)
        return path

    yield record


def _wait_listening(address: str) -> None:
    for _unused in range(100):
        # Reads /proc, because a trial connection would be in the capture.
        wanted = "".join(f"{int(part):02X}" for part in reversed(address.split("."))) + f":{5061:04X}"
        if any(line.split()[1] == wanted for line in Path("/proc/net/tcp").read_text().splitlines()[1:]):
            return
        time.sleep(0.05)
    raise AssertionError(f"openssl s_server does not listen on {address} ({socket.gethostname()})")


@pytest.mark.parametrize("name", HANDSHAKES)
def test_tshark_agrees_on_what_tcpdump_recorded(recorded: Callable[[str], Path], name: str) -> None:
    found = assert_agrees(recorded(name))
    if name in ("TLS 1.0", "TLS 1.2"):
        assert found.mutual is True
        assert found.asked_cas == ["CN=Lab CA,O=cisco,C=IN"]
    assert found.established is (name not in ("no certificate", "wrong CA", "no common version"))


@pytest.mark.parametrize("link", ["ethernet", "vlan", "sll", "sll2", "raw"])
@pytest.mark.parametrize("v6", [False, True], ids=["IPv4", "IPv6"])
def test_tshark_agrees_on_link_types(shake: Callable[..., Flights], tmp_path: Path, link: str, v6: bool) -> None:
    assert_agrees(write_pcap(tmp_path / "packets.cap", frames_of(shake(), v6=v6), link))
