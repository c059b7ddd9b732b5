# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's disk is full: one sentence, nothing half there, and the next run finishes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._evidence import files as evidence_files
from ansible_collections.siptls.cucm.plugins.module_utils._module import Failure

from tests.support.requests_made import make_csr

#: A file system of our own, full but for some kilobytes; the module's first run; room is made; its second run.
SCRIPT = """
set -e
mount -t tmpfs -o size=64k tmpfs "$1"
mkdir "$1/ca"
dd if=/dev/zero of="$1/filler" bs=1k count=100 2>/dev/null || true
"$2" -W ignore -m ansible_collections.siptls.cucm.plugins.modules.ca_sign < "$3" || true
find "$1/ca" -type f | sed 's/^/left: /'
rm "$1/filler"
"$2" -W ignore -m ansible_collections.siptls.cucm.plugins.modules.ca_sign < "$3"
"""


def test_a_full_disk_stops_the_ca_in_a_sentence_and_leaves_nothing_half(tmp_path: Path) -> None:
    may = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    if may.returncode:
        pytest.skip("this kernel lets nobody make a file system of their own (unshare -rm, package util-linux)")
    place, order = tmp_path / "disk", tmp_path / "order.json"
    place.mkdir()
    arguments: dict[str, Any] = {
        "csr": make_csr(tmp_path), "path": str(place / "ca"), "_ansible_remote_tmp": str(tmp_path),
        "_ansible_diff": True,
    }  # fmt: skip
    order.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", SCRIPT, "sh", str(place), sys.executable, str(order)],
        capture_output=True, text=True, check=False, timeout=120, env=dict(os.environ),
    )  # fmt: skip
    lines = done.stdout.splitlines()
    results = [json.loads(line) for line in lines if line.startswith("{")]
    assert len(results) == 2, done.stdout + done.stderr
    said = str(results[0].get("msg"))
    assert results[0]["failed"] and "no space left" in said and str(place) in said, said
    assert "does not know" not in said and "Traceback" not in done.stdout + done.stderr
    whole = [line for line in lines if line.startswith("left: ")]
    assert not [line for line in whole if "tmp" in line.rpartition("/")[2]], whole
    assert results[1]["changed"] and results[1]["certificate"].startswith("-----BEGIN CERTIFICATE-----")


def test_evidence_that_finds_no_place_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure, match=r"file/x\.cap cannot be written on this machine: .*another dest, then run again"):
        evidence_files.write(tmp_path / "file" / "x.cap", b"content")
