# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alarms about SIP trunks in all their forms: SDL, plain text, syslog, and RIS's own lines. Private to this collection.

* SDL's C(AlarmErr): C(AlarmName: SIPTrunkOOS, ... AlarmParameters:  K:V, K:V,)
* syslog: C(%UC_CALLMANAGER-4-SIPTrunkOOS: %[DeviceName=...][UnavailableRemotePeersWithReasonCode=...])
* AppInfo: C(ConnectionFailure - ... Device Name:... Reason code:2 ...)
* AppInfo: C(RISCMAccess::SIPTrunkOOS) with C(::deviceName=), C(::availList=), C(::unAvailList=) on lines of their own
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.siptls.cucm.plugins.module_utils._evidence.addresses import plain
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.traces import reasons, tls_failures

OUT_OF_SERVICE, IN_SERVICE, CONNECTION = "SIPTrunkOOS", "SIPTrunkISV", "ConnectionFailure"
_WANTED = ("SIPTrunk", CONNECTION)
_REASON = re.compile(r"(?i)(?:ReasonCodeType\s*=\s*)?\b(Local|Remote)\s*=\s*(\d{1,9})")
# What an alarm's own text has before the first peer.
_LIST = re.compile(r"RemotePeers(?:WithReasonCode)?\s?[:=]")
_SYSLOG = re.compile(r"%UC_[A-Z_]*CALLMANAGER-(\d)-(\w+):")
_BRACKETS = re.compile(r"\[(\w+)=((?:[^\[\]]|\[[\w:.%-]*\])*)\]")
_LABELS = re.compile(r"(Device Name|IP Address|IPV6Address|Device type|Reason code|App ID|Cluster ID|Node ID):")
_SAME = {
    "Device Name": "DeviceName", "Device type": "DeviceType", "IP Address": "IPAddress", "Reason code": "Reason",
    "Node ID": "NodeID",
}  # fmt: skip
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
    name = re.search(r"AlarmName:\s*(\w+)", text)
    if not name:
        return None
    _before, _label, parameters = text.partition("AlarmParameters:")
    severity = re.search(r"AlarmSeverity:\s*([^,]*)", text)
    return _entry(name[1], severity[1].strip() if severity else None, dict(_pairs(parameters)), parameters)


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


def _labelled(text: str) -> Iterator[tuple[str, str]]:
    marks = list(_LABELS.finditer(text))
    for at, mark in enumerate(marks):
        end = marks[at + 1].start() if at + 1 < len(marks) else len(text)
        yield mark[1], text[mark.end() : end].strip()


class RisLines:
    """Puts the lines of RISCMAccess together: a name, the lists of peers, and the end."""

    def __init__(self) -> None:
        self._open: dict[str, Any] | None = None

    def take(self, text: str) -> dict[str, Any] | None:
        """Takes one AppInfo text; the alarm as soon as its last line has come."""
        name = re.search(r"RISCMAccess::(SIPTrunk\w+)", text)
        if name and "<--" in text:
            finished, self._open = self._open, None
            return finished
        if name and (self._open is None or self._open["name"] != name[1] or "-->" in text):
            self._open = {"name": name[1], "severity": None, "trunk": None, "peers": [], "node": None, "parameters": {}}
        if self._open is None:
            return None
        for key, value in re.findall(r"::(deviceName|availList|unAvailList)=([^\n]*)", text):
            self._open["parameters"][key] = value.strip()
            if key == "deviceName":
                self._open["trunk"] = value.strip() or None
            elif key == "unAvailList":
                self._open["peers"] = peers(value)
        return None
