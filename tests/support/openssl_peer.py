# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A SIP TLS peer made of the openssl program: keys, certificates and s_server on a loopback address."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ADDRESS = "127.143.7.1"

MODULE = Path(__file__).resolve().parents[2] / "plugins" / "modules" / "sip_tls_probe.py"


def openssl(*arguments: str, feed: str | None = None) -> str:
    """Runs openssl and returns what it printed; an assertion with its complaint when it fails."""
    done = subprocess.run(["openssl", *arguments], input=feed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_ca(folder: Path, name: str, digest: str = "sha256", bits: int = 2048) -> Path:
    """A root CA: <name>.pem and <name>.key."""
    openssl(
        "req", "-x509", "-newkey", f"rsa:{bits}", "-nodes", "-keyout", str(folder / f"{name}.key"),
        "-out", str(folder / f"{name}.pem"), f"-{digest}", "-days", "30", "-subj", f"/O=Lab/CN={name}",
    )  # fmt: skip
    return folder / f"{name}.pem"


def make_leaf(folder: Path, name: str, ca: str, digest: str = "sha256", bits: int = 2048) -> Path:
    """A certificate of a CA made before: <name>.pem (with the CA's in <name>.chain) and <name>.key."""
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName=DNS:{name}.lab.local\nextendedKeyUsage=serverAuth,clientAuth\n")
    openssl(
        "req", "-new", "-newkey", f"rsa:{bits}", "-nodes", "-keyout", str(folder / f"{name}.key"),
        "-out", str(request), f"-{digest}", "-subj", f"/C=IN/ST=cisco/CN={name}",
    )  # fmt: skip
    openssl(
        "x509", "-req", "-in", str(request), "-CA", str(folder / f"{ca}.pem"), "-CAkey", str(folder / f"{ca}.key"),
        "-set_serial", str(time.time_ns()), f"-{digest}", "-days", "20", "-extfile", str(extensions),
        "-out", str(folder / f"{name}.pem"),
    )  # fmt: skip
    (folder / f"{name}.chain").write_text((folder / f"{ca}.pem").read_text())
    return folder / f"{name}.pem"


@contextmanager
def s_server(folder: Path, name: str, *options: str) -> Iterator[int]:
    """openssl s_server as the peer; its port. What it says goes to <name>.log."""
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        port = free.getsockname()[1]
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [
                "openssl", "s_server", "-accept", f"{ADDRESS}:{port}", "-cert", str(folder / f"{name}.pem"),
                "-key", str(folder / f"{name}.key"), "-cert_chain", str(folder / f"{name}.chain"),
                "-cipher", "ALL:@SECLEVEL=0", *options,
            ],
            stdin=subprocess.PIPE, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 10
            while "ACCEPT" not in (folder / f"{name}.log").read_text():
                assert process.poll() is None and time.monotonic() < deadline, (folder / f"{name}.log").read_text()
                time.sleep(0.02)
            yield port
        finally:
            process.kill()
            process.wait()


def fingerprint(certificate: Path) -> str:
    """The SHA-256 fingerprint that openssl prints."""
    said = openssl("x509", "-in", str(certificate), "-noout", "-fingerprint", "-sha256")
    found = re.search(r"=([0-9A-F:]+)", said)
    assert found
    return found[1]


def probe(port: int, **options: Any) -> dict[str, Any]:
    """What sip_tls_probe returns, as Ansible runs it."""
    given = {"ANSIBLE_MODULE_ARGS": {"host": ADDRESS, "port": port, "timeout": 3, **options}}
    done = subprocess.run(
        [sys.executable, str(MODULE)], input=json.dumps(given), capture_output=True, text=True, check=False
    )
    assert "{" in done.stdout, done.stderr
    result: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    return result
