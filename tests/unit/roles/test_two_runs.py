# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs of ansible-playbook on one controller never change one cluster at once."""

from __future__ import annotations

import json
import os
import platform
import secrets
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.siptls.cucm.plugins.module_utils._roles.undo import run_claim

PLAYBOOK = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - siptls.cucm.cucm_backup: &backup
        {host: HOST, username: nobody, password: unused, path: "{{ playbook_dir }}/records", name: west}
    - siptls.cucm.cucm_backup: *backup
    - ansible.builtin.copy: {dest: "{{ playbook_dir }}/begun", content: ""}
    - ansible.builtin.wait_for: {path: "{{ playbook_dir }}/end", timeout: 120}
    - siptls.cucm.cucm_backup:
        {host: HOST, username: nobody, password: unused, path: "{{ playbook_dir }}/records", name: west,
         state: finished}
"""


def written(old: str, new: str) -> str:
    """The playbook, changed, for a cluster whose address no other test has."""
    host = ".".join(["127", *(str(secrets.randbelow(254) + 1) for _part in range(3))])
    return PLAYBOOK.replace("HOST", host).replace(old, new)


#: the states of cucm_backup at the two ends of a run: with a record, and without one as in renew_certificates.yml
WITHOUT_RECORD = ("true", "claimed", "released")


@pytest.mark.parametrize(("in_process", "first_state", "last_state"), [("false", "begun", "finished"), WITHOUT_RECORD])
def test_a_second_run_ends_until_the_first_has_ended(
    tmp_path: Path, in_process: str, first_state: str, last_state: str
) -> None:
    book, begun, end = tmp_path / "book.yml", tmp_path / "begun", tmp_path / "end"
    text = written("name: west}", f"name: west, state: {first_state}}}")
    book.write_text(text.replace("finished", last_state), encoding="utf-8")
    order = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", str(book),
             "-e", f"ansible_python_interpreter={sys.executable}"]  # fmt: skip
    environment = os.environ | {"SIPTLS_CUCM_IN_PROCESS": in_process, "ANSIBLE_HOME": str(tmp_path / "ansible")}

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(order, env=environment, capture_output=True, text=True, timeout=150, check=False)

    first = subprocess.Popen(order, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        latest = time.monotonic() + 60
        while not begun.exists() and time.monotonic() < latest:
            time.sleep(0.1)
        second = run()
        assert second.returncode != 0
        words = " ".join((second.stdout + second.stderr).split())
        assert f"west: another run is changing this cluster, process {first.pid} of" in words, words[-1500:]
        if (first_state, last_state) == WITHOUT_RECORD[1:]:
            # Somebody else on this machine, with an inventory and records of their own.
            whole = book.read_text(encoding="utf-8")
            book.write_text(whole.replace("/records", "/other").replace("name: west", "name: theirs"), encoding="utf-8")
            words = " ".join(run().stdout.split())
            assert f"theirs: another run is changing this cluster, process {first.pid} of" in words, words[-1500:]
            book.write_text(whole, encoding="utf-8")
    finally:
        # As the machine's power would end it.
        first.kill()
        first.wait()
    end.touch()
    assert [path.suffix for path in (tmp_path / "records" / "west").glob("running*")] == [".claim"], "not a record"
    third = run()
    assert third.returncode == 0, third.stdout[-1500:]
    assert not list((tmp_path / "records" / "west").glob("running*"))
    assert bool(list((tmp_path / "records" / "west").glob("*.json"))) is False


def test_a_claim_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "records").write_text("not a folder", encoding="utf-8")
    book = tmp_path / "book.yml"
    book.write_text(written("name: west}", "name: west, state: claimed}"), encoding="utf-8")
    order = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", str(book),
             "-e", f"ansible_python_interpreter={sys.executable}"]  # fmt: skip
    environment = os.environ | {"ANSIBLE_HOME": str(tmp_path / "ansible")}
    done = subprocess.run(order, env=environment, capture_output=True, text=True, timeout=150, check=False)
    words = " ".join(done.stdout.split())
    assert done.returncode != 0 and "west: the file that keeps a second run away" in words, words[-1500:]
    assert "Nothing was changed. Set sip_tls_undo_backup_path" in words


def test_what_others_put_into_the_shared_folder_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_claim, "_SHARED", tmp_path / "shared")
    own = {"host": platform.node(), "pid": os.getpid(), "started": run_claim._started(os.getpid()), "since": None}
    monkeypatch.setattr(run_claim, "_this_run", lambda: own)
    place = run_claim.Place(tmp_path / "records", "west", "127.0.0.1", 8443)
    (tmp_path / "shared").mkdir()
    kept = tmp_path / "kept"
    kept.write_text("a file of mine", encoding="utf-8")
    place.shared.symlink_to(kept)
    os.mkfifo(place.shared.with_suffix(".1"))
    place.shared.with_suffix(".2").write_text("{" * 10_000, encoding="utf-8")
    # A process that is alive, and that is not the owner's of the file.
    alive = {"host": platform.node(), "pid": 1, "started": run_claim._started(1), "since": "now"}
    foreign = place.shared.with_suffix(".3")
    foreign.write_text(json.dumps(alive), encoding="utf-8")
    os.chown(foreign, 12345, -1) if os.getuid() == 0 else foreign.unlink()
    run_claim.claim(place, "2027-01-31T12:00:00.000Z")
    assert kept.read_text(encoding="utf-8") == "a file of mine" and (tmp_path / "records" / run_claim.CLAIM).exists()
    run_claim.release(place)
    assert place.shared.is_symlink() and not (tmp_path / "records" / run_claim.CLAIM).exists()
    place.shared.unlink()
    run_claim.claim(place, "2027-01-31T12:00:00.000Z")
    assert place.shared.is_file() and place.shared.stat().st_mode & 0o777 == 0o644
    run_claim.release(place)
    assert not place.shared.exists()
