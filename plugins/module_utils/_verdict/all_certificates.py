# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All certificates of all clusters in one list, those that end first on top. Private to this collection. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import Direction
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate
from ansible_collections.siptls.cucm.plugins.module_utils._x509.purposes import is_trust, purpose_of

Row = dict[str, Any]
#: what a row takes as it is from a certificate that a module returned
_SHOWN = ("subject", "common_name", "issuer", "serial", "not_before", "not_after", "days_left", "sha256")
#: the kinds of rows: what a service presents, what a trust store contains, what an external peer presented
IDENTITY, TRUST, PRESENTED = "identity", "trust", "presented"


def listed(results: Iterable[Mapping[str, Any]], cases: Sequence[Direction], versions: Mapping[str, str]) -> list[Row]:
    """One row per certificate, purpose and cluster; several nodes that hold the same certificate share a row.

    ``results`` are those of cucm_certificate_info with the key C(cluster) added, ``versions`` the releases of the
    clusters. External peers are listed by what their ports presented to the controller.
    """
    rows: dict[tuple[str, ...], Row] = {}
    for new in (*_held(results, versions), *_presented(cases)):
        key = (new["cluster"], new["purpose"], str(new["sha256"] or new["name"]))
        row = rows.setdefault(key, new)
        row["nodes"] = sorted({*row["nodes"], *new["nodes"]})
    return sorted(rows.values(), key=_order)


def _order(row: Row) -> tuple[bool, float, str, str]:
    """A certificate without a known end comes first, because it may have expired."""
    days = row["days_left"]
    return days is not None, days or 0, row["cluster"], row["purpose"]


def ending(rows: Iterable[Row], days: int) -> list[str]:
    """A sentence for each certificate of a service or an external peer that ends within so many days, or has ended.

    Trust stores contain CAs that nothing uses; those above a trunk's certificates are in its forecast.
    """
    near = [row for row in rows if row["kind"] != TRUST and row["days_left"] is not None and row["days_left"] <= days]
    return [
        f"{row['cluster']}: the {row['purpose']} certificate {row['common_name'] or row['subject']} of "
        f"{', '.join(row['nodes'])} {'ended' if row['days_left'] < 0 else 'ends'} on {str(row['not_after'])[:10]} "
        f"({row['days_left']} days)."
        + (f" After its renewal, restart {', '.join(row['restarts'])}." if row["restarts"] else "")
        for row in near
    ]


def first_end(rows: Iterable[Row]) -> int | None:
    """The fewest days left of a certificate of a service or an external peer; None when none is known."""
    return min(
        (row["days_left"] for row in rows if row["kind"] != TRUST and row["days_left"] is not None), default=None
    )


def unread(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """A sentence for each node whose certificates could not be read."""
    return [
        f"The certificates of {_cluster(result)} are not shown: {result.get('msg') or 'the reason is not known'}"
        for result in results
        if result.get("certificates") is None
    ]


def _cluster(result: Mapping[str, Any]) -> str:
    return str(result.get("cluster") or "a cluster without a name")


def _held(results: Iterable[Mapping[str, Any]], versions: Mapping[str, str]) -> Iterator[Row]:
    for result in results:
        cluster = _cluster(result)
        for certificate in result.get("certificates") or ():
            purpose = str(certificate.get("purpose"))
            services = () if is_trust(purpose) else purpose_of(purpose).services_at(versions.get(cluster, ""))
            yield {
                "cluster": cluster, "nodes": [str(certificate.get("node"))], "purpose": purpose,
                "name": certificate.get("name"),
                "kind": TRUST if is_trust(purpose) else IDENTITY, **{key: certificate.get(key) for key in _SHOWN},
                "restarts": list(services), "problem": certificate.get("problem") or None,
            }  # fmt: skip


def _presented(cases: Sequence[Direction]) -> Iterator[Row]:
    for case in cases:
        for node in case.target_nodes if case.external else ():
            for identity in node.identities:
                if identity.probed is not None:
                    yield _of_peer(case, node.name, identity.probed)


def _of_peer(case: Direction, address: str, leaf: Certificate) -> Row:
    view = leaf.view(case.now) | {"days_left": math.floor(leaf.days_left(case.now))}
    return {
        "cluster": case.target, "nodes": [address], "purpose": "SIP TLS port", "name": None, "kind": PRESENTED,
        **{key: view[key] for key in _SHOWN}, "restarts": [], "problem": None,
    }  # fmt: skip
