# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SDL traces of CUCM, read as a stream: one pass, cheap tests before dear ones. Private to this collection.

A trace is mostly lines that say nothing of trunks. Each line is judged by its kind and first words; only what may
matter is decoded and meets a regular expression. Nothing here raises on bad input.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, BinaryIO

from ansible_collections.siptls.cucm.plugins.module_utils._evidence import sip_text
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.unpacking import blocks

# Signals that matter, and how the texts begin that do.
SIGNALS = (b"SIPCertificateInd", b"SIPPingReq", b"SIPPingResult")
TEXTS = (b"Digit analysis: match", b"Digit analysis: analysis results", b"SIPTcp - ", b"SIPUdp - ", b"//SIP/", b"|")
# Of the stack's lines, those about connections.
STACK_WORDS = (b"transport=", b"tls_security=", b"PostCloseConnection", b"DeleteConnInstance", b"SSL", b"TLS")
_HEAD = re.compile(r"\s*(\d{6,10})\.(\d{3}) \|(\d\d):(\d\d):(\d\d)\.(\d{3}) \|([^|]*)\|(.*)", re.S)
# A document that lost its line ends holds several lines in one.
_FLAT = re.compile(rb"(?<![ \t])[ \t]+(?=\d{8}\.\d{3} \|\d\d:\d\d:\d\d\.\d{3} \|)")
_FILE_HEAD = re.compile(
    r"UTC:\s*([+-])(\d\d):(\d\d)\s*,\s*Date:\s*(\d{4})/(\d\d)/(\d\d)(?:.*?AppVersion:\s*CUCM Install=(\S+))?"
    r"(?:.*?HostName:\s*([^,\s]+))?(?:.*?HostIPAddress:\s*([^,\s]+))?(?:.*?TraceVer:\s*(\S+))?"
)
_MATCH_PAIR = re.compile(r'(\w+)\s*=\s*"([^"]*)"')
_CERTIFICATE = re.compile(
    r"connIdx=\s*(?P<index>\d+)\s+--remoteIP\s*=\s*(?P<remote_ip>\S+)\s+--remotePort\s*=\s*(?P<remote_port>\d+)\s+"
    r"--X509SubjectName\s*=?\s*(?P<subject>.*?)\s+--Cipher\s*=?\s*(?P<cipher>\S*)\s+--SubjectAltname\s*=\s*(?P<san>.*)$",
    re.S,
)
_CONNECTION = re.compile(
    r"(?P<event>\w+):.*?addr=(?P<remote_ip>[^,\s]+), port=(?P<remote_port>\d+), connid=(?P<index>\d+)"
    r"(?:, transport=(?P<transport>[\w ]+?))?\s*(?:$|,|\bHandling)|connid=(?P<index2>\d+), addr=(?P<ip2>[^,\s]+), "
    r"port=(?P<port2>\d+), transport=(?P<transport2>[\w ]+)"
)
_SECURITY = re.compile(r"tls_security\s*=\s*(\d+)")
_MESSAGE = re.compile(
    r"SIP(?P<layer>Tcp|Udp) - \w+: (?P<way>Outgoing|Incoming) SIP \w+ message (?:size \d+ )?(?:to|from) "
    r"(?P<ip>[0-9A-Fa-f.:\[\]]+?)(?: on port |:\[?)(?P<port>\d+)\]?(?: index (?P<index>\d+))?"
)
_NET = re.compile(r"\[(\d+),\s*NET\]\s*")
_PING = re.compile(
    r"ccbID=\s*(?P<ccb>\d+)(?:.*?interErr=(?P<error>\w))?(?:.*?resp=(?P<answer>\d+))?(?:.*?PeerAddr\s*=\s*(?P<peer>\S+))?",
    re.S,
)
_SSL_TROUBLE = re.compile(
    r"(?i)(?:ssl|tls|certificate).*(?:fail|error|alert|unknown|expired|mismatch|reject|not match)"
)
_FLAT_HEADERS = re.compile(
    r"(?<![ \t])[ \t]+(?=(?:Via|From|To|Date|Call-ID|User-Agent|CSeq|Contact|Max-Forwards|Content-Length|Content-Type|"
    r"Allow|Supported|Server|Expires|Warning|Reason|Require|Min-SE|Session-Expires|Remote-Party-ID|"
    r"P-Asserted-Identity): )"
)
KEPT_METHODS = {"INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "OPTIONS"}
MOST_CONTINUATION = 400
MOST_EVENTS = 50_000
# Characters of a line (and its continuation) that are looked at.
MOST_TEXT, MOST_MESSAGE = 8_192, 65_536


@dataclass
class TraceTime:
    """The clock of one file: the date and zone of its head, and the midnights passed since."""

    zone: timezone | None = None
    midnight: datetime | None = None
    last: int = 0

    def head(self, text: str) -> dict[str, Any]:
        """Takes date and zone from a FileHead line; what else it says, as a dictionary."""
        found = _FILE_HEAD.search(text)
        if not found:
            return {}
        sign, hours, minutes, year, month, day, version, host, address, trace = found.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
        try:
            self.zone = timezone(offset)
            self.midnight = datetime(int(year), int(month), int(day), tzinfo=self.zone)
        except ValueError:
            self.zone = self.midnight = None
        return {"version": version, "host": host, "address": address, "trace_version": trace}

    def at(self, hours: str, minutes: str, seconds: str, millis: str) -> str:
        """ISO 8601 with the zone; the time of day alone while no head has given a date."""
        now = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(millis)
        if self.last - now > 43_200_000 and self.midnight is not None:
            self.midnight += timedelta(days=1)
        self.last = now
        if self.midnight is None:
            return f"{hours}:{minutes}:{seconds}.{millis}"
        return (self.midnight + timedelta(milliseconds=now)).isoformat(timespec="milliseconds")


@dataclass
class SdlTrace:
    """What one or more SDL files say; each entry is a dictionary with its ``time``."""

    heads: list[dict[str, Any]] = field(default_factory=list)
    digit_analysis: list[dict[str, Any]] = field(default_factory=list)
    connections: list[dict[str, Any]] = field(default_factory=list)
    certificates: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    pings: list[dict[str, Any]] = field(default_factory=list)
    alarms: list[dict[str, Any]] = field(default_factory=list)
    trouble: list[dict[str, Any]] = field(default_factory=list)
    lines: int = 0
    problems: list[str] = field(default_factory=list)

    def problem(self, text: str) -> None:
        """Notes damage, once each."""
        if text not in self.problems and len(self.problems) < 20:
            self.problems.append(text)


def read(stream: BinaryIO, trace: SdlTrace, problem: Callable[[str], None] | None = None) -> None:
    """Adds what a file (plain, gzipped, unfinished) says to a trace; ``problem`` takes note of damage."""
    reader = _Reader(trace)
    rest = b""
    for block in blocks(stream, problem or trace.problem):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        if len(rest) > 1 << 22:
            # No line is that long: binary rubbish, dropped before it fills the memory.
            rest = b""
        reader.feed(lines)
    reader.feed([rest])
    reader.flush()


class _Reader:
    def __init__(self, trace: SdlTrace) -> None:
        self.trace = trace
        self.clock = TraceTime()
        self.pending: list[bytes] = []
        self.analysis: dict[str, Any] | None = None

    def feed(self, lines: Iterable[bytes]) -> None:
        """Takes whole lines; those that may matter are kept with their continuation lines until they are complete."""
        pending = self.pending
        for line in lines:
            self.trace.lines += 1
            # A traced line is told by the places of its dot and its first bar.
            if line[8:9] == b"." and line[13:14] == b"|" and line[:8].isdigit():
                if pending:
                    self.flush()
                if self._matters(line):
                    pending.append(line)
            elif pending and len(pending) < MOST_CONTINUATION:
                pending.append(line)

    def _matters(self, line: bytes) -> bool:
        parts = line.split(b"|", 3)
        if len(parts) < 4:
            return False
        kind, text = parts[2], parts[3]
        if kind.startswith(b"AppInfo"):
            if not text.startswith(TEXTS):
                return False
            if text.startswith(b"//SIP/"):
                return any(word in text for word in STACK_WORDS)
            return text[:1] != b"|" or self.analysis is not None or b"allingPartyNumber=" in text
        if kind.startswith(b"SdlSig"):
            return text.startswith(SIGNALS)
        if kind.startswith(b"Alarm"):
            return b"SIPTrunk" in text
        return kind.startswith((b"FileHead", b"AppError", b"NetError"))

    def flush(self) -> None:
        """Interprets what is pending."""
        if not self.pending:
            return
        raw = b"\n".join(self.pending).replace(b"\r", b"")
        self.pending.clear()
        for part in _FLAT.split(raw) if raw.count(b".") > 1 else [raw]:
            found = _HEAD.match(part.decode("utf-8", "replace"))
            if found:
                self._interpret(found)

    def _interpret(self, found: re.Match[str]) -> None:
        kind, text = found[7].strip(), found[8]
        # A broken line must not keep an expression busy: only a SIP message may be long.
        text = text[: MOST_MESSAGE if text.startswith(("SIPTcp", "SIPUdp")) else MOST_TEXT]
        when = self.clock.at(*found.group(3, 4, 5, 6))
        if kind == "FileHead":
            head = self.clock.head(text)
            self.trace.heads.append({"time": self.clock.at(*found.group(3, 4, 5, 6)), **head})
        elif kind.startswith("SdlSig"):
            self._signal(when, text)
        elif kind.startswith("Alarm"):
            self._keep(self.trace.alarms, alarm(text), when)
        elif kind == "AppInfo":
            self._text(when, text)
        elif _SSL_TROUBLE.search(text):
            self._keep(self.trace.trouble, {"text": _first_line(text)}, when)

    def _keep(self, target: list[dict[str, Any]], entry: dict[str, Any] | None, when: str) -> None:
        if entry is None:
            return
        if len(target) >= MOST_EVENTS:
            self.trace.problem(f"more than {MOST_EVENTS} entries of a kind; later ones were left out: narrow the time")
            return
        target.append({"time": when, **entry})

    def _signal(self, when: str, text: str) -> None:
        columns = text.split("|", 5)
        if len(columns) < 6:
            return
        signal, receiver, sender, rest = columns[0].strip(), columns[2].strip(), columns[3].strip(), columns[5]
        if signal == "SIPCertificateInd":
            entry = certificate(rest)
            if entry:
                self._keep(self.trace.certificates, {**entry, "receiver": receiver, "sender": sender}, when)
        elif ping := _PING.search(rest):
            kind = "result" if signal == "SIPPingResult" else "request"
            entry = {
                "kind": kind, "ccb": int(ping["ccb"]), "peer": ping["peer"],
                "internal_error": None if ping["error"] is None else ping["error"] == "T",
                "response": int(ping["answer"]) if ping["answer"] else None,
            }  # fmt: skip
            self._keep(self.trace.pings, entry, when)

    def _text(self, when: str, text: str) -> None:
        if text.startswith("Digit analysis: match"):
            fields = dict(_MATCH_PAIR.findall(text))
            self.analysis = {
                "calling": fields.get("cn") or fields.get("fqcn"), "dialed": fields.get("dd"),
                "calling_search_space": fields.get("pss", ""), "match": fields, "results": {},
            }  # fmt: skip
            self._keep(self.trace.digit_analysis, self.analysis, when)
            if self.trace.digit_analysis:
                self.analysis = self.trace.digit_analysis[-1]
        elif text.startswith("Digit analysis: analysis results") or text.startswith("|"):
            self._results(when, text)
        elif text.startswith(("SIPTcp - ", "SIPUdp - ")):
            self._message(when, text)
        elif security := _SECURITY.search(text):
            entry = {"event": "createConnMsg", "tls_security": int(security[1])}
            self._keep(self.trace.connections, entry, when)
        elif connection := _CONNECTION.search(text):
            self._keep(self.trace.connections, _connection(connection, text), when)
        elif _SSL_TROUBLE.search(text):
            self._keep(self.trace.trouble, {"text": _first_line(text)}, when)

    def _results(self, when: str, text: str) -> None:
        pairs = dict(
            (key.strip(), value.strip())
            for key, equals, value in (part.partition("=") for part in re.split(r"\n?\|", text))
            if equals and re.fullmatch(r"\s*\w+\s*", key)
        )
        if not pairs:
            return
        if self.analysis is None:
            self.analysis = {"calling": None, "dialed": None, "calling_search_space": None, "match": {}, "results": {}}
            self._keep(self.trace.digit_analysis, self.analysis, when)
            self.analysis = self.trace.digit_analysis[-1]
        self.analysis["results"].update(pairs)
        self.analysis["calling"] = self.analysis["calling"] or pairs.get("CallingPartyNumber")
        self.analysis["pattern"] = pairs.get("DialingPattern", self.analysis.get("pattern"))
        self.analysis["partition"] = pairs.get("DialingPartition", self.analysis.get("partition"))
        # The last field of a result's block; what follows belongs to something else.
        if "FullyQualifiedCalledPartyNumber" in pairs:
            self.analysis = None

    def _message(self, when: str, text: str) -> None:
        head = _MESSAGE.match(text)
        if not head:
            if _SSL_TROUBLE.search(_first_line(text)):
                self._keep(self.trace.trouble, {"text": _first_line(text)}, when)
            return
        net = _NET.search(text, head.end())
        start = net.end() if net else text.find("\n", head.end()) + 1
        raw = text[start:]
        message = sip_text.parse(raw if "\n" in raw.strip() else _FLAT_HEADERS.sub("\n", raw))
        if message is None or message.cseq_method not in KEPT_METHODS | {None}:
            return
        entry = {
            "way": "out" if head["way"] == "Outgoing" else "in",
            "layer": head["layer"].upper(),
            "remote_ip": head["ip"].strip("[]"),
            "remote_port": int(head["port"]),
            "index": int(head["index"]) if head["index"] else None,
            "net": int(net[1]) if net else None,
            **message.as_dict(),
        }
        self._keep(self.trace.messages, entry, when)


def _first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0][:400]


def certificate(text: str) -> dict[str, Any] | None:
    """The text of a SIPCertificateInd; fields that later releases may add are passed over."""
    found = _CERTIFICATE.search(text)
    if not found:
        return None
    san = found["san"].strip().split(" --", 1)[0]
    return {
        "index": int(found["index"]), "remote_ip": found["remote_ip"], "remote_port": int(found["remote_port"]),
        "subject": found["subject"].strip(), "cipher": found["cipher"] or None,
        "sans": [one for one in re.split(r"[,;\s]+", san) if one and not one.startswith("--")],
    }  # fmt: skip


def _connection(found: re.Match[str], text: str) -> dict[str, Any]:
    event = found["event"] or (re.search(r"(\w+): ", text) or ["", "sipCreateConnInstance"])[1]
    transport = found["transport"] or found["transport2"]
    return {
        "event": event, "remote_ip": found["remote_ip"] or found["ip2"],
        "remote_port": int(found["remote_port"] or found["port2"]), "index": int(found["index"] or found["index2"]),
        "transport": transport.strip() if transport else None,
    }  # fmt: skip


def alarm(text: str) -> dict[str, Any] | None:
    """A SIP trunk's alarm: its name, the trunk, and the unavailable peers with the reason in words."""
    name = re.search(r"AlarmName:\s*(\w+)", text)
    if not name or not name[1].startswith("SIPTrunk"):
        return None
    _unused, _unused2, parameters = text.partition("AlarmParameters:")
    pairs = dict(_parameters(parameters))
    trunk = next((value for key, value in pairs.items() if re.search(r"(?i)trunk_?name|devicename|^name$", key)), None)
    peers = [
        {
            "host": host.strip(),
            "address": address.strip(),
            "port": int(port),
            "reason_type": kind,
            "reason_code": int(code),
        }
        for host, address, port, kind, code in re.findall(
            r"([^,;:=]*),\s*([0-9A-Fa-f:.]*),\s*(\d+),\s*(?:ReasonCodeType\s*=\s*)?(Local|Remote)\s*=\s*(\d+)",
            parameters,
        )
    ]
    return {
        "name": name[1], "severity": _after(text, "AlarmSeverity"), "trunk": trunk, "peers": peers,
        "node": pairs.get("NodeID"), "parameters": pairs,
    }  # fmt: skip


def _after(text: str, label: str) -> str | None:
    found = re.search(rf"{label}:\s*([^,]*)", text)
    return found[1].strip() if found else None


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    """``K:V, `` pairs; a value may hold colons and commas, so a pair ends where the next key begins."""
    text = re.sub(r"UNKNOWN_PARAM(?:NAME|TYPE):", "", text.strip())
    marks = list(re.finditer(r"(?:^|,\s*)([A-Za-z_]\w*):", text))
    for at, mark in enumerate(marks):
        end = marks[at + 1].start() if at + 1 < len(marks) else len(text)
        yield mark[1], text[mark.end() : end].strip().rstrip(",").strip()
