# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters in this process with trunks between them, for the tests of the lab's SIP side."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..config import Record, reference
from ..pki.store import CsrOptions
from ..scenario import parse
from ..world import Cluster, Lab, Node
from . import start

CALLMANAGER = "Cisco CallManager"
TLS_NAME = "TLS to peer"


def free_net() -> str:
    """Two octets of loopback that no lab on this machine uses at present."""
    chance = random.Random(os.getpid() ^ random.getrandbits(30))
    while True:
        net = f"127.{chance.randrange(110, 250)}"
        with socket.socket() as probe:
            try:
                probe.bind((f"{net}.91.1", 5061))
            except OSError:
                continue
            return net


async def eventually(holds: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Return as soon as something holds; TimeoutError when it does not within that time."""
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(0.05)


class Authority:
    """A CA of the test."""

    def __init__(self, name: str = "Test CA") -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = (
            self._builder(self.name, self.key.public_key(), 3650)
            .add_extension(x509.BasicConstraints(True, None), True)
            .sign(self.key, hashes.SHA256())
        )

    def _builder(self, subject: x509.Name, key: Any, days: int) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=days))
        )

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def sign(self, csr_pem: str, days: int = 365) -> str:
        csr = x509.load_pem_x509_csr(csr_pem.encode())
        builder = self._builder(csr.subject, csr.public_key(), days)
        for extension in csr.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    def issue(self, common_name: str, folder: Path, *, client: bool = True) -> tuple[Path, Path]:
        """(certificate file, key file) of a peer that is not CUCM."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        usages = [ExtendedKeyUsageOID.SERVER_AUTH] + ([ExtendedKeyUsageOID.CLIENT_AUTH] if client else [])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        leaf = (
            self._builder(subject, key.public_key(), 365)
            .add_extension(x509.ExtendedKeyUsage(usages), False)
            .sign(self.key, hashes.SHA256())
        )
        paths = folder / f"{common_name}.pem", folder / f"{common_name}.key"
        paths[0].write_bytes(leaf.public_bytes(Encoding.PEM))
        paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return paths


def scenario(first: str, second: str, *, inferred: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "name": "sip-test",
        "inferred": {"service.restart_seconds": 0.02, "phones.srtp_in_non_secure_mode": True, **(inferred or {})},
        "clusters": [
            {"name": "a", "release": first, "nodes": [{"name": "CUCMA", "address": "127.0.91.1"}],
             "phones": [{"extension": "1018"}, {"extension": "1019", "behaviour": "busy"}]},
            {"name": "b", "release": second, "nodes": [{"name": "CUCM10", "address": "127.0.105.1"}],
             "phones": [{"extension": "9898"}, {"extension": "9897", "behaviour": "busy"}]},
        ],
        **more,
    }  # fmt: skip


@contextlib.asynccontextmanager
async def running(folder: Path, data: dict[str, Any]) -> AsyncIterator[Lab]:
    lab = Lab(parse(data, "sip-test", free_net()), folder)
    endpoints = [await start(lab, node) for node in lab.nodes]
    try:
        yield lab
    finally:
        for endpoint in endpoints:
            await endpoint.stop()
        await lab.close()


def record(cluster: Cluster, kind: str, name: str) -> Record:
    found = cluster.config.record(kind, name)
    assert found is not None
    return found


def reset_trunks(cluster: Cluster) -> None:
    """Reset every trunk."""
    cluster.config.apply(cluster.config.records("SipTrunk"))


def change(cluster: Cluster, kind: str, name: str, *, reset: bool = True, **fields: Any) -> None:
    """Change an object as AXL would, and reset every trunk."""
    old = record(cluster, kind, name)
    cluster.config.replace(Record(old.pkid, old.kind, old.name, old.scope, {**old.body, **fields}))
    if reset:
        reset_trunks(cluster)


def connect(
    cluster: Cluster,
    peer: Cluster,
    pattern: str,
    *,
    tls: bool = True,
    srtp: bool = True,
    profile_name: str = TLS_NAME,
    **trunk: Any,
) -> str:
    """A trunk of `cluster` to `peer` with its profile and a route pattern; the trunk's name."""
    config = cluster.config
    non_secure = record(cluster, "SipTrunkSecurityProfile", "Non Secure SIP Trunk Profile")
    profile = non_secure
    if tls:
        body = {
            **non_secure.body, "name": profile_name, "securityMode": "Encrypted", "incomingTransport": "TLS",
            "outgoingTransport": "TLS", "incomingPort": 5061,
            "x509SubjectName": ", ".join(name for node in peer.nodes for name in (node.name, node.fqdn)),
        }  # fmt: skip
        profile = config.add("SipTrunkSecurityProfile", profile_name, body)
    name = f"to-{peer.name}"
    made = config.add("SipTrunk", name, {
        "name": name, "description": "", "devicePoolName": reference(record(cluster, "DevicePool", "Default")),
        "securityProfileName": reference(profile),
        "sipProfileName": reference(record(cluster, "SipProfile", "Standard SIP Profile")),
        "srtpAllowed": srtp, "runOnEveryNode": False, "sipTrunkType": "None(Default)",
        "destinations": [{"addressIpv4": node.address, "port": 5061 if tls else 5060, "sortOrder": place}
                         for place, node in enumerate(peer.nodes, 1)],
        **trunk,
    })  # fmt: skip
    config.add("RoutePattern", pattern, {
        "pattern": pattern, "routePartitionName": None, "blockEnable": False,
        "destination": {"gatewayName": reference(made), "routeListName": None},
    })  # fmt: skip
    return name


async def certify(
    node: Node,
    authority: Authority,
    *trusted: Authority,
    restart: bool = True,
    purposes: tuple[str, ...] = ("CallManager",),
) -> None:
    """Install CA-signed certificates, as an operator would."""
    for each in (authority, *trusted):
        node.certs.import_trust("CallManager-trust", each.pem)
    for purpose in purposes:
        node.certs.import_own(purpose, authority.sign(node.certs.generate_csr(purpose)))
    if restart:
        await node.services.restart(CALLMANAGER)


async def secure_pair(lab: Lab, *, srtp: bool = True) -> Authority:
    """Two clusters with certificates of one CA, and TLS trunks and route patterns in both directions."""
    authority = Authority()
    first, second = lab.clusters["a"], lab.clusters["b"]
    connect(first, second, "98XX", srtp=srtp)
    connect(second, first, "1018", srtp=srtp)
    for cluster in (first, second):
        for node in cluster.nodes:
            await certify(node, authority)
    return authority


def multi_server() -> CsrOptions:
    """A request for one certificate for all nodes."""
    return CsrOptions(multi_server=True)


async def s_client(node: Node, *arguments: str, send: bytes = b"", seconds: float = 3.0) -> str:
    """The output of `openssl s_client` against a node's 5061, which runs this many seconds after the certificates."""
    process = await asyncio.create_subprocess_exec(
        "openssl", "s_client", "-connect", f"{node.address}:5061", "-ign_eof", "-showcerts", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(send)
    text = ""
    try:
        async with asyncio.timeout(max(seconds, 20)) as limit:
            async for line in process.stdout:
                text += line.decode("utf-8", "replace")
                if b"END CERTIFICATE" in line:
                    # This may take long on a busy machine.
                    limit.reschedule(asyncio.get_running_loop().time() + seconds)
                if send and text.rstrip().endswith("Content-Length: 0"):
                    break
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    return text


def presented(shown: str) -> x509.Certificate:
    """The server's own certificate in what s_client printed."""
    pem = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", shown, re.DOTALL)
    assert pem, shown
    return x509.load_pem_x509_certificate(pem[0].encode())
