# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is kept within one network connects to nothing outside of it, by any interface."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._ca.web import WebSession
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probes import probe
from ansible_collections.siptls.cucm.plugins.module_utils._evidence.probes.handshake import Asked
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._net import confine, ssh
from ansible_collections.siptls.cucm.plugins.module_utils._net.https import HttpClient

TWINS = "127.77.0.0/16"


@pytest.fixture
def real() -> Iterator[int]:
    """A port outside of the twins' network, to which nobody may connect."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server.getsockname()[1]
        with pytest.raises(BlockingIOError):
            server.accept()


def https(host: str, port: int) -> None:
    params = {"host": host, "port": port, "username": "axl", "password": "secret-word", "validate_certs": False}
    HttpClient.from_params({**params, "timeout": 2}).request("GET", "/")


def shell(host: str, port: int) -> None:
    access = ssh.SshAccess(host, "osadmin", "secret-word", port, legacy_crypto=True, validate_host_key=False, timeout=2)
    asyncio.run(ssh.connect(access))


def sip(host: str, port: int) -> None:
    probe.served_certificate(probe.Target(host, port, False, 2), Asked.RSA)


def authority(host: str, port: int) -> None:
    options = {"url": f"https://{host}:{port}", "timeout": 2, "validate_certs": False, "ca_path": None}
    WebSession(options, "ca", "the CA", example="https://ca.example.com").ask("GET", "/")


@pytest.mark.parametrize("connect", [https, shell, sip, authority])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nothing_outside_is_reached(
    connect: Callable[[str, int], None], host: str, real: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(confine.VARIABLE, TWINS)
    with pytest.raises(Failure, match=r"No connection to .* keeps this run within 127\.77\.0\.0/16"):
        connect(host, real)


def test_addresses_inside_and_unset_variables_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(confine.VARIABLE, TWINS)
    confine.check("127.77.3.1", 8443)
    confine.check("no-such-name.invalid", 8443)
    monkeypatch.setenv(confine.VARIABLE, "")
    confine.check("192.0.2.1", 8443)
    monkeypatch.setenv(confine.VARIABLE, "the twins")
    with pytest.raises(Failure, match="not a network"):
        confine.check("127.77.3.1", 8443)
