# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event-Driven Ansible: the sources on the lab's syslog and ports, and a rulebook by the real ansible-rulebook."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.operator_site import ROOT, Site

SOURCES = ROOT / "extensions" / "eda" / "plugins" / "event_source"
ENVIRONMENT = ROOT / "build" / "eda"
DAY = 86400
pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("eda"), pytest.mark.timeout(900)]


def source(name: str) -> ModuleType:
    """An event source, loaded as ansible-rulebook loads it: from its file."""
    spec = importlib.util.spec_from_file_location(name, SOURCES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    place = Site(tmp_path_factory.mktemp("eda"))
    with place.lab:
        yield place


async def first_events(module: ModuleType, args: dict[str, Any], count: int, act: Any = None) -> list[dict[str, Any]]:
    """The first events of a source, after something has been done."""
    queue: asyncio.Queue[Any] = asyncio.Queue()
    running = asyncio.create_task(module.main(queue, args))
    try:
        await asyncio.sleep(0.2)
        if act is not None:
            await asyncio.to_thread(act)
        return [await asyncio.wait_for(queue.get(), 20) for _number in range(count)]
    finally:
        running.cancel()


def test_the_alarms_of_certificates_that_end_become_events(site: Site) -> None:
    port = free_port()
    site.lab.ask("clock", shift=1810 * DAY)

    def act() -> None:
        assert site.lab.ask("syslog", server=f"127.0.0.1:{port}", certificates=True)["sent"] >= 2

    try:
        wanted = {"port": port, "names": ["CertValidLessthanMonth"]}
        events = asyncio.run(first_events(source("alarms"), wanted, 2, act))
    finally:
        site.lab.ask("clock", reset=True)
        site.lab.ask("syslog", server="")
    for event in events:
        assert event["alarm"]["facility"] == "CERT" and event["alarm"]["severity"] == 3
        assert "Certificate name:" in event["alarm"]["parameters"]["Message"]
        assert event["alarm"]["node"] and event["alarm"]["sender"] == "127.0.0.1"


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe", b"<187>1: hello", b"%UC_", b"%UC_CERT-9", b"%UC_X-1-Y: %" + b"[" * 9000, b"\x1b[2J" * 100],
    ids=["empty", "binary", "no alarm", "cut", "cut later", "brackets", "terminal"],
)
def test_what_anybody_sends_ends_nothing(data: bytes) -> None:
    begun = time.monotonic()
    event = source("alarms").parse(data, "192.0.2.1")
    assert time.monotonic() - begun < 1
    assert event is None or event["alarm"]["parameters"] == {}


def test_days_left_are_read_off_the_ports_of_the_lab(site: Site) -> None:
    wanted: dict[str, Any] = {
        "hosts": [site.lab.address("cucma"), site.lab.address("cucm10")],
        "days": 5000,
        "interval": 3600,
    }
    events = asyncio.run(first_events(source("certificate_days"), wanted, 2))
    found = {event["certificate"]["host"]: event["certificate"] for event in events}
    assert set(found) == set(wanted["hosts"])
    assert all(row["identity"] == "rsa" and 0 < row["days_left"] < 5000 for row in found.values())


@pytest.fixture(scope="module")
def rulebook() -> Path:
    """ansible-rulebook in an environment of its own; skips where it or Java is missing."""
    if shutil.which("java") is None:
        pytest.skip("THE RULEBOOKS WERE NOT RUN, because java is missing (apt-get install -y default-jre-headless)")
    program = ENVIRONMENT / "bin" / "ansible-rulebook"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        order = [str(ENVIRONMENT / "bin" / "pip"), "install", "--quiet", "ansible-core", "ansible-rulebook", "-r"]
        order.append("requirements.txt")
        done = subprocess.run(order, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"THE RULEBOOKS WERE NOT RUN, because ansible-rulebook is missing: {done.stderr[-300:]}")
    return program


@pytest.mark.matrix
def test_an_alarm_starts_the_renewal(site: Site, rulebook: Path) -> None:
    port = free_port()
    variables = site.folder / "eda-vars.json"
    variables.write_text(json.dumps({"cucm_alarms_port": port}))
    log = site.folder / "rulebook.log"
    site.lab.ask("syslog", server=f"127.0.0.1:{port}")
    environment = site.environment() | {"PATH": f"{rulebook.parent}{os.pathsep}{os.environ['PATH']}"}
    with log.open("w") as output:
        running = subprocess.Popen(
            [str(rulebook), "--rulebook", "siptls.cucm.certificates", "-i", str(site.lab.inventory),
             "--vars", str(variables), "--verbose"],
            cwd=site.folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            site.lab.ask("clock", shift=1810 * DAY)
            deadline = time.monotonic() + 240
            while not _renews(log) and running.poll() is None and time.monotonic() < deadline:
                site.lab.ask("syslog", certificates=True)
                time.sleep(3)
        finally:
            running.terminate()
            running.wait(30)
            site.lab.ask("clock", reset=True)
            site.lab.ask("syslog", server="")
    assert _renews(log), log.read_text()[-4000:]


def _renews(log: Path) -> bool:
    """Whether the rulebook has started the playbook."""
    return "PLAY [Renew what is due]" in log.read_text()
