# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AXL operations other than add, update, get, list or remove of an object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import faults
from .render import braces, escape
from .rules import trunks_of
from .schema import OLDEST, Version
from .values import Element, children, local, text

if TYPE_CHECKING:
    from ...world import Node


@dataclass(frozen=True)
class Operation:
    """`run` returns the inner XML of the answer."""

    run: Callable[[Node, Element, Version], str]
    writes: bool = False
    since: Version = OLDEST
    #: the children of the response have no <return> around them
    bare: bool = False


def _child(request: Element, name: str) -> Element | None:
    return next((child for child in children(request) if local(child) == name), None)


def _ccm_version(node: Node, request: Element, _unused: Version) -> str:
    wanted = _child(request, "processNodeName")
    if wanted is not None and text(wanted) and node.cluster.node(text(wanted)) is None:
        raise faults.not_found("ProcessNode")
    return f"<componentVersion><version>{node.cluster.release.version}</version></componentVersion>"


def _os_version(node: Node, _unused: Element, __: Version) -> str:
    release = node.cluster.release
    return f"<os><osName>{release.os_name}</osName><osVersion>{release.os_version}</osVersion></os>"


def _device_reset(node: Node, request: Element, _unused: Version) -> str:
    store = node.cluster.config
    name = _child(request, "deviceName")
    if name is None:
        raise faults.null_column("device", "name")
    identity = name.get("uuid")
    record = (
        store.by_id(identity)
        if identity
        else store.record("SipTrunk", text(name)) or store.record("RouteList", text(name))
    )
    if record is None:
        raise faults.not_found(text(name) or "Device")
    ways = [n for n in ("isHardReset", "deviceResetType") if _child(request, n) is not None]
    if len(ways) != 1:
        raise faults.inferred(node.cluster.lab.inferred, "axl.two_choices", fields="isHardReset, deviceResetType")
    node.cluster.lab.log.write("reset", cluster=node.cluster.name, device=record.name)
    if record.kind == "SipTrunk":
        store.apply(trunks_of(store, record))
    return "true"


def _authenticate(node: Node, request: Element, _unused: Version) -> str:
    """By password or PIN: an account of the scenario, or a user that AXL added."""
    user = _child(request, "userid")
    name = text(user) if user is not None else ""
    known = {"password": account.password} if (account := node.cluster.application_accounts.get(name)) else {}
    for kind in ("User", "AppUser"):
        record = node.cluster.config.record(kind, name)
        known |= {secret: record.body[secret] for secret in ("password", "pin") if record and record.body.get(secret)}
    given = {secret: element.text or "" for secret in known if (element := _child(request, secret)) is not None}
    right = bool(given) and all(known[secret] == value for secret, value in given.items())
    return f"<userAuthenticated>{'true' if right else 'false'}</userAuthenticated><code>{0 if right else 1}</code>"


def _list_change(node: Node, request: Element, _unused: Version) -> str:
    db = node.cluster.db
    queue = node.cluster.change_queue
    start = _child(request, "startChangeId")
    since = int(text(start) or 0) if start is not None else None
    if start is not None and start.get("queueId") not in (None, "", queue):
        raise faults.AxlFault(5007, "The queueId value does not match the server's queueId.")
    objects = _child(request, "objectList")
    kinds = {text(child) for child in children(objects)} if objects is not None else set()
    first, last = db.execute("SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM config_change")[0]
    info = (
        f"<queueInfo><firstChangeId>{first}</firstChangeId><lastChangeId>{last}</lastChangeId>"
        f"<nextStartChangeId>{last + 1}</nextStartChangeId><queueId>{escape(queue)}</queueId></queueInfo>"
    )
    if since is None:
        return f"{info}<changes/>"
    rows = db.execute("SELECT * FROM config_change WHERE id >= ? ORDER BY id", (since,))
    changes = "".join(
        f'<change type="{row["kind"]}" uuid="{braces(row["pkid"])}"><id>{row["id"]}</id>'
        f"<action>{row['action']}</action>"
        f"<serviceType/><doGet>{'false' if row['action'] == 'r' else 'true'}</doGet><changedTags/></change>"
        for row in rows
        if not kinds or row["kind"] in kinds
    )
    return f"{info}<changes>{changes}</changes>"


OPERATIONS = {
    "getCCMVersion": Operation(_ccm_version),
    "getOSVersion": Operation(_os_version),
    "doDeviceReset": Operation(_device_reset, writes=True),
    "doAuthenticateUser": Operation(_authenticate),
    "listChange": Operation(_list_change, since=(10, 0), bare=True),
}
