# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services of a node through either interface, Control Center or the CLI.

Private to siptls.cucm: no other collection may rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient
from ansible_collections.siptls.cucm.plugins.module_utils._net.shell import AdminShell
from ansible_collections.siptls.cucm.plugins.module_utils._net.ssh import ShellLost
from ansible_collections.siptls.cucm.plugins.module_utils._serviceability.control_center import (
    ControlCenter,
    ServiceState,
)
from ansible_collections.siptls.cucm.plugins.module_utils._text import readable

LISTED = re.compile(r"^([^\[\n]+)\[([A-Z]+)\](.*)$", re.MULTILINE)
# Control Center runs in Tomcat and cannot restart it; the CLI can.
CLI_ONLY = ("cisco tomcat",)


class Control(Protocol):
    """What both interfaces offer."""

    @property
    def kind(self) -> str:
        """CLI or Control Center."""

    @property
    def where(self) -> str:
        """Node, interface and account, for sentences."""

    @property
    def warnings(self) -> list[str]:
        """What the user should know."""

    def status(self, name: str) -> ServiceState:
        """The state of a service."""

    def control(self, name: str, verb: str) -> None:
        """Ask for start, stop or restart; it may go on after this returns."""

    def now(self) -> datetime:
        """The time by the node's clock, as far as the interface shows it."""

    def close(self) -> None:
        """End the session."""


@dataclass
class CliControl:
    """Services by `utils service`."""

    shell: AdminShell
    patience: float = 900.0  # seconds that a command may take
    kind: str = "CLI"

    @property
    def where(self) -> str:
        """Node, interface and account in words."""
        return self.shell.access.where

    @property
    def warnings(self) -> list[str]:
        """What the user should know."""
        return self.shell.warnings

    def status(self, name: str) -> ServiceState:
        """The state of a service, from the whole list."""
        try:
            text = self.shell.run("utils service list")
        except ShellLost:
            text = self.shell.run("utils service list")
        for found, status, reason in LISTED.findall(text):
            if found.strip().lower() == name.lower():
                return ServiceState(found.strip(), status.capitalize(), reason.strip())
        raise Failure(f"{self.where} knows no service {name}; 'utils service list' names them in full.")

    def control(self, name: str, verb: str) -> None:
        """Start, stop or restart; the answer is not trusted, the status is."""
        self.shell.run(f"utils service {verb} {name}", idle=self.patience, limit=self.patience)

    def now(self) -> datetime:
        """The time by the controller's clock: the CLI does not show since when a service runs anyway."""
        return datetime.now(UTC)

    def close(self) -> None:
        """End the session."""
        self.shell.close()


def open_control(params: Mapping[str, Any]) -> Control:
    """A session on the interface that the options choose; Failure if its account is missing."""
    choice = params["interface"]
    if choice == "auto":
        choice = "soap" if params["username"] and params["name"].lower() not in CLI_ONLY else "cli"
    if choice == "soap" and not params["username"]:
        raise Failure("interface: soap needs the application account (username, password).")
    if choice == "cli" and not params["os_username"]:
        raise Failure(
            f"{params['name']} can only be controlled by the CLI, which needs the platform account (os_username, "
            "os_password)."
        )
    if choice == "soap":
        return ControlCenter.from_params(params)
    return CliControl(AdminShell.from_params(params), max(params["wait_timeout"], 1))


def check_known(control: Control, found: ServiceState) -> None:
    """Failure for a name to which CUCM gives no state."""
    if found.status not in ("Started", "Stopped", "Starting", "Stopping"):
        said = f" ({readable(found.reason)})" if found.reason else ""
        raise Failure(
            f"{control.where} knows no service {found.name}: its state is {found.status}{said}. Give the name in full, "
            "as the Control Center shows it."
        )


def sessions(control: Control) -> tuple[HttpClient | None, AdminShell | None]:
    """The open sessions of an interface, of the application account and of the platform account."""
    return getattr(control, "client", None), getattr(control, "shell", None)


def was_stopped_by_order(control: Control, params: Mapping[str, Any], found: ServiceState) -> bool:
    """Whether somebody stopped the service by order; also where it is stopped and CUCM does not show why."""
    if found.status != "Stopped" or found.commanded_out:
        return found.status == "Stopped"
    if control.kind == "CLI":
        return False
    if not params["os_username"]:
        return True
    # Control Center says the same of a service that was stopped and of one that did not come up; the CLI does not.
    second = CliControl(AdminShell.from_params(params))
    try:
        return second.status(params["name"]).commanded_out
    finally:
        second.close()


def started_at(control: Control, found: ServiceState) -> datetime | None:
    """When a service was started, by the node's clock; None where the interface does not show it."""
    if found.up_time is None or found.up_time < 0:
        return None
    return control.now() - timedelta(seconds=found.up_time)


def started_text(control: Control, found: ServiceState) -> str | None:
    """The same for a result."""
    moment = started_at(control, found)
    return moment.isoformat(timespec="seconds") if moment else None
