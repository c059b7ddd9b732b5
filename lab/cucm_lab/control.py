# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control socket: what `cucm_lab status|call|fault|clock` ask the running lab.

JSON over HTTP on a unix socket in the state directory.
"""

from __future__ import annotations

import asyncio
import dataclasses
import http.client
import json
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .faults import FaultError
from .packages import package

if TYPE_CHECKING:
    from .process import Process
    from .scenario import PhoneSpec
    from .world import Cluster

SOCKET = "control.sock"
Command = Callable[["Process", dict[str, Any]], Awaitable[Any]]


class ControlError(RuntimeError):
    """The lab refused, or is unreachable; the text says why."""


async def _status(process: Process, _unused: dict[str, Any]) -> Any:
    lab = process.lab
    sip = package("sip")
    return {
        "scenario": lab.scenario.name,
        "pid": os.getpid(),
        "time": lab.clock.now().isoformat(timespec="seconds"),
        "faults": len(lab.faults.list()),
        "peers": [{"name": peer.name, "address": peer.address, "numbers": peer.numbers} for peer in lab.scenario.peers],
        "clusters": [
            {
                "name": cluster.name,
                "release": cluster.release.name,
                "version": cluster.release.version,
                "phones": [phone.extension for phone in cluster.phones],
                "registrations": [_registration(cluster, phone) for phone in cluster.phones],
                "mixed_mode": cluster.telephones.files.mixed_mode,
                "trunks": sip.trunk_status(cluster),
                "nodes": [
                    {
                        "name": node.name,
                        "role": node.role,
                        "address": node.address,
                        "services": {s.name: s.status for s in node.services.all()},
                        "reasons": {s.name: "" if s.activated else " (not activated)" for s in node.services.all()},
                    }
                    for node in cluster.nodes
                ],
            }
            for cluster in lab.clusters.values()
        ],
    }


def _registration(cluster: Cluster, phone: PhoneSpec) -> dict[str, Any]:
    found = cluster.telephones.registration(phone)
    return {
        "phone": phone.extension, "node": found.node.name if found.node else None, "encrypted": found.encrypted,
        "reason": found.reason,
    }  # fmt: skip


async def _phones(process: Process, order: dict[str, Any]) -> Any:
    """Reset the phones of a cluster, as an administrator does."""
    cluster = process.lab.cluster(order["cluster"])
    cluster.telephones.reset()
    return [_registration(cluster, phone) for phone in cluster.phones]


async def _call(process: Process, order: dict[str, Any]) -> Any:
    from .sip import place_call

    cluster = process.lab.cluster(order["cluster"])
    more = {"hold": float(order["hold"])} if order.get("hold") else {}
    result = await place_call(process.lab, cluster, order["calling"], order["called"], **more)
    return dataclasses.asdict(result) if dataclasses.is_dataclass(result) else result


async def _digits(process: Process, order: dict[str, Any]) -> Any:
    """Where a number leads for a phone of a cluster (`calling`), or for a call that comes in over a trunk (`trunk`)."""
    from .sip.digits import explain

    cluster = process.lab.cluster(order["cluster"])
    if not (order.get("calling") or order.get("trunk")):
        raise ValueError("Give `calling`, a phone of the cluster, or `trunk`, over which the call comes in.")
    return explain(
        cluster, order["called"], calling=order.get("calling", ""), trunk=order.get("trunk", ""),
        one_by_one=bool(order.get("one_by_one")),
    )  # fmt: skip


async def _fault_add(process: Process, order: dict[str, Any]) -> Any:
    return dataclasses.asdict(process.lab.faults.add(**order))


async def _fault_list(process: Process, _unused: dict[str, Any]) -> Any:
    return process.lab.faults.list()


async def _fault_clear(process: Process, order: dict[str, Any]) -> Any:
    return {"cleared": process.lab.faults.clear(order.get("id"))}


async def _clock(process: Process, order: dict[str, Any]) -> Any:
    clock = process.lab.clock
    if order.get("node"):
        node = process.lab.node_at(order["node"])
        if node is None:
            raise KeyError(f"The lab has no node {order['node']}.")
        clock = node.clock
    if order.get("reset"):
        clock.reset()
    elif order.get("shift"):
        clock.shift(float(order["shift"]))
    process.lab.log.write("lab", event="clock", node=order.get("node"), shift=clock.shift_seconds)
    return {"time": clock.now().isoformat(timespec="seconds"), "shift": clock.shift_seconds}


async def _syslog(process: Process, order: dict[str, Any]) -> Any:
    """Set the remote syslog server of all nodes, or run the certificate monitors now."""
    syslog = process.lab.syslog
    if "server" in order:
        syslog.name(order["server"])
    sent = syslog.check_certificates(process.lab) if order.get("certificates") else 0
    return {"server": syslog.server, "sent": sent}


async def _events(process: Process, order: dict[str, Any]) -> Any:
    return process.lab.log.events(order.get("kind"), **order.get("fields", {}))


async def _inferred(process: Process, order: dict[str, Any]) -> Any:
    process.lab.inferred.set(order["name"], order["value"])
    return {"name": order["name"], "value": order["value"]}


async def _dump(process: Process, order: dict[str, Any]) -> Any:
    clusters = process.lab.clusters
    chosen = [process.lab.cluster(order["cluster"])] if order.get("cluster") else list(clusters.values())
    found = {cluster.name: content(cluster) for cluster in chosen}
    return _without_identities(found) if order.get("stable") else found


#: what may differ between two runs with the same outcome
_IDENTITIES = {"uuid", "_uuid", "_ctiid", "versionStamp"}


def _without_identities(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_identities(item) for key, item in value.items() if key not in _IDENTITIES}
    return [_without_identities(item) for item in value] if isinstance(value, list) else value


async def _ca(process: Process, order: dict[str, Any]) -> Any:
    from .adcs import command

    return command(process.lab, order)


async def _csr(process: Process, order: dict[str, Any]) -> Any:
    """What a person does on the certificate web page, which can do more than the CLI: a multi-server CSR."""
    from .pki.store import CsrOptions

    node = process.lab.node_at(order["node"])
    if node is None:
        raise KeyError(f"The lab has no node {order['node']}.")
    options = CsrOptions(multi_server=bool(order.get("multi_server")), key_length=order.get("key_length"))
    return {"csr": await asyncio.to_thread(node.certs.generate_csr, order.get("unit", "CallManager"), options)}


async def _down(process: Process, _unused: dict[str, Any]) -> Any:
    process.end()
    return {}


async def _openapi(_unused: Process, _order: dict[str, Any]) -> Any:
    from .openapi import document

    return document()


#: command -> what carries it out; `openapi.ROUTES` describes its order and its answer
COMMANDS: dict[str, Command] = {
    "status": _status, "call": _call, "digits": _digits, "fault/add": _fault_add, "fault/list": _fault_list,
    "fault/clear": _fault_clear, "clock": _clock, "events": _events, "inferred": _inferred, "dump": _dump, "ca": _ca,
    "csr": _csr, "down": _down, "phones": _phones, "syslog": _syslog, "openapi": _openapi,
}  # fmt: skip


def content(cluster: Any) -> dict[str, Any]:
    """What the cluster's database holds: its configuration and every other package's tables, sorted."""
    answer: dict[str, Any] = {"config": cluster.config.dump()}
    tables = cluster.db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'config_%' "
        "AND name NOT LIKE 'volatile_%' ORDER BY name"
    )
    for (table,) in tables:
        rows = cluster.db.execute(f'SELECT * FROM "{table}"')
        answer[table] = sorted(
            (
                {key: value if not isinstance(value, bytes) else value.hex() for key, value in dict(row).items()}
                for row in rows
            ),
            key=lambda row: json.dumps(row, sort_keys=True, default=str),
        )
    return answer


class _Running:
    def __init__(self, runner: web.ServerRunner, path: Path) -> None:
        self._runner = runner
        self._path = path

    async def stop(self) -> None:
        self._path.unlink(missing_ok=True)
        await self._runner.cleanup()


async def start(process: Process) -> _Running:
    """Serve the control socket in the state directory, readable by its owner alone."""

    async def handle(request: web.BaseRequest) -> web.Response:
        command = COMMANDS.get(request.path.strip("/"))
        if command is None:
            return web.json_response({"error": f"Unknown command: {request.path}."}, status=404)
        try:
            order = await request.json() if request.can_read_body else {}
            return web.json_response(await command(process, order), dumps=lambda v: json.dumps(v, default=str))
        except (FaultError, KeyError, ValueError, ImportError) as error:
            text = str(error.args[0]) if error.args else str(error)
            return web.json_response({"error": text}, status=400)

    path = process.directory / SOCKET
    path.unlink(missing_ok=True)
    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=1)
    await runner.setup()
    with _short(process.directory) as directory:
        await web.UnixSite(runner, f"{directory}/{SOCKET}").start()
    path.chmod(0o600)
    return _Running(runner, path)


class _short:
    """A unix socket's path may have 107 characters; this names a directory by its descriptor instead."""

    def __init__(self, directory: Path) -> None:
        self._descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)

    def __enter__(self) -> str:
        return f"/proc/self/fd/{self._descriptor}"

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, directory: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._directory = directory

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        with _short(self._directory) as directory:
            self.sock.connect(f"{directory}/{SOCKET}")


def ask(directory: Path, command: str, order: dict[str, Any] | None = None, timeout: float = 60) -> Any:
    """Send a command to the lab with this state directory; its response. ControlError if it refuses or does not run."""
    connection = None
    try:
        connection = _UnixConnection(directory, timeout)
        connection.request("POST", f"/{command}", json.dumps(order or {}), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        data = json.loads(answer.read())
    except (FileNotFoundError, ConnectionRefusedError):
        raise ControlError(f"No lab runs in {directory}; start one with `cucm_lab up --state {directory}`.") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ControlError(f"The lab in {directory} did not respond to {command}: {error}") from None
    finally:
        if connection is not None:
            with suppress(OSError):
                connection.close()
    if answer.status != 200:
        raise ControlError(str(data.get("error", data)))
    return data
