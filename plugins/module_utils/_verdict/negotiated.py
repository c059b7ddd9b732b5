# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TLS version and cipher of a direction, and who negotiated them. Private to this collection.

What the controller's probe negotiated says what a node can do, not what the clusters use: it is named as the probe's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import Direction, between

#: source -> who negotiated
WHO = {"capture": "the clusters", "trace": "the clusters", "probe": "the controller's probe"}


@dataclass(frozen=True)
class Parameters:
    """What one source shows; a part that it does not show is None."""

    source: str
    tls_version: str | None = None
    cipher: str | None = None


def seen(case: Direction) -> list[Parameters]:
    """What each source shows: the newest handshake of the clusters, their newest trace, then each node's probe."""
    captured = [
        connection
        for connection in between(case.captures, case.source_nodes, case.target_nodes)
        if connection.get("cipher")
    ]
    found = [_of(connection, "capture") for connection in captured[-1:]]
    traced = [str(certificate["cipher"]) for certificate in presented(case) if certificate.get("cipher")]
    found += [Parameters("trace", None, cipher) for cipher in traced[-1:]]
    return [*found, *(_of(node.probe, "probe") for node in case.reached if node.probe)]


def presented(case: Direction) -> Iterator[Mapping[str, Any]]:
    """The certificates of the peer in the traces of the cluster that the direction starts from."""
    hosts = frozenset().union(*(node.addresses for node in case.target_nodes))
    for trace in case.traces:
        if trace.get("cluster") in (None, case.source):
            yield from (
                certificate
                for certificate in trace.get("certificates") or []
                if str(certificate.get("remote_ip")).lower() in hosts
            )


def _of(entry: Mapping[str, Any], source: str) -> Parameters:
    return Parameters(source, entry.get("tls_version") or None, entry.get("cipher") or None)


def result(case: Direction) -> dict[str, Any]:
    """The best of it for a verdict's result: version and cipher, each with its source."""
    shown = seen(case)
    version = next((parameters for parameters in shown if parameters.tls_version), Parameters(""))
    cipher = next((parameters for parameters in shown if parameters.cipher), Parameters(""))
    return {
        "tls_version": version.tls_version, "tls_version_source": version.source or None,
        "cipher": cipher.cipher, "cipher_source": cipher.source or None,
    }  # fmt: skip


def words(direction: Mapping[str, Any]) -> str:
    """For a sentence: what the clusters negotiated; else what the probe did, named as such."""
    parts = [direction.get(key) for key in ("tls_version", "cipher")]
    sources = {direction.get(f"{key}_source") for key in ("tls_version", "cipher") if direction.get(key)}
    text = ", ".join(str(part) for part in parts if part) or "TLS"
    if sources == {"probe"}:
        return f"{text} to the controller's probe"
    if "probe" in sources:
        return f"{text}; the version is that of the controller's probe"
    return text
