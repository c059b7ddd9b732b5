# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: up, down, status, call, fault, clock, dump, reset."""

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
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from . import scenario as scenarios
from .control import SOCKET, ControlError, ask
from .outputs import HTTPS_CA, INVENTORY, KNOWN_HOSTS, LAB

DEFAULT_STATE = "build/lab"
#: real seconds for everything to serve; 50 clusters take about ten
START_LIMIT = 120
STOP_LIMIT = 15


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    options = _parser().parse_args(arguments)
    options.state = Path(options.state).absolute()
    try:
        return int(options.run(options) or 0)
    except (ControlError, scenarios.ScenarioError) as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cucm_lab", description="Emulated CUCM clusters on loopback.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--state", default=os.environ.get("CUCM_LAB_STATE", DEFAULT_STATE), help="state directory")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, parents=[common], help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    up = command("up", _up, "start the lab and wait until every port serves")
    _scenario_options(up)
    up.add_argument("--foreground", action="store_true", help="stay in the foreground; Ctrl-C ends the lab")
    up.add_argument("--fresh", action="store_true", help="start from scratch: delete the state of an earlier run")
    up.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    command("down", _down, "stop the lab and keep its state")
    status = command("status", _status, "what runs")
    status.add_argument("--json", action="store_true")
    status.add_argument(
        "--wait-for-trunks", type=float, default=0, metavar="SECONDS",
        help="wait until no trunk is out of service, or so many seconds",
    )  # fmt: skip
    call = command("call", _call, "place a call: from a cluster's phone to a number")
    call.add_argument("cluster")
    call.add_argument("calling")
    call.add_argument("called")
    call.add_argument("--hold", type=float, default=0.0, metavar="SECONDS", help="talk so long before hanging up")
    call.add_argument("--json", action="store_true")
    calls = command("calls", _calls, "place a call from each cluster to every other one")
    calls.add_argument("--until", type=Path, metavar="FILE", help="again and again, until this file exists")
    calls.add_argument("--pause", type=float, default=2, help="seconds between two rounds (default: 2)")
    calls.add_argument("--json", action="store_true")
    fault = command("fault", _fault, "add, list or clear faults")
    fault.add_argument("what", choices=["add", "list", "clear"])
    fault.add_argument("rule", nargs="*", metavar="KEY=VALUE", help="interface=axl action=status status=503 count=3")
    clock = command("clock", _clock, "show or shift the lab's clock")
    clock.add_argument("shift", nargs="?", help="seconds, or with a unit: +400d, -2h, 30m; or `reset`")
    clock.add_argument("--node", help="a node's name or address: shift only its clock, in addition to the lab's")
    syslog = command("syslog", _syslog, "send the nodes' alarms to a syslog server over UDP")
    syslog.add_argument("server", nargs="?", help="ADDRESS:PORT, or an empty string to send nothing")
    syslog.add_argument("--certificates", action="store_true", help="run the certificate monitor of every node now")
    dump = command("dump", _dump, "print the clusters' databases as JSON")
    dump.add_argument("cluster", nargs="?")
    dump.add_argument(
        "--stable",
        action="store_true",
        help="leave out what differs between identical runs, such as IDs and timestamps",
    )
    ca = command("ca", _ca, "act as the CA's administrator: list, issue or deny pending requests")
    ca.add_argument("what", choices=["list", "issue", "deny"])
    ca.add_argument("request", nargs="?", type=int)
    ca.add_argument("--ca", help="the CA's name in the scenario (default: the first one)")
    csr = command("csr", _csr, "act as a person on the certificate web page: replace the pending CSR with a new one")
    csr.add_argument("node", help="a node's name or address")
    csr.add_argument("--unit", default="CallManager")
    csr.add_argument("--multi-server", action="store_true", help="a multi-server CSR, which the CLI can't make")
    csr.add_argument("--key-length", type=int)
    learn = command("learn", _learn, "compare what a real cluster answered (playbook truth.yml) with the lab's table")
    learn.add_argument("file", type=Path)
    learn.add_argument("--patch", type=Path, metavar="FILE", help="write a patch of the table to this file")
    replay = command("replay", _replay, "serve exchanges that clients recorded (CUCM_RECORD), or ask the lab the same")
    replay.add_argument("folder", type=Path)
    replay.add_argument("--net", default=os.environ.get("CUCM_LAB_NET", "127.0"), help="first two octets, e.g. 127.37")
    replay.add_argument(
        "--compare", action="store_true", help="ask the running lab the same, and show where it answers differently"
    )
    save = command("save", _save, "write the running lab to one file, which others can start from")
    save.add_argument("file", type=Path)
    restore = command("load", _load, "start a lab from a file that `save` wrote")
    restore.add_argument("file", type=Path)
    restore.add_argument("--while-pid", type=int, metavar="PID", help="end when that process ends")
    command("openapi", _openapi, "print the OpenAPI document of the control interface")
    reset = command("reset", _reset, "delete all state; a running lab is restarted")
    _scenario_options(reset)
    return parser


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

    from .twin import RecordError, scenario_of

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

    from .process import Process
    from .world import StartError

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


def _trunks_out_of_service(status: Mapping[str, Any]) -> bool:
    """Whether a trunk's pings have no answer, or none yet: after a restart some seconds pass before the first."""
    return any(trunk["status"] == "UnRegistered" for cluster in status["clusters"] for trunk in cluster["trunks"])


def _status(options: argparse.Namespace) -> int:
    deadline = time.monotonic() + options.wait_for_trunks
    status = ask(options.state, "status")
    while _trunks_out_of_service(status) and time.monotonic() < deadline:
        time.sleep(0.5)
        status = ask(options.state, "status")
    if options.json:
        print(json.dumps(status, indent=1))
        return 0
    print(
        f"Scenario {status['scenario']}, process {status['pid']}, lab time {status['time']}, {status['faults']} faults"
    )
    for cluster in status["clusters"]:
        print(f"{cluster['name']}: {cluster['version']}, extensions {', '.join(cluster['phones']) or 'none'}")
        for phone in cluster["registrations"]:
            how = "encrypted" if phone["encrypted"] else "not encrypted"
            where = f"registered with {phone['node']}" if phone["node"] else f"NOT registered: {phone['reason']}"
            print(f"  phone {phone['phone']} ({how}): {where}")
        for trunk in cluster["trunks"]:
            print(f"  trunk {trunk['name']} on {trunk['node']}: {trunk['status']} ({trunk['transport']})")
        for node in cluster["nodes"]:
            stopped = [
                f"{name} {state}{node['reasons'][name]}"
                for name, state in node["services"].items()
                if state != "Started"
            ]
            odd = ", ".join(stopped) or "all services started"
            print(f"  {node['name']:<10} {node['address']:<13} {node['role']:<10} {odd}")
    return 0


def _call(options: argparse.Namespace) -> int:
    order = {"cluster": options.cluster, "calling": options.calling, "called": options.called, "hold": options.hold}
    result = ask(options.state, "call", order, timeout=60 + options.hold)
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        print("\n".join(_told(result)))
    return 0 if result.get("result") == "answered" else 2


def _calls(options: argparse.Namespace) -> int:
    from . import rounds

    if options.until:
        placed = rounds.until(options.state, options.until.absolute(), options.pause)
    else:
        placed = rounds.one_round(options.state)
    rows = rounds.summary(placed)
    if options.json:
        print(json.dumps({"summary": rows, "calls": placed}, indent=1))
    else:
        for row in rows:
            why = f": {row['reason']}" if row["reason"] else ""
            print(f"{row['from']} to {row['to']}: {row['answered']} of {row['calls']} calls answered{why}")
    return 0 if all(row["answered"] == row["calls"] for row in rows) else 2


def _learn(options: argparse.Namespace) -> int:
    from . import learning

    try:
        answers = learning.load(options.file)
    except learning.LearningError as error:
        raise ControlError(str(error)) from None
    found = learning.differences(answers["answers"])
    for lesson in found:
        print(f"{lesson.row} ({lesson.what})\n  the lab: {lesson.inferred!r}\n  seen:    {lesson.seen!r}")
    print(f"{len(found)} rows of the table differ from what the cluster answered ({answers['release']}).")
    if found and options.patch:
        options.patch.write_text(learning.patch(found), encoding="utf-8")
        print(f"{options.patch} is the patch; for a scenario:\n{learning.overrides(found)}")
    return 0


def _save(options: argparse.Namespace) -> int:
    from . import snapshot

    ask(options.state, "status")
    try:
        number = snapshot.save(options.state, options.file)
    except snapshot.SnapshotError as error:
        raise ControlError(str(error)) from None
    print(f"{options.file} has {number} files of the lab, its private keys among them.")
    return 0


def _load(options: argparse.Namespace) -> int:
    from . import snapshot

    try:
        scenario, options.net = snapshot.load(options.file, options.state)
    except snapshot.SnapshotError as error:
        raise ControlError(str(error)) from None
    return _detach(options, str(scenario))


def _openapi(_options: argparse.Namespace) -> int:
    from .openapi import document

    print(json.dumps(document(), indent=1))
    return 0


def _replay(options: argparse.Namespace) -> int:
    from . import replay

    try:
        exchanges = replay.load(options.folder)
    except replay.FixtureError as error:
        raise ControlError(str(error)) from None
    return _compared(options, exchanges) if options.compare else _replayed(options, exchanges)


def _replayed(options: argparse.Namespace, exchanges: list[Any]) -> int:
    import asyncio

    from .replay import serve

    def ready(described: dict[str, Any]) -> None:
        for name, address in described["nodes"].items():
            print(f"  {name} at {address}, https {described['https']}, ssh {described['ssh']}", flush=True)
        print(f"{described['exchanges']} exchanges; {options.state}/replay.json has the addresses.", flush=True)

    async def run() -> int:
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        try:
            await serve(exchanges, options.state, options.net, ready, ended)
        except OSError as error:
            raise ControlError(
                f"The fixtures cannot be served on {options.net}: {error.strerror or error}. Choose another --net."
            ) from None
        return 0

    return asyncio.run(run())


def _compared(options: argparse.Namespace, exchanges: list[Any]) -> int:
    import asyncio

    from .replay import compare

    found = asyncio.run(compare(exchanges, _places(options.state, exchanges)))
    for difference in found:
        print(difference.title)
        for what, parts in (("only the fixture", difference.missing), ("only the lab", difference.added)):
            print("".join(f"  {what}: {part}\n" for part in parts), end="")
    print(f"{len(found)} requests are answered differently by the lab.")
    return 1 if found else 0


def _places(state: Path, exchanges: list[Any]) -> dict[str, Any]:
    """The lab's nodes for those of the fixtures: by name or address, the others by the lab's first publisher."""
    import yaml

    from .replay.compare import Access

    try:
        lab = json.loads((state / LAB).read_text())
        hosts = yaml.safe_load((state / INVENTORY).read_text())["cucm_clusters"]["hosts"]
    except OSError:
        raise ControlError(f"No lab runs in {state}; start one with `cucm_lab up --state {state}`.") from None
    known: dict[str, Access] = {}
    first: Access | None = None
    for cluster in lab["clusters"]:
        host = hosts[cluster["name"]]
        for node in cluster["nodes"]:
            access = Access(
                node["address"], lab["ports"]["https"], lab["ports"]["ssh"],
                (host["cucm_username"], host["cucm_password"]), (host["cucm_os_username"], host["cucm_os_password"]),
            )  # fmt: skip
            first = first or access
            known |= dict.fromkeys((node["name"], node["fqdn"], node["address"]), access)
    return {exchange.node: known.get(exchange.node, first) for exchange in exchanges}


def _told(call: dict[str, Any]) -> list[str]:
    """A call in one sentence, and its steps."""
    way = f"over {call['transport']}" if call["transport"] else "inside the cluster"
    if call["tls_version"]:
        way += f" ({call['tls_version']}, {call['cipher']})"
    if call["trunk"]:
        way += f" through trunk {call['trunk']}, from {call['node']} to {call['peer']}"
    if call["result"] == "answered":
        end = f"answered {way}, {'with SRTP' if call['srtp'] else 'with plain RTP'}"
    elif call["result"] == "lost":
        end = f"answered {way}, and lost: {call['reason']}"
    else:
        status = f" {call['status']}" if call["status"] else ""
        end = f"failed{status}: {call['reason']}" + (f" ({way})" if call["transport"] else "")
    return [f"{call['from']} called {call['to']}: {end}", *(f"  {step}" for step in call["steps"])]


def _fault(options: argparse.Namespace) -> int:
    pairs = dict(item.split("=", 1) for item in options.rule if "=" in item)
    order: dict[str, Any] = {key: _number(value) for key, value in pairs.items() if not key.startswith("extra.")}
    extra = {key[6:]: _number(value) for key, value in pairs.items() if key.startswith("extra.")}
    if extra:
        order["extra"] = extra
    print(json.dumps(ask(options.state, f"fault/{options.what}", order), indent=1))
    return 0


def _ca(options: argparse.Namespace) -> int:
    if options.what != "list" and options.request is None:
        raise ControlError(f"Name the request to {options.what}; `cucm_lab ca list` shows the numbers.")
    order = {"what": options.what, "request": options.request, "ca": options.ca}
    print(json.dumps(ask(options.state, "ca", order), indent=1, default=str))
    return 0


def _csr(options: argparse.Namespace) -> int:
    order = {name: getattr(options, name) for name in ("node", "unit", "multi_server", "key_length")}
    print(ask(options.state, "csr", order)["csr"], end="")
    return 0


def _clock(options: argparse.Namespace) -> int:
    order: dict[str, Any] = {}
    if options.shift == "reset":
        order = {"reset": True}
    elif options.shift:
        unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(options.shift[-1])
        try:
            order = {"shift": float(options.shift[:-1]) * unit if unit else float(options.shift)}
        except ValueError:
            raise ControlError(f"{options.shift!r} is not a time span; write 3600, +400d, -2h or reset.") from None
    if options.node:
        order["node"] = options.node
    answer = ask(options.state, "clock", order)
    print(f"{answer['time']} (shifted by {answer['shift']:.0f} s)")
    return 0


def _syslog(options: argparse.Namespace) -> int:
    order: dict[str, Any] = {"certificates": options.certificates}
    if options.server is not None:
        order["server"] = options.server
    answer = ask(options.state, "syslog", order)
    where = "{}:{}".format(*answer["server"]) if answer["server"] else "nowhere"
    print(f"alarms go to {where}" + (f"; {answer['sent']} sent" if options.certificates else ""))
    return 0


def _dump(options: argparse.Namespace) -> int:
    order: dict[str, Any] = {"stable": options.stable}
    if options.cluster:
        order["cluster"] = options.cluster
    print(json.dumps(ask(options.state, "dump", order), indent=1, sort_keys=True))
    return 0


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


def _number(value: str) -> Any:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
