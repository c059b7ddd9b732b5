# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tshark's reading of a capture, and whether ours says the same of every connection."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import capture

NEEDED = [name for name in ("tshark", "tcpdump", "openssl") if not shutil.which(name)]
needs_tshark = pytest.mark.skipif(
    bool(NEEDED), reason=f"not installed: {', '.join(NEEDED)} (apt-get install -y tshark tcpdump openssl)"
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="tcpdump needs root")
NAMES = {"0x0301": "TLSv1", "0x0302": "TLSv1.1", "0x0303": "TLSv1.2", "0x0304": "TLSv1.3"}
FIELDS = (
    "tcp.stream", "tcp.srcport", "tcp.dstport", "tls.handshake.certificate", "tls.handshake.type",
    "tls.handshake.version", "tls.handshake.extensions.supported_version", "tls.handshake.ciphersuite",
    "tls.alert_message.desc",
)  # fmt: skip


@dataclass
class Stream:
    """What tshark shows of one connection."""

    ports: tuple[str, str] = ("", "")
    chains: dict[str, list[bytes]] = field(default_factory=lambda: {"client": [], "server": []})
    alerts: list[tuple[str, int]] = field(default_factory=list)
    version: str | None = None
    cipher: str | None = None


def tshark(path: Path, *words: str) -> str:
    """tshark's output; it must have nothing to complain of."""
    order = ["tshark", "-r", str(path), "-d", "tcp.port==5061,tls", *words]
    done = subprocess.run(
        order, capture_output=True, text=True, check=True, env={**os.environ, "HOME": str(path.parent)}
    )
    said = [line for line in done.stderr.splitlines() if line and "Running as user" not in line]
    assert not said, said
    return done.stdout


def streams(path: Path) -> list[Stream]:
    """The connections with TLS in them, in tshark's words."""
    words = ["-Y", "tls.handshake || tls.alert_message", "-T", "fields", "-E", "occurrence=a", "-E", "separator=/t"]
    for name in FIELDS:
        words += ["-e", name]
    found: dict[str, Stream] = defaultdict(Stream)
    for line in tshark(path, *words).splitlines():
        number, source, target, certificates, types, versions, supported, ciphers, alerts = line.split("\t")
        conversation, side = found[number], "client" if target == "5061" else "server"
        conversation.ports = (source, target) if side == "client" else (target, source)
        conversation.chains[side] += [bytes.fromhex(each.replace(":", "")) for each in certificates.split(",") if each]
        conversation.alerts += [(side, int(each)) for each in alerts.split(",") if each]
        if "2" in types.split(","):
            conversation.version, conversation.cipher = (
                NAMES[(supported or versions).split(",")[0]],
                ciphers.split(",")[0],
            )
    return list(found.values())


def agreed(path: Path) -> list[capture.CaptureConnection]:
    """Our reading of the TLS connections; certificates by direction, version, cipher and plain alerts are tshark's."""
    ours = {
        (connection.client.rsplit(":", 1)[1], connection.server.rsplit(":", 1)[1]): connection
        for connection in capture.read([path]).connections
        if connection.handshake or connection.alerts
    }
    theirs = streams(path)
    assert set(ours) == {conversation.ports for conversation in theirs}
    for conversation in theirs:
        found = ours[conversation.ports]
        assert found.client_chain == conversation.chains["client"]
        assert found.server_chain == conversation.chains["server"]
        assert found.tls_version == conversation.version
        assert (found.cipher is None) == (conversation.cipher is None)
        assert [
            (each["from"], each["code"]) for each in found.alerts if each["code"] is not None
        ] == conversation.alerts
    return list(ours.values())


@contextmanager
def tcpdump(path: Path, *words: str) -> Iterator[None]:
    """tcpdump on loopback while the block runs."""
    order = ["tcpdump", "-i", "lo", "-U", "--immediate-mode", "-Z", "root", "-w", str(path), *words]
    with subprocess.Popen(order, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "listening on" in process.stderr.readline()
        try:
            yield
            time.sleep(0.3)
        finally:
            process.terminate()
            process.wait(10)
