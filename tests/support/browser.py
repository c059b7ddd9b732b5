# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages in a real browser: their measures, the problems that axe-core finds, and their print as PDF.

axe-core comes from npm at test time and is kept in build/axe, never in the repository.
"""

from __future__ import annotations

import fcntl
import functools
import html
import http.server
import json
import re
import shutil
import subprocess
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
]  # fmt: skip
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="NO PAGE WAS OPENED: apt-get install chromium")
AXE = "axe-core@4.10.3"
CACHE = Path(__file__).resolve().parents[2] / "build" / "axe"
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
# Opens each page in a frame of each width, one after another.
WRAPPER = """<!DOCTYPE html><html lang="en"><head><title>t</title><link rel="icon" href="data:,"></head><body>
<pre id="out"></pre><script>
async function all(jobs) {
  const found = [];
  for (const [page, width] of jobs) {
    const frame = document.createElement('iframe');
    frame.style = 'height:3000px;border:0;width:' + width + 'px'; frame.src = page;
    await new Promise(done => { frame.addEventListener('load', done); document.body.append(frame); });
    const d = frame.contentDocument, e = d.documentElement, wide = [];
    d.querySelectorAll('body *').forEach(n => {
      const out = n.getBoundingClientRect().right > e.clientWidth + 1;
      if (out && !n.closest('.matrix')) { wide.push(n.className || n.tagName); }
    });
    const axe = frame.contentWindow.axe ? await frame.contentWindow.axe.run(d, {resultTypes: ['violations']}) : null;
    found.push({page, width, scroll: e.scrollWidth, client: e.clientWidth, wide: wide.slice(0, 5),
      text: d.body.innerText, paper: getComputedStyle(d.body).backgroundColor, svg: d.querySelectorAll('svg').length,
      problems: axe && axe.violations.map(v =>
        v.id + ': ' + v.nodes.map(n => n.html + ' ' + n.failureSummary).slice(0, 3)),
      checked: axe && axe.passes.length});
    frame.remove();
  }
  return found;
}
all(JOBS).then(found => { document.getElementById('out').textContent = JSON.stringify(found); });
</script></body></html>"""


def axe() -> Path:
    """The script of axe-core; skips the test when it cannot be had."""
    script = CACHE / "axe.min.js"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not script.exists():
            if shutil.which("npm") is None:
                pytest.skip("NO PAGE WAS CHECKED BY AXE: npm is not installed")
            order = ["npm", "pack", "--silent", AXE]
            done = subprocess.run(order, cwd=CACHE, capture_output=True, text=True, timeout=120, check=False)
            if done.returncode:
                pytest.skip(f"NO PAGE WAS CHECKED BY AXE: {done.stderr.strip()[-200:]}")
            with tarfile.open(next(CACHE.glob("*.tgz"))) as archive:
                file = archive.extractfile("package/axe.min.js")
                assert file is not None
                script.write_bytes(file.read())
    return script


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and keeps no log."""

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def look(
    folder: Path, jobs: list[tuple[str, int]], *, dark: bool = False, checked: bool = True
) -> tuple[list[dict[str, Any]], str]:
    """Open pages of a folder in frames of these widths: the measures of each, and what the browser complained of.

    With checked, axe-core runs in copies of the pages, whose policy allows scripts.
    """
    if checked:
        shutil.copy(axe(), folder / "axe.js")
        for page in {name for name, _unused in jobs}:
            text = POLICY.sub("", (folder / page).read_text(encoding="utf-8"))
            (folder / f"axe-{page}").write_text(text.replace("</head>", '<script src="axe.js"></script></head>'))
        jobs = [(f"axe-{page}", width) for page, width in jobs]
    (folder / "wrapper.html").write_text(WRAPPER.replace("JOBS", json.dumps(jobs)))
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # 0 is dark, 1 is light.
        chosen = [f"--blink-settings=preferredColorScheme={0 if dark else 1}", f"--user-data-dir={folder / 'profile'}"]
        done = subprocess.run(
            [str(CHROMIUM), *FLAGS, *chosen, "--virtual-time-budget=120000", "--window-size=1400,1000", "--dump-dom",
             f"http://127.0.0.1:{server.server_port}/wrapper.html"],
            capture_output=True, text=True, timeout=240, check=True,
        )  # fmt: skip
        server.shutdown()
    found = re.search(r'<pre id="out">(\[.*?\])</pre>', done.stdout, re.S)
    assert found, f"the pages did not load: {done.stderr[-2000:]}"
    console = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    return json.loads(html.unescape(found[1])), console


def printed(page: Path) -> tuple[int, str]:
    """Print a page as PDF: the number of sheets, and the text as pdftotext reads it."""
    for tool in ("pdfinfo", "pdftotext"):
        if shutil.which(tool) is None:
            pytest.skip(f"NO PRINT WAS READ: {tool} is not installed (apt-get install poppler-utils)")
    paper = page.with_suffix(".pdf")
    subprocess.run(
        [str(CHROMIUM), *FLAGS, f"--user-data-dir={page.parent / 'print'}", "--no-pdf-header-footer",
         f"--print-to-pdf={paper}", page.as_uri()],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    facts = subprocess.run(["pdfinfo", paper], capture_output=True, text=True, timeout=60, check=True).stdout
    count = re.search(r"^Pages:\s+(\d+)", facts, re.MULTILINE)
    assert count, facts
    text = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, timeout=60, check=True)
    return int(count[1]), text.stdout
