# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of the report side by side: issued, held, presented. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import Identity, Node, host_of
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate

Data = Mapping[str, Any]
FIELDS = (
    ("Subject", "subject"), ("Issuer", "issuer"), ("Serial number", "serial"), ("Valid from", "not_before"),
    ("Valid until", "not_after"), ("SHA-256", "sha256"),
)  # fmt: skip
UNKNOWN = "not known"


def comparisons(clusters: Sequence[Data], captures: Sequence[Data]) -> Iterator[dict[str, Any]]:
    """One table per certificate of each node."""
    for cluster in clusters:
        for node in map(Node.of, cluster.get("nodes") or []):
            for identity in node.identities:
                columns = _columns(node, identity, captures)
                if columns:
                    yield {
                        "cluster": str(cluster["name"]), "node": node.name, "purpose": identity.purpose.name,
                        "columns": [title for title, _unused in columns], "same": _same(columns),
                        "rows": [_row(label, key, columns) for label, key in FIELDS],
                    }  # fmt: skip


def _columns(node: Node, identity: Identity, captures: Sequence[Data]) -> list[tuple[str, Data]]:
    found = (
        ("Issued by the CA", identity.issued),
        ("Held by CUCM", identity.installed),
        ("Presented to the controller", identity.probed),
        ("Presented to peers", _captured(node, identity, captures)),
    )
    return [(title, certificate.view()) for title, certificate in found if certificate]


def _same(columns: Sequence[tuple[str, Data]]) -> bool:
    return len({str(view.get("sha256")).replace(":", "").upper() for _unused, view in columns}) == 1


def _row(label: str, key: str, columns: Sequence[tuple[str, Data]]) -> dict[str, Any]:
    """One field of the certificates; on a telephone a value that is the same everywhere is shown once."""
    values = [str(view.get(key) or UNKNOWN) for _unused, view in columns]
    return {
        "label": label,
        "mono": key in ("serial", "sha256"),
        "values": values,
        "differs": len({value.upper() for value in values if value != UNKNOWN}) > 1,
        "same": len(set(values)) == 1,
    }


def _captured(node: Node, identity: Identity, captures: Sequence[Data]) -> Certificate | None:
    """The leaf that the node showed of an identity last in a capture, in either role."""
    for capture in sorted(captures, key=lambda entry: str(entry.get("started")), reverse=True):
        for role in ("server", "client"):
            chain = capture.get(f"{role}_certificates")
            if chain and host_of(capture.get(role)) in node.addresses:
                leaf = Certificate.from_view(chain[0])
                if leaf and node.identity_of(leaf) is identity:
                    return leaf
    return None
