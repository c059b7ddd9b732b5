# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs through Ansible: the main playbook, one AXL task, many route patterns."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cucm_lab.testing import LabProcess

from .measure import AS_MODULES, IN_PROCESS, ROOT, WAYS, Run, both_ways, median, middle, once, playbook

Figures = dict[str, float]
LOOPED = 20  # the tasks from which the time of a thousand is extrapolated
SHIPPED = "Non Secure SIP Trunk Profile"
TRUNK = {
    "name": "BENCH",
    "device_pool": "Default",
    "security_profile": SHIPPED,
    "destinations": [{"address": "127.0.0.9"}],
}
CONNECTION = """
    host: "{{ cucm_host }}"
    username: "{{ cucm_username }}"
    password: "{{ cucm_password }}"
    ca_path: "{{ cucm_ca_path }}"
    legacy_crypto: "{{ cucm_legacy_crypto | default(false) }}"
"""


def play(path: Path, hosts: str, *tasks: str) -> Path:
    """A playbook of these tasks."""
    body = "".join(f"  - {task}\n" for task in tasks)
    path.write_text(f"- hosts: {hosts}\n  gather_facts: false\n  tasks:\n{body}", encoding="utf-8")
    return path


def task(module: str, options: dict[str, Any]) -> str:
    """A task of the collection, with the connection from the inventory; in one line."""
    pairs = re.findall(r"(\w+): (.+)", CONNECTION)
    connection = ", ".join(f"{key}: {value}" for key, value in pairs)
    return f"siptls.cucm.{module}: {{{connection}, {json.dumps(options)[1:-1]}}}"


def main_playbook(folder: Path, runs: int) -> Figures:
    """(a) The main playbook, first run and rerun, both ways, each against as many no-op tasks as it ran."""
    first: dict[str, list[Run]] = {way: [] for way in WAYS}
    again: dict[str, list[Run]] = {way: [] for way in WAYS}
    for number in range(runs):
        for way, environment in WAYS.items():
            place = folder / f"{number}-{way.replace(' ', '-')}"
            with LabProcess(place / "lab") as lab:
                ca = json.dumps({"sip_tls_ca": {"provider": "local", "path": str(place / "ca")}})
                command = playbook(ROOT / "playbooks" / "sip_tls_trunk.yml", lab.inventory, "-e", ca)
                first[way].append(once(command, environment))
                again[way].append(once(command, environment))
    counts = {"first run": tasks(first[IN_PROCESS][0]), "rerun": tasks(again[IN_PROCESS][0])}
    with LabProcess(folder / "lab") as lab:
        floors = {
            name: median(playbook(noops(folder / f"{count}.yml", count), lab.inventory), runs).wall
            for name, count in counts.items()
        }
    figures: Figures = {}
    for name, seen in (("first run", first), ("rerun", again)):
        figures |= {f"{name}, tasks a cluster": counts[name], f"{name}, as many no-op tasks, s": floors[name]}
        for way, found in seen.items():
            run = middle(found)
            figures |= {
                f"{name} {way}, s": run.wall,
                f"{name} {way}, processor s": run.cpu,
                f"{name} {way} / floor": run.wall / floors[name],
            }
        figures[f"{name}, in process / as modules"] = middle(seen[IN_PROCESS]).wall / middle(seen[AS_MODULES]).wall
    return figures


def tasks(run: Run) -> int:
    """How many tasks a run ran on the cluster that ran most; those that were skipped are not among them."""
    return max(int(count) for count in re.findall(r"\bok=(\d+)", run.output))


def noops(path: Path, count: int) -> Path:
    """A playbook of that many tasks that do nothing on every cluster."""
    return play(path, "cucm_clusters", *["ansible.builtin.ping:"] * count)


# ciscoaxl itself repeats a request without checking the certificate when the check fails.
_CISCOAXL = """
import sys
import urllib3
urllib3.disable_warnings()
from ciscoaxl import axl
cucm = axl(username=sys.argv[2], password=sys.argv[3], cucm=sys.argv[1], cucm_version='12.5')
"""
ONE_TRUNK = f"""{_CISCOAXL}
trunk = cucm.get_sip_trunk(name=sys.argv[4])
assert not isinstance(trunk, Exception), trunk
"""
MANY_PATTERNS = f"""{_CISCOAXL}
for number in range(10_000_000, 10_000_000 + int(sys.argv[4])):
    pattern = cucm.get_route_pattern(pattern=str(number))
    assert pattern['destination']['gatewayName']['_value_1'] == 'BENCH', pattern
"""


@dataclass(frozen=True)
class Theirs:
    """The client ciscoaxl with the vendor's WSDL, unpacked beside, on one cluster of a lab."""

    packages: Path
    lab: LabProcess
    cluster: str

    @classmethod
    def on(cls, folder: Path, lab: LabProcess, cluster: str) -> Theirs:
        """Fetch it."""
        packages = folder / "ciscoaxl"
        install = [sys.executable, "-m", "pip", "install", "-q", "--target", str(packages), "--no-deps"]
        subprocess.run([*install, "ciscoaxl==0.164"], check=True)
        return cls(packages, lab, cluster)

    def command(self, source: str, *arguments: str) -> list[str]:
        """A script of it; REQUESTS_CA_BUNDLE would make it check the lab's certificates against another CA."""
        script = self.packages.parent / f"{abs(hash(source))}.py"
        script.write_text(source, encoding="utf-8")
        text = self.lab.inventory.read_text(encoding="utf-8")
        user, secret = (re.search(rf"cucm_{key}: (.+)", text)[1] for key in ("username", "password"))  # type: ignore[index]
        clean = ["env", "-u", "REQUESTS_CA_BUNDLE", "-u", "CURL_CA_BUNDLE", f"PYTHONPATH={self.packages}"]
        return [*clean, sys.executable, str(script), self.lab.address(self.cluster), user, secret, *arguments]


def _newer(lab: LabProcess) -> str:
    """The cluster of release 14, which clients of today reach without lowering their guard."""
    return str(next(c for c in lab.description["clusters"] if c["release"].startswith("14"))["name"])


def route_patterns(folder: Path, runs: int) -> Figures:
    """(c) 1,000 and 10,000 route patterns in one task: create, unchanged, one changed; a loop; ciscoaxl."""
    figures: Figures = {}
    with LabProcess(folder / "lab", "releases") as lab:
        cluster = _newer(lab)

        def command(name: str, *tasks: str) -> list[str]:
            return playbook(play(folder / f"{name}.yml", cluster, *tasks), lab.inventory)

        once(command("trunk", task("cucm_sip_trunk", TRUNK)))
        noop = median(command("noop", "ansible.builtin.ping:"), runs)
        for count in (1_000, 10_000):
            repeated = runs if count < 10_000 else 1
            objects = [{"pattern": str(10_000_000 + n), "gateway": "BENCH"} for n in range(count)]
            many = command(str(count), task("cucm_route_pattern", {"aggregate": objects}))
            create = once(many)
            unchanged, outside = both_ways(many, repeated).values()
            objects[count // 2]["description"] = "changed"
            changed = once(command(f"{count}-one", task("cucm_route_pattern", {"aggregate": objects})))
            figures |= {
                f"{count} created, s": create.wall,
                f"{count} unchanged, s": unchanged.wall,
                f"{count} unchanged as modules, s": outside.wall,
                f"{count} one changed, s": changed.wall,
                f"{count} unchanged above a no-op, s": unchanged.wall - noop.wall,
                f"{count} unchanged, peak MB": unchanged.peak,
            }
        loop = [task("cucm_route_pattern", entry) for entry in objects[:LOOPED]]
        single = (once(command("loop", *loop)).wall - noop.wall) / LOOPED
        theirs = once(Theirs.on(folder, lab, cluster).command(MANY_PATTERNS, "1000"))
    figures["10000 unchanged / 1000 unchanged"] = figures["10000 unchanged, s"] / figures["1000 unchanged, s"]
    figures["peak, 10000 / 1000"] = figures["10000 unchanged, peak MB"] / figures["1000 unchanged, peak MB"]
    figures["a task a pattern, 1000 unchanged (of 20), s"] = 1000 * single
    figures["1000 unchanged, a task a pattern / aggregate"] = 1000 * single / figures["1000 unchanged, s"]
    figures["ciscoaxl reads 1000, s"] = theirs.wall
    figures["1000 unchanged, ours / ciscoaxl"] = figures["1000 unchanged, s"] / theirs.wall
    return figures


def axl_task(folder: Path, runs: int) -> Figures:
    """(b) One unchanged AXL task above Ansible's floor, against the same read by ciscoaxl on the vendor's WSDL."""
    with LabProcess(folder / "lab", "releases") as lab:
        cluster = _newer(lab)
        trunk = playbook(play(folder / "trunk.yml", cluster, task("cucm_sip_trunk", TRUNK)), lab.inventory)
        once(trunk)
        ours, outside = both_ways(trunk, runs).values()
        # Ansible with a task of its own process, and with a module that does nothing.
        names = ((IN_PROCESS, "debug"), (AS_MODULES, "ping"))
        idle = {way: play(folder / f"{name}.yml", cluster, f"ansible.builtin.{name}:") for way, name in names}
        floor = {way: median(playbook(path, lab.inventory), runs).wall for way, path in idle.items()}
        theirs = median(Theirs.on(folder, lab, cluster).command(ONE_TRUNK, "BENCH"), runs)
        bare = median([sys.executable, "-c", "pass"], runs)
    above = ours.wall - floor[IN_PROCESS]
    return {
        "ours above Ansible's floor, s": above,
        "ours as a module above Ansible's floor, s": outside.wall - floor[AS_MODULES],
        "ciscoaxl above bare Python, s": theirs.wall - bare.wall,
        "time, ours / ciscoaxl": above / (theirs.wall - bare.wall),
        "peak, ours with Ansible, MB": ours.peak,
        "peak, ciscoaxl, MB": theirs.peak,
        "peak, ours / ciscoaxl": ours.peak / theirs.peak,
    }
