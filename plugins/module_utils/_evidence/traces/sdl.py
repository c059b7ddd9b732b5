# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SDL traces of CUCM, read as a stream: one pass, cheap tests before expensive ones. Private to this collection.

Most lines of a trace are not about trunks. Each line is first checked by its kind and first words; only a line that may
matter is decoded and matched. Nothing here raises on bad input.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, BinaryIO, NamedTuple

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.addresses import plain
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces import alarms, sdl_texts, tls_failures
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.unpacking import blocks

# The signals that matter, and how the texts that matter begin.
SIGNALS = (b"SIPCertificateInd", b"SIPPingReq", b"SIPPingResult")
TEXTS = (
    b"//SIP/", b"SIPTcp - ", b"SIPUdp - ", b"Digit analysis: match", b"Digit analysis: analysis results", b"|",
    b"[", b"SIPStationD(", b"SIPD(", b"ConnectionFailure", b"RISCMAccess", b"::",
    b"GenAlarm: AlarmName",
)  # fmt: skip
# A text that begins like this matters only with one of these words.
WORDS: dict[bytes, tuple[bytes, ...]] = {
    # A release may write the messages of SIPTcp in the form that SIPUdp has from 12.5 on.
    b"//SIP/SIPTcp/": (b" SIP TCP message ", b"transport=", b"tls_security=", b"SSL", b"TLS"),
    b"//SIP/": (b"transport=", b"tls_security=", b"PostCloseConnection", b"DeleteConnInstance", b"SIP UDP message",
                b"SSL", b"TLS"),
    b"[": (b"HandleSSLError",),
    b"SIPStationD(": (b"validTLS",),
    b"SIPD(": (b"validTLS",),
    b"::": (b"deviceName=", b"vailList="),
    b"GenAlarm": (b"SIPTrunk", b"ConnectionFailure"),
}  # fmt: skip
_MESSAGES = ("SIPTcp - ", "SIPUdp - ", "//SIP/SIPUdp/", "//SIP/SIPTcp/")
_HEAD = re.compile(r"\s*(\d{6,10})\.(\d{3}) \|(\d\d):(\d\d):(\d\d)\.(\d{3}) \|([^|]*)\|(.*)", re.S)
_CLOCK = re.compile(r"\d{8,9}\.\d{3} \|(\d\d):(\d\d):(\d\d)\.(\d{3}) \|")
# A document that lost its line ends has several lines in one.
_FLAT = re.compile(rb"(?<![ \t])[ \t]+(?=\d{8}\.\d{3} \|\d\d:\d\d:\d\d\.\d{3} \|)")
_FILE_HEAD = re.compile(
    r"UTC:\s*([+-])(\d\d):(\d\d)\s*,\s*Date:\s*(\d{4})/(\d\d)/(\d\d)(?:.*?AppNodeId:\s*(\d+))?"
    r"(?:.*?AppVersion:\s*CUCM Install=(\S+))?(?:.*?HostName:\s*([^,\s]+))?(?:.*?HostIPAddress:\s*([^,\s]+))?"
    r"(?:.*?AppStartTime:\s*([^,]+))?(?:.*?TraceVer:\s*(\S+))?"
)
_FILE_NUMBER = re.compile(r"FileNumber:\s*(\d{1,12})")
MOST_CONTINUATION = 400
MOST_EVENTS = 50_000
# Characters of a line (with its continuation) that are read.
MOST_TEXT, MOST_MESSAGE = 8_192, 65_536
# Milliseconds. No line of a real trace goes back by a second; the clock goes back by an hour when summer time ends.
_BACK, _JITTER, _DAY = 3_600_000, 2_000, 86_400_000
# The clock is read on a line in so many, so that it misses no midnight: a node that rests still writes ten a minute.
_EACH = 256
# A node's line numbers fall back by some lines now and then; a fall to less than half is a new start of the process.
RESTART_FACTOR = 2


@dataclass
class TraceTime:
    """The clock of one file: the date and zone of its head, and the midnights passed since."""

    zone: timezone | None = None
    midnight: datetime | None = None
    last: int = 0
    #: a midnight was passed
    passed: bool = False

    def head(self, text: str) -> dict[str, Any]:
        """Takes date and zone from a FileHead line; returns what else it says."""
        found = _FILE_HEAD.search(text)
        if not found:
            return {}
        sign, hours, minutes, year, month, day, node, version, host, address, started, trace = found.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
        try:
            self.zone = timezone(offset)
            self.midnight = datetime(int(year), int(month), int(day), tzinfo=self.zone)
            self.passed = False
        except ValueError:
            self.zone = self.midnight = None
        return {
            "version": version, "host": host, "address": plain(address) if address else None, "trace_version": trace,
            "node_id": int(node) if node else None, "process_started": started.strip() if started else None,
        }  # fmt: skip

    def at(self, hours: str, minutes: str, seconds: str, millis: str) -> str:
        """ISO 8601 with the zone; the time of day alone while no head has given a date."""
        now = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(millis)
        if self.midnight is None:
            self.last = now
            return f"{hours}:{minutes}:{seconds}.{millis}"
        day = self.midnight
        if self.last - now > _BACK:
            self.midnight = day = day + timedelta(days=1)
            self.passed = True
        elif self.passed and now - self.last > _DAY - _JITTER:
            # Parallel threads: it was before midnight, and is written after the first line of the new day.
            return (day + timedelta(milliseconds=now - _DAY)).isoformat(timespec="milliseconds")
        self.last = now
        return (day + timedelta(milliseconds=now)).isoformat(timespec="milliseconds")


@dataclass
class ProcessRun:
    """One run of Cisco CallManager on one node. A connection number means one connection only within a run."""

    host: str | None = None
    address: str | None = None
    identity: tuple[Any, ...] = ()
    last_line: int = 0
    #: its lines of RISCMAccess; a block may go on in its next file
    ris: alarms.RisLines = field(default_factory=alarms.RisLines)
    #: connections that are open: (number, address, port) -> transport
    connections: dict[tuple[int, str, int], str | None] = field(default_factory=dict)

    @property
    def name(self) -> str | None:
        """What the node is called: by its host name, else by its address."""
        return self.host or self.address


@dataclass
class SdlTrace:
    """What one or more SDL files say; each entry is a dictionary with its ``time`` and its ``run`` (in ``runs``)."""

    heads: list[dict[str, Any]] = field(default_factory=list)
    runs: list[ProcessRun] = field(default_factory=list)
    digit_analysis: list[dict[str, Any]] = field(default_factory=list)
    connections: list[dict[str, Any]] = field(default_factory=list)
    certificates: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    pings: list[dict[str, Any]] = field(default_factory=list)
    alarms: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    lines: int = 0
    problems: list[str] = field(default_factory=list)
    #: whether an entry is in the time that is asked for; it is asked only where entries are too many
    inside: Callable[[dict[str, Any]], bool] | None = None
    _full: set[str] = field(default_factory=set)

    def problem(self, text: str) -> None:
        """Notes damage and what was left out, once each."""
        if text in self.problems or len(self.problems) > 20:
            return
        self.problems.append(text if len(self.problems) < 20 else "There are more problems than these 20.")

    def has_room(self, kind: str, entry: dict[str, Any]) -> bool:
        """Whether an entry can be kept. Of a full list, what is not in the time that is asked for makes room."""
        entries: list[dict[str, Any]] = getattr(self, kind)
        if len(entries) < MOST_EVENTS:
            return True
        if self.inside and not self.inside(entry):
            return False
        if self.inside and kind not in self._full:
            entries[:] = filter(self.inside, entries)
            if len(entries) > MOST_EVENTS * 9 // 10:
                # To look through all of them again for little would take long.
                self._full.add(kind)
            if len(entries) < MOST_EVENTS:
                return True
        self.problem(f"more than {MOST_EVENTS} entries of {kind}; later ones were left out: ask for a shorter time")
        return False

    def run_of(self, head: dict[str, Any], line: int) -> int:
        """The run that a file belongs to: same node, same start of the process, line numbers that go on."""
        identity = tuple(head.get(key) for key in ("host", "address", "node_id", "process_started"))
        for number in range(len(self.runs) - 1, -1, -1):
            run = self.runs[number]
            if run.identity == identity and any(identity):
                if line * RESTART_FACTOR >= run.last_line:
                    return number
                break
        self.runs.append(ProcessRun(head.get("host"), head.get("address"), identity))
        return len(self.runs) - 1


class Beginning(NamedTuple):
    """Which node and which run of its process wrote a file, the number of the file within that run, and its time."""

    node: int = 0
    host: str = ""
    address: str = ""
    process_started: str = ""
    number: int = 0
    begun: str = ""


def beginning(stream: BinaryIO) -> Beginning | None:
    """What the first line of a file (plain, gzipped, unfinished) says of its place among others; None for no head."""
    first = next(blocks(stream, lambda _text: None), b"").removeprefix(codecs.BOM_UTF8).partition(b"\n")[0]
    found = _HEAD.match(first.decode("utf-8", "replace"))
    if not found or found[7].strip() != "FileHead":
        return None
    clock = TraceTime()
    head, number = clock.head(found[8]), _FILE_NUMBER.search(found[8])
    return Beginning(
        head.get("node_id") or 0, head.get("host") or "", head.get("address") or "", head.get("process_started") or "",
        int(number[1]) if number else 0, clock.at(*found.group(3, 4, 5, 6)),
    )  # fmt: skip


def read(stream: BinaryIO, trace: SdlTrace, problem: Callable[[str], None] | None = None) -> None:
    """Adds what a file (plain, gzipped, unfinished) says to a trace; ``problem`` takes note of damage."""
    reader = _Reader(trace)
    rest = b""
    note = problem or trace.problem
    for block in blocks(stream, note):
        # An editor may have put a mark of the byte order before the head.
        lines = (rest + block).removeprefix(codecs.BOM_UTF8).split(b"\n")
        rest = lines.pop()
        if len(rest) > 1 << 22:
            # No line is that long: binary data, dropped before it fills the memory.
            trace.problem("a line of more than 4 MB was left out")
            rest = b""
        trace.lines += len(lines)
        for at in range(0, len(lines), _EACH):
            reader.tick(lines[at])
            reader.feed(lines[at : at + _EACH])
    trace.lines += 1
    reader.feed([rest] if rest else [])
    reader.finish(cut=bool(rest))
    if not reader.traced and not reader.syslog():
        note("it holds no line of an SDL trace")


class _Reader:
    """Reads one file."""

    def __init__(self, trace: SdlTrace) -> None:
        self.trace = trace
        self.clock = TraceTime()
        self.pending: list[bytes] = []
        #: which of them have the form of a trace, though they are before the end of a message
        self.doubtful: list[int] = []
        #: the bytes of the pending message, 0 if they are not known, None as long as nobody has asked
        self.size: int | None = None
        #: how many lines of how many bytes followed the first one that is pending, also those that were left out
        self.followed = self.bytes_followed = 0
        #: whether messages are bounded by their size, and whether the file has the line ends of SIP
        self.bounded, self.carriage_returns = True, False
        self.analysis: dict[str, Any] | None = None
        self._run: int | None = None
        #: lines of syslog, before the first line of a trace
        self.logged: list[bytes] = []
        #: a line of a trace was seen
        self.traced = False

    @property
    def run(self) -> int:
        """The number of the run; a file without a head is a run of its own."""
        if self._run is None:
            self._run = self.trace.run_of({}, 0)
        return self._run

    def feed(self, lines: Sequence[bytes]) -> None:
        """Takes whole lines; those that may matter are kept with their continuation lines until they are complete."""
        pending = self.pending
        for line in lines:
            # A traced line has its dot and its first bar in fixed places; a node that has run for long counts further.
            if (line[8:9] == b"." and line[13:14] == b"|" and line[:8].isdigit()) or (
                line[9:10] == b"." and line[14:15] == b"|" and line[:9].isdigit()
            ):
                self.traced = True
                if pending:
                    if self._inside(line):
                        continue
                    self.flush()
                if _matters(line, self.analysis is not None):
                    pending.append(line)
            elif pending or not self.traced:
                self._continue(line)

    def tick(self, line: bytes) -> None:
        """Reads the clock on a line that need not matter, so that no midnight is missed."""
        if self.traced and not self.pending and (found := _CLOCK.match(line[:40].decode("latin-1"))):
            self.clock.at(*found.groups())

    def _continue(self, line: bytes) -> None:
        """Takes a line that is not of the form of a trace."""
        if not self.pending:
            if b"%UC_" in line and len(self.logged) <= MOST_EVENTS:
                self.logged.append(line[:MOST_TEXT])
            return
        self._count(line)
        if len(self.pending) < MOST_CONTINUATION:
            self.pending.append(line)
        elif line:
            self.trace.problem(f"lines after the first {MOST_CONTINUATION} of a message were left out")

    def _count(self, line: bytes) -> None:
        self.followed += 1
        self.bytes_followed += len(line)

    def _inside(self, line: bytes) -> bool:
        """Whether a line of the form of a trace may be text of the pending message; then it is kept with that.

        A peer can send a body of such lines. CUCM writes how many bytes a message that came in has, and a message how
        many its body has: lines before its end are its text if a line ends just there. If none does, somebody has
        shortened the message, as to make it anonymous, and they are lines of the trace.
        """
        past = self._past_message() if self.bounded else None
        if past is None:
            return False
        if past < 0:
            self.doubtful.append(len(self.pending))
            self.pending.append(line)
            self._count(line)
            return True
        if self.doubtful:
            self._decide(own=past <= self._between(line))
        return False

    def _past_message(self) -> int | None:
        """By how many bytes what is pending is longer than its message; None when it does not say how long that is."""
        self.carriage_returns |= self.pending[2:3] != [] and self.pending[2].endswith(b"\r")
        if self.size is None:
            end = 1 if self.carriage_returns else 2
            self.size = sdl_texts.declared_size(self.pending) or sdl_texts.framed_size(self.pending, end)
        if not self.size:
            return None
        # The second line is the number of the message. An editor may have taken one of the two bytes of a line's end.
        ends = (1 if self.carriage_returns else 2) * (self.followed - 1)
        return self.bytes_followed - len(self.pending[1]) + ends - self.size

    def _between(self, line: bytes) -> int:
        """How many bytes may stand after a message: the end of its line and of an empty one, CUCM's or an editor's."""
        return 2 if self.carriage_returns and not line.endswith(b"\r") else 4

    def _decide(self, *, own: bool) -> None:
        """Takes the doubtful lines as text of the pending message, or as lines of the trace."""
        if own:
            self.trace.problem("a SIP message holds lines of the form of a trace; they were not read as such")
            self.doubtful.clear()
            return
        lines = self.pending[self.doubtful[0] :]
        del self.pending[self.doubtful[0] :]
        self.doubtful.clear()
        self.flush()
        self.bounded = False
        self.feed(lines)
        self.bounded = True

    def finish(self, *, cut: bool) -> None:
        """Interprets what the end of the file leaves; ``cut``: it ends in the middle of a line."""
        if self.doubtful:
            past = self._past_message() or 0
            self._decide(own=cut if past < 0 else past <= self._between(b""))
        self.flush()

    def flush(self) -> None:
        """Interprets what is pending."""
        if not self.pending:
            return
        first, rest = self.pending[0], b"\n".join(self.pending[1:])
        if not sdl_texts.is_message(first):
            first, rest = b"\n".join(self.pending), b""
        self.pending.clear()
        self.followed = self.bytes_followed = 0
        self.size = None
        # What follows the head of a message is a peer's text.
        parts = _FLAT.split(first) if first.count(b".") > 1 else [first]
        if rest:
            parts[-1] += b"\n" + rest
        for part in parts:
            found = _HEAD.match(part.replace(b"\r", b"").decode("utf-8", "replace"))
            if found:
                self._interpret(found)

    def syslog(self) -> bool:
        """Reads a file of syslog lines, as a syslog server keeps them; whether it is one.

        Only a file without a line of a trace is: in a trace, such a line is the body of somebody's message.
        """
        for line in self.logged:
            text = line.decode("utf-8", "replace").strip()
            when, host = alarms.syslog_head(text)
            if entry := alarms.alarm(text):
                self._keep("alarms", {**entry, "node": entry["node"] or host}, when)
        return bool(self.logged)

    def _interpret(self, found: re.Match[str]) -> None:
        kind, text = found[7].strip(), found[8]
        # A broken line must not keep a regular expression busy: only a SIP message may be long.
        most = MOST_MESSAGE if text.startswith(_MESSAGES) else MOST_TEXT
        if len(text) > most:
            self.trace.problem(f"a text of more than {most} characters was read only up to there")
            text = text[:most]
        when = self.clock.at(*found.group(3, 4, 5, 6))
        if kind == "FileHead":
            head = self.clock.head(text)
            self._run = self.trace.run_of(head, int(found[1]))
            self.trace.heads.append({"time": self.clock.at(*found.group(3, 4, 5, 6)), **head})
        elif kind.startswith("SdlSig"):
            self._signal(when, text)
        elif kind.startswith("Alarm"):
            self._keep("alarms", alarms.alarm(text), when)
        elif kind == "AppInfo":
            self._text(when, text, found[1])
        else:
            self._keep("failures", tls_failures.failure(text), when)
        run = self.trace.runs[self.run]
        run.last_line = max(run.last_line, int(found[1]))

    def _keep(self, kind: str, entry: dict[str, Any] | None, when: str | None) -> dict[str, Any]:
        """Keeps an entry; what is returned may be added to, and is lost if there was no room for it."""
        if entry is None:
            return {}
        kept = {"time": when, "run": self.run, **entry}
        if self.trace.has_room(kind, kept):
            getattr(self.trace, kind).append(kept)
        return kept

    def _signal(self, when: str, text: str) -> None:
        columns = text.split("|", 5)
        if len(columns) < 6:
            return
        signal, receiver, sender, rest = columns[0].strip(), columns[2].strip(), columns[3].strip(), columns[5]
        if signal == "SIPCertificateInd":
            entry = sdl_texts.certificate(rest)
            if entry:
                self._keep("certificates", {**entry, "receiver": receiver, "sender": sender}, when)
        else:
            self._keep("pings", sdl_texts.ping(signal, rest), when)

    def _text(self, when: str, text: str, number: str) -> None:
        if text.startswith("Digit analysis: match"):
            self._analysis(when, sdl_texts.digit_analysis(text))
        elif text.startswith(("Digit analysis: analysis results", "|")):
            self._results(when, text)
        elif text.startswith(_MESSAGES):
            self._message(when, text)
        elif text.startswith(("ConnectionFailure - ", "GenAlarm: ")):
            self._keep("alarms", alarms.alarm(text), when)
        elif text.startswith(("RISCMAccess", "::")):
            self._keep("alarms", self.trace.runs[self.run].ris.take(text, number), when)
        elif not self._connection(when, text):
            self._keep("failures", tls_failures.failure(text), when)

    def _analysis(self, when: str, entry: dict[str, Any]) -> None:
        self.analysis = self._keep("digit_analysis", entry, when)

    def _results(self, when: str, text: str) -> None:
        pairs = sdl_texts.result_fields(text)
        if not pairs:
            return
        if self.analysis is None:
            self._analysis(when, sdl_texts.empty_analysis())
        if self.analysis is None:
            raise AssertionError("an analysis was begun above")
        sdl_texts.add_results(self.analysis, pairs)
        # The last field of a result's block; what follows belongs to something else.
        if "FullyQualifiedCalledPartyNumber" in pairs:
            self.analysis = None

    def _connection(self, when: str, text: str) -> bool:
        """Whether the text is an event of a connection; a message on one that is known already isn't kept."""
        entry = sdl_texts.connection(text)
        if entry is None:
            return False
        if "index" in entry:
            known = self.trace.runs[self.run].connections
            key = (entry["index"], entry["remote_ip"], entry["remote_port"])
            transport = entry["transport"]
            if sdl_texts.closes(entry["event"]):
                known.pop(key, None)
            elif key in known and transport in (None, known[key]):
                return True
            else:
                known[key] = transport
        self._keep("connections", entry, when)
        return True

    def _message(self, when: str, text: str) -> None:
        entry = sdl_texts.message(text)
        if entry is None:
            if not (text.startswith("//") and self._connection(when, text)):
                self._keep("failures", tls_failures.failure(text), when)
        elif entry:
            connection = (entry["index"], entry["remote_ip"], entry["remote_port"])
            entry["connection_transport"] = self.trace.runs[self.run].connections.get(connection)
            self._keep("messages", entry, when)


def _matters(line: bytes, in_analysis: bool) -> bool:
    parts = line.split(b"|", 3)
    if len(parts) < 4:
        return False
    kind, text = parts[2], parts[3]
    if kind.startswith(b"AppInfo"):
        if not text.startswith(TEXTS):
            return False
        return _text_matters(text, in_analysis)
    if kind.startswith(b"SdlSig"):
        return text.startswith(SIGNALS)
    if kind.startswith(b"Alarm"):
        return b"SIPTrunk" in text or b"ConnectionFailure" in text
    return kind.startswith((b"FileHead", b"AppError", b"NetError"))


def _text_matters(text: bytes, in_analysis: bool) -> bool:
    if text[:1] == b"|":
        return in_analysis or b"allingPartyNumber=" in text
    for begin, words in WORDS.items():
        if text.startswith(begin):
            return any(word in text for word in words)
    return True
