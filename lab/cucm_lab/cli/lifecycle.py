# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and stopping a lab: up, down, save, load, reset."""

from __future__ import annotations

import argparse
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from .. import scenario as scenarios
from ..control import SOCKET, ControlError, ask
from ..outputs import HTTPS_CA, INVENTORY, KNOWN_HOSTS, LAB
from .commands import Command

#: real seconds for everything to serve; 50 clusters take about ten
START_LIMIT = 120
STOP_LIMIT = 15


def add(command: Command) -> None:
    """Its commands."""
    up = command("up", _up, "start the lab and wait until every port serves")
    _scenario_options(up)
    up.add_argument("--foreground", action="store_true", help="stay in the foreground; Ctrl-C ends the lab")
    up.add_argument("--fresh", action="store_true", help="start from scratch: delete the state of an earlier run")
    up.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    command("down", _down, "stop the lab and keep its state")
    save = command("save", _save, "write the running lab to one file, which others can start from")
    save.add_argument("file", type=Path)
    restore = command("load", _load, "start a lab from a file that `save` wrote")
    restore.add_argument("file", type=Path)
    restore.add_argument("--while-pid", type=int, metavar="PID", help="end when that process ends")
    reset = command("reset", _reset, "delete all state; a running lab is restarted")
    _scenario_options(reset)


def _scenario_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scenario", help=f"name ({', '.join(scenarios.names())}) or file (default: two-clusters)")
    parser.add_argument(
        "--record",
        nargs="+",
        metavar="FILE",
        help="records of clusters (playbook record.yml): their twins, as a scenario",
    )
    parser.add_argument("--net", default=os.environ.get("CUCM_LAB_NET", "127.0"), help="first two octets, e.g. 127.37")
    parser.add_argument("--while-pid", type=int, metavar="PID", help="end when that process ends")


def running(state: Path) -> int | None:
    """The pid of the lab that runs on this state directory, or None."""
    try:
        pid = int(json.loads((state / LAB).read_text())["pid"])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, KeyError):
        return None
    return pid if b"cucm_lab" in command and str(state).encode() in command else None


def _alive(pid: int) -> bool:
    """Whether it still runs. A process that ended and was not waited for has no command line."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def _up(options: argparse.Namespace) -> int:
    if options.record and options.scenario:
        raise ControlError("Give --record or --scenario, not both: the records are the scenario.")
    if options.record:
        options.scenario = _twins(options)
    name = options.scenario or "two-clusters"
    wanted = scenarios.load(name, options.net)
    pid = running(options.state)
    if pid:
        present = json.loads((options.state / LAB).read_text())
        if (present["scenario"], present["net"]) == (wanted.name, wanted.net) and not options.fresh:
            print(f"The lab is already up (process {pid}, state {options.state}).")
            return 0
        raise ControlError(
            f"A lab is already running on {options.state} (process {pid}, scenario {present['scenario']}); "
            f"stop it with `cucm_lab down` first, or choose another --state."
        )
    if options.fresh:
        _forget(options.state)
    options.state.mkdir(parents=True, exist_ok=True)
    if options.foreground:
        return _serve(options, wanted)
    return _detach(options, name)


def _twins(options: argparse.Namespace) -> str:
    """Write the scenario of the records' twins beside the state, and show what they do not have; its path."""
    import yaml

    from ..twin import RecordError, scenario_of

    try:
        scenario = scenario_of([Path(file) for file in options.record])
    except RecordError as error:
        raise ControlError(str(error)) from None
    # Not in the state directory: --fresh empties it.
    path = options.state.with_name(f"{options.state.name}-twins.yml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(scenario, sort_keys=False, allow_unicode=True), encoding="utf-8")
    for cluster in scenario["clusters"]:
        for sentence in cluster["not_copied"]:
            print(f"{cluster['name']}, not copied: {sentence}")
    return str(path)


def _detach(options: argparse.Namespace, name: str) -> int:
    reader, writer = os.pipe()
    command = [
        sys.executable, "-m", "cucm_lab", "up", "--foreground", "--scenario", name, "--net", options.net,
        "--state", str(options.state), "--ready-fd", str(writer),
        *(["--while-pid", str(options.while_pid)] if options.while_pid else []),
    ]  # fmt: skip
    with (options.state / "lab.out").open("ab") as output:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, pass_fds=[writer]
        )
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        # The process writes one line when it serves or has failed; the end without a line means that it died.
        text = _read_within(pipe, START_LIMIT)
    if not text:
        if child.poll() is None:
            child.kill()
        child.wait()
        raise ControlError(f"The lab did not start; the last lines of {options.state / 'lab.out'} say why.")
    answer = json.loads(text)
    if "error" in answer:
        child.wait()
        raise ControlError(answer["error"])
    print("\n".join(answer["lines"]))
    return 0


def _read_within(pipe: TextIO, seconds: float) -> str:
    # Not select(), which refuses the descriptors of a process with many open files.
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    return pipe.readline() if waiting.poll(seconds * 1000) else ""


def _serve(options: argparse.Namespace, wanted: scenarios.Scenario) -> int:
    import asyncio

    from ..process import Process
    from ..world import StartError

    # The databases hold private keys: other users may read nothing that the lab writes.
    os.umask(0o077)

    def tell(answer: dict[str, Any]) -> None:
        if options.ready_fd is not None:
            with os.fdopen(options.ready_fd, "w", encoding="utf-8") as pipe:
                pipe.write(json.dumps(answer) + "\n")
        else:
            print("\n".join(answer.get("lines", [])), flush=True)

    async def serve() -> int:
        process = None
        try:
            process = Process(wanted, options.state)
            if options.while_pid:
                process.end_with(options.while_pid)
            await process.start()
        except StartError as error:
            tell({"error": str(error)})
            if options.ready_fd is None:
                print(error, file=sys.stderr)
            return 1
        tell({"lines": _lines(json.loads((options.state / LAB).read_text()), options.state)})
        await process.run()
        return 0

    return asyncio.run(serve())


def _lines(lab: dict[str, Any], state: Path) -> list[str]:
    ports = lab["ports"]
    lines = [f"Scenario {lab['scenario']}, state in {state}, process {lab['pid']}"]
    for cluster in lab["clusters"]:
        for node in cluster["nodes"]:
            lines.append(
                f"  {cluster['name']:<10} {node['name']:<10} {node['role']:<10} {cluster['version']:<16} "
                f"{node['address']:<13} https {ports['https']}, ssh {ports['ssh']}, sip {ports['sip_tls']} (TLS) and "
                f"{ports['sip_tcp']}"
            )
    lines += [f"  CA {ca['name']:<22} {ca.get('address')} https {ca.get('port')}" for ca in lab["cas"]]
    lines.append(f"Inventory: {state / INVENTORY}")
    return lines


def _down(options: argparse.Namespace) -> int:
    pid = running(options.state)
    if pid is None:
        (options.state / LAB).unlink(missing_ok=True)
        (options.state / SOCKET).unlink(missing_ok=True)
        print(f"No lab is running on {options.state}.")
        return 0
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_LIMIT
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    if _alive(pid):
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
    (options.state / LAB).unlink(missing_ok=True)
    (options.state / SOCKET).unlink(missing_ok=True)
    print(f"The lab is down; its state is kept in {options.state}.")
    return 0


def _save(options: argparse.Namespace) -> int:
    from .. import snapshot

    ask(options.state, "status")
    try:
        number = snapshot.save(options.state, options.file)
    except snapshot.SnapshotError as error:
        raise ControlError(str(error)) from None
    print(f"{options.file} has {number} files of the lab, its private keys among them.")
    return 0


def _load(options: argparse.Namespace) -> int:
    from .. import snapshot

    try:
        scenario, options.net = snapshot.load(options.file, options.state)
    except snapshot.SnapshotError as error:
        raise ControlError(str(error)) from None
    return _detach(options, str(scenario))


def _reset(options: argparse.Namespace) -> int:
    if running(options.state):
        present = json.loads((options.state / LAB).read_text())
        options.scenario = options.scenario or present["source"]
        options.net = present["net"]
        _down(options)
        _forget(options.state)
        return _detach(options, options.scenario)
    _forget(options.state)
    print(f"{options.state} is empty again.")
    return 0


def _forget(state: Path) -> None:
    """Remove what a lab made in its state directory, and nothing else."""
    for cluster in state.glob("*/cluster.db"):
        shutil.rmtree(cluster.parent)
    for folder in (*state.glob("ca-*"), state / "stand-ins", state / "peers"):
        shutil.rmtree(folder, ignore_errors=True)
    for name in (LAB, INVENTORY, HTTPS_CA, KNOWN_HOSTS, SOCKET, "lab.log", "lab.out", "ntlm-users"):
        (state / name).unlink(missing_ok=True)
