# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of the report, as SVG that takes its colours from the page. Private to this collection.

Every picture is drawn 400 units wide, so that its text can be read on a telephone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH = 400
# More clusters than that are shown as a table: lines between them would be a ball of wool.
MOST_IN_PICTURE = 8
MOST_RUNGS = 40


def clip(text: Any, most: int) -> str:
    """Text escaped and cut to a length."""
    words = str(text or "")
    return escape(words if len(words) <= most else words[: most - 1] + "…")


def version(name: Any) -> str:
    """A TLS version as people say it."""
    words = str(name or "")
    return {"TLSv1": "TLS 1.0"}.get(words, words.replace("TLSv", "TLS "))


def _svg(height: float, label: str, inner: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(label, quote=True)}" '
        f'xmlns="http://www.w3.org/2000/svg">{inner}</svg>'
    )


def network(clusters: Sequence[Mapping[str, Any]], directions: Sequence[Mapping[str, Any]]) -> str:
    """The clusters and, between each two, an arrow for each direction in the colour of its verdict."""
    names = [str(one["name"]) for one in clusters]
    height = 150.0 if len(names) <= 2 else 360.0
    spots = _spots(names, height)
    lines = "".join(_arrow(one, spots) for one in directions if one["from"] in spots and one["to"] in spots)
    boxes = "".join(_box(one, *spots[str(one["name"])]) for one in clusters)
    heads = "".join(
        f'<marker id="head-{word}" viewBox="0 0 10 10" refX="8.5" refY="5" markerWidth="5" markerHeight="5" '
        f'orient="auto-start-reverse"><path d="M0,0L10,5L0,10z" class="head {word}"/></marker>'
        for word in ("secure", "insecure", "unproven")
    )
    return _svg(height, "The clusters and the trunks between them", f"<defs>{heads}</defs>{lines}{boxes}")


def _spots(names: Sequence[str], height: float) -> dict[str, tuple[float, float]]:
    if len(names) <= 2:
        return {name: (72.0 + 256.0 * at, height / 2) for at, name in enumerate(names)}
    step = 2 * math.pi / len(names)
    return {
        name: (WIDTH / 2 + 132 * math.sin(at * step), height / 2 - 132 * math.cos(at * step))
        for at, name in enumerate(names)
    }


def _box(cluster: Mapping[str, Any], x: float, y: float) -> str:
    nodes = cluster.get("nodes") or []
    version = ".".join(str(cluster.get("version") or "").split(".")[:3])
    small = f"CUCM {escape(version)}" if version else f"{len(nodes)} node{'' if len(nodes) == 1 else 's'}"
    return (
        f'<g><rect x="{x - 56:.1f}" y="{y - 34:.1f}" width="112" height="68" rx="12" class="box"/>'
        # A server, in three strokes.
        f'<path d="M{x - 9:.1f},{y - 23:.1f}h18v6h-18z M{x - 9:.1f},{y - 14:.1f}h18v6h-18z" class="icon"/>'
        f'<text x="{x:.1f}" y="{y + 10:.1f}" class="name">{clip(cluster["name"], 15)}</text>'
        f'<text x="{x:.1f}" y="{y + 25:.1f}" class="small">{small}</text></g>'
    )


def _arrow(one: Mapping[str, Any], spots: Mapping[str, tuple[float, float]]) -> str:
    (ax, ay), (bx, by) = spots[str(one["from"])], spots[str(one["to"])]
    dx, dy = bx - ax, by - ay
    length = math.hypot(dx, dy) or 1.0
    ux, uy = dx / length, dy / length
    # Beside the middle line, so that both directions are seen; from edge of box to edge of box.
    side_x, side_y = -uy * 13, ux * 13

    def edge(x: float, y: float, sign: float) -> tuple[float, float]:
        reach = min(58 / abs(ux) if ux else 1e9, 36 / abs(uy) if uy else 1e9) + 3
        return x + sign * ux * reach - side_x, y + sign * uy * reach - side_y

    (x1, y1), (x2, y2) = edge(ax, ay, 1), edge(bx, by, -1)
    word = escape(str(one["verdict"]))
    middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2
    lift = 8 if uy == 0 and ux > 0 else -16 if uy == 0 else 0
    label = ""
    if len(spots) <= 2:
        label = (
            f'<text x="{middle_x:.1f}" y="{middle_y - lift:.1f}" class="tag">'
            f"{clip(version(one.get('tls_version')) or 'no TLS seen', 14)}</text>"
        )
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="trunk {word}" '
        f'marker-end="url(#head-{word})"><title>{escape(str(one["from"]))} to {escape(str(one["to"]))}: '
        f"{word}</title></line>" + label
    )


def ladder(left: str, right: str, rungs: Sequence[Mapping[str, Any]], label: str) -> str:
    """A ladder of messages. Each rung: ``right`` (whether it goes to the right), ``text``, ``note``, ``tone``."""
    shown = list(rungs[:MOST_RUNGS])
    if len(rungs) > MOST_RUNGS:
        shown.append({"right": True, "text": f"and {len(rungs) - MOST_RUNGS} more", "tone": "quiet"})
    top, step = 52, 27
    height = top + step * len(shown) + 22
    parts = [
        f'<line x1="{x}" y1="38" x2="{x}" y2="{height - 8}" class="life"/>'
        f'<rect x="{box}" y="8" width="150" height="30" rx="8" class="box"/>'
        f'<text x="{box + 75}" y="28" class="end">{clip(name, 22)}</text>'
        for x, box, name in ((58, 2, left), (342, 248, right))
    ]
    for at, one in enumerate(shown):
        y = top + step * at + 16
        begin, end = (60, 334) if one.get("right") else (340, 66)
        tip = 6 if one.get("right") else -6
        tone = escape(str(one.get("tone") or "plain"))
        parts.append(
            f'<g class="rung {tone}"><line x1="{begin}" y1="{y}" x2="{end}" y2="{y}"/>'
            f'<path d="M{end},{y - 4}l{tip},4l{-tip},4z"/>'
            f'<text x="200" y="{y - 5}">{clip(one["text"], 44)}</text>'
            + (f'<text x="{24 if one.get("right") else 376}" y="{y + 3}" class="time">{clip(one["note"], 8)}</text>'
               if one.get("note") else "")
            + "</g>"
        )  # fmt: skip
    return _svg(height, label, "".join(parts))


SHIELD = (
    '<svg viewBox="0 0 48 48" class="shield" aria-hidden="true" xmlns="http://www.w3.org/2000/svg">'
    '<path d="M24 3l17 6v13c0 11-7 19-17 23C14 41 7 33 7 22V9z" class="face"/>{mark}</svg>'
)
MARKS = {
    "secure": '<path d="M15 24l7 7 12-14" class="mark"/>',
    "insecure": '<path d="M17 17l14 14M31 17L17 31" class="mark"/>',
    "unproven": '<path d="M18 19c0-8 12-8 12 0 0 5-6 5-6 10M24 34v1" class="mark"/>',
}


def shield(verdict: str) -> str:
    """The sign of a verdict."""
    return SHIELD.format(mark=MARKS.get(verdict, MARKS["unproven"]))
