# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Peers that must not get a call through, with openssl as the peer, and what the log says of them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cucm_lab.sip import place_call
from cucm_lab.sip import testing as world
from cucm_lab.sip.testing import presented, s_client
from cucm_lab.world import Lab, Node

OPTIONS = (
    b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bKtest\r\nFrom: <sip:t>;tag=1\r\n"
    b"To: <sip:x>\r\nCall-ID: test@127.0.0.1\r\nCSeq: 101 OPTIONS\r\nMax-Forwards: 0\r\nContent-Length: 0\r\n\r\n"
)
LEGACY = ["-tls1", "-cipher", "ALL:@SECLEVEL=0"]


def reasons(lab: Lab, node: Node) -> list[str]:
    events = lab.log.events("sip", event="handshake", node=node.name, direction="in")
    return [event["reason"] for event in events if "reason" in event]


def options_of(first: str) -> list[str]:
    """A new release presents the RSA identity to a client that asks for no other."""
    return LEGACY if first == "9.1" else ["-cipher", "aRSA", "-no_tls1_3"]


@pytest.mark.parametrize("release", ["9.1", "14", "15"])
def test_three_peers_that_are_refused_and_one_that_is_not(tmp_path: Path, release: str) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario(release, release)) as lab:
            authority = await world.secure_pair(lab)
            node = lab.clusters["a"].publisher
            peer = lab.clusters["b"].publisher
            openssl = options_of(release)

            def identity(common_name: str, of: world.Authority, **more: Any) -> list[str]:
                folder = tmp_path / of.certificate.subject.rfc4514_string()
                folder.mkdir(exist_ok=True)
                certificate, key = of.issue(common_name, folder, **more)
                return ["-cert", str(certificate), "-key", str(key)]

            shown = await s_client(node, *openssl, send=OPTIONS)
            installed = x509.load_pem_x509_certificate(node.certs.held_certificate("CallManager").encode())
            assert presented(shown) == installed
            assert installed.issuer == authority.name
            assert reasons(lab, node) == ["no_client_certificate"]

            await s_client(node, *openssl, *identity(peer.name, world.Authority("Other CA")), send=OPTIONS)
            assert reasons(lab, node)[1:] == ["unknown_ca"]

            await s_client(node, *openssl, *identity("nobody.invalid", authority), send=OPTIONS)
            assert reasons(lab, node)[2:] == ["subject_name_mismatch"]

            await s_client(node, *openssl, *identity(peer.name, authority, client=False), send=OPTIONS)
            assert reasons(lab, node)[3:] == ["purpose"]
            assert not lab.log.events("sip", event="request_refused")

            # The right names from an address that no trunk knows: TLS is there, SIP refuses.
            answer = await s_client(node, *openssl, *identity(peer.name, authority), send=OPTIONS)
            assert "503 Service Unavailable" in answer
            assert "Unable to find a device handler for the request received on port 5061 from 127.0.0.1" in answer
            assert len(reasons(lab, node)) == 4

            # And from the trunk's destination: alive.
            bound = ["-bind", f"{peer.address}:0"]
            answer = await s_client(node, *openssl, *bound, *identity(peer.name, authority), send=OPTIONS)
            assert "483 Too Many Hops" in answer

    asyncio.run(run())


@pytest.mark.parametrize("first", ["9.1", "15"])
@pytest.mark.parametrize("wrong", ["unknown_ca", "subject_name_mismatch", "self_signed", "their_name"])
def test_a_call_fails_with_its_reason(tmp_path: Path, first: str, wrong: str) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario(first, first)) as lab:
            await world.secure_pair(lab)
            calling, called = lab.clusters["a"], lab.clusters["b"]
            assert (await place_call(lab, "a", "1018", "9898"))["result"] == "answered"
            expected = wrong
            if wrong == "unknown_ca":
                other = world.Authority("Other CA")
                await world.certify(called.publisher, other)
            elif wrong == "self_signed":
                called.publisher.certs.regenerate("CallManager")
                await called.publisher.services.restart(world.CALLMANAGER)
                expected = "unknown_ca"
            else:
                cluster = calling if wrong == "subject_name_mismatch" else called
                world.change(cluster, "SipTrunkSecurityProfile", world.TLS_NAME, x509SubjectName="somebody, else")
                expected = "subject_name_mismatch"
                await asyncio.sleep(0)
            result = await place_call(lab, "a", "1018", "9898")
            assert result["result"] == "failed", result
            found = [e["reason"] for e in lab.log.events("sip", event="handshake") if e.get("reason")]
            assert expected in found, found
            if wrong != "their_name":
                assert {"unknown_ca": "unknown CA"}.get(expected, "subject name mismatch") in result["reason"]

    asyncio.run(run())


def test_an_expired_certificate_stops_the_call(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "10.5")) as lab:
            await world.secure_pair(lab)
            assert (await place_call(lab, "a", "1018", "9898"))["result"] == "answered"
            lab.clock.shift(400 * 86400)
            for node in lab.nodes:
                await node.services.restart(world.CALLMANAGER)
            result = await place_call(lab, "a", "1018", "9898")
            assert result["result"] == "failed"
            assert "has expired" in result["reason"]
            lab.clock.reset()
            assert (await place_call(lab, "a", "1018", "9898"))["result"] == "answered"

    asyncio.run(run())


def test_a_restart_activates_the_certificate_and_closes_the_port_meanwhile(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("14", "14")) as lab:
            node = lab.clusters["a"].publisher
            before = presented(await s_client(node, *options_of("14")))
            authority = world.Authority()
            await world.certify(node, authority, restart=False)
            assert presented(await s_client(node, *options_of("14"))) == before
            await node.services.stop(world.CALLMANAGER)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(node.address, 5061)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(node.address, 5060)
            await node.services.start(world.CALLMANAGER)
            after = presented(await s_client(node, *options_of("14")))
            assert after != before
            assert after.issuer == authority.name

    asyncio.run(run())


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 400, b"\x16\x03\x01\x00\x05hello", b""])
def test_garbage_on_the_tls_port_is_survived(tmp_path: Path, data: bytes) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "15")) as lab:
            for node in lab.nodes:
                reader, writer = await asyncio.open_connection(node.address, 5061)
                writer.write(data)
                writer.write_eof()
                await asyncio.wait_for(reader.read(), 3)
                writer.close()
                assert reasons(lab, node)
                assert not lab.log.events("sip", event="error")

    asyncio.run(run())


@pytest.mark.parametrize("release", ["9.1", "15"])
def test_openssl_as_the_server_accepts_our_client_certificate(tmp_path: Path, release: str) -> None:
    async def run() -> str:
        async with world.running(tmp_path, world.scenario(release, release)) as lab:
            authority = await world.secure_pair(lab)
            calling, called = (cluster.publisher for cluster in lab.clusters.values())
            await called.services.stop(world.CALLMANAGER)
            certificate, key = authority.issue(called.name, tmp_path)
            ca = tmp_path / "ca.pem"
            ca.write_text(authority.pem)
            process = await asyncio.create_subprocess_exec(
                "openssl", "s_server", "-accept", f"{called.address}:5061", "-cert", str(certificate), "-key", str(key),
                "-CAfile", str(ca), "-Verify", "2", "-verify_return_error", "-naccept", "1", "-purpose", "sslclient",
                *(LEGACY if release == "9.1" else []),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            assert process.stdout is not None
            await asyncio.wait_for(process.stdout.readuntil(b"ACCEPT"), 5)
            trunk = calling.sip.trunk("to-b")
            connection = await calling.sip.connect(trunk, called.address, 5061)
            await asyncio.sleep(0.1)
            connection.close()
            shown = await asyncio.wait_for(process.stdout.read(), 5)
            await process.wait()
            return shown.decode("utf-8", "replace")

    shown = asyncio.run(run())
    assert "ERROR" not in shown
    assert re.search(r"subject=.*CN ?= ?(CUCMA|cucma.lab.local)", shown)


def test_inferred_behaviour_can_be_switched(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("14", "14")) as lab:
            authority = await world.secure_pair(lab)
            calling, called = lab.clusters["a"], lab.clusters["b"]
            world.change(called, "SipTrunkSecurityProfile", world.TLS_NAME, x509SubjectName="somebody")
            lab.inferred.set("sip.name_mismatch", "403")
            await asyncio.sleep(0.05)
            assert (await place_call(lab, "a", "1018", "9898"))["status"] == 403
            world.change(called, "SipTrunkSecurityProfile", world.TLS_NAME, x509SubjectName="")
            assert (await place_call(lab, "a", "1018", "9898"))["status"] == 403
            lab.inferred.set("sip.empty_subject_matches", True)
            await asyncio.sleep(0.05)
            world.change(called, "SipTrunkSecurityProfile", world.TLS_NAME)
            await asyncio.sleep(0.05)
            assert (await place_call(lab, "a", "1018", "9898"))["result"] == "answered"

            # The lab reads the trust store at each handshake, unless it is set to wait for the restart.
            lab.inferred.set("sip.trust_needs_restart", True)
            for filename, pem in called.publisher.certs.trust("CallManager-trust"):
                if x509.load_pem_x509_certificate(pem.encode()).subject == authority.name:
                    called.publisher.certs.delete_trust("CallManager-trust", filename)
            world.reset_trunks(calling)
            await asyncio.sleep(0.05)
            assert (await place_call(lab, "a", "1018", "9898"))["result"] == "answered"
            lab.inferred.set("sip.trust_needs_restart", False)
            world.reset_trunks(calling)
            await asyncio.sleep(0.05)
            assert "unknown ca" in (await place_call(lab, "a", "1018", "9898"))["reason"]

    asyncio.run(run())
