# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The problems of all clusters, with those that only several of them show together. Pure; private to siptls.cucm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._dialplan.patterns import covers
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.roll_over import guarded
from ansible_collections.siptls.cucm.plugins.module_utils._roles.certificates.signing import trust_problems
from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import (
    Cluster,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.names import common_name
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.objects import (
    check_objects,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.preflight.secrets import secret_problems
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.peers import peer_problems
from ansible_collections.siptls.cucm.plugins.module_utils._roles.trunk.transit import transit_problems
from ansible_collections.siptls.cucm.plugins.module_utils._text import clipped


def problems(
    clusters: Sequence[Cluster],
    unreachable: str = "skip",
    overlaps: str = "stop",
    roll_over: str = "stop",
    variables: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[str]:
    """Everything that is wrong over all clusters, those things included that only several of them show.

    unreachable, overlaps and roll_over are options of role preflight. variables are hostvars, for their secrets.
    """
    found = [*_mistakes(clusters), *(text for cluster in clusters for text in cluster.problems)]
    silent = [cluster.unreachable for cluster in clusters if cluster.unreachable]
    for cluster in clusters:
        found += check_objects(cluster, clusters)
    found = list(
        dict.fromkeys(
            [
                *found,
                *_numbers(clusters),
                *_same_names(clusters),
                *peer_problems(clusters),
                *transit_problems(clusters),
                *trust_problems(clusters),
            ]
        )
    )
    if overlaps == "stop":
        found += _overlaps(clusters)
    found += secret_problems(clusters, variables or {})
    if roll_over == "stop":
        found += guarded(clusters)
    # If no cluster responds, none is left with which the run could continue.
    listed = found or unreachable == "stop" or len(silent) == len(clusters)
    return [clipped(text) for text in ([*found, *silent] if listed else [])]


def _mistakes(clusters: Sequence[Cluster]) -> Iterator[str]:
    """What is wrong with options: one in group variables concerns every cluster and is reported once."""
    owners: dict[str, list[str]] = {}
    for cluster in clusters:
        for text in dict.fromkeys(cluster.mistakes):
            owners.setdefault(text, []).append(cluster.name)
    for text, names in owners.items():
        yield text if len(names) == len(clusters) else f"{', '.join(names)}: {text}"


def _numbers(clusters: Iterable[Cluster]) -> Iterator[str]:
    owners: dict[str, str] = {}
    for cluster in clusters:
        for pattern in cluster.patterns:
            other = owners.setdefault(pattern, cluster.name)
            if other != cluster.name:
                yield (
                    f"{other} and {cluster.name} both claim the number {pattern} (cucm_local_patterns); their peers "
                    "can route it to one of them only."
                )


def _overlaps(clusters: Iterable[Cluster]) -> Iterator[str]:
    """Patterns of one cluster that cover a number of another; _numbers reports equal ones."""
    owned = [(pattern, cluster.name) for cluster in clusters for pattern in cluster.patterns]
    for wide, owner in owned:
        if not set(wide) & set("X![?+"):
            continue
        for narrow, other in owned:
            if other != owner and narrow != wide and covers(wide, narrow):
                yield (
                    f"the pattern {wide} of {owner} covers {narrow} of {other} (cucm_local_patterns), so that a wrong "
                    f"digit reaches the other cluster. Give {owner} narrower patterns, or set "
                    "preflight_overlaps: allow when that is intended."
                )


def _same_names(clusters: Iterable[Cluster]) -> Iterator[str]:
    names: dict[str, str] = {}
    for cluster in clusters:
        for certificate in cluster.certificates.values():
            common = common_name(certificate or {}).lower()
            other = names.setdefault(common, cluster.name) if common else cluster.name
            if other != cluster.name:
                yield (
                    f"{other} and {cluster.name} both have a node whose certificate is made for {common}; a peer "
                    "can't tell them apart. Give one of them another host name."
                )
