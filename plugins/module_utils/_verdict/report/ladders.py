# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handshakes and calls of the report, as ladders of messages. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._verdict.evidence import Node, host_of, moment
from ansible_collections.siptls.cucm.plugins.module_utils._verdict.report import pictures

Data = Mapping[str, Any]
MUTUAL: dict[Any, str] = {True: "mutual", False: "not mutual"}
SRTP: dict[Any, str] = {True: "SRTP", False: "without SRTP"}
KEY_MESSAGES = {"Certificate", "CertificateRequest", "CertificateVerify"}
MOST_HANDSHAKES, MOST_CALLS = 8, 6


def handshakes(captures: Sequence[Data], clusters: Sequence[Data]) -> list[dict[str, Any]]:
    """The last captured handshake of each direction that has messages, without a limit on their number."""
    chosen: dict[tuple[str, str], Data] = {}
    for capture in captures:
        if capture.get("protocol") == "tls" and capture.get("handshake"):
            chosen[(_who(capture.get("client"), clusters), _who(capture.get("server"), clusters))] = capture
    return [_handshake(client, server, connection) for (client, server), connection in chosen.items()]


def _handshake(client: str, server: str, connection: Data) -> dict[str, Any]:
    begin = _seconds(connection.get("started"))
    rungs = [_rung(item, connection, begin) for item in connection["handshake"]]
    facts = [
        pictures.version(connection.get("tls_version")),
        connection.get("cipher"),
        MUTUAL.get(connection.get("mutual")),
    ]
    return {
        "client": client,
        "server": server,
        "caption": " · ".join(str(fact) for fact in facts if fact),
        "ladder": pictures.ladder(client, server, rungs, f"TLS handshake of {client} with {server}"),
    }


def _rung(item: Data, connection: Data, begin: float | None) -> dict[str, Any]:
    """One message of a handshake."""
    text, tone = str(item["message"]), "key" if item["message"] in KEY_MESSAGES else "plain"
    if text == "Alert":
        text, tone = _alert(item, connection)
    if text == "Certificate":
        chain = connection.get(f"{item['from']}_certificates") or []
        text = f"Certificate {chain[0].get('common_name') or ''}".strip() if chain else "Certificate (empty)"
    now = _seconds(item.get("time"))
    note = f"{(now - begin) * 1000:.0f} ms" if now is not None and begin is not None else ""
    return {"right": item["from"] == "client", "text": text, "tone": tone, "note": note}


def _alert(item: Data, connection: Data) -> tuple[str, str]:
    alerts = connection.get("alerts") or []
    at, end = item.get("time"), item.get("from")
    alert: Data = next(
        (candidate for candidate in alerts if (candidate.get("time"), candidate.get("from")) == (at, end)), {}
    )
    if alert.get("level") == "encrypted":
        return "Alert (encrypted)", "plain"
    words = str(alert.get("name") or "unknown").replace("_", " ")
    return f"Alert: {words}", "bad" if alert.get("level") == "fatal" else "plain"


def calls(traces: Sequence[Data]) -> Iterator[Data]:
    """The calls of the traces. A call is in those of both ends; that of the end that sent it is shown."""
    for trace in traces:
        for call in trace.get("calls") or []:
            if call.get("direction") != "in":
                yield {**call, "cluster": trace.get("cluster")}


def call_ladder(call: Data, clusters: Sequence[Data]) -> dict[str, Any]:
    """A call: who, how it ended, and its messages."""
    remote = str(call.get("remote_ip") or "")
    peer = _who(f"{remote}:0", clusters) if remote else str(call.get("to") or "peer")
    peer = remote if peer.endswith(":0") else peer
    own = str(call.get("cluster") or call.get("trunk") or "CUCM")
    rungs = [
        {
            "right": message.get("way") == "out",
            "text": str(message.get("message")) + (" (SRTP keys)" if message.get("srtp") else ""),
            "tone": _tone(str(message.get("message"))),
            "note": str(message.get("time") or "")[11:19],
        }
        for message in call.get("ladder") or []
    ]  # fmt: skip
    calling = str(call.get("calling") or call.get("from") or "?")
    called = str(call.get("called") or call.get("to") or "?")
    return {
        "calling": calling,
        "called": called,
        "facts": [
            ("Result", call.get("result")),
            ("Transport", call.get("transport")),
            ("Media", SRTP.get(call.get("srtp"))),
            ("Trunk", call.get("trunk")),
        ],
        "ladder": pictures.ladder(own, peer, rungs, f"Messages of the call {calling} to {called}") if rungs else None,
    }


def _tone(message: str) -> str:
    """Answers by their class, the INVITE as the key message."""
    if message == "INVITE":
        return "key"
    return {"2": "good", "4": "bad", "5": "bad", "6": "bad"}.get(message[:1], "plain")


def _who(endpoint: Any, clusters: Sequence[Data]) -> str:
    """The node of an address, or the address."""
    host = host_of(endpoint)
    for cluster in clusters:
        for node in cluster.get("nodes") or []:
            if host in Node.of(node).addresses:
                return str(node["name"])
    return str(endpoint)


def _seconds(value: Any) -> float | None:
    found = moment(value)
    return found.timestamp() if found else None
