# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The upper half of the report: the verdict in a word, the questions it answers, the clusters. Private."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict import report_pictures as pictures
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.report_parts import facts_list, pill, section

Data = Mapping[str, Any]
IN_WORDS = {
    "secure": "Calls between these clusters take trunks whose signaling is encrypted and on which each side has "
    "proven who it is. The evidence is below.",
    "insecure": "Something was found that makes calls between these clusters unsafe, or stops them. The causes and "
    "what to do are below.",
    "unproven": "Nothing wrong was found, but not all that a proof needs was seen. What is missing is listed below.",
}
REACH = {
    "call": "a call was seen on it",
    "observed": "seen between the clusters",
    "probed": "each end was asked from the controller",
    "configured": "by configuration alone",
}
# The strongest kind of evidence first.
SOURCES = ("call", "capture", "trace", "status", "probe", "certificate", "configuration")
# Question -> the checks of a verdict that answer it.
QUESTIONS = (
    ("Is it the right peer?", {"server_certificate", "client_certificate", "trace_certificate", "server_trust",
                               "client_trust", "server_name", "client_name"}),
    ("Do both sides prove who they are?", {"mutual_authentication"}),
    ("Is the signaling encrypted?", {"profile", "peer_profile", "wire", "tls_version", "cipher"}),
    ("Is the media encrypted?", {"srtp"}),
    ("Are the certificates fit and in date?", {"extended_key_usage", "dates"}),
    ("Do calls get through?", {"destinations", "trunk_status", "call", "incoming"}),
)  # fmt: skip
# What answers a question with yes, where not every source does; else the answer is the second part.
SHOWN_BY = {
    "Is the media encrypted?": ({"call"}, "allowed"),
    "Is the signaling encrypted?": ({"call", "capture", "trace", "probe"}, "configured"),
}
ANSWERS = {
    "error": ("insecure", "no"),
    "missing": ("unproven", "not proven"),
    "one_sided": ("unproven", "from one side"),
}


def hero(verdict: str, directions: Sequence[Data], clusters: Sequence[Data]) -> str:
    """The verdict in a word, for whoever reads no further."""
    secure = sum(one["verdict"] == "secure" for one in directions)
    count = len(directions)
    return (
        f'<div class="hero {escape(verdict)}">{pictures.shield(verdict)}<div><div class="word">{escape(verdict)}</div>'
        f"<p>{escape(IN_WORDS.get(verdict, ''))}</p><p>{secure} of {count} direction{'' if count == 1 else 's'} secure "
        f"between {len(clusters)} clusters.</p></div></div>"
    )


def glance(directions: Sequence[Data]) -> str:
    """The questions that a verdict answers, each with its answer over all directions and what it rests on."""
    tiles = "".join(_tile(question, checks, directions) for question, checks in QUESTIONS)
    return f'<div class="glance">{tiles}</div>' if directions else ""


def _tile(question: str, checks: set[str], directions: Sequence[Data]) -> str:
    against = [one for way in directions for one in way.get("findings") or [] if one["check"] in checks]
    found = {one["source"] for way in directions for one in way.get("evidence") or [] if one["check"] in checks}
    worst = next((word for word in ANSWERS if any(one["severity"] == word for one in against)), None)
    enough, otherwise = SHOWN_BY.get(question, (found, ""))
    yes = ("secure", "yes") if found & enough else ("unproven", f"{otherwise}, not seen")
    tone, answer = ANSWERS[worst] if worst else yes if found else ("unproven", "not proven")
    if worst == "error":
        small = next(one["cause"] for one in against if one["severity"] == "error")
    else:
        small = "by " + ", ".join(one for one in SOURCES if one in found) if found else "nothing was seen"
    return (
        f'<div class="tile {tone}">{pictures.shield(tone)}<div><div class="q">{escape(question)}</div>'
        f'<div class="a">{escape(answer)}</div><div class="src">{escape(small)}</div></div></div>'
    )


def overview(clusters: Sequence[Data], directions: Sequence[Data]) -> str:
    """The clusters as a picture (many of them as a table), and a card per direction."""
    if len(clusters) <= pictures.MOST_IN_PICTURE:
        picture = f'<div class="net">{pictures.network(clusters, directions)}</div>'
    else:
        picture = _matrix(clusters, directions)
    cards = "".join(_direction(one) for one in directions[:24])
    if len(directions) > 24:
        cards += f"<p>{len(directions) - 24} more directions are in the JSON file beside this page.</p>"
    return section(
        "Clusters and trunks", "Each arrow is one direction: calls from one cluster to the other.",
        f'{picture}<div class="two">{cards}</div>',
    )  # fmt: skip


def _matrix(clusters: Sequence[Data], directions: Sequence[Data]) -> str:
    words = {(one["from"], one["to"]): str(one["verdict"]) for one in directions}
    names = [str(one["name"]) for one in clusters]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    rows = "".join(
        f"<tr><th>{escape(a)}</th>"
        + "".join(
            f'<td class="{words.get((a, b), "")}">{escape(words.get((a, b), "")[:1].upper())}</td>' for b in names
        )
        + "</tr>"
        for a in names
    )
    return f'<div class="matrix"><table><tr><th>from / to</th>{head}</tr>{rows}</table></div>'


def _parameters(one: Data) -> str:
    text = " · ".join(filter(None, (pictures.version(one.get("tls_version")), one.get("cipher"))))
    own = {one.get("tls_version_source"), one.get("cipher_source")} - {None, "probe"}
    return f"{text} (the controller's probe)" if text and not own and one.get("cipher_source") else text


def _direction(one: Data) -> str:
    certificate = one.get("server_certificate") or {}
    facts = facts_list(
        [
            ("TLS", _parameters(one)),
            ("Media", one.get("media")),
            ("Evidence", REACH.get(str(one.get("reach")), "")),
            ("Peer", certificate.get("subject")),
            ("Valid until", str(certificate.get("not_after") or "")[:10]),
        ]
    )
    evidence = "".join(
        f'<li>{escape(str(item["text"]))} <span class="src">({escape(str(item["source"]))})</span></li>'
        for item in one.get("evidence") or []
    )
    count = len(one.get("evidence") or [])
    more = (
        f'<details><summary>All evidence ({count})</summary><ul class="evidence">{evidence}</ul></details>'
        if evidence
        else ""
    )
    return (
        f'<div class="card"><div class="top"><b>{escape(str(one["from"]))} → {escape(str(one["to"]))}</b>'
        f"{pill(one['verdict'])}</div>{facts}{more}</div>"
    )
