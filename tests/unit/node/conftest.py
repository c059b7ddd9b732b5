# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that tests script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.support.scripted_ssh import Script, Server


@pytest.fixture(scope="session")
def host_key() -> Any:
    return asyncssh.generate_private_key("ssh-rsa", key_size=2048)


@pytest.fixture
def node(host_key: Any, tmp_path: Path) -> Iterator[Callable[..., tuple[Script, dict[str, Any]]]]:
    """node(**script) -> (script, module options) of a node that is up and whose host key is known."""
    servers: list[Server] = []

    def start(**script: Any) -> tuple[Script, dict[str, Any]]:
        made = Script(**script)
        server = Server(made, host_key)
        servers.append(server)
        known = tmp_path / "known_hosts"
        known.write_text(f"[127.0.0.1]:{server.port} {host_key.export_public_key().decode().strip()}\n")
        return made, {
            "host": "127.0.0.1", "ssh_port": server.port, "os_username": "osadmin", "os_password": made.password,
            "ssh_known_hosts": str(known), "validate_host_key": True, "legacy_crypto": False, "timeout": 5,
        }  # fmt: skip

    yield start
    for server in servers:
        server.stop()
