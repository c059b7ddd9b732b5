# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: one HTML page that needs nothing else, and the same as data. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict import pages
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import report_overview as overview
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import report_pictures as pictures
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import Identity, Node, host_of
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.report_parts import facts_list, pill, section
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.verdict import PROVES
from ansible_collections.siptls.cucm.plugins.module_utils._x509.certificate import Certificate

Data = Mapping[str, Any]
FIELDS = (
    ("Subject", "subject"), ("Issuer", "issuer"), ("Serial number", "serial"), ("Valid from", "not_before"),
    ("Valid until", "not_after"), ("SHA-256", "sha256"),
)  # fmt: skip
# In the order in which findings are listed.
SEVERITIES = {"error": "error", "missing": "missing", "warning": "warning", "one_sided": "seen from one side"}
MUTUAL: dict[Any, str] = {True: "mutual", False: "not mutual"}
UNKNOWN = "not known"
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
    directions = report.verdict.get("directions") or []
    parts = [
        overview.hero(verdict, directions, report.clusters),
        overview.glance(directions),
        _findings(report),
        overview.overview(report.clusters, directions),
        _certificates(report),
        _handshakes(report),
        _calls(report),
        _changes(report),
        _files(report),
        _reading(),
    ]
    # The parts are HTML already.
    main = pages.markup("".join(parts))
    return pages.render("report.html.j2", title=report.title, generated=report.generated, verdict=verdict, main=main)


def _findings(report: Report) -> str:
    order = list(SEVERITIES)
    found = [(one, finding) for one in report.verdict.get("directions") or [] for finding in one.get("findings") or []]
    # The same fault shows in both directions of a trunk; it is listed once.
    merged: dict[tuple[str, str], tuple[Data, list[str]]] = {}
    for one, finding in sorted(found, key=lambda pair: order.index(pair[1]["severity"])):
        entry = merged.setdefault((finding["severity"], finding["cause"]), (finding, []))
        way = f"{one['from']} → {one['to']}"
        if way not in entry[1]:
            entry[1].append(way)
    items = "".join(
        f'<div class="finding {escape(finding["severity"])}"><p>'
        + pill(SEVERITIES[finding["severity"]], finding["severity"])
        + " "
        + f"{escape(finding['cause'])}</p>"
        + (f'<p class="do"><b>Do:</b> {escape(finding["remedy"])}</p>' if finding.get("remedy") else "")
        + (f'<p class="do"><b>Would prove it:</b> {escape(finding["proof"])}</p>' if finding.get("proof") else "")
        + f'<p class="src">{escape(", ".join(where))} · {escape(finding["check"])}</p></div>'
        for finding, where in merged.values()
    )
    what = "Errors make a direction insecure, missing evidence leaves it unproven, warnings do neither."
    return section("What was found", what, items)


def _certificates(report: Report) -> str:
    blocks = "".join(
        _comparison(str(cluster["name"]), node, identity, report.captures)
        for cluster in report.clusters
        for node in map(Node.of, cluster.get("nodes") or [])
        for identity in node.identities
    )
    return section(
        "Certificates side by side",
        "What the CA issued, what CUCM holds, what was presented: the same certificate in each column.", blocks,
    )  # fmt: skip


def _comparison(cluster: str, node: Node, identity: Identity, captures: Sequence[Data]) -> str:
    columns = [
        ("Issued by the CA", identity.issued),
        ("Held by CUCM", identity.held),
        ("Shown to the controller", identity.probed),
        ("Shown to peers", _captured(node, identity, captures)),
    ]
    shown = [(title, certificate.view()) for title, certificate in columns if certificate]
    if not shown:
        return ""
    prints = {str(view.get("sha256")).replace(":", "").upper() for _unused, view in shown}
    sign = pill("all the same", "same") if len(prints) == 1 else pill("they differ", "differs")
    cells = ['<div class="h k"></div>', *(f'<div class="h">{escape(title)}</div>' for title, _unused in shown)]
    for label, key in FIELDS:
        cells += [f'<div class="k">{label}</div>', *_row(key, shown)]
    return (
        f'<h3>{escape(node.name)}, {identity.purpose.name} <span class="src">({escape(cluster)})</span> {sign}</h3>'
        f'<div class="compare" style="--cols:{len(shown)}">{"".join(cells)}</div>'
    )


def _row(key: str, shown: Sequence[tuple[str, Data]]) -> Iterator[str]:
    """One field of the certificates side by side; on a telephone a value that is the same everywhere is shown once."""
    values = [str(view.get(key) or UNKNOWN) for _unused, view in shown]
    differs = len({value.upper() for value in values if value != UNKNOWN}) > 1
    same = len(set(values)) == 1
    mono = "mono" if key in ("serial", "sha256") else ""
    for at, ((title, _unused), value) in enumerate(zip(shown, values, strict=True)):
        kind = "differs" if differs and value != UNKNOWN else "twin" if same and at else ""
        yield (
            f'<div class="{kind}"><span class="label">{escape("the same everywhere" if same else title)}</span>'
            f'<span class="{mono}">{escape(value)}</span></div>'
        )


def _captured(node: Node, identity: Identity, captures: Sequence[Data]) -> Certificate | None:
    """The leaf that the node showed of an identity last in a capture, in either role."""
    for one in sorted(captures, key=lambda entry: str(entry.get("started")), reverse=True):
        for role in ("server", "client"):
            chain = one.get(f"{role}_certificates")
            if chain and host_of(one.get(role)) in node.addresses:
                leaf = Certificate.from_view(chain[0])
                if leaf and node.identity_of(leaf) is identity:
                    return leaf
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
    what = "The last captured handshake of each direction, with the time since its first packet."
    return section("Handshakes on the wire", what, f'<div class="two">{figures}</div>' if figures else "")


def _handshake(client: str, server: str, one: Data) -> str:
    begin = _seconds(one.get("started"))
    rungs = [_rung(item, one, begin) for item in one.get("handshake") or []]
    if not rungs:
        return ""
    facts = [pictures.version(one.get("tls_version")), one.get("cipher"), MUTUAL.get(one.get("mutual"))]
    caption = " · ".join(str(fact) for fact in facts if fact)
    return (
        f'<div><h3>{escape(client)} → {escape(server)}</h3><p class="src">{escape(caption)}</p>'
        + pictures.ladder(client, server, rungs, f"TLS handshake of {client} with {server}")
        + "</div>"
    )


def _rung(item: Data, one: Data, begin: float | None) -> dict[str, Any]:
    """One message of a handshake for the ladder."""
    text, tone = str(item["message"]), "key" if item["message"] in KEY_MESSAGES else "plain"
    if text == "Alert":
        text, tone = _alert(item, one)
    if text == "Certificate":
        chain = one.get(f"{item['from']}_certificates") or []
        text = f"Certificate {chain[0].get('common_name') or ''}".strip() if chain else "Certificate (empty)"
    now = _seconds(item.get("time"))
    note = f"{(now - begin) * 1000:.0f} ms" if now is not None and begin is not None else ""
    return {"right": item["from"] == "client", "text": text, "tone": tone, "note": note}


def _alert(item: Data, one: Data) -> tuple[str, str]:
    alerts = one.get("alerts") or []
    moment, end = item.get("time"), item.get("from")
    alert: Data = next((one for one in alerts if (one.get("time"), one.get("from")) == (moment, end)), {})
    if alert.get("level") == "encrypted":
        return "Alert (encrypted)", "plain"
    words = str(alert.get("name") or "unknown").replace("_", " ")
    return f"Alert: {words}", "bad" if alert.get("level") == "fatal" else "plain"


def _seconds(value: Any) -> float | None:
    from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import moment

    found = moment(value)
    return found.timestamp() if found else None


def _calls(report: Report) -> str:
    # A call is in the traces of both ends; that of the end that sent it is shown.
    made = [
        {**one, "cluster": trace.get("cluster")}
        for trace in report.traces
        for one in trace.get("calls") or []
        if one.get("direction") != "in"
    ]
    figures = "".join(_call(one, report.clusters) for one in made[-6:])
    what = "What a call left behind in the traces of the cluster that sent it."
    return section("Calls", what, f'<div class="two">{figures}</div>' if figures else "")


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
    facts = facts_list(
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
    """Answers by their class, the INVITE as the key message."""
    if message == "INVITE":
        return "key"
    return {"2": "good", "4": "bad", "5": "bad", "6": "bad"}.get(message[:1], "plain")


def _changes(report: Report) -> str:
    clusters = list(dict.fromkeys(str(one.get("cluster") or "") for one in report.changes))
    columns = "".join(
        f'<div class="card"><div class="top"><b>{escape(name)}</b></div>'
        + _steps([one for one in report.changes if str(one.get("cluster") or "") == name])
        + "</div>"
        for name in clusters
    )
    return section("What was changed", "What was changed on the clusters before this check.",
                   f'<div class="two">{columns}</div>' if columns else "<p>Nothing.</p>")  # fmt: skip


def _steps(rows: Sequence[Data]) -> str:
    """Each step with what was done in it."""
    steps = "".join(
        f"<dt>{escape(str(one.get('what') or ''))}</dt><dd>"
        + "<br>".join(escape(str(action)) for action in one.get("actions") or [])
        + "</dd>"
        for one in rows
    )
    return f'<dl class="rows">{steps}</dl>'


def _files(report: Report) -> str:
    rows = "".join(
        f'<div class="file"><code>{escape(str(one.get("path")))}</code><br><span class="src">'
        f"{escape(str(one.get('size', '?')))} bytes · SHA-256 "
        f'<span class="mono">{escape(str(one.get("sha256") or ""))}</span></span></div>'
        for one in report.files
    )
    return section(
        "Evidence files",
        "Where the evidence lies, from this page's folder, and its hashes: they show that it is unaltered.",
        rows,
    )


def _reading() -> str:
    rows = "".join(f"<dt>{escape(key)}</dt><dd>{escape(words)}</dd>" for key, words in PROVES.items())
    return section("How to read this", "What each kind of evidence proves.", f"<dl>{rows}</dl>")
