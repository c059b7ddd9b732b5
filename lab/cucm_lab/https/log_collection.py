# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log Collection and DIME: a node's trace, call log and capture files, and their content."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from aiohttp import web
from lxml import etree

from . import ast
from .soap import Malformed, envelope, parse

if TYPE_CHECKING:
    from ..world import Node

ACTIVE = "/var/log/active"
#: log name -> folders under /var/log/active
SERVICE_LOGS = {
    "Cisco CallManager": ("cm/trace/ccm/sdl", "cm/trace/ccm/calllogs"),
    "Cisco CTIManager": ("cm/trace/cti/sdl",),
    "Cisco Tftp": ("cm/trace/ctftp/sdi",),
    "Cisco Audit Logs": ("audit/AuditApp",),
    "Cisco CDR Agent": ("cm/trace/cdragent",),
    "Cisco DRF Local": ("platform/drf/trace",),
}
SYSTEM_LOGS = {"Packet Capture Logs": ("platform/cli",)}
_UNITS = {"Minutes": 60, "Hours": 3600, "Days": 86400, "Weeks": 604800, "Months": 2592000}
DATE = "%m/%d/%y %I:%M %p"


async def handle(node: Node, body: bytes, _unused: web.BaseRequest) -> web.Response:
    """Answer LogCollectionPortType."""
    try:
        request = parse(body)
    except Malformed as error:
        return ast.refuse(str(error))
    operation = etree.QName(request).localname
    if operation == "listNodeServiceLogs":
        return _list(node)
    if operation == "selectLogFiles":
        return _select(node, request)
    if operation in ("GetOneFile", "FileName"):
        if operation == "GetOneFile" and not node.cluster.lab.inferred["logcollection.get_one_file_wrapper"]:
            return ast.refuse("Unexpected element GetOneFile")
        try:
            data = _read(node, request)
        except ast.AstFault as error:
            return ast.refuse(str(error))
        return ast.bare("GetOneFileReturn", base64.b64encode(data).decode())
    if operation in ("getTimeZone", "LocalHost"):
        return ast.bare("TimeZone", f"Client: (GMT+0:0){node.spec.timezone}")
    return ast.refuse(f"The endpoint reference (EPR) for the Operation not found is {operation}")


async def handle_dime(node: Node, body: bytes, _unused: web.BaseRequest) -> web.Response:
    """Respond to DimeGetFileService: the raw file is the second part of a multipart."""
    try:
        data = _read(node, parse(body))
    except (Malformed, ast.AstFault) as error:
        return ast.refuse(str(error))
    identity = uuid.uuid4().hex.upper()
    soap = envelope(
        f'<ns1:GetOneFileResponse xmlns:ns1="{ast.NAMESPACE}/"><DataHandler href="cid:{identity}"/>'
        f"</ns1:GetOneFileResponse>"
    )
    return ast.multipart(
        [("text/xml; charset=UTF-8", "start", soap.encode()), ("application/octet-stream", identity, data)]
    )


def _read(node: Node, request: etree._Element) -> bytes:
    name = ast.find_text(request, "FileName")
    try:
        path = node.file(name)
    except ValueError:
        path = None
    allowed = path is not None and path.is_relative_to(node.active_log.resolve()) and path.is_file()
    if path is None or not allowed:
        raise ast.AstFault(f"FileNotFoundException: {name} (No such file or directory)")
    return path.read_bytes()


def _list(node: Node) -> web.Response:
    parts = []
    for member in node.cluster.nodes:
        services = "".join(f"<ns1:item>{escape(name)}</ns1:item>" for name in SERVICE_LOGS)
        systems = "".join(f"<ns1:item>{escape(name)}</ns1:item>" for name in SYSTEM_LOGS)
        parts.append(
            f"<ns1:listNodeServiceLogsReturn>{ast.elements(name=member.name)}<ns1:ServiceLog>{services}</ns1:ServiceLog>"
            f"<ns1:SystemLog>{systems}</ns1:SystemLog></ns1:listNodeServiceLogsReturn>"
        )
    answer = ast.answer("listNodeServiceLogs", "".join(parts))
    if node.cluster.lab.inferred["logcollection.list_multipart"] and isinstance(answer.body, bytes):
        # cisco-dime takes the boundary as it stands here, and without its quotes in DIME's answers.
        return ast.multipart([("text/xml; charset=UTF-8", "start", answer.body)], quoted=False)
    return answer


def _select(node: Node, request: etree._Element) -> web.Response:
    def names(element: str) -> list[str]:
        return [(i.text or "").strip() for e in ast.find_all(request, element) for i in ast.find_all(e, "item")]

    if ast.find_text(request, "JobType", "DownloadtoClient") == "PushtoSFTPServer":
        return ast.refuse("The lab pushes no files by SFTP from Log Collection; use DownloadtoClient and GetOneFile.")
    try:
        since, until = _span(node, request)
    except (ValueError, KeyError, OSError) as error:
        return ast.refuse(f"FromDate or ToDate is not valid: {error}")
    search = ast.find_text(request, "SearchStr")
    logs = ""
    for table, wanted in ((SERVICE_LOGS, names("ServiceLogs")), (SYSTEM_LOGS, names("SystemLogs"))):
        for name in wanted:
            files = "".join(
                f"<ns1:File>{_file(node, path)}</ns1:File>"
                for folder in table.get(name, ())
                for path in sorted((node.active_log / folder).glob("*"))
                if path.is_file() and since <= path.stat().st_mtime <= until and search in path.name
            )
            if files:
                found = f"{ast.elements(name=name)}<ns1:SetOfFiles>{files}</ns1:SetOfFiles>"
                logs += f"<ns1:ServiceLogs>{found}</ns1:ServiceLogs>"
    inner = (
        f"<ns1:ResultSet><ns1:SchemaFileSelectionResult><ns1:Node>{ast.elements(name=node.name)}"
        f"<ns1:ServiceList>{logs}</ns1:ServiceList></ns1:Node></ns1:SchemaFileSelectionResult></ns1:ResultSet>"
    )
    return ast.answer("selectLogFiles", inner)


def _file(node: Node, path: Path) -> str:
    status = path.stat()
    changed = datetime.fromtimestamp(status.st_mtime, _zone(node.spec.timezone))
    return ast.elements(
        name=path.name,
        absolutepath=f"{ACTIVE}/{path.relative_to(node.active_log)}",
        filesize=status.st_size,
        modifiedDate=changed.strftime("%a %b %d %H:%M:%S %Z %Y"),
    )


def _zone(name: str) -> tzinfo:
    return UTC if name in ("", "UTC", "GMT") else ZoneInfo(name)


def _span(node: Node, request: etree._Element) -> tuple[float, float]:
    """The requested span of time in seconds since the epoch; files carry real time, not the lab's."""
    unit, count = ast.find_text(request, "RelText", "None"), ast.find_text(request, "RelTime", "0")
    if unit in _UNITS:
        return (datetime.now(UTC) - timedelta(seconds=_UNITS[unit] * int(count or 0))).timestamp(), float("inf")
    zone = _zone(node.spec.timezone)

    def moment(name: str, otherwise: float) -> float:
        text = ast.find_text(request, name)
        return datetime.strptime(text, DATE).replace(tzinfo=zone).timestamp() if text else otherwise

    # Dates have minutes only: the span includes the files of its last minute.
    return moment("FromDate", 0.0), moment("ToDate", float("inf")) + 59
