# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services of a node as its service manager knows them, for Control Center and the CLI."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .release import Release
    from .world import Lab, Node

STARTED, STOPPED, STARTING, STOPPING = "Started", "Stopped", "Starting", "Stopping"

CALLMANAGER, TFTP, TVS = "Cisco CallManager", "Cisco Tftp", "Cisco Trust Verification Service"


@dataclass(frozen=True)
class Service:
    """A service of a release: feature services are activated per node, network services always run."""

    name: str
    feature: bool = False
    #: Control Center may start and stop it; all others are restarted only by the CLI
    controllable: bool = True
    #: the column of the release table that says whether a release has it; every release has the others
    comes_with: str = ""


SERVICES = (
    Service(CALLMANAGER, feature=True),
    Service(TFTP, feature=True),
    Service("Cisco CTIManager", feature=True),
    Service(TVS),
    Service("Cisco Certificate Authority Proxy Function", feature=True),
    Service("Cisco AXL Web Service", feature=True),
    Service("Cisco RIS Data Collector"),
    Service("Cisco Log Partition Monitoring Tool"),
    Service("Cisco Serviceability Reporter", feature=True),
    Service("Cisco Bulk Provisioning Service", feature=True),
    Service("Cisco CDR Agent"),
    Service("Cisco DRF Local"),
    Service("Cisco Audit Event Service"),
    Service("Cisco HAProxy", comes_with="has_haproxy"),
    Service("Cisco Tomcat", controllable=False),
    Service("Cisco DB", controllable=False),
    Service("System SSH", controllable=False),
)
_STATE, _ACTIVATED = "service", "service-activated"


def services_of(release: Release) -> list[Service]:
    """The services that this release has."""
    return [service for service in SERVICES if not service.comes_with or getattr(release, service.comes_with)]


Listener = Callable[["Node", str, str], Awaitable[None] | None]


class UnknownService(KeyError):
    """The node has no service with this name."""


@dataclass
class ServiceState:
    """One service: its status and since when (lab clock, seconds since the epoch; None while stopped)."""

    name: str
    status: str = STARTED
    activated: bool = True
    controllable: bool = True
    #: it can be activated and deactivated
    feature: bool = False
    #: somebody stopped it; otherwise a service that is stopped did not come up
    commanded: bool = False
    since: float | None = None


class ServiceTable:
    """Status and control of a node's services.

    `restart`, `stop` and `start` return when done; `begin(...)` runs one of them in the background, as Control
    Center does. Listeners get (node, service, status) at each change and are awaited before the change
    goes on: with STOPPED a listener closes its ports, with STARTED it opens them, so that "Started"
    means that it serves. The CertificateStore's activation comes first of all at the start of Cisco CallManager.
    """

    def __init__(self, lab: Lab, node: Node) -> None:
        self._lab = lab
        self._node = node
        self._locks: dict[str, asyncio.Lock] = {}
        self._listeners: list[Listener] = []
        self._followers: list[Listener] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._states: dict[str, ServiceState] = {}
        for service in services_of(node.cluster.release):
            self._states[service.name] = self._restored(service)

    def _restored(self, service: Service) -> ServiceState:
        """As the node's last run left it, or as the scenario says."""
        database = self._node.cluster.db
        stored = database.setting(f"{_ACTIVATED}/{self._node.name}/{service.name}")
        activated = service.name not in self._node.spec.not_activated if stored is None else stored == "yes"
        initial = STOPPED if service.name in self._node.spec.stopped else STARTED
        status = database.setting(f"{_STATE}/{self._node.name}/{service.name}") or initial
        state = ServiceState(service.name, status if activated else STOPPED, activated, service.controllable)
        state.feature = service.feature
        state.commanded = state.status == STOPPED and activated
        state.since = self._lab.clock.time() if state.status == STARTED else None
        return state

    def on_change(self, listener: Listener) -> None:
        """Call the listener (a function or coroutine function) at each change of status."""
        self._listeners.append(listener)

    def follow(self, follower: Listener) -> None:
        """Call the listener after each change of status, once the new one is visible."""
        self._followers.append(follower)

    def all(self) -> list[ServiceState]:
        """Every service of the node."""
        return list(self._states.values())

    def get(self, name: str) -> ServiceState:
        """One service by its exact name; UnknownService."""
        try:
            return self._states[name]
        except KeyError:
            raise UnknownService(name) from None

    def status(self, name: str) -> str:
        """The status in Control Center's words."""
        return self.get(name).status

    def running(self, name: str) -> bool:
        """Whether it is Started."""
        return self.get(name).status == STARTED

    async def stop(self, name: str) -> None:
        """Stop it, unless it is already stopped."""
        state = self.get(name)
        async with self._lock(name):
            await self._stop(state)
            state.commanded = True
            # A service that somebody stopped stays stopped when the node starts again; an interrupted restart does not.
            self._remember(name, STOPPED)

    async def start(self, name: str) -> None:
        """Start it, unless it is already running."""
        state = self.get(name)
        async with self._lock(name):
            await self._start(state)

    async def activate(self, name: str) -> None:
        """Activate a feature service and start it."""
        state = self.get(name)
        self._activation(state, True)
        async with self._lock(name):
            await self._start(state)

    async def deactivate(self, name: str) -> None:
        """Stop a feature service for good: it is no longer activated on this node."""
        state = self.get(name)
        async with self._lock(name):
            await self._stop(state)
            self._activation(state, False)

    def _activation(self, state: ServiceState, activated: bool) -> None:
        state.activated = activated
        setting = f"{_ACTIVATED}/{self._node.name}/{state.name}"
        self._node.cluster.db.set_setting(setting, "yes" if activated else "no")
        self._node.cluster.config.service_activated(self._node.name, state.name, activated)
        self._lab.log.write("service", node=self._node.name, service=state.name, activated=activated)

    async def restart(self, name: str) -> None:
        """Stop it, then start it; takes `service.restart_seconds` in all."""
        state = self.get(name)
        async with self._lock(name):
            await self._stop(state)
            await self._start(state)

    def begin(self, action: str, name: str) -> None:
        """Do one of the actions in the background; the status shows it at once."""
        state = self.get(name)
        if action in ("start", "activate") and state.status != STARTED:
            state.status = STARTING
        elif action in ("stop", "restart", "deactivate") and state.status == STARTED:
            state.status = STOPPING
        task = asyncio.ensure_future(getattr(self, action)(name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel what is still in progress."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())

    async def _stop(self, state: ServiceState) -> None:
        if state.status == STOPPED:
            return
        await self._change(state, STOPPING)
        await asyncio.sleep(self._seconds() / 2)
        await self._change(state, STOPPED)

    async def _start(self, state: ServiceState) -> None:
        if state.status == STARTED or not state.activated:
            return
        await self._change(state, STARTING)
        fault = self._lab.faults.match("service", f"start {state.name}", self._node)
        if fault and fault.action == "hang":
            # It continues when the rule is removed, so that the run after the problem can finish.
            await fault.gone()
        if fault and fault.action == "fail":
            await self._change(state, STOPPED)
            return
        slow = fault is not None and fault.action == "stall"
        await asyncio.sleep(fault.seconds if slow and fault else self._seconds() / 2)
        if state.name == CALLMANAGER:
            self._node.certs.activate("CallManager")
            self._node.cluster.config.apply_all()
        await self._change(state, STARTED)

    async def _change(self, state: ServiceState, status: str) -> None:
        if status == STARTED:
            # The ports open before the status changes: whoever reads "Started" may connect.
            await self._tell(state.name, status)
        state.status = status
        state.commanded = False
        state.since = self._lab.clock.time() if status == STARTED else None
        if status == STARTED:
            self._remember(state.name, None)
        self._lab.log.write("service", node=self._node.name, service=state.name, status=status)
        if status != STARTED:
            await self._tell(state.name, status)
        for follower in self._followers:
            follower(self._node, state.name, status)

    def _remember(self, name: str, status: str | None) -> None:
        self._node.cluster.db.set_setting(f"{_STATE}/{self._node.name}/{name}", status)

    async def _tell(self, name: str, status: str) -> None:
        for listener in self._listeners:
            answer = listener(self._node, name, status)
            if answer is not None:
                await answer

    def _seconds(self) -> float:
        return float(self._lab.inferred["service.restart_seconds"])
