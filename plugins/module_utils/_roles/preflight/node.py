# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node holds and presents, and the problems with it. Pure; private to siptls.cucm."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._net.clock import apart
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.phones import (
    ITL_SIGNER,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import (
    FACTS,
    Cluster,
    Node,
    whole,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.names import common_name
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.sentences import (
    report_failure,
)
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import TRUNK, TVS

#: what the roles need of a trust certificate; facts are printed at -v
_TRUST_KEYS = ("purpose", "name", "subject", "common_name", "issuer", "sha256", "days_left", "self_signed", "pem")
_HOSTNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\Z")
_CLOCK_WORTH_A_WORD = 60  # seconds
_DEFAULT_NAMES = {"localhost", "localhost.localdomain"}


def check_node(cluster: Cluster, result: Mapping[str, Any], addresses: Mapping[str, str], warn_days: int) -> None:
    node = result["item"]
    name = node["name"]
    address = addresses.get(name) or node.get("address") or name
    cluster.nodes.append(Node(name, address, node.get("role")))
    cluster.certificates[name], cluster.ec_certificates[name], cluster.trust[name] = None, None, []
    if "certificates" not in result:
        cluster.unread.append(name)
        report_failure(cluster, result, f"{cluster.name}: the certificates of {name} could not be read.")
        return
    _take_certificates(cluster, name, result["certificates"])
    _check_names(cluster, name)
    _check_dates(cluster, name, warn_days)
    _check_ports(cluster, name, result.get("ports") or {})


def _take_certificates(cluster: Cluster, node: str, certificates: Iterable[Mapping[str, Any]]) -> None:
    """Put the certificates of a node where they belong, by purpose."""
    for certificate in certificates:
        purpose = certificate["purpose"]
        if purpose in FACTS:
            cluster.by_node(purpose)[node] = certificate
        elif purpose == TRUNK.trust:
            cluster.trust[node].append({key: certificate.get(key) for key in _TRUST_KEYS})
        elif purpose == ITL_SIGNER:
            cluster.itl_signer = {key: certificate.get(key) for key in ("subject", "days_left", "not_after")}
        elif purpose == TVS.name:
            cluster.tvs[node] = {key: certificate.get(key) for key in ("serial", "days_left", "not_before")}


def _check_names(cluster: Cluster, name: str) -> None:
    """The certificate is bound to the host name; it has to be right before anything is signed."""
    where, certificate = f"{cluster.name}, node {name}", cluster.certificates[name]
    if name.lower() in _DEFAULT_NAMES or not _HOSTNAME.match(name):
        cluster.problems.append(
            f"{where}: {name} is not a host name for a certificate. Set it with `set network "
            "hostname` first, which regenerates all certificates of the node."
        )
        return
    if certificate is None:
        cluster.warnings.append(f"{where}: it holds no {TRUNK.name} certificate yet.")
        return
    common = common_name(certificate).lower()
    short = name.lower().split(".")[0]
    # A multi-server certificate bears the name of one node, the publisher, on all of them.
    shared = {f"{node.name.lower().split('.')[0]}-ms" for node in cluster.nodes}
    address = re.fullmatch(r"[0-9.]+|[0-9a-f:]+", name)
    if common and not address and common.split(".", maxsplit=1)[0] not in {short, *shared}:
        cluster.problems.append(
            f"{where}: the {TRUNK.name} certificate is made for {common_name(certificate)}, but the node is "
            f"called {name}. Certificates are bound to names: correct the host name, or regenerate the "
            "certificate, first."
        )


def _check_dates(cluster: Cluster, name: str, warn_days: int) -> None:
    for certificate in [*(cluster.by_node(purpose)[name] for purpose in FACTS), *cluster.trust[name]]:
        if certificate and certificate.get("days_left") is not None and certificate["days_left"] < warn_days:
            what = f"{certificate['purpose']} certificate {common_name(certificate) or certificate.get('name')}"
            when = "has expired" if certificate["days_left"] < 0 else f"expires in {certificate['days_left']} days"
            cluster.warnings.append(f"{cluster.name}, node {name}: the {what} {when}.")


def check_clock(cluster: Cluster, name: str, clock: Mapping[str, Any], backdating: Any) -> None:
    """A node that is behind finds new certificates, its own and its peers', not yet valid.

    backdating: minutes; None if nothing will be signed.
    """
    offset = int(clock.get("offset") or 0)
    text = f"{cluster.name}, node {name}: its clock is {apart(timedelta(seconds=offset))}"
    minutes = whole(backdating, 10)
    if backdating is not None and offset < -60 * minutes:
        cluster.problems.append(
            f"{text}. A new certificate begins {minutes} minutes in the past at most, so that the node would take "
            "it for not yet valid and refuse it. Correct the node's NTP (`utils ntp status`) first, or the "
            "controller's clock if that one is wrong."
        )
    elif abs(offset) > _CLOCK_WORTH_A_WORD:
        cluster.warnings.append(
            f"{text}. CUCM checks certificates by it, and days left are counted by it here. Check the node's NTP "
            "(`utils ntp status`)."
        )


def _check_ports(cluster: Cluster, node: str, ports: Mapping[str, Any]) -> None:
    """What the SIP TLS port of a node presents beside what the node holds."""
    cluster.old_peers[node] = (ports.get(TRUNK.name) or {}).get("old_peers")
    cluster.served[node] = {purpose: _presented(ports, purpose) for purpose in FACTS}
    for purpose in FACTS:
        port = ports.get(purpose) or {}
        if purpose == TRUNK.name or port.get("state") == "tls":
            found = _port(port, cluster.by_node(purpose)[node])
            cluster.warnings += [f"{cluster.name}, node {node}: {text}" for text in found]


def _presented(ports: Mapping[str, Any], purpose: str) -> str | None:
    """The SHA-256 of the certificate that the port presents; "" where it presents none, None where it is not known."""
    port = ports.get(purpose) or {}
    if port.get("state") == "tls":
        return str(port["sha256"])
    # A port that responds with one certificate and refuses the ciphers of the other does not present that one.
    answers = purpose != TRUNK.name and (ports.get(TRUNK.name) or {}).get("state") == "tls"
    return "" if answers or port.get("state") == "refused" else None


def _port(seen: Mapping[str, Any], certificate: Mapping[str, Any] | None) -> Iterator[str]:
    """The SIP TLS port as seen from this machine. A closed one, normal before the first TLS trunk, is not reported."""
    port, sha256 = seen.get("port"), (certificate or {}).get("sha256")
    if seen.get("state") == "silent":
        yield (
            f"port {port} does not respond to this machine, a firewall is likely between. Peers may reach it all the "
            "same, but nothing here can prove it: let this machine in, or expect the verdict unproven."
        )
    elif seen.get("state") == "unreachable":
        yield f"port {port} can't be checked from this machine. {seen.get('said')}"
    elif seen.get("state") in ("no_handshake", "no_certificate"):
        yield f"port {port} is open but gives no TLS handshake. {seen.get('said')}"
    elif seen.get("state") == "tls" and sha256 and seen["sha256"] != sha256:
        yield (
            f"port {port} presents another certificate ({seen.get('subject')}) than the node holds: Cisco CallManager "
            "was not restarted since that one came, or another server answers there."
        )
