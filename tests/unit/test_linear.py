# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No text from outside keeps a run busy: every pattern and every reader takes time in proportion to its input.

Patterns are found in the source and attacked with texts made from the patterns themselves. Readers are the files that
take foreign text apart; each has an entry here, or a reason why it needs none.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils import _text
from ansible_collections.siptls.cucm.plugins.module_utils._axl import faults
from ansible_collections.siptls.cucm.plugins.module_utils._dialplan import patterns as dial_patterns
from ansible_collections.siptls.cucm.plugins.module_utils._evidence import sip_text
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.captures import onscreen
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces import (
    alarms,
    calllogs,
    reasons,
    sdl,
    sdl_texts,
    tls_failures,
    trace_files,
)
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net import clock, https, recording, screen, shell
from ansible_collections.siptls.cucm.plugins.module_utils._node import cli, control, refusals, rest, trust_lists
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability import soap
from ansible_collections.siptls.cucm.plugins.module_utils._x509 import constraints, der, names, reading

from tests.support.patterns import METHODS, files_with_patterns, hostile_texts, repeated, slows_down, uses

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "plugins", ROOT / "extensions")
FILES = [str(path.relative_to(ROOT)) for path in files_with_patterns(*FOLDERS)]
#: patterns that are put together at run time: what the source says of them -> one of them as it is then
MADE: dict[str, tuple[re.Pattern[Any], ...]] = {
    "plugins/module_utils/_evidence/files.py": (re.compile(re.escape("packets.cap") + r"\d{1,4}"),),
    "plugins/module_utils/_evidence/captures/node_capture.py": (
        re.compile(r"\bsiptls\.cap\d*\b"),
        re.compile(r"server (?:IP|host)[^\n]{0,200}$", re.I),
    ),
    "plugins/module_utils/_evidence/sip_text.py": (sip_text.START_LINE, sip_text._START_BYTES),
    "plugins/module_utils/_net/screen.py": (screen.prompt_like("admin 12:"),),
    "plugins/module_utils/_node/refusals.py": tuple(refusal.pattern for refusal in refusals.REFUSALS),
    "plugins/module_utils/_roles/undo/removal.py": (re.compile(r"Made\ by\ .+"),),
    "plugins/module_utils/_roles/preflight/sentences.py": (re.compile(r"(?<![\w-])ca_path(?![\w-])"),),
    "plugins/module_utils/_axl/validation.py": (re.compile(r"[a-zA-Z0-9 ._-]{1,50}"),),
}


def as_bytes(text: Callable[[int], str], size: int) -> bytes:
    return text(size).encode("latin-1", "replace")


def problems(pattern: str | bytes, flags: int, methods: Iterable[str]) -> str:
    """Words on a text that makes the pattern slow; empty when there is none."""
    compiled = re.compile(pattern, flags)
    binary = isinstance(pattern, bytes)
    for text in hostile_texts(pattern, flags):
        for method in methods:
            given: Callable[[int], Any] = partial(as_bytes, text) if binary else text
            slow = slows_down(partial(METHODS[method], compiled), given, 4096)
            if slow:
                return f"{pattern!r}, {method} on {text(60)!r}: {slow}"
    return ""


@pytest.mark.parametrize("file", FILES)
def test_patterns_take_linear_time(file: str) -> None:
    found, made = uses(ROOT / file, *FOLDERS), MADE.get(file, ())
    assert bool(made) == any(use.pattern is None for use in found), "MADE lists the patterns that are made at run time"
    cases = [(use.pattern, use.flags, use.methods) for use in found if use.pattern is not None]
    cases += [
        (reader.pattern, reader.flags & ~re.UNICODE, ("match",) if reader is sip_text.START_LINE else ("search",))
        for reader in made
    ]
    slow = [words for case in cases if (words := problems(*case))]
    assert not slow, "\n".join(slow)


def test_a_slow_pattern_is_seen() -> None:
    for pattern in (r"\s+$", r"(a|aa)+b", r"<x>.*?</x>", r"(\w+)\s*=", r"a\s*(.*?)\s*\["):
        assert problems(pattern, 0, ("search",)), pattern
    for pattern in (r"(?<!\s)\s+x", r"\b\w+=", r"^[a-z]+:"):
        assert not problems(pattern, 0, ("search",)), pattern


def answered(body: str, kind: str = "text/xml") -> https.HttpAnswer:
    return https.HttpAnswer(200, {"content-type": kind}, body.encode("utf-8", "replace"))


def typed(text: str) -> None:
    """A command's output as it comes in from the terminal, piece by piece."""
    watch = shell._Watch("showcertlistown", 0.0, echoed=False)
    for at in range(0, len(text), 1000):
        watch.take(text[at : at + 1000], 0.0)
        shell.AdminShell._reply(watch.shown, [shell.YES], screen.QUESTION)
    shell.AdminShell._output(None, text, "showcertlistown")  # type: ignore[arg-type]


def traced(kind: str, begin: str) -> Callable[[str], Any]:
    """Reads an SDL file with one line of this kind whose text goes on as given."""
    line = f"00000001.001 |10:00:00.000 |{kind} |{begin}"
    return lambda text: sdl.read(io.BytesIO((line + text).encode("utf-8", "replace")), sdl.SdlTrace())


def der_of(text: str) -> list[der.Element]:
    return der.elements(text.encode("latin-1", "replace"))


def constrained(text: str) -> list[str]:
    """A name of each kind, compared with a constraint of the same text and another one."""
    return [
        problem
        for kind in ("DNS", "URI", "email", "IP")
        for problem in constraints.problems(
            [names.AltName(kind, text), names.AltName(kind, ".lab.local")], [], [names.AltName(kind, text)]
        )
    ]


#: file -> its readers, each with texts that it knows; they are repeated, cut and mixed
READERS: dict[str, dict[Callable[[str], Any], tuple[str, ...]]] = {
    "_text.py": {
        _text.readable: ("\x1b[1m", "\u202e", "\ud800"),
        _text.harmless: ("\x1b[1m", "\u202e\r\n"),
        _text.page_text: ("<script>", "<script></", "</script>", "<a b='>'>", "<!--", "<style><", "&#"),
    },
    "_axl/faults.py": {
        lambda text: faults.fault("A read", text, None).page: ("less than 5", "request too large "),
        lambda text: faults.check_response(answered("<a>" + text), "A read", "14.0"): (
            "<b>",
            "<!--",
            "<![CDATA[",
            "&amp;",
        ),
        lambda text: faults.check_response(answered(text, "text/html"), "A read", "14.0"): ("<script>", "<b"),
    },
    "_dialplan/patterns.py": {dial_patterns.parse: ("[0-9]", "[^", "\\+", "X!", "[[")},
    "_evidence/traces/alarms.py": {
        alarms.alarm: (
            "AlarmName: SIPTrunkOOS, ",
            "AlarmParameters: a:b, ",
            "%UC_CALLMANAGER-4-SIPTrunkOOS: [a=[",
            "[a=b]",
        ),
        lambda text: alarms.alarm("AlarmName: SIPTrunkOOS AlarmParameters: " + text): (
            "a:b, ",
            "a: , ,",
            ",,,",
            "1.2.3.4,",
        ),
        lambda text: alarms.alarm("%UC_CALLMANAGER-4-SIPTrunkOOS: " + text): ("[a=", "[a=[1]]", "h, 1.2.3.4, 5061, "),
        lambda text: alarms.alarm("ConnectionFailure - " + text): ("Device Name:", "Reason code:", "Node ID: a "),
        alarms.syslog_head: ("a: ", "Oct 18 2026 ", "20:21:09 AM.1 ", "%UC_", "2026-10-18T20:21:09.1Z "),
        lambda text: alarms.alarm("GenAlarm: AlarmName = SIPTrunkOOS, AlarmMsg = " + text): (
            "UNKNOWN_PARAMNAME:",
            "a : b\n",
            "severity = ",
            "a, 1, 2, Local=",
        ),
        lambda text: alarms.RisLines().take("RISCMAccess::SIPTrunkOOS -->" + text): (
            "::availList=",
            "::unAvailList=a,",
        ),
    },
    "_evidence/traces/calllogs.py": {
        lambda text: calllogs.read(io.BytesIO(text.encode("utf-8", "replace")), str): (
            "2026/01/01 10:00:00.000|SIPT|0|",
            "\n",
        ),
        lambda text: calllogs.line("2026/01/01 10:00:00.000|SIPT|" + text): ("|", "0|"),
    },
    "_evidence/captures/onscreen.py": {
        onscreen.packets: ("10:00:00.000000 IP a.1 > b.2: Flags [S], seq 1:2, ", "10:00:00.000000 IP ")
    },
    "_evidence/traces/reasons.py": {reasons.explain: ("local=1", "remote = ")},
    "_evidence/traces/sdl.py": {
        traced("AppInfo", "SIPTcp - wait_SdlReadRsp: Incoming SIP TCP message from 1.2.3.4 on port 5061 index 1\n"): (
            "[1,NET]\nINVITE sip:1@a SIP/2.0\n",
            "Via: ",
            "From: <sip:",
            "m=audio 1 RTP/SAVP\n",
            "\n\n",
        ),
        traced(
            "AppInfo",
            "SIPTcp - wait_SdlReadRsp: Incoming SIP TCP message from 1.2.3.4 on port 5061 index 1 with 60000 bytes:\n"
            "[1,NET]\n",
        ): ("00000001.001 |10:00:00.000 |AppInfo  |x\n", "a\n", "\r\n"),
        traced("AppInfo", "SIPTcp - a: Outgoing SIP TCP message to 1 on port 1 \n[1,NET]\nl: 60000\n\n"): (
            "00000001.001 |10:00:00.000 |AppInfo  |x\n",
            "l: 60000\n",
        ),
        traced("AppInfo", "Digit analysis: match("): ('cn="1", ', 'cn="', "|a=b\n"),
        traced("AppInfo", "Digit analysis: analysis results\n|CallingPartyNumber=1\n"): ("|a=b\n", "|", "=|"),
        traced("SdlSig", "SIPCertificateInd|a|b|c|d|"): (
            "--Cipher ",
            "--remoteIP=1 ",
            "connIdx=1 ",
            "--SubjectAltname=a,",
        ),
        traced("SdlSig", "SIPPingReq|a|b|c|d|ccbID=1 "): ("resp=", "interErr=", "PeerAddr = ", "ccbID=1"),
        traced("Alarm", "AlarmName: SIPTrunkOOS, AlarmParameters: "): ("a:b, ", ",,0,Local= "),
        traced("AppError", ""): ("HandleSSLError - ", " for ", "Rcvd=", "ssl reason code=", "tls"),
        traced("FileHead", ""): ("|timezone: ", "UTC+01:00 ", "|ClusterId: a"),
        traced("AppInfo", "SIPTcp - "): ("10:00:00.000 ", " 00000001.001 |10:00:00.000 |"),
    },
    "_evidence/traces/sdl_texts.py": {
        sdl_texts.certificate: ("connIdx=1 ", "--remoteIP=1 ", "--X509SubjectName=a ", "--Cipher ", " --"),
        sdl_texts.connection: ("addr=a,port=1,connid=1 ", "transport=", "a:"),
        sdl_texts.message: ("SIPTcp - a: Incoming SIP TCP message from 1 on port 1 ", " Via: ", "[1, NET]"),
        sdl_texts.digit_analysis: ('cn="1"', 'a ="'),
        sdl_texts.result_fields: ("|a=b", "\n|"),
    },
    "_evidence/sip_text.py": {
        sip_text.parse: ("INVITE sip:1@a SIP/2.0\n", "SIP/2.0 200 OK\n", "From: <sip:", "\n\n", "m=audio ", "sip:a@"),
        lambda text: list(sip_text.in_stream([(0.0, 0, text.encode("utf-8", "replace"))])): (
            "INVITE sip:1@a SIP/2.0\r\n",
            "\r\n\r\n",
            "Content-Length: 999999\r\n",
            "SIP/2.0 200 OK\r\n\r\n",
        ),
    },
    "_evidence/traces/tls_failures.py": {
        tls_failures.failure: (
            "HandleSSLError - ",
            "SIPTcp - Ignoring large message from ",
            "a:[1]",
            "(Verification error:1) - ",
            "ssl reason code=",
            " for a",
            "Rcvd=",
            "tls ",
        ),
    },
    "_evidence/traces/trace_files.py": {
        trace_files._modified: ("Sun Nov 29 10:40:00 UTC 2026", "Nov 29 ", " 2026"),
    },
    "_net/clock.py": {
        lambda text: clock.from_http(text, 0.0): ("Fri, 02 Jan 2026 13:09:00 GMT", "Fri,", "(", "+0"),
        clock.from_ntp: ("Current time in UTC is : Fri Jan  2 13:09:00 UTC 2026\n", "time in UTC is:"),
        clock.from_status: ("Date : Fri Jan 2, 2026 13:09:00\n", "Time Zone : a (b/c)\n", "Time Zone : ("),
    },
    "_net/https.py": {
        lambda text: answered(text, "text/html").text(): ("<script>", "<head>", "</head>", "<b", "<!DOCTYPE "),
        lambda text: https.declares_types(text.encode("utf-16", "replace")): ("<!", "<!ENTITY"),
        lambda text: https._root_reason(OSError(text)): ("<a object at 0x1>", "[SSL: ", "(_ssl.c:1)"),
    },
    "_net/recording.py": {
        lambda text: recording.redacted(text, ["x"]): (
            "<password",
            "<a>",
            "inline:",
            "Authorization: a ",
            "[{",
            "-----BEGIN PRIVATE KEY-----",
        ),
    },
    "_net/screen.py": {
        lambda text: screen.without_pagers(screen.clean(text)): ("\x1b[1m", "\x1b]", "\x08", "\r", "options: q=quit, "),
        lambda text: screen.FIRST_PROMPT.search(screen.clean(text)): ("admin:", "admin", "\n"),
        lambda text: screen.QUESTION.search(screen.clean(text)): ("(yes|no)", "( yes |", "[y/n]"),
        lambda text: screen.pem_blocks(text, "CERTIFICATE"): (
            "-----BEGIN CERTIFICATE-----\n",
            "-----END CERTIFICATE-----",
        ),
        lambda text: screen.prompt_like(text).search(text): ("admin1:",),
    },
    "_net/shell.py": {
        typed: ("admin:", "show cert list own\n", "Press <enter> for 1 line", "(yes|no)", "\x08", "\x1b[")
    },
    "_node/cli.py": {
        cli._LISTED.findall: ("CallManager/CallManager.pem: a\n", "CallManager/a", "tomcat/.pem:"),
        cli._SERIAL.findall: ("Serial Number: 12ab", "SerialNumber"),
    },
    "_node/refusals.py": {
        refusals.explain: ("public key", "subject alt name", "csr", "CA ", "common name", "not", "trust store")
    },
    "_node/rest.py": {
        lambda text: rest._message(answered(text, "application/json")): ('{"a":', "[", '"', "<b"),
        lambda text: rest._pem([text]): ("-----BEGIN CERTIFICATE-----\n",),
        rest._multi_words: ('"multi', '"', "multi"),
    },
    "_node/control.py": {control.LISTED.findall: ("Cisco Tftp [STARTED]  a\n", "Cisco Tftp [", "[A]")},
    "_node/trust_lists.py": {
        trust_lists.TrustFile.read: (
            "CTL Record #:1\n",
            "3  SUBJECTNAME  20  CN=a\n",
            "3 A 0 x  ",
            "file was verified",
        ),
    },
    "_serviceability/soap.py": {
        lambda text: soap.parse(text.encode("utf-8", "replace")): ("<a>", "<a b='", "<!--"),
        lambda text: soap.parts_of(answered(text, 'multipart/related; boundary="b"')): (
            "--b\n",
            "--b\r\n\r\n<a>",
            "\n\n",
        ),
        lambda text: soap.parts_of(answered("<a/>", text)): ("boundary=", 'boundary="', ";"),
    },
    "_x509/constraints.py": {constrained: ("a.", "a@", "://", "1.2.3.4/", "-", "::")},
    "_x509/der.py": {der_of: ("0\x80", "0\x00", "0\x82\x01\x00", "\x1f\xff")},
    "_x509/names.py": {
        names.AltName.parse: ("DNS:a", "IP:1", ":"),
        names.printable: ("\u202e", "a,b=", "\\"),
        names.san_key: ("DNS:",),
        names.serial_of: ("0", "ab:"),
    },
    "_x509/reading.py": {
        reading.read_certificates: (
            "-----BEGIN CERTIFICATE-----\n",
            "-----END CERTIFICATE-----\n",
            "MIIB",
            "-----BEGIN PKCS7-----\nMII",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        ),
        lambda text: reading.read_certificates(text.encode("latin-1", "replace")): (
            "0\x80",
            "0\x03\x06\x01*",
            "\xff\xfe",
        ),
        reading.read_request: ("-----BEGIN CERTIFICATE REQUEST-----\n", "-----BEGIN NEW CERTIFICATE REQUEST-----\nMII"),
    },
}
EVERYWHERE = (
    " ",
    "\n",
    "\t",
    "<",
    ">",
    "0",
    "9.",
    "a",
    '"',
    "'",
    "\\",
    "[",
    "(",
    "{",
    ",",
    ":",
    "=",
    "|",
    "&",
    "\0",
    "\xe9",
)

SOME = (" ", "0", "a", "<", ",")


def shapes(known: tuple[str, ...]) -> Iterable[Callable[[int], str]]:
    """Makers of long texts: one piece again and again, after each beginning."""
    for begin in ("", *known):
        for piece in (*(SOME if begin else EVERYWHERE), *known):
            yield partial(repeated, begin, piece, "")


#: what shows that a file takes text apart
TAKES_APART = re.compile(
    r"\bre\.[a-z]+\(|\.fromstring\(|\bjson(?:_module)?\.loads\(|\bb64decode\(|\bunescape\(|\bunpack_from\("
)
#: files that take text apart and have no entry above, with the reason; their patterns are attacked like all others
NO_ENTRY = {
    "_axl/bulk.py": "names from the playbook",
    "_axl/client.py": "the release, which AXL limits to some characters",
    "_axl/journal.py": "a file of this collection",
    "_axl/schema.py": "this collection's own tables",
    "_axl/validation.py": "options of the playbook",
    "_axl/values.py": "one whole match of a value, by patterns alone",
    "_ca/adcs.py": "a file of this collection",
    "_ca/by_hand.py": "a name of a request, cut to 100 characters",
    "_ca/certsrv.py": "tests of its own (tests/unit/ca)",
    "_ca/folder.py": "a name of a certificate",
    "_ca/requester.py": "names of a request that was read, at most 100",
    "_ca/signer.py": "options of the playbook",
    "_ca/vault.py": "one JSON text of limited size, at once",
    "_ca/web.py": "an exception's text, cut to 2,000 characters",
    "_evidence/captures/background.py": "a file of this collection",
    "_evidence/files.py": "names of files on the controller",
    "_evidence/captures/node_capture.py": "patterns alone",
    "_evidence/captures/packets.py": "binary records of limited size",
    "_evidence/probes/probe.py": "names of a certificate that was read",
    "_evidence/captures/tls_records.py": "binary records of limited size",
    "_net/ssh.py": "an option of the playbook; a key exchange message of limited size",
    "_net/tls.py": "a file of the operator",
    "_node/standin.py": "a host name of a certificate that was read",
    "_node/store.py": "a pattern alone",
    "_node/upload.py": "options of the playbook",
    "_releases.py": "a version, which AXL limits to some characters",
    "_node/restart_times.py": "an option of the playbook",
    "_record/behavior.py": "one JSON text of limited size, at once",
    "_record/ready.py": "the plan that this collection wrote",
    "_record/redaction.py": "patterns alone",
    "_record/rehearsal.py": "patterns alone",
    "_verdict/doctor.py": "one search in a name",
    "_roles/plan/certificates.py": "this collection's own words",
    "_roles/undo/removal.py": "patterns alone",
    "_serviceability/dime.py": "Base-64 of an answer, at once",
    "_roles/undo/backup.py": "this collection's own record",
    "_roles/undo/backup_files.py": "this collection's own record",
    "_roles/trunk/external.py": "variables of the inventory, by patterns alone",
    "_roles/preflight/inventory.py": "variables of the inventory, by patterns alone",
    "_roles/plan/document.py": "patterns alone",
    "_roles/preflight/cluster.py": "one match of a version",
    "_roles/preflight/node.py": "patterns alone",
    "_roles/undo/run_claim.py": "a file of this collection",
    "_roles/preflight/sentences.py": "this collection's own sentences",
    "_serviceability/control_center.py": "one whole match of a number",
    "_serviceability/log_collection.py": "patterns alone",
    "_verdict/evidence.py": "patterns alone",
    "_verdict/files.py": "a file that this collection wrote",
    "_verdict/report/files.py": "a file of this collection",
}


def test_every_reader_has_an_entry() -> None:
    folder = ROOT / "plugins" / "module_utils"
    there = {str(path.relative_to(folder)) for path in folder.rglob("*.py") if TAKES_APART.search(path.read_text())}
    assert not READERS.keys() & NO_ENTRY.keys()
    assert there - READERS.keys() - NO_ENTRY.keys() == set(), "give them an entry in READERS, or a reason in NO_ENTRY"
    assert NO_ENTRY.keys() - there == set(), "NO_ENTRY lists files that take nothing apart any more"


def gently(reader: Callable[[str], Any], text: str) -> None:
    """Reads; a refusal in a sentence is an answer, any other exception is not."""
    try:
        reader(text)
    except Failure:
        pass
    except der.DerError:
        pass


@pytest.mark.parametrize("file", sorted(READERS))
def test_readers_take_linear_time(file: str) -> None:
    slow = [
        f"reader {number} on {text(60)!r}: {words}"
        for number, (reader, known) in enumerate(READERS[file].items())
        for text in shapes(known)
        if (words := slows_down(partial(gently, reader), text, 16384))
    ]
    assert not slow, "\n".join(slow)
