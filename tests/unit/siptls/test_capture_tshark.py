# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tshark judges the capture reader, on OpenSSL's handshakes that tcpdump recorded on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._siptls import capture
from made_captures import Flights, Identities, frames_of, write_pcap

NEEDED = [name for name in ("tshark", "tcpdump", "openssl") if not shutil.which(name)]
pytestmark = pytest.mark.skipif(
    bool(NEEDED), reason=f"not installed: {', '.join(NEEDED)} (apt-get install -y tshark tcpdump openssl)"
)
CIPHER = "AES128-SHA:@SECLEVEL=0"
NAMES = {"0x0301": "TLSv1", "0x0302": "TLSv1.1", "0x0303": "TLSv1.2", "0x0304": "TLSv1.3"}
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


def tshark(path: Path, *fields: str) -> list[list[str]]:
    """One row a frame that has any of the fields; every value of a field, joined by commas."""
    command = ["tshark", "-r", str(path), "-d", "tcp.port==5061,tls", "-Y", "tls.handshake || tls.alert_message"]
    command += ["-T", "fields", "-E", "occurrence=a", "-E", "separator=/t"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "HOME": str(path.parent)}
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


def assert_agrees(path: Path) -> capture.CaptureConnection:
    """Certificates by direction, version, cipher and plain alerts are tshark's."""
    (found,) = capture.read([path]).connections
    rows = tshark(
        path, "tcp.dstport", "tls.handshake.certificate", "tls.handshake.type", "tls.handshake.version",
        "tls.handshake.extensions.supported_version", "tls.handshake.ciphersuite", "tls.alert_message.desc",
    )  # fmt: skip
    chains: dict[str, list[bytes]] = {"client": [], "server": []}
    alerts: list[tuple[str, int]] = []
    version, cipher = None, None
    for port, certificates, types, versions, supported, ciphers, descriptions in rows:
        side = "client" if port == "5061" else "server"
        chains[side] += [bytes.fromhex(one.replace(":", "")) for one in certificates.split(",") if one]
        alerts += [(side, int(one)) for one in descriptions.split(",") if one]
        if "2" in types.split(","):
            version, cipher = NAMES[(supported or versions).split(",")[0]], ciphers.split(",")[0]
    assert found.client_chain == chains["client"]
    assert found.server_chain == chains["server"]
    assert found.tls_version == version
    assert [(one["from"], one["code"]) for one in found.alerts if one["code"] is not None] == alerts
    assert (found.cipher is None) == (cipher is None)
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
        tcpdump = subprocess.Popen(
            ["tcpdump", "-i", "lo", "-U", "--immediate-mode", "-Z", "root", "-w", str(path),
             f"tcp port 5061 and host {address}"],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert tcpdump.stderr is not None
        assert "listening on" in tcpdump.stderr.readline()
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
            time.sleep(0.3)
        finally:
            for process in (server, tcpdump):
                process.terminate()
                process.wait(10)
        return path

    yield record


def _wait_listening(address: str) -> None:
    for _ in range(100):
        # /proc is looked at, for a trial connection would stand in the capture.
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
