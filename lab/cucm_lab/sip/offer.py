# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which TLS versions, ciphers and certificates a node's SIP offers, as a server and as a client.

As a server CUCM follows the client's order. As a client it follows the enterprise parameter TLS Ciphers, which says
which suites are used at all and whether RSA or ECDSA comes first. TLS 1.3 chooses the certificate by the signature
algorithms. Sources: Cisco's Security Guide 15 (Set TLS Ciphers; TLS 1.3) and document 212086.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from ..release import TLS10, TlsPolicy, service_update

if TYPE_CHECKING:
    from ..world import Cluster, Node

#: enterprise parameter TLS Ciphers: its name is inferred (`sip.tls_ciphers_parameter`), its choices are documented
ALL_RSA = "All Ciphers RSA Preferred"
_STRONGEST = "Strongest-AES-256 SHA-384 Only:"
_MEDIUM = "Medium-AES-256 AES-128 Only:"
#: choice -> (part that a suite's name must have; None: any) and whether ECDSA comes first
CHOICES: dict[str, tuple[str | None, bool]] = {
    f"{_STRONGEST} RSA Preferred": ("AES256-GCM", False),
    f"{_STRONGEST} ECDSA Preferred": ("AES256-GCM", True),
    f"{_MEDIUM} RSA Preferred": ("GCM", False),
    f"{_MEDIUM} ECDSA Preferred": ("GCM", True),
    ALL_RSA: (None, False),
    "All Ciphers ECDSA Preferred": (None, True),
}
_VERSIONS = {
    "1.0": TLS10,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
_RSA_SIGNATURES = (
    "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512"
)
_ECDSA_SIGNATURES = "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512"
#: certificates of 9.1 are signed with SHA-1
_OLD_SIGNATURES = "RSA+SHA1:ECDSA+SHA1"
RSA, ECDSA = "CallManager", "CallManager-ECDSA"


def policy(node: Node) -> TlsPolicy:
    """Versions, cipher suites and signature algorithms of a node's SIP, in the order that it has as a client."""
    release = node.cluster.release
    needed, ecdsa_first = CHOICES[tls_ciphers(node.cluster)]
    suites = [suite for suite in release.sip.suites if needed is None or needed in suite]
    if not _has_rsa_key_exchange(node):
        suites = [suite for suite in suites if suite.startswith("ECDHE-")]
    if ecdsa_first:
        # CUCM's order is that of the key's size; within a size the preferred certificate comes first.
        suites.sort(key=lambda suite: ("AES256" not in suite, "GCM" not in suite, "ECDSA" not in suite))
    minimum = _VERSIONS[minimum_version(node)]
    if node.cluster.spec.fips:
        approved = _VERSIONS[str(node.cluster.lab.inferred["sip.fips_minimum"])]
        minimum = min(max(minimum, approved), release.sip.maximum)
    signatures = [_RSA_SIGNATURES]
    if release.has_ecdsa:
        signatures = [_ECDSA_SIGNATURES, *signatures] if ecdsa_first else [*signatures, _ECDSA_SIGNATURES]
    # OpenSSL speaks TLS 1.0 and SHA-1 only at level 0.
    old = ["@SECLEVEL=0"] if minimum < ssl.TLSVersion.TLSv1_2 else []
    if old:
        signatures.append(_OLD_SIGNATURES if release.has_ecdsa else "RSA+SHA1")
    return TlsPolicy(minimum, release.sip.maximum, ":".join([*suites, *old]), ":".join(signatures))


def identities(node: Node, *, client: bool) -> list[tuple[str, str]]:
    """(certificate PEM, key PEM) of each identity that SIP loads: all as a server, the chosen one as a client."""
    units = [RSA, ECDSA] if node.cluster.release.has_ecdsa else [RSA]
    if client and len(units) == 2:
        units = [str(node.cluster.lab.inferred["sip.client_certificate"])]
    return [node.certs.active_identity(unit) for unit in units]


def tls_ciphers(cluster: Cluster) -> str:
    """The value of the enterprise parameter TLS Ciphers; the default where it is missing or not known."""
    name = str(cluster.lab.inferred["sip.tls_ciphers_parameter"])
    found = next((record.body.get("value") for record in cluster.config.search("ServiceParameter", name)), None)
    return found if found in CHOICES else ALL_RSA


def minimum_version(node: Node) -> str:
    """What `show tls min-version` shows: set by hand, kept by the upgrade, or that of the installation."""
    cluster = node.cluster
    fresh = next(name for name, version in _VERSIONS.items() if version == cluster.release.sip.minimum)
    return cluster.db.setting(f"tls/min-version/{node.name}") or cluster.spec.tls_min_version or fresh


def set_minimum_version(node: Node, version: str) -> list[Node]:
    """Set it; the nodes that have to restart. From 15SU2 on the publisher sets the whole cluster."""
    nodes = node.cluster.nodes if node.cluster.release.tls_min_version_cluster_wide else [node]
    for each in nodes:
        each.cluster.db.set_setting(f"tls/min-version/{each.name}", version)
    return list(nodes)


def _has_rsa_key_exchange(node: Node) -> bool:
    since = node.cluster.lab.inferred["sip.rsa_key_exchange_gone_since"]
    return since is None or service_update(node.cluster.release) < tuple(since)
