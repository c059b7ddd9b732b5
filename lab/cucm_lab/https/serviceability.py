# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The serviceability web services of a node: their paths, handlers and required roles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from . import control_center, log_collection, perfmon, ris, wsdl

if TYPE_CHECKING:
    from ..world import Node

ROLES = frozenset({"Standard CCM Server Monitoring", "Standard RealtimeAndTraceCollection"})


@dataclass(frozen=True)
class Endpoint:
    """One SOAP service."""

    path: str
    interface: str
    handle: Callable[[Node, bytes, web.BaseRequest], Awaitable[web.Response]]
    roles: frozenset[str] = ROLES
    exists: Callable[[Node], bool] = lambda _: True
    #: the source of `?wsdl`; None if no document shows one
    description: wsdl.Description | None = None

    def serves(self, path: str, node: Node) -> bool:
        """Whether a path is this service's, with or without a trailing slash."""
        return path.removesuffix("/") == self.path and self.exists(node)


def _has_ris(name: str, node: Node) -> bool:
    return name in node.cluster.release.ris_services


ENDPOINTS = (
    Endpoint(
        "/controlcenterservice2/services/ControlCenterServices",
        "controlcenter",
        control_center.handle,
        description=wsdl.CONTROL_CENTER,
    ),
    Endpoint(
        "/controlcenterservice2/services/ControlCenterServicesEx",
        "controlcenter",
        control_center.handle,
        description=wsdl.CONTROL_CENTER_EX,
    ),
    *(
        Endpoint(
            f"/realtimeservice2/services/{name}",
            "ris",
            handler,
            exists=partial(_has_ris, name),
            description=wsdl.RIS if name == wsdl.RIS.service else None,
        )
        for name, handler in ris.HANDLERS.items()
    ),
    Endpoint("/perfmonservice2/services/PerfmonService", "perfmon", perfmon.handle, description=wsdl.PERFMON),
    Endpoint(
        "/logcollectionservice2/services/LogCollectionPortTypeService",
        "logcollection",
        log_collection.handle,
        description=wsdl.LOG_COLLECTION,
    ),
    Endpoint("/logcollectionservice/services/DimeGetFileService", "dime", log_collection.handle_dime),
)
