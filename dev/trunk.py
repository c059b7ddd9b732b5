# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make trunk`: two clusters of the lab, from their defaults to calls over mutual TLS, and the verdict.

The lab's state is kept in build/trunk/lab, so that a second run finds everything in place. Exit code 0 means that the
verdict is secure both ways and that both calls were answered over TLS with SRTP.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "trunk"
STATE = OUT / "lab"
BIN = Path(sys.executable).parent
SCENARIO = "two-clusters"
PORTS = (8443, 2222, 5061, 5060)
PLAYBOOK_LIMIT = 900
# The shape of verdict.json; report.json beside it says more.
DIRECTION_KEYS = ("from", "to", "verdict", "tls_version", "cipher", "server_certificate", "evidence")
CALL_KEYS = ("from", "to", "result", "transport", "srtp")


def main() -> int:
    """Run everything; the exit code."""
    OUT.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with lab() as description:
        recap = playbook("sip_tls_trunk", {}, shown_as_it_comes=True)
        if recap is None:
            print(f"\nThe playbook did not finish; its output is in {shown(OUT / 'sip_tls_trunk.log')}.")
            return 1
        calls = [call(*pair) for pair in pairs(description)]
        # The calls are evidence, too: a second run works out the verdict again, with the handshakes captured by the
        # first.
        playbook("verify", weighed_again())
    verdict = read_verdict(calls)
    if verdict is None:
        print(f"\nThe evidence was not weighed; the output is in {shown(OUT / 'verify.log')}.")
        return 1
    tell(verdict, recap)
    return 0 if good(verdict, len(calls)) else 1


@contextmanager
def lab() -> Iterator[dict[str, Any]]:
    """The lab, up; and down again whatever happens."""
    net = chosen_net()
    print(f"== The lab: two CUCM clusters on loopback {net}.*.*", flush=True)
    try:
        command("up", "--scenario", SCENARIO, "--net", net, "--while-pid", str(os.getpid()))
        yield json.loads((STATE / "lab.json").read_text(encoding="utf-8"))
    finally:
        command("down")


def command(*words: str, check: bool = True, capture: bool = False) -> subprocess.CompletedProcess[str]:
    """Run cucm_lab on our state directory."""
    order = [sys.executable, "-m", "cucm_lab", *words, "--state", str(STATE)]
    try:
        return subprocess.run(order, check=check, text=True, stdout=subprocess.PIPE if capture else None, timeout=180)
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode or 1)


def chosen_net() -> str:
    """The first two octets of the lab's addresses: those of the earlier run, else the first that are free.

    They stay the same from run to run, because the trunks of an earlier run point at them.
    """
    kept = OUT / "net"
    if (STATE / "cucma").is_dir() and kept.is_file():
        return kept.read_text(encoding="utf-8").strip()
    for second in range(18, 250):
        if all(free(f"127.{second}.{tail}", port) for tail in ("91.1", "105.1", "200.1") for port in PORTS):
            shutil.rmtree(STATE, ignore_errors=True)
            kept.write_text(f"127.{second}\n", encoding="utf-8")
            return f"127.{second}"
    sys.exit("No loopback network is free for the lab.")


def free(address: str, port: int) -> bool:
    """Whether nobody serves there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def weighed_again() -> dict[str, Any]:
    """Extra variables for the second run, which captures nothing itself and keeps the list of changes."""
    data = json.loads((OUT / "report.json").read_text(encoding="utf-8"))
    return {
        "sip_tls_verify_capture": False,
        "sip_tls_verify_captures": sorted(map(str, (OUT / "evidence").glob("*/*.cap"))),
        "sip_tls_report_changes": data["changes"],
    }


def playbook(name: str, more: dict[str, Any], *, shown_as_it_comes: bool = False) -> dict[str, dict[str, int]] | None:
    """Run a playbook, its output kept beside the verdict; the recap by host, or None when it failed."""
    print(f"\n== The playbook: ansible-playbook playbooks/{name}.yml", flush=True)
    extra = {
        "sip_tls_ca": {"provider": "local", "path": str(OUT / "ca")},
        "sip_tls_verify_verdict_path": str(OUT / "playbook-verdict.json"),
        "sip_tls_report_path": str(OUT),
        **more,
    }
    environment = os.environ | {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
        "ANSIBLE_HOME": str(OUT / "ansible"),
        "ANSIBLE_NOCOWS": "1",
        "ANSIBLE_STDOUT_CALLBACK": os.environ.get("ANSIBLE_STDOUT_CALLBACK", "siptls.cucm.progress"),
        "PYTHONUNBUFFERED": "1",
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    order = [
        sys.executable, "-m", "ansible", "playbook", str(ROOT / "playbooks" / f"{name}.yml"),
        "-i", str(STATE / "inventory.yml"), "-e", json.dumps(extra),
    ]  # fmt: skip
    kept = OUT / f"{name}.log"
    (OUT / "playbook-verdict.json").unlink(missing_ok=True)
    # The run draws where it is watched; a pipe gets plain lines.
    terminal = shown_as_it_comes and sys.stdout.isatty()
    inside, outside = _terminal() if terminal else os.pipe()[::-1]
    with (
        kept.open("wb") as log,
        subprocess.Popen(order, cwd=ROOT, env=environment, stdout=inside, stderr=inside) as run,
    ):
        os.close(inside)
        timer = _kill_after(run, PLAYBOOK_LIMIT)
        try:
            for part in _parts(outside):
                log.write(part)
                if shown_as_it_comes:
                    sys.stdout.buffer.write(part)
                    sys.stdout.flush()
        finally:
            os.close(outside)
            timer.cancel()
            if run.poll() is None:
                run.terminate()
    if run.returncode:
        return None
    counts = recap_of(kept.read_text(encoding="utf-8"))
    # The check of the inventory's group runs on localhost.
    return {host: counts[host] for host in counts if host != "localhost"}


def _terminal() -> tuple[int, int]:
    """A terminal as large as ours: the end that a program writes to, and the end that its output is read from."""
    outside, inside = os.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8)))
    return inside, outside


def _parts(descriptor: int) -> Iterator[bytes]:
    """What a program writes, as it comes; a terminal ends with an error, a pipe with nothing."""
    with suppress(OSError):
        while part := os.read(descriptor, 65536):
            yield part


def _kill_after(run: subprocess.Popen[bytes], seconds: float) -> Any:
    import threading

    timer = threading.Timer(seconds, run.terminate)
    timer.daemon = True
    timer.start()
    return timer


def recap_of(output: str) -> dict[str, dict[str, int]]:
    """The counts of Ansible's recap, by host."""
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "", output).rpartition("PLAY RECAP")[2]
    rows = re.findall(r"^(\S+)\s*:((?:\s+\w+=\d+)+)", plain, re.MULTILINE)
    return {host: {key: int(count) for key, count in re.findall(r"(\w+)=(\d+)", text)} for host, text in rows}


def pairs(description: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Each ordered pair of clusters: from, its extension, to, its extension."""
    homes = {cluster["name"]: cluster["phones"][0] for cluster in description["clusters"] if cluster["phones"]}
    return [(a, homes[a], b, homes[b]) for a in homes for b in homes if a != b]


def call(source: str, calling: str, target: str, called: str) -> dict[str, Any]:
    """Place a call and report its outcome."""
    print(f"== A call: {calling} on {source} calls {called} on {target}", flush=True)
    answer = command("call", source, calling, called, "--json", check=False, capture=True)
    try:
        result = json.loads(answer.stdout)
    except ValueError:
        result = {"result": "failed", "failure": answer.stdout.strip() or "the lab gave no answer"}
    return {**result, "from": source, "to": target, "calling": calling, "called": called}


def read_verdict(calls: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The playbook's verdict with the calls; the agreed part of it is written to build/trunk/verdict.json."""
    try:
        verdict: dict[str, Any] = json.loads((OUT / "playbook-verdict.json").read_text(encoding="utf-8"))
    except OSError:
        return None
    verdict["calls"] = calls
    kept = {
        "verdict": verdict["verdict"],
        "directions": [{key: direction.get(key) for key in DIRECTION_KEYS} for direction in verdict["directions"]],
        "calls": [{key: placed.get(key) for key in CALL_KEYS} for placed in calls],
    }
    (OUT / "verdict.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return verdict


def answered(placed: dict[str, Any]) -> bool:
    """Whether a call got through the way it should."""
    return placed.get("result") == "answered" and placed.get("transport") == "TLS" and bool(placed.get("srtp"))


def good(verdict: dict[str, Any], calls: int) -> bool:
    """Whether everything is as it should be; nothing to look at is not good."""
    ways = [direction["verdict"] for direction in verdict["directions"]]
    return (
        verdict["verdict"] == "secure"
        and len(ways) >= 2
        and set(ways) == {"secure"}
        and calls >= 2
        and all(map(answered, verdict["calls"]))
    )


def tell(verdict: dict[str, Any], recap: dict[str, dict[str, int]]) -> None:
    """Print the verdict."""
    print(f"\nVerdict: {verdict['verdict'].upper()}")
    for direction in verdict["directions"]:
        certificate = direction.get("server_certificate") or {}
        print(
            f"  {direction['from']} -> {direction['to']}: {direction['verdict']}, {direction.get('tls_version')}, "
            f"{direction.get('cipher')}"
        )
        print(f"      the peer presents {certificate.get('subject')}, serial {certificate.get('serial')},")
        print(f"      issued by {certificate.get('issuer')}, until {certificate.get('not_after')}")
        for finding in direction.get("findings") or ():
            print(f"      {finding['severity']}: {finding['cause']}")
    for placed in verdict["calls"]:
        way = f"over {placed.get('transport') or 'nothing'}, SRTP {'yes' if placed.get('srtp') else 'no'}"
        print(f"  call {placed['calling']} -> {placed['called']}: {placed.get('result')} {way}")
        if not answered(placed):
            print(f"      {json.dumps({key: value for key, value in placed.items() if value})}")
    changes = ", ".join(f"{host} {counts.get('changed', 0)}" for host, counts in recap.items())
    print(f"  tasks that changed something: {changes}")
    if (OUT / "report.html").is_file():
        print(f"  for a browser: {shown(OUT / 'report.html')}")
    print(f"  all of it: {shown(OUT / 'verdict.json')}")


def shown(path: Path) -> str:
    """A path as it is shown, relative to the working directory."""
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main())
