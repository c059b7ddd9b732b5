# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For tests: a lab process on a net of its own, and scenarios made for a test."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import socket
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from . import scenario as scenarios
from .cli import main
from .control import ask


class LabProcess:
    """A detached lab: `with LabProcess(tmp_path, "two-clusters") as lab: lab.inventory, lab.ask("status")`.

    `scenario` is a name or a file. The net is free at the start; the lab is always stopped at the end.
    """

    def __init__(self, state: Path, scenario: str = "two-clusters", net: str | None = None) -> None:
        self.state = state
        self.scenario = scenario
        self._chosen = net is None
        self.net = net or free_net(scenario)

    def up(self, *options: str) -> LabProcess:
        """Start it; RuntimeError with the lab's own words if it does not start."""
        for attempt in range(3):
            try:
                # A killed test process can't stop its lab, so the lab ends with it.
                self._run(
                    "up", "--scenario", self.scenario, "--net", self.net, "--while-pid", str(os.getpid()), *options
                )
            except RuntimeError as error:
                # Another process took the net in the meantime: choose another one.
                if not self._chosen or attempt == 2 or "Another program" not in str(error):
                    raise
                # The state has to go too: its certificates contain the addresses.
                self.net, options = free_net(self.scenario), (*options, "--fresh")
            else:
                break
        return self

    def down(self) -> None:
        """Stop it, if it runs."""
        self._run("down")

    def _run(self, *arguments: str) -> None:
        """A command of `cucm_lab`, without a process of its own; the lab that it starts has one."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            code = main([*arguments, "--state", str(self.state)])
        if code:
            output = self.state / "lab.out"
            said = output.read_text() if output.exists() else ""
            raise RuntimeError(f"{printed.getvalue()}{said[-3000:]}")

    def ask(self, command: str, **order: Any) -> Any:
        """A command of the control socket: status, call, fault/add, fault/clear, clock, events, dump, inferred."""
        return ask(self.state, command, order)

    @property
    def description(self) -> dict[str, Any]:
        """lab.json."""
        data: dict[str, Any] = json.loads((self.state / "lab.json").read_text())
        return data

    @property
    def inventory(self) -> Path:
        """The ready inventory."""
        return self.state / "inventory.yml"

    def address(self, cluster: str, node: int = 0) -> str:
        """A node's address."""
        found = next(c for c in self.description["clusters"] if c["name"] == cluster)
        return str(found["nodes"][node]["address"])

    def events(self) -> list[dict[str, Any]]:
        """Every event of lab.log."""
        return [json.loads(line) for line in (self.state / "lab.log").read_text().splitlines()]

    def __enter__(self) -> LabProcess:
        return self.up()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.down()


def cluster(number: int, release: str = "12.5", *, nodes: int = 1, name: str = "") -> dict[str, Any]:
    """A cluster for `write_scenario`: nodes on 127.0.<number>.1 and up, a publisher first, one phone <number>001."""
    name = name or f"c{number:02}"
    servers = [{"name": f"{name}n{n}".upper(), "address": f"127.0.{number}.{n}"} for n in range(1, nodes + 1)]
    for server in servers[1:]:
        server["role"] = "Subscriber"
    return {"name": name, "release": release, "nodes": servers, "phones": [{"extension": f"{number}001"}]}


def write_scenario(
    path: Path, clusters: Sequence[dict[str, Any]], *, base: str = "two-clusters", add: bool = False
) -> str:
    """Write a scenario of these clusters, with the accounts and CAs of a shipped one; its path, for `LabProcess`.

    With `add` they come after the clusters that the shipped scenario has.
    """
    shipped = yaml.safe_load((scenarios.SCENARIOS / f"{base}.yml").read_text(encoding="utf-8"))
    every = [*(shipped["clusters"] if add else ()), *clusters]
    path.write_text(yaml.safe_dump({**shipped, "name": path.stem, "clusters": every}), encoding="utf-8")
    return str(path)


def free_net(scenario: str = "two-clusters") -> str:
    """Two octets on which every address of a scenario is free, e.g. 127.37."""
    generator = random.SystemRandom()
    for _unused in range(100):
        net = f"127.{generator.randint(2, 250)}"
        wanted = scenarios.load(scenario, net)
        ports = (wanted.ports.https, wanted.ports.ssh, wanted.ports.sip_tls, wanted.ports.sip_tcp)
        addresses = [node.address for cluster in wanted.clusters for node in cluster.nodes]
        if all(_free(address, port) for address in addresses for port in ports):
            return net
    raise RuntimeError("No net 127.x is free.")


def _free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
