# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of SDL lines that are about SIP trunks, each as a dictionary. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence import sip_text
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.addresses import plain, without_port

_MATCH_PAIR = re.compile(r'\b(\w+)\s*=\s*"([^"]*)"')
#: the fields of a SIPCertificateInd, in their order
_CERTIFICATE = ("connIdx", "--remoteIP", "--remotePort", "--X509SubjectName", "--Cipher", "--SubjectAltname")
_ADDRESS = re.compile(r"\baddr=\s*([^,\s]+)")
_PORT = re.compile(r"\bport=\s*(\d{1,9})")
_NUMBER = re.compile(r"\bconnid=\s*(\d{1,9})")
_TRANSPORT = re.compile(r"\btransport=\s*([A-Za-z]\w*(?: Over \w+)?)")
_EVENT = re.compile(r"\b(\w+):(?=\s)")
_SECURITY = re.compile(r"tls_security\s*=\s*(\d{1,9})")
_MESSAGE = re.compile(
    r"(?://SIP/)?SIP(?P<layer>Tcp|Udp)(?: - |/)\w+: (?P<way>Outgoing|Incoming) SIP \w+ message (?:size \d+ )?"
    r"(?:to|from) (?:(?P<tcp_ip>\S+) on port (?P<tcp_port>\d{1,9})(?: index (?P<index>\d{1,9}))?"
    r"|(?P<udp_ip>\S+?):\[?(?P<udp_port>\d{1,9})\]?:?(?=\s|$))"
)
_MESSAGE_BYTES = re.compile(
    rb"\|(?:SIP(?:Tcp|Udp) - |//SIP/SIP(?:Tcp|Udp)/)\w+: (?:Outgoing|Incoming) SIP \w+ message "
)
_SIZE = re.compile(rb"size (\d{1,6}) from|from \S+ on port \d{1,9}(?: index \d{1,9})? with (\d{1,6}) bytes:")
_NET_LINE = re.compile(rb"\[\d{1,9},\s*NET\]\s*")
_LENGTH = re.compile(rb"(?i)(?:Content-Length|l)\s{0,9}:\s{0,9}(\d{1,6})\s*")
_MOST_SIZE = 65_536
_NET = re.compile(r"\[(\d{1,9}),\s*NET\]\s*")
_PING = re.compile(
    r"ccbID=\s*(?P<ccb>\d{1,9})(?:.*?interErr=(?P<error>\w))?(?:.*?resp=(?P<answer>\d{1,9}))?(?:.*?PeerAddr\s*=\s*(?P<peer>\S+))?",
    re.S,
)
_FLAT_HEADERS = re.compile(
    r"(?<![ \t])[ \t]+(?=(?:Via|From|To|Date|Call-ID|User-Agent|CSeq|Contact|Max-Forwards|Content-Length|Content-Type|"
    r"Allow|Supported|Server|Expires|Warning|Reason|Require|Min-SE|Session-Expires|Remote-Party-ID|"
    r"P-Asserted-Identity): )"
)
_CLOSING = ("PostCloseConnection", "DeleteConnInstance", "SocketExcept")
KEPT_METHODS = {"INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "OPTIONS"}


def certificate(text: str) -> dict[str, Any] | None:
    """The text of a SIPCertificateInd; fields that later releases may add are ignored."""
    found: dict[str, str] = {}
    rest = text.partition(_CERTIFICATE[0])[2]
    for name, following in zip(_CERTIFICATE, (*_CERTIFICATE[1:], " --"), strict=True):
        value, separator, rest = rest.partition(following)
        if not separator and name != _CERTIFICATE[-1]:
            return None
        found[name] = value.strip().removeprefix("=").strip()
    index, address, port, subject, cipher, sans = (found[name] for name in _CERTIFICATE)
    if not (index.isdecimal() and port.isdecimal() and len(address.split()) == 1):
        return None
    return {
        "index": int(index[:9]), "remote_ip": plain(address), "remote_port": int(port[:9]), "subject": subject,
        "cipher": cipher.partition(" ")[0] or None, "sans": [name for name in re.split(r"[,;\s]+", sans) if name],
    }  # fmt: skip


def ping(signal: str, text: str) -> dict[str, Any] | None:
    """The text of a SIPPingReq or SIPPingResult."""
    found = _PING.search(text)
    if not found:
        return None
    address, port = without_port(found["peer"]) if found["peer"] else (None, None)
    return {
        "kind": "result" if signal == "SIPPingResult" else "request", "ccb": int(found["ccb"]),
        "peer": address, "port": port,
        "internal_error": None if found["error"] is None else found["error"] == "T",
        "response": int(found["answer"]) if found["answer"] else None,
    }  # fmt: skip


def connection(text: str) -> dict[str, Any] | None:
    """An event of a connection: that one is asked for, opened, used or closed."""
    if security := _SECURITY.search(text):
        return {"event": "createConnMsg", "tls_security": int(security[1])}
    address, port, number = _ADDRESS.search(text), _PORT.search(text), _NUMBER.search(text)
    if not (address and port and number):
        return None
    event, transport = _EVENT.search(text), _TRANSPORT.search(text)
    return {
        "event": event[1] if event else "connection", "remote_ip": plain(address[1]), "remote_port": int(port[1]),
        "index": int(number[1]), "transport": transport[1] if transport else None,
    }  # fmt: skip


def closes(event: str) -> bool:
    """Whether an event ends its connection."""
    return event.endswith(_CLOSING)


def is_message(line: bytes) -> bool:
    """Whether a traced line is the head of a SIP message, whose text follows it."""
    return _MESSAGE_BYTES.search(line) is not None


def declared_size(lines: Sequence[bytes]) -> int:
    """How many bytes a message that came in has by the line above it; 0 if it is not said."""
    if len(lines) < 2 or not _NET_LINE.fullmatch(lines[1][:40]):
        return 0
    begin = lines[0][:300]
    head = _MESSAGE_BYTES.search(begin)
    found = _SIZE.match(begin, head.end()) if head else None
    size = int(found[1] or found[2]) if found else 0
    return size if size <= _MOST_SIZE else 0


def framed_size(lines: Sequence[bytes], end: int) -> int:
    """The same by the message's own Content-Length; ``end`` is how many bytes are to be added for each line's end."""
    if len(lines) < 2 or not _NET_LINE.fullmatch(lines[1][:40]) or not is_message(lines[0][:300]):
        return 0
    size, body = 0, None
    for line in lines[2:]:
        size += len(line) + end
        header = line.rstrip(b"\r")
        if not header:
            return size + body if body is not None and size + body <= _MOST_SIZE else 0
        if found := _LENGTH.fullmatch(header[:200]):
            body = int(found[1])
    return 0


def message(text: str) -> dict[str, Any] | None:
    """A SIP message with the line above it; None for another line, empty for a method of no interest."""
    head = _MESSAGE.match(text)
    if not head:
        return None
    net = _NET.search(text, head.end())
    start = net.end() if net else text.find("\n", head.end()) + 1
    raw = text[start:]
    found = sip_text.parse(raw if "\n" in raw.strip() else _FLAT_HEADERS.sub("\n", raw) + "\n")
    if found is None or found.cseq_method not in KEPT_METHODS | {None}:
        return {}
    return {
        "way": "out" if head["way"] == "Outgoing" else "in",
        "layer": head["layer"].upper(),
        "remote_ip": plain(head["tcp_ip"] or head["udp_ip"]),
        "remote_port": int(head["tcp_port"] or head["udp_port"]),
        "index": int(head["index"]) if head["index"] else None,
        "net": int(net[1]) if net else None,
        **found.as_dict(),
    }


def digit_analysis(text: str) -> dict[str, Any]:
    """The line that says who dialed what."""
    fields = dict(_MATCH_PAIR.findall(text))
    return {
        "calling": fields.get("cn") or fields.get("fqcn"), "dialed": fields.get("dd"),
        "calling_search_space": fields.get("pss", ""), "match": fields, "results": {},
    }  # fmt: skip


def empty_analysis() -> dict[str, Any]:
    """For results whose first line is in an earlier file."""
    return {"calling": None, "dialed": None, "calling_search_space": None, "match": {}, "results": {}}


def result_fields(text: str) -> dict[str, str]:
    """The ``|name=value`` fields of digit analysis."""
    return {
        key.strip(): value.strip()
        for key, equals, value in (part.partition("=") for part in re.split(r"\n?\|", text))
        if equals and re.fullmatch(r"\s*\w+\s*", key)
    }


def add_results(analysis: dict[str, Any], pairs: dict[str, str]) -> None:
    """Adds result fields to a digit analysis."""
    analysis["results"].update(pairs)
    analysis["calling"] = analysis["calling"] or pairs.get("CallingPartyNumber")
    analysis["pattern"] = pairs.get("DialingPattern", analysis.get("pattern"))
    analysis["partition"] = pairs.get("DialingPartition", analysis.get("partition"))
