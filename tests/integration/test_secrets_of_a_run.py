# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the main playbook shows of its secrets to others on the machine: nothing."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from tests.support.sites import SetUp

pytestmark = [pytest.mark.playbook, pytest.mark.xdist_group("trunk"), pytest.mark.timeout(1200)]
KEY = re.compile(rb"-----BEGIN (?:RSA |EC |ENCRYPTED )?PRIVATE KEY-----")


def test_no_process_had_a_password_among_its_arguments(set_up: SetUp) -> None:
    assert len(set_up.site.secrets()) >= 2 and set_up.watch.looks > 10
    assert not set_up.watch.seen


def test_nobody_else_may_write_what_the_run_wrote_nor_read_its_keys(set_up: SetUp) -> None:
    secrets = [secret.encode() for secret in set_up.site.secrets()]
    keys = 0
    for folder, _names, files in os.walk(set_up.site.folder):
        for name in files:
            path = Path(folder) / name
            if not path.is_file() or path.is_symlink():
                continue
            mode, content = stat.S_IMODE(path.stat().st_mode), path.read_bytes()
            assert not mode & 0o022, f"{path} {mode:o}"
            if KEY.search(content) or any(secret in content for secret in secrets):
                keys += 1
                assert not mode & 0o077, f"{path} {mode:o}"
    assert keys >= 2, "the CA's key and the lab's inventory"


def test_no_file_of_a_module_is_left_behind(set_up: SetUp) -> None:
    left = [path for path in (set_up.site.folder / "ansible").rglob("*") if path.is_file() and "tmp" in path.parts]
    assert not left
