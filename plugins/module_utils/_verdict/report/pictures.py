# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The geometry of the report's pictures, which templates/pictures.html.j2 draws as SVG. Private to this collection.

Every picture is 400 units wide, so that its text can be read on a telephone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 400
# More clusters than that are shown as a matrix: nobody follows that many lines.
MOST_IN_PICTURE = 4
MOST_RUNGS = 40


def version(name: Any) -> str:
    """A TLS version as people write it."""
    words = str(name or "")
    return {"TLSv1": "TLS 1.0"}.get(words, words.replace("TLSv", "TLS "))


def network(clusters: Sequence[Mapping[str, Any]], directions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The clusters as boxes and, between each two, an arrow for each direction."""
    names = [str(cluster["name"]) for cluster in clusters]
    height = 150.0 if len(names) <= 2 else 360.0
    spots = _spots(names, height)
    return {
        "width": WIDTH,
        "height": height,
        "arrows": [
            _arrow(direction, spots)
            for direction in directions
            if direction["from"] in spots and direction["to"] in spots
        ],
        "boxes": [_box(cluster, *spots[str(cluster["name"])]) for cluster in clusters],
    }


def _spots(names: Sequence[str], height: float) -> dict[str, tuple[float, float]]:
    if len(names) <= 2:
        return {name: (72.0 + 256.0 * at, height / 2) for at, name in enumerate(names)}
    step = 2 * math.pi / len(names)
    return {
        name: (WIDTH / 2 + 132 * math.sin(at * step), height / 2 - 132 * math.cos(at * step))
        for at, name in enumerate(names)
    }


def _box(cluster: Mapping[str, Any], x: float, y: float) -> dict[str, Any]:
    nodes = cluster.get("nodes") or []
    release = ".".join(str(cluster.get("version") or "").split(".")[:3])
    small = f"CUCM {release}" if release else f"{len(nodes)} node{'' if len(nodes) == 1 else 's'}"
    return {"x": x, "y": y, "name": str(cluster["name"]), "small": small}


def _arrow(direction: Mapping[str, Any], spots: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    (ax, ay), (bx, by) = spots[str(direction["from"])], spots[str(direction["to"])]
    dx, dy = bx - ax, by - ay
    length = math.hypot(dx, dy) or 1.0
    ux, uy = dx / length, dy / length
    # Beside the middle line, so that both directions are seen; from edge of box to edge of box.
    side_x, side_y = -uy * 13, ux * 13

    def edge(x: float, y: float, sign: float) -> tuple[float, float]:
        reach = min(58 / abs(ux) if ux else 1e9, 36 / abs(uy) if uy else 1e9) + 3
        return x + sign * ux * reach - side_x, y + sign * uy * reach - side_y

    (x1, y1), (x2, y2) = edge(ax, ay, 1), edge(bx, by, -1)
    lift = 8 if uy == 0 and ux > 0 else -16 if uy == 0 else 0
    # The probe's version is not that of the trunk.
    seen = "" if direction.get("tls_version_source") == "probe" else version(direction.get("tls_version"))
    tag = (seen or "no TLS seen") if len(spots) <= 2 else ""
    return {
        "x1": x1, "y1": y1, "x2": x2, "y2": y2, "tag": tag, "tag_x": (x1 + x2) / 2, "tag_y": (y1 + y2) / 2 - lift,
        "from": direction["from"], "to": direction["to"], "verdict": str(direction["verdict"]),
    }  # fmt: skip


def ladder(left: str, right: str, rungs: Sequence[Mapping[str, Any]], label: str) -> dict[str, Any]:
    """A ladder of messages. Each rung: ``right`` (whether it goes to the right), ``text``, ``note``, ``tone``."""
    shown = list(rungs[:MOST_RUNGS])
    if len(rungs) > MOST_RUNGS:
        shown.append({"right": True, "text": f"and {len(rungs) - MOST_RUNGS} more", "tone": "quiet"})
    top, step = 52, 27
    return {
        "width": WIDTH,
        "height": top + step * len(shown) + 22,
        "label": label,
        "ends": [{"x": 58, "box": 2, "name": left}, {"x": 342, "box": 248, "name": right}],
        "rungs": [
            {
                "y": top + step * at + 16, "right": bool(rung.get("right")), "text": str(rung["text"]),
                "tone": str(rung.get("tone") or "plain"), "note": str(rung.get("note") or ""),
            }
            for at, rung in enumerate(shown)
        ],
    }  # fmt: skip
