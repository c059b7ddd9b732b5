# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which log files a node has, by Log Collection. Private."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability import soap
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability.soap import element

PATH = "/logcollectionservice2/services/LogCollectionPortTypeService"
SDL = re.compile(r"SDL\d+_\d+_\d+\.txt(?:\.gzo?)?$")
CALLLOGS = re.compile(r"calllogs_\d+\.txt(?:\.gzo?)?$")
# RelTime is a signed byte.
MOST_RELATIVE = 127


@dataclass(frozen=True)
class LogFile:
    """A file on a node."""

    path: str
    size: int
    modified: str

    @property
    def name(self) -> str:
        """The name without its folder."""
        return PurePosixPath(self.path).name


def select(
    client: HttpClient,
    services: Sequence[str],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    minutes: int | None = None,
) -> list[LogFile]:
    """The files of services, modified in a time span or within the last minutes (the past day without either)."""
    if since is None and until is None:
        unit, amount = _relative(minutes or 24 * 60)
        span: dict[str, str | int] = {"ToDate": "", "FromDate": "", "RelText": unit, "RelTime": amount}
    else:
        end = until or datetime.now(UTC)
        begin = since or datetime(2000, 1, 1, tzinfo=UTC)
        span = {"ToDate": _date(end), "FromDate": _date(begin), "RelText": "None", "RelTime": 0}
    logs = "".join(element("item", name) for name in services)
    criteria = "".join(
        (
            element("ServiceLogs", inner=logs),
            element("SystemLogs", inner=element("item", "")),
            element("SearchStr", ""),
            element("Frequency", "OnDemand"),
            element("JobType", "DownloadtoClient"),
            element("ToDate", span["ToDate"]),
            element("FromDate", span["FromDate"]),
            element("TimeZone", "Client:(GMT+0:0)Etc/UTC"),
            element("RelText", span["RelText"]),
            element("RelTime", span["RelTime"]),
            *(element(name, 0 if name == "Port" else "") for name in ("Port", "IPAddress", "UserName", "Password")),
            element("ZipInfo", False),
            element("RemoteFolder", ""),
        )
    )
    body = element("selectLogFiles", inner=element("FileSelectionCriteria", inner=criteria))
    answer = soap.call(client, PATH, "selectLogFiles", body, "The list of trace files (Log Collection)")
    # A multipart answer holds the list in its first XML part.
    roots = [answer.body, *filter(None, map(soap.parse, answer.attachments))]
    found = {}
    for entry in (listed for root in roots for listed in soap.find_all(root, "File")):
        path = soap.text_of(entry, "absolutepath")
        if path:
            size = soap.text_of(entry, "filesize") or "0"
            found[path] = LogFile(path, int(size) if size.isdecimal() else 0, soap.text_of(entry, "modifiedDate") or "")
    return list(found.values())


def _relative(minutes: int) -> tuple[str, int]:
    for unit, length in (("Minutes", 1), ("Hours", 60), ("Days", 1440), ("Weeks", 10_080)):
        if minutes <= MOST_RELATIVE * length:
            return unit, -(-minutes // length)
    return "Weeks", MOST_RELATIVE


def _date(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%m/%d/%y %I:%M %p")
