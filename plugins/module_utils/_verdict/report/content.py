# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: what its page shows of the evidence. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict import pages
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.report import answers, ladders, pictures
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.report.certificates import comparisons
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.verdict import PROVES

Data = Mapping[str, Any]
REACH = {
    "call": "a call was seen on it",
    "observed": "seen between the clusters",
    "probed": "each end was probed from the controller",
    "configured": "only by configuration",
}
LETTERS = {"secure": "S", "insecure": "I", "unproven": "U"}
# More directions than that are folded, each to one line.
MOST_OPEN = 12


@dataclass(frozen=True)
class Report:
    """What a report shows; every part may be empty."""

    title: str
    clusters: Sequence[Data]
    verdict: Data
    captures: Sequence[Data] = ()
    traces: Sequence[Data] = ()
    changes: Sequence[Data] = ()
    files: Sequence[Data] = field(default_factory=tuple)
    #: rows of name and value about the report: a change request, the inventory
    about: Sequence[Data] = ()
    #: when, by whom and with what the report was made; it differs between two reports on the same evidence
    made: Data = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        return {key: getattr(self, key) for key in self.__dataclass_fields__}


def page(report: Report, *, digest: str) -> str:
    """The whole page. digest is the SHA-256 of the JSON file that holds the same."""
    verdict = str(report.verdict.get("verdict") or "unproven")
    directions = list(report.verdict.get("directions") or [])
    handshakes = ladders.handshakes(report.captures, report.clusters)
    calls = list(ladders.calls(report.traces))
    return pages.render(
        "report.html.j2",
        title=report.title,
        verdict=verdict,
        generated=report.made.get("on", ""),
        about=[*report.about, *_made(report.made), {"name": "SHA-256 of report.json", "value": digest}],
        headline=answers.headline(verdict, directions, report.clusters),
        missing=answers.missing(report.clusters, directions, {"captures": report.captures, "calls": calls}),
        tiles=answers.tiles(directions),
        groups=answers.groups(directions),
        network=_network(report.clusters, directions),
        matrices=_matrices(report.clusters, directions),
        ways=[_way(direction) for direction in answers.by_severity(directions)],
        folded=len(directions) > MOST_OPEN,
        comparisons=list(comparisons(report.clusters, report.captures)),
        handshakes=handshakes[: ladders.MOST_HANDSHAKES],
        more_handshakes=max(0, len(handshakes) - ladders.MOST_HANDSHAKES),
        calls=[ladders.call_ladder(call, report.clusters) for call in calls[-ladders.MOST_CALLS :]],
        more_calls=max(0, len(calls) - ladders.MOST_CALLS),
        phones=[(str(cluster["name"]), cluster["phones"]) for cluster in report.clusters if cluster.get("phones")],
        changes=_changes(report.changes),
        files=report.files,
        proves=PROVES,
    )


def _made(made: Data) -> list[Data]:
    """When, by whom and with what the report was made, as rows."""
    titles = {"on": "Made on", "by": "Made by", "host": "Controller", "versions": "Versions"}
    return [{"name": title, "value": made[key]} for key, title in titles.items() if made.get(key)]


def _network(clusters: Sequence[Data], directions: Sequence[Data]) -> dict[str, Any] | None:
    """The picture of a small group."""
    return pictures.network(clusters, directions) if 0 < len(clusters) <= pictures.MOST_IN_PICTURE else None


def _matrices(clusters: Sequence[Data], directions: Sequence[Data]) -> list[dict[str, Any]]:
    """The matrix of directions of a larger group, in two orders: by problems, and by name."""
    if len(clusters) <= pictures.MOST_IN_PICTURE:
        return []
    severity = answers.severity_of(directions)
    names = [str(cluster["name"]) for cluster in clusters]
    verdicts = {(str(direction["from"]), str(direction["to"])): str(direction["verdict"]) for direction in directions}
    orders = {
        "problems": sorted(names, key=lambda name: (-severity[name], name.casefold())),
        "name": sorted(names, key=str.casefold),
    }
    return [
        {
            "order": order,
            "names": chosen,
            "rows": [[_cell(a, b, verdicts.get((a, b))) for b in chosen] for a in chosen],
        }
        for order, chosen in orders.items()
    ]


def _cell(source: str, target: str, verdict: str | None) -> dict[str, Any]:
    """One direction in the matrix."""
    letter = "" if source == target else LETTERS.get(verdict or "", "–")
    return {"from": source, "to": target, "verdict": verdict or "", "letter": letter, "anchor": _anchor(source, target)}


def _anchor(source: str, target: str) -> str:
    """The place of a direction in the page; names are free text, so that their bytes are written in hexadecimal."""
    return f"way-{source.encode().hex()}-{target.encode().hex()}"


def _way(direction: Data) -> dict[str, Any]:
    """A direction with its facts and its evidence."""
    certificate = direction.get("server_certificate") or {}
    return {
        "from": str(direction["from"]),
        "to": str(direction["to"]),
        "anchor": _anchor(str(direction["from"]), str(direction["to"])),
        "verdict": str(direction["verdict"]),
        "facts": [
            ("TLS", _parameters(direction)),
            ("Media", direction.get("media")),
            ("Evidence", REACH.get(str(direction.get("reach")), "")),
            ("Peer", certificate.get("subject")),
            ("Valid until", str(certificate.get("not_after") or "")[:10]),
        ],
        "evidence": direction.get("evidence") or [],
    }


def _parameters(direction: Data) -> str:
    """Version and cipher; what only the controller's probe negotiated is marked as the probe's."""
    shown = [
        (value, direction.get(f"{key}_source") == "probe")
        for key, value in (
            ("tls_version", pictures.version(direction.get("tls_version"))),
            ("cipher", direction.get("cipher")),
        )
        if value
    ]
    if shown and all(probed for _value, probed in shown):
        return " · ".join(value for value, _probed in shown) + " (the controller's probe)"
    return " · ".join(f"{value} (the controller's probe)" if probed else value for value, probed in shown)


def _changes(changes: Sequence[Data]) -> dict[str, list[tuple[str, list[str]]]]:
    """What was changed, by cluster."""
    found: dict[str, list[tuple[str, list[str]]]] = {}
    for change in changes:
        steps = found.setdefault(str(change.get("cluster") or ""), [])
        steps.append((str(change.get("what") or ""), [str(action) for action in change.get("actions") or []]))
    return found
