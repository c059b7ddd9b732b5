# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab process: starts every interface of every node, serves the control socket and stops everything."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import control, outputs
from .packages import package
from .scenario import Scenario
from .world import Lab, StartError, Stoppable

#: packages with `async start(lab, node) -> Stoppable`, in the order they start
NODE_INTERFACES = ("https", "shell", "sip")


class Process:
    """All that runs for one scenario in one state directory."""

    def __init__(self, scenario: Scenario, directory: Path) -> None:
        self.directory = directory.resolve()
        self.lab = Lab(scenario, self.directory)
        self._running: list[Stoppable] = []
        self._ended = asyncio.Event()

    async def start(self) -> None:
        """Start everything; StartError names the port that is in use, and nothing is left running."""
        try:
            for name in NODE_INTERFACES:
                start = package(name).start
                await asyncio.gather(*(self._begin(start, name, node) for node in self.lab.nodes))
            for peer in self.lab.scenario.peers:
                await self._begin(package("twin").start_peer, "SIP", peer)
            for ca in self.lab.scenario.cas:
                await self._begin(package("adcs").start, "adcs", ca)
            self._running.append(await control.start(self))
        except BaseException:
            await self.stop()
            raise
        outputs.write(self.lab)
        self.lab.log.write("lab", event="up", scenario=self.lab.scenario.name, pid=os.getpid())
        # What was made at the start lives as long as the process: spare the garbage collector from scanning it.
        gc.collect()
        gc.freeze()

    async def _begin(self, start: Callable[..., Any], interface: str, where: Any) -> None:
        try:
            self._running.append(await start(self.lab, where))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
                raise
            name = getattr(where, "name", None) or where.get("name")
            address = getattr(where, "address", None) or where.get("address")
            raise StartError(
                f"{name} can't serve {interface} at {address}: {error.strerror or error}. Another program (perhaps "
                f"another lab) uses the port, or the address is not one of this machine; end it, or choose other "
                f"addresses with --net."
            ) from None

    async def stop(self) -> None:
        """Stop everything in the opposite order and close the databases."""
        for running in reversed(self._running):
            with contextlib.suppress(Exception):
                await asyncio.wait_for(running.stop(), 5)
        self._running.clear()
        await self.lab.close()

    def end(self) -> None:
        """Ask `run` to return."""
        self._ended.set()

    def end_with(self, pid: int) -> None:
        """End when that process ends, even by SIGKILL; StartError when there is none."""
        try:
            watched = os.pidfd_open(pid)
        except ProcessLookupError:
            raise StartError(f"There is no process {pid}, with which the lab was to end.") from None
        loop = asyncio.get_running_loop()

        def gone() -> None:
            loop.remove_reader(watched)
            self.end()

        # The descriptor becomes readable when the process ends.
        loop.add_reader(watched, gone)

    async def run(self) -> None:
        """Serve until a signal or `end`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        await self._ended.wait()
        self.lab.log.write("lab", event="down")
        await self.stop()
        outputs.remove(self.directory)
