# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alarms about SIP trunks in all their forms: SDL, plain text, syslog, and RIS's own lines. Private to this collection.

* SDL's C(AlarmErr): C(AlarmName: SIPTrunkOOS, ... AlarmParameters:  K:V, K:V,)
* syslog: C(%UC_CALLMANAGER-4-SIPTrunkOOS: %[DeviceName=...][UnavailableRemotePeersWithReasonCode=...])
* AppInfo: C(ConnectionFailure - ... Device Name:... Reason code:2 ...)
* AppInfo: C(GenAlarm: AlarmName = SIPTrunkOOS, ... AlarmMsg = K : V) with the other C(K : V) on lines of their own; in
  real traces this form was seen for alarms of phones and media resources only
* AppInfo: C(RISCMAccess::SIPTrunkOOS) with C(::deviceName=), C(::availList=), C(::unAvailList=) on lines of their own
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.addresses import plain
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces import reasons, tls_failures

OUT_OF_SERVICE, IN_SERVICE, CONNECTION = "SIPTrunkOOS", "SIPTrunkISV", "ConnectionFailure"
_WANTED = ("SIPTrunk", CONNECTION)
_REASON = re.compile(r"(?i)(?:ReasonCodeType\s*=\s*)?\b(Local|Remote)\s*=\s*(\d{1,9})")
# What an alarm's own text has before the first peer.
_LIST = re.compile(r"RemotePeers(?:WithReasonCode)?\s?[:=]")
_SYSLOG = re.compile(r"%UC_[A-Z_]*CALLMANAGER-(\d)-(\w+):")
# The date that the node wrote, and that of a syslog server, which may lack the year.
_STAMP = re.compile(
    r"([A-Z][a-z]{2} +\d{1,2} \d{4}) (\d\d:\d\d:\d\d)(?: ?([AP]M))?(?:\.(\d{1,6}))?(?: ([A-Z]{1,5})\b)?"
)
_SERVER_STAMP = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d) ([\w.-]+)"
)
_HOST = re.compile(r"[A-Za-z][\w.-]*")
_GENERAL = re.compile(r"GenAlarm: AlarmName = (\w+)")
_BRACKETS = re.compile(r"\[(\w+)=((?:[^\[\]]|\[[\w:.%-]*\])*)\]")
_LABELS = re.compile(r"(Device Name|IP Address|IPV6Address|Device type|Reason code|App ID|Cluster ID|Node ID):")
_SAME = {
    "Device Name": "DeviceName", "Device type": "DeviceType", "IP Address": "IPAddress", "Reason code": "Reason",
    "Node ID": "NodeID",
}  # fmt: skip
_RIS_NAME = re.compile(r"RISCMAccess::(SIPTrunk\w+)")
_RIS_FIELD = re.compile(r"::(deviceName|availList|unAvailList)=([^\n]*)")
_MOST_OPEN = 8
# The number of the device type SIP Trunk, and the names of phones and clients, for an alarm without a device type.
_SIP_TRUNK = "131"
_PHONE = re.compile(r"(?:SEP|ATA)[0-9A-Fa-f]{12}|(?:CSF|BOT|TCT|TAB)[0-9A-Za-z]{1,12}")
_SEVERITIES = ("Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug")


def alarm(text: str) -> dict[str, Any] | None:
    """The alarm of one line; None when it is about neither a trunk's service nor a TLS connection."""
    if text.startswith(f"{CONNECTION} - "):
        pairs = {_SAME.get(key, key): value for key, value in _labelled(text)}
        return _entry(CONNECTION, None, pairs, text)
    if syslog := _SYSLOG.search(text):
        pairs = dict(_BRACKETS.findall(text))
        return _entry(syslog[2], _SEVERITIES[int(syslog[1]) % 8], pairs, text)
    if general := _GENERAL.match(text):
        pairs = dict(_lines(text.partition("AlarmMsg = ")[2]))
        level = re.search(r"severity = (\d)", text)
        return _entry(general[1], _SEVERITIES[int(level[1]) % 8] if level else None, pairs, ";".join(pairs.values()))
    name = re.search(r"AlarmName:\s*(\w+)", text)
    if not name:
        return None
    _before, _label, parameters = text.partition("AlarmParameters:")
    severity = re.search(r"AlarmSeverity:\s*([^,]*)", text)
    return _entry(name[1], severity[1].strip() if severity else None, dict(_pairs(parameters)), parameters)


def syslog_head(text: str) -> tuple[str | None, str | None]:
    """(time, node) of a line of syslog.

    The time is ISO 8601, without a zone if the line has none; it is left as it is where the year or zone is not clear.
    """
    before = text.partition("%UC_")[0][-300:]
    own, server = _STAMP.search(before), _SERVER_STAMP.search(before)
    if not own:
        return (server[1], server[2]) if server else (None, None)
    name, colon, _rest = before[: own.start()].rstrip().rpartition(" ")[2].partition(":")
    host = name if colon and _HOST.fullmatch(name) else server[2] if server else None
    date, clock, half, part, zone = own.groups()
    if zone not in (None, "UTC", "GMT"):
        return own[0], host
    try:
        form = "%b %d %Y %I:%M:%S %p" if half else "%b %d %Y %H:%M:%S"
        when = datetime.strptime(f"{date} {clock} {half or ''}".strip(), form)
    except ValueError:
        return own[0], host
    when = when.replace(microsecond=int((part or "0").ljust(6, "0")), tzinfo=UTC if zone else None)
    return when.isoformat(timespec="milliseconds"), host


def _entry(name: str, severity: str | None, pairs: dict[str, str], text: str) -> dict[str, Any] | None:
    if not name.startswith(_WANTED):
        return None
    trunk = next((value for key, value in pairs.items() if re.search(r"(?i)trunk_?name|devicename|^name$", key)), None)
    entry: dict[str, Any] = {
        "name": name, "severity": severity, "trunk": trunk or None, "peers": peers(text), "node": pairs.get("NodeID"),
        "parameters": pairs,
    }  # fmt: skip
    if name == CONNECTION:
        phone = _is_phone(trunk or "", pairs.get("DeviceType", ""))
        entry["trunk"] = None if phone else entry["trunk"]
        address = pairs.get("IPAddress") or pairs.get("IPV6Address") or None
        entry |= {
            "remote_ip": plain(address) if address else None,
            **tls_failures.connection_failure(pairs.get("Reason"), phone=phone),
        }
    return entry


def _is_phone(device: str, kind: str) -> bool:
    """Whether a device is something else than a SIP trunk: its type says it, or else its name."""
    return kind != _SIP_TRUNK if kind.isdecimal() else bool(_PHONE.fullmatch(device))


def peers(text: str) -> list[dict[str, Any]]:
    """The unavailable peers of an alarm, each with its reason code in words.

    Each ends with its reason, before which stand its name, address and port; an IPv6 address has colons and may have
    brackets or a zone.
    """
    found, begin = [], 0
    for reason in _REASON.finditer(text):
        before, begin = text[begin : reason.start()].rpartition(";")[2], reason.end()
        fields = [field.strip() for field in before.rstrip().removesuffix(",").rsplit(",", 3)[-3:]]
        if len(fields) < 3 or not fields[2].isdecimal():
            continue
        host = _LIST.split(fields[0])[-1].rpartition("=")[2]
        kind, code = reason[1].capitalize(), int(reason[2])
        found.append({
            "host": plain(host), "address": plain(fields[1]), "port": int(fields[2][:9]), "reason_type": kind,
            "reason_code": code, **reasons.explain(f"{kind}={code}"),
        })  # fmt: skip
    return found


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """``K:V, `` pairs; a value may hold colons and commas, so a pair ends where the next key begins."""
    text = re.sub(r"UNKNOWN_PARAM(?:NAME|TYPE):", "", text.strip())
    # The first part of an IPv6 address is no key.
    marks = list(re.finditer(r"(?:^|,\s*)(?![0-9A-Fa-f]{1,4}:)([A-Za-z_]\w*):", text))
    for at, mark in enumerate(marks):
        end = marks[at + 1].start() if at + 1 < len(marks) else len(text)
        yield mark[1], text[mark.end() : end].strip().rstrip(",").strip()


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        key, separator, value = (
            line.removeprefix("UNKNOWN_PARAMNAME:").removeprefix("UNKNOWN_PARAMTYPE:").partition(" :")
        )
        if separator and key.strip().isidentifier():
            yield key.strip(), value.strip()


def _labelled(text: str) -> Iterator[tuple[str, str]]:
    marks = list(_LABELS.finditer(text))
    for at, mark in enumerate(marks):
        end = marks[at + 1].start() if at + 1 < len(marks) else len(text)
        yield mark[1], text[mark.end() : end].strip()


@dataclass
class _Block:
    """A block of RISCMAccess that has begun."""

    entry: dict[str, Any]
    #: its alarm was returned; lines that come later complete it
    told: bool = False


class RisLines:
    """Puts the lines of RISCMAccess together: a name, the lists of peers, and the end.

    Two trunks may be written in turns. The lines of one block share the number of SDL's signal; one that has not the
    number of an open block belongs to the only block that still lacks it, else to none. An alarm is returned as soon as
    its trunk is known, and completed in place, so that one without its end is not lost.
    """

    def __init__(self) -> None:
        self._open: dict[str, _Block] = {}

    def take(self, text: str, number: str = "") -> dict[str, Any] | None:
        """Takes one AppInfo text with the number of its signal; the alarm when its trunk is first known."""
        found = _RIS_NAME.search(text)
        name = found[1] if found else None
        if name and "<--" in text:
            return self._ended(name, number)
        if name and "-->" in text:
            self._begin(name, number)
        told = None
        for key, value in _RIS_FIELD.findall(text):
            block = self._of(name, number, key)
            if block is None and name and not self._open:
                block = self._begin(name, number)
            if block:
                told = _filled(block, key, value.strip()) or told
        return told

    def _begin(self, name: str, number: str) -> _Block:
        while len(self._open) >= _MOST_OPEN:
            # Its end was lost long ago.
            self._open.pop(next(iter(self._open)))
        self._open.pop(number, None)
        block = self._open[number] = _Block(
            {"name": name, "severity": None, "trunk": None, "peers": [], "node": None, "parameters": {}}
        )
        return block

    def _of(self, name: str | None, number: str, lacks: str | None) -> _Block | None:
        own = self._open.get(number)
        if own and name in (None, own.entry["name"]):
            return own
        others = [
            block
            for block in self._open.values()
            if name in (None, block.entry["name"]) and lacks not in block.entry["parameters"]
        ]
        return others[0] if len(others) == 1 else None

    def _ended(self, name: str, number: str) -> dict[str, Any] | None:
        block = self._of(name, number, None)
        if block is None:
            return None
        self._open = {key: other for key, other in self._open.items() if other is not block}
        return None if block.told else block.entry


def _filled(block: _Block, key: str, value: str) -> dict[str, Any] | None:
    """Adds a line to its block; its alarm when it was not returned before and names its trunk now."""
    entry = block.entry
    entry["parameters"][key] = value
    if key == "unAvailList":
        entry["peers"][:] = peers(value)
    elif key == "deviceName":
        entry["trunk"] = value or None
    if block.told or key != "deviceName":
        return None
    block.told = True
    return entry
