# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof of mutual authentication under TLS 1.3, where a capture shows no certificates. Private to this collection.

The traces of both ends show them (C(SIPCertificateInd)). A trace belongs to a captured connection by its addresses and
ports: the server's trace names the client's port; the client's trace, which names only the server's port, by its time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict.checks.certificates import Check
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import (
    Direction,
    Node,
    between,
    host_of,
    moment,
)

#: how long after the first packet of a connection CUCM may write the peer's certificate, and how far clocks differ
WINDOW = timedelta(seconds=5)


def tls13_checks(case: Direction) -> Iterator[Check]:
    """The newest TLS 1.3 connection of which the traces of both ends show the certificates."""
    captured = [
        connection for connection in between(case.captures, case.source_nodes, case.target_nodes) if _fits(connection)
    ]
    for connection in reversed(captured):
        at_server = _written(case, case.target, connection, "client")
        at_client = _written(case, case.source, connection, "server")
        if at_server and at_client:
            accepted = _expected(case.source_nodes), _expected(case.reached)
            shown = str(at_server.get("subject")), str(at_client.get("subject"))
            fits = all(not known or text in known for text, known in zip(shown, accepted, strict=True))
            state = "pass" if fits else "fail"
            yield Check(
                "mutual_authentication", state, f"the traces of both ends show the certificates of the TLS 1.3 "
                f"connection of {connection['client']} with {connection['server']}: {shown[0]} as client, {shown[1]} "
                "as server",
                "trace", remedy="" if state == "pass" else "Compare these certificates with those that the nodes hold; "
                "restart Cisco CallManager where they differ.",
            )  # fmt: skip
            return


def _fits(connection: Mapping[str, Any]) -> bool:
    return connection.get("tls_version") == "TLSv1.3" and connection.get("established") is True


def _written(case: Direction, cluster: str, connection: Mapping[str, Any], peer: str) -> Mapping[str, Any] | None:
    """The certificate of the peer of a captured connection in the traces of a cluster."""
    host, port = host_of(connection.get(peer)), str(connection.get(peer)).rpartition(":")[2]
    started = moment(connection.get("started"))
    for trace in case.traces:
        if trace.get("cluster") != cluster:
            continue
        for entry in trace.get("certificates") or []:
            when = moment(entry.get("time"))
            same = str(entry.get("remote_ip")).lower() == host and str(entry.get("remote_port")) == port
            if same and started and when and abs(when - started) <= WINDOW:
                found: Mapping[str, Any] = entry
                return found
    return None


def _expected(nodes: tuple[Node, ...]) -> set[str]:
    """The subjects of the nodes' certificates, as traces write them."""
    certificates = [identity.expected for node in nodes for identity in node.identities]
    return {text for certificate in certificates if certificate for text in certificate.subject.written}
