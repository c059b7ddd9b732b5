# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: one HTML page that needs nothing else, and the same as data. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._siptls import report_pictures as pictures
from ansible_collections.siptls.cucm.plugins.module_utils._siptls.evidence import Node, host_of
from ansible_collections.siptls.cucm.plugins.module_utils._siptls.report_style import STYLE
from ansible_collections.siptls.cucm.plugins.module_utils._siptls.verdict import PROVES

Data = Mapping[str, Any]
FIELDS = (
    ("Subject", "subject"), ("Issuer", "issuer"), ("Serial number", "serial"), ("Valid from", "not_before"),
    ("Valid until", "not_after"), ("SHA-256", "sha256"),
)  # fmt: skip
IN_WORDS = {
    "secure": "Calls between these clusters take trunks whose signalling is encrypted and on which each side has "
    "proven who it is. The evidence is below.",
    "insecure": "Something was found that makes calls between these clusters unsafe, or stops them. What it is and "
    "what to do stands below.",
    "unproven": "Nothing wrong was found, but not all that a proof needs was seen. What is missing stands below.",
}
REACH = {
    "call": "a call was seen on it",
    "observed": "seen between the clusters",
    "probed": "each end was asked from the controller",
    "configured": "by configuration alone",
}
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
KEY_MESSAGES = {"Certificate", "CertificateRequest", "CertificateVerify"}


@dataclass(frozen=True)
class Report:
    """What a report shows; every part may be empty."""

    title: str
    generated: str
    clusters: Sequence[Data]
    verdict: Data
    captures: Sequence[Data] = ()
    traces: Sequence[Data] = ()
    changes: Sequence[Data] = ()
    files: Sequence[Data] = field(default_factory=tuple)

    def as_data(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        return {key: getattr(self, key) for key in self.__dataclass_fields__}


def page(report: Report) -> str:
    """The whole page."""
    verdict = str(report.verdict.get("verdict") or "unproven")
    parts = [
        _hero(report, verdict),
        _overview(report),
        _findings(report),
        _certificates(report),
        _handshakes(report),
        _calls(report),
        _changes(report),
        _files(report),
        _reading(),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        # Nothing may be loaded: the page must say the same wherever it is opened.
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(report.title)}: {verdict}</title><style>{STYLE}</style></head><body>"
        f'<header><div class="in"><h1>{escape(report.title)}</h1><span>{escape(report.generated)}</span></div></header>'
        f"<main>{''.join(parts)}</main><footer>Made by siptls.cucm. This page is complete in itself and loads nothing."
        "</footer></body></html>\n"
    )


def _section(title: str, lead: str, inner: str) -> str:
    return f'<section><h2>{escape(title)}</h2><p class="lead">{escape(lead)}</p>{inner}</section>' if inner else ""


def _pill(word: Any, kind: str | None = None) -> str:
    return f'<span class="pill {escape(kind or str(word))}">{escape(str(word))}</span>'


def _list(pairs: Iterable[tuple[str, Any]]) -> str:
    rows = "".join(
        f"<dt>{escape(key)}</dt><dd>{escape(str(value))}</dd>" for key, value in pairs if value not in (None, "")
    )
    return f"<dl>{rows}</dl>"


def _hero(report: Report, verdict: str) -> str:
    count = len(report.verdict.get("directions") or [])
    secure = sum(one["verdict"] == "secure" for one in report.verdict.get("directions") or [])
    return (
        f'<div class="hero {escape(verdict)}">{pictures.shield(verdict)}<div><div class="word">{escape(verdict)}</div>'
        f"<p>{escape(IN_WORDS.get(verdict, ''))}</p><p>{secure} of {count} directions secure, "
        f"{len(report.clusters)} clusters.</p></div></div>"
    )


def _overview(report: Report) -> str:
    directions = report.verdict.get("directions") or []
    if len(report.clusters) <= pictures.MOST_IN_PICTURE:
        picture = pictures.network(report.clusters, directions)
    else:
        picture = _matrix(report.clusters, directions)
    cards = "".join(_direction(one) for one in directions[:24])
    if len(directions) > 24:
        cards += f"<p>{len(directions) - 24} more directions are in the JSON file beside this page.</p>"
    return _section(
        "Clusters and trunks", "Each arrow is one direction: calls from one cluster to the other.",
        f'<div class="two"><div>{picture}</div><div>{cards}</div></div>',
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


def _direction(one: Data) -> str:
    certificate = one.get("server_certificate") or {}
    facts = _list(
        [
            ("TLS", " ".join(filter(None, (one.get("tls_version"), one.get("cipher"))))),
            ("Evidence", REACH.get(str(one.get("reach")), "")),
            ("Peer", certificate.get("subject")),
        ]
    )
    evidence = "".join(
        f'<li>{escape(str(item["text"]))} <span class="src">({escape(str(item["source"]))})</span></li>'
        for item in one.get("evidence") or []
    )
    more = f'<details><summary>All evidence</summary><ul class="evidence">{evidence}</ul></details>' if evidence else ""
    return (
        f'<div class="card"><div class="top"><b>{escape(str(one["from"]))} → {escape(str(one["to"]))}</b>'
        f"{_pill(one['verdict'])}</div>{facts}{more}</div>"
    )


def _findings(report: Report) -> str:
    order = {"error": 0, "missing": 1, "warning": 2}
    found = [(one, finding) for one in report.verdict.get("directions") or [] for finding in one.get("findings") or []]
    # The same fault shows in both directions of a trunk; it is told once.
    merged: dict[tuple[str, str], tuple[Data, list[str]]] = {}
    for one, finding in sorted(found, key=lambda pair: order.get(pair[1]["severity"], 3)):
        entry = merged.setdefault((finding["severity"], finding["cause"]), (finding, []))
        way = f"{one['from']} → {one['to']}"
        if way not in entry[1]:
            entry[1].append(way)
    items = "".join(
        f'<div class="finding {escape(finding["severity"])}"><p>{_pill(finding["severity"])} '
        + f"{escape(finding['cause'])}</p>"
        + (f'<p class="do"><b>Do:</b> {escape(finding["remedy"])}</p>' if finding.get("remedy") else "")
        + (f'<p class="do"><b>Would prove it:</b> {escape(finding["proof"])}</p>' if finding.get("proof") else "")
        + f'<p class="src">{escape(", ".join(where))} · {escape(finding["check"])}</p></div>'
        for finding, where in merged.values()
    )
    return _section("What was found", "Errors make a direction insecure, missing evidence leaves it unproven, "
                    "warnings do neither.", items)  # fmt: skip


def _certificates(report: Report) -> str:
    blocks = "".join(
        _comparison(str(cluster["name"]), Node.of(node), node, report.captures)
        for cluster in report.clusters
        for node in cluster.get("nodes") or []
    )
    return _section(
        "Certificates side by side",
        "What the CA issued, what CUCM holds, what was shown: one certificate when all is well.", blocks,
    )  # fmt: skip


def _comparison(cluster: str, node: Node, raw: Data, captures: Sequence[Data]) -> str:
    chain = (node.probe or {}).get("chain") or []
    columns = [
        ("Issued by the CA", raw.get("issued")),
        ("Held by CUCM", raw.get("held")),
        ("Shown to the controller", chain[0] if chain else None),
        ("Shown to peers", _captured(node, captures)),
    ]
    shown = [(title, view) for title, view in columns if view]
    if not shown:
        return ""
    prints = {str(view.get("sha256")).replace(":", "").upper() for _, view in shown}
    pill = _pill("all the same", "same") if len(prints) == 1 else _pill("they differ", "differs")
    cells = ['<div class="h k"></div>', *(f'<div class="h">{escape(title)}</div>' for title, _ in shown)]
    for label, key in FIELDS:
        cells.append(f'<div class="k">{label}</div>')
        values = [str(view.get(key) or "not told") for _, view in shown]
        told = {value.upper() for value in values if value != "not told"}
        same = len(set(values)) == 1
        for at, ((title, _), value) in enumerate(zip(shown, values, strict=True)):
            kind = "differs" if len(told) > 1 and value != "not told" else ""
            # On a telephone a value that is the same everywhere is shown once.
            kind = "twin" if same and at else kind
            mono = "mono" if key in ("serial", "sha256") else ""
            cells.append(
                f'<div class="{kind}"><span class="label">{escape("the same everywhere" if same else title)}</span>'
                f'<span class="{mono}">{escape(value)}</span></div>'
            )
    return (
        f'<h3>{escape(node.name)} <span class="src">({escape(cluster)})</span> {pill}</h3>'
        f'<div class="compare" style="--cols:{len(shown)}">{"".join(cells)}</div>'
    )


def _captured(node: Node, captures: Sequence[Data]) -> Data | None:
    """The leaf that the node showed last in a capture, in either role."""
    for one in sorted(captures, key=lambda entry: str(entry.get("started")), reverse=True):
        for role in ("server", "client"):
            chain = one.get(f"{role}_certificates")
            if chain and host_of(one.get(role)) in node.addresses:
                first: Data = chain[0]
                return first
    return None


def _who(endpoint: Any, clusters: Sequence[Data]) -> str:
    host = host_of(endpoint)
    for cluster in clusters:
        for node in cluster.get("nodes") or []:
            if host in Node.of(node).addresses:
                return str(node["name"])
    return str(endpoint)


def _handshakes(report: Report) -> str:
    chosen: dict[tuple[str, str], Data] = {}
    for one in report.captures:
        if one.get("protocol") == "tls":
            chosen[(_who(one.get("client"), report.clusters), _who(one.get("server"), report.clusters))] = one
    figures = "".join(_handshake(client, server, one) for (client, server), one in list(chosen.items())[:8])
    return _section("Handshakes on the wire", "The last captured handshake of each direction, with the time since its "
                    "first packet.", f'<div class="two">{figures}</div>' if figures else "")  # fmt: skip


def _handshake(client: str, server: str, one: Data) -> str:
    rungs: list[dict[str, Any]] = []
    begin = _seconds(one.get("started"))
    alerts = {(str(item.get("time")), item.get("from")): item for item in one.get("alerts") or []}
    for item in one.get("handshake") or []:
        text, tone = str(item["message"]), "key" if item["message"] in KEY_MESSAGES else "plain"
        if text == "Alert":
            alert = alerts.get((str(item.get("time")), item.get("from"))) or {}
            words = str(alert.get("name") or "unknown").replace("_", " ")
            text = "Alert (encrypted)" if alert.get("level") == "encrypted" else f"Alert: {words}"
            tone = "bad" if alert.get("level") == "fatal" else "plain"
        if text == "Certificate":
            chain = one.get(f"{item['from']}_certificates") or []
            text = f"Certificate {chain[0].get('common_name') or ''}".strip() if chain else "Certificate (empty)"
        now = _seconds(item.get("time"))
        note = f"{(now - begin) * 1000:.0f} ms" if now is not None and begin is not None else ""
        rungs.append({"right": item["from"] == "client", "text": text, "tone": tone, "note": note})
    if not rungs:
        return ""
    mutual = "mutual" if one.get("mutual") else "not mutual" if one.get("mutual") is False else None
    facts = [one.get("tls_version"), one.get("cipher"), mutual]
    caption = " · ".join(str(fact) for fact in facts if fact)
    return (
        f'<div><h3>{escape(client)} → {escape(server)}</h3><p class="src">{escape(caption)}</p>'
        + pictures.ladder(client, server, rungs, f"TLS handshake of {client} with {server}")
        + "</div>"
    )


def _seconds(value: Any) -> float | None:
    from ansible_collections.siptls.cucm.plugins.module_utils._siptls.evidence import moment

    found = moment(value)
    return found.timestamp() if found else None


def _calls(report: Report) -> str:
    # A call stands in the traces of both ends; the end that sent it tells it.
    made = [
        {**one, "cluster": trace.get("cluster")}
        for trace in report.traces
        for one in trace.get("calls") or []
        if one.get("direction") != "in"
    ]
    figures = "".join(_call(one, report.clusters) for one in made[-6:])
    return _section("Calls", "What a call left behind in the traces of the cluster that sent it.",
                    f'<div class="two">{figures}</div>' if figures else "")  # fmt: skip


def _call(call: Data, clusters: Sequence[Data]) -> str:
    remote = str(call.get("remote_ip") or "")
    peer = _who(f"{remote}:0", clusters) if remote else str(call.get("to") or "peer")
    peer = remote if peer.endswith(":0") else peer
    own = str(call.get("cluster") or call.get("trunk") or "CUCM")
    rungs = [
        {
            "right": one.get("way") == "out",
            "text": str(one.get("message")) + (" (SRTP keys)" if one.get("srtp") else ""),
            "tone": _tone(str(one.get("message"))),
            "note": str(one.get("time") or "")[11:19],
        }
        for one in call.get("ladder") or []
    ]  # fmt: skip
    facts = _list(
        [
            ("Result", call.get("result")),
            ("Transport", call.get("transport")),
            ("Media", {True: "SRTP", False: "without SRTP"}.get(call.get("srtp"))),  # type: ignore[arg-type]
            ("Trunk", call.get("trunk")),
        ]
    )
    who = f"{call.get('calling') or call.get('from') or '?'} → {call.get('called') or call.get('to') or '?'}"
    figure = pictures.ladder(own, peer, rungs, f"Messages of the call {who}") if rungs else ""
    return f"<div><h3>{escape(who)}</h3>{facts}{figure}</div>"


def _tone(message: str) -> str:
    """Answers by their class, the INVITE as what it is all about."""
    if message == "INVITE":
        return "key"
    return {"2": "good", "4": "bad", "5": "bad", "6": "bad"}.get(message[:1], "plain")


def _changes(report: Report) -> str:
    rows = "".join(
        f'<div class="file"><b>{escape(str(one.get("cluster") or ""))}</b> {escape(str(one.get("what") or ""))}'
        + "".join(f'<br><span class="src">{escape(str(action))}</span>' for action in one.get("actions") or [])
        + "</div>"
        for one in report.changes
    )
    return _section("What was changed", "What this run changed on the clusters.", rows)


def _files(report: Report) -> str:
    rows = "".join(
        f'<div class="file"><code>{escape(str(one.get("path")))}</code><br><span class="src">'
        f"{escape(str(one.get('size', '?')))} bytes · SHA-256 "
        f'<span class="mono">{escape(str(one.get("sha256") or ""))}</span></span></div>'
        for one in report.files
    )
    return _section(
        "Evidence files", "Where the evidence lies, and its hashes, so that it can be shown to be unaltered.", rows
    )


def _reading() -> str:
    rows = "".join(f"<dt>{escape(key)}</dt><dd>{escape(words)}</dd>" for key, words in PROVES.items())
    return _section("How to read this", "What each kind of evidence proves.", f"<dl>{rows}</dl>")
