# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hubs and leaves: which peers of a cluster lead to the clusters that it has no trunk to. Pure.

A hub (`cucm_transit: true`) passes calls on between its peers, as Session Management Edition does. A call takes a way
with the fewest hubs, so that each cluster on the way is closer to the number than the one before: no route loops.
Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._roles.model import (
    Cluster,
    Route,
    Settings,
    Site,
    Way,
    ways_of,
)
from ansible_collections.siptls.cucm.plugins.module_utils._roles.numbers import entries, routes

#: options of a route pattern that change the called number: the last cluster before the number's owner applies them
TRANSFORMATIONS = ("called_party_transformation_mask", "digit_discard_instructions", "prefix_digits_out")


def default_peers(name: str, hosts: Iterable[str], hubs: Iterable[str]) -> list[str]:
    """The peers of a cluster without `cucm_peers`: every other cluster, or every hub when there are hubs."""
    others, known = [host for host in hosts if host != name], set(hubs)
    if not known or name in known:
        return others
    return [host for host in others if host in known]


def sites(variables: Mapping[str, Mapping[str, Any]], hosts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By cluster its `peers`, the `hubs`, and what it routes through them (`transit`); empty without hubs.

    It follows from the variables of the inventory (hostvars) alone, so that --limit changes no way between clusters.
    """
    hubs = [host for host in hosts if _truth(_value(variables, host, "cucm_transit"))]
    clusters = [
        Site(
            host, _names(_value(variables, host, "cucm_peers")) or default_peers(host, hosts, hubs), host in hubs,
            routes(_value(variables, host, "cucm_local_patterns")),
        )
        for host in (hosts if hubs else ())
    ]  # fmt: skip
    return {
        site.name: {"peers": site.peers, "hubs": hubs, "transit": transit(clusters, site.name)} for site in clusters
    }


def transit(clusters: Sequence[Site], name: str) -> list[dict[str, Any]]:
    """What a cluster routes through its hubs: the owner of the numbers (`name`), the hubs (`through`) and `routes`.

    An owner that no hub leads to has no hubs.
    """
    own = next((cluster.peers for cluster in clusters if cluster.name == name), ())
    found = ways(name, clusters)
    return [
        Way(owner.name, found.get(owner.name, []), owner.routes).to_facts()
        for owner in clusters
        if owner.name != name and owner.name not in own and owner.routes
    ]


def _value(variables: Mapping[str, Mapping[str, Any]], host: str, name: str) -> Any:
    """A variable of a host; None where it is missing or its template fails, which preflight reports."""
    try:
        return variables[host].get(name)
    except Exception:  # whatever a template raises, by release
        return None


def _truth(value: Any) -> bool:
    return str(value).strip().lower() in ("true", "yes", "on", "1", "y", "t")


def _names(value: Any) -> list[str]:
    return [str(entry).strip() for entry in entries(value)]


def ways(name: str, clusters: Iterable[Site]) -> dict[str, list[str]]:
    """The clusters that are not peers of a cluster, each with the hubs among its peers that lead there.

    Hubs that lead there by ways of one length are in the order of the cluster's peers. A cluster that cannot be reached
    is left out.
    """
    known = {cluster.name: cluster for cluster in clusters}
    own = known[name].peers if name in known else ()
    found: dict[str, list[str]] = {}
    for owner in known:
        if owner == name or owner in own:
            continue
        far = _distances(owner, known)
        least = min((far[peer] for peer in own if peer in far and _is_hub(known, peer)), default=None)
        if least is not None:
            found[owner] = [peer for peer in own if _is_hub(known, peer) and far.get(peer) == least]
    return found


def _distances(owner: str, known: Mapping[str, Site]) -> dict[str, int]:
    """How many trunks a call takes to a cluster from every other one, with hubs alone between."""
    far, edge = {owner: 0}, [owner]
    while edge:
        onward = []
        for name in edge:
            # A peer has the trunk to this cluster if it names it in turn.
            for peer in known[name].peers:
                if peer in known and peer not in far and name in known[peer].peers:
                    far[peer] = far[name] + 1
                    onward += [peer] if _is_hub(known, peer) else []
        edge = onward
    return far


def _is_hub(known: Mapping[str, Site], name: str) -> bool:
    return name in known and known[name].transit


def routes_in_transit(way: Way) -> list[Route]:
    """The numbers of a cluster as one further away routes them: as they are dialed."""
    return [{option: value for option, value in route.items() if option not in TRANSFORMATIONS} for route in way.routes]


def shared_titles(template: str, peers: Sequence[str], hubs: Iterable[str]) -> dict[tuple[str, ...], str]:
    """The names of the route lists that two hubs or more can share on a cluster, by the hubs."""
    own = [peer for peer in peers if peer in set(hubs)]
    groups = (group for size in range(2, len(own) + 1) for group in combinations(own, size))
    return {group: shared_title(template, group) for group in groups}


def shared_title(template: str, hubs: Iterable[str]) -> str:
    """The name of the route list that hubs share."""
    return template.replace("{peer}", "-".join(hubs))


def transit_problems(clusters: Sequence[Cluster]) -> Iterator[str]:
    """Hubs that can pass nothing on: their trunks' search space does not have the partition of their own patterns."""
    for hub in (cluster for cluster in clusters if cluster.transit):
        space = str(_settings(hub).get("calling_search_space") or "")
        missing = _missing_partitions(hub, space, [cluster for cluster in clusters if cluster is not hub])
        if missing:
            yield (
                f"{hub.name} is a hub (cucm_transit), but calls that its trunks receive can't leave it again: the "
                f"trunks' calling search space {space or '<None>'} does not contain partition {', '.join(missing)}, in "
                f"which its route patterns are. Set sip_tls_trunk_calling_search_space of {hub.name} to one that "
                "contains it."
            )


def _settings(cluster: Cluster) -> Settings:
    return cluster.planned.settings if cluster.planned else {}


def _missing_partitions(hub: Cluster, space: str, others: Iterable[Cluster]) -> list[str]:
    """The partitions of the hub's route patterns that are not in the search space of its trunks."""
    settings, spaces = _settings(hub), hub.search_spaces
    # A search space that does not exist is reported by itself.
    if spaces is None or not settings or (space and space not in spaces):
        return []
    owned = (route for other in others for route in other.routes)
    partitions = dict.fromkeys(str(route.get("partition", settings.get("partition")) or "") for route in owned)
    return [name for name in partitions if name and name not in spaces.get(space, ())]


def unreached(name: str, settings: Mapping[str, Any]) -> Iterator[str]:
    """A warning about the clusters that neither a trunk nor a hub connects with this one."""
    missing = [way.name for way in ways_of(settings) if not way.through]
    if missing:
        yield (
            f"{name} reaches {', '.join(missing)} neither by a trunk of its own nor through a hub (cucm_transit). Name "
            "a hub that leads there in cucm_peers of both."
        )
