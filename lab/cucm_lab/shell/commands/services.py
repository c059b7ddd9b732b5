# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""utils service list | restart | start | stop."""

from __future__ import annotations

import asyncio

from ...services import ServiceState, UnknownService
from ..session import CommandError, Shell
from ..terminal import Closed

#: tasks that outlive their shell; without a reference they could be garbage-collected
_RUNNING: set[asyncio.Future[None]] = set()


async def list_all(shell: Shell, _unused: list[str]) -> None:
    """`utils service list [page]`."""
    await shell.say("Requesting service status, please wait...")
    states = shell.node.services.all()
    for state in states:
        if state.name.startswith("System "):
            await shell.say(_line(state, " "))
    await shell.say("Service Manager is running\nGetting list of all services\n>> Return code = 0")
    for state in sorted(states, key=lambda s: s.name):
        if not state.name.startswith("System "):
            await shell.say(_line(state, ""))
    await shell.say("Primary Node =true" if shell.node.role == "Publisher" else "Primary Node =false")


async def restart(shell: Shell, parameters: list[str]) -> None:
    """`utils service restart <service>`: prints each change of status and returns once it is started."""
    for line in shell.inferred["shell.restart_lead"]:
        await shell.say(line)
    await _control(shell, " ".join(parameters), "restart")


async def start(shell: Shell, parameters: list[str]) -> None:
    """`utils service start <service>`."""
    await _control(shell, " ".join(parameters), "start")


async def stop(shell: Shell, parameters: list[str]) -> None:
    """`utils service stop <service>`."""
    await _control(shell, " ".join(parameters), "stop")


async def activate(shell: Shell, parameters: list[str]) -> None:
    """`utils service activate <service>`: feature services only."""
    await _deploy(shell, " ".join(parameters), "activate")


async def deactivate(shell: Shell, parameters: list[str]) -> None:
    """`utils service deactivate <service>`."""
    await _deploy(shell, " ".join(parameters), "deactivate")


async def _deploy(shell: Shell, name: str, action: str) -> None:
    if not shell.node.services.get(_known(shell, name)).feature:
        raise CommandError(shell.inferred["shell.not_deployable"].format(name=name))
    await _control(shell, name, action)


async def _control(shell: Shell, name: str, action: str) -> None:
    name = _known(shell, name)
    table = shell.node.services
    if not table.get(name).activated and action != "activate":
        await shell.say(_line(table.get(name), ""))
        return
    # Ctrl-C or a disconnecting client does not stop what the service manager has begun.
    task = asyncio.ensure_future(getattr(table, action)(name))
    _RUNNING.add(task)
    task.add_done_callback(_RUNNING.discard)
    shown = table.status(name) if action != "start" else ""
    early = action == "restart" and shell.inferred["shell.restart_returns_starting"]
    while not task.done():
        await asyncio.wait([task], timeout=0.02)
        if shell.terminal.closed:
            raise Closed
        status = table.status(name)
        if status not in (shown, "Started"):
            shown = status
            await shell.say(f"{name}[{status.upper()}]")
            if early and status == "Starting":
                return
    await task
    await shell.say(_line(table.get(name), ""))


def _known(shell: Shell, name: str) -> str:
    for state in shell.node.services.all():
        if state.name.lower() == name.lower():
            return state.name
    try:
        return shell.node.services.get(name).name
    except UnknownService:
        raise CommandError(shell.inferred["shell.no_service"].format(name=name)) from None


def _line(state: ServiceState, blank: str) -> str:
    reason = ""
    if state.status == "Stopped":
        down = "  Commanded Out of Service" if state.commanded else "  Component is not running"
        reason = down if state.activated else "  Service Not Activated"
    return f"{state.name}{blank}[{state.status.upper()}]{reason}"
