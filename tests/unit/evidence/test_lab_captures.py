# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's captures, and tcpdump's of the lab's traffic, read by tshark and by the collection: they agree."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence import files as evidence_files
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import capture
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cucm_lab.sip import place_call
from cucm_lab.sip import testing as world

from tests.support.tshark_judge import agreed, needs_root, needs_tshark, tcpdump, tshark

pytestmark = needs_tshark
RELEASES = [("9.1", "TLSv1"), ("14", "TLSv1.2"), ("15SU2", "TLSv1.3")]
# 6291456: a warning, such as a bad checksum, a lost segment or a retransmission.
COMPLAINTS = "_ws.malformed || _ws.expert.severity >= 6291456"


def der(pem: str) -> bytes:
    """A certificate as it crosses the wire."""
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(("release", "version"), RELEASES)
def test_a_sound_call_and_a_refusal(tmp_path: Path, release: str, version: str) -> None:
    good, bad = tmp_path / "good.cap", tmp_path / "bad.cap"

    async def run() -> list[bytes]:
        async with world.running(tmp_path, world.scenario(release, release)) as lab:
            await world.secure_pair(lab)
            node = lab.nodes[0]
            first = node.sip.captures.start(path=good)
            assert (await place_call(lab, "a", "1018", "9898"))["result"] == "answered"
            assert (await place_call(lab, "b", "9898", "1018"))["result"] == "answered"
            world.reset_trunks(lab.clusters["a"])
            await asyncio.sleep(0.2)
            first.stop()
            installed = [der(each.certs.held_certificate("CallManager")) for each in lab.nodes]
            await world.certify(lab.clusters["b"].publisher, world.Authority("Other CA"))
            second = node.sip.captures.start(path=bad)
            assert (await place_call(lab, "a", "1018", "9898"))["result"] == "failed"
            await asyncio.sleep(0.1)
            second.stop()
            return installed

    installed = asyncio.run(run())
    assert tshark(good, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-Y", COMPLAINTS) == ""
    found = agreed(good)
    assert len(found) == 2
    for connection in found:
        assert connection.tls_version == version
        assert connection.established is True
        if version == "TLSv1.3":
            assert connection.certificates_visible is False
            assert connection.mutual is None
        else:
            assert connection.mutual is True
            assert {connection.client_chain[0], connection.server_chain[0]} == set(installed)
    refused = agreed(bad)
    assert [connection.established for connection in refused] == [False]
    if version != "TLSv1.3":
        assert [alert["name"] for alert in refused[0].alerts] == ["unknown_ca"]


@needs_root
@pytest.mark.parametrize(("release", "version"), RELEASES)
def test_tcpdump_saw_the_same(tmp_path: Path, release: str, version: str) -> None:
    """The kernel's segments of the lab's sockets, beside the lab's own account of them."""
    lab_path, dump = tmp_path / "lab.cap", tmp_path / "lo.pcap"

    async def run() -> None:
        async with world.running(tmp_path, world.scenario(release, release)) as lab:
            await world.secure_pair(lab)
            with tcpdump(dump, f"tcp port 5061 and host {lab.nodes[0].address}"):
                own = lab.nodes[0].sip.captures.start(path=lab_path)
                assert (await place_call(lab, "a", "1018", "9898"))["result"] == "answered"
                own.stop()

    asyncio.run(run())
    (by_lab,), (by_kernel,) = agreed(lab_path), agreed(dump)
    for name in ("tls_version", "cipher", "established", "mutual", "client_chain", "server_chain", "asked_cas"):
        assert getattr(by_kernel, name) == getattr(by_lab, name), name
    assert [message["message"] for message in by_kernel.handshake] == [
        message["message"] for message in by_lab.handshake
    ]
    assert by_kernel.tls_version == version


@needs_root
@pytest.mark.skipif(
    shutil.which("editcap") is None, reason="not installed: editcap (apt-get install -y wireshark-common)"
)
def test_pcapng_and_rolled_files_say_the_same(tmp_path: Path) -> None:
    whole = tmp_path / "packets.cap"

    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            await world.secure_pair(lab)
            own = lab.nodes[0].sip.captures.start(path=whole)
            assert (await place_call(lab, "a", "1018", "9898"))["result"] == "answered"
            own.stop()

    asyncio.run(run())
    (expected,) = agreed(whole)
    newer = tmp_path / "packets.pcapng"
    subprocess.run(["editcap", "-F", "pcapng", str(whole), str(newer)], check=True, capture_output=True)
    assert agreed(newer)[0] == expected
    # As CUCM rolls: packets.cap, packets.cap01, ...; here eight packets a file, so that the handshake is torn apart.
    parts = tmp_path / "rolled"
    parts.mkdir()
    subprocess.run(
        ["editcap", "-F", "pcap", "-c", "8", str(whole), str(parts / "part.cap")], check=True, capture_output=True
    )
    for at, part in enumerate(sorted(parts.glob("part_*"))):
        part.rename(parts / ("packets.cap" if at == 0 else f"packets.cap{at:02}"))
    read = capture.read(evidence_files.rolled(parts / "packets.cap"))
    assert len(evidence_files.rolled(parts / "packets.cap")) > 2
    assert read.connections == [expected]
