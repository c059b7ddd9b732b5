# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many clusters: the mesh as it grows, and the lab that carries it."""

from __future__ import annotations

import base64
import json
import re
import ssl
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

from cucm_lab.testing import LabProcess, cluster, write_scenario

from .measure import ENVIRONMENT, ROOT, Broken, playbook

Figures = dict[str, float]


def scenario(path: Path, count: int) -> str:
    """A scenario of so many clusters, one node and one phone each."""
    return write_scenario(path, [cluster(number) for number in range(1, count + 1)])


def mesh(folder: Path, _runs: int) -> Figures:
    """(d) A mesh of 2, 4, 8 and 16 clusters: time, tasks a cluster and AXL requests a trunk."""
    figures: Figures = {}
    for count in (2, 4, 8, 16):
        with LabProcess(folder / f"lab{count}", scenario(folder / f"mesh{count}.yml", count)) as lab:
            verdict = folder / f"verdict{count}.json"
            more = {
                "sip_tls_ca": {"provider": "local", "path": str(folder / f"ca{count}")},
                "sip_tls_verify_verdict_path": str(verdict),
                "sip_tls_verify_enforce": False,
            }
            command = playbook(ROOT / "playbooks" / "sip_tls_trunk.yml", lab.inventory, "-e", json.dumps(more))
            begin = time.perf_counter()
            done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
            if done.returncode:
                failed = re.findall(r"(?ms)^(?:fatal|failed): .*?(?=^\S|\Z)", done.stdout)
                raise Broken(f"{count} clusters: {' '.join(failed)[:3000] or done.stdout[-1500:]}")
            told = json.loads(verdict.read_text(encoding="utf-8"))["summary"]
            unproven = [text for text in told if ": secure" not in text]
            if unproven:
                print(f"   {count} clusters: {'; '.join(unproven)}", flush=True)
            figures[f"{count} clusters, s"] = time.perf_counter() - begin
            figures[f"{count} clusters, tasks a cluster"] = max(map(int, re.findall(r"\bok=(\d+)", done.stdout)))
            trunks = count * (count - 1)
            requests = sum(event.get("kind") == "axl" for event in lab.events())
            figures[f"{count} clusters, AXL requests a trunk"] = requests / trunks
            figures[f"{count} clusters, directions not secure at once"] = len(unproven)
    return figures


def lab(folder: Path, _runs: int) -> Figures:
    """(g) The lab: start of 50 clusters, memory a cluster, AXL requests a second over 8 connections."""
    begin = time.perf_counter()
    with LabProcess(folder / "lab50", scenario(folder / "fifty.yml", 50)) as fifty:
        up = time.perf_counter() - begin
        status = Path(f"/proc/{fifty.description['pid']}/status").read_text(encoding="utf-8")
        memory = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]
        rate = _requests_a_second(fifty)
    return {"50 clusters up, s": up, "memory a cluster, MB": memory / 50, "AXL requests a second": rate}


def _requests_a_second(lab_process: LabProcess, threads: int = 8, each: int = 50) -> float:
    """getCCMVersion, a connection a request: the lower bound of what the lab answers."""
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
