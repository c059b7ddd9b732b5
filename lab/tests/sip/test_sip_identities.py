# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two identities on 5061, as openssl sees them, and which of them a call between two clusters uses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cucm_lab.config import Record
from cucm_lab.release import RELEASES
from cucm_lab.sip import offer, place_call
from cucm_lab.sip import testing as world
from cucm_lab.sip.testing import CALLMANAGER, Authority, presented, s_client
from cucm_lab.world import Cluster, Lab, Node

BOTH = (offer.RSA, offer.ECDSA)
ASK_RSA = ("-cipher", "aRSA", "-no_tls1_3")


def installed(node: Node, purpose: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(node.certs.held_certificate(purpose).encode())


def prefer(cluster: Cluster, choice: str) -> None:
    """Set the enterprise parameter TLS Ciphers."""
    assert choice in offer.CHOICES
    row = cluster.config.search("ServiceParameter", "TLSCiphers")[0]
    cluster.config.replace(Record(row.pkid, row.kind, row.name, row.scope, {**row.body, "value": choice}))


def handshakes(lab: Lab, **fields: Any) -> list[Mapping[str, Any]]:
    return [event for event in lab.log.events("sip", event="handshake", **fields) if event["result"] == "ok"]


async def both_ways(lab: Lab) -> list[str]:
    found = []
    for cluster, calling, called in (("a", "1018", "9898"), ("b", "9898", "1018")):
        result = await place_call(lab, cluster, calling, called)
        assert (result["result"], result["secure"]) == ("answered", True), result
        found.append(result["cipher"])
    return found


@pytest.mark.parametrize("release", ["11.5", "12.5", "14", "15SU1", "15SU2", "15SU4"])
def test_openssl_is_shown_the_identity_that_it_ranks_first(tmp_path: Path, release: str) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario(release, "9.1")) as lab:
            node = lab.clusters["a"].publisher
            for asked, purpose in (((), offer.ECDSA), (ASK_RSA, offer.RSA)):
                shown = presented(await s_client(node, *asked, seconds=0.2))
                assert shown == installed(node, purpose)
                assert shown.issuer == shown.subject
            authority = Authority()
            await world.certify(node, authority, purposes=BOTH)
            for asked, purpose in (((), offer.ECDSA), (ASK_RSA, offer.RSA)):
                shown = presented(await s_client(node, *asked, seconds=0.2))
                assert shown == installed(node, purpose)
                assert shown.issuer == authority.name

    asyncio.run(run())


@pytest.mark.parametrize("release", ["14", "15SU2"])
@pytest.mark.parametrize("preferred", ["RSA", "ECDSA"])
def test_the_client_follows_tls_ciphers(tmp_path: Path, release: str, preferred: str) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario(release, release)) as lab:
            await world.secure_pair(lab)
            authority = Authority()
            first, second = lab.clusters.values()
            for cluster, peer in ((first, second), (second, first)):
                await world.certify(cluster.publisher, authority, purposes=BOTH)
                names = f"{peer.publisher.name}, {peer.publisher.fqdn}"
                world.change(cluster, "SipTrunkSecurityProfile", world.TLS_NAME, x509SubjectName=names)
            prefer(first, f"All Ciphers {preferred} Preferred")
            ciphers = await both_ways(lab)
            seen = [event["peer_subject"] for event in handshakes(lab, direction="out")]
            assert ("-EC." in seen[0], "-EC." in seen[1]) == (preferred == "ECDSA", False), seen
            if release == "14":
                assert [f"-{preferred}-" in ciphers[0], "-RSA-" in ciphers[1]] == [True, True]

    asyncio.run(run())


@pytest.mark.parametrize("sent", BOTH)
def test_the_client_sends_the_identity_that_the_table_of_inferences_names(tmp_path: Path, sent: str) -> None:
    async def run() -> None:
        data = world.scenario("12.5", "14", inferred={"sip.client_certificate": sent})
        async with world.running(tmp_path, data) as lab:
            await world.secure_pair(lab)
            authority = Authority()
            for cluster in lab.clusters.values():
                await world.certify(cluster.publisher, authority, purposes=BOTH)
            assert all("ECDHE-RSA" in cipher for cipher in await both_ways(lab))
            subjects = {event["peer_subject"] for event in handshakes(lab, direction="in")}
            assert {"-EC." in subject for subject in subjects} == {sent == offer.ECDSA}

    asyncio.run(run())


@pytest.mark.parametrize(("peer", "result"), [("10.5", "failed"), ("11.5", "answered")])
def test_in_fips_mode_an_old_release_has_no_tls_version_in_common(tmp_path: Path, peer: str, result: str) -> None:
    async def run() -> None:
        data = world.scenario("14", peer)
        data["clusters"][0]["fips"] = True
        async with world.running(tmp_path, data) as lab:
            await world.secure_pair(lab)
            for cluster, calling, called in (("a", "1018", "9898"), ("b", "9898", "1018")):
                call = await place_call(lab, cluster, calling, called)
                assert call["result"] == result and call["tls_version"] in ("", "TLSv1.2"), call

    asyncio.run(run())


@pytest.mark.parametrize(("gone_since", "result"), [((15, 0, 1, 13901, 2), "failed"), (None, "answered")])
def test_without_rsa_key_exchange_an_old_release_has_no_cipher_in_common(
    tmp_path: Path, gone_since: Any, result: str
) -> None:
    async def run() -> None:
        data = world.scenario("10.5", "15SU3")
        data["inferred"]["sip.rsa_key_exchange_gone_since"] = gone_since
        data["clusters"][1]["tls_min_version"] = "1.0"
        async with world.running(tmp_path, data) as lab:
            await world.secure_pair(lab)
            for cluster, calling, called in (("a", "1018", "9898"), ("b", "9898", "1018")):
                assert (await place_call(lab, cluster, calling, called))["result"] == result

    asyncio.run(run())


def test_fips_mode_refuses_old_peers(tmp_path: Path) -> None:
    async def run() -> None:
        data = world.scenario("10.5", "14")
        data["clusters"][1] |= {"fips": True, "tls_min_version": "1.0"}
        async with world.running(tmp_path, data) as lab:
            await world.secure_pair(lab)
            refused = await place_call(lab, "a", "1018", "9898")
            assert refused["result"] == "failed" and "protocol version" in refused["reason"], refused

    asyncio.run(run())


def test_the_minimum_version_refuses_old_peers_once_it_is_raised(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("9.1", "14")) as lab:
            await world.secure_pair(lab)
            assert (await place_call(lab, "a", "1018", "9898"))["result"] == "answered"
            node = lab.clusters["b"].publisher
            assert offer.minimum_version(node) == "1.0"
            for each in offer.set_minimum_version(node, "1.2"):
                await each.services.restart(CALLMANAGER)

            async def refused() -> bool:
                return "protocol version" in str((await place_call(lab, "a", "1018", "9898")).get("reason"))

            # A busy machine may have the restarted node answer later than the call.
            await world.eventually(refused)

    asyncio.run(run())


@pytest.mark.parametrize("release", list(RELEASES))
def test_self_signed_certificates_say_whether_they_are_a_ca(tmp_path: Path, release: str) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario(release, "9.1")) as lab:
            for unit in lab.clusters["a"].publisher.certs.units():
                extensions = installed(lab.clusters["a"].publisher, unit).extensions
                found = [e.value.ca for e in extensions if isinstance(e.value, x509.BasicConstraints)]
                assert found == ([False] if release in ("15SU3", "15SU4") and unit != "CAPF" else [])

    asyncio.run(run())


def test_tomcats_multi_server_certificate_serves_as_callmanagers(tmp_path: Path) -> None:
    async def run() -> None:
        async with world.running(tmp_path, world.scenario("14", "14")) as lab:
            node, authority = lab.clusters["a"].publisher, Authority()
            assert node.certs.reuse("tomcat", offer.RSA) is False
            node.certs.import_trust("tomcat-trust", authority.pem)
            csr = node.certs.generate_csr("tomcat", world.multi_server())
            node.certs.import_own("tomcat", authority.sign(csr))
            before = presented(await s_client(node, *ASK_RSA, seconds=0.2))
            assert node.certs.reuse("tomcat", offer.RSA) is True
            assert offer.RSA not in node.certs.listed_units()
            assert node.certs.held_certificate(offer.RSA) == node.certs.held_certificate("tomcat")
            assert presented(await s_client(node, *ASK_RSA, seconds=0.2)) == before
            await node.services.restart(CALLMANAGER)
            assert presented(await s_client(node, *ASK_RSA, seconds=0.2)) == installed(node, "tomcat")
            await world.certify(node, authority)
            assert offer.RSA in node.certs.listed_units()

    asyncio.run(run())
