# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of every release, and OpenSSH's client driven over pipes."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cucm_lab.testing import LabProcess

ACCOUNT = ("osadmin", "Os-Lab-91!platform-account")
READER = ("osread", "Os-Lab-91!platform-reading")


class OpenSsh:
    """An `ssh` process with a terminal at the far end."""

    def __init__(self, lab: LabProcess, address: str, account: tuple[str, str], folder: Path, *options: str) -> None:
        helper = folder / "askpass"
        helper.write_text(f"#!/bin/sh\necho '{account[1]}'\n")
        helper.chmod(0o700)
        command = [
            "ssh", "-F", "/dev/null", "-tt", "-p", "2222", "-o", f"UserKnownHostsFile={lab.state / 'known_hosts'}",
            "-o", "GlobalKnownHostsFile=/dev/null", "-o", "NumberOfPasswordPrompts=1", "-o", "PubkeyAuthentication=no",
            *options, f"{account[0]}@{address}",
        ]  # fmt: skip
        environment = {**os.environ, "SSH_ASKPASS": str(helper), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, bufsize=0,
            start_new_session=True,
        )  # fmt: skip
        # poll, not select: a test process of many tests has file descriptors beyond the 1,024th.
        self.waiting = selectors.PollSelector()
        assert self.process.stdout
        self.waiting.register(self.process.stdout, selectors.EVENT_READ)
        self.seen = ""

    def send(self, text: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(text.encode())

    def expect(self, pattern: str, seconds: float = 20) -> str:
        """Read until the pattern; everything up to its end."""
        assert self.process.stdout
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.seen)):
            left = deadline - time.monotonic()
            if left <= 0 or not self.waiting.select(left):
                raise AssertionError(f"{pattern!r} did not come; got {self.seen!r}")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise AssertionError(f"the session ended before {pattern!r}; got {self.seen!r} {self.errors()!r}")
            self.seen += data.decode(errors="replace")
        text, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return text

    def command(self, line: str) -> str:
        """Type a command at the prompt; what it printed, without its echo and without the next prompt."""
        self.send(line + "\r")
        text = self.expect(r"(\r\n|\x1b\[K)admin:$")
        return text.removeprefix(line + "\r\n").removesuffix("admin:").replace("\r\n", "\n").rstrip("\n")

    def errors(self) -> str:
        assert self.process.stderr
        return self.process.stderr.read().decode() if self.process.poll() is not None else ""

    def login(self) -> OpenSsh:
        self.expect(r"admin:$")
        assert self.command("set cli pagination off") == "Automatic pagination is turned off"
        return self

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    with LabProcess(tmp_path_factory.mktemp("lab"), "releases") as process:
        yield process


Connect = Callable[..., OpenSsh]


@pytest.fixture
def ssh(lab: LabProcess, tmp_path: Path) -> Iterator[Connect]:
    """Connect to a cluster: `ssh("cucm91")`; old algorithms are allowed where the release needs them."""
    if shutil.which("ssh") is None:
        pytest.skip("OpenSSH's client is not installed (apt-get install openssh-client)")
    sessions: list[OpenSsh] = []

    def connect(cluster: str, account: tuple[str, str] = ACCOUNT, *options: str, modern: bool = False) -> OpenSsh:
        old = [] if modern else ["-o", "HostKeyAlgorithms=+ssh-rsa", "-o", "KexAlgorithms=+diffie-hellman-group14-sha1"]
        sessions.append(OpenSsh(lab, lab.address(cluster), account, tmp_path, *old, *options))
        return sessions[-1]

    yield connect
    for session in sessions:
        session.close()
