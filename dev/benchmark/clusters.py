# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many clusters: the mesh as it grows, and the lab that carries it."""

from __future__ import annotations

import base64
import json
import re
import ssl
import statistics
import threading
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from cucm_lab.testing import LabProcess, cluster, write_scenario

from .measure import AS_MODULES, IN_PROCESS, ROOT, WAYS, both_ways, once, playbook
from .plays import play, task

Figures = dict[str, float]


def scenario(path: Path, count: int) -> str:
    """A scenario of so many clusters, one node and one phone each."""
    return write_scenario(path, [cluster(number) for number in range(1, count + 1)])


def mesh(folder: Path, runs: int) -> Figures:
    """(d) A mesh of 2, 4, 8 and 16 clusters: time, tasks and requests; 16 several times, and once as modules."""
    figures: Figures = {}
    for count in (2, 4, 8):
        figures |= _mesh(folder / str(count), count, WAYS[IN_PROCESS])
    seen = [_mesh(folder / f"16-{number}", 16, WAYS[IN_PROCESS]) for number in range(runs)]
    # Modules take minutes for each run.
    modules = _mesh(folder / "16-modules", 16, WAYS[AS_MODULES])
    figures |= {name: statistics.median(found[name] for found in seen) for name in seen[0]}
    figures["16 clusters as modules (one run), s"] = modules["16 clusters, s"]
    figures["16 clusters, in process / as modules"] = figures["16 clusters, s"] / modules["16 clusters, s"]
    unproven = [found["16 clusters, directions not secure at once"] for found in (*seen, modules)]
    figures["16 clusters, runs with a direction not secure at once"] = sum(map(bool, unproven))
    return figures


def _mesh(folder: Path, count: int, environment: Mapping[str, str]) -> Figures:
    """One run of the main playbook on so many clusters as shipped."""
    folder.mkdir(parents=True)
    verdict = folder / "verdict.json"
    more = {
        "sip_tls_ca": {"provider": "local", "path": str(folder / "ca")},
        "sip_tls_verify_verdict_path": str(verdict),
        "sip_tls_verify_enforce": False,
    }
    with LabProcess(folder / "lab", scenario(folder / "mesh.yml", count)) as lab:
        command = playbook(ROOT / "playbooks" / "sip_tls_trunk.yml", lab.inventory, "-e", json.dumps(more))
        done = once(command, environment)
        requests = sum(event.get("kind") == "axl" for event in lab.events())
    said = json.loads(verdict.read_text(encoding="utf-8"))["summary"]
    unproven = [text for text in said if ": secure" not in text]
    if unproven:
        print(f"   {count} clusters: {'; '.join(unproven)}", flush=True)
    return {
        f"{count} clusters, s": done.wall,
        f"{count} clusters, tasks a cluster": max(map(int, re.findall(r"\bok=(\d+)", done.output))),
        f"{count} clusters, AXL requests a trunk": requests / (count * (count - 1)),
        f"{count} clusters, directions not secure at once": len(unproven),
    }


def lab(folder: Path, _runs: int) -> Figures:
    """(g) The lab: start of 50 clusters, memory per cluster, AXL requests per second; Ansible's memory, both ways."""
    begin = time.perf_counter()
    with LabProcess(folder / "lab50", scenario(folder / "fifty.yml", 50)) as fifty:
        up = time.perf_counter() - begin
        status = Path(f"/proc/{fifty.description['pid']}/status").read_text(encoding="utf-8")
        memory = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]
        rate = _requests_a_second(fifty)
        info = play(folder / "info.yml", "cucm_clusters", *[task("cucm_info", {"gather": []})] * 3)
        inside, outside = both_ways(playbook(info, fifty.inventory), 1).values()
    return {
        "50 clusters up, s": up,
        "memory a cluster, MB": memory / 50,
        "AXL requests a second": rate,
        "Ansible's peak with 50 clusters, MB": inside.peak,
        "Ansible's peak with 50 clusters, in process / as modules": inside.peak / outside.peak,
    }


def _requests_a_second(lab_process: LabProcess, threads: int = 8, each: int = 50) -> float:
    """getCCMVersion, one connection per request: the lower bound of what the lab answers."""
    text = lab_process.inventory.read_text(encoding="utf-8")
    user, secret = (re.search(rf"cucm_{key}: (.+)", text)[1] for key in ("username", "password"))  # type: ignore[index]
    token = base64.b64encode(f"{user}:{secret}".encode()).decode()
    context = ssl.create_default_context(cafile=str(lab_process.state / "https-ca.pem"))
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    envelope = (
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        b'<n:getCCMVersion xmlns:n="http://www.cisco.com/AXL/API/12.5"/></e:Body></e:Envelope>'
    )
    headers = {"Authorization": f"Basic {token}", "SOAPAction": '"CUCM:DB ver=12.5 getCCMVersion"'}
    url = f"https://{lab_process.address('c01')}:8443/axl/"

    def work() -> None:
        for _unused in range(each):
            request = urllib.request.Request(url, envelope, {**headers, "Content-Type": "text/xml"})
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                answer.read()

    workers = [threading.Thread(target=work) for _unused in range(threads)]
    begin = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return threads * each / (time.perf_counter() - begin)
