# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report in a real browser: it renders, complains of nothing, and fits a telephone."""

from __future__ import annotations

import functools
import html.parser
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure
from ansible_collections.siptls.cucm.plugins.module_utils._verdict import pages, report_files

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
]  # fmt: skip
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium (apt-get install -y chromium)")
# Written by the frame's own measures; 390 is the width of a common telephone, 320 of the smallest.
WRAPPER = """<!DOCTYPE html><html><head><link rel="icon" href="data:,"></head><body><pre id="out"></pre>
<iframe id="f" src="report.html" style="width:%dpx;height:3000px;border:0"></iframe><script>
document.getElementById('f').addEventListener('load', function () {
  var d = this.contentDocument, e = d.documentElement, wide = [];
  d.querySelectorAll('body *').forEach(function (n) {
    var out = n.getBoundingClientRect().right > e.clientWidth + 1;
    if (out && !n.closest('.matrix')) { wide.push(n.className || n.tagName); }
  });
  document.getElementById('out').textContent = JSON.stringify({scroll: e.scrollWidth, client: e.clientWidth,
    wide: wide.slice(0, 5), text: d.body.innerText.length, paper: getComputedStyle(d.body).backgroundColor,
    svg: d.querySelectorAll('svg').length});
});</script></body></html>"""


def view(name: str, mark: str, **changes: Any) -> dict[str, Any]:
    made = {
        "subject": f"C=IN, ST=cisco, L=cisco, O=cisco, OU=cisco, CN={name}", "common_name": name,
        "issuer": "C=IN, O=cisco, CN=Lab CA", "serial": mark * 20, "sha256": ":".join([mark] * 32),
        "not_before": "2026-01-01T00:00:00Z", "not_after": "2028-01-01T00:00:00Z",
    }  # fmt: skip
    return {**made, **changes}


def given(count: int = 2, verdict: str = "secure") -> dict[str, Any]:
    """A report's data for so many clusters, with a hostile name in it."""
    names = [f"cluster{at}-with-a-rather-long-name" for at in range(count)]
    clusters = [
        {
            "name": name, "version": "10.5.2.10000-5",
            "nodes": [
                {
                    "name": f"NODE{at}", "addresses": [f"10.0.0.{at}"], "held": view(f"NODE{at}", "AA"),
                    "issued": view(f"NODE{at}", "AA" if verdict == "secure" else "BB"),
                    "probe": {"chain": [view(f"NODE{at}", "AA")]},
                }
            ],
        }
        for at, name in enumerate(names)
    ]  # fmt: skip
    finding = {"severity": "error", "check": "x", "cause": "<script>alert(1)</script> " + "A" * 200, "source": "probe",
               "remedy": "Do something & more"}  # fmt: skip
    directions = [
        {
            "from": a, "to": b, "verdict": verdict, "reach": "call", "tls_version": "TLSv1.2", "cipher": "AES128-SHA",
            "server_certificate": view("NODE", "AA"), "evidence": [{"check": "c", "source": "call", "text": "seen"}],
            "findings": [] if verdict == "secure" else [finding],
        }
        for a in names for b in names if a != b
    ]  # fmt: skip
    steps = [("client", "ClientHello"), ("server", "Certificate"), ("client", "Certificate"), ("server", "Alert")]
    handshake = [
        {"time": f"2026-11-01T10:00:00.00{at}000Z", "frame": at, "from": side, "message": message}
        for at, (side, message) in enumerate(steps)
    ]
    captures = [
        {
            "protocol": "tls", "client": "10.0.0.0:40000", "server": "10.0.0.1:5061", "tls_version": "TLSv1.2",
            "cipher": "AES128-SHA", "mutual": True, "started": "2026-11-01T10:00:00Z", "handshake": handshake,
            "client_certificates": [view("NODE0", "AA")], "server_certificates": [view("NODE1", "AA")],
            "alerts": [{"time": handshake[3]["time"], "from": "server", "level": "fatal", "name": "unknown_ca"}],
        }
    ]  # fmt: skip
    calls = [
        {
            "cluster": names[0], "calling": "1018", "called": "9898", "remote_ip": "10.0.0.1", "transport": "TLS",
            "srtp": True, "result": "answered",
            "ladder": [{"time": "2026-11-01T10:00:00", "way": way, "message": word, "srtp": True}
                       for way, word in (("out", "INVITE"), ("in", "100 Trying"), ("in", "200 OK"), ("out", "ACK"))],
        }
    ]  # fmt: skip
    return {
        "title": "Report", "clusters": clusters, "captures": captures,
        "traces": [{"cluster": names[0], "calls": calls}],
        "verdict": {"verdict": verdict, "summary": [], "directions": directions},
        "changes": [{"cluster": names[0], "what": "SIP trunk", "actions": ["created"]}],
        "files": [{"path": "build/" + "long/" * 30 + "packets.cap", "size": 1, "sha256": "ab" * 32}],
    }  # fmt: skip


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and keeps no log."""

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def browse(tmp_path: Path) -> Iterator[Callable[..., tuple[dict[str, Any], str]]]:
    """Opens the folder's report in a frame so wide; returns the measures and what the browser complained of."""
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def run(width: int, *, dark: bool = False) -> tuple[dict[str, Any], str]:
            # 0 is dark, 1 is light.
            chosen = [f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
            chosen.append(f"--user-data-dir={tmp_path / f'profile{width}{dark}'}")
            (tmp_path / "wrapper.html").write_text(WRAPPER % width)
            done = subprocess.run(
                [str(CHROMIUM), *FLAGS, *chosen, "--virtual-time-budget=4000",
                 "--window-size=1400,1000", "--dump-dom", f"http://127.0.0.1:{server.server_port}/wrapper.html"],
                capture_output=True, text=True, timeout=90, check=True,
            )  # fmt: skip
            found = re.search(r'<pre id="out">(\{.*?\})</pre>', done.stdout, re.S)
            assert found, f"the page did not load: {done.stderr[-2000:]}"
            console = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
            return json.loads(found[1].replace("&quot;", '"')), console

        yield run
        server.shutdown()


@needs_chromium
@pytest.mark.parametrize(("count", "verdict"), [(2, "insecure"), (5, "secure"), (12, "insecure")])
def test_it_renders_fits_and_complains_of_nothing(
    browse: Callable[..., tuple[dict[str, Any], str]], tmp_path: Path, count: int, verdict: str
) -> None:
    report_files.write(str(tmp_path), given(count, verdict), pretend=False)
    papers = set()
    for width, dark in ((320, False), (390, True), (1200, False)):
        measured, console = browse(width, dark=dark)
        papers.add((dark, measured["paper"]))
        assert console == ""
        assert measured["wide"] == []
        assert measured["scroll"] <= measured["client"]
        assert measured["text"] > 1000
        assert measured["svg"] >= 3
    # Light is light at both widths, and dark is another colour.
    assert len(papers) == len({paper for _unused, paper in papers}) == 2


class Links(html.parser.HTMLParser):
    """Collects what a page would load, and the scripts it has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [str(value) for key, value in attrs if key in ("src", "href") and value != "data:,"]
        if tag in ("script", "iframe", "object", "embed"):
            self.found.append(tag)


@pytest.mark.parametrize("verdict", ["secure", "insecure", "unproven"])
def test_it_is_complete_in_itself_and_takes_no_code_from_names(tmp_path: Path, verdict: str) -> None:
    data = given(3, verdict)
    data["clusters"][0]["nodes"][0]["name"] = '"><img src=x onerror=alert(1)>'
    report_files.write(str(tmp_path), data, pretend=False)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert links.found == []
    assert "http-equiv" in page
    assert len(page) < 200_000


def test_the_same_evidence_changes_nothing_and_check_mode_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    assert report_files.write(str(folder), given(), pretend=True).changed is True
    assert not folder.exists()
    assert report_files.write(str(folder), given(), pretend=False).changed is True
    first = (folder / "report.html").read_bytes()
    assert report_files.write(str(folder), given(), pretend=False).changed is False
    assert (folder / "report.html").read_bytes() == first
    assert report_files.write(str(folder), given(verdict="insecure"), pretend=False).changed is True
    data = json.loads((folder / "report.json").read_text())
    assert data["verdict"]["verdict"] == "insecure"


def test_nothing_at_all_still_makes_a_page(tmp_path: Path) -> None:
    empty = {"title": "T", "clusters": [], "verdict": {}, "captures": [], "traces": [], "changes": [], "files": []}
    report_files.write(str(tmp_path), empty, pretend=False)
    assert "unproven" in (tmp_path / "report.html").read_text()


def test_the_questions_are_answered_by_what_was_found(tmp_path: Path) -> None:
    data = given(verdict="insecure")
    for one in data["verdict"]["directions"]:
        one["evidence"] = [{"check": "srtp", "source": "call", "text": "keys"},
                           {"check": "wire", "source": "capture", "text": "TLS"}]  # fmt: skip
        one["findings"] = [
            {"severity": "error", "check": "server_name", "cause": "another name", "source": "probe"},
            {"severity": "missing", "check": "dates", "cause": "unknown", "source": "probe"},
        ]
    report_files.write(str(tmp_path), data, pretend=False)
    tiles = re.findall(
        r'class="tile (\w+)">.*?class="q">(.*?)</div><div class="a">(.*?)</div><div class="src">(.*?)</div>',
        (tmp_path / "report.html").read_text(),
    )
    assert {question: (tone, answer, small) for tone, question, answer, small in tiles} == {
        "Is it the right peer?": ("insecure", "no", "another name"),
        "Do both sides prove who they are?": ("unproven", "not proven", "nothing was seen"),
        "Is the signaling encrypted?": ("secure", "yes", "by capture"),
        "Is the media encrypted?": ("secure", "yes", "by call"),
        "Are the certificates fit and in date?": ("unproven", "not proven", "nothing was seen"),
        "Do calls get through?": ("unproven", "not proven", "nothing was seen"),
    }


def test_evidence_in_the_reports_folder_is_named_from_there(tmp_path: Path) -> None:
    data = given()
    data["files"] = [{"path": str(tmp_path / "evidence" / "a.cap"), "size": 1, "sha256": "ab" * 32},
                     {"path": "/elsewhere/b.cap", "size": 1, "sha256": "cd" * 32}]  # fmt: skip
    report_files.write(str(tmp_path), data, pretend=False)
    kept = json.loads((tmp_path / "report.json").read_text())["files"]
    assert [one["path"] for one in kept] == ["evidence/a.cap", "/elsewhere/b.cap"]


def test_without_the_templates_a_sentence_names_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "TEMPLATES", tmp_path / "missing")
    with pytest.raises(Failure, match="Run the task without async"):
        report_files.write(str(tmp_path / "made"), given(), pretend=False)
    assert not (tmp_path / "made" / "report.html").exists()
