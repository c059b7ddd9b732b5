# Copyright: siptls.cucm contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback siptls.cucm.progress, by the real ansible-playbook: in a pipe, on a terminal, and when things fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PLAY = """
- hosts: all
  name: Something of the user's
  gather_facts: false
  connection: local
  tasks:
    - name: Say something
      ansible.builtin.debug:
        msg: "{{ inventory_hostname }} is there"
    - name: Not for anybody
      ansible.builtin.debug:
        msg: never
      when: false
- hosts: all
  name: Roles
  gather_facts: false
  connection: local
  roles: [preflight, sip_tls_trunk]
"""
PREFLIGHT = """
- name: Check many
  ansible.builtin.assert:
    that: item.good
    fail_msg: "{{ item.name }} is not good. CUCM said: no. Make it good."
    quiet: true
  loop: "{{ things }}"
  loop_control:
    label: "{{ item.name }}"
"""
TRUNK = """
- name: Make something
  ansible.builtin.command:
    cmd: "true"
  changed_when: inventory_hostname == 'beta'
- name: Wait for something that takes long
  ansible.builtin.command:
    cmd: sleep 3
  changed_when: false
"""
GIVEN = f"{{things: [{{name: a, good: true}}], ansible_python_interpreter: {sys.executable}}}"


@pytest.fixture
def order(tmp_path: Path) -> list[str]:
    """A playbook with roles of our names."""
    for role, tasks in (("preflight", PREFLIGHT), ("sip_tls_trunk", TRUNK)):
        (tmp_path / "roles" / role / "tasks").mkdir(parents=True)
        (tmp_path / "roles" / role / "tasks" / "main.yml").write_text(tasks)
    (tmp_path / "play.yml").write_text(PLAY)
    return [
        sys.executable,
        "-m",
        "ansible",
        "playbook",
        str(tmp_path / "play.yml"),
        "-e",
        GIVEN,
    ]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Ansible's environment, with the callback."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    return kept | {
        "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_STDOUT_CALLBACK": "siptls.cucm.progress",
        "SIPTLS_CUCM_PROGRESS_SHOW_AFTER": "1",
        **more,
    }


def run(folder: Path, order: list[str], *more: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it with its output in a pipe."""
    return subprocess.run(
        [*order, *more], cwd=folder, env=environment(folder, **variables), text=True, capture_output=True, timeout=120,
        check=False,
    )  # fmt: skip


def test_a_pipe_gets_a_line_for_each_phase_and_change_and_for_what_takes_long(tmp_path: Path, order: list[str]) -> None:
    done = run(tmp_path, order, "-i", "alpha,beta,")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\x1b" not in done.stdout
    lines = [re.sub(r"\d+ s\b", "N s", line) for line in done.stdout.splitlines()]
    assert "  still: Wait for something that takes long: N s, alpha, beta" in lines
    shown = [line for line in lines if not line.startswith("  still")]
    # Which of two clusters ends a task first is chance.
    assert [*shown[:2], *sorted(shown[2:4]), *shown[4:]] == [
        "play.yml",
        "                  alpha         beta",
        "  alpha is there",
        "  beta is there",
        "Something of the… ok            ok            N s",
        "Preflight         ok            ok            N s",
        "  beta: Make something",
        "Trunks            ok            1 changed     N s",
        "",
        "PLAY RECAP",
        "alpha : ok=4 changed=0 unreachable=0 failed=0 skipped=1 rescued=0 ignored=0",
        "beta : ok=4 changed=1 unreachable=0 failed=0 skipped=1 rescued=0 ignored=0",
        "Finished after N s.",
    ]


def test_a_failed_item_is_one_sentence_and_many_clusters_are_counted(tmp_path: Path, order: list[str]) -> None:
    hosts = "".join(f"cluster{number}," for number in range(12))
    things = "{things: [{name: a, good: true}, {name: b, good: false}]}"
    done = run(tmp_path, order, "-i", hosts, "-e", things, "--limit", "!cluster11")
    assert done.returncode == 2
    assert "11 clusters\n" in done.stdout
    named = ", ".join(f"cluster{number}" for number in range(11))
    assert re.search(rf"^Preflight +11 failed \({named}\); \d+ s$", done.stdout, re.MULTILINE)
    failures = re.findall(r"^  cluster3.*failed: .*\n +(.*)$", done.stdout, re.MULTILINE)
    assert failures == ["b is not good. CUCM said: no. Make it good."]
    assert "skipping" not in done.stdout and "One or more items failed" not in done.stdout


def test_a_terminal_shows_the_task_and_its_seconds_and_ends_with_the_same_rows(
    tmp_path: Path, order: list[str]
) -> None:
    outside, inside = os.openpty()
    with subprocess.Popen(
        [*order, "-i", "alpha,beta,"], cwd=tmp_path, env=environment(tmp_path, TERM="xterm"), stdout=inside
    ) as process:
        os.close(inside)
        seen = b""
        try:
            while part := os.read(outside, 65536):
                seen += part
        except OSError:  # the program has ended
            pass
        os.close(outside)
    assert process.returncode == 0
    text = seen.decode()
    # The seconds count while nothing else happens.
    assert "Wait for something that takes long: 1 s" in text and "Wait for something that takes long: 2 s" in text
    # What stays on the screen: whatever is rewritten has been wiped.
    last = re.sub(r"\x1b\[[0-9;]*m", "", text.rpartition("\x1b[J")[2])
    assert "Finished after" in last and "still" not in last
    rows = [
        re.sub(r"\x1b\[[0-9;]*m", "", row) for row in re.findall(r"\x1b\[J(?:\x1b\[[0-9;]*m)?(Trunks[^\n]*)\n", text)
    ]
    assert any("1 changed" in row for row in rows)


def test_verbose_shows_results_and_diff_shows_what_differs(tmp_path: Path, order: list[str]) -> None:
    (tmp_path / "roles" / "preflight" / "tasks" / "main.yml").write_text(
        f"- ansible.builtin.copy:\n    content: 'new text'\n    dest: {tmp_path}/file\n"
    )
    done = run(tmp_path, order, "-i", "alpha,", "-v", "--check", "--diff")
    assert "play.yml (check mode: nothing is changed)" in done.stdout
    assert "+new text" in done.stdout and "alpha: would change: " in done.stdout
    assert re.search(r"alpha: .*\"changed\": true", done.stdout)
    assert not (tmp_path / "file").exists()
